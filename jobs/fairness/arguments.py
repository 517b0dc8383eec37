"""What `xsell fairness` understands besides the month."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_fairness(command: argparse.ArgumentParser) -> None:
    """How much is printed, and where the report goes."""
    command.add_argument(
        "--top", type=_lines, default=10, metavar="N", help="lines of each kind (default: 10)"
    )
    command.add_argument(
        "--out",
        type=Path,
        metavar="FOLDER",
        help="where page and tables go (default: <home>/reports/<as_of>)",
    )


def _lines(text: str) -> int:
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)
