"""Files that only grow: lines are added by many, and the beginning is replaced meanwhile."""

from __future__ import annotations

import hashlib
import multiprocessing

import pytest

from jobs.home import Home
from jobs.runs.rewriting import Rewriting, _make
from tables.files import append_line, replace_beginning

LINES = 60


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def record(tmp_path):
    path = tmp_path / "log" / "lookups.jsonl"
    path.parent.mkdir()
    append_line(path, "old")
    append_line(path, "kept")
    return path


def test_what_was_added_meanwhile_stays(record):
    before = record.read_bytes()
    append_line(record, "meanwhile")
    replace_beginning(record, len(before), digest(before), b"kept\n")
    assert record.read_text() == "kept\nmeanwhile\n"
    assert record.stat().st_mode & 0o777 == 0o640


def test_done_twice_is_done_once(record):
    before = record.read_bytes()
    for _ in range(2):
        replace_beginning(record, len(before), digest(before), b"kept\n")
        append_line(record, "later")
    assert record.read_text() == "kept\nlater\nlater\n"


def test_a_file_that_begins_otherwise_is_left_alone(record):
    before = record.read_bytes()
    replace_beginning(record, len(before), digest(b"another"), b"")
    assert record.read_bytes() == before


def test_a_journal_brings_it_about(record):
    rewriting = Rewriting(Home(record.parent.parent))
    rewriting.begin()
    rewriting.put_grown(record, record.read_bytes(), b"kept\n")
    append_line(record, "meanwhile")
    [change] = rewriting.changes.values()
    for _ in range(2):
        _make(rewriting.home, rewriting.folder, change)
    assert record.read_text() == "kept\nmeanwhile\n"


def _add(path, name):
    for number in range(LINES):
        append_line(path, f"{name} {number}")


def test_no_line_is_lost_while_the_beginning_is_replaced_again_and_again(record):
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_add, args=(record, name)) for name in "ab"]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        first = record.read_bytes().partition(b"\n")[0] + b"\n"
        replace_beginning(record, len(first), digest(first), first)
    lines = record.read_text().splitlines()
    assert [line for line in lines if line.startswith("a")] == [f"a {n}" for n in range(LINES)]
    assert len(lines) == 2 + 2 * LINES
    assert list(record.parent.iterdir()) == [record]
