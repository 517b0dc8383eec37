"""Laws of cohorts: no part of the training ever sees what the next part is judged by."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

from hypothesis import given, strategies as st

from conf.schema import TimeSettings
from models.labels import cohorts, outcome_window
from tables.windows import months_before

FIRST_DAYS = st.builds(date, st.integers(1994, 2040), st.integers(1, 12), st.just(1))
TIMES = st.builds(
    TimeSettings,
    observation_months=st.just(12),
    gap_days=st.integers(0, 95),
    outcome_months=st.integers(1, 12),
    train_cohorts=st.integers(1, 12),
)


@given(as_of=FIRST_DAYS, time=TIMES)
def test_outcomes_of_each_part_end_before_the_next_part_begins(
    as_of: date, time: TimeSettings
) -> None:
    chosen = cohorts(as_of, time)
    limits = {**dict.fromkeys(chosen.train, chosen.calibration),
              chosen.calibration: chosen.test, chosen.test: as_of}  # fmt: skip
    assert all(outcome_window(cohort, time)[1] <= limit for cohort, limit in limits.items())


@given(as_of=FIRST_DAYS, time=TIMES)
def test_no_later_month_would_do(as_of: date, time: TimeSettings) -> None:
    chosen = cohorts(as_of, time)
    for cohort, limit in ((chosen.test, as_of), (chosen.calibration, chosen.test),
                          (chosen.train[-1], chosen.calibration)):  # fmt: skip
        assert outcome_window(months_before(cohort, -1), time)[1] > limit


@given(as_of=FIRST_DAYS, time=TIMES)
def test_training_cohorts_are_consecutive_months_oldest_first(
    as_of: date, time: TimeSettings
) -> None:
    train = cohorts(as_of, time).train
    assert len(train) == time.train_cohorts
    assert all(months_before(later, 1) == earlier for earlier, later in pairwise(train))
    assert list(cohorts(as_of, time).all) == sorted(set(cohorts(as_of, time).all))
