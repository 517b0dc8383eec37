"""Which customers of which cohorts features are computed for, found out before any feature is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING

from features.customer_features import active_customers
from jobs.scratch import kept
from models.labels import Cohorts, with_outcomes
from models.sampling import (
    buyers_and_others,
    draw_of,
    evaluation_sample,
    training_sample,
    training_share,
    without_money_rules,
)
from tables.errors import UserError
from tables.sources import CUSTOMERS, HOLDINGS

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from jobs.run import Run


def sampled_customers(run: Run, chosen: Cohorts, scratch: Path) -> dict[date, DataFrame]:
    """Per cohort who is sampled: ``customer_id``, ``draw``, ``is_drawn`` and ``weight``.

    Args:
        run: The training run.
        chosen: Its cohorts.
        scratch: An empty folder.

    Raises:
        UserError: Nobody was a customer in any training cohort.
    """
    populations = {}
    with run.progress(len(chosen.all), "customers") as advance:
        for cohort in chosen.all:
            populations[cohort] = kept(_population(run, cohort), scratch / f"all-{cohort}")
            advance(1)
    sampled = _training(run, chosen, populations)
    for cohort in (chosen.calibration, chosen.test):
        rows = populations[cohort]
        most = run.config.models.max_evaluation_customers
        sampled[cohort] = evaluation_sample(rows, rows.count(), most)
    return {cohort: kept(sampled[cohort], scratch / f"sampled-{cohort}") for cohort in chosen.all}


def _population(run: Run, cohort: date) -> DataFrame:
    """Everybody active with the draw and the outcomes, money rules aside."""
    customers = run.store.known_before(CUSTOMERS, cohort)
    active = active_customers(customers, cohort)
    return with_outcomes(
        active.select("customer_id", draw_of(cohort, run.config.models.seed).alias("draw")),
        customers=customers,
        held=run.store.known_before(HOLDINGS, cohort),
        bought=run.store.known_before(HOLDINGS, run.as_of),
        products=without_money_rules(run.config.products),
        cohort=cohort,
        time=run.config.time,
    )


def _training(
    run: Run, chosen: Cohorts, populations: Mapping[date, DataFrame]
) -> dict[date, DataFrame]:
    products = tuple(run.config.products)
    everybody = reduce(
        lambda some, more: some.unionByName(more),
        (populations[cohort] for cohort in chosen.train),
    )
    customers = everybody.count()
    if not customers:
        raise UserError(
            f"train {run.as_of}: no customer is known before {chosen.train[-1]}, the last training"
            " cohort. Deliver an older history, or shorten time.outcome_months"
        )
    share = training_share(
        buyers_and_others(everybody, products),
        customers,
        run.config.models.negatives_per_positive,
    )
    run.note(training_share=round(share, 4))
    return {
        cohort: training_sample(populations[cohort], products, share) for cohort in chosen.train
    }
