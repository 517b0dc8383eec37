"""The types of what an offer may be besides one product: due after an event, or a package."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, StrictFloat, StrictInt

from conf.fields import Cost, Days, Identifier, Settings
from conf.wording import ANY_LANGUAGE, Language, Name, NonEmpty

Event = Literal["maturity", "salary_start", "large_credit", "branch_changed"]
MATURITY: Event = "maturity"
# What is known of an event by month only may have happened so many days before the as-of date.
LONGEST_AGO: dict[Event, int] = {"large_credit": 31, "branch_changed": 184}
# What a value must reach at least, unless a trigger says otherwise.
AT_LEAST: dict[Event, float] = {"large_credit": 2.0}


class Trigger(Settings):
    """What has to happen before an offer is due, and on which days it is made then.

    Attributes:
        event: ``maturity``: something held comes to its end, a card too. ``salary_start``: regular
            income began to arrive within the last month. ``large_credit``: a credit of the last
            month was so many times a month's usual inflow. ``branch_changed``: another branch than
            half a year before.
        of: What ends; the product of the offer if left out.
        days_before: The first and the last day of the offer, in days before the end.
        within_days: The last day of the offer, in days after any other event.
        at_least: How many times, for ``large_credit``.
    """

    event: Event
    of: Identifier | None = None
    days_before: tuple[Days, Days] | None = None
    within_days: Annotated[StrictInt, Field(ge=1, le=366)] | None = None
    at_least: Annotated[StrictFloat, Field(gt=0, le=1000)] | None = None


class Bundle(Settings):
    """A package of products at a price of its own, each of which is sold alone as well.

    Attributes:
        core: What the rest is sold around; the client may hold it already.
        periphery: The rest, none of which the client holds.
        price: Of the whole package, in the base currency.
        component_prices: Of each of its products bought alone, for the same time.
    """

    name: Name
    core: Identifier
    periphery: Annotated[tuple[Identifier, ...], Field(min_length=1)]
    price: Cost
    component_prices: dict[Identifier, Cost]
    client_benefit: Annotated[dict[Language, NonEmpty], Field(min_length=1)]

    @property
    def products(self) -> tuple[str, ...]:
        """All of them, the core first."""
        return (self.core, *self.periphery)

    def named(self, language: Language) -> str:
        """Its name in a language."""
        return self.name.get(language) or self.name[ANY_LANGUAGE]

    @property
    def discount(self) -> Decimal:
        """What the client saves."""
        return sum(self.component_prices.values(), Decimal(0)) - self.price
