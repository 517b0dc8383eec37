"""The keys of the offer log: with one it is signed, with the other clients get their pseudonyms.

They are the only thing that is drawn at random, once per bank. Below ``log/keys`` only the private
halves lie, readable by their owner alone; what others verify with is in ``log/verifier_keys``.
"""

from __future__ import annotations

import os
from pathlib import Path

from audit.checkpoint import SigningKey
from audit.statement import keys_stated
from jobs.audit.checkpoint_files import committed_checkpoints
from jobs.home import Home
from tables.derived import CHECKPOINTS, ERASED
from tables.errors import UserError
from tables.files import make_folder, sync_file, write_file
from tables.runs import Runs

PRIVATE_FOLDER, PRIVATE_FILE = 0o700, 0o600
KEY_BYTES = 32
SIGNING, VAULT_KEY, VERIFIER_KEYS = "signing.pem", "vault.key", "verifier_keys"
ERASED_KEY = "erased.key"
NEXT = "signing.next.pem"


def signing_key(home: Home, name: str) -> SigningKey:
    """The key that signs, made at the first use.

    Args:
        home: Where.
        name: Of the log, which is the key's as well.

    Raises:
        UserError: It is gone, though something was signed with it.
    """
    finish_rotation(home)
    path = _folder(home) / SIGNING
    if not path.exists():
        _refuse_lost(home, path)
        _write_private(path, SigningKey(name, os.urandom(KEY_BYTES)).as_pem())
    key = SigningKey.from_pem(name, path.read_bytes())
    _publish(home, key)
    return key


def next_key(home: Home, name: str) -> SigningKey:
    """A new key to sign with, laid beside the one in use until a committed run brings it in."""
    path = _folder(home) / NEXT
    _write_private(path, SigningKey(name, os.urandom(KEY_BYTES)).as_pem())
    key = SigningKey.from_pem(name, path.read_bytes())
    _publish(home, key)
    return key


def finish_rotation(home: Home) -> None:
    """Take the new key into use if a committed run has brought it in; else it goes."""
    path = _folder(home) / NEXT
    if not path.exists():
        return
    rows = committed_checkpoints(home)
    brought_in = keys_stated(rows[-1]["statement"])[-1:] if rows else []
    name = brought_in[0].partition("+")[0] if brought_in else ""
    if brought_in == [SigningKey.from_pem(name, path.read_bytes()).verifier.as_text()]:
        path.replace(path.with_name(SIGNING))
    else:
        path.unlink()
    sync_file(path.parent)


def vault_key(home: Home) -> bytes:
    """The key that pseudonyms and secrets of new clients are made from, made at the first use."""
    path = _folder(home) / VAULT_KEY
    if not path.exists():
        _write_private(path, new_key())
    return bytes.fromhex(path.read_text(encoding="ascii"))


def erased_key(home: Home) -> bytes:
    """The key under which erased clients are remembered, made at the first erasure.

    Raises:
        UserError: It is gone, though somebody was erased.
    """
    path = _folder(home) / ERASED_KEY
    if not path.exists():
        if Runs(home.tables).head(ERASED.name) is not None:
            raise UserError(
                f"{path} is gone, by which clients are known who were erased. Bring it back from a"
                " backup: without it they would be taken again when they are delivered"
            )
        _write_private(path, new_key())
    return bytes.fromhex(path.read_text(encoding="ascii"))


def new_key() -> bytes:
    """The content of a new key's file."""
    return os.urandom(KEY_BYTES).hex().encode()


def published_keys(home: Home) -> list[str]:
    """Every key that has signed, as others verify with it; none before the first campaign."""
    path = home.log / VERIFIER_KEYS
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def _folder(home: Home) -> Path:
    folder = make_folder(home.log / "keys")
    folder.chmod(PRIVATE_FOLDER)
    return folder


def _refuse_lost(home: Home, path: Path) -> None:
    if Runs(home.tables).head(CHECKPOINTS.name) is not None:
        raise UserError(
            f"{path} is gone, with which the offer log was signed so far. Bring it back from a"
            " backup: a log under a new key could be another log"
        )


def _publish(home: Home, key: SigningKey) -> None:
    """Add it to the published keys before it signs anything, unless it is among them."""
    known, own = published_keys(home), key.verifier.as_text()
    if own not in known:
        write_file(home.log / VERIFIER_KEYS, "".join(f"{one}\n" for one in [*known, own]).encode())


def _write_private(path: Path, content: bytes) -> None:
    write_file(path, content, PRIVATE_FILE)
