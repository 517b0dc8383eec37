"""The checks of these tests notice a protocol that is broken on purpose."""

from __future__ import annotations

import re

import pytest
from deltalake.exceptions import DeltaError

from tests.faults.matrix import BROKEN, KILL
from tests.faults.order import calls, violations
from tests.faults.seen import checked, debris, published

SEEN_IN_THE_TRACE = {
    "nothing is synced": "tables/decisions/data/.* may be lost, and the run of .* comes without it",
    "folders are not synced": "tables/decisions/data/.* may be lost, and the run of",
    "delta-rs commits by itself": "_delta_log/.* may be lost, and tables/.*/_delta_log/.* comes",
    "small files written in place": "log/checkpoint is written in place",
    "lists written in place": "lists/.* may be lost, and the end comes without it",
}
# The call before which a kill shows it: the first one after this.
SEEN_WHEN_KILLED = {
    "runs before tables": "tables/runs/_delta_log/",
    "checkpoint outside of the commit": "tables/runs/_delta_log/",
    "lists written in place": "lists/2026-11-01/monthly/",
}


def done(scene, way, **more):
    """The task in a new home, in a broken way; the home, how it ended, and its trace."""
    home, trace = scene.copy(), scene.folder / "trace"
    fault = scene.forks.fault(home, trace, **more)
    [ended] = scene.forks.ask({**scene.task, "home": str(home), "broken": way, "fault": fault})
    return home, ended, calls(trace)


def test_the_protocol_as_it_is_passes(campaign):
    home, ended, _ = done(campaign, "not at all")
    there = [str(path.relative_to(campaign.old)) for path in campaign.old.rglob("*")]
    assert ended["code"] == 0
    assert violations(campaign.folder / "trace", home, there) == []
    assert published(home) == campaign.result


@pytest.mark.parametrize("way", SEEN_IN_THE_TRACE)
def test_the_order_of_calls_gives_it_away(campaign, way):
    home, ended, _ = done(campaign, way)
    assert ended["code"] == 0, "to whom nothing happens nothing is amiss"
    there = [str(path.relative_to(campaign.old)) for path in campaign.old.rglob("*")]
    found = violations(campaign.folder / "trace", home, there)
    assert [one for one in found if re.search(SEEN_IN_THE_TRACE[way], one)], found[:5]


@pytest.mark.parametrize("way", SEEN_WHEN_KILLED)
def test_a_kill_gives_it_away(campaign, way):
    home, ended, trace = done(campaign, way)
    path = f"{home}/{SEEN_WHEN_KILLED[way]}"
    first = next(call for call in trace if (call.to or call.path).startswith(path))
    home, ended, trace = done(campaign, way, number=first.number + 3, kind=KILL)
    assert any(call.has_failed for call in trace), ended
    with pytest.raises((AssertionError, DeltaError)):
        checked(home)


def test_a_repetition_gives_away_that_a_run_is_not_known_again(campaign):
    home, _, _ = done(
        campaign, "an identity per attempt", number=len(campaign.trace) - 9, kind=KILL
    )
    [ended] = campaign.forks.ask(
        {**campaign.task, "home": str(home), "broken": "an identity per attempt"}
    )
    assert ended["code"] == 0
    assert len(published(home)["runs"]) == len(campaign.result["runs"]) + 1


def test_leftovers_of_killed_attempts_are_found(campaign):
    home, ended, trace = done(
        campaign, "leftovers stay", number=len(campaign.trace) // 2, kind=KILL
    )
    assert any(call.has_failed for call in trace), ended
    [ended] = campaign.forks.ask({**campaign.task, "home": str(home), "broken": "leftovers stay"})
    assert ended["code"] == 0
    assert debris(home)


def test_an_error_that_is_swallowed_does_not_pass_for_a_fault(campaign):
    with pytest.raises(AssertionError, match="nothing happened"):
        campaign.hit(campaign.copy(), 10 * len(campaign.trace), BROKEN)
