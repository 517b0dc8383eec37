"""Base files, then those of an environment, then `--set`: merged, validated, frozen, hashed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from pydantic import ValidationError

from conf.errors import ConfigError, did_you_mean
from conf.problems import Keys, type_problems
from conf.rules import broken_rules
from conf.schema import RunConfig
from conf.strict_yaml import Replace, YamlValue, parse_yaml, read_yaml

__all__ = ["ConfigError", "config_hash", "config_json", "load_config", "read_yaml"]

CONF = Path(__file__).parent
NOT_ENVIRONMENTS = ("base", "sources")
Entries = Mapping[str, YamlValue]
Rule = Callable[[RunConfig], Iterator[tuple[Keys, str]]]


def load_config(
    env: str,
    overrides: Sequence[str] = (),
    conf_dir: Path | None = None,
    more_rules: Sequence[Rule] = (),
    what_ifs: Sequence[str] = (),
) -> RunConfig:
    """The whole configuration of one environment.

    Args:
        env: A folder of ``conf_dir``; what it says goes before what ``base`` says.
        overrides: Texts ``a.b.c=value``, values in YAML; they go before all files.
        conf_dir: Where the folders are; those of this package if left out.
        more_rules: Between settings and what this package does not know: where the value stands,
            and what is wrong with it.
        what_ifs: Texts like ``overrides``, which go before these.

    Raises:
        ConfigError: With every problem that was found.
    """
    folder = conf_dir or CONF
    merged = _Merged(f"{folder.name}/base")
    problems: list[str] = []
    for layer in (folder / "base", _environment(folder, env)):
        merged.add_all(_layer(layer, problems))
    for option, texts in (("--set", overrides), ("--what-if", what_ifs)):
        for said in (f"{option} {text}" for text in texts):
            merged.add_all(_attempt(problems, said, partial(_override, said)))
    if problems:
        raise ConfigError(problems)
    return _validated(merged, (broken_rules, *more_rules))


def config_json(config: RunConfig) -> str:
    """The merged whole as canonical JSON: sorted keys, no spaces, money as text."""
    settings = config.model_dump(mode="json")
    return json.dumps(settings, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def config_hash(config: RunConfig) -> str:
    """SHA-256 of `config_json`."""
    return hashlib.sha256(config_json(config).encode()).hexdigest()


class _Merged:
    """Settings of several sources in one mapping, and which source said what."""

    def __init__(self, source: str) -> None:
        self.values: dict[str, YamlValue] = {}
        self._sources: dict[Keys, str] = {(): source}

    def add_all(self, contents: Iterator[tuple[str, Entries]]) -> None:
        """Merge each source over what is there."""
        for source, entries in contents:
            self._add(self.values, entries, source, ())

    def source_of(self, keys: Keys) -> str:
        """The source of a value, or of the nearest mapping around it."""
        return next(
            self._sources[keys[:length]]
            for length in range(len(keys), -1, -1)
            if keys[:length] in self._sources
        )

    def _add(
        self, into: dict[str, YamlValue], entries: Entries, source: str, parents: Keys
    ) -> None:
        for name, value in entries.items():
            keys = (*parents, name)
            is_mapping = isinstance(value, dict)
            if not (is_mapping and isinstance(into.get(name), dict)) or isinstance(value, Replace):
                self._sources[keys] = source
                into[name] = {} if is_mapping else value
            if is_mapping:
                self._add(into[name], value, source, keys)


def _validated(merged: _Merged, rules: Sequence[Rule]) -> RunConfig:
    try:
        config = RunConfig.model_validate(_sorted(merged.values))
        found = tuple(problem for rule in rules for problem in rule(config))
    except ValidationError as error:
        found = tuple(type_problems(error))
    if found:
        raise ConfigError(
            f"{merged.source_of(keys)}: {'.'.join(keys)} {problem}" for keys, problem in found
        )
    return config


def _sorted(value: YamlValue) -> YamlValue:
    # the order of keys in a file must not change a result that the hash says is the same
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return value


def _environment(folder: Path, env: str) -> Path:
    known = sorted(
        path.name
        for path in folder.iterdir()
        if path.is_dir() and path.name not in NOT_ENVIRONMENTS and path.name[0] not in "._"
    )
    if env not in known:
        hint = did_you_mean(env, known) or f"; there are {', '.join(known)}"
        raise ConfigError([f"env '{env}' does not exist{hint}"])
    return folder / env


def _layer(folder: Path, problems: list[str]) -> Iterator[tuple[str, Entries]]:
    """The files of one folder; no two of them may say the same section."""
    sections: dict[str, str] = {}
    for path in sorted(folder.iterdir()):
        source = f"{folder.parent.name}/{folder.name}/{path.name}"
        if path.name.startswith(".") or path.name == "README.md":
            continue
        for _, entries in _attempt(problems, source, partial(_file, path, source)):
            for section in entries:
                first = sections.setdefault(section, source)
                if first != source:
                    problems.append(f"{source}: {section} stands in {first} too; keep one")
            yield source, entries


def _file(path: Path, source: str) -> Entries:
    if path.suffix != ".yaml" or not path.is_file():
        raise ConfigError([f"{source}: is no setting; here are only *.yaml files and README.md"])
    entries = read_yaml(path, source)
    if not isinstance(entries, dict):
        raise ConfigError([f"{source}: has no sections; write name: value"])
    return entries


def _override(said: str) -> Entries:
    dotted, equals, value = said.partition(" ")[2].partition("=")
    names = dotted.split(".")
    if not equals or not all(names):
        raise ConfigError([f"{said}: is not of the form a.b.c=value"])
    entries: YamlValue = parse_yaml(value, said)
    for name in reversed(names):
        entries = {name: entries}
    return dict(entries)


def _attempt(
    problems: list[str], source: str, read: Callable[[], Entries]
) -> Iterator[tuple[str, Entries]]:
    """What a source says, or nothing and its problems noted."""
    try:
        yield source, read()
    except ConfigError as error:
        problems += error.problems
