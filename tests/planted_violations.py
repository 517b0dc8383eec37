"""How each rule is broken in a list, for the checker to name it."""

from __future__ import annotations

# What is planted: changes of one row of the list, as SQL `set`; `{…}` is a client of whom a query
# over what was known holds, and the row gets that client.
PLANTED = {
    "list.known_offer": ("offer_id = 'no_such_offer'", ""),
    "list.one_person": ("", "select record from persons"),
    "list.branch": ("branch_id = 'B9'", ""),
    "list.ranks": ("rank_in_branch = rank_in_branch + 1000", ""),
    "list.terms": ("partner_id = 'somebody'", ""),
    "list.validity": ("valid_to = valid_to + 1", ""),
    "trigger.event": ("event = 'large_credit'", ""),
    "value.min_expected_profit": ("expected_profit = -100", ""),
    "eligibility.active": (
        "",
        "select customer_id from customers where left_on is not null except"
        " select customer_id from customers_active",
    ),
    "eligibility.age_known": ("offer_id = 'mortgage_2026'", "customer birth_date is null"),
    "eligibility.min_age": (
        "offer_id = 'mortgage_2026'", "customer birth_date > date '2006-03-01'"
    ),
    "eligibility.max_age": (
        "offer_id = 'mortgage_2026'", "customer birth_date < date '1950-01-01'"
    ),
    "eligibility.not_yet_held": (
        "offer_id = 'mortgage_2026'",
        "select customer_id from held where product_id = 'mortgage'",
    ),
    "eligibility.requires_any": (
        "offer_id = 'gold_card_upgrade_2026'",
        "select customer_id from customers where customer_id not in"
        " (select customer_id from held where product_id = 'credit_card')",
    ),
    "eligibility.excludes": (
        "offer_id = 'credit_card_2026'",
        "select customer_id from held where product_id = 'gold_card'",
    ),
    "eligibility.min_monthly_income": (
        "offer_id = 'mortgage_2026'",
        "select customer_id from customers where customer_id not in"
        " (select customer_id from regular_income)",
    ),
    "eligibility.min_balance": (
        "offer_id = 'term_deposit_2026'",
        "select customer_id from balance where amount < 2000",
    ),
    "consent.channel": ("channel = 'post'", ""),
    "consent.marketing": (
        "",
        "select customer_id from leave where purpose like 'marketing%'"
        " and channel in ('branch', 'phone') group by all having not bool_or(may)",
    ),
    "consent.profiling": (
        "",
        "select customer_id from leave where purpose = 'profiling' group by all"
        " having not bool_or(may)",
    ),
    "consent.basis": ("consent_basis = 'said so'", ""),
    "contact.customer_cap_30d": (
        "",
        "select customer_id from contacts where contacted_on >= as_of() - 30 group by all"
        " having count(*) >= 4",
    ),
    "contact.household_cap_30d": (
        "",
        "select min(customer_id) from home join contacts using (customer_id)"
        " where contacted_on >= as_of() - 30 group by home having count(*) >= 5",
    ),
    "contact.fatigue_cap_90d": (
        "offer_id = 'mortgage_2026'",
        "select customer_id from about join product using (product_id)"
        " where contacted_on >= as_of() - 90 and fatigue_class = 'credit' group by all"
        " having count(distinct contact_id) >= 3",
    ),
    "contact.cool_off": (
        "", "select customer_id from contacts where disposition = 'opt_out'"
    ),
    "contact.days_between": (
        "", "select customer_id from contacts where contacted_on >= as_of() - 6"
    ),
    "contact.no_employee": ("", "customer is_employee"),
    "contact.contacts_left": ("contacts_left_30d = contacts_left_30d + 1", ""),
    "care.treatment_flag": (
        "", "select customer_id from flagged join treatment using (flag)"
    ),
    "care.no_contact_flag": (
        "", "select customer_id from flagged join no_contact using (flag)"
    ),
    "control.global_holdout": (
        "",
        "select customer_id from customers, said where"
        " ('0x' || sha256(salt || '|global_holdout|' || customer_id)[:13])::bigint"
        " < global_holdout_share * 16::double ** 13",
    ),
    "control.campaign": (
        "",
        "select customer_id from customers, said where ('0x' || sha256(salt || '|' || campaign_id"
        " || '|2024-03-01|' || customer_id)[:13])::bigint < control_share * 16::double ** 13",
    ),
}  # fmt: skip
# The same list under a tighter rule.
TIGHTER = {
    "limit.offers_per_customer": "update said set max_offers_per_customer = 0",
    "limit.offers_per_household": "update said set max_offers_per_household = 0",
    "limit.branch_capacity": "update said set branch_capacity = 1",
    "limit.branch_minutes": "update said set branch_minutes = 20;"
    " insert into channel_minutes values ('branch', 30), ('phone', 10), ('email', 1)",
    "limit.advisor_capacity": "update said set advisor_capacity = 1",
    "limit.product_quota": "insert into quota values ('product', 'mortgage', 1)",
    "limit.partner_quota": "insert into quota values ('partner', 'aurora_insurance', 1)",
    "limit.budget": "update said set budget = 20",
    "limit.max_offers": "update said set max_offers = 3",
    "contact.channel_cap_30d": "insert into channel_cap values ('branch', 0), ('phone', 0)",
    "contact.quiet_period": "insert into quiet values ('now', date '2024-03-01', '2024-03-31')",
    "bundle.available_alone": "update part set offer_id = 'package' where not is_core;"
    " update offer set core = 'credit_card', event = 'maturity'",
}
# What is planted into decisions, as SQL about the table `rows`, and how many break the rule then.
ONE = "where rowid = (select min(rowid) from rows where {which})"
PLANTED_DECISIONS = {
    "decisions.every_pair": [
        (f"delete from rows {ONE.format(which='true')}", 1),
        ("insert into rows from rows limit 1", 1),
        ("update rows set offer_id = 'no_such_offer' " + ONE.format(which="true"), 2),
        ("update rows set customer_id = 'nobody' " + ONE.format(which="true"), 2),
    ],
    "decisions.one_run": [("update rows set run_id = 'other' " + ONE.format(which="true"), 1)],
    "decisions.outcome": [
        ("update rows set outcome = 'gone' " + ONE.format(which="true"), 1),
        ("update rows set outcome = null " + ONE.format(which="true"), 1),
        *(
            (f"update rows set outcome = '{said}' " + ONE.format(which=f"outcome = '{was}'"), 1)
            for was, said in (
                ("ineligible", "suppressed"),
                ("ineligible", "outranked"),
                ("suppressed", "ineligible"),
                ("suppressed", "over_capacity"),
                ("offered", "suppressed"),
                ("control", "ineligible"),
            )
        ),
    ],
    "decisions.product_and_branch": [
        ("update rows set branch_id = 'B9' " + ONE.format(which="true"), 1),
        ("update rows set product_id = 'gold' " + ONE.format(which="true"), 1),
    ],
    "decisions.offered_is_listed": [
        ("update rows set outcome = 'offered' " + ONE.format(which="outcome = 'outranked'"), 1)
    ],
    "decisions.listed_is_offered": [
        ("update rows set outcome = 'outranked' " + ONE.format(which="outcome = 'offered'"), 1),
        ("update rows set channel = 'post' " + ONE.format(which="outcome = 'offered'"), 1),
        ("update rows set rank_in_branch = 99 " + ONE.format(which="outcome = 'offered'"), 1),
        ("delete from rows " + ONE.format(which="outcome = 'offered'"), 1),
    ],
    "decisions.withheld": [
        ("update rows set outcome = 'offered' " + ONE.format(which="outcome = 'control'"), 1),
        ("update rows set outcome = 'control' " + ONE.format(which="outcome = 'offered'"), 1),
        *(
            (f"update rows set {flag} = not {flag} " + ONE.format(which=flag), 1)
            for flag in ("is_in_global_holdout", "is_in_control_group")
        ),
    ],
}
