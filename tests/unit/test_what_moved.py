"""Model and data told apart: each gets what it did to the client's propensity, and no more."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import lightgbm
import numpy as np
import pyarrow as pa
import pytest

from campaigns.change import Cause
from campaigns.diff import changes, valued
from campaigns.diff_values import questions
from campaigns.moved import Moved, Question, Valuer, in_words
from conf.load import load_config
from jobs.lists.what_moved import NOT_AS_DECIDED, CannotTell, Compared, Model, Snapshot, model_of
from models.matrix import feature_matrix
from models.scorer import UPLIFT
from models.uplift_scorer import UpliftModel, UpliftScorer
from tests.unit.test_lists_diff import CARD, FUND, decided, row, side

KEY = ("C1", CARD)
OLD, NEW = Valuer("propensity", 1), Valuer("propensity", 2)
PACKAGE = "travel_package_2026"


def model(per_unit: float, columns: tuple[str, ...] = ("balance",)) -> Model:
    return Model(columns, lambda rows: per_unit * np.array(rows[columns[0]].to_pylist(), float))


def knew(balance: float, day: str = "2026-10-01") -> Snapshot:
    rows = pa.table({"customer_id": ["C1"], "balance": [balance]})
    return Snapshot(rows, f"the features as of {day}")


def gone(day: str = "2026-10-01") -> Snapshot:
    empty = pa.table({"customer_id": pa.array([], pa.string())})
    return Snapshot(empty, f"the features as of {day}", "the snapshot cannot be read any more")


def answer(models, snapshots, propensities=(0.08, 0.03), valuers=(OLD, NEW)):
    asked = [Question(KEY, "credit_card", valuers, propensities)]
    return Compared(asked, models, snapshots, ()).answers()[KEY]


def test_each_part_is_the_mean_of_both_orders_and_they_add_up() -> None:
    found = answer((model(0.02), model(0.01)), (knew(4), knew(3)))
    # model: 0.04 - 0.08 with the old data, 0.03 - 0.06 with the new
    assert found.by_model == pytest.approx(-0.035)
    assert found.by_data == pytest.approx(-0.015)
    assert in_words(found) == "propensity 8.0 % -> 3.0 %: model −3.5, data −1.5 points"
    back = answer((model(0.01), model(0.02)), (knew(3), knew(4)), (0.03, 0.08))
    assert (back.by_model, back.by_data) == pytest.approx((0.035, 0.015))


def test_what_did_not_change_moved_nothing() -> None:
    same_data = answer((model(0.02), model(0.01)), (knew(4), knew(4)), (0.08, 0.04))
    assert same_data.by_data == pytest.approx(0) and same_data.is_by_model
    same_model = answer((model(0.02), model(0.02)), (knew(4), knew(3)), (0.08, 0.06), (OLD, OLD))
    assert same_model.by_model == 0 and not same_model.is_by_model
    assert in_words(same_model) == "propensity 8.0 % -> 6.0 %"


GONE = CannotTell("propensity_credit_card version 1 is not registered any more")


@pytest.mark.parametrize(
    ("models", "snapshots", "by_model"),
    [
        ((GONE, model(0.01)), (knew(4), knew(3)), -0.04),
        ((model(0.02), model(0.01)), (gone(), knew(3)), -0.03),
        ((model(0.02), CannotTell("")), (knew(4), knew(3)), -0.03),
        ((model(0.02), model(0.01)), (knew(4), gone()), -0.04),
    ],
)
def test_one_order_is_enough_where_the_other_is_gone(models, snapshots, by_model) -> None:
    assert answer(models, snapshots).by_model == pytest.approx(by_model)


def test_it_says_what_is_gone_where_nothing_can_be_told() -> None:
    told = answer((GONE, model(0.01)), (gone(), knew(3)))
    assert told == f"not told apart from the data: the snapshot cannot be read any more; {GONE}"
    lacking = model(0.01, ("income",))
    told = answer((GONE, lacking), (knew(4), knew(3)))
    assert "the features as of 2026-10-01 lack income" in told


def test_what_is_not_what_was_decided_is_not_believed() -> None:
    models, snapshots = (model(0.02), model(0.01)), (knew(4), knew(3))
    assert answer(models, snapshots, (0.09, 0.03)) == NOT_AS_DECIDED


def test_an_uplift_is_held_beside_a_propensity() -> None:
    uplift = Valuer("uplift", 1)
    found = answer((model(0.02), model(0.005)), (knew(4), knew(3)), (0.08, 0.03), (OLD, uplift))
    assert (found.what, found.after) == ("response", pytest.approx(0.015))
    both = (uplift, Valuer("uplift", 2))
    assert "not told apart" in answer((model(1), model(2)), (gone(), knew(3)), valuers=both)


def test_an_uplift_is_asked_of_the_registered_version_for_the_product() -> None:
    random = np.random.default_rng(3)
    rows = np.column_stack([random.normal(size=400), random.integers(0, 2, 400)])
    texts = []
    for effect in (2.0, 0.5):
        likely = rows[:, 0] * effect + rows[:, 1] > 0.5
        names = ["balance", "product__is_credit"]
        data = lightgbm.Dataset(rows, likely.astype(float), feature_name=names)
        settings = {"objective": "binary", "verbose": -1, "num_threads": 1}
        texts.append(lightgbm.train(settings, data, 5).model_to_string())
    attributes = {"card": {"product__is_credit": 1.0}, "fund": {"product__is_credit": 0.0}}
    scorer = UpliftScorer(UpliftModel("t_learner", tuple(texts)), ("balance",), attributes)
    registry: Any = SimpleNamespace(
        version=lambda name, number: number if (name, number) == (UPLIFT, 7) else None,
        files=lambda _: scorer.files(),
    )
    clients = pa.table({"customer_id": ["C1", "C2"], "balance": [1.0, -1.0]})
    matrix = feature_matrix(clients, ["balance"])
    for product in attributes:
        model = model_of(registry, product, Valuer("uplift", 7))
        assert model.columns == ("balance",)
        wanted = scorer.uplifts_of(matrix, [product])[product]
        assert model.values(clients).tolist() == wanted.tolist()
    for registered, product, version in (
        (registry, "card", 8),
        (registry, "loan", 7),
        (None, "card", 7),
    ):
        with pytest.raises(CannotTell, match=r"not registered any more|does not know loan"):
            model_of(registered, product, Valuer("uplift", version))


def two_sides(**now):
    before = side({"C1": decided()}, False, C1=row(2))
    return before, side({"C1": decided(**now)}, True, C1=row(3))


def asked(before, after):
    return list(questions(valued(changes(before, after)), before, after))


def test_only_what_a_response_may_have_caused_is_asked() -> None:
    assert asked(*two_sides()) == []
    assert asked(*two_sides(response=0.4, propensity=0.3)) == [], "another way, the same client"
    [one] = asked(*two_sides(response=0.4, model_version=2))
    assert one == Question(KEY, "credit_card", (OLD, NEW), (0.3, 0.4))
    [one] = asked(*two_sides(response=0.4))
    assert one.is_same_model
    in_care = side({"C1": decided("suppressed", "care.in_care", response=0.4)}, True)
    assert asked(side({"C1": decided()}, False), in_care) == []


@pytest.mark.parametrize(
    ("moved", "cause", "words"),
    [
        (Moved("propensity", 0.3, 0.4, 0.08), Cause.MODEL, "model 8.0, data 2.0 points"),
        (Moved("propensity", 0.3, 0.4, -0.02), Cause.DATA, "model −2.0, data 12.0 points"),
        (
            Moved("propensity", 0.3, 0.4, 0.01, ("balance_amount",)),
            Cause.DATA,
            "data 9.0 points, most by balance_amount",
        ),
        ("not told apart: gone", Cause.MODEL, "propensity 1 -> propensity 2; not told apart: gone"),
    ],
)
def test_an_answer_decides_between_model_and_data(moved, cause, words) -> None:
    before, after = two_sides(response=0.4, model_version=2)
    [change] = changes(before, replace(after, answers={KEY: moved}))
    assert change.cause == cause
    assert words in change.detail


def test_the_answer_about_the_offer_it_lost_to_counts_as_well() -> None:
    before = side({KEY: decided(), ("C1", FUND): decided("outranked")}, False)
    now = decided(response=0.4, model_version=2)
    after = side({KEY: decided("outranked"), ("C1", FUND): now}, True)
    assert [one.key for one in asked(before, after)] == [("C1", FUND)]
    moved = {("C1", FUND): Moved("propensity", 0.3, 0.4, 0.01)}
    entered, left = changes(before, replace(after, answers=moved))
    assert (entered.cause, left.cause) == (Cause.DATA, Cause.DATA)
    assert left.detail.startswith(f"{FUND}: propensity 30.0 % -> 40.0 %")


def test_a_package_names_its_models_and_tells_nothing_apart() -> None:
    config = load_config("local")
    of_package = {"response_basis": "least_component"}
    parts = (CARD, "travel_insurance_2026")

    def run(version: int, is_after: bool, **more):
        others = {("C1", name): decided("outranked", model_version=version) for name in parts}
        return side({("C1", PACKAGE): decided(**of_package, **more), **others}, is_after, config)

    before, after = run(1, False), run(2, True, response=0.2)
    after = replace(after, listed={("C1", PACKAGE): row(4)})
    assert asked(before, after) == []
    [change] = changes(before, after)
    assert change.cause == Cause.MODEL
    assert "least of several models" in change.detail
    [change] = changes(before, replace(run(1, True, response=0.2), listed=after.listed))
    assert (change.cause, change.detail) == (Cause.DATA, "least component 30.0 % -> 20.0 %")


@pytest.mark.parametrize(
    ("moved", "words"),
    [
        (Moved("propensity", 0.041, 0.029, -0.009), "4.1 % -> 2.9 %: model −0.9, data −0.3 points"),
        (Moved("propensity", 0.0411, 0.0408, 0.0), "4.11 % -> 4.08 %: model 0.00, data −0.03"),
        (Moved("uplift", -0.01, 0.02, 0.03), "uplift −1.0 % -> 2.0 %: model 3.0, data 0.0 points"),
    ],
)
def test_as_many_digits_as_it_takes(moved, words) -> None:
    assert words in in_words(moved)
