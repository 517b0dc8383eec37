"""What `xsell demo` understands besides the size of the bank."""

from __future__ import annotations

import argparse


def add_react(command: argparse.ArgumentParser) -> None:
    """Whether its branches work through lists."""
    command.add_argument(
        "--react",
        action="store_true",
        help="branches work through the lists that are out: later deliveries tell what came of"
        " them; size, seed and months stay those of the bank",
    )
