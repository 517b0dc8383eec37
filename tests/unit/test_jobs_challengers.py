"""From trained models to champions: fallbacks, the gate, reruns, and `xsell models`."""

from __future__ import annotations

import argparse
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from jobs.models import challengers, command as models_command
from models.decisions import Signature
from models.registry import CHALLENGER, CHAMPION, Registry, with_accelerator
from models.training_set import TEST, TRAIN
from models.variant import train_variant
from tables.errors import ModelNotFound, UserError
from tests.model_data import (
    FEATURES,
    PRODUCTS,
    gate_settings,
    model_settings,
    plan_of,
    small_bank,
)
from tests.pages import Text
from tests.trained import AS_OF, challengers_of, configuration, train


def state(home: Path) -> dict[str, tuple[int, str] | None]:
    registry = Registry(home)
    found = {product_id: registry.with_alias(product_id, CHAMPION) for product_id in PRODUCTS}
    return {p: (c.version, c.tags["kind"]) if c else None for p, c in found.items()}


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory, empty_registry: Path) -> Path:
    """A home after its first training run."""
    home = tmp_path_factory.mktemp("first")
    shutil.copytree(empty_registry, home, dirs_exist_ok=True)
    train(home, small_bank(2500))
    return home


def test_every_product_gets_a_champion_of_the_best_kind_its_data_allow(first: Path) -> None:
    found = state(first)
    assert {product_id: kind for product_id, (_, kind) in found.items()} == {
        "card": "booster", "loan": "pooled", "boat": "segment_rate",
    }  # fmt: skip


def test_without_enough_buyers_of_anything_all_get_the_segments_rate(registry_home: Path) -> None:
    train(registry_home, small_bank(300), min_positives=10_000, min_pooled_positives=10_000)
    assert {kind for _, kind in state(registry_home).values()} == {"segment_rate"}


def test_a_model_that_the_gate_refuses_leaves_its_place_to_the_next_kind(
    registry_home: Path,
) -> None:
    strict = gate_settings(min_auc=0.999, min_test_positives=1)
    train(registry_home, small_bank(600), gate=strict)
    assert state(registry_home)["card"] == (3, "segment_rate")
    refused = Registry(registry_home).of_run("card", "run 1")
    assert [version.tags["kind"] for version in refused] == ["booster", "pooled", "segment_rate"]
    assert "is below 0.999" in refused[0].tags["gate"]


def test_the_same_run_again_changes_nothing(registry_home: Path) -> None:
    data = small_bank(600)
    train(registry_home, data)
    before, decisions = state(registry_home), Registry(registry_home).decisions("card")
    train(registry_home, data)
    assert state(registry_home) == before
    assert Registry(registry_home).decisions("card") == decisions
    assert len(Registry(registry_home).of_run("card", "run 1")) == 1


def test_a_challenger_that_is_no_better_waits_beside_the_champion(first: Path) -> None:
    train(first, small_bank(2500), run_id="run 2")
    registry = Registry(first)
    assert state(first)["card"] == (1, "booster")
    waiting = registry.with_alias("card", CHALLENGER)
    assert waiting is not None and waiting.version == 2
    assert "may be none" in waiting.tags["against_champion"]


def test_a_challenger_that_beats_the_champion_replaces_it(registry_home: Path) -> None:
    data = small_bank(2500)
    features = data.features.copy()
    features[data.part == TRAIN, 0] = 0  # what drives purchases most is hidden
    train(registry_home, replace(data, features=features), run_id="blind")
    assert state(registry_home)["card"] == (1, "booster")
    train(registry_home, data, run_id="seeing")
    assert state(registry_home)["card"] == (2, "booster")
    decision = Registry(registry_home).decisions("card")[-1]
    assert (decision.who, decision.when, decision.before) == ("gate", "2024-04-01", 1)


def test_a_variant_that_beats_the_champion_is_the_challenger_and_not_promoted(
    registry_home: Path,
) -> None:
    data = small_bank(2500)
    features = data.features.copy()
    features[data.part == TRAIN, 0] = 0
    train(registry_home, replace(data, features=features), run_id="blind")
    registry, signed = Registry(registry_home), Signature("Ana", "it sees", "now", "now")
    seeing = challengers_of(registry_home, data, "a variant")
    candidate = train_variant(plan_of(data, registry_home / "arrays" / "seeing"), "card", {})
    registered = seeing.register_variant(registry, candidate, signed, {"by": "Ana"})
    assert (registered.tags["gate"], registered.tags["against_champion"]) == ("passed", "passed")
    assert registered.tags["by"] == "Ana"
    assert state(registry_home)["card"] == (1, "booster")
    assert registry.with_alias("card", CHALLENGER) == registered
    last = registry.decisions("card")[-1]
    assert (last.action, last.version, last.who) == ("register", 2, "Ana")


def test_without_automatic_promotion_a_person_decides(registry_home: Path, capsys: Any) -> None:
    train(registry_home, small_bank(600), auto_promote=False)
    assert state(registry_home)["card"] is None
    promote(registry_home, "card")
    assert state(registry_home)["card"] == (1, "booster")
    assert Registry(registry_home).decisions("card")[-1].who == "Ana"
    assert "propensity_card version 1 is the champion" in capsys.readouterr().out


def options(home: Path, product_id: str = "") -> argparse.Namespace:
    return argparse.Namespace(
        env="local", overrides=[], home=home, product=product_id, who="Ana", why="tested"
    )


@pytest.fixture(autouse=True)
def small_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    config = SimpleNamespace(products=dict.fromkeys(PRODUCTS), models=model_settings())
    monkeypatch.setattr(models_command, "load_config", lambda env, overrides: config)


def promote(home: Path, product_id: str) -> None:
    assert models_command.promote_command(options(home, product_id)) == 0


def test_what_the_gate_refused_a_person_cannot_promote(registry_home: Path) -> None:
    data = small_bank(600)
    train(registry_home, data)
    strict = gate_settings(min_auc=0.999, min_test_positives=1)
    train(registry_home, data, run_id="run 2", gate=strict)
    with pytest.raises(UserError, match=r"card version 2 may not be promoted: .*below 0\.999"):
        promote(registry_home, "card")


def test_rollback_goes_back_one_promotion_at_a_time(first: Path) -> None:
    home, registry = first, Registry(first)
    for run_id in ("run 8", "run 9"):
        train(home, small_bank(600), run_id=run_id)
        promote(home, "card")
    newest = state(home)["card"]
    assert newest is not None
    went_back = []
    for _ in range(2):
        assert models_command.rollback_command(options(home, "card")) == 0
        went_back.append(state(home)["card"])
    assert [version for version, _ in went_back] == [newest[0] - 1, 1]
    assert registry.decisions("card")[-1].action == "rollback"
    with pytest.raises(ModelNotFound, match=r"none before it|none to go back"):
        models_command.rollback_command(options(home, "card"))


def test_the_list_shows_champion_figures_and_challenger(first: Path, capsys: Any) -> None:
    assert models_command.list_command(options(first)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["product", "version", "kind", "test", "AUC", "ECE", "trained", "as",
                                "of", "challenger"]  # fmt: skip
    card = next(line for line in lines if line.startswith("card"))
    assert " booster " in card and " [0." in card and " 2024-04-01 " in card


def test_commands_on_an_empty_home_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match="Run xsell train"):
        models_command.list_command(options(tmp_path))


def test_an_unknown_product_is_named_with_those_there_are(first: Path) -> None:
    with pytest.raises(UserError, match="no product 'cart'; there are card, loan, boat"):
        promote(first, "cart")


def test_mlflow_can_read_a_registered_booster_by_itself(first: Path) -> None:
    import mlflow.lightgbm

    registered = Registry(first).version("card", 1)
    assert registered is not None
    folder = first / "mlruns" / "artifacts" / registered.mlflow_run_id / "artifacts" / "model"
    booster = mlflow.lightgbm.load_model(str(folder))
    assert booster.feature_name() == list(FEATURES)


def card_of(home: Path, product_id: str, version: int) -> tuple[dict[str, Any], str]:
    registry = Registry(home)
    registered = registry.version(product_id, version)
    assert registered is not None
    page = registry.card(registered)
    return json.loads(page.with_suffix(".json").read_text()), page.read_text()


def test_a_card_calls_the_product_by_its_name_in_the_bank_s_language(first: Path) -> None:
    content, page = card_of(first, "card", 1)
    [title] = re.findall("<h1>(.*?)</h1>", page)
    assert title == f"{configuration(None).products['card'].name['en']}: model version 1"
    assert content["product_name"] in page


def test_every_registered_version_has_a_card_beside_its_model(first: Path) -> None:
    for product_id, version, kind in (
        ("card", 1, "booster"), ("loan", 1, "pooled"), ("boat", 2, "segment_rate"),
    ):  # fmt: skip
        content, page = card_of(first, product_id, version)
        assert (content["kind"], content["gate"]) == (kind, "passed")
        assert content["parts"][2]["cohorts"] == "2024-01-01"
        text = Text(page)
        assert text.open == [] and text.fetched == []
        assert "must not be used to decide on credit" in text.shown
        assert not re.search(r"url\(|@import|<script", page)


def test_a_card_says_why_the_model_is_of_its_kind(first: Path) -> None:
    assert "a model of its own needs 50" in card_of(first, "card", 1)[0]["why_kind"]
    assert "a model of its own needs 50" in card_of(first, "loan", 1)[0]["why_kind"]
    assert "the pooled model was refused: " in card_of(first, "boat", 2)[0]["why_kind"]


def test_a_card_shows_plots_features_and_groups_but_no_small_group(first: Path) -> None:
    content, page = card_of(first, "card", 1)
    assert [one["group"] for one in content["groups"]] == ["f", "m"]
    assert content["has_small_groups"]
    assert "CANARY" not in page and "CANARY" not in json.dumps(content)
    assert {one["name"] for one in content["features"][:2]} == {"balance", "spending"}
    directions = {one["name"]: one["direction"] for one in content["features"]}
    assert (directions["balance"], directions["spending"]) == ("more likely", "less likely")
    assert page.count("<svg") == 2 and page.count("<circle") == len(content["deciles"])
    assert sum(one["buyers"] for one in content["deciles"]) == content["parts"][2]["buyers"]


def test_a_card_says_which_constraints_hold_and_what_a_search_found(
    registry_home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "jobs.models.challengers")
    changes = {"monotone": {"balance": "increasing"}, "search": {"trials": 3}}
    found = train(registry_home, small_bank(600), **changes)
    registry = Registry(registry_home)
    [version] = registry.of_run("card", "run 1")
    assert "[monotone_constraints: 1,0,0,0]" in registry.load(version).scorer.model_text
    told = registry.parameters(version)["search_result"]
    assert "in 3 trials" in told and f"card: parameters: {told}" in caplog.text
    held = "the propensity never falls as balance rises"
    shown = Text(card_of(registry_home, "card", 1)[1]).shown
    assert held in shown and told in shown
    pooled = Text(card_of(registry_home, "loan", 1)[1]).shown
    assert "only a product's own booster is searched for" in pooled
    content, page = card_of(registry_home, "boat", 2)
    assert content["kind"] == "segment_rate" and held not in Text(page).shown
    [report] = (registry_home / "reports" / str(AS_OF)).glob("train-run 1.html")
    assert told in Text(report.read_text()).shown
    assert str(found.summary()["better_parameters"]).startswith(("0 of 1 searched", "1 of 1"))


def test_a_later_version_stands_beside_those_before_it(first: Path) -> None:
    train(first, small_bank(2500), run_id="run 7")
    newest = Registry(first).of_run("card", "run 7")[0]
    content, page = card_of(first, "card", newest.version)
    assert [one["version"] for one in content["earlier"]][-1] == 1
    assert "It does not replace the champion by itself" in page
    assert "may be none" in content["against_champion"]


def test_the_report_of_a_training_leads_to_every_card_wherever_the_home_lies(
    first: Path, tmp_path: Path
) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(first, moved)
    [page] = (moved / "reports" / str(AS_OF)).glob("train-run 1.html")
    links = Text(page.read_text()).fetched
    assert len(links) == len(Registry(moved).of_run("boat", "run 1")) + 2
    assert all((page.parent / link).resolve().is_relative_to(moved) for link in links)
    assert all((page.parent / link).exists() for link in links)


def test_a_card_that_a_crash_prevented_is_written_by_the_repetition(registry_home: Path) -> None:
    data = small_bank(300)
    few = {"min_positives": 10_000, "min_pooled_positives": 10_000}
    train(registry_home, data, **few)
    registry = Registry(registry_home)
    page = registry.card(registry.of_run("card", "run 1")[0])
    before = page.read_bytes()
    page.unlink()
    train(registry_home, data, **few)
    assert page.read_bytes() == before


def test_a_model_that_is_surely_wrong_about_a_protected_group_is_refused(
    registry_home: Path,
) -> None:
    data = small_bank(1500)
    in_test = data.part == TEST
    labels = np.where(data.outcomes[in_test, 0] == 1, "f", "m")  # nobody else buys
    train(registry_home, data, labels=labels)
    refused = Registry(registry_home).of_run("card", "run 1")
    assert [version.tags["kind"] for version in refused] == ["booster", "pooled", "segment_rate"]
    assert "gender f buys" in refused[0].tags["gate"]
    content, page = card_of(registry_home, "card", 1)
    assert {one["group"]: one["is_unequal"] for one in content["groups"]} == {"f": True, "m": True}
    assert "The gate refuses it: gender f buys" in page


def test_what_predicts_faster_is_used_for_models_it_is_equal_for(
    registry_home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("daal4py", reason="the optional accelerator is not installed")
    bank = small_bank(600)
    train(registry_home, bank, accelerator="onedal")
    registry = Registry(registry_home)
    [version] = registry.of_run("card", "run 1")
    assert version.tags["accelerator"] == "onedal"
    plain = registry.load(version)
    faster = with_accelerator(plain, version, "onedal")
    assert faster.scorer.is_accelerated
    assert not with_accelerator(plain, version, "none").scorer.is_accelerated
    rows = bank.features[bank.part == TEST]
    apart = faster.scorer.propensities_of(rows) - plain.scorer.propensities_of(rows)
    assert np.abs(apart).max() <= 1e-6

    monkeypatch.setattr(challengers, "is_equal", lambda *_: False)
    train(registry_home, bank, "run 2", accelerator="onedal")
    [second] = registry.of_run("card", "run 2")
    assert second.tags["accelerator"] == "none"
    assert "card: onedal differs from LightGBM and is not used" in caplog.text
    assert not with_accelerator(registry.load(second), second, "onedal").scorer.is_accelerated
