"""`xsell lists`: what a campaign manager and a branch ask about a committed campaign."""

from __future__ import annotations

import argparse
import sys
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from campaigns.headings import HEADINGS
from campaigns.list_files import branch_view, words
from conf.recorded import recorded_config
from conf.schema import RunConfig
from jobs.exports import write_committed
from jobs.home import Home
from tables.derived import CAMPAIGN_LISTS
from tables.errors import UserError
from tables.runs import RunRecord, Runs
from tables.store import Store

SHOWN = ("rank_in_branch", "customer_id", "product_id", "channel", "valid_to", "reason_1")
MOST_NAMES = 20


def show_command(options: argparse.Namespace) -> int:
    """Print the first lines of a branch's list."""
    home = Home(Path(options.home).resolve())
    record = _campaign(home, options.as_of)
    lists = Store(home.tables, None, record.pins).arrow(CAMPAIGN_LISTS, record.as_of)
    config = recorded_config(record.config)
    for line in list_lines(lists, config, options.branch, options.rows):
        sys.stdout.write(line + "\n")
    return 0


def export_command(options: argparse.Namespace) -> int:
    """Write the files of a committed campaign below a folder.

    Raises:
        ContractViolation: They would not be those that were committed.
    """
    home = Home(Path(options.home).resolve())
    record = _campaign(home, options.as_of)
    # A folder of its own: what else lies in the user's folder is left alone.
    target = Path(options.to) / f"{record.campaign_id}-{record.as_of}-{record.run_id[:12]}"
    write_committed(home, record, target)
    sys.stdout.write(f"{target}\n")
    return 0


def list_lines(lists: pa.Table, config: RunConfig, branch_id: str | None, most: int) -> list[str]:
    """A branch's list as text: a headline, a header, one line per offer.

    Args:
        lists: Shaped ``CAMPAIGN_LISTS``, in order.
        config: The configuration of the run that made them.
        branch_id: Whose list; the first branch's if left out.
        most: So many offers are shown.

    Raises:
        UserError: There is no such list.
    """
    branches = sorted(set(lists["branch_id"].to_pylist()))
    chosen = branch_id if branch_id is not None else next(iter(branches), None)
    if chosen is None:
        return ["The campaign offers nothing to anybody; decisions and log say why."]
    if chosen not in branches:
        raise UserError(f"branch {chosen} has no list; there are {_named(branches)}")
    rows = lists.filter(pc.equal(lists["branch_id"], chosen))
    shown = branch_view(rows, config).slice(0, most)
    columns = [_texts(shown, name, config) for name in SHOWN if name in shown.column_names]
    widths = [max(map(len, column)) for column in columns]
    lines = (
        "  ".join(text.ljust(width) for text, width in zip(texts, widths, strict=True)).rstrip()
        for texts in zip(*columns, strict=True)
    )
    return [f"Branch {chosen}: {shown.num_rows} of {rows.num_rows} offers", *lines]


def _texts(rows: pa.Table, name: str, config: RunConfig) -> list[str]:
    """A column with its heading, in the words of the workbook."""
    codes = words(config).get(name, {})
    values = ("" if value is None else str(value) for value in rows[name].to_pylist())
    return [HEADINGS[name].title, *(codes.get(value, value) for value in values)]


def _named(branches: list[str]) -> str:
    more = f" and {len(branches) - MOST_NAMES} more" if len(branches) > MOST_NAMES else ""
    return ", ".join(branches[:MOST_NAMES]) + more


def _campaign(home: Home, as_of: date) -> RunRecord:
    record = Runs(home.tables).current("campaign", as_of)
    if record is None:
        raise UserError(
            f"no campaign has been published for {as_of}. Run xsell run --as-of {as_of} first"
        )
    return record
