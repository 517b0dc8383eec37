"""A variant's training, without a bank."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from jobs.models.stored_training_set import _is_drawn
from jobs.models.variants_looked_at import Looks, looked_at
from models.train import train_booster
from models.variant import train_variant
from tables.errors import UserError
from tests.model_data import plan_of, sampled, small_bank


def test_with_no_parameters_of_its_own_it_is_production_s_booster(tmp_path: Path) -> None:
    plan = plan_of(sampled(small_bank(900), 0.5), tmp_path)
    assert train_variant(plan, "card", {}) == train_booster(plan, "card")


def test_its_own_parameters_leave_production_s_binned_rows_alone(tmp_path: Path) -> None:
    plan = plan_of(small_bank(600), tmp_path)
    before = train_booster(plan, "card")
    coarse = train_variant(plan, "card", {"max_bin": 4})
    assert coarse.scorer.model_text != before.scorer.model_text
    assert train_booster(plan, "card") == before


def test_a_product_that_nobody_bought_has_no_variant(tmp_path: Path) -> None:
    plan = plan_of(small_bank(300), tmp_path)
    with pytest.raises(UserError, match="boat: all training customers did the same"):
        train_variant(plan, "boat", {})


def test_who_was_drawn_follows_from_weight_and_draw() -> None:
    rows = pa.table(
        {
            "part": ["train", "train", "train", "test"],
            "weight": [1.0, 1.0, 2.0, 1.0],  # two buyers, one for two others, anybody
            "draw": [0.4, 0.6, 0.1, 0.9],
        }
    )
    assert _is_drawn(rows).to_pylist() == [True, False, True, True]


def test_looks_are_counted_by_model_product_and_test_cohort(
    registry_home: Path, tmp_path: Path
) -> None:
    candidate = train_variant(plan_of(small_bank(300), tmp_path / "arrays"), "card", {})

    def look(variant_id: str, cohort: str = "2024-01-01") -> Looks:
        return looked_at(registry_home, candidate, variant_id, cohort, {"num_leaves": "3"})

    assert "the only variant" in str(look("a"))
    assert str(look("b")).startswith("variant 2 of 2 looked at on the test cohort 2024-01-01")
    assert look("a") == Looks(1, 2, "2024-01-01")
    assert look("b", cohort="2024-02-01") == Looks(1, 1, "2024-02-01")
