"""Raw files of another shape as monthly deliveries in the standard one (DESIGN §3), told by YAML.

A delivery brings what was known before its day, by the ``recorded_at`` that the recipe gives each
row: increments what became known since the delivery before, whole tables everything as it was
known. So a year of raw data becomes the deliveries that would have come in that year.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from conf.source import AssumedConsents, SourceSettings
from extracts.adapter_checks import adapter_of
from extracts.adapter_raw import columns_used, read_raw
from extracts.adapter_rows import made_rows
from extracts.deliveries import MANIFEST
from tables.arrow import arrow_schema, arrow_type
from tables.base import Table
from tables.errors import ContractViolation, UserError
from tables.files import sha256_of, write_tree
from tables.sources import CONSENTS, CUSTOMERS, DELETION_MARK, SOURCES, as_delivered
from tables.windows import months_before

BUILDING = ".adapt-"
PLACE = "place"
TABLES = {table.name: table for table in SOURCES}


@dataclass(frozen=True)
class MadeTable:
    """All rows of one of our tables, each with the time at which it was known."""

    table: Table
    rows: pa.Table
    is_whole: bool
    is_snapshot: bool

    def delivered(self, known_until: datetime | None, midnight: datetime) -> pa.Table:
        """The rows of one delivery.

        Args:
            known_until: Midnight of the delivery before, if there was one.
            midnight: What was known before it is delivered.
        """
        known_at = self.rows["recorded_at"]
        is_due = pc.less(known_at, _moment(midnight))
        if not self.is_whole and known_until is not None:
            is_due = pc.and_(is_due, pc.greater_equal(known_at, _moment(known_until)))
        # Without a known time it comes at once, so that it is set aside and not lost.
        is_at_once = self.is_whole or known_until is None
        rows = self.rows.filter(pc.fill_null(is_due, is_at_once))
        return self._as_last_known(rows) if self.is_whole else rows

    def _as_last_known(self, rows: pa.Table) -> pa.Table:
        if self.is_snapshot:
            newest = pc.max(rows["recorded_at"])
            rows = rows.filter(pc.fill_null(pc.equal(rows["recorded_at"], newest), True))
        key = list(self.table.key)
        rows = rows.append_column(PLACE, pa.array(range(rows.num_rows), pa.int64()))
        last = rows.group_by(key, use_threads=False).aggregate([("recorded_at", "max")])
        both = rows.join(last, keys=key, use_threads=False).sort_by(PLACE)
        is_last = pc.equal(both["recorded_at"], both["recorded_at_max"])
        # A key with an empty part finds nothing; such a row is set aside later, not lost here.
        return both.filter(pc.fill_null(is_last, True)).select(self.table.column_names)


def make_deliveries(data: Path, landing: Path, source: SourceSettings) -> dict[str, int]:
    """Write one delivery per month; the same files give the same bytes.

    Args:
        data: Folder of the raw files.
        landing: Where deliveries go.
        source: The settings of `conf/sources/<name>.yaml`.

    Returns:
        Rows by day of delivery.

    Raises:
        UserError: A raw file is missing, or other deliveries are there for one of the days.
        ContractViolation: A raw file can't be read as the settings say; every problem is named.
    """
    made = made_tables(data, source)
    days = list(_months(adapter_of(source).history_from, _last_known(made)))
    for left_over in landing.glob(f"{BUILDING}*"):
        shutil.rmtree(left_over, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=BUILDING, dir=landing) as folder:
        building = Path(folder)
        rows = _write_all(building, days, made)
        new = [day for day in rows if not _is_there(landing / day, building / day)]
        for day in new:
            write_tree(landing / day, partial(_move_files, building / day))
    return rows


def made_tables(data: Path, source: SourceSettings) -> list[MadeTable]:
    """The rows of every table that the settings make.

    Raises:
        UserError: A raw file is missing.
        ContractViolation: One line per problem.
    """
    adapter = adapter_of(source)
    used = {name: set(columns_used(name, adapter)) for name in adapter.raw}
    raws = {
        name: read_raw(data, raw, used[name]) for name, raw in adapter.raw.items() if used[name]
    }
    made, problems = [], []
    for name, recipes in adapter.make.items():
        table = TABLES[name]
        if any(column.name in recipe.columns for recipe in recipes for column in DELETION_MARK):
            table = as_delivered(table)
        try:
            rows = [made_rows(table, recipe, raws, adapter) for recipe in recipes]
        except ContractViolation as error:
            problems.append(str(error))
            continue
        is_whole = source.delivery_of(name).delivery == "whole"
        is_snapshot = any(recipe.is_snapshot for recipe in recipes)
        made.append(MadeTable(table, _sorted(table, pa.concat_tables(rows)), is_whole, is_snapshot))
    if problems:
        raise ContractViolation("\n".join(problems))
    if adapter.assumed_consents:
        made.append(_consents(made, adapter.assumed_consents))
    return made


def _sorted(table: Table, rows: pa.Table) -> pa.Table:
    order = [*table.key, *[name for name in table.column_names if name not in table.key]]
    return rows.sort_by([(name, "ascending") for name in order])


def _consents(made: list[MadeTable], assumed: AssumedConsents) -> MadeTable:
    """Every customer is taken to have agreed when the bank first knew of them."""
    customers = next(one.rows for one in made if one.table.name == CUSTOMERS.name)
    for column in CUSTOMERS.columns:
        if not column.is_nullable:
            # A customer who is set aside would take the consents along.
            customers = customers.filter(customers[column.name].is_valid())
    known = customers.group_by("customer_id", use_threads=False).aggregate([("recorded_at", "min")])
    since = known["recorded_at_min"]
    parts = [
        pa.table(
            [
                known["customer_id"],
                pa.repeat(purpose, known.num_rows),
                pa.repeat(channel, known.num_rows),
                since,
                pa.repeat(True, known.num_rows),
                since,
            ],
            schema=arrow_schema(CONSENTS),
        )
        for purpose in assumed.purposes
        for channel in assumed.channels
    ]
    rows = _sorted(CONSENTS, pa.concat_tables(parts))
    return MadeTable(CONSENTS, rows, is_whole=False, is_snapshot=False)


def _last_known(made: list[MadeTable]) -> date:
    found = [pc.max(one.rows["recorded_at"]).as_py() for one in made]
    moments = [moment for moment in found if moment is not None]
    if not moments:
        raise UserError("the raw files hold no row with a known time, so there is no delivery")
    last: datetime = max(moments)
    return last.date()


def _months(first: date, last: date) -> Iterator[date]:
    """First days of months: from the one after ``first`` to the one after ``last``."""
    day = months_before(first.replace(day=1), -1)
    while months_before(day, 1) <= last:
        yield day
        day = months_before(day, -1)


def _moment(at: datetime) -> pa.Scalar:
    return pa.scalar(at, arrow_type("timestamp"))


def _write_all(building: Path, days: list[date], made: list[MadeTable]) -> dict[str, int]:
    known_until: datetime | None = None
    rows = {}
    for day in days:
        midnight = datetime.combine(day, time(), UTC)
        tables = {one.table.name: one.delivered(known_until, midnight) for one in made}
        _write_delivery(building / day.isoformat(), day, tables)
        rows[day.isoformat()] = sum(table.num_rows for table in tables.values())
        known_until = midnight
    return rows


def _write_delivery(folder: Path, day: date, tables: Mapping[str, pa.Table]) -> None:
    folder.mkdir()
    files = {}
    for name, rows in tables.items():
        path = folder / f"{name}.csv"
        pa_csv.write_csv(_as_text(rows), path)
        files[path.name] = {"rows": rows.num_rows, "sha256": sha256_of(path)}
    manifest = {"delivery": day.isoformat(), "files": files}
    content = json.dumps(manifest, indent=1, sort_keys=True) + "\n"
    (folder / MANIFEST).write_text(content, encoding="utf-8")


def _as_text(rows: pa.Table) -> pa.Table:
    """Times as the contract writes them; what is finer than a second decides nothing here."""
    columns = [
        pc.strftime(column.cast(pa.timestamp("s", "UTC"), safe=False), "%Y-%m-%dT%H:%M:%SZ")
        if pa.types.is_timestamp(column.type)
        else column
        for column in rows.columns
    ]
    return pa.table(columns, names=rows.column_names)


def _is_there(target: Path, made: Path) -> bool:
    """The delivery has been written before.

    Raises:
        UserError: Another one is there.
    """
    if not target.exists():
        return False
    manifest = target / MANIFEST
    if manifest.is_file() and manifest.read_bytes() == (made / MANIFEST).read_bytes():
        return True
    raise UserError(
        f"{target} holds another delivery. Move it away if these raw files are right, or choose"
        " another --home"
    )


def _move_files(made: Path, folder: Path) -> None:
    for path in made.iterdir():
        shutil.copyfile(path, folder / path.name)
