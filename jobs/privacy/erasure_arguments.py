"""What `xsell offers erase` understands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobs.arguments import add_command, add_home, day_of, lazy, said

if TYPE_CHECKING:
    from jobs.arguments import Commands


def add_erase(verbs: Commands) -> None:
    """`xsell offers erase`."""
    erase = add_command(
        verbs,
        "erase",
        "take a client out of every table, delivery, list and log of the home",
        lazy("jobs.privacy.erase_command", "erase_command"),
    )
    erase.add_argument(
        "--customer", required=True, metavar="ID", help="any record of the person; all are erased"
    )
    erase.add_argument("--by", required=True, type=said, help="who decides; recorded")
    erase.add_argument("--reason", required=True, type=said, help="why; recorded, so name nobody")
    erase.add_argument(
        "--on", type=day_of, metavar="YYYY-MM-DD", help="day of the decision (default: today)"
    )
    erase.add_argument(
        "--dry-run", action="store_true", help="tell what would go, and change nothing"
    )
    add_home(erase)
