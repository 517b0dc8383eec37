"""Renewals, triggers and packages that configuration refuses."""

from __future__ import annotations

import re

import pytest

from conf.errors import ConfigError
from jobs.settings import checked_config

RENEWAL, EVENT = "offers.travel_insurance_renewal_2026", "offers.investment_fund_inflow_2026"
PACKAGE = "offers.travel_package_2026"
BUNDLE = f"{PACKAGE}.bundle"


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        ([f"{EVENT}.move=renewal"], "move is renewal; it needs a trigger whose event is maturity"),
        ([f"{PACKAGE}.move=renewal"], "is renewal, and a bundle is none"),
        ([f"{RENEWAL}.trigger.days_before=null"], "days_before is missing"),
        ([f"{RENEWAL}.trigger.days_before=[0, 30]"], "say the earlier day first"),
        ([f"{RENEWAL}.trigger.of=term_deposits"], "names term_deposits, which does not exist; did"),
        ([f"{RENEWAL}.trigger.within_days=9"], "within_days is not for maturity"),
        ([f"{RENEWAL}.trigger.at_least=2.0"], "at_least is for large_credit"),
        ([f"{RENEWAL}.trigger.event=maturities"], "did you mean maturity"),
        ([f"{EVENT}.trigger.days_before=[3, 0]"], "days_before is for maturity"),
        ([f"{EVENT}.trigger.of=mortgage"], "of is for maturity"),
        ([f"{EVENT}.trigger.within_days=null"], "within_days is missing"),
        ([f"{EVENT}.trigger.within_days=37"], "is 37; large_credit is known late"),
        ([f"{BUNDLE}.core=card"], "names card, which does not exist"),
        ([f"{BUNDLE}.periphery=[credit_card]"], "has credit_card twice"),
        ([f"{PACKAGE}.product=credit_card"], "is credit_card; name one of the bundle's periphery"),
        ([f"{BUNDLE}.component_prices=!replace {{credit_card: 90}}"], "lacks travel_insurance"),
        ([f"{BUNDLE}.component_prices.mortgage=1.00"], "has mortgage, which the bundle does not"),
        ([f"{BUNDLE}.price=68.01"], "is 68.01, above 68.00, what its products cost alone"),
        (
            ["offers.travel_insurance_2026.product=mortgage"],
            "ties travel_insurance, which no offer",
        ),
        (
            ["offers.credit_card_2026.trigger={event: salary_start, within_days: 9}"],
            "ties credit_card, which no offer sells alone; tying is unlawful",
        ),
        (["products.travel_insurance.eligibility.excludes=[credit_card]"], "which excludes credit"),
        ([f"{BUNDLE}.name=!replace {{it: Viaggi}}"], "name has no text in the bank's language en"),
        ([f"{BUNDLE}.client_benefit=!replace {{it: Viaggi}}"], "benefit has no text in the bank's"),
        (["reasons.events.maturity.en=Ends on {dey}"], "reasons.events.maturity.en"),
        (["reasons.events.large_credit.en=Since {day}"], "reasons.events.large_credit.en"),
        (["reasons.maturity_of_an_amount.en=Has {value}"], "reasons.maturity_of_an_amount.en"),
        (
            ["reasons.events=!replace {maturity: {en: x}}"],
            "large_credit is missing: investment_fund_inflow_2026 waits for it",
        ),
    ],
)
def test_what_cannot_work_or_is_unlawful_is_refused(overrides: list[str], told: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(told)):
        checked_config("local", overrides)


@pytest.mark.parametrize(
    "overrides",
    [
        [f"{RENEWAL}.trigger.of=savings_account"],
        [f"{RENEWAL}.trigger.days_before=[5, 5]"],
        [f"{EVENT}.trigger.within_days=38"],
        [f"{EVENT}.trigger=!replace {{event: salary_start, within_days: 8}}"],
        [f"{BUNDLE}.price=68.00"],
    ],
)
def test_what_is_at_a_boundary_is_accepted(overrides: list[str]) -> None:
    assert checked_config("local", overrides)
