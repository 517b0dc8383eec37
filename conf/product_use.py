"""How the bank's own data show that a product is used, as `conf/base/products.yaml` declares it."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, StrictStr, model_validator

from conf.fields import Settings

HOLDING, OWN_ACCOUNT, BOOKINGS = "holding", "own_account", "bookings"


class ProductUse(Settings):
    """What shows that a client uses a product.

    Attributes:
        shown_by: ``holding``: to have it is to use it, as a deposit or a loan. ``own_account``:
            bookings on the account that was opened for it; on one that belongs to another product
            nobody can tell whose they are. ``bookings``: of the client, on any account, where
            categories or channels tell them apart from all others.
        direction: Only what comes in, or only what goes out.
        categories: Only bookings for these; without any, all but the bank's own, as interest.
        channels: Only bookings made so.
    """

    shown_by: Literal["holding", "own_account", "bookings"]
    direction: Literal["in", "out"] | None = None
    categories: tuple[StrictStr, ...] = Field(default=())
    channels: tuple[StrictStr, ...] = Field(default=())

    @model_validator(mode="after")
    def _says_which(self) -> Self:
        is_told = bool(self.categories or self.channels)
        if self.shown_by == BOOKINGS and not is_told:
            raise ValueError(
                "bookings on any account need categories or channels, to be told apart"
            )
        if self.shown_by == HOLDING and (is_told or self.direction is not None):
            raise ValueError("what is used by being held has no direction, categories or channels")
        return self

    @property
    def is_booked(self) -> bool:
        """Bookings show it."""
        return self.shown_by != HOLDING
