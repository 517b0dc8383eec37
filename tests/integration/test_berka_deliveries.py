"""The real bank's raw files: complete, honest in time, and the same bytes every time."""

import csv
import os
from datetime import date
from pathlib import Path

import pytest

from conf.source import load_source
from extracts.berka import loan_outcomes, make_berka_deliveries
from extracts.deliveries import delivered_files, deliveries_until
from tables.errors import UserError

DATA = Path(os.environ.get("XSELL_DATA", Path(__file__).parents[2] / "../shared/data")) / "berka"
AS_OF = date(1994, 4, 1)
SOURCE = load_source("berka")
needs_data = pytest.mark.skipif(
    not DATA.is_dir(), reason=f"no Berka files at {DATA}; set XSELL_DATA to the data folder"
)


@pytest.fixture(scope="module")
def landing(tmp_path_factory):
    folder = tmp_path_factory.mktemp("berka")
    make_berka_deliveries(DATA, folder, AS_OF, SOURCE)
    return folder


def rows(landing, day, table):
    with (landing / day / f"{table}.csv").open(newline="") as text:
        return list(csv.DictReader(text))


@needs_data
def test_there_is_one_true_delivery_a_month(landing):
    deliveries = deliveries_until(landing, AS_OF)

    assert [one.name for one in deliveries][::7] == ["1993-02-01", "1993-09-01", "1994-04-01"]
    assert len(delivered_files(deliveries, SOURCE)) == 15 * 6


@needs_data
def test_every_account_and_booking_of_the_complete_slice_is_delivered_once(landing):
    bookings = [
        row["transaction_id"]
        for delivery in deliveries_until(landing, AS_OF)
        for row in rows(landing, delivery.name, "transactions")
    ]

    assert len(bookings) == len(set(bookings)) == 46_997
    assert len(rows(landing, "1994-04-01", "customers")) == 1_229
    assert len(rows(landing, "1994-04-01", "accounts")) == 1_229
    assert len(rows(landing, "1994-04-01", "branches")) == 77


@needs_data
def test_nothing_is_delivered_before_it_was_known(landing):
    for delivery in deliveries_until(landing, AS_OF):
        for table in SOURCE.tables:
            if not (delivery.folder / f"{table}.csv").exists():
                continue
            for row in rows(landing, delivery.name, table):
                assert row["recorded_at"][:10] < delivery.name
                happened = row.get("booked_on") or row.get("opened_on") or row["recorded_at"]
                assert happened[:10] <= row["recorded_at"][:10]


@needs_data
def test_history_grows_month_by_month(landing):
    first, last = (rows(landing, day, "holdings") for day in ("1993-08-01", "1994-04-01"))

    assert sum(row["product_id"] == "loan" for row in first) == 3
    assert sum(row["product_id"] == "loan" for row in last) == 38
    assert sum(row["product_id"].startswith("credit_card") for row in last) == 6
    # a standing order has no date, and one for leasing would tell who never takes a loan
    assert not [row for row in last if row["product_id"] == "leasing"]


@needs_data
def test_the_balance_of_every_account_is_the_sum_of_its_bookings(landing):
    total, last = {}, {}
    for delivery in deliveries_until(landing, AS_OF):
        for row in rows(landing, delivery.name, "transactions"):
            account, day = row["account_id"], row["booked_on"]
            total[account] = total.get(account, 0.0) + float(row["amount"])
            balances = last.get(account, ("", []))
            kept = balances[1] if balances[0] == day else []
            if day >= balances[0]:
                last[account] = (day, [*kept, float(row["balance_after"])])

    # several bookings of one day have no order, so one of that day's balances must fit
    for account, amount in total.items():
        assert min(abs(balance - amount) for balance in last[account][1]) <= 1.0


@needs_data
def test_122_of_1191_customers_without_a_loan_took_one_later():
    outcomes = loan_outcomes(DATA, AS_OF)
    days = [day for day in outcomes["granted_on"].to_pylist() if day is not None]

    assert (outcomes.num_rows, len(days)) == (1_191, 122)
    assert (min(days), max(days)) == (date(1994, 4, 6), date(1996, 1, 3))


@needs_data
def test_the_same_files_give_the_same_deliveries(landing, tmp_path):
    make_berka_deliveries(DATA, tmp_path, AS_OF, SOURCE)

    again = {one.name: one.digest for one in deliveries_until(tmp_path, AS_OF)}
    assert again == {one.name: one.digest for one in deliveries_until(landing, AS_OF)}


@needs_data
def test_a_month_beyond_the_complete_slice_is_refused(tmp_path):
    with pytest.raises(UserError, match="complete until 1994-03-30 only"):
        make_berka_deliveries(DATA, tmp_path, date(1994, 5, 1), SOURCE)


def test_missing_files_are_named(tmp_path):
    with pytest.raises(UserError, match=r"lacks account\.asc\.gz, .*make berka DATA="):
        make_berka_deliveries(tmp_path, tmp_path, AS_OF, SOURCE)
