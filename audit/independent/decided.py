"""Every decision against what was delivered: who is decided about, which gates stop which offer.

Lists tell only of offers that were made. An offer that was wrongly not made is as wrong, so of each
gate that can be recomputed the clients and offers it stops are held against those that decisions
name. Not recomputed is what asks for a model or for facts of the bank's own rules that are not
known here; `check` says which.
"""

from __future__ import annotations

from audit.independent.rules import CONTACT, ELIGIBILITY

# The decisions of a campaign, of whom there is to be one per client and offer.
READ = """
create table decided as
select customer_id, offer_id, product_id, branch_id, channel, outcome, failed_gates,
    rank_in_branch, run_id, campaign_id, is_in_global_holdout, is_in_control_group
from read_parquet([{files}], hive_partitioning = false, union_by_name = true)
"""
DECISIONS = {
    "decisions.every_pair": """
        select customer_id, offer_id, 'is not decided' from pair
        anti join decided using (customer_id, offer_id)
        union all
        select customer_id, offer_id, 'is decided, but there is no such client or offer'
        from decided anti join pair using (customer_id, offer_id)
        union all
        select customer_id, offer_id, 'is decided ' || count(*) || ' times' from decided
        group by customer_id, offer_id having count(*) > 1""",
    "decisions.one_run": """
        select customer_id, offer_id, 'is of another run or campaign' from decided, said
        where (run_id, decided.campaign_id) is distinct from (asked_run(), said.campaign_id)""",
    "decisions.outcome": """
        select customer_id, offer_id, coalesce(outcome, 'no outcome') || ' with failed gates: '
            || array_to_string(failed_gates, ', ')
        from decided
        where outcome is null or failed_gates is null or not case
            when outcome = 'ineligible' then is_any_of_eligibility(failed_gates)
            when outcome = 'suppressed'
                then len(failed_gates) > 0 and not is_any_of_eligibility(failed_gates)
            else outcome in ('offered', 'control', 'outranked', 'over_capacity')
                and len(failed_gates) = 0 end""",
    "decisions.product_and_branch": """
        select customer_id, offer_id, 'another product or branch' from decided
        join offer using (offer_id) join customers using (customer_id)
        where (decided.product_id, decided.branch_id)
            is distinct from (offer.product_id, customers.branch_id)""",
    "decisions.offered_is_listed": """
        select customer_id, offer_id, 'is offered, and on no list' from decided
        anti join listed using (customer_id, offer_id) where outcome = 'offered'""",
    "decisions.listed_is_offered": """
        select l.customer_id, l.offer_id, 'is on a list, and decided as '
            || coalesce(d.outcome, 'nothing')
        from listed l left join decided d using (customer_id, offer_id)
        where (d.outcome, d.channel, d.rank_in_branch)
            is distinct from ('offered', l.channel, l.rank_in_branch)""",
    "decisions.withheld": """
        select customer_id, offer_id, coalesce(outcome, 'no outcome') || ' of who is '
            || case when holdout then '' else 'not ' end || 'in the holdout, '
            || case when drawn then '' else 'not ' end || 'drawn for control'
        from decided join withheld using (customer_id)
        where is_in_global_holdout is distinct from holdout
            or is_in_control_group is distinct from (outcome = 'control' and drawn and not holdout)
            or (outcome = 'offered' and (holdout or drawn))
            or (outcome = 'control' and not (holdout or drawn))""",
}
FACTS = """
create table pair as select customer_id, offer_id from customers cross join offer;

create macro is_any_of_eligibility(gates) as
    len(list_filter(gates, lambda one: starts_with(one, 'eligibility.'))) > 0;

create table withheld as
select customer_id, is_in_holdout(customer_id) as holdout,
    is_drawn_for_control(customer_id) as drawn
from customers;

-- Of offers that ask the same, on the same channels, one stands for all.
create table alike as
with asks as (
    select distinct offer_id, 'marketing_' || kind as purpose
    from part join product using (product_id)
), said_of as (
    select offer_id, string_agg(purpose, ',' order by purpose) as purposes,
        (select string_agg(channel, ',' order by channel) from offer_channel c
            where c.offer_id = asks.offer_id) as channels
    from asks group by offer_id
)
select offer_id, min(offer_id) over (partition by purposes, channels) as first from said_of;

create table approach as
with asks as (
    select distinct offer_id, 'marketing_' || kind as purpose
    from part join product using (product_id) where offer_id in (select first from alike)
), may_use as (
    select customer_id, offer_id, channel, bool_and(may) as may_contact
    from asks join offer_channel using (offer_id) join leave using (purpose, channel) group by all
), used as (
    select customer_id, channel, count(*) as contacts from contacts
    where contacted_on >= as_of() - 30 and channel in (select channel from channel_cap) group by all
)
select customer_id, offer_id as first, bool_or(may_contact) as may_contact, bool_or(may) as
    may_profile, bool_or(may_contact and may) as may_both,
    bool_or(may_contact and may and (most is null
        or coalesce(contacts, 0) < greatest(most - max_offers_per_customer + 1, 0))) as is_open
from may_use join leave using (customer_id, channel) left join used using (customer_id, channel)
left join channel_cap using (channel), said
where purpose = 'profiling' group by all;

create table due as
with waiting as (
    select *, as_of() + gap_days as first, as_of() + gap_days + validity_days - 1 as last
    from offer, said where event is not null
)
select distinct customer_id, offer_id from waiting join ending on ending.product_id = ends
where event = 'maturity' and matures_on between first + day_last and last + day_first
union
select customer_id, offer_id from waiting cross join regular_income
where event = 'salary_start' and months = 1 and last_on >= as_of() - 31
    and last_on + within_days >= first
union
select customer_id, offer_id from waiting cross join large_credit
where event = 'large_credit' and times >= at_least and as_of() - 31 + within_days >= first
union
select customer_id, offer_id from waiting cross join moved
where event = 'branch_changed' and as_of() - 184 + within_days >= first;
"""
OF_EVERYBODY = "select customer_id, offer_id from customers cross join offer where "
OF_APPROACH = "select customer_id, offer_id from approach join alike using (first) where "
# The clients and offers that a gate stops, by its reason code.
GATES = {
    "eligibility.not_active": OF_EVERYBODY
    + "customer_id not in (select customer_id from customers_active)",
    "eligibility.age_unknown": ELIGIBILITY["eligibility.age_known"],
    "eligibility.too_young": ELIGIBILITY["eligibility.min_age"],
    "eligibility.too_old": ELIGIBILITY["eligibility.max_age"],
    "eligibility.already_held": ELIGIBILITY["eligibility.not_yet_held"],
    "eligibility.lacks_required_product": ELIGIBILITY["eligibility.requires_any"],
    "eligibility.holds_excluded_product": ELIGIBILITY["eligibility.excludes"],
    "eligibility.income_too_low": ELIGIBILITY["eligibility.min_monthly_income"],
    "eligibility.balance_too_low": ELIGIBILITY["eligibility.min_balance"],
    "consent.no_consent": OF_APPROACH + "not may_contact",
    "consent.no_profiling_consent": OF_APPROACH
    + "not may_profile or (may_contact and not may_both)",
    "contact_policy.channel_cap": OF_APPROACH + "may_both and not is_open",
    "contact_policy.contact_cap": """
        select customer_id, offer_id from customers left join lately using (customer_id), said
        cross join offer where coalesce(contacts, 0) >= max_contacts_30d""",
    "contact_policy.household_cap": """
        with of_home as (
            select home, sum(coalesce(contacts, 0)) as contacts
            from home left join lately using (customer_id) group by all
        )
        select customer_id, offer_id from home join of_home using (home), said cross join offer
        where contacts >= max_household_contacts_30d""",
    "contact_policy.fatigue_cap": """
        with before as (
            select customer_id, fatigue_class, count(distinct contact_id) as contacts
            from about join product using (product_id)
            where contacted_on >= as_of() - 90 group by all
        ), classes as (
            select distinct offer_id, fatigue_class, most from part
            join product using (product_id) join class_cap using (fatigue_class)
        )
        select customer_id, offer_id from before join classes using (fatigue_class)
        where contacts >= most
        union all
        select customer_id, offer_id from customers cross join classes where most = 0""",
    "contact_policy.cool_off": CONTACT["contact.cool_off"],
    "contact_policy.too_soon": """
        select customer_id, offer_id from (
            select customer_id, max(contacted_on) as last_on from contacts group by all
        ) join customers using (customer_id), said cross join offer
        where last_on + min_days_between_contacts > as_of()""",
    "contact_policy.quiet_period": OF_EVERYBODY
    + "exists (from quiet, said where as_of() + gap_days between first_day and last_day)",
    "contact_policy.employee": OF_EVERYBODY + "coalesce(is_employee, true)",
    "care.in_care": OF_EVERYBODY
    + "customer_id in (select customer_id from flagged join treatment using (flag))",
    "care.no_contact_flag": OF_EVERYBODY
    + "customer_id in (select customer_id from flagged join no_contact using (flag))",
    "trigger.not_triggered": """
        select customer_id, offer_id from pair
        where offer_id in (select offer_id from offer where event is not null)
            and (customer_id, offer_id) not in (from due)""",
}
# What is asked of features, which are made of clients who are active, and of nobody else.
OF_FEATURES = (
    "eligibility.income_too_low", "eligibility.balance_too_low", "trigger.not_triggered",
)  # fmt: skip
# What results that branches have returned may change.
OF_CONTACTS = (
    "contact_policy.channel_cap", "contact_policy.contact_cap", "contact_policy.household_cap",
    "contact_policy.fatigue_cap", "contact_policy.cool_off", "contact_policy.too_soon",
)  # fmt: skip
NOT_RECOMPUTED = {"value.not_profitable": "what an offer is worth takes models to tell"}
DIFFERENCE = """
create or replace temp table different as
select customer_id, offer_id, bool_or(is_raw) as is_raw from (
    select distinct customer_id, offer_id, true as is_raw from ({query}) as t(customer_id, offer_id)
    union all
    select customer_id, offer_id, false from decided where list_contains(failed_gates, '{code}')
) where {of_whom}
group by customer_id, offer_id having count(*) = 1
"""
EXAMPLES = """
select customer_id, offer_id, case when is_raw
    then 'passes as decided, and fails by what was delivered'
    else 'fails as decided, and passes by what was delivered' end
from different order by all limit {most}
"""
OF_ACTIVE = "customer_id in (select customer_id from customers_active)"
BUT_RETURNED = """
    customer_id not in (select customer_id from home where home in (from returned_home))
"""


def compared_with(code: str) -> str:
    """Of whom a gate is recomputed, as SQL."""
    if code in OF_FEATURES or code.startswith("rule."):
        return OF_ACTIVE
    return BUT_RETURNED if code in OF_CONTACTS else "true"
