"""What `xsell offers subject` understands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from jobs.arguments import add_command, add_home, lazy
from jobs.audit.lookup_arguments import add_by

if TYPE_CHECKING:
    from jobs.arguments import Commands


def add_subject(verbs: Commands) -> None:
    """`xsell offers subject`."""
    subject = add_command(
        verbs,
        "subject",
        "everything held about one client, for the client: data, decisions, reasons, recipients",
        lazy("jobs.privacy.subject_command", "subject_command"),
    )
    subject.add_argument("--customer", required=True, metavar="ID", help="any record of the person")
    subject.add_argument("--to", type=Path, metavar="FILE.json", help="write all of it as JSON")
    subject.add_argument("--html", type=Path, metavar="FILE.html", help="write it as a page")
    add_by(subject)
    add_home(subject)
