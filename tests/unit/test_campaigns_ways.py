"""Ways of an offer: which are open, what they are worth, and which one wins within every limit."""

from __future__ import annotations

import itertools
import random
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from pyspark.sql import SparkSession, functions as F

from campaigns.consent import answer_columns, leave_columns
from campaigns.dominated import dominated
from campaigns.lever_history import cooling_levers
from campaigns.limits_in_words import dearest_limits
from campaigns.optimiser import optimise
from campaigns.optimiser_problem import NO_GROUP, Level, Limit, Problem
from campaigns.ways import best_way, open_ways, tells_ways_apart, valued_ways, ways_of
from conf.load import load_config
from conf.schema import Quota, RunConfig
from conf.way_settings import ChannelSettings, Lever
from tests.unit.test_campaigns_choice import choice_of, chosen, offer, settings, way

AS_OF = date(2024, 3, 1)
CARD = "credit_card_2026"
BONUS = (
    "levers.bonus={name: Bonus, kind: bonus, offers: [credit_card_2026], cost: 20.0, limit: 20.0,"
    " cost_when: accepted, response_factor: 1.5, effect_source: a test}"
)


def configured(*more: str) -> RunConfig:
    return load_config("local", [BONUS, *more])


def lever(**changes: Any) -> Lever:
    values = {"name": {"any": "x"}, "kind": "bonus", "offers": ("a",), "cost": Decimal(5),
              "cost_when": "offered"}  # fmt: skip
    return Lever(**{**values, **changes})


def known(config: RunConfig, *more: str) -> list[tuple[tuple[str, ...], str | None]]:
    return [(one.channels, one.lever_code) for one in ways_of(CARD, config)]


def test_channels_that_nothing_tells_apart_are_one_way() -> None:
    both = ("branch", "phone")
    assert known(load_config("local")) == [(both, None)]
    assert known(configured()) == [(both, None), (both, "bonus")]
    alone = [(("branch",), None), (("branch",), "bonus"), (("phone",), None), (("phone",), "bonus")]
    for one in (
        "channels.phone.contact_cost=1.5",
        "channels.phone.response_factor=0.5",
        "channels.phone.preferred_factor=1.5",
        "channels.phone.max_contacts=9",
    ):
        assert known(configured(one)) == alone, one
    minutes = ["campaign.branch_minutes=90", "campaign.contact_minutes={branch: 9, phone: 1}"]
    assert known(configured(*minutes)) == alone
    on_the_phone = known(configured("levers.bonus.channels=[phone]"))
    assert on_the_phone == [(("branch",), None), (("phone",), None), (("phone",), "bonus")]


def test_ways_need_not_compete_where_no_limit_sees_them() -> None:
    unlimited = ["levers.first_year_fee.budget=null", "levers.market_evening.seats=null"]
    assert not tells_ways_apart(load_config("local", unlimited))
    for one in (
        "levers.first_year_fee.budget=5.0",
        "levers.market_evening.seats=5",
        "channels.email.max_contacts=5",
        "campaign.budget=5.0",
        "campaign.branch_minutes=5",
        "campaign.advisor_minutes=5",
    ):
        minutes = "campaign.contact_minutes={branch: 1, phone: 1, email: 1}"
        assert tells_ways_apart(load_config("local", [*unlimited, minutes, one])), one


def valued(
    spark: SparkSession, config: RunConfig, *, propensity: float | None = 0.1,
    uplift: float | None = None, facts: str = "'vip' fact_segment", offer_id: str = CARD,
) -> dict[tuple[str, str | None], Any]:  # fmt: skip
    """By channel and lever; the best way under ("best", None)."""
    purposes = ("marketing_internal", "profiling")
    leave = [f"{purpose}/{name}" for purpose in purposes for name in ("branch", "phone")]
    customer = spark.createDataFrame([("C1",)], "customer_id string").select(
        "customer_id",
        F.array(*map(F.lit, leave)).alias("granted"),
        F.lit("phone").alias("preferred_channel"),
        F.array(F.lit("cooled")).alias("cooling_levers"),
        F.lit(propensity).cast("double").alias("propensity"),
        F.coalesce(F.lit(uplift), F.lit(propensity)).cast("double").alias("response"),
        F.lit("propensity" if uplift is None else "uplift").alias("response_basis"),
        F.lit(config.products[config.offers[offer_id].product].expected_margin).alias("margin"),
        F.expr(facts),
    )
    law = config.jurisdiction.in_force
    channels = config.offers[offer_id].channels
    told = customer.select("*", *answer_columns(channels, law))
    asked = told.select("*", *leave_columns(channels, law))
    rows = asked.withColumn("ways", open_ways(offer_id, config)).withColumn(
        "ways", valued_ways(Decimal("0.01"))
    )
    [row] = rows.select("ways", best_way().alias("best")).collect()
    found = {(one.channel, one.lever_code): one for one in row.ways if one.channel}
    return {**found, ("best", None): row.best}


def test_a_lever_that_costs_only_whoever_accepts(spark: SparkSession) -> None:
    found = valued(spark, configured(), propensity=0.2)
    # 0.2 x 90 - 4, and with half as many again 0.3 x (90 - 20) - 4
    assert found["phone", None].expected_profit == Decimal("14.00")
    bonus = found["phone", "bonus"]
    assert (bonus.expected_profit, bonus.lever_limit) == (Decimal("17.00"), Decimal("20.00"))
    assert bonus.acceptance == bonus.response == pytest.approx(0.3)
    assert found["best", None].lever_code == "bonus"
    assert found["best", None].consent_basis == "marketing_internal/phone"


def test_a_lever_is_paid_to_those_who_would_have_bought_anyway(spark: SparkSession) -> None:
    found = valued(spark, configured(), propensity=0.2, uplift=0.05)
    # it brings 0.1 purchases more, and 0.3 accept
    bonus = found["phone", "bonus"]
    assert (bonus.response, bonus.acceptance) == (pytest.approx(0.15), pytest.approx(0.3))
    assert bonus.expected_profit == Decimal("3.50")
    assert found["phone", None].response == 0.05


def test_a_lever_that_costs_where_it_is_offered_and_one_too_dear(spark: SparkSession) -> None:
    offered = ["levers.bonus.cost_when=offered", "levers.bonus.cost=6.0"]
    found = valued(spark, configured(*offered), propensity=0.2)
    assert found["phone", "bonus"].expected_profit == Decimal("17.00")
    dear = valued(spark, configured("levers.bonus.cost=60.0"), propensity=0.2)
    assert dear["best", None].lever_code is None


def test_no_probability_is_above_one_or_unknown_ones_known(spark: SparkSession) -> None:
    sure = valued(spark, configured(), propensity=0.9)["phone", "bonus"]
    assert (sure.acceptance, sure.expected_profit) == (1.0, Decimal("66.00"))
    unknown = valued(spark, configured(), propensity=None)
    assert unknown["best", None].channel == "phone"
    assert {one.expected_profit for one in unknown.values()} == {None}
    assert {one.is_worth_it for one in unknown.values()} == {False}


def test_a_channel_may_cost_less_bring_less_and_please(spark: SparkSession) -> None:
    cheap = ["channels.branch.contact_cost=9.0", "channels.phone.response_factor=0.5"]
    found = valued(spark, load_config("local", cheap), propensity=0.2, uplift=0.1)
    assert found["branch", None].expected_profit == Decimal("0.00")
    # what a contact adds is halved, not what the client would have bought anyway
    assert found["phone", None].response == pytest.approx(0.05)
    assert found["phone", None].acceptance == pytest.approx(0.15)
    liked = [*cheap, "channels.phone.preferred_factor=2.0", "channels.branch.preferred_factor=9.0"]
    found = valued(spark, load_config("local", liked), propensity=0.2, uplift=0.1)
    assert found["phone", None].response == 0.1
    assert found["branch", None].response == 0.1


@pytest.mark.parametrize(
    ("change", "is_open"),
    [
        ("levers.bonus.minutes=3", True),
        ("levers.bonus.allow_when=\"segment = 'vip'\"", True),
        ("levers.bonus.allow_when=\"segment = 'mass'\"", False),
        ("levers.bonus.channels=[branch]", True),
    ],
)
def test_a_lever_is_for_whom_it_is_meant(spark: SparkSession, change: str, is_open: bool) -> None:
    found = valued(spark, configured(change))
    assert any(code == "bonus" for _, code in found) == is_open
    other = valued(spark, configured(change), offer_id="savings_account_2026")
    assert not any(code == "bonus" for _, code in other)


def test_a_lever_that_cools_off_is_closed(spark: SparkSession) -> None:
    text = BONUS.replace("levers.bonus=", "levers.cooled=").removesuffix("}")
    config = load_config("local", [f"{text}, once_in_days: 30}}"])
    assert ("phone", "cooled") not in valued(spark, config)


def test_a_lever_cools_off_from_the_as_of_date_of_the_list_it_was_on(spark: SparkSession) -> None:
    rows = [("C1", "x", date(2024, 2, 1)), ("C1", "y", date(2024, 2, 1)),
            ("C2", "x", date(2024, 1, 31)), ("C1", "gone", date(2024, 2, 29))]  # fmt: skip
    past = spark.createDataFrame(rows, "customer_id string, lever_code string, offered_on date")
    levers = {"x": lever(once_in_days=30), "y": lever(once_in_days=29)}
    found = cooling_levers(past, levers, AS_OF).collect()
    assert [(row.customer_id, row.cooling_levers) for row in found] == [("C1", ["x"])]


def limit(name: str, group: list[int], amount: list[int], most: int) -> Limit:
    labels = tuple(map(str, range(max(group, default=0) + 1)))
    rooms = np.full(len(labels), most)
    return Limit(name, "unit", labels, np.array(group), np.array(amount), rooms, 0 * rooms)


def drawn_ways(seed: int) -> tuple[Problem, np.ndarray[Any, Any]]:
    """Three customers, two offers, up to three ways each, with minutes, a budget and two levers."""
    chance = random.Random(seed)
    keys = [
        (who, what) for who in range(3) for what in range(2) for _ in range(chance.choice((1, 3)))
    ]
    count = len(keys)
    customer = np.array([who for who, _ in keys])
    candidate = np.array([2 * who + what for who, what in keys])
    levers = [chance.choice((NO_GROUP, 0, 1)) for _ in keys]
    problem = Problem(
        np.array([chance.randrange(-2, 12) for _ in keys]), customer, customer,
        (Level(candidate, np.ones(6, np.int64)), Level(customer, np.full(3, 1 + seed % 2))),
        (
            limit("minutes", [0] * count, [chance.choice((0, 5, 10)) for _ in keys], 20),
            limit("lever", levers, [chance.choice((1, 2)) for _ in keys], 2),
        ),
    )  # fmt: skip
    return problem, candidate


def best_by_trying(problem: Problem, candidate: np.ndarray[Any, Any]) -> int:
    """Every choice of one way or none for each candidate."""
    groups = [[None, *np.flatnonzero(candidate == one).tolist()] for one in np.unique(candidate)]
    best = 0
    for picked in itertools.product(*groups):
        options = np.array([one for one in picked if one is not None], np.int64)
        counts = np.bincount(problem.customer[options], minlength=3)
        keeps = all((one.used(options) <= one.most).all() for one in problem.limits)
        if keeps and (counts <= problem.levels[1].most).all():
            best = max(best, int(problem.value[options].sum()))
    return best


def test_without_dominated_ways_the_best_choice_is_as_good_and_has_one_way_per_offer() -> None:
    left_out = 0
    for seed in range(40):
        problem, candidate = drawn_ways(seed)
        loses = dominated(candidate, problem.value, problem.limits)
        kept = np.flatnonzero(~loses)
        assert set(candidate[kept]) == set(candidate), "each offer keeps a way"
        plan = optimise(problem.part(kept))
        assert plan.value == best_by_trying(problem, candidate), seed
        assert max(np.bincount(candidate[kept][plan.chosen]), default=0) <= 1
        left_out += int(loses.sum())
    assert left_out > 40


def test_of_ways_that_are_alike_the_first_stays() -> None:
    same = limit("minutes", [0] * 4, [5] * 4, 9)
    group, value = np.array([0, 0, 0, 1]), np.array([7, 7, 6, 1])
    assert dominated(group, value, [same]).tolist() == [False, True, True, False]
    cheaper = limit("minutes", [0] * 4, [5, 5, 4, 5], 9)
    assert dominated(group, value, [cheaper]).tolist() == [False, True, False, False]
    uses_lever = limit("lever", [0, NO_GROUP, NO_GROUP, 0], [1] * 4, 9)
    assert dominated(group, value, [uses_lever]).tolist() == [True, False, True, False]


def two_ways(customer: str, plain: str, with_lever: str, **changes: Any) -> dict[str, Any]:
    """An offer without a lever and with one."""
    other = way(1, with_lever, lever_code="x", **changes)
    return offer(customer, "a", ways=[way(0, plain), other])


ACCEPTED = {"lever_cost": Decimal("10.00"), "lever_cost_when": "accepted"}


def won(spark: SparkSession, *offers: dict[str, Any], **more: Any) -> dict[str, tuple[Any, ...]]:
    found = chosen(spark, more.pop("limits", settings()), *offers, **more)
    return {
        customer: (row.outcome, row.lever_code, row.expected_profit)
        for (customer, _), row in sorted(found.items())
    }


def test_a_levers_budget_goes_to_whom_it_moves_most(spark: SparkSession) -> None:
    offers = [
        two_ways("C1", "9.00", "11.00", **ACCEPTED),
        two_ways("C2", "1.00", "5.00", **ACCEPTED),
        two_ways("C3", "1.00", "4.00", **ACCEPTED),
    ]
    # each is accepted by half: 5.00 are expected to be spent
    levers = {"x": lever(budget=Decimal("10.00"))}
    assert won(spark, *offers, levers=levers) == {
        "C1": ("offered", None, Decimal("9.00")),
        "C2": ("offered", "x", Decimal("5.00")),
        "C3": ("offered", "x", Decimal("4.00")),
    }
    choice, _ = choice_of(spark, settings(), *offers, levers=levers)
    assert dearest_limits(choice.plan, choice.limits, 1) == [
        "1.00 more in the budget of lever x earns 0.40"
    ]
    short = {"x": lever(budget=Decimal("9.99"))}
    assert [code for _, code, _ in won(spark, *offers, levers=short).values()] == [None, "x", None]


def test_seats_minutes_channels_and_the_director_bind(spark: SparkSession) -> None:
    offers = [two_ways(f"C{n}", "3.00", f"{n + 3}.00", channel="phone") for n in (1, 2, 3)]
    for one in offers:
        one["advisor_id"] = "A1"
    talk = {"contact_minutes": {"branch": 10, "phone": 10}}
    cases: list[tuple[dict[str, Any], dict[str, Any], list[str | None]]] = [
        ({}, {"levers": {"x": lever()}}, ["x", "x", "x"]),
        ({}, {"levers": {"x": lever(kind="event", seats=1)}}, [None, None, "x"]),
        ({}, {"levers": {"x": lever()}, "channels": {"phone": ChannelSettings(max_contacts=2)}},
         [None, "x", "x"]),
        ({"branch_minutes": 55, **talk}, {"levers": {"x": lever(minutes=10)}}, [None, "x", "x"]),
        ({"advisor_minutes": 45, **talk}, {"levers": {"x": lever(minutes=10)}}, [None, None, "x"]),
        ({"advisor_minutes": 0, **talk}, {"levers": {"x": lever(made_by="branch_director")}},
         ["x", "x", "x"]),
    ]  # fmt: skip
    for limits, more, expected in cases:
        found = won(spark, *offers, limits=settings(**limits), **more)
        assert [code for _, code, _ in found.values()] == expected, (limits, more)
        assert {outcome for outcome, *_ in found.values()} == {"offered"}


def test_less_of_a_lever_never_earns_more(spark: SparkSession) -> None:
    chance = random.Random(3)
    offers = [
        two_ways(f"C{n:02d}", *(f"{chance.randrange(1, most)}.00" for most in (9, 15)), **ACCEPTED)
        for n in range(12)
    ]
    totals = []
    for budget in (60, 30, 15, 4, 0):
        levers = {"x": lever(budget=Decimal(budget))}
        choice, _ = choice_of(spark, settings(branch_capacity=8), *offers, levers=levers)
        totals.append(choice.plan.value)
    assert totals == sorted(totals, reverse=True)
    assert totals[0] > totals[-1] > 0


def test_chance_chooses_first_and_what_it_chooses_need_not_be_worth_it(
    spark: SparkSession,
) -> None:
    loss = {"failed_gates": ["value.not_profitable"], "failed_rules": ["r"]}
    drawn = {"exploration_hash": "5" * 64}
    offers = [
        offer("C1", "a", ways=[way(0, "-2.00", is_worth_it=False)], **loss, **drawn),
        offer("C2", "a", ways=[way(0, "-2.00", is_worth_it=False)], **loss),
        offer("C3", "a", "9.00"),
        offer("C4", "a", "8.00"),
        offer("C5", "a", ways=[way(0, "-2.00", is_worth_it=False)], is_drawn_for_control=True,
              **loss, exploration_hash="4" * 64),
        offer("C6", "a", ways=[way(0, "-2.00", is_worth_it=False, response=-0.1)], **loss, **drawn),
    ]  # fmt: skip
    limits = settings(branch_capacity=2, exploration_share=0.5)
    found = {name: row for (name, _), row in chosen(spark, limits, *offers).items()}
    assert {name: row.outcome for name, row in found.items()} == {
        "C1": "offered",
        "C2": "suppressed",
        "C3": "offered",
        "C4": "over_capacity",
        "C5": "control",
        "C6": "suppressed",
    }
    assert {name for name, row in found.items() if row.is_exploration} == {"C1", "C5"}
    assert {found[name].choice_probability for name in ("C1", "C5")} == {1.0}
    assert (found["C1"].failed_gates, found["C1"].failed_rules) == ([], [])
    assert (found["C1"].rank_in_branch, found["C3"].rank_in_branch) == (2, 1)
    without = chosen(spark, settings(branch_capacity=2), *offers)
    assert without["C1", "a"].outcome == "suppressed"


def test_what_chance_used_up_is_gone_for_all_others(spark: SparkSession) -> None:
    home = {"household_id": "H1", "household_contacts_left": 1}
    offers = [
        offer("C1", "a", "1.00", exploration_hash="0" * 64, **home),
        offer("C1", "b", "0.50", exploration_hash="0" * 64, **home),
        offer("C2", "a", "5.00", **home),
        offer("C3", "a", "4.00"),
        offer("C4", "a", "3.00"),
    ]
    limits = settings(exploration_share=0.2, max_offers=2, product_quotas={"product_a": Quota()})
    found = chosen(spark, limits, *offers)
    offered = {pair for pair, row in found.items() if row.outcome == "offered"}
    assert offered == {("C1", "a"), ("C3", "a")}
    assert found["C1", "a"].choice_probability == 0.5
