"""Who may be approached and profiled: the latest change of each consent, by purpose and channel."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from pyspark.sql import DataFrame, SparkSession

from campaigns.consent import (
    answer_columns,
    consent_basis,
    consent_gates,
    consented_channel,
    granted_consents,
    leave_columns,
)
from conf.jurisdiction import JurisdictionProfile
from conf.schema import Offer
from tables.reason_codes import ReasonCode
from tables.sources import CONSENTS
from tests.gate_rules import AS_OF, CONFIG, failed_codes
from tests.tables import table_rows

EU = CONFIG.jurisdiction.in_force
INTERNAL = CONFIG.products["credit_card"]

PARTNER = CONFIG.products["travel_insurance"]
BY_PHONE_TOO = Offer(
    product="credit_card",
    channels=("branch", "phone"),
    contact_cost=Decimal(4),
    validity_days=30,
    talking_point_id="TP",
)


def granted(spark: SparkSession, changes: str) -> list[str]:
    """What one customer agrees to after these changes."""
    consents = table_rows(spark, CONSENTS, changes, customer_id="C1")
    return [item for row in granted_consents(consents, AS_OF).collect() for item in row.granted]


def asked(
    spark: SparkSession,
    granted_ones: list[str] | None,
    refused: list[str] | None = None,
    law: JurisdictionProfile = EU,
    preferred: str | None = None,
) -> DataFrame:
    """One customer who answered so."""
    ddl = "granted array<string>, refused array<string>, preferred_channel string"
    answers = spark.createDataFrame([(granted_ones, refused, preferred)], ddl)
    channels = BY_PHONE_TOO.channels
    told = answers.select("*", *answer_columns(channels, law))
    return told.select("*", *leave_columns(channels, law))


def test_the_latest_change_of_a_consent_decides(spark: SparkSession) -> None:
    assert granted(
        spark,
        """
        purpose            | channel | changed_at          | is_granted
        marketing_internal | branch  | 2024-01-01T00:00:00 | true
        marketing_internal | branch  | 2024-02-01T00:00:00 | false
        marketing_internal | phone   | 2024-01-01T00:00:00 | false
        marketing_internal | phone   | 2024-02-01T00:00:00 | true
        profiling          | branch  | 2024-02-29T23:59:59 | true
        """,
    ) == ["marketing_internal/phone", "profiling/branch"]


def test_a_grant_for_later_does_not_count_and_a_withdrawal_for_later_does(
    spark: SparkSession,
) -> None:
    assert (
        granted(
            spark,
            """
            purpose            | channel | changed_at          | is_granted
            marketing_internal | branch  | 2024-03-01T00:00:00 | true
            marketing_internal | phone   | 2024-01-01T00:00:00 | true
            marketing_internal | phone   | 2024-03-05T00:00:00 | false
            """,
        )
        == []
    )


@pytest.mark.parametrize(
    ("consents", "expected", "channel"),
    [
        (None, {"NO_CONSENT", "NO_PROFILING_CONSENT"}, None),
        (["marketing_internal/branch"], {"NO_PROFILING_CONSENT"}, None),
        (["profiling/branch"], {"NO_CONSENT"}, None),
        (["marketing_partner/branch", "profiling/branch"], {"NO_CONSENT"}, None),
        (["marketing_internal/branch", "profiling/phone"], {"NO_PROFILING_CONSENT"}, None),
        (["marketing_internal/email", "profiling/email"], {"NO_CONSENT", "NO_PROFILING_CONSENT"},
         None),
        (["marketing_internal/phone", "profiling/phone"], set(), "phone"),
        (["marketing_internal/phone", "profiling/phone", "marketing_internal/branch",
          "profiling/branch"], set(), "branch"),
    ],
)  # fmt: skip
def test_an_offer_needs_marketing_and_profiling_consent_for_one_of_its_channels(
    spark: SparkSession, consents: list[str] | None, expected: set[str], channel: str | None
) -> None:
    customer = asked(spark, consents)
    chosen = consented_channel(BY_PHONE_TOO.channels, INTERNAL)
    row = customer.select(
        failed_codes(consent_gates(BY_PHONE_TOO, INTERNAL)).alias("failed"),
        chosen.alias("channel"),
        consent_basis(INTERNAL, chosen, EU).alias("basis"),
    ).collect()[0]
    assert set(row.failed) == {str(ReasonCode[name]) for name in expected}
    assert row.channel == channel
    assert row.basis == (channel and f"marketing_internal/{channel}")


@pytest.mark.parametrize(
    ("preferred", "channel"), [(None, "branch"), ("phone", "phone"), ("email", "branch")]
)
def test_of_channels_that_are_alike_the_one_is_used_on_which_the_client_said_yes(
    spark: SparkSession, preferred: str | None, channel: str
) -> None:
    leave = [f"{purpose}/{name}" for purpose in ("marketing_internal", "profiling")
             for name in ("branch", "phone", "email")]  # fmt: skip
    customer = asked(spark, leave, preferred=preferred)
    used = consented_channel(BY_PHONE_TOO.channels, INTERNAL)
    assert [row[0] for row in customer.select(used).collect()] == [channel]


@pytest.mark.parametrize(
    ("granted_ones", "refused", "expected", "basis"),
    [
        (None, None, set(), "no_objection_to_marketing_internal/branch"),
        (["marketing_internal/branch"], [], set(), "marketing_internal/branch"),
        ([], ["marketing_internal/branch"], set(), "no_objection_to_marketing_internal/phone"),
        ([], ["marketing_internal/branch", "marketing_internal/phone"], {"NO_CONSENT"}, None),
        ([], ["profiling/branch", "profiling/phone"], {"NO_PROFILING_CONSENT"}, None),
        ([], ["profiling/branch", "marketing_internal/phone"], {"NO_PROFILING_CONSENT"}, None),
    ],
)
def test_where_the_law_lets_it_nothing_known_is_no_objection(
    spark: SparkSession,
    granted_ones: list[str] | None,
    refused: list[str] | None,
    expected: set[str],
    basis: str | None,
) -> None:
    law = CONFIG.jurisdiction.profiles["us_opt_out"]
    customer = asked(spark, granted_ones, refused, law)
    channel = consented_channel(BY_PHONE_TOO.channels, INTERNAL)
    row = customer.select(
        failed_codes(consent_gates(BY_PHONE_TOO, INTERNAL)).alias("failed"),
        consent_basis(INTERNAL, channel, law).alias("basis"),
    ).collect()[0]
    assert (set(row.failed), row.basis) == ({str(ReasonCode[name]) for name in expected}, basis)


def test_a_withdrawal_and_a_grant_for_later_are_refusals(spark: SparkSession) -> None:
    changes = """
        purpose            | channel | changed_at          | is_granted
        marketing_internal | branch  | 2024-01-01T00:00:00 | false
        marketing_internal | phone   | 2023-01-01T00:00:00 | false
        marketing_internal | phone   | 2024-03-01T00:00:00 | true
        marketing_internal | email   | 2024-02-01T00:00:00 | true
        """
    consents = table_rows(spark, CONSENTS, changes, customer_id="C1")
    [row] = granted_consents(consents, AS_OF).collect()
    assert row.granted == ["marketing_internal/email"]
    assert row.refused == ["marketing_internal/branch", "marketing_internal/phone"]


def test_a_partner_offer_needs_the_partner_purpose(spark: SparkSession) -> None:
    customer = asked(spark, ["marketing_internal/branch", "profiling/branch"])
    failed = failed_codes(consent_gates(BY_PHONE_TOO, PARTNER)).alias("failed")
    row = customer.select(failed).first()
    assert row is not None
    assert row.failed == [str(ReasonCode.NO_CONSENT)]


def test_consent_is_asked_at_midnight_utc(spark: SparkSession) -> None:
    consents = spark.createDataFrame(
        [("C1", "profiling", "app", datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC), True)],
        "customer_id string, purpose string, channel string, changed_at timestamp,"
        " is_granted boolean",
    )
    assert granted_consents(consents, AS_OF).count() == 1
