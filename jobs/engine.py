"""Start the engine that `conf` picks, and stop it within bounds."""

from __future__ import annotations

import logging
import os
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from conf.schema import EngineSettings
from tables.errors import UserError
from tables.files import HIDDEN

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

log = logging.getLogger(__name__)
ANSWER_SECONDS, STOP_SECONDS = 10.0, 10.0
# Wider batches and lighter compression store wide rows in four fifths of the time, no larger.
SAIL = {
    "RUST_LOG": "error",
    # Training may keep the engine waiting for longer than Sail keeps an idle session.
    "SAIL_SPARK__SESSION_TIMEOUT_SECS": "604800",
    "SAIL_EXECUTION__BATCH_SIZE": "65536",
    "SAIL_PARQUET__COMPRESSION": "zstd(1)",
    # Its allocator (mimalloc) would ask the kernel for pages of 2 MB, each of which is zeroed whole
    # however little of it is used: a tenth of the time, and up to twice the memory.
    "MIMALLOC_ALLOW_THP": "0",
    # Freed pages are offered to the kernel, often, which takes them when somebody wants them: until
    # then they are used again without being asked for.
    "MIMALLOC_PURGE_DECOMMITS": "0",
    "MIMALLOC_PURGE_DELAY": "10",  # milliseconds
    "MIMALLOC_GENERIC_COLLECT": "50",
}
# For every function of a column PySpark would look up who called it: half of what it takes to write
# down a plan as long as ours. Spark takes it at the start only, a Connect server not from a client.
WITHOUT_CALLERS = {"spark.python.sql.dataFrameDebugging.enabled": "false"}
# What results, files and secrecy depend on, wherever classic Spark runs.
CLASSIC = {
    **WITHOUT_CALLERS,
    "spark.sql.runSQLOnFiles": "false",
    "spark.sql.parquet.compression.codec": "zstd",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.log.level": "ERROR",
    # Its files get modes of its own, whatever mask the process has.
    "spark.hadoop.fs.permissions.umask-mode": f"{HIDDEN:03o}",
}
PASSES = 3  # of the embedded engine's optimiser over a plan, unless told otherwise
CONNECT_PORT = 15002  # where Spark Connect listens unless told otherwise


@contextmanager
def open_engine(settings: EngineSettings) -> Iterator[SparkSession]:
    """A session on the configured engine, stopped at the end.

    Raises:
        UserError: The engine cannot start; the message says what is missing.
    """
    if is_submitted():
        _require_submitted(settings)
    start = {"embedded": _embedded, "spark": _spark, "connect": _connect}[settings.kind]
    with start(settings) as session:
        session.conf.set("spark.sql.session.timeZone", "UTC")
        session.conf.set("spark.sql.ansi.enabled", "true")
        session.conf.set("spark.sql.shuffle.partitions", str(settings.shuffle_partitions))
        yield session


@contextmanager
def _embedded(settings: EngineSettings) -> Iterator[SparkSession]:
    """Sail in this process behind a loopback port: no Java, starts in a second."""
    for name, value in SAIL.items():
        os.environ.setdefault(name, value)
    from pysail.spark import SparkConnectServer

    server = SparkConnectServer()
    server.start(background=True)
    _, port = server.listening_address
    with _remote(f"sc://127.0.0.1:{port}") as session:
        for name, value in WITHOUT_CALLERS.items():
            session.conf.set(name, value)
        yield session
    # Sail was once seen to hang at the end: the work is committed, so the wait is bounded.
    _within(STOP_SECONDS, server.stop, "the embedded engine")


@contextmanager
def _connect(settings: EngineSettings) -> Iterator[SparkSession]:
    if not settings.url.startswith("sc://"):
        raise UserError(f"engine.url must be sc://host:port for connect, not {settings.url!r}")
    _require_listener(settings.url)
    with _remote(settings.url) as session:
        yield session


def _require_listener(url: str) -> None:
    """Spark's own client would repeat for ten minutes before it says that nobody is there."""
    server = urlsplit(url)
    try:
        port = server.port or CONNECT_PORT
        socket.create_connection((server.hostname or "", port), ANSWER_SECONDS).close()
    except (OSError, ValueError) as error:
        raise UserError(
            f"no Spark Connect server answers at {url} ({error}). Start it, or set engine.url"
        ) from None


@contextmanager
def _remote(url: str) -> Iterator[SparkSession]:
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    try:
        session = SparkSession.builder.remote(url).getOrCreate()
    except PySparkException as error:
        raise UserError(f"no Spark Connect server answers at {url}: {error}") from None
    try:
        yield session
    finally:
        _within(STOP_SECONDS, session.stop, url)


@contextmanager
def _spark(settings: EngineSettings) -> Iterator[SparkSession]:
    """Classic Spark: the one that `spark-submit` brought, else local or a master by its URL."""
    deployed = {} if is_submitted() else _deployment(settings)
    # Set by a Connect session of a parent process, they would win over the configured master.
    for name in ("SPARK_REMOTE", "SPARK_LOCAL_REMOTE", "SPARK_CONNECT_MODE_ENABLED"):
        os.environ.pop(name, None)
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

    # PySpark tells by the ending which files of --py-files executors can import from.
    SparkContext.PACKAGE_EXTENSIONS = (*SparkContext.PACKAGE_EXTENSIONS, ".whl")
    session = SparkSession.builder.config(map={**deployed, **CLASSIC}).getOrCreate()
    try:
        yield session
    finally:
        _within(STOP_SECONDS, session.stop, "Spark")


def is_submitted() -> bool:
    """Whether `spark-submit` started this process; its JVM waits behind a port."""
    return "PYSPARK_GATEWAY_PORT" in os.environ


def _require_submitted(settings: EngineSettings) -> None:
    if settings.kind != "spark" or settings.url:
        raise UserError(
            f"spark-submit brings engine and master, yet engine.kind is {settings.kind} and"
            f" engine.url {settings.url!r}: set engine.kind=spark and leave engine.url empty"
        )


def _deployment(settings: EngineSettings) -> dict[str, str]:
    """Where classic Spark runs and with what, as long as nobody but us decides that."""
    from jobs.java import java_home

    os.environ["JAVA_HOME"] = str(java_home())
    # Workers must run the very interpreter that holds the project's packages.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    return {
        "spark.master": settings.url or "local[*]",
        "spark.app.name": "xsell",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.memory": "2g",
        "spark.driver.host": "127.0.0.1",
    }


@contextmanager
def one_thread_each(session: SparkSession) -> Iterator[None]:
    """Let the embedded engine run each statement in one thread, for who runs several at a time.

    Nor is a plan gone over again to be made better, which finds next to nothing and takes a quarter
    of the time of planning a wide one. Classic Spark does not know the settings and ignores them.
    """
    _set_planning(session, threads=1, passes=1)
    try:
        yield
    finally:
        _set_planning(session, threads=os.cpu_count() or 1, passes=PASSES)


def _set_planning(session: SparkSession, threads: int, passes: int) -> None:
    session.sql(f"SET datafusion.execution.target_partitions = {threads}").collect()
    session.sql(f"SET datafusion.optimizer.max_passes = {passes}").collect()


def _within(seconds: float, stop: object, what: str) -> None:
    assert callable(stop)
    thread = threading.Thread(target=stop, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        log.warning("%s did not stop within %.0f s; leaving it behind", what, seconds)
