"""The options of a campaign as the optimiser takes them, and its limits by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from campaigns.links import Links, joined, owners
from campaigns.optimiser_problem import (
    NO_GROUP,
    NO_LIMIT,
    Bools,
    Ints,
    Level,
    Limit,
    Places,
    Problem,
)
from conf.fields import Channel
from conf.schema import CampaignSettings, Offer, Product, Quota, RunConfig
from conf.way_settings import ChannelSettings, Lever

BRANCH, ADVISOR, PRODUCT, PARTNER = "branch", "advisor", "product", "partner"
CHANNEL, LEVER = "channel", "lever"
WHOLE_CAMPAIGN = "campaign"
NAMED = ("offer_id", "product_id", "branch_id", "advisor_id", "channel", "lever_code")


@dataclass(frozen=True)
class Names:
    """Names in order, and the place of each option's name among them."""

    known: tuple[str, ...]
    place: Ints

    @staticmethod
    def of(column: pa.ChunkedArray, known: tuple[str, ...] | None = None) -> Names:
        """Of a column of text; an option without a name has no place.

        Args:
            column: The names.
            known: More names than the column's, if there are more; in order.
        """
        encoded = pc.dictionary_encode(column.combine_chunks())
        names = encoded.dictionary.to_pylist()
        every = tuple(sorted(names)) if known is None else known
        number = {name: place for place, name in enumerate(every)}
        place = np.array([*(number[name] for name in names), NO_GROUP], np.int64)
        indices = pc.fill_null(encoded.indices, len(names)).to_numpy(zero_copy_only=False)
        return Names(every, place[indices])


@dataclass(frozen=True)
class Known:
    """What the parts of a competition have to agree on.

    Attributes:
        names: All names of a column, in order, so that limits have the same groups in each part.
        id_bytes: How long a customer's id may be, so that places sort alike.
    """

    names: Mapping[str, tuple[str, ...]]
    id_bytes: int

    @staticmethod
    def of(rows: pa.Table) -> Known:
        """That of all options."""
        names = {column: Names.of(rows[column]).known for column in NAMED}
        longest = pc.max(pc.binary_length(rows["customer_id"])).as_py()
        return Known(names, longest or 1)


@dataclass(frozen=True)
class Terms:
    """What the configuration says about limits.

    Attributes:
        settings: The limits of the campaign.
        products: Whose product each is.
        offers: Which of them are packages.
        levers: What each may cost, and who makes it.
        channels: How many contacts each may have.
    """

    settings: CampaignSettings
    products: Mapping[str, Product]
    offers: Mapping[str, Offer]
    levers: Mapping[str, Lever]
    channels: Mapping[Channel, ChannelSettings]

    @staticmethod
    def of(config: RunConfig) -> Terms:
        """Those of a run."""
        return Terms(
            config.campaign, config.products, config.offers, config.levers, config.channels
        )


@dataclass(frozen=True)
class Competition:
    """Every way of every offer that passed its gates, in the order that decides ties.

    Attributes:
        rows: As ``choice.competing`` gives them, in that order.
        terms: What limits there are.
        known: What is known of all options, if these are a part of them.
    """

    rows: pa.Table
    terms: Terms
    known: Known

    @staticmethod
    def among(rows: pa.Table, terms: Terms, known: Known | None = None) -> Competition:
        """Put rows in order: of two worth the same the more probable, then one with an event."""
        customer, offer = (Names.of(rows[name]).place for name in ("customer_id", "offer_id"))
        has_event = rows["event"].is_valid().to_numpy()
        by_name = (rows["way"].to_numpy(), offer, customer)
        order = np.lexsort((*by_name, ~has_event, -rows["propensity"].to_numpy()))
        return Competition(rows.take(pa.array(order)), terms, known or Known.of(rows))

    def only(self, options: Ints) -> Competition:
        """These of its options; limits keep their groups."""
        return Competition(self.rows.take(pa.array(options)), self.terms, self.known)

    @cached_property
    def household(self) -> Ints:
        """Who lives together; a customer without a household alone."""
        home = self._names("household_id")
        alone = len(home.known) + self.customer
        return np.where(home.place == NO_GROUP, alone, home.place)

    @property
    def settings(self) -> CampaignSettings:
        """The limits of the campaign."""
        return self.terms.settings

    @cached_property
    def place(self) -> Places:
        """What their order goes by, as bytes that sort alike in every part of a competition."""
        found = np.empty(
            len(self.rows),
            [("propensity", ">u8"), ("event", "u1"), ("customer", f"S{self.known.id_bytes}"),
             ("offer", ">u2"), ("way", ">u2")],
        )  # fmt: skip
        # of numbers that are not negative the bits sort as the numbers do
        propensity = np.asarray(self.rows["propensity"].to_numpy(), np.float64) + 0.0
        found["propensity"] = ~propensity.view(np.uint64)
        found["event"] = ~self.rows["event"].is_valid().to_numpy()
        found["customer"] = self.rows["customer_id"].cast(pa.binary()).to_numpy()
        found["offer"], found["way"] = self._names("offer_id").place, self.numbers("way")
        return found.view(f"S{found.itemsize}")

    @cached_property
    def candidate(self) -> Ints:
        """Which ways are of one offer to one customer, numbered from 0."""
        offer = self._names("offer_id")
        _, number = np.unique(self.customer * len(offer.known) + offer.place, return_inverse=True)
        return np.asarray(number, np.int64)

    def numbers(self, name: str) -> Ints:
        """A column of whole numbers."""
        return np.asarray(self.rows[name].to_numpy(), np.int64)

    @cached_property
    def value(self) -> Ints:
        """Expected profit in cents."""
        return self.numbers("profit_cents")

    @cached_property
    def is_withheld(self) -> Bools:
        """Competes, but is not contacted."""
        return np.asarray(self.rows["is_withheld"].to_numpy(zero_copy_only=False), np.bool_)

    @cached_property
    def is_worth_it(self) -> Bools:
        """Passed every gate; else only chance may choose it."""
        return np.asarray(self.rows["is_worth_it"].to_numpy(zero_copy_only=False), np.bool_)

    @cached_property
    def customer(self) -> Ints:
        """Whose option it is."""
        return self._names("customer_id").place

    @cached_property
    def problem(self) -> Problem:
        """All options, those of withheld customers too."""
        once, of_class = self._alike()
        per_customer = np.minimum(
            self.settings.max_offers_per_customer, self.numbers("contacts_left_30d")
        )
        per_household = np.minimum(
            self.settings.max_offers_per_household, self.numbers("household_contacts_left")
        )
        levels = (
            _level(once, np.ones(len(once), np.int64)),
            _level(of_class, self.numbers("class_contacts_left")),
            _level(self.customer, per_customer),
            _level(self.household, per_household),
        )
        return Problem(self.value, self.customer, self.household, levels, self.limits)

    def _alike(self) -> tuple[Ints, Ints]:
        """Options of one customer about one product, and about one class."""
        links, offer = Links.of(self.terms.offers, self.terms.products), self._names("offer_id")
        has_package = owners(self.customer, offer.known, offer.place, links.packages)
        product, klass = self._names("product_id"), self._names("fatigue_class")
        return (
            self.customer * len(product.known)
            + joined(product.known, product.place, links.products, has_package),
            self.customer * len(klass.known)
            + joined(klass.known, klass.place, links.classes, has_package),
        )

    @cached_property
    def limits(self) -> tuple[Limit, ...]:
        """What customers share; a limit that is not configured is left out."""
        settings, one = self.settings, np.ones(len(self.value), np.int64)
        found = [self._branches()]
        by_advisor, advisor = self._is_by_advisor.astype(np.int64), self._names("advisor_id")
        if settings.branch_minutes is not None:
            found.append(
                _limit(
                    BRANCH,
                    "minute",
                    self._names("branch_id"),
                    self._minutes,
                    settings.branch_minutes,
                )
            )
        if settings.advisor_capacity is not None:
            most = settings.advisor_capacity
            found.append(_limit(ADVISOR, "contact", advisor, by_advisor, most))
        if settings.advisor_minutes is not None:
            taken = self._minutes * by_advisor
            found.append(_limit(ADVISOR, "minute", advisor, taken, settings.advisor_minutes))
        if settings.product_quotas:
            found.append(_quotas(PRODUCT, self._names("product_id"), settings.product_quotas))
        if settings.partner_quotas:
            found.append(_quotas(PARTNER, self._partner, settings.partner_quotas))
        everything = Names((settings.campaign_id,), np.zeros(len(self.value), np.int64))
        if settings.budget is not None:
            cents = int(settings.budget * 100)
            cost = self.numbers("cost_cents")
            found.append(_limit(WHOLE_CAMPAIGN, "cent", everything, cost, cents))
        if settings.max_offers is not None:
            found.append(_limit(WHOLE_CAMPAIGN, "offer", everything, one, settings.max_offers))
        return (*found, *self._of_channels(), *self._of_levers())

    def _of_channels(self) -> Iterator[Limit]:
        channel, one = self._names("channel"), np.ones(len(self.value), np.int64)
        rooms = {str(name): item.max_contacts for name, item in self.terms.channels.items()}
        if any(room is not None for room in rooms.values()):
            yield _limit_by_name(CHANNEL, "contact", channel, one, rooms)

    def _of_levers(self) -> Iterator[Limit]:
        levers, lever = self.terms.levers, self._names("lever_code")
        budgets = {
            code: None if item.budget is None else int(item.budget * 100)
            for code, item in levers.items()
        }
        seats = {code: item.seats for code, item in levers.items()}
        one = np.ones(len(self.value), np.int64)
        for unit, amount, rooms in (
            ("cent", self.numbers("lever_cents"), budgets),
            ("seat", one, seats),
        ):
            if any(rooms[code] is not None for code in lever.known):
                yield _limit_by_name(LEVER, unit, lever, amount, rooms)

    def _branches(self) -> Limit:
        one = np.ones(len(self.value), np.int64)
        limit = _limit(
            BRANCH, "contact", self._names("branch_id"), one, self.settings.branch_capacity
        )
        for label, places in self.settings.branch_capacity_overrides.items():
            if label in limit.labels:
                limit.most[limit.labels.index(label)] = places
        return limit

    @property
    def _minutes(self) -> Ints:
        known = {str(name): taken for name, taken in self.settings.contact_minutes.items()}
        more = {code: lever.minutes for code, lever in self.terms.levers.items()}
        of_channel, of_lever = (
            np.array([*(minutes[name] for name in names.known), 0], np.int64)[names.place]
            for names, minutes in (
                (self._names("channel"), known),
                (self._names("lever_code"), more),
            )
        )
        found: Ints = of_channel + of_lever
        return found

    @property
    def _is_by_advisor(self) -> Bools:
        """Without a lever, or with one that does not say otherwise, the client's advisor calls."""
        lever = self._names("lever_code")
        by_advisor = [self.terms.levers[code].made_by == "advisor" for code in lever.known]
        return np.array([*by_advisor, True], np.bool_)[lever.place]

    @property
    def _partner(self) -> Names:
        product = self._names("product_id")
        partners = [self.terms.products[name].partner for name in product.known]
        known = tuple(sorted({partner for partner in partners if partner is not None}))
        places = [NO_GROUP if one is None else known.index(one) for one in partners]
        return Names(known, np.array([*places, NO_GROUP], np.int64)[product.place])

    def _names(self, column: str) -> Names:
        return Names.of(self.rows[column], self.known.names.get(column))


def _level(group: Ints, most: Ints) -> Level:
    """Groups numbered without holes; of several caps in a group the lowest counts."""
    _, first, number = np.unique(group, return_index=True, return_inverse=True)
    lowest = most[first]
    np.minimum.at(lowest, number, most)
    return Level(number.astype(np.int64), lowest)


def _limit(name: str, unit: str, names: Names, amount: Ints, most: int) -> Limit:
    count = len(names.known)
    room, least = np.full(count, most, np.int64), np.zeros(count, np.int64)
    return Limit(name, unit, names.known, names.place, amount, room, least)


def _limit_by_name(
    name: str, unit: str, names: Names, amount: Ints, rooms: Mapping[str, int | None]
) -> Limit:
    """Another room for each group; None is none."""
    found = _limit(name, unit, names, amount, NO_LIMIT)
    known = [rooms.get(label) for label in names.known]
    found.most[:] = [NO_LIMIT if room is None else room for room in known]
    return found


def _quotas(name: str, names: Names, quotas: Mapping[str, Quota]) -> Limit:
    """At most and at least so many offers; also of a name that no offer passed for."""
    labels = (*names.known, *sorted(set(quotas) - set(names.known)))
    free = Quota()
    wanted = [quotas.get(label, free) for label in labels]
    return Limit(
        name=name,
        unit="offer",
        labels=labels,
        group=names.place,
        amount=np.ones(len(names.place), np.int64),
        most=np.array([NO_LIMIT if one.max is None else one.max for one in wanted], np.int64),
        least=np.array([one.min for one in wanted], np.int64),
    )
