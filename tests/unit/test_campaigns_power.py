"""What a control group can show: the power that is stated is the power there is."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.stats import binom, chi2_contingency

from campaigns.power import POWER, Design, in_words

TRIALS = 20_000


@pytest.mark.parametrize(
    "design",
    [Design(2400, 290, 0.11), Design(900, 100, 0.03), Design(60, 40, 0.2), Design(50, 400, 0.05)],
)
def test_simulated_campaigns_find_the_detectable_uplift_four_times_out_of_five(
    design: Design,
) -> None:
    assert design.detectable is not None
    random = np.random.default_rng(20261101)
    bought = random.binomial(design.offered, design.base_rate + design.detectable, TRIALS)
    of_control = random.binomial(design.control, design.base_rate, TRIALS)
    pooled = (bought + of_control) / (design.offered + design.control)
    variance = pooled * (1 - pooled) * (1 / design.offered + 1 / design.control)
    difference = bought / design.offered - of_control / design.control
    found = float((difference > 1.96 * np.sqrt(variance)).mean())
    # The smallest uplift with that power; with few customers power rises in small steps.
    assert abs(found - POWER) < 4 * math.sqrt(POWER * (1 - POWER) / TRIALS) + 0.002


def test_power_is_the_sum_over_everything_that_may_come_out() -> None:
    design, uplift = Design(9, 7, 0.3), 0.45
    total = 0.0
    for bought, of_control in itertools.product(range(10), range(8)):
        table = [[bought, 9 - bought], [of_control, 7 - of_control]]
        if bought / 9 <= of_control / 7 or 0 in np.sum(table, axis=0):
            continue
        # Pearson's test without correction is that of two proportions with pooled variance.
        if chi2_contingency(table, correction=False).pvalue <= 0.05:
            total += binom.pmf(bought, 9, 0.75) * binom.pmf(of_control, 7, 0.3)
    assert design.power(uplift) == pytest.approx(total, abs=1e-9)


def test_without_an_uplift_hardly_anything_is_found() -> None:
    assert Design(2400, 290, 0.11).power(0) == pytest.approx(0.025, abs=0.01)


def test_more_control_shows_more() -> None:
    small, large = Design(2500, 100, 0.1), Design(2000, 600, 0.1)
    assert small.detectable is not None
    assert large.detectable is not None
    assert small.detectable > large.detectable
    assert small.is_underpowered
    assert not large.is_underpowered


def test_the_control_that_is_needed_is_enough_and_hardly_less_would_be() -> None:
    share = Design(2500, 100, 0.1).control_needed()
    assert share is not None
    control = round(2600 * share)
    assert not Design(2600 - control, control, 0.1).is_underpowered
    assert Design(2620 - control, control - 20, 0.1).is_underpowered
    assert Design(30, 3, 0.1).control_needed() is None


@pytest.mark.parametrize(
    "design", [Design(0, 10, 0.1), Design(10, 0, 0.1), Design(1, 1, 0.1), Design(0, 0, 0.0)]
)
def test_nobody_to_compare_with_shows_nothing(design: Design) -> None:
    assert design.detectable is None
    assert design.is_underpowered
    assert "no uplift can be seen" in in_words(design)


def test_words_say_what_can_be_seen_and_what_it_would_take() -> None:
    assert in_words(Design(2400, 290, 0.1076)) == (
        "underpowered: an uplift of less than 6.1 points, 57 % of the 10.76 % expected to buy"
        " anyway, cannot be seen with 2,400 offered and 290 control; a control of 14 % of these"
        " clients would be needed for 5.4 points"
    )
    assert in_words(Design(2000, 600, 0.1)).startswith("an uplift from 4.")
    assert in_words(Design(30, 3, 0.1)).endswith(
        "no control of so few clients would do for 5 points"
    )
