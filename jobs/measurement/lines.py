"""What a campaign manager reads first of a measurement: a few sentences, the most telling ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from measurement.offers import Campaign

NOTHING = "No campaign was made in the {months} months before {as_of}: no effect to measure yet."
ALL, MEASURED = "all", "measured"
CONTROL, HOLDOUT = "campaign_control", "global_holdout"
NAMED = 3  # campaigns; of more, how many and from when to when
Row = Mapping[str, Any]


def measurement_lines(
    results: pa.Table, offers: pa.Table, campaigns: Sequence[Campaign], currency: str
) -> list[str]:
    """Tell what was measured, what it came to, and what could not be measured and why.

    Args:
        results: Shaped ``CAMPAIGN_RESULTS``.
        offers: Shaped ``OFFERS``.
        campaigns: Those measured, oldest first.
        currency: The bank's.
    """
    whole = {
        (row["campaign"], row["against"], row["measure"]): row
        for row in results.filter(pc.equal(results["cut"], ALL)).to_pylist()
    }
    of_all = {name: whole.get((ALL, CONTROL, name)) for name in ("response", "profit")}
    states = [(one, whole[one.run_id, CONTROL, "response"]) for one in campaigns]
    measured = [one for one, row in states if row["state"] == MEASURED]
    return [
        _campaigns_in_words(campaigns, measured),
        *_reach_in_words(offers),
        *_response_in_words(of_all["response"]),
        *_profit_in_words("Profit caused", of_all["profit"], currency),
        *_profit_in_words(
            "Against clients never contacted", whole.get((ALL, HOLDOUT, "profit")), currency
        ),
        *_not_measured(states),
    ]


def _campaigns_in_words(campaigns: Sequence[Campaign], measured: Sequence[Campaign]) -> str:
    several = "campaign" if len(campaigns) == 1 else "campaigns"
    days = _days([one.as_of for one in campaigns])
    return f"{len(measured)} of {len(campaigns)} {several} measured ({days})"


def _reach_in_words(offers: pa.Table) -> Iterator[str]:
    treated = offers.filter(offers["is_treated"])
    reached = pc.sum(pc.greater(treated["contacts"], 0)).as_py() or 0
    contacts = pc.sum(treated["contacts"]).as_py() or 0
    withheld = offers.num_rows - treated.num_rows
    yield (
        f"{treated.num_rows:,} offers to clients, {reached:,} of them contacted"
        f" ({contacts:,} contacts); {withheld:,} offers withheld by chance"
    )


def _response_in_words(row: Row | None) -> Iterator[str]:
    if row is None or row["state"] != MEASURED:
        return
    yield (
        f"Response: {row['treated_mean']:.2%} of those offered, {row['control_mean']:.2%} of the"
        f" control: {100 * row['effect']:+.2f} points caused"
        f" ({100 * row['effect_low']:+.2f} to {100 * row['effect_high']:+.2f})"
    )


def _profit_in_words(what: str, row: Row | None, currency: str) -> Iterator[str]:
    if row is None or row["state"] != MEASURED:
        return
    yield (
        f"{what}: {currency} {row['total']:,.0f}"
        f" ({row['total_low']:,.0f} to {row['total_high']:,.0f}),"
        f" {row['effect']:,.2f} a client; after contacts and levers"
    )


def _not_measured(states: Sequence[tuple[Campaign, Row]]) -> Iterator[str]:
    """Each reason once, with the campaigns it holds for."""
    why: dict[str, list[date]] = {}
    for campaign, row in states:
        if row["state"] != MEASURED:
            why.setdefault(row["note"], []).append(campaign.as_of)
    for note, days in why.items():
        yield f"Not measured: {_days(days)}: {note}"


def _days(days: Sequence[date]) -> str:
    if len(days) <= NAMED:
        return ", ".join(str(day) for day in days)
    return f"{len(days)} from {min(days)} to {max(days)}"
