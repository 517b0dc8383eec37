"""Returned results: accepted or set aside, none lost, and what they mean for the contact policy."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from campaigns.contact_policy import contact_facts
from campaigns.dispositions import (
    FIXES,
    Aside,
    Handed,
    Listed,
    disposition_rows,
    has_consent,
    known_at,
    match,
    months_first_after,
    quarantine_rows,
)
from campaigns.recheck import Known
from campaigns.returned_contacts import AS_CONTACT, with_returned
from campaigns.returned_file import WORDS, read_returned
from conf.load import load_config
from tables.derived import DISPOSITIONS
from tables.sources import CONTACTS, CUSTOMERS
from tests.tables import table_rows

CONFIG = load_config("local")
LAW = CONFIG.jurisdiction.in_force
AS_OF = date(2026, 11, 1)
RUN, OLD_RUN = "ab" * 32, "cd" * 32
CARD = Listed("credit_card", "internal", "B1", RUN, "monthly", AS_OF, date(2026, 12, 20))
CLIENT = Known({"customer_id": "C1"})
HANDED = Handed(
    campaigns=[(RUN, AS_OF), (OLD_RUN, AS_OF)],
    offers={(RUN, "C1", "card"): CARD, (OLD_RUN, "C2", "card"): CARD},
    latest_valid_to=date(2026, 12, 31),
)


def rows(*lines: str, header: str = "as_of"):
    text = "\n".join((f"customer_id,offer_id,{header},disposition,disposition_at,channel", *lines))
    return read_returned("f.csv", text.encode()).rows


def said(who="C1", what="refused", at="2026-11-10", offer="card", month="2026-11-01"):
    return f"{who},{offer},{month},{what},{at},phone"


def matched(*lines, known=None, stored=None, header="as_of"):
    read = rows(*lines, header=header)
    clients = {row.customer_id: CLIENT for row in read} | (known or {})
    found = match(read, HANDED, clients, stored or {})
    assert len(found.accepted) + found.there_already + len(found.aside) == len(read), "none is lost"
    return found


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (said(), None),
        (said(who="C2"), None),  # on a list that was superseded since: it may be out all the same
        (said(who="C3"), Aside.NOT_ON_LIST),
        (said(offer="fund"), Aside.NOT_ON_LIST),
        (said(month="2026-10-01"), Aside.UNKNOWN_CAMPAIGN),
        (said(at="2026-10-31"), Aside.BEFORE_THE_LIST),
        (said(at="2027-03-22"), None),
        (said(at="2027-03-23"), Aside.LONG_AFTER),
        (said(who="C3", what="opt_out"), None),  # an objection needs no list
        (said(month="2026-10-01", what="opt_out"), None),
        (said(who="C9", what="opt_out"), Aside.UNKNOWN_CLIENT),
        (said(who="C3", what="opt_out", at="2099-01-01"), Aside.LONG_AFTER),
    ],
)
def test_a_row_is_about_an_offer_that_was_handed_out(line, reason):
    found = matched(line, known={"C9": Known(None)})
    assert [why for _, why in found.aside] == ([reason] if reason else [])
    assert len(found.accepted) == (reason is None)


def test_a_campaign_may_be_named_by_its_run():
    assert matched(f"C1,card,{RUN[:8]},sold,2026-11-10,phone", header="run_id").accepted
    assert matched(f"C1,card,{OLD_RUN},sold,2026-11-10,phone", header="run_id").aside


def test_what_is_known_already_is_not_taken_twice():
    found = matched(said(), said())
    assert (len(found.accepted), found.there_already) == (1, 1)
    key = ("C1", "card", datetime(2026, 11, 10, tzinfo=UTC))
    there = {key: {"disposition": "refused", "channel": "phone"}}
    assert matched(said(), stored=there).there_already == 1
    other = matched(said(what="sold"), stored=there)
    assert [why for _, why in other.aside] == [Aside.CONTRADICTION]


def test_what_is_set_aside_is_kept_as_it_came():
    found = matched(said(who="C3"))
    [kept] = quarantine_rows(found, datetime(2026, 11, 10, tzinfo=UTC), "f" * 64).to_pylist()
    assert kept["rule"] == "not_on_list"
    assert '"customer_id": "C3"' in kept["raw_row"]
    assert set(FIXES) == set(Aside)


def consents(*granted_at):
    return [
        {
            "purpose": purpose, "channel": "phone", "is_granted": is_granted,
            "changed_at": datetime(2026, *at, tzinfo=UTC),
        }
        for purpose in ("marketing_internal", "profiling")
        for is_granted, at in granted_at
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("known", "at", "may"),
    [
        (Known(consents=consents((True, (1, 1)))), "2026-11-10", True),
        (Known(consents=()), "2026-11-10", False),
        (Known(consents=consents((True, (1, 1)), (False, (11, 9)))), "2026-11-10", False),
        (Known(consents=consents((True, (1, 1)), (False, (11, 11)))), "2026-11-10", True),
        (Known(consents=consents((True, (11, 10)))), "2026-11-10T00:00:00Z", True),
    ],
)
def test_whether_the_client_might_be_contacted_then(known, at, may):
    [row] = rows(said(at=at))
    assert has_consent(row, CARD, known, LAW) is may


def test_whoever_had_objected_had_not_consented():
    [row] = rows(said(at="2026-11-10"))
    for day, may in ((date(2026, 11, 9), False), (date(2026, 11, 10), True)):
        opt_outs = [{"contacted_on": day, "disposition_on": None}]
        known = Known(consents=consents((True, (1, 1))), opt_outs=opt_outs)
        assert has_consent(row, CARD, known, LAW) is may


def test_an_opt_out_on_no_list_names_no_offer_and_no_consent():
    found = matched(said(who="C3", what="opt_out"))
    at = datetime(2026, 11, 10, tzinfo=UTC)
    [row] = disposition_rows(found, {"C3": CLIENT}, LAW, at, "f").to_pylist()
    assert (row["has_consent"], row["product_id"], row["as_of"]) == (None, None, None)
    assert row["disposition"] == "opt_out"


def test_a_result_is_known_after_all_that_was_done_without_it():
    happened = rows(said(at="2026-11-10"))
    made = datetime(2026, 11, 1, tzinfo=UTC)
    assert known_at(happened, None, [made]) == datetime(2026, 11, 10, tzinfo=UTC)
    assert known_at(happened, date(2026, 11, 12), [made]) == datetime(2026, 11, 12, tzinfo=UTC)
    later = datetime(2026, 12, 1, tzinfo=UTC)
    assert known_at(happened, None, [made, later]) == later
    assert months_first_after(later) == date(2027, 1, 1), "as of 1 December it was not known"
    assert months_first_after(later - timedelta(microseconds=1)) == date(2026, 12, 1)


NEXT = date(2026, 12, 1)
DELIVERED = """
    contact_id | customer_id | product_id  | channel | contacted_on | disposition
    K1         | C1          | credit_card | phone   | 2026-11-12   | contacted
    K2         | C9          | credit_card | phone   | 2026-11-12   |
"""
RETURNED = """
    customer_id | offer_id | disposition_at      | disposition | channel | product_id  | recorded_at
    C1          | card     | 2026-11-15 10:00:00 | refused     | phone   | credit_card | 2026-11-16
    C2          | card     | 2026-11-16 10:00:00 | refused     | phone   | credit_card | 2026-11-16
    C3          | card     | 2026-11-10 10:00:00 | opt_out     | phone   |             | 2026-11-16
    C4          | card     | 2026-11-10 10:00:00 | complaint   | phone   | credit_card | 2026-11-16
    C5          | card     | 2026-11-10 10:00:00 | refused     | phone   | credit_card | 2026-12-01
"""


def test_a_contact_that_both_tell_of_counts_once_and_the_result_holds(spark):
    delivered = table_rows(spark, CONTACTS, DELIVERED)
    returned = table_rows(spark, DISPOSITIONS, RETURNED, file_sha256="f")
    contacts = with_returned(delivered, returned, NEXT)
    assert contacts.columns == delivered.columns
    people = "customer_id | branch_id | joined_on | is_employee\n" + "\n".join(
        f"C{number} | B1 | 2020-01-01 | false" for number in (1, 2, 3, 4, 5, 9)
    )
    facts = contact_facts(
        table_rows(spark, CUSTOMERS, people), contacts, CONFIG.products, CONFIG.contact_policy, NEXT
    )
    found = {
        row["customer_id"]: (
            row["contacts_30d"],
            row["last_contacted_on"],
            row["cools_until_credit_card"],
            row["opted_out_until"],
        )
        for row in facts.collect()
    }
    days = CONFIG.contact_policy.cool_off_days_after
    c1 = date(2026, 11, 15) + timedelta(days["refused"])
    c2 = date(2026, 11, 16) + timedelta(days["refused"])
    c3 = date(2026, 11, 10) + timedelta(days["opt_out"])
    c4 = date(2026, 11, 10) + timedelta(days["unsuitable"])
    assert found == {
        "C1": (1, date(2026, 11, 12), c1, None),
        "C2": (1, date(2026, 11, 16), c2, None),
        "C3": (1, date(2026, 11, 10), None, c3),
        "C4": (1, date(2026, 11, 10), c4, None),
        "C5": (0, None, None, None),
        "C9": (1, date(2026, 11, 12), None, None),
    }


def test_a_day_too_far_apart_is_another_contact(spark):
    delivered = table_rows(spark, CONTACTS, DELIVERED.replace("2026-11-12", "2026-11-11"))
    returned = table_rows(spark, DISPOSITIONS, RETURNED, file_sha256="f")
    days = [
        row["contacted_on"]
        for row in with_returned(delivered, returned, NEXT).where("customer_id = 'C1'").collect()
    ]
    assert sorted(days) == [date(2026, 11, 11), date(2026, 11, 15)]


def test_every_result_is_one_that_the_contact_policy_knows():
    from typing import get_args

    from conf.fields import Disposition

    assert {AS_CONTACT.get(word, word) for word in WORDS.values()} <= set(get_args(Disposition))
