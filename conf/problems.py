"""What the types of `conf/schema.py` find wrong, said so that a person can correct it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from conf.errors import did_you_mean
from conf.schema import RunConfig
from conf.strict_yaml import YamlValue

Keys = tuple[str, ...]
BOUNDS = (
    ("minimum", "at least"),
    ("exclusiveMinimum", "above"),
    ("maximum", "at most"),
    ("exclusiveMaximum", "below"),
)
OUT_OF_RANGE = ("greater_than", "greater_than_equal", "less_than", "less_than_equal")
SUBJECT = re.compile(r"^(Input|String|Tuple|Dictionary|Decimal input) (should|must)")
WORDED = {
    "model_type": "it must be a mapping",
    "dict_type": "it must be a mapping",
    "tuple_type": "it must be a list",
    "bool_type": "it must be true or false",
}


def type_problems(error: ValidationError) -> Iterator[tuple[Keys, str]]:
    """Every problem: the keys that lead to the value, and what to say after its name."""
    for details in error.errors(include_url=False):
        keys = tuple(part for part in details["loc"] if isinstance(part, str))
        is_key = keys[-1] == "[key]"
        yield (keys[:-1], _key_problem(details)) if is_key else (keys, _value_problem(details))


def _key_problem(details: ErrorDetails) -> str:
    *parents, name, _ = details["loc"]
    known = _schema_at(tuple(parents)).get("propertyNames", {}).get("enum", ())
    return f"is not a possible name: {_rule(details)}{did_you_mean(str(name), known)}"


def _value_problem(details: ErrorDetails) -> str:
    location, value = details["loc"], details["input"]
    if details["type"] == "missing":
        return "is missing"
    if details["type"] == "extra_forbidden":
        known = _schema_at(location[:-1])["properties"]
        return f"is unknown{did_you_mean(str(location[-1]), known)}"
    node = _schema_at(location)
    if details["type"] in OUT_OF_RANGE:
        bounds = " and ".join(f"{word} {node[key]:g}" for key, word in BOUNDS if key in node)
        return f"is {_shown(value)}; it must be {bounds}"
    hint = did_you_mean(value, node.get("enum", ())) if isinstance(value, str) else ""
    return f"is {_shown(value)}; {_rule(details)}{hint}"


def _rule(details: ErrorDetails) -> str:
    said = SUBJECT.sub("it must", details["msg"]).removesuffix(" after validation, not 0")
    return WORDED.get(details["type"], said)


def _shown(value: YamlValue) -> str:
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    text = str(value)
    # what cannot be seen is spelt out, so that a problem stays one line
    return (text if text.isprintable() else json.dumps(text)) or "empty text"


@cache
def _schema() -> Mapping[str, Any]:
    return RunConfig.model_json_schema()


def _schema_at(location: tuple[int | str, ...]) -> Mapping[str, Any]:
    """The JSON schema of the value at a location."""
    node = _resolved(_schema())
    for part in location:
        if isinstance(part, int):
            child = node["items"]
        elif part in node.get("properties", {}):
            child = node["properties"][part]
        else:
            patterns = node.get("patternProperties", {"": {}})
            child = node.get("additionalProperties") or next(iter(patterns.values()))
        node = _resolved(child)
    return node


def _resolved(node: Mapping[str, Any]) -> Mapping[str, Any]:
    if "anyOf" in node:
        node = node["anyOf"][0]
    if "$ref" in node:
        return _resolved(_schema()["$defs"][node["$ref"].rsplit("/", 1)[-1]])
    return node
