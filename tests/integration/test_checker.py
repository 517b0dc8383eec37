"""Published lists against raw deliveries, by a reader that shares no code with the gates (P8)."""

from __future__ import annotations

import ast
import re
import shutil
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb
import pytest
from pyspark.sql import SparkSession

from audit import independent
from audit.independent.check import Bank
from audit.independent.decided import DECISIONS, GATES, OF_CONTACTS
from audit.independent.files import Violation
from audit.independent.report import Campaign
from audit.independent.rules import LIST_FILES, RULES
from tests.planted_violations import PLANTED, PLANTED_DECISIONS, TIGHTER
from tests.published_bank import ingested_bank
from tests.random_settings import Values, drawn_settings, wide_settings

EVERYDAY = 2
BANKS = 50


@dataclass(frozen=True)
class Lists:
    """Lists of a bank, and who checks them."""

    home: Path
    folder: Path
    bank: Bank
    decisions: list[Path]
    run_id: str

    def campaign(self, decisions: list[Path] | None = None) -> Campaign:
        """As its run has recorded it."""
        committed = {
            path.relative_to(self.folder).as_posix(): sha256(path.read_bytes()).hexdigest()
            for path in self.folder.rglob("*")
            if path.is_file()
        }
        return Campaign(self.run_id, self.folder, committed, decisions or self.decisions, {})

    def decisions_with(self, folder: Path, *changes: str) -> list[Path]:
        """A copy of the decisions after some changes, as SQL about the table ``rows``."""
        with duckdb.connect() as database:
            files = [str(path) for path in self.decisions]
            database.execute(f"create table rows as from read_parquet({files})")
            for change in changes:
                database.execute(change)
            database.execute(f"copy rows to '{folder}/decisions.parquet' (format parquet)")
        return [folder / "decisions.parquet"]

    def rules_broken(
        self, rule: str, folder: Path | None = None, assuming: str = ""
    ) -> list[Violation]:
        return self.bank.violations(folder or self.folder, asked=(rule,), assuming=assuming)


@pytest.fixture(scope="module")
def lists(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Lists:
    folder = tmp_path_factory.mktemp("everyday")
    return lists_of(spark, folder, EVERYDAY, wide_settings())


def lists_of(spark: SparkSession, folder: Path, seed: int, values: Values) -> Lists:
    published = ingested_bank(folder, spark, seed)
    with pytest.MonkeyPatch.context() as monkeypatch:
        made = published.campaign(values, monkeypatch)
    return Lists(published.home.path, made.lists, made.bank, made.decisions, made.run_id)


def test_a_random_banks_lists_break_no_rule(lists: Lists) -> None:
    assert lists.bank.violations(lists.folder) == []
    assert lists.bank.gates(lists.decisions) == {}
    offers = Counter(row[0] for row in rows_of(lists.folder))
    assert offers.total() > 40
    assert len(offers) > 8, "many kinds of offers are made"


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 100 + BANKS))
def test_fifty_random_banks_lists_break_no_rule(
    spark: SparkSession, tmp_path: Path, seed: int
) -> None:
    found = lists_of(spark, tmp_path, seed, drawn_settings(seed))
    assert found.bank.violations(found.folder) == []
    assert found.bank.gates(found.decisions) == {}


def rows_of(folder: Path) -> list[tuple[Any, ...]]:
    return duckdb.sql(f"select offer_id from read_parquet('{folder}/campaign.parquet')").fetchall()


def test_the_checker_shares_no_code_with_what_it_checks() -> None:
    own = {"duckdb", *sys.stdlib_module_names}
    for path in sorted(Path(independent.__file__).parent.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = (
                [one.name for one in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            for name in names:
                is_own = name.partition(".")[0] in own
                assert is_own or name.startswith("audit.independent"), (path.name, name)


@pytest.mark.parametrize("rule", PLANTED)
def test_a_planted_row_is_named(lists: Lists, tmp_path: Path, rule: str) -> None:
    change, query = PLANTED[rule]
    if query.startswith("customer "):
        query = f"select customer_id from customers where {query.removeprefix('customer ')}"
    changes = [change] if change else []
    victim = ""
    if query:
        found = lists.bank.ask(f"select min(customer_id) from ({query}) as found(customer_id)")
        victim = found[0][0]
        assert victim, "the bank has such a client"
        changes.append(f"customer_id = '{victim}'")
    folder = planted(lists.folder, tmp_path, ", ".join(changes))

    assert lists.rules_broken(rule) == []
    named = lists.rules_broken(rule, folder)
    assert named
    assert {one.rule for one in named} == {rule}
    if victim and rule != "contact.household_cap_30d":
        assert victim in {one.customer_id for one in named}


def planted(lists: Path, folder: Path, change: str) -> Path:
    """A copy in which one row, of the mortgage where a rule is about it, says something else."""
    shutil.copytree(lists, folder / "lists")
    path = folder / "lists/campaign.parquet"
    with duckdb.connect() as database:
        database.execute(f"create table rows as from read_parquet('{path}')")
        product = {"mortgage_2026": "mortgage", "gold_card_upgrade_2026": "gold_card"}
        more = next((f", product_id = '{p}'" for o, p in product.items() if o in change), "")
        place = "(select min(rowid) from rows where event is null)"
        database.execute(f"update rows set {change}{more} where rowid = {place}")
        database.execute(f"copy rows to '{path}' (format parquet)")
    return folder / "lists"


@pytest.mark.parametrize("rule", TIGHTER)
def test_a_list_is_named_under_a_tighter_rule(lists: Lists, rule: str) -> None:
    assert lists.rules_broken(rule) == []
    assert lists.rules_broken(rule, assuming=TIGHTER[rule])


@pytest.mark.parametrize("rule", ["list.once", "list.one_product"])
def test_a_second_offer_of_the_same_is_named(lists: Lists, tmp_path: Path, rule: str) -> None:
    shutil.copytree(lists.folder, tmp_path / "lists")
    path = tmp_path / "lists/campaign.parquet"
    other = {"list.once": "offer_id", "list.one_product": "'travel_package_2026'"}[rule]
    of = "" if rule == "list.once" else "where product_id = 'travel_insurance'"
    duckdb.sql(
        f"copy (from read_parquet('{path}') union all (select * replace ({other} as offer_id)"
        f" from read_parquet('{path}') {of} limit 1)) to '{path}.new' (format parquet)"
    )
    Path(f"{path}.new").replace(path)
    assert len(lists.rules_broken(rule, tmp_path / "lists")) == 1


def edit(path: Path, change: Callable[[str], str]) -> None:
    path.write_bytes(change(path.read_bytes().decode()).encode())


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("files.manifest", lambda text: text + "\r\n"),
        ("files.branches", lambda text: text[: text[:-2].rindex("\r\n") + 2]),
        ("files.formula", lambda text: text.replace(",branch,", ",=cmd(),", 1)),
    ],
)
def test_a_touched_branch_file_is_named(
    lists: Lists, tmp_path: Path, rule: str, change: Callable[[str], str]
) -> None:
    folder = tmp_path / "lists"
    shutil.copytree(lists.folder, folder)
    edit(min(folder.glob("branches/*.csv")), change)
    assert lists.rules_broken(rule, folder)


def test_a_client_on_the_care_list_who_needs_no_care_is_named(lists: Lists, tmp_path: Path) -> None:
    folder = tmp_path / "lists"
    shutil.copytree(lists.folder, folder)
    [[stranger]] = lists.bank.ask(
        "select min(customer_id) from customers_active"
        " where customer_id not in (select customer_id from flagged)"
    )
    edit(
        min(folder.glob("care/*.csv")),
        lambda text: re.sub(r"(\r\n)[^,]+", rf"\g<1>{stranger}", text, count=1),
    )
    [found] = lists.rules_broken("care.list", folder)
    assert found.customer_id == stranger
    [helpless] = lists.rules_broken("care.everybody", folder)
    assert helpless.customer_id not in {"", stranger}, "whose place the stranger has taken"


def test_a_rule_of_the_bank_is_named(lists: Lists, monkeypatch: pytest.MonkeyPatch) -> None:
    about = {"applies_to": {"products": ["mortgage"]}}
    conditions = {
        "none": "branch_id = 'B9'",
        "all": "branch_id <> 'B9'",
        "odd": "card_count_3m > 1",
    }
    rules = {name: {"allow_when": text} | about for name, text in conditions.items()}
    monkeypatch.setattr(lists.bank, "values", lists.bank.values | {"rules": rules})
    assert {one.offer_id for one in lists.rules_broken("rule.none")} == {"mortgage_2026"}
    assert lists.rules_broken("rule.all") == []
    [gate] = lists.bank.gates(lists.decisions).values()
    [[clients]] = lists.bank.ask("select count(*) from customers_active")
    assert (gate.rule, gate.violations) == ("gate.rule.none", clients)
    report = lists.bank.check(lists.campaign())
    assert report.not_compared["rule.odd"] == "asks for what is not known here"
    assert {one.rule for one in report.rules if one.violations} == {"rule.none", "gate.rule.none"}


LOOSER = (
    "update said set max_contacts_30d = 9",
    "update said set max_household_contacts_30d = 9",
    "update said set min_days_between_contacts = 0",
    "update said set max_offers_per_customer = 9, branch_capacity = 999, control_share = 0.0",
    "update class_cap set most = 9",
    "update cool_off set days = 0",
    "update law set permission = 'unless_objected'",
    "update product set min_age = null, max_age = null, min_income = null, min_balance = null",
    "delete from excludes",
    "delete from treatment",
)


@pytest.mark.parametrize("looser", LOOSER)
def test_lists_under_a_tighter_rule_break_no_looser_one(lists: Lists, looser: str) -> None:
    # these tell what a rule is, not whether it is kept
    told = {"contact.contacts_left", "consent.basis", "care.list"}
    asked = {*RULES} - told
    assert lists.bank.violations(lists.folder, asked=asked, assuming=looser) == []


@pytest.mark.parametrize("rule", PLANTED_DECISIONS)
def test_a_planted_decision_is_named(lists: Lists, tmp_path: Path, rule: str) -> None:
    for number, (change, count) in enumerate(PLANTED_DECISIONS[rule]):
        folder = tmp_path / str(number)
        folder.mkdir()
        changed = lists.decisions_with(folder, change)
        told = {one.rule: one for one in lists.bank.decisions(lists.campaign(changed))}
        assert told[rule].violations == count, change
        assert len(told[rule].examples) == min(count, 3)
        assert all(example.customer_id for example in told[rule].examples)


def planted_gates(lists: Lists, folder: Path) -> tuple[list[Path], dict[str, int]]:
    """Of each gate one decision that does not say it any more, and one that says it wrongly."""
    changes, counts = [], {}
    for code in GATES:
        says = f"list_contains(failed_gates, '{code}')"
        found = {}
        for what, is_said in (("said", says), ("not said", f"not {says}")):
            [(rows,)] = lists.bank.ask(
                f"select list((customer_id, offer_id) order by customer_id, offer_id)[:1] from"
                f" read_parquet({[str(path) for path in lists.decisions]}) where {is_said}"
                " and customer_id in (select customer_id from customers_active)"
                + (" and outcome = 'ineligible'" if code == "eligibility.not_active" else "")
            )
            found[what] = rows or []
        for what, new in (
            ("said", f"list_filter(failed_gates, lambda one: one <> '{code}')"),
            ("not said", f"list_append(failed_gates, '{code}')"),
        ):
            changes += [
                f"update rows set failed_gates = {new}"
                f" where (customer_id, offer_id) = ('{client}', '{offer}')"
                for client, offer in found[what]
            ]
        counts[f"gate.{code}"] = sum(map(len, found.values()))
    return lists.decisions_with(folder, *changes), counts


def test_a_gate_that_stops_too_many_or_too_few_is_named(lists: Lists, tmp_path: Path) -> None:
    planted, counts = planted_gates(lists, tmp_path)
    found = lists.bank.gates(planted)
    assert {rule: one.violations for rule, one in found.items()} == counts
    both = {rule for rule, count in counts.items() if count == 2}
    assert len(both) > 15, "most gates stop somebody in this bank"
    assert {one.found.split()[0] for rule in both for one in found[rule].examples} == {
        "fails", "passes",
    }  # fmt: skip


def test_contacts_that_a_branch_has_told_of_are_not_recomputed(
    lists: Lists, tmp_path: Path
) -> None:
    planted, _ = planted_gates(lists, tmp_path)
    found = lists.bank.gates(
        planted, assuming="insert into returned_home select distinct home from home"
    )
    assert {f"gate.{code}" for code in GATES} - set(found) == {
        f"gate.{code}" for code in OF_CONTACTS
    }


def test_every_rule_has_been_seen_to_be_broken() -> None:
    apart = {"list.once", "list.one_product", "care.list", "care.everybody", *LIST_FILES}
    assert {*PLANTED, *TIGHTER, *apart} == {*RULES, *LIST_FILES}
    assert {*PLANTED_DECISIONS} == {*DECISIONS}
