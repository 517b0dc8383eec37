"""From past campaigns with a control group to a list that is ranked by uplift, and back again."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest
from pyspark.sql import DataFrame, SparkSession, functions as F

from campaigns.candidates import candidates
from campaigns.choice import choose, competing, outcomes
from campaigns.competition import Terms
from campaigns.decisions import decisions
from conf.load import load_config
from expectations.check import check
from expectations.propensity_scores import propensity_scores_suite
from features.catalogue import model_feature_names
from jobs.models import train_uplift, uplift_challenger
from jobs.models.uplift_challenger import challenge_with_uplift
from jobs.run import Run
from jobs.runs import inputs
from jobs.scratch import kept
from jobs.steps import SCORE
from models.gate import Verdict
from models.registry import CHALLENGER, CHAMPION, Registry
from models.score import score
from models.scorer import UPLIFT, Champion, Scorer
from models.uplift import RandomisedHistory, TrainedUplift
from models.uplift_champion import uplift_champion
from models.uplift_scorer import UpliftScorer
from tables.derived import PROPENSITY_SCORES
from tables.errors import ContractViolation, ModelNotFound
from tests.campaign_bank import AS_OF, make_bank
from tests.past_campaigns import KNOWN, publish_campaign, training_run

CONFIG = load_config(
    "local",
    [
        "models.rounds=15",
        "models.learning_rate=0.3",
        "models.bootstrap_samples=20",
        "campaign.branch_capacity=6",
    ],
)
PRODUCTS = tuple(CONFIG.products)
NAMES = model_feature_names(PRODUCTS)
# Months of campaigns, and what each kept back.
SHARES = {date(2023, month, 1): share for month, share in ((9, 0.5), (10, 0.2), (11, 0.5))}
CUSTOMERS = 450  # chosen in each


def chance(*keys: object) -> float:
    """Of stable keys, uniform in [0, 1)."""
    digest = hashlib.sha256("|".join(map(str, keys)).encode()).hexdigest()
    return int(digest[:13], 16) / 16**13


def is_moved(customer_id: str) -> bool:
    """A contact moves clients with an even number; the others it puts off."""
    return int(customer_id[1:]) % 2 == 0


def moved_balance() -> Any:
    """What gives them away."""
    is_even = F.substring("customer_id", 2, 9).cast("int") % 2 == 0
    return F.when(is_even, 1000.0).otherwise(-1000.0)


def features_of(customers: DataFrame) -> DataFrame:
    values = [
        (moved_balance() if name == "balance_amount" else F.lit(0.0)).alias(name) for name in NAMES
    ]
    return customers.select("customer_id", *values)


def publish_history(tables: Path) -> list[tuple[str, str, date, Any]]:
    """Commit the campaigns.

    Returns:
        What was bought: often by who was offered something and is moved, hardly by who was offered
        it and is put off, now and then without an offer.
    """
    opened = []
    for month, (as_of, share) in enumerate(SHARES.items()):
        rows = []
        for number in range(CUSTOMERS):
            who, what = f"H{number:04}", ("credit_card", "mortgage")[number // 2 % 2]
            is_control = chance("control", as_of, who) < share
            rate = 0.2 if is_control else 0.6 if is_moved(who) else 0.02
            # The propensity is right about who buys, and knows nothing of why.
            propensity = 0.3 + 0.1 * is_moved(who) * (chance("luck", as_of, who) - 0.6)
            outcome = "control" if is_control else "offered"
            rows.append(
                {"customer_id": who, "product_id": what, "outcome": outcome,
                 "propensity": propensity}
            )  # fmt: skip
            if chance("bought", as_of, who) < rate:
                opened.append((who, what, date(2023, 9 + month, 20), KNOWN))
        publish_campaign(tables, as_of, rows, control_share=share)
    return opened


@dataclass(frozen=True)
class Trained:
    """A home in which a training found planted uplift."""

    home: Path
    run: Run
    history: tuple[RandomisedHistory, pa.Table]
    found: TrainedUplift


@pytest.fixture(scope="module")
def trained(spark, tmp_path_factory, empty_registry) -> Any:
    home = tmp_path_factory.mktemp("uplift-in-use")
    shutil.copytree(empty_registry, home, dirs_exist_ok=True)
    (home / "tables").mkdir()
    opened = publish_history(home / "tables")
    run = training_run(home / "tables", spark, AS_OF, CONFIG, opened)
    kept: dict[str, Any] = {}

    def pair_features(_run, customers, _scratch):
        yield from (
            (cohort, features_of(some.select("customer_id"))) for cohort, some in customers.items()
        )

    def keeping(name):
        honest = getattr(uplift_challenger, name)

        def call(*arguments):
            kept[name] = honest(*arguments)
            return kept[name]

        return call

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train_uplift, "pair_features", pair_features)
        for name in ("randomised_history", "train_uplift"):
            patch.setattr(uplift_challenger, name, keeping(name))
        challenge_with_uplift(run)
    return Trained(home, run, kept["randomised_history"], kept["train_uplift"])


@pytest.fixture
def home(trained, tmp_path) -> Path:
    """A copy for one test."""
    shutil.copytree(trained.home, tmp_path, dirs_exist_ok=True)
    return tmp_path


def test_planted_uplift_passes_and_is_registered_with_what_it_was_learned_from(trained) -> None:
    assert trained.run.counts["uplift"] == "beats propensity"
    registry = Registry(trained.home)
    champion = registry.with_alias(UPLIFT, CHAMPION)
    assert champion is not None
    assert (champion.version, champion.tags["gate"]) == (1, "passed")
    assert registry.with_alias(UPLIFT, CHALLENGER) is None
    parameters, figures = registry.parameters(champion), registry.metrics(champion)
    assert parameters["campaigns"].split(", ")[0].startswith("2023-09-01 ")
    assert figures["qini_gain_over_propensity_low"] > 0
    assert figures["control"] + figures["treated"] == len(SHARES) * CUSTOMERS
    [decided] = registry.decisions(UPLIFT)
    assert (decided.action, decided.version, decided.who) == ("promote", 1, "gate")


def retrained(
    home: Path, trained: Trained, monkeypatch: pytest.MonkeyPatch, run_id: str, **changes: Any
) -> Run:
    """Another training of the same history, with what it is made to find."""
    found = replace(trained.found, **changes)
    monkeypatch.setattr(uplift_challenger, "randomised_history", lambda *_: trained.history)
    monkeypatch.setattr(uplift_challenger, "train_uplift", lambda *_: found)
    run = replace(trained.run, home=home, run_id=run_id, counts={})
    challenge_with_uplift(run)
    return run


REFUSED = Verdict(("Qini gain may be none",))


def test_the_same_training_again_registers_and_decides_nothing(trained, home, monkeypatch) -> None:
    retrained(home, trained, monkeypatch, trained.run.run_id)
    registry = Registry(home)
    assert len(registry.versions(UPLIFT)) == len(registry.decisions(UPLIFT)) == 1
    assert registry.with_alias(UPLIFT, CHALLENGER) is None


def test_what_a_later_training_refuses_goes_out_of_use(trained, home, monkeypatch) -> None:
    run = retrained(home, trained, monkeypatch, "later", verdict=REFUSED)
    assert run.counts["uplift"] == "not used: Qini gain may be none"
    registry = Registry(home)
    assert uplift_champion(CONFIG, home) is None
    challenger = registry.with_alias(UPLIFT, CHALLENGER)
    assert challenger is not None
    assert (challenger.version, challenger.tags["gate"]) == (2, "Qini gain may be none")
    decided = [(d.action, d.version, d.why) for d in registry.decisions(UPLIFT)]
    assert decided == [("promote", 1, "passed"), ("retire", 1, "Qini gain may be none")]
    retrained(home, trained, monkeypatch, "still later")
    in_use = uplift_champion(CONFIG, home)
    assert in_use is not None
    assert in_use.version == 3


def test_where_a_person_promotes_the_gate_only_takes_out_of_use(trained, home, monkeypatch) -> None:
    models = CONFIG.models.model_copy(update={"auto_promote": False})
    by_hand = replace(trained.run, config=CONFIG.model_copy(update={"models": models}))
    retrained(home, replace(trained, run=by_hand), monkeypatch, "second")
    registry = Registry(home)
    assert [registry.with_alias(UPLIFT, role).version for role in (CHAMPION, CHALLENGER)] == [1, 2]
    retrained(home, replace(trained, run=by_hand), monkeypatch, "third", verdict=REFUSED)
    assert registry.with_alias(UPLIFT, CHAMPION) is None


@pytest.mark.parametrize(("as_of", "in_use"), [(date(2022, 3, 1), True), (date(2030, 3, 1), False)])
def test_without_history_nothing_stays_in_use_but_an_old_month_decides_nothing(
    trained, home, as_of, in_use
) -> None:
    run = replace(trained.run, home=home, as_of=as_of, run_id=f"{as_of}", counts={})
    challenge_with_uplift(run)
    assert run.counts["uplift"] == "no randomised history yet"
    assert (uplift_champion(CONFIG, home) is not None) == in_use


def test_a_history_with_few_buyers_trains_nothing_and_says_so(
    spark, tmp_path, empty_registry
) -> None:
    shutil.copytree(empty_registry, tmp_path, dirs_exist_ok=True)
    (tmp_path / "tables").mkdir()
    publish_history(tmp_path / "tables")
    run = training_run(tmp_path / "tables", spark, AS_OF, CONFIG, [])
    challenge_with_uplift(run)
    assert str(run.counts["uplift"]).startswith("underpowered: of ")
    assert Registry(tmp_path).versions(UPLIFT) == []


def scores_of(spark: SparkSession, home: Path, partitions: int = 1) -> pa.Table:
    """Scores of the campaign bank, who were not in the history."""
    champions = {
        product: Champion(product, 1, "0" * 64, Scorer(product, "segment_rate",
                          segment_rates={"": 0.05 + place / 100}))
        for place, product in enumerate(PRODUCTS)
    }  # fmt: skip
    people = spark.range(0, 150, numPartitions=partitions).select(
        F.concat(F.lit("C"), F.lpad(F.col("id").cast("string"), 4, "0")).alias("customer_id")
    )
    features = features_of(people).withColumn("segment", F.lit("mass"))
    found = score(features, champions, AS_OF, 1, uplift_champion(CONFIG, home))
    return found.toArrow().sort_by([(name, "ascending") for name in PROPENSITY_SCORES.key])


def decided(spark: SparkSession, scores: pa.Table, folder: Path) -> list[dict[str, Any]]:
    sources = make_bank(11, 150, CONFIG).sources(spark)
    sources = replace(sources, propensity_scores=spark.createDataFrame(scores))
    # A plan of three offers is made more quickly than one of all.
    few = CONFIG.model_copy(update={"offers": dict(list(CONFIG.offers.items())[:3])})
    # Read twice, so kept, as the job does.
    rows = kept(candidates(sources, few, AS_OF), folder)
    choice = choose(competing(rows, sources.customers).toArrow(), Terms.of(few))
    placed = outcomes(rows, spark.createDataFrame(choice.places))
    found: list[dict[str, Any]] = (
        decisions(placed, CONFIG.campaign, AS_OF, "r").toArrow().to_pylist()
    )
    return found


def test_a_campaign_ranks_by_uplift_while_it_is_in_use_and_by_propensity_else(
    spark, trained, tmp_path
) -> None:
    with_uplift, without = (scores_of(spark, home) for home in (trained.home, tmp_path))
    assert with_uplift["propensity"] == without["propensity"]
    assert without["uplift"].null_count == without["uplift_version"].null_count == without.num_rows
    assert set(with_uplift["uplift_version"].to_pylist()) == {1}
    for row in with_uplift.to_pylist():
        assert (row["uplift"] > 0.2) == is_moved(row["customer_id"])
        assert (row["uplift"] < -0.05) != is_moved(row["customer_id"])

    before = decided(spark, without, tmp_path / "before")
    after = decided(spark, with_uplift, tmp_path / "after")
    told = {(row["response_basis"], row["response"] == row["propensity"]) for row in before}
    assert told == {("propensity", True)}
    assert {row["response_basis"] for row in after} == {"uplift"}
    offered = [
        {row["customer_id"] for row in rows if row["outcome"] in ("offered", "control")}
        for rows in (before, after)
    ]
    assert not all(map(is_moved, offered[0]))
    assert offered[1]
    assert all(map(is_moved, offered[1]))
    for row in after:
        is_refused = "value.not_profitable" in row["failed_gates"]
        assert is_refused or is_moved(row["customer_id"])
        exact = round(row["response"] * float(row["margin"]) - float(row["contact_cost"]), 2)
        assert float(row["expected_profit"]) == pytest.approx(exact, abs=0.011)
    unchanged = ("outcome", "response", "response_basis", "uplift_version", "expected_profit")
    still = {"failed_gates", "failed_rules", "passes_again_on"}
    still |= {"rank_in_customer", "rank_in_branch", "is_in_control_group"}
    same = [name for name in before[0] if name not in {*unchanged, *still}]
    assert _columns(before, same) == _columns(after, same)


def _columns(rows: list[dict[str, Any]], names: list[str]) -> list[list[Any]]:
    ordered = sorted(rows, key=lambda row: (row["customer_id"], row["offer_id"]))
    return [[row[name] for name in names] for row in ordered]


def test_uplift_is_the_same_whatever_the_partitions_and_keeps_its_contract(spark, trained) -> None:
    one, many = scores_of(spark, trained.home), scores_of(spark, trained.home, partitions=5)
    assert one == many
    customers = spark.createDataFrame(one.select(["customer_id"])).distinct()
    suite = propensity_scores_suite(customers, PRODUCTS, CONFIG.checks, uplift_version=1)
    assert check(suite, spark.createDataFrame(one)).critical_failures == ()


def test_a_tampered_booster_is_refused(home) -> None:
    [text] = home.glob("mlruns/artifacts/*/artifacts/model/model_0.txt")
    text.write_text(text.read_text().replace("leaf_value=", "leaf_value=9", 1))
    with pytest.raises(ContractViolation, match=r"xsell_uplift version 1: model_0.txt in .*SHA"):
        uplift_champion(CONFIG, home)


def test_a_product_that_the_model_was_not_told_of_is_no_silent_score(trained) -> None:
    new = {**CONFIG.products, "boat_loan": CONFIG.products["mortgage"]}
    with pytest.raises(ModelNotFound, match=r"trained without boat_loan\. Run xsell train"):
        uplift_champion(CONFIG.model_copy(update={"products": new}), trained.home)


def test_features_in_another_order_are_refused_and_a_scorer_survives_being_written(
    trained,
) -> None:
    scorer = uplift_champion(CONFIG, trained.home).scorer
    assert UpliftScorer.from_files(scorer.files()) == scorer
    turned = replace(scorer, features=scorer.features[::-1])
    with pytest.raises(ContractViolation, match="trained on other features, or in another order"):
        turned.uplifts_of(trained.found.uplift.reshape(-1, 1).repeat(len(NAMES), 1), PRODUCTS)


def test_scores_by_another_uplift_model_are_other_scores(trained, tmp_path, monkeypatch) -> None:
    done = SimpleNamespace(step="features", run_id="f", pins={})
    monkeypatch.setattr(inputs, "_committed", lambda _context, _step: done)
    monkeypatch.setattr(inputs, "_champions", lambda _context: {})
    with_uplift, without = (
        SimpleNamespace(home=SimpleNamespace(path=home), as_of=AS_OF, config=CONFIG)
        for home in (trained.home, tmp_path)
    )
    sha256 = uplift_champion(CONFIG, trained.home).sha256
    told = inputs.resolve(with_uplift, SCORE).identity
    assert told == {"features": "f", "model xsell_uplift": sha256}
    assert inputs.resolve(without, SCORE).identity == {"features": "f"}


def test_switched_off_it_is_not_used(trained) -> None:
    off = CONFIG.models.model_copy(update={"uplift_history_months": 0})
    assert uplift_champion(CONFIG.model_copy(update={"models": off}), trained.home) is None
