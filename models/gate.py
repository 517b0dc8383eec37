"""May a challenger reach clients? Code decides, and says why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from conf.model_settings import GateSettings
from models.evaluate import Estimate
from models.fairness import GroupFacts, unequal

PASSED = "passed"


@dataclass(frozen=True)
class Verdict:
    """What the gate found; every rule is evaluated, none hides another.

    Attributes:
        failures: Rules that failed, each as a sentence; none if the challenger may pass.
    """

    failures: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """No rule failed."""
        return not self.failures

    def __str__(self) -> str:
        """The failures as one line."""
        return "; ".join(self.failures) or PASSED


def fit_for_use(
    metrics: Mapping[str, Estimate],
    test_positives: float,
    gate: GateSettings,
    groups: Sequence[GroupFacts] = (),
) -> Verdict:
    """Calibrated, better than chance, and fair to protected groups; all on the test cohort.

    A small cohort shows an ECE of several percent even where every propensity is right: only more
    than that is held against a model. A model that is worse than its segment's rate has nothing to
    say, however well it seems to rank. With fewer buyers than the gate asks for an AUC says nothing
    either; then being better than that rate has to be sure, interval and all.

    A protected group may buy somewhat more or less often than predicted (`models/fairness.py` says
    why that is what counts). Of a bound of 1.25 the inverse is 0.8: the four fifths below which US
    guidelines look closer at a group's selection rate (29 CFR 1607.4 D), borrowed for its size
    only.

    Args:
        metrics: Of the test cohort.
        test_positives: Buyers in it.
        gate: The bounds.
        groups: Protected groups that are large enough.
    """
    failures = []
    ece, auc = metrics["ece"], metrics["auc"]
    gain = metrics["log_loss_gain_over_segment_rate"]
    if not ece.value <= max(gate.max_ece, metrics["ece_by_chance"].high):
        failures.append(f"ECE {ece.value:.4f} is above {gate.max_ece}")
    has_enough_buyers = test_positives >= gate.min_test_positives
    if has_enough_buyers and not auc.is_known:
        failures.append("everybody in the test cohort bought it: no AUC")
    if has_enough_buyers and auc.value < gate.min_auc:
        failures.append(f"AUC {auc.value:.3f} is below {gate.min_auc}")
    if not (gain.value if has_enough_buyers else gain.low) > 0:
        failures.append(
            f"log loss gain {gain.in_words(5, sign=True)} over the segment's rate may be none"
        )
    if has_enough_buyers:
        failures += [_unfair(one, gate) for one in groups if unequal(one, gate.max_group_ratio)]
    return Verdict(tuple(failures))


def _unfair(facts: GroupFacts, gate: GateSettings) -> str:
    bound = gate.max_group_ratio
    return (
        f"{facts.attribute} {facts.group} buys {facts.sure_ratio.in_words(2)} times as often as"
        f" predicted, beside all customers; {1 / bound:.2f} to {bound:.2f} is allowed"
    )


def better_than_champion(gain: Estimate) -> Verdict:
    """Better with confidence: on the same test customers the log loss falls, interval and all.

    Args:
        gain: Champion's log loss less the challenger's.
    """
    if gain.low > 0:
        return Verdict()
    return Verdict((f"log loss gain {gain.in_words(5, sign=True)} over the champion may be none",))
