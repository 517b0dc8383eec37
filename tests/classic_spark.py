"""How tests start classic Spark: in a process of its own, quick with few rows."""

from __future__ import annotations

import os
from pathlib import Path

# What a JVM of short queries over few rows does not need.
SPARK_DEFAULTS = "spark.sql.codegen.wholeStage false\nspark.sql.adaptive.enabled false\n"
JAVA_OPTIONS = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"


def environment(folder: Path) -> dict[str, str]:
    """Variables of such a process; ``folder`` holds Spark's settings."""
    (folder / "spark-defaults.conf").write_text(SPARK_DEFAULTS)
    return os.environ | {"SPARK_CONF_DIR": str(folder), "JAVA_TOOL_OPTIONS": JAVA_OPTIONS}
