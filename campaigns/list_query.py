"""Which rows of the lists somebody asks for, within what the role may see."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import get_args

import pyarrow as pa
import pyarrow.compute as pc

from campaigns.headings import CODES
from campaigns.roles import RoleName, check_columns, check_rows, may_see
from conf.errors import did_you_mean
from conf.fields import Channel
from conf.schema import RunConfig
from tables.derived import CAMPAIGN_LISTS
from tables.errors import UserError

# Of columns with few values: what a filter is called.
FILTERS = {
    "branch": "branch_id",
    "advisor": "advisor_id",
    "product": "product_id",
    "offer": "offer_id",
    "channel": "channel",
    "move": "move",
}
CUSTOMER = "customer"
CUSTOMER_ID, LEAF = "customer_id", "log_leaf"
MOST_NAMES = 20
SHOWN = ("rank_in_branch", "customer_id", "product_id", "channel", "valid_to", "reason_1")
BEST_FIRST = [
    ("expected_profit", "descending"),
    ("branch_id", "ascending"),
    ("rank_in_branch", "ascending"),
]


@dataclass(frozen=True)
class ListQuery:
    """What is asked; filters combine.

    Attributes:
        equal: Value by filter: one of ``FILTERS``, or ``customer``.
        min_profit: Offers of this expected profit or more.
        role: Who asks.
        columns: What is shown; the most telling ones if left out.
    """

    equal: Mapping[str, str] = field(default_factory=dict)
    min_profit: Decimal | None = None
    role: RoleName = "campaign"
    columns: tuple[str, ...] = ()

    @property
    def is_of_one_branch(self) -> bool:
        """The rows of one branch are asked for, and nothing narrows them."""
        return set(self.equal) == {"branch"} and self.min_profit is None


def matching(lists: pa.Table, query: ListQuery, config: RunConfig) -> pa.Table:
    """The rows that are asked for: of one branch by rank, of several the most valuable first.

    Args:
        lists: Shaped ``CAMPAIGN_LISTS``, in order.
        query: What is asked.
        config: Of the run that made them.

    Raises:
        UserError: A value or a column does not exist, or is none of the role's business.
    """
    check_query(query, config)
    rows = lists
    for name, value in query.equal.items():
        column = FILTERS.get(name, CUSTOMER_ID)
        _check_value(name, value, lists[column], config)
        rows = rows.filter(pc.equal(rows[column], value))
    if query.min_profit is not None:
        rows = rows.filter(pc.greater_equal(rows["expected_profit"], pa.scalar(query.min_profit)))
    return rows if "branch" in query.equal else rows.sort_by(BEST_FIRST)


def shown_columns(query: ListQuery, config: RunConfig) -> list[str]:
    """What is shown of a row, within what the role may see."""
    if query.columns:
        return list(query.columns)
    where = () if "branch" in query.equal else ("branch_id",)
    worth = () if query.min_profit is None else ("expected_profit",)
    seen = may_see(query.role, config)
    # Whoever may not know the client tells rows apart by the log.
    who = () if CUSTOMER_ID in seen else (LEAF, "propensity")
    return [name for name in (*where, *who, *SHOWN[:-1], *worth, SHOWN[-1]) if name in seen]


def scope(query: ListQuery) -> str:
    """What is asked for, in words: ``Branch B1, product mortgage``."""
    asked = [f"{name} {value}" for name, value in query.equal.items()]
    if query.min_profit is not None:
        asked.append(f"expected profit {query.min_profit:,.2f} or more")
    said = ", ".join(asked) or "all branches"
    return said[0].upper() + said[1:]


def named(values: Iterable[str]) -> str:
    """Values that exist, for a message: not more than a person reads."""
    known = sorted(values)
    more = f" and {len(known) - MOST_NAMES} more" if len(known) > MOST_NAMES else ""
    return ", ".join(known[:MOST_NAMES]) + more


def check_query(query: ListQuery, config: RunConfig) -> None:
    """What is asked is the role's business.

    Raises:
        UserError: It is not, or a column does not exist.
    """
    asked = [*query.columns, *(FILTERS.get(name, CUSTOMER_ID) for name in query.equal)]
    if query.min_profit is not None:
        asked.append("expected_profit")
    unknown = [name for name in asked if name not in CAMPAIGN_LISTS.column_names]
    if unknown:
        seen = may_see(query.role, config)
        raise UserError(
            f"lists have no column {unknown[0]}{did_you_mean(unknown[0], seen)}."
            f" There are {', '.join(seen)}"
        )
    check_columns(query.role, asked, config)
    check_rows(query.role, query.equal.get("branch"), config)


def _check_value(name: str, value: str, column: pa.ChunkedArray, config: RunConfig) -> None:
    listed = {one for one in pc.unique(column).to_pylist() if one is not None}
    if value in listed | set(_configured(name, config)):
        return
    if name == CUSTOMER:
        # Which other clients there are is nothing for a message.
        raise UserError("--customer: this client is on no list; the table decisions says why")
    what = "has no list" if name == "branch" else "is on no list"
    there_are = listed | set(_configured(name, config))
    raise UserError(
        f"{name} {value} {what}; there are {named(there_are)}{did_you_mean(value, there_are)}"
    )


def _configured(name: str, config: RunConfig) -> Sequence[str]:
    """Values that exist, though perhaps no row has them this month."""
    known: Mapping[str, Sequence[str]] = {
        "product": tuple(config.products),
        "offer": tuple(config.offers),
        "channel": get_args(Channel),
        "move": tuple(CODES["move"]),
    }
    return known.get(name, ())
