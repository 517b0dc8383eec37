"""Whoever looks a client up is recorded, by pseudonym, before anything is shown."""

from __future__ import annotations

import json
import stat
import threading
from datetime import date

import pytest

from jobs.audit import lookups
from jobs.audit.log_keys import vault_key
from jobs.audit.lookups import UNKNOWN, lookup_lines, note_lookup, recorded
from jobs.cli import main
from jobs.home import Home
from tables.errors import UserError

TIMES = ("2026-11-11T23:59:59+00:00", "2026-11-12T00:00:00+00:00", "2026-11-13T10:00:00+00:00")


@pytest.fixture
def home(tmp_path, monkeypatch) -> Home:
    times = iter(TIMES)
    monkeypatch.setattr(lookups, "time_of_lookup", lambda: next(times))
    monkeypatch.setattr(lookups, "account", lambda: "ops7")
    return Home(tmp_path)


def noted(home: Home) -> list[dict]:
    return [json.loads(line) for line in (home.log / "lookups.jsonl").read_text().splitlines()]


def test_who_asks_is_recorded_with_the_account_and_the_client_is_not_named(home):
    note_lookup(home, "lists show", "C1", "Ana", found=False)
    note_lookup(home, "explain", "C1", None, found=False)
    note_lookup(home, "explain", "C2", None, found=True)
    first, second, third = noted(home)
    assert first == {
        "at": TIMES[0],
        "by": "Ana",
        "client": first["client"],
        "command": "lists show",
        "found": False,
        "user": "ops7",
    }
    assert second["by"] == second["user"] == "ops7"
    assert first["client"] == second["client"] != third["client"]
    path = home.log / "lookups.jsonl"
    assert "C1" not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_keyed_hash_of_somebody_unknown_cannot_be_tried_out_once_the_key_is_gone(home):
    note_lookup(home, "explain", "C1", None, found=False)
    key = vault_key(home)
    (home.log / "keys" / "vault.key").write_text(bytes(len(key)).hex())
    note_lookup(home, "explain", "C1", None, found=False)
    before, after = (line["client"] for line in noted(home))
    assert before.startswith(UNKNOWN)
    assert before != after


def test_the_record_is_shown_by_day_and_by_name(home):
    for by, client in (("Ana", "C1"), (None, "C1"), ("Bo\x1b[2J", "C2")):
        note_lookup(home, "lists show", client, by, found=client == "C1")
    *shown, counts = lookup_lines(home, None, None)
    assert [line.split()[0] for line in shown] == list(TIMES)
    assert counts == "3 look-ups; clients 2, who asked 3"
    assert shown[0].endswith("  Ana (account ops7)")
    assert shown[1].endswith("  ops7")
    assert "\x1b" not in shown[2]
    assert "  not found  " in shown[2]
    assert [line[:19] for line in lookup_lines(home, date(2026, 11, 12), None)][:-1] == [
        TIMES[1][:19], TIMES[2][:19],
    ]  # fmt: skip
    assert len(list(lookup_lines(home, None, "Ana"))) == 2
    assert len(list(lookup_lines(home, None, "ops7"))) == 4
    assert list(lookup_lines(home, None, "Cy")) == ["0 look-ups; clients 0, who asked 0"]


def test_a_line_that_was_cut_short_swallows_no_other_and_is_told(home):
    note_lookup(home, "explain", "C1", None, found=True)
    path = home.log / "lookups.jsonl"
    with path.open("a") as file:
        file.write('{"at": "2026-11-')
    note_lookup(home, "explain", "C2", None, found=True)
    assert [lookup is None for _, lookup in recorded(home)] == [False, True, False]
    assert "1 lines of" in list(lookup_lines(home, None, None))[-1]
    assert "(the first is line 2)" in list(lookup_lines(home, None, None))[-1]


def test_what_cannot_be_recorded_is_not_answered(home):
    (home.log / "lookups.jsonl").mkdir(parents=True)
    with pytest.raises(UserError, match=r"cannot write .*lookups\.jsonl.*nothing is shown"):
        note_lookup(home, "explain", "C1", None, found=True)


def test_many_at_once_are_all_recorded_whole(home, monkeypatch):
    monkeypatch.setattr(lookups, "time_of_lookup", lambda: TIMES[0])
    vault_key(home)

    def ask(number: int) -> None:
        for _ in range(5):
            note_lookup(home, "explain", f"C{number}", None, found=True)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [lookup is not None for _, lookup in recorded(home)] == [True] * 20


def test_the_command_shows_the_record_and_an_empty_one(home, capsys):
    assert main(["offers", "lookups", "--home", str(home.path)]) == 0
    assert capsys.readouterr().out == "0 look-ups; clients 0, who asked 0\n"
    note_lookup(home, "explain", "C1", "Ana", found=True)
    assert main(["offers", "lookups", "--home", str(home.path), "--by", "Ana"]) == 0
    assert "  explain        found      unknown:" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="2"):
        main(["offers", "lookups", "--home", str(home.path), "--by", " "])
