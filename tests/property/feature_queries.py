"""Representative features once more, as DuckDB queries that share nothing with our code.

They read a bank's tables as known before the as-of date; `tests/feature_oracle.py` says which.
"""

from __future__ import annotations

# Bookings of the last year in whole cents of the base currency, by the rate of the month or the
# last one before.
BOOKED = """
create table booked as
select b.*,
    case when b.currency = base() then cents(amount) else cents(round(amount * rate, 2)) end c
from (
    select t.*, (
        select arg_max(rate_to_base, month) from fx_rates f
        where f.currency = t.currency and month <= booked_on and month < as_of()
    ) rate
    from transactions t
    where booked_on >= months_before(12) and booked_on < as_of()
) b
"""
LAST_BALANCES = """
create table last_balances as
select a.customer_id, a.account_id, then_on,
    case when a.currency = base() then cents(balance) else cents(round(balance * rate, 2)) end c
from (
    select a.*, then_on, (
        select arg_max(balance_after, (booked_on, recorded_at, transaction_id)) from transactions t
        where t.account_id = a.account_id and booked_on < then_on and balance_after is not null
    ) balance, (
        select arg_max(rate_to_base, month) from fx_rates f
        where f.currency = a.currency and month < as_of()
    ) rate
    from accounts a, (values (as_of()), (months_before(3))) moments(then_on)
    where opened_on < as_of() and (closed_on is null or closed_on >= as_of())
) a
"""
EXPECTED = {
    "household_size": """
        select c.customer_id, case when household_id is null then 1 else (
            select count(*) from active o where o.household_id = c.household_id) end
        from active c""",
    "months_since_joined": "select customer_id, held_for(joined_on) from active",
    "product_count": """
        select customer_id, count(*) from held group by 1""",
    "opened_count_12m": """
        select customer_id, count(*) from holdings
        where opened_on >= months_before(12) and opened_on < as_of() group by 1""",
    "closed_count_12m": """
        select customer_id, count(*) from holdings
        where opened_on < as_of() and closed_on >= months_before(12) and closed_on < as_of()
        group by 1""",
    "days_to_next_maturity": """
        select customer_id, min(matures_on - as_of())
        from held where matures_on >= as_of() group by 1""",
    "maturing_count_90d": """
        select customer_id, count(*) from held
        where matures_on between as_of() and as_of() + 90 group by 1""",
    "balance_amount": """
        select customer_id, money(sum(c)) from last_balances where then_on = as_of() group by 1""",
    "balance_change_amount_3m": """
        select customer_id, money(sum(c) filter (then_on = as_of())
            - sum(c) filter (then_on = months_before(3)))
        from last_balances group by 1""",
    "balance_to_outflow_3m": """
        select f.customer_id, (3 * coalesce((
            select sum(c) from last_balances b
            where b.customer_id = f.customer_id and then_on = as_of()
        ), 0))::double / -sum(f.c)::double
        from flows f where amount < 0 and ago <= 3 group by 1 having sum(f.c) <> 0""",
    "mean_balance_amount_3m": """
        select customer_id, money(round(sum(x)::double / count(x)))
        from balances where recent group by 1""",
    "min_balance_amount_3m": """
        select customer_id, money(min(x)) from balances where recent group by 1""",
    "overdrawn_count_3m": """
        select customer_id, count(*) from booked
        where booked_on >= months_before(3) and balance_after < 0 group by 1""",
    "income_amount_3m": """
        select customer_id, money(sum(c)) from booked
        where booked_on >= months_before(3) and amount > 0
            and category in ('salary', 'pension', 'self_employment') group by 1""",
    "income_months_6m": """
        select customer_id, count(distinct date_trunc('month', booked_on)) from booked
        where booked_on >= months_before(6) and amount > 0
            and category in ('salary', 'pension', 'self_employment') group by 1""",
    "income_variation_12m": """
        select customer_id, sqrt((count(c) * sum(c::hugeint * c) - sum(c)::hugeint * sum(c)::hugeint
            )::double) / sum(c)::double
        from booked
        where amount > 0 and category in ('salary', 'pension', 'self_employment') group by 1""",
    "inflow_amount_6m": """
        select customer_id, money(sum(c)) from flows where amount > 0 and ago <= 6 group by 1""",
    "savings_rate_12m": """
        select customer_id, (coalesce(sum(c) filter (amount > 0), 0)
            + coalesce(sum(c) filter (amount < 0), 0))::double / sum(c) filter (amount > 0)::double
        from flows group by 1 having sum(c) filter (amount > 0) <> 0""",
    "savings_amount_6m": """
        select customer_id, money(-sum(c)) from booked
        where booked_on >= months_before(6) and amount < 0 and category = 'savings' group by 1""",
    "travel_share_3m": """
        select customer_id,
            coalesce(sum(c) filter (category = 'travel'), 0)::double / sum(c)::double
        from flows where ago <= 3 and amount < 0 group by 1 having sum(c) <> 0""",
    "travel_trend_3m": """
        select customer_id,
            (4 * coalesce(sum(c) filter (booked_on >= months_before(3)), 0))::double
            / sum(c)::double
        from booked where amount < 0 and category = 'travel' group by 1 having sum(c) <> 0""",
    "household_amount_3m": """
        select customer_id, money(-sum(c)) from booked
        where booked_on >= months_before(3) and amount < 0 and category = 'household'
        group by 1""",
    "cash_count_3m": """
        select customer_id, count(*) from booked
        where booked_on >= months_before(3) and amount < 0 and category = 'cash' and c is not null
        group by 1""",
    "bill_to_income_3m": """
        select customer_id, coalesce(-sum(c) filter (amount < 0 and category in (
                'rent', 'utilities', 'household', 'subscription', 'insurance', 'loan_payment',
                'loan_instalment'
            )), 0)::double / sum(c) filter (is_income)::double
        from (
            select *,
                amount > 0 and category in ('salary', 'pension', 'self_employment') is_income
            from booked where booked_on >= months_before(3)
        ) group by 1 having sum(c) filter (is_income) <> 0""",
    "digital_share_3m": """
        select customer_id,
            count(*) filter (channel in ('online', 'app'))::double / count(*)::double
        from booked where booked_on >= months_before(3) group by 1""",
    "branch_count_3m": """
        select customer_id, count(*) from booked
        where booked_on >= months_before(3) and channel = 'branch' group by 1""",
    "booking_trend_3m": """
        select customer_id,
            (4 * count(*) filter (booked_on >= months_before(3)))::double / count(*)::double
        from booked group by 1""",
    "foreign_currency_amount_12m": """
        select customer_id, money(sum(abs(c))) from booked where currency <> base() group by 1""",
    "largest_debit_amount_3m": """
        select customer_id, money(max(-c)) from flows where ago <= 3 and amount < 0 group by 1""",
    "contact_count_30d": """
        select customer_id, count(*) from contacts
        where contacted_on between as_of() - 30 and as_of() - 1 group by 1""",
    "refused_count_12m": """
        select customer_id, count(*) from contacts
        where contacted_on >= months_before(12) and contacted_on < as_of()
            and disposition = 'refused' and coalesce(disposition_on, contacted_on) < as_of()
        group by 1""",
    "days_since_last_interest": """
        select customer_id, min(as_of() - contacted_on) from contacts
        where contacted_on >= months_before(12) and contacted_on < as_of()
            and disposition = 'interested' and coalesce(disposition_on, contacted_on) < as_of()
        group by 1""",
    "complaint_count_12m": """
        select customer_id, count(*) from flags
        where flag = 'complaint_open' and valid_from >= months_before(12) and valid_from < as_of()
        group by 1""",
    "consented_channel_count": """
        select customer_id, count(*) from (
            select customer_id, channel, arg_max(is_granted, changed_at) yes from consents
            where purpose = 'marketing_internal' and changed_at < as_of()::timestamptz
            group by 1, 2
        ) where yes group by 1""",
}
WITHOUT_ROWS = dict.fromkeys(
    (
        "product_count",
        "opened_count_12m",
        "closed_count_12m",
        "maturing_count_90d",
        "overdrawn_count_3m",
        "income_amount_3m",
        "income_months_6m",
        "inflow_amount_6m",
        "savings_amount_6m",
        "household_amount_3m",
        "cash_count_3m",
        "branch_count_3m",
        "foreign_currency_amount_12m",
        "contact_count_30d",
        "refused_count_12m",
        "complaint_count_12m",
        "consented_channel_count",
    ),
    0,
)


def product_queries(products: tuple[str, ...]) -> dict[str, str]:
    """Whether each of these products is held, and since when."""
    has = {
        f"has_{product}": f"""
        select customer_id, customer_id in (
            select customer_id from held where product_id = '{product}'
        ) from active"""
        for product in products
    }
    since = {
        f"months_since_{product}_opened": f"""
        select customer_id, min(held_for(opened_on)) from held
        where product_id = '{product}' group by 1"""
        for product in products
    }
    return has | since
