"""`xsell lists export`: the files of a committed campaign, made anew below a folder."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from jobs.exports import write_committed
from jobs.home import Home
from jobs.lists_command import campaign_of


def export_command(options: argparse.Namespace) -> int:
    """Write the files of a committed campaign below a folder.

    Raises:
        ContractViolation: They would not be those that were committed.
    """
    home = Home(Path(options.home).resolve())
    record = campaign_of(home, options.as_of)
    # A folder of its own: what else lies in the user's folder is left alone.
    target = Path(options.to) / f"{record.campaign_id}-{record.as_of}-{record.run_id[:12]}"
    write_committed(home, record, target)
    sys.stdout.write(f"{target}\n")
    return 0
