"""Lines of the offer log made of decisions as a campaign makes them: from files, part by part."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from campaigns.offer_log import Places
from campaigns.pseudonyms import new_clients
from jobs.audit.log_files import different, in_parts, write_lines
from tables.arrow import arrow_schema
from tables.derived import DECISIONS, OFFER_LOG, VAULT

FILES = 2


def log_of(decided: pa.Table, vault: pa.Table) -> pa.Table:
    """Shaped ``OFFER_LOG``, part behind part.

    Args:
        decided: Shaped ``DECISIONS``.
        vault: Shaped ``VAULT``.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = _written(decided, folder)
        clients = vault.filter(pc.is_in(vault["customer_id"], different(files, "customer_id")))
        places, made = Places(clients, different(files, "offer_id")), []
        for part in in_parts(files, places, folder):
            write_lines(part, places, part.with_suffix(".parquet"))
            made.append(pq.read_table(part.with_suffix(".parquet"), schema=arrow_schema(OFFER_LOG)))
    return pa.concat_tables(made).combine_chunks()


def named(decided: pa.Table, vault: pa.Table) -> pa.Table:
    """Decisions with their pseudonym and secret."""
    whose = vault.take(pc.index_in(decided["customer_id"], vault["customer_id"]))
    for name in ("client", "secret"):
        decided = decided.append_column(name, whose[name])
    return decided


def vault_of(customers: pa.Array, key: bytes) -> pa.Table:
    """Shaped ``VAULT``."""
    return new_clients(customers, arrow_schema(VAULT).empty_table(), key)


def _written(decided: pa.Table, folder: Path) -> list[Path]:
    rows, each = decided.cast(arrow_schema(DECISIONS)), -(-decided.num_rows // FILES)
    paths = [folder / f"decisions-{number}.parquet" for number in range(FILES)]
    for number, path in enumerate(paths):
        pq.write_table(rows.slice(number * each, each), path)
    return paths
