"""The chance that a lever costs more than its budget is the chance there is."""

from __future__ import annotations

import itertools
import math
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import binom

from campaigns.lever_costs import LeverCost, how_many, in_words, lever_costs
from conf.load import load_config

FEE = load_config("local").levers["first_year_fee"]  # 30.00 where it is accepted
TRIALS = 100_000


def offered(chances: Any, lever: str = "fee") -> pa.Table:
    others = {"lever_code": [None, "other"], "acceptance": [0.9, 0.9]}
    own = {"lever_code": [lever] * len(chances), "acceptance": list(map(float, chances))}
    return pa.table({name: [*others[name], *own[name]] for name in own})


def costs(chances: Any, budget: str = "600.00", **more: Any) -> LeverCost:
    lever = FEE.model_copy(update={"budget": Decimal(budget), **more})
    [found] = lever_costs(offered(chances), {"fee": lever})
    return found


@pytest.mark.parametrize(("count", "budget"), [(79, "600.00"), (79, "720.00"), (300, "2000.00")])
def test_simulated_campaigns_cost_more_than_the_budget_as_often_as_told(
    count: int, budget: str
) -> None:
    random = np.random.default_rng(20261101)
    chances = random.beta(2, 6, count)
    found = costs(chances, budget)
    spent = 30 * (random.random((TRIALS, count)) < chances).sum(axis=1)
    for chance, more in ((found.over, spent > float(budget)), (0.05, spent > found.enough)):
        error = 4 * math.sqrt(0.25 / TRIALS)
        assert float(more.mean()) < chance + error
    assert float((spent > float(budget)).mean()) > found.over - error
    assert float((spent > found.enough - 30).mean()) > 0.05 - error, "less would not do"
    assert found.expected == pytest.approx(spent.mean(), rel=0.01)


def test_every_number_has_the_chance_of_all_ways_to_come_to_it() -> None:
    chances = np.array([0.1, 0.5, 0.7, 0.0, 1.0])
    wanted = np.zeros(6)
    for came in itertools.product((0, 1), repeat=5):
        wanted[sum(came)] += math.prod(
            chance if one else 1 - chance for one, chance in zip(came, chances, strict=True)
        )
    assert how_many(chances) == pytest.approx(wanted, abs=1e-12)
    for count in (1, 2, 3, 1000):
        alike = how_many(np.full(count, 0.3))
        assert alike == pytest.approx(binom.pmf(np.arange(count + 1), count, 0.3), abs=1e-12)


def test_a_budget_that_is_met_exactly_is_kept() -> None:
    sure = costs([1.0] * 20)
    assert (sure.expected, sure.over, sure.enough) == (600.0, 0.0, 600.0)
    assert costs([1.0] * 21).over == 1.0
    assert costs([0.5] * 20).over == 0.0, "not even if all of them accept"
    assert costs([0.5] * 21).over == pytest.approx(0.5**21, abs=1e-6)


def test_what_is_offered_at_a_cost_is_no_matter_of_chance() -> None:
    found = costs([0.1] * 20, cost_when="offered")
    assert (found.expected, found.over) == (600.0, 0.0)
    assert costs([0.1] * 5, "0.00", cost=Decimal(0)).over == 0.0


def test_only_levers_with_a_budget_that_go_with_an_offer_are_told() -> None:
    free = FEE.model_copy(update={"budget": None})
    assert lever_costs(offered([0.5]), {"fee": free, "unused": FEE}) == []


@pytest.mark.parametrize(
    ("over", "enough", "words"),
    [
        (0.461, 720.0, "the chance is 46.1 % that it costs more; 720.00 would do 19 times out"),
        (0.03, 570.0, "the chance is 3.0 % that it costs more"),
        (0.0004, 570.0, "less than 0.1 % that it costs more"),
        (0.0, 570.0, "lever fee costs 597.12 as expected of its 600.00, and never more than that"),
    ],
)
def test_it_is_said_in_words(over: float, enough: float, words: str) -> None:
    assert words in in_words(LeverCost("fee", 79, 597.12, 600.0, over, enough))
