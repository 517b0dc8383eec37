"""UCI bank marketing in the order of the calls, without ``duration``: Moro's rolling window.

Trained on 20,000 calls, the next 2,000 are predicted; then both move on by 2,000. The campaign goes
well or badly for months, so that what was learned long ago misleads. Two ways to notice:

- *strict*: whom the calls just before were made to (traffic), which says what kind of campaign it
  is. No outcome after the window's start is used anywhere. Thought of for this data set; the first
  such features that were tried, on the windows that are reported.
- *live*: success rates of calls that ended at least 10 calls before, those of the own window
  included. That is what a call centre knows when it picks up the phone, but it is more than
  predicting 2,000 calls at once.

Own features leave out calendar and economy, in which a window differs from all that was trained on;
that was found on these windows: optimistic.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from public import (
    FEW_SAMPLES,
    SEED,
    Line,
    Problem,
    by_booster,
    by_regression,
    random_folds,
    share_caught,
)

from models.calibrate import probabilities
from models.evaluate import Estimate, evaluate
from models.matrix import Integers, Matrix, Outcomes, Vector

FOLDER, CALLS = "uci_bank_marketing", "bank-additional-full"
WINDOW, STEP, RANDOM_FOLDS, HALF = 20_000, 2_000, 5, 0.5
NEVER = 999
EDUCATION = ("illiterate", "basic.4y", "basic.6y", "basic.9y", "high.school", "professional.course")
EDUCATION = (*EDUCATION, "university.degree")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")
ECONOMY = ("emp.var.rate", "cons.price.idx", "cons.conf.idx", "euribor3m", "nr.employed")
WORDS = ("job", "marital", "default", "housing", "loan", "contact", "poutcome")
CUSTOMER_NUMBERS = ("age", "campaign", "previous")
SIZES, GAP = (
    (30, 100, 500, 2000),
    10,
)  # calls that a success rate is of; calls whose outcome is open
TRAFFIC, PACE = (50, 200, 1000), (500, 2000)  # calls before that are averaged, and timed
MANY_CALLS = 5
PUBLISHED_AUC = "0.80 (Moro 2014, other columns and years)"
PUBLISHED_HALF = "79 %"
BARS = {"auc": 0.77, "best_half": 0.80}

Ranking = Callable[[Integers, Integers], Vector]


def uci(read: Callable[[str, str], pd.DataFrame], _folder: Path) -> list[Line]:
    """Pooled AUC, and share of buyers in the best half, strict and live, beside a random split."""
    calls = read(FOLDER, CALLS)
    has_bought = calls["y"].to_numpy() == "yes"
    every = Problem(_features(calls, with_calendar=True), has_bought)
    own = Problem(_features(calls, with_calendar=False), has_bought)
    traffic, rates = every.told(_traffic(calls)), _rates(has_bought)
    live, own_live = every.told(rates), own.told(rates)

    def both(train: Integers, rows: Integers) -> Vector:
        rankings = (by_booster(own_live, train, rows), by_regression(own_live, train, rows))
        return np.asarray(np.mean(rankings, axis=0))

    recipes: dict[tuple[str, str], Ranking] = {
        ("", "strict, all features and traffic (first try): booster"): lambda *at: by_booster(
            traffic, *at
        ),
        ("plain_", "strict, all features: booster"): lambda *at: by_booster(every, *at),
        ("live_", "LIVE, all features and rates: booster"): lambda *at: by_booster(live, *at),
        ("live_own_", "LIVE, own features and rates, both models (optimistic)"): both,
    }
    lines: list[Line] = []
    for (key, what), ranking in recipes.items():
        windows = [_window(start, len(calls)) for start in range(WINDOW, len(calls), STEP)]
        found = np.concatenate([ranking(*window) for window in windows])
        lines += _lines(key, what, found, has_bought[WINDOW:])
    lines += _lines("random_", "random split, not to be compared", _random(every), has_bought)
    return lines


def _lines(key: str, what: str, found: Vector, has_bought: Outcomes) -> list[Line]:
    auc = evaluate(probabilities(found), has_bought, FEW_SAMPLES, SEED)["auc"]
    half = share_caught(found, has_bought, HALF)

    def line(name: str, measure: str, figure: Estimate, published: str) -> Line:
        bar = None if key == "random_" else BARS[name]
        return Line(f"uci_{key}{name}", "UCI", f"{measure}: {what}", figure, published, bar)

    return [
        line("auc", "AUC", auc, PUBLISHED_AUC),
        line("best_half", "best half", half, PUBLISHED_HALF),
    ]


def _window(start: int, calls: int) -> tuple[Integers, Integers]:
    """Rows to train on, and rows to predict."""
    return np.arange(start - WINDOW, start), np.arange(start, min(start + STEP, calls))


def _random(problem: Problem) -> Vector:
    """Every call by a booster trained on four fifths of all, before and after it."""
    fold = random_folds(len(problem.features), SEED, RANDOM_FOLDS)
    found = np.empty(len(fold))
    for left_out in range(RANDOM_FOLDS):
        rows = np.flatnonzero(fold == left_out)
        found[rows] = by_booster(problem, np.flatnonzero(fold != left_out), rows)
    return found


def _rates(has_bought: Outcomes) -> Matrix:
    """Log-odds of success among the newest calls whose outcome is known, for several numbers."""
    successes = np.r_[0, has_bought.cumsum()]
    known = np.maximum(np.arange(len(has_bought)) - GAP, 0)
    columns = []
    for size in SIZES:
        oldest = np.maximum(known - size, 0)
        # one success more, and one in fifteen: nobody's rate is 0
        rate = (successes[known] - successes[oldest] + 1) / (known - oldest + 15.0)
        columns.append(np.log(rate / (1 - rate)))
    return np.column_stack(columns).astype(np.float32)


def _traffic(calls: pd.DataFrame) -> Matrix:
    """Whom the newest calls were made to, the present one included, and at what pace."""
    customers = pd.DataFrame(
        {
            "cellular": calls["contact"] == "cellular",
            "known": calls["previous"] > 0,
            "bought_before": calls["poutcome"] == "success",
            "calls": calls["campaign"].clip(upper=MANY_CALLS),
            "age": calls["age"],
            "at_leisure": calls["job"].isin(["retired", "student"]),
            "unknown_default": calls["default"] == "unknown",
        }
    ).astype(np.float64)
    columns = [customers.rolling(size, min_periods=1).mean() for size in TRAFFIC]
    weekday = calls["day_of_week"]
    day = (weekday != weekday.shift()).cumsum()
    columns.append(day.groupby(day).cumcount())
    columns += [day - day.shift(size, fill_value=day.iloc[0]) for size in PACE]
    return np.column_stack(columns).astype(np.float32)


def _features(calls: pd.DataFrame, with_calendar: bool) -> Matrix:
    columns = [calls[name] for name in CUSTOMER_NUMBERS]
    columns.append(calls["pdays"].where(calls["pdays"] < NEVER))
    columns.append(_places(calls["education"], EDUCATION))
    if with_calendar:
        columns += [_places(calls["month"], MONTHS), _places(calls["day_of_week"], WEEKDAYS)]
        columns += [calls[name] for name in ECONOMY]
    columns += [calls[name] == word for name in WORDS for word in sorted(calls[name].unique())]
    return np.column_stack(columns).astype(np.float32)


def _places(column: pd.Series, words: tuple[str, ...]) -> pd.Series:
    return column.map({word: place for place, word in enumerate(words)})
