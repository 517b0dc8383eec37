"""The models in MLflow: registered, verified, and switched on. Imported by jobs only.

A version is one MLflow run with a folder ``model`` of plain files: ``model.txt`` (LightGBM's text),
``scorer.json`` (everything else a propensity depends on), ``model.sha256`` (their digests, as
``sha256sum -c`` reads it; its own digest is a tag of the version) and ``MLmodel``, so that
``mlflow.lightgbm.load_model`` can read the folder too. ``log_model`` is not used: it would store
the booster a second time, and its ``python_function`` runs whatever an edited ``MLmodel`` names.
Here a model is loaded by LightGBM itself, after its digest was compared, from a path relative to
the home, so that a home may be moved.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fcntl import LOCK_EX, flock
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conf.schema import RunConfig
from models.evaluate import flat
from models.model_files import MODEL_TEXT, read_model, write_model
from models.scorer import Champion, Scorer, model_name
from models.train import Candidate
from tables.errors import ModelNotFound
from tables.files import make_folder

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

EXPERIMENT = "xsell"
CHAMPION, CHALLENGER = "champion", "challenger"
EVENT = "event."


@dataclass(frozen=True)
class Registered:
    """One version as the registry knows it.

    Attributes:
        product_id: What it predicts.
        version: Number within the product.
        run_id: Of the training run of ours, not MLflow's.
        mlflow_run_id: Where its artifacts and metrics are.
        tags: Kind, as_of, digest, gate, …
    """

    product_id: str
    version: int
    run_id: str
    mlflow_run_id: str
    tags: Mapping[str, str]


def champions(config: RunConfig, home: Path) -> dict[str, Champion]:
    """The champion of every active product, verified.

    Raises:
        ModelNotFound: A product has none.
        ContractViolation: A model's files are not those that were registered.
    """
    registry = Registry(home) if database(home).exists() else None
    found = {
        product: registry.with_alias(product, CHAMPION) if registry else None
        for product in config.products
    }
    if missing := [product for product, version in found.items() if version is None]:
        raise ModelNotFound(
            f"No champion for {', '.join(missing)}."
            f" Run xsell train, then xsell models promote {missing[0]}"
        )
    assert registry is not None
    return {product: registry.load(version) for product, version in found.items() if version}


def database(home: Path) -> Path:
    """MLflow's SQLite file."""
    return home / "mlruns" / "mlflow.db"


class Registry:
    """The MLflow store below one home."""

    def __init__(self, home: Path) -> None:
        self._home = home.resolve()
        with self._locked():
            self._client = _client(database(self._home))

    def register(
        self, candidate: Candidate, run_id: str, tags: Mapping[str, str], facts: Mapping[str, Any]
    ) -> Registered:
        """Make a candidate a version of its product; the same run again finds it there.

        Until an alias points to it a version has no effect, so a crash after this does no harm.

        Args:
            candidate: The trained model.
            run_id: Of the training run.
            tags: Of the version, besides kind and digest.
            facts: Parameters of the MLflow run.
        """
        scorer = candidate.scorer
        if present := self._registered(scorer.product_id, run_id, scorer.kind):
            return present
        run = self._mlflow_run(candidate, run_id, facts)
        digest = write_model(self._folder(run), scorer)
        _describe(self._folder(run), scorer)
        self._client.set_terminated(run)
        own = {"run_id": run_id, "kind": scorer.kind, "sha256": digest}
        self._ensure_model(scorer.product_id)
        version = self._client.create_model_version(
            model_name(scorer.product_id),
            source=self._folder(run).as_uri(),
            run_id=run,
            tags={**tags, **own},
        )
        return _registered(scorer.product_id, version)

    def load(self, registered: Registered) -> Champion:
        """The scorer of a version, its files checked against the registered digest."""
        folder = self._folder(registered.mlflow_run_id)
        label = f"{model_name(registered.product_id)} version {registered.version}"
        scorer = read_model(folder, registered.tags["sha256"], label)
        return Champion(
            registered.product_id, registered.version, registered.tags["sha256"], scorer
        )

    def with_alias(self, product_id: str, alias: str) -> Registered | None:
        """The version an alias points to."""
        number = self._aliases(product_id).get(alias)
        return None if number is None else self.version(product_id, int(number))

    def of_run(self, product_id: str, run_id: str) -> list[Registered]:
        """Versions that one training run registered, oldest first."""
        versions = (_registered(product_id, version) for version in self._versions(product_id))
        return [version for version in versions if version.run_id == run_id]

    def version(self, product_id: str, number: int) -> Registered | None:
        """One version by its number."""
        found = (v for v in self._versions(product_id) if int(v.version) == number)
        return next((_registered(product_id, version) for version in found), None)

    def metrics(self, registered: Registered) -> dict[str, float]:
        """Figures of the test cohort, by name."""
        return dict(self._client.get_run(registered.mlflow_run_id).data.metrics)

    def challenge(self, registered: Registered) -> None:
        """Point the challenger alias to a version."""
        name = model_name(registered.product_id)
        self._client.set_registered_model_alias(name, CHALLENGER, str(registered.version))

    def switch(self, registered: Registered, action: str, who: str, why: str, when: str) -> None:
        """Make a version the champion, and record who, when and why.

        The record comes first: a crash in between leaves an entry that says what was about to
        happen, which the repetition finds, and never a change that nobody signed.
        """
        name = model_name(registered.product_id)
        before = self.with_alias(registered.product_id, CHAMPION)
        if before is not None and before.version == registered.version:
            return
        event = {
            "action": action,
            "version": registered.version,
            "before": before.version if before else None,
            "who": who,
            "when": when,
            "why": why,
        }
        events = self.events(registered.product_id)
        if not events or _decision(events[-1]) != _decision(event):
            key = f"{EVENT}{len(events) + 1:06d}"
            self._client.set_registered_model_tag(name, key, json.dumps(event))
        self._client.set_registered_model_alias(name, CHAMPION, str(registered.version))
        challenger = self.with_alias(registered.product_id, CHALLENGER)
        if challenger is not None and challenger.version == registered.version:
            self._client.delete_registered_model_alias(name, CHALLENGER)

    def events(self, product_id: str) -> list[dict[str, Any]]:
        """Promotions and rollbacks, oldest first."""
        if not self._versions(product_id):
            return []
        tags = self._client.get_registered_model(model_name(product_id)).tags
        return [json.loads(tags[key]) for key in sorted(tags) if key.startswith(EVENT)]

    def _mlflow_run(self, candidate: Candidate, run_id: str, facts: Mapping[str, Any]) -> str:
        from mlflow.entities import Metric, Param

        product_id = candidate.scorer.product_id
        tags = {"run_id": run_id, "product_id": product_id, "kind": candidate.scorer.kind}
        run = self._client.create_run(self._experiment(), run_name=product_id, tags=tags)
        at = run.info.start_time
        figures = flat(candidate.metrics) | dict(candidate.facts)
        self._client.log_batch(
            run.info.run_id,
            metrics=[Metric(key, float(value), at, 0) for key, value in figures.items()],
            params=[Param(key, str(value)) for key, value in facts.items()],
        )
        return str(run.info.run_id)

    def _experiment(self) -> str:
        location = self._artifacts().as_uri()
        found = self._client.get_experiment_by_name(EXPERIMENT)
        if found is not None:
            return str(found.experiment_id)
        with self._locked():
            return str(self._client.create_experiment(EXPERIMENT, artifact_location=location))

    def _ensure_model(self, product_id: str) -> None:
        from mlflow.exceptions import MlflowException

        try:
            self._client.create_registered_model(model_name(product_id))
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise

    def _registered(self, product_id: str, run_id: str, kind: str) -> Registered | None:
        present = self.of_run(product_id, run_id)
        return next((version for version in present if version.tags.get("kind") == kind), None)

    def _versions(self, product_id: str) -> list[ModelVersion]:
        """All versions of a product, oldest first."""
        query = f"name = '{model_name(product_id)}'"
        found = self._client.search_model_versions(query, max_results=10_000)
        return sorted(found, key=lambda version: int(version.version))

    def _aliases(self, product_id: str) -> Mapping[str, str]:
        """Version by alias. A search of versions does not tell their aliases."""
        if not self._versions(product_id):
            return {}
        aliases: Mapping[str, str] = self._client.get_registered_model(
            model_name(product_id)
        ).aliases
        return aliases

    def _artifacts(self) -> Path:
        return self._home / "mlruns" / "artifacts"

    def _folder(self, mlflow_run_id: str) -> Path:
        """Where a version's files lie now, wherever they were written."""
        return self._artifacts() / mlflow_run_id / "artifacts" / "model"

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Alone at MLflow's tables: of two first uses at once both create them, and one crashes."""
        folder = make_folder(self._home / "mlruns")
        with (folder / "registry.lock").open("w") as file:
            flock(file, LOCK_EX)
            yield


def _decision(event: Mapping[str, Any]) -> tuple[Any, ...]:
    """What was decided, whenever and by whomever."""
    return event["action"], event["version"], event["before"]


def _registered(product_id: str, version: ModelVersion) -> Registered:
    tags = dict(version.tags)
    return Registered(
        product_id, int(version.version), tags.get("run_id", ""), str(version.run_id), tags
    )


def _describe(folder: Path, scorer: Scorer) -> None:
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
def _client(path: Path) -> MlflowClient:
    """MLflow is imported here and nowhere else: it takes seconds."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    from mlflow import MlflowClient

    uri = f"sqlite:///{path}"
    return MlflowClient(tracking_uri=uri, registry_uri=uri)
