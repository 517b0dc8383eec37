"""How a ranking of customers would have done: buyers caught among the first, against baselines."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.evaluate import INTERVAL, Estimate, resampled
from models.matrix import Outcomes, Vector
from tables.errors import ContractViolation

TOP_SHARE = 0.10
TOP_COUNT = 200
RANDOM = "random order"
FIGURES = ("top_decile", "top_200", "auc", "decile_lift")


@dataclass(frozen=True)
class BackTest:
    """What came of it.

    Attributes:
        customers: Customers who could have bought.
        buyers: Those who did.
        results: By ranking and figure: buyers among the best 10 %, among the best 200, ROC AUC, and
            the rate of buyers in the best 10 % ÷ the overall rate.
            For the random order: its expectation, and what the middle 95 % of orders reach.
        gains: By baseline and figure, how much more the first ranking reached, on the same
            bootstrap samples; than the expectation of a random order.
    """

    customers: int
    buyers: int
    results: Mapping[str, Mapping[str, Estimate]]
    gains: Mapping[str, Mapping[str, Estimate]]


def back_test(
    rankings: Mapping[str, Mapping[str, float]],
    has_bought: Mapping[str, bool],
    samples: int,
    seed: int,
) -> BackTest:
    """Compare rankings on what really happened.

    Args:
        rankings: By name a figure per customer, the higher the likelier; the first one is judged,
            the others are baselines. A random order is added.
        has_bought: What happened, for every customer who could have bought.
        samples: Bootstrap samples of customers; intervals hold the middle 95 %.
        seed: Of the bootstrap and of the random order.

    Raises:
        ContractViolation: A ranking lacks a customer.
    """
    customers = sorted(has_bought, key=_drawn)
    bought = np.array([has_bought[customer] for customer in customers], dtype=bool)
    scores = {name: _scores(name, ranking, customers) for name, ranking in rankings.items()} | {
        RANDOM: np.zeros(len(customers))
    }
    weightings = resampled(len(customers), samples, seed)
    drawn = {name: _figures(score, bought, weightings) for name, score in scores.items()}
    points = {
        name: _figures(score, bought, [np.ones(len(customers))])[0]
        for name, score in scores.items()
    }
    judged, *baselines = drawn
    return BackTest(
        customers=len(customers),
        buyers=int(bought.sum()),
        results={name: _estimates(points[name], drawn[name]) for name in drawn}
        | {RANDOM: _estimates(points[RANDOM], _random_figures(bought, samples, seed))},
        gains={
            name: _estimates(points[judged] - points[name], drawn[judged] - drawn[name])
            for name in baselines
        },
    )


def column_by_customer(rows: pa.Table, column: str) -> dict[str, float]:
    """One figure per customer; unknown ones rank last."""
    values = pc.fill_null(rows[column].cast(pa.float64()), -math.inf)
    return dict(zip(rows["customer_id"].to_pylist(), values.to_pylist(), strict=True))


def report_lines(found: BackTest, what: str) -> list[str]:
    """The figures as a table a person can read."""
    share = found.buyers / found.customers
    lines = [
        f"Back-test: {what}: {found.buyers} of {found.customers} customers bought ({share:.1%}).",
        "Intervals are the middle 95 % of bootstrap samples of customers.",
        "",
        f"{'':<22}{'top decile':>18}{'top 200':>18}{'AUC':>21}{'decile lift':>19}",
    ]
    for name, figures in found.results.items():
        lines.append(f"{name:<22}" + _cells(figures))
    for name, figures in found.gains.items():
        lines.append(f"{'more than ' + name:<22}" + _cells(figures))
    return lines


def flat_report(found: BackTest) -> dict[str, float | int]:
    """One flat object: ``customers``, ``buyers``, ``propensity_auc``, ``…_low``, ``…_high``."""
    flat: dict[str, float | int] = {"customers": found.customers, "buyers": found.buyers}
    groups = {"": found.results, "more_than_": found.gains}
    for prefix, group in groups.items():
        for name, figures in group.items():
            for figure, estimate in figures.items():
                key = f"{prefix}{name.replace(' ', '_')}_{figure}"
                flat[key] = round(estimate.value, 6)
                flat[f"{key}_low"] = round(estimate.low, 6)
                flat[f"{key}_high"] = round(estimate.high, 6)
    return flat


def _drawn(customer_id: str) -> bytes:
    """Customers in an order that nothing depends on, so that it may break ties."""
    return hashlib.sha256(customer_id.encode()).digest()


def _scores(name: str, ranking: Mapping[str, float], customers: Sequence[str]) -> Vector:
    missing = [customer for customer in customers if customer not in ranking]
    if missing:
        raise ContractViolation(
            f"back-test: {len(missing)} of {len(customers)} customers who could have bought have"
            f" no {name}. Were all active customers scored?"
        )
    return np.array([ranking[customer] for customer in customers], dtype=np.float64)


def _figures(score: Vector, bought: Outcomes, weightings: Sequence[Vector]) -> Vector:
    """``FIGURES`` per weighting; customers of one score share the places that they take."""
    order = np.argsort(-score, kind="stable")
    ranked = score[order]
    ties = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]])
    rows = []
    for weights in weightings:
        weight = weights[order]
        everyone = np.add.reduceat(weight, ties)
        buyers = np.add.reduceat(weight * bought[order], ties)
        rows.append(_figures_of_ties(everyone, buyers))
    return np.array(rows)


def _random_figures(bought: Outcomes, samples: int, seed: int) -> Vector:
    """``FIGURES`` of random orders of these customers: what luck alone may reach."""
    random = np.random.default_rng(seed)
    everyone = [np.ones(len(bought))]
    orders = (random.permutation(len(bought)).astype(np.float64) for _ in range(samples))
    return np.concatenate([_figures(order, bought, everyone) for order in orders])


def _figures_of_ties(everyone: Vector, buyers: Vector) -> Vector:
    customers, all_buyers = everyone.sum(), buyers.sum()
    reached, caught = np.r_[0, np.cumsum(everyone)], np.r_[0, np.cumsum(buyers)]
    decile = np.interp(customers * TOP_SHARE, reached, caught)
    others = customers - all_buyers
    if not all_buyers or not others:
        return np.array([decile, math.nan, math.nan, math.nan])
    # half of a tie counts as ranked above the other half
    auc = ((everyone - buyers) @ (caught[1:] - buyers / 2)) / (all_buyers * others)
    lift = decile / all_buyers / TOP_SHARE
    return np.array([decile, np.interp(TOP_COUNT, reached, caught), auc, lift])


def _estimates(point: Vector, drawn: Vector) -> dict[str, Estimate]:
    low, high = np.nanpercentile(drawn, INTERVAL, axis=0)
    values = np.atleast_1d(np.squeeze(point))
    return {
        name: Estimate(float(values[place]), float(low[place]), float(high[place]))
        for place, name in enumerate(FIGURES)
    }


def _cells(figures: Mapping[str, Estimate]) -> str:
    formats = {
        "top_decile": "18:.0f",
        "top_200": "18:.0f",
        "auc": "21:.3f",
        "decile_lift": "19:.2f",
    }
    cells = []
    for name, estimate in figures.items():
        width, _, places = formats[name].partition(":")
        parts = (estimate.value, estimate.low, estimate.high)
        value, low, high = (format(part, places) for part in parts)
        cells.append(f"{f'{value} [{low}, {high}]':>{width}}")
    return "".join(cells)
