"""Exports that were written below the home: made anew without a client, as the lists are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from campaigns.list_files import MANIFEST, Part, write_part
from conf.recorded import recorded_config
from jobs.lists.export import export_name, export_parts
from jobs.privacy.erasure_lists import LISTS, Listed
from jobs.runs.exports import lists_folder
from jobs.runs.rewriting import Rewriting
from tables.files import make_folder
from tables.identifiers import Identifiers
from tables.redaction import may_blank, redact


def exported_folders(rewriting: Rewriting, one: Listed) -> list[Path]:
    """Where exports of a campaign lie below the home, found by the names that they are given."""
    home, whole = rewriting.home, export_name(one.record)
    found = {path.parent for path in home.path.rglob(f"{whole}*/{MANIFEST}")}
    return sorted(path for path in found if home.lists not in path.parents)


def stage_exports(rewriting: Rewriting, client: Identifiers, one: Listed) -> None:
    """Stage the exports of a campaign without a client; ``stage_lists`` has been called."""
    for folder in exported_folders(rewriting, one):
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if "recalled" in manifest:
            _stage_part(rewriting, client, one, folder, manifest)
        else:
            _stage_copy(rewriting, one, folder)


def _stage_copy(rewriting: Rewriting, one: Listed, folder: Path) -> None:
    """Of an export that is a copy of the lists: what becomes of the lists becomes of it."""
    lists = lists_folder(rewriting.home, one.record)
    for name, change in list(rewriting.changes.items()):
        path = rewriting.home.path / name
        if lists not in path.parents:
            continue
        target = folder / path.relative_to(lists)
        if change.staged is not None:
            staged = rewriting.new()
            staged.write_bytes((rewriting.folder / change.staged).read_bytes())
            rewriting.put(target, staged)
        elif target.exists():
            rewriting.remove(target)


def _stage_part(
    rewriting: Rewriting, client: Identifiers, one: Listed, folder: Path, manifest: dict[str, Any]
) -> None:
    """Of an export from which something was left out: the same export, asked for once more."""
    home, record = rewriting.home, one.record
    day = date.fromisoformat(manifest["recalled"]["known_before"])
    branch = manifest["branch_id"]
    [part] = export_parts(home, record, day, [] if branch is None else [branch])
    if branch is not None and branch not in one.branches:
        return
    lists, care = (
        redact(rows, may_blank(table), client).rows
        for rows, table in zip((part.lists, part.care), LISTS, strict=True)
    )
    recalled = redact(part.recalled, (), client).rows
    made = make_folder(rewriting.new())
    left = Part(lists, care, recalled, day, branch)
    write_part(made, left, recorded_config(record.config), record.as_of)
    _replace(rewriting, folder, made)


def _replace(rewriting: Rewriting, folder: Path, made: Path) -> None:
    new = {path.relative_to(made): path for path in _files(made)}
    for path in _files(folder):
        if path.relative_to(folder) not in new:
            rewriting.remove(path)
    for name, path in new.items():
        if not (folder / name).exists() or (folder / name).read_bytes() != path.read_bytes():
            rewriting.put(folder / name, path)


def _files(folder: Path) -> Iterator[Path]:
    yield from sorted(path for path in folder.rglob("*") if path.is_file())
