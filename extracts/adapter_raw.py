"""Raw files of another shape as rows in memory: what stands in them, nothing decided yet."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from conf.adapter import ColumnRule, RawFile, Recipe
from conf.errors import did_you_mean
from conf.notation import Notation
from conf.source import AdapterSettings
from extracts.casts import cast_text, without_nulls
from extracts.text import header_of, safe_reason, text_batches
from tables.arrow import arrow_type
from tables.errors import ContractViolation, UserError

ROW = "row number"
PLACEHOLDER = re.compile(r"\{([^{}]+)\}")
# Floats hold cents well, but not exactly.
NEAR = 1e-6


@dataclass(frozen=True)
class RawRows:
    """Rows of a raw file.

    Attributes:
        rows: Its columns, and ``ROW`` that says which row it was, from 1.
        notations: How a column is written, by column.
        label: What messages call the file.
    """

    rows: pa.Table
    notations: Mapping[str, Notation]
    label: str

    def values(self, column: str) -> pa.Array:
        """A column in one piece."""
        return self.rows[column].combine_chunks()


def read_raw(data: Path, raw: RawFile, wanted: Iterable[str]) -> RawRows:
    """The wanted columns of a raw file, or of all files that match.

    Raises:
        UserError: There is no such file.
        ContractViolation: It can't be read, or lacks a column.
    """
    paths = sorted(path for path in data.glob(raw.file) if path.is_file())
    if not paths:
        raise UserError(f"{raw.file} is not in the data folder; choose it with --data")
    names = sorted(set(wanted))
    try:
        rows = pa.concat_tables([_read(path, raw, names) for path in paths])
    except (pa.ArrowException, OSError, EOFError, UnicodeError) as error:
        raise ContractViolation(f"{raw.file}: {safe_reason(error, raw)}") from None
    numbers = pa.array(range(1, rows.num_rows + 1), pa.int64())
    found = RawRows(rows.append_column(ROW, numbers), dict.fromkeys(names, raw), raw.file)
    return first_rows(found, raw.one_row_per, raw.in_order_of) if raw.one_row_per else found


def first_rows(
    raw: RawRows, keys: Sequence[str], in_order_of: str | None, totals: Sequence[str] = ()
) -> RawRows:
    """The first row of each group, and the totals of the group as columns ``total of <column>``."""
    rows = raw.rows
    if in_order_of is not None:
        moments = pa.table({"moment": moments_of(raw, in_order_of), ROW: rows[ROW]})
        order = [("moment", "ascending"), (ROW, "ascending")]
        rows = rows.take(pc.sort_indices(moments, sort_keys=order))
    rows = rows.append_column("place", pa.array(range(rows.num_rows), pa.int64()))
    ordered = RawRows(rows, raw.notations, raw.label)
    for column in totals:
        amounts = readable(ordered, column, "decimal(18,2)")
        rows = rows.append_column(total_of(column), amounts)
    sums = [(total_of(column), "sum") for column in totals]
    groups = rows.group_by(list(keys), use_threads=False).aggregate([("place", "min"), *sums])
    groups = groups.sort_by("place_min")
    first = rows.take(groups["place_min"]).drop_columns(["place", *map(total_of, totals)])
    for column in totals:
        first = first.append_column(total_of(column), groups[f"{total_of(column)}_sum"])
    return RawRows(first, raw.notations, raw.label)


def total_of(column: str) -> str:
    """The column with the group's total of a column."""
    return f"total of {column}"


def moments_of(raw: RawRows, column: str, at: str = "00:00") -> pa.Array:
    """A column of dates or times as times; dates at a time of day."""
    values = raw.values(column)
    if pa.types.is_string(values.type):
        days, is_unreadable = typed(values, "date", raw.notations[column])
        if is_unreadable is None:
            return at_time(days, at)
    if pa.types.is_date(values.type):
        return at_time(values, at)
    return readable(raw, column, "timestamp")


def at_time(days: pa.Array, at: str) -> pa.Array:
    """Dates at a time of day, UTC."""
    hours, minutes = map(int, at.split(":"))
    since_midnight = pa.scalar(timedelta(hours=hours, minutes=minutes), pa.duration("us"))
    return pc.add(days.cast(pa.timestamp("us")).cast(arrow_type("timestamp")), since_midnight)


def readable(raw: RawRows, column: str, type_name: str) -> pa.Array:
    """A column's values in a type.

    Raises:
        ContractViolation: One cannot be read.
    """
    values, is_unreadable = typed(raw.values(column), type_name, raw.notations[column])
    if is_unreadable is None:
        return values
    places = pc.indices_nonzero(is_unreadable)
    row = pc.min(raw.rows[ROW].take(places)).as_py()
    raise ContractViolation(
        f"{raw.label}: {column}: {len(places)} of {len(values)} values are no {type_name} in the"
        f" declared notation, the first in row {row}. Declare how it is written in conf/sources,"
        " or correct the file"
    )


def typed(values: pa.Array, type_name: str, notation: Notation) -> tuple[pa.Array, pa.Array | None]:
    """Values in one of our types; a mask of those that cannot be read, None if there are none."""
    kind, wanted = pa.types, arrow_type(type_name)
    present = values.type
    if present == wanted:
        return values, None
    if kind.is_timestamp(present) and kind.is_date(wanted):
        return _in_zone(values, notation.time_zone).cast(wanted, safe=False), None
    if kind.is_timestamp(present) and kind.is_timestamp(wanted):
        return _in_utc(values, notation.time_zone).cast(wanted, safe=False), None
    if kind.is_date(present) and kind.is_timestamp(wanted):
        return values.cast(pa.timestamp("us")).cast(wanted), None
    if kind.is_floating(present) and kind.is_decimal(wanted):
        return _exact(values, wanted)
    if not kind.is_string(present):
        values, notation = values.cast(pa.string()), _unpadded(notation)
    return cast_text(values, type_name, notation)


def columns_used(name: str, adapter: AdapterSettings) -> Iterator[str]:
    """The columns of a raw file that the recipes need."""
    raw = adapter.raw[name]
    yield from (*raw.one_row_per, *([raw.in_order_of] if raw.in_order_of else []))
    for recipe in (one for recipes in adapter.make.values() for one in recipes):
        yield from recipe.look_up.get(name, {}).values()
        for column in _named(recipe):
            place, dot, rest = column.partition(".")
            is_looked_up = bool(dot) and place in recipe.look_up
            if is_looked_up and place == name:
                yield rest
            elif not is_looked_up and recipe.rows_of == name and not _is_made(column, recipe):
                yield column


def columns_in(rule: ColumnRule) -> list[str]:
    """The raw columns that a rule reads."""
    named = (rule.column, rule.total, rule.if_present)
    found = [name for name in named if name is not None]
    return [*found, *(rule.later_of or ()), *PLACEHOLDER.findall(rule.text or "")]


def _named(recipe: Recipe) -> Iterator[str]:
    for keys in recipe.look_up.values():
        yield from keys
    yield from (*recipe.only, *recipe.without, *recipe.one_row_per)
    yield from [recipe.in_order_of] if recipe.in_order_of else []
    yield from recipe.flags.products if recipe.flags else ()
    for rule in recipe.columns.values():
        yield from columns_in(rule)


def _is_made(column: str, recipe: Recipe) -> bool:
    return recipe.flags is not None and column == recipe.flags.into


def _read(path: Path, raw: RawFile, names: Sequence[str]) -> pa.Table:
    if path.suffix == ".parquet":
        _complain_about_columns(path, pq.read_schema(path).names, names)
        return _plain(pq.read_table(path, columns=list(names)))
    header = header_of(path, raw)
    _complain_about_columns(path, header, names)
    schema = pa.schema([(name, pa.string()) for name in names])
    table = pa.Table.from_batches(text_batches(path, header, names, raw), schema)
    columns = [without_nulls(table[name].combine_chunks(), raw) for name in names]
    return pa.table(columns, schema=schema)


def _complain_about_columns(path: Path, present: Sequence[str], names: Sequence[str]) -> None:
    missing = [name for name in names if name not in present]
    if missing:
        problems = "; ".join(f"lacks {name}{did_you_mean(name, present)}" for name in missing)
        raise ContractViolation(f"{path.name}: {problems} (has {', '.join(present)})")


def _plain(table: pa.Table) -> pa.Table:
    """Text in one form: files that mean the same may say it in several."""
    fields = []
    for field in table.schema:
        kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        is_text = pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
        fields.append(pa.field(field.name, pa.string() if is_text else kind))
    return table.cast(pa.schema(fields))


def _in_utc(values: pa.Array, zone: str) -> pa.Array:
    if values.type.tz is not None:
        return values
    # An hour that is there twice is taken as the later one: nothing is known too early.
    return pc.assume_timezone(values, zone, ambiguous="latest", nonexistent="latest")


def _in_zone(values: pa.Array, zone: str) -> pa.Array:
    if values.type.tz is None:
        return values
    return pc.local_timestamp(values.cast(pa.timestamp(values.type.unit, zone)))


def _exact(values: pa.Array, wanted: pa.DataType) -> tuple[pa.Array, pa.Array | None]:
    is_number = pc.is_finite(values)
    numbers = pc.if_else(is_number, values, pa.scalar(None, values.type))
    amounts = pc.round(numbers, wanted.scale).cast(wanted)
    is_near = pc.less(pc.abs(pc.subtract(amounts.cast(values.type), numbers)), NEAR)
    is_unreadable = pc.and_(pc.invert(pc.fill_null(is_near, False)), values.is_valid())
    return amounts, is_unreadable if pc.any(is_unreadable).as_py() else None


def _unpadded(notation: Notation) -> Notation:
    # Numbers that were numbers in the file have a point, whatever its texts have.
    return notation.model_copy(update={"decimal": ".", "is_padded": False})
