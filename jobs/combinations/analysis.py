"""What was found out about holdings of a month, and its figures as tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from conf.schema import RunConfig
from jobs.combinations.package_reach import Reach
from measurement.association import Estimate
from measurement.combinations import Combination, Rule
from measurement.core_periphery import Map
from measurement.packages import NotProposed, Proposal
from measurement.purchase_order import Sequel

Content = dict[str, Any]
DIGITS = 6


@dataclass(frozen=True)
class Analysis:
    """What was found out about a month's holdings.

    Attributes:
        clients: Active ones, of the segment if there is one.
        least: Clients that a set must have to be told.
        reach: By proposal: whom it could be offered to.
    """

    config: RunConfig
    clients: int
    least: int
    combinations: Sequence[Combination]
    rules: Sequence[Rule]
    sequels: Sequence[Sequel]
    map: Map
    proposals: Sequence[Proposal]
    not_proposed: Sequence[NotProposed]
    as_of: str = ""
    segment: str | None = None
    reach: Sequence[Reach] = ()

    @property
    def names(self) -> dict[str, str]:
        """Of products, in the bank's language."""
        language = self.config.bank.language
        return {name: product.named(language) for name, product in self.config.products.items()}

    def of_size(self, size: int) -> list[Combination]:
        """Combinations of so many products."""
        return [one for one in self.combinations if len(one.products) == size]


def figure_tables(found: Analysis) -> dict[str, pa.Table]:
    """All figures, a table of each kind; one without rows has its columns still."""
    rows = {
        "sets": [_set_row(one) for one in found.combinations],
        "rules": [_rule_row(one) for one in found.rules],
        "order": [_order_row(one) for one in found.sequels],
        "products": [
            {
                "product_id": one.product,
                "holders": one.holders,
                "coreness": round(one.coreness, DIGITS),
                "is_core": one.is_core,
                "configured": found.config.products[one.product].role,
            }
            for one in found.map.positions
        ],
    }
    return {
        name: pa.Table.from_pylist(rows[name], schema=schema) for name, schema in SCHEMAS.items()
    }


def _schema(**columns: str) -> pa.Schema:
    return pa.schema([(name, pa.type_for_alias(kind)) for name, kind in columns.items()])


def _lift_columns(name: str) -> dict[str, str]:
    return dict.fromkeys((name, f"{name}_low", f"{name}_high"), "double")


SCHEMAS = {
    "sets": _schema(
        products="string",
        size="int64",
        clients="int64",
        support="double",
        **_lift_columns("lift"),
        **_lift_columns("lift_alike"),
        leverage="double",
        weakest_part="string",
        p_value="double",
        q_value="double",
        is_sure="bool",
    ),
    "rules": _schema(
        given="string",
        then="string",
        clients="int64",
        confidence="double",
        leverage="double",
        **_lift_columns("lift"),
    ),
    "order": _schema(
        first="string",
        then="string",
        clients="int64",
        **_lift_columns("lift"),
        base_rate_per_1000_months="double",
        q_value="double",
        is_sure="bool",
    ),
    "products": _schema(
        product_id="string", holders="int64", coreness="double", is_core="bool", configured="string"
    ),
}


def _set_row(one: Combination) -> Content:
    return {
        "products": " + ".join(one.products),
        "size": len(one.products),
        "clients": one.clients,
        "support": round(one.support, DIGITS),
        **_lift("lift", one.lift),
        **_lift("lift_alike", one.alike),
        "leverage": round(one.leverage, DIGITS),
        "weakest_part": " + ".join(one.given),
        "p_value": _short(one.p_value),
        "q_value": _short(one.q_value),
        "is_sure": one.is_sure,
    }


def _rule_row(one: Rule) -> Content:
    return {
        "given": " + ".join(one.given),
        "then": one.then,
        "clients": one.clients,
        "confidence": round(one.confidence, DIGITS),
        "leverage": round(one.leverage, DIGITS),
        **_lift("lift", one.lift),
    }


def _order_row(one: Sequel) -> Content:
    return {
        "first": one.first,
        "then": one.then,
        "clients": one.clients,
        **_lift("lift", one.lift),
        "base_rate_per_1000_months": round(one.base_rate, DIGITS),
        "q_value": _short(one.q_value),
        "is_sure": one.is_sure,
    }


def _lift(name: str, one: Estimate) -> Content:
    values = (one.value, one.low, one.high)
    return {
        key: round(value, DIGITS) for key, value in zip(_lift_columns(name), values, strict=True)
    }


def _short(p_value: float) -> float:
    return float(f"{p_value:.3g}")
