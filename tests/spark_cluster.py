"""A cluster for tests: two executors in processes of their own, started by `spark-submit`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyspark

from jobs.home import Home
from jobs.java import java_home
from tests.classic_spark import environment
from tests.month import AS_OF, SMALL

ROOT = Path(__file__).parents[1]
PYSPARK = Path(pyspark.__file__).parent
MASTER, DRIVER_MEMORY = "local-cluster[2,1,1280]", "1100m"
# Without .pth files, by which an installed tree would be found: only what was shipped is left.
PYTHON = """#!/bin/sh
echo "$PPID $*" >> "{calls}"
PYTHONPATH="$PYTHONPATH:{packages}" exec "{python}" -S "$@"
"""
NOT_IN_THE_WHEEL = (".*", "tests", "bench", "docs", "var", "build", "dist", "*.egg-info")


@dataclass(frozen=True)
class Cluster:
    """A folder with all that is on the machines of a bank's cluster."""

    folder: Path
    home: Home
    wheel: Path

    @property
    def python(self) -> Path:
        """What runs Python on driver and executors; it does not find this project."""
        return self.folder / "python"

    def python_calls(self, what: str) -> list[tuple[int, str]]:
        """Which process called that Python, and with what, where ``what`` is part of it."""
        lines = (self.folder / "calls").read_text().splitlines()
        calls = [line.split(" ", 1) for line in lines if what in line]
        return [(int(caller), words) for caller, words in calls]

    def submit(
        self, step: str, *files: str, more: tuple[str, ...] = ()
    ) -> subprocess.CompletedProcess[str]:
        """`xsell STEP` through `spark-submit`; ``files`` are its options that ship code."""
        events = self.folder / "events" / step
        events.mkdir(parents=True)
        conf = {
            "spark.eventLog.enabled": "true",
            "spark.eventLog.dir": events.as_uri(),
            "spark.eventLog.compress": "false",
            "spark.scheduler.minRegisteredResourcesRatio": "1",
        }
        settings = (*SMALL, *more, "engine.kind=spark", "engine.shuffle_partitions=2")
        command = [
            *(str(PYSPARK / "bin" / "spark-submit"), "--master", MASTER),
            *("--driver-memory", DRIVER_MEMORY, "--executor-memory", "1g"),
            *(word for name, value in conf.items() for word in ("--conf", f"{name}={value}")),
            *(*files, "submit.py", step, "--home", str(self.home.path), "--as-of", str(AS_OF)),
            *(word for setting in settings for word in ("--set", setting)),
        ]
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            timeout=900,
            cwd=self.folder / "elsewhere",
            env=self._environment(),
        )

    def events(self, step: str, kind: str) -> list[dict[str, Any]]:
        """What Spark noted of a kind while it ran a step."""
        logs = (self.folder / "events" / step).glob("*/events_*")
        noted = (json.loads(line) for log in logs for line in log.read_text().splitlines())
        return [event for event in noted if event["Event"] == f"SparkListener{kind}"]

    def _environment(self) -> dict[str, str]:
        """Of somebody who installed Spark, and not this project."""
        ours = environment(self.folder)
        kept = {
            name: value
            for name, value in ours.items()
            if name != "PYTHONPATH" and (name not in os.environ or not name.startswith("SPARK_"))
        }
        return kept | {
            "SPARK_CONF_DIR": str(self.folder),
            "SPARK_HOME": str(self.folder / "spark"),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "JAVA_HOME": str(java_home()),
            "PYSPARK_PYTHON": str(self.python),
        }


def make_cluster(folder: Path) -> Cluster:
    """A wheel of this tree, a Spark, a Python without this tree, and an empty home."""
    cluster = Cluster(folder, Home(folder / "home"), built_wheel(folder))
    cluster.home.create()
    text = PYTHON.format(calls=folder / "calls", packages=PYSPARK.parent, python=sys.executable)
    cluster.python.write_text(text)
    cluster.python.chmod(0o700)
    # A cluster on one machine keeps the executors' files below its Spark.
    (folder / "spark").mkdir()
    for name in ("bin", "jars", "python"):
        (folder / "spark" / name).symlink_to(PYSPARK / name)
    (folder / "elsewhere").mkdir()
    with zipfile.ZipFile(cluster.wheel) as archive:
        (folder / "elsewhere" / "submit.py").write_bytes(archive.read("jobs/submit.py"))
    return cluster


def built_wheel(folder: Path) -> Path:
    """As `make wheel` builds it, from a copy, because building leaves files in the tree."""
    copy = folder / "tree"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns("__pycache__", *NOT_IN_THE_WHEEL))
    options = ("--wheel", "--no-build-isolation", "--offline", "--python", sys.executable)
    uv = Path(sys.executable).with_name("uv")
    subprocess.run(
        [uv, "build", "--quiet", *options, "--out-dir", folder / "dist", copy], check=True
    )
    return next((folder / "dist").glob("xsell-*.whl"))
