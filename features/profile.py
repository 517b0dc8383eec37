"""Who the customer is to the bank: nothing about age, gender or language."""

from __future__ import annotations

from features.feature import Feature
from features.formulas import attribute, is_so, never_missing
from features.measures import Measure
from features.sources import CUSTOMERS


def profile_features() -> tuple[Feature, ...]:
    """Facts of the relationship itself."""
    return (
        Feature(
            name="months_since_joined",
            theme="profile",
            description="Completed months since the customer joined.",
            value=never_missing(_known("months_since_joined"), "month"),
            tells=("more", "nothing"),
            in_list=True,
        ),
        Feature(
            name="segment",
            theme="profile",
            description="Segment as known then; groups customers where a product has no model.",
            value=attribute(_known("segment"), "string", "name"),
            in_model=False,
            in_list=True,
        ),
        Feature(
            name="segment_rank",
            theme="profile",
            description="Segment as known then: 1 mass, 2 affluent, 3 private, 4 vip.",
            value=attribute(_known("segment_rank"), "int", "rank"),
        ),
        Feature(
            name="household_size",
            theme="profile",
            description="Active customers in the household; 1 where no household is known.",
            value=never_missing(_known("household_size"), "client"),
        ),
        Feature(
            name="has_payroll_employer",
            theme="profile",
            description="An employer is known that pays the salary into this bank.",
            value=is_so(_known("has_payroll_employer")),
            tells=("more",),
        ),
        Feature(
            name="has_advisor",
            theme="profile",
            description="Has a personal advisor.",
            value=is_so(_known("has_advisor")),
            tells=("more",),
            in_list=True,
        ),
    )


def _known(column: str) -> Measure:
    return Measure(CUSTOMERS, "value", column)
