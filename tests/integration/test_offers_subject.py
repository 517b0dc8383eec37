"""`xsell offers subject`: a client is told all that is held, and nothing about anybody else."""

from __future__ import annotations

import json

import pytest

from jobs.cli import main
from jobs.privacy.client_traces import stored_places
from jobs.privacy.erasure import DECLARED
from jobs.privacy.subject_words import ABOUT
from tables.derived import CAMPAIGN_LISTS
from tables.identifiers import KINDS
from tables.runs import Runs
from tables.store import Store
from tests.month import AS_OF
from tests.pages import Text
from tests.traces import texts_of


@pytest.fixture(scope="module")
def listed(bank):
    """A client on a list, and the list's row."""
    record = Runs(bank.home.tables).newest("campaign", lambda _: True)
    return Store(bank.home.tables, None, record.pins).arrow(CAMPAIGN_LISTS, AS_OF).to_pylist()[0]


def subject(bank, *words):
    return main(["offers", "subject", "--home", str(bank.home.path), *map(str, words)])


@pytest.fixture(scope="module")
def files(bank, listed, tmp_path_factory):
    folder = tmp_path_factory.mktemp("subject") / "new"
    to = ["--to", folder / "all.json", "--html", folder / "all.html"]
    assert subject(bank, "--customer", listed["customer_id"], *to) == 0
    return folder


def test_every_row_about_the_client_is_in_it_and_none_about_another(bank, listed, files):
    content = json.loads((files / "all.json").read_text())
    told = {table["name"]: table["rows"] for table in content["tables"]}
    for place in stored_places(bank.home):
        held = any(
            listed["customer_id"] in (text or "")
            for texts in texts_of(place.path)
            for text in texts.to_pylist()
        )
        assert not held or told.get(place.table_name), place.path
    assert len(told["transactions"]) > 50
    assert len(told["decisions"]) == len(told["offer_log"]) == len(content["decisions"])
    named = {row["customer_id"] for rows in told.values() for row in rows if "customer_id" in row}
    assert named == {listed["customer_id"]}
    [one] = told["vault"]
    assert set(one) == {"customer_id", "client"}, "a secret is not sent about"
    assert content["delivered"]["rows"]["customers"] == content["delivered"]["deliveries"] == 24


def test_decisions_are_told_with_their_reasons_in_words(listed, files):
    content = json.loads((files / "all.json").read_text())
    offered = [one for one in content["decisions"] if one["outcome"] == "offered"]
    assert [one["offer_id"] for one in offered] == [listed["offer_id"]]
    assert listed["reason_1"] in offered[0]["told_to_the_branch"]
    others = [one for one in content["decisions"] if one["outcome"] in ("suppressed", "ineligible")]
    assert others
    for one in others:
        assert one["reasons"]
        assert not any("{" in reason or "." in reason.split()[0] for reason in one["reasons"]), one
    assert any(f"branch {listed['branch_id']}" in one for one in content["recipients"])


def test_the_page_says_the_same_and_needs_no_network(listed, files):
    page = Text((files / "all.html").read_text())
    assert page.open == []
    assert all(link.startswith("#") for link in page.fetched)
    assert {link.removeprefix("#") for link in page.fetched} <= set(page.ids)
    content = json.loads((files / "all.json").read_text())
    for words in (listed["customer_id"], listed["reason_1"], content["kept"], *content["logic"]):
        assert " ".join(words.split()) in page.shown
    for table in content["tables"]:
        assert table["about"] in page.shown
    assert all(row["transaction_id"] in page.shown for row in bookings(content))
    assert (files / "all.html").stat().st_mode & 0o777 == 0o600


def bookings(content):
    return next(table["rows"] for table in content["tables"] if table["name"] == "transactions")


def test_every_table_with_a_client_has_a_sentence_for_them():
    named = {name for name, table in DECLARED.items() if set(KINDS) & set(table.column_names)}
    named |= {name for name, table in DECLARED.items() if "raw_row" in table.column_names}
    assert {*named, "customer_features"} == set(ABOUT)


def test_what_cannot_be_told_is_one_line(bank, capsys, listed):
    assert subject(bank, "--customer", "C-nobody") == 2
    assert "is it misspelt?" in capsys.readouterr().err
    inside = bank.home.path / "all.json"
    assert subject(bank, "--customer", listed["customer_id"], "--to", inside) == 1
    assert "is below the home folder" in capsys.readouterr().err
    assert not inside.exists()
