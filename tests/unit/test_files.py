"""Files appear whole or not at all."""

from __future__ import annotations

import os
import stat
import subprocess
import sys

import pytest

from tables import files
from tables.errors import UserError
from tables.files import exclusive, make_folder, sha256_of, write_file, write_tree


def test_a_tree_that_fails_half_way_leaves_the_old_one(tmp_path):
    target = tmp_path / "lists"
    write_tree(target, lambda folder: (folder / "a").write_text("old"))

    def fail(folder):
        (folder / "a").write_text("new")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        write_tree(target, fail)

    assert (target / "a").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["lists"]


def test_a_tree_replaces_the_old_one_whole(tmp_path):
    target = tmp_path / "lists"
    write_tree(target, lambda folder: (folder / "a").write_text("old"))
    write_tree(target, lambda folder: (folder / "b").write_text("new"))
    assert [path.name for path in target.iterdir()] == ["b"]


def test_a_tree_is_never_gone_while_it_is_replaced(tmp_path, monkeypatch):
    target = tmp_path / "lists"
    write_tree(target, lambda folder: (folder / "a").write_text("old"))
    monkeypatch.setattr(os, "rename", lambda *_: pytest.fail("two renames leave a moment without"))
    write_tree(target, lambda folder: (folder / "b").write_text("new"))
    assert [path.name for path in target.iterdir()] == ["b"]


def test_where_folders_cannot_be_exchanged_a_tree_is_replaced_all_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "_exchange", lambda *_: False)
    target = tmp_path / "lists"
    write_tree(target, lambda folder: (folder / "a").write_text("old"))
    write_tree(target, lambda folder: (folder / "b").write_text("new"))
    assert [path.name for path in tmp_path.rglob("*")] == ["lists", "b"]


def test_what_a_killed_writer_of_the_tree_left_goes_and_nothing_else(tmp_path):
    for name in (".lists.0123", ".lists.0123.old", ".listsand.0123"):
        (tmp_path / name).mkdir()
    write_tree(tmp_path / "lists", lambda folder: (folder / "a").write_text("x"))
    assert {path.name for path in tmp_path.iterdir()} == {"lists", ".listsand.0123"}


def test_files_are_for_the_group_and_nobody_else(tmp_path):
    write_tree(tmp_path / "lists", lambda folder: (folder / "a").write_text("x"))
    write_file(tmp_path / "note", b"x")
    assert stat.S_IMODE((tmp_path / "lists" / "a").stat().st_mode) == 0o640
    assert stat.S_IMODE((tmp_path / "note").stat().st_mode) == 0o640


def test_data_are_synced_before_the_name_that_shows_them(tmp_path, monkeypatch):
    calls = []
    real_sync, real_rename = os.fsync, os.rename
    monkeypatch.setattr(os, "fsync", lambda fd: (calls.append("sync"), real_sync(fd)))
    monkeypatch.setattr(
        os, "rename", lambda a, b, **kw: (calls.append("rename"), real_rename(a, b, **kw))
    )
    write_tree(tmp_path / "lists", lambda folder: (folder / "a").write_text("x"))
    first = calls.index("rename")
    assert calls[:first].count("sync") >= 2, "the file and its folder"
    assert "sync" in calls[first:], "the folder that holds the new name"


def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(UserError, match=r"cannot create .*file/x.*--home"):
        make_folder(tmp_path / "file" / "x")


def test_only_one_holds_the_lock_and_a_killed_holder_frees_it(tmp_path):
    lock = tmp_path / "run.lock"
    code = (
        "import sys, time; from pathlib import Path; from tables.files import exclusive\n"
        "with exclusive(Path(sys.argv[1]), 'the first run'):\n"
        "    print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code, str(lock)], stdout=subprocess.PIPE)
    try:
        assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
        with pytest.raises(UserError, match="the first run is at work"), exclusive(lock, "second"):
            pass
    finally:
        holder.kill()
        holder.wait()
    with exclusive(lock, "third"):
        assert lock.read_text() == "third"


def test_digest_is_sha256(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert sha256_of(tmp_path / "a").startswith("ba7816bf8f01cfea")
