"""Contributions: exact, of the customer's own features, largest first."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from models.explain import contributions, shap_values
from models.matrix import feature_matrix
from models.pooled import pooled_candidate, train_pooled
from models.scorer import Scorer
from models.segment_rate import train_segment_rate
from models.train import Plan, train_booster
from tests.model_data import FEATURES, plan_of, small_bank


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    return plan_of(small_bank(), tmp_path_factory.mktemp("arrays"))


@pytest.fixture(scope="module")
def booster(plan: Plan) -> Scorer:
    return train_booster(plan, "card").scorer


def customer(**features: float) -> pa.Table:
    row = dict.fromkeys(FEATURES, 0.0) | features
    return pa.table({"customer_id": ["C1"], **{name: [value] for name, value in row.items()}})


def test_contributions_and_the_average_add_up_to_the_log_odds(booster: Scorer) -> None:
    rows = pa.concat_tables([customer(balance=value) for value in np.linspace(-3, 3, 20)])
    total = shap_values(booster, rows).sum(axis=1) + booster.log_odds_shift
    expected = booster.log_odds(feature_matrix(rows, booster.features))
    assert total == pytest.approx(expected, abs=1e-9)


def test_what_drives_purchases_comes_first(booster: Scorer) -> None:
    found = contributions(booster, customer(balance=2.5, spending=-0.5), top=2).to_pylist()
    assert found[0]["feature"] == "balance"
    assert [row["rank"] for row in found] == list(range(1, len(found) + 1))
    assert all(row["contribution"] > 0 for row in found)


def test_what_lowers_a_propensity_is_no_reason_for_it(booster: Scorer) -> None:
    found = contributions(booster, customer(balance=-2.5, spending=-2.5), top=4)
    assert "balance" not in found["feature"].to_pylist()
    assert found["feature"].to_pylist()[0] == "spending"


def test_what_a_pooled_model_is_told_about_the_product_is_no_reason(plan: Plan) -> None:
    pooled = pooled_candidate(plan, train_pooled(plan), "card").scorer
    found = contributions(pooled, customer(balance=2.5), top=10)
    assert set(found["feature"].to_pylist()) <= set(FEATURES)
    assert found.num_rows > 0


def test_a_segment_rate_has_no_contributions(plan: Plan) -> None:
    rate = train_segment_rate(plan, "boat").scorer
    assert contributions(rate, customer(), top=3).num_rows == 0


def test_nobody_has_no_contributions(booster: Scorer) -> None:
    assert contributions(booster, customer().slice(0, 0), top=3).num_rows == 0
