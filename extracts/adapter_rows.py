"""Rows of our tables, made of raw rows by a recipe of `conf/sources/*.yaml`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from conf.adapter import ColumnRule, FlagColumns, Recipe
from conf.source import AdapterSettings
from extracts.adapter_raw import (
    PLACEHOLDER,
    ROW,
    RawRows,
    at_time,
    first_rows,
    moments_of,
    readable,
    total_of,
)
from extracts.casts import CONTRACT, cast_text
from tables.arrow import arrow_schema, arrow_type
from tables.base import Column, Table
from tables.errors import ContractViolation

# Between the parts of a key of several columns; stands in no file.
UNIT = "\x1f"


class _Target(NamedTuple):
    """The table that is made, and the lists that translate its codes."""

    table: Table
    codes: Mapping[str, Mapping[str, str | None]]


def made_rows(
    table: Table, recipe: Recipe, raws: Mapping[str, RawRows], adapter: AdapterSettings
) -> pa.Table:
    """The rows of one recipe in the table's types.

    Raises:
        ContractViolation: A value can't be read, or a code isn't listed; all columns are told.
    """
    rows = raws[recipe.rows_of]
    for name, keys in recipe.look_up.items():
        rows = _looked_up(rows, name, raws[name], keys)
    rows = _filtered(rows, recipe)
    if recipe.flags:
        rows = _one_row_per_flag(rows, recipe.flags)
    if recipe.one_row_per:
        totals = [rule.total for rule in recipe.columns.values() if rule.total]
        rows = first_rows(rows, recipe.one_row_per, recipe.in_order_of, totals)
    target = _Target(table, adapter.codes)
    arrays, problems = [], []
    for column in table.columns:
        try:
            arrays.append(_made_column(rows, column, recipe.columns.get(column.name), target))
        except ContractViolation as error:
            problems += str(error).splitlines()
    if problems:
        raise ContractViolation("\n".join(dict.fromkeys(problems)))
    return pa.table(arrays, schema=arrow_schema(table))


def _looked_up(rows: RawRows, name: str, other: RawRows, keys: Mapping[str, str]) -> RawRows:
    """Each row with what another file says of it; nothing where that file has no such row."""
    known = _key(other, list(keys.values()))
    if pc.count_distinct(known).as_py() < len(known) - known.null_count:
        raise ContractViolation(
            f"{other.label}: several rows have the same {', '.join(keys.values())}. Say which one"
            f" is meant with one_row_per under adapter.raw.{name}"
        )
    places = pc.index_in(_key(rows, list(keys)), known)
    found, notations = rows.rows, dict(rows.notations)
    for column, notation in other.notations.items():
        found = found.append_column(f"{name}.{column}", other.values(column).take(places))
        notations[f"{name}.{column}"] = notation
    return RawRows(found, notations, rows.label)


def _key(rows: RawRows, columns: Sequence[str]) -> pa.Array:
    parts = [_as_text(rows, column) for column in columns]
    return pc.binary_join_element_wise(*parts, UNIT, null_handling="emit_null")


def _as_text(rows: RawRows, column: str) -> pa.Array:
    return readable(rows, column, "string")


def _filtered(rows: RawRows, recipe: Recipe) -> RawRows:
    for column, words in recipe.only.items():
        rows = _kept(rows, _is_one_of(rows, column, words))
    for column, words in recipe.without.items():
        rows = _kept(rows, pc.invert(_is_one_of(rows, column, words)))
    return rows


def _is_one_of(rows: RawRows, column: str, words: Sequence[str]) -> pa.Array:
    texts = pc.fill_null(_as_text(rows, column), "")
    return pc.is_in(texts, pa.array(words, pa.string()))


def _kept(rows: RawRows, is_kept: pa.Array) -> RawRows:
    return RawRows(rows.rows.filter(is_kept), rows.notations, rows.label)


def _one_row_per_flag(rows: RawRows, flags: FlagColumns) -> RawRows:
    """Wide to long: a row for every product that is held."""
    parts = []
    for column, product in flags.products.items():
        texts = _as_text(rows, column)
        known = pa.array([*flags.held, *flags.not_held])
        _complain(rows, column, pc.and_(texts.is_valid(), pc.invert(pc.is_in(texts, known))),
                  "are neither in held nor in not_held of adapter.make")  # fmt: skip
        held = rows.rows.filter(pc.is_in(texts, pa.array(flags.held)))
        parts.append(held.append_column(flags.into, pa.repeat(product, held.num_rows)))
    notations = {**rows.notations, flags.into: CONTRACT}
    return RawRows(pa.concat_tables(parts), notations, rows.label)


def _complain(rows: RawRows, column: str, is_wrong: pa.Array, what: str) -> None:
    places = pc.indices_nonzero(is_wrong)
    if len(places):
        # The value is not told: a column named by mistake may hold anything.
        row = pc.min(rows.rows[ROW].take(places)).as_py()
        raise ContractViolation(
            f"{rows.label}: {column}: {len(places)} values {what}, the first in row {row}"
        )


def _made_column(
    rows: RawRows, column: Column, rule: ColumnRule | None, target: _Target
) -> pa.Array:
    if rule is None:
        return pa.nulls(rows.rows.num_rows, arrow_type(column.type))
    values = _values(rows, column, rule, target)
    if rule.if_present:
        is_present = rows.values(rule.if_present).is_valid()
        values = pc.if_else(is_present, values, pa.scalar(None, values.type))
    if rule.is_debit:
        values = pc.negate(values).cast(values.type)
    return values


def _values(rows: RawRows, column: Column, rule: ColumnRule, target: _Target) -> pa.Array:
    if rule.always is not None:
        return _constant(rows, column, rule.always)
    if rule.total is not None:
        return rows.values(total_of(rule.total)).cast(arrow_type(column.type))
    if rule.later_of is not None:
        found = [_in_time(rows, name, column, rule.at) for name in rule.later_of]
        return reduce(_later, found)
    if rule.at is not None:
        return at_time(readable(rows, str(rule.column), "date"), rule.at)
    if rule.text is None and rule.codes is None:
        return readable(rows, str(rule.column), column.type)
    texts = _template(rows, rule.text) if rule.text else _as_text(rows, str(rule.column))
    if rule.codes is not None:
        texts = _translated(rows, column, texts, rule.codes, target)
    values, is_unreadable = cast_text(texts, column.type)
    if is_unreadable is not None:
        _complain(rows, column.name, is_unreadable, f"are made into no {column.type}")
    return values


def _in_time(rows: RawRows, name: str, column: Column, at: str | None) -> pa.Array:
    if at is None:
        return readable(rows, name, column.type)
    return moments_of(rows, name, at)


def _later(some: pa.Array, others: pa.Array) -> pa.Array:
    # Nothing where one of them is: the later one may be it.
    return pc.if_else(pc.greater(others, some), others, some)


def _constant(rows: RawRows, column: Column, always: str | bool) -> pa.Array:
    text = str(always).lower() if isinstance(always, bool) else always
    value, is_unreadable = cast_text(pa.array([text]), column.type)
    if is_unreadable is not None:
        raise ContractViolation(
            f"adapter.make: {column.name}: {text!r} is no {column.type}. Write it as the contract"
            " does, such as 2026-11-01T06:30:00Z"
        )
    return pa.repeat(value[0], rows.rows.num_rows)


def _template(rows: RawRows, text: str) -> pa.Array:
    pieces = PLACEHOLDER.split(text)
    # every second piece is the name of a column
    parts = [
        _as_text(rows, piece) if index % 2 else pa.repeat(piece, rows.rows.num_rows)
        for index, piece in enumerate(pieces)
    ]
    return pc.binary_join_element_wise(*parts, "", null_handling="emit_null")


def _translated(
    rows: RawRows, column: Column, texts: pa.Array, name: str, target: _Target
) -> pa.Array:
    codes = target.codes[name]
    places = pc.index_in(texts, pa.array(list(codes), pa.string()), skip_nulls=True)
    is_unlisted = pc.and_(texts.is_valid(), places.is_null())
    what = f"are not in adapter.codes.{name}; add them"
    _complain(rows, f"{target.table.name}.{column.name}", is_unlisted, what)
    return pa.array(list(codes.values()), pa.string()).take(places)
