"""The data dictionary says what the declarations say."""

from pathlib import Path

from campaigns.rule_book import rules_markdown
from conf.load import load_config
from tables.derived import DERIVED
from tables.dictionary import data_dictionary
from tables.runs import RUNS
from tables.sources import SOURCES

DOCS = Path(__file__).parents[2] / "docs"


def test_the_committed_dictionary_is_current():
    committed = (DOCS / "data_dictionary.md").read_text(encoding="utf-8")
    assert committed == data_dictionary(), "run make docs"


def test_the_committed_rules_are_current():
    committed = (DOCS / "rules.md").read_text(encoding="utf-8")
    assert committed == rules_markdown(load_config("local")), "run make docs"


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
