"""The optimiser against HiGHS, against trying everything, and against the rules said plainly."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from campaigns.optimiser import Plan, optimise, optimise_parts, shadow_prices
from campaigns.optimiser_core import choose_core
from campaigns.optimiser_inner import answers, best_choice, fine_unit
from campaigns.optimiser_problem import NO_LIMIT, Level, Limit, Problem
from campaigns.optimiser_repair import repaired
from campaigns.optimiser_standing import Standing
from campaigns.parts import InProcess
from tests.optimiser_problems import (
    Case,
    best_by_highs,
    best_by_trying,
    make_case,
    problem_of,
)

SEARCHED = 25


def drawn(count: int, customers: int = 5) -> list[tuple[int, Case]]:
    cases = [(seed, make_case(seed, customers)) for seed in range(count + 20)]
    return [(seed, case) for seed, case in cases if case.rows][:count]


@pytest.mark.parametrize("seeds", [100, pytest.param(1000, marks=pytest.mark.slow)])
def test_a_small_choice_is_the_best_one_and_keeps_every_limit(seeds: int) -> None:
    unmet = 0
    for seed, case in drawn(seeds):
        plan = optimise(problem_of(case))
        lacking, best = best_by_highs(case)
        chosen = plan.chosen.tolist()
        assert not case.broken(chosen), seed
        assert (case.lacking(chosen), case.value(chosen)) == (lacking, best), seed
        assert plan.value == best == plan.bound, seed
        assert sum(one.lacking for one in plan.shortages) == lacking, seed
        unmet += lacking > 0
    assert seeds / 20 < unmet < 0.6 * seeds, "both kinds are common"


def test_prices_keep_every_limit_and_their_bound_is_one() -> None:
    reached = 0
    for seed, case in drawn(SEARCHED, customers=8):
        plan = optimise(problem_of(case), exact_below=0)
        lacking, best = best_by_highs(case)
        chosen = plan.chosen.tolist()
        assert not case.broken(chosen), seed
        assert plan.value == case.value(chosen), seed
        assert case.lacking(chosen) == lacking, seed
        assert plan.bound >= best >= plan.value, seed
        reached += plan.value == best
    assert reached > SEARCHED * 0.7, "the search and its repair find most of the best choices"


def test_at_given_prices_households_choose_the_best_of_all_their_choices() -> None:
    for seed in range(60):
        case = make_case(seed, 2, minima=False)
        case.rows, shared = case.rows[:9], ("once", "class", "customer", "household")
        case.most = {key: most for key, most in case.most.items() if key[0] in shared}
        problem = problem_of(case)
        chosen = best_choice(problem, problem.value, 1).tolist()
        assert not case.broken(chosen), seed
        assert case.value(chosen) == best_by_trying(case), seed


def test_sums_do_not_depend_on_the_number_of_shards() -> None:
    problem = large_problem()
    unit = fine_unit(len(problem), int(problem.value.max()))
    price = tuple(np.full(len(limit.most), 7 * unit) for limit in problem.limits)
    parts = {count: answers(InProcess(problem.shards(count)), price, unit) for count in (1, 2, 7)}
    for sums in parts.values():
        assert (sums.gain, sums.value) == (parts[1].gain, parts[1].value)
        for mine, theirs in zip(sums.used, parts[1].used, strict=True):
            assert mine.tolist() == theirs.tolist()
    one, many = chosen_of_large(), optimise(problem, shards=7)
    assert (one.bound, one.chosen.tolist()) == (many.bound, many.chosen.tolist())


def test_options_that_are_put_aside_change_nothing_but_the_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    problem, straight = large_problem(), chosen_of_large()
    monkeypatch.setattr("campaigns.optimiser_sift.SIFTED_ABOVE", 1)
    monkeypatch.setattr("campaigns.optimiser_sift.SAMPLE_OPTIONS", len(problem) // 4)
    sifted = {count: optimise_parts(InProcess(problem.shards(count))) for count in (1, 7)}
    for plan in sifted.values():
        assert (plan.bound, plan.chosen.tolist()) == (
            sifted[1].bound,
            sifted[1].chosen.tolist(),
        ), "in any number of parts"
    assert sifted[1].bound == pytest.approx(straight.bound, rel=1e-6)
    assert sifted[1].gap < 0.001
    standing = Standing(problem, sifted[1].chosen)
    assert standing.value == sifted[1].value
    assert not standing.shortage()
    keep = zip(problem.limits, standing.used, strict=True)
    assert all((used <= limit.most).all() for limit, used in keep)


def test_thousands_of_options_come_within_a_tenth_of_a_per_cent() -> None:
    plan = chosen_of_large()
    assert 0 < plan.gap < 0.001
    assert not plan.shortages


def test_repair_meets_minima_and_swaps_within_households_whatever_the_prices() -> None:
    met = 0
    for seed, case in drawn(60):
        problem = problem_of(case)
        chosen = repaired(problem, problem.value).options.tolist()
        assert not case.broken(chosen), seed
        met += case.lacking(chosen) == best_by_highs(case)[0]
    assert met >= 58, "without a price on minima either"
    problem = branch_problem([500, 400, 300], most=1)
    misled = repaired(problem, np.array([1, 2, 3]))
    assert misled.options.tolist() == [0]
    one = np.zeros(2, np.int64)
    alone = Problem(np.array([500, 400]), one, one, (Level(one, np.ones(1, np.int64)),), ())
    assert repaired(alone, np.array([1, 2])).options.tolist() == [0]


@pytest.mark.parametrize("few", [3, 100])
def test_what_is_in_doubt_is_chosen_within_what_the_others_leave(
    few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("campaigns.optimiser_core.FEWEST", few)
    gains = best = 0
    for seed, case in drawn(60):
        problem = problem_of(case)
        standing = Standing(problem, np.zeros(0, np.int64))
        for option in range(len(problem)):
            if standing.fits(np.array([option]))[0]:
                standing.add(option)
        before, lacked = standing.value, standing.shortage()
        choose_core(standing, problem.value)
        chosen = standing.options.tolist()
        assert not case.broken(chosen), seed
        assert standing.value >= before, seed
        assert standing.shortage() <= lacked, seed
        gains += standing.value > before
        best += (case.lacking(chosen), standing.value) == best_by_highs(case)
    assert gains > 0
    assert few < 100 or best > 30, "with all in doubt only the minima of the start stand in the way"


def test_room_for_more_never_lowers_the_total() -> None:
    for seed, case in drawn(10):
        wider = replace(case, most={key: most + 1 for key, most in case.most.items()}, least={})
        tight, wide = (optimise(problem_of(one)) for one in (replace(case, least={}), wider))
        assert wide.value >= tight.value, seed


def test_a_shadow_price_is_what_one_more_earns() -> None:
    problem = branch_problem([900, 700, 500, 300], most=2)
    plan = optimise(problem)
    (price,) = shadow_prices(plan, problem.limits)
    assert (price.limit, price.label, price.cents) == ("branch", "B1", 500)
    assert optimise(branch_problem([900, 700, 500, 300], most=3)).value == plan.value + 500


def test_a_minimum_takes_a_loss_and_its_price_says_so() -> None:
    problem = branch_problem([900, -200, -300], most=9, least=2)
    plan = optimise(problem)
    assert plan.value == 700
    (price,) = shadow_prices(plan, problem.limits)
    assert price.is_of_minimum
    assert 200 <= price.cents <= 300
    assert optimise(branch_problem([900, -200, -300], most=9)).value == 900


@pytest.mark.parametrize("exact_below", [0, 2_000])
def test_minima_that_cannot_be_met_are_named_with_what_they_clash_with(exact_below: int) -> None:
    first = branch_problem([900, 700, 500], most=2)
    wanted = limit_of([0, 0, 0], [1, 1, 1], NO_LIMIT, least=3, name="product")
    plan = optimise(replace(first, limits=(*first.limits, wanted)), exact_below)
    (short,) = plan.shortages
    assert (short.limit, short.least, short.lacking) == ("product", 3, 1)
    assert plan.clash is not None
    assert (plan.clash.lacking, plan.clash.limits) == (1, ((0, 0), (1, 0)))
    assert not plan.clash.needs_caps
    assert plan.value == 1600


@pytest.mark.parametrize("exact_below", [0, 2_000])
def test_nothing_to_choose_from_and_no_room_at_all(exact_below: int) -> None:
    none = branch_problem([], most=2)
    assert summary(optimise(none, exact_below)) == (0, 0, 0)
    full = branch_problem([900, 700], most=0)
    assert summary(optimise(full, exact_below)) == (0, 0, 0)


def summary(plan: Plan) -> tuple[int, int, float]:
    return len(plan.chosen), plan.value, plan.gap


def limit_of(
    group: list[int], amount: list[int], most: int, least: int = 0, name: str = "branch"
) -> Limit:
    one = np.array
    return Limit(
        name, "contact", ("B1",), one(group, np.int64), one(amount, np.int64), one([most]),
        one([least]),
    )  # fmt: skip


def branch_problem(values: list[int], most: int, least: int = 0) -> Problem:
    """One customer per value, all in one branch."""
    people = np.arange(len(values))
    level = Level(people, np.ones(len(values), np.int64))
    limit = limit_of([0] * len(values), [1] * len(values), most, least)
    return Problem(np.array(values, np.int64), people, people, (level,), (limit,))


@cache
def chosen_of_large() -> Plan:
    """In one part, without putting anything aside."""
    return optimise(large_problem())


def large_problem(customers: int = 2_000, offers: int = 6) -> Problem:
    """Thousands of options in 20 branches, with quotas and a minimum."""
    random = np.random.default_rng(5)
    count = customers * offers
    customer = np.repeat(np.arange(customers), offers)
    offer = np.tile(np.arange(offers), customers)
    home = customer // 3
    ones = np.ones(count, np.int64)
    quotas, minima = np.full(offers, 150), np.zeros(offers, np.int64)
    minima[2] = 100
    cost = random.integers(100, 300, offers)[offer]
    labels = tuple(map(str, range(20)))
    return Problem(
        random.integers(1, 100_000, count) // (1 + offer),
        customer,
        home,
        (Level(customer, np.full(customers, 2)), Level(home, np.full(customers, 3))),
        (
            Limit(
                "branch", "contact", labels, customer * 7 % 20, ones, np.full(20, 30), 0 * ones[:20]
            ),
            Limit("product", "offer", labels[:offers], offer, ones, quotas, minima),
            Limit("budget", "cent", ("all",), 0 * ones, cost, np.array([100_000]), np.array([0])),
        ),
    )
