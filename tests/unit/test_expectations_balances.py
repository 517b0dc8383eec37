"""Balances that don't follow from the bookings are told, whatever their order within a day."""

from datetime import date

from conf.load import load_config
from expectations.balances import account_balances, balance_facts
from tables.sources import TRANSACTIONS
from tests.tables import table_rows

AS_OF = date(2024, 4, 1)
LIMITS = load_config("local", ()).checks.trailing
GOOD = """
    account_id | booked_on  | amount | balance_after
    A1         | 2024-02-20 | 10.00  | 10.00
    A1         | 2024-02-29 | 70.00  | 100.00
    A1         | 2024-02-29 | 20.00  | 30.00
    A1         | 2024-03-05 | -0.01  | 99.99
    A1         | 2024-03-31 | -99.99 | 50.00
    A1         | 2024-03-31 | 50.00  | 149.99
"""


def bookings(spark, text):
    numbered = [
        f"{line} | {'transaction_id' if number == 0 else f'T{number}'}"
        for number, line in enumerate(text.strip().splitlines())
    ]
    return table_rows(spark, TRANSACTIONS, "\n".join(numbered), currency="EUR")


def found(spark, text):
    row = account_balances(bookings(spark, text), AS_OF).collect()[0]
    return row["accounts"], row["unbalanced"]


def test_balances_that_follow_are_found_to(spark):
    assert found(spark, GOOD) == (1, 0)


def test_a_wrong_amount_a_missing_booking_and_a_turned_sign_are_found(spark):
    for broken in (
        GOOD.replace("-0.01 ", "-0.02 "),
        GOOD.replace("| -0.01 ", "| 0.01 "),
        "\n".join(line for line in GOOD.splitlines() if "2024-03-05" not in line),
    ):
        assert found(spark, broken) == (1, 1)


def test_without_bookings_the_month_before_the_first_day_of_the_month_is_compared_with(spark):
    text = """
        account_id | booked_on  | amount | balance_after
        A1         | 2024-03-02 | 10.00  | 510.00
        A1         | 2024-03-09 | 5.00   | 515.00
        A2         | 2024-03-02 | 10.00  | 510.00
        A2         | 2024-03-09 | 5.00   | 514.00
    """
    assert found(spark, text) == (2, 1)


def test_accounts_that_cannot_be_compared_are_left_out(spark):
    text = """
        account_id | booked_on  | amount | balance_after
        A1         | 2024-03-02 | 10.00  | 510.00
        A2         | 2024-03-02 | 10.00  | 510.00
        A2         | 2024-03-09 | 5.00   |
        A3         | 2024-02-02 | 10.00  | 510.00
        A3         | 2024-02-09 | 5.00   | 1.00
        A4         | 2024-01-31 | 10.00  | 510.00
        A4         | 2024-03-09 | 5.00   | 1.00
        A5         | 2024-02-29 | 10.00  | 510.00
        A5         | 2024-02-29 | 10.00  |
        A5         | 2024-03-09 | 5.00   | 1.00
    """
    assert found(spark, text) == (0, 0)


def test_the_share_of_accounts_is_a_warning_first_and_then_stops_publication(spark):
    def broken(unbalanced):
        rows = ["account_id | booked_on | amount | balance_after"]
        for number in range(100):
            after = 14 if number < unbalanced else 15
            rows.append(f"A{number} | 2024-02-02 | 10.00 | 10.00")
            rows.append(f"A{number} | 2024-03-09 | 5.00 | {after}.00")
        facts = balance_facts(bookings(spark, "\n".join(rows)), AS_OF, LIMITS)
        assert {fact.detail for fact in facts} == {f"{unbalanced} of 100 accounts"}
        return [fact.severity for fact in facts if fact.measure > fact.at_most]

    assert broken(1) == []
    assert broken(2) == ["warning"]
    assert broken(51) == ["warning", "critical"]


def test_a_handful_of_accounts_proves_nothing(spark):
    assert balance_facts(bookings(spark, GOOD), AS_OF, LIMITS) == ()
