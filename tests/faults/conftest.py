"""Homes and the process that faults happen in, once per file of tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults import tiny
from tests.faults.matrix import Forks, Scene, compiled, new_campaign, scene


@pytest.fixture(scope="session")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path | None:
    return compiled(tmp_path_factory.mktemp("shim"))


@pytest.fixture(scope="session")
def forks(shim: Path | None) -> Iterator[Forks]:
    process = Forks(shim)
    yield process
    process.close()


@pytest.fixture(scope="session")
def old(forks: Forks, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which a campaign is published."""
    home = tmp_path_factory.mktemp("old") / "home"
    tiny.bank(home)
    [ended] = forks.ask({"do": "publish", "home": str(home), "capacity": tiny.OLD})
    assert ended["code"] == 0, ended
    return home


@pytest.fixture(scope="session")
def campaign(forks: Forks, old: Path, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """Another campaign takes the place of the old one."""
    return scene(forks, old, tmp_path_factory.mktemp("campaign"), new_campaign())
