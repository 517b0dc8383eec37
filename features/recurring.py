"""Regular payers and payees, told by their months, not by a category.

A regular payer credited in at least 4 of the last 6 months. A regular payee was paid in at least 5
of them, once a month with at most one exception, as bills and subscriptions are and shops are not.
The main payer is the regular payer with the largest sum of 6 months.
"""

from __future__ import annotations

from features.cash_flow import INFLOW, OUTFLOW
from features.feature import Feature
from features.formulas import (
    amount,
    attribute,
    change_of_mean,
    elapsed,
    has_any,
    months_with,
    number,
    relative_range,
    share,
)
from features.measures import ALL_ROWS, Measure
from features.recurring_sources import COUNTERPARTIES
from features.sources import BOOKINGS

PAYERS = ALL_ROWS.where(is_credit=True)
PAYEES = ALL_ROWS.where(is_credit=False)
REGULAR_PAYERS, REGULAR_PAYEES = PAYERS.where(is_regular=True), PAYEES.where(is_regular=True)
NO_PAYER = "null without a regular payer"


def payer_features() -> tuple[Feature, ...]:
    """Income without a tag. No sentence: a guess about an employer is not told to a client."""
    return (
        Feature(
            name="regular_payer_count_6m",
            theme="income",
            description="Counterparties that credited in at least 4 of the last 6 months, whatever"
            " the booking was called.",
            value=number(Measure(COUNTERPARTIES, "count", "cents_6m", REGULAR_PAYERS), "payer"),
        ),
        Feature(
            name="regular_payer_amount_6m",
            theme="income",
            description="Credited by regular payers in the last 6 months.",
            value=amount(Measure(COUNTERPARTIES, "sum", "cents_6m", REGULAR_PAYERS)),
        ),
        Feature(
            name="has_new_payer_3m",
            theme="income",
            description="A counterparty credited in at least 2 of the last 3 months and in none of"
            " the 9 before: a salary may have started.",
            value=has_any(
                Measure(
                    COUNTERPARTIES, "count", "months_ago", PAYERS.where(has_begun=True), within=3
                )
            ),
        ),
        Feature(
            name="has_ended_payer_3m",
            theme="income",
            description="A counterparty that credited in at least 4 of the months 3 to 8 ago, last"
            " 3 or 4 months ago, and no more since: a salary may have stopped.",
            value=has_any(
                Measure(COUNTERPARTIES, "count", "days_ago", PAYERS.where(has_ended=True))
            ),
        ),
        *_main_payer_features(),
    )


def payee_features() -> tuple[Feature, ...]:
    """Bills and subscriptions by their rhythm, and competitors by who is paid."""
    return (
        Feature(
            name="regular_payee_count_6m",
            theme="bills",
            description="Counterparties paid once a month in at least 5 of the last 6 months:"
            " bills, subscriptions, instalments, whatever the booking was called.",
            value=number(Measure(COUNTERPARTIES, "count", "cents_6m", REGULAR_PAYEES), "payee"),
        ),
        Feature(
            name="regular_payee_amount_6m",
            theme="bills",
            description="Paid to regular payees in the last 6 months.",
            value=amount(Measure(COUNTERPARTIES, "sum", "cents_6m", REGULAR_PAYEES)),
        ),
        Feature(
            name="regular_payee_share_6m",
            theme="bills",
            description="Part of the outflow of the last 6 months that went to regular payees.",
            value=share(
                Measure(COUNTERPARTIES, "sum", "cents_6m", REGULAR_PAYEES),
                Measure(BOOKINGS, "sum", "cents", OUTFLOW, within=6),
                "null without outflow",
            ),
        ),
        Feature(
            name="new_payee_count_3m",
            theme="bills",
            description="Counterparties paid once a month in at least 2 of the last 3 months and in"
            " none of the 9 before.",
            value=number(
                Measure(
                    COUNTERPARTIES, "count", "months_ago", PAYEES.where(has_begun=True), within=3
                ),
                "payee",
            ),
        ),
        Feature(
            name="ended_payee_count_3m",
            theme="bills",
            description="Counterparties paid once a month in at least 4 of the months 3 to 8 ago,"
            " last 3 or 4 months ago, and no more since.",
            value=number(
                Measure(COUNTERPARTIES, "count", "days_ago", PAYEES.where(has_ended=True)), "payee"
            ),
        ),
        *(_payee_count(months) for months in (3, 12)),
        _competitor_count("insurer", "Insurers elsewhere that were paid in the last 12 months."),
        _competitor_count("lender", "Lenders elsewhere that were paid in the last 12 months."),
    )


def _main_payer_features() -> tuple[Feature, ...]:
    cents, count = _main("cents_6m"), _main("count_6m")
    return (
        Feature(
            name="main_payer_months_12m",
            theme="income",
            description="Months among the last 12 in which the main payer, the regular payer with"
            " the largest sum of 6 months, credited.",
            value=months_with(_main("months_12m"), 12),
        ),
        Feature(
            name="main_payer_share_6m",
            theme="income",
            description="Part of the inflow of the last 6 months that came from the main payer; 0"
            " without one.",
            value=share(
                cents, Measure(BOOKINGS, "sum", "cents", INFLOW, within=6), "null without inflow"
            ),
        ),
        Feature(
            name="main_payer_range_6m",
            theme="income",
            description="Largest less smallest credit of the main payer in the last 6 months, ÷"
            " their mean; 0 if all are equal.",
            value=relative_range(_main("range_cents_6m"), count, cents, NO_PAYER),
        ),
        Feature(
            name="main_payer_day",
            theme="income",
            description="Day of the month of the main payer's last credit: the usual pay day.",
            value=attribute(_main("last_day"), "int", "day of the month", NO_PAYER),
        ),
        Feature(
            name="main_payer_day_range_6m",
            theme="income",
            description="Days between the earliest and the latest day of the month on which the"
            " main payer credited in the last 6 months; the 30th and the 1st are near.",
            value=elapsed(_main("day_range_6m"), "day", NO_PAYER),
        ),
        Feature(
            name="main_payer_change_3m",
            theme="income",
            description="Mean credit of the main payer in the last 3 months ÷ in the 3 before:"
            " above 1 after a raise.",
            value=change_of_mean(
                _main("cents_3m"),
                _main("count_3m"),
                cents,
                count,
                "null without credits of a regular payer in both",
            ),
        ),
        Feature(
            name="days_since_main_payer",
            theme="income",
            description="Days since the main payer last credited.",
            value=elapsed(_main("days_ago"), "day", NO_PAYER),
        ),
    )


def _main(column: str) -> Measure:
    return Measure(COUNTERPARTIES, "of_greatest", column, REGULAR_PAYERS)


def _payee_count(months: int) -> Feature:
    return Feature(
        name=f"payee_count_{months}m",
        theme="spending",
        description=f"Different counterparties paid in the last {months} months.",
        value=number(Measure(COUNTERPARTIES, "count", "days_ago", PAYEES, within=months), "payee"),
    )


def _competitor_count(kind: str, description: str) -> Feature:
    rows = PAYEES.where(**{f"is_{kind}": True})
    return Feature(
        name=f"other_{kind}_count_12m",
        theme="bills",
        description=description,
        value=number(Measure(COUNTERPARTIES, "count", "days_ago", rows, within=12), kind),
    )
