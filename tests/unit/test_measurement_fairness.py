"""Planted disparities are found, equal treatment is not accused, small cells stay hidden."""

from __future__ import annotations

from itertools import product
from math import inf, isnan

import numpy as np
import pytest

from conf.fairness_settings import FairnessRule
from conf.load import load_config
from measurement.fairness import (
    AGE_LIMITS,
    ALIKE,
    ALL,
    EVERYBODY,
    PAST,
    PAST_GATES,
    RATIO_FACTS,
    SELECTION,
    STOPPED,
    WITHIN,
    Decided,
    Scope,
    campaign_facts,
    event_facts,
    with_q_values,
)
from measurement.fairness_rule import judged
from measurement.group_rates import chance, difference, ratio, share
from measurement.small_cells import told_groups
from measurement.standardised import Strata, deciles_within

PROFILES = load_config("local").jurisdiction.profiles
EU, US = PROFILES["eu_strict"].fairness, PROFILES["us_opt_out"].fairness
OFFERS, LEAST = 3, 30


def bank(seed, clients=3000, women_at=1.0, rate=0.12):
    """Clients of two genders and bands; women are offered so many times as often as men alike."""
    random = np.random.default_rng(seed)
    gender = np.where(random.random(clients) < 0.5, "f", "m")
    band = np.array(["0–24", "25–64", "65 and over"])[random.integers(0, 3, clients)]
    client = np.repeat(np.arange(clients), OFFERS)
    offer = np.tile(np.arange(OFFERS), clients)
    propensity = random.beta(2, 20, len(client))
    too_old = (band[client] == "65 and over") & (offer == 0)
    no_consent = random.random(len(client)) < 0.3
    passes = ~too_old & ~no_consent
    wanted = rate * (propensity / propensity.mean()) * np.where(gender[client] == "f", women_at, 1)
    is_offered = passes & (random.random(len(client)) < np.minimum(wanted, 1))
    stopped = {AGE_LIMITS: too_old, "consent": no_consent}
    decided = Decided(clients, client, offer, is_offered, passes, stopped, propensity)
    return decided, {"gender": gender, "age_band": band}


def every(decided):
    return [Scope(ALL, ALL, np.ones(len(decided.client), dtype=bool))]


def measured(seed, **changed):
    decided, groups = bank(seed, **changed)
    return with_q_values(campaign_facts(decided, groups, every(decided), LEAST))


def find(facts, group, name):
    return next(fact for fact in facts if (fact.group, fact.name) == (group, name))


def test_a_planted_disparity_stops_in_europe_and_is_reported_in_the_united_states() -> None:
    facts = measured(1, clients=12_000, women_at=0.7)
    for name in RATIO_FACTS:
        fact = find(facts, "f", name)
        assert fact.is_sure(0.05)
        assert fact.ratio.low < 0.7 + 0.01 * (name == SELECTION) < fact.ratio.high
        assert find(facts, "m", name).ratio.value > 1
    stopping = [one.fact.key for one in judged(facts, EU) if one.stops]
    assert stopping == [("gender", "f", ALL, ALL, SELECTION)]
    assert judged(facts, US) == []


def test_below_the_bound_but_not_surely_stops_only_where_that_is_enough() -> None:
    facts = measured(2, clients=600, women_at=0.6)
    [women] = [one for one in judged(facts, EU) if one.fact.group == "f"]
    assert women.ratio.value < EU.min_ratio < women.ratio.high
    assert not women.stops
    unsure = EU.model_copy(update={"only_when_sure": False})
    assert [one.fact.group for one in judged(facts, unsure) if one.stops] == ["f"]


def test_equal_treatment_is_accused_as_seldom_as_said() -> None:
    told = stopped = 0
    for seed in range(200):
        facts = measured(seed, clients=500, rate=0.2)
        told += any(fact.is_sure(0.05) for fact in facts if fact.attribute == "gender")
        stopped += any(one.stops for one in judged(facts, EU))
    # One time in twenty at most, and what 200 draws leave to chance beyond that.
    assert told <= 16
    assert stopped <= 4


@pytest.mark.slow
def test_a_group_at_the_bound_stops_a_campaign_one_time_in_twenty_at_most() -> None:
    exactly = measured(0, clients=400_000, rate=0.2, women_at=0.78)
    assert find(exactly, "f", SELECTION).ratio.value == pytest.approx(EU.min_ratio, abs=0.01)
    stopped = 0
    for seed in range(400):
        facts = measured(seed, clients=800, rate=0.2, women_at=0.78)
        stopped += any(one.stops for one in judged(facts, EU))
    assert stopped <= 30


@pytest.mark.parametrize(("rate", "other"), [(0.05, 0.05), (0.1, 0.3), (0.4, 0.2)])
def test_intervals_hold_what_is_true_as_often_as_they_say(rate, other) -> None:
    random, held = np.random.default_rng(7), np.zeros(3)
    pairs = zip(random.binomial(300, rate, 2000), random.binomial(900, other, 2000), strict=True)
    for one, rest in pairs:
        shares = share(one, 300), share(rest, 900)
        truths = (rate, rate - other, rate / other)
        found = (shares[0], difference(*shares), ratio(*shares))
        held += [e.low <= truth <= e.high for e, truth in zip(found, truths, strict=True)]
    assert (held / 2000 >= 0.935).all()
    assert (held / 2000 <= 0.985).all()


def test_ratios_among_clients_alike_hold_what_is_true_though_a_client_gets_one_offer() -> None:
    random, held, draws = np.random.default_rng(8), 0, 300
    clients, need = 600, np.array([0.1, 0.25, 0.4])
    client, stratum = np.repeat(np.arange(clients), 3), np.tile(np.arange(3), clients)
    for _ in range(draws):
        is_in = random.random(clients) < 0.4
        chosen = random.random(clients)[:, None] < np.cumsum(need * 0.6)[None, :]
        first = chosen & ~np.roll(chosen, 1, axis=1)
        first[:, 0] = chosen[:, 0]
        kept = first & ((random.random(clients) < 0.75) | ~is_in)[:, None]
        estimate = Strata(client, stratum, kept.ravel(), clients).ratio(is_in).estimate()
        held += estimate.low <= 0.75 <= estimate.high
    assert 0.925 <= held / draws <= 0.985


def test_who_needs_it_more_is_offered_more_and_no_less_among_clients_alike() -> None:
    random = np.random.default_rng(3)
    clients = 8000
    is_young = random.random(clients) < 0.5
    propensity = np.where(is_young, 0.1, 0.3) * random.random(clients) + 0.01
    is_offered = random.random(clients) < propensity
    decided = Decided(
        clients, np.arange(clients), np.zeros(clients, dtype=np.int64), is_offered,
        np.ones(clients, dtype=bool), {AGE_LIMITS: np.zeros(clients, dtype=bool)}, propensity,
    )  # fmt: skip
    groups = {"age_band": np.where(is_young, "0–24", "25–64")}
    facts = with_q_values(campaign_facts(decided, groups, every(decided), LEAST))
    assert find(facts, "0–24", SELECTION).ratio.high < 0.5
    assert find(facts, "0–24", PAST).ratio.high < 0.5
    alike = find(facts, "0–24", ALIKE)
    assert alike.ratio.low < 1 < alike.ratio.high
    assert not any(one.stops for one in judged(facts, EU))


def test_age_limits_of_a_product_are_told_apart() -> None:
    """The old are offered half as much in all, because the one product that sells has a limit."""
    decided, groups = bank(4, clients=9000)
    random = np.random.default_rng(4)
    rate = np.array([0.4, 0.1, 0.1])[decided.offer]
    is_offered = decided.passes & (random.random(len(rate)) < rate)
    decided = Decided(**{**decided.__dict__, "is_offered": is_offered})
    facts = with_q_values(campaign_facts(decided, groups, every(decided), LEAST))
    assert find(facts, "65 and over", SELECTION).ratio.high < 0.8
    within = find(facts, "65 and over", WITHIN)
    assert within.ratio.low < 1 < within.ratio.high
    by_selection = FairnessRule(stop={"age_band": SELECTION})
    assert [o.fact.group for o in judged(facts, by_selection) if o.stops] == ["65 and over"]
    by_terms = FairnessRule(stop={"age_band": WITHIN})
    assert not any(one.stops for one in judged(facts, by_terms))


def test_a_group_of_whom_nobody_is_offered_anything_is_found() -> None:
    facts = measured(5, clients=4000, women_at=0.0)
    for name in RATIO_FACTS:
        fact = find(facts, "f", name)
        assert (fact.ratio.value, fact.ratio.low) == (0, 0)
        assert 0 < fact.ratio.high < 0.1
        assert fact.is_sure(0.05)
    assert [one.fact.group for one in judged(facts, EU) if one.stops] == ["f"]


def test_unknown_is_a_group_that_is_reported_and_not_judged() -> None:
    decided, groups = bank(6, clients=6000, women_at=0.3)
    groups["gender"] = np.where(groups["gender"] == "f", "unknown", "m")
    facts = with_q_values(campaign_facts(decided, groups, every(decided), LEAST))
    assert find(facts, "unknown", SELECTION).is_sure(0.05)
    assert not any(one.stops for one in judged(facts, EU))


def test_counts_shares_and_others_are_those_of_the_rows() -> None:
    decided, groups = bank(9, clients=500)
    facts = campaign_facts(decided, groups, every(decided), LEAST)
    women = groups["gender"] == "f"
    has = np.isin(np.arange(500), decided.client[decided.is_offered])
    fact = find(facts, "f", SELECTION)
    assert (fact.count, fact.of) == (int(has[women].sum()), int(women.sum()))
    assert fact.rest == has[~women].mean()
    # Without consent for any offer: the class alone stops the client.
    stopped = np.array([decided.stopped["consent"][decided.client == c].all() for c in range(500)])
    assert find(facts, "f", f"{STOPPED}consent").count == stopped[women].sum() or stopped.sum() < 60
    offers = find(facts, "f", "share_of_offers")
    of_women = women[decided.client] & decided.is_offered
    assert (offers.count, offers.of) == (of_women.sum(), decided.is_offered.sum())
    assert find(facts, EVERYBODY, SELECTION).count == has.sum()


def test_of_a_lever_those_count_who_are_offered_it_with_the_lever() -> None:
    decided, groups = bank(10, clients=4000)
    women = groups["gender"][decided.client] == "f"
    with_lever = decided.is_offered & ~women & (decided.offer == 1)
    scope = Scope("lever", "discount", decided.offer == 1, with_lever)
    facts = with_q_values(campaign_facts(decided, groups, [scope], LEAST))
    assert find(facts, "f", SELECTION).count == 0
    assert find(facts, "m", SELECTION).count == with_lever.sum()
    assert [one.fact.scope for one in judged(facts, EU) if one.stops] == ["discount"]


@pytest.mark.parametrize("least", [5, 30])
def test_hidden_counts_cannot_be_had_from_what_is_told(least) -> None:
    random = np.random.default_rng(11)
    for _ in range(400):
        counts = random.choice([0, 1, 3, 17, 29, 31, 40, 400], int(random.integers(1, 6)))
        told = told_groups(counts, least)
        assert not ((counts > 0) & (counts < least) & told).any()
        hidden = counts[~told]
        if not len(hidden):
            continue
        # A reader knows the total, and so what is hidden in all; small totals are not told.
        total = int(counts.sum())
        if not 0 < total < least:
            possible = _solutions(int(hidden.sum()), len(hidden))
            assert all(len(values) > 1 for values in possible)
            assert hidden.sum() >= least


def _solutions(total, groups):
    """By hidden group the values it may have, if hidden ones are whole and add up."""
    if groups == 1:
        return [{total}]
    return [set(range(total + 1)) for _ in range(groups)]


def test_no_figure_tells_a_small_cell_or_a_group_that_is_one() -> None:
    decided, groups = bank(12, clients=2000)
    groups["gender"] = groups["gender"].astype("<U8")
    groups["gender"][:7] = "x"  # a group of seven
    groups["gender"][7:90] = "unknown"
    in_care = np.isin(decided.client, [*range(12, 20), *range(200, 300)])  # eight are unknown
    decided = Decided(**{**decided.__dict__, "stopped": decided.stopped | {"care": in_care}})
    facts = campaign_facts(decided, groups, every(decided), LEAST)
    for fact in facts:
        if fact.group == "x":
            assert not fact.is_told
        if not fact.is_told:
            assert fact.count is None
            assert fact.of is None
            assert isnan(fact.value.value + fact.rest + fact.ratio.value + fact.p_value)
            assert isnan(fact.gap.value)
    # Seven are not told: the next smallest group, else their number would be the rest of the total.
    assert not find(facts, "unknown", SELECTION).is_told
    told = {f.group for f in facts if f.name == f"{STOPPED}care" and f.is_told}
    assert told <= {EVERYBODY, "f", "m", "0–24", "25–64", "65 and over"}
    sizes = {f.group: f.of for f in facts if f.name == SELECTION and f.attribute == "gender"}
    assert sizes[EVERYBODY] - sizes["f"] - sizes["m"] >= LEAST
    assert find(facts, "f", PAST_GATES).is_told


def test_a_small_number_in_care_is_not_told_nor_what_would_give_it_away() -> None:
    decided, groups = bank(14, clients=2000)
    groups["gender"] = groups["gender"].astype("<U8")
    groups["gender"][:83] = "unknown"
    in_care = np.isin(decided.client, [*range(8), *range(200, 400)])  # eight of them
    decided = Decided(**{**decided.__dict__, "stopped": decided.stopped | {"care": in_care}})
    facts = campaign_facts(decided, groups, every(decided), LEAST)
    assert find(facts, "unknown", SELECTION).is_told
    ours = {f.group: f for f in facts if f.name == f"{STOPPED}care" and f.attribute == "gender"}
    assert ours[EVERYBODY].count == 208
    told = [group for group in ("f", "m", "unknown") if ours[group].is_told]
    assert told in (["f"], ["m"])


@pytest.mark.parametrize("name", [SELECTION, PAST])
def test_what_is_hidden_for_the_sake_of_another_group_is_judged_all_the_same(name) -> None:
    decided, groups = bank(15, clients=4000, women_at=0.4)
    groups["gender"] = groups["gender"].astype("<U8")
    groups["gender"][np.flatnonzero(groups["gender"] == "m")[:20]] = "unknown"
    groups["gender"][np.flatnonzero(groups["gender"] == "f")[:200]] = "m"  # women are the fewer
    facts = campaign_facts(decided, groups, every(decided), LEAST)
    assert not find(facts, "f", name).is_told
    [women] = [one for one in judged(facts, FairnessRule(stop={"gender": name})) if one.stops]
    assert (women.fact.group, women.is_told) == ("f", False)
    nobody = [one for one in facts if one.group == "unknown" and one.name in RATIO_FACTS]
    assert all(one.hidden is None for one in nobody)


def test_small_numbers_of_what_came_of_offers_are_not_told() -> None:
    clients = 400
    complained = np.arange(clients) < 12
    groups = {"gender": np.where(np.arange(clients) % 2, "f", "m")}
    facts = event_facts({"complaint": complained}, groups, "earlier", LEAST)
    assert [fact.is_told for fact in facts] == [False] * 3
    none = event_facts({"complaint": complained & False}, groups, "earlier", LEAST)
    assert [fact.count for fact in none] == [0, 0, 0]


def test_ratio_and_difference_of_none_and_of_all() -> None:
    none, some, every_one = share(0, 50), share(10, 50), share(50, 50)
    assert ratio(none, some).value == 0
    assert 0 < ratio(none, some).high < 1
    assert isnan(ratio(some, none).value)
    assert ratio(every_one, some).low > 1
    assert difference(none, some).high < 0
    # Few events: the lower interval of the divisor reaches zero.
    assert ratio(share(3, 10), share(1, 10)).high in (inf, pytest.approx(30, rel=1))


def test_chance_is_fishers_exact_test() -> None:
    from scipy.stats import fisher_exact

    for one, rest in product((0, 3, 9), (1, 12, 30)):
        table = [[one, 20 - one], [rest, 40 - rest]]
        sides = [fisher_exact(table, side).pvalue for side in ("less", "greater")]
        assert chance(one, 20, rest, 40) == pytest.approx(min(1, 2 * min(sides)))


def test_equal_propensities_share_a_decile_and_unknown_ones_are_their_own() -> None:
    offer = np.zeros(40, dtype=np.int64)
    propensity = np.r_[np.full(30, 0.2), np.linspace(0.3, 0.4, 8), np.nan, np.nan]
    strata = deciles_within(offer, propensity, np.ones(40, dtype=bool))
    assert len(set(strata[:30])) == 1
    assert len({*strata[30:38].tolist()} - {int(strata[0])}) >= 2
    assert strata[38] == strata[39] == 10


def test_mantel_and_haenszel_agree_with_their_formula() -> None:
    random = np.random.default_rng(13)
    client = np.arange(900)
    stratum, is_in = random.integers(0, 4, 900), random.random(900) < 0.3
    is_offered = random.random(900) < 0.2 + 0.1 * stratum
    top = bottom = 0.0
    for one in range(4):
        rows = stratum == one
        a, b = (is_offered & is_in & rows).sum(), (is_offered & ~is_in & rows).sum()
        n, m = (is_in & rows).sum(), (~is_in & rows).sum()
        top, bottom = top + a * m / (n + m), bottom + b * n / (n + m)
    found = Strata(client, stratum, is_offered, 900).ratio(is_in)
    assert found.value == pytest.approx(top / bottom)
    assert (found.offers, found.rows) == ((is_offered & is_in).sum(), is_in.sum())
