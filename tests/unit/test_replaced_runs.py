"""What was published, replaced, and is wanted again."""

from __future__ import annotations

import pytest

from conf.load import load_config
from jobs.home import Home
from jobs.publishing import IN_PLACE_OF, Context, execute
from jobs.runs import audit_staged
from jobs.runs.identity import id_as_recorded
from tables.errors import UserError
from tables.runs import Runs
from tests.faults import seen, tiny


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home where a campaign of two offers a branch was published and one of a single took its
    place.
    """
    monkeypatch.setattr(audit_staged, "audit", lambda run: None)
    tiny.bank(tmp_path)
    tiny.publish(tmp_path, 2)
    tiny.publish(tmp_path, 1)
    return tmp_path


def test_it_is_not_told_as_there_already(home):
    config = load_config("local", ["campaign.branch_capacity=2"])
    context = Context(tiny.AS_OF, config, Home(home), None)
    with pytest.raises(UserError, match=r"already published by run .* --supersede"):
        execute(context, tiny.STEP)


def test_it_comes_back_as_a_run_of_its_own(home):
    first, second = _campaigns(home)
    again = tiny.publish(home, 2).record
    assert again.inputs[IN_PLACE_OF] == second.run_id == again.supersedes
    assert again.run_id != first.run_id
    assert Runs(home / "tables").current("campaign", tiny.AS_OF) == again
    assert seen.checked(home) == again.run_id == id_as_recorded(again)


def test_it_is_there_already_once_it_is_back(home):
    tiny.publish(home, 2)
    before = _campaigns(home)
    assert tiny.publish(home, 2).was_there_already
    assert _campaigns(home) == before


def test_to_and_fro_is_as_many_runs(home):
    for capacity in (2, 1, 2):
        tiny.publish(home, capacity)
    runs = _campaigns(home)
    assert len({run.run_id for run in runs}) == len(runs) == 5
    assert [run.supersedes for run in runs[1:]] == [run.run_id for run in runs[:-1]]


def _campaigns(home):
    return [run for run in Runs(home / "tables").committed() if run.step == "campaign"]
