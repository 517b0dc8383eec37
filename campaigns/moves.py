"""What kind of sale an offer is, and the response to those that no score is about."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from pyspark.sql import Column, DataFrame, functions as F

from campaigns.bundles import holds, least_response, package_margin
from conf.schema import Offer, RunConfig
from tables.windows import months_before

MONEY = "decimal(18,2)"
RENEWAL_RATE, LEAST_COMPONENT = "renewal_rate", "least_component"
MONTHS = 12
# So long after its end a holding counts as renewed if the client has the product.
SETTLED_DAYS = 30
# A rate of fewer ends is left to chance.
FEWEST_ENDS = 30
RenewalRates = Mapping[str, float]
NO_RATES: RenewalRates = {}


def move(offer: Offer, config: RunConfig) -> Column:
    """Up-sell to who holds what the product upgrades, else a cross-sell of its kind."""
    product = config.products[offer.product]
    if offer.move or offer.bundle:
        return F.lit(offer.move or "bundle")
    cross_sell = F.lit(f"cross_sell_{product.kind}")
    if product.upgrade_of is None:
        return cross_sell
    return F.when(holds(product.upgrade_of), F.lit("up_sell")).otherwise(cross_sell)


def own_response(offer: Offer, rates: RenewalRates) -> tuple[Column, Column]:
    """The response to an offer that the score of its product is not about, and what it rests on.

    Models are trained on who did not hold the product: of holders they know nothing, so that to who
    renews, the share that renewed before stands in for them.

    Returns:
        Both null where the score is to be taken; the response alone is null where it is unknown.
    """
    if offer.bundle:
        return least_response(offer.bundle), F.lit(LEAST_COMPONENT)
    if offer.move != "renewal":
        return F.lit(None).cast("double"), F.lit(None).cast("string")
    rate = F.lit(rates.get(offer.product)).cast("double")
    is_held = holds(offer.product)
    return F.when(is_held, rate), F.when(is_held, F.lit(RENEWAL_RATE))


def of_move(own: str, of_score: Column) -> Column:
    """What the offer says of itself, or what its score says."""
    return F.when(F.col("own_basis").isNull(), of_score).otherwise(F.col(own))


def propensity_of_move() -> Column:
    """Of a renewal the share that renewed: a score says nothing of who holds the product."""
    is_renewed = F.col("own_basis").eqNullSafe(F.lit(RENEWAL_RATE))
    return F.when(is_renewed, F.col("own_response")).otherwise(F.col("propensity"))


def margin(offer: Offer, config: RunConfig) -> Column:
    """What one sale brings over its horizon."""
    if offer.bundle:
        return package_margin(offer.bundle, config).cast(MONEY)
    return F.lit(config.products[offer.product].expected_margin).cast(MONEY)


def renewals(then: DataFrame, now: DataFrame, as_of: date) -> DataFrame:
    """How many holdings came to their end in the year before, and after how many the client stayed.

    Args:
        then: Holdings as known ``MONTHS`` before the as-of date.
        now: Holdings as known before it.
        as_of: Ends count up to ``SETTLED_DAYS`` before it.

    Returns:
        One row per product: ``ended`` and ``renewed``: some days later the client had it, be it the
        same holding with another end or a new one.
    """
    since = months_before(as_of, MONTHS)
    is_open = (F.col("opened_on") < F.lit(since)) & (
        F.col("closed_on").isNull() | (F.col("closed_on") >= F.lit(since))
    )
    settled_on = F.date_add("matures_on", SETTLED_DAYS)
    ends = then.where(
        is_open & (F.col("matures_on") >= F.lit(since)) & (settled_on < F.lit(as_of))
    ).select("holding_id", "customer_id", "product_id", settled_on.alias("settled_on"))
    later = now.select("customer_id", "product_id", "opened_on", "closed_on")
    has_it = (F.col("opened_on") <= F.col("settled_on")) & (
        F.col("closed_on").isNull() | (F.col("closed_on") > F.col("settled_on"))
    )
    # Several rows of one end, one per holding of the client, become one again.
    stayed = ends.join(later, ["customer_id", "product_id"], how="left").groupBy(
        "holding_id", "product_id"
    )
    found = stayed.agg(F.max(F.coalesce(has_it, F.lit(False))).alias("is_renewed"))
    return found.groupBy("product_id").agg(
        F.count(F.lit(1)).alias("ended"), F.count_if("is_renewed").alias("renewed")
    )


def renewal_rates(counts: Mapping[str, tuple[int, int]], config: RunConfig) -> RenewalRates:
    """The share of ends that were renewals, by product with an offer of renewal.

    Args:
        counts: By product how many ended, and how many of them were renewed.
        config: Which products are renewed.

    Returns:
        That of the product; of all products together if too few of its own ended; nothing if too
        few ended at all, and then nobody is offered a renewal whose worth is unknown.
    """
    ended = sum(count for count, _ in counts.values())
    pooled = (ended, sum(count for _, count in counts.values()))
    wanted = {offer.product for offer in config.offers.values() if offer.move == "renewal"}
    rates = {}
    for product_id in sorted(wanted):
        own = counts.get(product_id, (0, 0))
        count, renewed = own if own[0] >= FEWEST_ENDS else pooled
        if count >= FEWEST_ENDS:
            rates[product_id] = renewed / count
    return rates
