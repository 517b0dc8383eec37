"""What rules ask about: clients, what they hold, agreed to, were told, earn and have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import duckdb

from audit.independent.known import know_before, know_persons
from audit.independent.settings import literal

BY_PERSON = ("holdings", "flags", "contacts", "consents")
OF_PERSON = """
create table {table} as
select r.* replace (coalesce(p.person, r.customer_id) as customer_id), r.customer_id as record
from {table}_delivered r left join persons p on p.record = r.customer_id
"""
# One client per person: the survivor's own row; dead or an employee if any record says so.
CUSTOMERS = """
create table {name} as
select c.* replace (
    coalesce(c.deceased_on, o.deceased_on) as deceased_on,
    c.is_employee or coalesce(o.is_employee, false) as is_employee)
from {name}_delivered c left join (
    select p.person, min(d.deceased_on) as deceased_on, bool_or(d.is_employee) as is_employee
    from {name}_delivered d join {persons} p on p.record = d.customer_id group by all
) o on o.person = c.customer_id
where c.customer_id not in (select record from {persons})
"""
ACTIVE = """
create table {name}_active as from {name}
where joined_on < {day} and (left_on is null or left_on >= {day})
    and (deceased_on is null {or_dies_later})
"""
# The first 13 hexadecimal digits of SHA-256 as a number, below a share of all such numbers.
DRAWN = """
create macro is_drawn(keys, share) as
    ('0x' || sha256(keys)[:13])::bigint < round(share * 16::double ** 13);

create macro is_in_holdout(customer) as (
    select is_drawn(salt || '|global_holdout|' || customer, global_holdout_share) from said);

create macro is_drawn_for_control(customer) as (
    select is_drawn(salt || '|' || campaign_id || '|' || as_of() || '|' || customer, control_share)
    from said);
"""
STATEMENTS = """
-- What was granted before records became one person counts for nothing where one of them had said
-- no by then; of two words at one instant the no counts; then the latest word counts.
create table word as
with merged as (
    select person, max(merged_on)::timestamptz as merged_at from persons group by all
), dated as (
    select c.*, coalesce(c.changed_at < m.merged_at, false) as is_older
    from consents c left join merged m on m.person = c.customer_id
), refused as (
    select customer_id, purpose, channel from (
        select customer_id, purpose, channel, record, arg_max(is_granted, changed_at) as stands
        from dated where is_older group by all
    ) where not stands
), kept as (
    select customer_id, purpose, channel, changed_at, bool_and(is_granted) as is_granted
    from dated d
    where not (is_older and is_granted and exists (
        from refused r where (r.customer_id, r.purpose, r.channel)
            = (d.customer_id, d.purpose, d.channel)))
    group by all
)
select customer_id, purpose, channel, arg_max(is_granted, changed_at)
    and max(changed_at) < as_of()::timestamptz as is_granted
from kept group by all;

-- What is allowed, by purpose and channel: unknown is no where the law asks for consent.
create table leave as
select customer_id, purpose, channel,
    case permission when 'consent' then coalesce(is_granted, false)
        else coalesce(is_granted, true) end as may
from customers cross join law cross join (select distinct channel from offer_channel)
left join word using (customer_id, purpose, channel);

create table held as
select distinct customer_id, product_id from holdings
where opened_on < as_of() and (closed_on is null or closed_on >= as_of());

create table ending as
select distinct customer_id, product_id, matures_on from holdings
where opened_on < as_of() and matures_on >= as_of()
    and (closed_on is null or closed_on >= matures_on);

create table flagged as
select distinct customer_id, flag from flags
where valid_from <= as_of() and (valid_to is null or valid_to > as_of());

-- A contact about a package is one about each product in it.
create table about as
select contact_id, contacts.customer_id, contacted_on, disposition,
    coalesce(disposition_on, contacted_on) as result_on, contacts.product_id
from contacts
union
select contact_id, contacts.customer_id, contacted_on, disposition,
    coalesce(disposition_on, contacted_on), part.product_id
from contacts join offer using (offer_id) join part using (offer_id) where core is not null;

create table lately as
select customer_id, count(*) as contacts from contacts
where contacted_on >= as_of() - 30 group by all;

create table home as
select customer_id, coalesce('household ' || household_id, 'alone ' || customer_id) as home
from customers;

-- Money in the base currency: at the rate of the month of a booking or the last one before it; a
-- balance at the last rate of all. A booking is of who owned its account when it was delivered.
create view owned as
with owners as (
    select account_id, customer_id, delivery, row_number() over in_time as place,
        lead(delivery) over in_time as until_delivery
    from (select distinct account_id, customer_id, delivery from accounts_rows
        where account_id is not null and customer_id is not null
            and not coalesce(is_deleted, false))
    window in_time as (partition by account_id order by delivery)
)
select t.*, coalesce(p.person, o.customer_id) as customer_id
from transactions_delivered t
join owners o on o.account_id = t.account_id and t.delivery >= o.delivery
    and (o.until_delivery is null or t.delivery < o.until_delivery)
left join persons p on p.record = o.customer_id;

create table booked as
select customer_id, account_id, booked_on, category, amount > 0 as is_credit,
    case when currency = base() then amount else round(amount * (
        select arg_max(rate_to_base, month) from fx_rates f
        where f.currency = o.currency and month <= booked_on and month < as_of()
    ), 2) end as amount
from owned o where booked_on >= months_before(12) and booked_on < as_of();

create table regular_income as
select customer_id, sum(amount) filter (booked_on >= months_before(3)) as last_3_months,
    count(distinct date_trunc('month', booked_on)) as months, max(booked_on) as last_on
from booked where is_credit and category in ('salary', 'pension', 'self_employment') group by all;

-- In whole cents: a quotient that is 2 has to be 2.
create table large_credit as
select customer_id, (1200 * coalesce(max(amount) filter (booked_on >= months_before(1)), 0))::bigint
    ::double / (100 * sum(amount))::bigint::double as times
from booked where is_credit
    and coalesce(category, '') not in ('savings', 'term_deposit', 'investment', 'loan_payout')
group by all having sum(amount) <> 0;

create table balance as
with last as (
    select account_id, arg_max(balance_after, (booked_on, known_at, transaction_id)) as amount
    from transactions_delivered where booked_on < as_of() and balance_after is not null
    group by all
), rate as (
    select currency, arg_max(rate_to_base, month) as rate from fx_rates
    where month < as_of() group by all
)
select coalesce(p.person, a.customer_id) as customer_id,
    sum(case when currency = base() then amount else round(amount * rate, 2) end) as amount
from accounts_delivered a join last using (account_id) left join rate using (currency)
left join persons p on p.record = a.customer_id
where opened_on < as_of() and (closed_on is null or closed_on >= as_of())
group by all;

create table moved as
select customer_id from customers_active now join customers_then_active earlier using (customer_id)
where now.branch_id is distinct from earlier.branch_id;
"""


RETURNED = """
create table returned_home as
select distinct home from ({source}) r left join persons p on p.record = r.customer_id
join home on home.customer_id = coalesce(p.person, r.customer_id)
where recorded_at::timestamptz < {day}::timestamptz
"""
# What is large, and has been used.
NO_MORE_ASKED = ("view owned", "table transactions_delivered", "table accounts_delivered")


def know(database: duckdb.DuckDBPyConnection, as_of: date) -> None:
    """Everything that was known before a day."""
    database.execute(f"create macro as_of() as {literal(as_of)}")
    database.execute("create macro months_before(n) as (as_of() - to_months(n))::date")
    database.execute("create macro base() as (select base_currency from said)")
    for statement in statements(DRAWN):
        database.execute(statement)
    half_a_year = _months_before(as_of, 6)
    for day, persons, customers in (
        (as_of, "persons", "customers"),
        (half_a_year, "persons_then", "customers_then"),
    ):
        know_persons(database, day, persons)
        know_before(database, "customers", day, f"{customers}_delivered")
        database.execute(CUSTOMERS.format(name=customers, persons=persons))
        # Whose death is known gets no offer, whenever it was; features of the past look at the day.
        later = "" if day == as_of else f"or deceased_on >= {literal(day)}"
        database.execute(ACTIVE.format(name=customers, day=literal(day), or_dies_later=later))
    for table in ("accounts", "transactions", "fx_rates", *BY_PERSON):
        name = table if table == "fx_rates" else f"{table}_delivered"
        know_before(database, table, as_of, name)
        database.execute(f"drop table {table}_versions")
    for table in BY_PERSON:
        database.execute(OF_PERSON.format(table=table))
    for statement in statements(STATEMENTS):
        database.execute(statement)
    for name in NO_MORE_ASKED:
        database.execute(f"drop {name}")


def know_returned(database: duckdb.DuckDBPyConnection, files: Sequence[Path], as_of: date) -> None:
    """Homes of whose contacts branches returned a result that was known before a day.

    Such results count beside the delivered contacts, in ways that are not recomputed.

    Args:
        database: Where clients are known already.
        files: Parquet with `customer_id` and `recorded_at`; none if nothing was returned.
        as_of: What was recorded before it counts.
    """
    source = "select null::varchar as customer_id, null::timestamptz as recorded_at where false"
    if files:
        source = f"from read_parquet([{', '.join(map(literal, files))}])"
    database.execute(RETURNED.format(source=source, day=literal(as_of)))


def statements(text: str) -> Iterator[str]:
    """One statement after the other."""
    return (statement for statement in text.split(";\n") if statement.strip())


def _months_before(day: date, months: int) -> date:
    index = day.year * 12 + day.month - 1 - months
    return date(index // 12, index % 12 + 1, 1)
