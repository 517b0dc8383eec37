"""The planted truth: how likely each product is to be bought this month, given what could be observed.

The monthly hazard of a product is log-linear: ``base × exp(Σ weight × rise(signal) + own)``, where ``rise`` is a
Hill curve from 0 to 1 (smooth, half-way at ``middle``), signals are windows of bookings, balances and holdings on
the first of the month, and ``own`` is a small lasting quirk of customer and product that nobody can observe.
Whoever may not hold the product has hazard 0; whoever holds it, or is gone, has none (NaN).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from conf.schema import EligibilityRules, Product
from demo.draws import ALWAYS, Bools, Draws, Floats, Ints
from demo.memory import CREDITS, DEBITS, Memory

HIGHEST = 0.35
QUIRK = 0.15  # deviation of what nobody can observe, in the log
INCOME_MONTHS = 3
CATEGORY_WINDOWS = (
    ("travel", 3), ("travel", 12), ("shopping", 3), ("shopping", 12), ("fuel", 6), ("car", 6),
    ("home", 6), ("rent", 6), ("insurance", 6), ("loan_payment", 6), ("savings", 12),
    ("health", 3), ("home", 3), ("car", 3), ("fees", 6), ("dining", 6), ("subscription", 6),
)  # fmt: skip


@dataclass(frozen=True)
class Driver:
    """One main effect: ``weight`` in the log once the signal is far above ``middle``."""

    signal: str
    weight: float
    middle: float
    steepness: float = 2.0


@dataclass(frozen=True)
class Planted:
    """A product's truth."""

    base: float  # monthly hazard with all signals at zero
    drivers: tuple[Driver, ...]


PLANTED: dict[str, Planted] = {
    "current_account": Planted(
        0.0035,
        (Driver("credits_3m", 2.6, 500), Driver("balance", 1.4, 5_000), Driver("has_savings_account", 0.5, 0.5)),
    ),
    "savings_account": Planted(
        0.0012,
        (Driver("balance", 3.2, 4_000), Driver("income_3m", 1.2, 2_000, 4), Driver("net_inflow_3m", 0.8, 1_500)),
    ),
    "term_deposit": Planted(
        0.0004,
        (Driver("balance", 3.6, 14_000), Driver("net_inflow_3m", 1.0, 5_000), Driver("has_savings_account", 0.6, 0.5)),
    ),
    "credit_card": Planted(
        0.0016,
        (Driver("shopping_3m", 2.6, 260), Driver("income_3m", 1.3, 2_200, 4), Driver("dining_6m", 0.8, 120)),
    ),
    "gold_card": Planted(
        0.0022,
        (Driver("travel_12m", 2.8, 1_800), Driver("income_3m", 1.4, 3_800, 5), Driver("shopping_12m", 0.9, 900)),
    ),
    "personal_loan": Planted(
        0.0007,
        (Driver("lacks_balance", 2.6, 0.5), Driver("large_spending_3m", 2.2, 900), Driver("loan_payment_6m", 1.1, 150, 3)),
    ),
    "mortgage": Planted(
        0.00012,
        (Driver("rent_6m", 2.4, 1_500, 3), Driver("balance", 2.2, 9_000), Driver("income_3m", 1.4, 2_800, 4)),
    ),
    "investment_fund": Planted(
        0.0005,
        (Driver("balance", 3.0, 9_000), Driver("income_3m", 1.3, 2_800, 4), Driver("savings_12m", 1.0, 1_500), Driver("has_term_deposit", 0.5, 0.5)),
    ),
    "home_insurance": Planted(
        0.0016,
        (Driver("insurance_6m", 2.3, 120, 3), Driver("home_6m", 1.7, 350), Driver("has_mortgage", 0.9, 0.5)),
    ),
    "travel_insurance": Planted(
        0.0020,
        (Driver("travel_3m", 2.0, 350), Driver("travel_12m", 1.6, 1_200), Driver("has_card", 0.5, 0.5)),
    ),
    "car_leasing": Planted(
        0.00015,
        (Driver("fuel_6m", 2.6, 220), Driver("car_6m", 1.9, 450), Driver("income_3m", 1.2, 2_600, 4)),
    ),
    "pension_plan": Planted(
        0.0008,
        (Driver("income_3m", 2.2, 2_500, 4), Driver("savings_12m", 1.8, 1_200), Driver("has_investment_fund", 0.7, 0.5)),
    ),
}  # fmt: skip


def signals(memory: Memory, holds: Mapping[str, Bools]) -> dict[str, Floats]:
    """What the hazards depend on, as known on the first of the month; money in euros, never negative."""
    balance = memory.balance()
    named = {f"{category}_{months}m": memory.spent(category, months) for category, months in CATEGORY_WINDOWS}
    credits_3m = memory.spent(CREDITS, 3)
    named |= {f"has_{product_id}": held.astype(np.float64) for product_id, held in holds.items()}
    return named | {
        "balance": np.maximum(balance, 0),
        "lacks_balance": 1 / (1 + (np.maximum(balance, 0) / 1_200) ** 2),
        "income_3m": income_3m(memory) / INCOME_MONTHS,
        "credits_3m": credits_3m,
        "net_inflow_3m": np.maximum(credits_3m - memory.spent(DEBITS, 3), 0),
        "large_spending_3m": named["health_3m"] + named["home_3m"] + named["car_3m"],
        "has_card": np.maximum(named["has_credit_card"], named["has_gold_card"]),
    }


def income_3m(memory: Memory) -> Floats:
    """Regular income credited in three months."""
    return memory.spent("salary", INCOME_MONTHS) + memory.spent("pension", INCOME_MONTHS)


def rise(driver: Driver, values: Floats) -> Floats:
    """Hill curve: 0 at 0, one half at the driver's middle, towards 1 beyond."""
    power = (values / driver.middle) ** driver.steepness
    return power / (1 + power)


def hazard(draws: Draws, product_id: str, ids: Ints, signal: Mapping[str, Floats]) -> Floats:
    """Monthly hazard of a customer who may hold the product and has not been contacted."""
    planted = PLANTED[product_id]
    own = QUIRK * draws.normal(f"quirk {product_id}", ALWAYS, ids)
    log = sum((d.weight * rise(d, signal[d.signal]) for d in planted.drivers), start=own)
    return np.minimum(planted.base * np.exp(log), HIGHEST)


def may_hold(
    rules: EligibilityRules, age: Floats, holds: Mapping[str, Bools], signal: Mapping[str, Floats]
) -> Bools:
    """The product's eligibility rules, on what is known on the first of the month."""
    allowed = np.ones(len(age), dtype=np.bool_)
    if rules.min_age is not None:
        allowed &= age >= rules.min_age
    if rules.max_age is not None:
        allowed &= age < rules.max_age + 1
    if rules.min_monthly_income is not None:
        allowed &= signal["income_3m"] >= float(rules.min_monthly_income)
    if rules.min_balance is not None:
        allowed &= signal["balance"] >= float(rules.min_balance)
    if rules.requires_any:
        allowed &= np.any([holds[product_id] for product_id in rules.requires_any], axis=0)
    for product_id in rules.excludes:
        allowed &= ~holds[product_id]
    return allowed


def all_hazards(  # noqa: PLR0913 - all that a purchase depends on
    draws: Draws,
    products: Mapping[str, Product],
    ids: Ints,
    age: Floats,
    is_active: Bools,
    holds: Mapping[str, Bools],
    memory: Memory,
) -> dict[str, Floats]:
    """The true hazard of every product: 0 where not allowed, NaN where held or gone."""
    signal = signals(memory, holds)
    true: dict[str, Floats] = {}
    for product_id, product in products.items():
        allowed = may_hold(product.eligibility, age, holds, signal)
        value = np.where(allowed, hazard(draws, product_id, ids, signal), 0.0)
        true[product_id] = np.where(is_active & ~holds[product_id], value, np.nan)
    return true
