"""All features: what each means, what it is made of, and where it may be used."""

from __future__ import annotations

from collections.abc import Sequence

from features.cash_flow import balance_features, cash_flow_features
from features.engagement import channel_features, engagement_features
from features.events import event_features
from features.feature import Feature, reason_sentence
from features.holdings import holdings_features
from features.income import income_features
from features.monthly import monthly_features
from features.profile import profile_features
from features.recurring import payee_features, payer_features
from features.spending import bill_features, spending_features
from features.value import value_features
from tables.base import Column, Table, columns

__all__ = [
    "Feature",
    "catalogue_markdown",
    "customer_features_table",
    "feature_catalogue",
    "model_feature_names",
    "reason_sentence",
]

INTRODUCTION = """\
# Feature catalogue

One row per active customer and as-of date in `customer_features`. A window of n months is
`[as_of - n months, as_of)` by event date; nothing recorded on or after the as-of date is used.
Money is in the base currency, converted at the rate of the booking's month or of the last month
before it that has one; without any, a booking counts but its amount does not. The observation
window is `time.observation_months` long; it limits what is said without a window about bookings and
contacts.

Uses: **m** a model may use it, **r** a reason sentence may, **l** a campaign list may show it.

To add one, declare a `Feature` in the file of its theme: a name, what it means, a formula over
measures (`features/formulas.py`) and perhaps a sentence. Column, type, lineage, its line here and
its test against the future follow from that. Then `make docs`, which writes this file anew.
"""
HEADER = "| feature | meaning | type | unit | without data | tables | uses |"


def feature_catalogue(products: Sequence[str]) -> tuple[Feature, ...]:
    """Every feature, in the order of its column.

    Args:
        products: Configured product ids; each has features of its own.

    Raises:
        ValueError: Two features have one name.
    """
    features = (
        *profile_features(),
        *holdings_features(products),
        *balance_features(),
        *income_features(),
        *payer_features(),
        *cash_flow_features(),
        *monthly_features(),
        *spending_features(),
        *bill_features(),
        *payee_features(),
        *channel_features(),
        *engagement_features(),
        *event_features(),
        *value_features(),
    )
    names = [feature.name for feature in features]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"declared twice: {', '.join(twice)}; rename the feature or the product")
    return features


def customer_features_table(products: Sequence[str]) -> Table:
    """The table that holds them."""
    key = columns(
        "as_of date -- cut-off, exclusive: nothing known on or after it was used",
        "customer_id string -- the bank's identifier of the customer",
    )
    return Table(
        name="customer_features",
        grain="one row per active customer and as-of date",
        key=("as_of", "customer_id"),
        kind="derived",
        partition="as_of",
        columns=key + tuple(_column(feature) for feature in feature_catalogue(products)),
    )


def model_feature_names(products: Sequence[str]) -> tuple[str, ...]:
    """What a model may use; all are numbers or booleans."""
    return tuple(feature.name for feature in feature_catalogue(products) if feature.in_model)


def catalogue_markdown(products: Sequence[str]) -> str:
    """The catalogue as a document, theme by theme."""
    features = feature_catalogue(products)
    themes = dict.fromkeys(feature.theme for feature in features)
    sections = [
        "\n".join(
            [
                f"## {theme.capitalize()}\n",
                HEADER,
                "|" + " --- |" * HEADER.count(" | ") + " --- |",
                *(_line(feature) for feature in features if feature.theme == theme),
            ]
        )
        for theme in themes
    ]
    return "\n\n".join([INTRODUCTION.rstrip(), *sections]) + "\n"


def _column(feature: Feature) -> Column:
    meaning = f"{feature.description} {feature.value.missing.capitalize()}."
    return Column(feature.name, feature.type, feature.is_nullable, meaning)


def _line(feature: Feature) -> str:
    uses = {"m": feature.in_model, "r": feature.in_reason, "l": feature.in_list}
    cells = (
        f"`{feature.name}`",
        feature.description,
        feature.type,
        feature.unit,
        feature.value.missing,
        ", ".join(feature.tables),
        " ".join(letter for letter, may in uses.items() if may) or "none",
    )
    return f"| {' | '.join(cells)} |"
