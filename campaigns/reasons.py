"""Why this client: sentences about own behaviour, never about a protected attribute."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from conf.schema import RunConfig
from features.catalogue import Feature, feature_catalogue, reason_sentence

MOST = 3
WINDOW = re.compile(r"_\d+m$")
Pair = tuple[str, str]
Row = Mapping[str, Any]


def reasons_of_offers(
    pairs: list[Pair], contributions: pa.Table, features: pa.Table, config: RunConfig
) -> dict[Pair, list[str]]:
    """One to three sentences per customer and product, the weightiest first.

    Args:
        pairs: Customer and product of each offer.
        contributions: ``customer_id``, ``product_id``, ``feature`` and ``contribution``: what moved
            the propensity. A fallback model may have none.
        features: Rows of ``customer_features`` for these customers.
        config: Names the products, and the currency of amounts.
    """
    declared = {feature.name: feature for feature in feature_catalogue(tuple(config.products))}
    values = {row["customer_id"]: row for row in features.to_pylist()}
    weighty = _weighty_first(contributions)
    return {
        pair: _sentences(weighty[pair], declared, values.get(pair[0], {}), config)
        or [last_resort(pair[1], values.get(pair[0], {}), config)]
        for pair in pairs
    }


def last_resort(product_id: str, values: Row, config: RunConfig) -> str:
    """What is true of everybody who gets an offer, the most telling first."""
    product = config.products[product_id]
    if product.upgrade_of and values.get(f"has_{product.upgrade_of}"):
        return (
            f"Already uses our {_in_text(product.upgrade_of, config)}, which this product builds on"
        )
    held = (name for name in product.complements if values.get(f"has_{name}"))
    if complement := next(held, None):
        return f"Already uses our {_in_text(complement, config)}, which this product goes well with"
    return f"Meets the conditions for the {_in_text(product_id, config)} and has none with us"


def _weighty_first(contributions: pa.Table) -> dict[Pair, list[str]]:
    """Names of the features that raised each propensity; equal ones by name."""
    raised = (row for row in contributions.to_pylist() if row["contribution"] > 0)
    ordered = sorted(raised, key=lambda row: (-row["contribution"], row["feature"]))
    names: dict[Pair, list[str]] = defaultdict(list)
    for row in ordered:
        names[row["customer_id"], row["product_id"]].append(row["feature"])
    return names


def _sentences(
    names: list[str], declared: Mapping[str, Feature], values: Row, config: RunConfig
) -> list[str]:
    """At most three; of one fact over several windows only the weightiest is told."""
    told: dict[str, str] = {}
    for name in names:
        feature, fact = declared[name], WINDOW.sub("", name)
        if len(told) == MOST or fact in told or not feature.in_reason or name not in values:
            continue
        sentence = reason_sentence(feature, values[name], config.bank.base_currency)
        if sentence and sentence not in told.values():
            told[fact] = sentence
    return list(told.values())


def _in_text(product_id: str, config: RunConfig) -> str:
    """A product's name within a sentence."""
    name = config.products[product_id].name
    return name[0].lower() + name[1:]
