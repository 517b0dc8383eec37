"""What the values of the propensity scores mean: the promise that campaigns build on."""

from __future__ import annotations

from collections.abc import Collection

from pyspark.sql import DataFrame, functions as F

from conf.check_settings import CheckSettings
from expectations.measures import (
    count_where,
    customers_without_each_once,
    differs_within,
    highest_mean,
    largest_drift,
    lowest_mean,
    repeated,
)
from expectations.rules import not_blank, one_of, present, rows_at_least, within
from expectations.suite import Fact, Suite
from tables.derived import PROPENSITY_SCORES

MODEL_KINDS = ("booster", "pooled", "segment_rate")


def propensity_scores_suite(
    customers: DataFrame,
    products: Collection[str],
    checks: CheckSettings,
    last_month: DataFrame | None = None,
    uplift_version: int | None = None,
) -> Suite:
    """The contract of one as-of date's scores.

    Args:
        customers: One row per active customer, with ``customer_id``.
        products: Active product ids.
        checks: Bounds.
        last_month: The scores of the as-of date before; without them drift is not measured.
        uplift_version: Of the uplift model in use; None if offers are valued by propensity.
    """
    has_uplift = F.col("uplift").isNotNull()
    is_of_version = F.col("uplift_version").eqNullSafe(F.lit(uplift_version).cast("int"))
    is_expected = has_uplift if uplift_version is not None else ~has_uplift
    return Suite(
        PROPENSITY_SCORES,
        rules=(
            rows_at_least(checks.min_active_customers * len(products)),
            *present(PROPENSITY_SCORES),
            within("propensity", 0, 1, strict=True),
            within("uplift", -1, 1),
            one_of("product_id", products),
            one_of("model_kind", MODEL_KINDS),
            not_blank("model_name"),
        ),
        facts=(
            Fact("no key occurs twice", repeated(PROPENSITY_SCORES.key)),
            Fact(
                "every active customer, and nobody else, has every active product exactly once",
                customers_without_each_once(customers, "product_id", products),
            ),
            Fact("all rows are of one as-of date", differs_within("as_of")),
            Fact("all rows score one snapshot", differs_within("feature_version")),
            Fact(
                "each row has an uplift of the model in use, and none if there is no such model",
                count_where(~(is_of_version & is_expected)),
            ),
            Fact(
                f"the lowest mean propensity of a product is at least {checks.min_base_rate}",
                lowest_mean("product_id", "propensity"),
                at_least=checks.min_base_rate,
                at_most=1,
            ),
            Fact(
                f"the highest mean propensity of a product is at most {checks.max_base_rate}",
                highest_mean("product_id", "propensity"),
                at_most=checks.max_base_rate,
            ),
            *_drift(checks, last_month),
        ),
    )


def _drift(checks: CheckSettings, last_month: DataFrame | None) -> list[Fact]:
    if last_month is None:
        return []
    return [
        Fact(
            f"no product's scores drifted since last month (PSI at most {checks.max_psi_warning})",
            largest_drift("product_id", "propensity", last_month),
            at_most=checks.max_psi_warning,
            severity="warning",
        )
    ]
