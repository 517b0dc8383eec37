"""How much is on what ends: told where an account is nothing but that, and never guessed."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from campaigns.endings import Amount
from conf.load import load_config
from jobs.plan_campaign import ending_amounts
from tables.sources import HOLDINGS
from tests.bank import AS_OF, TABLES, Bank, written
from tests.tables import parse_rows
from tests.unit.test_campaigns_lists import decision, listed
from tests.unit.test_campaigns_move_lists import RENEWAL, RENEWED, reasons
from tests.versions_bank import stored_rows

ENDS = date(2024, 4, 20)
HELD = """
    holding_id | customer_id | product_id       | account_id | opened_on  | matures_on | closed_on
    H1         | own         | term_deposit     | own        | 2023-04-20 | 2024-04-20 |
    H2         | debited     | term_deposit     | debited    | 2023-04-20 | 2024-04-20 |
    H3         | none        | travel_insurance |            | 2023-04-20 | 2024-04-20 |
    H4         | two         | term_deposit     | two        | 2023-04-20 | 2024-04-20 |
    H5         | two         | term_deposit     | two_b      | 2023-04-20 | 2024-04-20 |
    H6         | shared      | term_deposit     | shared     | 2023-04-20 | 2024-04-20 |
    H7         | shared      | term_deposit     | shared     | 2023-04-20 | 2024-10-20 |
    H8         | another     | term_deposit     | own        | 2023-04-20 | 2024-04-20 | 2024-01-01
    H9         | owes        | personal_loan    | owes       | 2023-04-20 | 2024-04-20 |
    H10        | foreign     | term_deposit     | foreign    | 2023-04-20 | 2024-04-20 |
    H11        | later       | term_deposit     | later      | 2023-04-20 | 2024-05-20 |
    H12        | unknown     | term_deposit     | unknown    | 2023-04-20 | 2024-04-20 |
"""
ACCOUNTS = """
    account_id | customer_id | product_id      | currency
    own        | own         | term_deposit    | EUR
    debited    | debited     | current_account | EUR
    two        | two         | term_deposit    | EUR
    two_b      | two         | term_deposit    | EUR
    shared     | shared      | term_deposit    | EUR
    owes       | owes        | personal_loan   | EUR
    foreign    | foreign     | term_deposit    | RON
    later      | later       | term_deposit    | EUR
    unknown    | unknown     | term_deposit    | EUR
"""
BOOKINGS = """
    transaction_id | account_id | customer_id | booked_on  | amount  | balance_after
    T1             | own        | own         | 2023-04-20 | 9000.00 | 9000.00
    T2             | own        | own         | 2024-02-29 | 3000.00 | 12000.49
    T3             | own        | own         | 2024-03-05 | 1.00    |
    T4             | debited    | debited     | 2024-03-01 | 5000.00 | 5000.00
    T5             | two        | two         | 2024-03-01 | 5000.00 | 5000.00
    T6             | two_b      | two         | 2024-03-01 | 5000.00 | 5000.00
    T7             | shared     | shared      | 2024-03-01 | 5000.00 | 5000.00
    T8             | owes       | owes        | 2024-03-01 | 5.00    | -5000.00
    T9             | foreign    | foreign     | 2024-03-01 | 5000.00 | 5000.00
    T10            | later      | later       | 2024-03-01 | 5000.00 | 5000.00
"""
CLIENTS = "customer_id\n" + "\n".join(
    ["own", "debited", "none", "two", "shared", "another", "owes", "foreign", "later", "unknown"]
)


@pytest.fixture
def bank() -> Bank:
    return written(customers=CLIENTS, holdings=HELD, accounts=ACCOUNTS, transactions=BOOKINGS)


def found(spark: SparkSession, bank: Bank, folder: Path, event: str = "maturity") -> Any:
    store = stored_rows(spark, folder, bank)
    run: Any = SimpleNamespace(spark=spark, store=store, as_of=AS_OF)
    made = pa.table(
        {
            "customer_id": [row["customer_id"] for row in bank["customers"]],
            "event": [event] * len(bank["customers"]),
            "event_on": [ENDS] * len(bank["customers"]),
        }
    )
    return ending_amounts(run, made, store.known_before(HOLDINGS, AS_OF))


TOLD = {
    ("own", "term_deposit", ENDS): Amount(Decimal("12000.49"), "EUR"),
    ("foreign", "term_deposit", ENDS): Amount(Decimal("5000.00"), "RON"),
}


def test_only_the_balance_of_an_account_of_its_own_is_told(
    spark: SparkSession, bank: Bank, tmp_path: Path
) -> None:
    assert found(spark, bank, tmp_path) == TOLD
    assert found(spark, bank, tmp_path, "large_credit") == {}


def test_what_was_known_later_changes_no_amount(
    spark: SparkSession, bank: Bank, tmp_path: Path
) -> None:
    later = datetime(2024, 4, 1, tzinfo=UTC)
    poison = {
        "transactions": """
            transaction_id | account_id | customer_id | booked_on  | amount | balance_after
            T2             | own        | own         | 2024-02-29 | 9.00   | 9.00
            P1             | own        | own         | 2024-03-31 | 9.00   | 99.00
            P2             | own        | own         | 2024-04-02 | 9.00   | 999.00
            P3             | unknown    | unknown     | 2024-03-01 | 9.00   | 9999.00
        """,
        "accounts": "account_id | customer_id | product_id\ndebited | debited | term_deposit",
        "holdings": """
            holding_id | customer_id | product_id   | account_id | opened_on  | matures_on
            H1         | own         | term_deposit | debited    | 2023-04-20 | 2024-04-21
            P4         | own         | term_deposit | own        | 2024-03-01 | 2024-04-20
        """,
    }
    for name, text in poison.items():
        defaults = {"currency": "EUR", "opened_on": date(2020, 1, 1)}
        known = {column.name for column in TABLES[name].columns}
        usual = {key: value for key, value in defaults.items() if key in known}
        bank[name] += [
            row | {"is_revision": True}
            for row in parse_rows(TABLES[name], text, recorded_at=later, **usual)
        ]
    assert found(spark, bank, tmp_path) == TOLD


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "The term deposit ends on 20 April 2024 with 12,000 EUR on it: talk about it"
               " between 21 March and 6 April"),
        ("it", "«Deposito vincolato» scade il 20 aprile 2024 con un saldo di 12.000 EUR: parlarne"
               " tra il 21 marzo e il 6 aprile"),
        ("ro", "„Depozit la termen” ajunge la scadență pe 20 aprilie 2024 cu un sold de 12.000 EUR:"
               " de discutat între 21 martie și 6 aprilie"),
        ("ru", "Срок продукта «Срочный вклад» истекает 20 апреля 2024, остаток 12\u00a0000 EUR:"
               " поговорить с 21 марта по 6 апреля"),
    ],
)  # fmt: skip
def test_a_renewal_names_the_amount_where_it_is_known(language: str, sentence: str) -> None:
    config = load_config("local", [RENEWAL, f"bank.language={language}"])
    known = {("C1", "term_deposit", ENDS): Amount(Decimal("12000.49"), "EUR")}
    rows = listed(
        decision("C1", 1, **RENEWED), decision("C2", 2, **RENEWED), config=config, amounts=known
    )
    named, plain = rows.to_pylist()
    assert reasons(named)[0] == sentence
    assert "12" not in reasons(plain)[0].replace("2024", "")
