"""Which settings may be tried, and that plans share candidates only where they are the same."""

from __future__ import annotations

from typing import Any

import pytest
from pyspark.sql import SparkSession

from campaigns.candidates import candidates
from campaigns.what_if import (
    MAY_DIFFER,
    OF_CHOICE,
    REFUSED,
    alternatives,
    candidates_key,
    setting_of,
    swept,
)
from conf.errors import ConfigError
from conf.load import load_config
from conf.schema import CampaignSettings, RunConfig
from tests.campaign_bank import AS_OF, make_bank

DAY = str(AS_OF)
CAPACITY = "campaign.branch_capacity"


def test_every_section_may_differ_or_is_refused_with_a_reason() -> None:
    assert sorted([*MAY_DIFFER, *REFUSED]) == sorted(RunConfig.model_fields)


def test_all_changes_together_are_one_alternative() -> None:
    texts = [f"{CAPACITY}=40", "contact_policy.max_contacts_30d=1"]
    [found] = alternatives(texts, DAY)
    assert (found.name, found.changes, found.at) == ("what-if", tuple(texts), None)
    assert swept(texts) is None


def test_a_sweep_is_an_alternative_for_each_value() -> None:
    texts = [f"{CAPACITY}=20..100:40", "campaign.budget=50.00"]
    found = alternatives(texts, DAY)
    assert [one.name for one in found] == ["20", "60", "100"]
    assert found[1].changes == (f"{CAPACITY}=60", "campaign.budget=50.00")
    assert swept(texts) == CAPACITY
    shares = alternatives(["campaign.control_share=0.05..0.15:0.05"], DAY)
    assert [one.changes for one in shares] == [
        (f"campaign.control_share={share}",) for share in ("0.05", "0.10", "0.15")
    ]


@pytest.mark.parametrize(
    ("texts", "phrase"),
    [
        (["models.rounds=3"], "in a copy of the home"),
        (["models.rounds=3"], f"xsell run --as-of {DAY} --set models.rounds=3"),
        (["roles.branch.list_columns=[]"], "it changes what lists say or show"),
        ([f"{CAPACITY}=20..100:1"], "at most 12 values"),
        ([f"{CAPACITY}=100..20:10"], "rises from the first to the last"),
        ([f"{CAPACITY}=20..20:10"], "at least 2"),
        ([f"{CAPACITY}=20..100:0"], "rises"),
        ([f"{CAPACITY}=20..60:20", "campaign.budget=1..3:1"], "only one setting can be swept"),
    ],
)
def test_what_may_not_be_tried_is_said_with_the_reason(texts: list[str], phrase: str) -> None:
    with pytest.raises(ConfigError, match=phrase):
        alternatives(texts, DAY)


def test_a_mistake_in_a_setting_is_told_under_the_name_of_the_option() -> None:
    with pytest.raises(ConfigError) as refused:
        load_config("local", what_ifs=["campaign.branch_capcity=40"])
    assert str(refused.value) == (
        "--what-if campaign.branch_capcity=40: campaign.branch_capcity is unknown;"
        " did you mean branch_capacity?"
    )


def test_a_what_if_goes_before_what_is_set() -> None:
    found = load_config("local", [f"{CAPACITY}=7"], what_ifs=[f"{CAPACITY}=8"])
    assert setting_of(found, f"{CAPACITY}=9") == "8"
    assert setting_of(found, "campaign.budget=9") == "not set"
    assert setting_of(found, "campaign.product_quotas.mortgage.max=9") == "not set"


class Watched:
    """Campaign settings that remember what was asked of them."""

    def __init__(self, settings: CampaignSettings) -> None:
        self._settings = settings
        self.asked: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        self.asked.add(name)
        return getattr(self._settings, name)


def test_candidates_never_ask_for_a_setting_of_the_choice(spark: SparkSession) -> None:
    """Else plans that share them would not be those of a run."""
    config = load_config("local")
    watched = Watched(config.campaign)
    sources = make_bank(1, 2, config).sources(spark)
    candidates(sources, config.model_copy(update={"campaign": watched}), AS_OF)
    assert "control_share" in watched.asked, "the settings are watched at all"
    assert not watched.asked & OF_CHOICE


def test_plans_share_candidates_only_if_nothing_else_differs() -> None:
    def key(*changes: str) -> str:
        return candidates_key(load_config("local", changes))

    assert key(f"{CAPACITY}=1", "campaign.max_offers=3") == key()
    assert key("campaign.min_expected_profit=1") != key()
    assert key("contact_policy.max_contacts_30d=1") != key()
    assert set(CampaignSettings.model_fields) >= OF_CHOICE


def test_candidates_ask_for_the_offers_of_a_client_where_channels_are_capped() -> None:
    """A capped channel is closed by as many contacts early as a client may get offers."""
    two = "campaign.max_offers_per_customer=2"
    caps = "contact_policy.max_contacts_30d_by_channel={phone: 2}"
    assert candidates_key(load_config("local")) == candidates_key(load_config("local", [two]))
    capped = candidates_key(load_config("local", [caps]))
    assert capped != candidates_key(load_config("local", [caps, two]))
