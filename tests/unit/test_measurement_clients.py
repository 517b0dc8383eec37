"""What contacts were to clients: each figure against what is counted by hand in a tiny bank."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest

from conf.load import load_config
from measurement.client_side import (
    IN_CARE,
    LISTED,
    PEOPLE,
    KnownOfClients,
    Terms,
    client_side,
)
from measurement.client_tables import client_tables
from measurement.client_value import BOUGHT, client_worth
from measurement.client_words import client_sentences
from measurement.contact_caps import IN_CARE as CARE_RULE, broken_rules
from measurement.contacts_made import (
    COMPLAINT,
    CONTACTS_MADE,
    EVENTS,
    INTEREST,
    OBJECTION,
    REFUSAL,
    Contacts,
)
from measurement.group_rates import clustered_share, share
from measurement.reactions import Answers, fatigue_curve, reaction_rates
from tests.offers_table import campaign, offers, sold

CONFIG = load_config("local")
POLICY = CONFIG.contact_policy
SINCE, AS_OF = date(2023, 1, 1), date(2024, 1, 1)
PACKAGES = {"travel_package_2026": ("credit_card", "travel_insurance")}
LEAST = 3


def table(schema, rows):
    plain = pa.schema(
        pa.field(one.name, pa.string() if pa.types.is_dictionary(one.type) else one.type)
        for one in schema
    )
    return pa.Table.from_pylist(rows, schema=plain).cast(schema)


def made(*rows):
    """Contacts as (client, day of 2023 or date), and what else is to be said of each."""
    usual = {"product_id": "mortgage", "channel": "phone", "branch_id": "B1", "is_in_care": False}
    told = []
    for place, (client, day, *more) in enumerate(rows):
        on = day if isinstance(day, date) else date(2022, 12, 31) + timedelta(days=day)
        one = {"contact_id": f"K{place:05d}", "customer_id": client, "contacted_on": on}
        told.append(one | usual | (more[0] if more else {}))
    return table(CONTACTS_MADE, told)


def events(*rows):
    return table(
        EVENTS,
        [
            {
                "customer_id": client, "kind": kind,
                "happened_on": date(2022, 12, 31) + timedelta(days=day),
            }
            for client, kind, day in rows
        ],
    )  # fmt: skip


def people(*clients, inactive=(), household=None):
    rows = [
        {
            "customer_id": client, "is_active": client not in inactive,
            "household_id": (household or {}).get(client),
        }
        for client in clients
    ]  # fmt: skip
    return table(PEOPLE, rows)


def test_contacts_before_are_counted_back_for_so_many_days_of_the_same_client_or_household() -> (
    None
):
    contacts = Contacts(made(("C2", 10), ("C1", 1), ("C1", 31), ("C1", 31), ("C1", 32)))
    # sorted by client and day: C1 on 1, 31, 31 and 32, then C2 on 10
    assert contacts.before(30).tolist() == [0, 1, 2, 2, 0]
    together = contacts.before(30, group=np.zeros(5, dtype=np.int64))
    assert together.tolist() == [0, 2, 3, 3, 1]
    first = np.array([True, False, True, False, True])
    assert contacts.before(30, first).tolist() == [0, 0, 1, 0, 0]


def test_an_answer_that_comes_later_belongs_to_the_last_contact_before_it_and_only_so_long() -> (
    None
):
    contacts = Contacts(made(("C1", 1), ("C1", 20), ("C2", 5), ("C3", 9, {"result": "opt_out"})))
    told = events(
        ("C1", OBJECTION, 20), ("C2", OBJECTION, 36), ("C2", OBJECTION, 4), ("C9", OBJECTION, 5),
        ("C2", COMPLAINT, 35),
    )  # fmt: skip
    assert contacts.answered(OBJECTION, told, 30).tolist() == [False, True, False, True]
    assert contacts.answered(COMPLAINT, told, 30).tolist() == [False, False, True, False]
    assert contacts.answered(REFUSAL, told, 30).sum() == 0


RULES = [
    ("contact_cap", [("C1", 1), ("C1", 10), ("C1", 31)], [2]),
    ("contact_cap", [("C1", 1), ("C1", 10), ("C1", 32)], []),
    ("too_soon", [("C1", 1), ("C1", 7), ("C1", 14)], [1]),
    ("household_cap", [("C1", 1), ("C1", 10), ("C2", 12), ("C3", 13)], [3]),
    ("fatigue_cap", [("C1", 1), ("C1", 40), ("C1", 80), ("C1", 131)], [2]),
    ("fatigue_cap", [("C1", 1), ("C1", 40), ("C1", 80, {"product_id": "term_deposit"})], []),
    (
        "fatigue_cap",
        [
            ("C1", 1),
            ("C1", 40),
            ("C1", 80, {"product_id": "travel_insurance", "offer_id": "travel_package_2026"}),
        ],
        [2],
    ),
    ("channel_cap", [("C1", 1, {"channel": "sms"}), ("C1", 9, {"channel": "sms"}), ("C1", 9)], [1]),
    ("cool_off", [("C1", 1, {"result": "refused"}), ("C1", 90), ("C1", 91)], [1]),
    (
        "cool_off",
        [("C1", 1, {"result": "refused"}), ("C1", 50, {"product_id": "term_deposit"})],
        [],
    ),
    (
        "cool_off",
        [("C1", 1, {"result": "opt_out"}), ("C1", 800, {"product_id": "term_deposit"}), ("C2", 9)],
        [1],
    ),
    (
        "cool_off",
        [("C1", 1, {"result": "sold", "result_on": date(2023, 1, 20)}), ("C1", 10), ("C1", 40)],
        [2],
    ),
    (CARE_RULE, [("C1", 1, {"is_in_care": True}), ("C1", 60)], [0]),
]


@pytest.mark.parametrize(("rule", "rows", "broken"), RULES, ids=lambda value: str(value)[:12])
def test_a_contact_is_against_a_rule_on_the_day_on_which_the_policy_forbids_it(
    rule, rows, broken
) -> None:
    policy = POLICY.model_copy(update={"max_contacts_30d_by_channel": {"sms": 1}})
    home = people("C1", "C2", "C3", household={"C1": "H1", "C2": "H1", "C3": "H1"})
    contacts = Contacts(made(*rows))
    found = broken_rules(contacts, policy, CONFIG.products, PACKAGES, home)
    assert np.flatnonzero(found[rule]).tolist() == broken


def test_who_has_no_household_lives_alone() -> None:
    contacts = Contacts(made(*((f"C{place}", place + 1) for place in range(5))))
    found = broken_rules(contacts, POLICY, CONFIG.products, PACKAGES, people("C0", "C1", "C2"))
    assert not found["household_cap"].any()


def test_a_share_of_contacts_is_as_sure_as_clients_are_alike() -> None:
    is_so = np.array([True, False, False, False, True, False, False, False])
    alone = clustered_share(is_so, np.arange(8))
    assert alone.value == share(2, 8).value
    assert alone.low == pytest.approx(share(2 * 7 / 8, 7).low)
    # Four clients of whom each answers alike both times are four answers, not eight.
    pairs = clustered_share(np.repeat([True, False, False, False], 2), np.repeat(np.arange(4), 2))
    assert (pairs.value, pairs.low) == (0.25, pytest.approx(share(1, 4).low, rel=0.25))
    assert clustered_share(np.zeros(8, dtype=bool), np.repeat(np.arange(4), 2)) == share(0, 4)


def test_intervals_of_shares_hold_where_a_clients_answers_are_alike() -> None:
    random = np.random.default_rng(5)
    held = 0
    for _ in range(400):
        of_client = random.beta(1, 4, 150)
        client = np.repeat(np.arange(150), random.integers(1, 6, 150))
        found = clustered_share(random.random(len(client)) < of_client[client], client)
        held += found.low <= 0.2 <= found.high
    assert 0.92 <= held / 400 <= 0.98


def answers_of(contacts, **answered):
    nobody = np.zeros(len(contacts), dtype=bool)
    measures = dict.fromkeys(("interest", "sale", "refusal", "objection", "complaint"), nobody)
    return Answers(contacts, ~nobody, measures | answered)


def test_answers_are_told_by_channel_product_kind_and_branch_but_not_of_few_clients() -> None:
    refused, asked = {"result": "refused"}, {"result": "contacted"}
    rows = [(f"C{place}", 1, refused if place < 2 else asked) for place in range(8)]
    rows += [(f"D{place}", 1, {"branch_id": "B2"} | asked) for place in range(2)]
    rows += [(f"E{place}", 1, {"branch_id": "B3", "channel": "app"}) for place in range(4)]
    contacts = Contacts(made(*rows))
    answers = answers_of(contacts, refusal=contacts.answered(REFUSAL, events(), 30))
    found = {
        (one.kind, one.name, one.measure): one
        for one in reaction_rates(answers, CONFIG.products, LEAST)
    }
    of_all = found["all", "all", REFUSAL]
    # Of four contacts nothing is known, so that they are no contacts without a refusal.
    assert (of_all.contacts, of_all.count, of_all.share.value) == (10, 2, 0.2)
    assert found["all", "all", OBJECTION].contacts == 14
    assert found["fatigue_class", "credit", REFUSAL].contacts == 10
    assert (found["product", "mortgage", REFUSAL].count, ("channel", "app", REFUSAL) in found) == (
        2,
        False,
    )
    # Two clients are too few; the all less the other would give them away.
    assert found["branch", "B2", REFUSAL].contacts is None
    assert found["branch", "B1", REFUSAL].contacts is None


def test_the_fatigue_curve_by_hand() -> None:
    yes, no = {"result": "interested"}, {"result": "refused"}
    rows = [(f"C{place}", day, yes if day == 1 else no) for place in range(4) for day in (1, 50)]
    rows += [(f"C{place}", 200, yes if place else {}) for place in range(4)]
    contacts = Contacts(made(*rows))
    answers = answers_of(
        contacts,
        interest=contacts.answered(INTEREST, events(), 30),
        refusal=contacts.answered(REFUSAL, events(), 30),
    )
    unknown = np.full(len(contacts), np.nan)
    found = fatigue_curve(answers, contacts.before(90), 2, unknown, LEAST)
    told = {(one.name, one.measure): (one.count, one.contacts) for one in found}
    assert told["0", INTEREST] == (7, 7)
    assert told["1", REFUSAL] == (4, 4)
    assert told["0", COMPLAINT] == (0, 8)
    assert ("2 or more", REFUSAL) not in told
    assert all(np.isnan(one.alike.value) for one in found)


def test_that_the_keener_are_contacted_more_often_is_not_told_as_what_contacts_do() -> None:
    random = np.random.default_rng(7)
    clients = 3000
    propensity = random.random(clients) * 0.5
    number = 1 + (random.random(clients) < 2 * propensity)
    rows, at, day = [], [], 1
    for client, count in enumerate(number.tolist()):
        for time in range(count):
            said = "interested" if random.random() < propensity[client] else "contacted"
            rows.append((f"C{client:05d}", day + 40 * time, {"result": said}))
            at.append(propensity[client])
    contacts = Contacts(made(*rows))
    answers = answers_of(contacts, interest=contacts.answered(INTEREST, events(), 30))
    found = fatigue_curve(answers, contacts.before(90), 2, np.array(at), LEAST)
    none, one = (rate for rate in found if rate.measure == INTEREST)
    assert one.share.value / none.share.value > 1.25
    assert one.alike.low < 1 < one.alike.high < 1.2


def test_what_clients_had_of_packages_and_levers_and_what_they_kept() -> None:
    called = date(2023, 10, 12)
    package = {"bundle_id": "travel_package_2026", "product_id": "travel_insurance"}
    lever = {"lever_code": "fee", "lever_cost": 3_000, "lever_cost_when": "accepted"}
    evening = {"lever_code": "evening", "lever_cost": 500, "lever_cost_when": "offered"}
    rows = [
        *[package | sold(date(2023, 10, 20), called)] * 3,
        package | {"is_cancelled": True} | sold(date(2023, 10, 20), called),
        *[lever | sold(date(2023, 10, 31), called)] * 4,
        lever | {"contacted_on": called},
        *[evening | {"contacted_on": called}] * 3,
        evening,
        *[{"is_treated": False} | sold(date(2023, 10, 9))] * 3,
    ]
    made_to = offers(rows).to_pylist()
    gone = {"C00003": date(2023, 11, 1), "C00004": date(2024, 2, 28), "C00005": date(2024, 2, 29)}
    held = [
        {
            "customer_id": row["customer_id"], "product_id": row["product_id"],
            "opened_on": row["bought_on"], "closed_on": gone.get(row["customer_id"]),
        }
        for row in made_to
        if row["bought_on"]
    ]  # fmt: skip
    found = {
        (one.kind, one.name): one
        for one in client_worth(
            offers(rows), [campaign()], {"travel_package_2026": 600}, table(BOUGHT, held),
            as_of=date(2024, 3, 1), kept_months=4, least=LEAST,
        )
    }  # fmt: skip
    assert (found["package", "travel_package_2026"].clients,
            found["package", "travel_package_2026"].cents) == (3, 1_800)  # fmt: skip
    assert (found["lever", "fee"].clients, found["lever", "fee"].cents) == (4, 12_000)
    assert (found["lever", "evening"].clients, found["lever", "evening"].cents) == (3, 1_500)
    # 31 October and four months is 29 February: whoever closed the day before did not keep it.
    assert (found["kept", "all"].count, found["kept", "all"].of) == (6, 8)
    assert (found["kept", "card"].count, found["kept", "card"].of) == (3, 4)
    assert (found["kept_without_offer", "all"].count) == 3
    few = client_worth(
        offers(rows), [campaign()], {"travel_package_2026": 600}, table(BOUGHT, held),
        as_of=date(2024, 3, 1), kept_months=4, least=4,
    )  # fmt: skip
    assert [one.clients for one in few if one.kind in ("package", "lever")] == [None, None, 4]


TERMS = Terms(
    settings=CONFIG.measurement.clients,
    policy=POLICY,
    products=CONFIG.products,
    packages=PACKAGES,
    savings={},
    reaction_days=30,
    least=LEAST,
    currency="EUR",
)


def tiny_bank():
    clients = [f"C{place:02d}" for place in range(20)]
    rows = [
        (one, date(2023, 12, 1 + place), {"result": "refused"})
        for place, one in enumerate(clients[:6])
    ]
    rows += [(one, date(2023, 3, 1), {"result": "interested"}) for one in clients[:10]]
    rows += [("C00", date(2022, 6, 1))]
    listed = [
        {
            "campaign_as_of": date(2023, 12, 1), "customer_id": client,
            "care_treatment": "restructuring_talk", "may_contact": True,
        }
        for client in clients[10:14]
    ]  # fmt: skip
    return KnownOfClients(
        contacts=made(*rows),
        events=events(("C02", OBJECTION, 70)),
        people=people(*clients, inactive=clients[18:]),
        in_care=table(
            IN_CARE,
            [{"customer_id": one, "flag": "financial_difficulty"} for one in clients[10:14]]
            + [{"customer_id": "C19", "flag": "financial_difficulty"}],
        ),
        listed=table(LISTED, listed),
        bought=BOUGHT.empty_table(),
    )


def measured(known, **changed):
    terms = replace(TERMS, **changed)
    return client_side(known, offers([]), [], terms, since=SINCE, as_of=AS_OF)


def test_the_clients_side_of_a_tiny_bank() -> None:
    found = measured(tiny_bank())
    assert found.contacts == 16
    assert [one.clients for one in found.distribution] == [12, 6, 0, 0, 0, 0]
    assert found.distribution[0].of == 18
    of_all = {one.measure: one for one in found.reactions if one.kind == "all"}
    # Contacts of December can still be answered.
    assert (of_all[REFUSAL].count, of_all[REFUSAL].contacts) == (1, 11)
    assert (of_all[OBJECTION].count, of_all[COMPLAINT].count) == (1, 0)
    assert [(one.name, one.clients) for one in found.care if one.kind == "flag"] == [
        ("all", 4),
        ("financial_difficulty", 4),
    ]
    told = client_sentences(found)
    assert told[0] == (
        "16 contacts from 2023-01-01 until before 2024-01-01; in the last 90 days 0 for 66.7 %, 1"
        " for 33.3 % of active clients."
    )
    assert told[-1] == (
        "4 of 18 active clients (22.2 %) are in care; 4 were on the last care list. Whether they"
        " were helped is not returned by branches."
    )
    assert "Every contact was one that the contact policy in force allows on its day." in told
    tables = client_tables(found)
    assert set(tables) == {
        "contacts_per_client", "reactions", "fatigue", "contact_policy", "care", "client_value",
    }  # fmt: skip
    assert tables["reactions"].to_pylist()[0]["per_1000"] == pytest.approx(1000 / 11)


def test_small_groups_are_told_nowhere() -> None:
    found = measured(tiny_bank(), least=7)
    assert [one.clients for one in found.distribution] == [None, None, 0, 0, 0, 0]
    assert {one.clients for one in found.care} == {None}
    assert {one.count for one in found.fatigue} <= {None, 0, 1, 10, 11}


def test_nothing_is_known_of_a_home_without_contacts() -> None:
    found = measured(KnownOfClients.nothing())
    assert client_sentences(found) == ["No contact is known between 2023-01-01 and 2024-01-01."]
    assert all(table.num_columns for table in client_tables(found).values())


def test_figures_do_not_depend_on_the_order_of_rows() -> None:
    known = tiny_bank()
    turned = KnownOfClients(
        *(
            rows.take(np.arange(rows.num_rows)[::-1])
            for rows in (
                known.contacts,
                known.events,
                known.people,
                known.in_care,
                known.listed,
                known.bought,
            )
        )
    )
    one, other = (client_tables(measured(bank)) for bank in (known, turned))
    assert all(one[name].equals(other[name]) for name in one)


def test_rates_by_contacts_before_are_of_contacts_in_the_measured_time_alone() -> None:
    rows = [(f"C{place}", date(2022, 12, 15), {"result": "refused"}) for place in range(5)]
    rows += [(f"C{place}", date(2023, 2, 1), {"result": "interested"}) for place in range(5)]
    known = replace(KnownOfClients.nothing(), contacts=made(*rows))
    found = {(one.name, one.measure): one.count for one in measured(known).fatigue}
    # What came before still counts as a contact before.
    assert found["1", INTEREST] == 5
    assert not [name for name, _ in found if name == "0"]


def test_propensity_is_that_of_the_newest_campaign_that_had_offered_the_product() -> None:
    first = campaign()
    second = campaign("run-november", date(2023, 11, 1), ends=date(2024, 1, 8))
    rows = [
        {"customer_id": "C1", "propensity": 0.1},
        {"customer_id": "C1", "propensity": 0.2, "campaign": "run-november"},
        {"customer_id": "C2", "propensity": 0.3, "is_treated": False},
    ]
    card = {"product_id": "card"}
    days = [date(2023, 9, 30), date(2023, 10, 1), date(2023, 11, 1), date(2024, 1, 8)]
    contacts = Contacts(
        made(*(("C1", day, card) for day in days), ("C1", date(2023, 11, 2)), ("C2", days[1], card))
    )
    found = contacts.propensity(offers(rows), [first, second])
    assert [None if np.isnan(one) else one for one in found] == [None, 0.1, 0.2, None, None, None]
    assert all(one <= other for one, other in pairwise(contacts.client))
