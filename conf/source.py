"""How one bank's deliveries look: the types of `conf/sources/*.yaml` and their loader."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StrictBool, StrictStr, ValidationError

from conf.adapter import RawFile, Recipe
from conf.errors import ConfigError, did_you_mean
from conf.fields import Channel, Identifier, Settings, SourceTable
from conf.notation import Notation
from conf.strict_yaml import read_yaml

SOURCES = Path(__file__).parent / "sources"

Purpose = Literal["marketing_internal", "marketing_partner", "profiling"]
Recipes = Annotated[
    tuple[Recipe, ...],
    # one recipe need not be written as a list
    BeforeValidator(lambda value: [value] if isinstance(value, dict) else value),
]


class TableDelivery(Settings):
    """How a table is delivered.

    A ``whole`` table that lacks a row says that the row was deleted; an ``increment`` says nothing
    about rows it lacks. A table that isn't required may be absent: then nothing has changed.
    """

    delivery: Literal["whole", "increment"]
    is_required: StrictBool = True


class AssumedConsents(Settings):
    """Consents that the bank did not deliver and that a person took responsibility for assuming."""

    because: Annotated[StrictStr, Field(min_length=20)]
    purposes: Annotated[tuple[Purpose, ...], Field(min_length=1)]
    channels: Annotated[tuple[Channel, ...], Field(min_length=1)]


class AdapterSettings(Settings):
    """What brings raw files of another shape to ours; used by the adapters in `extracts/`.

    Attributes:
        history_from: First day of the raw history that is used; the first delivery is that of the
            month after.
        codes: By name of a list: raw code → ours. A raw code that is not listed is an error.
        assumed_consents: None if the source delivers consents of its own.
        assumptions: What a person took responsibility for, told whenever deliveries are made.
        raw: The raw files under names of our choice.
        make: What our tables are made of. Empty if the source has an adapter of its own.
    """

    history_from: date
    codes: dict[Identifier, dict[StrictStr, StrictStr | None]] = Field(default_factory=dict)
    assumed_consents: AssumedConsents | None = None
    assumptions: tuple[Annotated[StrictStr, Field(min_length=20)], ...] = ()
    raw: dict[Identifier, RawFile] = Field(default_factory=dict)
    make: dict[SourceTable, Recipes] = Field(default_factory=dict)


class SourceSettings(Notation):
    """One source of deliveries, and the notation of their CSV files."""

    description: StrictStr
    tables: dict[SourceTable, TableDelivery]
    adapter: AdapterSettings | None = None

    def delivery_of(self, table_name: str) -> TableDelivery:
        """How a table is delivered; one that the source doesn't list never is."""
        listed = {str(name): delivery for name, delivery in self.tables.items()}
        return listed.get(table_name, TableDelivery(delivery="increment", is_required=False))


def load_source(name: str, folder: Path = SOURCES) -> SourceSettings:
    """The settings of ``bank.source``.

    Raises:
        ConfigError: There is no such source, or its file is wrong; every problem is named.
    """
    path = folder / f"{name}.yaml"
    source = f"{folder.parent.name}/{folder.name}/{path.name}"
    if not path.is_file():
        known = sorted(other.stem for other in folder.glob("*.yaml"))
        hint = did_you_mean(name, known) or f"; there are {', '.join(known)}"
        raise ConfigError([f"bank.source: {source} does not exist{hint}"])
    try:
        return SourceSettings.model_validate(read_yaml(path, source))
    except ValidationError as error:
        raise ConfigError(f"{source}: {problem}" for problem in _problems(error)) from None


def _problems(error: ValidationError) -> Iterator[str]:
    for one in error.errors(include_url=False, include_input=False):
        where = ".".join(map(str, one["loc"])) or "the file"
        if one["type"] == "extra_forbidden":
            yield f"{where} is unknown{did_you_mean(str(one['loc'][-1]), _setting_names())}"
        else:
            yield f"{where}: {one['msg'].removeprefix('Value error, ')}"


def _setting_names() -> Iterator[str]:
    schema = SourceSettings.model_json_schema()
    for definition in (schema, *schema["$defs"].values()):
        yield from definition.get("properties", {})
