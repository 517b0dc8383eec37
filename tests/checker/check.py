"""Hold published lists against what the bank had delivered."""

from __future__ import annotations

import csv
import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb

from tests.checker.facts import know
from tests.checker.known import read_landing
from tests.checker.rules import RULES, VIEWS
from tests.checker.settings import Values, literal, tables_of

WHOLE, MANIFEST = "campaign.parquet", "manifest.json"
BEGINS_FORMULA = tuple("=+-@|%\t\r")


@dataclass(frozen=True, order=True)
class Violation:
    """A row of a list that breaks a rule; of limits, one row of those that do together."""

    rule: str
    customer_id: str
    offer_id: str
    found: str


class Bank:
    """What one bank knew before a day, to hold lists against."""

    def __init__(self, landing: Path, values: Values, as_of: date) -> None:
        self.as_of, self.values = as_of, values
        self._database = duckdb.connect()
        self._database.execute("set timezone = 'UTC'")
        for name, (columns, rows) in tables_of(values).items():
            self._database.execute(f"create table {name} ({columns})")
            for row in rows:
                said = ", ".join(map(literal, row))
                self._database.execute(f"insert into {name} values ({said})")
        read_landing(self._database, landing, as_of)
        know(self._database, as_of)

    def violations(
        self, lists: Path, *, asked: Collection[str] = (), assuming: str = ""
    ) -> list[Violation]:
        """Everything that is wrong with the lists of a folder.

        Args:
            lists: Has `campaign.parquet`, `branches/`, `care/` and `manifest.json`.
            asked: Only these rules; all of them if none is named.
            assuming: Settings or facts that are to hold this time, as SQL.
        """
        found = [one for one in _broken_files(lists) if not asked or one.rule in asked]
        cursor = self._database.cursor()
        cursor.execute("begin")
        try:
            if assuming:
                cursor.execute(assuming)
            whole = literal(lists / WHOLE)
            cursor.execute(f"create table listed as from read_parquet({whole})")
            cursor.execute("create table cared (customer_id varchar, care_treatment varchar)")
            for row in _cared(lists):
                cursor.execute(f"insert into cared values ({', '.join(map(literal, row))})")
            for statement in VIEWS.split(";\n"):
                if statement.strip():
                    cursor.execute(statement)
            for rule, query in (RULES | self._own_rules()).items():
                if asked and rule not in asked:
                    continue
                found += [
                    Violation(rule, customer or "", offer or "", str(told))
                    for customer, offer, told in cursor.execute(query).fetchall()
                ]
        finally:
            cursor.execute("rollback")
        return sorted(found)

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """What was known, for tests that need a client of some kind."""
        return self._database.cursor().execute(query).fetchall()

    def _own_rules(self) -> dict[str, str]:
        """The bank's own rules; one that asks for what is not known here is never kept."""
        rules = {}
        for name, rule in self.values.get("rules", {}).items():
            allowed = ALLOWED.format(condition=rule["allow_when"])
            try:
                self.ask(f"explain {allowed}")
            except duckdb.BinderException:
                rules[f"rule.{name}"] = "select null, null, 'asks for what is not known here'"
            else:
                wanted = _applies(rule.get("applies_to", {}))
                rules[f"rule.{name}"] = OWN_RULE.format(allowed=allowed, wanted=wanted)
        return rules


ALLOWED = """
    select customer_id from (
        select customer_id, branch_id, segment,
            date_diff('year', birth_date, as_of())
                - (strftime(birth_date, '%m%d') > strftime(as_of(), '%m%d'))::int as age,
            coalesce(last_3_months, 0) as income_amount_3m, balance.amount as balance_amount
        from customers_active left join regular_income using (customer_id)
        left join balance using (customer_id)
    ) where {condition}
"""
OWN_RULE = """
    select l.customer_id, l.offer_id, 'is not allowed'
    from listed l join offer o using (offer_id) join product p on p.product_id = o.product_id
    where {wanted} and l.customer_id not in ({allowed})
"""


def _applies(named: Values) -> str:
    columns = {"offers": "l.offer_id", "products": "o.product_id", "partners": "p.partner"}
    parts = [
        f"coalesce({columns[kind]} in ({', '.join(map(literal, names))}), false)"
        for kind, names in named.items()
        if names
    ]
    return f"({' or '.join(parts)})" if parts else "true"


def _broken_files(lists: Path) -> Iterator[Violation]:
    """The manifest is true, branches got the rows of the whole list, and no cell is a formula."""
    manifest = json.loads((lists / MANIFEST).read_text(encoding="utf-8"))["files"]
    for name, entry in manifest.items():
        if sha256((lists / name).read_bytes()).hexdigest() != entry["sha256"]:
            yield Violation("files.manifest", "", "", f"{name} is not what the manifest says")
    whole = duckdb.sql(
        f"select branch_id, customer_id, offer_id from read_parquet({literal(lists / WHOLE)})"
    ).fetchall()
    handed = list(_handed(lists))
    for customer, offer in sorted({row[1:] for row in whole} ^ {row[1:] for row in handed}):
        yield Violation("files.branches", customer, offer, "is in one of Parquet and CSV only")
    for path in sorted(lists.glob("*/*.csv")):
        for row in _rows(path):
            for column, text in row.items():
                if text.lstrip().startswith(BEGINS_FORMULA):
                    told = f"{path.name}: {column} begins a formula"
                    yield Violation("files.formula", row["customer_id"], "", told)


def _handed(lists: Path) -> Iterable[tuple[str, str, str]]:
    for path in sorted(lists.glob("branches/*.csv")):
        for row in _rows(path):
            yield (_plain(row["branch_id"]), _plain(row["customer_id"]), row["offer_id"])


def _cared(lists: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(lists.glob("care/*.csv")):
        for row in _rows(path):
            yield _plain(row["customer_id"]), row["care_treatment"]


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _plain(text: str) -> str:
    """Without the quote before what could begin a formula."""
    return text.removeprefix("'")
