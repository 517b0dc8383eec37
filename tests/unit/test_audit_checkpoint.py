"""Signed checkpoints: the forms that C2SP prescribes, and nothing that was not signed."""

from __future__ import annotations

import base64
import shutil
import string
import subprocess
from pathlib import Path

import pytest

from audit.checkpoint import (
    BadCheckpoint,
    Checkpoint,
    SigningKey,
    VerifierKey,
    opened,
    signed,
)
from tables.errors import UserError

NAME = "bank.example/offers"
KEY, NEXT_KEY = SigningKey(NAME, bytes(range(32))), SigningKey(NAME, b"n" * 32)
VERIFIER, NEXT = KEY.verifier, NEXT_KEY.verifier
CHECKPOINT = Checkpoint(NAME, 240_000, bytes(range(32)))
# From the documentation of Go's golang.org/x/mod/sumdb/note, whose form this is.
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETERS_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n\n"
    "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdng"
    "otpRZb6KE6RyyBwJnAM=\n"
)


def test_a_checkpoint_reads_as_c2sp_says() -> None:
    note = signed(CHECKPOINT, KEY)
    body, signature = note.split("\n\n")
    assert body == f"{NAME}\n240000\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    assert signature.startswith(f"\u2014 {NAME} ")
    assert opened(note, [VERIFIER]) == CHECKPOINT
    assert signed(CHECKPOINT, KEY) == note, "the same bytes each time"


def test_a_note_that_others_have_signed_is_verified() -> None:
    key = VerifierKey.from_text(PETER)
    assert key.as_text() == PETER
    # Its signature holds, so that what is wrong is only that it is about something else.
    with pytest.raises(BadCheckpoint, match="should be name, size and root"):
        opened(PETERS_NOTE, [key])
    with pytest.raises(BadCheckpoint, match="signature of PeterNeumann is not of this"):
        opened(PETERS_NOTE.replace("problem,", "problems,"), [key])


def test_whatever_is_changed_in_a_note_is_refused() -> None:
    note = signed(CHECKPOINT, KEY).encode()
    for place in range(len(note)):
        for bit in range(8):
            changed = bytearray(note)
            changed[place] ^= 1 << bit
            try:
                text = changed.decode()
            except UnicodeDecodeError:
                continue
            with pytest.raises(BadCheckpoint):
                opened(text, [VERIFIER])


def test_of_a_note_there_is_one_spelling() -> None:
    note = signed(CHECKPOINT, KEY)
    # Two bits of the last digit before the "=" are no part of the signature.
    last = note[-3]
    digits = string.ascii_uppercase + string.ascii_lowercase + string.digits + "+/"
    other = digits[digits.index(last) ^ 1]
    respelt = f"{note[:-3]}{other}{note[-2:]}"
    written, read = (base64.b64decode(one.split()[-1]) for one in (note, respelt))
    assert read == written
    with pytest.raises(BadCheckpoint, match="a line of a signature is malformed"):
        opened(respelt, [VERIFIER])


@pytest.mark.parametrize("note", ["", "\n\n", f"{NAME}\n1\nAA==\n", f"{NAME}\n1\nAA==\n\n"])
def test_what_is_no_note_is_refused(note: str) -> None:
    with pytest.raises(BadCheckpoint, match="no signed note"):
        opened(note, [VERIFIER])


@pytest.mark.parametrize("size", ["-1", "01", "1.0", "", "x"])
def test_a_size_that_is_none_is_refused_though_it_is_signed(size: str) -> None:
    made = signed(Checkpoint(NAME, size, CHECKPOINT.root), KEY)  # type: ignore[arg-type]
    with pytest.raises(BadCheckpoint, match="should be name, size and root"):
        opened(made, [VERIFIER])


def test_who_has_another_key_is_told_so() -> None:
    with pytest.raises(BadCheckpoint, match="none of the known keys has signed"):
        opened(signed(CHECKPOINT, KEY), [NEXT])


def test_while_keys_change_either_will_do() -> None:
    both = signed(CHECKPOINT, KEY, NEXT_KEY)
    assert opened(both, [VERIFIER]) == opened(both, [NEXT]) == CHECKPOINT
    other = signed(Checkpoint(NAME, 1, CHECKPOINT.root), NEXT_KEY).split("\n\n")[1]
    wrong = signed(CHECKPOINT, KEY) + other
    with pytest.raises(BadCheckpoint, match="is not of this checkpoint"):
        opened(wrong, [VERIFIER, NEXT])
    assert opened(wrong, [VERIFIER]) == CHECKPOINT, "of an unknown key nothing follows"


def test_keys_go_to_files_and_come_back() -> None:
    assert SigningKey.from_pem(NAME, KEY.as_pem()) == KEY
    assert VerifierKey.from_text(VERIFIER.as_text()) == VERIFIER
    with pytest.raises(UserError, match="Bring it back from a backup"):
        SigningKey.from_pem(NAME, b"nothing")
    with pytest.raises(UserError, match="is no verifier key"):
        VerifierKey.from_text(VERIFIER.as_text().replace("+", "+0", 1))


def test_openssl_agrees(tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    key, body, signature = (tmp_path / name for name in ("key.pem", "body", "signature"))
    key.write_bytes(KEY.public_pem())
    body.write_text(CHECKPOINT.body(), encoding="utf-8")
    for content, status in ((KEY.sign(CHECKPOINT.body()), 0), (bytes(64), 1)):
        signature.write_bytes(content)
        command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", key, "-rawin"]
        done = subprocess.run(
            [*command, "-in", body, "-sigfile", signature], check=False, capture_output=True
        )
        assert done.returncode == status
