"""`xsell runs`: what was published, from what, and what replaced what."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from jobs.home import Home
from tables.runs import RunRecord, Runs


def runs_command(options: argparse.Namespace) -> int:
    """List committed runs, oldest first."""
    records = Runs(Home(Path(options.home).resolve()).tables).committed()
    superseded = {record.supersedes for record in records}
    for record in records:
        sys.stdout.write(_line(record, is_superseded=record.run_id in superseded) + "\n")
    if not records:
        sys.stdout.write("No run has been committed yet.\n")
    return 0


def _line(record: RunRecord, *, is_superseded: bool) -> str:
    state = "superseded" if is_superseded else record.status
    return (
        f"{record.sequence:>4}  {record.run_id[:12]}  {record.step:<11} {record.as_of}  {state:<10}"
        f"  {record.seconds:7.1f} s  {record.engine:<9} code {record.code_version}"
    )
