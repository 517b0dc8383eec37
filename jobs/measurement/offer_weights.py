"""Whom campaigns offered a product in an outcome window, and who stands for them.

What was offered counts, reached or not, as everywhere (`jobs/campaigns/history.py`). A campaign of
a later month touches the same window: whoever was offered the product by it is left out as well,
and whoever chance withheld from it stands for them. Who was withheld by two of them stands for no
more than by one: a few clients who stand for a hundred each would drown all others (truncated
weights; Cole and Hernan, American Journal of Epidemiology 168, 2008).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from conf.recorded import recorded_config
from jobs.campaigns.history import control_share, is_as_drawn
from jobs.home import Home
from measurement.association import Floats
from models.labels import outcome_window
from tables.derived import DECISIONS
from tables.known_rows import Persons
from tables.reason_codes import Outcome
from tables.runs import RunRecord, Runs
from tables.store import Store


@dataclass(frozen=True)
class Offered:
    """Who made the cut of a campaign, by product.

    Attributes:
        record: The campaign's run.
        opens: First day on which its contacts count.
        offered: By product, persons who were offered it, alone or in a package.
        withheld: By product, persons whom chance withheld from it.
        weight: How many each of them stands for; 1: the campaign withheld nobody by chance.
    """

    record: RunRecord
    opens: date
    offered: Mapping[str, pa.Array]
    withheld: Mapping[str, pa.Array]
    weight: float


class OfferWeights:
    """The campaigns of a home, each read once.

    Args:
        home: Where.
        persons: Who was one person by the as-of date of the measurement.
    """

    def __init__(self, home: Home, persons: Persons) -> None:
        self._home = home
        self._persons = persons
        runs = Runs(home.tables).committed()
        self._standing = {run.as_of: run for run in runs if run.step == "campaign"}
        self._read: dict[date, Offered] = {}

    def weights(
        self, product_id: str, persons: pa.Array, window: tuple[date, date], cohort: date
    ) -> tuple[Floats, str]:
        """How many clients each stands for, and what a reader must know of it.

        Args:
            product_id: What could be bought.
            persons: The clients.
            window: First day of the outcome window, and the first day after it.
            cohort: As-of date of the scores.
        """
        weight, without = np.ones(len(persons)), []
        for day in sorted(self._standing):
            if cohort <= day < window[1] and (campaign := self._of(day)).opens < window[1]:
                withheld = _are_in(persons, campaign.withheld.get(product_id))
                # 0 stays 0: whoever another campaign offered it.
                stands_for = np.where(withheld, campaign.weight, 1.0)
                weight = np.where(weight > 0, np.maximum(weight, stands_for), 0.0)
                offered = _are_in(persons, campaign.offered.get(product_id))
                weight[offered] = 0
                without += [f"{day}"] * bool(offered.any() and campaign.weight == 1)
        return weight, _note(without)

    def _of(self, day: date) -> Offered:
        if day not in self._read:
            self._read[day] = self._offered(self._standing[day])
        return self._read[day]

    def _offered(self, record: RunRecord) -> Offered:
        config, share = recorded_config(record.config), control_share(record)
        store = Store(self._home.tables, None, record.pins)
        is_offered = pc.field("outcome") == str(Outcome.OFFERED)
        rows = store.snapshot_where(
            DECISIONS,
            record.as_of,
            is_offered | pc.field("is_in_control_group"),
            ["customer_id", "offer_id", "outcome"],
        )
        offered = pc.equal(rows["outcome"], str(Outcome.OFFERED))
        clients, held_back = (
            pc.count_distinct(one["customer_id"]).as_py()
            for one in (rows, rows.filter(pc.invert(offered)))
        )
        is_random = 0 < share < 1 and is_as_drawn(clients, held_back, share)
        products = {name: offer.products for name, offer in config.offers.items()}
        return Offered(
            record,
            outcome_window(record.as_of, config.time)[0],
            self._by_product(rows.filter(offered), products),
            self._by_product(rows.filter(pc.invert(offered)), products) if is_random else {},
            1 / share if is_random else 1.0,
        )

    def _by_product(
        self, rows: pa.Table, products: Mapping[str, tuple[str, ...]]
    ) -> dict[str, pa.Array]:
        people = [self._persons.person(one) for one in rows["customer_id"].to_pylist()]
        found: dict[str, set[str]] = {}
        for person, offer in zip(people, rows["offer_id"].to_pylist(), strict=True):
            for product_id in products[offer]:
                found.setdefault(product_id, set()).add(person)
        return {name: pa.array(sorted(who), pa.string()) for name, who in found.items()}


def _are_in(persons: pa.Array, some: pa.Array | None) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    if some is None:
        return np.zeros(len(persons), dtype=np.bool_)
    return np.asarray(pc.is_in(persons, value_set=some).to_numpy(zero_copy_only=False))


def _note(without: list[str]) -> str:
    if not without:
        return ""
    return (
        f"whom the campaign of {', '.join(without)} offered it are left out, and nobody stands for"
        " them: it withheld nobody by chance"
    )
