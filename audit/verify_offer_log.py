#!/usr/bin/env python3
"""Verify an exported offer log with nothing but Python (3.9 or newer) and openssl.

    python3 verify_offer_log.py FOLDER --key KEY --kept CHECKPOINT

Everything below can be read in half an hour, and nothing else of the system is used. A folder holds

- `entries-000000000000.txt.gz`, …: the log in its order, named by the place of their first entry. A
  line is `<salt, 64 digits> <decision, JSON>`; of an entry that was erased it is its leaf alone.
  The last of a campaign is under a salt of zeros, and names the digest of every list that was
  published. A leaf is SHA-256 over a zero byte, the salt's 32 bytes and the text after it; over
  the leaves stands a Merkle tree (RFC 9162 §2.1).
- `checkpoints/000000240000`, …: what was signed after each campaign, named by the entries that the
  log had: name, size and root (C2SP tlog-checkpoint), signed with Ed25519 (C2SP signed-note).
- `keys`: the bank's verifier keys. They lie beside the log: whoever can change one can change both.
  Trust comes from a key that the bank gave you before (`--key`), and from a checkpoint that you or
  somebody else kept (`--kept`): what it covers can no longer be changed without being found.

Ends with 0 if the log is as it was signed, 1 if not, 2 if it was called wrongly.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import gzip
import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

DIGITS = 12
BLOCK = 2**16
SHOWN = 10  # findings about lines of one file
HASH_BYTES, KEY_HASH_BYTES = 32, 4
HEX = re.compile(rb"[0-9a-f]{64}")
ENTRIES = re.compile(r"entries-([0-9]{12})\.txt\.gz")
DASH = "\u2014 "
ED25519 = b"\x01"
# SubjectPublicKeyInfo of an Ed25519 key up to its 32 bytes (RFC 8410).
KEY_PREFIX = bytes.fromhex("302a300506032b6570032100")
NOBODY = b"\x00" * 32  # stands for the leaf of an entry that cannot be read


class Note(NamedTuple):
    """A checkpoint as it was found, and what it says."""

    name: str
    body: str
    signatures: tuple[tuple[str, bytes, bytes], ...]  # name, hash of the key, signature
    origin: str
    size: int
    root: bytes


class Key(NamedTuple):
    """A verifier key."""

    name: str
    digest: bytes
    public: bytes


class Tree:
    """The roots of the full subtrees that all entries so far make, the largest first."""

    def __init__(self) -> None:
        self.size = 0
        self.peaks: list[bytes] = []

    def grow(self, leaves: list[bytes]) -> None:
        """Add leaves; a whole block at once is quicker."""
        if len(leaves) == BLOCK and self.size % BLOCK == 0:
            self._join(_full_root(leaves), self.size // BLOCK)
        else:
            for place, leaf in enumerate(leaves, start=self.size):
                self._join(leaf, place)
        self.size += len(leaves)

    def root(self) -> bytes:
        """Of all entries so far."""
        if not self.peaks:
            return hashlib.sha256().digest()
        found = self.peaks[-1]
        for peak in self.peaks[-2::-1]:
            found = _node(peak, found)
        return found

    def _join(self, node: bytes, place: int) -> None:
        while place & 1:
            node = _node(self.peaks.pop(), node)
            place >>= 1
        self.peaks.append(node)


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _full_root(nodes: list[bytes]) -> bytes:
    while len(nodes) > 1:
        nodes = [_node(*nodes[place : place + 2]) for place in range(0, len(nodes), 2)]
    return nodes[0]


class Verifier:
    """Reads a folder once, and says what is wrong with it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.findings: list[str] = []
        self.erased = 0

    def entries(self) -> Iterator[bytes]:
        """The leaf of each entry, in order."""
        paths = sorted(path for path in self.folder.iterdir() if ENTRIES.fullmatch(path.name))
        place = 0
        for path in paths:
            named = int(path.name[len("entries-") :][:DIGITS])
            if named != place:
                self.say(f"{path.name}: {place:,} entries come before it, not {named:,}")
            for leaf in self._leaves(path):
                yield leaf
                place += 1
        if not paths:
            self.say(f"{self.folder} has no file named entries-000000000000.txt.gz")

    def say(self, finding: str) -> None:
        """Keep a finding for the end."""
        self.findings.append(finding)

    def _leaves(self, path: Path) -> Iterator[bytes]:
        sha256, unreadable, ended = hashlib.sha256, 0, True
        try:
            with gzip.open(path, "rb") as file:
                for number, line in enumerate(file, start=1):
                    ended = line.endswith(b"\n")
                    digits, entry = line[:64], line[65:-1]
                    if HEX.fullmatch(digits) and line[64:65] == b" ":
                        yield sha256(b"\x00" + bytes.fromhex(digits.decode()) + entry).digest()
                    elif HEX.fullmatch(digits) and line[64:] == b"\n":
                        self.erased += 1
                        yield bytes.fromhex(digits.decode())
                    else:
                        unreadable += 1
                        if unreadable <= SHOWN:
                            self.say(f"{path.name}, line {number:,}: this is no entry")
                        yield NOBODY
        except (OSError, EOFError, zlib.error) as error:
            self.say(f"{path.name} cannot be read to its end: {error}")
        if not ended:
            self.say(f"{path.name}: its last line was cut off")


def roots_at(verifier: Verifier, sizes: Sequence[int]) -> tuple[Tree, dict[int, bytes]]:
    """The tree over all entries, and its root when it had each of these sizes."""
    tree = Tree()
    roots: dict[int, bytes] = {}
    block: list[bytes] = []
    stops = sorted(set(sizes), reverse=True)
    while stops and stops[-1] == 0:
        roots[stops.pop()] = tree.root()
    room = _room(tree, stops)
    for leaf in verifier.entries():
        block.append(leaf)
        if len(block) == room:
            tree.grow(block)
            block = []
            while stops and stops[-1] == tree.size:
                roots[stops.pop()] = tree.root()
            room = _room(tree, stops)
    tree.grow(block)
    return tree, roots


def _room(tree: Tree, stops: list[int]) -> int:
    """How many entries come before the next block or the next size that is asked for."""
    to_block = BLOCK - tree.size % BLOCK
    return min(to_block, stops[-1] - tree.size) if stops else to_block


def read_note(path: Path) -> Note:
    """A checkpoint.

    Raises:
        ValueError: It is none.
    """
    text = path.read_bytes().decode("utf-8")
    content, separator, signatures = text.rpartition("\n\n")
    lines = signatures.split("\n")
    if not separator or lines.pop() or not lines:
        raise ValueError("no line of a signature ends it")
    found = re.fullmatch("(.+)\n(0|[1-9][0-9]*)\n(.+)", content)
    if found is None:
        raise ValueError("it should have name, size and root")
    origin, size, encoded = found.groups()
    root = _bytes_of(encoded)
    if len(root) != HASH_BYTES:
        raise ValueError("its root is no SHA-256")
    signed = tuple(_signature(line) for line in lines)
    return Note(path.name, content + "\n", signed, origin, int(size), root)


def _signature(line: str) -> tuple[str, bytes, bytes]:
    name, _, encoded = line[len(DASH) :].partition(" ")
    content = _bytes_of(encoded)
    if not line.startswith(DASH) or not name or len(content) <= KEY_HASH_BYTES:
        raise ValueError("a line of a signature is malformed")
    return name, content[:KEY_HASH_BYTES], content[KEY_HASH_BYTES:]


def read_key(text: str) -> Key:
    """A verifier key.

    Raises:
        ValueError: It is none.
    """
    name, _, rest = text.strip().partition("+")
    digits, _, encoded = rest.partition("+")
    content = _bytes_of(encoded)
    digest = hashlib.sha256(name.encode() + b"\n" + content).digest()[:KEY_HASH_BYTES]
    if content[:1] != ED25519 or len(content) != 1 + HASH_BYTES or digest.hex() != digits:
        raise ValueError(f"{text!r} is no verifier key")
    return Key(name, digest, content[1:])


def _bytes_of(text: str) -> bytes:
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
    return content if base64.b64encode(content).decode() == text else b""


def signature_problem(note: Note, keys: Sequence[Key]) -> str | None:
    """Why a note is not to be trusted; None if a known key has signed it."""
    is_signed = False
    for name, digest, signature in note.signatures:
        for key in keys:
            if (key.name, key.digest) == (name, digest):
                if not _openssl_agrees(key, note.body, signature):
                    return f"the signature of {name} is not of this checkpoint"
                is_signed = True
    return None if is_signed else "none of the known keys has signed it"


def _openssl_agrees(key: Key, body: str, signature: bytes) -> bool:
    """What `openssl pkeyutl` says; anybody can run it by hand."""
    encoded = base64.b64encode(KEY_PREFIX + key.public).decode()
    pem = f"-----BEGIN PUBLIC KEY-----\n{encoded}\n-----END PUBLIC KEY-----\n"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "key.pem").write_text(pem)
        (folder / "body").write_bytes(body.encode("utf-8"))
        (folder / "signature").write_bytes(signature)
        command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "key.pem", "-rawin"]
        command += ["-in", "body", "-sigfile", "signature"]
        return subprocess.run(command, cwd=name, capture_output=True, check=False).returncode == 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Verify a folder and say so."""
    options = _options(arguments)
    verifier = Verifier(options.folder)
    keys = _keys(options, verifier)
    own = _notes(sorted((options.folder / "checkpoints").glob("*")), verifier)
    kept = _notes(options.kept, verifier)
    tree, roots = roots_at(verifier, [note.size for note in own + kept])
    for note in own + kept:
        _compare(note, tree, roots, verifier)
    _check_own(own, tree, verifier)
    is_signed = _check_signatures(own + kept, keys, options, verifier)
    return _verdict(tree, own, is_signed, options, verifier)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Verify an exported offer log.")
    parser.add_argument("folder", type=Path, help="what xsell offers verify --export has made")
    parser.add_argument("--key", action="append", help="a verifier key that the bank gave you")
    parser.add_argument("--kept", type=Path, action="append", default=[], metavar="FILE",
                        help="a checkpoint that you kept")  # fmt: skip
    parser.add_argument("--without-signatures", action="store_true",
                        help="where there is no openssl: compare roots alone")  # fmt: skip
    options = parser.parse_args(arguments)
    if not options.folder.is_dir():
        parser.error(f"{options.folder} is no folder")
    try:
        options.key = [read_key(text) for text in options.key] if options.key else None
    except ValueError as error:
        parser.error(str(error))
    return options


def _keys(options: argparse.Namespace, verifier: Verifier) -> list[Key]:
    if options.key:
        return list(options.key)
    try:
        lines = (options.folder / "keys").read_text(encoding="utf-8").splitlines()
        return [read_key(line) for line in lines]
    except (OSError, ValueError) as error:
        verifier.say(f"keys: {error}")
        return []


def _notes(paths: Sequence[Path], verifier: Verifier) -> list[Note]:
    found = []
    for path in paths:
        try:
            found.append(read_note(path))
        except (OSError, ValueError) as error:
            verifier.say(f"{path} is no checkpoint: {error}")
    return found


def _compare(note: Note, tree: Tree, roots: dict[int, bytes], verifier: Verifier) -> None:
    if note.size > tree.size:
        verifier.say(
            f"{note.name} was signed when the log had {note.size:,} entries; it has"
            f" {tree.size:,}. Entries were taken away"
        )
    elif roots[note.size] != note.root:
        verifier.say(f"{note.name}: the first {note.size:,} entries are not those that were signed")


def _check_own(own: list[Note], tree: Tree, verifier: Verifier) -> None:
    """The checkpoints of the log itself belong together, and the last is of all entries."""
    if not own:
        verifier.say("there is no checkpoint: nothing says what the log should be")
        return
    for note in own:
        if note.name != f"{note.size:0{DIGITS}}":
            verifier.say(f"{note.name} is of {note.size:,} entries, which its name does not say")
    if len({note.origin for note in own}) > 1:
        verifier.say("the checkpoints are of logs of different names")
    last = max(note.size for note in own)
    if last < tree.size:
        verifier.say(f"{tree.size - last:,} entries at the end were never signed")


def _check_signatures(
    notes: list[Note], keys: list[Key], options: argparse.Namespace, verifier: Verifier
) -> bool:
    if options.without_signatures:
        return False
    if shutil.which("openssl") is None:
        verifier.say(
            "openssl is not installed, so signatures were NOT verified. Install it, or say"
            " --without-signatures and verify them elsewhere"
        )
        return False
    for note in notes:
        problem = signature_problem(note, keys)
        if problem is not None:
            verifier.say(f"{note.name}: {problem}")
    return True


def _verdict(
    tree: Tree, own: list[Note], is_signed: bool, options: argparse.Namespace, verifier: Verifier
) -> int:
    for finding in verifier.findings:
        _print(finding)
    _print(f"{tree.size:,} entries, {verifier.erased:,} of them erased, {len(own)} checkpoints")
    if not is_signed:
        _print("signatures were NOT verified")
    elif not options.key:
        _print("verified with the keys in the folder: compare them with those the bank gave you")
    if not options.kept:
        _print(
            "no checkpoint that you kept was compared: a log could have been made anew as a whole"
        )
    if verifier.findings:
        _print("the log is NOT as it was signed")
        return 1
    _print("the log is as it was signed")
    return 0


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
