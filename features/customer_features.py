"""All features of all active customers as of a date, one row per customer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from pyspark.sql import DataFrame, functions as F

from conf.schema import TimeSettings
from features.catalogue import feature_catalogue
from features.feature import Feature
from features.measures import Measure, measured
from features.product_facts import ProductFacts
from features.sources import CUSTOMERS, Cut, Source, SourceTables, active_customers
from tables.errors import UserError

__all__ = ["SourceTables", "active_customers", "customer_features"]


def customer_features(
    sources: SourceTables,
    as_of: date,
    time: TimeSettings,
    products: Mapping[str, ProductFacts],
    base_currency: str,
    *,
    customers: DataFrame | None = None,
) -> DataFrame:
    """Compute every feature.

    Args:
        sources: The bank's tables as known before ``as_of``.
        as_of: Cut-off, exclusive.
        time: Its observation window limits how far back bookings and contacts are looked at.
        products: What is known of each configured product.
        base_currency: Currency of all amounts.
        customers: ``customer_id`` of those to compute them for, each once; None is everybody. What
            others have may be missing from ``sources``, except for customers themselves, and for
            bookings of an account under a former owner.

    Returns:
        One row per active customer: ``as_of``, ``customer_id``, then the features of the catalogue.

    Raises:
        UserError: The observation window is shorter than the window of a feature.
    """
    features = feature_catalogue(tuple(products))
    _check_windows(features, time.observation_months)
    cut = Cut(as_of, time.observation_months, base_currency, products)
    return computed(features, sources, cut, customers)


def computed(
    features: Sequence[Feature],
    sources: SourceTables,
    cut: Cut,
    customers: DataFrame | None = None,
) -> DataFrame:
    """One row per active customer with some features: one pass per source, then one select."""
    names = measure_names(features)
    frame = measured(CUSTOMERS.rows(sources, cut), CUSTOMERS, names)
    if customers is not None:
        # Each is there once. After the measures: a household's size counts all of its members.
        frame = customers.join(frame, on="customer_id", how="inner")
    for source in _other_sources(names):
        # One row per customer on the right: it is grouped by customer.
        numbers = measured(source.rows(sources, cut), source, names)
        frame = frame.join(numbers, on="customer_id", how="left")
    return frame.select(
        F.lit(cut.as_of).alias("as_of"),
        "customer_id",
        *(feature.value.column(names).alias(feature.name) for feature in features),
    )


def measure_names(features: Iterable[Feature]) -> dict[Measure, str]:
    """A column for each measure that some feature needs; equal measures share one."""
    needed = dict.fromkeys(m for feature in features for m in feature.value.measures)
    return {measure: f"m{place}" for place, measure in enumerate(needed)}


def _other_sources(names: Iterable[Measure]) -> list[Source]:
    return [s for s in dict.fromkeys(measure.source for measure in names) if s != CUSTOMERS]


def _check_windows(features: Sequence[Feature], observation_months: int) -> None:
    longest = max(feature.window_months or 0 for feature in features)
    if observation_months < longest:
        raise UserError(
            f"time.observation_months is {observation_months}, but features look back {longest}"
            f" months. Set it to {longest} or more"
        )
