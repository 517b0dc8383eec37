"""Hold published lists, and the decisions behind them, against what the bank had delivered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from audit.independent import decided, facts, known
from audit.independent.errors import CannotCheck
from audit.independent.files import (
    WHOLE,
    Violation,
    broken_lists,
    cared,
    changed_deliveries,
    changed_lists,
    files_in,
)
from audit.independent.own_rules import UNKNOWN, own_rules
from audit.independent.report import Campaign, Checked, Report
from audit.independent.rules import LIST_FILES, OF_LISTS, OF_PRODUCTS, RULES
from audit.independent.settings import Values, literal, settings_tables

MEMORY = "3GB"  # what is more lies below `spill`
EXAMPLES = 3  # of each rule
STANDARD = "standard"
CARE_LIST = ("care.list", "care.everybody")  # rules about these


class Bank:
    """What one bank knew before a day, to hold lists and decisions against.

    Args:
        landing: Folder of deliveries.
        values: The configuration that a campaign was made with.
        as_of: Its as-of date, exclusive.
        deliveries: Days of those it was made from; all up to ``as_of``, if left out.
        returned: Parquet files of the results that branches have returned.
        spill: Folder for what does not fit into memory.

    Raises:
        CannotCheck: Something needed is missing or cannot be read.
    """

    def __init__(
        self,
        landing: Path,
        values: Values,
        as_of: date,
        *,
        deliveries: Sequence[date] | None = None,
        returned: Sequence[Path] = (),
        spill: Path | None = None,
    ) -> None:
        if values.get("bank", {}).get("source", STANDARD) != STANDARD:
            raise CannotCheck(
                f"the deliveries of source {values['bank']['source']} are not written as those of"
                f" source {STANDARD}, which alone can be checked"
            )
        self.as_of, self.values, self.landing = as_of, values, landing
        self._database = duckdb.connect()
        self._database.execute(f"set timezone = 'UTC'; set memory_limit = '{MEMORY}'")
        if spill is not None:
            self._database.execute(f"set temp_directory = {literal(spill)}")
        for name, (columns, rows) in settings_tables(values).items():
            self._database.execute(f"create table {name} ({columns})")
            for row in rows:
                said = ", ".join(map(literal, row))
                self._database.execute(f"insert into {name} values ({said})")
        days = known.delivered_until(landing, as_of) if deliveries is None else deliveries
        known.read_landing(self._database, landing, days)
        facts.know(self._database, as_of)
        facts.know_returned(self._database, returned, as_of)

    def check(self, campaign: Campaign) -> Report:
        """Everything that is wrong with a campaign.

        Raises:
            CannotCheck: Its files cannot be read.
        """
        report = Report(list(self._files(campaign)))
        try:
            self._ask_rules(campaign, report)
        except duckdb.Error as error:
            # its message may quote a client's values
            raise CannotCheck(
                f"lists and decisions of run {campaign.run_id[:12]} are not as today's code reads"
                f" them ({type(error).__name__}); check them with the code version that"
                " `xsell runs` tells for the run"
            ) from None
        return report

    def _ask_rules(self, campaign: Campaign, report: Report) -> None:
        with self._asked() as cursor:
            _read_lists(cursor, campaign.lists)
            report.rules += self._list_rules(cursor)
        report.rules += self.decisions(campaign)
        with self._asked() as cursor:
            _read_decisions(cursor, campaign.decisions)
            report.rules += self._gates(cursor)
            report.not_compared = self._not_compared(cursor)
        report.remarks += self._remarks()

    def violations(
        self, lists: Path, *, asked: Collection[str] = (), assuming: str = ""
    ) -> list[Violation]:
        """Everything that is wrong with the lists of a folder.

        Args:
            lists: Has `campaign.parquet`, `branches/`, `care/` and `manifest.json`.
            asked: Only these rules; all of them if none is named.
            assuming: Settings or facts that are to hold this time, as SQL.
        """
        found = [one for one in broken_lists(lists) if not asked or one.rule in asked]
        with self._asked(assuming) as cursor:
            _read_lists(cursor, lists)
            for rule, query in (RULES | self._known_own_rules()).items():
                if not asked or rule in asked:
                    found += _found(cursor, rule, query)
        return sorted(found)

    def decisions(self, campaign: Campaign) -> list[Checked]:
        """What does not belong together in the decisions of a campaign, and beside its lists."""
        with self._asked() as cursor:
            _read_lists(cursor, campaign.lists)
            _read_decisions(cursor, campaign.decisions, campaign.run_id)
            return list(_decision_rules(cursor))

    def gates(self, decisions: Sequence[Path], *, assuming: str = "") -> dict[str, Checked]:
        """Gates whose verdicts differ from what was delivered, by name.

        Args:
            decisions: Parquet files of one campaign's decisions.
            assuming: Settings or facts that are to hold this time, as SQL.
        """
        with self._asked(assuming) as cursor:
            _read_decisions(cursor, decisions)
            return {one.rule: one for one in self._gates(cursor) if one.violations}

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """What was known, for tests that need a client of some kind."""
        return self._database.cursor().execute(query).fetchall()

    @contextmanager
    def _asked(self, assuming: str = "") -> Iterator[duckdb.DuckDBPyConnection]:
        """A view of the bank in which things may be made, and nothing stays."""
        cursor = self._database.cursor()
        cursor.execute("begin")
        try:
            if assuming:
                cursor.execute(assuming)
            yield cursor
        finally:
            cursor.execute("rollback")

    def _files(self, campaign: Campaign) -> Iterator[Checked]:
        files = files_in(campaign.lists)
        found = defaultdict(list)
        for one in broken_lists(campaign.lists):
            found[one.rule].append(one)
        for rule in LIST_FILES:
            yield _told(rule, files, "files", found[rule])
        changed = list(changed_lists(campaign.lists, campaign.committed))
        yield _told("files.committed", len(campaign.committed), "files", changed)
        delivered = list(changed_deliveries(self.landing, campaign.read))
        yield _told("files.delivered", len(campaign.read), "deliveries", delivered)

    def _list_rules(self, cursor: duckdb.DuckDBPyConnection) -> Iterator[Checked]:
        listed, helped = (_count(cursor, name) for name in ("listed", "cared"))
        for rule, query in (RULES | self._known_own_rules()).items():
            rows, of = (helped, "care rows") if rule in CARE_LIST else (listed, "list rows")
            yield _told(rule, rows, of, _found(cursor, rule, query))

    def _gates(self, cursor: duckdb.DuckDBPyConnection) -> Iterator[Checked]:
        """Each gate that can be recomputed, of every client and offer."""
        cursor.execute("create view listed as from pair")
        for statement in facts.statements(OF_PRODUCTS):
            cursor.execute(statement)
        rows = _count(cursor, "decided")
        for code, query in (decided.GATES | self._known_own_rules()).items():
            yield _compared(cursor, code, query, rows)

    def _not_compared(self, cursor: duckdb.DuckDBPyConnection) -> dict[str, str]:
        """Gates that decisions may name and nobody here can recompute."""
        own = {code: UNKNOWN for code, query in self._own_rules().items() if query is None}
        why = decided.NOT_RECOMPUTED | own
        heard_of = {*decided.GATES, *self._own_rules(), *why}
        named = cursor.execute("select distinct unnest(failed_gates) from decided").fetchall()
        unheard = sorted({code for [code] in named} - heard_of)
        return why | {code: "is no gate that is known here" for code in unheard}

    def _remarks(self) -> Iterator[str]:
        [[homes]] = self.ask("select count(*) from returned_home")
        if homes:
            yield (
                f"of {homes:,} households with results that branches have returned, contacts are"
                " not recomputed: " + ", ".join(decided.OF_CONTACTS)
            )

    def _own_rules(self) -> dict[str, str | None]:
        return own_rules(self.values.get("rules") or {}, self.ask)

    def _known_own_rules(self) -> dict[str, str]:
        return {rule: query for rule, query in self._own_rules().items() if query is not None}


def _read_lists(cursor: duckdb.DuckDBPyConnection, lists: Path) -> None:
    cursor.execute(f"create table listed as from read_parquet({literal(lists / WHOLE)})")
    cursor.execute("create table cared (customer_id varchar, care_treatment varchar)")
    for row in cared(lists):
        cursor.execute(f"insert into cared values ({', '.join(map(literal, row))})")
    for statement in (*facts.statements(OF_PRODUCTS), *facts.statements(OF_LISTS)):
        cursor.execute(statement)


def _read_decisions(
    cursor: duckdb.DuckDBPyConnection, decisions: Sequence[Path], run_id: str = ""
) -> None:
    try:
        cursor.execute(decided.READ.format(files=", ".join(map(literal, decisions))))
    except duckdb.Error as error:
        raise CannotCheck(
            f"the decisions of the run cannot be read ({type(error).__name__}): bring back the"
            " table decisions from a backup"
        ) from None
    cursor.execute(f"create macro asked_run() as {literal(run_id)}")
    for statement in facts.statements(decided.FACTS):
        cursor.execute(statement)


def _decision_rules(cursor: duckdb.DuckDBPyConnection) -> Iterator[Checked]:
    rows = _count(cursor, "decided")
    for rule, query in decided.DECISIONS.items():
        cursor.execute(f"create or replace temp table broken as {query}")
        first = f"from broken order by all limit {EXAMPLES}"
        examples = tuple(_found(cursor, rule, first))
        yield Checked(rule, rows, "decisions", _count(cursor, "broken"), examples)


def _compared(cursor: duckdb.DuckDBPyConnection, code: str, query: str, rows: int) -> Checked:
    of_whom = decided.compared_with(code)
    cursor.execute(decided.DIFFERENCE.format(query=query, code=code, of_whom=of_whom))
    rule = f"gate.{code}"
    examples = tuple(_found(cursor, rule, decided.EXAMPLES.format(most=EXAMPLES)))
    return Checked(rule, rows, "decisions", _count(cursor, "different"), examples)


def _found(cursor: duckdb.DuckDBPyConnection, rule: str, query: str) -> list[Violation]:
    return [
        Violation(rule, customer or "", offer or "", str(told))
        for customer, offer, told in cursor.execute(query).fetchall()
    ]


def _told(rule: str, rows: int, of: str, found: Sequence[Violation]) -> Checked:
    return Checked(rule, rows, of, len(found), tuple(sorted(found)[:EXAMPLES]))


def _count(cursor: duckdb.DuckDBPyConnection, name: str) -> int:
    [[count]] = cursor.execute(f"select count(*) from {name}").fetchall()
    return int(count)
