"""MLflow's client, and the description of a model for MLflow's own tools."""

from __future__ import annotations

import logging
import os
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from models.model_files import MODEL_TEXT
from models.scorer import Scorer

if TYPE_CHECKING:
    from mlflow import MlflowClient


def describe(folder: Path, scorer: Scorer) -> None:
    """Write ``MLmodel``, with the signature, for MLflow's own tools; it is never read here."""
    if not scorer.model_text:
        return
    from mlflow.models import Model, ModelSignature
    from mlflow.types import ColSpec, DataType, Schema

    columns = [ColSpec(DataType.float, name) for name in [*scorer.features, *scorer.attributes]]
    outputs = Schema([ColSpec(DataType.double, "log_odds")])
    model = Model(signature=ModelSignature(Schema(columns), outputs))
    model.add_flavor("lightgbm", data=MODEL_TEXT, model_class="lightgbm.basic.Booster")
    model.save(str(folder / "MLmodel"))


@lru_cache(maxsize=4)
def open_client(path: Path) -> MlflowClient:
    """MLflow is imported here and nowhere else: it takes seconds."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    from mlflow import MlflowClient

    uri = f"sqlite:///{path}"
    return MlflowClient(tracking_uri=uri, registry_uri=uri)
