#!/usr/bin/env python3
"""Verify a folder of evidence with nothing but Python (3.9 or newer) and openssl.

    python3 verify_evidence.py [--key KEY] [--kept CHECKPOINT]

`verify_offer_log.py` must lie beside it; nothing else is used. The folder holds

- `decisions/*.json`, `statement.json`: entries of the offer log. `line` is what was sealed; its
  leaf is SHA-256 over a zero byte, the 32 bytes of `salt` and the line; `proof` leads from the leaf
  to the root of the tree (RFC 9162 §2.1.3.2) that `checkpoint` is the signed root of.
- `run.json`, `configuration.json`: what the campaign read, how it was configured, by what code. Its
  id is a hash of these; the statement and every decision name that id.
- `explanation.*`, `rules.md`, `models/`: the same for people to read. What they say of outcomes is
  held against the lines.
- `SHA256SUMS`: digests of all files, as `sha256sum -c` reads them.

Ends with 0 if all fits together, 1 if not, 2 if it was called wrongly.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from verify_offer_log import Key, Note, read_key, read_note, signature_problem  # type: ignore[import-not-found]

SUMS, OWN = "SHA256SUMS", ("verify_evidence.py", "verify_offer_log.py")
# Settings that change where the work is done, not what comes of it: no part of a run's id.
ASIDE = (("engine",), ("models", "processes"), ("bank", "transaction_buckets"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Verify the folder and say so."""
    options = _options(arguments)
    findings = [*_changed_files(options.folder)]
    try:
        note = read_note(options.folder / "checkpoint")
        findings += [*_signatures(note, options), *_kept(note, options.kept)]
        entries = _entries(options.folder)
        findings += [one for name, entry in entries for one in _proven(name, entry, note)]
        findings += [*_same_run(options.folder, entries)]
    except (OSError, ValueError, KeyError, TypeError) as error:
        findings.append(f"the evidence cannot be read to its end: {error!r}")
        entries = []
    return _verdict(findings, entries, options)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Verify a folder of evidence.")
    parser.add_argument("folder", type=Path, nargs="?", default=Path(__file__).parent)
    parser.add_argument("--key", type=read_key, help="the verifier key that the bank gave you")
    parser.add_argument("--kept", type=Path, help="a checkpoint of the same size that you kept")
    return parser.parse_args(arguments)


def _changed_files(folder: Path) -> Iterator[str]:
    listed = {}
    for line in (folder / SUMS).read_text(encoding="utf-8").splitlines():
        digest, _, name = line.partition("  ")
        listed[name] = digest
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    there = {name for name in there if "__pycache__" not in name} - {SUMS}
    for name in sorted(there | set(listed)):
        if name not in there:
            yield f"{name} is missing"
        elif name not in listed:
            yield f"{name} was added"
        elif hashlib.sha256((folder / name).read_bytes()).hexdigest() != listed[name]:
            yield f"{name} was changed"


def _signatures(note: Note, options: argparse.Namespace) -> Iterator[str]:
    if shutil.which("openssl") is None:
        yield "openssl is not installed, so the signature was NOT verified"
        return
    problem = signature_problem(note, _keys(options))
    if problem is not None:
        yield f"checkpoint: {problem}"


def _keys(options: argparse.Namespace) -> list[Key]:
    if options.key:
        return [options.key]
    lines = (options.folder / "keys").read_text(encoding="utf-8").splitlines()
    return [read_key(line) for line in lines]


def _kept(note: Note, path: Path | None) -> Iterator[str]:
    if path is None:
        return
    kept = read_note(path)
    if kept.size != note.size:
        yield (
            f"{path} is of {kept.size:,} entries, the evidence of {note.size:,}: ask the bank for"
            " the whole log (xsell offers verify --export) to compare them"
        )
    elif (kept.origin, kept.root) != (note.origin, note.root):
        yield f"{path}: the log had another root when it was kept"


def _entries(folder: Path) -> list[tuple[str, dict[str, Any]]]:
    paths = [folder / "statement.json", *sorted((folder / "decisions").glob("*.json"))]
    return [(path.name, json.loads(path.read_text(encoding="utf-8"))) for path in paths]


def _proven(name: str, entry: dict[str, Any], note: Note) -> Iterator[str]:
    content = b"\x00" + bytes.fromhex(entry["salt"]) + entry["line"].encode()
    found = _root(hashlib.sha256(content).digest(), int(entry["entry"]), note.size, entry["proof"])
    if found != note.root:
        yield f"{name}: it is not entry {entry['entry']:,} of the log that was signed"


def _root(leaf: bytes, index: int, size: int, proof: list[str]) -> bytes | None:
    """The root that a proof leads to (RFC 9162 §2.1.3.2); None if it leads nowhere."""
    place, last, found = index, size - 1, leaf
    if not 0 <= place <= last:
        return None
    for step in map(bytes.fromhex, proof):
        if last == 0:
            return None
        if place & 1 or place == last:
            found = hashlib.sha256(b"\x01" + step + found).digest()
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            found = hashlib.sha256(b"\x01" + found + step).digest()
        place, last = place >> 1, last >> 1
    return found if last == 0 else None


def _same_run(folder: Path, entries: list[tuple[str, dict[str, Any]]]) -> Iterator[str]:
    """Everything is about the run whose id was sealed, and people read what was sealed."""
    run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    settings = json.loads((folder / "configuration.json").read_text(encoding="utf-8"))
    if _run_id(run, settings) != run["run_id"]:
        yield "run.json or configuration.json is not what the id of the run was made of"
    lines = [json.loads(entry["line"]) for _, entry in entries]
    for place, line in enumerate(lines):
        if line["run_id"] != run["run_id"]:
            yield f"{entries[place][0]} is of another run than run.json"
    told = json.loads((folder / "explanation.json").read_text(encoding="utf-8"))
    sealed = {line["offer_id"]: line for line in lines[1:]}
    for offer in told["offers"]:
        line = sealed.get(offer["offer_id"])
        if line is None or line["outcome"] != offer["outcome"]:
            yield f"explanation.json: {offer['offer_id']} is not told as it was sealed"


def _run_id(run: dict[str, Any], settings: dict[str, Any]) -> str:
    for *parents, name in ASIDE:
        inner = settings
        for parent in parents:
            inner = inner[parent]
        inner.pop(name, None)
    identity = {
        "step": run["step"],
        "as_of": run["as_of"],
        "campaign_id": run["campaign_id"],
        "inputs": run["inputs"],
        "config": _digest(settings),
        "code": run["code_version"],
    }
    return _digest(identity)


def _digest(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _verdict(
    findings: list[str], entries: list[tuple[str, dict[str, Any]]], options: argparse.Namespace
) -> int:
    for finding in findings:
        _print(finding)
    _print(f"decisions proven to be in the signed log: {max(0, len(entries) - 1):,}")
    if options.key is None:
        _print("verified with the keys in the folder: compare them with those the bank gave you")
    _print("the evidence does NOT fit together" if findings else "the evidence fits together")
    return 1 if findings else 0


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
