"""Who was erased, without saying who: keyed hashes by which a client is known who comes again."""

from __future__ import annotations

import hmac
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from tables.identifiers import ACCOUNT, CUSTOMER, KINDS, bare

DIGEST = "sha256"
REMEMBERED = (CUSTOMER, ACCOUNT)
RAW_ROW = "raw_row"


@dataclass(frozen=True)
class Tombstones:
    """Identifiers of erased clients, under a key of the bank's.

    Attributes:
        key: Of the hashes. Who has it can try identifiers out; who has not can do nothing.
        hashes: Hex.
    """

    key: bytes
    hashes: frozenset[str] = frozenset()

    def of(self, kind: str, values: Iterable[str]) -> list[str]:
        """The hashes of identifiers, sorted: their order tells nothing."""
        return sorted(self._hash(kind, bare(value)) for value in values)

    def also(self, hashes: Iterable[str]) -> Tombstones:
        """With more of them."""
        return Tombstones(self.key, self.hashes | frozenset(hashes))

    def knows(self, name: str, value: str) -> bool:
        """A value of a column of that name is an erased client's."""
        kinds = [kind for kind in KINDS.get(name, ()) if kind in REMEMBERED]
        return any(self._hash(kind, bare(value)) in self.hashes for kind in kinds)

    def kept(self, rows: pa.RecordBatch, blankable: Collection[str]) -> pa.RecordBatch:
        """Rows without those of erased clients, and without what leads to one where null may stand.

        Args:
            rows: As they were delivered; ``raw_row`` holds what could not be read of them.
            blankable: Columns in which null may stand.
        """
        gone = self._in_raw_rows(rows)
        for place, name in enumerate(rows.schema.names):
            values = rows.column(place)
            hits = self.found(name, values)
            if hits is None:
                continue
            if name not in blankable:
                gone = pc.or_(gone, hits)
            else:
                left = pc.if_else(hits, pa.scalar(None, values.type), values)
                rows = rows.set_column(place, rows.schema.field(place), left)
        return rows.filter(pc.invert(gone))

    def found(self, name: str, values: pa.Array) -> pa.Array | None:
        """Which values are an erased client's; None if none is."""
        if not any(kind in REMEMBERED for kind in KINDS.get(name, ())):
            return None
        known = [
            value
            for value in pc.unique(values).to_pylist()
            if value is not None and self.knows(name, value)
        ]
        return pc.is_in(values, pa.array(known, values.type)) if known else None

    def _in_raw_rows(self, rows: pa.RecordBatch) -> pa.Array:
        names = rows.schema.names
        if RAW_ROW not in names or rows.column(RAW_ROW).null_count == rows.num_rows:
            return pa.repeat(pa.scalar(False), rows.num_rows)
        texts = rows.column(RAW_ROW).to_pylist()
        hits = [text is not None and self._is_in_raw(json.loads(text)) for text in texts]
        return pa.array(hits, pa.bool_())

    def _is_in_raw(self, row: Mapping[str, object]) -> bool:
        return any(
            value is not None and self.knows(name, str(value)) for name, value in row.items()
        )

    def _hash(self, kind: str, value: str) -> str:
        return hmac.digest(self.key, f"{kind}\n{value}".encode(), DIGEST).hex()
