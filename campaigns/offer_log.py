"""Every decision as one canonical JSON line under a pseudonym, with its Merkle leaf hash."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from campaigns.canonical_json import json_objects, json_objects_in_pieces
from tables.arrow import arrow_schema
from tables.derived import DECISIONS, OFFER_LOG
from tables.leaves import leaf_hash, salt

CLIENT, SECRET = "client", "secret"
LINES_AT_ONCE = 2**13  # texts of so many stay in a processor's cache
# Who the client is and lives with is told by the vault and by decisions, never by the log.
NAMED_ELSEWHERE = ("customer_id", "household_id")
IN_LINE = (CLIENT, *(name for name in DECISIONS.column_names if name not in NAMED_ELSEWHERE))
LOGGED = pa.schema(
    [
        (name, pa.string()) if name in (CLIENT, SECRET) else arrow_schema(DECISIONS).field(name)
        for name in (*IN_LINE, SECRET)
    ]
)
ENCODED = pa.dictionary(pa.int32(), pa.string())
# What is read of decisions: of their texts few differ, and are kept once.
DECIDED = pa.schema(
    [
        (field.name, ENCODED) if pa.types.is_string(field.type) else field
        for field in LOGGED
        if field.name not in (CLIENT, SECRET)
    ]
)


class Places:
    """Where each decision stands in the log, and under which name.

    The order is that of pseudonyms and offers: a place tells nothing about the customer. Every
    customer has a decision about each offer.

    Args:
        clients: Shaped ``VAULT``: whoever is decided about, and nobody else.
        offer_ids: Every offer that was decided about, each once.
    """

    def __init__(self, clients: pa.Table, offer_ids: pa.Array) -> None:
        self._clients = clients.sort_by(CLIENT).combine_chunks()
        self._offers = offer_ids.sort()

    def clients(self, customers: pa.DictionaryArray) -> pa.Array:
        """The place of each customer among all, from 0."""
        places = pc.index_in(customers.dictionary, self._clients["customer_id"])
        return places.take(customers.indices).cast(pa.int64())

    def of(self, clients: pa.Array, offers: pa.DictionaryArray) -> pa.Array:
        """The position of each decision, from 0.

        Args:
            clients: Who is decided about, as ``clients`` tells it.
            offers: About which offer.
        """
        place = pc.index_in(offers.dictionary, self._offers).take(offers.indices)
        return pc.add(pc.multiply(clients, len(self._offers)), place)

    def named(self, decided: pa.Table, positions: pa.Array) -> pa.Table:
        """Decisions shaped ``DECIDED`` with the columns ``client`` and ``secret``."""
        number = pc.divide(positions, len(self._offers)).dictionary_encode()
        whose = self._clients.take(number.dictionary)
        for name in (CLIENT, SECRET):
            texts = whose[name].combine_chunks()
            decided = decided.append_column(
                name, pa.DictionaryArray.from_arrays(number.indices, texts)
            )
        return decided


def log_rows(named: pa.Table) -> Iterator[pa.Table]:
    """Rows shaped ``OFFER_LOG``, ``LINES_AT_ONCE`` at a time.

    Args:
        named: With the columns of ``LOGGED`` and ``position``.
    """
    schema, first = arrow_schema(OFFER_LOG), 0
    for lines in json_objects_in_pieces(named.select(list(IN_LINE)), LINES_AT_ONCE):
        rows = named.slice(first, len(lines))
        made = {"line": lines, "leaf": _leaves(lines, rows)}
        columns = [made[name] if name in made else rows[name] for name in schema.names]
        yield pa.table(columns, names=schema.names).cast(schema)
        first += len(lines)


def entries(decided: pa.Table) -> tuple[pa.Array, pa.Array]:
    """The line of each decision, and its leaf.

    Args:
        decided: With the columns of ``LOGGED``.
    """
    logged = decided.select(LOGGED.names).cast(LOGGED)
    lines = json_objects(logged.select(list(IN_LINE)))
    return lines, _leaves(lines, logged)


def _leaves(lines: pa.Array, decided: pa.Table) -> pa.Array:
    # As plain texts: encoded ones are a tenth as quick to get at.
    told = (decided[name].cast(pa.string()).to_pylist() for name in (SECRET, "run_id", "offer_id"))
    salts = map(salt, *told)
    return pa.array(map(leaf_hash, lines.to_pylist(), salts), pa.string())
