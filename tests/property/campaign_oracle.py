"""The campaign's rules once more, in plain Python over raw rows; no code of `campaigns/`."""

from __future__ import annotations

import hashlib
import math
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from conf.schema import Offer, Product, RunConfig
from tests.campaign_bank import Bank, Row

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


class Oracle:
    """Decides about every customer x offer of a bank."""

    def __init__(self, bank: Bank, config: RunConfig, as_of: date) -> None:
        self.bank, self.config, self.as_of = bank, config, as_of
        self.rates = RATES
        self.may_have_package: set[str] = set()
        self.people = {row["customer_id"]: row for row in bank.customers}
        self.held = self._by_customer(bank.holdings)
        self.contacts = self._by_customer(bank.contacts)
        self.flags = self._by_customer(bank.flags)
        self.amounts = {row["customer_id"]: row for row in bank.customer_features}
        self.scores = {
            (row["customer_id"], row["product_id"]): row["propensity"]
            for row in bank.propensity_scores
        }
        self.granted = self._granted()

    @staticmethod
    def _by_customer(rows: list[Row]) -> dict[str, list[Row]]:
        grouped: dict[str, list[Row]] = defaultdict(list)
        for row in rows:
            grouped[row["customer_id"]].append(row)
        return grouped

    def _granted(self) -> set[tuple[str, str, str]]:
        latest: dict[tuple[str, str, str], Row] = {}
        for row in sorted(self.bank.consents, key=lambda row: row["changed_at"]):
            latest[row["customer_id"], row["purpose"], row["channel"]] = row
        midnight = datetime.combine(self.as_of, time(), UTC)
        return {
            key for key, row in latest.items() if row["is_granted"] and row["changed_at"] < midnight
        }

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

    def _all_eligibility(self, customer: Row, offer: Offer, wanted: list[str]) -> set[str]:
        found = {
            code
            for name in wanted
            for code in self._eligibility(customer, name, self.config.products[name])
        }
        if offer.move == "renewal":
            return found - {"eligibility.already_held", "eligibility.balance_too_low"}
        return found

    def _all_policy(self, customer: Row, offer: Offer) -> set[str]:
        customer_id = customer["customer_id"]
        is_closed = self._usable(customer_id, offer) and not self._open_channels(customer_id, offer)
        closed = {"contact_policy.channel_cap"} if is_closed else set()
        return closed | {
            code
            for name in offer.products
            for code in self._policy(customer, name, self.config.products[name])
        }

    def _open_channels(self, customer_id: str, offer: Offer) -> list[str]:
        """All offers that a campaign may make to one customer would still fit below the cap."""
        caps = self.config.contact_policy.max_contacts_30d_by_channel
        used = Counter(row["channel"] for row in self._recent(customer_id, 30))
        more = self.config.campaign.max_offers_per_customer
        usable = self._usable(customer_id, offer)
        return [name for name in usable if name not in caps or used[name] + more <= caps[name]]

    def _trigger(self, customer_id: str, offer: Offer) -> list[str]:
        """Some day of the offer is one on which it may be made: tried day by day."""
        if offer.trigger is None:
            return []
        first = self.as_of + timedelta(days=self.config.time.gap_days)
        days = [first + timedelta(days=number) for number in range(offer.validity_days)]
        is_due = any(self._may_be_made(customer_id, offer, day) for day in days)
        return [] if is_due else ["trigger.not_triggered"]

    def _may_be_made(self, customer_id: str, offer: Offer, day: date) -> bool:
        trigger = offer.trigger
        assert trigger is not None
        if trigger.event == "maturity":
            assert trigger.days_before is not None
            most, least = trigger.days_before
            return any(
                least <= (row["matures_on"] - day).days <= most
                for row in self.held[customer_id]
                if row["product_id"] == (trigger.of or offer.product)
                and row["opened_on"] < self.as_of
                and row["matures_on"]
                and row["matures_on"] >= self.as_of
                and (row["closed_on"] is None or row["closed_on"] >= row["matures_on"])
            )
        assert trigger.event == "large_credit"
        times = self.amounts[customer_id]["largest_credit_to_inflow_1m"]
        month_ago = self.as_of - timedelta(days=31)
        is_in_time = (day - month_ago).days <= (trigger.within_days or 0)
        return bool(times is not None and times >= (trigger.at_least or 0) and is_in_time)

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

    def _said_yes_on(self, customer_id: str) -> str | None:
        said = [row for row in self.contacts[customer_id]
                if row["disposition"] in ("interested", "sold")]  # fmt: skip
        newest = max(said, key=lambda row: (row["contacted_on"], row["contact_id"]), default=None)
        return newest and newest["channel"]

    def _open(self, customer_id: str) -> set[str]:
        return {
            row["product_id"]
            for row in self.held[customer_id]
            if row["opened_on"] < self.as_of
            and (row["closed_on"] is None or row["closed_on"] >= self.as_of)
        }

    def _eligibility(self, customer: Row, product_id: str, product: Product) -> list[str]:
        rules, held = product.eligibility, self._open(customer["customer_id"])
        amounts = self.amounts.get(customer["customer_id"], {})
        income, balance = amounts.get("income_amount_3m"), amounts.get("balance_amount")
        tests = {
            "not_active": not self._is_active(customer),
            "already_held": product_id in held and not product.can_be_held_twice,
            "lacks_required_product": bool(rules.requires_any)
            and not held & set(rules.requires_any),
            "holds_excluded_product": bool(held & set(rules.excludes)),
            "income_too_low": rules.min_monthly_income is not None
            and (income is None or income < 3 * rules.min_monthly_income),
            "balance_too_low": rules.min_balance is not None
            and (balance is None or balance < rules.min_balance),
        }
        tests |= self._age(customer["birth_date"], rules.min_age, rules.max_age)
        return [f"eligibility.{name}" for name, fails in tests.items() if fails]

    def _age(self, born: date | None, lowest: int | None, highest: int | None) -> dict[str, bool]:
        if lowest is None and highest is None:
            return {}
        if born is None:
            return {"age_unknown": True}
        had_birthday = (self.as_of.month, self.as_of.day) >= (born.month, born.day)
        age = self.as_of.year - born.year - (not had_birthday)
        return {
            "too_young": lowest is not None and age < lowest,
            "too_old": highest is not None and age > highest,
        }

    def _is_active(self, customer: Row) -> bool:
        has_left = customer["left_on"] is not None and customer["left_on"] < self.as_of
        is_alive = customer["deceased_on"] is None
        return bool(customer["joined_on"] < self.as_of and not has_left and is_alive)

    def _usable(self, customer_id: str, offer: Offer, *more: str) -> list[str]:
        """Channels with every consent that the offer's products need."""
        kinds = {self.config.products[name].kind for name in offer.products}
        needed = (*(f"marketing_{kind}" for kind in kinds), *(more or ("profiling",)))
        return [
            channel
            for channel in offer.channels
            if all((customer_id, purpose, channel) in self.granted for purpose in needed)
        ]

    def _consent(self, customer_id: str, offer: Offer) -> list[str]:
        kind = f"marketing_{self.config.products[offer.product].kind}"
        may_contact = bool(self._usable(customer_id, offer, kind))
        may_profile = any(
            (customer_id, "profiling", name) in self.granted for name in offer.channels
        )
        failed = []
        if not may_contact:
            failed.append("consent.no_consent")
        if not may_profile or (may_contact and not self._usable(customer_id, offer)):
            failed.append("consent.no_profiling_consent")
        return failed

    def _recent(self, customer_id: str, days: int) -> list[Row]:
        return [
            row
            for row in self.contacts[customer_id]
            if (self.as_of - row["contacted_on"]).days <= days
        ]

    def _household(self, customer: Row) -> list[str]:
        home = customer["household_id"]
        if home is None:
            return [customer["customer_id"]]
        return [name for name, row in self.people.items() if row["household_id"] == home]

    def _household_contacts(self, customer: Row) -> int:
        return sum(len(self._recent(member, 30)) for member in self._household(customer))

    def contacts_left(self, customer_id: str) -> int:
        """What the caps of customer and household still allow."""
        policy = self.config.contact_policy
        household = self._household_contacts(self.people[customer_id])
        own = policy.max_contacts_30d - len(self._recent(customer_id, 30))
        return max(0, min(own, policy.max_household_contacts_30d - household))

    def _class_contacts(self, customer_id: str, fatigue_class: str) -> int:
        return sum(
            self.config.products[row["product_id"]].fatigue_class == fatigue_class
            for row in self._recent(customer_id, 90)
        )

    def _policy(self, customer: Row, product_id: str, product: Product) -> list[str]:
        policy, customer_id = self.config.contact_policy, customer["customer_id"]
        cap = policy.max_contacts_90d_by_fatigue_class[product.fatigue_class]
        contacts = self.contacts[customer_id]
        tests = {
            "contact_cap": len(self._recent(customer_id, 30)) >= policy.max_contacts_30d,
            "household_cap": self._household_contacts(customer)
            >= policy.max_household_contacts_30d,
            "fatigue_cap": self._class_contacts(customer_id, product.fatigue_class) >= cap,
            "too_soon": any(
                (self.as_of - row["contacted_on"]).days < policy.min_days_between_contacts
                for row in contacts
            ),
            "cool_off": any(self._cools(row, product_id) for row in contacts),
            "employee": customer["is_employee"],
        }
        return [f"contact_policy.{name}" for name, fails in tests.items() if fails]

    def _cools(self, contact: Row, product_id: str) -> bool:
        days = self.config.contact_policy.cool_off_days_after.get(contact["disposition"])
        if days is None:
            return False
        since = contact["disposition_on"] or contact["contacted_on"]
        is_about_it = contact["product_id"] == product_id or contact["disposition"] == "opt_out"
        return bool(is_about_it and self.as_of < since + timedelta(days=days))

    def _move(self, customer_id: str, offer: Offer) -> str:
        if offer.move or offer.bundle:
            return offer.move or "bundle"
        product = self.config.products[offer.product]
        is_upgrade = product.upgrade_of in self._open(customer_id)
        return "up_sell" if is_upgrade else f"cross_sell_{product.kind}"

    def _treatment(self, customer: Row) -> str | None:
        flags, care = self._flags(customer["customer_id"]), self.config.care
        if flags & set(care.no_contact) or not self._is_active(customer):
            return None
        urgent = ["bereavement", "vulnerable", "financial_difficulty", "complaint_open"]
        return next((care.treatments[flag] for flag in urgent if flag in flags), None)

    def _flags(self, customer_id: str) -> set[str]:
        return {
            row["flag"]
            for row in self.flags[customer_id]
            if row["valid_from"] <= self.as_of
            and (row["valid_to"] is None or row["valid_to"] > self.as_of)
        }

    def _care(self, customer_id: str) -> list[str]:
        flags, failed = self._flags(customer_id), []
        if flags & set(self.config.care.no_contact):
            failed.append("care.no_contact_flag")
        if flags & set(self.config.care.treatments):
            failed.append("care.in_care")
        return failed

    def is_drawn(self, share: float, *keys: str) -> bool:
        """The hash of the keys lies in the lowest share of all hashes."""
        digest = hashlib.sha256("|".join(keys).encode()).hexdigest()
        return int(digest[:13], 16) < share * 16**13

    def is_in_holdout(self, customer_id: str) -> bool:
        """Withheld from every campaign."""
        campaign = self.config.campaign
        return self.is_drawn(
            campaign.global_holdout_share, campaign.salt, "global_holdout", customer_id
        )

    def is_in_control(self, customer_id: str) -> bool:
        """Drawn for the control group of this campaign."""
        campaign = self.config.campaign
        keys = (campaign.salt, campaign.campaign_id, self.as_of.isoformat(), customer_id)
        return self.is_drawn(campaign.control_share, *keys)

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
