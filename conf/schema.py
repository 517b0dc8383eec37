"""The types of everything that stands in `conf/`: frozen, strict, with ranges.

A field without a default must stand in the YAML; a field with one is optional there, and its
default is nowhere else.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictInt, StrictStr

from conf.care import CarePolicy
from conf.check_settings import CheckSettings
from conf.combination_settings import CombinationSettings
from conf.fairness_settings import FairnessReport
from conf.fields import (
    Age,
    Channel,
    Cost,
    Count,
    Days,
    Disposition,
    FatigueClass,
    Identifier,
    Money,
    Months,
    Positive,
    Settings,
    Share,
)
from conf.jurisdiction import Jurisdiction
from conf.measurement_settings import MeasurementSettings
from conf.model_settings import ModelSettings
from conf.moves import Bundle, Event, Trigger
from conf.product_use import ProductUse
from conf.way_settings import ChannelSettings, CreditSettings, Lever
from conf.wording import ANY_LANGUAGE, InLanguages, Language, Name, NonEmpty


class EngineSettings(Settings):
    """Which engine runs the DataFrame code."""

    kind: Literal["embedded", "spark", "connect"]
    url: StrictStr
    shuffle_partitions: Annotated[StrictInt, Field(ge=1, le=10_000)]


class BankSettings(Settings):
    """Whose data these are."""

    name: StrictStr
    log_name: Annotated[StrictStr, Field(pattern=r"^[^\s+]+$")]
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
    """Something the bank or a partner sells.

    Attributes:
        use: What in the bank's data shows that it is used; without it the bank cannot see that.
    """

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
    use: ProductUse | None = None

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
    """A product with its terms.

    Attributes:
        move: ``renewal``: to who holds it, before it ends. Otherwise the product says what it is.
        trigger: The offer is due after this event only.
        bundle: The offer is a package; ``product`` is the one of it that reasons and quotas name.
    """

    product: Identifier
    channels: Annotated[tuple[Channel, ...], Field(min_length=1)]
    contact_cost: Cost
    validity_days: Annotated[StrictInt, Field(ge=1, le=366)]
    talking_point_id: Identifier
    move: Literal["renewal"] | None = None
    trigger: Trigger | None = None
    bundle: Bundle | None = None

    @property
    def products(self) -> tuple[str, ...]:
        """What it is made of."""
        return self.bundle.products if self.bundle else (self.product,)


class ContactPolicy(Settings):
    """Limits on how often a customer is approached (rolling, before the as-of date).

    Attributes:
        max_contacts_30d_by_channel: Of one customer, beside the cap of all channels together; 0
            closes a channel, one that is not named has no cap of its own.
    """

    max_contacts_30d: Count
    max_household_contacts_30d: Count
    max_contacts_30d_by_channel: dict[Channel, Count]
    max_contacts_90d_by_fatigue_class: dict[FatigueClass, Count]
    cool_off_days_after: dict[Disposition, Days]
    min_days_between_contacts: Days


class Quota(Settings):
    """How many offers there must be at least, and may be at most."""

    min: Count = 0
    max: Count | None = None


class AppliesTo(Settings):
    """Which offers a rule is about: those named in any way; every offer if nothing is named."""

    offers: tuple[Identifier, ...] = ()
    products: tuple[Identifier, ...] = ()
    partners: tuple[Identifier, ...] = ()

    def is_about(self, offer_id: str, product_id: str, partner: str | None) -> bool:
        """An offer of that product, and of that partner if it is a partner's."""
        is_named = offer_id in self.offers or product_id in self.products
        names_nothing = not (self.offers or self.products or self.partners)
        return names_nothing or is_named or partner in self.partners


class BankRule(Settings):
    """A rule of the bank's own: a condition over facts of a client (`campaigns/bank_rules.py`)."""

    version: Positive
    description: Annotated[dict[Language, NonEmpty], Field(min_length=1)]
    applies_to: AppliesTo = AppliesTo()
    allow_when: Annotated[StrictStr, Field(min_length=1, max_length=1000)]


class CampaignSettings(Settings):
    """One monthly campaign: its limits and its control group.

    Attributes:
        branch_minutes: What a branch's contacts may take together; ``contact_minutes`` by channel.
        advisor_capacity: Contacts that an advisor can make.
        advisor_minutes: What an advisor's contacts may take together.
        budget: What all contacts together may cost.
        max_offers: How many offers the whole campaign may make.
        exploration_share: Of customers for whom chance chooses, and of a branch's contacts that
            are theirs at most.
    """

    campaign_id: Identifier
    max_offers_per_customer: Positive
    max_offers_per_household: Positive
    branch_capacity: Count
    branch_capacity_overrides: dict[StrictStr, Count]
    min_expected_profit: Money
    control_share: Share
    global_holdout_share: Share
    salt: Annotated[StrictStr, Field(min_length=4)]
    branch_minutes: Count | None = None
    contact_minutes: dict[Channel, Count] = Field(default={})
    advisor_capacity: Count | None = None
    advisor_minutes: Count | None = None
    product_quotas: dict[Identifier, Quota] = Field(default={})
    partner_quotas: dict[Identifier, Quota] = Field(default={})
    budget: Cost | None = None
    max_offers: Count | None = None
    exploration_share: Share = 0.0


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
        events: By event: why an offer is due, and until when.
        maturity_of_an_amount: That of ``maturity`` where it is known how much is on what ends.
    """

    window: InLanguages
    of_a_value: dict[Identifier, InLanguages]
    of_nothing: dict[Identifier, InLanguages]
    last_resort: LastResort
    events: dict[Event, InLanguages]
    maturity_of_an_amount: InLanguages


class RoleSettings(Settings):
    """What somebody may see: columns of lists, and of whom."""

    rows: Literal["all", "own_branch"]
    list_columns: Annotated[tuple[Identifier, ...], Field(min_length=1)]


class Roles(Settings):
    """Who sees what."""

    branch: RoleSettings
    campaign: RoleSettings
    science: RoleSettings
    compliance: RoleSettings


class RunConfig(Settings):
    """The merged, validated whole of `conf/base`, `conf/<env>` and `--set`."""

    engine: EngineSettings
    bank: BankSettings
    time: TimeSettings
    lifetime_value: LifetimeValueSettings
    products: Annotated[dict[Identifier, Product], Field(min_length=1)]
    partners: dict[Identifier, Partner]
    offers: Annotated[dict[Identifier, Offer], Field(min_length=1)]
    channels: dict[Channel, ChannelSettings]
    levers: dict[Identifier, Lever]
    credit: CreditSettings
    models: ModelSettings
    contact_policy: ContactPolicy
    care: CarePolicy
    rules: dict[Identifier, BankRule]
    jurisdiction: Jurisdiction
    campaign: CampaignSettings
    combinations: CombinationSettings
    fairness: FairnessReport
    measurement: MeasurementSettings
    reasons: ReasonSettings
    roles: Roles
    checks: CheckSettings
