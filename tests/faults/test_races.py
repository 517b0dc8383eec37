"""Two runs at once: one publishes, the other says so; meanwhile readers see the old or the new."""

from __future__ import annotations

import json

import pytest

from tests.faults import tiny
from tests.faults.seen import checked, debris, published

STEP_S = 0.04  # by which the second starts later, from round to round


def race(scene, number):
    """Two runs, alike in every other round, and a reader; how they ended, and what stands."""
    home, until = scene.copy(), scene.folder / "until"
    until.unlink(missing_ok=True)
    second = tiny.NEW if number % 2 else tiny.OTHER
    wait = STEP_S * (number // 2 % 10)
    run = {"do": "publish", "home": str(home)}
    tasks = (
        {**run, "capacity": tiny.NEW, "done": str(until)},
        {**run, "capacity": second, "wait": wait, "done": str(until)},
        {"do": "watch", "home": str(home), "until": str(until), "of": 2},
    )
    *runs, watched = scene.forks.ask(*tasks)
    assert watched["code"] == 0, watched
    return home, runs, json.loads(watched["said"])


def check(scene, number):
    home, runs, watched = race(scene, number)
    made = [run["said"].split() for run in runs if run["code"] == 0]
    refused = [run for run in runs if run["code"] != 0]
    assert made, runs
    for run in refused:
        assert run["code"] == 1
        assert run["complained"].startswith("xsell: xsell campaign --as-of 2026-11-01 is at work")
        assert run["complained"].count("\n") == 1
    by_publishing = [run_id for run_id, was_there in made if was_there == "False"]
    assert len(set(by_publishing)) == len(by_publishing) >= 1, "nothing is published twice"
    standing = checked(home)
    assert standing == by_publishing[-1] or len(by_publishing) == 2
    assert watched[0] == scene.before
    assert set(watched) <= {scene.before, *by_publishing}
    assert len(watched) == len(set(watched)), "what is new stays"
    assert len(published(home)["runs"]) == len(scene.result["runs"]) - 1 + len(by_publishing)
    assert debris(home) == []
    return len(refused)


def test_of_two_runs_at_once_one_publishes(campaign):
    assert sum(check(campaign, number) for number in range(8)) >= 4, "they did run at once"


@pytest.mark.slow
def test_of_two_runs_at_once_one_publishes_in_sixty_rounds(campaign):
    assert sum(check(campaign, number) for number in range(60)) >= 30, "they did run at once"
