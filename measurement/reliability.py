"""Were a model's propensities right? One product's scores of a month against what was bought.

Clients whom a campaign offered the product are left out: what the offer added would look as if the
model had been wrong. They were no clients like all others, so those whom chance withheld from the
same offer stand for them, each for 1 / the share withheld.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from math import nan, pi, sqrt

import numpy as np

from measurement.association import DEVIATIONS, Bools, Estimate, Floats, Ints
from measurement.weighted import (
    UNKNOWN,
    dot,
    effective,
    event_rate_ratio,
    ranking,
    top_lift,
)

BINS = 10
TOP = 0.1
MEASURED, TOO_FEW = "measured", "too_few"


@dataclass(frozen=True)
class ScoredProduct:
    """One product's scores of a month, of clients who could buy it, in the order of their ids.

    Attributes:
        product_id: What could be bought.
        cohort: As-of date of the scores.
        version: Of the model.
        propensity: As scored.
        has_bought: In the outcome window, as far as known.
        weight: Clients each stands for: 0 of whom a campaign offered it, more than 1 of whom chance
            withheld from that.
        note: What a reader must know of the weights, in words; may be nothing.
    """

    product_id: str
    cohort: date
    version: int
    propensity: Floats
    has_bought: Bools
    weight: Floats
    note: str = ""


@dataclass(frozen=True)
class Bin:
    """Clients with neighbouring propensities: a point of a reliability diagram.

    Attributes:
        clients: They stand for so many.
        expected: Mean propensity.
        observed: Share that bought, with its interval.
    """

    clients: float
    expected: float
    observed: Estimate


@dataclass(frozen=True)
class ModelMonth:
    """What became of one product's scores of one month.

    Attributes:
        product_id: What could be bought.
        cohort: As-of date of the scores.
        version: Of the model.
        state: measured, or too_few: neither bought nor were expected to buy as many as needed.
        clients: Who could buy and were offered it by no campaign.
        left_out: Who could buy and were offered it.
        withheld: Of ``clients`` those who stand for them.
        buyers: Of ``clients``.
        sure_buyers: As many of equal weight would say as much.
        observed: Buyers, as weighted.
        expected: Sum of propensities, as weighted.
        ratio: Observed ÷ expected.
        ece: Mean distance between propensity and share that bought, over ten bins.
        ece_by_chance: What a right model exceeds in one case out of forty.
        auc: Of the order; not told of too few buyers, as the next.
        lift: In the best 10 %.
        bins: Highest propensities first.
        note: See ``ScoredProduct``.
    """

    product_id: str
    cohort: date
    version: int
    state: str
    clients: int
    left_out: int
    withheld: int
    buyers: int
    sure_buyers: float
    observed: float
    expected: float
    ratio: Estimate = UNKNOWN
    ece: float = nan
    ece_by_chance: float = nan
    auc: Estimate = UNKNOWN
    lift: Estimate = UNKNOWN
    bins: tuple[Bin, ...] = field(default=(), repr=False)
    note: str = ""


def model_month(scored: ScoredProduct, min_buyers: int) -> ModelMonth:
    """Hold scores against what was bought.

    Args:
        scored: Scores, purchases and weights.
        min_buyers: Nothing is said of calibration where fewer bought and fewer were expected to; or
            of the order where fewer bought. Of clients who stand for many, fewer count.
    """
    kept = scored.weight > 0
    order = np.argsort(-scored.propensity[kept], kind="stable")
    propensity, weight = scored.propensity[kept][order], scored.weight[kept][order]
    bought = scored.has_bought[kept][order]
    sure_buyers = effective(weight[bought])
    observed, expected = float(weight[bought].sum()), dot(weight, propensity)
    # As many as expected, had they the weights of those who might have bought.
    sure_expected = expected**2 / dot(weight**2, propensity) if expected else 0.0
    is_told = max(sure_buyers, sure_expected) >= min_buyers
    month = ModelMonth(
        scored.product_id,
        scored.cohort,
        scored.version,
        MEASURED if is_told else TOO_FEW,
        clients=len(weight),
        left_out=int((~kept).sum()),
        withheld=int((weight > 1).sum()),
        buyers=int(bought.sum()),
        sure_buyers=sure_buyers,
        observed=observed,
        expected=expected,
        note=scored.note,
    )
    return _with_figures(month, propensity, bought, weight, min_buyers) if is_told else month


def _with_figures(
    month: ModelMonth, propensity: Floats, bought: Bools, weight: Floats, min_buyers: int
) -> ModelMonth:
    starts = _bin_starts(propensity, weight)
    has_order = month.sure_buyers >= min_buyers
    told = vars(month) | {
        "ratio": event_rate_ratio(weight[bought], propensity, weight),
        "bins": tuple(_bins(propensity, bought, weight, starts)),
        "auc": ranking(propensity, bought, weight) if has_order else UNKNOWN,
        "lift": top_lift(propensity, bought, weight, TOP) if has_order else UNKNOWN,
        **_distances(propensity, bought, weight, starts),
    }
    return ModelMonth(**told)


def _bin_starts(propensity: Floats, weight: Floats) -> Ints:
    """Tenths of the clients they stand for, which never cut a tie."""
    ties = np.flatnonzero(np.r_[True, propensity[1:] != propensity[:-1]])
    before = np.r_[0.0, np.cumsum(weight)[:-1]][ties]
    wanted = np.arange(BINS) * weight.sum() / BINS
    return np.unique(ties[np.searchsorted(before, wanted, side="right") - 1])


def _bins(propensity: Floats, bought: Bools, weight: Floats, starts: Ints) -> list[Bin]:
    found = []
    for start, end in zip(starts, np.r_[starts[1:], len(weight)], strict=True):
        part = slice(int(start), int(end))
        clients, mean = (
            float(weight[part].sum()),
            float(np.average(propensity[part], None, weight[part])),
        )
        ratio = event_rate_ratio(weight[part][bought[part]], propensity[part], weight[part])
        found.append(Bin(clients, mean, Estimate(*(end * mean for end in ratio))))
    return found


def _distances(
    propensity: Floats, bought: Bools, weight: Floats, starts: Ints
) -> Mapping[str, float]:
    """ECE, and what it is by chance alone: of each bin the size of a normal error."""
    clients = float(weight.sum())
    off = np.abs(np.add.reduceat(weight * (bought - propensity), starts))
    errors = np.sqrt(np.add.reduceat(weight**2 * propensity * (1 - propensity), starts))
    mean = sqrt(2 / pi) * float(errors.sum())
    spread = sqrt((1 - 2 / pi) * dot(errors, errors))
    return {
        "ece": float(off.sum()) / clients,
        "ece_by_chance": (mean + DEVIATIONS * spread) / clients,
    }
