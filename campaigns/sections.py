"""A competition in sections that no household lies across, each looked at where it lies.

A section knows its own customers only. What they share with others is told to it: what chance has
used up, what full groups took last, which rank an offer has in its branch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from campaigns.competition import Competition, Known, Terms
from campaigns.dominated import dominated
from campaigns.exploration import Draw, explored, room_of
from campaigns.optimiser_problem import NO_LIMIT, Bools, Floats, Ints, Part, Places, Problem, joined
from campaigns.optimiser_sift import SIFTED_ABOVE
from campaigns.parts import AT_ONCE, InProcess, Parts

IDS = ["customer_id", "offer_id", "way"]


@dataclass(frozen=True)
class Section:
    """Options of some households.

    Attributes:
        number: Which of the sections it is.
        ids: Customer, offer and way of each option.
        hashes: Of each option's customer, if drawn for exploration.
        candidate: Which options are ways of one offer to one customer, numbered from 0.
        is_withheld: Competes, but is not contacted.
        is_worth_it: Passed every gate; else only chance may choose it.
        part: The options, those of withheld customers too.
    """

    number: int
    ids: pa.Table
    hashes: pa.ChunkedArray
    candidate: Ints
    is_withheld: Bools
    is_worth_it: Bools
    part: Part

    @staticmethod
    def of(number: int, competition: Competition) -> Section:
        """That of some options as they compete."""
        return Section(
            number,
            competition.rows.select(IDS),
            competition.rows["exploration_hash"],
            competition.candidate,
            competition.is_withheld,
            competition.is_worth_it,
            Part(competition.problem, competition.place),
        )

    @staticmethod
    def among(number: int, rows: pa.Table, terms: Terms, known: Known) -> Section:
        """That of all options of some households, as ``choice.competing`` gives them."""
        return Section.of(number, Competition.among(rows, terms, known))


def in_process(rows: pa.Table, terms: Terms) -> Parts[Section]:
    """Sections in this process: several where there are enough options to search in threads."""
    competition = Competition.among(rows, terms)
    count = AT_ONCE if len(rows) >= SIFTED_ABOVE else 1
    if count == 1:
        return InProcess([Section.of(0, competition)])
    shard = competition.household % count
    return InProcess(
        [
            Section.of(number, competition.only(np.flatnonzero(shard == number)))
            for number in range(count)
        ]
    )


@dataclass(frozen=True)
class Drawn:
    """The options of customers who are drawn for exploration."""

    part: Part
    hashes: pa.ChunkedArray
    is_withheld: Bools

    @staticmethod
    def of(section: Section) -> Drawn:
        """Those of a section."""
        options = np.flatnonzero(section.hashes.is_valid().to_numpy())
        hashes = section.hashes.take(pa.array(options))
        return Drawn(section.part.only(options), hashes, section.is_withheld[options])

    @staticmethod
    def together(parts: Sequence[Drawn]) -> Drawn:
        """Those of all sections, in the order that decides ties."""
        order = np.argsort(np.concatenate([drawn.part.place for drawn in parts]), kind="stable")
        hashes = pa.chunked_array([chunk for drawn in parts for chunk in drawn.hashes.chunks])
        is_withheld = np.concatenate([drawn.is_withheld for drawn in parts])
        return Drawn(
            joined([drawn.part for drawn in parts]),
            hashes.take(pa.array(order)),
            is_withheld[order],
        )


@dataclass(frozen=True)
class Chance:
    """What chance has chosen, for all sections.

    Attributes:
        tried: The options, in the order that decides ties.
        probability: Of each: that it was chosen for its customer, who was drawn.
        is_made: Not of a withheld customer.
        used: What the options that are made use up of each limit.
    """

    tried: Part
    probability: Floats
    is_made: Bools
    used: tuple[Ints, ...]

    @staticmethod
    def among(sections: Parts[Section], share: float) -> Chance | None:
        """Let chance choose, of the few options of those who are drawn; None if it has no share."""
        if not share:
            return None
        drawn = Drawn.together(sections.map(Drawn.of))
        problem = drawn.part.problem
        contacts = problem.limits[0]
        draw = Draw(
            hashes=drawn.hashes.to_pylist(),
            branch=contacts.group,
            room=room_of(share, contacts.most),
            is_withheld=drawn.is_withheld,
        )
        found = explored(problem, draw)
        order = np.argsort(found.options)
        options = found.options[order]
        return Chance(
            Part(problem.part(options), drawn.part.place[options]),
            found.probability[order],
            ~drawn.is_withheld[options],
            found.used,
        )

    @property
    def made(self) -> Part:
        """The options that are made."""
        made = np.flatnonzero(self.is_made)
        return Part(self.tried.problem.part(made), self.tried.place[made])


@dataclass(frozen=True)
class Contest:
    """What is left of a section after chance has chosen, under what it has left of limits.

    Attributes:
        number: Which of the sections it is.
        ids: Customer, offer and way of each option of the section.
        candidate: Which of these are ways of one offer to one customer, numbered from 0.
        place: Of these among all options.
        left: Those that are worth it and may be the right way, of customers for whom chance has not
            chosen.
        problem: These as they compete.
        is_withheld: Whose of these may not be chosen.
    """

    number: int
    ids: pa.Table
    candidate: Ints
    place: Places
    left: Ints
    problem: Problem
    is_withheld: Bools

    @staticmethod
    def after(chance: Chance | None, section: Section) -> Contest:
        """That of a section."""
        tried = np.zeros(0, np.int64) if chance is None else own(section.part.place, chance.tried)
        left = _still_competing(section, tried)
        return Contest(
            section.number,
            section.ids,
            section.candidate,
            section.part.place,
            left,
            _beside(section, chance, tried, left),
            section.is_withheld[left],
        )

    @property
    def part(self) -> Part:
        """What is left, with its places."""
        return Part(self.problem, self.place[self.left])

    def contactable(self) -> Part:
        """What may be chosen."""
        free = np.flatnonzero(~self.is_withheld)
        return Part(self.problem.part(free), self.place[self.left[free]])


def own(places: Places, part: Part) -> Ints:
    """Which of a section's options ``part`` has, whatever else it has."""
    return matches(places, part.place)[0]


def matches(places: Places, wanted: Places) -> tuple[Ints, Ints]:
    """Where wanted places lie among rising ones, and which of the wanted these are."""
    found = np.searchsorted(places, wanted)
    inside = np.flatnonzero(found < len(places))
    inside = inside[places[found[inside]] == wanted[inside]]
    return found[inside], inside


def _still_competing(section: Section, tried: Ints) -> Ints:
    customer = section.part.problem.customer
    is_settled = np.zeros(int(customer.max(initial=-1)) + 1, np.bool_)
    is_settled[customer[tried]] = True
    left = np.flatnonzero(section.is_worth_it & ~is_settled[customer])
    part = section.part.problem.part(left)
    kept: Ints = left[~dominated(section.candidate[left], part.value, part.limits)]
    return kept


def _beside(section: Section, chance: Chance | None, tried: Ints, left: Ints) -> Problem:
    """The options that are left, within what chance has left of limits and of households."""
    problem = section.part.problem
    part = problem.part(left)
    if chance is None:
        return part
    made = tried[~section.is_withheld[tried]]
    *inner, home = part.levels
    taken = np.bincount(problem.levels[-1].group[made], minlength=len(home.most))
    limits = tuple(
        replace(
            limit,
            most=np.where(limit.most < NO_LIMIT, limit.most - used, NO_LIMIT),
            least=np.maximum(limit.least - used, 0),
        )
        for limit, used in zip(part.limits, chance.used, strict=True)
    )
    return replace(part, levels=(*inner, replace(home, most=home.most - taken)), limits=limits)
