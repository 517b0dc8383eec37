"""What Python itself calls goes wrong as well where there is no compiler for the shim."""

from __future__ import annotations

import pytest

from tests.faults.matrix import BROKEN, FULL, KILL, Forks, alone, in_a_row, new_campaign, scene
from tests.faults.order import violations


@pytest.fixture(scope="module")
def plain(old, tmp_path_factory):
    process = Forks(None)
    yield scene(process, old, tmp_path_factory.mktemp("plain"), new_campaign())
    process.close()


def test_the_same_faults_happen_from_within_python(plain):
    there = [str(path.relative_to(plain.old)) for path in plain.old.rglob("*")]
    assert violations(plain.folder / "trace.whole", plain.whole, there) == []
    [commit] = [call.number for call in plain.trace if call.commits_a_run]
    inside = [call.number for call in plain.trace if call.name == "write"]
    assert len(plain.trace) >= 180
    in_a_row(plain, [(inside[3], KILL), (inside[4], FULL), (commit, BROKEN), (commit, KILL)])
    alone(plain, commit + 2, KILL)
