"""A bank's own files are read as declared; what is written otherwise stops the adapter."""

from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from extracts.adapter_raw import typed
from extracts.casts import CONTRACT
from tables.errors import ContractViolation, UserError
from tests.raw_bank import CLIENTS, made, write_raw


@pytest.fixture
def data(tmp_path):
    return write_raw(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("9.2.2024;B", "2/9/2024;B", "clients.csv: since: 1 of 3 values are no date"),
        ("9.2.2024;B", "9.2.2024;Z", "customers.segment: 1 values are not in adapter.codes.grade"),
        ("nr;town", "nr;city", r"clients.csv: lacks town .has nr, city"),
        ("nr;town;since", "nr;town;sinces", "lacks since; did you mean sinces?"),
        (CLIENTS, CLIENTS + CLIENTS, "since: 1 of 7 values are no date .* the first in row 4"),
        ("2;Brno", "2;Brno;more", "line 3 has 7 fields, the header has 6"),
        ("Plzen", "Plze\u0148".encode("cp1250").decode("latin-1"), None),
    ],
)
def test_what_is_not_written_as_declared_stops_the_adapter(data, old, new, expected):
    (data / "clients.csv").write_bytes(CLIENTS.replace(old, new).encode("latin-1"))

    with pytest.raises(ContractViolation, match=expected or "is not UTF-8 text") as refused:
        made(data, "customers")

    assert "2/9/2024" not in str(refused.value) and "Brno" not in str(refused.value)


def test_a_raw_file_that_is_not_there_is_named(data):
    (data / "clients.csv").unlink()

    with pytest.raises(UserError, match=r"clients\.csv is not in the data folder"):
        made(data, "customers")


def test_all_files_that_match_are_one(data):
    (data / "clients_2.csv").write_text(CLIENTS.splitlines()[0] + "\n7;Cheb;1.3.2024;A;0;0\n")

    rows = made(
        data,
        "customers",
        change=lambda values: values["adapter"]["raw"]["clients"].update(file="clients*.csv"),
    )

    assert [row["customer_id"] for row in rows] == ["K1", "K2", "K3", "K7"]


def test_parquet_is_read_in_its_own_types(data):
    table = pa.table(
        {
            "nr": [1, 2], "town": pa.array(["Brno", None]).dictionary_encode(),
            "since": pa.array(["2024-01-05T23:30", "2024-10-27T02:30"]).cast(pa.timestamp("ns")),
            "grade": pa.array(["A", "B"], pa.large_string()),
        }
    )  # fmt: skip
    pq.write_table(table, data / "clients.parquet")
    file = {"file": "clients.parquet", "time_zone": "Europe/Prague"}

    def change(values):
        values["adapter"]["raw"]["clients"] = file
        values["adapter"]["make"]["customers"]["columns"]["recorded_at"] = {"column": "since"}

    rows = made(data, "customers", change=change)

    assert [(row["customer_id"], row["branch_id"]) for row in rows] == [
        ("K1", "Brno"),
        ("K2", None),
    ]
    assert rows[0]["joined_on"].isoformat() == "2024-01-05"
    assert rows[0]["recorded_at"] == datetime(2024, 1, 5, 22, 30, tzinfo=UTC)
    # an hour that is there twice is the later one
    assert rows[1]["recorded_at"] == datetime(2024, 10, 27, 1, 30, tzinfo=UTC)


def test_a_float_is_money_only_where_it_is_near_a_cent():
    values, unreadable = typed(
        pa.array([0.1 + 0.2, 10.999, None, float("nan")]), "decimal(18,2)", CONTRACT
    )

    assert values[0].as_py() == Decimal("0.30")
    assert unreadable.to_pylist() == [False, True, False, True]
