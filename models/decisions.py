"""What was decided about a product's models, by whom and why.

A person's variant is registered; versions are proposed, promoted, rolled back and retired.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, Literal

Action = Literal["register", "propose", "promote", "rollback", "retire"]
REGISTER: Action = "register"
PROPOSE: Action = "propose"
PROMOTE: Action = "promote"
ROLLBACK: Action = "rollback"
RETIRE: Action = "retire"


@dataclass(frozen=True)
class Signature:
    """Who decided, why, and when.

    Attributes:
        who: A person, or the gate.
        why: In words.
        when: The time of a person's decision; the as-of date of the gate's.
        recorded_at: When it took effect: time of the clock, UTC.
    """

    who: str
    why: str
    when: str
    recorded_at: str


@dataclass(frozen=True)
class Decision:
    """One entry of the record.

    Attributes:
        action: ``promote`` and ``rollback`` change the champion, ``retire`` takes it out of use,
            ``propose`` asks a second person, ``register`` makes a variant the challenger.
        version: The version it is about.
        before: The champion's version at that moment; None if there was none.
        who: See ``Signature``, as for the others.
    """

    action: Action
    version: int
    before: int | None
    who: str
    why: str
    when: str
    recorded_at: str

    @classmethod
    def from_record(cls, content: Mapping[str, Any]) -> Decision:
        """What the registry holds; old entries lack ``recorded_at``, some hold more."""
        given = {"recorded_at": content["when"], **content}
        return cls(**{one.name: given[one.name] for one in fields(cls)})

    @property
    def changes_the_champion(self) -> bool:
        """It put a version in use, or took it out of use."""
        return self.action in (PROMOTE, ROLLBACK, RETIRE)

    def has_happened(self, champion: int | None) -> bool:
        """The champion is what it has to be right after this decision.

        Args:
            champion: Version that is in use now; None: none is.
        """
        wanted = {PROMOTE: self.version, ROLLBACK: self.version, RETIRE: None}
        return wanted.get(self.action, champion) == champion

    def repeats(self, other: Decision) -> bool:
        """The same was decided, whenever and by whomever."""
        mine, others = ((d.action, d.version, d.before) for d in (self, other))
        return mine == others


def previous_version(decisions: Sequence[Decision]) -> int | None:
    """The champion before the present one, where a rollback undoes the promotion before it.

    What was in use before a retirement is not gone back to.
    """
    champions: list[int] = []
    for decision in decisions:
        if decision.action == RETIRE:
            champions.clear()
        elif decision.action == ROLLBACK:
            champions.pop()
        elif decision.action == PROMOTE:
            champions.append(decision.version)
    return champions[-2] if len(champions) > 1 else None


def open_proposal(decisions: Sequence[Decision], version: int) -> Decision | None:
    """The proposal of a version that waits for a second person; anything decided since ends it."""
    last = decisions[-1] if decisions else None
    is_open = last is not None and last.action == PROPOSE and last.version == version
    return last if is_open else None


def is_promoted(decisions: Sequence[Decision], version: int) -> bool:
    """The last decision promoted the version, though a crash may have left it the challenger."""
    last = decisions[-1] if decisions else None
    return last is not None and last.action == PROMOTE and last.version == version


def is_same_person(one: str, other: str) -> bool:
    """Two spellings of one name: case and spaces make no second person."""
    return " ".join(one.split()).casefold() == " ".join(other.split()).casefold()


def live_on(decisions: Sequence[Decision], day: date) -> Decision | None:
    """The decision that had put the champion in use which was live at the end of a day, UTC.

    None if there was no champion.
    """
    until_then = [
        decision
        for decision in decisions
        if decision.changes_the_champion and date.fromisoformat(decision.recorded_at[:10]) <= day
    ]
    return until_then[-1] if until_then and until_then[-1].action != RETIRE else None
