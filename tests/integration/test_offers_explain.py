"""What a compliance reviewer types about one client, and sees."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs.cli import main
from tables.derived import CAMPAIGN_LISTS, DECISIONS, PROPENSITY_SCORES
from tables.runs import Runs
from tables.store import Store
from tests.month import AS_OF


@pytest.fixture(scope="module")
def home(bank, tmp_path_factory) -> Path:
    """What explaining reads of the small bank."""
    target = tmp_path_factory.mktemp("explain") / "home"
    for name in ("tables", "log", "lists", "mlruns"):
        shutil.copytree(bank.home.path / name, target / name)
    return target


@pytest.fixture(scope="module")
def decided(home) -> list[dict]:
    record = Runs(home / "tables").current("campaign", AS_OF)
    return Store(home / "tables", None, record.pins).arrow(DECISIONS, AS_OF).to_pylist()


def one_of(decided: list[dict], outcome: str) -> tuple[str, str]:
    row = next(row for row in decided if row["outcome"] == outcome)
    return row["customer_id"], row["offer_id"]


@pytest.fixture
def explain(home, capsys):
    def run(*options: str) -> tuple[int, str]:
        words = ["offers", "explain", "--home", str(home), *options]
        status = main(words if "--run" in options else [*words, "--as-of", str(AS_OF)])
        printed = capsys.readouterr()
        return status, printed.out + printed.err

    return run


@pytest.mark.parametrize(
    "outcome", ["offered", "control", "outranked", "over_capacity", "suppressed", "ineligible"]
)
def test_every_outcome_is_told_with_its_rules_its_worth_and_what_would_change_it(
    decided, explain, tmp_path, outcome
):
    customer, offer = one_of(decided, outcome)
    status, said = explain("--customer", customer, "--offer", offer)
    assert status == 0, said
    assert f"{offer}: {outcome}, that is, " in said
    assert said.splitlines()[0].startswith(f"Client {customer}, branch B")
    assert "as it was sealed" in said
    assert "  otherwise  " in said
    status, _ = explain("--customer", customer, "--offer", offer, "--json", str(tmp_path / "one"))
    [told] = json.loads((tmp_path / "one").read_text())["offers"]
    row = next(one for one in decided if (one["customer_id"], one["offer_id"]) == (customer, offer))
    failed = [rule["code"] for rule in told["rules"] if not rule["has_passed"]]
    assert sorted(failed) == row["failed_gates"]
    assert all(rule["looked_at"] for rule in told["rules"])
    assert told["value"]["expected_profit"] == str(row["expected_profit"])


def test_what_the_branch_read_is_told(home, decided, explain):
    customer, offer = one_of(decided, "offered")
    record = Runs(home / "tables").current("campaign", AS_OF)
    lists = Store(home / "tables", None, record.pins).arrow(CAMPAIGN_LISTS, AS_OF).to_pylist()
    row = next(one for one in lists if (one["customer_id"], one["offer_id"]) == (customer, offer))
    _, said = explain("--customer", customer, "--offer", offer, "--run", record.run_id[:10])
    assert row["reason_1"][:40] in said
    assert f"contact by {row['channel']}, consent {row['consent_basis']}" in said


def test_what_moved_a_propensity_is_told_where_a_model_has_trees(home, decided, explain, tmp_path):
    customer, _ = one_of(decided, "offered")
    assert explain("--customer", customer, "--json", str(tmp_path / "all"))[0] == 0
    offers = json.loads((tmp_path / "all").read_text())["offers"]
    record = Runs(home / "tables").current("campaign", AS_OF)
    scores = Store(home / "tables", None, record.pins).arrow(PROPENSITY_SCORES, AS_OF).to_pylist()
    kinds = {row["product_id"]: row["model_kind"] for row in scores}
    found = {bool(offer["contributions"]): kinds[offer["product_id"]] for offer in offers}
    assert found[True] != "segment_rate"
    for offer in offers:
        has_trees = kinds[offer["product_id"]] != "segment_rate"
        assert bool(offer["contributions"]) == has_trees, offer["offer_id"]


def test_without_an_offer_every_one_is_told_in_short(decided, explain):
    customer, _ = one_of(decided, "offered")
    status, said = explain("--customer", customer)
    assert status == 0
    offers = {row["offer_id"] for row in decided}
    assert all(f"\n{offer}: " in said for offer in offers)
    assert "Everything about one: --offer ID" in said


def test_the_page_shows_every_offer_and_escapes_what_it_shows(decided, explain, tmp_path):
    customer, _ = one_of(decided, "suppressed")
    page = tmp_path / "why.html"
    status, said = explain("--customer", customer, "--html", str(page))
    assert (status, said) == (0, f"written to {page}\n")
    text = page.read_text()
    assert f"Client {customer}: what was decided, and why" in text
    assert text.count("<section id=") == len({row["offer_id"] for row in decided})
    assert "http" not in text


def test_who_asked_is_recorded_and_a_client_nobody_decided_about_is_an_error(home, explain):
    status, said = explain("--customer", "C9999999", "--by", "A. Rossi")
    assert status == 1
    assert "nothing was decided about this client in the campaign of 2026-11-01" in said
    last = json.loads((home / "log" / "lookups.jsonl").read_text().splitlines()[-1])
    assert (last["by"], last["command"], last["found"]) == ("A. Rossi", "offers explain", False)
    assert "C9999999" not in json.dumps(last)


def test_wrong_calls_say_what_there_is(decided, explain):
    customer, _ = one_of(decided, "offered")
    assert (
        "the campaign had no offer gold; it had "
        in explain("--customer", customer, "--offer", "gold")[1]
    )
    told = explain("--customer", customer, "--run", "ffff")[1]
    assert "run ffff is no committed campaign; there are" in told


def test_a_decision_that_was_changed_since_is_told(home, decided, capsys, tmp_path):
    customer, offer = one_of(decided, "suppressed")
    copy = tmp_path / "home"
    shutil.copytree(home, copy)
    for path in (copy / "tables" / "decisions" / "data").rglob("*.parquet"):
        rows = pq.read_table(path, partitioning=None)
        names = zip(rows["customer_id"].to_pylist(), rows["offer_id"].to_pylist(), strict=True)
        left = [
            given - (name == (customer, offer))
            for given, name in zip(rows["contacts_left_30d"].to_pylist(), names, strict=True)
        ]
        at = rows.schema.get_field_index("contacts_left_30d")
        pq.write_table(rows.set_column(at, rows.schema.field(at), pa.array(left, pa.int32())), path)
    words = ["--as-of", str(AS_OF), "--customer", customer, "--offer", offer]
    assert main(["offers", "explain", "--home", str(copy), *words]) == 0
    assert "NOT as it was sealed: ask xsell offers verify" in capsys.readouterr().out
