"""A promotion or a rollback that goes wrong: one champion or the other, and the record agrees."""

from __future__ import annotations

import re
import shutil
from itertools import count

import pytest

from models.decisions import Signature
from models.registry import CHALLENGER, CHAMPION, Registry
from models.scorer import Scorer
from models.train import Candidate
from tests.faults.matrix import BROKEN, FULL, KILL, TAKES_SPACE, Forks
from tests.faults.order import calls

PRODUCT = "mortgage"
COMMANDS = {"promote": 2, "rollback": 1}  # and whom it makes the champion
TAGS = {"as_of": "2026-10-01", "gate": "passed", "against_champion": "passed"}
numbers = count()


@pytest.fixture(scope="module")
def with_models(shim):
    """Forks of a process that has imported MLflow."""
    if shim is None:
        pytest.skip("needs a C compiler: SQLite says nothing to Python of what it writes")
    process = Forks(shim, "mlflow", "models.registry", "jobs.models.command")
    yield process
    process.close()


@pytest.fixture(scope="module")
def homes(empty_registry, tmp_path_factory):
    """A home before each command: version 1 is the champion before a promotion, else 2."""
    made = {}
    for command in COMMANDS:
        home = tmp_path_factory.mktemp(command) / "home"
        shutil.copytree(empty_registry, home)
        registry = Registry(home)
        versions = [
            registry.register(Candidate(Scorer(PRODUCT, "segment_rate"), {}, {}), run, TAGS, {})
            for run in ("run 1", "run 2")
        ]
        registry.switch(
            versions[0], "promote", Signature("gate", "passed", "2026-09-01", "2026-09-02")
        )
        registry.challenge(versions[1])
        if command == "rollback":
            registry.switch(versions[1], "promote", Signature("Ana", "better", *["2026-10-02"] * 2))
        made[command] = home
    return made


def task(command, home):
    words = ["models", command, PRODUCT, "--who", "Ion", "--why", "tested"]
    return {"do": "command", "words": words, "home": str(home)}


def copied(home, folder):
    """Each in a place of its own: MLflow keeps the connections of a place open."""
    target = folder / f"home-{next(numbers)}"
    shutil.copytree(home, target)
    return target


def state(home):
    """Champion, challenger, and whom the record says to be in use."""
    registry = Registry(home)
    champion, challenger = (registry.with_alias(PRODUCT, one) for one in (CHAMPION, CHALLENGER))
    decisions = registry.decisions(PRODUCT)
    assert len({(one.action, one.version, one.before) for one in decisions}) == len(decisions)
    return champion.version, challenger and challenger.version, decisions[-1].version


def trace_of(forks, home, folder, command):
    target, trace = copied(home, folder), folder / "trace.whole"
    [ended] = forks.ask({**task(command, target), "fault": forks.fault(target, trace)})
    assert ended["code"] == 0, ended
    found = calls(trace)
    wanted = COMMANDS[command]
    assert state(target) == (wanted, None, wanted)
    return found


def check(forks, home, folder, command, number, kind):
    target, trace = copied(home, folder), folder / "trace"
    wanted = COMMANDS[command]
    before = (3 - wanted, 2 if command == "promote" else None)
    fault = forks.fault(target, trace, number, kind)
    [ended] = forks.ask({**task(command, target), "fault": fault})
    assert any(call.has_failed for call in calls(trace)), (number, ended)
    champion, challenger, told = state(target)
    assert champion in (before[0], wanted)
    assert told == champion, f"the record says {told}, in use is {champion}"
    assert challenger in (before[1], None)
    [ended] = forks.ask(task(command, target))
    if ended["code"]:  # it had happened: there is nothing more to promote, or to go back to
        assert champion == wanted, ended
        assert re.match("xsell: (No challenger|.* is the first champion)", ended["complained"])
    assert state(target) == (wanted, None, wanted)


def faults(found):
    for turn, call in enumerate(found):
        yield call.number, (KILL, FULL if call.name in TAKES_SPACE else BROKEN)[turn % 3 == 2]


def transactions(found):
    """The first call of each: of the record, the champion, the record that it is so, the alias."""
    return [call.number for call in found if call.name == "create" and "-journal" in call.path]


def test_a_promotion_that_is_killed_leaves_one_champion_and_its_record(
    with_models, homes, tmp_path
):
    found = trace_of(with_models, homes["promote"], tmp_path, "promote")
    _, champion, confirmed, _ = transactions(found)
    for number in (champion, confirmed):
        check(with_models, homes["promote"], tmp_path, "promote", number, KILL)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("command", COMMANDS)
def test_whatever_happens_to_the_registry_it_agrees_with_its_record(
    with_models, homes, tmp_path, command
):
    found = trace_of(with_models, homes[command], tmp_path, command)
    for number, kind in faults(found[::3]):
        check(with_models, homes[command], tmp_path, command, number, kind)
