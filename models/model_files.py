"""A model as a folder of plain files, pinned by SHA-256; loading one runs no code from there."""

from __future__ import annotations

import hashlib
from pathlib import Path

from models.scorer import Scorer
from tables.errors import ContractViolation
from tables.files import make_folder, write_file

MODEL_TEXT, SCORER, DIGESTS = "model.txt", "scorer.json", "model.sha256"


def write_model(folder: Path, scorer: Scorer) -> str:
    """Write a model's files, and force them to the disk before anyone registers them.

    Returns:
        SHA-256 of the file of digests, which stands for all of them.
    """
    make_folder(folder)
    contents = {MODEL_TEXT: scorer.model_text.encode(), SCORER: scorer.as_json().encode()}
    lines = [f"{_sha256(content)}  {name}\n" for name, content in sorted(contents.items())]
    contents[DIGESTS] = "".join(lines).encode()
    for name, content in contents.items():
        write_file(folder / name, content)
    return _sha256(contents[DIGESTS])


def read_model(folder: Path, sha256: str, label: str) -> Scorer:
    """Read a model whose files are those that were registered.

    Args:
        folder: Where they lie.
        sha256: What ``write_model`` returned for them.
        label: The model's name and version, for the error.

    Raises:
        ContractViolation: A file is missing or has been changed.
    """
    contents = {name: _read(folder / name, label) for name in (MODEL_TEXT, SCORER, DIGESTS)}
    if changed := _changed(contents, sha256):
        raise ContractViolation(
            f"{label}: {', '.join(changed)} in {folder} is not what was registered (other SHA-256)."
            " Restore the file, or go back with xsell models rollback"
        )
    return Scorer.from_json(contents[SCORER].decode(), contents[MODEL_TEXT].decode())


def _changed(contents: dict[str, bytes], sha256: str) -> list[str]:
    """Names of files that are not what was registered; the file of digests is believed last."""
    if _sha256(contents[DIGESTS]) != sha256:
        return [DIGESTS]
    lines = contents[DIGESTS].decode().splitlines()
    pinned = {name: digest for digest, name in (line.split("  ", 1) for line in lines)}
    return [name for name in (MODEL_TEXT, SCORER) if _sha256(contents[name]) != pinned[name]]


def _read(path: Path, label: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ContractViolation(
            f"{label}: cannot read {path} ({error.strerror})."
            " Restore the file, or go back with xsell models rollback"
        ) from None


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
