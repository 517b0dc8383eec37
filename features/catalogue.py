"""All features: what each means, what it is made of, and where it may be used."""

from __future__ import annotations

from collections.abc import Sequence

from features.cash_flow import balance_features, cash_flow_features
from features.engagement import channel_features, engagement_features
from features.events import event_features
from features.feature import Feature
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

**reads** names the columns a value is computed from. Besides, who has a row here follows from
`joined_on`, `left_on` and `deceased_on` of `customers`, and which version of a row is read from its
`recorded_at`.

## Add a feature

1. Find the file of its theme below `features/` and declare a `Feature`: a name
   (`<what>_<unit>_<window>`), what it means for a reviewer, and a formula (`features/formulas.py`)
   over measures. A measure is one aggregate of a source's column over some rows and months; equal
   ones are computed once, and all of a source in one pass.
2. Decide what it is without data: the formula says so, and the words stand in **without data**.
3. Decide its uses. `tells` allows it as a reason: that it is `more` than others have, or `less`, or
   that there is `nothing`; only about the client's own behaviour, nothing intrusive. Its sentences
   go to `conf/base/reasons.yaml`, then `pytest tests/golden --accept`. `in_list` lets branches
   see it. What rests on protected attributes is `in_model=False`.
4. Does it need a column that no source has? Add it to the source's rows (`features/sources.py` or
   `features/*_sources.py`) and say in `features/lineage.py` what it is made of.
5. `make docs` writes this file anew; column, type, lineage and the test against the future follow
   by themselves. If `tests/unit/test_features_know_no_future.py` says that the feature never
   changes, its bank (`tests/bank.py`) lacks what the feature looks for.
6. Test one hand-made case, and compute it once more in SQL (`tests/property/*_queries.py`).
7. The lists may change: `make golden`, and review the difference.
"""
HEADER = "| feature | meaning | type | unit | without data | reads | uses |"


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


def _reads(feature: Feature) -> str:
    """Its columns, table by table."""
    tables: dict[str, list[str]] = {}
    for name in feature.columns:
        table, column = name.split(".")
        tables.setdefault(table, []).append(column)
    return "; ".join(f"{table}: {', '.join(names)}" for table, names in tables.items())


def _line(feature: Feature) -> str:
    uses = {"m": feature.in_model, "r": feature.in_reason, "l": feature.in_list}
    cells = (
        f"`{feature.name}`",
        feature.description,
        feature.type,
        feature.unit,
        feature.value.missing,
        _reads(feature),
        " ".join(letter for letter, may in uses.items() if may) or "none",
    )
    return f"| {' | '.join(cells)} |"
