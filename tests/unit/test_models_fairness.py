"""Protected groups: facts, intervals, and a bound that chance seldom meets."""

from __future__ import annotations

import numpy as np
import pytest

from models.fairness import GroupFacts, Labels, group_facts, has_small_groups, unequal

CUSTOMERS = 4000
GENDERS: Labels = np.array(["f", "m"] * (CUSTOMERS // 2))
FAIR = np.linspace(0.01, 0.20, CUSTOMERS)


def drawn(chance: np.ndarray, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).random(CUSTOMERS) < chance


def facts(chance: np.ndarray, labels: Labels = GENDERS, seed: int = 1) -> dict[str, GroupFacts]:
    found = group_facts(FAIR, drawn(chance, seed), {"gender": labels}, min_customers=20)
    return {one.group: one for one in found}


def test_facts_of_a_group_are_those_counted_by_hand() -> None:
    propensity = np.array([0.9, 0.8, 0.3, 0.2, 0.2, 0.1, 0.1, 0.1, 0.1, 0.2])
    bought = np.array([1, 0, 1, 0, 0, 0, 0, 0, 0, 0], dtype=bool)
    labels = np.array(["f"] * 4 + ["m"] * 6)
    women, men = group_facts(propensity, bought, {"gender": labels}, min_customers=1)
    assert (women.attribute, women.group, women.customers) == ("gender", "f", 4)
    assert (women.selected.value, men.selected.value) == (0.25, 0.0)
    assert women.mean_propensity == pytest.approx(0.55)
    assert (women.rate.value, men.rate.value) == (0.5, 0.0)
    # 2 of 2 buyers are women, of whom 2.2 of 3.0 predicted purchases are
    assert women.ratio.value == pytest.approx(1.0 / (2.2 / 3.0))
    assert men.ratio.value == 0.0
    assert women.auc.value == 0.75
    assert not men.auc.is_known  # no buyer to rank


def test_a_group_that_buys_half_as_often_as_predicted_is_unequal() -> None:
    halved = np.where(GENDERS == "f", FAIR / 2, FAIR)
    found = facts(halved)
    assert found["f"].ratio.high < 0.8
    assert unequal(found["f"], 1.25)
    assert found["m"].ratio.value > 1.25 and unequal(found["m"], 1.25)
    assert not unequal(found["f"], 4.0)


def test_too_many_purchases_in_all_groups_alike_are_no_groups_doing() -> None:
    found = facts(2 * FAIR)
    assert found["f"].rate.value > 1.7 * found["f"].mean_propensity
    assert 0.9 < found["f"].ratio.value < 1.1
    assert not unequal(found["f"], 1.25)


def test_a_fair_model_is_hardly_ever_found_unequal_whatever_the_groups() -> None:
    seeds = range(200)
    labels = np.random.default_rng(0).choice(list("abcdefghij"), CUSTOMERS)
    rare = FAIR / 20  # 20 buyers
    drawn_facts = [facts(rare, labels, seed).values() for seed in seeds]
    wrong = sum(any(unequal(one, 1.0) for one in found) for found in drawn_facts)
    assert wrong <= 0.05 * len(seeds)  # of ten groups each
    one_by_one = sum(any(one.ratio.low > 1 for one in found) for found in drawn_facts)
    assert one_by_one > 0.15 * len(seeds)  # which is why they are judged together


def test_groups_below_the_minimum_are_left_out_and_said_to_be_there() -> None:
    labels = GENDERS.astype("<U7")
    labels[:19] = "unknown"
    assert set(facts(FAIR, labels)) == {"f", "m"}
    assert has_small_groups({"gender": labels}, 20)
    assert not has_small_groups({"gender": labels}, 19)


def test_without_customers_or_without_buyers_nothing_is_unequal() -> None:
    assert group_facts(np.empty(0), np.empty(0, dtype=bool), {"gender": np.array([])}, 1) == ()
    nobody = facts(np.zeros(CUSTOMERS))
    assert not nobody["f"].ratio.is_known
    assert not unequal(nobody["f"], 1.25)
