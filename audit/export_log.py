"""The offer log as plain files, to be verified where none of this is installed.

Beside the entries lie the checkpoints, the keys, and the program that verifies them with nothing
but Python's standard library and openssl (`verify_offer_log.py`, which says what the files hold).
"""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from audit import verify_offer_log
from audit.checkpoint import VerifierKey
from audit.entries import (
    COLUMNS,
    checkpoints_in_order,
    in_order,
    number_in_name,
    secrets_of,
)
from audit.statement import NO_SALT
from tables.derived import OFFER_LOG
from tables.leaves import salt
from tables.store import Store

LIGHT = 3  # of gzip's levels: of a large log, time matters more than bytes


def export_log(store: Store, keys: Sequence[VerifierKey], folder: Path) -> None:
    """Fill an empty folder with all that a verifier needs.

    Args:
        store: At the newest versions of log, vault and checkpoints.
        keys: As published.
        folder: Where.
    """
    secrets = secrets_of(store)
    (folder / "checkpoints").mkdir()
    for row in checkpoints_in_order(store):
        path = folder / "checkpoints" / number_in_name(row["size"])
        path.write_text(row["note"], encoding="utf-8")
        _write_run(store, row, secrets, folder)
    (folder / "keys").write_text("".join(f"{key.as_text()}\n" for key in keys), encoding="utf-8")
    shutil.copy(verify_offer_log.__file__, folder / "verify_offer_log.py")


def _write_run(
    store: Store, row: Mapping[str, Any], secrets: Mapping[str, str], folder: Path
) -> None:
    path = folder / f"entries-{number_in_name(row['first_entry'])}.txt.gz"
    files, run_id = store.files(OFFER_LOG), row["run_id"]
    # Without the time of writing: the same entries make the same bytes.
    with path.open("wb") as raw, gzip.GzipFile("", "wb", LIGHT, raw, mtime=0) as file:
        for entries in in_order(store.folder / OFFER_LOG.name, files, COLUMNS, run_id):
            file.write("".join(_lines(entries, run_id, secrets)).encode())
        file.write(f"{NO_SALT.hex()} {row['statement']}\n".encode())


def _lines(entries: pa.RecordBatch, run_id: str, secrets: Mapping[str, str]) -> list[str]:
    columns = (entries[name].to_pylist() for name in COLUMNS)
    return [
        f"{leaf}\n" if line is None else f"{salt(secrets[client], run_id, offer_id).hex()} {line}\n"
        for client, offer_id, line, leaf in zip(*columns, strict=True)
    ]
