"""n of the last m months out of bounds for sure is an alarm; what to do about it is a sentence."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from math import isnan, nan

import numpy as np
import pytest

from conf.load import load_config
from conf.measurement_settings import AlarmSettings
from measurement.alarms import Seen, rule_of
from measurement.association import Estimate
from measurement.late_labels import LateLabels
from measurement.monitoring import (
    FINE,
    RETRAIN,
    UNKNOWN,
    WATCH,
    Observed,
    TrainedModel,
    judged,
)
from measurement.monitoring_tables import tables
from measurement.reliability import ModelMonth, ScoredProduct, model_month
from measurement.shifts import FeatureShift, score_shift
from tables.windows import months_before

SETTINGS = load_config("local").measurement.models
AS_OF = date(2024, 12, 1)
NOTHING = Estimate(nan, nan, nan)
EXACTLY_ONE = Estimate(1.0, 0.98, 1.02)
LIFT = Estimate(4.0, 3.8, 4.2)


def month_of(age: int) -> date:
    return months_before(AS_OF, age)


def seen(*are_out: bool) -> list[Seen]:
    months = [month_of(len(are_out) - place) for place in range(len(are_out))]
    return [Seen(day, 1, EXACTLY_ONE, is_out) for day, is_out in zip(months, are_out, strict=True)]


def month(age: int, ratio: Estimate, *, version: int = 1, product: str = "card") -> ModelMonth:
    return ModelMonth(
        product, month_of(age), version, "measured", clients=1000, left_out=0, withheld=0,
        buyers=60, sure_buyers=60.0, observed=60.0, expected=60 / ratio.value, ratio=ratio,
        lift=LIFT,
    )  # fmt: skip


def observed(*months: ModelMonth, **more) -> Observed:
    in_use = {one.product_id: (one.version, one.cohort) for one in months}
    tested = tuple(
        TrainedModel(name, version, date(2024, 1, 1), LIFT, NOTHING, nan, {"income": 0.3})
        for name, version in {(one.product_id, one.version) for one in months}
    )
    return Observed(AS_OF, months=months, **({"tested": tested, "in_use": in_use} | more))


TWICE = Estimate(2.0, 1.6, 2.5)
ABOUT_TWICE = Estimate(2.0, 1.2, 3.1)


@pytest.mark.parametrize(
    ("are_out", "is_alarm", "since"),
    [
        ((True, False, True), True, 1),
        ((False, False, True), False, 1),
        ((True, True, False), True, None),
        ((True, True, False, False), False, None),
        ((True, True, True, True), True, 4),
        ((True,), False, 1),
        ((), False, None),
    ],
)
def test_two_of_the_last_three_months_make_an_alarm(are_out, is_alarm, since) -> None:
    settings = AlarmSettings(months=2, of_last=3)
    rule = rule_of("calibration", "card", "", seen(*are_out), settings)
    assert rule.is_alarm == is_alarm
    assert rule.since == (month_of(since) if since else None)
    assert len(rule.months) == min(3, len(are_out))


def test_a_model_out_of_bounds_for_sure_is_to_be_trained_anew_and_told_why() -> None:
    found = judged(observed(month(3, EXACTLY_ONE), month(2, TWICE), month(1, TWICE)), SETTINGS)
    of_all, card = found.verdicts
    assert (card.verdict, card.since) == (RETRAIN, month_of(2))
    assert card.reasons == (
        "In 2024-10 and 2024-11 2.00 [1.60, 2.50] times as many bought as version 1 expected.",
    )
    assert str(of_all) == (
        "all: retrain. 1 of 1 models: card. xsell train --as-of 2024-12-01 trains challengers."
    )
    assert [rule.name for rule in found.alarms] == ["calibration"]


def test_an_interval_that_reaches_into_the_bounds_is_no_alarm() -> None:
    found = judged(observed(month(2, ABOUT_TWICE), month(1, ABOUT_TWICE)), SETTINGS)
    assert [one.verdict for one in found.verdicts] == [FINE, FINE]


def test_one_month_out_of_bounds_is_watched() -> None:
    found = judged(observed(month(2, EXACTLY_ONE), month(1, TWICE)), SETTINGS)
    assert found.verdicts[1].verdict == WATCH
    assert not found.alarms


def test_a_version_that_has_scored_no_month_out_of_bounds_is_not_to_be_replaced() -> None:
    months = (month(3, TWICE), month(2, TWICE), month(1, EXACTLY_ONE, version=2))
    found = judged(observed(*months), SETTINGS)
    assert found.verdicts[1].verdict == WATCH
    assert (
        found.verdicts[1].reasons[-1] == "Version 2 scores since 2024-11 and has yet to be judged."
    )
    again = judged(observed(*months[:2], month(1, TWICE, version=2)), SETTINGS)
    assert again.verdicts[1].verdict == RETRAIN


def test_too_few_buyers_are_out_of_bounds_unless_they_may_only_be_unknown_yet() -> None:
    third = Estimate(0.7, 0.6, 0.78)
    months = (month(2, third), month(1, third))
    assert judged(observed(*months), SETTINGS).verdicts[1].verdict == RETRAIN

    def late(factor):
        return tuple(
            LateLabels(
                "all",
                one.cohort,
                AS_OF,
                3,
                60,
                0,
                Estimate(0, 0, 0.06),
                Estimate(factor, factor, factor),
                is_provisional=factor > 1.02,
            )
            for one in months
        )

    assert judged(observed(*months, late=late(1.01)), SETTINGS).verdicts[1].verdict == RETRAIN
    found = judged(observed(*months, late=late(1.1)), SETTINGS)
    assert found.verdicts[1].verdict == FINE
    assert (
        "Figures of 2024-10 and 2024-11 are provisional: once all is known there will be"
        " 1.10 [1.10, 1.10] times as many purchases as 3 days after the window."
    ) in found.verdicts[0].reasons


def test_a_lift_is_lost_where_it_is_sure_to_be_below_that_of_the_test() -> None:
    weak = replace(month(2, EXACTLY_ONE), lift=Estimate(1.5, 1.0, 2.1))
    months = (weak, replace(weak, cohort=month_of(1)))
    found = judged(observed(*months), SETTINGS)
    assert [rule.name for rule in found.alarms] == ["lift"]
    assert found.verdicts[1].verdict == RETRAIN
    assert "had 0.38 [0.25, 0.53] times the lift of version 1 at its test" in str(found.verdicts[1])
    a_little = tuple(replace(one, lift=Estimate(3.1, 2.9, 3.3)) for one in months)
    assert judged(observed(*a_little), SETTINGS).verdicts[1].verdict == FINE
    unknown = judged(observed(*months, tested=()), SETTINGS)
    assert not unknown.alarms


def moved(name, low):
    return tuple(
        FeatureShift(name, month_of(age), Estimate(0.9, low, 1.0), "median 1 → 2", 0.0, AS_OF)
        for age in (2, 1)
    )


def test_a_moved_feature_counts_where_the_model_in_use_relies_on_it() -> None:
    months = (month(2, EXACTLY_ONE), month(1, EXACTLY_ONE))
    of_no_use = judged(observed(*months, features=moved("hobby", 0.8)), SETTINGS)
    assert not of_no_use.alarms
    unsure = judged(observed(*months, features=moved("income", 0.2)), SETTINGS)
    assert not unsure.alarms
    found = judged(observed(*months, features=moved("income", 0.8)), SETTINGS)
    assert [(rule.name, rule.subject) for rule in found.alarms] == [("feature_drift", "income")]
    assert found.verdicts[1].verdict == WATCH
    assert found.verdicts[1].reasons == (
        "Moved since training, of what it relies on: income (PSI 0.90, median 1 → 2).",
    )
    wrong_too = judged(
        observed(month(2, TWICE), month(1, TWICE), features=moved("income", 0.8)), SETTINGS
    )
    assert wrong_too.verdicts[1].verdict == RETRAIN
    assert "income (PSI 0.90" in wrong_too.verdicts[1].reasons[1]


def test_moved_scores_are_watched_though_nothing_has_matured() -> None:
    random = np.random.default_rng(1)
    then = random.beta(1, 19, 4000)
    shifts = tuple(score_shift("card", month_of(age), 1, then * 3, then) for age in (2, 1))
    found = judged(observed(scores=shifts, in_use={"card": (1, month_of(2))}), SETTINGS)
    assert found.verdicts[1].verdict == WATCH
    assert "Scores of version 1 are unlike those of its test cohort" in str(found.verdicts[1])


def test_a_version_that_waits_is_named() -> None:
    months = (month(2, TWICE), month(1, TWICE))
    found = judged(observed(*months, waiting={"card": 4}), SETTINGS)
    assert found.verdicts[1].reasons[-1] == (
        "Version 4 is fit for use and waits: xsell models compare card."
    )


def test_without_a_month_to_judge_by_it_is_said_and_nothing_else() -> None:
    nobody = judged(observed(in_use={"card": (1, AS_OF)}, notes=("Why.",)), SETTINGS)
    assert [one.verdict for one in nobody.verdicts] == [UNKNOWN, UNKNOWN]
    assert nobody.headlines == ("all: cannot be told. No model can be judged yet.", "Why.")
    few = replace(month(1, EXACTLY_ONE), state="too_few", ratio=NOTHING, lift=NOTHING)
    assert "Too few bought it" in str(judged(observed(few), SETTINGS).verdicts[1])
    assert judged(Observed(AS_OF), SETTINGS).verdicts[0].verdict == UNKNOWN


def test_late_labels_are_watched_where_too_many_are_late_for_sure() -> None:
    def late(share):
        return tuple(
            LateLabels(
                "all",
                month_of(age),
                AS_OF,
                60,
                900,
                90,
                share,
                Estimate(1, 1, 1),
                is_provisional=False,
            )
            for age in (2, 1)
        )

    months = (month(2, EXACTLY_ONE), month(1, EXACTLY_ONE))
    found = judged(observed(*months, late=late(Estimate(0.1, 0.08, 0.12))), SETTINGS)
    assert [rule.name for rule in found.alarms] == ["late_labels"]
    assert found.verdicts[0].verdict == WATCH
    assert not judged(observed(*months, late=late(Estimate(0.03, 0.01, 0.05))), SETTINGS).alarms


def test_every_figure_is_in_a_table_and_what_is_unknown_is_null() -> None:
    months = (month(2, TWICE), replace(month(1, EXACTLY_ONE), auc=NOTHING))
    found = judged(observed(*months, features=moved("income", 0.8)), SETTINGS)
    told = tables(found)
    assert set(told) == {
        "model_outcomes", "reliability", "late_labels", "score_drift", "feature_drift", "alarms",
        "model_verdicts",
    }  # fmt: skip
    first, second = told["model_outcomes"].to_pylist()
    assert (first["ratio"], first["ratio_low"], first["lift_10_at_test"]) == (2.0, 1.6, 4.0)
    assert second["auc"] is None and first["lift_kept"] == 1.0
    assert told["feature_drift"].to_pylist()[0]["of_product"] == "card"
    assert [row["rule"] for row in told["alarms"].to_pylist()] == ["calibration", "feature_drift"]
    assert told["model_verdicts"].column("verdict").to_pylist() == [WATCH, WATCH]
    for table in told.values():
        for row in table.to_pylist():
            assert not any(isinstance(cell, float) and isnan(cell) for cell in row.values())


def simulated(seed: int, wrong: float, products: int = 12, months: int = 12) -> list[Observed]:
    """A bank's year, seen month after month: models that are right, or by that factor wrong.

    Outcome windows are two months long: neighbours share half of their purchases.
    """
    random = np.random.default_rng(seed)
    names = [f"p{place}" for place in range(products)]
    then, now = ({name: random.beta(1, 1 / 0.03 - 1, 3000) for name in names} for _ in range(2))
    tested = tuple(
        TrainedModel(name, 1, None, _tested_lift(random, name, then[name]), NOTHING, nan, {})
        for name in names
    )
    half = {name: 1 - np.sqrt(1 - np.minimum(wrong * now[name], 0.99)) for name in names}
    last = {name: random.random(3000) < half[name] for name in names}
    rows, shifts, years = [], [], []
    for age in range(months, 0, -1):
        for name in names:
            this = random.random(3000) < half[name]
            bought, last[name] = this | last[name], this
            rows.append(_outcome(name, month_of(age), now[name], bought))
            shifts.append(score_shift(name, month_of(age), 1, now[name], then[name]))
        in_use = dict.fromkeys(names, (1, month_of(months)))
        years.append(Observed(AS_OF, tuple(rows), tuple(shifts), tested=tested, in_use=in_use))
    return years


def _tested_lift(random, name, chances):
    return _outcome(name, AS_OF, chances, random.random(len(chances)) < chances).lift


def _outcome(name, day, chances, bought):
    return model_month(ScoredProduct(name, day, 1, chances, bought, np.ones(len(chances))), 20)


def alarms_of(seed: int, wrong: float, **size: int) -> set[tuple[str, str]]:
    """Rules and products that gave an alarm in any month of the year."""
    years = simulated(seed, wrong, **size)
    return {(rule.name, rule.product_id) for one in years for rule in judged(one, SETTINGS).alarms}


def test_right_models_give_no_alarm_in_half_a_year_and_wrong_ones_all_do() -> None:
    assert not alarms_of(1, 1.0, products=4, months=6)
    assert alarms_of(1, 2.0, products=4, months=3) == {("calibration", f"p{n}") for n in range(4)}


@pytest.mark.slow
def test_a_year_of_twelve_right_models_alarms_in_one_case_out_of_fifty_at_most() -> None:
    """Months of 90 buyers, too: small ones are where chance would alarm, if it did."""
    banks = 60
    assert sum(bool(alarms_of(seed, 1.0)) for seed in range(banks)) <= banks // 50
