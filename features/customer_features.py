"""All features of all active customers as of a date, one row per customer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from pyspark.sql import Column, DataFrame, functions as F

from conf.schema import TimeSettings
from features.catalogue import feature_catalogue
from features.feature import Feature
from features.measures import Measure, measured
from features.product_facts import ProductFacts
from features.sources import CUSTOMERS, Cut, Source, SourceTables, active_customers
from tables.errors import UserError

__all__ = ["SnapshotPlan", "SourceTables", "active_customers", "snapshot_plan"]


def snapshot_plan(
    as_of: date, time: TimeSettings, products: Mapping[str, ProductFacts], base_currency: str
) -> SnapshotPlan:
    """All features of the catalogue, as of a date.

    Args:
        as_of: Cut-off, exclusive.
        time: Its observation window limits how far back bookings and contacts are looked at.
        products: What is known of each configured product.
        base_currency: Currency of all amounts.

    Raises:
        UserError: The observation window is shorter than the window of a feature.
    """
    features = feature_catalogue(tuple(products))
    _check_windows(features, time.observation_months)
    return SnapshotPlan(features, Cut(as_of, time.observation_months, base_currency, products))


@dataclass(frozen=True)
class SnapshotPlan:
    """Some features of one date, to be computed for all customers at once or for some at a time.

    Attributes:
        features: Which.
        cut: Where the bank's tables are cut.
    """

    features: Sequence[Feature]
    cut: Cut

    def rows(self, sources: SourceTables, customers: DataFrame | None = None) -> DataFrame:
        """The features, one row per active customer: one pass per source, then one select.

        Args:
            sources: The bank's tables as known before the cut. What others than ``customers`` have
                may be missing, except for customers themselves, and for bookings of an account
                under a former owner.
            customers: ``customer_id`` of those to compute them for, each once; None is everybody.

        Returns:
            ``as_of``, ``customer_id``, then the features in order.
        """
        return self.with_bookings(self.without_bookings(sources, customers), sources)

    def without_bookings(
        self, sources: SourceTables, customers: DataFrame | None = None
    ) -> DataFrame:
        """One row per active customer with every measure that needs no booking."""
        rows = measured(CUSTOMERS.rows(sources, self.cut), CUSTOMERS, self._names)
        if customers is not None:
            # Each is there once. After the measures: a household's size counts all of its members.
            rows = customers.join(rows, on="customer_id", how="inner")
        return self._with_measures(rows, sources, of_bookings=False)

    def with_bookings(self, customers: DataFrame, sources: SourceTables) -> DataFrame:
        """The features of some customers.

        Args:
            customers: Some rows of ``without_bookings``.
            sources: At least all bookings of these customers and of their accounts.
        """
        measures = self._with_measures(customers, sources, of_bookings=True)
        return measures.select(
            F.lit(self.cut.as_of).alias("as_of"),
            "customer_id",
            *self._columns,
        )

    def _with_measures(
        self, customers: DataFrame, sources: SourceTables, *, of_bookings: bool
    ) -> DataFrame:
        for source in self._other_sources():
            if ("transactions" in source.tables) == of_bookings:
                # Numbers are there once per customer: they are grouped by customer. On the left
                # they are what an engine keeps in memory, so that customers stay in their order.
                numbers = measured(source.rows(sources, self.cut), source, self._names)
                customers = numbers.join(customers, on="customer_id", how="right")
        return customers

    def _other_sources(self) -> list[Source]:
        """An engine keeps what it has joined so far in memory, so that wide sources come last."""
        widths = Counter(m.source.read_as for m in self._names if m.source != CUSTOMERS)
        return sorted(widths, key=widths.__getitem__)

    @cached_property
    def _columns(self) -> list[Column]:
        """The features from their measures: made once, however many parts there are."""
        return [feature.value.column(self._names).alias(feature.name) for feature in self.features]

    @cached_property
    def _names(self) -> dict[Measure, str]:
        return measure_names(self.features)


def measure_names(features: Iterable[Feature]) -> dict[Measure, str]:
    """A column for each measure that some feature needs; equal measures share one."""
    needed = dict.fromkeys(m for feature in features for m in feature.value.measures)
    return {measure: f"m{place}" for place, measure in enumerate(needed)}


def _check_windows(features: Sequence[Feature], observation_months: int) -> None:
    longest = max(feature.window_months or 0 for feature in features)
    if observation_months < longest:
        raise UserError(
            f"time.observation_months is {observation_months}, but features look back {longest}"
            f" months. Set it to {longest} or more"
        )
