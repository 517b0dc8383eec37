"""Whatever a file holds, every row of it is accounted for, once."""

from __future__ import annotations

from datetime import date

from hypothesis import HealthCheck, given, settings, strategies as st

from conf.load import load_config
from jobs.home import Home
from jobs.publishing import Context, execute
from jobs.steps import INGEST
from tables.derived import DELIVERIES, QUARANTINE
from tables.sources import TRANSACTIONS
from tables.store import Store
from tests.deliveries import ANY_REASON, write_delivery

DAY = date(2024, 3, 1)
CONFIG = load_config(
    "local", ["checks.max_quarantine_share=1.0", ANY_REASON, "bank.transaction_buckets=2"]
)
CUSTOMERS = "customer_id\nC1\nC2"
ACCOUNTS = "account_id | customer_id\nA1 | C1\nA2 | C2"
BRANCHES = "branch_id | name | region\nB1 | North | N"
HOLDINGS = "holding_id | customer_id | product_id\nH1 | C1 | loan"
# Of each column what is right, and what breaks a rule.
CELLS = {
    "transaction_id": st.sampled_from(["T1", "T2", "T3", "T4", "T5", "T6", "T7", "T8", ""]),
    "account_id": st.sampled_from(["A1", "A1", "A2", "A2", "A9", ""]),
    "booked_on": st.sampled_from(["2024-02-10", "2024-02-10", "2024-02-30", "2030-01-01", "x"]),
    "amount": st.sampled_from(["1.00", "1.00", "-2.50", "-2.50", "1e3", "0.001", "", "NaN"]),
    "currency": st.sampled_from(["EUR", "EUR", "EUR", "euro"]),
    "recorded_at": st.sampled_from(["2024-02-10T18:00:00Z"] * 4 + ["2024-03-01T00:00:00Z", ""]),
}
ROWS = st.lists(st.fixed_dictionaries(CELLS), min_size=20, max_size=60)
GOOD = {
    "transaction_id": "T0",
    "account_id": "A1",
    "booked_on": "2024-02-10",
    "amount": "-1.00",
    "currency": "EUR",
    "recorded_at": "2024-02-10T18:00:00Z",
}


@settings(
    max_examples=2, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(ROWS)
def test_rows_in_are_accepted_or_quarantined(spark, tmp_path_factory, rows):
    # One sound credit and debit, so that the contracts have something to look at.
    lines = [GOOD, GOOD | {"transaction_id": "T00", "amount": "1.00"}, *rows]
    text = "\n".join([" | ".join(CELLS), *(" | ".join(row.values()) for row in lines)])
    home = Home(tmp_path_factory.mktemp("home"))
    home.create()
    tables = {"branches": BRANCHES, "customers": CUSTOMERS, "accounts": ACCOUNTS}
    tables |= {"transactions": text, "holdings": HOLDINGS}
    write_delivery(home.landing, str(DAY), tables)

    record = execute(Context(DAY, CONFIG, home, spark), INGEST).record

    store = Store(home.tables, spark, record.pins)
    [counted] = [
        row for row in store.arrow_records(DELIVERIES).to_pylist()
        if row["table_name"] == TRANSACTIONS.name
    ]  # fmt: skip
    set_aside = {row["row_number"] for row in store.arrow_records(QUARANTINE).to_pylist()}
    accepted = [row for number, row in enumerate(lines, start=1) if number not in set_aside]
    assert counted["rows_in"] == len(lines) == counted["rows_accepted"] + len(set_aside)
    assert counted["rows_quarantined"] == len(set_aside)
    stored = {row["transaction_id"] for row in store.versions(TRANSACTIONS).collect()}
    assert stored == {row["transaction_id"] for row in accepted}
    assert all(is_sound(row) for row in accepted)


def is_sound(row):
    """Said again, another way: what a booking must be."""
    return (
        row["transaction_id"] != ""
        and row["account_id"] in ("A1", "A2")
        and row["booked_on"] == "2024-02-10"
        and row["amount"] in ("1.00", "-1.00", "-2.50")
        and row["currency"] == "EUR"
        and row["recorded_at"] == "2024-02-10T18:00:00Z"
    )
