"""What `xsell offers check` understands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from jobs.arguments import add_command, add_home, lazy, month_first
from jobs.audit.lookup_arguments import add_by

if TYPE_CHECKING:
    from jobs.arguments import Commands


def add_check(verbs: Commands) -> None:
    """`xsell offers check`."""
    check = add_command(
        verbs,
        "check",
        "recompute a campaign's rules from the raw deliveries, by code that shares nothing with it",
        lazy("jobs.audit.check_command", "check_command"),
    )
    which = check.add_mutually_exclusive_group()
    which.add_argument(
        "--as-of",
        type=month_first,
        metavar="YYYY-MM-01",
        help="the campaign of this month (default: the newest campaign)",
    )
    which.add_argument("--run", metavar="RUN", help="run id of a campaign, or how it begins")
    check.add_argument(
        "--json", type=Path, metavar="FILE", help="also write what was found to this file"
    )
    check.add_argument(
        "--show-customers",
        action="store_true",
        help="name clients in examples, and what is known of them; recorded as look-ups",
    )
    add_by(check)
    add_home(check)
