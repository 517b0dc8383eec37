"""The record of decisions: what it says was live, what waits, what a rollback goes back to."""

from __future__ import annotations

from datetime import date

from models.decisions import (
    Action,
    Decision,
    is_promoted,
    is_same_person,
    live_on,
    open_proposal,
    previous_version,
)


def decided(action: Action, version: int, at: str, before: int | None = None) -> Decision:
    return Decision(action, version, before, "Ana", "tested", when=at, recorded_at=at)


RECORD = [
    decided("promote", 1, "2024-01-10T09:00:00+00:00"),
    decided("propose", 2, "2024-02-01T09:00:00+00:00", before=1),
    decided("promote", 2, "2024-02-03T23:59:59+00:00", before=1),
    decided("rollback", 1, "2024-02-29T12:00:00+00:00", before=2),
]


def test_what_was_live_is_what_the_last_change_until_the_end_of_the_day_had_put_in_use() -> None:
    days = (date(2024, 1, 9), date(2024, 1, 10), date(2024, 2, 2), date(2024, 2, 3),
            date(2024, 2, 28), date(2024, 2, 29), date(2024, 12, 31))  # fmt: skip
    live = [live_on(RECORD, day) for day in days]
    assert [one.version if one else None for one in live] == [None, 1, 1, 2, 2, 1, 1]


def test_the_time_of_the_clock_counts_not_the_month_that_the_gate_decided_for() -> None:
    late = Decision("promote", 1, None, "gate", "passed", "2024-01-01", "2024-01-20T08:00:00+00:00")
    assert live_on([late], date(2024, 1, 19)) is None
    assert live_on([late], date(2024, 1, 20)) == late


def test_an_entry_of_before_there_was_a_clock_counts_by_its_date() -> None:
    old = {"action": "promote", "version": 3, "before": 2, "who": "gate", "why": "passed",
           "when": "2024-01-01"}  # fmt: skip
    assert Decision.from_record(old).recorded_at == "2024-01-01"
    assert live_on([Decision.from_record(old)], date(2024, 1, 1)) is not None


def test_a_proposal_is_open_until_anything_else_is_decided() -> None:
    assert open_proposal(RECORD[:2], 2) == RECORD[1]
    assert open_proposal(RECORD[:2], 3) is None  # another challenger has come
    assert open_proposal(RECORD[:3], 2) is None
    assert open_proposal([*RECORD[:2], RECORD[3]], 2) is None
    assert open_proposal([], 2) is None


def test_a_promotion_that_was_rolled_back_is_none_any_more() -> None:
    assert is_promoted(RECORD[:3], 2)
    assert not is_promoted(RECORD, 2)
    assert not is_promoted(RECORD[:2], 2)


def test_a_proposal_is_not_what_a_rollback_goes_back_to() -> None:
    assert previous_version(RECORD[:3]) == 1
    assert previous_version([*RECORD[:3], decided("propose", 3, "2024-03-01")]) == 1
    assert previous_version(RECORD[:2]) is None


def test_case_and_spaces_make_no_second_person() -> None:
    assert is_same_person("Ana  Popa", " ana popa ")
    assert not is_same_person("Ana Popa", "Ion Popa")


def test_what_was_retired_is_not_live_and_not_gone_back_to() -> None:
    retired = [*RECORD, decided("retire", 1, "2024-03-01T09:00:00+00:00", before=1)]
    assert live_on(retired, date(2024, 2, 29)) == RECORD[-1]
    assert live_on(retired, date(2024, 3, 1)) is None
    again = [*retired, decided("promote", 3, "2024-04-01T09:00:00+00:00")]
    assert previous_version(again) is None
    later = live_on(again, date(2024, 4, 1))
    assert later is not None
    assert later.version == 3
