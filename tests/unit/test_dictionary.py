"""The data dictionary says what the declarations say."""

from pathlib import Path

from tables.derived import DERIVED
from tables.dictionary import data_dictionary
from tables.runs import RUNS
from tables.sources import SOURCES

COMMITTED = Path(__file__).parents[2] / "docs" / "data_dictionary.md"


def test_the_committed_dictionary_is_current():
    assert COMMITTED.read_text(encoding="utf-8") == data_dictionary(), "run make docs"


def test_every_table_and_column_has_its_line():
    text = data_dictionary()
    for table in (*SOURCES, *DERIVED, RUNS):
        section = text.split(f"### {table.name}\n")[1].split("###")[0]
        for column in table.columns:
            assert f"| {column.name} | {column.type} | {column.meaning} |" in section


def test_keys_nulls_codes_and_references_are_marked():
    lines = data_dictionary().splitlines()

    def note(start):
        (line,) = [line for line in lines if line.startswith(start)]
        return line.split(" | ")[-1].removesuffix(" |")

    assert note("| account_id | string | account that was credited") == "names a row of `accounts`"
    assert note("| birth_date |") == "may be null"
    assert note("| flag |") == "key, code"
    assert note("| amount |") == ""
