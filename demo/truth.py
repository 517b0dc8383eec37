"""What was planted, written beside the bank for tests and benchmarks; the chain never reads it.

Three folders of Parquet parts, one part per chunk of customers:

- ``propensity.parquet``: customer_id, product_id, as_of, propensity. The probability of buying in
  the month that begins on ``as_of``, without contact, given what could be observed before
  ``as_of``; 0 where the product's rules do not allow it, no row where the customer holds it or is
  gone. There is one ``as_of`` more than there are months.
- ``uplift.parquet``: customer_id, product_id, uplift. Added to that probability in a month with a
  contact about the product (the sum stays within 0 and 0.9; nobody who may not hold a product is
  contacted about it).
- ``campaigns.parquet``: customer_id, product_id, month, is_treated, has_bought. The randomised
  past campaigns with their control groups and what both did in that month.

A bank whose branches have worked through lists (`demo.desk`) has another one:

- ``reactions.parquet``: a row per line of a list that came up while history lasts. Keys: campaign
  (as-of date), customer_id, offer_id; besides product_id, is_renewal, branch_id, advisor_id.
  planned_on is the day on which the line came up, contacted_on that of the contact, null where the
  client was not reached. ``without`` and ``with_contact``: the probability of buying the product
  in the month of planned_on without and with a contact on that day, of a renewal that of renewing
  what ends; null where the client held the product by then, or held none to renew. reach: share of
  clients whom the branch reaches, of those who may be called. would_have_bought is what the client
  does in that month without a contact, by the same draw as has_bought, what it does: their
  difference is what the contact caused. bought_on; is_given_back: within 60 days. has_objected and
  has_complained: because of the contact. is_careless, is_pushy, is_claiming: the advisor's habits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from demo.campaigns import Chosen, uplift
from demo.columns import booleans, coded, dates
from demo.deliveries import customer_ids
from demo.draws import Floats, Ints
from demo.files import FORMAT, write_rows
from demo.months import day_number
from demo.people import People
from demo.unseen import without

DECIMALS = 6
PROPENSITY_SCHEMA = pa.schema(
    [
        ("customer_id", pa.dictionary(pa.int32(), pa.string())),
        ("product_id", pa.dictionary(pa.int32(), pa.string())),
        ("as_of", pa.date32()),
        ("propensity", pa.float64()),
    ]
)


class ChunkTruth:
    """The truth about one chunk."""

    def __init__(
        self,
        folder: Path,
        part: str,
        people: People,
        products: Mapping[str, object],
        unseen: Sequence[int] = (),
    ) -> None:
        self._folder = folder
        self._file = f"{part}.parquet"
        self._people = people
        self._customers = customer_ids(people.ids)
        self._products = list(products)
        self._unseen = unseen
        self._campaigns: list[pa.Table] = []
        self._propensity = pq.ParquetWriter(self._path("propensity"), PROPENSITY_SCHEMA, **FORMAT)

    def foresee(self, as_of: date, hazards: Mapping[str, Floats]) -> None:
        """The true hazards of the month that begins on ``as_of``."""
        by_product = np.array([hazards[product_id] for product_id in hazards])
        product, who = np.nonzero(~np.isnan(by_product))
        values = np.round(by_product[product, who], DECIMALS)
        table = pa.table(
            [
                coded(who, self._customers),
                coded(product, list(hazards)),
                dates(np.full(len(who), day_number(as_of))),
                pa.array(values),
            ],
            schema=PROPENSITY_SCHEMA,
        )
        self._propensity.write_table(without(table, self._unseen))

    def campaign(self, month: date, campaign: Chosen, buyers: Ints) -> None:
        """Who was chosen, treated or not, and bought or not."""
        who = campaign.who
        self._campaigns.append(
            pa.table(
                {
                    "customer_id": self._customers.take(pa.array(who)),
                    "product_id": pa.array([campaign.product_id] * len(who), pa.string()),
                    "month": dates(np.full(len(who), day_number(month))),
                    "is_treated": booleans(campaign.is_treated),
                    "has_bought": booleans(np.isin(who, buyers)),
                }
            )
        )

    def reactions(self, rows: pa.Table | None) -> None:
        """What came of lists."""
        if rows is not None:
            write_rows(without(rows, self._unseen), self._path("reactions"))

    def close(self) -> None:
        """Finish the chunk's files."""
        self._propensity.close()
        if self._campaigns:
            campaigns = pa.concat_tables(self._campaigns)
            write_rows(without(campaigns, self._unseen), self._path("campaigns"))
        write_rows(without(self._uplift(), self._unseen), self._path("uplift"))

    def _uplift(self) -> pa.Table:
        count = len(self._people)
        values = [
            np.round(uplift(product_id, self._people), DECIMALS) for product_id in self._products
        ]
        product = np.repeat(np.arange(len(self._products)), count)
        return pa.table(
            {
                "customer_id": coded(
                    np.tile(np.arange(count), len(self._products)), self._customers
                ),
                "product_id": coded(product, self._products),
                "uplift": pa.array(np.concatenate(values)),
            }
        )

    def _path(self, name: str) -> Path:
        folder = self._folder / f"{name}.parquet"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / self._file
