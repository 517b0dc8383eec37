"""Laws of the choice among offers: more of anything never makes a campaign worth less."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from campaigns.choice import NARROW, Choice, choose
from campaigns.competition import Terms
from campaigns.limits_in_words import shortages
from campaigns.optimiser import optimise
from conf.load import load_config
from conf.schema import CampaignSettings, Quota
from jobs.campaigns.figures import choice_figures
from tests.optimiser_problems import Case, make_case, problem_of

SEEDS = range(4)
KINDS = (
    "class", "customer", "household", "branch", "advisor", "minutes", "product", "partner",
    "budget", "size",
)  # fmt: skip
CONFIG = load_config("local", ())
WHOLE_NUMBERS = ("class_contacts_left", "contacts_left_30d", "household_contacts_left",
                 "profit_cents", "cost_cents", "lever_cents", "way")  # fmt: skip


def cases(seeds: Iterable[int] = SEEDS, customers: int = 5) -> Iterator[Case]:
    """Cases without minima: to meet one may cost more than it earns."""
    for seed in seeds:
        case = make_case(seed, customers, minima=False)
        if case.rows:
            yield case


def halved(case: Case, kind: str) -> Case:
    """The case with half of what its best choice uses up of a kind of limit."""
    used = case.total(optimise(problem_of(case)).chosen.tolist())
    return replace(case, most=case.most | {k: n // 2 for k, n in used.items() if k[0] == kind})


def widened(case: Case, kind: str) -> Case:
    """The case with room for one more option in every limit of a kind."""
    room = {"minutes": 25, "budget": 50}.get(kind, 1)
    return replace(
        case, most={key: most + room * (key[0] == kind) for key, most in case.most.items()}
    )


@pytest.mark.parametrize("kind", KINDS)
def test_more_of_a_limit_never_lowers_the_total_of_an_exact_choice(kind: str) -> None:
    gains = 0
    for case in cases():
        tight, wide = halved(case, kind), widened(halved(case, kind), kind)
        before, after = (optimise(problem_of(one)) for one in (tight, wide))
        assert (before.gap, after.gap) == (0, 0)
        assert after.value >= before.value
        gains += after.value > before.value
    assert gains > 0


@pytest.mark.parametrize("kind", KINDS)
def test_with_prices_the_total_falls_by_no_more_than_the_gap(kind: str) -> None:
    case = make_case(1, 12, minima=False)
    tight, wide = halved(case, kind), widened(halved(case, kind), kind)
    before, after = (optimise(problem_of(one), exact_below=0) for one in (tight, wide))
    assert after.bound >= before.value
    assert after.value >= before.value - (after.bound - after.value)


def test_more_consent_is_more_options_and_never_lowers_the_total() -> None:
    gains = 0
    for seed, case in enumerate(cases(range(12))):
        chance = random.Random(seed)
        fewer = replace(case, rows=[row for row in case.rows if chance.random() < 0.7])
        with_fewer, with_all = (optimise(problem_of(one)).value for one in (fewer, case))
        assert with_all >= with_fewer
        gains += with_all > with_fewer
    assert gains > 0


def test_a_minimum_is_lacked_no_more_with_more_room_and_then_the_total_counts() -> None:
    unmet = 0
    for seed in range(20):
        case = make_case(seed, 3)
        if not (case.rows and case.least):
            continue
        more = {key: most + 1 for key, most in case.most.items() if key[0] != "once"}
        tight, wide = (
            optimise(problem_of(one)) for one in (case, replace(case, most=case.most | more))
        )
        lacking = [sum(one.lacking for one in plan.shortages) for plan in (tight, wide)]
        assert (lacking[1], -wide.value) <= (lacking[0], -tight.value), seed
        unmet += lacking[0] > 0
    assert unmet > 0


# The edges: what `choose` makes of nothing, of no room, and of the same twice.


def options(*rows: dict[str, Any]) -> pa.Table:
    """Offers that passed their gates."""
    given: dict[str, Any] = {
        "product_id": "mortgage", "fatigue_class": "credit", "branch_id": "B1",
        "household_id": None, "channel": "branch", "event": None, "propensity": 0.5,
        "class_contacts_left": 9, "contacts_left_30d": 9, "household_contacts_left": 9,
        "profit_cents": 100, "cost_cents": 400, "is_withheld": False, "advisor_id": None,
        "lever_code": None, "lever_cents": 0, "way": 0, "is_worth_it": True,
        "exploration_hash": None,
    }  # fmt: skip
    types = {name: pa.string() for name in (*NARROW, "channel", "lever_code", "advisor_id")}
    types |= dict.fromkeys(WHOLE_NUMBERS, pa.int64())
    types |= {"propensity": pa.float64(), "is_withheld": pa.bool_(), "is_worth_it": pa.bool_()}
    return pa.Table.from_pylist([given | row for row in rows], schema=pa.schema(types.items()))


def made(rows: pa.Table, **limits: Any) -> tuple[Choice, set[tuple[str, str]]]:
    """The choice, and the customer and offer of each that is made."""
    settings = CampaignSettings(**{
        "campaign_id": "edges", "max_offers_per_customer": 3, "max_offers_per_household": 9,
        "branch_capacity": 9, "branch_capacity_overrides": {}, "control_share": 0.0,
        "min_expected_profit": Decimal("0.01"), "global_holdout_share": 0.0, "salt": "salt",
    } | limits)  # fmt: skip
    choice = choose(rows, Terms.of(CONFIG.model_copy(update={"campaign": settings})))
    places = choice.places.filter(choice.places["made_cut"]).to_pylist()
    return choice, {(row["customer_id"], row["offer_id"]) for row in places}


TWO = ({"customer_id": "C1", "offer_id": "a"}, {"customer_id": "C2", "offer_id": "a"})
LEAST_ONE = {"product_quotas": {"mortgage": Quota(min=1)}}
NO_ROOM: tuple[dict[str, Any], ...] = (
    {"branch_capacity": 0},
    {"branch_capacity_overrides": {"B1": 0}},
    {"budget": Decimal("0.00")},
    {"max_offers": 0},
    {"branch_minutes": 0, "contact_minutes": {"branch": 30}},
    {"product_quotas": {"mortgage": Quota(max=0)}},
)


def test_a_campaign_that_nobody_may_be_in_is_empty_and_says_what_it_lacks() -> None:
    choice, found = made(options())
    assert (found, choice.plan.value, choice.plan.bound, choice.plan.gap) == (set(), 0, 0, 0.0)
    assert choice_figures(choice)["expected_profit"] == 0
    lacking, found = made(options(), **LEAST_ONE)
    assert found == set()
    assert shortages(lacking.plan, lacking.limits)[0].startswith(
        "product mortgage lacks 1 of at least 1 offers"
    )


@pytest.mark.parametrize("limits", NO_ROOM)
def test_where_there_is_no_room_nothing_is_offered(limits: dict[str, Any]) -> None:
    choice, found = made(options(*TWO), **limits)
    assert (found, choice.plan.value) == (set(), 0)
    assert made(options(*TWO))[1] == {("C1", "a"), ("C2", "a")}


@pytest.mark.parametrize("limits", NO_ROOM[:-1])
def test_a_minimum_without_room_is_lacked_not_met(limits: dict[str, Any]) -> None:
    choice, found = made(options(*TWO), **limits, **LEAST_ONE)
    assert found == set()
    [told] = shortages(choice.plan, choice.limits)
    assert told.startswith("product mortgage lacks 1 of at least 1 offers; it clashes with")


def test_a_minimum_above_what_there_is_takes_all_there_is_and_says_what_it_lacks() -> None:
    rows = options(*TWO, {"customer_id": "C3", "offer_id": "a", "profit_cents": -50})
    choice, found = made(rows, product_quotas={"mortgage": Quota(min=5)})
    assert len(found) == 3, "even at a loss"
    assert shortages(choice.plan, choice.limits)[0].startswith(
        "product mortgage lacks 2 of at least 5 offers"
    )


def test_of_two_offers_of_one_product_a_client_gets_the_better_one() -> None:
    rows = options(
        {"customer_id": "C1", "offer_id": "a"},
        {"customer_id": "C1", "offer_id": "b", "profit_cents": 101},
        {"customer_id": "C1", "offer_id": "c", "product_id": "personal_loan"},
        {"customer_id": "C2", "offer_id": "b"},
        {"customer_id": "C2", "offer_id": "a"},
    )
    assert made(rows)[1] == {("C1", "b"), ("C1", "c"), ("C2", "a")}
