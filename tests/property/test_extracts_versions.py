"""What the store keeps, replayed: every delivery can be read back from the versions of it."""

from datetime import UTC, date, datetime
from functools import reduce

from hypothesis import HealthCheck, given, settings, strategies as st
from pyspark.sql import DataFrame, functions as F

from extracts.versions import placed_state, quick_versions, whole_versions
from tables.sources import BRANCHES, stored
from tables.store import latest_versions

DAYS = [date(2024, month, 1) for month in range(1, 6)]
START = datetime(2023, 1, 1, tzinfo=UTC)
# What a delivery says of a key: nothing, one of three names, or something in quarantine.
ABSENT, DOUBTFUL = "absent", "doubtful"
SAID = st.sampled_from([ABSENT, DOUBTFUL, "a", "a", "b", "c"])
HISTORIES = st.lists(
    st.lists(SAID, min_size=len(DAYS), max_size=len(DAYS)), min_size=1, max_size=12
)
EXAMPLES = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def rows_of(spark, histories, days, doubtful):
    """Accepted or doubtful rows of some deliveries; ``recorded_at`` never changes."""
    schema = (
        "delivery date, previous_delivery date, next_delivery date, file_name string,"
        " row_number bigint, branch_id string, name string, region string, recorded_at timestamp"
    )
    rows = [
        (
            day, DAYS[DAYS.index(day) - 1] if day != DAYS[0] else None,
            days[place + 1] if place + 1 < len(days) else None,
            "f", number, f"B{number}", said[DAYS.index(day)], None, START,
        )
        for number, said in enumerate(histories)
        for place, day in enumerate(days)
        if said[DAYS.index(day)] != ABSENT and (said[DAYS.index(day)] == DOUBTFUL) == doubtful
    ]  # fmt: skip
    return spark.createDataFrame(rows, schema)


def ingest(spark, histories, days, state):
    """New versions of some deliveries after ``state``."""
    present = placed_state(latest_versions(BRANCHES, state), F.lit(days[0]), BRANCHES)
    aside = rows_of(spark, histories, days, doubtful=True)
    accepted = rows_of(spark, histories, days, doubtful=False)
    pieces = quick_versions(accepted, aside, present, days, BRANCHES, keep=lambda rows: rows)
    return reduce(DataFrame.unionByName, pieces).select(*stored(BRANCHES).column_names)


def ingest_in_order(spark, histories, days, state):
    """The same, with every key put in order."""
    present = placed_state(latest_versions(BRANCHES, state), F.lit(days[0]), BRANCHES)
    aside = rows_of(spark, histories, days, doubtful=True)
    accepted = rows_of(spark, histories, days, doubtful=False)
    return whole_versions(accepted, aside, present, BRANCHES).select(*stored(BRANCHES).column_names)


def as_versions(frame):
    return sorted(
        (row["branch_id"], row["recorded_at"], row["name"], row["is_deleted"], row["delivery"])
        for row in frame.collect()
    )


def expected(said):
    """The state after each delivery: a doubtful row leaves what was known."""
    states, now = [], None
    for one in said:
        now = now if one == DOUBTFUL else None if one == ABSENT else one
        states.append(now)
    return states


def read_back(versions, key, day):
    """What is known of a key at the start of the day of a delivery that has been ingested."""
    midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 -- Sail gives naive UTC
    known = [one for one in versions if one[0] == key and one[1] < midnight]
    return None if not known or known[-1][3] else known[-1][2]


@settings(EXAMPLES, max_examples=4)
@given(HISTORIES, st.integers(1, len(DAYS) - 1))
def test_keys_that_never_change_are_found_without_putting_them_in_order(spark, histories, cut):
    none = spark.createDataFrame([], stored(BRANCHES).ddl)
    first = ingest(spark, histories, DAYS[:cut], none)
    assert as_versions(first) == as_versions(ingest_in_order(spark, histories, DAYS[:cut], none))
    kept = spark.createDataFrame(first.collect(), stored(BRANCHES).ddl)
    later = ingest(spark, histories, DAYS[cut:], kept)
    assert as_versions(later) == as_versions(ingest_in_order(spark, histories, DAYS[cut:], kept))


@EXAMPLES
@given(HISTORIES)
def test_every_delivery_can_be_read_back_from_the_versions_it_brought(spark, histories):
    none = spark.createDataFrame([], stored(BRANCHES).ddl)
    versions = as_versions(ingest(spark, histories, DAYS, none))

    for number, said in enumerate(histories):
        for place, state in enumerate(expected(said)[:-1]):
            found = [
                one for one in versions
                if one[0] == f"B{number}" and one[4] <= DAYS[place]
            ]  # fmt: skip
            last = max(found, key=lambda one: one[1]) if found else None
            told = None if last is None or last[3] else last[2]
            assert told == state, (said, place)


@EXAMPLES
@given(HISTORIES)
def test_nothing_is_known_before_the_delivery_that_did_not_say_it(spark, histories):
    none = spark.createDataFrame([], stored(BRANCHES).ddl)
    versions = as_versions(ingest(spark, histories, DAYS, none))

    for number, said in enumerate(histories):
        states = expected(said)
        for place in range(1, len(DAYS)):
            # at the start of a delivery's day one knows what the delivery before had said, or
            # less, but never what only a later one said
            found = read_back(versions, f"B{number}", DAYS[place - 1])
            earlier = {None, *states[:place]}
            assert found in earlier, (said, place)


@EXAMPLES
@given(HISTORIES, st.integers(1, len(DAYS) - 1))
def test_one_ingest_of_all_deliveries_stores_what_several_would(spark, histories, cut):
    none = spark.createDataFrame([], stored(BRANCHES).ddl)
    at_once = as_versions(ingest(spark, histories, DAYS, none))

    first = ingest(spark, histories, DAYS[:cut], none)
    # written down between the two, as a table is
    kept = spark.createDataFrame(first.collect(), stored(BRANCHES).ddl)
    second = ingest(spark, histories, DAYS[cut:], kept)

    assert as_versions(kept.unionByName(second)) == at_once
