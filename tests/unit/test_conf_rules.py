"""Rules between settings."""

import pytest

from conf.load import ConfigError, load_config

MORTGAGE = "products.mortgage"
FEE = "levers.first_year_fee"
OTHER = (
    "{name: x, kind: internal, business_line: a, role: core, fatigue_class: credit,"
    " margin_per_sale: 1, client_benefit: {en: x}}"
)


@pytest.mark.parametrize(
    ("override", "problem"),
    [
        ("offers.mortgage_2026.product=morgage", "does not exist; did you mean mortgage?"),
        (f"{FEE}.offers=[gold_card_2026]", "names gold_card_2026, which does not exist"),
        (f"{FEE}.channels=[email]", "has email, by which none of its offers is made"),
        (f"{FEE}.effect_source=null", "is missing: say where response_factor"),
        (f"{FEE}.seats=4", "is for an event, but kind is discount"),
        (f"{FEE}.made_by=branch_director", "is for a personal_contact, but kind is discount"),
        ("campaign.advisor_minutes=5", "advisor_minutes needs the minutes of each"),
        ("campaign.branch_minutes=0", "branch_minutes needs the minutes of each"),
        ("credit.closed_by.internal=partner_desk", "own products have no partner"),
        ("credit.shares.closer=0.8", "closer and referrer make 1.1, not 1"),
        ("products.car_leasing.partner=velo", "did you mean velo_leasing?"),
        ("products.car_leasing.partner=null", "is missing, and kind is partner"),
        ("products.car_leasing.kind=internal", "is velo_leasing, but kind is internal"),
        (f"{MORTGAGE}.upgrade_of=loan", "upgrade_of names loan, which does not exist"),
        (f"{MORTGAGE}.upgrade_of=mortgage", "upgrade_of names mortgage itself"),
        (f"{MORTGAGE}.complements=[mortgage]", "complements names mortgage itself"),
        (f"{MORTGAGE}.complements=[x]", "complements names x, which does not exist"),
        (f"{MORTGAGE}.eligibility.requires_any=[x]", "requires_any names x"),
        (f"{MORTGAGE}.eligibility.requires_any=[mortgage]", "requires_any names mortgage itself"),
        (f"{MORTGAGE}.eligibility.excludes=[x]", "excludes names x"),
        (f"{MORTGAGE}.eligibility.excludes=[mortgage]", "excludes names mortgage itself"),
        ("products.gold_card.eligibility.excludes=[credit_card]", "which requires_any asks for"),
        (f"{MORTGAGE}.eligibility.min_age=61", "min_age is 61, above max_age 60"),
        (f"{MORTGAGE}.margin_per_sale=null", "has neither margin_per_sale nor margin_per_year"),
        (f"{MORTGAGE}.margin_per_year=3", "needs margin_per_year and horizon_months together"),
        (f"{MORTGAGE}.horizon_months=3", "needs margin_per_year and horizon_months together"),
        (f"{MORTGAGE}.client_benefit=!replace {{de: x}}", "no text in the bank's language en"),
        (f"products.Mortgage={OTHER}", "differs from Mortgage in upper and lower case only"),
        ("checks.min_base_rate=0.5", "is 0.5, not below max_base_rate 0.5"),
        ("campaign.control_share=0.98", "leave some to contact"),
        ("care.no_contact=[vulnerable]", "has vulnerable, which also has a treatment"),
        ("campaign.product_quotas={morgage: {min: 1}}", "does not exist; did you mean mortgage?"),
        ("campaign.partner_quotas={velo: {max: 1}}", "did you mean velo_leasing?"),
        ("campaign.product_quotas={mortgage: {min: 2, max: 1}}", "is 2, above max 1"),
        ("campaign.branch_minutes=60", "lacks branch, a channel of offers"),
        (
            "jurisdiction.profile=eu_strct",
            "names eu_strct, which does not exist; did you mean eu_st",
        ),
        (
            "contact_policy.cool_off_days_after.opt_out=3649",
            "opt_out is 3649; the jurisdiction profile eu_strict asks for at least 3650",
        ),
        (
            "contact_policy.cool_off_days_after=!replace {sold: 5}",
            "opt_out is 0; the jurisdiction profile eu_strict asks for at least 3650",
        ),
        (
            "contact_policy.max_contacts_30d=5",
            "is 5; the jurisdiction profile eu_strict allows at most 4",
        ),
        (
            "jurisdiction.quiet_periods.x={first_day: 2027-01-02, last_day: 2027-01-01}",
            "jurisdiction.quiet_periods.x.last_day is 2027-01-01, before first_day 2027-01-02",
        ),
        ("engine.url=spark://x", "the embedded engine has none"),
        ("engine.kind=connect", "needs sc://host:port"),
        (
            "contact_policy.max_contacts_90d_by_fatigue_class="
            "!replace {everyday: 1, wealth: 1, credit: 1}",
            "has no cap for protection, the fatigue class of home_insurance",
        ),
    ],
)
def test_a_broken_rule_is_told(override, problem):
    with pytest.raises(ConfigError) as caught:
        load_config("local", [override])
    assert any(problem in told for told in caught.value.problems), caught.value.problems


def test_products_that_upgrade_each_other_are_told():
    with pytest.raises(ConfigError) as caught:
        load_config("local", ["products.credit_card.upgrade_of=gold_card"])
    told = [problem for problem in caught.value.problems if "leads back" in problem]
    assert len(told) == 2


def test_a_cap_of_a_channel_leaves_room_for_all_offers_of_a_client():
    cap = "contact_policy.max_contacts_30d_by_channel.phone"
    with pytest.raises(ConfigError, match=r"is 1, below campaign\.max_offers_per_customer 2"):
        load_config("local", [f"{cap}=1", "campaign.max_offers_per_customer=2"])
    for sound in ("0", "2"):
        load_config("local", [f"{cap}={sound}", "campaign.max_offers_per_customer=2"])
