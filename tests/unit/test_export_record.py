"""Every export is recorded before it is in place: who, when, what."""

from __future__ import annotations

import json
from datetime import date

import pytest

from jobs.audit.line_record import account
from jobs.home import Home
from jobs.lists.export_record import Exporter, export_lines
from tables.errors import UserError

ROW = {
    "as_of": date(2026, 11, 1),
    "branch_id": "B7",
    "known_before": date(2026, 11, 15),
    "manifest_sha256": "ab",
    "row_count": 60,
    "run_id": "c" * 64,
}


@pytest.fixture
def home(tmp_path) -> Home:
    return Home(tmp_path)


def test_each_time_is_a_line(home):
    Exporter("Ana Pop", "campaign").note(home, ROW)
    Exporter(None, "branch").note(home, {**ROW, "branch_id": None})
    first, second, count = export_lines(home, None, None)
    assert first.endswith(
        f"2026-11-01  run {'c' * 12}  B7: 60 rows as known before 2026-11-15  campaign"
        f"  Ana Pop (account {account()})"
    )
    assert f"all branches: 60 rows as known before 2026-11-15  branch  {account()}" in second
    assert count == "2 exports"
    assert list(export_lines(home, None, "Ana Pop"))[-1] == "1 exports"
    assert list(export_lines(home, date(2100, 1, 1), None)) == ["0 exports"]
    assert (home.log / "exports.jsonl").stat().st_mode & 0o777 == 0o640


def test_a_line_that_was_cut_is_told(home):
    Exporter("Ana Pop", "campaign").note(home, ROW)
    path = home.log / "exports.jsonl"
    path.write_text(path.read_text() + '{"at": "2026')
    *_, count, told = export_lines(home, None, None)
    assert count == "1 exports"
    assert "1 lines of" in told
    assert "(the first is line 2)" in told


def test_what_somebody_typed_cannot_command_a_terminal(home):
    Exporter("\x1b[2J", "campaign").note(home, ROW)
    assert "\x1b" not in next(export_lines(home, None, None))
    assert "\\u001b" in json.dumps(json.loads((home.log / "exports.jsonl").read_text())["by"])


def test_where_it_cannot_be_recorded_nothing_is_exported(home):
    home.log.mkdir()
    (home.log / "exports.jsonl").mkdir()
    with pytest.raises(UserError, match="so nothing was exported"):
        Exporter("Ana Pop", "campaign").note(home, ROW)
