"""The registry: one version per run, verified files, recorded changes, a home that may be moved."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conf.load import load_config
from models.calibrate import Calibration
from models.decisions import Signature
from models.evaluate import Estimate
from models.model_files import read_model, write_model
from models.registry import CHALLENGER, CHAMPION, Registry, champions
from models.scorer import Scorer
from models.train import Candidate
from tables.errors import ContractViolation, ModelNotFound

TAGS = {"as_of": "2024-04-01", "gate": "passed", "against_champion": "passed"}
METRICS = {"auc": Estimate(0.8, 0.75, 0.85), "ece": Estimate(0.01, 0.0, 0.02)}


def candidate(product_id: str = "mortgage", text: str = "tree", rate: float = 0.01) -> Candidate:
    scorer = Scorer(
        product_id, "booster", ("balance", "spending"), {}, text, -1.5,
        Calibration("platt", (0.9, 0.1)), {"": rate},
    )  # fmt: skip
    return Candidate(scorer, METRICS, {"rounds": 12, "test_positives": 30})


def signed(who: str, why: str, when: str) -> Signature:
    return Signature(who, why, when, recorded_at=when)


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory, empty_registry: Path) -> Registry:
    home = tmp_path_factory.mktemp("home")
    shutil.copytree(empty_registry, home, dirs_exist_ok=True)
    return Registry(home)


def home_of(registry: Registry) -> Path:
    return registry._home


def test_a_run_registers_a_model_once_however_often_it_is_repeated(registry: Registry) -> None:
    first = registry.register(candidate("once"), "run 1", TAGS, {"features": "balance"})
    again = registry.register(candidate("once"), "run 1", TAGS, {"features": "balance"})
    other = registry.register(candidate("once"), "run 2", TAGS, {"features": "balance"})
    assert (first.version, again.version, other.version) == (1, 1, 2)
    assert [version.version for version in registry.of_run("once", "run 1")] == [1]


def test_a_registered_version_has_no_effect_until_an_alias_points_to_it(registry: Registry) -> None:
    registry.register(candidate("waiting"), "run 1", TAGS, {})
    assert registry.with_alias("waiting", CHAMPION) is None
    assert registry.with_alias("waiting", CHALLENGER) is None


def test_a_loaded_model_is_the_one_that_was_registered(registry: Registry) -> None:
    registered = registry.register(candidate("loaded"), "run 1", TAGS, {"cohort": "2024-01-01"})
    champion = registry.load(registered)
    assert champion.scorer == candidate("loaded").scorer
    assert (champion.name, champion.version) == ("propensity_loaded", 1)
    assert registry.metrics(registered) == {
        "auc": 0.8, "auc_low": 0.75, "auc_high": 0.85, "ece": 0.01, "ece_low": 0.0,
        "ece_high": 0.02, "rounds": 12.0, "test_positives": 30.0,
    }  # fmt: skip


def test_promotion_and_rollback_are_recorded_with_who_when_and_why(registry: Registry) -> None:
    one, two = (registry.register(candidate("cards"), run, TAGS, {}) for run in ("run 1", "run 2"))
    registry.challenge(one)
    registry.switch(one, "promote", signed("gate", "passed", "2024-04-01"))
    registry.challenge(two)
    registry.switch(two, "promote", signed("Ana", "new segment", "2024-05-01"))
    registry.switch(one, "rollback", signed("Ion", "complaints", "2024-06-01"))

    champion = registry.with_alias("cards", CHAMPION)
    assert champion is not None and champion.version == 1
    assert registry.with_alias("cards", CHALLENGER) is None
    recorded = [(d.action, d.version, d.before, d.who, d.why, d.when)
                for d in registry.decisions("cards")]  # fmt: skip
    assert recorded == [
        ("promote", 1, None, "gate", "passed", "2024-04-01"),
        ("promote", 2, 1, "Ana", "new segment", "2024-05-01"),
        ("rollback", 1, 2, "Ion", "complaints", "2024-06-01"),
    ]


def test_making_the_champion_champion_again_records_nothing(registry: Registry) -> None:
    one = registry.register(candidate("same"), "run 1", TAGS, {})
    registry.switch(one, "promote", signed("gate", "passed", "2024-04-01"))
    registry.switch(one, "promote", signed("gate", "passed", "2024-05-01"))
    assert len(registry.decisions("same")) == 1


def test_a_promotion_that_a_crash_cut_short_is_recorded_once_when_repeated(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = registry.register(candidate("cut"), "run 1", TAGS, {})

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(registry._client, "set_registered_model_alias", crash)
        registry.switch(one, "promote", signed("gate", "passed", "2024-04-01"))
    assert registry.with_alias("cut", CHAMPION) is None
    registry.switch(one, "promote", signed("gate", "passed", "2024-04-01"))
    assert registry.with_alias("cut", CHAMPION) == one
    assert len(registry.decisions("cut")) == 1


def test_a_moved_home_still_finds_its_champions(tmp_path: Path) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    registered = Registry(before).register(candidate(), "run 1", TAGS, {})
    Registry(before).switch(registered, "promote", signed("gate", "passed", "2024-04-01"))
    before.rename(after)

    moved = Registry(after)
    champion = moved.with_alias("mortgage", CHAMPION)
    assert champion is not None
    assert moved.load(champion).scorer == candidate().scorer
    moved.register(candidate(), "run 2", TAGS, {})
    assert not before.exists()


def test_products_without_a_champion_are_named_with_what_to_do(tmp_path: Path) -> None:
    config = load_config("local", [])
    with pytest.raises(ModelNotFound, match=r"No champion for .*current_account.*Run xsell train"):
        champions(config, tmp_path)
    assert not (tmp_path / "mlruns").exists()

    registered = Registry(tmp_path).register(candidate("mortgage"), "run 1", TAGS, {})
    Registry(tmp_path).switch(registered, "promote", signed("gate", "passed", "2024-04-01"))
    with pytest.raises(ModelNotFound) as error:
        champions(config, tmp_path)
    assert "mortgage" not in str(error.value)


@pytest.mark.parametrize("name", ["model.txt", "scorer.json", "model.sha256"])
@pytest.mark.parametrize("damage", ["changed", "gone", "not text"])
def test_a_model_that_was_tampered_with_is_refused(tmp_path: Path, name: str, damage: str) -> None:
    sha256 = write_model(tmp_path, candidate().scorer)
    assert read_model(tmp_path, sha256, "version 1") == candidate().scorer.files()
    path = tmp_path / name
    content = path.read_bytes()
    path.unlink()
    if damage != "gone":
        path.write_bytes(b"\xff\x00" if damage == "not text" else content.replace(b"e", b"f", 1))
    with pytest.raises(ContractViolation, match=rf"version 1: .*{name}.*rollback"):
        read_model(tmp_path, sha256, "version 1")


def test_replacing_all_files_of_a_model_at_once_is_noticed_too(tmp_path: Path) -> None:
    sha256 = write_model(tmp_path, candidate().scorer)
    assert write_model(tmp_path, candidate(text="other tree").scorer) != sha256
    with pytest.raises(ContractViolation, match=r"model\.sha256"):
        read_model(tmp_path, sha256, "version 1")


def test_the_digests_are_those_that_sha256sum_checks(tmp_path: Path) -> None:
    sha256 = write_model(tmp_path, candidate().scorer)
    assert hashlib.sha256((tmp_path / "model.sha256").read_bytes()).hexdigest() == sha256
    checked = subprocess.run(
        ["sha256sum", "-c", "model.sha256"], cwd=tmp_path, capture_output=True, check=False
    )
    assert checked.returncode == 0


def test_equal_models_have_equal_digests(tmp_path: Path) -> None:
    digests = [write_model(tmp_path / name, candidate().scorer) for name in ("a", "b")]
    assert digests[0] == digests[1]
    assert write_model(tmp_path / "c", candidate(rate=0.02).scorer) != digests[0]


@pytest.mark.slow
def test_two_first_uses_at_once_both_succeed(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from models.registry import Registry;"
        " Registry(pathlib.Path(sys.argv[1]))"
    )
    started = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)]) for _ in range(3)]
    assert [process.wait(timeout=300) for process in started] == [0, 0, 0]
