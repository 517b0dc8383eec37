"""Under what name, and with what secret, a client stands in the offer log."""

from __future__ import annotations

import hmac

import pyarrow as pa
import pyarrow.compute as pc

from tables.arrow import arrow_schema
from tables.derived import VAULT

DIGEST = "sha256"
PSEUDONYM_DIGITS = 32  # 128 bits: no two of a billion clients are likely to share one


def new_clients(customers: pa.Array, vault: pa.Table, key: bytes) -> pa.Table:
    """Rows of the vault, shaped ``VAULT``, for customers who have none yet.

    Names and secrets are made from a key and kept. Who destroys the key and then a row has
    destroyed the last link between the log and the client: neither can be made again.

    Args:
        customers: Their ids, each once.
        vault: Shaped ``VAULT``.
        key: The vault's.
    """
    is_known = pc.is_in(customers, vault["customer_id"])
    unknown = customers.filter(pc.invert(is_known)).to_pylist()
    made = {
        "customer_id": unknown,
        "client": [client_name(key, customer) for customer in unknown],
        "secret": [client_secret(key, customer) for customer in unknown],
    }
    return pa.table(made, arrow_schema(VAULT))


def client_name(key: bytes, customer_id: str) -> str:
    """The pseudonym of a customer, hex (RFC 2104 with SHA-256)."""
    return _keyed(key, "client", customer_id)[:PSEUDONYM_DIGITS]


def client_secret(key: bytes, customer_id: str) -> str:
    """The secret of a customer, hex."""
    return _keyed(key, "secret", customer_id)


def _keyed(key: bytes, purpose: str, customer_id: str) -> str:
    return hmac.digest(key, f"{purpose}\n{customer_id}".encode(), DIGEST).hex()
