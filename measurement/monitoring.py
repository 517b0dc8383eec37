"""Are the models still right, or to be trained anew? What each rule said, as a verdict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from conf.measurement_settings import MonitoringSettings
from measurement.alarms import (
    ALL,
    CALIBRATION,
    FEATURE,
    LATE,
    LIFT,
    SCORES,
    Rule,
    drift_rules,
    late_rule,
    outcome_rules,
)
from measurement.association import Estimate
from measurement.late_labels import LateLabels
from measurement.reliability import MEASURED, ModelMonth
from measurement.shifts import FeatureShift, ScoreShift

RETRAIN, WATCH, FINE, UNKNOWN = "retrain", "watch", "nothing to do", "cannot be told"
MOST_MOVED = 3


@dataclass(frozen=True)
class TrainedModel:
    """A version as its training left it.

    Attributes:
        product_id: What it predicts.
        version: Number within the product.
        trained_as_of: As-of date of its training; None if the registry does not know.
        lift: In the best 10 % of its test cohort.
        auc: There.
        ece: There.
        gain: By feature its share of the gain of the trees; empty without trees.
    """

    product_id: str
    version: int
    trained_as_of: date | None
    lift: Estimate
    auc: Estimate
    ece: float
    gain: Mapping[str, float]


@dataclass(frozen=True)
class Observed:
    """Everything that models are judged by.

    Attributes:
        as_of: What was known before it counts.
        months: Outcomes by product and cohort, oldest first.
        scores: Drift of scores, oldest month first.
        features: Drift of features, likewise.
        late: Late labels, likewise, by product and of all together.
        tested: Every version that scored one of the months.
        in_use: By product the version that made the newest scores, and since which month.
        waiting: By product a version that is fit for use, says the gate, and waits.
        notes: What could not be looked at, a sentence each.
    """

    as_of: date
    months: tuple[ModelMonth, ...] = ()
    scores: tuple[ScoreShift, ...] = ()
    features: tuple[FeatureShift, ...] = ()
    late: tuple[LateLabels, ...] = ()
    tested: tuple[TrainedModel, ...] = ()
    in_use: Mapping[str, tuple[int, date]] = field(default_factory=dict)
    waiting: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def of(self, product_id: str, version: int) -> TrainedModel | None:
        """A version as its training left it."""
        wanted = (product_id, version)
        return next((one for one in self.tested if (one.product_id, one.version) == wanted), None)

    def factors(self, product_id: str, min_buyers: int) -> dict[date, Estimate]:
        """By cohort how many times as many purchases there will be; of few, as of all products."""
        own = [one for one in self.late if one.product_id == product_id]
        of_all = [one for one in self.late if one.product_id == ALL]
        has_enough = sum(one.purchases for one in own) >= min_buyers
        return {one.cohort: one.factor for one in (own if has_enough else of_all)}


@dataclass(frozen=True)
class Verdict:
    """What to do about one product's model, or about all.

    Attributes:
        product_id: The product; all: of all.
        verdict: retrain, watch, nothing to do, or cannot be told.
        since: First month of what it is for; None if there is none.
        reasons: Sentences.
    """

    product_id: str
    verdict: str
    since: date | None
    reasons: tuple[str, ...]

    def __str__(self) -> str:
        """One line."""
        return f"{self.product_id}: {self.verdict}. {' '.join(self.reasons)}".strip()


@dataclass(frozen=True)
class ModelFindings:
    """What was observed, what each rule says of it, and what to do.

    Attributes:
        observed: The figures.
        rules: Every rule × product × feature that was asked.
        verdicts: Of every product in use, by name, after the one of all.
    """

    observed: Observed
    rules: tuple[Rule, ...]
    verdicts: tuple[Verdict, ...]

    @property
    def alarms(self) -> tuple[Rule, ...]:
        """Rules that were broken often enough."""
        return tuple(rule for rule in self.rules if rule.is_alarm)

    @property
    def headlines(self) -> tuple[str, ...]:
        """What to do in all, then of every product that something is to be done about."""
        of_all, *others = self.verdicts
        told = [of_all, *(one for one in others if one.verdict in (RETRAIN, WATCH))]
        return (*map(str, told), *self.observed.notes)


def judged(observed: Observed, settings: MonitoringSettings) -> ModelFindings:
    """Ask every rule, and say what to do.

    Args:
        observed: The figures.
        settings: The bounds.
    """
    rules = tuple(_rules(observed, settings))
    verdicts = [_verdict(name, observed, rules) for name in sorted(observed.in_use)]
    return ModelFindings(observed, rules, (_of_all(observed, verdicts, rules), *verdicts))


def _rules(observed: Observed, settings: MonitoringSettings) -> Iterator[Rule]:
    for product_id in sorted({one.product_id for one in observed.months}):
        lifts = {one.version: one.lift for one in observed.tested if one.product_id == product_id}
        months = [one for one in observed.months if one.product_id == product_id]
        factors = observed.factors(product_id, settings.min_buyers)
        yield from outcome_rules(months, lifts, factors, settings)
    relied_on = {
        name: model.gain
        for name, (version, _) in observed.in_use.items()
        if (model := observed.of(name, version))
    }
    yield from drift_rules(observed.scores, observed.features, relied_on, settings)
    yield late_rule(observed.late, settings)


def _verdict(product_id: str, observed: Observed, rules: Sequence[Rule]) -> Verdict:
    own = [rule for rule in rules if rule.product_id == product_id]
    outcomes = [rule for rule in own if rule.name in (CALIBRATION, LIFT)]
    version, since = observed.in_use[product_id]
    wrong = [rule for rule in outcomes if rule.is_alarm]
    old = [rule for rule in wrong if all(one.version < version for one in rule.out)]
    drifted = [rule for rule in own if rule.is_alarm and rule.name in (SCORES, FEATURE)]
    if len(wrong) > len(old):
        reasons = [*map(_in_words, wrong), *_what_moved(drifted, observed)]
        return Verdict(
            product_id, RETRAIN, _since(wrong), (*reasons, *_waiting(product_id, observed))
        )
    watched = [*old, *(rule for rule in outcomes if rule.since and rule not in wrong), *drifted]
    if watched:
        reasons = [_in_words(rule) for rule in watched if rule.name != FEATURE]
        reasons += _what_moved([rule for rule in drifted if rule.name == FEATURE], observed)
        if old:
            reasons.append(
                f"Version {version} scores since {since:%Y-%m} and has yet to be judged."
            )
        return Verdict(
            product_id, WATCH, _since(watched), (*reasons, *_waiting(product_id, observed))
        )
    if not any(one.product_id == product_id and one.state == MEASURED for one in observed.months):
        return Verdict(product_id, UNKNOWN, None, (_why_unknown(product_id, observed),))
    return Verdict(product_id, FINE, None, tuple(_waiting(product_id, observed)))


def _since(rules: Sequence[Rule]) -> date | None:
    return min((rule.since or rule.out[0].month for rule in rules), default=None)


def _why_unknown(product_id: str, observed: Observed) -> str:
    if any(one.product_id == product_id for one in observed.months):
        return "Too few bought it in every month, and too few were expected to."
    return "No month of its scores has an outcome window that is over and delivered."


def _in_words(rule: Rule) -> str:
    """What a rule saw in its last months that were out of bounds."""
    last = rule.out[-1]
    months = _together([f"{one.month:%Y-%m}" for one in rule.out])
    by = f"version {last.version}"
    value = times(last.figure)
    return {
        CALIBRATION: f"In {months} {value} times as many bought as {by} expected.",
        LIFT: f"In {months} the best 10 % had {value} times the lift of {by} at its test.",
        SCORES: f"Scores of {by} are unlike those of its test cohort in {months}: PSI {value}.",
        FEATURE: f"{rule.subject} is unlike that of the training in {months}: PSI {value}.",
        LATE: f"In {months} a share of {value} of purchases became known after their window.",
    }[rule.name]


def times(figure: Estimate) -> str:
    """A figure with its interval."""
    return f"{figure.value:.2f} [{figure.low:.2f}, {figure.high:.2f}]"


def _what_moved(drifted: Sequence[Rule], observed: Observed) -> list[str]:
    """Features that the model relies on, the most moved first; of its scores, that they did."""
    features = sorted(
        (rule for rule in drifted if rule.name == FEATURE),
        key=lambda rule: (-rule.out[-1].figure.value, rule.subject),
    )
    told = [_in_words(rule) for rule in drifted if rule.name == SCORES]
    if not features:
        return told
    moved = [_moved(rule, observed) for rule in features[:MOST_MOVED]]
    more = f" and {len(features) - len(moved)} more" if len(features) > len(moved) else ""
    return [*told, f"Moved since training, of what it relies on: {'; '.join(moved)}{more}."]


def _moved(rule: Rule, observed: Observed) -> str:
    last = rule.out[-1]
    change = next(
        one.change
        for one in observed.features
        if (one.name, one.month) == (rule.subject, last.month)
    )
    return f"{rule.subject} (PSI {last.figure.value:.2f}{change and ', ' + change})"


def _waiting(product_id: str, observed: Observed) -> list[str]:
    version = observed.waiting.get(product_id)
    if version is None:
        return []
    return [f"Version {version} is fit for use and waits: xsell models compare {product_id}."]


def _all_waiting(observed: Observed) -> list[str]:
    if not observed.waiting:
        return []
    return [f"Newer versions of {len(observed.waiting)} models wait: xsell models list."]


def _of_all(observed: Observed, verdicts: Sequence[Verdict], rules: Sequence[Rule]) -> Verdict:
    """The gravest verdict, with how many products it is about."""
    late = [_in_words(rule) for rule in rules if rule.name == LATE and rule.is_alarm]
    more = [*late, *_provisional(observed), *_all_waiting(observed)]
    for verdict in (RETRAIN, WATCH):
        names = [one.product_id for one in verdicts if one.verdict == verdict]
        if names:
            since = min(one.since for one in verdicts if one.product_id in names and one.since)
            about = f"{len(names)} of {len(verdicts)} models: {', '.join(names)}."
            return Verdict(ALL, verdict, since, (about, *more, *_command(verdict, observed.as_of)))
    known = [one for one in verdicts if one.verdict == FINE]
    if not known:
        return Verdict(ALL, UNKNOWN, None, ("No model can be judged yet.", *more))
    told = (
        f"{len(known)} of {len(verdicts)} models were held against purchases and are within bounds."
    )
    return Verdict(ALL, WATCH if late else FINE, None, (told, *more))


def _command(verdict: str, as_of: date) -> list[str]:
    return [f"xsell train --as-of {as_of} trains challengers."] * (verdict == RETRAIN)


def _provisional(observed: Observed) -> list[str]:
    """Windows that still miss more purchases than the bound, of all products together."""
    open_ones = [one for one in observed.late if one.product_id == ALL and one.is_provisional]
    if not open_ones:
        return []
    last = open_ones[-1]
    months = _together([f"{one.cohort:%Y-%m}" for one in open_ones])
    return [
        f"Figures of {months} are provisional: once all is known there will be"
        f" {times(last.factor)} times as many purchases as {last.lag_days} days after the window."
    ]


def _together(names: Sequence[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
