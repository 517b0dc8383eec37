"""How the customer uses the bank's channels, and what came of contacts so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from features.feature import Feature, Telling
from features.formulas import amount, elapsed, number, ratio, share
from features.measures import ALL_ROWS, Measure, Rows
from features.sources import BOOKINGS, CONSENTS, CONTACTS, FLAGS
from tables.categories import DIGITAL_CHANNELS, BookingChannel

NEVER_SEEN = "null if not in the observation window"
FOREIGN = ALL_ROWS.where(is_foreign=True)
DIGITAL = ALL_ROWS.where(channel=DIGITAL_CHANNELS)
CARD = ALL_ROWS.where(channel=BookingChannel.CARD)
AT_BRANCH = ALL_ROWS.where(channel=BookingChannel.BRANCH)


@dataclass(frozen=True)
class Usage:
    """A way of paying, the noun for one booking made so, and what of it may be a reason.

    That somebody pays by standing order, or draws cash, is true of most and explains no offer.
    """

    name: str
    channels: Sequence[BookingChannel]
    noun: str
    tells: tuple[Telling, ...] = ()


USAGES = (
    Usage("card", (BookingChannel.CARD,), "card payment", ("more",)),
    Usage("atm", (BookingChannel.ATM,), "withdrawal"),
    Usage("branch", (BookingChannel.BRANCH,), "booking", ("more",)),
    Usage("digital", DIGITAL_CHANNELS, "booking", ("more",)),
    Usage("standing_order", (BookingChannel.STANDING_ORDER,), "standing order"),
    Usage("direct_debit", (BookingChannel.DIRECT_DEBIT,), "direct debit"),
)


def channel_features() -> tuple[Feature, ...]:
    """How much and how the customer pays."""
    return (
        _booking_count(1),
        _booking_count(3),
        _booking_count(12),
        *(_usage_count(usage) for usage in USAGES),
        *(_card_amount(months) for months in (3, 12)),
        _digital_share(3, tells=("more",)),
        _digital_share(12),
        _since_booking("card_payment", "card payment", CARD),
        _since_booking("digital_booking", "booking online or in the app", DIGITAL),
        _since_booking("branch_booking", "booking at a branch", AT_BRANCH),
        _since_booking("foreign_currency", "booking in another than the base currency", FOREIGN),
        Feature(
            name="booking_trend_3m",
            theme="channels",
            description="Bookings per month in the last 3 months ÷ per month in the last 12.",
            value=ratio(
                _bookings(ALL_ROWS, 3),
                _bookings(ALL_ROWS, 12),
                "null without a booking",
                scale=(4, 1),
            ),
        ),
        Feature(
            name="days_since_last_booking",
            theme="channels",
            description="Days since the last booking on any account.",
            value=elapsed(Measure(BOOKINGS, "min", "days_ago"), "day", NEVER_SEEN),
        ),
        *(_foreign_count(months) for months in (3, 12)),
        *(_foreign_amount(months) for months in (3, 12)),
    )


def engagement_features() -> tuple[Feature, ...]:
    """Contacts and their results, complaints, consents."""
    return (
        *(_contact_count(days) for days in (30, 90)),
        *(_result_count(result) for result in ("interested", "sold", "refused", "no_answer")),
        _since_contact("contact", ALL_ROWS, "contact about any product"),
        _since_contact("interest", ALL_ROWS.where(disposition="interested"), "interested answer"),
        _since_contact("refusal", ALL_ROWS.where(disposition="refused"), "refusal"),
        Feature(
            name="complaint_count_12m",
            theme="engagement",
            description="Complaints opened in the last 12 months.",
            value=number(
                Measure(
                    FLAGS, "count", "days_ago", ALL_ROWS.where(flag="complaint_open"), within=12
                ),
                "complaint",
            ),
        ),
        Feature(
            name="consented_channel_count",
            theme="engagement",
            description="Channels on which the bank's own marketing was last allowed.",
            value=number(
                Measure(CONSENTS, "count", "channel", ALL_ROWS.where(is_granted=True)),
                "channel",
            ),
        ),
    )


def _bookings(rows: Rows, months: int) -> Measure:
    return Measure(BOOKINGS, "count", "days_ago", rows, within=months)


def _digital_share(months: int, tells: tuple[Telling, ...] = ()) -> Feature:
    return Feature(
        name=f"digital_share_{months}m",
        theme="channels",
        description=f"Part of the bookings of the last {months} months made online or in the app.",
        value=share(
            _bookings(DIGITAL, months), _bookings(ALL_ROWS, months), "null without a booking"
        ),
        tells=tells,
        in_list=True,
    )


def _card_amount(months: int) -> Feature:
    return Feature(
        name=f"card_amount_{months}m",
        theme="channels",
        description=f"Paid by card in the last {months} months.",
        value=amount(Measure(BOOKINGS, "sum", "cents", CARD.where(is_debit=True), within=months)),
    )


def _since_booking(name: str, meaning: str, rows: Rows) -> Feature:
    return Feature(
        name=f"days_since_{name}",
        theme="channels",
        description=f"Days since the last {meaning}.",
        value=elapsed(Measure(BOOKINGS, "min", "days_ago", rows), "day", NEVER_SEEN),
    )


def _foreign_count(months: int) -> Feature:
    return Feature(
        name=f"foreign_currency_count_{months}m",
        theme="channels",
        description=f"Bookings in another than the base currency in the last {months} months.",
        value=number(_bookings(FOREIGN, months), "booking"),
        tells=("more",),
    )


def _foreign_amount(months: int) -> Feature:
    return Feature(
        name=f"foreign_currency_amount_{months}m",
        theme="channels",
        description=f"Turnover in other currencies in the last {months} months, credits and debits"
        " added, at the rate of each booking's month; without a known rate not counted.",
        value=amount(Measure(BOOKINGS, "sum", "cents", FOREIGN, within=months)),
    )


def _booking_count(months: int) -> Feature:
    return Feature(
        name=f"booking_count_{months}m",
        theme="channels",
        description=f"Bookings on all accounts in the last {months} month{'s' * (months > 1)}.",
        value=number(_bookings(ALL_ROWS, months), "booking"),
    )


def _usage_count(usage: Usage) -> Feature:
    channels = " or ".join(channel.value for channel in usage.channels)
    return Feature(
        name=f"{usage.name}_count_3m",
        theme="channels",
        description=f"Bookings of the last 3 months made by {channels}.",
        value=number(_bookings(ALL_ROWS.where(channel=tuple(usage.channels)), 3), usage.noun),
        tells=usage.tells,
        in_list=True,
    )


def _contact_count(days: int) -> Feature:
    return Feature(
        name=f"contact_count_{days}d",
        theme="engagement",
        description=f"Contacts about any product in the last {days} days.",
        value=number(
            Measure(CONTACTS, "count", "days_ago", within=days, clock="days_ago"), "contact"
        ),
        in_list=True,
    )


def _result_count(result: str) -> Feature:
    return Feature(
        name=f"{result}_count_12m",
        theme="engagement",
        description=f"Contacts of the last 12 months whose result, known by then, was {result}.",
        value=number(
            Measure(CONTACTS, "count", "days_ago", ALL_ROWS.where(disposition=result), within=12),
            "contact",
        ),
        tells=("more",) if result == "interested" else (),
    )


def _since_contact(name: str, rows: Rows, meaning: str) -> Feature:
    return Feature(
        name=f"days_since_last_{name}",
        theme="engagement",
        description=f"Days since the last {meaning}.",
        value=elapsed(Measure(CONTACTS, "min", "days_ago", rows), "day", NEVER_SEEN),
        in_list=True,
    )
