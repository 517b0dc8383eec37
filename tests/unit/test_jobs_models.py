"""`xsell models`: four eyes, history, and what a comparison tells, without any training."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from jobs.arguments import parser
from jobs.models import command as models_command
from jobs.models.compare import compare_command
from jobs.models.history import history_command
from models.decisions import Signature
from models.evaluate import Estimate
from models.registry import CHAMPION, Registered, Registry
from models.scorer import UPLIFT, Scorer
from models.train import Candidate
from models.uplift_scorer import UpliftCandidate, UpliftModel, UpliftScorer
from tables.errors import UserError
from tests.model_data import model_settings

PRODUCTS = ("card", "loan", "fund", "boat", "deposit", "bond", "plan", "pension")
MONTHS = {"run 1": "2024-04-01", "run 2": "2024-05-01"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, empty_registry: Path) -> Path:
    """One registry for all tests, each with a product of its own."""
    folder = tmp_path_factory.mktemp("home")
    shutil.copytree(empty_registry, folder, dirs_exist_ok=True)
    return folder


@pytest.fixture(autouse=True)
def four_eyes(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = model_settings(auto_promote=False, four_eyes=True)
    config = SimpleNamespace(products=dict.fromkeys(PRODUCTS), models=settings)
    monkeypatch.setattr(models_command, "load_config", lambda env, overrides: config)


def options(home: Path, product: str | None, who: str = "Ana", **more: Any) -> argparse.Namespace:
    place = {"env": "local", "overrides": [], "home": home}
    return argparse.Namespace(**place, product=product, who=who, why="tested", **more)


def trained(home: Path, product: str, run_id: str = "run 1", **facts: str) -> Registered:
    """A challenger."""
    scorer = Scorer(product, "booster", ("balance",), {}, "tree")
    metrics = {
        "auc": Estimate(0.8, 0.75, 0.85),
        "log_loss_gain_over_logistic_regression": Estimate(0.001, -0.002, 0.004),
    }
    tags = {"as_of": MONTHS[run_id], "gate": "passed", "against_champion": "passed"}
    registry = Registry(home)
    candidate = Candidate(scorer, metrics, {"test_positives": 30, "test_rows": 4000})
    registered = registry.register(candidate, run_id, tags, facts)
    registry.challenge(registered)
    return registered


def promote(home: Path, product: str, who: str) -> int:
    return models_command.promote_command(options(home, product, who))


def champion(home: Path, product: str) -> int | None:
    found = Registry(home).with_alias(product, CHAMPION)
    return found.version if found else None


def recorded(home: Path, product: str) -> list[tuple[str, int, str]]:
    return [(d.action, d.version, d.who) for d in Registry(home).decisions(product)]


def test_the_first_person_proposes_and_a_second_one_switches(home: Path, capsys: Any) -> None:
    trained(home, "card")
    assert promote(home, "card", "Ana") == 0
    assert champion(home, "card") is None
    assert "version 1 is proposed by Ana and waits for a second person" in capsys.readouterr().out
    assert models_command.list_command(options(home, None)) == 0
    assert "proposed by Ana, waits for a second person" in capsys.readouterr().out
    assert promote(home, "card", "Ion") == 0
    assert champion(home, "card") == 1
    assert recorded(home, "card") == [("propose", 1, "Ana"), ("promote", 1, "Ion")]


@pytest.mark.parametrize("again", ["Ana", " ANA "])
def test_the_same_person_twice_is_refused(home: Path, again: str) -> None:
    product = "loan" if again == "Ana" else "fund"
    trained(home, product)
    promote(home, product, "Ana")
    with pytest.raises(UserError, match=r"Ana proposed .* cannot be the second person as well"):
        promote(home, product, again)
    assert champion(home, product) is None
    assert recorded(home, product) == [("propose", 1, "Ana")]


def test_a_proposal_does_not_count_for_a_later_challenger(home: Path) -> None:
    trained(home, "boat")
    promote(home, "boat", "Ana")
    trained(home, "boat", "run 2")
    promote(home, "boat", "Ion")
    assert champion(home, "boat") is None
    assert recorded(home, "boat") == [("propose", 1, "Ana"), ("propose", 2, "Ion")]
    promote(home, "boat", "Ana")
    assert champion(home, "boat") == 2


def test_what_two_persons_approved_needs_no_third_after_a_crash(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained(home, "deposit")
    promote(home, "deposit", "Ana")

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    client = Registry(home)._client
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(client, "set_registered_model_alias", crash)
        promote(home, "deposit", "Ion")
    assert champion(home, "deposit") is None
    promote(home, "deposit", "Ion")
    assert champion(home, "deposit") == 1
    assert recorded(home, "deposit") == [("propose", 1, "Ana"), ("promote", 1, "Ion")]


@pytest.fixture(scope="module")
def promoted(home: Path) -> Callable[[str], None]:
    """Two promotions and a rollback, on given days."""

    def promote_twice(product: str) -> None:
        registry = Registry(home)
        one = trained(
            home, product, learning_rate="0.05", features="a, b", test_cohort="2024-01-01"
        )
        two = trained(
            home, product, "run 2", learning_rate="0.03", features="b, c, d",
            test_cohort="2024-02-01", version_holdings="7",
        )  # fmt: skip
        registry.switch(one, "promote", Signature("gate", "passed", "2024-04-01", "2024-04-02T05"))
        registry.switch(two, "promote", signed("Ana", "better", "2024-05-03T10:00:00+00:00"))
        registry.switch(one, "rollback", signed("Ion", "complaints", "2024-05-09T10:00:00+00:00"))

    return promote_twice


def signed(who: str, why: str, when: str) -> Signature:
    return Signature(who, why, when, recorded_at=when)


def test_history_says_who_did_what_when_and_why(home: Path, promoted: Any, capsys: Any) -> None:
    promoted("bond")
    assert history_command(options(home, "bond", on=None)) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[1:] == [
        ["2024-04-02T05", "bond", "promote", "1", "-", "2024-04-01", "gate", "passed"],
        ["2024-05-03T10:00:00+00:00", "bond", "promote", "2", "1", "-", "Ana", "better"],
        ["2024-05-09T10:00:00+00:00", "bond", "rollback", "1", "2", "-", "Ion", "complaints"],
    ]
    arguments = parser().parse_args(["models", "history", "bond", "--on", "2024-05-03"])
    assert history_command(options(home, "bond", on=arguments.on)) == 0
    head, _, live = capsys.readouterr().out.splitlines()
    assert head == "Live at the end of 2024-05-03, UTC"
    assert live.split()[:4] == ["bond", "2", "booster", "2024-05-03T10:00:00+00:00"]


def test_history_of_nothing_says_so(home: Path, capsys: Any) -> None:
    assert history_command(options(home, "pension", on=None)) == 0
    assert capsys.readouterr().out == "Nothing has been promoted yet.\n"


def test_a_comparison_shows_figures_intervals_and_differences(
    home: Path, promoted: Any, capsys: Any
) -> None:
    promoted("plan")
    assert compare_command(options(home, "plan", versions=[1, 2])) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("propensity_plan version 1 (champion) beside version 2\n")
    lines = {line.split("  ")[0]: line.split() for line in shown.splitlines()}
    assert lines["ROC AUC"] == ["ROC", "AUC", *["0.800", "[0.750,", "0.850]"] * 2]
    gain = "Log loss gain over the logistic regression"
    assert lines[gain][-3:] == ["0.00100", "[-0.00200,", "0.00400]"]
    assert "settings: learning_rate 0.05 → 0.03" in shown
    assert "features: 2 more (c, d), 1 fewer (a)" in shown
    assert "cohorts: test_cohort 2024-01-01 → 2024-02-01" in shown
    assert "data versions: holdings - → 7" in shown
    assert "Not compared on the same customers" in shown


@pytest.mark.parametrize(
    ("versions", "message"),
    [
        ([], r"No champion and no challenger for pension\..*VERSION VERSION \(versions of pension"),
        ([1], "two versions, or none"),
        ([4, 5], "No version 4 and no version 5; versions of pension: none"),
    ],
)
def test_what_cannot_be_compared_is_told(home: Path, versions: list[int], message: str) -> None:
    with pytest.raises(UserError, match=message):
        compare_command(options(home, "pension", versions=versions))


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["promote", "card", "--who", " ", "--why", "tested"], "needs 1 to 500 characters"),
        (["promote", "card", "--who", "Ana", "--why", "x" * 501], "needs 1 to 500 characters"),
        (["history", "--on", "yesterday"], "is not a date"),
        (["compare", "card", "one", "two"], "is not a whole number"),
    ],
)
def test_words_that_make_no_record_are_refused(words: list[str], problem: str, capsys: Any) -> None:
    with pytest.raises(SystemExit) as ended:
        parser().parse_args(["models", *words])
    assert ended.value.code == 2
    assert problem in capsys.readouterr().err


def test_settings_that_ask_for_two_persons_and_for_none_are_refused() -> None:
    from conf.load import ConfigError, load_config

    with pytest.raises(ConfigError, match="four_eyes asks for two persons, and auto_promote"):
        load_config("local", ["models.four_eyes=true"])
    assert load_config("prod", ["models.four_eyes=true"]).models.four_eyes


@pytest.fixture(scope="module")
def uplift_home(tmp_path_factory: pytest.TempPathFactory, empty_registry: Path) -> Path:
    """Two uplift models: the first was promoted, the second refused."""
    folder = tmp_path_factory.mktemp("uplift")
    shutil.copytree(empty_registry, folder, dirs_exist_ok=True)
    registry = Registry(folder)
    for run_id, verdict, gain in (("run 1", "passed", 0.006), ("run 2", "may be none", 0.001)):
        metrics = {
            "qini": Estimate(0.02, 0.01, 0.03),
            "qini_gain_over_propensity": Estimate(gain, gain - 0.004, gain + 0.004),
        }
        facts = {"campaigns": 4, "treated": 3200, "control": 800}
        scorer = UpliftScorer(UpliftModel("t_learner", ("one", "two")), ("balance",), {"card": {}})
        tags = {"as_of": MONTHS[run_id], "gate": verdict, "against_champion": verdict}
        told = {"features": "balance", "campaigns": f"until {run_id}"}
        candidate = UpliftCandidate(scorer, metrics, facts)
        registered = registry.register(candidate, run_id, tags, told)
        registry.challenge(registered)
        if verdict == "passed":
            signature = Signature("gate", verdict, MONTHS[run_id], "2024-04-02T05")
            registry.switch(registered, "promote", signature)
    return folder


def uplift_history(home: Path, on: str, capsys: Any) -> list[str]:
    day = parser().parse_args(["models", "history", UPLIFT, "--on", on]).on
    assert history_command(options(home, None, on=day)) == 0
    (row,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith(UPLIFT)]
    return row.split()


def test_the_uplift_model_is_listed_compared_and_taken_out_of_use(
    uplift_home: Path, capsys: Any
) -> None:
    assert models_command.list_command(options(uplift_home, None)) == 0
    head, row = capsys.readouterr().out.splitlines()[-2:]
    assert head.startswith("model         version  kind       Qini")
    assert row.split("  ")[0] == UPLIFT
    assert "0.0060 [0.0020, 0.0100]" in row
    assert row.endswith("uplift            2 (t_learner): may be none")

    assert compare_command(options(uplift_home, UPLIFT, versions=[])) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"{UPLIFT} version 1 (champion) beside version 2 (challenger)\n")
    lines = {line.split("  ")[0]: line.split()[-2:] for line in shown.splitlines()}
    assert lines["kept back as control"] == ["800", "800"]
    assert "Qini gain over propensity" in lines
    assert "AUC" not in lines
    assert "judged on its own history" in shown
    assert "campaigns: campaigns until run 1 → until run 2" in shown

    with pytest.raises(UserError, match="xsell_uplift version 2 may not be promoted: may be none"):
        promote(uplift_home, UPLIFT, "Ana")
    assert uplift_history(uplift_home, "2024-04-03", capsys)[:3] == [UPLIFT, "1", "t_learner"]
    assert models_command.rollback_command(options(uplift_home, UPLIFT)) == 0
    told = "xsell_uplift version 1 is out of use: offers are valued by propensity\n"
    assert capsys.readouterr().out == told
    assert champion(uplift_home, UPLIFT) is None
    assert recorded(uplift_home, UPLIFT) == [("promote", 1, "gate"), ("retire", 1, "Ana")]
    assert set(uplift_history(uplift_home, "2999-01-01", capsys)[1:]) == {"-"}
    assert models_command.list_command(options(uplift_home, None)) == 0
    assert "propensity" in capsys.readouterr().out.splitlines()[-1]


def test_without_an_uplift_model_nothing_is_said_of_it(home: Path, capsys: Any) -> None:
    assert models_command.list_command(options(home, None)) == 0
    assert history_command(options(home, None, on=None)) == 0
    assert UPLIFT not in capsys.readouterr().out
