"""What cannot be trained or scored ends in one clear line, or in a fallback that the score names.

Further faults have their tests where they belong: changed files (test_models_registry), a feature
that is missing or stands elsewhere in the table (test_models_score), a product without a champion
(test_models_registry, test_bad_use), a constant feature (test_models_train).
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from jobs.models.training_sample import _training
from jobs.models.tried import Tried, tried_on_test
from jobs.train_propensity import _version
from models.labels import Cohorts, cohorts, outcome_column
from models.registry import CHAMPION, Registry, champions
from models.score import scored
from models.train import train_booster
from models.training_set import CALIBRATION, PARTS, TEST, TRAIN, TrainingSet
from tables.errors import ContractViolation, UserError
from tables.sources import CONTACTS
from tables.store import Store
from tests.model_data import FEATURES, PRODUCTS, model_settings, plan_of, small_bank
from tests.trained import AS_OF, configuration, train

SCORING: Any = SimpleNamespace(products=dict.fromkeys(PRODUCTS), models=model_settings())


def one_class(parts: tuple[int, ...], has_bought: bool) -> TrainingSet:
    """A bank in which everybody, or nobody, of some cohorts bought the card."""
    data = small_bank(600)
    outcomes = data.outcomes.copy()
    rows = np.isin(data.part, parts) & (outcomes[:, 0] >= 0)
    outcomes[rows, 0] = int(has_bought)
    return replace(data, outcomes=outcomes)


def customers() -> pa.RecordBatch:
    columns: dict[str, Any] = {name: [0.5, -0.5] for name in FEATURES}
    return pa.RecordBatch.from_pydict(
        {"customer_id": ["C1", "C2"], "segment": ["mass", None], **columns}
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, empty_registry: Path) -> Path:
    """A bank in which everybody who could buy a card did, and nobody ever bought a boat."""
    folder = tmp_path_factory.mktemp("faults")
    shutil.copytree(empty_registry, folder, dirs_exist_ok=True)
    train(folder, one_class((TRAIN, CALIBRATION, TEST), has_bought=True))
    return folder


@pytest.fixture
def copied(home: Path, tmp_path: Path) -> Path:
    shutil.copytree(home, tmp_path / "home")
    return tmp_path / "home"


def test_a_product_that_everybody_or_nobody_buys_has_no_booster_and_the_score_says_so(
    home: Path,
) -> None:
    found = champions(SCORING, home)
    rows = scored(customers(), list(found.values()), AS_OF, 1).to_pylist()
    kinds = {row["product_id"]: row["model_kind"] for row in rows}
    assert kinds["card"] == "segment_rate" and kinds["boat"] in ("pooled", "segment_rate")
    assert all(0 <= row["propensity"] <= 1 for row in rows)
    refused = Registry(home).of_run("card", "run 1")
    assert [version.tags["kind"] for version in refused] == ["booster", "pooled", "segment_rate"]
    assert "everybody in the test cohort bought it: no AUC" in refused[0].tags["gate"]


def looked_at(folder: Path, data: TrainingSet, **changes: object) -> Tried:
    plan = plan_of(data, folder, **changes)
    return tried_on_test(plan, train_booster(plan, "card"), "", {}, is_last=False)


@pytest.mark.parametrize("has_bought", [True, False])
@pytest.mark.parametrize("part", [CALIBRATION, TEST])
def test_a_later_cohort_of_one_class_is_no_reason_to_trust_a_booster(
    tmp_path: Path, part: int, has_bought: bool
) -> None:
    tried = looked_at(tmp_path, one_class((part,), has_bought))
    assert not tried.verdict.passed, PARTS[part]
    assert np.isfinite(tried.propensity).all()


@pytest.mark.parametrize("trials", [0, 3])
def test_training_cohorts_in_which_everybody_bought_give_a_booster_that_is_refused(
    tmp_path: Path, trials: int
) -> None:
    tried = looked_at(tmp_path, one_class((TRAIN,), has_bought=True), search={"trials": trials})
    assert not tried.verdict.passed
    assert "logistic_regression_auc" not in tried.candidate.metrics


def test_features_that_are_all_constant_give_a_booster_that_is_refused(tmp_path: Path) -> None:
    data = small_bank(600)
    tried = looked_at(tmp_path, replace(data, features=np.ones_like(data.features)))
    assert len(set(tried.propensity)) == 1
    assert "AUC 0.500 is below 0.55" in str(tried.verdict)


def refusal(home: Path) -> str:
    with pytest.raises(ContractViolation) as caught:
        champions(SCORING, home)
    assert caught.value.exit_code == 3
    return str(caught.value)


def test_a_model_file_changed_in_the_store_stops_the_scoring(copied: Path) -> None:
    version = Registry(copied).with_alias("loan", CHAMPION)
    assert version is not None
    folder = copied / "mlruns" / "artifacts" / version.mlflow_run_id / "artifacts" / "model"
    text = (folder / "model.txt").read_text()
    (folder / "model.txt").write_text(text.replace("leaf_value=", "leaf_value=9", 1) + "\n")
    told = refusal(copied)
    assert told.startswith(f"propensity_loan version {version.version}: model.txt in ")
    assert "is not what was registered (other SHA-256)" in told
    assert "go back with xsell models rollback" in told


def test_a_model_that_reads_its_features_in_another_order_stops_the_scoring(
    copied: Path, tmp_path: Path
) -> None:
    registry = Registry(copied)
    candidate = train_booster(plan_of(small_bank(300), tmp_path / "arrays"), "card")
    turned = replace(candidate.scorer, features=FEATURES[::-1])
    tags = {"gate": "passed", "against_champion": "passed"}
    version = registry.register(replace(candidate, scorer=turned), "turned", tags, {})
    registry._client.set_registered_model_alias("propensity_card", CHAMPION, str(version.version))
    told = refusal(copied)
    assert told == (
        "the booster model of card was trained on other features, or in another order, than its"
        " scorer.json says. Train a new one"
    )


@pytest.mark.engine
def test_a_history_too_short_for_any_outcome_to_be_known_is_told(spark: SparkSession) -> None:
    config = configuration(model_settings())
    chosen: Cohorts = cohorts(AS_OF, config.time)
    ddl = ", ".join(f"{outcome_column(name)} boolean" for name in PRODUCTS)
    nobody = spark.createDataFrame([], f"customer_id string, draw double, {ddl}")
    run: Any = SimpleNamespace(config=config, as_of=AS_OF)
    with pytest.raises(UserError) as caught:
        _training(run, chosen, dict.fromkeys(chosen.all, nobody))
    assert str(caught.value) == (
        f"train 2024-04-01: no customer is known before {chosen.train[-1]}, the last training"
        " cohort. Deliver an older history, or shorten time.outcome_months"
    )


def test_a_bank_that_has_never_contacted_anybody_has_no_version_of_contacts(
    tmp_path: Path,
) -> None:
    run: Any = SimpleNamespace(store=Store(tmp_path, None, {}))
    assert _version(run, CONTACTS) == "none"
