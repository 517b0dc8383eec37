"""How a model treats customers of protected groups, of which it knows nothing.

Facts are measured for every model. What the gate bounds is calibration within groups: given the
same propensity, customers of all groups should buy equally often. Propensities decide who gets an
offer, so that a group which buys more often than predicted is left out too often, and one that buys
less often is bothered too often. Equal selection rates are not asked for, nor equal AUC: groups
differ in what they need, and where their rates differ, no calibrated model can have equal error
rates as well (Kleinberg, Mullainathan and Raghavan, Inherent Trade-Offs in the Fair Determination
of Risk Scores, ITCS 2017; Chouldechova, Fair Prediction with Disparate Impact, Big Data 2017). An
AUC within a group says how alike its members are, and is noise with few buyers.

Ten groups of a dozen products are looked at every month, and some look unequal by chance. So what
is judged is the ratio's exact interval for all groups of a product together (Bonferroni), it has
to lie beyond the bound as a whole, and there have to be enough buyers
(`models.gate.min_test_positives`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.evaluate import (
    UNKNOWN,
    Estimate,
    auc_estimate,
    deciles,
    share_estimate,
    sure_share_estimate,
)
from models.matrix import Outcomes, Vector

ERROR = 0.05  # that any group of a fair model looks unequal

Labels = npt.NDArray[np.str_]
Groups = Mapping[str, Labels]  # by attribute: the group of each test customer


@dataclass(frozen=True)
class GroupFacts:
    """One protected group among the test customers of a product.

    Attributes:
        attribute: Such as ``gender``.
        group: Its value.
        customers: How many.
        selected: Share that is among the best tenth of all customers.
        mean_propensity: What was predicted.
        rate: What happened.
        ratio: Share of all buyers ÷ share of all predicted purchases: how many times as often as
            predicted the group buys, beside all customers. Too many or too few purchases over all
            are held against a model by its ECE already, and are no group's doing.
        sure_ratio: The same with the interval for all groups together.
        auc: Ranking within the group.
    """

    attribute: str
    group: str
    customers: int
    selected: Estimate
    mean_propensity: float
    rate: Estimate
    ratio: Estimate
    sure_ratio: Estimate
    auc: Estimate


@dataclass(frozen=True)
class _Tested:
    """All test customers."""

    propensity: Vector
    has_bought: Outcomes
    is_selected: Outcomes
    error: float


def group_facts(
    propensity: Vector, has_bought: Outcomes, groups: Groups, min_customers: int
) -> tuple[GroupFacts, ...]:
    """Every group that is large enough, in the order of attributes and names.

    Args:
        propensity: One per test customer.
        has_bought: What happened.
        groups: By attribute, aligned with the customers.
        min_customers: Smaller groups are left out.
    """
    if not len(propensity):
        return ()
    names = [
        (attribute, name)
        for attribute, labels in groups.items()
        for name in _large(labels, min_customers)
    ]
    tested = _Tested(
        propensity, has_bought, _best_tenth(propensity, has_bought), ERROR / max(1, len(names))
    )
    return tuple(_facts(name, groups[name[0]] == name[1], tested) for name in names)


def unequal(facts: GroupFacts, bound: float) -> bool:
    """The ratio is surely beyond the bound or its inverse, interval and all."""
    return facts.sure_ratio.low > bound or facts.sure_ratio.high < 1 / bound


def has_small_groups(groups: Groups, min_customers: int) -> bool:
    """Some groups are not shown."""
    return any(len(_large(labels, min_customers)) < len(set(labels)) for labels in groups.values())


def _large(labels: Labels, min_customers: int) -> list[str]:
    names, customers = np.unique(labels, return_counts=True)
    return [str(name) for name in names[customers >= min_customers]]


def _best_tenth(propensity: Vector, has_bought: Outcomes) -> Outcomes:
    best = deciles(propensity, has_bought)[0].customers
    least = np.partition(propensity, len(propensity) - best)[len(propensity) - best]
    return np.asarray(propensity >= least)


def _facts(name: tuple[str, str], is_in: Outcomes, tested: _Tested) -> GroupFacts:
    propensity, has_bought = tested.propensity[is_in], tested.has_bought[is_in]
    customers = len(propensity)
    return GroupFacts(
        *name,
        customers,
        share_estimate(int(tested.is_selected[is_in].sum()), customers),
        float(propensity.mean()),
        share_estimate(int(has_bought.sum()), customers),
        *_ratios(is_in, tested),
        auc_estimate(propensity, has_bought),
    )


def _ratios(is_in: Outcomes, tested: _Tested) -> tuple[Estimate, Estimate]:
    """Buyers are as many as they are; how many of them are of the group is binomial."""
    predicted = float(tested.propensity[is_in].sum())
    of_group, of_all = int(tested.has_bought[is_in].sum()), int(tested.has_bought.sum())
    if not of_all or not predicted:
        return UNKNOWN, UNKNOWN
    expected = predicted / float(tested.propensity.sum())
    shares = share_estimate(of_group, of_all), sure_share_estimate(of_group, of_all, tested.error)
    ratio, sure = (
        Estimate(one.value / expected, one.low / expected, one.high / expected) for one in shares
    )
    return ratio, sure
