"""YAML read strictly: what looks like one thing and means another is a problem, not a value.

PyYAML alone lets the last of two equal keys win and reads `no` as false, `010` as 8 and `12:30`
as 750.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from conf.errors import ConfigError

# Text, int, Decimal, bool or None, or a list or mapping of these.
YamlValue = Any

PLAIN = "!plain"
REPLACE = "!replace"
MAP, SEQ, STR = (f"tag:yaml.org,2002:{kind}" for kind in ("map", "seq", "str"))

WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}
INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
DECIMAL = re.compile(r"[-+]?(0|[1-9][0-9]*)?\.?[0-9]+([eE][-+]?[0-9]{1,2})?")
SURPRISING = re.compile(
    r"(?P<truth>(?i:yes|no|on|off|y|n|true|false|null))"
    r"|(?P<number>[-+]?[0-9][0-9_.,:]*(?:[eE][-+]?[0-9]+)?|[-+]?0[xXoObB][0-9a-fA-F_]+|[-+]?\.(?i:inf|nan)|(?i:nan|inf))"
)


class Replace(dict[str, YamlValue]):
    """A mapping tagged `!replace`: it takes the place of the one below instead of adding to it."""


class _Loader(yaml.CSafeLoader):
    """Keeps unquoted text apart from quoted text, and guesses no types."""


_Loader.yaml_implicit_resolvers = {}
_Loader.add_implicit_resolver(PLAIN, re.compile(""), None)


def read_yaml(path: Path, name: str | None = None) -> YamlValue:
    """The content of one YAML file; numbers with a point are `Decimal`.

    Args:
        path: The file.
        name: What problems call it; its path if left out.

    Raises:
        ConfigError: It can't be read, or a value in it could be misunderstood.
    """
    source = name or str(path)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError([f"{source}: cannot be read: {error.strerror}"]) from error
    except UnicodeDecodeError as error:
        raise ConfigError([f"{source}: is not UTF-8 (byte {error.start})"]) from error
    return parse_yaml(text, source)


def parse_yaml(text: str, source: str) -> YamlValue:
    """The value that a YAML text says; see `read_yaml`."""
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        line = f" line {error.problem_mark.line + 1}" if error.problem_mark else ""
        problem = ", ".join(filter(None, (error.context, error.problem)))
        raise ConfigError([f"{source}{line}: {problem}"]) from error
    except yaml.YAMLError as error:
        raise ConfigError([f"{source}: {error}".splitlines()[0]]) from error
    if node is None:
        raise ConfigError([f"{source}: is empty"])
    reader = _Reader()
    value = reader.value(node)
    if reader.problems:
        raise ConfigError(f"{source} {problem}" for problem in reader.problems)
    return value


class _Reader:
    """Turns nodes into values and notes every problem on the way."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self._seen: set[int] = set()

    def value(self, node: yaml.Node) -> YamlValue:
        if id(node) in self._seen:
            self._note(node, "aliases (*name) are not allowed; write the value again")
            return None
        self._seen.add(id(node))
        if isinstance(node, yaml.MappingNode) and node.tag in (MAP, REPLACE):
            entries = dict(self._entries(node))
            return Replace(entries) if node.tag == REPLACE else entries
        if isinstance(node, yaml.SequenceNode) and node.tag == SEQ:
            return [self.value(item) for item in node.value]
        if isinstance(node, yaml.ScalarNode) and node.tag in (PLAIN, STR):
            # `!!str 3` is plain text with a tag that somebody wrote
            if node.tag == PLAIN:
                return self._plain(node)
            if node.style:
                return node.value
        tag = node.tag.replace("tag:yaml.org,2002:", "!!")
        self._note(node, f"the tag {tag} is not allowed here")
        return None

    def _entries(self, mapping: yaml.MappingNode) -> Iterator[tuple[str, YamlValue]]:
        first_lines: dict[str, int] = {}
        for key_node, value_node in mapping.value:
            known_problems = len(self.problems)
            key, value = self.value(key_node), self.value(value_node)
            if key == "<<":
                self._note(key_node, "merging (<<) is not allowed; write the values again")
            elif not isinstance(key, str):
                if len(self.problems) == known_problems:
                    self._note(key_node, f"the key {key} is not text; quote it")
            elif key in first_lines:
                self._note(key_node, f"{key} stands twice (first in line {first_lines[key]})")
            else:
                first_lines[key] = key_node.start_mark.line + 1
                yield key, value

    def _plain(self, node: yaml.ScalarNode) -> YamlValue:
        text = node.value
        if text in WORDS:
            return WORDS[text]
        if INTEGER.fullmatch(text):
            return int(text)
        if DECIMAL.fullmatch(text) and not re.match(r"[-+]?0[0-9]", text):
            return Decimal(text)
        surprise = SURPRISING.fullmatch(text)
        if surprise is None:
            return text
        fix = "true, false or null" if surprise["truth"] else "a plain decimal number"
        told = f"{text} means different things to different readers; write {fix}, or quote it"
        self._note(node, told)
        return None

    def _note(self, node: yaml.Node, problem: str) -> None:
        self.problems.append(f"line {node.start_mark.line + 1}: {problem}")
