"""Erased clients who are delivered again: which accounts they have opened since."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from conf.notation import Notation
from extracts.delivered_rows import BadFile
from extracts.deliveries import DeliveredFile
from extracts.landed import batches_of
from tables.sources import ACCOUNTS, as_delivered
from tables.tombstones import Tombstones


def accounts_of_erased(
    files: Iterable[DeliveredFile], notation: Notation, erased: Tombstones
) -> set[str]:
    """Accounts that pending deliveries say are an erased client's, and nobody else's.

    Bookings name no client, so that these must be known before bookings are read. A file that
    cannot be read is refused later, where that is told.
    """
    theirs: set[str] = set()
    others: set[str] = set()
    for file in files:
        if file.table_name == ACCOUNTS.name:
            for account, is_theirs in _owned(file, notation, erased):
                (theirs if is_theirs else others).add(account)
    return theirs - others


def _owned(file: DeliveredFile, notation: Notation, erased: Tombstones) -> list[tuple[str, bool]]:
    """Each account that a file names, and whether its owner was erased."""
    found: list[tuple[str, bool]] = []
    try:
        for batch in batches_of(file, as_delivered(ACCOUNTS), notation):
            hits = erased.found("customer_id", batch.column("customer_id"))
            accounts = batch.column("account_id").to_pylist()
            owned = [False] * len(accounts) if hits is None else hits.to_pylist()
            found += [
                (account, is_theirs)
                for account, is_theirs in zip(accounts, owned, strict=True)
                if account is not None
            ]
    except (BadFile, pa.ArrowException, OSError, EOFError, UnicodeError):
        return found
    return found
