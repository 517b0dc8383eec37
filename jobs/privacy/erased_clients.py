"""Who was erased from a home, as the table ``erased`` remembers it."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from jobs.audit.log_keys import erased_key
from jobs.home import Home
from tables.arrow import arrow_schema
from tables.derived import ERASED
from tables.runs import Runs
from tables.store import Store
from tables.tombstones import Tombstones


def remembered(home: Home) -> Tombstones | None:
    """By what erased clients are known; None while nobody was erased.

    Raises:
        UserError: The key is gone.
    """
    version = Runs(home.tables).head(ERASED.name)
    if version is None:
        return None
    rows = Store(home.tables, None, {ERASED.name: version}).arrow_records(ERASED)
    return Tombstones(erased_key(home), frozenset(rows["identifier_hash"].to_pylist()))


def tombstone_rows(hashes: Iterable[str], run_id: str) -> pa.Table:
    """Rows of ``ERASED``."""
    rows = [{"identifier_hash": one, "run_id": run_id} for one in sorted(hashes)]
    return pa.Table.from_pylist(rows, schema=arrow_schema(ERASED))
