"""The planted truth: how likely each product is bought this month, given what can be observed.

The monthly hazard of a product is log-linear: ``base × exp(Σ weight × rise(signal) + own)``, where
``rise`` is a Hill curve from 0 to 1 (smooth, half-way at ``middle``), signals are windows of
bookings, balances and holdings on the first of the month, and ``own`` is a small lasting quirk of
customer and product that nobody can observe. Whoever may not hold the product has hazard 0;
whoever holds it, or is gone, has none (NaN).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from conf.schema import EligibilityRules, Product
from demo.draws import ALWAYS, Bools, Draws, Floats, Ints
from demo.memory import CREDITS, DEBITS, Memory
from demo.moment import Moment
from tables.categories import REGULAR_INCOME

HIGHEST = 0.35
QUIRK = 0.10  # deviation of what nobody can observe, in the log
INCOME_MONTHS = 3
CATEGORY_WINDOWS = (
    ("travel", 3), ("travel", 12), ("shopping", 3), ("fuel", 12), ("car", 12), ("home", 3),
    ("home", 12), ("rent", 3), ("insurance", 3), ("loan_payment", 3), ("savings", 12),
)  # fmt: skip


@dataclass(frozen=True)
class Driver:
    """One main effect: ``weight`` in the log once the signal is far above ``middle``."""

    signal: str
    weight: float
    middle: float = 0.5


@dataclass(frozen=True)
class Planted:
    """A product's truth."""

    base: float  # monthly hazard with all signals at zero
    drivers: tuple[Driver, ...]

    def __init__(self, base: float, *drivers: Driver) -> None:
        object.__setattr__(self, "base", base)
        object.__setattr__(self, "drivers", drivers)


PLANTED: dict[str, Planted] = {
    "current_account": Planted(
        0.005,
        Driver("inflow_3m", 3.0, 500),
    ),
    "savings_account": Planted(
        0.0040,
        Driver("balance", 2.6, 4_000),
        Driver("income_3m", 1.4, 7_500),
    ),
    "term_deposit": Planted(
        0.0016,
        Driver("balance", 3.6, 11_000),
    ),
    "credit_card": Planted(
        0.0040,
        Driver("shopping_3m", 3.2, 300),
        Driver("income_3m", 1.2, 8_000),
    ),
    "gold_card": Planted(
        0.0035,
        Driver("travel_12m", 3.8, 2_200),
    ),
    "personal_loan": Planted(
        0.010,
        Driver("balance", -2.4, 1_000),
        Driver("home_12m", 2.2, 1_000),
        Driver("loan_payment_3m", 2.0, 75),
    ),
    "mortgage": Planted(
        0.0002,
        Driver("rent_3m", 2.6, 600),
        Driver("balance", 2.6, 7_000),
    ),
    "investment_fund": Planted(
        0.0022,
        Driver("balance", 2.8, 9_000),
        Driver("income_3m", 1.4, 9_000),
        Driver("has_term_deposit", 0.6),
    ),
    "home_insurance": Planted(
        0.0022,
        Driver("insurance_3m", 2.8, 40),
        Driver("home_12m", 2.4, 900),
    ),
    "travel_insurance": Planted(
        0.0035,
        Driver("travel_12m", 2.8, 1_300),
        Driver("travel_3m", 1.2, 400),
    ),
    "car_leasing": Planted(
        0.0005,
        Driver("car_12m", 3.4, 800),
        Driver("fuel_12m", 1.4, 500),
    ),
    "pension_plan": Planted(
        0.0018,
        Driver("savings_12m", 2.8, 1_800),
        Driver("income_3m", 1.6, 8_500),
    ),
}


def signals(memory: Memory, holds: Mapping[str, Bools]) -> dict[str, Floats]:
    """What the hazards depend on, as known on the first of the month; in euros, never negative."""
    named = {
        f"{category}_{months}m": memory.spent(category, months)
        for category, months in CATEGORY_WINDOWS
    }
    held = {f"has_{product_id}": held.astype(np.float64) for product_id, held in holds.items()}
    inflow = memory.spent(CREDITS, 3)
    return {
        **named,
        **held,
        "balance": np.maximum(memory.balance(), 0),
        "income_3m": np.sum([memory.spent(name, INCOME_MONTHS) for name in REGULAR_INCOME], axis=0),
        "inflow_3m": inflow,
        "net_flow_3m": np.maximum(inflow - memory.spent(DEBITS, 3), 0),
    }


def rise(driver: Driver, values: Floats) -> Floats:
    """Hill curve of degree four: 0 at 0, one half at the driver's middle, towards 1 beyond."""
    square = (values / driver.middle) ** 2
    power: Floats = square * square
    return power / (1 + power)


def hazard(draws: Draws, product_id: str, ids: Ints, signal: Mapping[str, Floats]) -> Floats:
    """Monthly hazard of a customer who may hold the product and has not been contacted."""
    planted = PLANTED[product_id]
    own = QUIRK * draws.normal(f"quirk {product_id}", ALWAYS, ids)
    log = sum((d.weight * rise(d, signal[d.signal]) for d in planted.drivers), start=own)
    likely: Floats = np.minimum(planted.base * np.exp(log), HIGHEST)
    return likely


def may_hold(
    rules: EligibilityRules, age: Ints, holds: Mapping[str, Bools], signal: Mapping[str, Floats]
) -> Bools:
    """The product's eligibility rules, on what is known on the first of the month."""
    allowed = np.ones(len(age), dtype=np.bool_)
    if rules.min_age is not None:
        allowed &= age >= rules.min_age
    if rules.max_age is not None:
        allowed &= age <= rules.max_age
    if rules.min_monthly_income is not None:
        allowed &= signal["income_3m"] >= INCOME_MONTHS * float(rules.min_monthly_income)
    if rules.min_balance is not None:
        allowed &= signal["balance"] >= float(rules.min_balance)
    if rules.requires_any:
        allowed &= np.any([holds[product_id] for product_id in rules.requires_any], axis=0)
    for product_id in rules.excludes:
        allowed &= ~holds[product_id]
    return allowed


def all_hazards(
    moment: Moment,
    products: Mapping[str, Product],
    holds: Mapping[str, Bools],
    memory: Memory,
) -> dict[str, Floats]:
    """The true hazard of every product: 0 where not allowed, NaN where held or gone."""
    signal = signals(memory, holds)
    age = moment.people.completed_years(moment.month.first)
    active = moment.people.is_active(moment.month.first_day)
    true: dict[str, Floats] = {}
    for product_id, product in products.items():
        allowed = may_hold(product.eligibility, age, holds, signal)
        value = np.where(allowed, hazard(moment.draws, product_id, moment.ids(), signal), 0.0)
        true[product_id] = np.where(active & ~holds[product_id], value, np.nan)
    return true
