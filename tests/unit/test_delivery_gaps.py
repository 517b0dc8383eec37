"""A month that was never delivered is noticed, on whatever days a bank delivers."""

from pathlib import Path

import pytest

from extracts.deliveries import Delivery
from jobs.runs.inputs import refuse_gaps
from tables.errors import ContractViolation


def delivered(*days):
    return [Delivery(day, Path(day), "") for day in days]


@pytest.mark.parametrize(
    "days",
    [
        ["2026-10-01", "2026-11-01"],
        ["2026-10-01", "2026-10-16", "2026-11-01"],
        ["2026-10-05", "2026-11-06", "2026-12-04"],
        ["2024-02-29", "2024-03-31"],
    ],
)
def test_deliveries_of_every_month_have_no_gap(days):
    refuse_gaps(delivered(*days))


@pytest.mark.parametrize(
    "days",
    [["2026-09-01", "2026-11-01"], ["2026-10-16", "2026-12-01"], ["2026-09-30", "2026-11-16"]],
)
def test_a_month_without_a_delivery_is_a_gap(days):
    with pytest.raises(ContractViolation, match=f"nothing was delivered between {days[0]}"):
        refuse_gaps(delivered(*days))
