"""How often clients and households will have been contacted once the campaign is through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame, functions as F

from campaigns.channel_caps import channel_contacts
from campaigns.contact_policy import CAP_DAYS, FATIGUE_DAYS, fatigue_column, household_key
from campaigns.optimiser_problem import Ints
from conf.schema import ContactPolicy, Product

MOST = 5  # and more
CLIENTS_30D, CLIENTS_90D, HOUSEHOLDS_30D = "clients_30d", "clients_90d", "households_30d"


@dataclass(frozen=True)
class Spread:
    """How many had, and will have had, so many contacts; the last number stands for more, too."""

    before: tuple[int, ...]
    after: tuple[int, ...]


@dataclass(frozen=True)
class AtCap:
    """How many are at a cap of the contact policy, or above it; it is of so many days."""

    cap: int
    days: int
    before: int
    after: int
    of: int


@dataclass(frozen=True)
class Fatigue:
    """Contacts before the as-of date, and with one more for each offer.

    Attributes:
        spreads: Of clients in 30 and in 90 days, of households in 30.
        at_caps: By what the cap is of: ``client``, ``household``, a fatigue class, or ``by`` a
            channel.
    """

    spreads: Mapping[str, Spread]
    at_caps: Mapping[str, AtCap]


def contact_counts(
    facts: DataFrame,
    customers: DataFrame,
    offered: DataFrame,
    products: Mapping[str, Product],
    policy: ContactPolicy,
) -> DataFrame:
    """Contacts of each customer, and offers that come on top.

    Args:
        facts: As ``contact_facts`` gives them.
        customers: Whose contacts count, with ``household_id``; one row each.
        offered: One row per offer on a list: ``customer_id``, ``product_id`` and ``channel``.
        products: The fatigue class of each.
        policy: Gives the fatigue classes and the capped channels.
    """
    adds = {
        fatigue_column(name): F.col("product_id").isin(_members(products, name))
        for name in policy.max_contacts_90d_by_fatigue_class
    } | {
        channel_contacts(name): F.col("channel") == F.lit(name)
        for name in policy.max_contacts_30d_by_channel
    }
    more = offered.groupBy("customer_id").agg(
        F.count(F.lit(1)).alias("offers"),
        *(F.count_if(is_one).alias(f"offers_{column}") for column, is_one in adds.items()),
    )
    told = facts.select("customer_id", "contacts_30d", "household_contacts_30d", *adds)
    # The right keys are unique: facts and offers have one row per customer.
    joined = customers.select("customer_id", "household_id").join(told, "customer_id", how="inner")
    added = ("offers", *(f"offers_{column}" for column in adds))
    return joined.join(more, "customer_id", how="left").select(
        "customer_id",
        "household_id",
        "contacts_30d",
        "household_contacts_30d",
        *adds,
        *(F.coalesce(name, F.lit(0)).alias(name) for name in added),
    )


def fatigue(counts: DataFrame, policy: ContactPolicy) -> Fatigue:
    """Sum up ``contact_counts``."""
    classes = [fatigue_column(name) for name in policy.max_contacts_90d_by_fatigue_class]
    capped = _capped(policy)
    narrow = [
        "contacts_30d", "offers", *(name for name, _, _ in capped.values()),
        *(f"offers_{name}" for name, _, _ in capped.values()),
    ]  # fmt: skip
    clients = counts.groupBy(*narrow).agg(F.count(F.lit(1)).alias("count")).toArrow()
    households = (
        counts.groupBy(*household_key())
        .agg(F.max("household_contacts_30d").alias("before"), F.sum("offers").alias("offers"))
        .groupBy("before", "offers")
        .agg(F.count(F.lit(1)).alias("count"))
        .toArrow()
    )
    many, homes = _ints(clients, "count"), _ints(households, "count")
    before, offers = _ints(clients, "contacts_30d"), _ints(clients, "offers")
    all_90d = sum((_ints(clients, name) for name in classes), np.zeros_like(many))
    at_home, to_home = _ints(households, "before"), _ints(households, "offers")
    at_caps = {
        "client": _at_cap(policy.max_contacts_30d, CAP_DAYS, before, offers, many),
        "household": _at_cap(policy.max_household_contacts_30d, CAP_DAYS, at_home, to_home, homes),
    } | {
        name: _at_cap(cap, days, _ints(clients, column), _ints(clients, f"offers_{column}"), many)
        for name, (column, cap, days) in capped.items()
    }
    spreads = {
        CLIENTS_30D: _spread(before, offers, many),
        CLIENTS_90D: _spread(all_90d, offers, many),
        HOUSEHOLDS_30D: _spread(at_home, to_home, homes),
    }
    return Fatigue(spreads, at_caps)


def _capped(policy: ContactPolicy) -> dict[str, tuple[str, int, int]]:
    """Where contacts are counted, their cap and its days, by fatigue class and channel."""
    classes, channels = policy.max_contacts_90d_by_fatigue_class, policy.max_contacts_30d_by_channel
    return {
        str(name): (fatigue_column(name), cap, FATIGUE_DAYS) for name, cap in classes.items()
    } | {f"by {name}": (channel_contacts(name), cap, CAP_DAYS) for name, cap in channels.items()}


def _members(products: Mapping[str, Product], fatigue_class: str) -> list[str]:
    return [name for name, item in products.items() if item.fatigue_class == fatigue_class]


def _ints(rows: pa.Table, name: str) -> Ints:
    return np.asarray(rows[name].to_numpy(), np.int64)


def _at_cap(cap: int, days: int, before: Ints, offers: Ints, count: Ints) -> AtCap:
    at = before >= cap, before + offers >= cap
    return AtCap(cap, days, int(count[at[0]].sum()), int(count[at[1]].sum()), int(count.sum()))


def _spread(before: Ints, offers: Ints, count: Ints) -> Spread:
    return Spread(_histogram(before, count), _histogram(before + offers, count))


def _histogram(contacts: Ints, count: Ints) -> tuple[int, ...]:
    many = np.bincount(np.minimum(contacts, MOST), count, MOST + 1)
    return tuple(many.astype(int).tolist())
