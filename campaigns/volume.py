"""How much of a campaign goes where: to branches, products, channels, segments, regions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from campaigns.power import Design
from conf.schema import CampaignSettings
from tables.reason_codes import Outcome

COLUMNS = (
    "customer_id",
    "product_id",
    "branch_id",
    "channel",
    "propensity",
    "expected_profit",
    "outcome",
    "is_in_control_group",
    "lever_code",
    "acceptance",
)
IN_ORDER = ("customer_id", "product_id", "propensity")
UNKNOWN = "unknown"
WHOLE_CAMPAIGN = "campaign"


@dataclass(frozen=True)
class Volume:
    """What goes to one branch, or of one product.

    Attributes:
        name: Of the branch, product, channel.
        offers: On a list.
        clients: Who they are for.
        profit: Expected, of all of them.
    """

    name: str
    offers: int
    clients: int
    profit: float


@dataclass(frozen=True)
class Share:
    """How many clients of a group are offered something."""

    name: str
    clients: int
    offered: int


def offered_of(chosen: pa.Table) -> pa.Table:
    """Those on a list, of decisions that made the cut."""
    return chosen.filter(pc.equal(chosen["outcome"], str(Outcome.OFFERED)))


def volumes(offered: pa.Table, column: str, also: Iterable[str] = ()) -> tuple[Volume, ...]:
    """Of each value of a column, in order; ``also`` names those that may have nothing."""
    grouped = offered.group_by(column).aggregate(
        [("customer_id", "count"), ("customer_id", "count_distinct"), ("expected_profit", "sum")]
    )
    found = {
        row[column] or UNKNOWN: Volume(
            row[column] or UNKNOWN,
            row["customer_id_count"],
            row["customer_id_count_distinct"],
            float(row["expected_profit_sum"]),
        )
        for row in grouped.to_pylist()
    }
    names = sorted({*found, *also})
    return tuple(found.get(name) or Volume(name, 0, 0, 0.0) for name in names)


def shares(
    names: pa.ChunkedArray, customer_ids: pa.ChunkedArray, offered: pa.Table
) -> tuple[Share, ...]:
    """By group, how many of its clients are offered something.

    Args:
        names: The group of each client, or null.
        customer_ids: The clients.
        offered: As ``offered_of`` gives them.
    """
    is_offered = pc.is_in(customer_ids, value_set=pc.unique(offered["customer_id"]))
    rows = pa.table({"name": pc.fill_null(names, UNKNOWN), "offered": is_offered})
    counted = rows.group_by("name").aggregate([("offered", "count"), ("offered", "sum")])
    return tuple(
        Share(row["name"], row["offered_count"], row["offered_sum"])
        for row in sorted(counted.to_pylist(), key=lambda row: row["name"])
    )


def capacities(branches: Iterable[str], settings: CampaignSettings) -> Mapping[str, int]:
    """Contacts that each branch can make."""
    own = settings.branch_capacity_overrides
    return {name: own.get(name, settings.branch_capacity) for name in branches}


def designs(chosen: pa.Table) -> Mapping[str, Design]:
    """What the control can be held against: of the whole campaign, then of each product.

    A client with several offers counts once in the campaign, as one who buys any of them. Whoever
    is in the global holdout is in no control.

    Args:
        chosen: Decisions that made the cut, with ``COLUMNS``.
    """
    counted = chosen.filter(
        pc.or_(pc.equal(chosen["outcome"], str(Outcome.OFFERED)), chosen["is_in_control_group"])
    )
    # Sums of fractions depend on their order.
    counted = counted.sort_by([(name, "ascending") for name in IN_ORDER])
    products = sorted(pc.unique(counted["product_id"]).to_pylist())
    parts = {name: counted.filter(pc.equal(counted["product_id"], name)) for name in products}
    return {name: _design(rows) for name, rows in {WHOLE_CAMPAIGN: counted, **parts}.items()}


def _design(rows: pa.Table) -> Design:
    encoded = pc.dictionary_encode(rows["customer_id"].combine_chunks())
    client = encoded.indices.to_numpy()
    clients = len(encoded.dictionary)
    propensity = np.asarray(rows["propensity"].to_numpy(), np.float64)
    buys_none = np.ones(clients)
    np.multiply.at(buys_none, client, 1 - propensity)
    is_control = np.zeros(clients, np.bool_)
    is_control[client] = rows["is_in_control_group"].to_numpy(zero_copy_only=False)
    control = int(is_control.sum())
    base_rate = float((1 - buys_none).mean()) if clients else 0.0
    return Design(clients - control, control, base_rate)
