"""What readers see of a home, and that it fits together."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

from audit.check_log import check_log
from audit.checkpoint import VerifierKey
from jobs.audit.checkpoint_files import committed_checkpoints
from jobs.audit.log_keys import published_keys
from jobs.home import Home
from jobs.runs.exports import LISTS, lists_folder
from tables.delta import files_of
from tables.derived import CAMPAIGN_LISTS, CARE_LISTS, CHECKPOINTS, DECISIONS, OFFER_LOG, VAULT
from tables.files import sha256_of
from tables.runs import RunRecord, Runs
from tables.store import Store
from tests.faults import tiny

LINES = len(tiny.CLIENTS) * len(tiny.OFFERS)
IN_A_LOG = re.compile(r"\d{20}\.(json|checkpoint\.parquet)")


def current_run(home: Path) -> str:
    """The run that stands, once everything that readers ask fits to it; its list files may wait.

    Raises:
        AssertionError: Something does not.
    """
    own, record = Home(home), _standing(home)
    store = Store(own.tables, None, record.pins)
    lists, decisions = (store.arrow(one, tiny.AS_OF) for one in (CAMPAIGN_LISTS, DECISIONS))
    offered = [row for row in decisions.to_pylist() if row["outcome"] == "offered"]
    assert set(decisions["run_id"].to_pylist()) == {record.run_id}
    assert set(lists["run_id"].to_pylist()) == {record.run_id}
    assert lists.num_rows == len(offered), "the lists of one run with the decisions of another"
    assert set(store.arrow(CARE_LISTS, tiny.AS_OF)["run_id"].to_pylist()) == {record.run_id}
    assert set(store.arrow_records(VAULT)["customer_id"].to_pylist()) == set(tiny.CLIENTS)
    log = store.arrow_records(OFFER_LOG)
    assert set(lists["log_leaf"].to_pylist()) <= set(log["leaf"].to_pylist())
    counts = Counter(log["run_id"].to_pylist())
    assert set(counts.values()) == {LINES}, "a run's lines are all there, and once"
    sizes = {row["run_id"]: row["size"] for row in store.arrow_records(CHECKPOINTS).to_pylist()}
    assert sizes.keys() == counts.keys(), "what is in the log is sealed, and nothing else"
    # Each run states something last.
    assert sizes[record.run_id] == (LINES + 1) * len(counts) == max(sizes.values())
    folder, pinned = lists_folder(own, record), record.outputs[LISTS]
    assert not folder.exists() or digests(folder) == pinned, "half a folder of lists"
    return record.run_id


def checked(home: Path) -> str:
    """The same, and all that was ever published is what it was."""
    run_id, own = current_run(home), Home(home)
    runs = Runs(own.tables)
    committed = runs.committed()
    assert [one.sequence for one in committed] == [*range(1, len(committed) + 1)]
    assert len({one.run_id for one in committed}) == len(committed)
    pins = {one.name: runs.head(one.name) for one in (OFFER_LOG, VAULT, CHECKPOINTS)}
    assert all(pins[name] == _standing(home).pins[name] for name in pins)
    store = Store(own.tables, None, {name: pin for name, pin in pins.items() if pin is not None})
    keys = [VerifierKey.from_text(text) for text in published_keys(own)]
    found = check_log(store, keys)
    campaigns = [record for record in committed if record.step == "campaign"]
    assert (found.findings, found.runs) == ([], len(campaigns))
    for record in committed:
        for name, version in record.pins.items():
            folder = own.tables / name
            listed = {file.path for file in files_of(folder, version)}
            own_files = record.outputs.get(name, {})
            assert own_files.keys() <= listed
            assert {path: sha256_of(folder / path) for path in own_files} == own_files
            assert all((folder / path).exists() for path in listed)
    notes = [row["note"] for row in committed_checkpoints(own)]
    for copy in own.log.glob("checkpoints/[0-9]*"):
        assert copy.read_text() in notes, "a file says of the log what no run has signed"
    if (newest := own.log / "checkpoint").exists():
        assert newest.read_text() in notes
    return run_id


def debris(home: Path) -> list[str]:
    """What killed attempts have left: nothing refers to it."""
    own = Home(home)
    listed = {
        own.tables / name / file.path
        for record in Runs(own.tables).committed()
        for name, version in record.pins.items()
        for file in files_of(own.tables / name, version)
    } | {own.tables / "runs" / file.path for file in files_of(own.tables / "runs", _last_runs(own))}
    left = [path for path in home.rglob("*") if path.name.startswith(".")]
    left += [path for path in own.tables.rglob("*.parquet") if not _is_known(path, listed)]
    left += [
        path for path in own.tables.glob("*/_delta_log/*") if not IN_A_LOG.fullmatch(path.name)
    ]
    left += [path for path in own.tables.rglob("*") if path.is_dir() and not any(path.iterdir())]
    return sorted(path.relative_to(home).as_posix() for path in left)


TIMED = "exports.jsonl"  # every time that somebody exports counts


def published(home: Path) -> dict[str, Any]:
    """What two homes have in common in which the same was published, whatever went wrong."""
    own = Home(home)
    made = {
        record.run_id: {name: sorted(files.values()) for name, files in record.outputs.items()}
        for record in Runs(own.tables).committed()
    }
    copies = {
        path.relative_to(home).as_posix(): sha256_of(path)
        for top in (own.lists, own.log)
        for path in top.rglob("*")
        if path.is_file() and path.name != TIMED
    }
    return {"runs": made, "files": copies}


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below a folder."""
    return {
        path.relative_to(folder).as_posix(): sha256_of(path)
        for path in folder.rglob("*")
        if path.is_file()
    }


def _standing(home: Path) -> RunRecord:
    record = Runs(Home(home).tables).current("campaign", tiny.AS_OF)
    assert record is not None, "no campaign stands any more"
    return record


def _last_runs(own: Home) -> int:
    return max(int(path.stem) for path in (own.tables / "runs" / "_delta_log").glob("*.json"))


def _is_known(path: Path, listed: set[Path]) -> bool:
    return path in listed or path.parent.name == "_delta_log"
