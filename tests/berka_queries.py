"""The Berka bank's tables as known before a date, read by DuckDB from its raw files."""

from __future__ import annotations

from pathlib import Path

import duckdb

FILES = ("account", "card", "client", "disp", "district", "loan")
RAW = "create table raw_{name} as from read_csv('{file}', delim = ';', all_varchar = true)"
MACROS = """
create macro day_of(text) as strptime('19' || left(text, 6), '%Y%m%d')::date;
create macro evening(day) as (day + time '18:00:00')::timestamptz;
"""
# One account per client, known from the evening on which it was opened; those of the slice in which
# every booking is there. Women have 50 added to the month of birth.
OWNERS = """
create table owners as
select 'A' || account_id as account_id, 'C' || client_id as customer_id,
    'D' || a.district_id as branch_id, day_of(a.date) as opened_on,
    day_of((birth_number::int - if(substr(birth_number, 3, 2)::int > 50, 5000, 0))::varchar)
        as birth_date
from raw_account a
join raw_disp d using (account_id)
join raw_client using (client_id)
where d.type = 'OWNER' and day_of(a.date) < {until}
"""
CUSTOMERS = """
create table {name} as
select customer_id, birth_date, branch_id, null::varchar as segment, opened_on as joined_on,
    null::date as left_on, null::date as deceased_on, null::varchar as advisor_id,
    null::varchar as household_id
from owners where opened_on < {until}
"""
ACCOUNTS = """
create table accounts as
select account_id, customer_id, opened_on, null::date as closed_on, 'CZK' as currency from owners
"""
TRANSACTIONS = """
create table transactions as
select 'T' || trans_id as transaction_id, o.account_id, o.customer_id, t.date as booked_on,
    if(type = 'PRIJEM', 1, -1) * amount::decimal(18, 2) as amount, 'CZK' as currency,
    balance::decimal(18, 2) as balance_after,
    case trim(k_symbol)
        when 'UROK' then 'interest' when 'SLUZBY' then 'fees' when 'SIPO' then 'household'
        when 'DUCHOD' then 'pension' when 'POJISTNE' then 'insurance'
        when 'UVER' then 'loan_instalment' when 'SANKC. UROK' then 'penalty_interest'
        else if(operation like 'PREVOD%', 'transfer', if(operation is null, null, 'cash'))
    end as category,
    case when operation in ('VKLAD', 'VYBER') then 'branch' when operation = 'VYBER KARTOU'
        then 'atm' when operation like 'PREVOD%' then 'transfer' end as channel,
    nullif(trim(bank), '') || '-' || nullif(trim(account::varchar), '') as counterparty_id,
    evening(t.date) as recorded_at, operation, trim(k_symbol) as symbol
from '{data}/trans_partial.parquet' t join owners o on o.account_id = 'A' || t.account_id
where cov_all_accounts_window and t.date < as_of()
"""
# Loans, cards by kind, and what a first payment to another bank shows.
HOLDINGS = """
create table holdings as
select customer_id, product_id, opened_on, null::date as closed_on, null::date as matures_on
from (
    select 'A' || account_id as account_id, 'loan' as product_id, day_of(date) as opened_on
    from raw_loan
    union all
    select 'A' || account_id, 'credit_card_' || c.type, day_of(issued)
    from raw_card c join raw_disp using (disp_id)
    union all
    select account_id, if(symbol = 'SIPO', 'household_payments', 'insurance'), min(booked_on)
    from transactions
    where operation = 'PREVOD NA UCET' and symbol in ('SIPO', 'POJISTNE') group by 1, 2
) held join (select account_id, customer_id from owners) using (account_id)
where opened_on < as_of()
"""
# The files tell of no consent: every customer is taken to have agreed to three channels.
CONSENTS = """
create table consents as
select customer_id, purpose, channel, evening(opened_on) as changed_at, true as is_granted
from owners, (values ('marketing_internal'), ('profiling')) asked(purpose),
    (values ('branch'), ('phone'), ('post')) ways(channel)
"""
# Nothing of the kind is in the files.
ABSENT = """
create table flags (customer_id varchar, flag varchar, valid_from date);
create table contacts (customer_id varchar, contacted_on date, disposition varchar,
    disposition_on date);
create table fx_rates (currency varchar, month date, rate_to_base decimal(18, 8));
"""


def write_raw(tables: duckdb.DuckDBPyConnection, data: Path) -> None:
    """Tables from the raw files, cut by day: a day was known in its evening."""
    tables.execute(MACROS)
    for name in FILES:
        tables.execute(RAW.format(name=name, file=data / f"{name}.asc.gz"))
    tables.execute(OWNERS.format(until="as_of()"))
    tables.execute(CUSTOMERS.format(name="customers", until="as_of()"))
    tables.execute(CUSTOMERS.format(name="customers_before", until="months_before(6)"))
    tables.execute(ACCOUNTS)
    tables.execute(TRANSACTIONS.format(data=data))
    for statement in (HOLDINGS, CONSENTS, ABSENT):
        tables.execute(statement)
