"""What was delivered: folders by date, each with a manifest that must be true (DESIGN §3)."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr, ValidationError

from conf.errors import did_you_mean
from conf.source import SourceSettings
from tables.errors import ContractViolation, UserError
from tables.files import sha256_of

MANIFEST = "manifest.json"
FORMATS = (".parquet", ".csv", ".csv.gz")
HASHING_THREADS = 4


@dataclass(frozen=True)
class Delivery:
    """One folder of the landing area.

    Attributes:
        name: Its date, ``YYYY-MM-DD``: what it brings was recorded before that day.
        folder: Where it lies.
        digest: SHA-256 of its manifest, which names the SHA-256 of every file.
    """

    name: str
    folder: Path
    digest: str

    @cached_property
    def day(self) -> date:
        """The day of delivery."""
        return date.fromisoformat(self.name)


@dataclass(frozen=True)
class DeliveredFile:
    """A data file as its manifest describes it.

    Attributes:
        delivery: The delivery it came with.
        table_name: The table it is all or part of.
        name: Path within the delivery.
        rows: Rows it is said to hold.
        sha256: Digest it is said to have.
    """

    delivery: Delivery
    table_name: str
    name: str
    rows: int
    sha256: str

    @property
    def path(self) -> Path:
        """Where it lies."""
        return self.delivery.folder / self.name

    @property
    def label(self) -> str:
        """What messages call it."""
        return f"{self.delivery.name}/{self.name}"


class _ManifestFile(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: Annotated[StrictInt, Field(ge=0)]
    sha256: Annotated[StrictStr, Field(pattern=r"^[0-9a-f]{64}$")]


class _Manifest(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    delivery: StrictStr
    files: dict[StrictStr, _ManifestFile]


def deliveries_until(landing: Path, as_of: date) -> list[Delivery]:
    """Deliveries dated on or before ``as_of``, oldest first.

    Raises:
        UserError: There is none.
        ContractViolation: A folder is not named by a date, or has no manifest.
    """
    problems: list[str] = []
    found = [
        delivery
        for delivery in _folders(landing, problems)
        if delivery.day <= as_of and _has_manifest(delivery, problems)
    ]
    if problems:
        raise ContractViolation("\n".join(problems))
    if not found:
        raise UserError(
            f"no delivery under {landing} dated on or before {as_of}. Put one there as"
            f" {landing}/YYYY-MM-DD/ with its {MANIFEST}, or choose another --home"
        )
    return [Delivery(one.name, one.folder, sha256_of(one.folder / MANIFEST)) for one in found]


def delivered_files(deliveries: Sequence[Delivery], source: SourceSettings) -> list[DeliveredFile]:
    """Every data file of the deliveries, after its manifest was found true; rows are counted later.

    Raises:
        ContractViolation: One line per problem of any delivery.
    """
    problems: list[str] = []
    files = [file for one in deliveries for file in _listed_files(one, source, problems)]
    with ThreadPoolExecutor(HASHING_THREADS) as threads:
        problems += filter(None, threads.map(_changed, files))
    if problems:
        raise ContractViolation("\n".join(problems))
    return files


def _folders(landing: Path, problems: list[str]) -> Iterator[Delivery]:
    for folder in sorted(landing.iterdir()) if landing.is_dir() else ():
        # Names with a dot in front are copies in progress; they count once they are renamed.
        if folder.name.startswith(".") or not folder.is_dir():
            continue
        if folder.is_symlink() or not _is_day(folder.name):
            problems.append(
                f"{folder}: is no delivery; a delivery is a folder named YYYY-MM-DD, not a link."
                " Rename it or move it out of the landing folder"
            )
            continue
        yield Delivery(folder.name, folder, "")


def _is_day(name: str) -> bool:
    try:
        return date.fromisoformat(name).isoformat() == name
    except ValueError:
        return False


def _has_manifest(delivery: Delivery, problems: list[str]) -> bool:
    path = delivery.folder / MANIFEST
    if path.is_file() and not path.is_symlink():
        return True
    problems.append(
        f"{delivery.name}: has no {MANIFEST}. Wait until the delivery is complete, or ask the"
        " source team for it"
    )
    return False


def _listed_files(
    delivery: Delivery, source: SourceSettings, problems: list[str]
) -> list[DeliveredFile]:
    try:
        manifest = _read_manifest(delivery)
    except ContractViolation as error:
        problems.append(str(error))
        return []
    files = []
    for name, entry in sorted(manifest.files.items()):
        problem = _path_problem(delivery, name) or _table_problem(delivery, name, source)
        if problem:
            problems.append(problem)
        else:
            table_name = delivered_table(name)
            files.append(DeliveredFile(delivery, table_name, name, entry.rows, entry.sha256))
    problems += _unlisted(delivery, manifest.files)
    problems += _incomplete(delivery, source, manifest.files)
    return files


def _read_manifest(delivery: Delivery) -> _Manifest:
    path = f"{delivery.name}/{MANIFEST}"
    content = (delivery.folder / MANIFEST).read_bytes()
    if hashlib.sha256(content).hexdigest() != delivery.digest:
        raise ContractViolation(f"{path}: changed while it was read. Deliver, then run")
    try:
        entries = json.loads(content, object_pairs_hook=_without_repeats)
        manifest = _Manifest.model_validate(entries)
    except (ValueError, ValidationError) as error:
        raise ContractViolation(
            f"{path}: {_first_line(error)}. A manifest reads"
            ' {"delivery": "YYYY-MM-DD", "files": {"<file>": {"rows": 1, "sha256": "…"}}}'
        ) from None
    if manifest.delivery != delivery.name:
        raise ContractViolation(
            f"{path}: says it is delivery {manifest.delivery}; it lies in {delivery.name}."
            " Ask the source team which is right"
        )
    return manifest


def _without_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    names = [name for name, _ in pairs]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(f"names {', '.join(repeated)} twice")
    return dict(pairs)


def _first_line(error: ValueError) -> str:
    if isinstance(error, ValidationError):
        one = error.errors(include_url=False, include_input=False)[0]
        return f"{'.'.join(map(str, one['loc'])) or 'the file'}: {one['msg']}"
    return str(error).splitlines()[0]


def _path_problem(delivery: Delivery, name: str) -> str | None:
    """Why a manifest's path must not be opened."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or path.as_posix() != name:
        return (
            f"{delivery.name}/{MANIFEST}: names a file outside its folder or in another notation"
            f" ({name!r}). Only relative paths with / are allowed"
        )
    whole = delivery.folder / name
    parents = [delivery.folder.joinpath(*path.parts[:depth]) for depth in range(len(path.parts))]
    if any(part.is_symlink() for part in [*parents, whole]):
        return f"{delivery.name}/{name}: is a link or lies below one. Deliver the file itself"
    if not whole.is_file():
        kind = "is a folder" if whole.is_dir() else "is missing"
        return f"{delivery.name}/{name}: {kind}, but the manifest names it. Ask for the file"
    return None


def _table_problem(delivery: Delivery, name: str, source: SourceSettings) -> str | None:
    if _format_of(name) is None or len(PurePosixPath(name).parts) > len(("table", "part")):
        return (
            f"{delivery.name}/{name}: is not <table>.parquet, .csv or .csv.gz, nor a part in a"
            " folder <table>/. Rename it"
        )
    table_name = delivered_table(name)
    if table_name not in source.tables:
        hint = did_you_mean(table_name, source.tables) or f"; there are {', '.join(source.tables)}"
        return f"{delivery.name}/{name}: {table_name} is no table of this source{hint}"
    return None


def _format_of(name: str) -> str | None:
    return next((suffix for suffix in reversed(FORMATS) if name.endswith(suffix)), None)


def delivered_table(name: str) -> str:
    """The table that a file of a delivery is all or part of, by its path within the delivery."""
    first = PurePosixPath(name).parts[0]
    return first if "/" in name else re.sub(r"\.(parquet|csv|csv\.gz)$", "", first)


def _unlisted(delivery: Delivery, listed: Mapping[str, object]) -> Iterator[str]:
    for path in sorted(delivery.folder.rglob("*")):
        name = path.relative_to(delivery.folder).as_posix()
        if (path.is_file() or path.is_symlink()) and name != MANIFEST and name not in listed:
            yield (
                f"{delivery.name}/{name}: is not in the manifest. Ask the source team whether it"
                " belongs to the delivery"
            )


def _incomplete(delivery: Delivery, source: SourceSettings, listed: Iterable[str]) -> Iterator[str]:
    """Tables without a file, and tables delivered in two ways at once."""
    names: dict[str, list[str]] = {}
    for name in sorted(listed):
        names.setdefault(delivered_table(name), []).append(name)
    for table_name, settings in source.tables.items():
        present = names.get(table_name, [])
        if settings.is_required and not present:
            yield f"{delivery.name}: has no {table_name}. Ask the source team for the missing file"
        if len(present) > 1 and any("/" not in name for name in present):
            yield (
                f"{delivery.name}: {table_name} comes as {', '.join(present)}."
                " Keep one file, or one folder with parts"
            )


def _changed(file: DeliveredFile) -> str | None:
    try:
        digest = sha256_of(file.path)
    except OSError as error:
        return f"{file.label}: cannot be read ({error.strerror}). Check its permissions"
    if digest == file.sha256:
        return None
    return (
        f"{file.label}: SHA-256 is {digest[:12]}…, the manifest says {file.sha256[:12]}…."
        " The file was changed or cut on its way; ask for it again"
    )
