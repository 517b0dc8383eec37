"""Whose credited sales look unlike those of the others: something to look at, never an accusation.

Each branch, advisor and partner's desk is held against all others within the same campaign and
product, so that selling other things is nothing odd. Of all that is flagged a stated share may be
chance (Benjamini and Hochberg), for all checks of all units together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.stats import binom

from conf.measurement_settings import CreditCheckSettings
from measurement.association import Bools, Ints, adjusted
from measurement.credit_table import COLUMN
from measurement.offers import NAME, Campaign
from measurement.sales import Sales, bools, codes, days
from measurement.stratified_chance import exact_excess, expected_like_others

BANK = "bank"
EVERYBODY = "all"
EPOCH = date(1970, 1, 1)

# Grain: result that a branch has returned of an offer of the measured campaigns.
RETURNED = pa.schema(
    [
        pa.field("campaign", NAME, nullable=False),
        pa.field("product_id", NAME, nullable=False),
        pa.field("branch_id", NAME),
        pa.field("advisor_id", NAME),  # who made the contact
        pa.field("partner_id", NAME),
        pa.field("has_consent", pa.bool_()),  # at that time the client might be contacted so
    ]
)


@dataclass(frozen=True)
class Check:
    """Something that may be looked at.

    Attributes:
        name: In tables.
        what: "{count} of {of} <what>".
        look_at: What may explain it, and where to look.
    """

    name: str
    what: str
    look_at: str


NO_CONTACT = Check(
    "no_contact",
    "sales have no contact on record",
    "Were contacts left out of the records, or did these clients come by themselves?",
)
BEFORE_CONTACT = Check(
    "before_contact",
    "sales were made before the first contact on record",
    "Are contacts entered late, or after the client has bought?",
)
CANCELLED = Check(
    "cancelled",
    "purchases were given back soon after",
    "Did the clients know what they bought, and want it? Listen to some of them.",
)
MONTH_END = Check(
    "month_end",
    "sales were made in the last days of a month",
    "Is there a target that ends with the month, a pay day, or a day on which bookings are made?",
)
NOT_CONFIRMED = Check(
    "not_confirmed",
    "sales that were reported are not in the books",
    "Are applications refused or slow, or is a promise entered as a sale?",
)
NO_CONSENT = Check(
    "no_consent",
    "contacts were returned for which no consent was known at that time",
    "Was the list used after a consent was withdrawn, or on another channel than it names?",
)
CHECKS = (NO_CONTACT, BEFORE_CONTACT, CANCELLED, MONTH_END, NOT_CONFIRMED, NO_CONSENT)


@dataclass(frozen=True)
class Checked:
    """One check of one unit.

    Attributes:
        check: Which one.
        level: branch, advisor or partner; or the bank, against the calendar.
        name: Which unit.
        count: Cases of which it is so.
        of: Cases.
        expected: Of which it would be so at the rates of the others.
        p_value: That chance alone gives so many or more.
        q_value: The same for all checks of all units together.
        is_flagged: Somebody should look at it.
    """

    check: Check
    level: str
    name: str
    count: int
    of: int
    expected: float
    p_value: float
    q_value: float = 1.0
    is_flagged: bool = False

    @property
    def sentence(self) -> str:
        """What was found, what would be usual, and what to look at."""
        who = "All branches together" if self.level == BANK else f"{self.level} {self.name}"
        usual = "by the calendar" if self.level == BANK else "of others with the same offers"
        return (
            f"{who}: {self.count:,} of {self.of:,} {self.check.what};"
            f" {self.expected:,.1f} would be usual {usual}. {self.check.look_at}"
        )


def credit_checks(
    offers: pa.Table,
    campaigns: Sequence[Campaign],
    returned: pa.Table,
    settings: CreditCheckSettings,
) -> list[Checked]:
    """Every check of every unit with enough cases, the flagged ones first.

    Args:
        offers: Shaped ``OFFERS``.
        campaigns: Those that are measured.
        returned: Shaped ``RETURNED``.
        settings: From when on something is flagged.
    """
    known = [one for one in campaigns if one.has_deliveries]
    sales = Sales.of(offers, known)
    cases = [
        _Cases.of(NO_CONTACT, sales.rows, sales.is_sale, sales.is_without_contact),
        _Cases.of(BEFORE_CONTACT, sales.rows, sales.is_sale, sales.is_before_contact),
        _Cases.of(CANCELLED, sales.rows, sales.is_purchase, sales.is_cancelled),
        _month_end(sales, settings.month_end_days),
        _not_confirmed(sales, known, settings.confirmed_within_days),
        _no_consent(returned),
    ]
    tested = [one for some in cases for one in some.tested(settings.min_sales)]
    tested += _calendar(sales, known, settings)
    q_values = adjusted([one.p_value for one in tested], len(tested))
    found = [
        replace(one, q_value=q_value, is_flagged=q_value <= settings.max_false_share)
        for one, q_value in zip(tested, q_values, strict=True)
    ]
    return sorted(found, key=lambda one: (one.q_value, one.check.name, one.level, one.name))


def check_rows(found: Sequence[Checked]) -> pa.Table:
    """A row per check and unit that was tested."""
    rows = [
        {
            "check": one.check.name,
            "level": one.level,
            "name": one.name,
            "count": one.count,
            "of": one.of,
            "expected": round(one.expected, 6),
            "p_value": one.p_value,
            "q_value": one.q_value,
            "is_flagged": one.is_flagged,
            "sentence": one.sentence if one.is_flagged else None,
        }
        for one in found
    ]
    return pa.Table.from_pylist(rows, schema=_SCHEMA)


def check_sentences(found: Sequence[Checked], settings: CreditCheckSettings) -> list[str]:
    """How many are flagged, and what a flag is."""
    if not found:
        return [
            "No branch, advisor or partner's desk has enough sales for a check of credit"
            f" ({settings.min_sales} are needed)."
        ]
    flagged = [one for one in found if one.is_flagged]
    units = len({(one.level, one.name) for one in found})
    asked = (
        f"{len(found):,} checks of {units:,} branches, advisors and partners' desks with at least"
        f" {settings.min_sales} cases"
    )
    if not flagged:
        return [f"{asked}: none stands out by more than chance."]
    return [
        f"{asked}: {len(flagged):,} stand out by more than chance (about"
        f" {settings.max_false_share:.0%} of such flags are chance all the same). A flag asks for a"
        " look; it says nothing about anybody's intent.",
        *(one.sentence for one in flagged[:_MOST_TOLD]),
    ]


_MOST_TOLD = 3
_SCHEMA = pa.schema(
    [
        ("check", pa.string()),
        ("level", pa.string()),
        ("name", pa.string()),
        ("count", pa.int64()),
        ("of", pa.int64()),
        ("expected", pa.float64()),
        ("p_value", pa.float64()),
        ("q_value", pa.float64()),
        ("is_flagged", pa.bool_()),
        ("sentence", pa.string()),
    ]
)


@dataclass(frozen=True)
class _Cases:
    """What a check looks at, one entry per case.

    Attributes:
        check: Which one.
        units: By level the name of each case's unit; null where there is none.
        stratum: What is alike within.
        is_so: Whether it is what the check looks for.
    """

    check: Check
    units: Mapping[str, pa.Array]
    stratum: Ints
    is_so: Bools

    @classmethod
    def of(cls, check: Check, rows: pa.Table, is_case: Bools, is_so: Bools) -> _Cases:
        """Cases among rows with the columns of units, campaign and product."""
        cases = rows.filter(pa.array(is_case))
        product = codes(cases["product_id"])
        stratum = codes(cases["campaign"]) * (int(product.max(initial=0)) + 1) + product
        units = {
            level: cases[column].cast(pa.string()).combine_chunks()
            for level, column in COLUMN.items()
        }
        return cls(check, units, stratum, is_so[is_case])

    def tested(self, least: int) -> Iterator[Checked]:
        """Each unit with enough cases beside the others; none where nobody has any."""
        if not self.is_so.any():
            return
        _, stratum = np.unique(self.stratum, return_inverse=True)
        strata = int(stratum.max()) + 1
        everybody = np.zeros(len(stratum), dtype=np.int64)
        totals = _crossed(everybody, stratum, self.is_so, (1, strata))
        for level, names in self.units.items():
            known = pc.unique(names).drop_null().sort().to_pylist()
            unit = codes(pa.chunked_array([names]))
            # Those without a unit are beyond the last one.
            of, own = _crossed(unit, stratum, self.is_so, (len(known) + 1, strata))
            for place, name in enumerate(known):
                if least <= int(of[place].sum()) < len(stratum):
                    yield self._told((level, name), (of[place], own[place]), totals)

    def _told(
        self, unit: tuple[str, str], mine: tuple[Ints, Ints], totals: tuple[Ints, Ints]
    ) -> Checked:
        (of, own), (all_of, all_count) = mine, (totals[0][0], totals[1][0])
        return Checked(
            check=self.check,
            level=unit[0],
            name=unit[1],
            count=int(own.sum()),
            of=int(of.sum()),
            expected=expected_like_others(own, of, all_count, all_of),
            p_value=exact_excess(int(own.sum()), of, all_count, all_of),
        )


def _crossed(unit: Ints, stratum: Ints, is_so: Bools, size: tuple[int, int]) -> tuple[Ints, Ints]:
    """Cases by unit and stratum, and those of which it is so."""
    place, cells = unit * size[1] + stratum, size[0] * size[1]
    of = np.bincount(place, minlength=cells).reshape(size)
    return of, np.bincount(place[is_so], minlength=cells).reshape(size)


def _month_end(sales: Sales, last_days: int) -> _Cases:
    bought = days(sales.rows["bought_on"])
    is_late = np.zeros(len(bought), dtype=np.bool_)
    is_late[sales.is_sale] = _is_at_month_end(bought[sales.is_sale], last_days)
    return _Cases.of(MONTH_END, sales.rows, sales.is_sale, is_late)


def _not_confirmed(sales: Sales, campaigns: Sequence[Campaign], within: int) -> _Cases:
    """Reports of a sale that a holding of the outcome window would confirm, if there were one."""
    rows = sales.rows
    said = days(rows["disposition_on"])
    is_sold = bools(pc.equal(rows["disposition"], "sold"))
    is_case = np.zeros(rows.num_rows, dtype=np.bool_)
    for one in campaigns:
        if one.is_matured:
            last = (one.ends - timedelta(days=within) - EPOCH).days
            in_time = (said >= (one.opens - EPOCH).days) & (said <= last)
            is_case |= is_sold & in_time & bools(pc.equal(rows["campaign"], one.run_id))
    return _Cases.of(NOT_CONFIRMED, rows, is_case, bools(pc.is_null(rows["bought_on"])))


def _no_consent(returned: pa.Table) -> _Cases:
    is_known = bools(pc.is_valid(returned["has_consent"]))
    has_none = ~bools(pc.fill_null(returned["has_consent"], True))
    return _Cases.of(NO_CONSENT, returned, is_known, has_none)


def _calendar(
    sales: Sales, campaigns: Sequence[Campaign], settings: CreditCheckSettings
) -> Iterator[Checked]:
    """All sales against the calendar: what all branches do alike is seen only so."""
    # Of a window that is not over, only the days until now could have sales.
    over = [one for one in campaigns if one.is_matured]
    share = {one.run_id: _share_at_month_end(one, settings.month_end_days) for one in over}
    is_over = pc.is_in(sales.rows["campaign"], value_set=pa.array(share, pa.string()))
    among = sales.is_sale & bools(is_over)
    bought = days(sales.rows["bought_on"])[among]
    if len(bought) < settings.min_sales:
        return
    count = int(_is_at_month_end(bought, settings.month_end_days).sum())
    names = sales.rows["campaign"].filter(pa.array(among))
    expected = sum(share[name] for name in sorted(names.to_pylist()))
    p_value = float(binom.sf(count - 1, len(bought), expected / len(bought)))
    yield Checked(MONTH_END, BANK, EVERYBODY, count, len(bought), expected, p_value)


def _share_at_month_end(campaign: Campaign, last_days: int) -> float:
    window = np.arange((campaign.opens - EPOCH).days, (campaign.ends - EPOCH).days)
    return float(_is_at_month_end(window, last_days).mean())


def _is_at_month_end(day: Ints, last_days: int) -> Bools:
    """The day is one of the last of its month: so many days later another month has begun."""
    of = np.asarray(day, dtype="datetime64[D]")
    later = of + np.timedelta64(last_days, "D")
    return np.asarray(of.astype("datetime64[M]") != later.astype("datetime64[M]"))
