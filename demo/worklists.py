"""The lists of the bank's campaigns as its branches get them: a column per line, by number."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from demo.draws import Bools, Floats, Ints


@dataclass(frozen=True)
class Handed:
    """A campaign whose lists were handed out.

    Attributes:
        as_of: Its as-of date.
        run_id: The run that made it.
        campaign_id: Its name.
    """

    as_of: date
    run_id: str
    campaign_id: str


@dataclass(frozen=True)
class Lines:
    """Lines of lists.

    Attributes:
        who: Number of the client; within a chunk, the place there.
        place: Of the line among those of the client in its campaign.
        campaign: Place in ``Worklists.campaigns``.
        offer: Place in ``Worklists.offer_ids``.
        product: Place in `demo.portfolio.PRODUCTS`.
        products: A bit for each product that is bought with it, the one of ``product`` included.
        is_renewal: To who holds it, before it ends.
        is_partner: A partner's product.
        channel: Place in `demo.vocabulary.CONTACT_CHANNELS`.
        branch: Number of the branch that makes the contact.
        advisor: Number of the client's advisor, NO_ONE without.
        first: First day of the offer.
        last: Its last day.
        factor: Of the probability of buying, by the lever that goes with it; 1 without.
        added: Added to it by the lever; 0 without.
    """

    who: Ints
    place: Ints
    campaign: Ints
    offer: Ints
    product: Ints
    products: Ints
    is_renewal: Bools
    is_partner: Bools
    channel: Ints
    branch: Ints
    advisor: Ints
    first: Ints
    last: Ints
    factor: Floats
    added: Floats

    def __len__(self) -> int:
        """Number of lines."""
        return len(self.who)

    def take(self, chosen: NDArray[Any]) -> Lines:
        """Some of the lines, by place or by truth values."""
        return replace(
            self, **{field.name: getattr(self, field.name)[chosen] for field in fields(self)}
        )

    def and_then(self, more: Lines) -> Lines:
        """These, and more after them."""
        return Lines(
            *(
                np.concatenate([getattr(self, field.name), getattr(more, field.name)])
                for field in fields(self)
            )
        )


@dataclass(frozen=True)
class Worklists:
    """The lists of all campaigns that were worked through.

    Attributes:
        campaigns: Oldest first; there is at least one.
        offer_ids: Every offer on the lists.
        lines: All lines, sorted by campaign, client and offer.
    """

    campaigns: tuple[Handed, ...]
    offer_ids: tuple[str, ...]
    lines: Lines

    @property
    def begin(self) -> date:
        """From this day on the bank has no campaigns but these."""
        return self.campaigns[0].as_of

    def of(self, ids: Ints) -> Lines:
        """The lines of a chunk's customers, by their place in the chunk."""
        first = int(ids[0])
        is_here = (self.lines.who >= first) & (self.lines.who <= int(ids[-1]))
        mine = self.lines.take(np.flatnonzero(is_here))
        return replace(mine, who=mine.who - first)


@dataclass(frozen=True)
class Work:
    """Lists that are worked through, and what is written of it.

    Attributes:
        lists: The lists.
        after: Only deliveries after this day are written.
        returned: Gets the files that branches return, a folder per delivery.
        unseen: Numbers of customers of whom nothing is written: they were erased.
    """

    lists: Worklists
    after: date
    returned: Path
    unseen: tuple[int, ...] = ()
