"""Choose among the options of a made-up bank: our way, and simple ways beside it."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from optimiser_options import Options, make_options

from campaigns.optimiser import Plan, optimise
from campaigns.optimiser_problem import NO_GROUP, Ints, Problem
from campaigns.optimiser_standing import Standing

BLOCK = 2_048


def main() -> None:
    """Needs the number of CUSTOMERS and where to write; ``beside`` does it the simple ways too."""
    options = make_options(int(sys.argv[1]))
    wall, cpu = time.monotonic(), time.process_time()
    plan = optimise(options.problem)
    found: dict[str, float] = {
        "seconds": round(time.monotonic() - wall, 2),
        "cpu_s": round(time.process_time() - cpu, 2),
        "options": len(options.problem),
        "gap": plan.gap,
        "profit": plan.value / 100,
        "bound": plan.bound / 100,
        "lacking": sum(one.lacking for one in plan.shortages),
    }
    _check(options.problem, plan)
    if sys.argv[3:] == ["beside"]:
        for name, order in _simple_orders(options):
            simple = taken_in_turn(options.problem, order)
            found[f"profit_ratio_{name}"] = round(plan.value / simple.value, 4)
            found[f"lacking_{name}"] = simple.shortage()
    Path(sys.argv[2]).write_text(json.dumps(found), encoding="utf-8")


def _simple_orders(options: Options) -> Iterator[tuple[str, Ints]]:
    """In which order the simple ways take what still fits."""
    problem = options.problem
    yield "customer_order", np.lexsort((-problem.value, problem.customer))
    yield "score_first", np.argsort(-options.propensity, kind="stable")
    product = next(limit for limit in problem.limits if limit.name == "product")
    yield "product_value", np.lexsort((-problem.value, product.group))
    yield "value_first", np.argsort(-problem.value, kind="stable")


def taken_in_turn(problem: Problem, order: Ints) -> Standing:
    """One option after the other, those that minima need first, if there is room."""
    standing = Standing(problem, order[:0])
    for place, limit in enumerate(problem.limits):
        for group in np.flatnonzero(limit.least).tolist():
            inside = order[limit.group[order] == group]
            _take(standing, inside, (place, group, int(limit.least[group])))
    _take(standing, order, None)
    return standing


def _take(standing: Standing, order: Ints, until: tuple[int, int, int] | None) -> None:
    for start in range(0, len(order), BLOCK):
        block = order[start : start + BLOCK]
        block = block[~standing.chosen[block]]
        for option in block[standing.fits(block)]:
            if until is not None and standing.used[until[0]][until[1]] >= until[2]:
                return
            if standing.fits(option[None])[0]:
                standing.add(int(option))


def _check(problem: Problem, plan: Plan) -> None:
    """Every cap and limit once more, counted anew."""
    for level in problem.levels:
        counts = np.bincount(level.group[plan.chosen], minlength=len(level.most))
        assert (counts <= level.most).all()
    for limit in problem.limits:
        group, amount = limit.group[plan.chosen], limit.amount[plan.chosen]
        inside = group != NO_GROUP
        used = np.bincount(group[inside], amount[inside], minlength=len(limit.most))
        assert (used <= limit.most).all(), limit.name


if __name__ == "__main__":
    main()
