"""What `xsell combinations` understands besides the month."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_combinations(command: argparse.ArgumentParser) -> None:
    """How rare a set may be, whose holdings are looked at, and where the report goes."""
    command.add_argument(
        "--min-support",
        type=_share,
        metavar="SHARE",
        help="smallest share of clients who hold a set (default: combinations.min_support)",
    )
    command.add_argument("--segment", metavar="NAME", help="only clients of this segment")
    command.add_argument(
        "--top", type=_lines, default=10, metavar="N", help="lines of each kind (default: 10)"
    )
    command.add_argument(
        "--out",
        type=Path,
        metavar="FOLDER",
        help="where page and tables go (default: <home>/reports/<as_of>/combinations)",
    )


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no share from 0 to 1, such as 0.01")
    return share


def _lines(text: str) -> int:
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)
