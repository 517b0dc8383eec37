"""`xsell lists diff` where a model was replaced and a client changed, on the small bank."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pytest

from conf.recorded import recorded_config
from features.catalogue import customer_features_table, feature_catalogue
from jobs.cli import main
from jobs.home import Home
from jobs.lists.which_campaign import campaign_of
from jobs.runs.staging import Staging
from models.registry import CHAMPION, Registry
from models.scorer import Scorer
from models.train import Candidate
from tables.arrow import arrow_schema
from tables.delta import commit_files
from tables.derived import CAMPAIGN_LISTS, DECISIONS
from tables.runs import RunRecord, Runs
from tables.store import Store
from tests.month import AS_OF

NEW_MODEL, NEW_MODEL_AND_DATA = "e" * 64, "f" * 64
WITH_BOOSTER = "home_insurance"  # so small a bank has few


@dataclass(frozen=True)
class Replaced:
    """A listed offer of the first campaign, and a model that takes the place of its own."""

    home: Home
    first: RunRecord
    offer: dict[str, Any]
    old: Scorer
    new: Scorer
    version: int

    @property
    def store(self):
        return Store(self.home.tables, None, self.first.pins)

    @property
    def products(self):
        return tuple(recorded_config(self.first.config).products)

    @property
    def features(self):
        return customer_features_table(self.products)

    @property
    def client(self):
        rows = self.store.arrow(self.features, AS_OF).to_pylist()
        return next(row for row in rows if row["customer_id"] == self.offer["customer_id"])

    def scored(self, scorer, change):
        rows = pa.Table.from_pylist([self.client | change], schema=arrow_schema(self.features))
        return float(scorer.propensities(rows)[0])

    def moving(self):
        """The feature that may be named whose change moves the propensity most, and the change."""
        was = self.scored(self.new, {})
        told = {one.name: one for one in feature_catalogue(self.products) if one.in_reason}
        tried = [
            (abs(self.scored(self.new, {name: value}) - was), name, {name: value})
            for name in sorted(set(told) & set(self.new.features))
            for value in (-1e6, 1e6)
            if told[name].type == "double"
        ]
        return max(tried)[1:]


@pytest.fixture(scope="module")
def replaced(bank, tmp_path_factory) -> Replaced:
    """In a copy, where models and tables may be added."""
    home = Home(tmp_path_factory.mktemp("told_apart") / "home")
    unread = shutil.ignore_patterns("landing", "lists")
    shutil.copytree(bank.home.path, home.path, ignore=unread)
    first, registry = campaign_of(home, AS_OF), Registry(home.path)
    lists = Store(home.tables, None, first.pins).arrow(CAMPAIGN_LISTS, AS_OF).to_pylist()
    offer = next(row for row in lists if row["move"].startswith("cross_sell"))
    champion = registry.with_alias(offer["product_id"], CHAMPION)
    booster = registry.load(registry.with_alias(WITH_BOOSTER, CHAMPION)).scorer
    shift = booster.log_odds_shift + 2  # likelier, so that features move it further
    new = replace(booster, product_id=offer["product_id"], log_odds_shift=shift)
    facts = registry.parameters(champion)
    added = registry.register(Candidate(new, {}, {}), "another run", {"as_of": str(AS_OF)}, facts)
    return Replaced(home, first, offer, registry.load(champion).scorer, new, added.version)


def campaign(of: Replaced, run_id, change, *, is_listed):
    """The same month valued by the new model; the client's propensity then."""
    propensity, who = of.scored(of.new, change), of.offer["customer_id"]
    features, decided, listed = (
        of.store.arrow(table, AS_OF).to_pylist()
        for table in (of.features, DECISIONS, CAMPAIGN_LISTS)
    )
    next(row for row in features if row["customer_id"] == who).update(change)
    for row in decided:
        if (row["customer_id"], row["product_id"]) == (who, of.offer["product_id"]):
            row |= {"propensity": propensity, "response": propensity}
            row |= {"model_version": of.version, "outcome": "offered" if is_listed else "outranked"}
    if not is_listed:
        listed = [row for row in listed if row["log_leaf"] != of.offer["log_leaf"]]
    pins = dict(of.first.pins)
    for table, rows in ((of.features, features), (DECISIONS, decided), (CAMPAIGN_LISTS, listed)):
        staging = Staging(of.home.tables, run_id, AS_OF, 1)
        staging.stage(table, pa.Table.from_pylist(rows, schema=arrow_schema(table)))
        files = staging.files[table.name]
        pins[table.name] = commit_files(of.home.tables / table.name, table, files, run_id)
    Runs(of.home.tables).append(replace(of.first, run_id=run_id, pins=pins))
    return propensity


def line(of: Replaced, before, after, capsys):
    """What the diff says of the offer, which left."""
    assert main(["lists", "diff", before, after, "--home", str(of.home.path)]) == 0
    told = capsys.readouterr().out.splitlines()
    client = of.offer["customer_id"]
    return next(one for one in told if one.startswith("left ") and client in one)


def test_model_and_data_are_told_apart_by_scoring_anew(replaced: Replaced, capsys) -> None:
    of, first, was = replaced, replaced.first.run_id, replaced.offer["propensity"]
    feature, change = of.moving()
    campaign(of, NEW_MODEL, {}, is_listed=True)
    now = campaign(of, NEW_MODEL_AND_DATA, change, is_listed=False)

    told = line(of, first, NEW_MODEL_AND_DATA, capsys)
    by_model = (of.scored(of.new, {}) - was + now - of.scored(of.old, change)) / 2
    by_data = now - was - by_model
    assert abs(by_data) > 0.001, "else nothing is tested"
    cause = "model" if abs(by_model) >= abs(by_data) else "data"
    assert f"  {cause}: propensity {100 * was:.1f} % -> {100 * now:.1f} %: model " in told
    parts = told.replace("−", "-").split("model ")[-1].split(" points")[0].split(", data ")
    assert [float(part) for part in parts] == pytest.approx(
        [100 * by_model, 100 * by_data], abs=0.051
    )

    told = line(of, NEW_MODEL, NEW_MODEL_AND_DATA, capsys)
    assert "  data: propensity " in told
    assert told.endswith(f"most by {feature}"), "under one model nothing else has changed"

    shutil.rmtree(of.home.mlruns)
    told = line(of, first, NEW_MODEL_AND_DATA, capsys)
    assert f" -> propensity {of.version}; not told apart from the data: " in told
    assert "is not registered any more" in told
