"""Is a model out of bounds so often that it is no chance? n of its last m months, by rule.

A month is out only where its whole interval is: a right model is hardly ever.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import isnan

from conf.measurement_settings import AlarmSettings, MonitoringSettings
from measurement.association import Estimate
from measurement.group_rates import ratio
from measurement.late_labels import LateLabels
from measurement.reliability import MEASURED, ModelMonth
from measurement.shifts import FeatureShift, ScoreShift

ALL = "all"
CALIBRATION, LIFT, SCORES, FEATURE, LATE = (
    "calibration",
    "lift",
    "score_drift",
    "feature_drift",
    "late_labels",
)


@dataclass(frozen=True)
class Seen:
    """A month as one rule sees it.

    Attributes:
        month: As-of date of the scores.
        version: Of the model; 0 where it is about none.
        figure: What the bound is about.
        is_out: Out of bounds, interval and all.
    """

    month: date
    version: int
    figure: Estimate
    is_out: bool


@dataclass(frozen=True)
class Rule:
    """What one rule says about a product.

    Attributes:
        name: calibration, lift, score_drift, feature_drift or late_labels.
        product_id: Whose model; all: about none in particular.
        subject: The feature, of feature drift.
        months: Those it was asked about, oldest first.
        is_alarm: Out of bounds in as many of its last months as count.
        since: First of the months it has been out of bounds without a break; None: not out now.
    """

    name: str
    product_id: str
    subject: str
    months: tuple[Seen, ...]
    is_alarm: bool
    since: date | None

    @property
    def out(self) -> tuple[Seen, ...]:
        """Months out of bounds."""
        return tuple(one for one in self.months if one.is_out)


def rule_of(
    name: str, product_id: str, subject: str, months: Sequence[Seen], settings: AlarmSettings
) -> Rule:
    """Apply n of the last m months.

    Args:
        name: Of the rule.
        product_id: Whose model.
        subject: The feature, of feature drift.
        months: All that were looked at, oldest first.
        settings: n and m.
    """
    last = tuple(months[-settings.of_last :])
    since = None
    for one in reversed(months):
        if not one.is_out:
            break
        since = one.month
    is_alarm = sum(one.is_out for one in last) >= settings.months
    return Rule(name, product_id, subject, last, is_alarm, since)


def outcome_rules(
    months: Sequence[ModelMonth],
    test_lift: Mapping[int, Estimate],
    factors: Mapping[date, Estimate],
    settings: MonitoringSettings,
) -> Iterator[Rule]:
    """Calibration and lift of one product.

    Args:
        months: Of the product, oldest first.
        test_lift: Lift in the best 10 % at the test of each version.
        factors: By cohort how many times as many purchases there will be once all are known.
        settings: The bounds.
    """
    if not months:
        return
    product_id = months[0].product_id
    calibration = [_calibration(one, factors.get(one.cohort), settings.max_ratio) for one in months]
    yield rule_of(CALIBRATION, product_id, "", calibration, settings.alarm)
    lifts = [_lift(one, test_lift.get(one.version), settings.max_lift_lost) for one in months]
    yield rule_of(LIFT, product_id, "", lifts, settings.alarm)


def lift_kept(month: ModelMonth, test: Estimate | None) -> Estimate:
    """Lift of a month ÷ that at the model's test; unknown where either is."""
    nothing = Estimate(*[float("nan")] * 3)
    if test is None or any(isnan(end) for end in (*test, *month.lift)):
        return nothing
    return ratio(month.lift, test)


def _calibration(month: ModelMonth, factor: Estimate | None, bound: float) -> Seen:
    # Purchases that are yet to become known may still bring a low ratio within bounds.
    missing = factor.high if factor and not isnan(factor.high) else 1.0
    is_out = month.state == MEASURED and (
        month.ratio.low > bound or month.ratio.high * missing < 1 / bound
    )
    return Seen(month.cohort, month.version, month.ratio, is_out)


def _lift(month: ModelMonth, test: Estimate | None, bound: float) -> Seen:
    kept = lift_kept(month, test)
    return Seen(month.cohort, month.version, kept, kept.high < 1 - bound)


def drift_rules(
    scores: Sequence[ScoreShift],
    features: Sequence[FeatureShift],
    relied_on: Mapping[str, Mapping[str, float]],
    settings: MonitoringSettings,
) -> Iterator[Rule]:
    """Drift of each product's scores and of what its model relies on.

    Args:
        scores: Of all products, oldest first.
        features: Of all months, oldest first.
        relied_on: By product the features of the model in use, with their share of its gain.
        settings: The bounds.
    """
    for product_id in sorted({one.product_id for one in scores}):
        seen = [
            Seen(one.month, one.version, one.psi, one.psi.low > settings.max_psi)
            for one in scores
            if one.product_id == product_id
        ]
        yield rule_of(SCORES, product_id, "", seen, settings.alarm)
    by_name: dict[str, list[Seen]] = {}
    for shift in features:
        is_out = shift.psi.low > settings.max_psi
        by_name.setdefault(shift.name, []).append(Seen(shift.month, 0, shift.psi, is_out))
    for product_id, gains in sorted(relied_on.items()):
        for name in sorted(gains.keys() & by_name.keys()):
            if gains[name] >= settings.min_gain:
                yield rule_of(FEATURE, product_id, name, by_name[name], settings.alarm)


def late_rule(late: Sequence[LateLabels], settings: MonitoringSettings) -> Rule:
    """Purchases that became known after their window, of all products together."""
    seen = [
        Seen(one.cohort, 0, one.late_share, one.late_share.low > settings.late_share)
        for one in late
        if one.product_id == ALL
    ]
    return rule_of(LATE, ALL, "", seen, settings.alarm)
