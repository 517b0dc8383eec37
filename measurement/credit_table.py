"""Whose sales they were: goals of who closes, assists of who referred, by the rule in force then.

A sale counts if the offer was made, the product was bought in the outcome window and kept, and a
contact came before it; its parts are what `campaigns/credit.py` wrote on the list. What was bought
without a contact, or before it, is credited to nobody, and told.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from measurement.association import Bools, Estimate, Ints
from measurement.group_rates import share
from measurement.offers import Campaign
from measurement.sales import Sales, bools

WHOLE = 1_000_000  # parts that a sale is divided into, so that shares add up exactly
BRANCH, ADVISOR, PARTNER = "branch", "advisor", "partner"
COLUMN = {BRANCH: "branch_id", ADVISOR: "advisor_id", PARTNER: "partner_id"}
MONEY = pa.decimal128(18, 2)


@dataclass(frozen=True)
class Credited:
    """What a branch with its advisors, an advisor, or a partner's desk did and is credited with.

    Branches and partners' desks have all parts of all sales between them; those of advisors are
    part of their branches'.

    Attributes:
        level: branch, advisor or partner.
        name: Which one.
        branch_id: Of an advisor, where most of the offers are.
        offers: Handed out for them to make.
        contacted: Of these with a contact about the product on record.
        contacts: About these products; one within the windows of two campaigns counts in both.
        sales: In which they have a part.
        goals: Parts of sales that they closed, in millionths.
        assists: Parts of sales that they referred, in millionths.
        goal_revenue: Of these parts, in cents.
        assist_revenue: Likewise.
        cancelled: Bought and given back so soon that it was no sale.
        without_contact: Sales without any contact, credited to nobody.
        before_contact: Sales before the first contact, credited to nobody.
    """

    level: str
    name: str
    branch_id: str | None
    offers: int
    contacted: int
    contacts: int
    sales: int
    goals: int
    assists: int
    goal_revenue: int
    assist_revenue: int
    cancelled: int
    without_contact: int
    before_contact: int

    @property
    def share_contacted(self) -> Estimate:
        """Of the offers, with an interval."""
        return share(self.contacted, self.offers)


@dataclass(frozen=True)
class CreditTable:
    """All of them, and what is credited to nobody.

    Attributes:
        rows: By level and name.
        sales: That are credited.
        cancelled: Purchases that were given back.
        without_contact: Sales without a contact.
        before_contact: Sales before the first contact.
        without_owner: Sales after a contact that the rule credits to nobody.
        unknown: Campaigns after which no purchase can be known yet.
    """

    rows: tuple[Credited, ...]
    sales: int
    cancelled: int
    without_contact: int
    before_contact: int
    without_owner: int
    unknown: tuple[Campaign, ...]

    def level(self, name: str) -> list[Credited]:
        """Those of a level."""
        return [row for row in self.rows if row.level == name]


def credit_table(offers: pa.Table, campaigns: Sequence[Campaign]) -> CreditTable:
    """Credit every sale of some campaigns.

    Args:
        offers: Shaped ``OFFERS``.
        campaigns: Those that are told of; without a delivery since, nothing is known of its sales.
    """
    known = [one for one in campaigns if one.has_deliveries]
    sales = Sales.of(offers, known)
    counted = {name: _counts(sales, name) for name in COLUMN}
    parts = _parts(sales)
    rows = [
        Credited(level=level, name=name, **counts, **parts.get((level, name), _NOTHING))
        for level, groups in counted.items()
        for name, counts in sorted(groups.items())
    ]
    credited = int(sales.is_credited.sum())
    without, before = int(sales.is_without_contact.sum()), int(sales.is_before_contact.sum())
    return CreditTable(
        rows=tuple(rows),
        sales=credited,
        cancelled=int(sales.is_cancelled.sum()),
        without_contact=without,
        before_contact=before,
        without_owner=int(sales.is_sale.sum()) - credited - without - before,
        unknown=tuple(one for one in campaigns if not one.has_deliveries),
    )


def credit_rows(found: CreditTable) -> pa.Table:
    """A row per branch, advisor and partner's desk; money in the bank's currency."""
    rows = [
        {
            "level": one.level,
            "name": one.name,
            "branch_id": one.branch_id,
            "offers": one.offers,
            "contacted": one.contacted,
            "share_contacted": one.share_contacted.value if one.offers else None,
            "contacts": one.contacts,
            "sales": one.sales,
            "goals": one.goals / WHOLE,
            "assists": one.assists / WHOLE,
            "goal_revenue": Decimal(one.goal_revenue) / 100,
            "assist_revenue": Decimal(one.assist_revenue) / 100,
            "cancelled": one.cancelled,
            "without_contact": one.without_contact,
            "before_contact": one.before_contact,
        }
        for one in found.rows
    ]
    return pa.Table.from_pylist(rows, schema=_SCHEMA)


def credit_sentences(found: CreditTable) -> list[str]:
    """What a sales manager reads first."""
    goals = sum(one.goals for one in found.rows if one.level != ADVISOR) / WHOLE
    assists = sum(one.assists for one in found.rows if one.level != ADVISOR) / WHOLE
    told = [
        f"{found.sales:,} sales after a contact are credited: {goals:,.1f} as goals to who closed"
        f" them, {assists:,.1f} as assists to who referred the client."
    ]
    nobody = found.without_contact + found.before_contact
    if nobody:
        told.append(
            f"{nobody:,} more products were bought with no contact before, as far as is known"
            f" ({found.before_contact:,} of them before the first contact); they are credited to"
            " nobody."
        )
    if found.cancelled:
        told.append(f"{found.cancelled:,} were given back so soon that they count as no sale.")
    if found.without_owner:
        told.append(f"{found.without_owner:,} sales have no owner in their campaign's rule.")
    told += [
        f"Campaign of {one.as_of}: no delivery since, so nothing can be credited yet."
        for one in found.unknown
    ]
    return told


_SCHEMA = pa.schema(
    [
        ("level", pa.string()),
        ("name", pa.string()),
        ("branch_id", pa.string()),
        ("offers", pa.int64()),
        ("contacted", pa.int64()),
        ("share_contacted", pa.float64()),
        ("contacts", pa.int64()),
        ("sales", pa.int64()),
        ("goals", pa.float64()),
        ("assists", pa.float64()),
        ("goal_revenue", MONEY),
        ("assist_revenue", MONEY),
        ("cancelled", pa.int64()),
        ("without_contact", pa.int64()),
        ("before_contact", pa.int64()),
    ]
)


_PART_NAMES = ("sales", "goals", "assists", "goal_revenue", "assist_revenue")
_NOTHING: dict[str, Any] = dict.fromkeys(_PART_NAMES, 0)


def _counts(sales: Sales, level: str) -> dict[str, dict[str, Any]]:
    """What is counted by whose clients, or by whose product, it is about."""
    rows = sales.rows
    columns = {
        "name": rows[COLUMN[level]],
        "branch": rows["branch_id"],
        "offers": np.ones(rows.num_rows, dtype=np.int64),
        "contacted": bools(pc.is_valid(rows["contacted_on"])).astype(np.int64),
        "contacts": rows["contacts"],
        "cancelled": sales.is_cancelled.astype(np.int64),
        "without_contact": sales.is_without_contact.astype(np.int64),
        "before_contact": sales.is_before_contact.astype(np.int64),
    }
    facts = pa.table(columns)
    facts = facts.filter(pc.is_valid(facts["name"]))
    names = list(columns)[2:]
    totals = facts.group_by("name").aggregate([(name, "sum") for name in names])
    branch = _most_common_branch(facts) if level == ADVISOR else {}
    return {
        row["name"]: {
            "branch_id": branch.get(row["name"]),
            **{name: row[f"{name}_sum"] for name in names},
        }
        for row in totals.to_pylist()
    }


def _most_common_branch(facts: pa.Table) -> dict[str, str]:
    counted = facts.group_by(["name", "branch"]).aggregate([("offers", "sum")])
    ranked = sorted(counted.to_pylist(), key=lambda row: (row["offers_sum"], row["branch"]))
    return {row["name"]: row["branch"] for row in ranked}


def _parts(sales: Sales) -> dict[tuple[str, str], dict[str, Any]]:
    """Parts of sales by level and name."""
    rows = sales.rows.filter(pa.array(sales.is_credited))
    columns = {
        name: pa.concat_arrays(pieces)
        for name, pieces in _gathered(_owned(rows), ("level", "name", *_PART_NAMES)).items()
    }
    totals = (
        pa.table(columns).group_by(["level", "name"]).aggregate([(p, "sum") for p in _PART_NAMES])
    )
    return {
        (row["level"], row["name"]): {name: row[f"{name}_sum"] for name in _PART_NAMES}
        for row in totals.to_pylist()
    }


def _owned(rows: pa.Table) -> Iterator[dict[str, pa.Array]]:
    """Rows of parts: to whom they belong, at each level that they belong to."""
    has_referrer = bools(pc.is_valid(rows["referral_owner"]))
    referrer = np.where(has_referrer, WHOLE - _millionths(rows["credit_share"]), 0)
    closer, revenue = WHOLE - referrer, _ints(rows["revenue"])
    # The closer has what rounding leaves, so that no cent is lost.
    referred = (revenue * referrer + WHOLE // 2) // WHOLE
    closed_by = {
        level: bools(pc.equal(rows["credit_owner"], rows[column]))
        for level, column in COLUMN.items()
    }
    by_partner = closed_by[PARTNER] & ~closed_by[ADVISOR] & ~closed_by[BRANCH]
    # Of whoever has closed it: a partner's desk, else the branch, with the advisor if it was one.
    goal = (closer, revenue - referred)
    assist = (referrer, referred)
    yield _piece(PARTNER, rows["partner_id"], by_partner, goal=goal)
    yield _piece(BRANCH, rows["branch_id"], ~by_partner, goal=goal, assist=assist)
    yield _piece(BRANCH, rows["branch_id"], by_partner & (referrer > 0), assist=assist)
    yield _piece(ADVISOR, rows["advisor_id"], closed_by[ADVISOR] & ~by_partner, goal=goal)
    is_advisors = bools(pc.equal(rows["referral_owner"], rows["advisor_id"]))
    yield _piece(ADVISOR, rows["advisor_id"], is_advisors, assist=assist)


def _piece(
    level: str,
    names: pa.ChunkedArray,
    where: Bools,
    *,
    goal: tuple[Ints, Ints] | None = None,
    assist: tuple[Ints, Ints] | None = None,
) -> dict[str, pa.Array]:
    chosen = names.filter(pa.array(where)).combine_chunks()
    none = np.zeros(len(where), dtype=np.int64)
    (goals, goal_revenue), (assists, assist_revenue) = goal or (none, none), assist or (none, none)
    numbers = (np.ones(len(where), np.int64), goals, assists, goal_revenue, assist_revenue)
    return {
        "level": pa.array([level] * len(chosen), pa.string()),
        "name": chosen,
        **{
            name: pa.array(values[where]) for name, values in zip(_PART_NAMES, numbers, strict=True)
        },
    }


def _gathered(
    pieces: Iterator[dict[str, pa.Array]], names: Sequence[str]
) -> dict[str, list[pa.Array]]:
    found: dict[str, list[pa.Array]] = {name: [] for name in names}
    for piece in pieces:
        for name in names:
            found[name].append(piece[name])
    return found


def _millionths(column: pa.ChunkedArray) -> Ints:
    shares = np.asarray(pc.fill_null(column, 1.0).to_numpy(), dtype=np.float64)
    return np.rint(shares * WHOLE).astype(np.int64)


def _ints(column: pa.ChunkedArray) -> Ints:
    return np.asarray(column.to_numpy(), dtype=np.int64)
