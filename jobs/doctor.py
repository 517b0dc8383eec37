"""`xsell doctor`: check machine, engine, configuration, store and registry; say what to do."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from conf.errors import ConfigError
from conf.load import load_config
from jobs.home import Home
from jobs.settings import checked_config
from tables.errors import UserError

PINNED = {"pyspark": "4.2.0", "pysail": "0.7.2", "mlflow": "3.17.2", "deltalake": "1.6.6"}
FREE_GIB = 2
MEMORY_GIB = 4


@dataclass(frozen=True)
class Finding:
    """One check: what was found, and the fix if it is not good."""

    what: str
    found: str
    fix: str | None = None


def doctor_command(options: argparse.Namespace) -> int:
    """Print one line per check; exit 1 if any asks for a fix."""
    home = Home(Path(options.home).resolve())
    findings = list(_findings(options, home))
    for finding in findings:
        state = "ok  " if finding.fix is None else "FIX "
        sys.stdout.write(f"{state} {finding.what:<14} {finding.found}\n")
        if finding.fix:
            sys.stdout.write(f"     {'':<14} {finding.fix}\n")
    return int(any(finding.fix for finding in findings))


def _findings(options: argparse.Namespace, home: Home) -> Iterator[Finding]:
    yield _python()
    yield from (_package(name, version) for name, version in PINNED.items())
    yield _memory()
    yield _attempt("home", lambda: _writable(home))
    yield _attempt("configuration", lambda: _config(options))
    yield _attempt("java", _java)
    yield _attempt("engine", lambda: _engine(options))
    yield _attempt("store", lambda: _store(home))
    yield _attempt("registry", lambda: _registry(options, home))


def _attempt(what: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(what, check())
    except (UserError, ConfigError) as error:
        return Finding(what, "not ready", str(error))


def _python() -> Finding:
    found = sys.version.split()[0]
    is_good = sys.version_info >= (3, 11)
    return Finding("python", found, None if is_good else "install Python 3.11 or newer")


def _package(name: str, pinned: str) -> Finding:
    try:
        found = metadata.version(name)
    except metadata.PackageNotFoundError:
        return Finding(name, "missing", "make setup installs it")
    fix = None if found == pinned else f"{pinned} is what was tested; make setup installs it"
    return Finding(name, found, fix)


def _memory() -> Finding:
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores = os.cpu_count()
    fix = None if gib >= MEMORY_GIB else f"at least {MEMORY_GIB} GiB are needed"
    return Finding("machine", f"{cores} cores, {gib:.0f} GiB", fix)


def _writable(home: Home) -> str:
    home.create()
    free = shutil.disk_usage(home.path).free / 2**30
    if free < FREE_GIB:
        raise UserError(f"{free:.1f} GiB free at {home.path}: make room, or choose another --home")
    return f"{home.path}, {free:.0f} GiB free"


def _config(options: argparse.Namespace) -> str:
    config = checked_config(options.env, options.overrides)
    return f"env {options.env}: {len(config.products)} products, {len(config.offers)} offers"


def _java() -> str:
    from jobs.java import java_home

    return f"{java_home()} (only the engine spark needs it)"


def _engine(options: argparse.Namespace) -> str:
    from jobs.engine import open_engine

    settings = load_config(options.env, options.overrides).engine
    with open_engine(settings) as spark:
        answered = spark.range(3).count()
    if answered != len(range(3)):
        raise UserError(f"engine {settings.kind} counts wrongly: {answered} of 3 rows")
    return f"{settings.kind} answers"


def _store(home: Home) -> str:
    from tables.runs import Runs

    records = Runs(home.tables).committed()
    for name, version in (records[-1].pins if records else {}).items():
        _check_files(home, name, version)
    return f"{len(records)} committed runs"


def _check_files(home: Home, name: str, version: int) -> None:
    from tables.delta import files_of

    folder = home.tables / name
    lost = [file.path for file in files_of(folder, version) if not (folder / file.path).exists()]
    if lost:
        raise UserError(
            f"{name} lacks {len(lost)} files, e.g. {lost[0]}: restore {folder} from a backup"
        )


def _registry(options: argparse.Namespace, home: Home) -> str:
    from models.registry import champions
    from tables.errors import ModelNotFound

    try:
        found = champions(load_config(options.env, options.overrides), home.path)
    except ModelNotFound as error:
        return f"no champions yet ({error})"
    return f"{len(found)} champions"
