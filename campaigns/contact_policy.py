"""May this customer be contacted about this now? Caps, cool-off, and who is left in peace."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import reduce
from operator import or_

from pyspark.sql import Column, DataFrame, Window, functions as F

from campaigns.gates import Gate
from conf.fields import FatigueClass
from conf.schema import ContactPolicy, Product
from tables.reason_codes import ReasonCode

CAP_DAYS = 30
FATIGUE_DAYS = 90
# Who objects to marketing objects to all of it (GDPR art. 21(2)-(3)), not to one product.
FOR_ALL_PRODUCTS = "opt_out"


def contact_facts(
    customers: DataFrame,
    contacts: DataFrame,
    products: Mapping[str, Product],
    policy: ContactPolicy,
    as_of: date,
) -> DataFrame:
    """What the policy asks about each customer's contacts.

    A contact counts whatever came of it, also while its result is pending, and also when it is
    planned for a day on or after ``as_of``: it was known before.

    Returns:
        One row per customer: ``contacts_30d``, ``household_contacts_30d``,
        ``contacts_90d_<fatigue class>``, ``last_contacted_on``, ``cooling_products`` (array) and
        ``has_opted_out``.
    """
    own = contacts.groupBy("customer_id").agg(
        _count(_since(as_of, CAP_DAYS)).alias("contacts_30d"),
        *(
            _count(_since(as_of, FATIGUE_DAYS) & _is_in_class(products, name)).alias(
                fatigue_column(name)
            )
            for name in policy.max_contacts_90d_by_fatigue_class
        ),
        F.max("contacted_on").alias("last_contacted_on"),
        F.collect_set(F.when(_is_cooling(policy, as_of), F.col("product_id"))).alias(
            "cooling_products"
        ),
        F.max(_is_cooling(policy, as_of) & _is_opt_out()).alias("has_opted_out"),
    )
    return _with_households(customers, own, policy)


def contact_policy_gates(
    product_id: str, product: Product, policy: ContactPolicy, as_of: date
) -> list[Gate]:
    """The rules that may forbid contact now."""
    class_cap = policy.max_contacts_90d_by_fatigue_class[product.fatigue_class]
    not_before = as_of - timedelta(days=policy.min_days_between_contacts)
    is_too_soon = F.coalesce(F.col("last_contacted_on") > F.lit(not_before), F.lit(False))
    is_cooling = F.coalesce(F.array_contains("cooling_products", product_id), F.lit(False))
    return [
        Gate(ReasonCode.CONTACT_CAP, F.col("contacts_30d") >= policy.max_contacts_30d),
        Gate(
            ReasonCode.HOUSEHOLD_CAP,
            F.col("household_contacts_30d") >= policy.max_household_contacts_30d,
        ),
        Gate(ReasonCode.FATIGUE_CAP, F.col(fatigue_column(product.fatigue_class)) >= class_cap),
        Gate(ReasonCode.COOL_OFF, is_cooling | F.col("has_opted_out")),
        Gate(ReasonCode.TOO_SOON, is_too_soon),
        Gate(ReasonCode.EMPLOYEE, F.coalesce(F.col("is_employee"), F.lit(True))),
    ]


def customer_contacts_left(policy: ContactPolicy) -> Column:
    """Contacts that the customer's own cap still allows."""
    return _left(policy.max_contacts_30d, "contacts_30d")


def household_contacts_left(policy: ContactPolicy) -> Column:
    """Contacts that the household's cap still allows."""
    return _left(policy.max_household_contacts_30d, "household_contacts_30d")


def class_contacts_left(policy: ContactPolicy, fatigue_class: FatigueClass) -> Column:
    """Contacts that the cap of a fatigue class still allows."""
    cap = policy.max_contacts_90d_by_fatigue_class[fatigue_class]
    return _left(cap, fatigue_column(fatigue_class))


def fatigue_column(fatigue_class: FatigueClass) -> str:
    """Where the contacts of a fatigue class are counted."""
    return f"contacts_90d_{fatigue_class}"


def _left(cap: int, counted: str) -> Column:
    return F.greatest(F.lit(cap) - F.col(counted), F.lit(0)).cast("int")


def _with_households(customers: DataFrame, own: DataFrame, policy: ContactPolicy) -> DataFrame:
    counts = ["contacts_30d", *map(fatigue_column, policy.max_contacts_90d_by_fatigue_class)]
    # The right key is unique: `own` has one row per customer.
    facts = customers.select("customer_id", "household_id").join(own, "customer_id", how="left")
    counted = facts.select(
        "customer_id",
        "household_id",
        *(F.coalesce(F.col(name), F.lit(0)).alias(name) for name in counts),
        "last_contacted_on",
        "cooling_products",
        F.coalesce("has_opted_out", F.lit(False)).alias("has_opted_out"),
    )
    people = Window.partitionBy(*household_key()).rowsBetween(
        Window.unboundedPreceding, Window.unboundedFollowing
    )
    return counted.select(
        "customer_id",
        *counts,
        "last_contacted_on",
        "cooling_products",
        "has_opted_out",
        F.sum("contacts_30d").over(people).alias("household_contacts_30d"),
    )


def household_key() -> list[Column]:
    """Who lives together; a customer without a household lives alone."""
    alone = F.when(F.col("household_id").isNull(), F.col("customer_id"))
    return [F.col("household_id"), alone]


def _count(condition: Column) -> Column:
    return F.count(F.when(condition, F.lit(1)))


def _since(as_of: date, days: int) -> Column:
    return F.col("contacted_on") >= F.lit(as_of - timedelta(days=days))


def _is_in_class(products: Mapping[str, Product], fatigue_class: FatigueClass) -> Column:
    members = [name for name, item in products.items() if item.fatigue_class == fatigue_class]
    return F.col("product_id").isin(members)


def _is_opt_out() -> Column:
    return F.coalesce(F.col("disposition") == FOR_ALL_PRODUCTS, F.lit(False))


def _is_cooling(policy: ContactPolicy, as_of: date) -> Column:
    """A result whose cool-off has not ended; its day is the contact's if unknown."""
    result_on = F.coalesce("disposition_on", "contacted_on")
    rules = [
        (F.col("disposition") == disposition) & (result_on > F.lit(as_of - timedelta(days=days)))
        for disposition, days in policy.cool_off_days_after.items()
    ]
    return F.coalesce(reduce(or_, rules, F.lit(False)), F.lit(False))
