"""Events that make an offer due: first and last day, what is known, and when it passes again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from pyspark.sql import SparkSession

from campaigns.triggers import OfferDays, due_on, event_features, maturing_products, trigger_gates
from conf.load import load_config
from conf.moves import Trigger
from features.catalogue import feature_catalogue
from tables.sources import HOLDINGS
from tests.bank import PRODUCTS, snapshot, source_tables, written
from tests.tables import table_rows

AS_OF = date(2024, 3, 1)  # lists begin on 8 March
RENEWAL = "offers.r={product: term_deposit, move: renewal, channels: [phone], contact_cost: 1.00, \
validity_days: 30, talking_point_id: T, trigger: {event: maturity, days_before: [30, 5]}}"
START = "offers.s={product: savings_account, channels: [phone], contact_cost: 1.00, \
validity_days: 30, talking_point_id: T, trigger: {event: salary_start, within_days: 30}}"
CREDIT = "offers.c={product: investment_fund, channels: [phone], contact_cost: 1.00, \
validity_days: 30, talking_point_id: T, trigger: {event: large_credit, within_days: 38}}"
BRANCH = "offers.b={product: home_insurance, channels: [phone], contact_cost: 1.00, \
validity_days: 30, talking_point_id: T, trigger: {event: branch_changed, within_days: 191}}"
CONFIG = load_config("local", [RENEWAL, START, CREDIT, BRANCH])


def told(spark: SparkSession, holdings: str) -> dict[str, tuple[bool, date | None, date | None]]:
    """By customer: the offer of renewal fails, the day it is due for, when it passes again."""
    rows = maturing_products(
        table_rows(
            spark, HOLDINGS, holdings, product_id="term_deposit", opened_on=date(2023, 1, 1)
        ),
        AS_OF,
    )
    offer = CONFIG.offers["r"]
    [gate] = trigger_gates(offer, CONFIG, AS_OF)
    due = due_on(offer, CONFIG, AS_OF)
    found = rows.select("customer_id", gate.fails, due, gate.passes_on).collect()
    return {row[0]: tuple(row[1:]) for row in found}


def test_a_renewal_is_due_if_a_day_before_the_end_is_a_day_of_the_offer(
    spark: SparkSession,
) -> None:
    # The offer can be made from 8 March to 6 April, from 30 to 5 days before the end.
    found = told(
        spark,
        """
        holding_id | customer_id | matures_on | closed_on
        1          | too_late    | 2024-03-12 |
        2          | last_day    | 2024-03-13 |
        3          | first_day   | 2024-05-06 |
        4          | too_soon    | 2024-05-07 |
        5          | two         | 2024-04-09 |
        6          | two         | 2024-04-08 |
        7          | two         | 2024-09-01 |
        8          | notice      | 2024-04-08 | 2024-04-07
        9          | ends_so     | 2024-04-08 | 2024-04-08
        10         | past        | 2024-02-29 |
        """,
    )
    assert found == {
        "too_late": (True, None, None),
        "last_day": (False, date(2024, 3, 13), None),
        "first_day": (False, date(2024, 5, 6), None),
        "too_soon": (True, None, date(2024, 3, 2)),
        "two": (False, date(2024, 4, 8), date(2024, 6, 27)),
        "ends_so": (False, date(2024, 4, 8), None),
    }


def test_the_day_on_which_an_end_passes_again_is_the_first_that_does(spark: SparkSession) -> None:
    days = OfferDays.of(CONFIG.offers["r"], 7, date(2024, 3, 2))
    assert days.of_event(trigger("r"), date(2024, 3, 2), date(2024, 5, 7)) == OfferDays(
        date(2024, 4, 7), date(2024, 4, 7)
    )


def test_another_product_that_ends_is_none_of_the_offer(spark: SparkSession) -> None:
    other = "holding_id | customer_id | product_id | matures_on\n1 | C1 | credit_card | 2024-04-08"
    rows = maturing_products(table_rows(spark, HOLDINGS, other, opened_on=date(2023, 1, 1)), AS_OF)
    named = load_config("local", [f"{RENEWAL}", "offers.r.trigger.of=credit_card"])
    dues = [due_on(one.offers["r"], one, AS_OF) for one in (CONFIG, named)]
    assert rows.select(*dues).collect() == [(None, date(2024, 4, 8))]


def trigger(offer_id: str) -> Trigger:
    found = CONFIG.offers[offer_id].trigger
    assert found
    return found


def test_the_days_of_an_offer_follow_its_event_and_stay_within_it() -> None:
    days = OfferDays.of(CONFIG.offers["r"], 7, AS_OF)
    assert days == OfferDays(date(2024, 3, 8), date(2024, 4, 6))

    def around(offer_id: str, event_on: date | None) -> tuple[date, date]:
        found = days.of_event(trigger(offer_id), AS_OF, event_on)
        return found.first, found.last

    assert around("r", date(2024, 3, 13)) == (date(2024, 3, 8), date(2024, 3, 8))
    assert around("r", date(2024, 4, 20)) == (date(2024, 3, 21), date(2024, 4, 6))
    assert around("r", date(2024, 4, 5)) == (date(2024, 3, 8), date(2024, 3, 31))
    assert around("s", date(2024, 2, 20)) == (date(2024, 3, 8), date(2024, 3, 21))
    assert around("c", None) == (date(2024, 3, 8), date(2024, 3, 8)), "it may be 31 days ago"
    assert around("b", None) == (date(2024, 3, 8), date(2024, 3, 8))


def dues(spark: SparkSession, offer_id: str, ddl: str, values: Iterable[Any]) -> list[Any]:
    offer = CONFIG.offers[offer_id]
    [gate] = trigger_gates(offer, CONFIG, AS_OF)
    assert gate.passes_on is None, "time alone makes no other event happen"
    rows = spark.createDataFrame(list(values), ddl)
    found = rows.select(due_on(offer, CONFIG, AS_OF), gate.fails).collect()
    assert all((day is None) == fails for day, fails in found)
    return [day for day, _ in found]


def test_a_first_income_makes_an_offer_due_for_so_many_days(spark: SparkSession) -> None:
    ddl = "income_months_12m int, days_since_last_income int"
    # 30 days after 7 February the lists begin; it lies 23 days back.
    values = [(1, 1), (1, 23), (1, 24), (2, 1), (0, None), (None, None)]
    assert dues(spark, "s", ddl, values) == [
        date(2024, 2, 29), date(2024, 2, 7), None, None, None, None,
    ]  # fmt: skip
    late = load_config("local", [START, "offers.s.trigger.within_days=366"])
    rows = spark.createDataFrame([(1, 31), (1, 32)], ddl)
    noticed = rows.select(due_on(late.offers["s"], late, AS_OF)).collect()
    assert [row[0] is None for row in noticed] == [False, True], "only the last month begins"


def test_more_than_usual_is_so_many_times_as_much(spark: SparkSession) -> None:
    found = dues(
        spark, "c", "largest_credit_to_inflow_1m double", [(1.99,), (2.0,), (9.0,), (None,)]
    )
    assert found == [None, date(2024, 1, 30), date(2024, 1, 30), None]


def test_another_branch_than_before(spark: SparkSession) -> None:
    found = dues(spark, "b", "has_branch_changed_6m boolean", [(True,), (False,), (None,)])
    assert [day is not None for day in found] == [True, False, False]


def test_an_event_that_is_recorded_later_makes_nothing_due(spark: SparkSession) -> None:
    """Poison the future: what was recorded, or booked, on the as-of date or later is not known."""
    as_of = date(2024, 4, 1)
    bookings = """
        transaction_id | booked_on  | recorded_at | amount  | category
        old            | 2023-08-01 | 2023-08-01  | 500.00  | transfer
        """
    holdings = """
        holding_id | product_id   | opened_on  | matures_on | recorded_at
        H1         | term_deposit | 2023-01-01 | 2025-04-20 | 2023-01-01
        """
    known = written(
        accounts="account_id | customer_id\nA1 | C1", transactions=bookings, holdings=holdings
    )
    poisoned = written(
        customers="""
            customer_id | branch_id | recorded_at
            C1          | B1        | 2020-01-01
            C1          | B2        | 2024-04-01
            """,
        accounts="account_id | customer_id\nA1 | C1",
        transactions=bookings
        + """
        credit         | 2024-03-20 | 2024-04-01  | 9000.00 | transfer
        later          | 2024-04-01 | 2024-04-01  | 9000.00 | transfer
        salary         | 2024-03-25 | 2024-04-01  | 2000.00 | salary
        """,
        holdings=holdings
        + """
        H1         | term_deposit | 2023-01-01 | 2024-04-20 | 2024-04-01
        H2         | term_deposit | 2023-01-01 | 2024-04-20 | 2024-04-02
        """,
    )
    in_time = written(
        accounts="account_id | customer_id\nA1 | C1",
        transactions=bookings + "credit | 2024-03-20 | 2024-03-31 | 9000.00 | transfer\n"
        "salary | 2024-03-25 | 2024-03-31 | 2000.00 | salary",
        holdings=holdings + "H2 | term_deposit | 2023-01-01 | 2024-04-20 | 2024-03-31",
    )

    def events(bank: Any) -> set[str]:
        names = event_features(CONFIG)
        features = [one for one in feature_catalogue(PRODUCTS) if one.name in names]
        ends = maturing_products(source_tables(spark, bank, as_of).holdings, as_of)
        row = snapshot(spark, bank, features, as_of)["C1"]
        ddl = ", ".join(f"{one.name} {one.type}" for one in features)
        facts = spark.createDataFrame([tuple(row[one.name] for one in features)], ddl)
        found = facts.crossJoin(ends).select(
            *(due_on(CONFIG.offers[name], CONFIG, as_of).alias(name) for name in ("r", "s", "c"))
        )
        [days] = found.collect()
        return {name for name in ("r", "s", "c") if days[name]}

    assert events(poisoned) == events(known) == set()
    assert events(in_time) == {"r", "s", "c"}


def test_an_offer_without_a_trigger_has_no_gate() -> None:
    assert trigger_gates(CONFIG.offers["term_deposit_2026"], CONFIG, AS_OF) == []
