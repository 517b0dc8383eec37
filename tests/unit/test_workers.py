"""Products as tasks of Spark: the same models, and errors that say what to do."""

from __future__ import annotations

import pickle
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pytest

from jobs.models import challengers
from jobs.models.challengers import Challengers
from models.evaluate import flat
from models.pooled import POOLED, train_task
from models.scorer import Scorer
from models.train import Plan
from models.workers import OUTCOME, in_processes, in_tasks, outcome_of, task_of
from tables.errors import UserError
from tests.model_data import plan_of, small_bank

KEYS = (POOLED, "card", "loan")


def shown(found):
    """All of each model but figures that nobody knows: no NaN equals another."""
    return {
        key: one if isinstance(one, Scorer) else (one.scorer, flat(one.metrics), one.facts)
        for key, one in found.items()
    }


def refused(_plan: Plan, product_id: str) -> str:
    raise UserError(f"{product_id} is not for sale")


def threads_of(_plan: Plan, _product_id: str) -> list[int]:
    from threadpoolctl import threadpool_info

    return [library["num_threads"] for library in threadpool_info()]


BUSY = threading.Lock()


def is_alone(_plan: Plan, _product_id: str) -> bool:
    if not BUSY.acquire(blocking=False):
        return False
    time.sleep(0.05)
    BUSY.release()
    return True


def places(*numbers: int) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict({"id": list(numbers)})


def test_a_task_gives_what_a_process_gives(tmp_path: Path) -> None:
    plan = plan_of(small_bank(600), tmp_path)
    run = task_of(train_task, plan, KEYS)
    done = pa.Table.from_batches(run([places(2), places(0, 1)]), schema=OUTCOME)
    found = {
        KEYS[place]: pickle.loads(outcome)
        for place, outcome in zip(*done.to_pydict().values(), strict=True)
    }
    assert shown(found) == shown(dict(in_processes(train_task, plan, KEYS)))


def test_a_task_trains_in_one_thread(tmp_path: Path) -> None:
    [done] = task_of(threads_of, plan_of(small_bank(50), tmp_path), ["card"])([places(0)])
    threads = pickle.loads(done.to_pylist()[0]["outcome"])
    assert threads and set(threads) == {1}


def test_tasks_that_are_threads_of_one_process_take_turns(tmp_path: Path) -> None:
    plan = plan_of(small_bank(50), tmp_path)
    with ThreadPoolExecutor(3) as pool:
        assert all(pool.map(lambda key: outcome_of(is_alone, plan, key), KEYS))


def test_the_engine_trains_every_product_as_a_task_of_its_own(tmp_path: Path, spark) -> None:
    plan = plan_of(small_bank(600), tmp_path)
    assert list(in_tasks(spark, train_task, plan, [])) == []
    found = dict(in_tasks(spark, train_task, plan, KEYS))
    assert shown(found) == shown(dict(in_processes(train_task, plan, KEYS)))


def test_what_is_wrong_in_a_task_is_told_as_it_is_in_a_process(tmp_path: Path, spark) -> None:
    plan = plan_of(small_bank(50), tmp_path)
    with pytest.raises(UserError, match=r"^loan is not for sale$"):
        list(in_tasks(spark, refused, plan, ["loan"]))


def test_a_machine_without_the_home_is_named_with_what_to_do(tmp_path: Path, spark) -> None:
    plan = replace(plan_of(small_bank(50), tmp_path), folder=tmp_path / "elsewhere")
    with pytest.raises(
        UserError, match=r"sees no .*/elsewhere: every machine .* must mount"
    ) as told:
        list(in_tasks(spark, train_task, plan, ["card"]))
    assert len(str(told.value).splitlines()) == 1


class Failing:
    """An engine, as far as training asks for one, whose tasks fail with these words."""

    def __init__(self, words: str) -> None:
        self.words = words

    def range(self, *_: int) -> Failing:
        return self

    mapInArrow = range

    def collect(self) -> None:
        raise OSError(self.words)


def test_a_task_that_is_killed_is_reported_with_what_to_do(tmp_path: Path) -> None:
    plan = plan_of(small_bank(50), tmp_path)
    engine = Failing("Job aborted: org.…: Python worker exited unexpectedly (crashed). Consider")
    with pytest.raises(UserError, match=r"was killed.*memoryOverhead"):
        list(in_tasks(engine, train_task, plan, ["card"]))
    with pytest.raises(OSError, match="no route"):  # what nobody has foreseen stays what it is
        list(in_tasks(Failing("no route to host"), train_task, plan, ["card"]))


@pytest.mark.parametrize(
    ("kind", "trained_by"), [("embedded", "processes"), ("spark", "tasks"), ("connect", "tasks")]
)
def test_the_engine_s_kind_decides_who_trains(monkeypatch, kind, trained_by) -> None:
    monkeypatch.setattr(challengers, "in_processes", lambda *_: iter([("processes", None)]))
    monkeypatch.setattr(challengers, "in_tasks", lambda *_: iter([("tasks", None)]))
    config = SimpleNamespace(engine=SimpleNamespace(kind=kind))
    run = SimpleNamespace(config=config, spark=None)
    asked = SimpleNamespace(_run=run, _plan=None)
    assert next(Challengers._side_by_side(asked, ["card"]))[0] == trained_by
