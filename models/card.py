"""What a model card says about a version, as plain values, for `jobs/templates/card.html.j2`.

After Mitchell et al., Model Cards for Model Reporting, FAT* 2019: intended use, population, data,
figures with intervals beside what is simpler, groups, limits.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models.evaluate import Bin, Estimate, share_estimate
from models.fairness import GroupFacts, unequal
from models.train import Candidate

Content = dict[str, Any]
BASELINES = {"segment_rate": "segment's rate", "logistic_regression": "logistic regression"}
METRIC_NAMES = {
    "auc": ("ROC AUC", 3),
    "average_precision": ("Average precision", 4),
    "lift_01": ("Lift in the best 1 %", 2),
    "lift_05": ("Lift in the best 5 %", 2),
    "lift_10": ("Lift in the best 10 %", 2),
    "log_loss": ("Log loss", 5),
    "brier": ("Brier score", 5),
    "ece": ("ECE", 4),
}
FEW_BUYERS = 100  # below, an AUC's interval is wider than most differences between models


@dataclass(frozen=True)
class CohortFacts:
    """How a model did in one cohort, on customers that no booster behind the figures had seen."""

    role: str
    cohort: str
    bins: tuple[Bin, ...]
    auc: Estimate

    @property
    def customers(self) -> int:
        """Who could buy."""
        return sum(one.customers for one in self.bins)

    @property
    def buyers(self) -> int:
        """Who did."""
        return sum(one.buyers for one in self.bins)

    @property
    def predicted(self) -> float:
        """Purchases predicted."""
        return math.fsum(one.customers * one.mean_propensity for one in self.bins)

    @property
    def observed_to_predicted(self) -> Estimate:
        """Purchases ÷ predicted ones."""
        rate = share_estimate(self.buyers, self.customers)
        if not self.predicted:
            return rate
        factor = self.customers / self.predicted
        return Estimate(rate.value * factor, rate.low * factor, rate.high * factor)


def metric_rows(metrics: Mapping[str, Estimate]) -> list[Content]:
    """Each figure with its interval, beside those of both baselines."""
    return [
        {
            "name": name,
            "model": metrics[key].in_words(decimals),
            "baselines": [
                metrics[f"{baseline}_{key}"].in_words(decimals)
                if f"{baseline}_{key}" in metrics
                else "–"
                for baseline in BASELINES
            ],
        }
        for key, (name, decimals) in METRIC_NAMES.items()
    ]


def baseline_sentences(candidate: Candidate) -> list[Content]:
    """Does it beat what is simpler, on the same customers, beyond the interval?"""
    return [_beside(candidate, key, f"the {name}") for key, name in BASELINES.items()]


def _beside(candidate: Candidate, key: str, name: str) -> Content:
    gain = candidate.metrics.get(f"log_loss_gain_over_{key}")
    if key == candidate.scorer.kind:
        return {"beats": False, "sentence": f"It is {name} itself: there was nothing better."}
    if gain is None or not gain.is_known:
        return {"beats": False, "sentence": f"It could not be held beside {name}."}
    shown = f"log loss gain {gain.in_words(5, sign=True)} on the same customers"
    if gain.low > 0:
        return {"beats": True, "sentence": f"It beats {name}: {shown}."}
    if gain.high < 0:
        return {"beats": False, "sentence": f"It is worse than {name}: {shown}."}
    return {"beats": False, "sentence": f"It does not beat {name} beyond chance: {shown}."}


def parameter_sentence(candidate: Candidate, trials: int) -> str:
    """Where the booster's parameters come from.

    Args:
        candidate: The model.
        trials: Asked for by the configuration.
    """
    if candidate.found:
        return candidate.found.in_words()
    if candidate.scorer.kind == "segment_rate":
        return "none"
    if not trials:
        return "production's: no search was asked for"
    if candidate.scorer.kind == "pooled":
        return "production's: only a product's own booster is searched for"
    return "production's: the buyers are too few to share out for a search"


def decile_rows(bins: Sequence[Bin]) -> list[Content]:
    """Tenths of the test customers, best first: predicted, observed, lift."""
    customers, buyers = sum(b.customers for b in bins), sum(b.buyers for b in bins)
    rows, reached, caught = [], 0, 0
    for one in bins:
        reached, caught = reached + one.customers, caught + one.buyers
        rate = share_estimate(one.buyers, one.customers)
        base = buyers / customers
        lift = [part / base for part in (rate.value, rate.low, rate.high)] if base else None
        rows.append(
            {
                "customers": one.customers,
                "buyers": one.buyers,
                "predicted": one.mean_propensity,
                "observed": list(_parts(rate)),
                "lift": lift,
                "lift_so_far": caught / reached / base if base else None,
                "buyers_so_far": caught / buyers if buyers else None,
            }
        )
    return rows


def cohort_rows(cohorts: Sequence[CohortFacts]) -> list[Content]:
    """How the model did, cohort by cohort."""
    return [
        {
            "role": one.role,
            "cohort": one.cohort,
            "customers": one.customers,
            "buyers": one.buyers,
            "auc": one.auc.in_words(3),
            "observed_to_predicted": one.observed_to_predicted.in_words(2),
        }
        for one in cohorts
    ]


def group_rows(groups: Sequence[GroupFacts], bound: float | None) -> list[Content]:
    """Protected groups with every fact and its interval.

    Args:
        groups: Those that are large enough.
        bound: Of the gate; None where it does not judge.
    """
    return [
        {
            "attribute": one.attribute.replace("_", " "),
            "group": one.group,
            "customers": one.customers,
            "selected": list(_parts(one.selected)),
            "predicted": one.mean_propensity,
            "rate": list(_parts(one.rate)),
            "ratio": one.ratio.in_words(2),
            "auc": one.auc.in_words(3),
            "is_unequal": bound is not None and unequal(one, bound),
        }
        for one in groups
    ]


def limits(
    candidate: Candidate, test: CohortFacts, min_test_positives: int, is_synthetic: bool
) -> list[str]:
    """What the figures cannot carry, a sentence each."""
    return [
        "It says who is likely to buy, not whom an offer would change: a propensity is no uplift.",
        *_limits_of_size(candidate, test, min_test_positives),
        *_limits_of_kind(candidate),
        *_limits_of_calibration(candidate.metrics, test),
        *(["The data are those of the synthetic demo bank, no real client's."] * is_synthetic),
    ]


def _limits_of_size(
    candidate: Candidate, test: CohortFacts, min_test_positives: int
) -> Iterator[str]:
    auc = candidate.metrics["auc"]
    if not test.buyers:
        yield "Nobody of the test cohort bought it: no figure says how well the model ranks."
    elif test.buyers < min_test_positives:
        yield (
            f"The test cohort has {test.buyers:,} buyers only: the AUC says nothing, and of so few"
            " even its interval is too narrow."
        )
    elif test.buyers < FEW_BUYERS and not math.isnan(auc.high - auc.low):
        yield (
            f"The test cohort has {test.buyers:,} buyers only, so that the AUC is known to"
            f" ±{(auc.high - auc.low) / 2:.2f}: smaller differences between models, months or"
            " groups cannot be seen."
        )
    train = int(candidate.facts.get("train_positives", 0))
    if train < FEW_BUYERS:
        yield f"It was trained on {train:,} buyers only."


def _limits_of_kind(candidate: Candidate) -> Iterator[str]:
    if candidate.scorer.kind == "pooled":
        yield "It is shared by all products: what is special about buyers of this one is lost."
    if candidate.scorer.kind == "segment_rate":
        yield "All clients of a segment have one propensity: within a segment it ranks nobody."


def _limits_of_calibration(metrics: Mapping[str, Estimate], test: CohortFacts) -> Iterator[str]:
    ratio = test.observed_to_predicted
    if ratio.low > 1 or ratio.high < 1:
        more = "more" if ratio.value > 1 else "fewer"
        yield (
            f"In the test cohort {more} bought than predicted: {ratio.in_words(2)} times as many."
            " Sales have drifted since the calibration cohort, or the calibration is off."
        )
    if metrics["ece"].value > metrics["ece_by_chance"].high:
        yield (
            f"Its ECE of {metrics['ece'].value:.4f} is more than chance alone gives"
            f" (up to {metrics['ece_by_chance'].high:.4f})."
        )


def _parts(estimate: Estimate) -> Iterator[float | None]:
    """For JSON, which has no NaN."""
    for part in (estimate.value, estimate.low, estimate.high):
        yield None if math.isnan(part) else part
