"""A registered version without MLflow, whose import takes longer than an answer may.

Read-only, and of the columns that MLflow's own clients search by. What is found counts only if its
files are those of the digest that was registered.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from models.model_files import DIGESTS, read_model
from models.scorer import Champion, Scorer, model_name
from tables.errors import ModelNotFound

VERSION = "SELECT run_id FROM model_versions WHERE name = ? AND version = ?"
CARD = "card/card.html"
DIGEST = "SELECT value FROM model_version_tags WHERE name = ? AND version = ? AND key = 'sha256'"


def registered_scorer(home: Path, product_id: str, version: int) -> Champion:
    """The scorer of a version, its files checked against the registered digest.

    Raises:
        ModelNotFound: There is no such version any more.
        ContractViolation: Its files are not those that were registered.
    """
    name = model_name(product_id)
    folder = _folder(home, name, version)
    digest = _row(home / "mlruns" / "mlflow.db", DIGEST, name, version)
    if digest is None:
        raise ModelNotFound(f"{name} version {version} was registered without a digest")
    scorer = Scorer.from_files(read_model(folder, digest, f"{name} version {version}"))
    return Champion(product_id, version, digest, scorer)


def model_files_of(home: Path, product_id: str, version: int) -> list[Path]:
    """Its card, if there is one, and the file with the digests of its files.

    Raises:
        ModelNotFound: There is no such version any more.
    """
    folder = _folder(home, model_name(product_id), version)
    return [path for path in (folder / DIGESTS, folder.parent / CARD) if path.exists()]


def _folder(home: Path, name: str, version: int) -> Path:
    run = _row(home / "mlruns" / "mlflow.db", VERSION, name, version)
    if run is None:
        raise ModelNotFound(f"{name} version {version} is not registered any more")
    return home / "mlruns" / "artifacts" / run / "artifacts" / "model"


def _row(path: Path, query: str, *values: object) -> str | None:
    if not path.exists():
        return None
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
        row = database.execute(query, values).fetchone()
    return None if row is None else str(row[0])
