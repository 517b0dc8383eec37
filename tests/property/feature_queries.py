"""Representative features once more, as DuckDB queries that share nothing with our code."""

from __future__ import annotations

# Bookings of the last year in whole cents of EUR, by the rate of the month or the last one before.
BOOKED = """
create view booked as
select b.*,
    case when b.currency = 'EUR' then cents(amount) else cents(round(amount * rate, 2)) end c
from (
    select t.*, (
        select arg_max(rate_to_base, month) from fx_rates f
        where f.currency = t.currency and month <= booked_on and month < date '2024-04-01'
    ) rate
    from transactions t
    where booked_on >= date '2023-04-01' and booked_on < date '2024-04-01'
) b
"""
LAST_BALANCES = """
create view last_balances as
select a.customer_id, a.account_id, then_on,
    case when a.currency = 'EUR' then cents(balance) else cents(round(balance * rate, 2)) end c
from (
    select a.*, then_on, (
        select arg_max(balance_after, (booked_on, recorded_at, transaction_id)) from transactions t
        where t.account_id = a.account_id and booked_on < then_on and balance_after is not null
    ) balance, (
        select arg_max(rate_to_base, month) from fx_rates f
        where f.currency = a.currency and month < date '2024-04-01'
    ) rate
    from accounts a, (values (date '2024-04-01'), (date '2024-01-01')) moments(then_on)
    where opened_on < date '2024-04-01'
        and (closed_on is null or closed_on >= date '2024-04-01')
) a
"""
EXPECTED = {
    "household_size": """
        select c.customer_id, case when household_id is null then 1 else (
            select count(*) from active o where o.household_id = c.household_id) end
        from active c""",
    "months_since_joined": """
        select customer_id, datediff('month', joined_on, date '2024-04-01')
            - (day(joined_on) > 1)::int from active""",
    "product_count": """
        select customer_id, count(*) from held group by 1""",
    "months_since_credit_card_opened": """
        select customer_id, min(datediff('month', opened_on, date '2024-04-01')
            - (day(opened_on) > 1)::int)
        from held where product_id = 'credit_card' group by 1""",
    "days_to_next_maturity": """
        select customer_id, min(matures_on - date '2024-04-01')
        from held where matures_on >= date '2024-04-01' group by 1""",
    "balance_amount": """
        select customer_id, money(sum(c)) from last_balances
        where then_on = date '2024-04-01' group by 1""",
    "balance_change_amount_3m": """
        select customer_id, money(sum(c) filter (then_on = date '2024-04-01')
            - sum(c) filter (then_on = date '2024-01-01'))
        from last_balances group by 1""",
    "mean_balance_amount_3m": """
        with b as (
            select customer_id, case when currency = 'EUR' then cents(balance_after)
                else cents(round(balance_after * rate, 2)) end x
            from booked where booked_on >= date '2024-01-01'
        )
        select customer_id, money(round(sum(x)::double / count(x))) from b group by 1""",
    "income_amount_3m": """
        select customer_id, money(sum(c)) from booked
        where booked_on >= date '2024-01-01' and amount > 0
            and category in ('salary', 'pension', 'self_employment') group by 1""",
    "income_months_6m": """
        select customer_id, count(distinct date_trunc('month', booked_on)) from booked
        where booked_on >= date '2023-10-01' and amount > 0
            and category in ('salary', 'pension', 'self_employment') group by 1""",
    "income_variation_12m": """
        select customer_id, sqrt((count(c) * sum(c::hugeint * c) - sum(c)::hugeint * sum(c)::hugeint
            )::double) / sum(c)::double
        from booked
        where amount > 0 and category in ('salary', 'pension', 'self_employment') group by 1""",
    "savings_rate_12m": """
        select customer_id, (coalesce(sum(c) filter (amount > 0), 0)
            + coalesce(sum(c) filter (amount < 0), 0))::double / sum(c) filter (amount > 0)::double
        from booked
        where coalesce(category, '') not in ('savings', 'term_deposit', 'investment', 'loan_payout')
        group by 1 having sum(c) filter (amount > 0) <> 0""",
    "travel_share_3m": """
        select customer_id,
            coalesce(sum(c) filter (category = 'travel'), 0)::double / sum(c)::double
        from booked
        where booked_on >= date '2024-01-01' and amount < 0 and coalesce(category, '') not in
            ('savings', 'term_deposit', 'investment', 'loan_payout')
        group by 1 having sum(c) <> 0""",
    "travel_trend_3m": """
        select customer_id,
            (4 * coalesce(sum(c) filter (booked_on >= date '2024-01-01'), 0))::double
            / sum(c)::double
        from booked where amount < 0 and category = 'travel' group by 1 having sum(c) <> 0""",
    "digital_share_3m": """
        select customer_id,
            count(*) filter (channel in ('online', 'app'))::double / count(*)::double
        from booked where booked_on >= date '2024-01-01' group by 1""",
    "foreign_currency_amount_12m": """
        select customer_id, money(sum(abs(c))) from booked where currency <> 'EUR' group by 1""",
    "largest_debit_amount_3m": """
        select customer_id, money(max(-c)) from booked
        where booked_on >= date '2024-01-01' and amount < 0 and coalesce(category, '') not in
            ('savings', 'term_deposit', 'investment', 'loan_payout') group by 1""",
    "contact_count_30d": """
        select customer_id, count(*) from contacts
        where contacted_on between date '2024-03-02' and date '2024-03-31' group by 1""",
    "refused_count_12m": """
        select customer_id, count(*) from contacts
        where contacted_on >= date '2023-04-01' and contacted_on < date '2024-04-01'
            and disposition = 'refused'
            and coalesce(disposition_on, contacted_on) < date '2024-04-01'
        group by 1""",
    "consented_channel_count": """
        select customer_id, count(*) from (
            select customer_id, channel, arg_max(is_granted, changed_at) yes from consents
            where purpose = 'marketing_internal'
                and changed_at < timestamptz '2024-04-01 00:00:00+00'
            group by 1, 2
        ) where yes group by 1""",
}
WITHOUT_ROWS = {"product_count": 0, "contact_count_30d": 0, "refused_count_12m": 0} | {
    "consented_channel_count": 0,
    "income_months_6m": 0,
    "income_amount_3m": 0,
    "foreign_currency_amount_12m": 0,
}
