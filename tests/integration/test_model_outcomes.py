"""Committed scores against purchases as known before a day: who counts, for how many, and when."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from conf.load import load_config
from jobs.measurement.model_outcomes import model_findings
from measurement.monitoring_tables import tables
from tests import scored_home as made
from tests.month import AS_OF as BANK_AS_OF

AS_OF = date(2026, 11, 1)
JUNE, JULY, AUGUST, SEPTEMBER = (date(2026, month, 1) for month in (6, 7, 8, 9))
# The outcome window of August's scores is 8 August to 7 October.
IN_WINDOW = date(2026, 9, 1)
SMALL = load_config("local", ("measurement.models.min_buyers=1",))
CONFIG = load_config("local")
FOUR = ("A", "B", "C", "D")


def scores(*clients, product="mortgage", chance=0.25):
    return {(who, product): chance for who in clients}


def home_of(folder, *clients, bought=(), **features):
    """A home in which August's scores are of these clients, a quarter of whom should buy."""
    home = made.open_home(folder, clients)
    made.add_purchases(home, bought)
    made.add_scores(home, AUGUST, scores(*clients), **features)
    return home


def months(home, as_of=AS_OF, config=SMALL):
    return model_findings(home, as_of, config).observed.months


def only(home, as_of=AS_OF):
    [month] = months(home, as_of)
    return month


def test_buyers_are_who_opened_it_in_the_outcome_window(tmp_path) -> None:
    bought = [
        ("A", "mortgage", IN_WINDOW),
        ("B", "mortgage", date(2026, 8, 7)),
        ("C", "mortgage", date(2026, 10, 8)),
        ("D", "car_leasing", IN_WINDOW),
        ("E", "mortgage", date(2026, 8, 8)),
        ("F", "mortgage", date(2026, 10, 7)),
    ]
    home = home_of(tmp_path, *"ABCDEF", bought=bought)
    made.ingest(home, AS_OF)
    month = only(home)
    assert (month.product_id, month.cohort, month.version) == ("mortgage", AUGUST, 1)
    assert (month.clients, month.buyers, month.expected) == (6, 3, 1.5)


def test_who_could_not_buy_it_does_not_count(tmp_path) -> None:
    home = home_of(
        tmp_path,
        *FOUR,
        has_mortgage={"A": True},
        income_amount_3m={"A": 9000, "B": 5399, "C": 5400},
        bought=[("A", "mortgage", IN_WINDOW), ("C", "mortgage", IN_WINDOW)],
    )
    made.ingest(home, AS_OF)
    month = only(home)
    assert (month.clients, month.buyers) == (1, 1)


def test_who_was_offered_it_is_left_out_and_the_withheld_stand_for_them(tmp_path) -> None:
    clients = [f"C{place:02d}" for place in range(20)]
    bought = [(who, "mortgage", IN_WINDOW) for who in (*clients[:5], clients[9], clients[19])]
    home = home_of(tmp_path, *clients, bought=bought)
    made.add_campaign(
        home,
        AUGUST,
        [*((who, "mortgage") for who in clients[:8]), ("C15", "savings_account")],
        [("C08", "mortgage"), ("C09", "mortgage")],
    )
    made.ingest(home, AS_OF)
    month = only(home)
    assert (month.clients, month.left_out, month.withheld) == (12, 8, 2)
    # one of the two withheld bought and stands for five, as does the one who did not
    assert (month.buyers, month.observed) == (2, 6.0)
    assert month.expected == pytest.approx(20 / 4)
    assert not month.note


@pytest.mark.parametrize(
    ("day", "left_out"), [(JULY, 0), (AUGUST, 4), (SEPTEMBER, 4), (date(2026, 10, 1), 0)]
)
def test_a_campaign_counts_whose_contacts_fall_into_the_window(tmp_path, day, left_out) -> None:
    home = home_of(tmp_path, *"ABCDEFGH")
    offered, withheld = [(who, "mortgage") for who in FOUR], [("E", "mortgage")]
    made.add_campaign(home, day, offered, withheld)
    made.ingest(home, AS_OF)
    assert only(home).left_out == left_out


def test_who_was_withheld_twice_stands_for_no_more_than_once(tmp_path) -> None:
    home = home_of(tmp_path, *FOUR)
    made.add_campaign(home, AUGUST, [("C", "mortgage")], [("A", "mortgage"), ("B", "mortgage")])
    made.add_campaign(home, SEPTEMBER, [("B", "mortgage")], [("A", "mortgage")], share=0.25)
    made.ingest(home, AS_OF)
    # A for five, D for itself
    assert (only(home).clients, only(home).withheld, only(home).expected) == (2, 1, 1.5)


def test_the_global_holdout_stands_for_itself(tmp_path) -> None:
    home = home_of(tmp_path, *FOUR)
    made.add_campaign(
        home, AUGUST, [], [("A", "mortgage")], is_in_global_holdout=True, is_in_control_group=False
    )
    made.ingest(home, AS_OF)
    assert (only(home).clients, only(home).withheld) == (4, 0)


def test_where_nobody_was_withheld_by_chance_it_is_said(tmp_path) -> None:
    home = home_of(tmp_path, *FOUR, bought=[("D", "mortgage", IN_WINDOW)])
    made.add_campaign(home, AUGUST, [("A", "mortgage")], share=0.0)
    made.ingest(home, AS_OF)
    assert (only(home).left_out, only(home).withheld) == (1, 0)
    assert "it withheld nobody by chance" in only(home).note


def test_a_package_is_an_offer_of_everything_in_it(tmp_path) -> None:
    home = home_of(tmp_path, *FOUR)
    package = next(name for name, one in made.CONFIG.offers.items() if one.bundle)
    inside = made.CONFIG.offers[package].bundle.core
    made.add_scores(home, JULY, scores(*FOUR, product=inside), has_current_account=True)
    made.add_campaign(home, JULY, [("A", package)], [("B", package)], share=0.5)
    made.ingest(home, AS_OF)
    assert {(one.product_id, one.left_out, one.withheld) for one in months(home)} == {
        (inside, 1, 1),
        ("mortgage", 0, 0),
    }


def test_records_that_were_found_to_be_one_person_are_one_buyer(tmp_path) -> None:
    home = home_of(tmp_path, *FOUR, bought=[("A", "mortgage", IN_WINDOW), ("C", "x", IN_WINDOW)])
    made.ingest(home, AS_OF, merged={"A": "B", "C": "Z"})
    assert (only(home).clients, only(home).buyers) == (3, 1)


def test_a_window_counts_when_it_is_over_and_delivered(tmp_path) -> None:
    home = home_of(tmp_path, *FOUR)
    made.ingest(home, date(2026, 10, 7))
    assert not months(home)
    assert "over and delivered" in model_findings(home, AS_OF, SMALL).headlines[1]
    made.ingest(home, date(2026, 10, 8))
    assert not months(home, date(2026, 10, 7))
    assert only(home, date(2026, 10, 8)).clients == 4


def test_the_last_months_count_and_of_one_month_the_run_that_stands(tmp_path) -> None:
    home = home_of(tmp_path, *FOUR)
    for month in range(1, 8):
        made.add_scores(home, date(2026, month, 1), scores(*FOUR))
    made.record(home, "score", JULY, made.PROPENSITY_SCORES)
    made.ingest(home, AS_OF)
    assert [one.cohort.month for one in months(home)] == [3, 4, 5, 6, 7, 8]


def test_what_became_known_later_changes_nothing(tmp_path) -> None:
    clients = [f"C{place:03d}" for place in range(400)]
    home = made.open_home(tmp_path, clients)
    scored = made.drawn_scores(clients, "mortgage", 0.2)
    for month in (JUNE, JULY, AUGUST):
        made.add_scores(home, month, scored)
    some = [(who, "mortgage", IN_WINDOW) for who in clients[::5]]
    made.add_purchases(home, some)
    made.add_campaign(
        home, AUGUST, [(who, "mortgage") for who in clients[:40]], [("C399", "mortgage")], 0.02
    )
    made.ingest(home, AS_OF)
    before = model_findings(home, AS_OF, CONFIG)
    assert before.observed.months[-1].buyers == 72

    more = [(who, "mortgage", IN_WINDOW) for who in clients[1::5]]
    made.add_purchases(home, more, known_after=61)
    made.add_purchases(home, some[:9], deleted_on=AS_OF)
    made.add_scores(home, date(2026, 12, 1), {key: 0.9 for key in scored})
    made.add_campaign(home, date(2026, 12, 1), [(who, "mortgage") for who in clients])
    made.ingest(home, date(2026, 12, 1))
    made.ingest(home, AS_OF)  # whose tables hold all that by now
    after = model_findings(home, AS_OF, CONFIG)
    assert after.headlines == before.headlines
    for name, table in tables(before).items():
        assert table.equals(tables(after)[name]), name
    later = model_findings(home, date(2026, 12, 1), CONFIG).observed.months[-1]
    # of the nine that were none, eight had been offered it and were left out anyway
    assert later.buyers == 72 + 72 - 1


def test_what_became_known_after_the_window_is_late(tmp_path) -> None:
    home = made.open_home(tmp_path, FOUR)
    for month in (JUNE, AUGUST):
        made.add_scores(home, month, scores(*FOUR))
    made.add_purchases(home, [("A", "mortgage", date(2026, 7, 1))])
    made.add_purchases(home, [("B", "mortgage", date(2026, 8, 1))], known_after=7)
    made.add_purchases(home, [("C", "mortgage", date(2026, 8, 2))], known_after=40)
    made.ingest(home, AS_OF)
    june, august = (
        one for one in model_findings(home, AS_OF, SMALL).observed.late if one.product_id == "all"
    )
    # 8 August is the first day after June's window
    assert (june.purchases, june.late) == (3, 2)
    assert (august.ends, august.lag_days) == (date(2026, 10, 8), 24)
    # of June's three, one was not known 24 days after its window
    assert august.factor.value == pytest.approx(3 / 2)
    assert august.is_provisional


def test_a_model_made_wrong_on_purpose_is_found_and_a_right_one_is_not(tmp_path) -> None:
    clients = [f"C{place:04d}" for place in range(3000)]
    home = made.open_home(tmp_path, clients)
    random = np.random.default_rng(108)
    for month in (JUNE, AUGUST):  # of which no purchase is in both windows
        right = made.drawn_scores(clients, "mortgage", 0.05, seed=month.month)
        buyers = [who for (who, _), chance in right.items() if random.random() < chance]
        day = month + timedelta(20)
        made.add_purchases(home, [(who, "mortgage", day) for who in buyers])
        halved = {(who, "car_leasing"): chance / 2 for (who, _), chance in right.items()}
        made.add_purchases(home, [(who, "car_leasing", day) for who in buyers])
        made.add_scores(home, month, {**right, **halved})
    made.ingest(home, AS_OF)
    found = model_findings(home, AS_OF, CONFIG)
    said = {one.product_id: one.verdict for one in found.verdicts}
    assert said == {"all": "retrain", "car_leasing": "retrain", "mortgage": "nothing to do"}
    assert [rule.name for rule in found.alarms] == ["calibration"]


def test_an_empty_home_says_so(tmp_path) -> None:
    home = made.open_home(tmp_path, FOUR)
    assert (
        model_findings(home, AS_OF, SMALL).headlines[-1] == "Nothing was scored and delivered yet."
    )


@pytest.mark.engine
def test_a_banks_scores_are_held_beside_the_test_cohort_of_its_champions(bank) -> None:
    found = model_findings(bank.home, BANK_AS_OF, bank.config)
    observed = found.observed
    # all others are their segment's rate, which reads nothing that a training set stores
    assert [one.product_id for one in observed.scores] == ["home_insurance"]
    assert {one.product_id for one in observed.tested} == set(bank.config.products)
    for shift in observed.scores:
        model = observed.of(shift.product_id, shift.version)
        assert model is not None
        assert model.trained_as_of == BANK_AS_OF
        assert shift.clients_then > 50
        assert shift.psi.low < 0.25
    assert any(model.gain for model in observed.tested)
    assert not found.alarms
    assert not observed.months
    assert found.verdicts[0].verdict == "cannot be told"
