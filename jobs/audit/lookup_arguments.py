"""What `xsell offers lookups` understands, and how a command asks who is looking a client up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobs.arguments import add_command, add_home, day_of, lazy, said

if TYPE_CHECKING:
    from jobs.arguments import Commands, Parser


def add_by(command: Parser) -> None:
    """Who looks a client up; `jobs.audit.lookups.note_lookup` records it."""
    command.add_argument(
        "--by",
        type=said,
        metavar="NAME",
        help="who asks about a client; recorded (default: the account's name)",
    )


def add_lookups(verbs: Commands) -> None:
    """`xsell offers lookups`."""
    lookups = add_command(
        verbs,
        "lookups",
        "who looked up which client, by pseudonym, when and how",
        lazy("jobs.audit.lookups", "lookups_command"),
    )
    lookups.add_argument(
        "--since", type=day_of, metavar="YYYY-MM-DD", help="of this day (UTC) or later"
    )
    lookups.add_argument(
        "--by", type=said, metavar="NAME", help="by whom, as they said or by their account's name"
    )
    add_home(lookups)
