"""What limits cost and which ones clash, in words that a person can use."""

from __future__ import annotations

from campaigns.optimiser import Plan, ShadowPrice, shadow_prices
from campaigns.optimiser_problem import Limit

AT = {"branch": "at branch", "advisor": "of advisor", "campaign": "of campaign"}
LEAST_CENTS = 0.5  # what is less reads as nothing
CENTS = 100
MANY = {"contact": "contacts", "minute": "minutes", "offer": "offers", "seat": "seats"}


def dearest_limits(plan: Plan, limits: tuple[Limit, ...], count: int) -> list[str]:
    """What one more of the dearest limits would earn, a cent more of a budget or a contact more."""
    told = []
    earning = [price for price in shadow_prices(plan, limits) if _told_cents(price) >= LEAST_CENTS]
    for price in earning[:count]:
        where, earns = _where(price.limit, price.label), f"earns {price.cents / 100:,.2f}"
        if price.is_of_minimum:
            told.append(f"one {price.unit} fewer in the minimum {where} {earns}")
        elif price.unit == "cent":
            # cents per cent are what 1.00 earns
            told.append(f"1.00 more in the budget {where} earns {price.cents:,.2f}")
        else:
            told.append(f"one more {price.unit} {where} {earns}")
    return told


def _told_cents(price: ShadowPrice) -> float:
    """What is told of a budget is what 1.00 more of it earns."""
    return price.cents * (CENTS if price.unit == "cent" else 1)


def shortages(plan: Plan, limits: tuple[Limit, ...]) -> list[str]:
    """Which minima are not met, and what they clash with."""
    why = _why(plan, limits)
    return [
        f"{where} lacks {short.lacking:,} of at least {short.least:,} {MANY[short.unit]}{why}"
        for short in plan.shortages
        for where in [_where(short.limit, short.label).removeprefix("of ")]
    ]


def _why(plan: Plan, limits: tuple[Limit, ...]) -> str:
    """The limits that together prove that minima cannot be met."""
    if plan.clash is None:
        return "; lower the minimum"
    if not plan.clash.lacking:
        return "; only parts of an offer would meet every limit: lower the minimum by one"
    lacking = {(short.limit, short.label) for short in plan.shortages}
    clashing = [
        (limits[place], group)
        for place, group in plan.clash.limits
        if (limits[place].name, limits[place].labels[group]) not in lacking
    ]
    named = [f"the {MANY.get(one.unit, 'budget')} {_where(one.name, one.labels[group])}"
             for one, group in clashing]  # fmt: skip
    if plan.clash.needs_caps:
        named.append("the caps of customers and households")
    if not named:
        return "; no more offers pass their gates: lower the minimum"
    return f"; it clashes with {', '.join(named)}: lower the minimum or raise one of these"


def _where(limit: str, label: str) -> str:
    return f"{AT.get(limit, f'of {limit}')} {label}"
