"""Only what a committed run pins exists."""

from __future__ import annotations

from datetime import date

from tables.runs import RunRecord, Runs

AS_OF = date(2026, 11, 1)


def record(run_id, step="features", **changes):
    values = {
        "run_id": run_id,
        "step": step,
        "as_of": AS_OF,
        "campaign_id": "monthly",
        "supersedes": None,
        "inputs": {"ingest": "aa"},
        "pins": {"customer_features": 3},
        "outputs": {"customer_features": {"data/x": "00"}},
        "counts": {"customers": 20_000},
        "config_hash": "cc",
        "config": "{}",
        "code_version": "1",
        "engine": "embedded",
        "seconds": 1.5,
    }
    return RunRecord(**{**values, **changes})


def test_a_run_is_read_back_as_it_was_committed(tmp_path):
    committed = Runs(tmp_path).append(record("r1"))
    assert Runs(tmp_path).committed() == [committed]
    assert committed.sequence == 1
    assert committed.status == "committed"


def test_the_last_committed_run_stands_for_its_step_and_date(tmp_path):
    runs = Runs(tmp_path)
    runs.append(record("r1"))
    runs.append(record("r2", supersedes="r1"))
    runs.append(record("r3", as_of=date(2026, 10, 1)))
    runs.append(record("r4", step="score", outputs={}))
    current = runs.current("features", AS_OF)
    assert current is not None and current.run_id == "r2"
    assert runs.find("r1") is not None
    assert runs.find("r9") is None


def test_the_head_of_a_table_is_what_its_last_writer_pinned(tmp_path):
    runs = Runs(tmp_path)
    assert runs.head("customer_features") is None
    runs.append(record("r1"))
    runs.append(record("r2", pins={"customer_features": 7}))
    # A reader pins an older version; it does not move the head.
    runs.append(record("r3", step="score", outputs={}, pins={"customer_features": 3}))
    assert runs.head("customer_features") == 7


def test_a_row_that_was_written_but_not_committed_does_not_exist(tmp_path):
    runs = Runs(tmp_path)
    runs.append(record("r1"))
    runs._write(record("crashed"))
    assert [run.run_id for run in runs.committed()] == ["r1"]
