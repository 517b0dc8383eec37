"""Published lists against raw deliveries, by a reader that shares no code with the gates (P8)."""

from __future__ import annotations

import ast
import re
import shutil
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
from pyspark.sql import SparkSession

from tests import checker
from tests.checker.__main__ import main
from tests.checker.check import Bank, Violation
from tests.checker.rules import RULES
from tests.planted_violations import PLANTED, TIGHTER
from tests.published_bank import CONF, ingested_bank
from tests.random_settings import ENV, Values, drawn_settings, wide_settings

EVERYDAY = 2
BANKS = 50
FILES = {"files.manifest", "files.branches", "files.formula"}


@dataclass(frozen=True)
class Lists:
    """Lists of a bank, and who checks them."""

    home: Path
    folder: Path
    bank: Bank

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
        found, bank = published.campaign(values, monkeypatch)
    return Lists(published.home.path, found, bank)


def test_a_random_banks_lists_break_no_rule(lists: Lists) -> None:
    assert lists.bank.violations(lists.folder) == []
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


def rows_of(folder: Path) -> list[tuple[Any, ...]]:
    return duckdb.sql(f"select offer_id from read_parquet('{folder}/campaign.parquet')").fetchall()


def test_the_checker_shares_no_code_with_what_it_checks() -> None:
    own = {"duckdb", "yaml", "tests", *sys.stdlib_module_names}
    for path in sorted(Path(checker.__file__).parent.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = (
                [one.name for one in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            for name in names:
                assert name.partition(".")[0] in own, (path.name, name)
                assert not name.startswith("tests") or name.startswith("tests.checker"), path.name


def test_a_reviewer_runs_it_by_a_command(lists: Lists, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [str(lists.home), "--env", ENV, "--conf", str(lists.home / CONF)]
    assert main([*arguments, "--set", "campaign.branch_capacity=1"]) == 1
    *told, total = capsys.readouterr().out.splitlines()
    assert {line.split("\t")[1] for line in told} == {"limit.branch_capacity"}
    assert total == f"1 lists checked, {len(told)} violations"


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
    assert [one.found for one in lists.rules_broken("rule.odd")] == [
        "asks for what is not known here"
    ]


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


def test_every_rule_has_been_seen_to_be_broken() -> None:
    apart = {"list.once", "list.one_product", "care.list", *FILES}
    assert {*PLANTED, *TIGHTER, *apart} == {*RULES, *FILES}
