"""Which digest a file should have, once committed runs have rewritten it; and how that is done."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from jobs.cli import main
from jobs.home import Home
from jobs.runs.rewriting import Journal, Rewriting, finish, is_pending, publishing
from jobs.runs.rewritten import GONE, REWRITTEN, Rewritten, step
from tables.errors import UserError
from tables.runs import RunRecord, Runs

RECORD = RunRecord(
    run_id="a" * 64,
    step="ingest",
    as_of=date(2026, 11, 1),
    campaign_id="monthly",
    supersedes=None,
    inputs={},
    pins={},
    outputs={},
    counts={},
    config_hash="",
    config="{}",
    code_version="",
    engine="none",
    seconds=0.0,
)


def erased(**steps: str) -> RunRecord:
    return replace(RECORD, step="erase", outputs={REWRITTEN: steps})


def test_a_file_is_followed_through_every_run_that_rewrote_it():
    chain = Rewritten([RECORD, erased(a="1 2", b="1 2"), erased(a="2 3"), erased(a="3 gone")])
    assert chain.now("a", "1") == GONE
    assert chain.now("b", "1") == "2"
    assert chain.now("c", "1") == "1", "nobody touched it"
    assert chain.all_now("x", {"a": "1"}) == {"a": "1"}, "another folder"
    assert Rewritten([erased(**{"x/a": "1 gone", "x/b": "1 2"})]).all_now(
        "x", {"a": "1", "b": "1", "c": "1"}
    ) == {"b": "2", "c": "1"}


def test_a_file_that_was_changed_before_it_was_rewritten_is_not_excused():
    assert Rewritten([erased(a="other 2")]).now("a", "1") == "1"
    assert Rewritten([erased(a="2 3"), erased(a="1 2")]).now("a", "1") == "2", "in their order"


def test_a_delivery_is_known_by_the_digest_it_came_with():
    chain = Rewritten([erased(m="1 2"), erased(m="2 3")])
    assert [chain.originally("m", digest) for digest in "1234"] == ["1", "1", "1", "4"]
    assert step(None, "1") == "gone 1"
    assert step("1", None) == "1 gone"


@pytest.fixture
def home(tmp_path) -> Home:
    """A home with one run and some files."""
    home = Home(tmp_path / "home")
    home.create()
    Runs(home.tables).append(RECORD)
    for name in ("one", "two", ".two.crc", "three"):
        (home.path / name).write_text(name)
    return home


def staged(home: Home) -> Rewriting:
    rewriting = Rewriting(home)
    rewriting.begin()
    for name in ("one", "two", "deep/new"):
        path = rewriting.new()
        path.write_text(f"new {name}")
        rewriting.put(home.path / name, path)
    rewriting.remove(home.path / "three")
    return rewriting


def journal(rewriting: Rewriting) -> Journal:
    changes = tuple(rewriting.changes.values())
    return Journal("b" * 64, "erase", "2026-12-11", {"files": 4}, "a" * 64, [], changes)


def files(home: Home) -> dict[str, str]:
    wanted = ("one", "two", ".two.crc", "three", "deep/new")
    return {name: (home.path / name).read_text() for name in wanted if (home.path / name).exists()}


NEW = {"one": "new one", "two": "new two", "deep/new": "new deep/new"}


def test_changes_are_made_together_and_what_spark_keeps_beside_a_file_goes(home):
    before, rewriting = files(home), staged(home)
    assert files(home) == before
    assert finish(home) is None, "without a journal nothing is done"
    assert files(home) == before
    rewriting = staged(home)
    rewriting.commit(journal(rewriting))
    assert is_pending(home)
    record = finish(home)
    assert files(home) == NEW
    assert set(record.outputs[REWRITTEN]) == {"one", "two", ".two.crc", "three", "deep/new"}
    assert record.outputs[REWRITTEN]["three"].endswith(" gone")
    assert not rewriting.folder.exists()
    assert [one.step for one in Runs(home.tables).committed()] == ["ingest", "erase"]


@pytest.mark.parametrize("done", range(4))
def test_whoever_comes_next_finishes_and_records_once(home, done, capsys):
    rewriting = staged(home)
    rewriting.commit(journal(rewriting))
    for number in range(done):  # some were put in place before the kill
        change = list(rewriting.changes.values())[number]
        target = home.path / change.path
        if change.staged is None:
            target.unlink()
        else:
            target.parent.mkdir(exist_ok=True)
            (rewriting.folder / change.staged).replace(target)
    with publishing(home, "any command"):
        assert files(home) == NEW
    assert "finished what was interrupted: erase of 2026-12-11" in capsys.readouterr().err
    with publishing(home, "the next"):
        assert len(Runs(home.tables).committed()) == 2


def test_a_staged_file_that_is_lost_stops_everything(home):
    rewriting = staged(home)
    rewriting.commit(journal(rewriting))
    (rewriting.folder / rewriting.changes["two"].staged).unlink()
    with pytest.raises(UserError, match="is not yet what it should become"):
        finish(home)
    assert is_pending(home)


def test_nobody_can_be_erased_from_what_is_no_home(tmp_path, capsys):
    words = ["--customer", "C1", "--by", "dpo", "--reason", "asked"]
    assert main(["offers", "erase", "--home", str(tmp_path / "no"), *words]) == 1
    assert "is no home folder" in capsys.readouterr().err
    Home(tmp_path / "new").create()
    assert main(["offers", "erase", "--home", str(tmp_path / "new"), *words]) == 1
    assert "nothing has been ingested" in capsys.readouterr().err
