"""For whom chance chooses, so that the bank learns what no rule would have tried.

Customers are drawn by hash, and of the ways that are open to one of them, over all offers, the same
hash takes one, each as likely as any other. All gates hold but that an offer has to be worth it;
one that puts the client off is not taken. Chance chooses first, but of a branch's contacts it gets
no more than its share; in which order, the hash says. Whom it has no room for competes like all.

Who is drawn and withheld from the campaign gets his way chosen alike: he is the control of those.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from campaigns.control_group import HEX_DIGITS
from campaigns.optimiser_problem import Bools, Floats, Ints, Problem
from campaigns.optimiser_standing import Standing

ROUNDING = 1e-9


@dataclass(frozen=True)
class Explored:
    """What chance has chosen.

    Attributes:
        options: One of each customer; those of the withheld too.
        probability: Of each: that it was chosen for its customer, who was drawn.
        used: What the options that are made use up of each limit.
    """

    options: Ints
    probability: Floats
    used: tuple[Ints, ...]


@dataclass(frozen=True)
class Draw:
    """Who takes part in exploration.

    Attributes:
        hashes: Of each option's customer, hex; None if not drawn.
        branch: Of each option.
        room: Of each branch: contacts that chance may use.
        is_withheld: Whose options are not made.
    """

    hashes: list[str | None]
    branch: Ints
    room: Ints
    is_withheld: Bools


def room_of(share: float, contacts: Ints) -> Ints:
    """No more than this share of each branch's contacts."""
    found: Ints = np.floor(share * contacts + ROUNDING).astype(np.int64)
    return found


def explored(problem: Problem, draw: Draw) -> Explored:
    """Let chance choose.

    Args:
        problem: All options of everybody, in the order that decides ties.
        draw: Who takes part.
    """
    standing = Standing(problem, np.zeros(0, np.int64))
    room, found = draw.room.copy(), list[tuple[int, float]]()
    drawn = list(_drawn(problem, draw))
    waiting = np.bincount(
        [draw.branch[own[0]] for _, own in drawn if not draw.is_withheld[own[0]]],
        minlength=len(room),
    )
    for text, own in drawn:
        option = int(own[int(text[HEX_DIGITS : 2 * HEX_DIGITS], 16) % len(own)])
        branch = draw.branch[option]
        if room[branch] == 0 or not standing.fits(np.array([option]))[0]:
            continue
        reached = min(1.0, draw.room[branch] / max(1, waiting[branch]))
        found.append((option, reached / len(own)))
        if not draw.is_withheld[option]:
            standing.add(option)
            room[branch] -= 1
    return Explored(
        options=np.array([option for option, _ in found], np.int64),
        probability=np.array([probability for _, probability in found], np.float64),
        used=tuple(standing.used),
    )


def _drawn(problem: Problem, draw: Draw) -> Iterator[tuple[str, Ints]]:
    """Each drawn customer's hash and options, in the order of hashes."""
    taking_part = np.array([text is not None for text in draw.hashes], np.bool_)
    options = np.flatnonzero(taking_part)
    options = options[np.argsort(problem.customer[options], kind="stable")]
    _, first = np.unique(problem.customer[options], return_index=True)
    parts = np.split(options, first[1:]) if len(options) else []
    hashed = [(draw.hashes[int(own[0])] or "", own) for own in parts]
    yield from sorted(hashed, key=lambda pair: pair[0])
