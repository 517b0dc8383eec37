"""Queries for rhythm, months, events and margin; see `feature_queries`."""

from __future__ import annotations

from decimal import Decimal

VIEWS = (
    """
    create view flows as
    select *, datediff('month', booked_on, as_of()) ago, as_of() - booked_on since
    from booked
    where coalesce(category, '') not in ('savings', 'term_deposit', 'investment', 'loan_payout')
    """,
    """
    create view pairs as
    select customer_id, counterparty_id, amount > 0 credit,
        list(distinct ago) seen,
        len(list(distinct ago) filter (ago <= 6)) half_year,
        count(*) n, min(since) since, sum(abs(c)) filter (ago <= 6) cents,
        sum(c) filter (ago <= 3) late, count(c) filter (ago <= 3) lates,
        sum(c) filter (ago > 3 and ago <= 6) early, count(c) filter (ago > 3 and ago <= 6) earlies,
        max(c) filter (ago <= 6) - min(c) filter (ago <= 6) spread,
        max(booked_on) last_on,
        max(day(booked_on)) filter (ago <= 6) - min(day(booked_on)) filter (ago <= 6) plain,
        max((day(booked_on) + 15) % 31) filter (ago <= 6)
            - min((day(booked_on) + 15) % 31) filter (ago <= 6) turned
    from flows where counterparty_id is not null and amount <> 0
    group by all
    """,
    "create view bills as select *, n <= len(seen) + 1 once from pairs where not credit",
    """
    create view payers as select *, row_number() over (
            partition by customer_id order by coalesce(cents, 0) desc, counterparty_id desc) place
    from pairs where credit and half_year >= 4
    """,
    "create view main as select * from payers where place = 1",
    """
    create macro begun(seen) as len(list_filter(seen, lambda m: m <= 3)) >= 2
        and len(list_filter(seen, lambda m: m > 3)) = 0
    """,
    """
    create macro ended(seen) as len(list_filter(seen, lambda m: m between 3 and 8)) >= 4
        and list_min(seen) in (3, 4)
    """,
    """
    create view monthly as
    select customer_id, ago, coalesce(sum(c) filter (amount > 0), 0)::hugeint i,
        coalesce(-sum(c) filter (amount < 0), 0)::hugeint o
    from flows group by all
    """,
    """
    create view balances as
    select customer_id, booked_on >= months_before(3) recent,
        case when currency = base() then cents(balance_after)
            else cents(round(balance_after * rate, 2)) end::hugeint x
    from booked
    """,
    """
    create view active_before as select * from customers_before
    where joined_on < months_before(6)
        and (left_on is null or left_on >= months_before(6))
        and (deceased_on is null or deceased_on >= months_before(6))
    """,
)
MORE_EXPECTED = {
    "regular_payer_count_6m": "select customer_id, count(cents) from payers group by 1",
    "regular_payer_amount_6m": "select customer_id, money(sum(cents)) from payers group by 1",
    "has_new_payer_3m": """
        select customer_id, bool_or(begun(seen)) from pairs where credit group by 1""",
    "has_ended_payer_3m": """
        select customer_id, bool_or(ended(seen)) from pairs where credit group by 1""",
    "main_payer_months_12m": "select customer_id, len(seen) from main",
    "main_payer_share_6m": """
        select f.customer_id, coalesce(any_value(m.cents), 0)::double / sum(f.c)::double
        from flows f left join main m using (customer_id)
        where f.amount > 0 and f.ago <= 6 group by 1 having sum(f.c) <> 0""",
    "main_payer_range_6m": """
        select customer_id, (spread * (lates + earlies))::double / cents::double
        from main where cents <> 0""",
    "main_payer_day": "select customer_id, day(last_on) from main",
    "main_payer_day_range_6m": "select customer_id, least(plain, turned) from main",
    "main_payer_change_3m": """
        select customer_id, (late * earlies)::double / (early * lates)::double
        from main where early * lates <> 0""",
    "days_since_main_payer": "select customer_id, since from main",
    "regular_payee_count_6m": """
        select customer_id, count(cents) from bills where half_year >= 5 and once group by 1""",
    "regular_payee_share_6m": """
        select f.customer_id, coalesce((
            select sum(cents) from bills b
            where b.customer_id = f.customer_id and half_year >= 5 and once
        ), 0)::double / -sum(f.c)::double
        from flows f where amount < 0 and ago <= 6 group by 1 having sum(f.c) <> 0""",
    "new_payee_count_3m": """
        select customer_id, count(*) from bills where once and begun(seen) group by 1""",
    "ended_payee_count_3m": """
        select customer_id, count(*) from bills where once and ended(seen) group by 1""",
    "payee_count_3m": """
        select customer_id, count(distinct counterparty_id) from flows
        where amount < 0 and booked_on >= months_before(3) group by 1""",
    "other_insurer_count_12m": """
        select customer_id, count(distinct counterparty_id) from flows
        where amount < 0 and category = 'insurance' group by 1""",
    "inflow_variation_6m": """
        select customer_id, sqrt((6 * sum(i * i) - sum(i) * sum(i))::double) / sum(i)::double
        from monthly where ago <= 6 group by 1 having sum(i) <> 0""",
    "net_flow_deviation_amount_12m": """
        select customer_id, money(floor(
            sqrt((12 * sum((i - o) * (i - o)) - sum(i - o) * sum(i - o))::double) / 12 + 0.5
        )) from monthly group by 1""",
    "max_outflow_month_amount_12m": "select customer_id, money(max(o)) from monthly group by 1",
    "deficit_months_12m": "select customer_id, count(*) from monthly where o > i group by 1",
    "overdrawn_day_count_12m": """
        select customer_id, count(distinct booked_on) from booked
        where balance_after < 0 group by 1""",
    "outflow_season_12m": """
        select customer_id, (12 * coalesce(sum(o) filter (ago = 12), 0))::double / sum(o)::double
        from monthly group by 1 having sum(o) <> 0""",
    "balance_deviation_amount_3m": """
        select customer_id, money(floor(
            sqrt((count(x) * sum(x * x) - sum(x) * sum(x))::double) / count(x) + 0.5
        )) from balances where recent group by 1 having count(x) > 0""",
    "balance_trend_3m": """
        select customer_id, (sum(x) filter (recent) * count(x))::double
            / (count(x) filter (recent) * sum(x))::double
        from balances group by 1 having sum(x) > 0 and count(x) filter (recent) > 0""",
    "largest_credit_to_inflow_1m": """
        select customer_id, (12 * coalesce(max(c) filter (ago = 1), 0))::double / sum(c)::double
        from flows where amount > 0 group by 1 having sum(c) <> 0""",
    "has_turned_18_12m": """
        select customer_id,
            birth_date > months_before(19 * 12) and birth_date <= months_before(18 * 12)
        from active""",
    "has_branch_changed_6m": """
        select customer_id, a.branch_id is distinct from b.branch_id
        from active a join active_before b using (customer_id)""",
    "has_advisor_changed_6m": """
        select customer_id, a.advisor_id is distinct from b.advisor_id
        from active a join active_before b using (customer_id)""",
    "segment_rank_change_6m": """
        select customer_id, list_position(['mass', 'affluent', 'private', 'vip'], a.segment)
            - list_position(['mass', 'affluent', 'private', 'vip'], b.segment)
        from active a join active_before b using (customer_id)""",
    "household_size_change_6m": """
        select customer_id, case when a.household_id is null then 1 else (
                select count(*) from active o where o.household_id = a.household_id) end
            - case when b.household_id is null then 1 else (
                select count(*) from active_before o where o.household_id = b.household_id) end
        from active a join active_before b using (customer_id)""",
    "remaining_margin_amount": """
        select customer_id, money(sum(coalesce((
            select arg_max(cents, months) from margins m
            where m.product_id = held.product_id and months <= held_for(opened_on)
        ), 0))) from held group by 1""",
    "months_since_partner_product_opened": """
        select customer_id, min(held_for(opened_on)) from holdings
        where opened_on < as_of() and product_id in (
            select product_id from margins where is_partner
        ) group by 1""",
    "days_since_travel": """
        select customer_id, min(since) from flows
        where amount < 0 and category = 'travel' group by 1""",
    "card_amount_12m": """
        select customer_id, money(-sum(c)) from booked
        where amount < 0 and channel = 'card' group by 1""",
    "net_flow_amount_1m": "select customer_id, money(sum(c)) from flows where ago = 1 group by 1",
}
COUNTS = (
    "regular_payer_count_6m",
    "main_payer_months_12m",
    "regular_payee_count_6m",
    "new_payee_count_3m",
    "ended_payee_count_3m",
    "payee_count_3m",
    "other_insurer_count_12m",
    "deficit_months_12m",
    "overdrawn_day_count_12m",
)
AMOUNTS = (
    "regular_payer_amount_6m",
    "net_flow_deviation_amount_12m",
    "remaining_margin_amount",
    "card_amount_12m",
    "net_flow_amount_1m",
)
EVENTS = (
    "has_new_payer_3m",
    "has_ended_payer_3m",
    "has_turned_18_12m",
    "has_branch_changed_6m",
    "has_advisor_changed_6m",
)
MORE_WITHOUT_ROWS: dict[str, int | bool | Decimal] = {
    **dict.fromkeys(COUNTS, 0),
    **dict.fromkeys(AMOUNTS, Decimal("0.00")),
    **dict.fromkeys(EVENTS, False),
}
