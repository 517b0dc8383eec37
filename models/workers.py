"""Who trains: processes of this machine, or tasks of Spark, each one product at a time.

Both do the same work from the same arrays in one thread, so that the model text is the same bytes.
A task is given no rows: it maps the arrays from the home, which every machine of a cluster mounts
(docs/adr/0009). So what is sent to it is a product's name, and what comes back is a model.
"""

from __future__ import annotations

import multiprocessing
import pickle
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa
from threadpoolctl import threadpool_limits

from models.train import Plan
from tables.errors import UserError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, Row, SparkSession

Key = TypeVar("Key")
Result = TypeVar("Result")
# Pickled, as between processes: it comes from this very code, and is stored nowhere.
OUTCOME = pa.schema([("place", pa.int64()), ("outcome", pa.binary())])
KILLED = "Python worker exited unexpectedly"
OUTCOME_DDL = "place bigint, outcome binary"
# Spark's workers are processes with a task at a time; Sail's are threads of one process, in which
# two tasks would label one binned matrix.
ALONE = threading.Lock()


def in_processes(
    work: Callable[[Plan, Key], Result], plan: Plan, keys: Iterable[Key]
) -> Iterator[tuple[Key, Result]]:
    """Do ``work`` for every key in as many processes as the settings say, as they finish.

    Processes are spawned, not forked: the caller's engine has threads, which a fork would break.

    Raises:
        UserError: A process was killed.
    """
    waiting = list(keys)
    processes = min(plan.settings.processes, len(waiting))
    if processes <= 1:
        with threadpool_limits(1):
            yield from ((key, work(plan, key)) for key in waiting)
        return
    context = multiprocessing.get_context("spawn")
    # A second BLAS thread on a busy core costs three times the CPU and gains nothing.
    one_thread: Any = {"initializer": threadpool_limits, "initargs": (1,)}
    with ProcessPoolExecutor(processes, context, **one_thread) as pool:
        futures = {pool.submit(work, plan, key): key for key in waiting}
        try:
            yield from ((futures[future], future.result()) for future in as_completed(futures))
        except BrokenProcessPool:
            raise UserError(
                "a training process was killed, most likely for want of memory. Set"
                f" models.processes below {processes}, or train fewer cohorts"
            ) from None


def in_tasks(
    spark: SparkSession, work: Callable[[Plan, Key], Result], plan: Plan, keys: Iterable[Key]
) -> Iterator[tuple[Key, Result]]:
    """Do ``work`` for every key as a task of Spark; the engine decides where, and how many at once.

    Args:
        spark: The session. Its Python workers have this project's code, as for scoring.
        work: A function of a module, which workers import.
        plan: Its folder is one that every worker can read.
        keys: A task each, in the order in which they are started.

    Raises:
        UserError: What ``work`` raised, a worker that can't read the folder, or was killed.
    """
    waiting = list(keys)
    if not waiting:
        return
    # Nothing shuffles or coalesces these partitions: each holds one row, and is one task.
    tasks = spark.range(0, len(waiting), 1, len(waiting))
    for row in _done(tasks.mapInArrow(task_of(work, plan, waiting), OUTCOME_DDL)):
        outcome = pickle.loads(row["outcome"])
        if isinstance(outcome, UserError):
            raise outcome
        yield waiting[row["place"]], outcome


def _done(tasks: DataFrame) -> list[Row]:
    try:
        return tasks.collect()
    except Exception as error:
        # Which exception it is depends on the engine's client; Spark's words do not.
        if KILLED in str(error):
            raise UserError(
                "a training task was killed, most likely for want of memory. Give executors more"
                " beside the JVM (spark.executor.memoryOverhead) or fewer cores, or train fewer"
                " cohorts"
            ) from error
        raise


def task_of(
    work: Callable[[Plan, Key], Result], plan: Plan, keys: Sequence[Key]
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """The function that Spark's Python worker runs: from places among ``keys`` to outcomes."""

    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for place in batch.column(0).to_pylist():
                content = pickle.dumps(outcome_of(work, plan, keys[place]))
                yield pa.RecordBatch.from_pydict(
                    {"place": [place], "outcome": [content]}, schema=OUTCOME
                )

    return run


def outcome_of(work: Callable[[Plan, Key], Result], plan: Plan, key: Key) -> Result | UserError:
    """What ``work`` gives, or what a person has to be told: Spark would wrap it in a trace."""
    if not plan.folder.exists():
        return UserError(
            f"{socket.gethostname()} sees no {plan.folder}: every machine that trains must mount"
            " the home under the same path. Mount it, or train with engine.kind=embedded"
        )
    try:
        with ALONE, threadpool_limits(1):
            return work(plan, key)
    except UserError as error:
        return error
