"""What a jurisdiction makes of the figures of protected groups: what stops, what is reported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from conf.fairness_settings import FairnessRule
from measurement.association import Estimate
from measurement.fairness import EVERYBODY, Fact
from measurement.group_rates import ERROR

NOT_JUDGED = (EVERYBODY, "unknown", "other")  # no group of persons


@dataclass(frozen=True)
class Judged:
    """A figure that a jurisdiction bounds.

    Attributes:
        fact: The figure; where it is not told, this is not to be told either.
        is_told: Its numbers may be.
        ratio: With an interval for all judged figures together.
        stops: It is below the bound, surely where that is asked for.
    """

    fact: Fact
    ratio: Estimate
    stops: bool
    is_told: bool


def judged(facts: Sequence[Fact], rule: FairnessRule) -> list[Judged]:
    """Every figure that is bounded, in the order of the facts.

    A campaign in which every ratio is at the bound or above stops one time in twenty at most: the
    interval of each is wider the more of them there are (Bonferroni). A figure that is hidden for
    the sake of another group is judged as well: what is not told must not slip through.
    """
    behind = ((fact.hidden or fact, fact.is_told) for fact in facts)
    wanted = [(fact, is_told) for fact, is_told in behind if _is_judged(fact, rule)]
    error = ERROR / max(1, len(wanted))
    found = []
    for fact, is_told in wanted:
        # Below the bound is one side of the interval.
        estimate = fact.ratio_at(2 * error)
        end = estimate.high if rule.only_when_sure else estimate.value
        found.append(Judged(fact, estimate, end < rule.min_ratio, is_told))
    return found


def _is_judged(fact: Fact, rule: FairnessRule) -> bool:
    return (
        fact.scope_kind in rule.of
        and rule.stop.get(fact.attribute) == fact.name  # type: ignore[call-overload]
        and fact.group not in NOT_JUDGED
        and fact.ratio.value == fact.ratio.value
    )
