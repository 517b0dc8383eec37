"""`xsell retention`: months that are older than the jurisdiction's bounds are removed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from jobs.home import Home
from jobs.privacy.retention import Plan, commit_retention, plan_retention
from jobs.runs.rewriting import finish, publishing
from jobs.settings import checked_config
from tables.errors import UserError

HOLDER = "xsell retention"


def retention_command(options: argparse.Namespace) -> int:
    """Remove what is too old, or tell what would go.

    Raises:
        UserError: It cannot be done; nothing was changed.
    """
    home = Home(Path(options.home).resolve())
    if not home.tables.is_dir():
        raise UserError(f"{home.path} is no home folder. Choose another --home")
    bounds = checked_config(options.env, options.overrides).jurisdiction.in_force.retention
    with publishing(home, HOLDER):
        plan = plan_retention(home, options.as_of, bounds)
        lines = list(_told(plan, is_dry_run=options.dry_run))
        if options.dry_run or not plan.files:
            plan.rewriting.abandon()
        else:
            commit_retention(home, plan, options.as_of, bounds, options.by)
            finish(home)
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 0


def _told(plan: Plan, *, is_dry_run: bool) -> Iterator[str]:
    if not plan.files:
        yield "Nothing is older than the bounds: nothing to do."
        return
    would = "Would be rewritten or removed" if is_dry_run else "Rewritten or removed"
    yield f"{would}: {plan.files:,} files. Rows that go, of all versions:"
    for table, months in sorted(plan.rows.items()):
        yield from (f"  {table:<18}  {month}  {rows:,}" for month, rows in sorted(months.items()))
    for month, files in sorted(plan.list_files.items()):
        yield f"  {'list files':<18}  {month}  {files:,}"
    if plan.lookups:
        yield f"  {'lookups':<18}  {plan.lookups:,} lines"
    if is_dry_run:
        yield "Nothing was changed: without --dry-run this is done."
