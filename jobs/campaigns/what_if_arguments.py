"""What `xsell campaign` understands besides a step's options, to show what it would do."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_what_if(campaign: argparse.ArgumentParser) -> None:
    """Settings to try, what to hold them against, and where to write a page."""
    campaign.add_argument(
        "--what-if",
        dest="what_ifs",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="show what another setting would come to, and publish nothing; may be said again for"
        " a plan with several changes; one value may be a sweep, FIRST..LAST:STEP",
    )
    campaign.add_argument(
        "--against",
        metavar="RUN",
        help="what to hold it against: `current`, the plan as configured (default), or a committed"
        " campaign by how its run id begins",
    )
    campaign.add_argument("--out", type=_page, help="write what --what-if shows as a page, too")


def _page(text: str) -> Path:
    if not text.endswith(".html"):
        raise argparse.ArgumentTypeError(f"{text!r} is not the name of a page, such as plan.html")
    return Path(text)
