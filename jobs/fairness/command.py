"""`xsell fairness`: who is offered less, by protected group, and what the law of the place stops.

It reads what is committed and writes a report; no table, list or model changes. No engine is asked.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from jobs.fairness.analysis import analysed
from jobs.fairness.report import fairness_lines, write_fairness
from jobs.home import Home
from jobs.settings import checked_config
from tables.errors import ContractViolation


def fairness_command(options: argparse.Namespace) -> int:
    """Print what was found, write page and tables; exit 3 where the jurisdiction stops it."""
    config = checked_config(options.env, options.overrides)
    home = Home(Path(options.home).resolve())
    found = analysed(home, config, options.as_of)
    written = write_fairness(options.out or home.reports / str(options.as_of), found)
    lines = [*fairness_lines(found, options.top), "", *(f"{k}: {v}" for k, v in written.items())]
    sys.stdout.write("\n".join(lines) + "\n")
    return ContractViolation.exit_code if found.stops else 0
