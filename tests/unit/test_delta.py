"""A version consists of exactly the files that were listed, whatever a crashed run left behind."""

from __future__ import annotations

import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError

from tables.base import Table, columns
from tables.delta import (
    NONE,
    SUMMARY_EVERY,
    DataFile,
    commit_files,
    data_files,
    files_of,
    latest_version,
    may_hold,
    null_counts,
    remove_uncommitted,
)

COUNTERS = Table(
    name="counters",
    grain="one row per counter",
    key=("name",),
    kind="derived",
    columns=columns("name string -- the counter", "value bigint -- what it shows"),
)


def written(folder, name, value):
    path = folder / "data" / name / "part.parquet"
    path.parent.mkdir(parents=True)
    pq.write_table(pa.table({"name": [name], "value": [value]}), path)
    return DataFile(path.relative_to(folder).as_posix(), 1, path.stat().st_size)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "counters"


def rows(folder, version):
    table = pa.table(DeltaTable(folder, version=version).to_pyarrow_table())
    return sorted(zip(*table.to_pydict().values(), strict=True))


def test_footers_count_nulls_unless_one_of_them_does_not(tmp_path):
    rows = pa.table({"name": ["a", None], "value": [1, 2], "tags": [["x"], None]})
    counted, uncounted = tmp_path / "a.parquet", tmp_path / "b.parquet"
    pq.write_table(rows, counted)
    pq.write_table(rows, uncounted, write_statistics=["name"])
    assert null_counts([counted, counted])["name"] == 2
    assert null_counts([counted])["value"] == 0
    assert null_counts([counted, uncounted]).get("value") is None
    assert null_counts([counted, uncounted])["name"] == 2
    assert "tags" not in null_counts([counted])


def test_footers_tell_whether_a_flag_may_be_set(tmp_path):
    never, once, unknown = (tmp_path / name for name in ("a", "b", "c"))
    pq.write_table(pa.table({"is_revision": [False, False]}), never)
    pq.write_table(pa.table({"is_revision": [False, True]}), once)
    pq.write_table(pa.table({"is_revision": [False]}), unknown, write_statistics=False)
    assert not may_hold(never, "is_revision")
    assert may_hold(once, "is_revision")
    assert may_hold(unknown, "is_revision")


def test_a_version_is_what_was_listed(folder):
    a, b = written(folder, "a", 1), written(folder, "b", 2)
    assert commit_files(folder, COUNTERS, [a], "run1") == 0
    assert commit_files(folder, COUNTERS, [a, b], "run2") == 1
    assert rows(folder, 0) == [("a", 1)]
    assert rows(folder, 1) == [("a", 1), ("b", 2)]
    assert files_of(folder, 1) == [a, b]


def test_what_a_crashed_run_committed_is_gone_from_the_next_version(folder):
    a, orphan, b = written(folder, "a", 1), written(folder, "orphan", 9), written(folder, "b", 2)
    commit_files(folder, COUNTERS, [a], "run1")
    commit_files(folder, COUNTERS, [orphan], "crashed before its run was committed")
    version = commit_files(folder, COUNTERS, [a, b], "run2")
    assert rows(folder, version) == [("a", 1), ("b", 2)]


def test_the_same_files_again_are_no_new_version(folder):
    a = written(folder, "a", 1)
    assert commit_files(folder, COUNTERS, [a], "run1") == commit_files(
        folder, COUNTERS, [a], "run1"
    )


def test_an_old_version_stays_readable_after_a_replacement(folder):
    a, b = written(folder, "a", 1), written(folder, "b", 2)
    commit_files(folder, COUNTERS, [a], "run1")
    commit_files(folder, COUNTERS, [b], "run2")
    assert rows(folder, 0) == [("a", 1)]
    assert (folder / a.path).exists()


def test_a_folder_of_files_is_not_a_table_before_its_commit(folder):
    written(folder, "a", 1)
    assert latest_version(folder) is None
    assert files_of(folder, None) == []


def test_files_without_rows_are_left_out(folder):
    written(folder, "a", 1)
    empty = folder / "data" / "empty" / "part.parquet"
    empty.parent.mkdir()
    pq.write_table(pa.table({"name": pa.array([], pa.string())}), empty)
    assert [file.path for file in data_files(folder, folder / "data")] == ["data/a/part.parquet"]


def test_what_only_a_crashed_run_committed_goes_once_a_later_version_is_pinned(folder):
    a, orphan = written(folder, "a", 1), written(folder, "orphan", 9)
    commit_files(folder, COUNTERS, [a], "run1")
    commit_files(folder, COUNTERS, [a, orphan], "crashed before its run was committed")
    remove_uncommitted(folder, {0})
    assert (folder / orphan.path).exists(), "it may be that the runs are lost"
    b = written(folder, "b", 2)
    commit_files(folder, COUNTERS, [a, b], "run2")
    remove_uncommitted(folder, {0, 2})
    assert not (folder / orphan.path).exists()
    assert rows(folder, 0) == [("a", 1)]
    assert rows(folder, 2) == [("a", 1), ("b", 2)]


def test_only_files_that_no_version_ever_listed_are_removed(folder):
    a, b, staged = written(folder, "a", 1), written(folder, "b", 2), written(folder, "staged", 3)
    commit_files(folder, COUNTERS, [a], "run1")
    commit_files(folder, COUNTERS, [b], "run2")
    remove_uncommitted(folder, {0})
    assert rows(folder, 0) == [("a", 1)]
    assert rows(folder, 1) == [("b", 2)]
    assert not (folder / staged.path).exists()
    assert not (folder / staged.path).parent.exists()


def test_what_a_run_has_pinned_stays_readable_however_many_versions_follow(folder):
    files = []
    for number in range(SUMMARY_EVERY + 2):
        files.append(written(folder, f"{number:02}", number))
        assert commit_files(folder, COUNTERS, files, f"run{number}") == number
        for entry in (folder / "_delta_log").iterdir():
            os.utime(entry, (0, 0))  # delta-rs itself takes away entries older than a month
    assert (folder / "_delta_log" / f"{SUMMARY_EVERY - 1:020}.checkpoint.parquet").exists()
    remove_uncommitted(folder, range(len(files)))
    for version in range(len(files)):
        assert files_of(folder, version) == files[: version + 1]
    assert len(rows(folder, None)) == len(files)


def test_from_a_log_that_somebody_shortened_nothing_is_concluded(folder):
    a, b, unknown = written(folder, "a", 1), written(folder, "b", 2), written(folder, "x", 3)
    commit_files(folder, COUNTERS, [a], "run1")
    commit_files(folder, COUNTERS, [b], "run2")
    (folder / "_delta_log" / f"{0:020}.json").unlink()
    remove_uncommitted(folder, {1})
    assert all((folder / file.path).exists() for file in (a, b, unknown))


def test_of_two_that_follow_the_same_version_one_is_refused(folder):
    a, b = written(folder, "a", 1), written(folder, "b", 2)
    commit_files(folder, COUNTERS, [a], "run1", NONE)
    for after in (NONE, 1):
        with pytest.raises(CommitFailedError, match="counters is at version 0 by now"):
            commit_files(folder, COUNTERS, [b], "run2", after)
    assert rows(folder, None) == [("a", 1)]


def test_who_comes_second_to_the_name_of_a_version_is_refused(folder, monkeypatch):
    a, b = written(folder, "a", 1), written(folder, "b", 2)
    commit_files(folder, COUNTERS, [a], "run1")
    real = os.link

    def late(source, target, **options):
        if ".draft-" not in str(target):
            real(source, target)  # somebody else's, a moment before
        real(source, target, **options)

    monkeypatch.setattr(os, "link", late)
    with pytest.raises(CommitFailedError, match="counters has a version 1 by now"):
        commit_files(folder, COUNTERS, [a, b], "run2")


def test_a_draft_that_a_killed_commit_left_is_removed(folder):
    a, b = written(folder, "a", 1), written(folder, "b", 2)
    commit_files(folder, COUNTERS, [a], "run1")
    left = folder / ".draft-left" / "_delta_log"
    left.mkdir(parents=True)
    (left / f"{1:020}.json").write_text("half")
    assert commit_files(folder, COUNTERS, [a, b], "run2") == 1
    assert not left.exists()
