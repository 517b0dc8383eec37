"""The campaign's rules once more, in plain Python over raw rows: value and choice, after the gates.

No code of `campaigns/`.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from conf.schema import Offer, RunConfig
from tests.campaign_bank import Bank, Row
from tests.property.gates_oracle import GatesOracle

Pair = tuple[str, str]
CENT = Decimal("0.01")
RATES = {"travel_insurance": 0.4}
PACKAGE = ("credit_card", "travel_insurance")


@dataclass(frozen=True)
class Way:
    """One way of an offer to a customer."""

    channel: str | None
    lever: str | None
    profit: Decimal
    uses: dict[tuple[str, Any], int]


@dataclass
class Verdict:
    """What the oracle says about one customer x offer; the best way first."""

    failed: list[str]
    ways: list[Way]
    propensity: float
    customer: Row
    product_id: str
    care: str | None
    move: str
    outcome: str = ""

    @property
    def profit(self) -> Decimal:
        """In the best way."""
        return self.ways[0].profit

    @property
    def channel(self) -> str | None:
        """Of the best way."""
        return self.ways[0].channel


class Oracle(GatesOracle):
    """Decides about every customer x offer of a bank."""

    def __init__(self, bank: Bank, config: RunConfig, as_of: date) -> None:
        super().__init__(bank, config, as_of)
        self.rates = RATES
        self.may_have_package: set[str] = set()

    def decide(self) -> dict[Pair, Verdict]:
        """One verdict per customer and offer, outcomes included."""
        verdicts = {
            (customer, offer_id): self._verdict(self.people[customer], offer_id, offer)
            for customer in self.people
            for offer_id, offer in self.config.offers.items()
        }
        self.may_have_package = {
            customer_id
            for (customer_id, offer_id), verdict in verdicts.items()
            if self.config.offers[offer_id].bundle and not verdict.failed
        }
        self._choose(verdicts)
        return verdicts

    def _verdict(self, customer: Row, offer_id: str, offer: Offer) -> Verdict:
        customer_id = customer["customer_id"]
        wanted = self._wanted(customer_id, offer)
        propensity = self._propensity(customer_id, offer)
        ways = sorted(self._ways(customer, offer_id), key=lambda way: -way.profit)
        failed = [
            *self._all_eligibility(customer, offer, wanted),
            *self._consent(customer_id, offer),
            *self._all_policy(customer, offer),
            *self._care(customer_id),
            *self._trigger(customer_id, offer),
        ]
        if ways[0].profit < self.config.campaign.min_expected_profit:
            failed.append("value.not_profitable")
        return Verdict(
            failed=sorted(failed),
            ways=ways,
            propensity=propensity,
            customer=customer,
            product_id=offer.product,
            care=self._treatment(customer),
            move=self._move(customer_id, offer),
        )

    def _wanted(self, customer_id: str, offer: Offer) -> list[str]:
        """What is sold: a core that is held is not."""
        if offer.bundle is None:
            return [offer.product]
        is_held = offer.bundle.core in self._open(customer_id)
        return [*([] if is_held else [offer.bundle.core]), *offer.bundle.periphery]

    def _propensity(self, customer_id: str, offer: Offer) -> float:
        if offer.move == "renewal" and offer.product in self._open(customer_id):
            return self.rates[offer.product]
        return float(self.scores[customer_id, offer.product])

    def _ways(self, customer: Row, offer_id: str) -> list[Way]:
        """Without a lever, and with each that is meant for the customer."""
        offer, customer_id = self.config.offers[offer_id], customer["customer_id"]
        usable = self._open_channels(customer_id, offer)
        preferred = [channel for channel in usable if channel == self._said_yes_on(customer_id)]
        channel = next(iter([*preferred, *usable]), None)
        segment = self.amounts[customer_id]["segment"]
        levers = [None]
        if channel is not None and offer_id == "gold_card_upgrade_2026":
            levers.append("first_year_fee")
        if channel is not None and offer.product == "investment_fund":
            levers += ["market_evening"] if segment in ("affluent", "private", "vip") else []
        return [self._way(channel, code, customer_id, offer) for code in levers]

    def _way(self, channel: str | None, code: str | None, customer_id: str, offer: Offer) -> Way:
        lever, cost, uses = self.config.levers.get(code or ""), offer.contact_cost, {}
        wanted = self._wanted(customer_id, offer)
        accepted = self._propensity(customer_id, offer)
        margin = sum((self.config.products[name].expected_margin for name in wanted), Decimal(0))
        if offer.bundle:
            accepted = min(self.scores[customer_id, name] for name in wanted)
            alone = sum(offer.bundle.component_prices.values(), Decimal(0))
            margin -= alone - offer.bundle.price
        if lever is not None:
            accepted = min(1.0, accepted * lever.response_factor)
            if lever.cost_when == "accepted":
                margin -= lever.cost
                uses["budget", code] = math.ceil(accepted * float(lever.cost) * 100)
            else:
                cost += lever.cost
                uses["seats", code] = 1
        exact = Decimal(accepted).quantize(Decimal("1e-15"), ROUND_HALF_UP) * margin
        return Way(channel, code, (exact - cost).quantize(CENT, ROUND_HALF_UP), uses)

    def _move(self, customer_id: str, offer: Offer) -> str:
        if offer.move or offer.bundle:
            return offer.move or "bundle"
        product = self.config.products[offer.product]
        is_upgrade = product.upgrade_of in self._open(customer_id)
        return "up_sell" if is_upgrade else f"cross_sell_{product.kind}"

    def _choose(self, verdicts: dict[Pair, Verdict]) -> None:
        """Who wins where branches have room for everybody, and who is offered most profitably."""
        for verdict in verdicts.values():
            if verdict.failed:
                is_ineligible = any(code.startswith("eligibility.") for code in verdict.failed)
                verdict.outcome = "ineligible" if is_ineligible else "suppressed"
        passing = {pair: one for pair, one in verdicts.items() if not one.failed}
        taken: Counter[tuple[str, Any]] = Counter()
        for pair in sorted(
            passing,
            key=lambda pair: (
                -passing[pair].profit,
                -passing[pair].propensity,
                self.config.offers[pair[1]].trigger is None,
                *pair,
            ),
        ):
            limits = self._limits(passing[pair])
            is_kept = all(taken[key] < limit for key, limit in limits.items())
            if is_kept and passing[pair].profit >= 0:
                taken.update(limits.keys())
                passing[pair].outcome = "over_capacity"
            else:
                passing[pair].outcome = "outranked"

    def is_withheld(self, customer_id: str) -> bool:
        """Gets no offer of this campaign."""
        return self.is_in_holdout(customer_id) or self.is_in_control(customer_id)

    def highest_profit(self, verdicts: dict[Pair, Verdict], more: str | None = None) -> Decimal:
        """What the most profitable lists earn; ``more`` is contacted although withheld."""
        options = [
            (verdict, way)
            for (customer_id, _), verdict in verdicts.items()
            if not verdict.failed and (customer_id == more or not self.is_withheld(customer_id))
            for way in verdict.ways
        ]
        if not options:
            return Decimal(0)
        campaign, rooms, uses = self.config.campaign, dict[Any, int](), list[dict[Any, int]]()
        for code, lever in self.config.levers.items():
            if lever.budget is not None:
                rooms["budget", code] = int(lever.budget * 100)
            if lever.seats is not None:
                rooms["seats", code] = lever.seats
        for verdict, way in options:
            branch = verdict.customer["branch_id"]
            places = campaign.branch_capacity_overrides.get(branch, campaign.branch_capacity)
            rooms |= (limits := self._limits(verdict) | {("branch", branch): places})
            uses.append(dict.fromkeys(limits, 1) | way.uses)
        matrix = np.array([[used.get(key, 0) for used in uses] for key in rooms], float)
        profits = [way.profit for _, way in options]
        found = milp(
            [-float(profit * 100) for profit in profits],
            integrality=np.ones(len(options)),
            bounds=Bounds(0, 1),
            constraints=[LinearConstraint(matrix, -np.inf, list(rooms.values()))],
            options={"mip_rel_gap": 0.0},
        )
        return sum((profit for profit, x in zip(profits, found.x, strict=True) if x > 0.5),
                   Decimal(0))  # fmt: skip

    def _limits(self, verdict: Verdict) -> dict[tuple[str, Any], int]:
        policy, campaign = self.config.contact_policy, self.config.campaign
        customer_id = verdict.customer["customer_id"]
        product_id = verdict.product_id
        fatigue_class = self.config.products[product_id].fatigue_class
        classes = {fatigue_class}
        if customer_id in self.may_have_package:
            # A package and what is in it count as one product, and its classes as one.
            product_id = "package" if product_id in PACKAGE else product_id
            if classes & {self.config.products[name].fatigue_class for name in PACKAGE}:
                classes = {self.config.products[name].fatigue_class for name in PACKAGE}
        home = min(self._household(verdict.customer))
        household_left = policy.max_household_contacts_30d - self._household_contacts(
            verdict.customer
        )
        own_left = policy.max_contacts_30d - len(self._recent(customer_id, 30))
        class_left = min(
            policy.max_contacts_90d_by_fatigue_class[name] - self._class_contacts(customer_id, name)
            for name in classes
        )
        return {
            ("product", (customer_id, product_id)): 1,
            ("class", (customer_id, min(classes))): class_left,
            ("customer", customer_id): min(
                campaign.max_offers_per_customer, own_left, household_left
            ),
            ("household", home): min(campaign.max_offers_per_household, household_left),
        }
