"""`xsell models` on a bank whose month has been run: cards, comparison, four eyes, history."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace

import pytest

from jobs.cli import main
from jobs.reports import report_page
from models.registry import CHALLENGER, CHAMPION, Registry
from models.train import Candidate
from tests.month import AS_OF, SMALL
from tests.pages import Text

PRODUCT = "home_insurance"  # whose champion is no segment rate in the small bank


@pytest.fixture(scope="module")
def home(bank, tmp_path_factory):
    """A copy in another place, with a challenger that is the champion of before, a little off."""
    copy = tmp_path_factory.mktemp("moved") / "home"
    shutil.copytree(bank.home.path, copy, ignore=shutil.ignore_patterns("landing", "lists"))
    registry = Registry(copy)
    champion = registry.with_alias(PRODUCT, CHAMPION)
    scorer = registry.load(champion).scorer
    off = replace(scorer, log_odds_shift=scorer.log_odds_shift + 1.5)
    tags = {"as_of": "2026-10-01", "gate": "passed", "against_champion": "may be none"}
    facts = registry.parameters(champion) | {"learning_rate": "0.5"}
    registry.challenge(registry.register(Candidate(off, {}, {}), "another run", tags, facts))
    return copy


def xsell(home, capsys, *words, settings=()):
    changes = [word for one in (*SMALL, *settings) for word in ("--set", one)]
    code = main(["models", *words, "--home", str(home), *changes])
    told = capsys.readouterr()
    return code, told.out, told.err


def test_every_product_has_a_card_that_the_report_of_the_training_leads_to(bank, home, spark):
    record = bank.context(spark).runs.current("train", AS_OF)
    page = report_page(home, "train", AS_OF, record.run_id)
    links = Text(page.read_text()).fetched
    assert len(links) >= len(bank.config.products)
    for link in links:
        card = (page.parent / link).resolve()
        assert card.is_relative_to(home)
        text = Text(card.read_text())
        assert text.open == [] and text.fetched == []
        assert "Protected groups" in text.shown and "gender" in text.shown
        assert not re.search(r"C\d{7}|url\(|<script", card.read_text())


def versions(home):
    """Of champion and challenger."""
    registry = Registry(home)
    return [registry.with_alias(PRODUCT, alias).version for alias in (CHAMPION, CHALLENGER)]


def test_champion_and_challenger_are_compared_on_the_same_customers(home, capsys):
    code, shown, _ = xsell(home, capsys, "compare", PRODUCT)
    assert code == 0
    one, two = versions(home)
    assert f"version {one} (champion) beside version {two} (challenger)" in shown
    assert f"buyers (test cohort 2026-08-01 of version {one})" in shown
    gain = re.search(rf"log loss gain of version {two} over version {one}: ([-+][\d.]+) \[", shown)
    assert gain and float(gain[1]) < 0  # propensities that are far too high
    aucs = re.findall(r"version \d: AUC (\d\.\d+)", shown)
    assert len(aucs) == 2 and aucs[0] == aucs[1]  # a shift changes no rank
    assert "learning_rate 0.05 → 0.5" in shown


def test_two_persons_promote_and_history_says_who(home, capsys):
    four_eyes = ("models.auto_promote=false", "models.four_eyes=true")
    words = ("promote", PRODUCT, "--why", "a test")
    one, two = map(str, versions(home))
    first = xsell(home, capsys, *words, "--who", "Ana", settings=four_eyes)
    assert first[0] == 0 and "waits for a second person" in first[1]
    assert "proposed by Ana" in xsell(home, capsys, "list")[1]
    again = xsell(home, capsys, *words, "--who", "ana", settings=four_eyes)
    assert again[0] == 1 and again[2].startswith("xsell: Ana proposed")
    assert len(again[2].splitlines()) == 1
    second = xsell(home, capsys, *words, "--who", "Ion", settings=four_eyes)
    assert second[0] == 0 and f"version {two} is the champion" in second[1]
    lines = [line.split()[1:5] for line in xsell(home, capsys, "history", PRODUCT)[1].splitlines()]
    assert [line[1:3] for line in lines[1:]] == [
        ["promote", one],
        ["propose", two],
        ["promote", two],
    ]
    live = xsell(home, capsys, "history", PRODUCT, "--on", "1999-12-31")[1]
    assert live.splitlines()[-1].split()[:2] == [PRODUCT, "-"]


def test_settings_that_contradict_each_other_are_refused(home, capsys):
    code, _, error = xsell(home, capsys, "list", settings=("models.four_eyes=true",))
    assert code == 2
    assert "set models.auto_promote to false" in error
