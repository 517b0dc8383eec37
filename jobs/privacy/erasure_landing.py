"""Deliveries without a client: files rewritten, and the manifests that tell of them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from conf.source import SourceSettings
from extracts.deliveries import FORMATS, MANIFEST, delivered_table
from extracts.redacted import redact_delivered
from jobs.privacy.client_traces import Place
from jobs.runs.rewriting import Rewriting
from tables.base import Table
from tables.errors import UserError
from tables.files import sha256_of
from tables.identifiers import Identifiers
from tables.redaction import NewFile
from tables.sources import SOURCES, as_delivered

DELIVERED = {table.name: as_delivered(table) for table in SOURCES}


def delivery_folders(landing: Path) -> list[Path]:
    """Every delivery; what begins with a dot is still being copied."""
    return sorted(
        path for path in landing.iterdir() if path.is_dir() and not path.name.startswith(".")
    )


def delivered_places(landing: Path, source: SourceSettings) -> Iterator[Place]:
    """Every data file of every delivery."""
    for folder in delivery_folders(landing):
        for path in _data_files(folder):
            yield Place(path, delivered_table(path.relative_to(folder).as_posix()), source)


def stage_landing(
    rewriting: Rewriting, client: Identifiers, source: SourceSettings
) -> Counter[str]:
    """Stage every delivery that names a client, without; rows that went or were blanked by table.

    Raises:
        UserError: A manifest is none.
    """
    rows: Counter[str] = Counter()
    for folder in delivery_folders(rewriting.home.landing):
        made: dict[str, tuple[NewFile, Path]] = {}
        for path in _data_files(folder):
            name, staged = path.relative_to(folder).as_posix(), rewriting.new()
            new = redact_delivered(path, staged, _table(name), source, client)
            if new is not None:
                made[name] = (new, staged)
                rows[delivered_table(name)] += new.removed + new.blanked
        _stage(rewriting, folder, made)
    return rows


def _stage(rewriting: Rewriting, folder: Path, made: dict[str, tuple[NewFile, Path]]) -> None:
    manifest = _manifest(folder) if made else {}
    listed = manifest.get("files", {})
    for name, (new, staged) in made.items():
        entry = listed.get(name)
        # One that was wrong before is left wrong: the delivery is still to be refused.
        if entry and entry.get("sha256") == sha256_of(folder / name):
            entry["rows"], entry["sha256"] = entry["rows"] - new.removed, sha256_of(staged)
        rewriting.put(folder / name, staged)
    if listed and made:
        staged = rewriting.new()
        text = json.dumps(manifest, indent=1, ensure_ascii=False)
        staged.write_text(text + "\n", encoding="utf-8")
        rewriting.put(folder / MANIFEST, staged)


def _manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    if not path.exists():
        return {}
    try:
        said: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return said if isinstance(said["files"], dict) else {}
    except (ValueError, KeyError, TypeError):
        raise UserError(
            f"{folder.name}/{MANIFEST}: is no manifest, so that it could not be told what is left"
            " of the delivery. Ask the source team for the delivery, or remove its folder"
        ) from None


def _data_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and _is_data(path))


def _is_data(path: Path) -> bool:
    return path.name.endswith(FORMATS)


def _table(name: str) -> Table | None:
    return DELIVERED.get(delivered_table(name))
