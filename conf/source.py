"""How one bank's deliveries look: the types of `conf/sources/*.yaml` and their loader."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictStr, ValidationError

from conf.errors import ConfigError, did_you_mean
from conf.schema import Channel, Identifier, Settings
from conf.strict_yaml import read_yaml

SOURCES = Path(__file__).parent / "sources"

SourceTable = Literal[
    "branches",
    "advisors",
    "fx_rates",
    "customers",
    "accounts",
    "transactions",
    "holdings",
    "consents",
    "flags",
    "contacts",
]
Purpose = Literal["marketing_internal", "marketing_partner", "profiling"]


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
    """What brings raw files of another shape to ours; used by the adapter in `extracts/`.

    Attributes:
        history_from: First day of the raw history that is used.
        codes: By name of a list: raw code → ours. A raw code that is not listed is an error.
        assumed_consents: None if the source delivers consents of its own.
    """

    history_from: date
    codes: dict[Identifier, dict[StrictStr, StrictStr | None]]
    assumed_consents: AssumedConsents | None = None


class SourceSettings(Settings):
    """One source of deliveries."""

    description: StrictStr
    delimiter: Annotated[StrictStr, Field(pattern=r"^[,;|\t]$")] = ","
    tables: dict[SourceTable, TableDelivery]
    adapter: AdapterSettings | None = None

    def delivery_of(self, table_name: str) -> TableDelivery:
        """How a table is delivered."""
        return {str(name): delivery for name, delivery in self.tables.items()}[table_name]


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
        found = error.errors(include_url=False, include_input=False)
        raise ConfigError(
            f"{source}: {'.'.join(map(str, one['loc'])) or 'the file'}: {one['msg']}"
            for one in found
        ) from None
