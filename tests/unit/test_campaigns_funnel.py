"""The funnel: what each gate stops, what it alone stops, what is left in the order of gates."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from campaigns import funnel as module
from campaigns.funnel import AFTER_GATES, Count, FunnelStep, funnel, in_order, in_words

HELD, CONSENT = "eligibility.already_held", "consent.no_consent"
CARE, VALUE = "care.in_care", "value.not_profitable"
# customer, gates that fail, outcome
ROWS = [
    ("C1", [HELD], "ineligible"),
    ("C1", [], "offered"),
    ("C1", [], "outranked"),
    ("C2", [CONSENT, HELD], "ineligible"),
    ("C2", [CONSENT], "suppressed"),
    ("C2", [CARE, VALUE], "suppressed"),
    ("C3", [VALUE], "suppressed"),
    ("C3", [], "control"),
    ("C3", [], "over_capacity"),
    ("C4", [], "holdout"),
    ("C4", [HELD, VALUE], "ineligible"),
    ("C4", [VALUE], "suppressed"),
    ("C5", [], "holdout"),
]
# step: stops, alone, left; offers and clients
EXPECTED = {
    "start": ((0, 0), None, (13, 5)),
    HELD: ((3, 3), (1, 1), (10, 5)),
    CONSENT: ((2, 1), (1, 1), (9, 5)),
    CARE: ((1, 1), (0, 0), (8, 4)),
    VALUE: ((4, 3), (2, 2), (6, 4)),
    "outranked": ((1, 1), None, (5, 4)),
    "over_capacity": ((1, 1), None, (4, 4)),
    "global_holdout": ((2, 2), None, (2, 2)),
    "control": ((1, 1), None, (1, 1)),
}


def decided(spark: SparkSession, rows: list[tuple[str, list[str], str]]) -> DataFrame:
    """As `decisions` has them: the holdout is control without being in the control group."""
    told = [
        (customer, sorted(failed), "control" if outcome == "holdout" else outcome,
         outcome == "control")
        for customer, failed, outcome in rows
    ]  # fmt: skip
    ddl = "customer_id string, failed_gates array<string>, outcome string"
    return spark.createDataFrame(told, f"{ddl}, is_in_control_group boolean")


def plain(steps: tuple[FunnelStep, ...]) -> dict[str, Any]:
    def pair(count: Count | None) -> tuple[int, int] | None:
        return count and (count.offers, count.clients)

    return {step.name: (pair(step.stops), pair(step.alone), pair(step.left)) for step in steps}


@pytest.mark.parametrize("bits", [60, 2])
def test_every_step_counts_offers_and_clients(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch, bits: int
) -> None:
    """Also where there are more gates than one number of the engine has bits for."""
    monkeypatch.setattr(module, "BITS", bits)
    monkeypatch.setattr(module, "MASK", (1 << bits) - 1)
    found = funnel(decided(spark, ROWS))
    assert plain(found) == EXPECTED
    assert [asdict(step)["name"] for step in found] == list(EXPECTED)


def test_a_campaign_without_customers_has_a_funnel(spark: SparkSession) -> None:
    found = plain(funnel(decided(spark, [])))
    assert list(found) == ["start", *AFTER_GATES]
    assert {left for _, _, left in found.values()} == {(0, 0)}


def test_gates_come_in_the_order_of_their_families() -> None:
    gates = {VALUE, "rule.own", CARE, "trigger.not_due", "contact_policy.cool_off", CONSENT, HELD,
             "eligibility.not_active"}  # fmt: skip
    assert in_order(gates) == (
        "eligibility.not_active", HELD, CONSENT, "contact_policy.cool_off", CARE, "rule.own",
        "trigger.not_due", VALUE,
    )  # fmt: skip


def test_steps_have_words() -> None:
    assert in_words("contact_policy.cool_off") == "contact policy: cool off"
    assert all(in_words(step) != step for step in ("start", *AFTER_GATES[:3]))
