"""`xsell lists diff`: what changed between two campaigns, and why; no engine is needed."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from campaigns.change import MEANING, Cause, Change, Kind, as_table
from campaigns.csv_file import write_csv
from campaigns.diff import changes, valued
from campaigns.diff_values import questions
from campaigns.list_query import named
from campaigns.roles import check_rows, may_see
from campaigns.sides import NEEDED, Side, by_key
from conf.errors import did_you_mean
from conf.recorded import recorded_config
from jobs.home import Home
from jobs.lists.which_campaign import SHORT, campaign_of, campaign_run
from tables.derived import CAMPAIGN_LISTS, DECISIONS
from tables.errors import UserError
from tables.runs import RunRecord
from tables.store import Store

NOT_SHOWN = "not shown to this role"
LISTED = (
    "branch_id",
    "rank_in_branch",
    "customer_id",
    "offer_id",
    "channel",
    "lever_code",
    "log_leaf",
)


def diff_command(options: argparse.Namespace) -> int:
    """Print counts by cause and examples; with ``--csv``, write every change to a file.

    Raises:
        UserError: There are not two such campaigns, or no such branch, or the role sees its own
            branch only and none is named.
    """
    home = Home(Path(options.home).resolve())
    before, after = two_campaigns(home, options.runs, options.as_of)
    config = recorded_config(after.config)
    check_rows(options.role, options.branch, config)
    lists = [_lists(home, record) for record in (before, after)]
    if options.branch is not None:
        lists = _of_branch(options.branch, lists)
    clients = {name for rows in lists for name in rows["customer_id"].to_pylist()}
    found = _changes(
        home,
        (before, after),
        _side(home, before, lists[0], clients, is_after=False),
        _side(home, after, lists[1], clients, is_after=True),
    )
    leaves = {
        (row["customer_id"], row["offer_id"]): row["log_leaf"]
        for rows in lists
        for row in rows.to_pylist()
    }
    found = as_seen(found, may_see(options.role, config), leaves)
    if options.csv is not None:
        write_csv(options.csv, as_table(found))
    for line in diff_lines((before, after), lists, found, options.examples):
        sys.stdout.write(line + "\n")
    return 0


def _changes(
    home: Home, records: tuple[RunRecord, RunRecord], before: Side, after: Side
) -> list[Change]:
    """Every change; models are asked only where a response may be the cause of one."""
    found = changes(before, after)
    asked = list(questions(valued(found), before, after))
    if not asked:
        return found
    from jobs.lists.what_moved import what_moved

    return changes(before, replace(after, answers=what_moved(home, records, asked)))


def as_seen(
    found: Sequence[Change], seen: Collection[str], leaves: Mapping[tuple[str, str], str]
) -> list[Change]:
    """Changes as a role may see them.

    Args:
        found: All that is known of them.
        seen: The columns of lists that the role may see. Who may not see clients gets the leaf of
            the offer log in their place; who may not see what an offer is worth gets the cause
            without its figures; who may not see places gets none.
        leaves: By client and offer, of the newer list before the older one.
    """
    has_worth = {"propensity", "expected_profit"} <= set(seen)
    told = found if has_worth else [replace(one, detail=NOT_SHOWN) for one in found]
    if "rank_in_branch" not in seen:
        told = [replace(one, rank_before=None, rank_after=None) for one in told]
    if "customer_id" in seen:
        return list(told)
    # In the order of places and clients something would be told of both.
    by_leaf = [replace(one, customer_id=leaves[one.customer_id, one.offer_id]) for one in told]
    return sorted(by_leaf, key=lambda one: (one.kind, one.cause, one.customer_id))


def two_campaigns(home: Home, runs: Sequence[str], months: Sequence[date]) -> list[RunRecord]:
    """The two campaigns that are named, by run or by month.

    Raises:
        UserError: Not two are named, or one does not exist.
    """
    if len(runs) + len(months) != 2:  # noqa: PLR2004
        raise UserError(
            "say which two campaigns: two run ids as `xsell runs` shows them, or two times --as-of"
        )
    return [campaign_run(home, run) for run in runs] + [campaign_of(home, day) for day in months]


def diff_lines(
    runs: tuple[RunRecord, RunRecord],
    lists: Sequence[pa.Table],
    found: Sequence[Change],
    examples: int,
) -> Iterator[str]:
    """The difference as text."""
    for word, run, rows in zip(("before", "after "), runs, lists, strict=True):
        yield f"{word}  {run.as_of}  run {run.run_id[:SHORT]}  {rows.num_rows:,} offers"
    kinds = Counter(change.kind for change in found)
    if not found:
        yield "The lists are the same."
        return
    stayed = lists[1].num_rows - kinds[Kind.ENTERED]
    yield f"{kinds[Kind.ENTERED]:,} entered, {kinds[Kind.LEFT]:,} left, {stayed:,} stayed"
    yield ""
    yield from _counts(found)
    yield ""
    yield from _examples(found, examples)


def _counts(found: Sequence[Change]) -> Iterator[str]:
    counts = Counter((change.cause, change.kind) for change in found)
    kinds = [kind for kind in Kind if any(kind == other for _, other in counts)]
    yield "  ".join([f"{'cause':<10}", *(f"{kind:>13}" for kind in kinds)])
    for cause in Cause:
        if any(cause == other for other, _ in counts):
            numbers = "  ".join(f"{counts[cause, kind]:>13,}" for kind in kinds)
            yield f"{cause:<10}  {numbers}  {MEANING[cause]}"


def _examples(found: Sequence[Change], most: int) -> Iterator[str]:
    """The first changes of each kind and cause."""
    told: Counter[tuple[Kind, Cause]] = Counter()
    for change in found:
        told[change.kind, change.cause] += 1
        if told[change.kind, change.cause] <= most:
            ranks = f"{change.rank_before or '-'} -> {change.rank_after or '-'}"
            swapped = f", instead of {change.instead_of}" if change.instead_of else ""
            yield (
                f"{change.kind:<13}  {change.branch_id}  {ranks:>8}  {change.customer_id}"
                f"  {change.offer_id}{swapped}  {change.cause}: {change.detail}"
            )


def _lists(home: Home, record: RunRecord) -> pa.Table:
    return Store(home.tables, None, record.pins).arrow(CAMPAIGN_LISTS, record.as_of, LISTED)


def _side(
    home: Home, record: RunRecord, rows: pa.Table, clients: Collection[str], *, is_after: bool
) -> Side:
    store = Store(home.tables, None, record.pins)
    decided = store.arrow_of(DECISIONS, record.as_of, clients, NEEDED)
    return Side(by_key(rows), by_key(decided), recorded_config(record.config), is_after)


def _of_branch(branch: str, lists: Sequence[pa.Table]) -> list[pa.Table]:
    there_are = {name for rows in lists for name in rows["branch_id"].to_pylist()}
    if branch not in there_are:
        raise UserError(
            f"branch {branch} has no list; there are {named(there_are)}"
            f"{did_you_mean(branch, there_are)}"
        )
    return [rows.filter(pc.equal(rows["branch_id"], branch)) for rows in lists]
