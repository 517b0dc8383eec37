"""Whether clients use what they bought, against bookings put into a tiny bank by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pyarrow as pa
import pytest

from conf.errors import ConfigError
from conf.load import load_config
from conf.product_use import ProductUse
from jobs.measurement.campaigns import measured_campaigns
from jobs.measurement.contacts import known_of_clients
from jobs.measurement.offers import offers_and_clients
from jobs.measurement.sales_and_clients import sales_and_clients
from measurement.client_use import client_use
from measurement.client_value import BOUGHT
from tables.sources import ACCOUNTS, CUSTOMER_MERGES, CUSTOMERS, HOLDINGS, TRANSACTIONS
from tests.measured_home import CONFIG, campaign, know, open_home, store_of
from tests.offers_table import campaign as past_campaign, offers, sold

JUNE, SINCE, AS_OF = date(2026, 6, 1), date(2025, 11, 1), date(2026, 11, 1)
SAVINGS = "savings_account_2026"
CLIENTS = ("C1", "C2", "C3", "C4", "C5", "C6", "C7")
TOO_LATE = {"recorded_at": datetime(2026, 11, 1, tzinfo=UTC)}
BOOKINGS = """
    transaction_id | account_id | booked_on  | amount | category | customer_id
    T0             | A1         | 2026-07-01 |   5.00 | savings  | C1
    T1             | A1         | 2026-07-19 |  10.00 | savings  | C1
    T2             | A1         | 2026-07-20 |  10.00 |          | C1
    T3             | A1         | 2026-09-19 |  10.00 | transfer | C1
    T4             | A2         | 2026-06-20 | 500.00 | savings  | C2
    T5             | A2         | 2026-06-30 |   1.00 | interest | C2
    T6             | A3         | 2026-07-01 |  -9.00 | savings  | C3
    T7             | A4         | 2026-07-01 |   9.00 | savings  | C4
    T8             | A5         | 2026-09-20 |   9.00 | savings  | C5
    T9             | K1         | 2026-08-01 |   9.00 | savings  | K1
"""


@pytest.fixture
def home(tmp_path):
    """C4's savings lie on a current account; C7 bought too late; X1 was not offered anything."""
    found = open_home(tmp_path / "home", AS_OF)
    know(found, CUSTOMERS, "customer_id\n" + "\n".join((*CLIENTS, "K1", "X1")))
    own = ["C1", "C2", "C3", "C5", "C6", "C7", "K1", "X1"]
    know(
        found,
        ACCOUNTS,
        "account_id | customer_id | product_id\nA4 | C4 | current_account\n"
        + "\n".join(f"{who.replace('C', 'A')} | {who} | savings_account" for who in own),
        opened_on=date(2026, 6, 20),
        currency="EUR",
    )
    opened = {"C7": date(2026, 8, 2)}
    know(
        found,
        HOLDINGS,
        "holding_id | customer_id | product_id | account_id | opened_on\n"
        + "\n".join(
            f"H{who} | {who} | savings_account | {who.replace('C', 'A')}"
            f" | {opened.get(who, date(2026, 6, 20))}"
            for who in (*CLIENTS, "K1", "X1")
        ),
    )
    know(found, TRANSACTIONS, BOOKINGS, currency="EUR")
    made = [{"customer_id": who, "offer_id": SAVINGS} for who in CLIENTS]
    made += [{"customer_id": "K1", "offer_id": SAVINGS, "outcome": "control"}]
    campaign(found, JUNE, made)
    return found


def of_home(home, config=CONFIG):
    store = store_of(home)
    campaigns = measured_campaigns(home, store, AS_OF, config.measurement.effect.months)
    made, _ = offers_and_clients(store, campaigns, config, AS_OF)
    known, _ = known_of_clients(store, campaigns, config, AS_OF, since=SINCE, offers=made)
    return known.bought, (store, campaigns, config, AS_OF, made)


def months_used(home, config=CONFIG):
    return {row["customer_id"]: row["months_used"] for row in of_home(home, config)[0].to_pylist()}


def test_months_with_bookings_by_the_client_on_an_account_of_its_own_are_counted(home) -> None:
    # C1's second month begins on the 20th; of C2 there is only the day of opening and interest; C3
    # took money out; C5 put some in a day too late. Nobody can say of C4, nor yet of C7.
    assert months_used(home) == {
        "C1": 3, "C2": 0, "C3": 0, "C4": None, "C5": 0, "C6": 0, "C7": None, "K1": 1, "X1": None,
    }  # fmt: skip


def test_bookings_on_any_account_count_where_their_category_tells_them_apart(home) -> None:
    use = ProductUse(shown_by="bookings", categories=("savings",), channels=("app",))
    savings = CONFIG.products["savings_account"].model_copy(update={"use": use})
    config = CONFIG.model_copy(update={"products": CONFIG.products | {"savings_account": savings}})
    know(
        home,
        TRANSACTIONS,
        """
        transaction_id | account_id | booked_on  | amount | category | channel | customer_id
        U1             | A4         | 2026-07-01 |  -9.00 | savings  | app     | C4
        U2             | A4         | 2026-08-01 |  -9.00 | savings  | card    | C4
        U3             | A4         | 2026-08-01 |  -9.00 | transfer | app     | C4
    """,
        currency="EUR",
    )
    found = months_used(home, config)
    assert (found["C4"], found["C1"]) == (1, 0)


def test_what_became_known_later_changes_no_use(home) -> None:
    before = of_home(home)[0]
    know(
        home,
        TRANSACTIONS,
        """
        transaction_id|account_id| booked_on  | amount | category |customer_id| is_revision
        T10           | A6       | 2026-07-01 |  10.00 | savings  | C6        | false
        T1            | A6       | 2026-07-19 |  10.00 | savings  | C6        | true
    """,
        currency="EUR",
        **TOO_LATE,
    )
    assert of_home(home)[0].equals(before)


def test_the_last_known_version_of_a_booking_counts(home) -> None:
    know(
        home,
        TRANSACTIONS,
        """
        transaction_id|account_id|booked_on  | amount | category |customer_id|is_deleted|is_revision
        T1            | A6       | 2026-07-19 |  10.00 | savings  | C6        | false    | true
        T3            | A1       | 2026-09-19 |  10.00 | transfer | C1        | true     | true
    """,
        currency="EUR",
        recorded_at=datetime(2026, 10, 1, tzinfo=UTC),
    )
    found = months_used(home)
    assert (found["C1"], found["C6"]) == (2, 1)


def test_what_a_record_bought_that_was_merged_is_used_by_the_person(home) -> None:
    know(home, CUSTOMER_MERGES, "customer_id | survivor_id | merged_on\nC1 | X9 | 2026-10-01")
    found = months_used(home)
    assert ("C1" in found, found["X9"]) == (False, 3)


def test_used_is_told_of_who_was_offered_beside_who_was_not(home) -> None:
    measured = sales_and_clients(*of_home(home, load_config("local", ["fairness.min_cell=1"]))[1])
    found = measured.clients
    worth = {(one.kind, one.name): (one.count, one.of) for one in found.worth}
    assert worth["used", "all"] == worth["used", "savings_account"] == (1, 5)
    assert worth["used_without_offer", "all"] == (1, 1)
    assert [one.clients for one in found.worth if one.kind == "use_on_shared_account"] == [1]
    told = " ".join(measured.client_sentences)
    assert "20.0 % [" in told and "bought without one, 100.0 % [" in told
    assert "no account of their own: Savings account (1 clients)." in told


def held(rows, **more):
    return [
        {"customer_id": row["customer_id"], "product_id": row["product_id"],
         "opened_on": row["bought_on"], **{name: value(at) for name, value in more.items()}}
        for at, row in enumerate(rows)
    ]  # fmt: skip


def test_given_back_is_not_used_and_what_shows_no_use_is_told_apart() -> None:
    bought = sold(date(2023, 10, 20), date(2023, 10, 12))
    products = {
        "card": CONFIG.products["credit_card"],
        "loan": CONFIG.products["personal_loan"],
        "cover": CONFIG.products["home_insurance"],
    }
    rows = [bought] * 4 + [bought | {"product_id": name} for name in ("loan", "cover", "cover")]
    made = offers(rows)
    known = held(
        made.to_pylist(),
        closed_on={1: date(2024, 1, 19), 2: date(2024, 1, 20)}.get,
        months_used=[3, 2, 2, 1, None, None, None].__getitem__,
    )
    settings = CONFIG.measurement.clients.model_copy(update={"used_in_months": 2})

    def told(least):
        found = client_use(
            made, [past_campaign()], products, pa.Table.from_pylist(known, BOUGHT),
            as_of=date(2024, 3, 1), settings=settings, least=least,
        )  # fmt: skip
        return [(one.kind, one.name, one.clients, one.count, one.of) for one in found]

    assert told(1) == [
        ("used", "all", 4, 2, 4),
        ("used", "card", 4, 2, 4),
        ("used_by_holding", "loan", 1, None, None),
        ("use_not_seen", "cover", 2, None, None),
    ]
    assert told(5) == [
        ("used", "all", None, None, None),
        ("used", "card", None, None, None),
        ("used_by_holding", "loan", None, None, None),
        ("use_not_seen", "cover", None, None, None),
    ]


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"shown_by": "bookings"}, "need categories or channels"),
        ({"shown_by": "holding", "direction": "in"}, "has no direction"),
    ],
)
def test_what_would_show_nothing_is_no_declaration(given, problem) -> None:
    with pytest.raises(ValueError, match=problem):
        ProductUse(**given)


def test_no_more_months_with_use_are_asked_for_than_are_looked_at() -> None:
    with pytest.raises(ConfigError, match="used_in_months is more than used_months"):
        load_config("local", ["measurement.clients.used_in_months=4"])
