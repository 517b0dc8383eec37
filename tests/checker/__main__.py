"""`python -m tests.checker HOME`: one line per violation, exit code 1 if there is one."""

from __future__ import annotations

import argparse
import sys
from datetime import date
from pathlib import Path

from tests.checker.check import WHOLE, Bank
from tests.checker.settings import CONF, read_settings


def main(arguments: list[str]) -> int:
    """Check the lists of a home, all of them unless one folder is named."""
    parser = argparse.ArgumentParser(prog="python -m tests.checker", description=__doc__)
    parser.add_argument("home", type=Path, help="with landing/ and lists/, as xsell --home")
    parser.add_argument("--lists", type=Path, help="one folder of lists (default: all below HOME)")
    parser.add_argument("--env", default="local", help="as the lists were made")
    parser.add_argument("--set", action="append", default=[], dest="overrides", metavar="A.B=VALUE")
    parser.add_argument("--conf", type=Path, default=CONF, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    values = read_settings(options.env, options.overrides, options.conf)
    folders = [options.lists] if options.lists else _folders(options.home / "lists")
    count = 0
    for folder in folders:
        as_of = date.fromisoformat(folder.resolve().parents[1].name)
        found = Bank(options.home / "landing", values, as_of).violations(folder)
        count += len(found)
        for one in found:
            told = (str(folder), one.rule, one.customer_id, one.offer_id, one.found)
            sys.stdout.write("\t".join(told) + "\n")
    sys.stdout.write(f"{len(folders)} lists checked, {count} violations\n")
    return 1 if count else 0


def _folders(lists: Path) -> list[Path]:
    return sorted(path.parent for path in lists.glob(f"*/*/*/{WHOLE}"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
