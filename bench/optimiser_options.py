"""Options of a made-up bank: who may be offered what, what that is worth, and what it uses up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from campaigns.optimiser_problem import NO_GROUP, NO_LIMIT, Ints, Level, Limit, Problem

OFFERS, ELIGIBLE, CUSTOMERS_PER_BRANCH = 20, 0.4, 2_000
PARTNERS, CLASSES, ADVISORS_PER_BRANCH = 4, 4, 4
HOUSEHOLD_SIZES = (0.5, 0.25, 0.15, 0.1)
AWAY, ADVISED = 0.1, 0.7
CONTACTS_PER_BRANCH, MINUTES_PER_ADVISOR = (30, 90), (300, 900)


@dataclass(frozen=True)
class Options:
    """The problem, and what only the simple rules look at: a probability of purchase."""

    problem: Problem
    propensity: NDArray[np.float64]


def make_options(customers: int, seed: int = 1) -> Options:
    """A bank with 500 branches per million customers, of whom 40 % may be offered a product."""
    random = np.random.default_rng(seed)
    branches = max(2, customers // CUSTOMERS_PER_BRANCH)
    home, branch = _households(random, customers, branches)
    is_eligible = random.random((customers, OFFERS)) < ELIGIBLE
    customer, offer = (index.astype(np.int64) for index in np.nonzero(is_eligible))
    margin = np.exp(random.uniform(np.log(60), np.log(1500), OFFERS))
    base = random.uniform(np.log(0.004), np.log(0.05), OFFERS)
    interest = random.normal(0, 0.8, customers)
    log_odds = base[offer] + interest[customer] + random.normal(0, 0.9, len(offer))
    propensity = 1 / (1 + np.exp(-log_odds))
    value = np.rint(propensity * margin[offer] * 100).astype(np.int64)
    levels = (
        Level(customer * CLASSES + offer % CLASSES, np.ones(customers * CLASSES, np.int64)),
        Level(customer, np.full(customers, 2)),
        Level(home[customer], np.full(int(home.max()) + 1, 2)),
    )
    limits = _limits(random, branch, customer, offer)
    return Options(Problem(value, customer, home[customer], levels, limits), propensity)


def _households(random: np.random.Generator, customers: int, branches: int) -> tuple[Ints, Ints]:
    sizes = random.choice(np.arange(1, 5), p=HOUSEHOLD_SIZES, size=customers)
    home = np.repeat(np.arange(customers), sizes)[:customers]
    branch = random.integers(0, branches, customers)[home]
    is_away = random.random(customers) < AWAY
    return home, np.where(is_away, random.integers(0, branches, customers), branch)


def _limits(
    random: np.random.Generator, branch: Ints, customer: Ints, offer: Ints
) -> tuple[Limit, ...]:
    branches = int(branch.max()) + 1
    contacts = random.integers(*CONTACTS_PER_BRANCH, branches)
    places = int(contacts.sum())
    one, all_alike = np.ones(len(offer), np.int64), np.zeros(len(offer), np.int64)
    advisor = branch * ADVISORS_PER_BRANCH + random.integers(0, ADVISORS_PER_BRANCH, len(branch))
    advisor[random.random(len(branch)) >= ADVISED] = NO_GROUP
    minutes = random.integers(*MINUTES_PER_ADVISOR, branches * ADVISORS_PER_BRANCH)
    partner = np.where(np.arange(OFFERS) % 5 == 0, np.arange(OFFERS) // 5, NO_GROUP)
    least = np.where(np.arange(OFFERS) % 6 == 0, places // 40, 0)
    cost = random.integers(200, 600, OFFERS)
    return (
        _limit("branch", "contact", branch[customer], one, contacts),
        _limit("advisor", "minute", advisor[customer], (15 + 15 * (offer % 3)), minutes),
        _limit("product", "offer", offer, one, np.full(OFFERS, places // 12), least=least),
        _limit("partner", "offer", partner[offer], one, np.full(PARTNERS, places // 16)),
        _limit("budget", "cent", all_alike, cost[offer], [int(places * cost.mean() * 0.8)]),
        _limit("size", "offer", all_alike, one, [int(places * 0.95)]),
    )


def _limit(
    name: str,
    unit: str,
    group: Ints,
    amount: Ints,
    most: Ints | list[int],
    *,
    least: Ints | int = 0,
) -> Limit:
    room = np.minimum(np.asarray(most, np.int64), NO_LIMIT)
    return Limit(
        name=name,
        unit=unit,
        labels=tuple(map(str, range(len(room)))),
        group=group,
        amount=amount.astype(np.int64),
        most=room,
        least=np.zeros(len(room), np.int64) + least,
    )
