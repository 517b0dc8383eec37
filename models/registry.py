"""The models in MLflow: registered, verified, and switched on. Imported by jobs only.

A version is one MLflow run with a folder ``model`` of plain files: ``model.txt`` (LightGBM's text;
of the uplift model a text per booster, ``model_0.txt`` and so on),
``scorer.json`` (everything else a propensity depends on), ``model.sha256`` (their digests, as
``sha256sum -c`` reads it; its own digest is a tag of the version) and ``MLmodel``, so that
``mlflow.lightgbm.load_model`` can read the folder too. ``log_model`` is not used: it would store
the booster a second time, and its ``python_function`` runs whatever an edited ``MLmodel`` names.
Here a model is loaded by LightGBM itself, after its digest was compared, from a path relative to
the home, so that a home may be moved. Beside it, in ``card``, lies the version's model card.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conf.schema import RunConfig
from models.decisions import RETIRE, Action, Decision, Signature
from models.evaluate import flat
from models.mlflow_client import describe, open_client
from models.model_files import read_model, write_model
from models.scorer import Champion, Scorer, model_name
from models.train import Candidate
from models.uplift_scorer import UpliftCandidate
from tables.errors import ModelNotFound
from tables.files import make_folder

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion, RegisteredModel

EXPERIMENT = "xsell"
CHAMPION, CHALLENGER = "champion", "challenger"
EVENT = "event."
PENDING = "is_pending"  # of an event: it is about to change the champion
AGAINST = "against_champion"  # tag: may the version replace the champion there was?
ACCELERATOR = "accelerator"  # tag: what was equal to LightGBM when the version was trained
CARD = "card/card.html"
Trained = Candidate | UpliftCandidate


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


def champions(
    config: RunConfig, home: Path, digests: Mapping[str, str] | None = None
) -> dict[str, Champion]:
    """The champion of every active product, verified.

    Args:
        config: The products.
        home: Where.
        digests: By product, of versions to take in place of today's champions.

    Raises:
        ModelNotFound: A product has none.
        ContractViolation: A model's files are not those that were registered, or its booster reads
            other features than it says.
    """
    registry = Registry(home) if database(home).exists() else None
    found = {
        product: in_use(registry, product, digests) if registry else None
        for product in config.products
    }
    if missing := [product for product, version in found.items() if version is None]:
        raise ModelNotFound(
            f"No champion for {', '.join(missing)}."
            f" Run xsell train, then xsell models promote {missing[0]}"
        )
    assert registry is not None
    loaded = {product: registry.load(version) for product, version in found.items() if version}
    for champion in loaded.values():
        champion.scorer.require_order()
    return {
        product: with_accelerator(champion, version, config.models.accelerator)
        for product, champion in loaded.items()
        if (version := found[product])
    }


def in_use(
    registry: Registry, name: str, digests: Mapping[str, str] | None = None
) -> Registered | None:
    """The champion, or the version of a digest where digests are given; None if there is none."""
    if digests is None:
        return registry.with_alias(name, CHAMPION)
    wanted = digests.get(name)
    # Of versions with the same files the last: they are the same model.
    same = [one for one in registry.versions(name) if wanted and one.tags.get("sha256") == wanted]
    return same[-1] if same else None


def with_accelerator(champion: Champion, version: Registered, accelerator: str) -> Champion:
    """Accelerated if that is wanted and the model was found equal when it was trained."""
    is_accelerated = accelerator != "none" and version.tags.get(ACCELERATOR) == accelerator
    return replace(champion, scorer=replace(champion.scorer, is_accelerated=is_accelerated))


def database(home: Path) -> Path:
    """MLflow's SQLite file."""
    return home / "mlruns" / "mlflow.db"


class Registry:
    """The MLflow store below one home."""

    def __init__(self, home: Path) -> None:
        self._home = home.resolve()
        with self._locked():
            self._client = open_client(database(self._home))

    def register(
        self, candidate: Trained, run_id: str, tags: Mapping[str, str], facts: Mapping[str, Any]
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
        if isinstance(scorer, Scorer):
            describe(self._folder(run), scorer)
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
        scorer = Scorer.from_files(self.files(registered))
        return Champion(
            registered.product_id, registered.version, registered.tags["sha256"], scorer
        )

    def files(self, registered: Registered) -> dict[str, str]:
        """The texts of a version by file name, likewise checked."""
        folder = self._folder(registered.mlflow_run_id)
        label = f"{model_name(registered.product_id)} version {registered.version}"
        return read_model(folder, registered.tags["sha256"], label)

    def with_alias(self, product_id: str, alias: str) -> Registered | None:
        """The version an alias points to."""
        number = self._aliases(product_id).get(alias)
        return None if number is None else self.version(product_id, int(number))

    def of_run(self, product_id: str, run_id: str) -> list[Registered]:
        """Versions that one training run registered, oldest first."""
        return [v for v in self.versions(product_id) if v.run_id == run_id]

    def version(self, product_id: str, number: int) -> Registered | None:
        """One version by its number."""
        return next((v for v in self.versions(product_id) if v.version == number), None)

    def versions(self, product_id: str) -> list[Registered]:
        """All versions of a product, oldest first."""
        return [_registered(product_id, version) for version in self._versions(product_id)]

    def metrics(self, registered: Registered) -> dict[str, float]:
        """Figures of the test cohort, by name."""
        return dict(self._client.get_run(registered.mlflow_run_id).data.metrics)

    def parameters(self, registered: Registered) -> dict[str, str]:
        """Cohorts, data versions, settings and features it was trained with, by name."""
        return dict(self._client.get_run(registered.mlflow_run_id).data.params)

    def card(self, registered: Registered) -> Path:
        """Where the version's model card lies now, beside the folder of the model."""
        return self._folder(registered.mlflow_run_id).parent / CARD

    def challenge(self, registered: Registered) -> None:
        """Point the challenger alias to a version."""
        name = model_name(registered.product_id)
        self._client.set_registered_model_alias(name, CHALLENGER, str(registered.version))

    def switch(self, registered: Registered, action: Action, signed: Signature) -> None:
        """Make a version the champion, and record who, when and why.

        The record comes first: a crash in between leaves an entry that counts as soon as the alias
        agrees with it, and never a change that nobody signed.
        """
        name = model_name(registered.product_id)
        before = self.with_alias(registered.product_id, CHAMPION)
        if before is None or before.version != registered.version:
            with self._recorded(registered, action, signed):
                self._client.set_registered_model_alias(name, CHAMPION, str(registered.version))
        challenger = self.with_alias(registered.product_id, CHALLENGER)
        if challenger is not None and challenger.version == registered.version:
            self._client.delete_registered_model_alias(name, CHALLENGER)

    def retire(self, champion: Registered, signed: Signature) -> None:
        """Take the champion out of use without another in its place; recorded first, as above."""
        name = model_name(champion.product_id)
        with self._recorded(champion, RETIRE, signed):
            self._client.delete_registered_model_alias(name, CHAMPION)

    def record(self, registered: Registered, action: Action, signed: Signature) -> None:
        """Write down a decision that changes no champion, unless it repeats the last one."""
        decision = self._decision(registered, action, signed)
        decisions = self.decisions(registered.product_id)
        if not (decisions and decisions[-1].repeats(decision)):
            self._write(registered.product_id, len(decisions) + 1, decision)

    def decisions(self, product_id: str) -> list[Decision]:
        """What persons and the gate decided, oldest first.

        A last entry that a crash kept from taking effect is left out, and the next one takes its
        place: what is told is what was live.
        """
        model = self._model(product_id)
        if model is None:
            return []
        keys = sorted(key for key in model.tags if key.startswith(EVENT))
        found = [json.loads(model.tags[key]) for key in keys]
        decisions = [Decision.from_record(content) for content in found]
        champion = model.aliases.get(CHAMPION)
        number = None if champion is None else int(champion)
        if found and PENDING in found[-1] and not decisions[-1].has_happened(number):
            decisions.pop()
        return decisions

    @contextmanager
    def _recorded(
        self, registered: Registered, action: Action, signed: Signature
    ) -> Iterator[None]:
        """Write down a decision, let it take effect, and write down that it has."""
        decision = self._decision(registered, action, signed)
        number = len(self.decisions(registered.product_id)) + 1
        self._write(registered.product_id, number, decision, **{PENDING: True})
        yield
        self._write(registered.product_id, number, decision)

    def _decision(self, registered: Registered, action: Action, signed: Signature) -> Decision:
        champion = self.with_alias(registered.product_id, CHAMPION)
        before = champion.version if champion else None
        return Decision(action, registered.version, before, **asdict(signed))

    def _write(self, product_id: str, number: int, decision: Decision, **more: bool) -> None:
        name, key = model_name(product_id), f"{EVENT}{number:06d}"
        self._client.set_registered_model_tag(name, key, json.dumps(asdict(decision) | more))

    def _mlflow_run(self, candidate: Trained, run_id: str, facts: Mapping[str, Any]) -> str:
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
        model = self._model(product_id)
        aliases: Mapping[str, str] = model.aliases if model else {}
        return aliases

    def _model(self, product_id: str) -> RegisteredModel | None:
        """What MLflow knows of a product as a whole; None before its first version."""
        from mlflow.exceptions import MlflowException

        try:
            return self._client.get_registered_model(model_name(product_id))
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return None

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


def _registered(product_id: str, version: ModelVersion) -> Registered:
    tags = dict(version.tags)
    return Registered(
        product_id, int(version.version), tags.get("run_id", ""), str(version.run_id), tags
    )
