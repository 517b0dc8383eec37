"""A tighter rule stops whom the looser one stopped, and more; it never lets anybody in."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession

from campaigns.candidates import candidates
from conf.load import load_config
from tests.campaign_bank import AS_OF, Bank, make_bank
from tests.property.campaign_oracle import RATES

CUSTOMERS = 200
TIGHTER = {
    "contact_policy.max_contacts_30d=1": "contact_policy.contact_cap",
    "contact_policy.max_household_contacts_30d=1": "contact_policy.household_cap",
    "contact_policy.max_contacts_90d_by_fatigue_class.credit=1": "contact_policy.fatigue_cap",
    "contact_policy.max_contacts_30d_by_channel={branch: 1, phone: 1}":
        "contact_policy.channel_cap",
    "contact_policy.cool_off_days_after.refused=365": "contact_policy.cool_off",
    "contact_policy.min_days_between_contacts=30": "contact_policy.too_soon",
    "care.treatments.fraud_watch=report_fraud": "care.in_care",
    "care.why.fraud_watch={en: x}": "",
    "care.instructions.report_fraud={name: {en: x}, what_to_do: {en: x}, may_contact: false,"
    " contact: {en: x}}": "",
    "care.no_contact=[]": "",
    "products.mortgage.eligibility.min_age=36": "eligibility.too_young",
    "products.mortgage.eligibility.max_age=49": "eligibility.too_old",
    "products.mortgage.eligibility.min_monthly_income=2000.00": "eligibility.income_too_low",
    "products.term_deposit.eligibility.min_balance=3000.00": "eligibility.balance_too_low",
    "products.mortgage.eligibility.requires_any=[current_account]":
        "eligibility.lacks_required_product",
    "products.mortgage.eligibility.excludes=[car_leasing]": "eligibility.holds_excluded_product",
    "offers.home_insurance_2026.channels=[phone]": "consent.no_consent",
    "campaign.min_expected_profit=20.00": "value.not_profitable",
}  # fmt: skip
Failed = dict[tuple[str, str], set[str]]


def failed_gates(spark: SparkSession, bank: Bank, *overrides: str) -> Failed:
    config = load_config("local", overrides)
    rows = candidates(bank.sources(spark), config, AS_OF, RATES).collect()
    return {(row.customer_id, row.offer_id): set(row.failed_gates) for row in rows}


@pytest.mark.slow
def test_a_tighter_rule_makes_nobody_eligible(spark: SparkSession) -> None:
    """All at once: gates do not know of each other, so that each one's code tells its own story."""
    bank = make_bank(21, CUSTOMERS, load_config("local", ()))
    loose = failed_gates(spark, bank)
    tight = failed_gates(spark, bank, *TIGHTER)

    # who was left in peace for fraud gets help now, and who may not be contacted at all need not
    # be asked about profiling where contact is allowed: another gate, and no offer either
    moved = {"care.no_contact_flag", "consent.no_profiling_consent"}
    assert all(loose[pair] - moved <= tight[pair] for pair in loose)
    assert all(tight[pair] for pair in loose if loose[pair])
    found = {code for pair in loose for code in tight[pair] - loose[pair] - moved}
    assert found == {*TIGHTER.values()} - {""}
