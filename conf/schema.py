"""The types of everything that stands in `conf/`: frozen, strict, with ranges.

A field without a default must stand in the YAML; a field with one is optional there, and its
default is nowhere else.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
)

from conf.wording import ANY_LANGUAGE, InLanguages, Language, Name


def _to_cents(amount: Decimal) -> Decimal:
    # 4, 4.0 and 4.00 are one amount and must give one hash
    return amount.quantize(Decimal("0.01"))


Share = Annotated[StrictFloat, Field(ge=0, le=1)]
Money = Annotated[Decimal, Field(max_digits=18, decimal_places=2), AfterValidator(_to_cents)]
Cost = Annotated[Decimal, Field(ge=0, max_digits=18, decimal_places=2), AfterValidator(_to_cents)]
Days = Annotated[StrictInt, Field(ge=0, le=36_500)]
Count = Annotated[StrictInt, Field(ge=0)]
Positive = Annotated[StrictInt, Field(ge=1)]
Months = Annotated[StrictInt, Field(ge=1, le=120)]
Age = Annotated[StrictInt, Field(ge=0, le=130)]
SourceTable = Literal[
    "branches",
    "advisors",
    "fx_rates",
    "customers",
    "accounts",
    "transactions",
    "holdings",
    "consents",
    "flags",
    "contacts",
    "customer_merges",
]
# Why a row may be in quarantine: the rules of extracts/rules.py.
QuarantineRule = Literal[
    "type",
    "missing",
    "code",
    "implausible_date",
    "future",
    "recorded_too_late",
    "duplicate_key",
    "orphan",
]
Identifier = Annotated[StrictStr, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,63}$")]

Channel = Literal["branch", "phone", "email", "sms", "post", "app"]
Flag = Literal["financial_difficulty", "vulnerable", "complaint_open", "fraud_watch", "bereavement"]
Disposition = Literal[
    "contacted", "no_answer", "interested", "sold", "refused", "opt_out", "unsuitable"
]
FatigueClass = Literal["everyday", "credit", "wealth", "protection"]


class Settings(BaseModel):
    """Base of every configuration type: immutable, and a key it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class EngineSettings(Settings):
    """Which engine runs the DataFrame code."""

    kind: Literal["embedded", "spark", "connect"]
    url: StrictStr
    shuffle_partitions: Annotated[StrictInt, Field(ge=1, le=10_000)]


class BankSettings(Settings):
    """Whose data these are."""

    name: StrictStr
    base_currency: Annotated[StrictStr, Field(pattern=r"^[A-Z]{3}$")]
    language: Language
    source: Identifier
    transaction_buckets: Annotated[StrictInt, Field(ge=1, le=4096)]


class TimeSettings(Settings):
    """Windows, in whole months and days (STYLE: as-of date, gap, outcome window, cohort)."""

    observation_months: Months
    gap_days: Days
    outcome_months: Months
    train_cohorts: Annotated[StrictInt, Field(ge=1, le=60)]


class LifetimeValueSettings(Settings):
    """How margin still to come is counted (`features/product_facts.py`)."""

    discount_rate: Share
    least_remaining_share: Share


class EligibilityRules(Settings):
    """May a customer hold this product? A rule left out does not restrict."""

    min_age: Age | None = None
    max_age: Age | None = None
    min_monthly_income: Money | None = None
    min_balance: Money | None = None
    requires_any: tuple[Identifier, ...] = ()
    excludes: tuple[Identifier, ...] = ()


class Product(Settings):
    """Something the bank or a partner sells."""

    name: Name
    kind: Literal["internal", "partner"]
    partner: Identifier | None = None
    business_line: Identifier
    role: Literal["core", "periphery"]
    margin_per_sale: Cost | None = None
    margin_per_year: Cost | None = None
    horizon_months: Months | None = None
    fatigue_class: FatigueClass
    is_credit: StrictBool = False
    can_be_held_twice: StrictBool = False
    upgrade_of: Identifier | None = None
    complements: tuple[Identifier, ...] = ()
    eligibility: EligibilityRules = EligibilityRules()
    client_benefit: dict[str, StrictStr]

    @property
    def expected_margin(self) -> Decimal:
        """Margin of one sale over its horizon, undiscounted, in the base currency."""
        per_sale = self.margin_per_sale or Decimal(0)
        per_year = self.margin_per_year or Decimal(0)
        months = Decimal(self.horizon_months or 0)
        return (per_sale + per_year * months / 12).quantize(Decimal("0.01"))

    def named(self, language: Language) -> str:
        """Its name in a language."""
        return self.name.get(language) or self.name[ANY_LANGUAGE]


class Partner(Settings):
    """A company whose products the bank offers."""

    name: StrictStr
    business_line: Identifier


class Offer(Settings):
    """A product with its terms."""

    product: Identifier
    channels: Annotated[tuple[Channel, ...], Field(min_length=1)]
    contact_cost: Cost
    validity_days: Annotated[StrictInt, Field(ge=1, le=366)]
    talking_point_id: Identifier


class GateSettings(Settings):
    """What a challenger must reach to become champion.

    Attributes:
        max_ece: Mean distance between propensity and rate, beyond what chance explains.
        min_auc: Ranking on the test cohort.
        min_test_positives: With fewer test buyers the AUC says nothing and is not judged.
        max_group_ratio: How many times more, or less, often than predicted a protected group may
            buy, beside all customers (`models/fairness.py`).
    """

    max_ece: Share
    min_auc: Share
    min_test_positives: Count
    max_group_ratio: Annotated[StrictFloat, Field(ge=1)]


class FairnessSettings(Settings):
    """Protected groups, none of which a model knows of, and how each is measured.

    Attributes:
        attributes: Of customers; null is a group of its own.
        genders: Words of the bank that a card may show; every other counts as ``other``.
        age_bands: The age at which each band but the first begins.
        min_customers: Of smaller groups nothing is shown, and nothing is judged by them.
    """

    attributes: tuple[Literal["gender", "age_band", "language"], ...]
    genders: tuple[str, ...]
    age_bands: Annotated[tuple[Age, ...], Field(min_length=1)]
    min_customers: Positive


class ModelSettings(Settings):
    """Training of the propensity models.

    Attributes:
        min_positives: A product with fewer buyers in the training cohorts has no own booster.
        min_pooled_positives: With fewer over all products there is no pooled model either.
        negatives_per_positive: Training customers without the purchase per one with it.
        max_evaluation_customers: Drawn of the calibration cohort at most, and as many of the test
            cohort; features are computed for nobody else.
        rounds: Most trees of a booster.
        early_stopping_rounds: Trees without gain after which no more are added.
        learning_rate: How much one tree counts.
        num_leaves: Of one tree.
        min_data_in_leaf: Customers in a leaf.
        seed: Of every draw.
        processes: That train side by side.
        bootstrap_samples: Behind each interval.
        gate: What a challenger must reach.
        fairness: Protected groups that are measured.
        auto_promote: The gate alone puts a challenger in use.
        four_eyes: One person proposes a promotion, another one makes it.
        accelerator: What predicts in place of LightGBM, for models that it was equal for.
    """

    min_positives: Positive
    min_pooled_positives: Positive
    negatives_per_positive: Positive
    max_evaluation_customers: Positive
    rounds: Annotated[StrictInt, Field(ge=1, le=10_000)]
    early_stopping_rounds: Positive
    learning_rate: Annotated[StrictFloat, Field(gt=0, le=1)]
    num_leaves: Annotated[StrictInt, Field(ge=2, le=4096)]
    min_data_in_leaf: Positive
    seed: Count
    processes: Annotated[StrictInt, Field(ge=1, le=256)]
    bootstrap_samples: Annotated[StrictInt, Field(ge=10, le=100_000)]
    gate: GateSettings
    fairness: FairnessSettings
    auto_promote: StrictBool
    four_eyes: StrictBool
    accelerator: Literal["none", "onedal"]


class ContactPolicy(Settings):
    """Limits on how often a customer is approached (rolling, before the as-of date)."""

    max_contacts_30d: Count
    max_household_contacts_30d: Count
    max_contacts_90d_by_fatigue_class: dict[FatigueClass, Count]
    cool_off_days_after: dict[Disposition, Days]
    min_days_between_contacts: Days


class CarePolicy(Settings):
    """Which clients get help instead of a sales offer, and which get no contact at all."""

    treatments: dict[Flag, Identifier]
    no_contact: tuple[Flag, ...]


class CampaignSettings(Settings):
    """One monthly campaign: its limits and its control group."""

    campaign_id: Identifier
    max_offers_per_customer: Positive
    max_offers_per_household: Positive
    branch_capacity: Count
    branch_capacity_overrides: dict[StrictStr, Count]
    min_expected_profit: Money
    control_share: Share
    global_holdout_share: Share
    salt: Annotated[StrictStr, Field(min_length=4)]


class LastResort(Settings):
    """Sentences that are true of everybody who gets an offer, the most telling first."""

    upgrade: InLanguages
    complement: InLanguages
    neither: InLanguages


class ReasonSettings(Settings):
    """Why this client: every sentence, in every language.

    Attributes:
        window: How ``{window}`` is said, by ``{months}``.
        of_a_value: By fact: told of a value that sets the client apart.
        of_nothing: By fact: told where it is zero, no or unknown.
        last_resort: Told where no feature can be.
    """

    window: InLanguages
    of_a_value: dict[Identifier, InLanguages]
    of_nothing: dict[Identifier, InLanguages]
    last_resort: LastResort


class RoleSettings(Settings):
    """What somebody may see."""

    list_columns: Annotated[tuple[Identifier, ...], Field(min_length=1)]


class Roles(Settings):
    """Who sees what."""

    branch: RoleSettings


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


class RunConfig(Settings):
    """The merged, validated whole of `conf/base`, `conf/<env>` and `--set`."""

    engine: EngineSettings
    bank: BankSettings
    time: TimeSettings
    lifetime_value: LifetimeValueSettings
    products: Annotated[dict[Identifier, Product], Field(min_length=1)]
    partners: dict[Identifier, Partner]
    offers: Annotated[dict[Identifier, Offer], Field(min_length=1)]
    models: ModelSettings
    contact_policy: ContactPolicy
    care: CarePolicy
    campaign: CampaignSettings
    reasons: ReasonSettings
    roles: Roles
    checks: CheckSettings
