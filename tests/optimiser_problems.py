"""Small random problems with every kind of limit, and the rules once more as plain sentences.

Nothing here uses the optimiser's own code but for the shape of its input.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from campaigns.optimiser_problem import NO_GROUP, NO_LIMIT, Level, Limit, Problem

Key = tuple[str, Any]


@dataclass
class Case:
    """Options as rows, with caps and limits by name."""

    rows: list[dict[str, Any]]
    most: dict[Key, int] = field(default_factory=dict)
    least: dict[Key, int] = field(default_factory=dict)

    def uses(self, row: dict[str, Any]) -> dict[Key, int]:
        """What an option uses up."""
        used = {
            ("once", (row["customer"], row["product"])): 1,
            ("class", (row["customer"], row["klass"])): 1,
            ("customer", row["customer"]): 1,
            ("household", row["household"]): 1,
            ("branch", row["branch"]): 1,
            ("minutes", row["branch"]): row["minutes"],
            ("product", row["product"]): 1,
            ("budget", 0): row["cost"],
            ("size", 0): 1,
        }
        if row["advisor"] is not None:
            used["advisor", row["advisor"]] = 1
        if row["partner"] is not None:
            used["partner", row["partner"]] = 1
        return used

    def total(self, chosen: Iterable[int]) -> Counter[Key]:
        """What a choice uses up."""
        total: Counter[Key] = Counter()
        for option in chosen:
            total.update(self.uses(self.rows[option]))
        return total

    def broken(self, chosen: Iterable[int]) -> list[Key]:
        """Caps and limits that a choice exceeds."""
        total = self.total(chosen)
        return [key for key, used in total.items() if used > self.most.get(key, NO_LIMIT)]

    def lacking(self, chosen: Iterable[int]) -> int:
        """Units that minima lack."""
        total = self.total(chosen)
        return sum(max(0, least - total[key]) for key, least in self.least.items())

    def value(self, chosen: Iterable[int]) -> int:
        """What a choice is worth."""
        return sum(self.rows[option]["value"] for option in chosen)


def make_case(seed: int, customers: int = 10, minima: bool = True) -> Case:
    """A case in which about every limit binds now and then."""
    chance = random.Random(seed)
    homes = [chance.randrange(1 + customers // 2) for _ in range(customers)]
    case = Case([])
    for customer in range(customers):
        branch, advisor = chance.randrange(3), chance.choice((None, 0, 1))
        for offer in range(5):
            if chance.random() < 0.6:
                case.rows.append(_row(chance, customer, homes[customer], branch, advisor, offer))
    keys = sorted({key for row in case.rows for key in case.uses(row)}, key=str)
    for key in keys:
        _limit(chance, case, key, minima)
    return case


def _row(
    chance: random.Random, customer: int, home: int, branch: int, advisor: int | None, offer: int
) -> dict[str, Any]:
    product = offer // 2 if offer < 2 else offer
    return {
        "value": chance.choice((chance.randrange(-30, 900), 10 * chance.randrange(40))),
        "customer": customer, "household": home, "branch": branch, "advisor": advisor,
        "product": product, "klass": product % 2, "partner": product if product > 2 else None,
        "minutes": chance.choice((0, 10, 25)), "cost": chance.randrange(0, 50),
    }  # fmt: skip


def _limit(chance: random.Random, case: Case, key: Key, minima: bool) -> None:
    kind = key[0]
    highest = {"once": 1, "class": 2, "customer": 2, "household": 3, "branch": 6, "advisor": 5}
    if kind == "once":
        case.most[key] = 1
    elif kind in highest:
        case.most[key] = chance.randrange(highest[kind] + 1)
    elif chance.random() < 0.5:
        size = {"minutes": 60, "product": 5, "partner": 5, "budget": 300, "size": 12}[kind]
        case.most[key] = chance.randrange(size + 1)
    if minima and kind in ("product", "partner") and chance.random() < 0.15:
        case.least[key] = chance.randrange(1, 3)


def problem_of(case: Case) -> Problem:
    """The case as arrays."""
    rows = case.rows
    levels = tuple(
        _level(case, kind, [next(key for key in case.uses(row) if key[0] == kind) for row in rows])
        for kind in ("once", "class", "customer", "household")
    )
    kinds = ("branch", "minutes", "advisor", "product", "partner", "budget", "size")
    return Problem(
        np.array([row["value"] for row in rows], np.int64),
        np.array([row["customer"] for row in rows], np.int64),
        np.array([row["household"] for row in rows], np.int64),
        levels,
        tuple(_shared(case, kind) for kind in kinds),
    )


def _numbered(keys: Sequence[Key | None]) -> tuple[list[Key], np.ndarray[Any, Any]]:
    known = sorted({key for key in keys if key is not None}, key=str)
    numbers = {key: number for number, key in enumerate(known)}
    groups = [NO_GROUP if key is None else numbers[key] for key in keys]
    return known, np.array(groups, np.int64)


def _level(case: Case, kind: str, keys: list[Key]) -> Level:
    known, group = _numbered(keys)
    return Level(group, np.array([case.most[key] for key in known], np.int64))


def _shared(case: Case, kind: str) -> Limit:
    used = [{key: n for key, n in case.uses(row).items() if key[0] == kind} for row in case.rows]
    known, group = _numbered([next(iter(one), None) for one in used])
    return Limit(
        kind,
        "unit",
        tuple(str(key[1]) for key in known),
        group,
        np.array([next(iter(one.values()), 0) for one in used], np.int64),
        np.array([case.most.get(key, NO_LIMIT) for key in known], np.int64),
        np.array([case.least.get(key, 0) for key in known], np.int64),
    )


def best_by_highs(case: Case) -> tuple[int, int]:
    """What is lacking at least, and the highest value that lacks no more."""
    count, minima = len(case.rows), sorted(case.least, key=str)
    uses = [case.uses(row) for row in case.rows]
    rows, lows, highs = [], [], []
    for key, most in sorted(case.most.items(), key=str):
        rows.append([one.get(key, 0) for one in uses] + [0] * len(minima))
        lows.append(-np.inf)
        highs.append(most)
    for place, key in enumerate(minima):
        rows.append(
            [one.get(key, 0) for one in uses] + [int(p == place) for p in range(len(minima))]
        )
        lows.append(case.least[key])
        highs.append(np.inf)
    short = np.array([0] * count + [1] * len(minima))
    kept = [LinearConstraint(np.array(rows), lows, highs)]
    upper = np.array([1.0] * count + [np.inf] * len(minima))
    whole = np.ones(count + len(minima))
    least = round(milp(short, integrality=whole, bounds=Bounds(0, upper), constraints=kept).fun)
    kept.append(LinearConstraint(short[None, :], -np.inf, least))
    value = np.array([-row["value"] for row in case.rows] + [0] * len(minima))
    found = milp(
        value, integrality=whole, bounds=Bounds(0, upper), constraints=kept,
        options={"mip_rel_gap": 0.0},
    )  # fmt: skip
    return least, -round(found.fun)


def best_by_trying(case: Case) -> int:
    """The highest value of all choices that keep every cap and limit, all of them tried."""
    best = 0
    for mask in range(2 ** len(case.rows)):
        chosen = [option for option in range(len(case.rows)) if mask >> option & 1]
        if not case.broken(chosen):
            best = max(best, case.value(chosen))
    return best
