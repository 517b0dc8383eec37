"""`xsell offers verify`: nothing of what was decided and published was changed since."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from audit.check_log import Kept, LogCheck, check_log
from audit.checkpoint import VerifierKey
from audit.export_log import export_log
from jobs.checkpoint_files import EVERY
from jobs.exports import LISTS, lists_folder
from jobs.home import Home
from jobs.log_keys import published_keys
from tables.derived import CHECKPOINTS, OFFER_LOG, VAULT
from tables.errors import UserError
from tables.files import sha256_of, write_tree
from tables.runs import Runs
from tables.store import Store

if TYPE_CHECKING:
    from tables.runs import RunRecord

SEALED = (OFFER_LOG, VAULT, CHECKPOINTS)
FAILED = 1


def verify_command(options: argparse.Namespace) -> int:
    """Check log and published files; a line per finding, then what that comes to."""
    home = Home(Path(options.home).resolve())
    runs = Runs(home.tables)
    pins = {table.name: runs.head(table.name) for table in SEALED}
    if pins[CHECKPOINTS.name] is None:
        raise UserError(f"no campaign has been decided in {home.path}: there is no log to verify")
    keys = [VerifierKey.from_text(text) for text in options.key or published_keys(home)]
    store = Store(home.tables, None, {name: pin for name, pin in pins.items() if pin is not None})
    check = check_log(store, keys, _kept(home, options.checkpoint))
    files, changed = _published(home, runs)
    findings = [*check.findings, *changed]
    if options.export:
        write_tree(options.export, partial(export_log, store, keys))
    sys.stdout.write("".join(f"{finding}\n" for finding in findings))
    sys.stdout.write("\n".join(_told(check, files, keys, is_from_home=not options.key)) + "\n")
    sys.stdout.write(_verdict(findings) + "\n")
    return FAILED if findings else 0


def _kept(home: Home, paths: list[Path]) -> list[Kept]:
    """Those that an outside keeper brings, and the copies below the home folder."""
    own = sorted((home.log / EVERY).glob("[0-9]*"))
    try:
        return [Kept(str(path), path.read_text(encoding="utf-8")) for path in [*paths, *own]]
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"a checkpoint cannot be read: {error}") from None


def _published(home: Home, runs: Runs) -> tuple[int, list[str]]:
    """How many files runs have published, and which are no longer what they were."""
    count, findings = 0, []
    for record in runs.committed():
        for path, digest in _files(home, record):
            count += 1
            name = path.relative_to(home.path)
            if not path.exists():
                findings.append(f"{name} is gone, which run {record.run_id[:12]} published")
            elif sha256_of(path) != digest:
                findings.append(f"{name} is not what run {record.run_id[:12]} published")
    return count, findings


def _files(home: Home, record: RunRecord) -> Iterator[tuple[Path, str]]:
    for name, digests in sorted(record.outputs.items()):
        folder = lists_folder(home, record) if name == LISTS else home.tables / name
        yield from ((folder / path, digest) for path, digest in sorted(digests.items()))


def _told(check: LogCheck, files: int, keys: list[VerifierKey], *, is_from_home: bool) -> list[str]:
    whose = ", ".join(key.as_text() for key in keys)
    lines = [
        f"{check.entries:,} entries hashed again ({check.erased:,} of them erased), {check.runs:,}"
        f" checkpoints verified, {files:,} published files compared",
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
        return f"the log is NOT as it was sealed: {len(findings)} findings above"
    return "the log is as it was sealed"
