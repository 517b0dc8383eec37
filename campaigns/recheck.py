"""Checked again before a list leaves the house: may each of its clients still be contacted?

The same questions as at scoring (``consent.py``, ``contact_policy.py``, ``care.py``), asked of what
is known by now, and of listed clients only: those about consent, objection, care and life. Caps and
eligibility are not asked again: what a list itself has caused must not take its rows away.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pyarrow as pa

from campaigns.law import PROFILING, PURPOSES, permission
from campaigns.rules import built_in_rules
from conf.fields import Disposition
from conf.schema import RunConfig
from tables.reason_codes import ReasonCode

Row = Mapping[str, Any]
RULES = {rule.code: rule.id for rule in built_in_rules()}
OPT_OUT: Disposition = "opt_out"
RECALLED = pa.schema(
    [
        ("branch_id", pa.string()),
        ("customer_id", pa.string()),
        ("offer_id", pa.string()),
        ("withdrawn", pa.string()),
        ("known_on", pa.date32()),
        ("rule", pa.string()),
    ]
)
RECALLED_ORDER = [(name, "ascending") for name in RECALLED.names]


@dataclass(frozen=True)
class Known:
    """What is known of one client before a day; rows as the source tables have them."""

    customer: Row | None = None
    consents: Sequence[Row] = ()
    flags: Sequence[Row] = ()
    opt_outs: Sequence[Row] = field(default=())


@dataclass(frozen=True)
class Withdrawal:
    """Why a row must not be worked any more.

    Attributes:
        code: Of the gate that fails by now.
        withdrawn: What was withdrawn, in words that tell a branch nothing it need not know.
        known_on: The day on which it was known; None: nobody says any more that it was granted.
    """

    code: ReasonCode
    withdrawn: str
    known_on: date | None


def offers_recalled(
    lists: pa.Table, known: Mapping[str, Known], config: RunConfig, day: date
) -> pa.Table:
    """Rows of campaign lists that must not be worked any more, shaped ``RECALLED``.

    Args:
        lists: Shaped ``CAMPAIGN_LISTS``.
        known: By ``customer_id`` of the lists, what was known before ``day``.
        config: Of the run that made the lists.
        day: When they are exported.

    Returns:
        One row per offer and reason: all are told, none hides another.
    """
    return _recalled(
        (row, _of_offer(row, known[row["customer_id"]], config, day)) for row in lists.to_pylist()
    )


def care_recalled(
    care: pa.Table, known: Mapping[str, Known], config: RunConfig, day: date
) -> pa.Table:
    """The same of care lists: help needs no consent, but a client who may be contacted."""
    return _recalled(
        (row, _of_client(known[row["customer_id"]], config.care.no_contact, day))
        for row in care.to_pylist()
    )


def without(rows: pa.Table, recalled: pa.Table) -> pa.Table:
    """Rows of which nothing is recalled."""
    keys = ["customer_id", *(["offer_id"] if "offer_id" in rows.column_names else [])]
    gone = set(zip(*(recalled[name].to_pylist() for name in keys), strict=True))
    mine = zip(*(rows[name].to_pylist() for name in keys), strict=True)
    return rows.filter(pa.array([key not in gone for key in mine], pa.bool_()))


def _of_offer(row: Row, known: Known, config: RunConfig, day: date) -> Iterator[Withdrawal]:
    yield from _of_consent(row, known.consents, config, day)
    yield from _of_objection(known.opt_outs, config, day)
    yield from _of_client(known, config.care.no_contact, day)
    if begun := _active_since(known.flags, config.care.treatments, day):
        yield Withdrawal(ReasonCode.CARE, "offers, for care", begun)


def _of_client(known: Known, no_contact: Collection[str], day: date) -> Iterator[Withdrawal]:
    if (since := _inactive_since(known.customer, day)) is not None:
        yield Withdrawal(ReasonCode.NOT_ACTIVE, "the client's relationship", since)
    if begun := _active_since(known.flags, no_contact, day):
        yield Withdrawal(ReasonCode.NO_CONTACT_FLAG, "all contact", begun)


def _of_consent(
    row: Row, consents: Sequence[Row], config: RunConfig, day: date
) -> Iterator[Withdrawal]:
    for code, purpose in (
        (ReasonCode.NO_CONSENT, PURPOSES[row["kind"]]),
        (ReasonCode.NO_PROFILING_CONSENT, PROFILING),
    ):
        last = last_word(consents, purpose, row["channel"])
        if not has_leave(last, permission(config.jurisdiction.in_force, purpose), midnight(day)):
            what = f"{purpose}/{row['channel']}"
            yield Withdrawal(code, what, last["recorded_at"].date() if last else None)


def last_word(consents: Iterable[Row], purpose: str, channel: str) -> Row | None:
    """The latest decision about a purpose and channel."""
    said = [row for row in consents if (row["purpose"], row["channel"]) == (purpose, channel)]
    return max(said, key=lambda row: row["changed_at"], default=None)


def has_leave(last: Row | None, basis: str, moment: datetime) -> bool:
    """The last word allows contact at a moment; a grant that is dated later does not count yet."""
    if last is None:
        return basis != "consent"
    return bool(last["is_granted"] and last["changed_at"] < moment)


def _of_objection(opt_outs: Sequence[Row], config: RunConfig, day: date) -> Iterator[Withdrawal]:
    days = timedelta(days=config.contact_policy.cool_off_days_after.get(OPT_OUT, 0))
    standing = [
        row for row in opt_outs if (row["disposition_on"] or row["contacted_on"]) + days > day
    ]
    if standing:
        known_on = min(row["recorded_at"] for row in standing).date()
        yield Withdrawal(ReasonCode.COOL_OFF, OPT_OUT, known_on)


def _active_since(flags: Sequence[Row], names: Collection[str], day: date) -> date | None:
    """When it was known that one of some flags holds on a day; None if none does."""
    held = [
        row["recorded_at"].date()
        for row in flags
        if row["flag"] in names
        and row["valid_from"] <= day
        and (row["valid_to"] is None or row["valid_to"] > day)
    ]
    return min(held, default=None)


def _inactive_since(customer: Row | None, day: date) -> date | None:
    """When it was known that a client has left or died; the day itself if all trace is gone."""
    if customer is None:
        return day
    has_left = customer["left_on"] is not None and customer["left_on"] < day
    if not has_left and customer["deceased_on"] is None:
        return None
    known_on: date = customer["recorded_at"].date()
    return known_on


def _recalled(found: Iterable[tuple[Row, Iterable[Withdrawal]]]) -> pa.Table:
    rows = [
        {
            "branch_id": row["branch_id"],
            "customer_id": row["customer_id"],
            "offer_id": row.get("offer_id"),
            "withdrawn": withdrawal.withdrawn,
            "known_on": withdrawal.known_on,
            "rule": RULES[withdrawal.code],
        }
        for row, withdrawals in found
        for withdrawal in withdrawals
    ]
    return pa.Table.from_pylist(rows, schema=RECALLED).sort_by(RECALLED_ORDER)


def midnight(day: date) -> datetime:
    """The first instant of a day, UTC."""
    return datetime.combine(day, time(), tzinfo=UTC)
