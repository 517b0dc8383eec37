"""What `xsell retention` understands besides the month."""

from __future__ import annotations

import argparse

from jobs.arguments import said


def add_retention(command: argparse.ArgumentParser) -> None:
    """Who decides, and whether it is only told."""
    command.add_argument("--by", required=True, type=said, help="who decides; recorded")
    command.add_argument(
        "--dry-run", action="store_true", help="tell what would go, and change nothing"
    )
