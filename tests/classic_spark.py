"""How tests start classic Spark: in a process of its own, quick with few rows."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from jobs.java import java_home
from tables.errors import UserError

# What a JVM of short queries over few rows does not need.
SPARK_DEFAULTS = "spark.sql.codegen.wholeStage false\nspark.sql.adaptive.enabled false\n"
JAVA_OPTIONS = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"


def environment(folder: Path) -> dict[str, str]:
    """Variables of such a process; ``folder`` holds Spark's settings."""
    (folder / "spark-defaults.conf").write_text(SPARK_DEFAULTS)
    return os.environ | {"SPARK_CONF_DIR": str(folder), "JAVA_TOOL_OPTIONS": JAVA_OPTIONS}


def skip_without_java() -> None:
    """Where there is no Java, there is no classic Spark."""
    try:
        java_home()
    except UserError as error:
        pytest.skip(f"classic Spark needs Java: {error}")


def last_line(module: str, call: str, folder: Path, seconds: int) -> str:
    """What a process prints last that calls a function of a test's module and prints the result."""
    function = call.partition("(")[0]
    run = subprocess.run(
        [sys.executable, "-c", f"from {module} import {function}; print({call})"],
        env=environment(folder),
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout.splitlines()[-1]
