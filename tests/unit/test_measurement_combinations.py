"""Sets of products: exact counts, and nothing told that chance or wealth explains."""

from __future__ import annotations

from itertools import combinations, product
from math import log, sqrt

import numpy as np
import pytest
from scipy.stats import false_discovery_control, fisher_exact

from measurement.association import Table, adjusted, exact_p_value, lift, rate_ratio
from measurement.combinations import Bounds, HeldSets, combined, frequent_sets, rules

NAMES = tuple("abcdefgh")
WAYS = ("lift", "alike")
BOUNDS = Bounds(min_support=0.01, min_clients=50, max_size=3, max_false_share=0.05)


def held(holds, segment=None) -> HeldSets:
    """From one row per client."""
    holds = np.asarray(holds, dtype=np.int64)
    segment = np.zeros(len(holds), dtype=np.int64) if segment is None else segment
    rows, clients = np.unique(np.column_stack([segment, holds]), axis=0, return_counts=True)
    return HeldSets(NAMES[: holds.shape[1]], rows[:, 1:] == 1, clients, rows[:, 0])


def independent(seed: int, clients: int = 1_500, products: int = 6) -> HeldSets:
    draws = np.random.default_rng(seed)
    return held(draws.random((clients, products)) < draws.uniform(0.1, 0.7, products))


def table(clients, first, second, both) -> Table:
    return Table(*(np.array([value]) for value in (clients, first, second, both)))


@pytest.mark.parametrize("seed", range(5))
def test_sets_are_those_of_a_count_of_every_subset(seed: int) -> None:
    bank = independent(seed)
    every = {
        members: int(bank.clients[bank.holds[:, members].all(axis=1)].sum())
        for size in (1, 2, 3, 4)
        for members in combinations(range(6), size)
    }
    least = 60
    expected = {members: count for members, count in every.items() if count >= least}
    assert frequent_sets(bank, least, max_size=4) == expected
    assert {len(members) for members in expected} >= {1, 2, 3}


def test_a_share_of_clients_is_rounded_up_and_never_below_the_fewest_that_are_told() -> None:
    bounds = Bounds(min_support=0.07, min_clients=5, max_size=2, max_false_share=0.05)
    assert [bounds.least(total) for total in (10, 100, 101)] == [5, 7, 8]


def test_lift_is_clients_by_those_expected_with_the_interval_of_its_logarithm() -> None:
    found = lift(table(1_000, 300, 200, 90))
    variance = (1 / 0.09 - 1 / 0.3 - 1 / 0.2 + 2 * 1.5 - 1) / 1_000
    assert found.value == pytest.approx(1.5)
    assert log(found.high) - log(found.low) == pytest.approx(2 * 1.959964 * sqrt(variance))
    assert log(found.high * found.low) == pytest.approx(2 * log(1.5))


def test_19_of_20_intervals_hold_the_true_lift_within_strata_as_well() -> None:
    draws = np.random.default_rng(5)
    cells = np.array([[0.06, 0.14, 0.04, 0.76], [0.30, 0.20, 0.18, 0.32]])  # both, a, b, none
    sizes = np.array([600, 400])
    first, second, both = cells[:, :2].sum(1), cells[:, [0, 2]].sum(1), cells[:, 0]
    true = (sizes @ both) / (sizes @ (first * second))
    hits = 0
    for _ in range(1_000):
        drawn = np.array([draws.multinomial(n, p) for n, p in zip(sizes, cells, strict=True)])
        found = lift(
            Table(sizes, drawn[:, 0] + drawn[:, 1], drawn[:, 0] + drawn[:, 2], drawn[:, 0])
        )
        hits += found.low <= true <= found.high
    assert 930 <= hits <= 970


def test_the_exact_test_is_fishers() -> None:
    found = exact_p_value(table(100, 30, 20, 12))
    assert found == pytest.approx(fisher_exact([[12, 18], [8, 62]], "greater").pvalue)


def test_the_interval_of_a_rate_is_the_exact_one() -> None:
    # Garwood's table: 10 events, 4.795 to 18.390
    assert rate_ratio(10, 5.0) == pytest.approx((2.0, 4.795 / 5, 18.390 / 5), abs=1e-3)


def test_q_values_count_every_test_that_was_made() -> None:
    p_values = [0.04, 0.001, 0.2, 0.012]
    assert adjusted(p_values, 4) == pytest.approx(false_discovery_control(p_values))
    assert adjusted(p_values, 8) == pytest.approx(
        false_discovery_control([*p_values, 1, 1, 1, 1])[:4]
    )


def test_where_holdings_are_independent_hardly_a_bank_has_a_finding() -> None:
    banks = [combined(independent(seed), BOUNDS) for seed in range(40)]
    with_finding = sum(any(one.is_sure for one in found) for found in banks)
    assert sum(map(len, banks)) > 1_000
    # pairs and triples at 5 % each, so 4 banks at most; to pass two tests makes it fewer
    assert with_finding <= 4


def test_what_a_segment_explains_is_not_told() -> None:
    draws = np.random.default_rng(3)
    segment = np.arange(4_000) % 2
    bank = held(draws.random((4_000, 2)) < np.array([[0.1], [0.5]])[segment], segment)
    [found] = combined(bank, BOUNDS)
    assert found.lift.low > 1.2
    assert found.alike.low < 1 < found.alike.high
    assert not found.is_sure


def test_what_comes_of_holding_more_of_everything_is_halved_among_clients_alike() -> None:
    draws = np.random.default_rng(4)
    # who is well off holds each of many products more often, and none because of another
    wealth = draws.uniform(0.05, 0.6, (3_000, 1))
    found = combined(held(draws.random((3_000, 8)) < wealth), BOUNDS)
    pairs = [one for one in found if len(one.products) == 2]
    plain, alike = (np.mean([getattr(one, name).value for one in pairs]) for name in WAYS)
    assert plain > 1.2
    assert alike - 1 < (plain - 1) * 0.55
    assert max(one.alike.low for one in pairs) < 1.2  # that of a package


def test_a_planted_pair_is_told_and_a_product_that_only_stands_by_makes_no_triple() -> None:
    draws = np.random.default_rng(6)
    holds = draws.random((4_000, 4)) < 0.3
    holds[:, 1] |= holds[:, 0] & (draws.random(4_000) < 0.3)
    found = combined(held(holds), BOUNDS)
    assert [one.products for one in found if one.is_sure] == [("a", "b")]
    triple = next(one for one in found if one.products == ("a", "b", "c"))
    assert {triple.given, triple.then} == {("a", "b"), ("c",)}


def test_a_rule_tells_the_share_of_those_who_hold_what_is_given() -> None:
    rows = [pattern for pattern in product((0, 1), repeat=2) for _ in range(60)] + [(1, 1)] * 60
    bank = held(rows)
    told = {(one.given, one.then): one for one in rules(bank, combined(bank, BOUNDS))}
    one = told[("a",), "b"]
    assert (one.clients, one.confidence) == (120, pytest.approx(120 / 180))
    assert one.leverage == pytest.approx(120 / 300 - (180 / 300) ** 2)
    assert told[("b",), "a"].confidence == one.confidence


def test_sets_of_fewer_clients_than_may_be_told_are_not_there() -> None:
    rows = [(1, 1)] * 49 + [(1, 0)] * 500 + [(0, 1)] * 60 + [(0, 0)] * 500
    assert not combined(held(rows), BOUNDS)
    assert combined(held([(1, 1), *rows]), BOUNDS)


def test_sets_that_too_few_clients_hold_count_among_those_that_were_looked_at() -> None:
    rows = [(1, 1, 0)] * 60 + [(1, 0, 0), (0, 1, 0)] * 100 + [(0, 0, 1)] * 300 + [(0, 0, 0)] * 300
    bounds = Bounds(min_support=0.0, min_clients=50, max_size=2, max_false_share=0.05)
    [found] = combined(held(rows), bounds)
    # a, b and c make three pairs, of which one is told
    assert found.q_value == pytest.approx(3 * found.p_value)
