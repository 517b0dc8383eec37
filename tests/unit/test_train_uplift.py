"""The bank's randomised history: every contact with what was known of the customer before it."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyspark.sql import functions as F

from conf.load import load_config
from features.catalogue import model_feature_names
from jobs.models import train_uplift
from jobs.models.train_uplift import randomised_history
from models.pooled import product_attributes
from models.training_set import FOLDS

CONFIG = load_config("local")
NAMES = model_feature_names(tuple(CONFIG.products))
ATTRIBUTES = product_attributes(CONFIG.products)
MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)
CONTACTS = pa.Table.from_pylist(
    [
        {"cohort": cohort, "customer_id": who, "product_id": what, "is_treated": t, "has_bought": b}
        for cohort, who, what, t, b in (
            (APRIL, "C2", "mortgage", True, False),
            (MARCH, "C2", "credit_card", True, True),
            (MARCH, "C1", "credit_card", False, False),
            (APRIL, "C1", "mortgage", False, True),
            (APRIL, "C9", "mortgage", True, True),  # left the bank before
        )
    ],
    schema=pa.schema(
        [
            ("cohort", pa.date32()),
            ("customer_id", pa.string()),
            ("product_id", pa.string()),
            ("is_treated", pa.bool_()),
            ("has_bought", pa.bool_()),
        ]
    ),
)


@pytest.fixture(scope="module")
def found(spark, tmp_path_factory) -> Any:
    """The history, its rows, and who was asked for; balances are 100 × month + customer."""
    asked = {}

    def pair_features(_run, customers, _scratch):
        for cohort, some in customers.items():
            asked[cohort] = {row["customer_id"]: row["weight"] for row in some.collect()}
            known = some.where(F.col("customer_id") != "C9").select(
                "customer_id",
                *(_value(name, cohort.month).alias(name) for name in NAMES),
            )
            yield cohort, known

    people = spark.createDataFrame([(f"C{number}",) for number in range(1, 7)], ["customer_id"])
    run: Any = SimpleNamespace(
        config=CONFIG, spark=spark, store=SimpleNamespace(known_before=lambda *_: people)
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train_uplift, "pair_features", pair_features)
        patch.setattr(train_uplift, "active_customers", lambda customers, _cohort: customers)
        history, rows = randomised_history(run, CONTACTS, tmp_path_factory.mktemp("scratch"))
    return SimpleNamespace(history=history, rows=rows, asked=asked)


def _value(name: str, month: int):
    if name != "balance_amount":
        return F.lit(0.0)
    return F.substring("customer_id", 2, 1).cast("double") + F.lit(100.0 * month)


def test_each_contact_has_what_was_known_in_its_own_month(found) -> None:
    keys = [(row["cohort"], row["customer_id"]) for row in found.rows.to_pylist()]
    assert keys == [(MARCH, "C1"), (MARCH, "C2"), (APRIL, "C1"), (APRIL, "C2")]
    balances = found.history.features[:, NAMES.index("balance_amount")]
    assert balances.tolist() == [301, 302, 401, 402]


def test_the_arms_are_those_of_the_contacts_and_a_customer_is_one_piece_of_luck(found) -> None:
    arms = found.history.arms
    assert arms.is_treated.tolist() == [False, True, False, True]
    assert arms.has_bought.tolist() == [False, True, True, False]
    assert arms.customer.tolist() == [0, 1, 0, 1]


def test_a_fold_follows_the_customer(found) -> None:
    fold = found.history.fold
    assert fold[0] == fold[2]
    assert fold[1] == fold[3]
    assert set(fold) <= set(range(FOLDS))


def test_the_model_is_told_what_kind_of_product_it_was(found) -> None:
    told = found.history.features[:, len(NAMES) :]
    expected = [list(ATTRIBUTES[name].values()) for name in ("credit_card", "mortgage")]
    assert told[1] == pytest.approx(np.float32(expected[0]))
    assert told[3] == pytest.approx(np.float32(expected[1]))


def test_features_are_computed_for_those_chosen_only_each_standing_for_others(found) -> None:
    assert found.asked == {MARCH: {"C1": 3, "C2": 3}, APRIL: {"C1": 2, "C2": 2, "C9": 2}}
