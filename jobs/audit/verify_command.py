"""`xsell offers verify`: nothing of what was decided and published was changed since."""

from __future__ import annotations

import argparse
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path

from audit.check_log import Kept, LogCheck, check_log, trusted_keys
from audit.checkpoint import BadCheckpoint, VerifierKey, opened
from audit.entries import number_in_name
from audit.export_log import export_log
from jobs.audit.checkpoint_files import EVERY
from jobs.audit.log_keys import published_keys
from jobs.home import Home
from jobs.runs.published_files import changed_files, changed_record, published_files
from jobs.runs.rewriting import is_pending
from tables.derived import CHECKPOINTS, OFFER_LOG, VAULT
from tables.errors import UserError
from tables.files import write_tree
from tables.runs import Runs
from tables.store import Store

SEALED = (OFFER_LOG, VAULT, CHECKPOINTS)
FAILED = 1


def verify_command(options: argparse.Namespace) -> int:
    """Check log and published files; a line per finding, then what that comes to."""
    home = Home(Path(options.home).resolve())
    runs = Runs(home.tables)
    pins = {table.name: runs.head(table.name) for table in SEALED}
    if pins[CHECKPOINTS.name] is None:
        raise UserError(f"no campaign has been decided in {home.path}: there is no log to verify")
    keys = options.key or [VerifierKey.from_text(text) for text in published_keys(home)]
    store = Store(home.tables, None, {name: pin for name, pin in pins.items() if pin is not None})
    with suppress(OSError, ValueError):  # what cannot be read is found below
        keys = trusted_keys(store, keys)
    kept = [*_brought(options.checkpoint, keys), *_copies(home)]
    check = check_log(store, keys, kept)
    records = runs.committed()
    files = published_files(home, records)
    findings = [
        *check.findings,
        *changed_record(records, files, check.statements),
        *changed_files(home, files),
        *_interrupted(home),
    ]
    lines = [*findings, *_told(check, len(files), keys, is_from_home=not options.key)]
    if options.export:
        lines.append(_exported(store, keys, check, options.export))
    sys.stdout.write("\n".join([*lines, _verdict(findings)]) + "\n")
    return FAILED if findings else 0


def _interrupted(home: Home) -> list[str]:
    if not is_pending(home):
        return []
    return [
        "an erasure was interrupted, or a removal by retention, while files were put in place: run"
        " its command again, or any that publishes"
    ]


def _exported(store: Store, keys: list[VerifierKey], check: LogCheck, parent: Path) -> str:
    """Where the log went: a folder of its own, so that what else is there is left alone."""
    if check.findings:
        return "nothing was exported: who gets a log should be able to verify it"
    target = parent / f"offer-log-{number_in_name(check.entries)}"
    write_tree(target, partial(export_log, store, keys))
    return f"exported to {target}; to verify it: python3 verify_offer_log.py {target.name}"


def _brought(paths: list[Path], keys: list[VerifierKey]) -> list[Kept]:
    """Checkpoints that somebody has kept outside.

    Raises:
        UserError: One cannot be read, or none of the keys has signed it: nothing follows from that
            about the log.
    """
    kept = []
    for path in paths:
        try:
            note = path.read_text(encoding="utf-8")
            opened(note, keys)
        except OSError as error:
            raise UserError(f"cannot read {path}: {error.strerror}") from None
        except (UnicodeDecodeError, BadCheckpoint) as error:
            raise UserError(f"{path} says nothing about the log: {error}") from None
        kept.append(Kept(str(path), note))
    return kept


def _copies(home: Home) -> list[Kept]:
    """Those below the home folder; whatever is no text is no checkpoint."""
    paths = sorted((home.log / EVERY).glob("[0-9]*"))
    return [
        Kept(str(path.relative_to(home.path)), path.read_text(encoding="utf-8", errors="replace"))
        for path in paths
    ]


def _told(check: LogCheck, files: int, keys: list[VerifierKey], *, is_from_home: bool) -> list[str]:
    whose = ", ".join(key.as_text() for key in keys)
    lines = [
        f"entries hashed again: {check.entries:,}, of them erased: {check.erased:,}; checkpoints"
        f" verified: {check.runs:,}; published files compared: {files:,}",
        f"verified with {whose}",
    ]
    if is_from_home:
        lines.append(
            "that key lies beside the log, so who can change one can change both: compare it with"
            " the one you were given, or say --key, and bring a --checkpoint you kept"
        )
    return lines


def _verdict(findings: list[str]) -> str:
    if findings:
        return f"the log is NOT as it was sealed; findings above: {len(findings):,}"
    return "the log is as it was sealed"
