"""Wherever publishing goes wrong: the old run or the new one, and the repetition ends the same."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.faults.matrix import BROKEN, FULL, KILL, SHORT, TAKES_SPACE, alone, chosen, in_a_row
from tests.faults.order import WRITES, violations

# What publishing the tiny campaign was when this was written. A call that is gone is a fault that
# is no longer tried, or something that is no longer forced to the disk.
AT_LEAST = {
    "shim": {"all": 1000, "fsync": 60, "link": 19, "rename": 3, "mkdir": 30, "unlink": 20},
    "python": {"all": 180, "fsync": 60, "link": 13, "rename": 3, "mkdir": 30, "unlink": 2},
}
TABLES = (
    "campaign_lists", "care_lists", "checkpoints", "decisions", "offer_log", "runs",
)  # fmt: skip
KINDS = (KILL, FULL, KILL, BROKEN)


def commit_of(scene):
    """Number of the call with which the run is committed."""
    [commit] = [call.number for call in scene.trace if call.commits_a_run]
    return commit


def faults(scene, calls):
    """A kind of fault for each call, in turns."""
    for turn, call in enumerate(calls):
        kind = KINDS[turn % len(KINDS)]
        if call.name in WRITES[1:] and turn % 3 == 0:
            yield call.number, SHORT if scene.forks.layer == "shim" else KILL
        elif call.name in ("unlink", "rmdir"):
            yield call.number, KILL  # what cannot be removed is left for the repetition
        elif kind == FULL and call.name not in TAKES_SPACE:
            yield call.number, BROKEN
        else:
            yield call.number, kind


def before(scene):
    return [call for call in chosen(scene.trace, scene.whole) if call.number <= commit_of(scene)]


def all_faults(scene, calls):
    """All kinds of faults for each call, but that a removal fails, after which a run goes on."""
    for call in calls:
        yield call.number, KILL
        if call.name not in ("unlink", "rmdir", "close"):
            yield call.number, BROKEN
        if call.name in TAKES_SPACE:
            yield call.number, FULL


def after(scene):
    return [call for call in chosen(scene.trace, scene.whole) if call.number > commit_of(scene)]


def test_every_write_of_a_run_is_known(campaign):
    counts = Counter(call.name for call in campaign.trace) | Counter(all=len(campaign.trace))
    least = AT_LEAST[campaign.forks.layer]
    assert {name: counts[name] for name in least if counts[name] < least[name]} == {}
    linked = [call.to for call in campaign.trace if call.name == "link" and "/." not in call.to]
    tables = [path.split("/tables/")[1].split("/")[0] for path in linked]
    assert tables == list(TABLES), "one entry per table, the run last"


def test_what_is_visible_is_on_the_disk(campaign):
    there = [path.relative_to(campaign.old) for path in campaign.old.rglob("*")]
    trace = campaign.folder / "trace.whole"
    assert violations(trace, campaign.whole, map(str, there)) == []


def test_faults_before_the_commit_leave_the_old_run(campaign):
    every = [fault for fault in faults(campaign, before(campaign)) if fault[1] != SHORT]
    hits = in_a_row(campaign, every[::8])
    assert len(hits) >= 20
    assert {hit.kind for hit in hits} == {KILL, FULL, BROKEN}


def test_faults_after_the_commit_leave_the_new_run(campaign):
    every = [fault for fault in faults(campaign, after(campaign)) if fault[1] != SHORT]
    for number, kind in every[:: len(every) // 3]:
        alone(campaign, number, kind)


def test_a_repetition_that_is_killed_is_repeated(campaign):
    commit = commit_of(campaign)
    for number, again in ((commit - 9, commit // 2), (commit, 3)):
        alone(campaign, number, KILL, again)


def test_half_a_write_is_completed(campaign):
    if campaign.forks.layer != "shim":
        pytest.skip("needs a C compiler: Python itself writes nothing here")
    writes = [call for call in campaign.trace if call.name in WRITES[1:]]
    for call in writes[len(writes) // 4 :: len(writes) // 2]:
        alone(campaign, call.number, SHORT)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("part", range(4))
def test_a_kill_at_any_call_before_the_commit_leaves_the_old_run(campaign, part):
    in_a_row(campaign, [(number, KILL) for number in range(1 + part, commit_of(campaign) + 1, 4)])


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_any_fault_at_any_sort_of_call_before_the_commit_leaves_the_old_run(campaign):
    in_a_row(campaign, all_faults(campaign, before(campaign)))


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_any_fault_at_any_sort_of_call_after_the_commit_leaves_the_new_run(campaign):
    for number, kind in all_faults(campaign, after(campaign)):
        alone(campaign, number, kind)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_half_a_write_is_completed_wherever_it_happens(campaign):
    if campaign.forks.layer != "shim":
        pytest.skip("needs a C compiler: Python itself writes nothing here")
    files = {call.path: call.number for call in campaign.trace if call.name in WRITES[1:]}
    for number in files.values():
        alone(campaign, number, SHORT)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_repetition_may_be_killed_anywhere(campaign):
    every = [call.number for call in before(campaign)]
    for number, again in zip(every[::8], reversed(every[::8]), strict=True):
        alone(campaign, number, KILL, again)
