"""The types of `conf/*/checks.yaml`: how far data may be from what was before."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StrictFloat

from conf.fields import (
    Count,
    Days,
    Identifier,
    Months,
    Positive,
    QuarantineRule,
    Settings,
    Share,
    SourceTable,
)


class TrailingSettings(Settings):
    """What a delivery may differ in from those of the months before it.

    Attributes:
        months: How many months before the newest one it is compared with.
        min_months: With fewer months nothing is compared.
        min_rows: Groups of fewer rows differ by chance alone and are not compared.
        empty_from: Rows a month from which on an empty delivery stops publication.
        min_code_rows: Rows from which on a code that is new is told.
        max_volume_factor: Rows are at most so many times their median of the months before, and at
            least that part of it.
        max_volume_factors: The same, by table.
        max_null_share_change: Of a column's share of nulls.
        max_credit_share_change: Of the credits' share of bookings.
        min_side_share: Of bookings, for credits as for debits.
        max_days_since_delivery: From a table's last delivery to the as-of date.
        max_days_since_record: By table: from its newest row's known time to the as-of date.
        max_unbalanced_share: Of accounts whose balances and amounts disagree; a warning.
        max_unbalanced_share_critical: The same, and publication stops.
    """

    months: Months
    min_months: Months
    min_rows: Positive
    empty_from: Positive
    min_code_rows: Positive
    max_volume_factor: Annotated[StrictFloat, Field(ge=1)]
    max_volume_factors: dict[Identifier, Annotated[StrictFloat, Field(ge=1)]]
    max_null_share_change: Share
    max_credit_share_change: Share
    min_side_share: Share
    max_days_since_delivery: Days
    max_days_since_record: dict[Identifier, Days]
    max_unbalanced_share: Share
    max_unbalanced_share_critical: Share


class FeatureCheckSettings(Settings):
    """What the features of a month may differ in from those that models were trained on.

    Attributes:
        max_psi_warning: Drift of a feature against the training snapshots.
        max_coverage_fall: Of the share of customers with data, against last month.
        min_customers: With fewer on either side, no drift is computed.
        min_customers_shown: A code or quantile that rests on fewer is not shown.
    """

    max_psi_warning: Annotated[StrictFloat, Field(ge=0)]
    max_coverage_fall: Share
    min_customers: Positive
    min_customers_shown: Positive


class CheckSettings(Settings):
    """Bounds of the table contracts.

    Attributes:
        max_quarantine_share: Of a table's rows in a delivery, whatever the reasons.
        max_quarantine_share_by_rule: Of the rows with one reason, by the rule they break.
        may_become_empty: Whole tables that may come without rows after they had some.
        min_base_rate: Smallest mean propensity of a product.
        max_base_rate: Largest one.
        max_psi_warning: Drift of scores against the month before.
        min_active_customers: Fewer have features, and publication stops.
        trailing: The newest month of deliveries beside those before it.
        features: Features of the month beside those that models were trained on.
    """

    max_quarantine_share: Share
    max_quarantine_share_by_rule: dict[QuarantineRule, Share]
    may_become_empty: tuple[SourceTable, ...]
    min_base_rate: Share
    max_base_rate: Share
    max_psi_warning: Annotated[StrictFloat, Field(ge=0)]
    min_active_customers: Count
    trailing: TrailingSettings
    features: FeatureCheckSettings
