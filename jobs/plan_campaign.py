"""Decide about every customer and offer, and make the branches' lists of what is offered."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from campaigns.campaign_list import campaign_list, care_list, offers_made
from campaigns.candidates import candidates
from campaigns.choice import Choice, choose, competing, outcomes
from campaigns.decisions import decisions
from campaigns.limits_in_words import dearest_limits, shortages
from campaigns.offer_log import offer_log
from campaigns.reasons import Pair
from campaigns.sources import CampaignSources
from conf.errors import ConfigError, did_you_mean
from conf.schema import RunConfig
from features.catalogue import customer_features_table
from jobs.offer_reasons import offer_reasons
from jobs.run import Run
from jobs.scratch import kept
from models.registry import champions
from tables.base import Table
from tables.derived import CAMPAIGN_LISTS, CARE_LISTS, DECISIONS, OFFER_LOG, PROPENSITY_SCORES
from tables.files import make_folder
from tables.reason_codes import Outcome
from tables.sources import CONSENTS, CONTACTS, CUSTOMERS, FLAGS, HOLDINGS

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

log = logging.getLogger(__name__)

STAGES = 4
DEAREST = 5


def plan_campaign(run: Run) -> None:
    """Stage decisions, offer log, campaign lists and care lists.

    Raises:
        ConfigError: A role is shown a column that lists do not have.
        ModelNotFound: A product has no champion to explain its offers.
    """
    check_roles(run.config)
    sources = _sources(run)
    with run.progress(STAGES, "decisions, log, lists, care") as advance:
        with _scratch(run) as folder:
            rows = kept(candidates(sources, run.config, run.as_of), folder / "candidates")
            choice = _chosen(run, rows, sources)
            decided = outcomes(rows, _places(run, choice, folder))
            run.stage(DECISIONS, decisions(decided, run.config.campaign, run.as_of, run.run_id))
        advance(1)
        decided = run.store.with_staged(run.staging.files).staged(DECISIONS)
        run.stage(OFFER_LOG, offer_log(decided, run.config.offers))
        advance(1)
        offers = offers_made(decided, sources.customers)
        made = offers.toArrow()
        reasons = _reasons(run, made, offers, sources.customer_features)
        run.stage(CAMPAIGN_LISTS, campaign_list(made, reasons, run.config))
        advance(1)
        run.stage(CARE_LISTS, care_list(decided, sources.customers))
        advance(1)
    _note_outcomes(run, decided)


def check_roles(config: RunConfig) -> None:
    """Every column that a role may see exists.

    Raises:
        ConfigError: Some do not.
    """
    known = CAMPAIGN_LISTS.column_names
    unknown = [
        (role, name)
        for role in type(config.roles).model_fields
        for name in getattr(config.roles, role).list_columns
        if name not in known
    ]
    if unknown:
        raise ConfigError(
            f"roles.{role}.list_columns names {name}, which lists do not have"
            f"{did_you_mean(name, known)}"
            for role, name in unknown
        )


def _sources(run: Run) -> CampaignSources:
    def known(table: Table) -> DataFrame:
        return run.store.known_before(table, run.as_of)

    features = customer_features_table(tuple(run.config.products))
    return CampaignSources(
        customers=known(CUSTOMERS),
        holdings=known(HOLDINGS),
        consents=known(CONSENTS),
        flags=known(FLAGS),
        contacts=known(CONTACTS),
        customer_features=run.store.snapshot(features, run.as_of),
        propensity_scores=run.store.snapshot(PROPENSITY_SCORES, run.as_of),
    )


@contextmanager
def _scratch(run: Run) -> Iterator[Path]:
    """Where rows that are read more than once lie; no engine here keeps them in memory."""
    folder = run.home / "tables" / f".candidates-{run.run_id[:12]}"
    shutil.rmtree(folder, ignore_errors=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _chosen(run: Run, rows: DataFrame, sources: CampaignSources) -> Choice:
    """Choose, and tell what that is worth and what stands in its way."""
    options = competing(rows, sources.customers).toArrow()
    choice = choose(options, run.config.campaign, run.config.products)
    plan = choice.plan
    run.note(
        expected_profit=f"{plan.value / 100:,.2f}",
        upper_bound=f"{plan.bound / 100:,.2f}",
        gap=f"{plan.gap:.4%}",
    )
    dearest = dearest_limits(plan, choice.limits, DEAREST)
    if dearest:
        run.note(dearest_limits="; ".join(dearest))
    lacking = shortages(plan, choice.limits)
    if lacking:
        run.note(minima_not_met="; ".join(lacking))
        log.warning("%s minima of the campaign are not met: %s", len(lacking), "; ".join(lacking))
    return choice


def _places(run: Run, choice: Choice, folder: Path) -> DataFrame:
    make_folder(folder / "places")
    path = folder / "places" / "part-00000.parquet"
    pq.write_table(choice.places, path)
    return run.spark.read.parquet(str(path))


def _reasons(
    run: Run, made: pa.Table, offers: DataFrame, snapshot: DataFrame
) -> Mapping[Pair, list[str]]:
    pairs = list(zip(made["customer_id"].to_pylist(), made["product_id"].to_pylist(), strict=True))
    offered = snapshot.join(offers, "customer_id", how="left_semi").toArrow()
    return offer_reasons(pairs, offered, snapshot, champions(run.config, run.home), run.config)


def _note_outcomes(run: Run, decided: DataFrame) -> None:
    counts = {row["outcome"]: row["count"] for row in decided.groupBy("outcome").count().collect()}
    run.note(**{str(outcome): counts.get(str(outcome), 0) for outcome in Outcome})
    run.note(care=run.staging.rows(CARE_LISTS))
