"""`xsell offers erase`: nothing in the home leads to a client any more."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from jobs.clock import time_of_decision
from jobs.home import Home
from jobs.privacy.erasure import Plan, Request, commit_erasure, plan_erasure, told_rows
from jobs.runs.rewriting import finish, publishing
from tables.errors import UserError

HOLDER = "xsell offers erase"  # the lock's file must not name the client


def erase_command(options: argparse.Namespace) -> int:
    """Erase a client, or tell what would go.

    Raises:
        UnknownClient: Nothing names such a client.
        UserError: It cannot be done; nothing was changed.
    """
    home = Home(Path(options.home).resolve())
    if not home.tables.is_dir():
        raise UserError(f"{home.path} is no home folder. Choose another --home")
    if options.customer in f"{options.by} {options.reason}":
        raise UserError("--by or --reason names the client; both are kept, so say them without")
    with publishing(home, HOLDER):
        plan = plan_erasure(home, options.customer)
        if plan is None:
            sys.stdout.write("This client was erased before, and nothing names them any more.\n")
            return 0
        lines = list(_told(plan, is_dry_run=options.dry_run))
        if options.dry_run:
            plan.rewriting.abandon()
        else:
            day = str(options.on or time_of_decision()[:10])
            request = Request(options.by, options.reason, day)
            commit_erasure(home, plan, request)
            finish(home)
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 0


def _told(plan: Plan, *, is_dry_run: bool) -> Iterator[str]:
    would = "Would be rewritten" if is_dry_run else "Rewritten"
    yield f"{would}: {plan.files:,} files. Rows that go or lose a value, of all versions:"
    yield from told_rows(plan.rows)
    yield from told_rows({f"{name}, delivered": rows for name, rows in plan.delivered.items()})
    if plan.other_files:
        yield f"  {plan.other_files:,} files beside tables, deliveries and lists"
    if plan.elsewhere:
        yield "Copies outside of this folder have the client; tell who holds them to destroy them:"
        yield from (f"  {one}" for one in plan.elsewhere)
    if is_dry_run:
        yield "Nothing was changed: without --dry-run this is done."
        return
    yield "Kept on purpose: leaves of the sealed log, a keyed hash to know the client by who is"
    yield "delivered again, sums and shares over many clients, and models that learned from many."
