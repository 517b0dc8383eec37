"""Under what name, and with what secret, a client stands in the offer log."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator
from functools import partial

import pyarrow as pa
from pyspark.sql import DataFrame

from tables.arrow import arrow_schema
from tables.derived import VAULT

DIGEST = "sha256"
PSEUDONYM_DIGITS = 32  # 128 bits: no two of a billion clients are likely to share one


def new_clients(decisions: DataFrame, vault: DataFrame, key: bytes) -> DataFrame:
    """Rows of the vault, shaped ``VAULT``, for customers who have none yet.

    Names and secrets are made from a key and kept. Who destroys the key and then a row has
    destroyed the last link between the log and the client: neither can be made again.

    Args:
        decisions: Their ``customer_id``; repeated ones count once.
        vault: Shaped ``VAULT``.
        key: The vault's.
    """
    customers = decisions.select("customer_id").distinct()
    unknown = customers.join(vault, "customer_id", how="left_anti")
    return unknown.mapInArrow(partial(_named, key), VAULT.ddl)


def client_name(key: bytes, customer_id: str) -> str:
    """The pseudonym of a customer, hex (RFC 2104 with SHA-256)."""
    return _keyed(key, "client", customer_id)[:PSEUDONYM_DIGITS]


def client_secret(key: bytes, customer_id: str) -> str:
    """The secret of a customer, hex."""
    return _keyed(key, "secret", customer_id)


def _keyed(key: bytes, purpose: str, customer_id: str) -> str:
    return hmac.digest(key, f"{purpose}\n{customer_id}".encode(), DIGEST).hex()


def _named(key: bytes, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    schema = arrow_schema(VAULT)
    for batch in batches:
        customers = batch["customer_id"].to_pylist()
        made = [
            customers,
            [client_name(key, customer) for customer in customers],
            [client_secret(key, customer) for customer in customers],
        ]
        columns = [pa.array(values, field.type) for values, field in zip(made, schema, strict=True)]
        yield pa.RecordBatch.from_arrays(columns, schema=schema)
