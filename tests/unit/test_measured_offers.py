"""What became of offers, against what was put into a tiny bank by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from jobs.measurement.campaigns import measured_campaigns
from jobs.measurement.offers import offers_and_clients
from measurement.offers import CLIENTS, OFFERS
from tables.derived import DISPOSITIONS
from tables.sources import CONSENTS, CONTACTS, CUSTOMER_MERGES, CUSTOMERS, FLAGS, HOLDINGS
from tests.measured_home import CONFIG, KNOWN, campaign, know, measured, open_home, store_of

# Its outcome window: 8 June to 7 August; the same product again until 7 October.
JUNE, AS_OF = date(2026, 6, 1), date(2026, 11, 1)
CARD, FUND = "credit_card_2026", "investment_fund_2026"
PACKAGE, RENEWAL = "travel_package_2026", "travel_insurance_renewal_2026"


@pytest.fixture
def home(tmp_path):
    return open_home(tmp_path / "home", AS_OF)


def by_client(home, as_of=AS_OF):
    offers, _ = measured(home, as_of)
    return {row["customer_id"]: row for row in offers}


def told(home, *names):
    return {who: tuple(row[name] for name in names) for who, row in by_client(home).items()}


def offered(*clients, offer_id=CARD, **more):
    return [{"customer_id": who, "offer_id": offer_id} | more for who in clients]


def test_offered_is_treated_and_only_the_campaigns_own_control_is_held_against_it(home):
    others = [
        {"customer_id": f"X{place}", "offer_id": CARD, "outcome": outcome}
        for place, outcome in enumerate(("outranked", "over_capacity", "suppressed", "ineligible"))
    ]
    holdout = offered("G1", outcome="control", is_in_control_group=False, is_in_global_holdout=True)
    campaign(home, JUNE, [*offered("C1"), *offered("K1", outcome="control"), *others, *holdout])
    assert told(home, "is_treated") == {"C1": (True,), "K1": (False,)}


def test_standing_campaigns_of_the_months_before_are_measured(home):
    for as_of in (date(2025, 10, 1), date(2025, 11, 1), JUNE, AS_OF):
        campaign(home, as_of, offered("C1"), ["campaign.control_share=0.2"])
    newer = campaign(home, JUNE, offered("C2"))
    found = [one.campaign for one in measured_campaigns(home, store_of(home), AS_OF, months=12)]
    assert [one.as_of for one in found] == [date(2025, 11, 1), JUNE]
    first, june = found
    assert (june.run_id, june.control_share, first.control_share) == (newer.run_id, 0.1, 0.2)
    assert (june.opens, june.ends) == (date(2026, 6, 8), date(2026, 8, 8))


@pytest.mark.parametrize(
    ("delivered", "as_of", "expected"),
    [
        (date(2026, 8, 8), date(2026, 9, 1), (True, True)),
        (date(2026, 7, 1), date(2026, 8, 1), (False, True)),
        (JUNE, date(2026, 9, 1), (True, False)),
    ],
)
def test_it_is_told_whether_the_window_is_over_and_anything_was_delivered_since(
    tmp_path, delivered, as_of, expected
):
    home = open_home(tmp_path / "other", delivered)
    campaign(home, JUNE, offered("C1"))
    [found] = measured_campaigns(home, store_of(home), as_of, months=12)
    assert (found.campaign.is_matured, found.campaign.has_deliveries) == expected


def test_attributes_are_those_known_before_the_campaign(home):
    campaign(home, JUNE, offered("C1", "C2", "C3"))
    know(home, CUSTOMERS, """
        customer_id | segment  | advisor_id | recorded_at
        C1          | mass     | A1         | 2026-01-01
        C1          | affluent | A2         | 2026-05-31
        C1          | vip      | A3         | 2026-06-01
        C2          | mass     |            | 2026-06-02
        C3          | mass     |            | 2026-01-01
    """)  # fmt: skip
    know(home, HOLDINGS, """
        holding_id | customer_id | product_id      | opened_on  | closed_on  | recorded_at
        H1         | C1          | mortgage        | 2020-01-01 |            | 2026-01-01
        H2         | C1          | current_account | 2020-01-01 |            | 2026-01-01
        H2         | C1          | current_account | 2020-01-01 | 2026-05-01 | 2026-06-03
        H3         | C3          | mortgage        | 2026-05-01 |            | 2026-06-01
        H4         | C3          | mortgage        | 2020-01-01 | 2026-05-31 | 2026-05-31
        H5         | C3          | savings_account | 2020-01-01 |            | 2026-01-01
    """)  # fmt: skip
    assert told(home, "segment", "advisor_id", "combination") == {
        "C1": ("affluent", "A2", "current_account + mortgage → credit_card"),
        "C2": (None, None, "nothing → credit_card"),
        "C3": ("mass", None, "nothing → credit_card"),  # savings are no core product
    }


def test_credit_is_the_configured_rule_of_the_campaign(home):
    shares = ["credit.shares.closer=0.6", "credit.shares.referrer=0.4"]
    rows = [
        *offered("C1"),
        *offered("C2", offer_id="home_insurance_2026"),
        *offered("C3", offer_id="home_insurance_2026", branch_id="B7"),
    ]
    campaign(home, JUNE, rows, shares)
    know(home, CUSTOMERS, """
        customer_id | advisor_id
        C1          | A1
        C2          | A2
        C3          |
    """)  # fmt: skip
    names = ("credit_owner", "credit_share", "referral_owner", "referral_share")
    assert told(home, *names) == {
        "C1": ("A1", 1.0, None, None),
        "C2": ("aurora_insurance", 0.6, "A2", 0.4),
        "C3": ("aurora_insurance", 0.6, "B7", 0.4),
    }


def test_bought_is_opened_in_the_outcome_window_and_earns_its_margin_if_it_is_kept(home):
    campaign(home, JUNE, offered(*(f"C{place}" for place in range(1, 9))))
    know(home, HOLDINGS, """
        holding_id | customer_id | product_id  | opened_on  | closed_on
        H1         | C1          | credit_card | 2026-06-07 |
        H2         | C2          | credit_card | 2026-06-08 |
        H3         | C3          | credit_card | 2026-08-07 |
        H4         | C4          | credit_card | 2026-08-08 |
        H5         | C5          | mortgage    | 2026-07-01 |
        H6         | C6          | credit_card | 2026-07-01 | 2026-08-30
        H7         | C7          | credit_card | 2026-07-01 | 2026-08-31
        H8         | C8          | credit_card | 2026-07-01 | 2026-07-02
        H9         | C8          | credit_card | 2026-07-05 |
    """)  # fmt: skip
    assert told(home, "bought_on", "is_cancelled", "revenue") == {
        "C1": (None, False, 0),  # in the gap
        "C2": (date(2026, 6, 8), False, 9000),
        "C3": (date(2026, 8, 7), False, 9000),
        "C4": (None, False, 0),  # too late
        "C5": (None, False, 0),  # something else
        "C6": (date(2026, 7, 1), True, 0),  # 60 days: given back
        "C7": (date(2026, 7, 1), False, 9000),
        "C8": (date(2026, 7, 1), False, 9000),  # given back, and bought again
    }


def test_a_package_is_bought_when_all_that_was_not_held_of_it_is(home):
    rows = offered("C1", "C2", "C3", "C4", offer_id=PACKAGE, move="bundle")
    campaign(home, JUNE, rows)
    know(home, HOLDINGS, """
        holding_id | customer_id | product_id       | opened_on
        H1         | C1          | credit_card      | 2020-01-01
        H2         | C1          | travel_insurance | 2026-07-01
        H3         | C2          | travel_insurance | 2026-07-01
        H4         | C3          | travel_insurance | 2026-07-01
        H5         | C3          | credit_card      | 2026-07-09
        H6         | C4          | credit_card      | 2026-07-09
    """)  # fmt: skip
    assert told(home, "bought_on", "bundle_id", "other_revenue") == {
        "C1": (date(2026, 7, 1), PACKAGE, 0),
        "C2": (None, PACKAGE, 0),  # the card is missing
        "C3": (date(2026, 7, 9), PACKAGE, 0),
        "C4": (None, PACKAGE, 0),
    }
    assert by_client(home)["C1"]["combination"].endswith("→ credit_card + travel_insurance")


def test_a_renewal_is_bought_when_the_client_has_the_product_after_its_end(home):
    ends = {"event": "maturity", "event_on": date(2026, 6, 20), "move": "renewal"}
    late = ends | {"event_on": date(2026, 10, 2)}
    campaign(home, JUNE, [
        *offered("C1", "C2", "C3", "C4", offer_id=RENEWAL, **ends),
        *offered("C5", offer_id=RENEWAL, **late),
    ])  # fmt: skip
    know(home, HOLDINGS, """
        holding_id | customer_id | product_id       | opened_on  | closed_on
        H1         | C1          | travel_insurance | 2025-06-20 |
        H2         | C2          | travel_insurance | 2025-06-20 | 2026-06-20
        H3         | C3          | travel_insurance | 2025-06-20 | 2026-06-20
        H4         | C3          | travel_insurance | 2026-06-25 |
        H5         | C4          | travel_insurance | 2025-06-20 | 2026-08-01
        H6         | C5          | travel_insurance | 2025-06-20 |
    """)  # fmt: skip
    assert told(home, "bought_on", "is_cancelled") == {
        "C1": (date(2026, 6, 20), False),
        "C2": (None, False),
        "C3": (date(2026, 6, 20), False),  # another one followed
        "C4": (date(2026, 6, 20), True),  # given up within 60 days
        "C5": (None, False),  # 30 days after its end are not over
    }


def test_other_products_and_the_same_later_are_told_apart(home):
    campaign(home, JUNE, offered("C1", "C2", "C3"))
    know(home, HOLDINGS, """
        holding_id | customer_id | product_id  | opened_on  | closed_on
        H1         | C1          | mortgage    | 2026-06-08 |
        H2         | C1          | gold_card   | 2026-08-07 |
        H3         | C1          | mortgage    | 2026-08-08 |
        H4         | C1          | gold_card   | 2026-07-01 | 2026-07-05
        H5         | C2          | credit_card | 2026-08-08 |
        H6         | C2          | credit_card | 2026-10-07 |
        H7         | C3          | credit_card | 2026-10-08 |
    """)  # fmt: skip
    products = {name: int(one.expected_margin * 100) for name, one in CONFIG.products.items()}
    both = products["mortgage"] + products["gold_card"]
    assert told(home, "other_revenue", "later_revenue") == {
        "C1": (both, 0),
        "C2": (0, 2 * products["credit_card"]),
        "C3": (0, 0),
    }
    before = measured(home, date(2026, 10, 1))[0]
    assert {row["later_revenue"] for row in before} == {None}  # not over


def test_contacts_are_those_about_the_product_each_counted_once(home):
    campaign(home, JUNE, [*offered("C1", "C2", "C3"), *offered("K1", outcome="control")])
    know(home, CONTACTS, """
        contact_id | customer_id | product_id  | contacted_on | disposition | disposition_on
        T1         | C1          | credit_card | 2026-06-10   | no_answer   |
        T2         | C1          | credit_card | 2026-06-20   | interested  | 2026-06-21
        T3         | C1          | mortgage    | 2026-06-22   | refused     |
        T4         | C1          | credit_card | 2026-05-31   | refused     |
        T5         | C1          | credit_card | 2026-08-08   | refused     |
        T6         | K1          | credit_card | 2026-06-10   |             |
    """, channel="phone")  # fmt: skip
    know(home, DISPOSITIONS, """
        customer_id | offer_id         | product_id  | disposition_at   | disposition | channel
        C1          | credit_card_2026 | credit_card | 2026-06-23 10:00 | sold        | phone
        C2          | credit_card_2026 | credit_card | 2026-07-01 23:30 | refused     | phone
        C2          | credit_card_2026 | credit_card | 2026-07-10 09:00 | complaint   | phone
    """)  # fmt: skip
    names = ("contacts", "contacted_on", "disposition", "disposition_on", "cost")
    assert told(home, *names) == {
        "C1": (2, date(2026, 6, 10), "sold", date(2026, 6, 23), 1000),
        "C2": (2, date(2026, 7, 1), "complaint", date(2026, 7, 10), 1000),
        "C3": (0, None, None, None, 0),
        "K1": (1, date(2026, 6, 10), None, None, 500),  # it came so, whatever was intended
    }


def test_a_lever_costs_when_it_is_accepted_or_offered_and_never_of_the_control(home):
    gift = {"lever_code": "welcome_bonus", "lever_cost": 20, "lever_cost_when": "accepted"}
    letter = gift | {"lever_cost_when": "offered"}
    campaign(home, JUNE, [
        *offered("C1", "C2", "C3", **gift), *offered("C4", **letter), *offered("C5"),
        *offered("K1", outcome="control", **gift), *offered("K2", outcome="control", **letter),
    ])  # fmt: skip
    know(home, HOLDINGS, """
        holding_id | customer_id | product_id  | opened_on  | closed_on
        H1         | C1          | credit_card | 2026-07-01 |
        H3         | C3          | credit_card | 2026-07-01 | 2026-07-20
        H5         | C5          | credit_card | 2026-07-01 |
        H6         | K1          | credit_card | 2026-07-01 |
    """)  # fmt: skip
    assert told(home, "cost") == {
        "C1": (2000,), "C2": (0,), "C3": (2000,), "C4": (2000,), "C5": (0,), "K1": (0,),
        "K2": (0,),
    }  # fmt: skip


def test_objections_and_complaints_from_the_campaign_to_the_end_of_its_window(home):
    clients = [f"C{place}" for place in range(1, 10)]
    campaign(home, JUNE, offered(*clients))
    know(home, CONSENTS, """
        customer_id | purpose            | channel | changed_at       | is_granted
        C1          | marketing_internal | phone   | 2026-01-01       | true
        C1          | marketing_internal | phone   | 2026-06-01 00:00 | false
        C2          | marketing_partner  | email   | 2026-08-07 23:59 | false
        C3          | profiling          | phone   | 2026-07-01       | false
        C4          | marketing_internal | phone   | 2026-08-08 00:00 | false
        C5          | marketing_internal | phone   | 2026-05-31 23:59 | false
        C5          | marketing_internal | phone   | 2026-07-01       | false
        C6          | marketing_internal | phone   | 2026-07-01       | true
    """)  # fmt: skip
    know(home, DISPOSITIONS, """
        customer_id | offer_id         | product_id  | disposition_at   | disposition | channel
        C7          | unknown          |             | 2026-07-01 10:00 | opt_out     | phone
        C8          | credit_card_2026 | credit_card | 2026-07-01 10:00 | complaint   | phone
    """)  # fmt: skip
    know(home, FLAGS, """
        customer_id | flag           | valid_from | valid_to
        C1          | complaint_open | 2026-05-31 |
        C2          | complaint_open | 2026-06-01 |
        C3          | vulnerable     | 2026-07-01 |
        C4          | complaint_open | 2026-08-08 |
    """)  # fmt: skip
    found = told(home, "has_opted_out", "has_complained")
    assert {who for who, (out, _) in found.items() if out} == {"C1", "C2", "C7"}
    assert {who for who, (_, complained) in found.items() if complained} == {"C2", "C8"}


def everything_about(home, who, recorded_at, number):
    """One of all that can follow on an offer of a card."""
    know(home, HOLDINGS, f"""
        holding_id | customer_id | product_id  | opened_on
        H{number}a | {who}       | credit_card | 2026-07-01
        H{number}b | {who}       | mortgage    | 2026-07-01
        H{number}c | {who}       | credit_card | 2026-09-01
    """, recorded_at=recorded_at)  # fmt: skip
    know(home, CONTACTS, f"""
        contact_id | customer_id | product_id  | channel | contacted_on | disposition
        T{number}  | {who}       | credit_card | phone   | 2026-06-20   | interested
    """, recorded_at=recorded_at)  # fmt: skip
    know(home, DISPOSITIONS, f"""
        customer_id | offer_id         | product_id  | disposition_at   | disposition | channel
        {who}       | credit_card_2026 | credit_card | 2026-07-01 10:00 | complaint   | phone
    """, recorded_at=recorded_at)  # fmt: skip
    know(home, CONSENTS, f"""
        customer_id | purpose            | channel | changed_at | is_granted
        {who}       | marketing_internal | phone   | 2026-07-01 | false
    """, recorded_at=recorded_at)  # fmt: skip
    know(home, FLAGS, f"""
        customer_id | flag           | valid_from
        {who}       | complaint_open | 2026-07-01
    """, recorded_at=recorded_at)  # fmt: skip


def test_what_was_recorded_on_or_after_the_date_changes_nothing(home):
    campaign(home, JUNE, [*offered("C1", "C2", "C3"), *offered("K1", outcome="control")])
    know(home, CUSTOMERS, """
        customer_id | segment
        C1          | mass
        C2          | mass
    """)  # fmt: skip
    everything_about(home, "C1", datetime(2026, 10, 31, 23, 59, 59, tzinfo=UTC), 1)
    before = measured(home, AS_OF)
    assert before[0][0]["has_complained"] and before[0][0]["later_revenue"]
    poison = datetime(2026, 11, 1, tzinfo=UTC)
    everything_about(home, "C2", poison, 2)
    know(home, HOLDINGS, """
        holding_id | customer_id | product_id  | opened_on  | closed_on
        H1a        | C1          | credit_card | 2026-07-01 | 2026-07-02
    """, recorded_at=poison)  # fmt: skip
    know(home, CUSTOMERS, """
        customer_id | segment
        C1          | vip
    """, recorded_at=poison)  # fmt: skip
    know(home, CUSTOMER_MERGES, """
        customer_id | survivor_id | merged_on
        C3          | C1          | 2026-10-01
    """, recorded_at=poison)  # fmt: skip
    campaign(home, AS_OF, offered("C3"))
    assert measured(home, AS_OF) == before


def test_a_person_who_was_merged_is_one_client_and_was_offered_what_any_record_was(home):
    rows = [
        *offered("C1", "C3"), *offered("C2", outcome="control"),
        *offered("C4", outcome="control"), *offered("C5", outcome="control", offer_id=FUND),
        *offered("C6", "C7"),
    ]  # fmt: skip
    campaign(home, JUNE, rows)
    know(home, CUSTOMER_MERGES, """
        customer_id | survivor_id | merged_on
        C2          | C1          | 2026-07-01
        C4          | C5          | 2026-07-01
        C6          | C9          | 2026-07-01
    """, recorded_at=datetime(2026, 7, 1, tzinfo=UTC))  # fmt: skip
    know(home, HOLDINGS, """
        holding_id | customer_id | product_id  | opened_on
        H1         | C2          | credit_card | 2026-07-01
        H2         | C9          | credit_card | 2026-07-01
    """)  # fmt: skip
    everything_about(home, "C6", KNOWN, 6)
    offers, clients = measured(home, AS_OF)
    found = {(row["customer_id"], row["offer_id"]): row for row in offers}
    assert {pair: row["is_treated"] for pair, row in found.items()} == {
        ("C1", CARD): True, ("C3", CARD): True, ("C5", CARD): False, ("C5", FUND): False,
        ("C7", CARD): True, ("C9", CARD): True,
    }  # fmt: skip
    assert found["C1", CARD]["revenue"] == 9000
    reached = found["C9", CARD]
    assert (reached["contacts"], reached["has_opted_out"], reached["has_complained"]) == (
        2, True, True,
    )  # fmt: skip
    assert [row["customer_id"] for row in clients] == ["C1", "C3", "C5", "C7", "C9"]


def test_what_was_merged_before_the_campaign_counts_among_what_was_held(home):
    know(home, CUSTOMER_MERGES, """
        customer_id | survivor_id | merged_on
        C2          | C1          | 2026-02-01
    """, recorded_at=datetime(2026, 5, 1, tzinfo=UTC))  # fmt: skip
    know(home, CUSTOMER_MERGES, """
        customer_id | survivor_id | merged_on
        C4          | C3          | 2026-07-01
    """, recorded_at=datetime(2026, 7, 1, tzinfo=UTC))  # fmt: skip
    know(home, HOLDINGS, """
        holding_id | customer_id | product_id      | opened_on
        H1         | C2          | current_account | 2020-01-01
        H2         | C4          | current_account | 2020-01-01
    """)  # fmt: skip
    campaign(home, JUNE, offered("C1", "C3"))
    assert told(home, "combination") == {
        "C1": ("current_account → credit_card",),
        "C3": ("nothing → credit_card",),  # nobody knew by then
    }


def test_clients_are_those_active_when_the_oldest_campaign_was_made(home):
    rows = [
        *offered("C1", propensity=0.1), *offered("C1", offer_id=FUND, propensity=0.005),
        *offered("G1", outcome="control", is_in_control_group=False, is_in_global_holdout=True),
        *offered("N1", outcome="ineligible", propensity=None),
    ]  # fmt: skip
    campaign(home, JUNE, rows)
    campaign(home, date(2026, 9, 1), offered("C2"))
    know(home, CUSTOMERS, """
        customer_id | segment
        C1          | mass
        G1          | vip
    """)  # fmt: skip
    know(home, HOLDINGS, """
        holding_id | customer_id | product_id | opened_on  | closed_on
        H1         | C1          | mortgage   | 2026-06-02 |
        H2         | C1          | gold_card  | 2026-10-31 |
        H3         | C1          | gold_card  | 2026-07-01 | 2026-07-10
        H4         | G1          | gold_card  | 2026-05-31 |
    """)  # fmt: skip
    know(home, CONTACTS, """
        contact_id | customer_id | product_id | channel | contacted_on
        T1         | C1          | mortgage   | phone   | 2026-10-31
        T2         | C1          | mortgage   | phone   | 2026-05-31
    """)  # fmt: skip
    products = {name: int(one.expected_margin * 100) for name, one in CONFIG.products.items()}
    _, clients = measured(home, AS_OF)
    nothing = {"has_opted_out": False, "has_complained": False}
    assert clients == [
        {
            "customer_id": "C1", "is_holdout": False, "segment": "mass",
            "expected": 900 + 45, "cost": 1200,
            "revenue": products["mortgage"] + products["gold_card"], **nothing,
        },
        {
            "customer_id": "G1", "is_holdout": True, "segment": "vip", "expected": 900,
            "revenue": 0, "cost": 0, **nothing,
        },
    ]  # fmt: skip


def test_tables_have_the_declared_columns_even_without_rows(home):
    campaign(home, JUNE, offered("C1", outcome="outranked", propensity=None))
    store = store_of(home)
    campaigns = measured_campaigns(home, store, AS_OF, months=12)
    offers, clients = offers_and_clients(store, campaigns, CONFIG, AS_OF)
    assert (offers.schema, clients.schema) == (OFFERS, CLIENTS)
    assert (offers.num_rows, clients.num_rows) == (0, 0)
