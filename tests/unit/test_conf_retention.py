"""Bounds of retention: months from 0, or none."""

from __future__ import annotations

import pytest

from conf.errors import ConfigError
from conf.jurisdiction import Retention
from conf.load import load_config

PROFILE = "jurisdiction.profiles.us_opt_out.retention"


def test_what_says_nothing_is_kept_for_good():
    assert set(Retention().model_dump().values()) == {None}


def test_each_profile_has_bounds_and_the_law_asks_for_25_months_of_credit():
    profiles = load_config("local").jurisdiction.profiles
    assert all(profile.retention != Retention() for profile in profiles.values())
    assert profiles["us_opt_out"].retention.decisions >= 25


@pytest.mark.parametrize("text", [f"{PROFILE}.decisions=-1", f"{PROFILE}.decision=3"])
def test_other_bounds_are_refused(text):
    with pytest.raises(ConfigError):
        load_config("local", [text])


def test_no_lever_is_forgotten_before_it_may_be_offered_again():
    once = load_config("local").levers["market_evening"].once_in_days
    months = -(-once // 28)
    path = "jurisdiction.profiles.eu_strict.retention.decisions"
    assert load_config("local", [f"{path}={months}"])
    with pytest.raises(ConfigError, match=f"decisions is {months - 1}; lever market_evening"):
        load_config("local", [f"{path}={months - 1}"])
