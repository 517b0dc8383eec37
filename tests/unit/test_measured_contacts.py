"""What a home knows of contacts and clients, against what was put into a tiny bank by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pyarrow as pa
import pytest

from jobs.measurement.campaigns import measured_campaigns
from jobs.measurement.contacts import known_of_clients
from jobs.measurement.offers import offers_and_clients
from jobs.measurement.sales_and_clients import sales_and_clients
from measurement.offers import OFFERS
from tables.arrow import arrow_schema
from tables.derived import CARE_LISTS, DISPOSITIONS
from tables.runs import Runs
from tables.sources import CONSENTS, CONTACTS, CUSTOMER_MERGES, CUSTOMERS, FLAGS, HOLDINGS
from tests.fairness_home import add_rows
from tests.measured_home import CONFIG, campaign, know, open_home, store_of

JUNE, SINCE, AS_OF = date(2026, 6, 1), date(2025, 11, 1), date(2026, 11, 1)
CARD = "credit_card_2026"


@pytest.fixture
def home(tmp_path):
    found = open_home(tmp_path / "home", AS_OF)
    know(
        found,
        CUSTOMERS,
        """
        customer_id | household_id | left_on    | joined_on
        C1          | H1           |            | 2020-01-01
        C2          |              |            | 2020-01-01
        C3          |              | 2026-10-31 | 2020-01-01
        C4          |              | 2026-11-01 | 2026-10-31
    """,
    )
    know(
        found,
        CONTACTS,
        """
        contact_id | customer_id | product_id | channel | contacted_on | disposition |disposition_on
        K1 | C1 | credit_card | phone | 2026-06-10 |  |
        K2 | C2 | credit_card | phone | 2026-06-12 | refused | 2026-06-13
        K3 | C2 | mortgage | branch | 2026-06-12 |  |
        K4 | C2 | mortgage | branch | 2026-11-01 |  |
    """,
    )
    know(
        found,
        DISPOSITIONS,
        """
        customer_id | offer_id | disposition_at | disposition | channel | product_id | branch_id
        C1 | credit_card_2026 | 2026-06-13 10:00:00 | interested | phone | credit_card | B1
        C1 | credit_card_2026 | 2026-06-20 10:00:00 | sold | phone | credit_card | B1
        C2 | credit_card_2026 | 2026-06-14 10:00:00 | no_answer | phone | credit_card | B1
        C1 | - | 2026-07-01 10:00:00 | opt_out | phone |  |
    """,
    )
    return found


def known(home, as_of=AS_OF):
    store = store_of(home)
    campaigns = measured_campaigns(home, store, as_of, CONFIG.measurement.effect.months)
    return known_of_clients(
        store, campaigns, CONFIG, as_of, since=SINCE, offers=OFFERS.empty_table()
    )


def contacts(home, *names):
    rows = known(home)[0].contacts.to_pylist()
    return sorted((tuple(row[name] for name in names) for row in rows), key=str)


def test_a_contact_that_is_delivered_and_returned_is_one_with_the_most_telling_result(home) -> None:
    assert contacts(home, "customer_id", "contacted_on", "result", "result_on") == [
        ("C1", date(2026, 6, 10), "interested", date(2026, 6, 13)),
        ("C1", date(2026, 6, 20), "sold", date(2026, 6, 20)),
        ("C2", date(2026, 6, 12), "refused", date(2026, 6, 13)),
        ("C2", date(2026, 6, 12), None, None),
    ]


def test_records_of_one_person_are_one(home) -> None:
    know(
        home,
        CUSTOMER_MERGES,
        """
        customer_id | survivor_id | merged_on
        C2          | C1          | 2026-10-01
    """,
    )
    assert {row[0] for row in contacts(home, "customer_id")} == {"C1"}
    people = known(home)[0].people.to_pylist()
    assert [row["customer_id"] for row in people] == ["C1", "C3", "C4"]


def test_who_is_a_client_the_day_before_is_active(home) -> None:
    people = {row["customer_id"]: row for row in known(home)[0].people.to_pylist()}
    assert {name: row["is_active"] for name, row in people.items()} == {
        "C1": True, "C2": True, "C3": False, "C4": True,
    }  # fmt: skip
    assert people["C1"]["household_id"] == "H1"


def test_withdrawn_consents_objections_on_no_list_and_complaints_are_events(home) -> None:
    know(
        home,
        CONSENTS,
        """
        customer_id | purpose            | channel | changed_at          | is_granted
        C1          | marketing_internal | phone   | 2020-01-01 09:00:00 | true
        C1          | marketing_internal | phone   | 2026-06-30 23:30:00 | false
        C1          | marketing_partner  | phone   | 2026-06-30 23:30:00 | false
        C2          | marketing_internal | phone   | 2020-01-01 09:00:00 | false
        C2          | marketing_internal | phone   | 2026-07-01 09:00:00 | false
        C2          | marketing_internal | email   | 2025-10-01 09:00:00 | false
        C3          | profiling          | phone   | 2026-07-01 09:00:00 | false
    """,
    )
    know(
        home,
        FLAGS,
        """
        customer_id | flag           | valid_from | valid_to
        C2          | complaint_open | 2026-06-15 | 2026-07-15
        C3          | complaint_open | 2025-10-15 |
        C3          | vulnerable     | 2026-10-15 |
    """,
    )
    rows = known(home)[0].events.to_pylist()
    assert sorted((row["customer_id"], row["kind"], row["happened_on"]) for row in rows) == [
        ("C1", "objection", date(2026, 6, 30)),
        ("C1", "objection", date(2026, 7, 1)),
        ("C2", "complaint", date(2026, 6, 15)),
    ]


def test_contacts_with_clients_in_care_and_who_is_in_care_now(home) -> None:
    know(
        home,
        FLAGS,
        """
        customer_id | flag                 | valid_from | valid_to
        C1          | financial_difficulty | 2026-06-20 | 2026-11-01
        C2          | vulnerable           | 2026-06-01 | 2026-06-12
        C2          | fraud_watch          | 2026-06-01 |
        C3          | bereavement          | 2026-11-01 |
    """,
    )
    assert contacts(home, "customer_id", "contacted_on", "is_in_care") == [
        ("C1", date(2026, 6, 10), False),
        ("C1", date(2026, 6, 20), True),
        ("C2", date(2026, 6, 12), False),
        ("C2", date(2026, 6, 12), False),
    ]
    assert known(home)[0].in_care.to_pylist() == [
        {"customer_id": "C1", "flag": "financial_difficulty"}
    ]


def test_care_lists_are_those_of_the_measured_campaigns(home) -> None:
    row = {
        "as_of": JUNE, "run_id": "r", "branch_id": "B1", "customer_id": "C2", "why": "-",
        "care_treatment": "restructuring_talk", "what_to_do": "-", "may_contact": True,
        "contact": "-", "valid_from": JUNE, "valid_until": AS_OF,
    }  # fmt: skip
    assert set(row) | {"advisor_id"} == set(arrow_schema(CARE_LISTS).names)
    version = add_rows(home, CARE_LISTS, [row], JUNE)
    record = campaign(home, JUNE, [{"customer_id": "C1", "offer_id": CARD}])
    assert known(home)[0].listed.num_rows == 0
    pins = record.pins | {CARE_LISTS.name: version}
    Runs(home.tables).append(replace(record, run_id="f" * 64, pins=pins))
    assert known(home)[0].listed.to_pylist() == [
        {
            "campaign_as_of": JUNE, "customer_id": "C2",
            "care_treatment": "restructuring_talk", "may_contact": True,
        }
    ]  # fmt: skip


def everything(home) -> dict[str, pa.Table]:
    store = store_of(home)
    campaigns = measured_campaigns(home, store, AS_OF, CONFIG.measurement.effect.months)
    offers, _ = offers_and_clients(store, campaigns, CONFIG, AS_OF)
    found = sales_and_clients(store, campaigns, CONFIG, AS_OF, offers)
    assert found.lines
    return found.tables()


def test_what_became_known_later_changes_no_figure(home) -> None:
    campaign(home, JUNE, [{"customer_id": who, "offer_id": CARD} for who in ("C1", "C2")])
    know(
        home,
        HOLDINGS,
        """
        holding_id | customer_id | product_id  | opened_on
        H1         | C1          | credit_card | 2026-06-21
    """,
    )
    before, (known_before, returned) = everything(home), known(home)
    late = {"recorded_at": datetime(2026, 11, 1, tzinfo=UTC)}
    know(
        home,
        CONTACTS,
        """
        contact_id | customer_id | product_id | channel | contacted_on | disposition |disposition_on
        K1 | C1 | credit_card | app | 2026-06-01 | opt_out | 2026-06-02
        K9 | C2 | credit_card | app | 2026-06-13 | refused | 2026-06-13
    """,
        **late,
    )
    know(
        home,
        DISPOSITIONS,
        """
        customer_id | offer_id | disposition_at | disposition | channel | product_id | branch_id
        C2 | credit_card_2026 | 2026-06-14 11:00:00 | complaint | phone | credit_card | B1
    """,
        **late,
    )
    know(
        home,
        FLAGS,
        """
        customer_id | flag           | valid_from | valid_to
        C2          | vulnerable     | 2026-06-01 |
        C2          | complaint_open | 2026-06-15 |
    """,
        **late,
    )
    know(
        home,
        CONSENTS,
        """
        customer_id | purpose            | channel | changed_at          | is_granted
        C2          | marketing_internal | phone   | 2026-06-15 09:00:00 | false
    """,
        **late,
    )
    know(
        home,
        HOLDINGS,
        """
        holding_id | customer_id | product_id  | opened_on
        H2         | C2          | credit_card | 2026-06-21
    """,
        **late,
    )
    know(
        home,
        CUSTOMERS,
        """
        customer_id | household_id | left_on
        C2          | H1           | 2026-10-01
    """,
        **late,
    )
    know(
        home,
        CUSTOMER_MERGES,
        """
        customer_id | survivor_id | merged_on
        C2          | C1          | 2026-10-01
    """,
        **late,
    )
    after = everything(home)
    assert before["credit"].to_pylist()[0]["goals"] == 1
    assert [name for name in before if not after[name].equals(before[name])] == []
    # Few clients are not told of, but all of them are known.
    known_after, returned_after = known(home)
    for name, rows in vars(known_before).items():
        assert rows.equals(getattr(known_after, name)), name
    assert returned.equals(returned_after)


def test_results_that_branches_returned_of_measured_offers_are_told_with_their_consent(
    home,
) -> None:
    record = campaign(home, JUNE, [{"customer_id": "C1", "offer_id": CARD}])
    said = {"channel": "phone", "product_id": "home_insurance", "branch_id": "B1"}
    text = """
        customer_id | offer_id            | disposition_at      | disposition | has_consent
        C7          | home_insurance_2026 | 2026-06-14 11:00:00 | contacted   | false
    """
    know(home, DISPOSITIONS, text, run_id=record.run_id, advisor_id="A1", **said)
    assert known(home)[1].to_pylist() == [
        {
            "campaign": record.run_id, "product_id": "home_insurance", "branch_id": "B1",
            "advisor_id": "A1", "partner_id": "aurora_insurance", "has_consent": False,
        }
    ]  # fmt: skip
