"""A leaf of the offer log: what of a line goes into the Merkle tree."""

from __future__ import annotations

import hashlib

LEAF_PREFIX = b"\x00"


def salt(secret: str, run_id: str, offer_id: str) -> bytes:
    """What keeps a leaf from telling its line: without the secret nobody can try lines out.

    A line has a salt of its own, so that to show one line shows no other.
    """
    return hashlib.sha256(bytes.fromhex(secret) + f"{run_id}\n{offer_id}".encode()).digest()


def leaf_hash(line: str, line_salt: bytes) -> str:
    """RFC 9162 §2.1.1: SHA-256 over a zero byte and the entry, which is salt and line; hex."""
    return hashlib.sha256(LEAF_PREFIX + line_salt + line.encode()).hexdigest()
