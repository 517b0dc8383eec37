"""A client is taken out of rows: of every declared table, of texts, and of a Delta log."""

from __future__ import annotations

import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from conf.load import load_config
from conf.notation import Notation
from extracts.redacted import fields_of, records_of, redact_delivered
from features.catalogue import customer_features_table
from jobs.privacy.erasure import DECLARED
from tables.arrow import arrow_schema
from tables.base import Table, columns
from tables.delta import DataFile, commit_files, files_of
from tables.derived import DERIVED
from tables.files import sha256_of
from tables.identifiers import KINDS, Identifiers
from tables.redaction import may_blank, redact, redact_file, redacted_logs
from tables.sources import SOURCES, as_delivered, stored
from tables.tombstones import Tombstones

CLIENT = Identifiers(
    {
        "customer": {"C0000007", "C0000008"},
        "account": {"A000000070"},
        "household": {"F0000007"},
        "transaction": {"T000000070001"},
        "holding": {"H000000070"},
        "contact": {"K000000070"},
        "pseudonym": {"0123456789abcdef0123456789abcdef"},
        "secret": {"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"},
    }
)
FEATURES = customer_features_table(tuple(load_config("local").products))
TABLES = [*map(stored, SOURCES), *map(as_delivered, SOURCES), *DERIVED, FEATURES]


def a_row(table: Table, column: str | None) -> pa.Table:
    """A row about somebody else in which one column says what it must not."""
    schema = arrow_schema(table)
    row = {field.name: None for field in schema} | {
        name: "OTHER" for name in schema.names if schema.field(name).type == pa.string()
    }
    if column is not None:
        theirs = sorted(CLIENT.in_column(column)) if column in KINDS else ["C0000007"]
        said = json.dumps({"customer_id": theirs[0]}) if column == "raw_row" else theirs[0]
        row[column] = said if column in (*KINDS, "raw_row") else f"Call C0000007, or {said}."
    return pa.Table.from_pylist([row], schema=schema)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_whatever_column_of_whatever_table_names_a_client_loses_that_or_its_row(table):
    """A table that somebody declares tomorrow is covered as well."""
    texts = [column.name for column in table.columns if column.type == "string"]
    for name in texts:
        found = redact(a_row(table, name), may_blank(DECLARED.get(table.name)), CLIENT)
        assert found.touched == 1, name
        left = found.rows.to_pylist()
        assert not any(str(one) in str(left) for one in CLIENT.everything), name
        may_be_null = {column.name: column.is_nullable for column in table.columns}[name]
        blankable = may_be_null and table.name in DECLARED
        assert len(left) == (1 if blankable else 0), name
    assert redact(a_row(table, None), may_blank(table), CLIENT).touched == 0


def test_every_declared_table_with_a_client_is_known_to_erasure():
    named = {table.name for table in TABLES if set(KINDS) & set(table.column_names)}
    assert named <= {*DECLARED, FEATURES.name}
    assert {"vault", "offer_log", "decisions", "customers", "transactions"} <= named


def test_an_id_column_of_a_new_name_is_declared_as_one_or_the_other():
    """Who adds a column with identifiers of clients has to say whose they are."""
    others = {
        *("branch_id", "advisor_id", "referred_by_advisor_id", "product_id", "offer_id"),
        *("campaign_id", "run_id", "partner_id", "bundle_id", "payroll_employer_id"),
        *("talking_point_id", "export_id"),
    }
    ids = {name for table in TABLES for name in table.column_names if name.endswith("_id")}
    assert ids - others == {name for name in KINDS if name.endswith("_id")}


def test_a_line_of_the_sealed_log_keeps_its_leaf():
    log = DECLARED["offer_log"]
    rows = pa.Table.from_pylist(
        [
            {
                "run_id": "r",
                "position": place,
                "client": client,
                "line": f'{{"client":"{client}"}}',
                "offer_id": "o",
                "leaf": "aa",
            }
            for place, client in enumerate(["f" * 32, "0123456789abcdef0123456789abcdef"])
        ],
        schema=arrow_schema(log),
    )
    found = redact(rows, may_blank(log), CLIENT)
    assert (found.removed, found.blanked) == (0, 1)
    assert found.rows.to_pylist()[1] == {
        "run_id": "r",
        "position": 1,
        "client": None,
        "offer_id": "o",
        "line": None,
        "leaf": "aa",
    }
    assert found.rows.slice(0, 1).equals(rows.slice(0, 1))


@pytest.mark.parametrize(
    "text",
    [
        '{"customer_id": "C0000007\\u200b"}',
        '{"customer_id": " C0000007"}',
        '{"account_id": "A000000070", "amount": "12x"}',
        '{"transaction_id": "T000000070001"}',
        '{"note": "see C0000007/2"}',
        "no JSON: C0000007, 12",
    ],
)
def test_a_row_in_quarantine_is_found_however_it_was_spoilt(text):
    assert CLIENT.is_in_json(text)


def test_another_identifier_that_begins_alike_is_another_client():
    for text in ("C00000071", "XC0000007", "C000000", "12 C0000006"):
        assert not CLIENT.is_in_text(text)
        assert not CLIENT.is_in_json(json.dumps({"customer_id": text}))
    plain = Identifiers({"customer": {"17"}, "account": {"5"}})
    assert not plain.is_in_text("Paid 17 EUR"), "a bare number may be anything in a sentence"
    rows = pa.table({"customer_id": ["17", "5"], "account_id": ["17", "5"]})
    assert redact(rows, ["account_id"], plain).rows.to_pylist() == [
        {"customer_id": "5", "account_id": None}
    ]


def test_texts_within_lists_and_structs_count():
    rows = pa.table(
        {"rules": pa.array([[{"rule": "a"}, {"rule": "for C0000007"}], [{"rule": "b"}], None])}
    )
    assert redact(rows, (), CLIENT).rows.to_pylist() == [
        {"rules": [{"rule": "b"}]},
        {"rules": None},
    ]


def test_a_file_keeps_its_schema_its_order_and_its_row_groups(tmp_path):
    rows = pa.table(
        {
            "customer_id": [f"C{number:07}" for number in range(1, 31)],
            "amount": pa.array(range(30), pa.int32()).cast(pa.decimal128(18, 2)),
        }
    )
    pq.write_table(rows, tmp_path / "old", row_group_size=10, store_schema=False)
    new = redact_file(tmp_path / "old", tmp_path / "new", (), CLIENT)
    assert (new.removed, new.blanked, new.rows) == (2, 0, 28)
    assert pq.read_table(tmp_path / "new").equals(pa.concat_tables([rows[:6], rows[8:]]))
    footer = pq.read_metadata(tmp_path / "new")
    assert [footer.row_group(place).num_rows for place in range(3)] == [8, 10, 10]
    assert footer.metadata is None, "an engine's file carries no notes of Arrow's"
    assert redact_file(tmp_path / "new", tmp_path / "again", (), CLIENT) is None
    assert not (tmp_path / "again").exists()


TEXT = (
    "\ufeffcustomer_id;note;amount\r\n"
    '"C0000009";"two\r\nlines; ""quoted""";1\r\n'
    'C0000007;"his;\r\nown";2\r\n'
    '"C0000007 ";x;3\r\n'
    'C0000010;"about C0000008";4\r\n'
    'C0000010;5" screen;5\r\n'
    "C0000011;;6"
)


@pytest.mark.parametrize("encoding", ["utf-8", "windows-1252", "utf-16-le"])
@pytest.mark.parametrize("suffix", [".csv", ".csv.gz"])
def test_every_other_record_of_a_delivered_text_stays_byte_by_byte(tmp_path, suffix, encoding):
    source, target = tmp_path / f"old{suffix}", tmp_path / "new"
    text = TEXT if encoding != "windows-1252" else TEXT.removeprefix("\ufeff")
    content = text.encode(encoding)
    source.write_bytes(gzip.compress(content) if suffix.endswith("gz") else content)
    notation = Notation(encoding=encoding, delimiter=";")
    new = redact_delivered(source, target, None, notation, CLIENT)
    assert (new.removed, new.blanked, new.rows) == (3, 0, 3)
    left = target.read_bytes()
    records = list(records_of(text.splitlines(keepends=True), notation))
    expected = "".join([records[0], records[1], *records[5:]])
    assert (gzip.decompress(left) if suffix.endswith("gz") else left) == expected.encode(encoding)
    assert redact_delivered(target.rename(source), target, None, notation, CLIENT) is None


def test_a_value_that_may_be_left_out_is_left_out(tmp_path):
    table = next(as_delivered(one) for one in SOURCES if one.name == "holdings")
    path = tmp_path / "holdings.csv"
    path.write_text(
        "holding_id,customer_id,account_id,product_id\n"
        'H1,C0000009,A000000070,"a, b"\nH2,C0000009,A000000071,c\n'
    )
    new = redact_delivered(path, tmp_path / "new", table, Notation(), CLIENT)
    assert (new.removed, new.blanked, new.rows) == (0, 1, 2)
    assert (tmp_path / "new").read_text() == (
        "holding_id,customer_id,account_id,product_id\n"
        'H1,C0000009,,"a, b"\nH2,C0000009,A000000071,c\n'
    )


def test_quotes_in_the_middle_of_a_value_are_no_quotes():
    lines = ['a,5" x\n', 'b,"c\n', 'd"\n', "e,f\n"]
    assert list(records_of(lines, Notation())) == ['a,5" x\n', 'b,"c\nd"\n', "e,f\n"]
    assert fields_of('a,5" x\n', Notation()) == ["a", '5" x']


def test_a_delta_log_of_any_length_tells_the_new_sizes(tmp_path):
    """Every so many commits a checkpoint stands in place of the log."""
    table = Table("notes", "one row per note", ("note",), columns("note string -- text"), "record")
    folder = tmp_path / "notes"
    (folder / "data").mkdir(parents=True)
    files = []
    for number in range(103):
        path = folder / "data" / f"{number}.parquet"
        pq.write_table(pa.table({"note": ["x" * number]}), path)
        files.append(DataFile(f"data/{number}.parquet", 1, path.stat().st_size))
        commit_files(folder, table, files, "run")
    assert list((folder / "_delta_log").glob("*.checkpoint.parquet"))
    changed = {"data/7.parquet": DataFile("data/7.parquet", 0, 77)}
    target = tmp_path / "new"
    target.mkdir()
    new = list(redacted_logs(folder, changed, target))
    assert {path.suffix for path, _ in new} == {".json", ".parquet"}
    before = {path: sha256_of(path) for path in folder.rglob("*") if path.is_file()}
    for path, staged in new:
        staged.replace(path)
    for version in (7, 50, 101, 102):
        assert DataFile("data/7.parquet", 0, 77) in files_of(folder, version)
        assert len(files_of(folder, version)) == version + 1
    assert DeltaTable(folder).version() == 102
    other = {path for path in before if sha256_of(path) == before[path]}
    assert len(other) > 200, "nothing else was touched"


def test_who_was_erased_is_known_by_the_key_alone():
    stones = Tombstones(b"k" * 32)
    stones = stones.also([*stones.of("customer", ["C1"]), *stones.of("account", ["A1"])])
    rows = pa.record_batch(
        {
            "customer_id": ["C1", "C2", "C2", None],
            "account_id": ["A2", "A1", "A2", "A2"],
            "counterparty_id": [None, None, "A1", "C2"],
            "raw_row": [None, None, None, '{"customer_id": "C1\\u200b"}'],
        }
    )
    kept = stones.kept(rows, ["account_id", "counterparty_id"])
    assert kept.to_pylist() == [
        {"customer_id": "C2", "account_id": None, "counterparty_id": None, "raw_row": None},
        {"customer_id": "C2", "account_id": "A2", "counterparty_id": None, "raw_row": None},
    ]
    assert stones.kept(rows, []).num_rows == 0
    assert not Tombstones(b"x" * 32, stones.hashes).knows("customer_id", "C1")
    assert not stones.knows("customer_id", "A1"), "an account is no customer"
