"""Sums of what followed, by part of a cut, campaign and arm: of clients, in whole numbers.

A client with several offers of one campaign is one client: what the client bought of them counts
once, and other products are those not offered in that part. Sums are of integers, so that the order
of rows changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from measurement.association import Bools, Ints
from measurement.effect import Moments

ALL = "all"
NONE = "none"  # of a lever, a partner, an advisor or a segment
CUTS: Mapping[str, str | None] = {
    ALL: None,
    "product": "product_id",
    "combination": "combination",
    "move": "move",
    "segment": "segment",
    "branch": "branch_id",
    "advisor": "advisor_id",
    "channel": "channel",
    "partner": "partner_id",
    "business_line": "business_line",
    "lever": "lever_code",
    "exploration": "is_exploration",
}
EXPLORED = {"true": "by chance", "false": "by worth"}  # who chose the offer
MILLIONTHS = 100_000  # propensities as integers, so small that squares of millions can be added
ADDED = ("cost", "propensity", "expected")  # of a client's offers; of all else the most


@dataclass(frozen=True)
class Rows:
    """What is added up, one entry per row.

    Attributes:
        campaign: Place among the campaigns.
        client: The client of one campaign.
        is_treated: Was offered something.
        product: What was offered; empty if it does not matter.
        figures: By name, in whole numbers.
        has_repeats: Some client has more than one row in a campaign.
    """

    campaign: Ints
    client: Ints
    is_treated: Bools
    product: Ints
    figures: Mapping[str, Ints]
    has_repeats: bool


@dataclass(frozen=True)
class Cells:
    """Sums by part × campaign × arm (0: control, 1: treated).

    Attributes:
        values: The parts' names, sorted.
        sums: By name of the figure; ``a*b`` is the sum of products.
    """

    values: Sequence[str]
    sums: Mapping[str, Ints]

    def moments(
        self, select: Callable[[Ints], Ints], sales: str, costs: str, before: str
    ) -> tuple[Moments, Moments]:
        """The treated's and the control's moments of one measure; an empty name is zero.

        Args:
            select: Makes parts × strata of parts × campaigns.
            sales: What comes in lumps.
            costs: What comes evenly.
            before: What was known before.
        """
        names = [
            "clients",
            *(sales, _times(sales, sales)),
            *(costs, _times(costs, costs)),
            *(before, _times(before, before), _times(before, sales)),
        ]
        nothing = np.zeros_like(self.sums["clients"])
        found = [self.sums[name] if name else nothing for name in names]
        treated, control = (
            Moments(*(select(figure[:, :, arm]) for figure in found)) for arm in (1, 0)
        )
        return treated, control


def offered_rows(offers: pa.Table, campaigns: Sequence[str]) -> Rows:
    """The rows of offers, shaped ``OFFERS``.

    Args:
        offers: What followed.
        campaigns: The runs that made the campaigns, in order.

    Raises:
        ValueError: A row is of another campaign.
    """
    place = {run: at for at, run in enumerate(campaigns)}
    codes, runs = coded(offers["campaign"])
    if unknown := [run for run in runs if run not in place]:
        raise ValueError(f"offers are of {len(unknown)} campaigns not measured, e.g. {unknown[0]}")
    campaign = np.array([place[run] for run in runs], dtype=np.int64)[codes]
    person, persons = coded(offers["customer_id"])
    is_treated = offers["is_treated"].to_numpy().astype(bool)
    client = (campaign * len(persons) + person) * 2 + is_treated
    product = coded(offers["product_id"])[0]
    has_repeats = len(np.unique(client)) < len(client)
    figures = _figures(offers)
    figures["everything"] = figures["revenue"] + figures.pop("other")
    if has_repeats:
        figures["everything"] = _most_of(client, figures["everything"])
    return Rows(campaign, client, is_treated, product, figures, has_repeats)


def client_rows(clients: pa.Table) -> Rows:
    """The rows of clients, shaped ``CLIENTS``, as one campaign whose control is the holdout."""
    names = ("revenue", "cost", "expected")
    figures = {name: _whole(clients[name]) for name in names}
    figures["opted_out"] = _whole(clients["has_opted_out"])
    figures["complained"] = _whole(clients["has_complained"])
    nobody = np.zeros(len(clients), dtype=np.int64)
    is_treated = ~clients["is_holdout"].to_numpy().astype(bool)
    return Rows(nobody, np.arange(len(clients)), is_treated, nobody, figures, has_repeats=False)


def coded(column: pa.ChunkedArray) -> tuple[Ints, list[str]]:
    """Each row's place among the sorted values; null is ``none``."""
    texts = pc.fill_null(column.cast(pa.string()), NONE)
    encoded = texts.combine_chunks().dictionary_encode()
    values = encoded.dictionary.to_pylist()
    order = sorted(range(len(values)), key=values.__getitem__)
    rank = np.empty(len(values), dtype=np.int64)
    rank[order] = np.arange(len(values))
    return rank[encoded.indices.to_numpy()], [values[at] for at in order]


def parts(table: pa.Table, cut: str) -> tuple[Ints, list[str]]:
    """Each row's part, and the parts' names."""
    column = CUTS[cut]
    if column is None:
        return np.zeros(len(table), dtype=np.int64), [ALL]
    part, values = coded(table[column])
    return part, [EXPLORED[value] for value in values] if cut == "exploration" else values


def cells(rows: Rows, part: Ints, values: Sequence[str], campaigns: int) -> Cells:
    """Add up the clients of every part, campaign and arm."""
    part, campaign, is_treated, figures = _clients(rows, part)
    if "everything" in figures:
        other = np.maximum(figures.pop("everything") - figures["revenue"], 0)
        total = figures["revenue"] + other + figures["later"]
        figures |= {"other": other, "total": total}
    shape = (len(values), campaigns, 2)
    cell = (part * campaigns + campaign) * 2 + is_treated
    order = np.argsort(cell, kind="stable")
    starts = np.flatnonzero(np.diff(cell[order], prepend=-1))
    found = cell[order][starts]

    def added(figure: Ints) -> Ints:
        sums = np.zeros(len(values) * campaigns * 2, dtype=np.int64)
        if len(figure):
            sums[found] = np.add.reduceat(figure[order], starts)
        return sums.reshape(shape)

    sums = {name: added(figure) for name, figure in figures.items()}
    for one, other_one in _products(figures):
        sums[_times(one, other_one)] = added(figures[one] * figures[other_one])
    sums["clients"] = added(np.ones(len(cell), dtype=np.int64))
    return Cells(values, sums)


def _products(figures: Mapping[str, Ints]) -> list[tuple[str, str]]:
    """Which products are needed: squares, and of what was known before with what it foretells."""
    foretold = (("propensity", "bought"), ("expected", "revenue"), ("expected", "total"))
    crossed = [pair for pair in foretold if figures.keys() >= set(pair)]
    return [(name, name) for name in figures] + crossed


def _times(one: str, other: str) -> str:
    return f"{one}*{other}" if one and other else ""


def _figures(offers: pa.Table) -> dict[str, Ints]:
    is_kept = ~offers["is_cancelled"].to_numpy().astype(bool)
    propensity = offers["propensity"].to_numpy().astype(float)
    propensity = np.where(np.isnan(propensity), 0.0, propensity)
    bought = offers["bought_on"].is_valid().to_numpy().astype(bool)
    return {
        "bought": (bought & is_kept).astype(np.int64),
        "revenue": _whole(offers["revenue"]),
        "cost": _whole(offers["cost"]),
        "other": _whole(offers["other_revenue"]),
        "later": _whole(offers["later_revenue"]),
        "opted_out": _whole(offers["has_opted_out"]),
        "complained": _whole(offers["has_complained"]),
        "propensity": np.rint(propensity * MILLIONTHS).astype(np.int64),
        "expected": np.rint(propensity * _whole(offers["margin"])).astype(np.int64),
    }


def _whole(column: pa.ChunkedArray) -> Ints:
    return np.asarray(pc.fill_null(column.cast(pa.int64()), 0).to_numpy(), dtype=np.int64)


def _most_of(group: Ints, figure: Ints) -> Ints:
    """Of every row the most that any row of its group has."""
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    most = np.maximum.reduceat(figure[order], starts)
    found = np.empty_like(figure)
    found[order] = np.repeat(most, np.diff(starts, append=len(order)))
    return found


def _clients(rows: Rows, part: Ints) -> tuple[Ints, Ints, Bools, dict[str, Ints]]:
    """One entry per client and part."""
    if not rows.has_repeats:
        return part, rows.campaign, rows.is_treated, dict(rows.figures)
    order = np.lexsort((rows.product, part, rows.client))
    keys = np.stack([rows.client, part, rows.product])[:, order]
    is_new = np.any(np.diff(keys, axis=1, prepend=-1) != 0, axis=0)
    starts = np.flatnonzero(is_new)
    # Two offers of one product: what was bought of it was bought once.
    by_product = {
        name: (np.add if name in ADDED else np.maximum).reduceat(figure[order], starts)
        for name, figure in rows.figures.items()
    }
    of_product = keys[:2, starts]
    first = np.flatnonzero(np.any(np.diff(of_product, axis=1, prepend=-1) != 0, axis=0))
    by_client = {
        name: (np.add if name in (*ADDED, "revenue", "later") else np.maximum).reduceat(
            figure, first
        )
        for name, figure in by_product.items()
    }
    at = order[starts[first]]
    return part[at], rows.campaign[at], rows.is_treated[at], by_client
