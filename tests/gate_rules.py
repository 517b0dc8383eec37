"""The rules in force in tests of gates, and the codes of those that fail."""

from __future__ import annotations

from datetime import date

from pyspark.sql import Column, functions as F

from campaigns.gates import Gate, failed
from campaigns.rules import rules_in_force
from conf.load import load_config

AS_OF = date(2024, 3, 1)
CONFIG = load_config("local")
RULES = rules_in_force("credit_card_2026", CONFIG)


def failed_codes(gates: list[Gate]) -> Column:
    """The codes of the gates that fail."""
    return F.transform(failed(gates, RULES), lambda one: one["code"])
