"""Two records, one person: who stands for whom, and what holds after the merge."""

from datetime import date

import pyarrow as pa
import pytest

from tables.errors import ContractViolation
from tables.merges import MERGED, as_survivors, survivors
from tables.sources import CONSENTS, CUSTOMERS, FLAGS, HOLDINGS
from tests.tables import parse_rows

MERGED_ON = date(2024, 3, 10)


def merges(*pairs):
    return pa.Table.from_pylist(
        [
            {"customer_id": record, "survivor_id": survivor, "merged_on": MERGED_ON}
            for record, survivor in pairs
        ]
    )


def resolved(spark, table, text, *pairs):
    rows = spark.createDataFrame(parse_rows(table, text), table.ddl)
    merged = spark.createDataFrame(survivors(merges(*pairs)), MERGED)
    return as_survivors(table, rows, merged)


def test_the_last_survivor_stands_for_all_records_before():
    found = survivors(merges(("C1", "C2"), ("C2", "C3"), ("C9", "C3")))
    ends = zip(found["record_id"].to_pylist(), found["survivor_id"].to_pylist(), strict=True)
    assert dict(ends) == {"C1": "C3", "C2": "C3", "C9": "C3"}


def test_a_merge_is_taken_back_by_the_own_id():
    assert survivors(merges(("C1", "C1"))).num_rows == 0


def test_records_merged_in_a_circle_are_refused():
    with pytest.raises(ContractViolation, match="3 records are merged in a circle"):
        survivors(merges(("C1", "C2"), ("C2", "C1"), ("C5", "C1"), ("C7", "C8")))


def test_holdings_of_a_given_up_record_are_the_survivors(spark):
    rows = resolved(
        spark,
        HOLDINGS,
        """
        holding_id | customer_id | product_id | opened_on
        H1         | C1          | loan       | 2020-01-01
        H2         | C2          | card       | 2020-01-01
        H3         | C3          | card       | 2020-01-01
        """,
        ("C1", "C2"),
    )
    assert rows.columns == list(HOLDINGS.column_names)
    found = {row["holding_id"]: row["customer_id"] for row in rows.collect()}
    assert found == {"H1": "C2", "H2": "C2", "H3": "C3"}


def test_a_person_is_dead_and_an_employee_if_any_record_says_so(spark):
    rows = resolved(
        spark,
        CUSTOMERS,
        """
        customer_id | branch_id | is_employee | deceased_on | segment | joined_on
        C1          | B1        | true        | 2024-01-05  | vip     | 2020-01-01
        C2          | B2        | false       |             | mass    | 2021-01-01
        C3          | B3        | false       |             | mass    | 2020-01-01
        """,
        ("C1", "C2"),
    ).collect()
    found = {row["customer_id"]: row for row in rows}
    assert set(found) == {"C2", "C3"}
    assert found["C2"]["deceased_on"] == date(2024, 1, 5)
    assert found["C2"]["is_employee"] is True
    assert (found["C2"]["branch_id"], found["C2"]["segment"]) == ("B2", "mass")
    assert found["C3"]["is_employee"] is False


def test_of_flags_of_one_day_the_longest_holds(spark):
    rows = resolved(
        spark,
        FLAGS,
        """
        customer_id | flag       | valid_from | valid_to
        C1          | vulnerable | 2024-01-01 |
        C2          | vulnerable | 2024-01-01 | 2024-02-01
        C2          | bereavement| 2024-01-01 | 2024-02-01
        """,
        ("C1", "C2"),
    ).collect()
    ends = {(row["customer_id"], row["flag"]): row["valid_to"] for row in rows}
    assert ends == {("C2", "vulnerable"): None, ("C2", "bereavement"): date(2024, 2, 1)}


STANDS = [
    ("both agreed", "C1 T09 true, C2 T10 true", True),
    ("the one given up refused before", "C1 T09 false, C2 T10 true", False),
    ("the survivor refused before", "C1 T10 true, C2 T09 false", False),
    ("a refusal that was taken back before", "C1 T08 false, C1 T09 true, C2 T10 true", True),
    ("at one instant", "C1 T09 true, C2 T09 false", False),
    ("agreed anew after the merge", "C1 T09 false, C2 T11 true", True),
    ("agreed on the day of the merge", "C1 T09 false, C2 2024-03-10 true", True),
    ("withdrawn after the merge", "C1 T09 true, C2 T11 false", False),
    ("only the one given up had a say", "C1 T09 true", True),
]
TIMES = {"T08": "2024-01-01", "T09": "2024-02-01", "T10": "2024-03-01", "T11": "2024-03-20"}


@pytest.mark.parametrize(
    ("said", "expected"), [case[1:] for case in STANDS], ids=[c[0] for c in STANDS]
)
def test_the_strictest_consent_outlives_the_merge(spark, said, expected):
    lines = [decision.split() for decision in said.split(", ")]
    text = "customer_id | purpose | channel | changed_at | is_granted\n" + "\n".join(
        f"{who} | profiling | phone | {TIMES.get(when, when)} 00:00:00 | {granted}"
        for who, when, granted in lines
    )
    # Somebody else's decisions are nobody else's business.
    text += "\nC3 | profiling | phone | 2024-01-01 00:00:00 | false"
    rows = resolved(spark, CONSENTS, text, ("C1", "C2")).collect()
    assert [row["is_granted"] for row in rows if row["customer_id"] == "C3"] == [False]
    of_person = sorted((r["changed_at"], r["is_granted"]) for r in rows if r["customer_id"] == "C2")
    assert len({when for when, _ in of_person}) == len(of_person)
    assert of_person[-1][1] is expected
