"""The configuration of a past run, read by today's code."""

from __future__ import annotations

import json

import pytest

from conf.errors import ConfigError
from conf.load import config_json, load_config
from conf.recorded import recorded_config


@pytest.fixture
def recorded():
    overrides = ["models.rounds=77", "models.gate.max_ece=0.5"]
    return json.loads(config_json(load_config("local", overrides)))


def test_what_a_run_recorded_is_what_it_had(recorded):
    config = recorded_config(json.dumps(recorded))
    assert config_json(config) == json.dumps(
        recorded, sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )


def test_a_section_and_a_setting_that_are_newer_than_the_run_are_filled_in(recorded):
    del recorded["reasons"], recorded["models"]["fairness"], recorded["models"]["gate"]["min_auc"]
    config, today = recorded_config(json.dumps(recorded)), load_config("local")
    assert config.reasons == today.reasons
    assert config.models.fairness == today.models.fairness
    assert config.models.gate.min_auc == today.models.gate.min_auc
    assert (config.models.rounds, config.models.gate.max_ece) == (77, 0.5)


def test_a_product_is_never_filled_in(recorded):
    gone = recorded["products"].pop("gold_card")
    recorded["products"]["old_card"] = {name: gone[name] for name in list(gone)[1:]}
    with pytest.raises(ConfigError, match=r"that the run recorded: products\.old_card\.\w+ is mis"):
        recorded_config(json.dumps(recorded))


def test_what_todays_code_no_longer_knows_is_told_with_the_way_out(recorded):
    recorded["models"]["depth"] = 3
    with pytest.raises(ConfigError, match=r"models\.depth is unknown.*use the code version"):
        recorded_config(json.dumps(recorded))
