"""Why this client: sentences about own behaviour, never about a protected attribute."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from campaigns.direction import Gain, agrees
from campaigns.sentences import plain_number, product_sentence, reason_sentence
from conf.schema import RunConfig
from features.catalogue import Feature, feature_catalogue
from features.typical import Typical

MOST = 3
WEIGHED = pa.schema(
    [
        ("customer_id", pa.string()),
        ("product_id", pa.string()),
        ("feature", pa.string()),
        ("contribution", pa.float64()),
        ("over_ordinary", pa.float64()),
        ("over_usual", pa.float64()),
    ]
)
Pair = tuple[str, str]
Row = Mapping[str, Any]


def reasons_of_offers(
    pairs: list[Pair],
    weighed: pa.Table,
    features: pa.Table,
    typical: Mapping[str, Typical],
    config: RunConfig,
) -> dict[Pair, list[str]]:
    """One to three sentences per customer and product, the weightiest first.

    Args:
        pairs: Customer and product of each offer.
        weighed: Shaped ``WEIGHED``: what moved the propensity of each, and what the model makes of
            the difference to other customers. A fallback model may have none.
        features: Rows of ``customer_features`` for these customers.
        typical: By feature: its values among all customers.
        config: Sentences, names of products, and the currency of amounts.
    """
    declared = {feature.name: feature for feature in feature_catalogue(tuple(config.products))}
    values = {row["customer_id"]: row for row in features.to_pylist()}
    weighty = _weighty_first(weighed)
    return {
        pair: _sentences(
            _agreeing(weighty[pair], declared, values.get(pair[0], {}), typical),
            values.get(pair[0], {}),
            config,
        )
        or [last_resort(pair[1], values.get(pair[0], {}), config)]
        for pair in pairs
    }


def last_resort(product_id: str, values: Row, config: RunConfig) -> str:
    """What is true of everybody who gets an offer, the most telling first."""
    product, sentences = config.products[product_id], config.reasons.last_resort
    if product.upgrade_of and values.get(f"has_{product.upgrade_of}"):
        return product_sentence(sentences.upgrade, product.upgrade_of, config)
    held = (name for name in product.complements if values.get(f"has_{name}"))
    if complement := next(held, None):
        return product_sentence(sentences.complement, complement, config)
    return product_sentence(sentences.neither, product_id, config)


def _weighty_first(weighed: pa.Table) -> dict[Pair, list[Row]]:
    """What raised each propensity; equal features by name."""
    raised = (row for row in weighed.to_pylist() if row["contribution"] > 0)
    ordered = sorted(raised, key=lambda row: (-row["contribution"], row["feature"]))
    rows: dict[Pair, list[Row]] = defaultdict(list)
    for row in ordered:
        rows[row["customer_id"], row["product_id"]].append(row)
    return rows


def _agreeing(
    weighty: list[Row],
    declared: Mapping[str, Feature],
    values: Row,
    typical: Mapping[str, Typical],
) -> list[Feature]:
    """Those features whose sentence says what raised the propensity."""
    return [
        feature
        for row in weighty
        if (feature := declared[row["feature"]]).in_reason
        and feature.name in values
        and agrees(
            feature,
            plain_number(values[feature.name]),
            typical[feature.name],
            Gain(row["over_ordinary"], row["over_usual"]),
        )
    ]


def _sentences(features: list[Feature], values: Row, config: RunConfig) -> list[str]:
    """At most three; of one fact over several windows only the weightiest is told."""
    told: dict[str, str] = {}
    for feature in features:
        if len(told) == MOST or feature.fact in told:
            continue
        sentence = reason_sentence(feature, values[feature.name], config)
        if sentence and sentence not in told.values():
            told[feature.fact] = sentence
    return list(told.values())
