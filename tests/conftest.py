"""What every test may ask for."""

from __future__ import annotations

import gc
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from conf.schema import EngineSettings
from jobs.engine import open_engine
from jobs.home import Home
from models.registry import Registry
from tests.made_once import made_once
from tests.month import Bank, run_month, small_bank

# Python would walk through all that is imported (engines, models, thousands of tests) for cycles
# again and again: one twentieth of the time that tests take.
gc.set_threshold(10_000, 20, 20)


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    """One embedded session for the whole suite."""
    settings = EngineSettings(kind="embedded", url="", shuffle_partitions=2)
    with open_engine(settings) as session:
        # Nothing comes between this process and itself. To be able to resume a broken answer costs
        # each query threads and calls, a seventh of a small ingest; processes of their own do it.
        session.client.disable_reattachable_execute()
        yield session


@pytest.fixture(scope="session")
def empty_registry(tmp_path_factory) -> Path:
    """A home with nothing but MLflow's tables: to make them takes longer than most tests."""
    return made_once(tmp_path_factory, "registry", Registry)


@pytest.fixture(scope="session")
def bank(tmp_path_factory, spark, empty_registry) -> Bank:
    """A small demo bank whose month has been run. Tests that change it take a copy."""

    def make(folder: Path) -> None:
        shutil.copytree(empty_registry, folder, dirs_exist_ok=True)
        run_month(small_bank(folder), spark)

    return Bank(Home(made_once(tmp_path_factory, "bank", make)))


@pytest.fixture
def registry_home(tmp_path, empty_registry) -> Path:
    """A copy of it for one test."""
    shutil.copytree(empty_registry, tmp_path, dirs_exist_ok=True)
    return tmp_path


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs an engine, so that `make test-fast` can leave it out.

    Golden lists go first: they make the bank while another process has tests that need none.
    """
    for item in items:
        if {"spark", "bank"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.engine)
    items.sort(key=lambda item: item.path.name != "test_lists.py")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--accept` stores today's golden lists."""
    parser.addoption("--accept", action="store_true", help="store today's golden lists")
