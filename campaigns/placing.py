"""What became of the options of a section: which won, which made the cut, and at which rank."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from campaigns.optimiser import Plan
from campaigns.optimiser_inner import best_choice
from campaigns.optimiser_problem import Floats, Ints, Places, place_in_group
from campaigns.sections import Chance, Contest, matches
from campaigns.withheld import Cut, made_the_cut

PAIR = ("customer_id", "offer_id")
PLACES = pa.schema(
    [
        *((name, pa.string()) for name in PAIR),
        ("chosen_way", pa.int32()),
        ("is_winner", pa.bool_()),
        ("made_cut", pa.bool_()),
        ("rank_in_branch", pa.int32()),
        ("choice_probability", pa.float64()),
    ]
)


@dataclass(frozen=True)
class Placed:
    """One row per customer and offer of a section that won or made the cut, shaped ``PLACES``."""

    number: int
    rows: pa.Table


@dataclass(frozen=True)
class Chosen:
    """Options by place, rising, with what has to be told of each."""

    place: Places
    told: Ints | Floats

    def on(self, places: Places) -> tuple[Ints, Ints | Floats]:
        """Which of a section's options are among them, and what is told of these."""
        options, which = matches(places, self.place)
        return options, self.told[which]


@dataclass(frozen=True)
class Verdict:
    """What sections have to know of the choice.

    Attributes:
        planned: What the optimiser chose, each with its rank in its branch.
        by_chance: What chance chose and is made, likewise.
        tried: What chance chose, with its probability; those of withheld customers too.
        cut: What the withheld have to exceed.
    """

    planned: Chosen
    by_chance: Chosen
    tried: Chosen
    cut: Cut

    @staticmethod
    def of(plan: Plan, chance: Chance | None, cut: Cut) -> Verdict:
        """That of a plan beside what chance chose."""
        if chance is None:
            none = Chosen(plan.chosen[:0], np.zeros(0))
            return Verdict(Chosen(plan.chosen, _ranks(plan, None)), none, none, cut)
        ranks, planned = _ranks(plan, chance), len(plan.chosen)
        return Verdict(
            Chosen(plan.chosen, ranks[:planned]),
            Chosen(chance.made.place, ranks[planned:]),
            Chosen(chance.tried.place, chance.probability),
            cut,
        )

    def placed(self, contest: Contest) -> Placed:
        """What became of the options of a section, in which way."""
        planned, rank_planned = self.planned.on(contest.place)
        made, rank_made = self.by_chance.on(contest.place)
        tried, chances = self.tried.on(contest.place)
        part, left = contest.part, contest.left
        own, _ = matches(part.place, self.planned.place)
        control = left[made_the_cut(part, self.cut, own, contest.is_withheld)]
        winners = left[best_choice(part.problem, part.problem.value, 0)]
        table = _Table(contest)
        table.option[contest.candidate[winners]] = winners
        table.is_winner[contest.candidate[winners]] = True
        for options in (planned, control, tried):
            table.option[contest.candidate[options]] = options
            table.made_cut[contest.candidate[options]] = True
        table.rank[contest.candidate[planned]] = rank_planned
        table.rank[contest.candidate[made]] = rank_made
        table.probability[contest.candidate[tried]] = chances
        return Placed(contest.number, table.rows())


def _ranks(plan: Plan, chance: Chance | None) -> Ints:
    """The rank in its branch of what is planned and of what chance made, by worth, then place."""
    both = [plan.made] if chance is None else [plan.made, chance.made]
    place = np.concatenate([part.place for part in both])
    value = np.concatenate([part.problem.value for part in both])
    branch = np.concatenate([part.problem.limits[0].group for part in both])
    in_order = np.argsort(place, kind="stable")
    best_first = in_order[np.argsort(-value[in_order], kind="stable")]
    rank = np.empty(len(place), np.int64)
    rank[best_first] = 1 + place_in_group(branch[best_first])
    return rank


class _Table:
    """Columns with an entry per customer and offer."""

    def __init__(self, contest: Contest) -> None:
        self._contest = contest
        count = int(contest.candidate.max(initial=-1)) + 1
        self.option = np.full(count, -1, np.int64)
        self.is_winner, self.made_cut = np.zeros(count, np.bool_), np.zeros(count, np.bool_)
        self.rank, self.probability = np.zeros(count, np.int32), np.full(count, np.nan)

    def rows(self) -> pa.Table:
        """Those that won or made the cut."""
        told = np.sort(self.option[self.option >= 0])
        of = self._contest.candidate[told]
        values = [
            *self._contest.ids.take(pa.array(told)).columns,
            pa.array(self.is_winner[of]),
            pa.array(self.made_cut[of]),
            pa.array(self.rank[of], mask=self.rank[of] == 0),
            pa.array(self.probability[of], mask=np.isnan(self.probability[of])),
        ]
        return pa.table(values, names=PLACES.names).cast(PLACES)
