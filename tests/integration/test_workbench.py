"""The data scientist's workbench on a bank whose month has been run."""

from __future__ import annotations

import re
import runpy
import shutil
import sys
from contextlib import nullcontext
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from threadpoolctl import threadpool_limits

from features.catalogue import customer_features_table
from jobs import workbench as module
from jobs.cli import main
from jobs.workbench import in_one_line, open_workbench
from models.evaluate import flat
from models.pooled import pooled_candidate, train_pooled
from models.registry import CHALLENGER, CHAMPION, Registry, champions
from models.score import score
from tables.errors import ModelNotFound, UserError
from tables.runs import Runs
from tables.store import Store
from tests.month import AS_OF, SMALL
from tests.pages import Text

PRODUCT = "home_insurance"  # whose champion is the pooled model in the small bank
SCRIPT = Path(__file__).parents[2] / "docs/workbench.py"
OPTIONS = [word for setting in SMALL for word in ("--set", setting)]


@pytest.fixture(scope="module")
def home(bank, tmp_path_factory):
    copy = tmp_path_factory.mktemp("workbench") / "home"
    shutil.copytree(bank.home.path, copy, ignore=shutil.ignore_patterns("landing", "lists"))
    return copy


@pytest.fixture(scope="module", autouse=True)
def one_engine(spark):
    """The suite's session in place of a second one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "open_engine", lambda settings: nullcontext(spark))
        yield


@pytest.fixture(scope="module")
def workbench(home, one_engine):
    opened = open_workbench(home, AS_OF)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def fewer(workbench):
    """A variant that reads every second feature."""
    return workbench.train(PRODUCT, features=workbench.features[::2])


@pytest.fixture(scope="module")
def with_outcome(workbench):
    """A variant that is told the outcome: rows in another order, as pandas would leave them."""
    parts = [workbench.outcomes(PRODUCT, part) for part in ("train", "calibration", "test")]
    told = pa.concat_tables(parts).select(["cohort", "customer_id", "has_bought"])
    keys = workbench.customers.select(["cohort", "customer_id"])
    extra = keys.join(told, ["cohort", "customer_id"]).to_pandas()
    extra["is_known_buyer"] = extra.pop("has_bought").fillna(False).astype(bool)
    shuffled = extra.sample(frac=1, random_state=1)
    quick = {"min_data_in_leaf": 1, "feature_fraction": 1.0, "extra_trees": False, "lambda_l2": 0.0}
    return workbench.train(
        PRODUCT, parameters=quick, features=workbench.features[:1], extra=shuffled
    )


def xsell(home, capsys, *words):
    code = main(["models", *words, "--home", str(home), *OPTIONS])
    told = capsys.readouterr()
    assert code == 0, told.err
    return told.out


def test_the_stored_training_set_gives_the_models_of_the_training_run_bit_by_bit(workbench, home):
    registry = Registry(home)
    champion = registry.with_alias(PRODUCT, CHAMPION)
    plan = workbench.train(PRODUCT).plan
    with threadpool_limits(1):
        again = pooled_candidate(plan, train_pooled(plan), PRODUCT)
    assert again.scorer == registry.load(champion).scorer
    assert flat(again.metrics) | dict(again.facts) == registry.metrics(champion)


def test_a_variant_that_is_what_the_run_trained_is_not_registered_again(workbench, home):
    registry, run_id = Registry(home), Runs(home / "tables").current("train", AS_OF).run_id
    variant, other = (
        workbench.train("mortgage"),
        workbench.train("mortgage", features=["balance_amount"]),
    )
    tags = registry.with_alias("mortgage", CHAMPION).tags
    version = registry.register(variant.tried.candidate, run_id, tags, {})
    with pytest.raises(UserError, match=rf"mortgage version {version.version} itself, bit by bit"):
        workbench.register(variant, by="Ana", why="to see")
    assert workbench.register(other, by="Ana", why="to see").version == version.version + 1


def test_customers_come_with_every_feature_and_outcomes_of_training_only(workbench):
    customers = workbench.customers
    assert customers.column_names == [
        "cohort",
        "customer_id",
        "part",
        "weight",
        *workbench.features,
    ]
    assert not [field for field in customers.schema if pa.types.is_decimal(field.type)]
    of_training = {
        cohort
        for cohort, part in zip(
            customers["cohort"].to_pylist(), customers["part"].to_pylist(), strict=True
        )
        if part == "train"
    }
    assert set(workbench.outcomes(PRODUCT)["cohort"].to_pylist()) == of_training
    assert workbench.outcomes(PRODUCT)["has_bought"].null_count == 0


def test_own_parameters_reach_the_booster_and_the_record(workbench):
    variant = workbench.train(PRODUCT, parameters={"num_leaves": np.int64(3), "max_bin": 15})
    text = variant.tried.candidate.scorer.model_text
    assert "[num_leaves: 3]" in text and "[max_bin: 15]" in text
    assert str(variant).endswith("features, num_leaves=3, max_bin=15")


def test_columns_of_ones_own_are_put_beside_the_customers_they_are_of(workbench, with_outcome):
    assert with_outcome.tried.candidate.metrics["auc"].value == 1.0
    assert with_outcome.extra == ("is_known_buyer",)
    card = workbench.card(with_outcome)
    assert "is_known_buyer, of which the catalogue says nothing" in Text(card.read_text()).shown


def test_a_variant_with_columns_of_its_own_cannot_be_registered(workbench, with_outcome, home):
    before = len(Registry(home).versions(PRODUCT))
    told = r"is_known_buyer can't be registered.*docs/feature_catalogue.md, \"Add a feature\""
    with pytest.raises(UserError, match=told):
        workbench.register(with_outcome, by="Ana", why="it is perfect")
    assert len(Registry(home).versions(PRODUCT)) == before


def test_the_comparison_is_on_the_same_customers_and_reminds_of_how_many_were_tried(
    workbench, fewer, with_outcome
):
    shown = str(workbench.compare(with_outcome))
    gain = re.search(r"Log loss gain of the variant +- +([-+][\d.]+) \[([-+][\d.]+),", shown)
    assert gain and float(gain[2]) > 0  # told the outcome, it surely beats the champion
    buyers = re.search(r"on the same ([\d,]+) customers, (\d+) of them buyers", shown)
    assert buyers and int(buyers[2]) == with_outcome.tried.has_bought.sum()
    assert f"variant {with_outcome.looks.place} of {with_outcome.looks.total} looked at" in shown
    again = workbench.train(PRODUCT, features=workbench.features[::2])
    assert again.variant_id == fewer.variant_id
    assert again.looks.place == fewer.looks.place  # the same model is no further look
    one_more = workbench.train(PRODUCT, features=workbench.features[::3])
    assert one_more.looks.place == one_more.looks.total == again.looks.total + 1


def test_a_registered_variant_is_a_challenger_like_any_other(workbench, fewer, home, capsys, spark):
    before = Registry(home).with_alias(PRODUCT, CHAMPION)
    registered = workbench.register(fewer, by="Ana", why="half of the features")
    registry = Registry(home)
    assert registry.with_alias(PRODUCT, CHAMPION) == before  # nothing is promoted
    assert registry.with_alias(PRODUCT, CHALLENGER) == registered
    assert workbench.register(fewer, by="Ana", why="half of the features") == registered
    card = Text(registry.card(registered).read_text())
    assert card.open == [] and "registered by Ana: half of the features" in card.shown

    last = xsell(home, capsys, "history", PRODUCT).splitlines()[-1].split()
    assert last[2:5] == ["register", str(registered.version), str(before.version)]
    compared = xsell(home, capsys, "compare", PRODUCT)
    assert f"version {before.version} (champion) beside version {registered.version}" in compared
    assert "On the same" in compared and "0 more (-)" in compared

    xsell(home, capsys, "promote", PRODUCT, "--who", "Ion", "--why", "as good")
    assert registry.with_alias(PRODUCT, CHAMPION).version == registered.version
    assert scored_by(home, spark) == {registered.version}


def scored_by(home, spark):
    """Versions that score the product in the month's snapshot."""
    record = Runs(home / "tables").current("score", AS_OF)
    config = module.training_run(home, Runs(home / "tables").current("train", AS_OF), spark).config
    table = customer_features_table(tuple(config.products))
    features = Store(home / "tables", spark, record.pins).snapshot(table, AS_OF)
    scores = score(features, champions(config, home), AS_OF, 1).toArrow().to_pandas()
    own = scores[scores["product_id"] == PRODUCT]
    assert own["propensity"].nunique() > 1
    return set(own["model_version"])


def test_a_champion_that_may_know_the_test_customers_is_not_compared(workbench, fewer, home):
    registry = Registry(home)
    champion = registry.with_alias(PRODUCT, CHAMPION)
    tags = {**champion.tags, "as_of": "2026-12-01"}
    later = registry.register(fewer.tried.candidate, "a later run", tags, {"run_id": "later"})
    registry.challenge(later)
    shown = str(workbench.compare(fewer))
    assert f"Not compared with the challenger, version {later.version}: as of 2026-12-01" in shown


def altered(workbench, change):
    """Extra columns for all customers, then changed."""
    rows = workbench.customers.select(["cohort", "customer_id"]).to_pandas()
    return change(rows.assign(one=1.0))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda rows: rows[3:], r"3 of [\d,]+ rows of the training set are missing, 0 .* 0 repeat"),
        (
            lambda rows: pd.concat([rows, rows[:2]]),
            r"0 of [\d,]+ .* 2 repeat a cohort and customer_id",
        ),
        (lambda rows: rows.assign(customer_id="x"), r"are missing, [\d,]+ are of nobody in it"),
        (lambda rows: rows.drop(columns="cohort"), "extra columns lack cohort"),
        (lambda rows: rows.assign(cohort="soon"), "cohort is .*string, not a date"),
        (lambda rows: rows.drop(columns="one"), "none besides cohort and customer_id"),
        (lambda rows: rows.assign(word="a"), "word is .*string; a model reads numbers"),
        (lambda rows: rows.assign(gender=1), "gender is a column of customers"),
        (lambda rows: rows.assign(segment=1), "segment has the name of a feature"),
        (lambda rows: rows.assign(**{"One two": 1}), "'One two': use small letters"),
    ],
)
def test_extra_columns_that_do_not_fit_are_refused_in_one_line(workbench, change, told):
    with pytest.raises(UserError, match=told) as refused:
        workbench.train(PRODUCT, extra=altered(workbench, change))
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("product", "asked", "told"),
    [
        ("yacht", {}, "no product 'yacht'; there are "),
        (PRODUCT, {"parameters": {"num_leafs": 3}}, "'num_leafs'; did you mean num_leaves"),
        (PRODUCT, {"parameters": {"objective": "l2"}}, "no parameter 'objective'"),
        (PRODUCT, {"parameters": {"rounds": 0}}, "parameters: rounds is 0; it must be at least 1"),
        (PRODUCT, {"parameters": {"max_depth": "deep"}}, "LightGBM refuses max_depth=deep: "),
        (PRODUCT, {"features": ["segment"]}, "a model may not use segment"),
        (PRODUCT, {"features": ["balance_amout"]}, "did you mean balance_amount"),
        (PRODUCT, {"features": []}, "at least one"),
    ],
)
def test_wrong_calls_are_told_in_one_line(workbench, product, asked, told):
    with pytest.raises(UserError, match=told) as refused:
        workbench.train(product, **asked)
    assert len(str(refused.value).splitlines()) == 1


def test_a_person_and_a_reason_are_asked_for(workbench, fewer):
    with pytest.raises(UserError, match="by needs 1 to 500 characters, has 0"):
        workbench.register(fewer, by=" ", why="why not")


def test_a_month_that_was_never_trained_is_told_with_those_that_were(home, tmp_path):
    with pytest.raises(UserError, match=r"trained as of 2020-01-01 .*\(trained: 2026-11-01\)"):
        open_workbench(home, date(2020, 1, 1))
    with pytest.raises(UserError, match=r"\(trained: never\)"):
        open_workbench(tmp_path / "nowhere", AS_OF)
    shutil.copytree(home / "tables", tmp_path / "tables")
    with pytest.raises(ModelNotFound, match="No models in"):
        open_workbench(tmp_path, AS_OF)


def test_the_script_runs_from_end_to_end(home, capsys, monkeypatch):
    words = ["--home", str(home), "--product", PRODUCT, "--by", "Ana"]
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), *words])
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    runpy.run_path(str(SCRIPT), run_name="__main__")
    shown = capsys.readouterr().out
    assert shown.count("Log loss gain of the variant") == 3
    version = Registry(home).with_alias(PRODUCT, CHALLENGER).version
    assert f"{PRODUCT} version {version} is the challenger" in shown
    assert Path(re.search(r"Card: (.*)", shown)[1]).exists()


def test_a_script_tells_a_wrong_call_in_one_line(capsys):
    error = UserError("no product 'yacht'")
    in_one_line(UserError, error, None)
    assert capsys.readouterr().err == "workbench: no product 'yacht'\n"
