"""Rows of files by the values of a column: as Arrow would find them, few values or many."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from tables.rows_in_sql import FEW, rows_with, sql_in_memory

STEP = pa.list_(pa.struct([("rule", pa.string()), ("passes_on", pa.date32())]))
SCHEMA = pa.schema(
    [
        ("customer_id", pa.string()),
        ("offer_id", pa.string()),
        ("amount", pa.decimal128(18, 2)),
        ("at", pa.timestamp("us", tz="UTC")),
        ("steps", STEP),
        ("new_text", pa.string()),
        ("new_amount", pa.decimal128(12, 2)),
    ]
)
NAMES = [f"C{number}" for number in range(200)] + ["O'Neill", 'x"; DROP', "ț"]


@pytest.fixture
def rows():
    count = 3 * len(NAMES)
    return pa.Table.from_pylist(
        [
            {
                "customer_id": NAMES[place % len(NAMES)],
                "offer_id": ("card", "loan", None)[place % 3],
                "amount": place,
                "at": place * 1_000_003,
                "steps": None if place % 7 else [{"rule": "r", "passes_on": place}],
                "new_text": None,
                "new_amount": None,
            }
            for place in range(count)
        ],
        SCHEMA,
    )


@pytest.fixture
def paths(rows, tmp_path):
    """Two files; when they were written nobody had thought of the new columns."""
    old = rows.drop_columns(["new_text", "new_amount"])
    found = [tmp_path / name for name in ("a.parquet", "b.parquet")]
    pq.write_table(old.slice(0, 250), found[0], row_group_size=40)
    pq.write_table(old.slice(250), found[1], row_group_size=40)
    return found


def _found(paths, wanted, columns=SCHEMA.names):
    with sql_in_memory() as connection:
        return rows_with(connection, SCHEMA, paths, wanted, columns)


def _sorted(table):
    return table.sort_by("at")


@pytest.mark.parametrize("names", [NAMES[:1], ["O'Neill", 'x"; DROP', "ț"], NAMES[: FEW + 1]])
def test_rows_are_those_that_arrow_finds(rows, paths, names):
    is_one = pc.is_in(rows["customer_id"], pa.array(names))
    assert _sorted(_found(paths, {"customer_id": names})) == _sorted(rows.filter(is_one))


def test_all_conditions_have_to_be_met(rows, paths):
    many = NAMES[: FEW + 1]
    is_one = pc.and_(
        pc.is_in(rows["customer_id"], pa.array(many)), pc.equal(rows["offer_id"], "loan")
    )
    found = _found(paths, {"customer_id": many, "offer_id": ["loan"]}, ["at", "offer_id"])
    assert _sorted(found) == _sorted(rows.filter(is_one).select(["at", "offer_id"]))


@pytest.mark.parametrize("wanted", [{"customer_id": []}, {"customer_id": ["nobody"]}])
def test_nothing_is_asked_for_or_found(paths, wanted):
    assert _found(paths, wanted) == SCHEMA.empty_table()


def test_a_table_without_files_has_no_rows():
    assert _found([], {"customer_id": ["C1"]}, ["at"]) == SCHEMA.empty_table().select(["at"])


def test_a_file_that_is_cut_off_is_an_error(paths):
    content = paths[0].read_bytes()
    paths[0].write_bytes(content[: len(content) // 2])
    with pytest.raises(Exception, match=r"a\.parquet"):
        _found(paths, {"customer_id": ["C1"]})
