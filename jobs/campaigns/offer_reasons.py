"""Why each offer was made: what moved its propensity, held beside other customers, as sentences."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame, functions as F

from campaigns.reasons import WEIGHED, Pair, reasons_of_offers
from conf.schema import RunConfig
from features.catalogue import feature_catalogue
from features.typical import Typical, typical_values
from models.explain import contributions
from models.matrix import Matrix, Vector, feature_matrix
from models.scorer import Champion, Scorer
from tables.buckets import customer_bucket

Places = npt.NDArray[np.intp]
# More than the three that are told: many features have no sentence, or another window's.
FEATURES_PER_OFFER = 40
# Enough for medians; a whole bank would not fit in memory.
CUSTOMERS_IN_SAMPLE = 20_000
BATCH_ROWS = 4096


def offer_reasons(
    pairs: list[Pair],
    offered: pa.Table,
    snapshot: DataFrame,
    in_use: Mapping[str, Champion],
    config: RunConfig,
) -> dict[Pair, list[str]]:
    """Sentences by customer and product, at least one for each offer.

    Args:
        pairs: Customer and product of each offer.
        offered: Rows of ``customer_features`` for these customers.
        snapshot: ``customer_features`` of all customers.
        in_use: Champions by product.
        config: What may be told, and how.
    """
    told = {f.name: f for f in feature_catalogue(tuple(config.products)) if f.in_reason}
    products = sorted({product_id for _, product_id in pairs})
    customers = {product_id: _offered(product_id, pairs, offered) for product_id in products}
    moved = {
        product_id: _moved(in_use[product_id].scorer, rows, told)
        for product_id, rows in customers.items()
    }
    names = sorted({name for found in moved.values() for name in found["feature"].to_pylist()})
    typical = typical_values([told[name] for name in names], _sample(snapshot, names))
    parts = [
        weighed(in_use[product_id].scorer, customers[product_id], found, typical)
        for product_id, found in moved.items()
        if found.num_rows
    ]
    together = pa.concat_tables([WEIGHED.empty_table(), *parts])
    return reasons_of_offers(pairs, together, offered, typical, config)


def weighed(
    scorer: Scorer, customers: pa.Table, moved: pa.Table, typical: Mapping[str, Typical]
) -> pa.Table:
    """What moved a propensity, with what the model makes of the difference to other customers.

    Args:
        scorer: The model of one product.
        customers: Their features.
        moved: As ``models.explain.contributions`` returns it.
        typical: By feature of ``moved``.

    Returns:
        Shaped ``WEIGHED``: beside each contribution the log-odds of the customer, less those of the
        same customer with the ordinary value of the feature, and less those with the usual one.
    """
    matrix, names = feature_matrix(customers, scorer.features), moved["feature"].to_pylist()
    own = scorer.log_odds(matrix)
    row = {name: index for index, name in enumerate(customers["customer_id"].to_pylist())}
    rows = np.array([row[name] for name in moved["customer_id"].to_pylist()], dtype=np.intp)
    columns = np.array([scorer.features.index(name) for name in names], dtype=np.intp)

    def gain(others: Sequence[float]) -> pa.Array:
        return pa.array(own[rows] - _log_odds_with(scorer, matrix, rows, columns, others))

    product = pa.array([scorer.product_id] * moved.num_rows, pa.string())
    found = moved.append_column("product_id", product)
    found = found.append_column("over_ordinary", gain([typical[name].ordinary for name in names]))
    found = found.append_column("over_usual", gain([typical[name].usual for name in names]))
    return found.select(WEIGHED.names)


def _log_odds_with(
    scorer: Scorer, matrix: Matrix, rows: Places, columns: Places, others: Sequence[float]
) -> Vector:
    """Log-odds of rows of the matrix, each with another value in one column."""
    values, found = np.array(others, dtype=np.float32), [np.empty(0)]
    for start in range(0, len(rows), BATCH_ROWS):
        batch = slice(start, start + BATCH_ROWS)
        changed = matrix[rows[batch]]
        changed[np.arange(len(changed)), columns[batch]] = values[batch]
        found.append(scorer.log_odds(changed))
    return np.concatenate(found)


def _offered(product_id: str, pairs: Sequence[Pair], offered: pa.Table) -> pa.Table:
    """The customers who are offered a product."""
    customers = [customer for customer, product in pairs if product == product_id]
    wanted = pa.array(customers, pa.string())
    return offered.filter(pc.is_in(offered["customer_id"], value_set=wanted))


def _moved(scorer: Scorer, customers: pa.Table, told: Collection[str]) -> pa.Table:
    """Contributions to the propensity of one product that may be told."""
    found = contributions(scorer, customers, FEATURES_PER_OFFER)
    return found.filter(pc.is_in(found["feature"], value_set=pa.array([*told], pa.string())))


def _sample(snapshot: DataFrame, names: Sequence[str]) -> pa.Table:
    """Enough customers, by hash: the same ones on every engine."""
    if not names:
        return pa.table({})
    parts = -(-snapshot.count() // CUSTOMERS_IN_SAMPLE)
    return snapshot.where(customer_bucket(parts) == F.lit(f"0-of-{parts}")).select(*names).toArrow()
