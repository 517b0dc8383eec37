"""Checkpoints of a log: its name, size and root in a note that is signed with Ed25519.

The forms are C2SP's: `signed-note`, `tlog-checkpoint`, and the verifier keys of the former.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from tables.errors import UserError

ED25519 = b"\x01"
HASH_BYTES, KEY_HASH_BYTES = 32, 4
DASH = "\u2014 "  # what a line of a signature begins with
NAME = re.compile(r"[^\s+]+")
BODY = re.compile(r"(?P<origin>.+)\n(?P<size>0|[1-9][0-9]*)\n(?P<root>.+)\n")


class BadCheckpoint(UserError):
    """A note is no checkpoint of the log, or nobody known has signed it."""


@dataclass(frozen=True)
class Checkpoint:
    """What a log was at some time.

    Attributes:
        origin: Its name.
        size: How many entries it had.
        root: Of the Merkle tree over them.
    """

    origin: str
    size: int
    root: bytes

    def body(self) -> str:
        """The text that is signed."""
        return f"{self.origin}\n{self.size}\n{_base64(self.root)}\n"


@dataclass(frozen=True)
class VerifierKey:
    """What a signature is verified with."""

    name: str
    public: bytes

    @property
    def hash(self) -> bytes:
        """Four bytes that tell keys of one name apart."""
        told = f"{self.name}\n".encode() + ED25519 + self.public
        return hashlib.sha256(told).digest()[:KEY_HASH_BYTES]

    def as_text(self) -> str:
        """Name, hash and key, as they are published."""
        return f"{self.name}+{self.hash.hex()}+{_base64(ED25519 + self.public)}"

    @staticmethod
    def from_text(text: str) -> VerifierKey:
        """What ``as_text`` wrote.

        Raises:
            UserError: It is not.
        """
        name, _, rest = text.strip().partition("+")
        digest, _, encoded = rest.partition("+")
        content = _decoded(encoded)
        key = VerifierKey(name, content[1:])
        is_whole = content[:1] == ED25519 and len(key.public) == HASH_BYTES
        if not (NAME.fullmatch(name) and is_whole and digest == key.hash.hex()):
            raise UserError(
                f"{text!r} is no verifier key: it should read name+8 digits+Base64, as the bank"
                " publishes it in log/verifier_keys"
            )
        return key


@dataclass(frozen=True)
class SigningKey:
    """The private half, made of 32 random bytes."""

    name: str
    seed: bytes

    @property
    def verifier(self) -> VerifierKey:
        """The other half."""
        public = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return VerifierKey(self.name, public)

    @property
    def _key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)

    def sign(self, text: str) -> bytes:
        """Of one text always the same 64 bytes (RFC 8032)."""
        return self._key.sign(text.encode())

    def as_pem(self) -> bytes:
        """PKCS #8 without a password."""
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def public_pem(self) -> bytes:
        """The other half as openssl reads it."""
        return self._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    @staticmethod
    def from_pem(name: str, pem: bytes) -> SigningKey:
        """What ``as_pem`` wrote.

        Raises:
            UserError: It holds no Ed25519 key.
        """
        try:
            key = load_pem_private_key(pem, password=None)
        except (ValueError, TypeError):
            key = None
        if not isinstance(key, Ed25519PrivateKey):
            raise UserError(
                f"the signing key of {name} cannot be read: a PEM file of an Ed25519 key without a"
                " password is needed. Bring it back from a backup"
            )
        return SigningKey(name, key.private_bytes_raw())


def signed(checkpoint: Checkpoint, *keys: SigningKey) -> str:
    """The checkpoint as a note with a signature by each key."""
    body = checkpoint.body()
    return f"{body}\n" + "".join(_signature(body, key) for key in keys)


def opened(note: str, keys: Iterable[VerifierKey]) -> Checkpoint:
    """What a note says, if a known key has signed it.

    Signatures of unknown keys mean nothing; a wrong one of a known key spoils the note.

    Raises:
        BadCheckpoint: It is malformed, or not signed so.
    """
    text, separator, signatures = note.rpartition("\n\n")
    lines = signatures.split("\n")
    if not separator or lines.pop() or not lines:
        raise BadCheckpoint("this is no signed note: no line of a signature ends it")
    body = f"{text}\n"
    known = {(key.name, key.hash): key for key in keys}
    found = [_verified(body, line, known) for line in lines]
    if not any(found):
        raise BadCheckpoint(
            "none of the known keys has signed this checkpoint. Was another key given than the"
            " bank's?"
        )
    return _checkpoint(body)


def _signature(body: str, key: SigningKey) -> str:
    return f"{DASH}{key.name} {_base64(key.verifier.hash + key.sign(body))}\n"


def _verified(body: str, line: str, known: dict[tuple[str, bytes], VerifierKey]) -> bool:
    name, _, encoded = line.removeprefix(DASH).partition(" ")
    content = _decoded(encoded)
    digest, signature = content[:KEY_HASH_BYTES], content[KEY_HASH_BYTES:]
    if not (line.startswith(DASH) and NAME.fullmatch(name) and signature):
        raise BadCheckpoint("this is no signed note: a line of a signature is malformed")
    key = known.get((name, digest))
    if key is None:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, body.encode())
    except InvalidSignature:
        raise BadCheckpoint(
            f"the signature of {name} is not of this checkpoint: it was changed, or signed with"
            " another key"
        ) from None
    return True


def _checkpoint(body: str) -> Checkpoint:
    found = BODY.fullmatch(body)
    root = _decoded(found["root"]) if found else b""
    if found is None or len(root) != HASH_BYTES:
        raise BadCheckpoint("this is no checkpoint: it should be name, size and root, a line each")
    return Checkpoint(found["origin"], int(found["size"]), root)


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _decoded(text: str) -> bytes:
    """Nothing of what is no canonical Base64."""
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
    return content if _base64(content) == text else b""
