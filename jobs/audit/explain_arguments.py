"""What `xsell offers explain`, `replay` and `evidence` understand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from jobs.arguments import Parser, add_command, add_home, lazy, month_first, positive, said
from jobs.audit.lookup_arguments import add_by

if TYPE_CHECKING:
    from jobs.arguments import Commands


def add_explain(verbs: Commands) -> None:
    """`xsell offers explain`."""
    explain = add_command(
        verbs,
        "explain",
        "why a client was, or was not, offered something, and what would have changed that",
        lazy("jobs.audit.explain_command", "explain_command", done_without=["pandas"]),
    )
    _add_decisions(explain)
    explain.add_argument("--json", type=Path, metavar="FILE", help="write it as JSON")
    explain.add_argument("--html", type=Path, metavar="FILE", help="write it as a page")
    add_home(explain)


def add_evidence(verbs: Commands) -> None:
    """`xsell offers evidence`."""
    evidence = add_command(
        verbs,
        "evidence",
        "one client's decisions with proofs, rules and models, as a zip that verifies itself",
        lazy("jobs.audit.evidence_command", "evidence_command"),
    )
    _add_decisions(evidence)
    evidence.add_argument("--to", type=Path, required=True, metavar="FILE.zip", help="new file")
    add_home(evidence)


def add_rotate_key(verbs: Commands) -> None:
    """`xsell offers rotate-key`."""
    rotate = add_command(
        verbs,
        "rotate-key",
        "sign the log with a new key from now on; the old one vouches for it",
        lazy("jobs.audit.rotate_key", "rotate_key_command"),
    )
    rotate.add_argument("--by", required=True, type=said, help="who decides; recorded")
    rotate.add_argument("--reason", required=True, type=said, help="why; recorded")
    rotate.add_argument(
        "--lost", action="store_true", help="the old key is gone, or somebody else has it"
    )
    add_home(rotate)


def add_replay(verbs: Commands) -> None:
    """`xsell offers replay`."""
    replay = add_command(
        verbs,
        "replay",
        "make a past campaign again from what it read, and compare it byte for byte",
        lazy("jobs.audit.replay_command", "replay_command"),
    )
    replay.add_argument(
        "--only-decisions", action="store_true", help="take features and scores as they are"
    )
    replay.add_argument(
        "--engine",
        choices=("embedded", "spark", "connect"),
        help="where it is made (default: as then)",
    )
    replay.add_argument(
        "--partitions", type=positive, metavar="N", help="in how many parts (default: as then)"
    )
    add_campaign(replay)
    add_home(replay)


def _add_decisions(command: Parser) -> None:
    """Which decisions about a client are meant, and who asks."""
    command.add_argument("--customer", required=True, metavar="ID", help="as lists name the client")
    command.add_argument(
        "--offer", action="append", default=[], metavar="ID", help="default: every offer"
    )
    add_campaign(command)
    add_by(command)


def add_campaign(command: Parser) -> None:
    """Which campaign is meant: that of a month, or of a run."""
    which = command.add_mutually_exclusive_group(required=True)
    which.add_argument(
        "--as-of", type=month_first, metavar="YYYY-MM-01", help="the campaign of a month"
    )
    which.add_argument("--run", metavar="RUN", help="a run id, or how it begins")
