"""A model as a folder of plain files, pinned by SHA-256; loading one runs no code from there."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Protocol

from tables.errors import ContractViolation
from tables.files import make_folder, write_file

MODEL_TEXT, SCORER, DIGESTS = "model.txt", "scorer.json", "model.sha256"


class Stored(Protocol):
    """A model that is stored as texts."""

    def files(self) -> dict[str, str]:
        """The texts by file name."""


def write_model(folder: Path, model: Stored) -> str:
    """Write a model's files, and force them to the disk before anyone registers them.

    Returns:
        SHA-256 of the file of digests, which stands for all of them.
    """
    make_folder(folder)
    contents = {name: text.encode() for name, text in model.files().items()}
    lines = [f"{_sha256(content)}  {name}\n" for name, content in sorted(contents.items())]
    contents[DIGESTS] = "".join(lines).encode()
    for name, content in contents.items():
        write_file(folder / name, content)
    return _sha256(contents[DIGESTS])


def read_model(folder: Path, sha256: str, label: str) -> dict[str, str]:
    """Read a model whose files are those that were registered.

    Args:
        folder: Where they lie.
        sha256: What ``write_model`` returned for them.
        label: The model's name and version, for the error.

    Raises:
        ContractViolation: A file is missing or has been changed.
    """
    digests = _read(folder / DIGESTS, label)
    # The file of digests names the others: nothing it says counts before it was checked itself.
    if _sha256(digests) != sha256:
        raise _changed(folder, label, [DIGESTS])
    lines = digests.decode().splitlines()
    pinned = {name: digest for digest, name in (line.split("  ", 1) for line in lines)}
    contents = {name: _read(folder / name, label) for name in pinned}
    changed = [name for name, content in contents.items() if _sha256(content) != pinned[name]]
    if changed:
        raise _changed(folder, label, changed)
    return {name: content.decode() for name, content in contents.items()}


def _changed(folder: Path, label: str, names: list[str]) -> ContractViolation:
    return ContractViolation(
        f"{label}: {', '.join(names)} in {folder} is not what was registered (other SHA-256)."
        " Restore the file, or go back with xsell models rollback"
    )


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
