"""Packages: every gate of every product in them, and what the whole is worth.

A package is sold if the client takes everything in it that is not held yet. How often that happens
is not known from its parts, and no lift is made up: the response is the least of its parts', which
is the most that the chance of taking all of them can be (Fréchet). It never counts more than the
parts bring when each is offered by itself, as ``min(p) x (m1 + m2) <= p1 x m1 + p2 x m2``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from functools import reduce
from operator import and_

from pyspark.sql import Column, DataFrame, functions as F

from campaigns.components import Components
from campaigns.contact_policy import contact_policy_gates
from campaigns.eligibility import eligibility_gates
from campaigns.gates import Gate, any_fails
from conf.moves import Bundle
from conf.schema import ContactPolicy, Offer, RunConfig
from tables.reason_codes import ReasonCode

# The other rules of contact policy ask the same of every product.
OF_PRODUCT = (ReasonCode.FATIGUE_CAP, ReasonCode.COOL_OFF)


def eligibility_of(offer: Offer, parts: Components, as_of: date) -> list[Gate]:
    """The rules of everything in an offer; those of a core that is held already are kept."""
    found = [
        gate
        for name, part in parts.items()
        for gate in _unless_held(offer, name, eligibility_gates(name, part, as_of))
    ]
    return together(found)


def contact_policy_of(parts: Components, policy: ContactPolicy, as_of: date) -> list[Gate]:
    """Caps and cool-offs of everything in an offer: the class of each part must be open."""
    first, *others = (
        contact_policy_gates(name, part, policy, as_of) for name, part in parts.items()
    )
    more = (gate for gates in others for gate in gates if gate.code in OF_PRODUCT)
    return together([*first, *more])


def together(gates: Iterable[Gate]) -> list[Gate]:
    """One gate per code: it fails if one of them does, and passes when the last of them does."""
    by_code: dict[str, list[Gate]] = defaultdict(list)
    for gate in gates:
        by_code[gate.code].append(gate)
    return [alike[0] if len(alike) == 1 else _both(alike) for alike in by_code.values()]


def component_responses(scores: DataFrame, response: Column, config: RunConfig) -> DataFrame | None:
    """The response to each product that is in some package, one row per customer."""
    names = {name for offer in config.offers.values() if offer.bundle for name in offer.products}
    if not names:
        return None
    told = scores.where(F.col("product_id").isin(*sorted(names)))
    return (
        told.select("customer_id", "product_id", response.alias("response"))
        .groupBy("customer_id")
        .agg(
            *(
                F.max(F.when(F.col("product_id") == name, F.col("response"))).alias(_column(name))
                for name in sorted(names)
            )
        )
    )


def least_response(bundle: Bundle) -> Column:
    """The least response to what the client does not hold; null if one of them is unknown."""
    is_unknown = F.col(_column(bundle.core)).isNull() & ~holds(bundle.core)
    wanted = [
        F.when(~holds(bundle.core), F.col(_column(bundle.core))),
        *(F.col(_column(name)) for name in bundle.periphery),
    ]
    for name in bundle.periphery:
        is_unknown = is_unknown | F.col(_column(name)).isNull()
    # The least ignores nulls: a core that is held has no say.
    return F.when(~is_unknown, F.least(*wanted))


def package_margin(bundle: Bundle, config: RunConfig) -> Column:
    """The margins of what the client does not hold, less what the package saves the client."""

    def margin(names: Iterable[str]) -> Column:
        all_of_them = sum((config.products[name].expected_margin for name in names), Decimal(0))
        return F.lit(all_of_them - bundle.discount)

    return F.when(holds(bundle.core), margin(bundle.periphery)).otherwise(margin(bundle.products))


def holds(product_id: str) -> Column:
    """Unknown holdings count as none."""
    return F.coalesce(F.array_contains("open_products", product_id), F.lit(False))


def _unless_held(offer: Offer, name: str, gates: list[Gate]) -> list[Gate]:
    """Who is a client at all is asked even of a core that is held."""
    if offer.bundle is None or name != offer.bundle.core:
        return gates
    return [
        gate
        if gate.code == ReasonCode.NOT_ACTIVE
        else Gate(gate.code, gate.fails & ~holds(name), gate.passes_on)
        for gate in gates
    ]


def _both(gates: list[Gate]) -> Gate:
    days = [F.when(gate.fails, _day(gate)) for gate in gates]
    has_days = reduce(and_, (~gate.fails | _day(gate).isNotNull() for gate in gates))
    # The greatest ignores nulls: a gate that passes has no say.
    return Gate(gates[0].code, any_fails(gates), F.when(has_days, F.greatest(*days)))


def _day(gate: Gate) -> Column:
    day = gate.passes_on if isinstance(gate.passes_on, Column) else F.lit(gate.passes_on)
    return day.cast("date")


def _column(product_id: str) -> str:
    return f"response_{product_id}"
