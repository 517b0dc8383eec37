"""The configuration that a past run recorded, read by today's code."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

from pydantic import ValidationError

from conf.errors import ConfigError
from conf.load import config_json, load_config
from conf.problems import type_problems
from conf.schema import RunConfig

MISSING = "missing"
TODAY = "local"  # an environment that adds nothing to the base files
_NOWHERE = object()


def recorded_config(text: str) -> RunConfig:
    """What a run recorded; a setting that is newer than the run is as the files of today have it.

    It says how to show what was committed, and what was committed is checked by its hash: a setting
    that did not exist then has not decided anything.

    Args:
        text: JSON, as `config_json` wrote it.

    Raises:
        ConfigError: It says something that today's code no longer knows.
    """
    settings = json.loads(text)
    try:
        return RunConfig.model_validate_json(text)
    except ValidationError as error:
        for problem in error.errors():
            if problem["type"] == MISSING:
                _fill(settings, problem["loc"])
    try:
        return RunConfig.model_validate_json(json.dumps(settings))
    except ValidationError as error:
        raise ConfigError(
            f"the configuration that the run recorded: {'.'.join(keys)} {problem}; use the code"
            " version that `xsell runs` tells for it"
            for keys, problem in type_problems(error)
        ) from None


def _fill(settings: dict[str, Any], place: Sequence[str | int]) -> None:
    """Put in what today's files have at ``place``, if they have it."""
    found: Any = _today()
    for key in place:
        found = found.get(key, _NOWHERE) if isinstance(found, dict) else _NOWHERE
    if found is not _NOWHERE:
        inside: Any = settings
        for key in place[:-1]:
            inside = inside[key]
        inside[place[-1]] = found


@cache
def _today() -> dict[str, Any]:
    return dict(json.loads(config_json(load_config(TODAY))))
