"""`xsell lists show`: what a campaign manager and a branch ask about a committed campaign."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from campaigns.headings import HEADINGS
from campaigns.list_files import words
from campaigns.list_query import (
    CUSTOMER,
    FILTERS,
    ListQuery,
    check_query,
    matching,
    scope,
    shown_columns,
)
from campaigns.roles import is_of_one_branch
from conf.recorded import recorded_config
from conf.schema import RunConfig
from jobs.audit.lookups import note_lookup
from jobs.home import Home
from jobs.lists.which_campaign import campaign_of
from tables.derived import CAMPAIGN_LISTS
from tables.store import Store

NOTHING = "The campaign offers nothing to anybody; decisions and log say why."


def show_command(options: argparse.Namespace) -> int:
    """Print the first lines of a branch's list, or of what filters leave of all lists."""
    home = Home(Path(options.home).resolve())
    record = campaign_of(home, options.as_of)
    lists = Store(home.tables, None, record.pins).arrow(CAMPAIGN_LISTS, record.as_of)
    config = recorded_config(record.config)
    query = _query(options)
    check_query(query, config)
    if options.customer is not None:
        note_lookup(home, "lists show", options.customer, options.by, _is_found(lists, query))
    for line in list_lines(lists, config, query, options.top):
        sys.stdout.write(line + "\n")
    return 0


def list_lines(lists: pa.Table, config: RunConfig, query: ListQuery, most: int) -> list[str]:
    """Lists as text: a headline with the counts, a header, one line per offer.

    Args:
        lists: Shaped ``CAMPAIGN_LISTS``, in order.
        config: The configuration of the run that made them.
        query: What is asked; without any filter, the first branch.
        most: So many offers are shown.

    Raises:
        UserError: A value or column does not exist, or is none of the role's business.
    """
    if not lists.num_rows:
        return [NOTHING]
    is_unfiltered = not query.equal and query.min_profit is None
    if is_unfiltered and not is_of_one_branch(query.role, config):
        first = pc.min(lists["branch_id"]).as_py()
        query = ListQuery({"branch": first}, role=query.role, columns=query.columns)
    rows = matching(lists, query, config)
    shown = rows.slice(0, most)
    columns = [_texts(shown, name, config) for name in shown_columns(query, config)]
    widths = [max(map(len, column)) for column in columns]
    lines = (
        "  ".join(text.ljust(width) for text, width in zip(texts, widths, strict=True)).rstrip()
        for texts in zip(*columns, strict=True)
    )
    return [_headline(query, shown.num_rows, rows, lists), *lines]


def _is_found(lists: pa.Table, query: ListQuery) -> bool:
    """Whether there is an answer about a client, in the branch that is asked about if one is."""
    found = pc.equal(lists["customer_id"], query.equal[CUSTOMER])
    if "branch" in query.equal:
        found = pc.and_(found, pc.equal(lists["branch_id"], query.equal["branch"]))
    return bool(pc.any(found).as_py())


def _query(options: argparse.Namespace) -> ListQuery:
    given = {name: getattr(options, name) for name in (*FILTERS, CUSTOMER)}
    return ListQuery(
        equal={name: value for name, value in given.items() if value is not None},
        min_profit=options.min_profit,
        role=options.role,
        columns=options.columns,
    )


def _headline(query: ListQuery, shown: int, rows: pa.Table, lists: pa.Table) -> str:
    counts = f"{scope(query)}: {shown:,} of {rows.num_rows:,} offers"
    if query.is_of_one_branch:
        return counts
    branches = pc.count_distinct(rows["branch_id"]).as_py()
    where = f" in {branches:,} branches" if "branch" not in query.equal else ""
    return f"{counts}{where}; {lists.num_rows:,} on all lists"


def _texts(rows: pa.Table, name: str, config: RunConfig) -> list[str]:
    """A column with its heading, in the words of the workbook."""
    codes = words(config).get(name, {})
    values = ("" if value is None else str(value) for value in rows[name].to_pylist())
    title = HEADINGS[name].title(config.bank.language)
    return [title, *(codes.get(value, value) for value in values)]
