"""What the three programs of the features benchmark have in common: what they read and compute."""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from conf.load import load_config
from features.catalogue import feature_catalogue
from features.customer_features import measure_names
from features.feature import Feature
from features.formulas import Formula
from features.measures import Measure
from features.product_facts import ProductFacts, product_facts
from features.recurring_sources import COUNTERPARTIES
from features.sources import CUSTOMERS
from tables.delta import files_of
from tables.runs import Runs
from tables.sources import SOURCES


@dataclass(frozen=True)
class Task:
    """What is to be computed.

    Attributes:
        as_of: Cut-off, exclusive.
        files: Parquet files of each stored source table.
        features: All of the catalogue.
        names: Column by measure.
        products: What is known of each configured product.
    """

    as_of: date
    files: Mapping[str, Sequence[str]]
    features: Sequence[Feature]
    names: Mapping[Measure, str]
    products: Mapping[str, ProductFacts]

    def by_rows(self) -> dict[str, dict[Measure, str]]:
        """The measures of all rows that are looked at together, by the name of these rows.

        Payers and payees are apart: payees are many, and less is asked of them.
        """
        found: defaultdict[str, dict[Measure, str]] = defaultdict(dict)
        for measure, name in self.names.items():
            found[_rows_name(measure)][measure] = name
        return {CUSTOMERS.name: found.pop(CUSTOMERS.name), **found}

    def columns(self, feature: Feature) -> list[str]:
        """The columns of a feature's measures, as its formula takes them."""
        return [self.names[measure] for measure in feature.value.measures]


def task(home: Path, as_of: date) -> Task:
    """The features of a bank that has been ingested for ``as_of``."""
    config = load_config("local", ())
    features = feature_catalogue(tuple(config.products))
    record = Runs(home / "tables").current("ingest", as_of)
    assert record is not None, f"{home} has not been ingested for {as_of}"
    files = {
        table.name: [
            str(home / "tables" / table.name / file.path)
            for file in files_of(home / "tables" / table.name, record.pins[table.name])
        ]
        for table in SOURCES
    }
    products = product_facts(config.products, config.lifetime_value)
    return Task(as_of, files, features, measure_names(features), products)


def _rows_name(measure: Measure) -> str:
    if measure.source != COUNTERPARTIES:
        return measure.source.name
    return "payers" if dict(measure.rows.allowed)["is_credit"] == (True,) else "payees"


def formula_of(value: Formula) -> tuple[str, Mapping[str, int]]:
    """The function of ``features/formulas.py`` that makes a value, and its whole numbers.

    A peer writes every formula by itself, so it has to know which one is meant.
    """
    numbers = inspect.getclosurevars(value.combine).nonlocals
    name = value.combine.__qualname__.split(".")[0]
    return name, {key: number for key, number in numbers.items() if isinstance(number, int)}
