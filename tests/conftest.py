"""What every test may ask for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pyspark.sql import SparkSession

from conf.schema import EngineSettings
from jobs.engine import open_engine


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    """One embedded session for the whole suite."""
    settings = EngineSettings(kind="embedded", url="", shuffle_partitions=2)
    with open_engine(settings) as session:
        yield session
