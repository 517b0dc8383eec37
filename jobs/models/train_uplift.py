"""Whom contacts move: one uplift model over the bank's own randomised history of all products.

Of one product too few of the control buy to tell anything. The model is told what kind of product
a contact was about, as the pooled model of propensities is.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import functions as F

from features.catalogue import model_feature_names
from features.customer_features import active_customers
from jobs.models.training_snapshots import pair_features
from jobs.run import Run
from jobs.scratch import kept
from models.matrix import feature_matrix
from models.pooled import product_attributes
from models.qini import Arms
from models.sampling import fold_of
from models.uplift import RandomisedHistory
from tables.sources import CUSTOMERS

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

KEYS = ("cohort", "customer_id", "product_id")


def randomised_history(
    run: Run, contacts: pa.Table, scratch: Path
) -> tuple[RandomisedHistory, pa.Table]:
    """Features of everybody in past campaigns, as known before each.

    Args:
        run: Gives store and settings.
        contacts: One row per ``cohort``, ``customer_id`` and ``product_id``, with ``is_treated``
            (contacted in the month that begins then, or kept back by chance) and ``has_bought``;
            and with ``chance`` of having been contacted, unless it was the same for all.
        scratch: An empty folder, needed until this returns.

    Returns:
        The history, and its rows of ``contacts``: sorted by cohort, customer and product, those
        left out who were no active customers.
    """
    cohorts = pc.unique(contacts["cohort"]).sort().to_pylist()
    chosen = {cohort: _chosen(run, contacts, cohort, scratch) for cohort in cohorts}
    names = model_feature_names(tuple(run.config.products))
    parts = []
    for cohort, features in pair_features(run, chosen, scratch):
        fold = fold_of(run.config.models.seed).alias("fold")
        known = features.select("customer_id", fold, *names).toArrow()
        own = contacts.filter(pc.equal(contacts["cohort"], pa.scalar(cohort, pa.date32())))
        # A customer is there once per cohort; more than one product may have been offered.
        parts.append(own.join(known, keys="customer_id", join_type="inner"))
    rows = pa.concat_tables(parts).sort_by([(key, "ascending") for key in KEYS])
    attributes = product_attributes(run.config.products)
    return _history(rows, names, attributes), rows.select(contacts.schema.names)


def arms_of(contacts: pa.Table) -> Arms:
    """What chance decided, and what came of it; without ``chance`` it was the same for all."""
    customer = contacts["customer_id"].cast(pa.string()).combine_chunks().dictionary_encode()
    return Arms(
        customer=customer.indices.to_numpy().astype(np.int64),
        is_treated=contacts["is_treated"].to_numpy(zero_copy_only=False),
        has_bought=contacts["has_bought"].to_numpy(zero_copy_only=False),
        chance=contacts["chance"].to_numpy() if "chance" in contacts.schema.names else None,
    )


def _chosen(run: Run, contacts: pa.Table, cohort: date, scratch: Path) -> DataFrame:
    """Customers of one cohort's campaigns; each stands for as many as there are per chosen one."""
    own = contacts.filter(pc.equal(contacts["cohort"], pa.scalar(cohort, pa.date32())))
    customers = pc.unique(own["customer_id"]).cast(pa.string()).sort()
    active = active_customers(run.store.known_before(CUSTOMERS, cohort), cohort)
    weight = F.lit(active.count() / len(customers)).alias("weight")
    frame = run.spark.createDataFrame(pa.table({"customer_id": customers}))
    return kept(frame.select("customer_id", weight), scratch / f"chosen-{cohort}")


def _history(
    rows: pa.Table, names: tuple[str, ...], attributes: Mapping[str, Mapping[str, float]]
) -> RandomisedHistory:
    products = list(attributes)
    places = pc.index_in(rows["product_id"].cast(pa.string()), value_set=pa.array(products))
    told = np.array([list(attributes[product_id].values()) for product_id in products])
    of_product = told[places.to_numpy(zero_copy_only=False)].astype(np.float32)
    return RandomisedHistory(
        features=np.hstack([feature_matrix(rows, names), of_product]),
        arms=arms_of(rows),
        fold=rows["fold"].to_numpy(),
        names=(*names, *next(iter(attributes.values()))),
    )
