"""Every engine opens a session with our settings; what months come to on it is for slow tests."""

from __future__ import annotations

import subprocess
import sys

import pytest

from conf.schema import EngineSettings
from jobs.java import java_home
from tables.errors import UserError
from tests.classic_spark import environment

COUNTED = "3 UTC true 2"


def counted(kind: str) -> str:
    """What a session says of a few rows and of itself."""
    from jobs.engine import open_engine

    with open_engine(EngineSettings(kind=kind, url="", shuffle_partitions=2)) as session:
        names = ("session.timeZone", "ansi.enabled", "shuffle.partitions")
        told = (session.conf.get(f"spark.sql.{name}") for name in names)
        return " ".join((str(session.range(3).count()), *map(str, told)))


@pytest.mark.parametrize("kind", ["embedded", "spark"])
def test_an_engine_starts_with_our_settings(kind, tmp_path):
    if kind == "spark":
        try:
            java_home()
        except UserError as error:
            pytest.skip(f"classic Spark needs Java: {error}")
    program = f"from tests.integration.test_engines_start import counted; print(counted({kind!r}))"
    run = subprocess.run(
        [sys.executable, "-c", program],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines()[-1] == COUNTED
