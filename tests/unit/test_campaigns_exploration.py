"""For whom chance chooses: how often, with which probability, and within which limits."""

from __future__ import annotations

import hashlib
from collections import Counter

import numpy as np
import pytest

from campaigns.exploration import Draw, Explored, explored, room_of
from campaigns.optimiser_problem import Ints, Level, Limit, Problem


def hash_of(customer: int, key: str = "") -> str:
    return hashlib.sha256(f"{key}|{customer}".encode()).hexdigest()


def problem_of(customer: list[int], most: int = 10**6, amount: list[int] | None = None) -> Problem:
    """One option per entry, one offer per customer, all households of one."""
    who, ones = np.array(customer, np.int64), np.ones(len(customer), np.int64)
    level = Level(who, np.ones(int(who.max(initial=-1)) + 1, np.int64))
    budget = Limit(
        "budget", "cent", ("all",), 0 * ones,
        ones if amount is None else np.array(amount, np.int64), np.array([most]), np.array([0]),
    )  # fmt: skip
    return Problem(ones, who, who, (level, level), (budget,))


def draw(
    problem: Problem,
    room: list[int],
    branch: list[int] | Ints | None = None,
    withheld: frozenset[int] = frozenset(),
    key: str = "",
) -> Explored:
    customer = problem.customer.tolist()
    of_branch = np.zeros(len(problem), np.int64) if branch is None else np.asarray(branch)
    return explored(
        problem,
        Draw(
            hashes=[hash_of(one, key) for one in customer],
            branch=of_branch,
            room=np.array(room, np.int64),
            is_withheld=np.array([one in withheld for one in customer], np.bool_),
        ),
    )


def test_of_a_clients_ways_each_is_chosen_as_often_as_its_probability_says() -> None:
    problem = problem_of([0, 0, 0, 0, 1])
    seen: Counter[int] = Counter()
    for number in range(2_000):
        found = draw(problem, [2], key=str(number))
        assert sorted(found.probability.tolist()) == [0.25, 1.0]
        seen.update(found.options.tolist())
    assert seen[4] == 2_000
    # four standard deviations of a binomial of 2,000 draws at 1/4
    assert all(abs(seen[option] - 500) < 78 for option in range(4))


def test_a_branch_gives_no_more_than_its_share_to_those_first_drawn() -> None:
    problem = problem_of(list(range(40)))
    branch = np.arange(40) % 2
    found = draw(problem, [3, 50], branch)
    took = [option for option in found.options.tolist() if branch[option] == 0]
    first = sorted(range(0, 40, 2), key=hash_of)[:3]
    assert sorted(took) == sorted(first)
    assert {found.probability[found.options.tolist().index(one)] for one in took} == {3 / 20}
    assert len(found.options) == 3 + 20


def test_the_withheld_use_nothing_and_are_chosen_for_like_those_before_the_last() -> None:
    withheld = frozenset(range(0, 40, 4))
    problem = problem_of(list(range(40)))
    found = draw(problem, [5], withheld=withheld)
    order = sorted(range(40), key=hash_of)
    made = [one for one in order if one not in withheld][:5]
    before_last = order[: order.index(made[-1]) + 1]
    assert found.options.tolist() == before_last
    assert set(found.probability.tolist()) == {5 / 30}
    assert [int(used.sum()) for used in found.used] == [5]


def test_what_does_not_fit_a_limit_is_not_tried() -> None:
    problem = problem_of(list(range(10)), most=7, amount=[3] * 10)
    found = draw(problem, [10])
    assert found.options.tolist() == sorted(range(10), key=hash_of)[:2]
    assert int(found.used[0][0]) == 6


def test_nobody_is_tried_who_is_not_drawn() -> None:
    problem = problem_of([0, 1])
    nobody = Draw([None, None], np.zeros(2, np.int64), np.array([9]), np.zeros(2, np.bool_))
    assert explored(problem, nobody).options.tolist() == []
    none = problem_of([])
    assert draw(none, []).options.tolist() == []


@pytest.mark.parametrize(
    ("share", "contacts", "room"), [(0.02, 60, 1), (0.02, 49, 0), (0.1, 30, 3), (1.0, 7, 7)]
)
def test_the_share_of_a_branch_is_rounded_down(share: float, contacts: int, room: int) -> None:
    assert room_of(share, np.array([contacts])).tolist() == [room]
