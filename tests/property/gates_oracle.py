"""The gates of a campaign once more, in plain Python over raw rows; no code of `campaigns/`."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, time, timedelta

from conf.schema import Offer, Product, RunConfig
from tests.campaign_bank import Bank, Row


class GatesOracle:
    """What is known of the customers of a bank, and which gates fail for them."""

    def __init__(self, bank: Bank, config: RunConfig, as_of: date) -> None:
        self.bank, self.config, self.as_of = bank, config, as_of
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
