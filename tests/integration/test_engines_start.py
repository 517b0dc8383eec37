"""Every engine opens a session with our settings; what months come to on it is for slow tests."""

from __future__ import annotations

import pytest

from conf.schema import EngineSettings
from tests.classic_spark import last_line, skip_without_java

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
        skip_without_java()
    assert last_line(__name__, f"counted({kind!r})", tmp_path, 120) == COUNTED
