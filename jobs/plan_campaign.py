"""Decide about every customer and offer, and make the branches' lists of what is offered."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from campaigns.campaign_list import campaign_list, care_list, offers_made
from campaigns.candidates import candidates
from campaigns.decisions import decisions
from campaigns.offer_log import offer_log
from campaigns.reasons import reasons_of_offers
from campaigns.sources import CampaignSources
from conf.errors import ConfigError, did_you_mean
from conf.schema import RunConfig
from features.catalogue import customer_features_table
from jobs.run import Run
from models.explain import contributions
from models.registry import champions
from models.scorer import Champion
from tables.base import Table
from tables.derived import CAMPAIGN_LISTS, CARE_LISTS, DECISIONS, OFFER_LOG, PROPENSITY_SCORES
from tables.reason_codes import Outcome
from tables.sources import CONSENTS, CONTACTS, CUSTOMERS, FLAGS, HOLDINGS

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

Pair = tuple[str, str]
MOVED = pa.schema(
    [
        ("customer_id", pa.string()),
        ("product_id", pa.string()),
        ("feature", pa.string()),
        ("contribution", pa.float64()),
    ]
)
# More than the three that are told: many features have no sentence, or another window's.
FEATURES_PER_OFFER = 40
STAGES = 4


def plan_campaign(run: Run) -> None:
    """Stage decisions, offer log, campaign lists and care lists.

    Raises:
        ConfigError: A role is shown a column that lists do not have.
        ModelNotFound: A product has no champion to explain its offers.
    """
    check_roles(run.config)
    sources = _sources(run)
    with run.progress(STAGES, "decisions, log, lists, care") as advance:
        with _written_down(run, candidates(sources, run.config, run.as_of)) as rows:
            run.stage(DECISIONS, decisions(rows, run.config.campaign, run.as_of, run.run_id))
        advance(1)
        decided = run.store.with_staged(run.staging.files).staged(DECISIONS)
        run.stage(OFFER_LOG, offer_log(decided, run.config.offers))
        advance(1)
        offers = offers_made(decided, sources.customers)
        features = sources.customer_features.join(offers, "customer_id", how="left_semi")
        made = offers.toArrow()
        reasons = _reasons(run, made, features.toArrow())
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
    unknown = [name for name in config.roles.branch.list_columns if name not in known]
    if unknown:
        raise ConfigError(
            f"roles.branch.list_columns names {name}, which lists do not have"
            f"{did_you_mean(name, known)}"
            for name in unknown
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
def _written_down(run: Run, rows: DataFrame) -> Iterator[DataFrame]:
    """Rows that are read more than once, computed once; no engine here keeps them in memory."""
    folder = run.home / "tables" / f".candidates-{run.run_id[:12]}"
    shutil.rmtree(folder, ignore_errors=True)
    try:
        rows.write.parquet(str(folder))
        yield run.spark.read.parquet(str(folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _reasons(run: Run, made: pa.Table, values: pa.Table) -> Mapping[Pair, list[str]]:
    """What moved the propensity of each offer that is made, as sentences."""
    pairs = list(zip(made["customer_id"].to_pylist(), made["product_id"].to_pylist(), strict=True))
    in_use = champions(run.config, run.home)
    products = sorted({product_id for _, product_id in pairs})
    moved = [_moved(in_use[product_id], values, pairs) for product_id in products]
    weighed = pa.concat_tables([MOVED.empty_table(), *moved])
    return reasons_of_offers(pairs, weighed, values, run.config)


def _moved(champion: Champion, values: pa.Table, pairs: Sequence[Pair]) -> pa.Table:
    """Contributions to the propensity of one product, for the customers who are offered it."""
    customers = [customer for customer, product in pairs if product == champion.product_id]
    wanted = pa.array(customers, pa.string())
    rows = values.filter(pc.is_in(values["customer_id"], value_set=wanted))
    found = contributions(champion.scorer, rows, FEATURES_PER_OFFER)
    product = pa.array([champion.product_id] * found.num_rows, pa.string())
    return found.append_column("product_id", product).select(MOVED.names)


def _note_outcomes(run: Run, decided: DataFrame) -> None:
    counts = {row["outcome"]: row["count"] for row in decided.groupBy("outcome").count().collect()}
    run.note(**{str(outcome): counts.get(str(outcome), 0) for outcome in Outcome})
    run.note(care=run.staging.rows(CARE_LISTS))
