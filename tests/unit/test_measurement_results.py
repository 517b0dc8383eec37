"""What campaigns caused: intervals that hold, parts that add up, and what is only stated."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from measurement.effect import Moments, compare
from measurement.effect_tables import randomisation, withheld
from measurement.group_rates import difference, share
from measurement.results import campaign_results
from tables.derived import CAMPAIGN_RESULTS
from tests.offers_drawn import SETTINGS, campaign, clients, drawn, offers, sold

Row = dict[str, object]
CUTS = ("product",)  # all of them are taken where rows are held against the table


def found(
    table: pa.Table, cut: str = "all", value: str = "all", measure: str = "profit", run: str = "run"
) -> Row:
    """One row of the results."""
    wanted = {"cut": cut, "value": value, "measure": measure, "campaign": run}
    rows = [
        row for row in table.to_pylist() if all(row[name] == one for name, one in wanted.items())
    ]
    assert len(rows) == 1, f"{len(rows)} rows of {wanted}"
    return rows[0]


def half(several: int) -> np.ndarray:
    """Every tenth client is withheld."""
    return np.arange(several) % 10 > 0


def arm(values: np.ndarray, costs: np.ndarray | int = 0, before: np.ndarray | int = 0) -> Moments:
    """One part and stratum."""
    costs, before = (np.broadcast_to(one, values.shape) for one in (costs, before))
    figures = (
        *(values, values * values, costs, costs * costs),
        *(before, before * before, before * values),
    )
    return Moments(*(np.array([[int(one)]]) for one in (len(values), *map(np.sum, figures))))


def test_rows_are_those_of_the_table() -> None:
    columns = [name for name in CAMPAIGN_RESULTS.column_names if name not in {"as_of", "run_id"}]
    results = campaign_results(drawn(1), [campaign()], None, SETTINGS)
    assert results.column_names == columns
    keys = list(zip(*(results[name].to_pylist() for name in CAMPAIGN_RESULTS.key[1:]), strict=True))
    assert keys == sorted(set(keys))


def test_a_share_has_newcombes_interval() -> None:
    # Newcombe 1998, table II (a): 56/70 less 48/80, method 10: 0.0524 to 0.3339.
    told = compare(arm(np.arange(70) < 56), arm(np.arange(80) < 48), least_reduction=1.0)
    assert (round(told.low[0], 4), round(told.high[0], 4)) == (0.0524, 0.3339)
    same = difference(share(56, 70), share(48, 80))
    assert told.low[0] == pytest.approx(same.low) and told.high[0] == pytest.approx(same.high)


def test_profit_of_one_margin_is_that_many_times_the_share_less_costs() -> None:
    treated, control = np.arange(600) < 40, np.arange(60) < 2
    shares = compare(arm(treated), arm(control), 1.0)
    profit = compare(arm(treated * 1_800, 8), arm(control * 1_800), 1.0)
    assert profit.effect[0] == pytest.approx(1_800 * shares.effect[0] - 8)
    assert profit.low[0] == pytest.approx(1_800 * shares.low[0] - 8)
    assert profit.high[0] == pytest.approx(1_800 * shares.high[0] - 8)


def test_a_p_value_never_contradicts_its_interval() -> None:
    for buyers in range(20, 90, 5):
        told = compare(arm(np.arange(600) < buyers), arm(np.arange(60) < 3), 1.0)
        assert (told.p_value[0] < 0.05) == (told.low[0] > 0 or told.high[0] < 0)


@pytest.mark.parametrize("several", [300, 3_000, 30_000])
@pytest.mark.parametrize("uplift", [0.0, 0.01])
def test_intervals_hold_where_one_sale_of_many_is_large(several: int, uplift: float) -> None:
    """Where those of Welch hold in 80 %. One that is a fifth too short would be noticed."""
    random, draws = np.random.default_rng(several), 8_000
    mix, base = np.array([0.3, 0.5, 0.2]), np.array([0.04, 0.12, 0.3])
    margin = np.array([180_000, 27_000, 9_000])

    def lumps(size: int, chance: np.ndarray) -> Moments:
        bought = random.binomial(random.multinomial(size, mix, size=draws), chance)
        sums = [(bought * margin**power).sum(axis=1, keepdims=True) for power in (1, 2)]
        nothing = np.zeros((draws, 1), dtype=np.int64)
        return Moments(np.full((draws, 1), size), *sums, *[nothing] * 5)

    told = compare(lumps(several * 9 // 10, base + uplift), lumps(several // 10, base), 1.0)
    truth = uplift * float(mix @ margin)
    is_above = truth > told.effect
    reach = np.where(is_above, told.high - told.effect, told.effect - told.low)
    assert 0.94 <= (np.abs(truth - told.effect) <= reach).mean() <= 0.97
    assert (np.abs(truth - told.effect) <= 0.8 * reach).mean() < 0.935
    if not uplift:
        assert (told.p_value < 0.05).mean() <= 0.056


def test_what_was_known_before_takes_away_what_chance_put_into_one_arm() -> None:
    random = np.random.default_rng(5)
    plain, adjusted = [], []
    for _ in range(150):
        before = random.integers(0, 100, 1_000)
        is_treated = half(1_000)
        is_bought = random.random(1_000) < before / 120
        arms = [arm(is_bought[who], before=before[who]) for who in (is_treated, ~is_treated)]
        plain.append(compare(*arms, 1.0))
        adjusted.append(compare(*arms, 0.05))
    spread = [np.std([one.effect[0] for one in several]) for several in (plain, adjusted)]
    reach = [
        np.mean([one.high[0] - one.low[0] for one in several]) for several in (plain, adjusted)
    ]
    assert spread[1] < 0.9 * spread[0]
    assert reach[1] / reach[0] == pytest.approx(spread[1] / spread[0], abs=0.08)
    holds = [one.low[0] <= 0 <= one.high[0] for one in adjusted]
    assert np.mean(holds) > 0.92
    assert all(one.reduction[0] == 0 for one in plain)


def test_campaigns_with_other_shares_of_control_are_never_thrown_together() -> None:
    """Half of the poor one and a tenth of the rich one are withheld; nothing was caused."""
    rich, poor = half(2_000), np.arange(2_000) % 2 > 0
    is_treated = np.concatenate([rich, poor])
    is_bought = np.concatenate([np.arange(2_000) % 100 < 50, np.arange(2_000) % 20 < 2])
    table = offers(
        4_000,
        campaign=["rich"] * 2_000 + ["poor"] * 2_000,
        **sold(is_treated, is_bought),
    )
    both = [campaign("rich"), campaign("poor", control_share=0.5)]
    told = found(campaign_results(table, both, None, SETTINGS, CUTS), measure="response", run="all")
    assert told["effect"] == pytest.approx(0.0, abs=1e-12)
    assert (told["treated"], told["control"]) == (2_800, 1_200)


def test_parts_add_up_and_rows_in_any_order_tell_the_same() -> None:
    table = drawn(3, uplift=0.05)
    results = campaign_results(table, [campaign()], None, SETTINGS, CUTS)
    mixed = table.take(np.random.default_rng(1).permutation(len(table)))
    assert campaign_results(mixed, [campaign()], None, SETTINGS, CUTS).equals(results)
    names = ("card", "fund", "mortgage")
    parts = [found(results, "product", name, "cost") for name in names]
    whole = found(results, measure="cost")
    for column in ("treated", "control", "total"):
        assert sum(part[column] for part in parts) == pytest.approx(whole[column])  # type: ignore[misc]


def test_a_client_with_two_offers_is_one_client() -> None:
    """What was bought of one product is another product's for the other offer alone."""
    is_treated = np.repeat(half(400), 2)
    is_bought = np.tile([True, False], 400)
    table = offers(
        800,
        **sold(is_treated, is_bought),
        customer_id=np.repeat([f"C{at}" for at in range(400)], 2),
        product_id=np.tile(["card", "loan"], 400),
        other_revenue=np.tile([0, 9_000], 400),
    )
    results = campaign_results(table, [campaign()], None, SETTINGS, CUTS)
    whole = found(results, measure="response")
    assert (whole["treated"], whole["control"], whole["treated_mean"]) == (360, 40, 1.0)
    assert found(results, measure="revenue")["treated_mean"] == 90.0
    assert found(results, measure="cost")["treated_mean"] == 16.0
    assert found(results, measure="other_profit")["state"] == "no_outcome"
    loan = found(results, "product", "loan", "other_profit")
    assert (loan["treated_mean"], loan["state"]) == (90.0, "measured")


def test_total_is_everything_that_moved() -> None:
    random = np.random.default_rng(4)
    is_treated, is_bought = half(1_000), random.random(1_000) < 0.2
    table = offers(
        1_000,
        **sold(is_treated, is_bought),
        other_revenue=np.where(random.random(1_000) < 0.1, 5_000, 0),
        later_revenue=np.where(random.random(1_000) < 0.1, 9_000, 0),
    )
    results = campaign_results(table, [campaign()], None, SETTINGS, CUTS)
    parts = ("profit", "other_profit", "later_profit")
    together = sum(found(results, measure=name)["treated_mean"] for name in parts)  # type: ignore[misc]
    assert found(results, measure="total_profit")["treated_mean"] == pytest.approx(together)


def state_of(table: pa.Table, **changes: object) -> object:
    """The state of profit of a campaign alone, and that nothing is computed in that case."""
    results = campaign_results(table, [campaign(**changes)], None, SETTINGS, CUTS)
    for run in ("run", "all"):
        for cut, value in (("all", "all"), ("product", "card")):
            row = found(results, cut, value, run=run)
            assert row["state"] == "measured" or row["effect"] is None
            assert row["state"] == "measured" or row["note"]
    return found(results)["state"]


def test_what_cannot_be_computed_is_stated() -> None:
    is_treated = half(1_000)
    is_bought = np.arange(1_000) % 7 == 0
    usual = offers(1_000, **sold(is_treated, is_bought))
    assert state_of(usual) == "measured"
    everybody = offers(1_000, **sold(is_treated | True, is_bought))
    assert state_of(everybody) == "no_control"
    assert state_of(usual, control_share=0.0) == "no_control"
    assert state_of(usual, is_matured=False) == "not_matured"
    assert state_of(usual, has_deliveries=False) == "no_outcome"
    assert state_of(offers(1_000, **sold(is_treated, is_bought & False))) == "no_outcome"
    assert state_of(usual, control_share=0.3) == "not_randomised"
    assert state_of(usual.slice(0, 3), control_share=0.3) == "too_few"


def test_no_campaign_and_one_that_offered_nothing_have_no_effect() -> None:
    nothing = drawn(1).slice(0, 0)
    assert campaign_results(nothing, [], None, SETTINGS, CUTS).num_rows == 0
    row = found(campaign_results(nothing, [campaign()], None, SETTINGS, CUTS))
    assert (row["state"], row["treated"], row["effect"]) == ("no_control", 0, None)


def test_purchases_before_the_contact_are_not_its_effect() -> None:
    is_treated, is_bought = half(1_000), np.arange(1_000) % 7 == 0
    columns = sold(is_treated, is_bought)
    late = np.where(is_treated, np.datetime64("2026-11-05"), np.datetime64("NaT"))
    assert state_of(offers(1_000, **{**columns, "contacted_on": late})) == "before_contact"


def test_a_control_that_chance_did_not_draw_is_noticed_by_who_is_in_it() -> None:
    is_treated, is_bought = half(4_000), np.arange(4_000) % 7 == 0
    propensity = np.where(is_treated, 0.1, 0.05) + np.arange(4_000) % 11 / 100
    table = offers(4_000, **sold(is_treated, is_bought), propensity=propensity)
    assert state_of(table) == "not_randomised"
    draw = randomisation(table, [campaign()]).to_pylist()[0]
    assert (draw["share_found"], draw["is_by_chance"]) == (0.1, False)


def test_later_purchases_wait_for_the_months_after() -> None:
    table = drawn(2)
    at = table.column_names.index("later_revenue")
    unknown = table.set_column(at, table.schema.field(at), pa.nulls(len(table), pa.int64()))
    results = campaign_results(unknown, [campaign()], None, SETTINGS, CUTS)
    states = {name: found(results, measure=name)["state"] for name in ("profit", "later_profit")}
    assert states == {"profit": "measured", "later_profit": "not_matured"}
    assert found(results, measure="total_profit")["state"] == "not_matured"


def test_campaigns_that_cannot_be_compared_are_left_out_of_all_together() -> None:
    one, other = drawn(1, uplift=0.05), drawn(2)
    at = other.column_names.index("campaign")
    names = pa.array(["young"] * len(other)).dictionary_encode().cast(other.schema.field(at).type)
    both = pa.concat_tables([one, other.set_column(at, other.schema.field(at), names)])
    known = [campaign(), campaign("young", as_of=date(2026, 11, 1), is_matured=False)]
    results = campaign_results(both, known, None, SETTINGS, CUTS)
    alone, together = found(results), found(results, run="all")
    assert together["total"] == alone["total"]
    assert together["note"] == "1 of 2 campaigns can be compared"


def test_an_offer_of_another_campaign_is_refused() -> None:
    with pytest.raises(ValueError, match="1 campaigns not measured"):
        campaign_results(drawn(1), [campaign("another")], None, SETTINGS, CUTS)


def test_q_values_are_told_beside_the_parts_of_a_cut() -> None:
    """One branch of many responds by chance: p < 0.05 is no news among so many."""
    results = campaign_results(drawn(8, several=6_000), [campaign()], None, SETTINGS, ["branch"])
    rows = [
        row
        for row in results.to_pylist()
        if (row["campaign"], row["cut"], row["measure"]) == ("run", "branch", "response")
    ]
    assert len(rows) == 5
    assert all(row["q_value"] >= row["p_value"] for row in rows)
    assert max(row["q_value"] for row in rows) == max(row["p_value"] for row in rows)
    assert rows[0]["note"] == "one of 5 looked at: of those told as sure about 5 % are chance"


def test_the_holdout_shows_what_all_campaigns_caused_and_what_it_cost() -> None:
    random = np.random.default_rng(7)
    is_holdout = random.random(20_000) < 0.05
    bought = random.random(20_000) < np.where(is_holdout, 0.05, 0.09)
    bank = clients(is_holdout, np.where(bought, 20_000, 0), cost=np.where(is_holdout, 0, 300))
    results = campaign_results(drawn(1), [campaign()], bank, SETTINGS, CUTS)
    row = next(
        row
        for row in results.to_pylist()
        if (row["against"], row["cut"], row["measure"]) == ("global_holdout", "all", "profit")
    )
    assert row["state"] == "measured" and row["is_sure"]
    assert row["effect_low"] < 0.04 * 200 - 3 < row["effect_high"]
    cost = next(one for one in withheld(results).to_pylist() if one["against"] == row["against"])
    assert cost["forgone"] == pytest.approx(row["effect"] * is_holdout.sum())
