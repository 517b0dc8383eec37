"""The rows that measures are taken of, in DuckDB's SQL: one query for each kind of rows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from itertools import pairwise

from features.event_sources import MAJORITY
from features.product_facts import ProductFacts
from features.recurring_sources import (
    ENDED_MONTHS,
    HALF_A_YEAR,
    LAST_2,
    LAST_3,
    LAST_6,
    MONTHS_3_AND_4,
    MONTHS_3_TO_8,
    MONTHS_4_TO_12,
    NEW_MONTHS,
    QUARTER,
    REGULAR_CREDIT_MONTHS,
    REGULAR_DEBIT_MONTHS,
    YEAR,
)
from features.sources import BALANCE_MONTHS, MONTHS_APART, OWN_MARKETING, PERIODS, SEGMENTS
from tables.categories import OWN_TRANSFERS
from tables.windows import months_before


def row_queries(as_of: date, products: Mapping[str, ProductFacts]) -> dict[str, str]:
    """One query for each kind of rows, by its name.

    They read a view for each table, and ``customers_before``: customers as known before.
    """
    cut = f"date '{as_of}'"
    return {
        "customers": _customers("customers", as_of),
        "customers half a year before": _earlier_customers(as_of),
        "dates of birth": _births(as_of),
        "holdings": _holdings(as_of, products),
        "open accounts": _accounts(as_of),
        "bookings": _bookings(as_of),
        "months": _months(as_of),
        "payers": _payers(as_of),
        "payees": _payees(as_of),
        "contacts": _contacts(as_of),
        "consents": f"""select customer_id, channel, arg_max(is_granted, changed_at) is_granted
            from consents where purpose = '{OWN_MARKETING}' and changed_at < {cut}::timestamptz
            group by all""",
        "flags": f"""select customer_id, flag, {_days_ago("valid_from", as_of)} days_ago,
            {_months_ago("valid_from", as_of)} months_ago from flags where valid_from < {cut}""",
    }


def _customers(table: str, as_of: date) -> str:
    """Active customers."""
    cut = f"date '{as_of}'"
    ranks = " ".join(f"when '{name}' then {rank}" for rank, name in enumerate(SEGMENTS, start=1))
    return f"""select customer_id, segment, case segment {ranks} end segment_rank,
        case when household_id is null then 1
            else count(*) over (partition by household_id) end household_size,
        {_completed("joined_on", as_of)} months_since_joined,
        payroll_employer_id is not null has_payroll_employer,
        advisor_id is not null has_advisor, branch_id, advisor_id
        from {table} where joined_on < {cut} and coalesce(left_on >= {cut}, true)
        and coalesce(deceased_on >= {cut}, true)"""


def _earlier_customers(as_of: date) -> str:
    """Customers who were active, and known, some months before."""
    before = _customers("customers_before", months_before(as_of, MONTHS_APART))
    return f"""select customer_id, b.segment_rank, b.household_size,
        b.branch_id is distinct from c.branch_id has_branch_changed_6m,
        b.advisor_id is distinct from c.advisor_id has_advisor_changed_6m
        from ({before}) b join customers c using (customer_id)"""


def _births(as_of: date) -> str:
    last_day = months_before(as_of, 12 * MAJORITY)
    year_before = months_before(as_of, 12 * (MAJORITY + 1))
    return f"""select customer_id, birth_date > date '{year_before}'
        and birth_date <= date '{last_day}' has_turned_18_12m from customers"""


def _holdings(as_of: date, products: Mapping[str, ProductFacts]) -> str:
    """Each holding beside what is expected of its product by the months held so far."""
    cut = f"date '{as_of}'"
    is_open = f"coalesce(closed_on >= {cut}, true)"
    facts = ", ".join(
        f"('{product_id}', {facts.is_partner}, {list(facts.remaining_cents)}::bigint[])"
        for product_id, facts in products.items()
    )
    return f"""select customer_id, product_id, {is_open} is_open,
        {_days_ago("opened_on", as_of)} days_ago, {_months_ago("opened_on", as_of)} months_ago,
        {_completed("opened_on", as_of)} months_held,
        case when closed_on < {cut} then {_months_ago("closed_on", as_of)} end closed_months_ago,
        case when {is_open} and matures_on >= {cut} then -{_days_ago("matures_on", as_of)} end
            days_to_maturity,
        coalesce(is_partner, false) is_partner,
        coalesce(expected[least(months_held + 1, len(expected))], 0) remaining_cents
        from holdings left join (values {facts}) f(product_id, is_partner, expected)
            using (product_id)
        where opened_on < {cut}"""


def _accounts(as_of: date) -> str:
    """Open accounts with their last balances: bookings of a day in the order of recording.

    A period without a booking ends with what the one before it ended with.
    """
    cut = f"date '{as_of}'"
    period = " ".join(
        f"when booked_on >= date '{months_before(as_of, begins)}' then {ends}"
        for ends, begins in pairwise(PERIODS)
    )
    closing = [f"max(case when period = {ends} then balance end)" for ends in PERIODS]
    names = ["balance", *(f"balance_{n}m" for n in BALANCE_MONTHS)]
    balances = ", ".join(
        f"coalesce({', '.join(closing[place:])}) {name}" for place, name in enumerate(names)
    )
    return f"""with closing as (select account_id, case {period} else {PERIODS[-1]} end period,
            arg_max(balance_after, row(booked_on, recorded_at, transaction_id)) balance
            from transactions where booked_on < {cut} and balance_after is not null group by all),
        balances as (select account_id, {balances} from closing group by 1),
        latest as (select currency, arg_max(rate_to_base, month) rate_to_base
            from fx_rates where month < {cut} and currency <> 'EUR' group by 1)
        select customer_id, {", ".join(f"{_cents(name)} {name}_cents" for name in names)}
        from accounts left join balances using (account_id) left join latest using (currency)
        where opened_on < {cut} and coalesce(closed_on >= {cut}, true)"""


def _bookings(as_of: date) -> str:
    """Bookings of a year at the rate of their month; a column nobody asks for is not read."""
    cut, year = f"date '{as_of}'", f"date '{months_before(as_of, YEAR)}'"
    own = ", ".join(f"'{category}'" for category in OWN_TRANSFERS)
    rates = f"""(select currency rate_currency, month rate_from, rate_to_base,
        lead(month, 1, date '9999-12-31') over (partition by currency order by month) rate_until
        from fx_rates where month < {cut} and currency <> 'EUR')"""
    return f"""select customer_id, category, channel, counterparty_id, booked_on,
        {_days_ago("booked_on", as_of)} days_ago, {_months_ago("booked_on", as_of)} months_ago,
        abs({_cents("amount")}) cents, {_cents("balance_after")} balance_cents,
        amount > 0 is_credit, amount < 0 is_debit,
        balance_after < 0 is_overdrawn, currency <> 'EUR' is_foreign,
        coalesce(category in ({own}), false) is_own_transfer
        from transactions left join {rates} on currency = rate_currency
            and booked_on >= rate_from and booked_on < rate_until
        where booked_on >= {year} and booked_on < {cut}"""


def _months(as_of: date) -> str:
    """What came and went in each month of a customer."""
    return f"""select *, in_cents - out_cents net_cents, in_cents < out_cents is_deficit,
        months_ago = {YEAR} is_year_ago, bit_count(coalesce(overdrawn, 0)) overdrawn_days
        from (select customer_id, months_ago,
            coalesce(sum(case when is_credit and not is_own_transfer then cents end), 0)::bigint
                in_cents,
            coalesce(sum(case when is_debit and not is_own_transfer then cents end), 0)::bigint
                out_cents,
            bit_or(case when is_overdrawn then 1 << (day(booked_on) - 1)::int end) overdrawn
            from ({_bookings(as_of)}) group by all)"""


def _payers(as_of: date) -> str:
    """Who credited a customer in 12 months; a pay day may be the 30th or the 1st."""
    recent, half = (f"case when months_ago <= {n} then {{}} end" for n in (QUARTER, HALF_A_YEAR))
    cents, day = half.format("cents"), half.format("day(booked_on)")
    turned = half.format("(day(booked_on) + 15) % 31")
    return f"""select *, true is_credit, {_bits(LAST_6)} >= {REGULAR_CREDIT_MONTHS} is_regular,
        {_has_begun()} has_begun, {_has_ended()} has_ended,
        {_days_ago("last_on", as_of)} days_ago, {_months_ago("last_on", as_of)} months_ago,
        day(last_on) last_day, row(coalesce(cents_6m, 0), counterparty_id) precedence
        from (select customer_id, counterparty_id, {_months_12m()} months_12m,
            max(booked_on) last_on,
            sum({recent.format("cents")}) cents_3m, count({recent.format("cents")}) count_3m,
            sum({cents}) cents_6m, count({cents}) count_6m,
            max({cents}) - min({cents}) range_cents_6m,
            least(max({day}) - min({day}), max({turned}) - min({turned})) day_range_6m
            from ({_bookings(as_of)})
            where is_credit and counterparty_id is not null and not is_own_transfer
            group by customer_id, counterparty_id)"""


def _payees(as_of: date) -> str:
    """Whom a customer paid in 12 months; a bill comes once a month, with one exception."""
    return f"""select *, false is_credit,
        {_bits(LAST_6)} >= {REGULAR_DEBIT_MONTHS} and is_bill is_regular,
        {_has_begun()} and is_bill has_begun, {_has_ended()} and is_bill has_ended,
        {_days_ago("last_on", as_of)} days_ago, {_months_ago("last_on", as_of)} months_ago
        from (select customer_id, {_months_12m()} months_12m, max(booked_on) last_on,
            count(*) <= bit_count(months_12m) + 1 is_bill,
            sum(case when months_ago <= {HALF_A_YEAR} then cents end) cents_6m,
            bool_or(category = 'insurance') is_insurer, bool_or(category = 'loan_payment') is_lender
            from ({_bookings(as_of)})
            where is_debit and counterparty_id is not null and not is_own_transfer
            group by customer_id, counterparty_id)"""


def _months_12m() -> str:
    return "bit_or((1 << (months_ago - 1))::smallint)"


def _bits(months: int) -> str:
    return f"bit_count(months_12m & {months}::smallint)"


def _has_begun() -> str:
    return f"({_bits(LAST_3)} >= {NEW_MONTHS} and {_bits(MONTHS_4_TO_12)} = 0)"


def _has_ended() -> str:
    was_regular = f"{_bits(MONTHS_3_TO_8)} >= {ENDED_MONTHS} and {_bits(MONTHS_3_AND_4)} > 0"
    return f"({was_regular} and {_bits(LAST_2)} = 0)"


def _contacts(as_of: date) -> str:
    cut, year = f"date '{as_of}'", f"date '{months_before(as_of, YEAR)}'"
    return f"""select customer_id, product_id,
        case when coalesce(disposition_on, contacted_on) < {cut} then disposition end disposition,
        {_days_ago("contacted_on", as_of)} days_ago,
        {_months_ago("contacted_on", as_of)} months_ago
        from contacts where contacted_on >= {year} and contacted_on < {cut}"""


def _months_ago(day: str, as_of: date) -> str:
    return f"({as_of.year * 12 + as_of.month} - year({day}) * 12 - month({day}))::int"


def _days_ago(day: str, as_of: date) -> str:
    return f"(date '{as_of}' - {day}::date)::int"


def _completed(day: str, as_of: date) -> str:
    return f"{_months_ago(day, as_of)} - (day({day}) > 1)::int"


def _cents(amount: str) -> str:
    converted = f"(round({amount} * rate_to_base, 2) * 100)::bigint"
    return f"case when currency = 'EUR' then ({amount} * 100)::bigint else {converted} end"
