"""Scoring: one pass, the same numbers as the model alone, and never a silent mistake."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from models.matrix import feature_matrix
from models.pooled import pooled_candidate, train_pooled
from models.score import score
from models.scorer import Champion, Scorer
from models.segment_rate import train_segment_rate
from models.train import train_booster
from tables.derived import PROPENSITY_SCORES
from tables.errors import ContractViolation
from tests.model_data import FEATURES, plan_of, small_bank

AS_OF = date(2024, 4, 1)


@pytest.fixture(scope="module")
def champions(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Champion]:
    """One product of each kind."""
    plan = plan_of(small_bank(), tmp_path_factory.mktemp("arrays"))
    scorers = {
        "card": train_booster(plan, "card").scorer,
        "loan": pooled_candidate(plan, train_pooled(plan), "loan").scorer,
        "boat": train_segment_rate(plan, "boat").scorer,
    }
    return {
        product_id: Champion(product_id, 3, "digest", scorer)
        for product_id, scorer in scorers.items()
    }


def customers(rows: int = 40) -> pa.Table:
    random = np.random.default_rng(1)
    columns = {name: random.normal(size=rows) for name in FEATURES}
    columns["noise_2"][::5] = np.nan
    return pa.table(
        {
            "customer_id": [f"C{place:03d}" for place in range(rows)],
            "segment": [("mass", "affluent", None, "new")[place % 4] for place in range(rows)],
            **{name: pa.array(values, from_pandas=True) for name, values in columns.items()},
            "unused": ["x"] * rows,
        }
    )


def test_every_customer_gets_one_propensity_per_champion_equal_to_the_model_alone(
    spark: SparkSession, champions: dict[str, Champion]
) -> None:
    rows = customers()
    frame = spark.createDataFrame(rows.to_pandas()).repartition(3)
    scores = score(frame, champions, AS_OF, feature_version=17).toArrow().to_pylist()

    assert [(row["customer_id"], row["product_id"]) for row in scores] != []
    found = {(row["customer_id"], row["product_id"]): row for row in scores}
    assert len(found) == len(scores) == rows.num_rows * len(champions)
    for product_id, champion in champions.items():
        alone = champion.scorer.propensities(rows).tolist()
        got = [
            found[customer, product_id]["propensity"]
            for customer in rows["customer_id"].to_pylist()
        ]
        assert got == alone
    loan = found["C001", "loan"]
    assert list(loan) == list(PROPENSITY_SCORES.column_names)
    assert {name: loan[name] for name in ("as_of", "model_name", "model_version", "model_kind",
                                          "feature_version")} == {
        "as_of": AS_OF, "model_name": "propensity_loan", "model_version": 3,
        "model_kind": "pooled", "feature_version": 17,
    }  # fmt: skip


def test_columns_in_another_order_give_the_same_propensities(
    champions: dict[str, Champion],
) -> None:
    rows = customers()
    turned = rows.select(rows.column_names[::-1])
    for champion in champions.values():
        expected = champion.scorer.propensities(rows).tolist()
        assert champion.scorer.propensities(turned).tolist() == expected


def test_a_booster_that_expects_another_order_is_refused(champions: dict[str, Champion]) -> None:
    scorer = champions["card"].scorer
    turned = Scorer("card", "booster", scorer.features[::-1], model_text=scorer.model_text)
    with pytest.raises(ContractViolation, match="card was trained on other features"):
        turned.propensities(customers())


def test_a_missing_feature_stops_the_scoring_before_it_begins(
    spark: SparkSession, champions: dict[str, Champion]
) -> None:
    rows = customers().rename_columns(
        ["customer_id", "segment", "balances", *FEATURES[1:], "unused"]
    )
    frame = spark.createDataFrame(rows.to_pandas())
    with pytest.raises(ContractViolation, match="lacks balance; did you mean balances"):
        score(frame, champions, AS_OF, 1)


def test_an_unknown_segment_gets_its_own_rate(champions: dict[str, Champion]) -> None:
    scorer = champions["boat"].scorer
    rates = scorer.segment_rates
    expected = [rates["mass"], rates["affluent"], rates[""], rates[""]]
    assert scorer.propensities(customers(4)).tolist() == expected


def test_propensities_lie_within_0_and_1(champions: dict[str, Champion]) -> None:
    rows = customers(500)
    for champion in champions.values():
        propensities = champion.scorer.propensities(rows)
        assert ((propensities > 0) & (propensities < 1)).all()


def test_a_scorer_survives_being_written(champions: dict[str, Champion]) -> None:
    for champion in champions.values():
        scorer = champion.scorer
        again = Scorer.from_json(scorer.as_json(), scorer.model_text)
        assert again == scorer
        assert again.propensities(customers()).tolist() == scorer.propensities(customers()).tolist()


def test_the_matrix_takes_money_flags_and_nulls() -> None:
    rows = pa.table(
        {
            "money": pa.array([1050, None], pa.decimal128(18, 2)),
            "flag": pa.array([True, None]),
            "count": pa.array([7, None], pa.int64()),
        }
    )
    matrix = feature_matrix(rows, ("count", "money", "flag"))
    assert matrix.dtype == np.float32
    assert matrix[0].tolist() == [7.0, 1050.0, 1.0]
    assert np.isnan(matrix[1]).all()


def test_nobody_to_score_gives_no_propensities(champions: dict[str, Champion]) -> None:
    for champion in champions.values():
        assert len(champion.scorer.propensities(customers(0))) == 0
