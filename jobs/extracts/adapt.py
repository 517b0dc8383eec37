"""`xsell adapt`: a bank's raw files become deliveries, as `conf/sources/<source>.yaml` says."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from conf.source import load_source
from extracts.adapter import make_deliveries
from extracts.adapter_checks import adapter_of
from jobs.home import Home
from jobs.runs.rewriting import publishing
from tables.errors import UserError


def adapt_command(options: argparse.Namespace) -> int:
    """Write the deliveries, then say what they hold and what was assumed."""
    source = load_source(options.source)
    adapter = adapter_of(source)
    if not options.data.is_dir():
        raise UserError(f"{options.data} is no folder; --data names the folder of the raw files")
    home = Home(Path(options.home).resolve())
    home.create()
    with publishing(home, "xsell adapt"):
        rows = make_deliveries(options.data, home.landing, source)
    lines = [f"{day}  {count:>11,} rows" for day, count in rows.items()]
    because = [adapter.assumed_consents.because] if adapter.assumed_consents else []
    lines += [f"Assumed: {one}" for one in (*adapter.assumptions, *because)]
    where = f"--home {options.home} --set bank.source={options.source}"
    lines += ["", f"Next: xsell ingest --as-of <one of these days> {where}"]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0
