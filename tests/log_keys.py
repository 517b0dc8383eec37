"""Keys of an offer log that are the same in every test: lists hold leaves, and leaves secrets."""

from __future__ import annotations

from pathlib import Path

from audit.checkpoint import SigningKey

NAME = "demo-bank.example/offers"
SIGNING = SigningKey(NAME, bytes(range(32)))
VAULT_KEY = bytes(range(32, 64))


def place_keys(home: Path) -> None:
    """Put them where a campaign looks for its keys."""
    keys = home / "log" / "keys"
    keys.mkdir(parents=True)
    (keys / "signing.pem").write_bytes(SIGNING.as_pem())
    (keys / "vault.key").write_text(VAULT_KEY.hex())
