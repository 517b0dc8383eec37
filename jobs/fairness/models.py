"""The models behind a campaign: whether they read what they must not, and what they rely on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from features.feature import Feature
from jobs.campaigns.protected_groups import COLUMN
from jobs.home import Home
from models.boosters import loaded_booster
from models.registry import Registry, database
from models.scorer import UPLIFT, Scorer, model_name
from models.uplift_scorer import UpliftScorer
from tables.errors import ContractViolation
from tables.runs import RunRecord, Runs
from tables.sources import CUSTOMERS

MODEL = "model "  # what stands before a product in the inputs of a scoring


@dataclass(frozen=True)
class UsedModel:
    """A model that scored the campaign's clients.

    Attributes:
        name: In the registry.
        version: Of it.
        features: What it reads of a client.
        gain: By feature its share of all gain of the trees; empty without trees.
    """

    name: str
    version: int
    features: tuple[str, ...]
    gain: Mapping[str, float]


def used_models(home: Home, campaign: RunRecord) -> list[UsedModel]:
    """Every model behind a campaign's scores, verified, by name.

    Raises:
        ContractViolation: A model is no longer there, or is not what was registered.
    """
    return models_behind(home, Runs(home.tables).find(campaign.inputs.get("score", "")))


def models_behind(home: Home, scored: RunRecord | None) -> list[UsedModel]:
    """Every model behind scores, likewise.

    Args:
        home: Where.
        scored: The run that scored; None has no models.

    Raises:
        ContractViolation: See ``used_models``.
    """
    digests = {
        name.removeprefix(MODEL): digest
        for name, digest in (scored.inputs.items() if scored else ())
        if name.startswith(MODEL)
    }
    if not digests:
        return []
    # To open a registry that is not there would make an empty one.
    registry = Registry(home.path) if database(home.path).exists() else None
    return [_used(registry, product, digest) for product, digest in sorted(digests.items())]


def forbidden_inputs(
    models: Sequence[UsedModel], catalogue: Sequence[Feature], attributes: Sequence[str]
) -> list[tuple[str, str, str]]:
    """Model, feature and why it may not read it, of everything that a model reads.

    Args:
        models: Those in use.
        catalogue: All features.
        attributes: Protected ones, as configured.
    """
    known = {feature.name: feature for feature in catalogue}
    protected = {f"{CUSTOMERS.name}.{COLUMN.get(name, name)}" for name in attributes}
    found = []
    for model in models:
        for name in model.features:
            if name not in known:
                found.append((model.name, name, "is no feature of the catalogue"))
            elif made_of := sorted(protected & set(known[name].columns)):
                found.append((model.name, name, f"is made of {', '.join(made_of)}"))
            elif not known[name].in_model:
                found.append((model.name, name, "may enter no model, says the catalogue"))
    return found


def largest_gain(models: Sequence[UsedModel]) -> dict[str, tuple[float, str]]:
    """By feature the model that relies on it most, as the share of gain and the model's name."""
    found: dict[str, tuple[float, str]] = {}
    for model in models:
        for name, share in model.gain.items():
            if share > found.get(name, (0.0, ""))[0]:
                found[name] = (share, model.name)
    return found


def _used(registry: Registry | None, product: str, digest: str) -> UsedModel:
    versions = registry.versions(product) if registry else []
    version = next((one for one in versions if one.tags.get("sha256") == digest), None)
    if registry is None or version is None:
        raise ContractViolation(
            f"{model_name(product)}: the version that scored this campaign is not in the registry,"
            " so that nobody can say what it read. Restore mlruns from a backup"
        )
    files = registry.files(version)
    if product == UPLIFT:
        uplift = UpliftScorer.from_files(files)
        features, texts = uplift.features, uplift.model.model_texts
    else:
        scorer = Scorer.from_files(files)
        features, texts = scorer.features, tuple(filter(None, [scorer.model_text]))
    return UsedModel(model_name(product), version.version, features, _gain(features, texts))


def _gain(features: Sequence[str], texts: Sequence[str]) -> dict[str, float]:
    """Shares of the gain of all trees, of what is read of the client."""
    total = np.zeros(len(features))
    for text in texts:
        gain = loaded_booster(text).feature_importance("gain")
        if gain.sum():
            total += gain[: len(features)] / gain.sum() / len(texts)
    return {name: float(one) for name, one in zip(features, total, strict=True) if one}
