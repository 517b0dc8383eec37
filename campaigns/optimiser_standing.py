"""A choice under way: what is chosen, and what every cap and limit still has room for."""

from __future__ import annotations

import numpy as np

from campaigns.optimiser_problem import NO_GROUP, Bools, Ints, Problem


class Standing:
    """Which options are chosen, with the counts that adding and dropping must keep."""

    def __init__(self, problem: Problem, chosen: Ints) -> None:
        self.problem = problem
        self.chosen: Bools = np.zeros(len(problem), np.bool_)
        self.chosen[chosen] = True
        self.counts = [
            np.bincount(level.group[chosen], minlength=len(level.most)).astype(np.int64)
            for level in problem.levels
        ]
        self.used = [limit.used(chosen) for limit in problem.limits]

    @property
    def options(self) -> Ints:
        """What is chosen, in the order that decides ties."""
        return np.flatnonzero(self.chosen)

    @property
    def value(self) -> int:
        """What is chosen is worth so many cents."""
        return int(self.problem.value[self.chosen].sum())

    def shortage(self) -> int:
        """Units that minima lack, all together."""
        pairs = zip(self.problem.limits, self.used, strict=True)
        return sum(int(np.maximum(limit.least - used, 0).sum()) for limit, used in pairs)

    def add(self, option: int) -> None:
        """Choose an option."""
        self._move(option, 1)

    def drop(self, option: int) -> None:
        """No longer choose an option."""
        self._move(option, -1)

    def _move(self, option: int, step: int) -> None:
        self.chosen[option] = step > 0
        for level, count in zip(self.problem.levels, self.counts, strict=True):
            count[level.group[option]] += step
        for limit, used in zip(self.problem.limits, self.used, strict=True):
            if limit.group[option] != NO_GROUP:
                used[limit.group[option]] += step * limit.amount[option]

    def fits(self, options: Ints, instead_of: Ints | None = None) -> Bools:
        """Whether each option could be chosen, if the other of its pair were dropped for it.

        Without others: beside all that is chosen. No cap or limit would be exceeded, and no minimum
        that is met would be missed.
        """
        keeps = np.ones(len(options), np.bool_)
        for level, count in zip(self.problem.levels, self.counts, strict=True):
            group = level.group[options]
            taken = count[group]
            if instead_of is not None:
                taken = taken - (level.group[instead_of] == group)
            keeps &= taken < level.most[group]
        for place in range(len(self.problem.limits)):
            keeps &= self._limit_fits(place, options, instead_of)
        return keeps

    def _limit_fits(self, place: int, options: Ints, instead_of: Ints | None) -> Bools:
        limit, used = self.problem.limits[place], self.used[place]
        if not len(used):
            return np.ones(len(options), np.bool_)
        group, amount = limit.group[options], limit.amount[options]
        taken = np.where(group == NO_GROUP, 0, used[group] + amount)
        most = np.where(group == NO_GROUP, 0, limit.most[group])
        if instead_of is None:
            return taken <= most
        other, less = limit.group[instead_of], limit.amount[instead_of]
        is_same = other == group
        fits = taken - np.where(is_same, less, 0) <= most
        left = used[other] - less + np.where(is_same, amount, 0)
        is_missed = (other != NO_GROUP) & (left < limit.least[other]) & (left < used[other])
        kept: Bools = fits & ~is_missed
        return kept

    def spare(self, options: Ints) -> Bools:
        """Whether each chosen option could be dropped without missing a minimum."""
        can = np.ones(len(options), np.bool_)
        for limit, used in zip(self.problem.limits, self.used, strict=True):
            if limit.has_least:
                group = limit.group[options]
                left = used[group] - limit.amount[options]
                can &= (group == NO_GROUP) | (left >= limit.least[group])
        return can
