"""Lists that leave the house: the folder is whole or not there, and the record knows of it."""

from __future__ import annotations

import pytest

from jobs.home import Home
from jobs.lists.export_record import export_lines
from tables.derived import EXPORTS
from tables.files import sha256_of
from tables.runs import Runs
from tables.store import Store
from tests.faults import tiny
from tests.faults.matrix import BROKEN, FULL, KILL, TAKES_SPACE, chosen, scene
from tests.faults.seen import digests

EXPORT = {
    "do": "command",
    "words": ["lists", "export", "--as-of", str(tiny.AS_OF), "--to", "HOME/handed out"],
}


@pytest.fixture(scope="module")
def export(forks, old, tmp_path_factory):
    return scene(forks, old, tmp_path_factory.mktemp("export"), EXPORT)


def recorded(home):
    """Manifests of exports, as the table has them."""
    version = Runs(home / "tables").head(EXPORTS.name)
    if version is None:
        return []
    rows = Store(home / "tables", None, {EXPORTS.name: version}).arrow_records(EXPORTS).to_pylist()
    return [row["manifest_sha256"] for row in rows]


def handed_out(home):
    return [path for path in (home / "handed out").glob("*") if not path.name.startswith(".")]


def is_whole_or_absent(home):
    record = Runs(Home(home).tables).current("campaign", tiny.AS_OF)
    manifests = recorded(home)
    assert len(manifests) <= 1
    for folder in handed_out(home):
        assert digests(folder) == record.outputs["lists"]
        assert manifests == [sha256_of(folder / "manifest.json")], "what is out is recorded"
        *told, _ = export_lines(Home(home), None, None)
        assert told, "and by whom"


def check(export, number, kind):
    home = export.copy()
    hit = export.hit(home, number, kind)
    export.is_seen_after(home, hit)
    is_whole_or_absent(home)
    export.is_repeated_after(home, hit)
    is_whole_or_absent(home)
    assert (len(handed_out(home)), len(recorded(home))) == (1, 1)


def faults(export):
    for turn, call in enumerate(chosen(export.trace, export.whole)):
        if call.name not in ("unlink", "rmdir"):
            others = (FULL, BROKEN) if call.name in TAKES_SPACE else (BROKEN,)
            yield call.number, (KILL, *others)[turn % 3 % (1 + len(others))]
        else:
            yield call.number, KILL


def test_an_export_is_whole_or_absent_and_recorded_once(export):
    every = list(faults(export))
    assert len(every) > 60
    for number, kind in every[:: len(every) // 5]:
        check(export, number, kind)


@pytest.mark.slow
def test_an_export_is_whole_or_absent_whatever_happens(export):
    for number, kind in faults(export):
        check(export, number, kind)
