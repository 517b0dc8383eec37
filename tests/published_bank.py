"""From raw deliveries to published lists with given scores: the real ingest, gates, choice, files.

Models are left out: scores are drawn by hash, and of the features those are computed that gates
ask for, by the code that computes them all.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from audit.independent.check import Bank
from campaigns import moves
from campaigns.list_files import write_lists
from conf.load import load_config
from conf.schema import RunConfig
from extracts.deliveries import deliveries_until
from features.catalogue import customer_features_table, feature_catalogue
from features.customer_features import SnapshotPlan
from features.product_facts import product_facts
from features.sources import Cut
from jobs import plan_campaign
from jobs.build_features import source_tables
from jobs.home import Home
from jobs.ingest import ingest
from jobs.run import Run
from jobs.runs.staging import Staging
from models.scorer import Champion, Scorer
from tables.arrow import arrow_schema
from tables.delta import commit_files
from tables.derived import CAMPAIGN_LISTS, CARE_LISTS, DECISIONS, PROPENSITY_SCORES
from tables.store import Store
from tests.campaign_bank import AS_OF
from tests.delivered_bank import deliver_bank
from tests.random_settings import ENV, SMALL, Values, write_settings
from tests.yaml_settings import read_settings

CUSTOMERS = 400
CONF = "conf"
ASKED = (
    "income_amount_3m",
    "balance_amount",
    "income_months_12m",
    "days_since_last_income",
    "largest_credit_to_inflow_1m",
    "has_branch_changed_6m",
)


@dataclass(frozen=True)
class Campaign:
    """What was decided and published.

    Attributes:
        run_id: The run that did.
        lists: Folder of the lists.
        decisions: Files of the decisions.
        bank: Who checks them.
    """

    run_id: str
    lists: Path
    decisions: list[Path]
    bank: Bank


@dataclass
class Published:
    """A bank that has delivered, and may have lists.

    Attributes:
        home: With ``landing/`` and ``lists/``.
        pins: Version of every table that is there.
    """

    home: Home
    spark: SparkSession
    pins: dict[str, int] = field(default_factory=dict)

    def campaign(self, values: Values, monkeypatch: pytest.MonkeyPatch) -> Campaign:
        """What a configuration decides and publishes, and who checks it."""
        folder = write_settings(self.home.path / CONF, values)
        config = load_config(ENV, conf_dir=folder)
        known = {
            name: Champion(name, 1, "0" * 64, Scorer(name, "segment_rate"))
            for name in config.products
        }
        monkeypatch.setattr(plan_campaign, "champions", lambda *_: known)
        # figures are for a page that is not made here, and cost a third of the campaign
        told = {"detectable": [{"sentence": ""}], "levers": []}
        monkeypatch.setattr(plan_campaign, "campaign_figures", lambda *_: dict(told))
        # a bank of this size has few ends to learn a rate of renewal from
        monkeypatch.setattr(moves, "FEWEST_ENDS", 1)
        run = self.run("campaign", config, "c" * 64)
        plan_campaign.plan_campaign(run)
        store = run.store.with_staged(run.staging.files)
        lists = self.home.lists / AS_OF.isoformat() / config.campaign.campaign_id / "c"
        lists.mkdir(parents=True)
        rows, care = (store.arrow(table, AS_OF) for table in (CAMPAIGN_LISTS, CARE_LISTS))
        write_lists(lists, rows, care, config, AS_OF)
        made = [self.home.tables / DECISIONS.name / one.path
                for one in run.staging.files[DECISIONS.name]]  # fmt: skip
        bank = Bank(self.home.landing, read_settings(ENV, folder), AS_OF)
        return Campaign(run.run_id, lists, made, bank)

    def run(self, step: str, config: RunConfig, run_id: str) -> Run:
        """A run that reads what is committed."""
        store = Store(self.home.tables, self.spark, self.pins)
        staging = Staging(self.home.tables, run_id, AS_OF, partitions=1)
        return Run(
            step, AS_OF, run_id, config, self.home.path, self.spark, store, staging,
            tuple(deliveries_until(self.home.landing, AS_OF)),
        )  # fmt: skip

    def commit(self, run: Run) -> None:
        """Let later runs read what a run has staged."""
        for name, files in run.staging.files.items():
            table = run.staging.tables[name]
            self.pins[name] = commit_files(self.home.tables / name, table, files, run.run_id)


def ingested_bank(
    folder: Path, spark: SparkSession, seed: int, customers: int = CUSTOMERS
) -> Published:
    """A random bank that is ingested and scored, with the features that gates ask for."""
    config = load_config(ENV, conf_dir=write_settings(folder / CONF, SMALL))
    bank = Published(Home(folder / "home"), spark)
    bank.home.create()
    deliver_bank(bank.home.landing, seed, customers, config)
    for number, (step, work) in enumerate(
        (("ingest", ingest), ("features", _features), ("score", _scores))
    ):
        run = bank.run(step, config, f"{number}" * 64)
        work(run)
        bank.commit(run)
    return bank


def _features(run: Run) -> None:
    products = tuple(run.config.products)
    table = customer_features_table(products)
    wanted = [one for one in feature_catalogue(products) if one.name in ASKED]
    facts = product_facts(run.config.products, run.config.lifetime_value)
    cut = Cut(AS_OF, run.config.time.observation_months, run.config.bank.base_currency, facts)
    found = SnapshotPlan(wanted, cut).rows(source_tables(run, AS_OF)).toArrow()
    schema = arrow_schema(table)
    columns = [
        found[name].cast(schema.field(name).type)
        if name in found.column_names
        else pa.nulls(found.num_rows, schema.field(name).type)
        for name in schema.names
    ]
    rows = pa.table(dict(zip(schema.names, columns, strict=True)))
    run.staging.folder.joinpath(table.name).mkdir(parents=True, exist_ok=True)
    run.stage(table, run.spark.createDataFrame(rows.to_pandas(), table.ddl))


def _scores(run: Run) -> None:
    features = customer_features_table(tuple(run.config.products))
    customers = run.store.arrow(features, AS_OF, ["customer_id"])["customer_id"].to_pylist()
    rows = [
        {
            "as_of": AS_OF, "customer_id": customer, "product_id": product,
            "propensity": _propensity(customer, product), "model_name": f"propensity_{product}",
            "model_version": 1, "model_kind": "segment_rate", "feature_version": 1,
        }
        for customer in customers
        for product in run.config.products
    ]  # fmt: skip
    run.stage(PROPENSITY_SCORES, pa.Table.from_pylist(rows, arrow_schema(PROPENSITY_SCORES)))


def _propensity(customer: str, product: str) -> float:
    """Few different values, so that ties must be decided."""
    return int(hashlib.sha256(f"{customer}|{product}".encode()).hexdigest()[:2], 16) / 512
