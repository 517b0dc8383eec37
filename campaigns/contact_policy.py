"""May this customer be contacted about this now? Caps, cool-off, and who is left in peace."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, timedelta

from pyspark.sql import Column, DataFrame, Window, functions as F

from campaigns.channel_caps import NO_CAPS, Caps, channel_contacts
from campaigns.gates import Gate
from conf.fields import Channel, FatigueClass
from conf.jurisdiction import Jurisdiction
from conf.schema import ContactPolicy, Product
from tables.reason_codes import ReasonCode

CAP_DAYS = 30
FATIGUE_DAYS = 90
Packages = Mapping[str, tuple[str, ...]]
NO_PACKAGES: Packages = {}
# Who objects to marketing objects to all of it (GDPR art. 21(2)-(3)), not to one product.
FOR_ALL_PRODUCTS = "opt_out"


def contact_facts(
    customers: DataFrame,
    contacts: DataFrame,
    products: Mapping[str, Product],
    policy: ContactPolicy,
    as_of: date,
    *,
    packages: Packages = NO_PACKAGES,
    channel_caps: Caps = NO_CAPS,
) -> DataFrame:
    """What the policy asks about each customer's contacts.

    A contact counts whatever came of it, also while its result is pending, and also when it is
    planned for a day on or after ``as_of``: it was known before. A contact about a package is one
    about each of its products.

    Returns:
        One row per customer: ``contacts_30d``, ``household_contacts_30d``,
        ``contacts_90d_<fatigue class>`` and, of capped channels, ``contacts_30d_by_<channel>``,
        with the day on which each is below its cap again (``<name>_pass_on``),
        ``last_contacted_on``, ``cools_until_<product>``, ``opted_out_until`` and
        ``preferred_channel``.
    """
    classes = policy.max_contacts_90d_by_fatigue_class
    own = contacts.groupBy("customer_id").agg(
        _newest_first(_since(as_of, CAP_DAYS)).alias("days_30d"),
        *(
            _newest_first(
                _since(as_of, FATIGUE_DAYS) & _is_in_class(products, name, packages)
            ).alias(_days_column(name))
            for name in classes
        ),
        *(
            _newest_first(_since(as_of, CAP_DAYS) & (F.col("channel") == channel)).alias(
                _channel_days(channel)
            )
            for channel in channel_caps
        ),
        F.max("contacted_on").alias("last_contacted_on"),
        *(
            F.max(F.when(_is_about([product], packages), _cools_until(policy))).alias(
                _cooling_column(product)
            )
            for product in products
        ),
        F.max(F.when(_is_opt_out(), _cools_until(policy))).alias("opted_out_until"),
        _preferred_channel().alias("preferred_channel"),
    )
    # The right key is unique: `own` has one row per customer.
    known = customers.select("customer_id", "household_id").join(own, "customer_id", how="left")
    households = _with_households(known)
    return households.select(
        "customer_id",
        "last_contacted_on",
        "opted_out_until",
        "preferred_channel",
        *map(_cooling_column, products),
        *_counted("contacts_30d", "days_30d", policy.max_contacts_30d, CAP_DAYS),
        *_counted(
            "household_contacts_30d",
            "household_days_30d",
            policy.max_household_contacts_30d,
            CAP_DAYS,
        ),
        *(
            column
            for name, cap in classes.items()
            for column in _counted(fatigue_column(name), _days_column(name), cap, FATIGUE_DAYS)
        ),
        *(
            column
            for channel, cap in channel_caps.items()
            for column in _counted(channel_contacts(channel), _channel_days(channel), cap, CAP_DAYS)
        ),
    )


def contact_policy_gates(
    product_id: str, product: Product, policy: ContactPolicy, as_of: date
) -> list[Gate]:
    """The rules that may forbid contact now."""
    class_cap = policy.max_contacts_90d_by_fatigue_class[product.fatigue_class]
    next_contact_on = F.date_add("last_contacted_on", policy.min_days_between_contacts)
    # The greatest ignores nulls; without a cool-off there is none.
    cool_on = F.greatest(_cooling_column(product_id), "opted_out_until")
    return [
        _cap(ReasonCode.CONTACT_CAP, "contacts_30d", policy.max_contacts_30d),
        _cap(ReasonCode.HOUSEHOLD_CAP, "household_contacts_30d", policy.max_household_contacts_30d),
        _cap(ReasonCode.FATIGUE_CAP, fatigue_column(product.fatigue_class), class_cap),
        Gate(ReasonCode.COOL_OFF, _is_after(cool_on, as_of), cool_on),
        Gate(ReasonCode.TOO_SOON, _is_after(next_contact_on, as_of), next_contact_on),
        Gate(ReasonCode.EMPLOYEE, F.coalesce(F.col("is_employee"), F.lit(True))),
    ]


def quiet_period_gates(law: Jurisdiction, gap_days: int, as_of: date) -> list[Gate]:
    """No offer begins on a quiet day; it begins ``gap_days`` after the as-of date.

    Returns:
        One gate, or none where no quiet period is configured.
    """
    if not law.quiet_periods:
        return []
    gap = timedelta(days=gap_days)
    passes_on = law.first_day_not_quiet(as_of + gap) - gap
    return [Gate(ReasonCode.QUIET_PERIOD, F.lit(passes_on > as_of), passes_on)]


def customer_contacts_left(policy: ContactPolicy) -> Column:
    """Contacts that the customer's own cap still allows."""
    return _left(policy.max_contacts_30d, "contacts_30d")


def household_contacts_left(policy: ContactPolicy) -> Column:
    """Contacts that the household's cap still allows."""
    return _left(policy.max_household_contacts_30d, "household_contacts_30d")


def class_contacts_left(policy: ContactPolicy, *fatigue_classes: FatigueClass) -> Column:
    """Contacts that the cap of each of these fatigue classes still allows."""
    caps = policy.max_contacts_90d_by_fatigue_class
    left = [_left(caps[name], fatigue_column(name)) for name in fatigue_classes]
    return left[0] if len(left) == 1 else F.least(*left)


def fatigue_column(fatigue_class: FatigueClass) -> str:
    """Where the contacts of a fatigue class are counted."""
    return f"contacts_90d_{fatigue_class}"


def _left(cap: int, counted: str) -> Column:
    return F.greatest(F.lit(cap) - F.col(counted), F.lit(0)).cast("int")


def _cap(code: ReasonCode, counted: str, cap: int) -> Gate:
    return Gate(code, F.col(counted) >= cap, F.col(_pass_column(counted)))


def _is_after(day: Column, as_of: date) -> Column:
    return F.coalesce(day > F.lit(as_of), F.lit(False))


def _counted(name: str, days: str, cap: int, window: int) -> list[Column]:
    """How many contacts lie in the window, and the day on which they are below the cap.

    That is when the cap-th newest contact has left it; with a cap of zero, never.
    """
    decisive = F.get(F.col(days), F.lit(cap - 1)) if cap else F.lit(None).cast("date")
    return [
        F.coalesce(F.size(days), F.lit(0)).alias(name),
        F.date_add(decisive, window + 1).alias(_pass_column(name)),
    ]


def _pass_column(counted: str) -> str:
    return f"{counted}_pass_on"


def _days_column(fatigue_class: FatigueClass) -> str:
    return f"days_90d_{fatigue_class}"


def _channel_days(channel: Channel) -> str:
    return f"days_30d_by_{channel}"


def _cooling_column(product_id: str) -> str:
    return f"cools_until_{product_id}"


def _with_households(known: DataFrame) -> DataFrame:
    """Add the contacts of those who live together, ``household_days_30d``."""
    people = Window.partitionBy(*household_key()).rowsBetween(
        Window.unboundedPreceding, Window.unboundedFollowing
    )
    own = F.coalesce("days_30d", F.array().cast("array<date>"))
    days = F.flatten(F.collect_list(own).over(people))
    return known.select("*", F.sort_array(days, asc=False).alias("household_days_30d"))


def household_key() -> list[Column]:
    """Who lives together; a customer without a household lives alone."""
    alone = F.when(F.col("household_id").isNull(), F.col("customer_id"))
    return [F.col("household_id"), alone]


def _newest_first(condition: Column) -> Column:
    """The days of contacts, the newest first."""
    return F.sort_array(F.collect_list(F.when(condition, F.col("contacted_on"))), asc=False)


def _since(as_of: date, days: int) -> Column:
    return F.col("contacted_on") >= F.lit(as_of - timedelta(days=days))


def _is_in_class(
    products: Mapping[str, Product], fatigue_class: FatigueClass, packages: Packages
) -> Column:
    members = [name for name, item in products.items() if item.fatigue_class == fatigue_class]
    return _is_about(members, packages)


def _is_about(members: Collection[str], packages: Packages) -> Column:
    """About one of these products, alone or in a package."""
    is_alone = F.col("product_id").isin(*members)
    with_them = [name for name, parts in packages.items() if set(parts) & set(members)]
    if not with_them:
        return is_alone
    return is_alone | F.coalesce(F.col("offer_id").isin(*with_them), F.lit(False))


def _is_opt_out() -> Column:
    return F.coalesce(F.col("disposition") == FOR_ALL_PRODUCTS, F.lit(False))


def _preferred_channel() -> Column:
    """The channel of the newest contact that the customer said yes to; null without one."""
    said_yes = F.coalesce(F.col("disposition").isin("interested", "sold"), F.lit(False))
    # A text that sorts by day, then contact: engines differ in what they can order structs by.
    said_on = F.coalesce("contacted_on", "disposition_on").cast("string")
    contact = F.concat_ws("|", said_on, "contact_id", "channel")
    return F.substring_index(F.max(F.when(said_yes, contact)), "|", -1)


def _cools_until(policy: ContactPolicy) -> Column:
    """The day on which the cool-off after a contact's result is over, or null.

    The result's day is the contact's if unknown.
    """
    result_on = F.coalesce("disposition_on", "contacted_on")
    days = F.lit(None).cast("int")
    for disposition, cool_off in policy.cool_off_days_after.items():
        days = F.when(F.col("disposition") == disposition, F.lit(cool_off)).otherwise(days)
    return F.date_add(result_on, days)
