"""A file is numbered row by row, or refused with a reason that quotes no client."""

import gzip
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conf.notation import Notation
from extracts.conform import broken_rows
from extracts.delivered_rows import BadFile
from extracts.deliveries import DeliveredFile, Delivery
from extracts.erased import accounts_of_erased
from extracts.landed import land, land_all, numbered
from extracts.text import text_batches
from tables.arrow import arrow_schema
from tables.errors import ContractViolation
from tables.sources import ACCOUNTS, ADVISORS, BRANCHES, FX_RATES, TRANSACTIONS
from tables.tombstones import Tombstones

HEADER = "branch_id,name,region,recorded_at"
ROWS = "B1,North,N,2024-01-01T00:00:00Z\nB2,South,,2024-01-01T00:00:00Z\n"
AROUND = (date(2024, 2, 1), None)


def land_text(tmp_path, content, rows, *, table=BRANCHES, name=None, **notation):
    name = name or f"{table.name}.csv"
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return _land(tmp_path, name, table, rows, **notation)


def _land(tmp_path, name, table, rows, **notation):
    file = DeliveredFile(Delivery("2024-03-01", tmp_path, ""), table.name, name, rows, "")
    landed = land(file, table, AROUND, Notation(**notation), tmp_path / "landed.out")
    return pq.read_table(landed.path).to_pylist()


def refusal(tmp_path, content, rows=2, **named):
    with pytest.raises(BadFile) as refused:
        land_text(tmp_path, content, rows, **named)
    return str(refused.value)


def test_rows_are_numbered_and_know_the_deliveries_around_theirs(tmp_path):
    rows = land_text(tmp_path, f"{HEADER}\n{ROWS}", 2)

    assert [row["row_number"] for row in rows] == [1, 2]
    assert rows[1] == {
        "delivery": date(2024, 3, 1),
        "previous_delivery": date(2024, 2, 1),
        "next_delivery": None,
        "file_name": "branches.csv",
        "row_number": 2,
        "unreadable": None,
        "raw_row": None,
        "branch_id": "B2",
        "name": "South",
        "region": None,
        "recorded_at": datetime(2024, 1, 1, tzinfo=UTC),
    }


def test_the_order_of_columns_is_free(tmp_path):
    content = "recorded_at,region,name,branch_id\n2024-01-01T00:00:00Z,N,North,B1\n"

    [row] = land_text(tmp_path, content, 1)

    assert (row["branch_id"], row["name"], row["region"]) == ("B1", "North", "N")


@pytest.mark.parametrize(
    "content", [f"\ufeff{HEADER}\n{ROWS}", f"{HEADER}\n{ROWS}".replace("\n", "\r\n")]
)
def test_a_byte_order_mark_and_windows_lines_are_accepted(tmp_path, content):
    assert [row["branch_id"] for row in land_text(tmp_path, content, 2)] == ["B1", "B2"]


def test_quotes_may_hold_delimiters_and_line_breaks(tmp_path):
    content = f'{HEADER}\nB1,"a, ""b""\nc",N,2024-01-01T00:00:00Z\n'

    [row] = land_text(tmp_path, content, 1)

    assert row["name"] == 'a, "b"\nc'


def test_gzip_and_a_declared_delimiter_are_read(tmp_path):
    content = gzip.compress(f"{HEADER}\n{ROWS}".replace(",", ";").encode())

    rows = land_text(tmp_path, content, 2, name="branches.csv.gz", delimiter=";")

    assert [row["branch_id"] for row in rows] == ["B1", "B2"]


def test_unreadable_values_are_named_with_the_row_as_it_stood(tmp_path):
    header = ",".join(TRANSACTIONS.column_names)
    content = f"{header}\nT1,A1,2024-01,10.999,EUR,,,,,2024-01-01T00:00:00Z\n"

    [row] = land_text(tmp_path, content, 1, table=TRANSACTIONS)

    assert row["unreadable"] == ["booked_on", "amount"]
    assert row["booked_on"] is None and row["amount"] is None
    assert '"amount": "10.999"' in row["raw_row"]


def test_a_renamed_column_is_refused_with_the_nearest_name(tmp_path):
    message = refusal(tmp_path, f"branch,name,region,recorded_at\n{ROWS}")

    assert "lacks branch_id; did you mean branch?" in message
    assert message.startswith("2024-03-01/branches.csv: ")


def test_a_column_that_stands_twice_is_refused(tmp_path):
    assert "column name stands twice" in refusal(tmp_path, f"{HEADER},name\n")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "is empty, without even a header"),
        (f"{HEADER}\n{ROWS}B3,Sec", "has 2 fields, the header has 4"),
        (f"{HEADER}\n{ROWS}B3,Secret,x,2024-01-01T00:00:00Z,y\n", "has 5 fields"),
        (f"{HEADER}\n{ROWS}".encode("utf-16"), "is not UTF-8 text; deliver it so, or declare"),
        (f"{HEADER}\nB1,Secr\xe9t,N,2024-01-01T00:00:00Z\n".encode("latin-1"), "is not UTF-8"),
        (f"{HEADER}\n{ROWS}{ROWS}", "holds 4 rows, the manifest says 2"),
        (f"{HEADER}\n", "holds 0 rows, the manifest says 2"),
    ],
)
def test_a_file_that_is_cut_or_in_another_encoding_is_refused(tmp_path, content, expected):
    message = refusal(tmp_path, content)

    assert expected in message
    assert "Sec" not in message


def test_what_is_no_gzip_or_no_parquet_is_refused(tmp_path):
    assert "2024-03-01/branches.csv.gz: " in refusal(tmp_path, ROWS, name="branches.csv.gz")
    assert "cannot be read as Parquet" in refusal(tmp_path, ROWS, name="branches.parquet")


def branches(**changes):
    table = pa.table(
        {
            "branch_id": pa.array(["B1"]),
            "name": pa.array(["North"]).dictionary_encode(),
            "region": pa.array([None], pa.large_string()),
            "recorded_at": pa.array([date(2024, 1, 1)]).cast(pa.timestamp("ns")),
        }
    )
    for name, values in changes.items():
        table = table.set_column(table.column_names.index(name), name, values)
    return table


def test_parquet_types_that_mean_the_same_are_accepted(tmp_path):
    pq.write_table(branches(), tmp_path / "branches.parquet")

    [row] = _land(tmp_path, "branches.parquet", BRANCHES, 1)

    assert row["name"] == "North"
    assert row["recorded_at"] == datetime(2024, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"branch_id": pa.array([1])}, "branch_id is int64, not string"),
        ({"recorded_at": pa.array(["2024-01-01"])}, "recorded_at is string, not timestamp"),
        ({"recorded_at": pa.array([date(2024, 1, 1)])}, "recorded_at is date32"),
    ],
)
def test_parquet_types_that_mean_something_else_are_refused(tmp_path, changes, expected):
    pq.write_table(branches(**changes), tmp_path / "branches.parquet")

    with pytest.raises(BadFile, match=r"2024-03-01/branches\.parquet: ") as refused:
        _land(tmp_path, "branches.parquet", BRANCHES, 1)
    assert expected in str(refused.value)


@pytest.mark.parametrize(
    ("rate", "is_taken"),
    [
        (pa.array([Decimal("1.5")], pa.decimal128(4, 1)), True),
        (pa.array([1.5]), False),
        (pa.array([Decimal("1.500000001")], pa.decimal128(12, 9)), False),
    ],
)
def test_money_and_rates_are_exact_decimals_with_no_more_places(tmp_path, rate, is_taken):
    table = pa.table(
        [
            pa.array(["USD"]),
            pa.array([date(2024, 1, 1)]),
            rate,
            pa.array([date(2024, 1, 1)]).cast(pa.timestamp("us")),
        ],
        schema=arrow_schema(FX_RATES)
        .set(2, pa.field("rate_to_base", rate.type))
        .set(3, pa.field("recorded_at", pa.timestamp("us"))),
    )
    pq.write_table(table, tmp_path / "fx_rates.parquet")

    if is_taken:
        assert _land(tmp_path, "fx_rates.parquet", FX_RATES, 1)[0]["rate_to_base"] == Decimal("1.5")
    else:
        with pytest.raises(BadFile, match="rate_to_base is"):
            _land(tmp_path, "fx_rates.parquet", FX_RATES, 1)


def test_all_bad_files_are_told_at_once(tmp_path):
    delivery = Delivery("2024-03-01", tmp_path, "")
    files = []
    for table in (BRANCHES, ADVISORS):
        (tmp_path / f"{table.name}.csv").write_text("x\n")
        files.append(DeliveredFile(delivery, table.name, f"{table.name}.csv", 0, ""))
    tables = {table.name: table for table in (BRANCHES, ADVISORS)}
    out = tmp_path / "out"
    out.mkdir()

    with pytest.raises(ContractViolation) as refused:
        land_all(files, tables, {}, Notation(), out, advance=lambda _: None)

    assert len(str(refused.value).splitlines()) == 2


@pytest.mark.parametrize("encoding", ["utf-16", "windows-1250", "iso-8859-1"])
def test_a_declared_encoding_is_read_and_an_undeclared_one_is_not(tmp_path, encoding):
    content = f"{HEADER}\nB1,Köln,N,2024-01-01T00:00:00Z\n".encode(encoding)

    [row] = land_text(tmp_path, content, 1, encoding=encoding)

    assert row["name"] == "Köln"
    assert "is not UTF-8 text; deliver it so, or declare" in refusal(tmp_path, content, 1)


def test_bytes_that_are_not_in_the_declared_encoding_are_refused(tmp_path):
    content = f"{HEADER}\nB1,Secret\x81,N,2024-01-01T00:00:00Z\n".encode("latin-1")

    message = refusal(tmp_path, content, 1, encoding="windows-1252")

    assert "is not WINDOWS-1252 text" in message and "Secret" not in message


def test_padded_fields_and_names_are_read_where_declared(tmp_path):
    content = " branch_id ; name;region;recorded_at\n B1 ; North ; NA ;2024-01-01T00:00:00Z \n"

    [row] = land_text(tmp_path, content, 1, delimiter=";", is_padded=True, nulls=["NA"])

    assert (row["branch_id"], row["name"], row["region"]) == ("B1", "North", None)
    assert row["unreadable"] is None


def test_a_header_that_is_repeated_is_an_unreadable_row(tmp_path):
    rows = land_text(tmp_path, f"{HEADER}\n{ROWS}{HEADER}\n{ROWS}", 5)

    assert [row["unreadable"] for row in rows] == [None, None, ["recorded_at"], None, None]


@pytest.mark.parametrize("odd", ["B\u200b2", "B\x002"])
def test_an_id_with_an_invisible_character_is_set_aside_as_it_stood(spark, tmp_path, odd):
    content = f"{HEADER}\n{ROWS}".replace("B2,South,", f"{odd},South,S")

    rows = land_text(tmp_path, content, 2)
    landed = spark.read.schema(numbered(BRANCHES).ddl).parquet(str(tmp_path / "landed.out"))
    [reason] = broken_rows(landed, BRANCHES).collect()

    assert [row["branch_id"] for row in rows] == ["B1", None]
    assert (reason["row_number"], reason["rule"], reason["column_name"]) == (2, "type", "branch_id")
    assert reason["value"] == odd


def test_a_parquet_id_with_an_invisible_character_is_unreadable_too(tmp_path):
    pq.write_table(branches(branch_id=pa.array(["B\u200b1"])), tmp_path / "branches.parquet")

    [row] = _land(tmp_path, "branches.parquet", BRANCHES, 1)

    assert (row["branch_id"], row["unreadable"]) == (None, ["branch_id"])


def test_each_part_of_a_table_is_checked_by_itself(tmp_path):
    (tmp_path / "branches").mkdir()
    (tmp_path / "out").mkdir()
    pq.write_table(branches(), tmp_path / "branches/1.parquet")
    pq.write_table(branches(branch_id=pa.array([1])), tmp_path / "branches/2.parquet")
    delivery = Delivery("2024-03-01", tmp_path, "")
    files = [
        DeliveredFile(delivery, "branches", f"branches/{part}.parquet", 1, "") for part in (1, 2)
    ]

    with pytest.raises(ContractViolation) as refused:
        land_all(
            files, {"branches": BRANCHES}, {}, Notation(), tmp_path / "out", advance=lambda _: None
        )

    message = str(refused.value)
    assert "2024-03-01/branches/2.parquet: branch_id is int64" in message
    assert "branches/1.parquet" not in message


BOMB = f"{HEADER}\n{ROWS}".encode() + b"B3," + b"a" * (12 << 20)


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({}, "unpacks to more than 200 times its size"),
        ({"max_unpacked_ratio": 5000, "max_unpacked_mb": 10}, "unpacks to more than 10 MB"),
    ],
)
def test_a_zip_bomb_is_unpacked_no_further_than_declared(tmp_path, limits, expected):
    message = refusal(tmp_path, gzip.compress(BOMB), name="branches.csv.gz", **limits)

    assert expected in message and "max_unpacked_ratio" in message


def test_a_first_line_without_an_end_is_refused_before_all_of_it_is_read(tmp_path):
    bomb = gzip.compress(b"a" * (4 << 20))

    assert "first line does not end" in refusal(tmp_path, bomb, name="branches.csv.gz")


def test_a_cut_gzip_is_refused(tmp_path):
    content = gzip.compress(f"{HEADER}\n{ROWS}".encode())[:-12]

    assert "2024-03-01/branches.csv.gz: " in refusal(tmp_path, content, name="branches.csv.gz")


def test_a_file_that_grows_while_it_is_read_is_refused(tmp_path, monkeypatch):
    def growing(path, header, wanted, notation):
        yield from text_batches(path, header, wanted, notation)
        with path.open("a") as file:
            file.write("B3,West,,2024-01-01T00:00:00Z\n")

    monkeypatch.setattr("extracts.text.text_batches", growing)

    assert "changed while it was read" in refusal(tmp_path, f"{HEADER}\n{ROWS}")


def test_a_last_line_that_is_cut_within_its_last_field_shows_in_its_value(tmp_path):
    rows = land_text(tmp_path, f"{HEADER}\n{ROWS}"[:-6], 2)

    assert [row["unreadable"] for row in rows] == [None, ["recorded_at"]]


def test_rows_of_erased_clients_are_counted_and_not_taken(tmp_path):
    stones = Tombstones(b"k" * 32)
    stones = stones.also(stones.of("customer", ["C1"]))
    (tmp_path / "accounts.csv").write_text(
        "account_id,customer_id,product_id,opened_on,closed_on,currency,recorded_at\n"
        "A1,C1,p,2024-01-01,,EUR,2024-01-01T00:00:00Z\n"
        "A2,C2,p,2024-01-01,,EUR,2024-01-01T00:00:00Z\n"
        "A3,C1\u200b,p,2024-01-01,,EUR,2024-01-01T00:00:00Z\n"
        "A4,C1,p,2024-01-01,,EUR,2024-01-01T00:00:00Z\n"
        "A4,C3,p,2024-01-01,,EUR,2024-01-01T00:00:00Z\n"
    )
    file = DeliveredFile(Delivery("2024-03-01", tmp_path, ""), "accounts", "accounts.csv", 5, "")

    landed = land(file, ACCOUNTS, AROUND, Notation(), tmp_path / "landed.out", erased=stones)

    assert (landed.rows, landed.erased) == (5, 3)
    rows = pq.read_table(landed.path).to_pylist()
    assert [(row["row_number"], row["account_id"]) for row in rows] == [(2, "A2"), (5, "A4")]
    assert accounts_of_erased([file], Notation(), stones) == {"A1"}, "A4 is another's as well"
