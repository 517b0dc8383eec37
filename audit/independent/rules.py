"""Every rule as a query over the list that gives what breaks it: customer, offer, what was found.

Names are those of `docs/rules.md` where it has one. `listed` has the rows of the list, `told` one
row per product of each listed offer, `clients` the clients listed.
"""

from __future__ import annotations

OF_PRODUCTS = """
create view told as
select l.customer_id, l.offer_id, part.product_id, part.is_core, product.* exclude (product_id)
from listed l join part using (offer_id) join product on product.product_id = part.product_id;

-- What of an offer is new to the client: a core that is held is not sold.
create view sold as
select * from told where not (is_core and (customer_id, product_id) in (from held));
"""
OF_LISTS = """
create view clients as
select customer_id, min(offer_id) as offer_id, count(*) as offers from listed group by all;

create view days as
select l.*, o.* exclude (offer_id, product_id, move, event),
    o.product_id as offered, o.move as offered_move, o.event as waits_for,
    as_of() + gap_days as first, as_of() + gap_days + validity_days - 1 as last
from listed l join offer o using (offer_id) cross join said;

create view windows as
select *,
    case when waits_for = 'maturity' then greatest(first, event_on - day_first) else first
        end as must_begin,
    case waits_for
        when 'maturity' then least(last, event_on - day_last)
        when 'salary_start' then least(last, event_on + within_days)
        when 'large_credit' then least(last, as_of() - 31 + within_days)
        when 'branch_changed' then least(last, as_of() - 184 + within_days)
        else last end as must_end
from days;
"""
PERSONS_AND_ROWS = {
    "list.known_offer": """
        select customer_id, offer_id, 'no such offer' from listed
        where offer_id not in (select offer_id from offer)""",
    "list.one_person": """
        select l.customer_id, offer_id, coalesce('is merged into another record', 'is no client')
        from listed l left join persons p on p.record = l.customer_id
        where l.customer_id not in (select customer_id from customers)""",
    "list.once": """
        select customer_id, offer_id, 'is listed ' || count(*) || ' times' from listed
        group by all having count(*) > 1""",
    "list.one_product": """
        select customer_id, min(offer_id), product_id || ' in ' || count(*) || ' offers' from told
        group by customer_id, product_id having count(*) > 1""",
    "list.branch": """
        select customer_id, offer_id, 'is of branch ' || c.branch_id || ', advisor '
            || coalesce(c.advisor_id, 'none')
        from listed l join customers c using (customer_id)
        where l.branch_id <> c.branch_id or l.advisor_id is distinct from c.advisor_id""",
    "list.ranks": """
        select customer_id, offer_id, 'rank ' || rank_in_branch || ' at place ' || place from (
            select *, row_number() over (partition by branch_id order by rank_in_branch) as place
            from listed
        ) where rank_in_branch <> place""",
    "list.terms": """
        select customer_id, offer_id, 'product, kind, partner, move or package price'
        from days join product on product.product_id = offered
        where (days.product_id, days.kind, days.partner_id, bundle_id, package_price,
                days.as_of, days.campaign_id) is distinct from
            (offered, product.kind, product.partner, case when core is not null then offer_id end,
                price, as_of(), (select campaign_id from said))
        or days.move <> case
            when core is not null then 'bundle' when offered_move is not null then offered_move
            when (customer_id, upgrade_of) in (from held) then 'up_sell'
            else 'cross_sell_' || product.kind end""",
    "value.min_expected_profit": """
        select customer_id, offer_id, 'brings ' || expected_profit from listed, said
        where expected_profit < min_expected_profit and not is_exploration""",
}  # fmt: skip
ELIGIBILITY = {
    "eligibility.active": """
        select customer_id, offer_id, 'is not a client now' from listed
        where customer_id not in (select customer_id from customers_active)""",
    "eligibility.age_known": """
        select customer_id, offer_id, product_id from sold join customers using (customer_id)
        where birth_date is null and (min_age is not null or max_age is not null)""",
    "eligibility.min_age": """
        select customer_id, offer_id, product_id || ' below ' || min_age
        from sold join customers using (customer_id)
        where birth_date > (as_of() - to_years(min_age))::date""",
    "eligibility.max_age": """
        select customer_id, offer_id, product_id || ' above ' || max_age
        from sold join customers using (customer_id)
        where birth_date <= (as_of() - to_years(max_age + 1))::date""",
    "eligibility.not_yet_held": """
        select customer_id, offer_id, sold.product_id || ' is held'
        from sold join offer using (offer_id)
        where not held_twice and coalesce(offer.move, '') <> 'renewal'
            and (customer_id, sold.product_id) in (from held)""",
    "eligibility.requires_any": """
        select customer_id, offer_id, product_id || ' needs what is not held' from sold
        where product_id in (select product_id from requires)
            and not exists (from requires r join held h on h.product_id = r.other
                where r.product_id = sold.product_id and h.customer_id = sold.customer_id)
            and not exists (from requires r join part p on p.product_id = r.other
                where r.product_id = sold.product_id and p.offer_id = sold.offer_id)""",
    "eligibility.excludes": """
        select customer_id, offer_id, sold.product_id || ' beside ' || other
        from sold join excludes x on x.product_id = sold.product_id
        where (customer_id, other) in (from held)""",
    "eligibility.min_monthly_income": """
        select customer_id, offer_id, product_id || ' needs ' || min_income || ' a month'
        from sold left join regular_income using (customer_id)
        where coalesce(last_3_months, 0) < 3 * min_income""",
    "eligibility.min_balance": """
        select customer_id, offer_id, sold.product_id || ' needs ' || min_balance
        from sold join offer using (offer_id) left join balance using (customer_id)
        where coalesce(offer.move, '') <> 'renewal'
            and coalesce(balance.amount < min_balance, min_balance is not null)""",
}
CONSENT = {
    "consent.channel": """
        select customer_id, offer_id, channel || ' is no channel of the offer' from listed
        where (offer_id, channel) not in (from offer_channel)""",
    "consent.marketing": """
        select distinct customer_id, offer_id, 'no leave for marketing_' || told.kind || ' by '
            || l.channel
        from told join listed l using (customer_id, offer_id)
        where (customer_id, 'marketing_' || told.kind, l.channel, true) not in (from leave)""",
    "consent.profiling": """
        select customer_id, offer_id, 'no leave for profiling by ' || channel from listed
        where (customer_id, 'profiling', channel, true) not in (from leave)""",
    "consent.basis": """
        select customer_id, offer_id, 'the basis is ' || consent_basis from listed l join (
            select customer_id, offer_id, string_agg(said, ', ' order by purpose) as basis from (
                select distinct customer_id, offer_id, law.purpose,
                    case when permission <> 'consent' and w.is_granted is distinct from true
                        then 'no_objection_to_' else '' end || law.purpose || '/' || channel as said
                from told join listed using (customer_id, offer_id)
                join law on law.purpose = 'marketing_' || told.kind
                left join word w using (customer_id, purpose, channel)
            ) group by all
        ) using (customer_id, offer_id) where consent_basis is distinct from basis""",
}
CONTACT = {
    "contact.customer_cap_30d": """
        select customer_id, offer_id, coalesce(contacts, 0) || ' contacts and ' || offers
            || ' offers, at most ' || max_contacts_30d
        from clients left join lately using (customer_id), said
        where coalesce(contacts, 0) + offers > max_contacts_30d""",
    "contact.household_cap_30d": """
        with of_home as (
            select home, sum(coalesce(contacts, 0)) as contacts, sum(coalesce(offers, 0)) as offers,
                min(clients.customer_id) as customer_id, min(offer_id) as offer_id
            from home left join lately using (customer_id) left join clients using (customer_id)
            group by all
        )
        select customer_id, offer_id, contacts || ' contacts and ' || offers || ' offers of the '
            || 'household, at most ' || max_household_contacts_30d
        from of_home, said
        where offers > 0 and contacts + offers > max_household_contacts_30d""",
    "contact.fatigue_cap_90d": """
        with before as (
            select customer_id, fatigue_class, count(distinct contact_id) as contacts
            from about join product using (product_id)
            where contacted_on >= as_of() - 90 group by all
        ), now as (
            select customer_id, fatigue_class, count(distinct offer_id) as offers,
                min(offer_id) as offer_id from told group by all
        )
        select customer_id, offer_id, fatigue_class || ': ' || coalesce(contacts, 0)
            || ' contacts and ' || offers || ' offers, at most ' || most
        from now left join before using (customer_id, fatigue_class)
        join class_cap using (fatigue_class)
        where coalesce(contacts, 0) + offers > most""",
    "contact.channel_cap_30d": """
        with before as (
            select customer_id, channel, count(*) as contacts from contacts
            where contacted_on >= as_of() - 30 group by all
        ), now as (
            select customer_id, channel, count(*) as offers, min(offer_id) as offer_id
            from listed group by all
        )
        select customer_id, offer_id, channel || ': ' || coalesce(contacts, 0) || ' contacts and '
            || offers || ' offers, at most ' || most
        from now left join before using (customer_id, channel) join channel_cap using (channel)
        where coalesce(contacts, 0) + offers > most""",
    "contact.cool_off": """
        select distinct customer_id, offer_id, disposition || ' of ' || result_on
        from told join about using (customer_id) join cool_off using (disposition)
        where result_on + days > as_of()
            and (about.product_id = told.product_id or disposition = 'opt_out')""",
    "contact.days_between": """
        select customer_id, listed.offer_id, 'was contacted on ' || max(contacted_on)
        from listed join contacts using (customer_id), said
        group by customer_id, listed.offer_id, min_days_between_contacts
        having max(contacted_on) + min_days_between_contacts > as_of()""",
    "contact.no_employee": """
        select customer_id, offer_id, 'works for the bank'
        from listed join customers using (customer_id) where is_employee""",
    "contact.quiet_period": """
        select customer_id, offer_id, 'the offer begins in ' || name from listed, said, quiet
        where as_of() + gap_days between first_day and last_day""",
    "contact.contacts_left": """
        select customer_id, l.offer_id, 'says ' || contacts_left_30d || ' contacts are left'
        from listed l join home using (customer_id) join (
            select home, sum(coalesce(contacts, 0)) as of_home
            from home left join lately using (customer_id) group by all
        ) using (home) left join lately using (customer_id), said
        where home not in (from returned_home) and contacts_left_30d <> least(
            max_contacts_30d - coalesce(contacts, 0), max_household_contacts_30d - of_home)""",
}
CARE = {
    "care.treatment_flag": """
        select customer_id, offer_id, string_agg(flag, ', ')
        from listed join flagged using (customer_id) join treatment using (flag) group by all""",
    "care.no_contact_flag": """
        select customer_id, offer_id, string_agg(flag, ', ')
        from listed join flagged using (customer_id) join no_contact using (flag) group by all""",
    "care.list": """
        select customer_id, null, care_treatment from cared
        where (customer_id, care_treatment) not in (
                select customer_id, treatment from flagged join treatment using (flag))
            or customer_id in (select customer_id from flagged join no_contact using (flag))
            or customer_id in (select customer_id from listed)
            or customer_id not in (select customer_id from customers_active)""",
    "care.everybody": """
        select distinct customer_id, null, 'is on no care list'
        from customers_active join flagged using (customer_id) join treatment using (flag)
        where customer_id not in (select customer_id from cared)
            and customer_id not in
                (select customer_id from flagged join no_contact using (flag))""",
}
WITHHELD = {
    "control.global_holdout": """
        select customer_id, offer_id, 'is withheld from every campaign' from listed
        where is_in_holdout(customer_id)""",
    "control.campaign": """
        select customer_id, offer_id, 'is control of this campaign' from listed
        where is_drawn_for_control(customer_id)""",
}
LIMITS = {
    "limit.offers_per_customer": """
        select customer_id, offer_id, offers || ' offers' from clients, said
        where offers > max_offers_per_customer""",
    "limit.offers_per_household": """
        select min(customer_id), min(offer_id), sum(offers) || ' offers to a household'
        from clients join home using (customer_id), said
        group by home, max_offers_per_household having sum(offers) > max_offers_per_household""",
    "limit.branch_capacity": """
        select min(customer_id), min(offer_id), count(*) || ' offers at branch ' || branch_id
        from listed left join branch_places using (branch_id), said
        group by branch_id, most, branch_capacity having count(*) > coalesce(most, branch_capacity)
        """,
    "limit.branch_minutes": """
        select min(customer_id), min(offer_id), sum(minutes) || ' minutes at branch ' || branch_id
        from listed join channel_minutes using (channel), said
        group by branch_id, branch_minutes having sum(minutes) > branch_minutes""",
    "limit.advisor_capacity": """
        select min(customer_id), min(offer_id), count(*) || ' offers of advisor ' || c.advisor_id
        from listed join customers c using (customer_id), said where c.advisor_id is not null
        group by c.advisor_id, advisor_capacity having count(*) > advisor_capacity""",
    "limit.product_quota": """
        select min(customer_id), min(offer_id), count(*) || ' offers of ' || name
        from listed join offer using (offer_id)
        join quota on of = 'product' and name = offer.product_id
        group by name, most having count(*) > most""",
    "limit.partner_quota": """
        select min(customer_id), min(offer_id), count(*) || ' offers of ' || name
        from listed join offer using (offer_id)
        join product on product.product_id = offer.product_id
        join quota on of = 'partner' and name = partner
        group by name, most having count(*) > most""",
    "limit.budget": """
        select min(customer_id), min(offer_id), 'contacts cost ' || sum(contact_cost)
        from listed join offer using (offer_id), said
        group by budget having sum(contact_cost) > budget""",
    "limit.max_offers": """
        select min(customer_id), min(offer_id), count(*) || ' offers' from listed, said
        group by max_offers having count(*) > max_offers""",
}
TIMES = {
    "trigger.event": """
        select customer_id, offer_id, coalesce(waits_for, 'no event') || ' has not happened'
        from windows where event is distinct from waits_for or not case waits_for
            when 'maturity' then (customer_id, ends, event_on) in (from ending)
            when 'salary_start' then exists (
                from regular_income r where r.customer_id = windows.customer_id and months = 1
                    and last_on >= as_of() - 31 and event_on = last_on)
            when 'large_credit' then exists (
                from large_credit c where c.customer_id = windows.customer_id and times >= at_least)
            when 'branch_changed' then customer_id in (from moved)
            else true end""",
    "list.validity": """
        select customer_id, offer_id, 'valid from ' || valid_from || ' to ' || valid_to
        from windows where (valid_from, valid_to) is distinct from (must_begin, must_end)
            or valid_to < valid_from""",
}
PACKAGES = {
    "bundle.available_alone": """
        select distinct customer_id, offer_id, product_id || ' is not sold alone'
        from told where offer_id in (select offer_id from offer where core is not null)
            and product_id not in (select product_id from offer
                where core is null and event is null and move is null)""",
}
# What is looked at in the files themselves.
LIST_FILES = ("files.manifest", "files.branches", "files.formula")
RULES = (
    PERSONS_AND_ROWS | ELIGIBILITY | CONSENT | CONTACT | CARE | WITHHELD | LIMITS | TIMES | PACKAGES
)
