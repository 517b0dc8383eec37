"""The types of the ways in which offers are made: channels, levers, and who is credited."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StrictFloat, StrictStr, model_validator

from conf.fields import Channel, Cost, Count, Days, Identifier, Settings, Share
from conf.wording import ANY_LANGUAGE, Language, Name, NonEmpty

Factor = Annotated[StrictFloat, Field(ge=0, le=10)]
CostWhen = Literal["accepted", "offered"]
Caller = Literal["advisor", "branch_director"]


class ChannelSettings(Settings):
    """What a contact by one channel costs and brings, whatever the offer.

    Attributes:
        contact_cost: Of one contact; that of the offer if left out.
        response_factor: Of the response to the same offer, beside what models were trained on.
        preferred_factor: The same once more, for clients who last said yes on this channel.
        max_contacts: Contacts that the whole campaign may make by it.
    """

    contact_cost: Cost | None = None
    response_factor: Factor = 1.0
    preferred_factor: Factor = 1.0
    max_contacts: Count | None = None


class Lever(Settings):
    """Something that may go with an offer so that it is taken more often.

    Attributes:
        name: What a branch reads.
        offers: It may go with these.
        channels: It may be put on these channels only; on every one if left out.
        allow_when: For whom it is: a condition over facts of a client, as in `rules.yaml`.
        cost: What it costs the bank.
        cost_when: Each time it is ``offered``, or only where the offer is ``accepted``.
        limit: The most that may be granted, shown to the branch.
        response_factor: Of the probability that the offer is accepted.
        response_add: Added to it.
        effect_source: Where these two numbers come from.
        budget: What it may cost in a campaign, as expected.
        seats: How many it may be offered to.
        minutes: What it takes beside the contact itself, of who makes it.
        made_by: Who makes the contact.
        once_in_days: A client is not offered it again for so many days.
    """

    name: Name
    kind: Literal["discount", "bonus", "event", "personal_contact"]
    offers: Annotated[tuple[Identifier, ...], Field(min_length=1)]
    channels: tuple[Channel, ...] = ()
    allow_when: Annotated[StrictStr, Field(min_length=1, max_length=1000)] | None = None
    cost: Cost
    cost_when: CostWhen
    limit: Cost | None = None
    response_factor: Factor = 1.0
    response_add: Share = 0.0
    effect_source: NonEmpty | None = None
    budget: Cost | None = None
    seats: Count | None = None
    minutes: Count = 0
    made_by: Caller = "advisor"
    once_in_days: Days = 0

    def named(self, language: Language) -> str:
        """Its name in a language."""
        return self.name.get(language) or self.name[ANY_LANGUAGE]

    @property
    def has_effect(self) -> bool:
        """It is said to change how often an offer is accepted."""
        return self.response_factor != 1 or self.response_add > 0


class CreditShares(Settings):
    """How a sale is split where one closes it and another one referred the client."""

    closer: Share
    referrer: Share

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if round(self.closer + self.referrer, 9) != 1:
            raise ValueError(f"closer and referrer make {self.closer + self.referrer:g}, not 1")
        return self


class CreditSettings(Settings):
    """Who is credited with a sale.

    Attributes:
        closed_by: Who closes it, by kind of product: whoever holds the relationship (the client's
            advisor, or the branch of a client without one), or the desk of the product's partner.
        shares: Of closer and referrer, where they are not the same.
    """

    closed_by: dict[Literal["internal", "partner"], Literal["relationship", "partner_desk"]]
    shares: CreditShares
