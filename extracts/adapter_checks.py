"""Whether an adapter's settings fit our tables and themselves, before a raw file is opened."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from conf.adapter import ColumnRule, Recipe
from conf.errors import ConfigError, did_you_mean
from conf.source import AdapterSettings, SourceSettings
from extracts.adapter_raw import columns_in, columns_used
from tables.base import Table
from tables.errors import UserError
from tables.sources import CONSENTS, CUSTOMERS, SOURCES, as_delivered

TABLES = {table.name: table for table in SOURCES}


def adapter_of(source: SourceSettings) -> AdapterSettings:
    """The settings of the general adapter.

    Raises:
        UserError: The source has none.
        ConfigError: They contradict the tables or themselves; every problem is named.
    """
    adapter = source.adapter
    if adapter is None or not adapter.make:
        raise UserError(
            "this source has no adapter.make in conf/sources, so nothing is to be adapted:"
            " its deliveries are ingested as they are"
        )
    problems = [f"adapter.make.{problem}" for problem in _problems(source, adapter)]
    if problems:
        raise ConfigError(problems)
    return adapter


def _problems(source: SourceSettings, adapter: AdapterSettings) -> Iterator[str]:
    delivered = [str(name) for name in source.tables]
    for name, recipes in adapter.make.items():
        yield from _unknown(name, [name], delivered, "the tables of this source")
        for recipe in recipes:
            yield from _of_recipe(TABLES[name], recipe, adapter)
    read = {one.rows_of for recipes in adapter.make.values() for one in recipes}
    for raw in sorted(read & set(adapter.raw)):
        if not set(columns_used(raw, adapter)):
            yield f"{raw}: none of its columns is used, so there is nothing to make rows of"
    if adapter.assumed_consents and CONSENTS.name in adapter.make:
        yield f"{CONSENTS.name}: are made and assumed too; keep one"
    if adapter.assumed_consents and CUSTOMERS.name not in adapter.make:
        yield f"{CUSTOMERS.name}: are not made, but consents are assumed for them"


def _of_recipe(table: Table, recipe: Recipe, adapter: AdapterSettings) -> Iterator[str]:
    where = table.name
    yield from _unknown(where, [recipe.rows_of, *recipe.look_up], adapter.raw, "adapter.raw")
    known = as_delivered(table).column_names
    yield from _unknown(where, recipe.columns, known, "the columns of the table")
    for column in table.columns:
        if not column.is_nullable and column.name not in recipe.columns:
            yield f"{where}: lacks {column.name}, which may not be empty"
    if recipe.in_order_of and not recipe.one_row_per:
        yield f"{where}: in_order_of says which row is first; it needs one_row_per"
    for name, rule in recipe.columns.items():
        yield from _of_rule(f"{where}.{name}", rule, recipe, adapter)


def _of_rule(
    where: str, rule: ColumnRule, recipe: Recipe, adapter: AdapterSettings
) -> Iterator[str]:
    yield from _unknown(where, [rule.codes] if rule.codes else [], adapter.codes, "adapter.codes")
    if rule.total and not recipe.one_row_per:
        yield f"{where}: total needs one_row_per, which says of which rows"
    if rule.at and rule.column is None and rule.later_of is None:
        yield f"{where}: at needs column or later_of, with dates"
    if rule.codes and rule.column is None and rule.text is None:
        yield f"{where}: codes needs column or text"
    if rule.text is not None and not columns_in(rule):
        yield f"{where}: text names no column in braces; use always for what never changes"


def _unknown(where: str, names: Iterable[str], known: Iterable[str], of_what: str) -> Iterator[str]:
    known = list(known)
    for name in names:
        if name not in known:
            yield f"{where}: {name} is not among {of_what}{did_you_mean(name, known)}"
