"""What a reader of source tables sees: the latest version known before the as-of date."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from tables.sources import CONTACTS, CUSTOMERS, stored
from tables.store import latest_revisions, latest_versions
from tests.tables import table_rows

AS_OF = date(2024, 4, 1)


def known(rows):
    return rows.where(f"recorded_at < timestamp'{AS_OF} 00:00:00'")


def test_the_latest_version_known_before_the_as_of_date_counts(spark):
    rows = table_rows(
        spark,
        stored(CUSTOMERS),
        """
        customer_id | segment  | recorded_at         | delivery   | is_deleted
        C1          | mass     | 2024-01-05 10:00:00 | 2024-02-01 | false
        C1          | affluent | 2024-03-31 23:59:59 | 2024-04-01 | false
        C1          | vip      | 2024-04-01 00:00:00 | 2024-05-01 | false
        C2          | mass     | 2024-04-02 00:00:00 | 2024-05-01 | false
    """,
        branch_id="B1",
        joined_on=date(2020, 2, 29),
        is_employee=False,
    )
    seen = latest_versions(CUSTOMERS, known(rows)).select("customer_id", "segment").collect()
    assert [tuple(row) for row in seen] == [("C1", "affluent")]


def test_a_deleted_key_is_gone_from_the_time_the_deletion_was_known(spark):
    rows = table_rows(
        spark,
        stored(CUSTOMERS),
        """
        customer_id | recorded_at         | delivery   | is_deleted
        C1          | 2024-01-05 10:00:00 | 2024-02-01 | false
        C1          | 2024-02-29 23:59:59 | 2024-03-01 | true
    """,
        branch_id="B1",
        joined_on=date(2020, 2, 29),
        is_employee=False,
    )
    assert latest_versions(CUSTOMERS, known(rows)).count() == 0


@pytest.mark.parametrize(
    ("as_of", "expected"),
    [("2024-02-01", "no_answer"), ("2024-03-01", "interested"), ("2024-04-01", "sold")],
)
def test_a_correction_replaces_what_it_corrects_once_it_is_known(spark, as_of, expected):
    rows = table_rows(
        spark,
        stored(CONTACTS),
        """
        contact_id | disposition | recorded_at         | is_revision
        K1         | no_answer   | 2024-01-10 10:00:00 | false
        K1         | interested  | 2024-02-10 10:00:00 | true
        K1         | sold        | 2024-03-10 10:00:00 | true
        K2         | refused     | 2024-01-11 10:00:00 | false
    """,
        customer_id="C1",
        product_id="loan",
        channel="phone",
        contacted_on=date(2024, 1, 10),
        delivery=date(2024, 2, 1),
        is_deleted=False,
    )
    known = rows.where(f"recorded_at < timestamp'{as_of} 00:00:00'")
    seen = latest_revisions(CONTACTS, known, known.where("is_revision"))
    by_contact = {row["contact_id"]: row["disposition"] for row in seen.collect()}
    assert by_contact == {"K1": expected, "K2": "refused"}


def test_recorded_at_is_an_instant_in_utc(spark):
    rows = table_rows(
        spark,
        stored(CONTACTS),
        """
        contact_id | recorded_at
        K1         | 2024-01-10 10:00:00
    """,
        customer_id="C1",
        product_id="loan",
        channel="phone",
        contacted_on=date(2024, 1, 10),
        delivery=date(2024, 2, 1),
        is_deleted=False,
        is_revision=False,
    )
    stamp = rows.toArrow()["recorded_at"][0].as_py()
    assert stamp == datetime(2024, 1, 10, 10, tzinfo=UTC)
