"""Policy in a model's shape: features with which a propensity may only rise, or only fall.

They hold for every booster, the pooled one as well, so that they hold whichever of its models a
product gets. Calibration keeps them: its map rises. A value that is not known has no place among
those that are; nothing is promised between it and them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from conf.errors import did_you_mean
from conf.model_settings import Direction
from conf.schema import RunConfig
from features.catalogue import feature_catalogue

Broken = Iterator[tuple[tuple[str, ...], str]]
SIGNS: Mapping[Direction, int] = {"increasing": 1, "decreasing": -1}
PROMISES: Mapping[Direction, str] = {"increasing": "never falls", "decreasing": "never rises"}
# Of LightGBM 4.7's methods "advanced" broke the promise when a feature was swept over its range,
# and "intermediate" looks for splits again, for which `extra_trees` draws other thresholds. This
# one forbids more than it has to, which costs little in trees of a few leaves.
METHOD = "basic"


def monotone_parameters(
    monotone: Mapping[str, Direction], columns: Sequence[str]
) -> dict[str, Any]:
    """LightGBM's parameters; none where nothing is constrained.

    Args:
        monotone: By feature, of the configuration.
        columns: Of the booster's matrix.
    """
    if not monotone:
        return {}
    signs = [SIGNS[monotone[name]] if name in monotone else 0 for name in columns]
    return {"monotone_constraints": signs, "monotone_constraints_method": METHOD}


def promises(monotone: Mapping[str, Direction]) -> list[dict[str, str]]:
    """What a model card says of them."""
    return [{"feature": name, "promise": PROMISES[how]} for name, how in monotone.items()]


def broken_constraints(config: RunConfig) -> Broken:
    """Every constraint on something that no model reads: it would hold without a word of it."""
    features = feature_catalogue(tuple(config.products))
    readable = {feature.name for feature in features if feature.in_model}
    known = {feature.name for feature in features}
    for name in config.models.monotone:
        if name in readable:
            continue
        if name in known:
            yield ("models", "monotone", name), "is a feature that no model may use; remove it"
        else:
            yield ("models", "monotone", name), f"is no feature{did_you_mean(name, readable)}"
