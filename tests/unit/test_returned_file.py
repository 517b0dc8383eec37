"""A file of results: read as a whole, or refused with every problem and no client's value."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings, strategies as st

from campaigns.csv_file import guarded, unguarded
from campaigns.returned_file import WORDS, read_returned
from tables.errors import ContractViolation

HEADER = "customer_id,offer_id,as_of,disposition,disposition_at,channel,advisor_id,note_code"
GOOD = "C1,card_2026,2026-11-01,refused,2026-11-10T10:30:00+01:00,phone,A1,N7"


def read(*lines: str, end: str = "\n", header: str = HEADER):
    return read_returned("f.csv", (end.join((header, *lines)) + end).encode())


def refusal(content: bytes | str) -> str:
    with pytest.raises(ContractViolation) as told:
        read_returned("f.csv", content if isinstance(content, bytes) else content.encode())
    return str(told.value)


def test_a_row_is_read_with_its_types():
    [row] = read(GOOD).rows
    assert (row.number, row.customer_id, row.offer_id, row.as_of) == (
        1, "C1", "card_2026", date(2026, 11, 1),
    )  # fmt: skip
    assert row.disposition_at == datetime(2026, 11, 10, 9, 30, tzinfo=UTC)
    assert (row.run_id, row.advisor_id, row.note_code) == (None, "A1", "N7")
    assert read("C1,o,2026-11-01,sold,2026-11-10,phone,,").rows[0].disposition_at == datetime(
        2026, 11, 10, tzinfo=UTC
    )


def test_what_branches_call_it_is_one_word_here():
    rows = read(*(f"C{n},o,2026-11-01,{word},2026-11-10,phone,,"
                  for n, word in enumerate(WORDS))).rows  # fmt: skip
    assert [row.disposition for row in rows] == list(WORDS.values())


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_byte_order_mark_line_ends_and_blank_lines_mean_nothing(end):
    content = "\ufeff" + end.join((HEADER, GOOD, "", GOOD, ""))
    rows = read_returned("f.csv", content.encode()).rows
    assert [row.number for row in rows] == [1, 3]
    assert rows[0] == rows[1], "the same said again is the same"


def test_other_columns_are_not_kept():
    found = read(GOOD + ",he was quite rude", header=HEADER + ",remark")
    assert found.unread == ("remark",)
    assert "rude" not in str(found)


def test_a_quote_that_our_own_lists_put_in_front_is_taken_off():
    [row] = read("'=C1,o,2026-11-01,sold,2026-11-10,phone,,").rows
    assert row.customer_id == "=C1"
    [row] = read("'C1,o,2026-11-01,sold,2026-11-10,phone,,").rows
    assert row.customer_id == "'C1", "ours stand before what begins a formula only"


@given(st.text(alphabet="=+-@|%'aC1", max_size=6))
@settings(max_examples=200, deadline=None)
def test_what_a_list_guards_once_comes_back(text):
    if guarded(text) == "'" + text:
        assert unguarded(guarded(text)) == text


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf \r\n", "is empty"),
        (HEADER, "has a header and no row"),
        (f"{HEADER}\n{GOOD}\n".encode("utf-16"), "zero bytes"),
        (f"{HEADER}\nC\xe9,o".encode("latin-1"), "is no UTF-8 at byte"),
        (f"{HEADER}\n{GOOD}".replace(",", ";"), "is not separated by commas"),
        (f"{HEADER}\n{GOOD}".replace(",", "\t"), "is not separated by commas"),
        (f'{HEADER}\n{GOOD}\n"C1,', "is no CSV"),
        (f"{HEADER}\n{'x' * 200_000},{GOOD}", "is no CSV"),
        (f"{HEADER}\n{GOOD},more\n{GOOD}\nC1", "2 rows have more or fewer fields"),
        (f"{HEADER.replace('channel', 'chanel')}\n{GOOD}", "did you mean chanel?"),
        (f"{HEADER.replace('as_of', 'month')}\n{GOOD}", "lacks run_id or as_of"),
        (f"{HEADER},channel\n{GOOD},phone", "has the column channel twice"),
    ],
)  # fmt: skip
def test_a_file_of_another_form_is_refused_with_the_fix(content, said):
    assert said in refusal(content)


def test_every_wrong_value_is_told_by_row_and_none_is_shown():
    bad = [
        "C1,o,2026-11-01,refusd,2026-11-10,phone,,",
        "C1,o,2026-11-01,refused,10/11/2026,phone,,",
        "C1,o,2026-11-01,refused,2026-02-30,phone,,",
        "C1,o,2026-11-01,refused,2026-11-10T10:30:00,phone,,",
        "C1,o,2026-11-01,refused,2026-W45-4,phone,,",
        "C1,o,2026-11-01,refused,0001-01-01T00:00+14:00,phone,,",
        "C1,o,2026-11-01,refused,2026-11-10,fax,,",
        "C1,o,2026-11-02,refused,2026-11-10,phone,,",
        "C1,o,,refused,2026-11-10,phone,,",
        ",o,2026-11-01,refused,2026-11-10,phone,,",
        f"{'C' * 65},o,2026-11-01,refused,2026-11-10,phone,,",
        "C\x07,o,2026-11-01,refused,2026-11-10,phone,,",
        "C1,o,2026-11-01,refused,2026-11-10,phone,,SECRET words",
    ]
    told = refusal("\n".join((HEADER, *bad))).splitlines()
    assert "f.csv: disposition of 1 rows, e.g. row 1: must be one of contacted" in told[4]
    assert told[4].endswith("did you mean refused?")
    assert "f.csv: disposition_at of 5 rows, e.g. rows 2, 3, 4: must be 2026-11-05 or" in told[5]
    assert [line.split(" ")[1] for line in told] == [
        "as_of", "channel", "customer_id", "customer_id", "disposition", "disposition_at",
        "note_code", "run_id",
    ]  # fmt: skip
    assert not {"refusd", "fax", "SECRET", "CCC"} & set(" ".join(told).replace(",", " ").split())


def test_one_wrong_value_is_enough_to_take_nothing():
    assert "disposition" in refusal("\n".join((HEADER, GOOD, GOOD.replace("refused", "??"))))


def test_a_large_file_is_read_in_bounded_time():
    lines = [GOOD.replace("C1", f"C{number}") for number in range(20_000)]
    started = time.process_time()
    assert len(read(*lines).rows) == 20_000
    assert time.process_time() - started < 10
