"""What happened lately that may call for a conversation."""

from __future__ import annotations

from features.cash_flow import INFLOW
from features.event_sources import BIRTHS, EARLIER_CUSTOMERS
from features.feature import Feature
from features.formulas import is_so, number, number_change, ratio
from features.holding_sources import HOLDINGS
from features.measures import ALL_ROWS, Measure
from features.sources import BOOKINGS, CUSTOMERS

SOON = 90
NOT_KNOWN_THEN = "null if unknown now or 6 months before"


def event_features() -> tuple[Feature, ...]:
    """Large credits, ends of products, majority, and changes around the customer."""
    return (
        Feature(
            name="largest_credit_to_inflow_1m",
            theme="events",
            description="Largest single credit of the last month ÷ mean monthly inflow of the last"
            " 12; own transfers left out.",
            value=ratio(
                Measure(BOOKINGS, "max", "cents", INFLOW, within=1),
                Measure(BOOKINGS, "sum", "cents", INFLOW, within=12),
                "null without inflow; 0 without a credit in the last month",
                scale=(12, 1),
            ),
        ),
        Feature(
            name=f"maturing_count_{SOON}d",
            theme="events",
            description=f"Open holdings that end within {SOON} days from the as-of date.",
            value=number(
                Measure(
                    HOLDINGS,
                    "count",
                    "days_to_maturity",
                    ALL_ROWS.where(is_open=True),
                    within=SOON,
                    clock="days_to_maturity",
                ),
                "product",
            ),
            in_list=True,
        ),
        # A branch may congratulate; a model may not learn from dates of birth.
        Feature(
            name="has_turned_18_12m",
            theme="events",
            description="Turned 18 within the last 12 months and may now hold products of adults;"
            " for lists only, in no model.",
            value=is_so(Measure(BIRTHS, "value", "has_turned_18_12m")),
            in_model=False,
            in_list=True,
        ),
        *_changes(),
    )


def _changes() -> tuple[Feature, ...]:
    return (
        Feature(
            name="has_branch_changed_6m",
            theme="events",
            description="Is served by another branch than 6 months before, as after a move.",
            value=is_so(Measure(EARLIER_CUSTOMERS, "value", "has_branch_changed_6m")),
            in_list=True,
        ),
        Feature(
            name="has_advisor_changed_6m",
            theme="events",
            description="Has another advisor than 6 months before, or none any more, or a first.",
            value=is_so(Measure(EARLIER_CUSTOMERS, "value", "has_advisor_changed_6m")),
            in_list=True,
        ),
        Feature(
            name="household_size_change_6m",
            theme="events",
            description="Active customers in the household less those of the household 6 months"
            " before: above 0 with a new member, or once a household is known.",
            value=number_change(
                Measure(CUSTOMERS, "value", "household_size"),
                Measure(EARLIER_CUSTOMERS, "value", "household_size"),
                "client",
                "null if not a client 6 months before",
            ),
        ),
        Feature(
            name="segment_rank_change_6m",
            theme="events",
            description="Segment rank less that of 6 months before: above 0 after a rise.",
            value=number_change(
                Measure(CUSTOMERS, "value", "segment_rank"),
                Measure(EARLIER_CUSTOMERS, "value", "segment_rank"),
                "rank",
                NOT_KNOWN_THEN,
            ),
        ),
    )
