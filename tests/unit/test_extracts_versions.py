"""What the bank said, and since when it can have been known."""

from datetime import UTC, date, datetime

from pyspark.sql import functions as F

from extracts.increments import contested_keys, increment_versions
from extracts.versions import placed_state, whole_versions
from tables.keys import key_hash
from tables.sources import BRANCHES, CONTACTS, CUSTOMERS, as_delivered, stored
from tables.store import latest_versions
from tests.tables import table_rows

CONTACT_DEFAULTS = {"customer_id": "C1", "product_id": "loan", "channel": "phone"}
MONTHS = [date(2024, month, 1) for month in range(1, 7)]


def delivered(spark, table, text, days, first_previous=None):
    """Rows placed between the given deliveries; each line starts with the month of its delivery."""
    around = {
        day: (days[place - 1] if place else first_previous, (*days[1:], None)[place])
        for place, day in enumerate(days)
    }
    parts = []
    header, *lines = [line.strip() for line in text.strip().splitlines()]
    for number, line in enumerate(lines, start=1):
        month, _, rest = line.partition("|")
        day = date(2024, int(month), 1)
        previous, following = around[day]
        parts.append(
            table_rows(spark, table, f"{header.partition('|')[2]}\n{rest}").select(
                F.lit(day).alias("delivery"),
                F.lit(previous).cast("date").alias("previous_delivery"),
                F.lit(following).cast("date").alias("next_delivery"),
                F.lit("file").alias("file_name"),
                F.lit(number).cast("bigint").alias("row_number"),
                *table.column_names,
            )
        )
    union = parts[0]
    for part in parts[1:]:
        union = union.unionByName(part)
    return union


def history(spark, table, text):
    """Stored versions; what the text leaves out says nothing here."""
    names = stored(table).column_names
    usual = {"is_deleted": False, "is_revision": False, **CONTACT_DEFAULTS}
    defaults = {name: value for name, value in usual.items() if name in names}
    return table_rows(spark, stored(table), text, **defaults)


def no_state(spark, table):
    empty = spark.createDataFrame([], stored(table).ddl)
    return placed_state(empty, F.lit(MONTHS[0]), table)


def whole(spark, text, days, *, state=None, set_aside=None, first_previous=None):
    """``(key, name, deleted?, known on, told by)`` of every new version."""
    rows = delivered(spark, BRANCHES, text, days, first_previous)
    aside = delivered(spark, BRANCHES, set_aside, days, first_previous) if set_aside else None
    present = no_state(spark, BRANCHES)
    if state is not None:
        now = latest_versions(BRANCHES, history(spark, BRANCHES, state))
        present = placed_state(now, F.lit(days[0]), BRANCHES)
    found = whole_versions(rows, aside, present, BRANCHES).collect()
    return sorted(
        (row["branch_id"], row["name"], row["is_deleted"], known(row), row["delivery"].month)
        for row in found
    )


def known(row):
    return (
        row["recorded_at"]
        .replace(tzinfo=UTC)
        .isoformat(" ", "microseconds")[:26]
        .removesuffix(" 00:00:00.000000")
    )


def test_a_row_is_stored_when_it_says_something_new(spark):
    assert whole(spark, """
        in | branch_id | name  | region | recorded_at
        1  | B1        | North | N      | 2023-05-05
        2  | B1        | North | N      | 2023-05-05
        3  | B1        | East  | N      | 2024-02-10
        4  | B1        | East  | N      | 2024-03-15
        """, MONTHS[:4]) == [
        ("B1", "East", False, "2024-02-10", 3),
        ("B1", "North", False, "2023-05-05", 1),
    ]  # fmt: skip


def test_a_change_without_a_new_recorded_at_is_not_back_dated(spark):
    found = whole(spark, """
        in | branch_id | name  | region | recorded_at
        1  | B1        | North | N      | 2023-05-05
        2  | B1        | East  | N      | 2023-05-05
        """, MONTHS[:2])  # fmt: skip

    assert ("B1", "East", False, "2024-01-01", 2) in found


def test_a_new_key_was_not_known_before_the_whole_delivery_that_lacked_it(spark):
    assert whole(spark, """
        in | branch_id | name  | region | recorded_at
        1  | B1        | North | N      | 2023-05-05
        2  | B1        | North | N      | 2023-05-05
        2  | B2        | South | S      | 2020-01-01
        """, MONTHS[:2]) == [
        ("B1", "North", False, "2023-05-05", 1),
        ("B2", "South", False, "2024-01-01", 2),
    ]  # fmt: skip


def test_a_value_that_moves_to_the_next_nullable_column_is_a_change(spark):
    rows = delivered(spark, CUSTOMERS, """
        in | customer_id | branch_id | joined_on  | is_employee | advisor_id | household_id
        1  | C1          | B1        | 2023-05-05 | false       | X1         |
        2  | C1          | B1        | 2023-05-05 | false       |            | X1
        """, MONTHS[:2])  # fmt: skip

    assert whole_versions(rows, None, no_state(spark, CUSTOMERS), CUSTOMERS).count() == 2


def test_a_key_that_is_gone_was_deleted_just_before_the_delivery_without_it(spark):
    assert whole(spark, """
        in | branch_id | name  | region | recorded_at
        1  | B1        | North | N      | 2023-05-05
        1  | B2        | South | S      | 2023-05-05
        2  | B1        | North | N      | 2023-05-05
        3  | B1        | North | N      | 2023-05-05
        """, MONTHS[:3]) == [
        ("B1", "North", False, "2023-05-05", 1),
        ("B2", "South", False, "2023-05-05", 1),
        ("B2", "South", True, "2024-01-31 23:59:59.999999", 2),
    ]  # fmt: skip


def test_a_key_that_comes_back_is_news_even_if_it_says_the_same(spark):
    found = whole(spark, """
        in | branch_id | name  | region | recorded_at
        1  | B1        | North | N      | 2023-05-05
        1  | B2        | South | S      | 2023-05-05
        2  | B2        | South | S      | 2023-05-05
        3  | B1        | North | N      | 2023-05-05
        3  | B2        | South | S      | 2023-05-05
        """, MONTHS[:3])  # fmt: skip

    assert [version[1:] for version in found if version[0] == "B1"] == [
        ("North", False, "2023-05-05", 1),
        ("North", False, "2024-02-01", 3),
        ("North", True, "2024-01-31 23:59:59.999999", 2),
    ]


def test_a_repeated_row_in_one_delivery_counts_once(spark):
    assert whole(spark, """
        in | branch_id | name  | region | recorded_at
        1  | B1        | North | N      | 2023-05-05
        1  | B1        | North | N      | 2023-05-05
        2  | B1        | North | N      | 2023-05-05
        2  | B1        | North | N      | 2023-05-05
        """, MONTHS[:2]) == [("B1", "North", False, "2023-05-05", 1)]  # fmt: skip


STATE = """
    branch_id | name  | region | recorded_at | delivery   | is_deleted
    B1        | North | N      | 2023-05-05  | 2023-12-01 | false
    B2        | South | S      | 2023-05-05  | 2023-11-01 | false
    B3        | West  | W      | 2023-05-05  | 2023-11-01 | false
    B3        | West  | W      | 2023-11-30  | 2023-12-01 | true
"""


def test_the_next_ingest_goes_on_from_the_stored_state(spark):
    assert whole(spark, """
        in | branch_id | name  | region | recorded_at
        1  | B1        | North | N      | 2023-05-05
        1  | B3        | West  | W      | 2023-05-05
        """, MONTHS[:1], state=STATE, first_previous=date(2023, 12, 1)) == [
        ("B2", "South", True, "2023-12-31 23:59:59.999999", 1),
        ("B3", "West", False, "2023-12-01", 1),
    ]  # fmt: skip


def test_a_row_in_quarantine_leaves_what_was_known_before(spark):
    assert whole(
        spark,
        """
        in | branch_id | name  | region | recorded_at
        1  | B1        | North | N      | 2023-05-05
        1  | B2        | South | S      | 2023-05-05
        2  | B2        | South | S      | 2023-05-05
        3  | B1        | North | N      | 2023-05-05
        3  | B2        | South | S      | 2023-05-05
        4  | B2        | South | S      | 2023-05-05
        """,
        MONTHS[:4],
        set_aside="""
        in | branch_id | name    | region | recorded_at
        2  | B1        | garbage | N      | 2023-05-05
        2  | B9        | garbage | N      | 2023-05-05
        """,
    ) == [
        ("B1", "North", False, "2023-05-05", 1),
        ("B1", "North", True, "2024-03-31 23:59:59.999999", 4),
        ("B2", "South", False, "2023-05-05", 1),
    ]


def increment(spark, text, days, past=""):
    rows = delivered(spark, CONTACTS, text, days).withColumn("is_deleted", F.lit(False))
    before = (
        history(spark, CONTACTS, past) if past else spark.createDataFrame([], stored(CONTACTS).ddl)
    )
    found = increment_versions(rows, before, as_delivered(CONTACTS)).collect()
    return sorted(
        (row["contact_id"], row["disposition"], known(row), row["delivery"].month) for row in found
    )


CONTACT = (
    "in | contact_id | customer_id | product_id | channel | contacted_on | disposition"
    " | recorded_at"
)


def test_a_later_recorded_at_corrects_and_the_same_again_is_repeated(spark):
    assert increment(spark, f"""
        {CONTACT}
        1 | K1 | C1 | loan | phone | 2023-12-05 | contacted  | 2023-12-05
        2 | K1 | C1 | loan | phone | 2023-12-05 | contacted  | 2023-12-05
        2 | K1 | C1 | loan | phone | 2023-12-05 | interested | 2024-01-07
        3 | K1 | C1 | loan | phone | 2023-12-05 | interested | 2024-02-09
        3 | K1 | C1 | loan | phone | 2023-12-05 | contacted  | 2023-12-05
        """, MONTHS[:3]) == [
        ("K1", "contacted", "2023-12-05", 1),
        ("K1", "interested", "2024-01-07", 2),
    ]  # fmt: skip


def test_a_correction_that_kept_its_recorded_at_is_not_back_dated(spark):
    assert increment(spark, f"""
        {CONTACT}
        1 | K1 | C1 | loan | phone | 2023-12-05 | contacted | 2023-12-05
        3 | K1 | C1 | loan | phone | 2023-12-05 | sold      | 2023-12-05
        """, MONTHS[:3]) == [
        ("K1", "contacted", "2023-12-05", 1),
        ("K1", "sold", "2024-02-01", 3),
    ]  # fmt: skip


def test_an_older_version_that_comes_after_a_newer_one_is_left_out(spark):
    assert increment(spark, f"""
        {CONTACT}
        1 | K1 | C1 | loan | phone | 2023-12-05 | sold      | 2023-12-20
        2 | K1 | C1 | loan | phone | 2023-12-05 | contacted | 2023-12-05
        """, MONTHS[:2]) == [("K1", "sold", "2023-12-20", 1)]  # fmt: skip


def test_a_row_and_its_correction_in_one_delivery_are_both_versions(spark):
    assert increment(spark, f"""
        {CONTACT}
        1 | K1 | C1 | loan | phone | 2023-12-05 | sold      | 2023-12-20
        1 | K1 | C1 | loan | phone | 2023-12-05 | contacted | 2023-12-05
        """, MONTHS[:1]) == [
        ("K1", "contacted", "2023-12-05", 1),
        ("K1", "sold", "2023-12-20", 1),
    ]  # fmt: skip


def test_what_the_store_holds_already_is_repeated(spark):
    past = """
        contact_id | contacted_on | disposition | recorded_at | delivery
        K1         | 2023-12-05   | contacted   | 2023-12-05  | 2024-01-01
    """
    assert increment(spark, f"""
        {CONTACT}
        2 | K1 | C1 | loan | phone | 2023-12-05 | contacted | 2023-12-05
        2 | K1 | C1 | loan | phone | 2023-12-05 | refused   | 2024-01-20
        """, MONTHS[:2], past) == [("K1", "refused", "2024-01-20", 2)]  # fmt: skip


def test_only_keys_seen_twice_or_stored_are_contested(spark):
    rows = delivered(spark, CONTACTS, f"""
        {CONTACT}
        1 | K1 | C1 | loan | phone | 2023-12-05 | contacted | 2023-12-05
        1 | K2 | C1 | loan | phone | 2023-12-05 | contacted | 2023-12-05
        2 | K2 | C1 | loan | phone | 2023-12-05 | sold      | 2024-01-05
        2 | K3 | C1 | loan | phone | 2023-12-05 | sold      | 2024-01-05
        """, MONTHS[:2])  # fmt: skip
    past = history(spark, CONTACTS, """
        contact_id | contacted_on | recorded_at | delivery
        K3         | 2023-12-05   | 2023-12-05  | 2023-12-01
        K4         | 2023-12-05   | 2023-12-05  | 2023-12-01
    """)  # fmt: skip

    hashes = [frame.select(key_hash(CONTACTS.key)) for frame in (rows, past)]
    assert contested_keys(*hashes).count() == 2


def test_times_are_utc(spark):
    [version] = increment(spark, f"""
        {CONTACT}
        1 | K1 | C1 | loan | phone | 2023-12-05 | sold | 2023-12-05T23:30:00+00:00
        """, MONTHS[:1])  # fmt: skip

    assert version[2] == datetime(2023, 12, 5, 23, 30).isoformat(" ", "microseconds")  # noqa: DTZ001
