"""Which ways of an offer can never be the right one, and so need not compete."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from campaigns.optimiser_problem import NO_GROUP, Bools, Ints, Limit


def dominated(group: Ints, value: Ints, limits: Sequence[Limit]) -> Bools:
    """Ways beside which another of the same offer is worth as much and uses no more of any limit.

    To choose the other one instead never breaks a limit and never earns less, so that of two that
    are alike the first stays. Limits with a minimum must not tell the ways of an offer apart.

    Args:
        group: Which options are ways of the same offer to the same customer.
        value: Of each option.
        limits: What customers share.
    """
    order = np.argsort(group, kind="stable")
    ordered, worth = group[order], value[order]
    uses = [(_inside(limit)[order], limit.group[order], limit.amount[order]) for limit in limits]
    loses = np.zeros(len(group), np.bool_)
    for step in range(1, int(np.bincount(group).max(initial=1))):
        # pairs of neighbours at this distance; the first of a pair comes first in order
        first = np.flatnonzero(ordered[:-step] == ordered[step:])
        second = first + step
        first_uses_no_more, second_uses_no_more = np.ones((2, len(first)), np.bool_)
        for inside, named, amount in uses:
            first_uses_no_more &= _uses_no_more(first, second, inside, named, amount)
            second_uses_no_more &= _uses_no_more(second, first, inside, named, amount)
        first_wins = (worth[first] >= worth[second]) & first_uses_no_more
        second_wins = (worth[second] >= worth[first]) & second_uses_no_more & ~first_wins
        loses[second[first_wins]] = True
        loses[first[second_wins]] = True
    found = np.zeros(len(group), np.bool_)
    found[order] = loses
    return found


def _inside(limit: Limit) -> Bools:
    """Which options use something up."""
    found: Bools = (limit.group != NO_GROUP) & (limit.amount > 0)
    return found


def _uses_no_more(one: Ints, other: Ints, inside: Bools, named: Ints, amount: Ints) -> Bools:
    is_less = (named[one] == named[other]) & (amount[one] <= amount[other])
    found: Bools = ~inside[one] | is_less
    return found
