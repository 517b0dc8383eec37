"""The same features in DuckDB: `features_duckdb.py HOME AS_OF OUT`; OUT.tmp is where it spills."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import duckdb
from duckdb_formulas import formula
from duckdb_rows import row_queries
from features_inputs import Task, task

from features.measures import PRECEDENCE, Measure, Rows
from features.sources import MONTHS_APART
from tables.base import Table
from tables.sources import CUSTOMERS, SOURCES
from tables.windows import months_before

SETTINGS = {"threads": 2, "preserve_insertion_order": False}
AGGREGATES = {
    "count": "count",
    "sum": "sum",
    "sum_of_squares": "sum",
    "min": "min",
    "max": "max",
    "months": "bit_or",
}


def main() -> None:
    """One table per kind of rows, by a single pass of CASE WHEN, and one join of them all."""
    home, as_of, out = Path(sys.argv[1]), date.fromisoformat(sys.argv[2]), sys.argv[3]
    wanted = task(home, as_of)
    database = duckdb.connect(config={**SETTINGS, "temp_directory": f"{out}.tmp"})
    for name, query in _views(wanted).items():
        database.execute(f"create view {name} as {query}")
    queries = row_queries(as_of, wanted.products)
    by_rows = wanted.by_rows()
    for place, (name, measures) in enumerate(by_rows.items()):
        query = _measured(queries[name], measures)
        database.execute(f"create temp table s{place} as {query}")
    others = range(1, len(by_rows))
    joined = "s0" + "".join(f" left join s{place} using (customer_id)" for place in others)
    features = ", ".join(f"{formula(f, wanted.columns(f))} {f.name}" for f in wanted.features)
    database.execute(
        f"copy (select customer_id, {features} from {joined})"
        f" to '{out}' (format parquet, compression zstd)"
    )


def _views(wanted: Task) -> dict[str, str]:
    """Each table as it is known, and customers as they were known some months before."""
    files, before = wanted.files, months_before(wanted.as_of, MONTHS_APART)
    tables = [table for table in SOURCES if files[table.name]]
    views = {table.name: _known(table, files[table.name], wanted.as_of) for table in tables}
    views["customers_before"] = _known(CUSTOMERS, files["customers"], before)
    return views


def _known(table: Table, files: Sequence[str], as_of: date) -> str:
    """The latest version of each key known before a date; of increments no row was revised."""
    scan = f"from read_parquet({files}, hive_partitioning = false)"
    known = f"recorded_at < timestamptz '{as_of} 00:00:00+00'"
    if table.kind == "increment":
        return f"{scan} where {known} and not is_deleted"
    key = ", ".join(table.key)
    return f"""select v.* {scan} v
        semi join (select {key}, max(recorded_at) recorded_at {scan} where {known} group by all) l
        using ({key}, recorded_at) where not is_deleted"""


def _measured(rows: str, measures: Mapping[Measure, str]) -> str:
    """One row per customer with all measures of the same rows."""
    kept = {
        chosen: f"row{place}"
        for place, chosen in enumerate(dict.fromkeys(measure.rows for measure in measures))
        if chosen.allowed
    }
    columns = ", ".join(f"{_column(measure, kept)} {name}" for measure, name in measures.items())
    is_grouped = not any(measure.source.is_per_customer for measure in measures)
    # A condition that many measures share is evaluated once per row: a fifth less time.
    conditions = "".join(f", {_condition(chosen)} {name}" for chosen, name in kept.items())
    counted = f"select *{conditions} from ({rows})"
    return f"select customer_id, {columns} from ({counted}){' group by 1' if is_grouped else ''}"


def _condition(rows: Rows) -> str:
    return " and ".join(_is_in(column, values) for column, values in rows.allowed)


def _column(measure: Measure, kept: Mapping[Rows, str]) -> str:
    conditions = [kept[measure.rows]] if measure.rows in kept else []
    if measure.within is not None:
        conditions.append(f"{measure.clock} <= {measure.within}")

    def counted(value: str) -> str:
        return f"case when {' and '.join(conditions)} then {value} end" if conditions else value

    if measure.how == "value":
        return counted(measure.of)
    if measure.how == "of_greatest":
        return f"arg_max_null({counted(measure.of)}, {counted(PRECEDENCE)})"
    value = {
        "sum_of_squares": f"{measure.of}::hugeint * {measure.of}",
        "months": f"1 << ({measure.of} - 1)",
    }.get(measure.how, measure.of)
    # A sum of BIGINT is a HUGEINT, which nothing but squares need.
    kind = "::bigint" if measure.how == "sum" else ""
    return f"{AGGREGATES[measure.how]}({counted(value)}){kind}"


def _is_in(column: str, values: tuple[str | bool, ...]) -> str:
    if isinstance(values[0], bool):
        return column if values[0] else f"not {column}"
    texts = ", ".join(f"'{value}'" for value in values)
    return f"{column} = {texts}" if len(values) == 1 else f"{column} in ({texts})"


if __name__ == "__main__":
    main()
