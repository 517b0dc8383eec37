"""How often a group is offered something beside clients alike: the same offer, the same stratum."""

from __future__ import annotations

from dataclasses import dataclass
from math import erfc, exp, log, nan, sqrt

import numpy as np

from measurement.association import Bools, Estimate, Floats, Ints
from measurement.group_rates import ERROR, UNKNOWN, deviations

FEWEST_EXPECTED = 5.0  # offers, of which a spread can be told
DECILES = 10


@dataclass(frozen=True)
class RateRatio:
    """Offers of a group ÷ those it would have at the others' rates, stratum by stratum.

    Attributes:
        value: The ratio (Mantel and Haenszel); NaN where no stratum has both.
        spread: Standard deviation of its logarithm, with a client's offers taken together.
        expected: Offers that the group would have at the others' rates.
        offers: Offers that it has.
        rows: Clients × offers of the group.
    """

    value: float
    spread: float
    expected: float
    offers: int
    rows: int

    @property
    def can_be_judged(self) -> bool:
        """There could be enough offers to tell a spread."""
        return self.value == self.value and self.expected >= FEWEST_EXPECTED

    @property
    def p_value(self) -> float:
        """That a group like the others comes out as far from 1 by chance."""
        if not self.can_be_judged:
            return nan
        if not self.value:
            return min(1.0, 2 * exp(-self.expected))
        return erfc(abs(log(self.value)) / self.spread / sqrt(2))

    def estimate(self, error: float = ERROR) -> Estimate:
        """With an interval that misses so often: of the logarithm, or, of no offers, Poisson's."""
        if not self.can_be_judged:
            return UNKNOWN
        if not self.value:
            return Estimate(0.0, 0.0, -log(error / 2) / self.expected)
        reach = exp(deviations(error) * self.spread)
        return Estimate(self.value, self.value / reach, self.value * reach)


class Strata:
    """Clients × offers in strata, of which any group is held against all others.

    Args:
        client: The place of each row's client among all clients.
        stratum: What is alike within; any whole numbers from 0.
        is_offered: Whether each row was offered.
        clients: How many clients there are.
    """

    def __init__(self, client: Ints, stratum: Ints, is_offered: Bools, clients: int) -> None:
        _, self._stratum = np.unique(stratum, return_inverse=True)
        self._client, self._is_offered, self._clients = client, is_offered, clients
        self._rows = np.bincount(self._stratum)
        self._offers = self._counted(is_offered)

    def ratio(self, in_group: Bools) -> RateRatio:
        """The group's rate beside that of the others.

        The weights are those of Mantel and Haenszel for a ratio of rates (Rothman and Boice, 1979;
        Greenland and Robins, Biometrics 41, 1985); the spread sums over clients instead of strata,
        since a client who is offered one thing is not offered another.

        Args:
            in_group: Of each client.
        """
        if not len(self._client):
            return RateRatio(nan, nan, 0.0, 0, 0)
        is_in = in_group[self._client]
        rows, offers = self._counted(is_in), self._counted(is_in & self._is_offered)
        other_rows, other_offers = self._rows - rows, self._offers - offers
        weight, other_weight = other_rows / self._rows, rows / self._rows
        made, expected = float(offers @ weight), float(other_offers @ other_weight)
        told = RateRatio(nan, nan, expected, int(offers.sum()), int(rows.sum()))
        if not expected:
            return told
        rate = offers / np.maximum(rows, 1)
        other_rate = other_offers / np.maximum(other_rows, 1)
        spread = nan
        if made:
            ups = (self._is_offered - rate[self._stratum]) * weight[self._stratum] / made
            downs = (self._is_offered - other_rate[self._stratum]) * other_weight[self._stratum]
            effect = np.where(is_in, ups, -downs / expected)
            of_client = np.bincount(self._client, weights=effect, minlength=self._clients)
            spread = sqrt(float(of_client @ of_client))
        return RateRatio(made / expected, spread, expected, told.offers, told.rows)

    def _counted(self, rows: Bools) -> Ints:
        return np.bincount(self._stratum, weights=rows, minlength=len(self._rows)).astype(np.int64)


def deciles_within(offer: Ints, propensity: Floats, among: Bools) -> Ints:
    """A stratum per row: its offer and the decile of its propensity among the offer's rows.

    Equal propensities share a decile; an unknown one is a stratum of its own.

    Args:
        offer: Of each row, whole numbers from 0.
        propensity: Of each row; NaN is unknown.
        among: Rows whose deciles are wanted; the others get the lowest.
    """
    found = np.zeros(len(offer), dtype=np.int64)
    for one in np.unique(offer[among]):
        places = np.flatnonzero(among & (offer == one))
        values = propensity[places]
        known = ~np.isnan(values)
        if known.any():
            edges = np.quantile(values[known], np.arange(1, DECILES) / DECILES)
            found[places] = np.searchsorted(edges, values, side="right")
        found[places[~known]] = DECILES
    return np.asarray(offer * (DECILES + 1) + found)
