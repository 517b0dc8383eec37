"""Months of committed scores, as each was scored: whom, how likely, and who could buy at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from conf.recorded import recorded_config
from conf.schema import Product, RunConfig
from features.catalogue import customer_features_table
from features.eligible_rows import BORN, columns_needed, eligible_rows
from jobs.home import Home
from measurement.association import Bools, Floats
from tables.derived import PROPENSITY_SCORES
from tables.known_rows import Persons, latest_columns
from tables.runs import RunRecord, Runs
from tables.sources import CUSTOMERS
from tables.store import Store


@dataclass(frozen=True)
class ScoredMonth:
    """The scores of one month.

    Attributes:
        record: The run that scored.
        config: What it was configured with.
        persons: Who each scored client is by the as-of date of the measurement, sorted by the id
            that was scored.
        propensity: By product, of each client.
        versions: By product the version of its model.
        could_buy: By product who met its rules on the day of scoring, as labels ask for. Of records
            that were found to be one person only one counts.
    """

    record: RunRecord
    config: RunConfig
    persons: pa.Array
    propensity: Mapping[str, Floats]
    versions: Mapping[str, int]
    could_buy: Mapping[str, Bools]


def scoring_runs(home: Home, as_of: date) -> list[RunRecord]:
    """The run that stands for each month up to ``as_of``, oldest first."""
    standing = {run.as_of: run for run in Runs(home.tables).committed() if run.step == "score"}
    return [record for day, record in sorted(standing.items()) if day <= as_of]


def read_ahead(home: Home, records: Sequence[RunRecord], persons: Persons) -> Iterator[ScoredMonth]:
    """Scores month after month; while one is worked on, the next one is read.

    Args:
        home: Where.
        records: Runs that scored; at least one.
        persons: Who was one person by the as-of date of the measurement.
    """
    with ThreadPoolExecutor(1) as reader:
        waiting = reader.submit(read_scores, home, records[0], persons)
        for following in (*records[1:], None):
            month = waiting.result()
            if following is not None:
                waiting = reader.submit(read_scores, home, following, persons)
            yield month


def read_scores(home: Home, record: RunRecord, persons: Persons) -> ScoredMonth:
    """Scores as their run pinned them, with who could buy what.

    Args:
        home: Where.
        record: The run that scored.
        persons: Who was one person by the as-of date of the measurement.
    """
    store, config = Store(home.tables, None, record.pins), recorded_config(record.config)
    stored = store.stored_columns(PROPENSITY_SCORES, record.as_of)
    customers, client = _places(stored.encoded("customer_id"))
    products, product = _places(stored.encoded("product_id"))
    shape = (len(products), len(customers))
    propensity, version = np.full(shape, np.nan), np.zeros(len(products), dtype=np.int64)
    propensity[product, client] = stored.column("propensity").to_numpy()
    version[product] = stored.column("model_version").to_numpy()
    names = products.to_pylist()
    people, counts = _people(customers, persons)
    known = _known(store, record.as_of, customers, config)
    could_buy = {
        name: eligible_rows(name, config.products[name], known, record.as_of)
        & counts
        & ~np.isnan(propensity[place])
        for place, name in enumerate(names)
    }
    return ScoredMonth(
        record,
        config,
        people,
        dict(zip(names, propensity, strict=True)),
        dict(zip(names, version.tolist(), strict=True)),
        could_buy,
    )


def _places(
    column: pa.DictionaryArray,
) -> tuple[pa.Array, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Different values in order, and the place of each row's among them."""
    order = pc.sort_indices(column.dictionary).to_numpy()
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return column.dictionary.take(pa.array(order)), rank[column.indices.to_numpy()]


def _people(customers: pa.Array, persons: Persons) -> tuple[pa.Array, Bools]:
    """Who each scored record is by now, and which of several records of a person counts.

    That of the record that stands for the person, if it was scored, else the first.
    """
    given_up = pc.is_in(customers, value_set=pa.array(list(persons.survivor), pa.string()))
    places = np.flatnonzero(given_up.to_numpy(zero_copy_only=False))
    names = [persons.person(one) for one in customers.take(pa.array(places)).to_pylist()]
    scored = pc.is_in(pa.array(names, pa.string()), value_set=customers).to_pylist()
    counts, seen = np.ones(len(customers), dtype=np.bool_), set()
    for place, name, has_own in zip(places.tolist(), names, scored, strict=True):
        counts[place] = not has_own and name not in seen
        seen.add(name)
    people = pc.replace_with_mask(customers, given_up, pa.array(names, pa.string()))
    return people, counts


def _known(store: Store, as_of: date, customers: pa.Array, config: RunConfig) -> pa.Table:
    """What eligibility asks about each client, as it was known when they were scored."""
    stored = store.stored_columns(customer_features_table(tuple(config.products)), as_of)
    place = pc.index_in(customers, value_set=stored.column("customer_id").combine_chunks())
    found = {
        name: stored.column(name).take(place)
        for name in _asked_for(config.products)
        if name != BORN
    }
    people = latest_columns(store, CUSTOMERS, as_of, [BORN])
    place = pc.index_in(customers, value_set=people["customer_id"].combine_chunks())
    return pa.table({**found, BORN: people[BORN].take(place)})


def _asked_for(products: Mapping[str, Product]) -> Sequence[str]:
    return sorted({name for key, one in products.items() for name in columns_needed(key, one)})
