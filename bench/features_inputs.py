"""What the three programs of the features benchmark have in common: what they read and compute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from conf.load import load_config
from features.catalogue import feature_catalogue
from features.customer_features import measure_names
from features.feature import Feature
from features.measures import Measure
from features.sources import (
    ACCOUNTS,
    BOOKINGS,
    CONSENTS,
    CONTACTS,
    CUSTOMERS,
    FLAGS,
    HOLDINGS,
    Source,
)
from tables.delta import files_of
from tables.runs import Runs
from tables.sources import SOURCES

# Written in SQL and in Polars as well, with every measure taken of them.
WRITTEN_THRICE: Sequence[Source] = (
    CUSTOMERS,
    HOLDINGS,
    ACCOUNTS,
    BOOKINGS,
    CONTACTS,
    FLAGS,
    CONSENTS,
)


@dataclass(frozen=True)
class Task:
    """What is to be computed.

    Attributes:
        home: The bank.
        as_of: Cut-off, exclusive.
        files: Parquet files of each stored source table.
        features: Those whose sources are written thrice.
        names: Column by measure.
        products: Configured product ids.
    """

    home: Path
    as_of: date
    files: Mapping[str, Sequence[str]]
    features: Sequence[Feature]
    names: Mapping[Measure, str]
    products: Sequence[str]

    def of(self, source: Source) -> dict[Measure, str]:
        """The measures of one source."""
        return {measure: name for measure, name in self.names.items() if measure.source == source}


def task(home: Path, as_of: date) -> Task:
    """The features of a bank that has been ingested for ``as_of``."""
    config = load_config("local", ())
    features = [
        feature
        for feature in feature_catalogue(tuple(config.products))
        if all(measure.source in WRITTEN_THRICE for measure in feature.value.measures)
    ]
    record = Runs(home / "tables").current("ingest", as_of)
    assert record is not None, f"{home} has not been ingested for {as_of}"
    files = {
        table.name: [
            str(home / "tables" / table.name / file.path)
            for file in files_of(home / "tables" / table.name, record.pins[table.name])
        ]
        for table in SOURCES
    }
    return Task(home, as_of, files, features, measure_names(features), tuple(config.products))
