"""Which clients get help instead of a sales offer, and what a branch does for them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StrictBool

from conf.fields import Flag, Identifier, Settings
from conf.wording import Language, NonEmpty

Texts = Annotated[dict[Language, NonEmpty], Field(min_length=1)]


class CareInstruction(Settings):
    """What a branch does, in every language.

    Attributes:
        name: What the help is called.
        what_to_do: Step by step.
        may_contact: The branch may turn to the client by itself.
        contact: Whom it turns to, and how.
    """

    name: Texts
    what_to_do: Texts
    may_contact: StrictBool
    contact: Texts


class CarePolicy(Settings):
    """Which clients get help instead of a sales offer, and which get no contact at all.

    Attributes:
        treatments: The help by flag.
        no_contact: Flags that stop all contact, and have no help.
        why: By flag what a branch is told; nothing that it need not know.
        instructions: What it does, by help.
    """

    treatments: dict[Flag, Identifier]
    no_contact: tuple[Flag, ...]
    why: dict[Flag, Texts]
    instructions: dict[Identifier, CareInstruction]
