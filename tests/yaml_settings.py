"""The configuration as plain values, for the independent checker: read without `conf`.

YAML files, one environment over the base. What a run records of it is the same, and read by
`audit.independent.settings`.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

Values = dict[str, Any]
REPLACE = "!replace"


class Replaced(dict[str, Any]):
    """A mapping that takes the place of another instead of adding to it."""


class _Loader(yaml.SafeLoader):
    """Knows the tag `!replace`, and money to the cent."""


def _replaced(loader: yaml.SafeLoader, node: yaml.Node) -> Replaced:
    assert isinstance(node, yaml.MappingNode)
    return Replaced(loader.construct_mapping(node, deep=True))


_Loader.add_constructor(REPLACE, _replaced)
_Loader.add_constructor(
    "tag:yaml.org,2002:float", lambda loader, node: Decimal(loader.construct_scalar(node))
)


def read_settings(env: str, conf: Path) -> Values:
    """All sections, merged."""
    merged: Values = {}
    for folder in (conf / "base", conf / env):
        for path in sorted(folder.glob("*.yaml")):
            text = path.read_text(encoding="utf-8")
            _merge(merged, yaml.load(text, Loader=_Loader) or {})  # a SafeLoader
    return merged


def _merge(into: Values, more: Values) -> None:
    for name, value in more.items():
        if isinstance(value, dict) and not isinstance(value, Replaced):
            if not isinstance(into.get(name), dict):
                into[name] = {}
            _merge(into[name], value)
        else:
            into[name] = value
