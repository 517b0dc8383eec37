"""What is delivered, and how it becomes what was known: tables and SQL for `known`."""

from __future__ import annotations

# The tables that lists depend on: how they are delivered, key, columns that must be there, others.
TABLES = {
    "customers": (
        "whole", ("customer_id",),
        "branch_id varchar, joined_on date, is_employee boolean",
        "birth_date date, left_on date, deceased_on date, household_id varchar, advisor_id varchar,"
        " segment varchar, gender varchar, language varchar, payroll_employer_id varchar",
    ),
    "accounts": (
        "whole", ("account_id",),
        "customer_id varchar, product_id varchar, opened_on date, currency varchar",
        "closed_on date",
    ),
    "holdings": (
        "whole", ("holding_id",),
        "customer_id varchar, product_id varchar, opened_on date",
        "account_id varchar, closed_on date, matures_on date",
    ),
    "flags": ("whole", ("customer_id", "flag", "valid_from"), "", "valid_to date"),
    "fx_rates": ("whole", ("currency", "month"), "rate_to_base decimal(18, 8)", ""),
    "transactions": (
        "increment", ("transaction_id",),
        "account_id varchar, booked_on date, amount decimal(18, 2), currency varchar",
        "balance_after decimal(18, 2), category varchar, channel varchar, counterparty_id varchar",
    ),
    "consents": (
        "increment", ("customer_id", "purpose", "channel", "changed_at"), "is_granted boolean", ""
    ),
    "contacts": (
        "increment", ("contact_id",),
        "customer_id varchar, product_id varchar, channel varchar, contacted_on date",
        "offer_id varchar, campaign_id varchar, disposition varchar, disposition_on date,"
        " branch_id varchar, advisor_id varchar, referred_by_advisor_id varchar",
    ),
    "customer_merges": (
        "increment", ("customer_id",), "survivor_id varchar, merged_on date", ""
    ),
}  # fmt: skip
MANIFEST = "manifest.json"
# How DuckDB describes types that are written here in another way.
SPELT = {
    "timestamptz": "timestamp with time zone",
    "int": "integer",
    "decimal(18, 2)": "decimal(18,2)",
    "decimal(18, 8)": "decimal(18,8)",
}
KEY_TYPES = {"valid_from": "date", "month": "date", "changed_at": "timestamptz"}
# What else a row must keep to be taken, beside columns that are there and can be read.
CHANNEL = "channel in ('branch', 'phone', 'email', 'sms', 'post', 'app')"
CURRENCY = "regexp_full_match(currency, '[A-Z]{3}')"
CONTRACTS = {
    "customers": "coalesce(segment in ('mass', 'affluent', 'private', 'vip'), true)"
    " and coalesce(birth_date <= delivery, true) and coalesce(deceased_on <= delivery, true)",
    "accounts": CURRENCY,
    "flags": "flag in ('financial_difficulty', 'vulnerable', 'complaint_open', 'fraud_watch',"
    " 'bereavement')",
    "fx_rates": CURRENCY,
    "transactions": f"booked_on <= delivery and {CURRENCY}",
    "consents": "purpose in ('marketing_internal', 'marketing_partner', 'profiling')"
    f" and {CHANNEL} and changed_at::date <= delivery",
    "contacts": f"{CHANNEL} and contacted_on <= delivery"
    " and coalesce(disposition_on <= delivery, true) and coalesce(disposition in ('contacted',"
    " 'no_answer', 'interested', 'sold', 'refused', 'opt_out', 'unsuitable'), true)",
    "customer_merges": "merged_on <= delivery",
}
PLAUSIBLE = "coalesce({name} between date '1850-01-01' and date '2200-01-01', true)"
# A row that says the same as in the delivery before is no news. What is news was not known before
# the delivery that did not say it; a key that is gone was gone just before the delivery without it.
WHOLE = """
create table {name}_versions as
with places as (
    select delivery, row_number() over (order by delivery) as place,
        lag(delivery) over (order by delivery) as previous,
        lead(delivery) over (order by delivery) as following
    from (select distinct unnest({days}) as delivery)
), every as not materialized (
    select {columns}, recorded_at, place, {is_sound} as is_sound, hash({said}) as content
    from {name}_rows join places using (delivery)
    where {is_keyed} and not coalesce(is_deleted, false)
), steady as (
    -- keys that say one thing from their first delivery to their last: nearly all of them
    select {key}, {any_columns}, arg_min(recorded_at, place) as recorded_at, min(place) as first,
        max(place) as last
    from every group by {key}
    having bool_and(is_sound) and min(content) = max(content)
        and max(place) - min(place) + 1 = count(*) and max(place) <= {most_places}
        and bit_count(bit_or(1::hugeint << place::int)) = count(*)
), told as (
    select distinct every.*, previous, following from every join places using (place)
    anti join steady using ({key})
), believed as (
    -- one row of each key and delivery; without a content where it is doubtful what is said
    select * replace (
        case when bool_and(is_sound) over one and min(content) over one = max(content) over one
            then content end as content)
    from told window one as (partition by {key}, place)
    qualify row_number() over (partition by {key}, place order by recorded_at) = 1
), kept as (
    -- in doubt what was known before stays
    select *, last_value(content ignore nulls) over (partition by {key} order by place) as stands
    from believed
), seen as (
    select *, content is not null and (lag(stands) over in_time is distinct from content
            or lag(place) over in_time is distinct from place - 1) as is_news,
        lead(place) over in_time is distinct from place + 1 and following is not null as is_gone
    from kept where stands is not null
    window in_time as (partition by {key} order by place)
)
select {columns}, greatest(recorded_at, coalesce(previous::timestamptz, recorded_at)) as known_at,
    false as is_gone from seen where is_news
union all
select {columns}, following::timestamptz - interval 1 microsecond, true from seen where is_gone
union all
select {columns}, greatest(recorded_at, coalesce(previous::timestamptz, recorded_at)), false
from steady join places on place = first
union all
select {columns}, following::timestamptz - interval 1 microsecond, true
from steady join places on place = last where following is not null
"""
MOST_PLACES = 120  # deliveries that can be counted in the bits of a number
# Of a row that came again the one recorded last counts, and of two recorded at once the later one.
# Nearly every key comes once: only the others are put in order.
INCREMENT = """
create table {name}_versions as
with places as (
    select delivery, lag(delivery) over (order by delivery) as previous
    from (select distinct unnest({days}) as delivery)
), sound as not materialized (
    from {name}_rows where {is_sound}
), repeated as (
    select {key} from sound group by all having count(*) > 1
), arrived as (
    select {columns}, recorded_at, delivery, previous, coalesce(is_deleted, false) as is_gone,
        row_number() over (partition by {key}, recorded_at order by delivery) as arrival,
        max(recorded_at) over (partition by {key} order by delivery
            range between unbounded preceding and interval 1 day preceding) as newest_before
    from sound join places using (delivery) join repeated using ({key})
)
select {columns}, recorded_at as known_at, coalesce(is_deleted, false) as is_gone, delivery
from sound anti join repeated using ({key})
union all
select {columns}, case when arrival = 1 then recorded_at
    else greatest(recorded_at, previous::timestamptz) end, is_gone, delivery
from arrived where coalesce(newest_before <= recorded_at, true)
"""
KNOWN = """
create or replace table {name} as
with told as not materialized (
    from {versions} where known_at < {day}::timestamptz
), repeated as (
    select {key} from told group by all having count(*) > 1
), latest as (
    from told semi join repeated using ({key})
    qualify row_number() over (partition by {key} order by known_at desc, is_gone) = 1
)
select * exclude (is_gone) from (
    from told anti join repeated using ({key}) union all by name from latest
) where not is_gone
"""
# Who stands for a record that was given up; where nobody survives, nothing is said.
PERSONS = """
create table {name} as
with recursive into_ as (
    select customer_id as record, survivor_id, merged_on from {merges}
    where customer_id <> survivor_id
), chain as (
    select record, survivor_id, merged_on from into_
    union
    select c.record, i.survivor_id, c.merged_on
    from chain c join into_ i on i.record = c.survivor_id
)
select record, survivor_id as person, merged_on from chain
where survivor_id not in (select record from into_)
"""
