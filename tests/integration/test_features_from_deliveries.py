"""Features as published, and once more from the files that the bank delivered."""

from __future__ import annotations

import shutil
from datetime import date

import pytest

from features.catalogue import customer_features_table
from jobs.home import Home
from jobs.publishing import Context, execute
from jobs.steps import FEATURES
from tables.store import Store
from tests.delivered_queries import write_delivered, write_expected_margins
from tests.feature_oracle import database, describe, queries, same_for_all
from tests.month import AS_OF, Bank

PAST = date(2026, 9, 1)
# Nobody here comes to a counter, has one order for all bills, or has just come of age.
SAME_FOR_ALL = {"branch_count_3m", "household_amount_3m", "has_turned_18_12m"}


@pytest.fixture(scope="module")
def past(bank, spark, tmp_path_factory):
    """The features of an earlier month, made when all deliveries after it had come."""
    home = Home(tmp_path_factory.mktemp("past"))
    home.create()
    shutil.copytree(bank.home.landing, home.landing, dirs_exist_ok=True)
    shutil.copytree(bank.home.tables, home.tables, dirs_exist_ok=True)
    execute(Context(PAST, bank.config, home, spark), FEATURES)
    return Bank(home, bank.config)


def published(bank, as_of):
    """The table that the step published."""
    record = Context(as_of, bank.config, bank.home, None).runs.current("features", as_of)
    table = customer_features_table(tuple(bank.config.products))
    return Store(bank.home.tables, None, record.pins).arrow(table, as_of)


def delivered(bank, as_of):
    """The bank's own files, ready to be asked."""
    tables = database(as_of, bank.config.bank.base_currency)
    write_delivered(tables, bank.home.landing, as_of)
    write_expected_margins(tables, bank.config)
    describe(tables)
    return tables


@pytest.mark.parametrize("as_of", [AS_OF, PAST], ids=str)
def test_published_features_equal_those_of_the_delivered_files_exactly(bank, past, as_of):
    asked = queries(tuple(bank.config.products))
    snapshot = published(bank if as_of == AS_OF else past, as_of)
    with delivered(bank, as_of) as tables:
        assert same_for_all(snapshot, tables, asked) == SAME_FOR_ALL
    assert snapshot.num_rows > 400
    assert len(asked) - len(SAME_FOR_ALL) > 90


def test_later_deliveries_tell_of_the_time_before_the_past_month(bank):
    """Otherwise a cut by event date alone would pass the test above."""
    bookings = bank.home.landing / "*" / "transactions.parquet"
    with database(PAST, bank.config.bank.base_currency) as tables:
        [late] = tables.execute(f"""
            select count(*) from '{bookings}'
            where booked_on < as_of() and recorded_at >= as_of()::timestamptz""").fetchone()
        write_delivered(tables, bank.home.landing, PAST)
        [moved] = tables.execute("""
            select count(*) from customers now join customers_before as before using (customer_id)
            where now.branch_id <> before.branch_id or now.segment <> before.segment""").fetchone()
    assert late > 0
    assert moved > 0
