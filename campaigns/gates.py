"""A gate is a named rule that may stop an offer; all are evaluated, none hides another."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pyspark.sql import Column, functions as F

from tables.reason_codes import ReasonCode


@dataclass(frozen=True)
class Gate:
    """One rule.

    Attributes:
        code: What is recorded where it stops an offer.
        fails: True where it does; never null.
    """

    code: ReasonCode
    fails: Column


def failed_gates(gates: Iterable[Gate]) -> Column:
    """The codes of every gate that fails, as an array."""
    codes = [F.when(gate.fails, F.lit(str(gate.code))) for gate in gates]
    return F.array_compact(F.array(F.lit(None).cast("string"), *codes))


def any_fails(gates: Iterable[Gate]) -> Column:
    """At least one gate fails."""
    result = F.lit(False)
    for gate in gates:
        result = result | gate.fails
    return result
