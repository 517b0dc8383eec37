"""Which features tell a protected group: proxies, through which a model may treat it differently.

No model reads a protected attribute, but what it reads may give one away. Each feature is asked how
well it alone ranks a group's members above all others, and all of them together how well a booster
does that is trained to. The latter is about the most that any model could know of the group.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, log, nan, sqrt

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from measurement.association import DEVIATIONS, Bools, Estimate, Floats
from measurement.group_rates import UNKNOWN

Matrix = npt.NDArray[np.float32]
NOTHING = 0.5  # the AUC of what tells nothing
WITH_INTERVAL = 20  # features of a group; an interval costs more than the figure
TELLING = 0.1  # or so far from it
CLASSES = 10  # of a feature's values, for Cramér's V
FOLDS = 2
# Small on purpose: what it can tell is a bound on tens of trees, not on the best that can be had.
ROUNDS, LEAVES, BINS, LEAST_IN_LEAF = 40, 8, 63, 20


@dataclass(frozen=True)
class Proxy:
    """How well a feature alone tells a group.

    Attributes:
        attribute: Such as ``gender``.
        group: Its value.
        feature: The feature's name.
        auc: That of two clients the one of the group is ranked first; 0.5 tells nothing. A feature
            that ranks it last is turned round.
        is_higher: Members have more of it.
        association: Cramér's V between classes of the feature and all groups of the attribute.
        gain: Largest share of a champion's gain that the feature has; 0 if no model reads it.
        model: Which one that is.
    """

    attribute: str
    group: str
    feature: str
    auc: Estimate
    is_higher: bool
    association: float
    gain: float = 0.0
    model: str = ""


@dataclass(frozen=True)
class UpperBound:
    """How well all features together tell a group.

    Attributes:
        attribute: Such as ``gender``.
        group: Its value.
        customers: Of the group, among those looked at.
        auc: On clients the booster has not seen, with its interval.
    """

    attribute: str
    group: str
    customers: int
    auc: Estimate


def drawn_customers(customers: Sequence[str], most: int) -> npt.NDArray[np.int64]:
    """Places of those to look at: all, or so many with the lowest hash, in their order."""
    if len(customers) <= most:
        return np.arange(len(customers))
    hashes = [hashlib.sha256(f"fairness|{one}".encode()).digest() for one in customers]
    lowest = sorted(range(len(hashes)), key=hashes.__getitem__)[:most]
    return np.array(sorted(lowest), dtype=np.int64)


def proxies(
    matrix: Matrix,
    names: Sequence[str],
    groups: Mapping[str, npt.NDArray[np.str_]],
    told: Mapping[str, Sequence[str]],
) -> list[Proxy]:
    """How well each feature alone tells each group, the best first.

    Args:
        matrix: One row per client, one column per feature; NaN, no value, counts as the least.
        names: Of the features.
        groups: By attribute the group of each client.
        told: By attribute the groups that are large enough.

    Returns:
        Each feature and group; the best of each group with intervals.
    """
    codes = {name: np.unique(labels, return_inverse=True)[1] for name, labels in groups.items()}
    wanted = [(attribute, group) for attribute in groups for group in told[attribute]]
    members = np.array([groups[attribute] == group for attribute, group in wanted])
    aucs = np.empty((len(names), len(wanted)))
    associations = []
    for place in range(len(names)):
        ranks = _ranks(matrix[:, place])
        classes = np.minimum((ranks - 1) * CLASSES // len(ranks), CLASSES - 1).astype(np.int64)
        associations.append({name: cramers_v(classes, codes[name]) for name in groups})
        aucs[place] = _aucs(ranks, members)
    found = []
    for at, (attribute, group) in enumerate(wanted):
        strength = -np.abs(aucs[:, at] - NOTHING)
        ordered = np.lexsort([np.array(names), strength]).tolist()
        for rank, place in enumerate(ordered):
            auc = Estimate(float(aucs[place, at]), nan, nan)
            if rank < WITH_INTERVAL or abs(auc.value - NOTHING) >= TELLING:
                auc = ranked_auc(_ranks(matrix[:, place]), members[at])
            found.append(
                Proxy(
                    attribute,
                    group,
                    names[place],
                    auc if auc.value >= NOTHING else _turned(auc),
                    auc.value >= NOTHING,
                    associations[place][attribute],
                )
            )
    return sorted(found, key=lambda one: (-one.auc.value, one.attribute, one.group, one.feature))


def upper_bounds(
    matrix: Matrix,
    customers: Sequence[str],
    groups: Mapping[str, npt.NDArray[np.str_]],
    told: Mapping[str, Sequence[str]],
    seed: int,
) -> list[UpperBound]:
    """How well all features together tell each group, on clients not trained on.

    Args:
        matrix: One row per client; NaN where there is no value.
        customers: Their identifiers, whose hash says who is trained on.
        groups: By attribute the group of each client.
        told: By attribute the groups that are large enough.
        seed: Of the training.
    """
    fold = np.array(
        [hashlib.sha256(f"fold|{one}".encode()).digest()[0] % FOLDS for one in customers]
    )
    binned = [_binned(matrix[fold != one], seed) for one in range(FOLDS)]
    found = []
    for attribute, labels in groups.items():
        for group in told[attribute]:
            is_in = labels == group
            aucs = [
                ranked_auc(
                    rankdata(
                        _predicted(binned[one], is_in[fold != one], matrix[fold == one], seed)
                    ),
                    is_in[fold == one],
                )
                for one in range(FOLDS)
            ]
            found.append(UpperBound(attribute, group, int(is_in.sum()), _mean(aucs)))
    return found


def ranked_auc(ranks: Floats, is_in: Bools) -> Estimate:
    """ROC AUC with DeLong's interval on the scale of log-odds (DeLong et al., Biometrics 1988).

    Args:
        ranks: Of all clients, equal ones sharing their mean.
        is_in: Who belongs to the group.
    """
    members, others = int(is_in.sum()), int((~is_in).sum())
    if min(members, others) <= 1:
        return UNKNOWN
    inside, outside = ranks[is_in], ranks[~is_in]
    above = (inside - rankdata(inside)) / others  # per member: others ranked below
    below = 1 - (outside - rankdata(outside)) / members  # per other: members ranked above
    auc = float(above.mean())
    error = sqrt(above.var(ddof=1) / members + below.var(ddof=1) / others)
    if not 0 < auc < 1:
        return Estimate(auc, auc, auc)
    log_odds, half = log(auc / (1 - auc)), DEVIATIONS * error / (auc * (1 - auc))
    low, high = (1 / (1 + exp(-end)) for end in (log_odds - half, log_odds + half))
    return Estimate(auc, low, high)


def cramers_v(classes: npt.NDArray[np.int64], codes: npt.NDArray[np.int64]) -> float:
    """Association of two classifications, 0 to 1, without what chance adds (Bergsma, 2013)."""
    rows, columns = (np.unique(one, return_inverse=True)[1] for one in (classes, codes))
    shape = (int(rows.max()) + 1, int(columns.max()) + 1)
    table = np.bincount(rows * shape[1] + columns, minlength=shape[0] * shape[1]).reshape(shape)
    clients = table.sum()
    if min(shape) <= 1 or clients <= 1:
        return 0.0
    expected = np.outer(table.sum(1), table.sum(0)) / clients
    square = float(((table - expected) ** 2 / expected).sum() / clients)
    by_chance = (shape[0] - 1) * (shape[1] - 1) / (clients - 1)
    sides = [side - (side - 1) ** 2 / (clients - 1) for side in shape]
    return sqrt(max(0.0, square - by_chance) / (min(sides) - 1))


def _ranks(values: npt.NDArray[np.float32]) -> Floats:
    return np.asarray(rankdata(np.where(np.isnan(values), -np.inf, values)))


def _aucs(ranks: Floats, members: npt.NDArray[np.bool_]) -> Floats:
    """Of each group, from the sum of its ranks (Mann and Whitney)."""
    inside = members.sum(axis=1)
    above = members @ ranks - inside * (inside + 1) / 2
    return np.asarray(above / np.maximum(inside * (len(ranks) - inside), 1))


def _turned(auc: Estimate) -> Estimate:
    return Estimate(1 - auc.value, 1 - auc.high, 1 - auc.low)


def _binned(matrix: Matrix, seed: int) -> object:
    """Binned once for all groups."""
    from lightgbm import Dataset

    parameters = {"max_bin": BINS, "feature_pre_filter": False, **_machine(seed)}
    return Dataset(matrix, params=parameters, free_raw_data=False).construct()


def _predicted(binned: object, is_in: Bools, matrix: Matrix, seed: int) -> Floats:
    from lightgbm import train

    binned.set_label(is_in.astype(np.float32))  # type: ignore[attr-defined]
    parameters = {
        "objective": "binary",
        "num_leaves": LEAVES,
        "min_data_in_leaf": LEAST_IN_LEAF,
        "max_bin": BINS,
        "feature_pre_filter": False,
        **_machine(seed),
    }
    booster = train(parameters, binned, num_boost_round=ROUNDS)
    return np.asarray(booster.predict(matrix, raw_score=True, num_threads=1), dtype=np.float64)


def _machine(seed: int) -> dict[str, object]:
    """The same trees on every machine."""
    return {
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "verbosity": -1,
    }


def _mean(aucs: Sequence[Estimate]) -> Estimate:
    """Of folds that share no client: their mean, with the interval of a mean."""
    value = sum(one.value for one in aucs) / len(aucs)
    low, high = (
        sqrt(sum((end - one.value) ** 2 for one, end in ends)) / len(aucs)
        for ends in ([(a, a.low) for a in aucs], [(a, a.high) for a in aucs])
    )
    return Estimate(value, value - low, value + high)
