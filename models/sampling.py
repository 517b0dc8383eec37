"""Which customers of each cohort a model is trained, calibrated and tested on.

Decided before any feature is known: of a training cohort everybody who bought something and a
share of the others, of the later cohorts a share of everybody. A sampled customer has a weight,
1 ÷ the chance of being sampled, so that weighted counts are unbiased estimates of counts over all
customers (Horvitz and Thompson, A Generalization of Sampling Without Replacement from a Finite
Universe, 1952).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import reduce
from operator import or_

from pyspark.sql import Column, DataFrame, functions as F

from conf.schema import Product
from models.labels import outcome_column
from models.training_set import FOLDS

# Rates of customers rest on those drawn, where nobody buys as well: of so many they vary by 1 %.
MIN_DRAWN = 10_000
HEX_DIGITS = 13  # 52 bits, which a double holds exactly


def draw_of(cohort: date, seed: int) -> Column:
    """A number in [0, 1) that looks random and follows cohort, ``customer_id`` and seed only."""
    return _hashed(f"draw {seed} {cohort} ") / F.lit(float(16**HEX_DIGITS))


def fold_of(seed: int) -> Column:
    """A number below ``FOLDS`` that follows ``customer_id`` and seed only."""
    return F.pmod(_hashed(f"fold {seed} "), F.lit(FOLDS)).cast("tinyint")


def without_money_rules(products: Mapping[str, Product]) -> dict[str, Product]:
    """Products with those rules of eligibility that can be judged without any feature."""
    no_limits = {"min_monthly_income": None, "min_balance": None}
    return {
        product_id: product.model_copy(
            update={"eligibility": product.eligibility.model_copy(update=no_limits)}
        )
        for product_id, product in products.items()
    }


def buyers_and_others(populations: DataFrame, products: Sequence[str]) -> list[tuple[int, int]]:
    """Per product how many bought it, and how many could have and did not.

    Args:
        populations: Outcome columns of everybody in the training cohorts.
        products: Their products.
    """
    outcomes = [F.col(outcome_column(product_id)) for product_id in products]
    counts = populations.agg(
        *(F.count(F.when(bought, 1)).alias(f"b{place}") for place, bought in enumerate(outcomes)),
        *(F.count(F.when(~bought, 1)).alias(f"o{place}") for place, bought in enumerate(outcomes)),
    ).first()
    assert counts is not None  # without groups there is one row
    return [(counts[f"b{place}"], counts[f"o{place}"]) for place in range(len(products))]


def training_share(
    counts: Sequence[tuple[int, int]], customers: int, negatives_per_positive: int
) -> float:
    """The share of those who bought nothing to draw, so that each product finds its negatives.

    A product with money rules may find fewer than it wants: who fails them is not known yet.

    Args:
        counts: Per product buyers and others, of the training cohorts.
        customers: In the training cohorts, each once per cohort; at least one.
        negatives_per_positive: Others wanted per buyer.
    """
    wanted = [negatives_per_positive * buyers / others for buyers, others in counts if others]
    return min(1.0, max([MIN_DRAWN / customers, *wanted]))


def training_sample(population: DataFrame, products: Sequence[str], share: float) -> DataFrame:
    """Who bought something, and who is drawn.

    Args:
        population: ``customer_id``, ``draw`` and outcome columns of a training cohort.
        products: Their products.
        share: Of those who bought nothing.

    Returns:
        ``customer_id``, ``draw``, ``is_drawn`` (here whatever was bought) and ``weight``.
    """
    outcomes = [F.col(outcome_column(product_id)) for product_id in products]
    is_buyer = reduce(or_, (F.coalesce(bought, F.lit(False)) for bought in outcomes))
    is_drawn = F.col("draw") < F.lit(share)
    weight = F.when(is_buyer, F.lit(1.0)).otherwise(F.lit(1.0 / share))
    return population.where(is_buyer | is_drawn).select(
        "customer_id", "draw", is_drawn.alias("is_drawn"), weight.alias("weight")
    )


def evaluation_sample(population: DataFrame, customers: int, most: int) -> DataFrame:
    """At most so many customers of a cohort, whatever they bought: those with the smallest draw.

    Args:
        population: ``customer_id`` and ``draw`` of the cohort.
        customers: How many they are.
        most: How many are wanted at most.

    Returns:
        As ``training_sample``; everybody is drawn.
    """
    kept = population.orderBy("draw", "customer_id").limit(most) if customers > most else population
    weight = max(1.0, customers / most)
    return kept.select(
        "customer_id", "draw", F.lit(True).alias("is_drawn"), F.lit(weight).alias("weight")
    )


def _hashed(salt: str) -> Column:
    """Bits of SHA-256 as a number, so that every engine agrees."""
    digest = F.sha2(F.concat(F.lit(salt), F.col("customer_id")), 256)
    return F.conv(F.substring(digest, 1, HEX_DIGITS), 16, 10).cast("bigint")
