"""A gate is a named rule that may stop an offer; all are evaluated, none hides another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from pyspark.sql import Column, functions as F

from campaigns.rules import Rule

KEPT_OF_RULE = ("rule", "version", "passes_on")


@dataclass(frozen=True)
class Gate:
    """One rule.

    Attributes:
        code: What is recorded where it stops an offer.
        fails: True where it does; never null.
        passes_on: Where it fails: the first day after the as-of date on which it passes if nothing
            else happens; null, or None for everybody, if time alone never makes it pass.
    """

    code: str
    fails: Column
    passes_on: Column | date | None = None


def failed(gates: Iterable[Gate], rules: Mapping[str, Rule]) -> Column:
    """Every gate that fails, in the order of codes: an array of ``code`` and ``KEPT_OF_RULE``."""
    found = [
        F.when(gate.fails, _told(gate, rules[gate.code]))
        for gate in sorted(gates, key=lambda gate: gate.code)
    ]
    return F.array_compact(F.array(*found))


def any_fails(gates: Iterable[Gate]) -> Column:
    """At least one gate fails."""
    result = F.lit(False)
    for gate in gates:
        result = result | gate.fails
    return result


def failed_columns(name: str) -> list[Column]:
    """What a decision keeps of the array ``name`` that ``failed`` made."""
    rules = F.transform(
        name, lambda one: F.struct(*(one[field].alias(field) for field in KEPT_OF_RULE))
    )
    has_no_day = F.exists(name, lambda one: one["passes_on"].isNull())
    return [
        F.col(f"{name}.code").alias("failed_gates"),
        rules.alias("failed_rules"),
        F.when(~has_no_day, F.array_max(f"{name}.passes_on")).alias("passes_again_on"),
    ]


def _told(gate: Gate, rule: Rule) -> Column:
    day = gate.passes_on if isinstance(gate.passes_on, Column) else F.lit(gate.passes_on)
    return F.struct(
        F.lit(str(gate.code)).alias("code"),
        F.lit(rule.id).alias("rule"),
        F.lit(rule.version).alias("version"),
        day.cast("date").alias("passes_on"),
    )
