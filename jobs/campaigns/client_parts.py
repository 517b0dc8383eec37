"""The clients of a campaign in parts: what is decided about all of them exceeds memory.

An engine takes some 15 KB to find out about one client, and as much to put decisions in order.
"""

from __future__ import annotations

from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING

from pyspark.sql import DataFrame, functions as F

from campaigns.sources import CampaignSources
from jobs.scratch import read_kept
from tables.buckets import place_by_hash
from tables.sources import CUSTOMERS

if TYPE_CHECKING:
    from jobs.run import Run

CANDIDATES_AT_ONCE = 4_000_000  # of everybody ever delivered; what is left takes some 3 GB
PART = "part"


def source_parts(run: Run, sources: CampaignSources, folder: Path) -> list[CampaignSources]:
    """The sources in parts of some clients each; no household lies across them.

    Args:
        run: Gives the store and what is offered.
        sources: Of all clients.
        folder: For who is in which part.
    """
    # Everybody once at least; who was delivered again counts again.
    stored = sum(file.rows for file in run.store.files(CUSTOMERS))
    count = -(-stored * len(run.config.offers) // CANDIDATES_AT_ONCE)
    if count <= 1:
        return [sources]
    home = F.coalesce("household_id", "customer_id")
    clients = sources.customers.select("customer_id", place_by_hash(home, count).alias(PART))
    clients.write.partitionBy(PART).parquet(str(folder / "clients"))
    parts = sorted((folder / "clients").glob(f"{PART}=*"))
    return [sources.of(read_kept(clients, part, "customer_id string")) for part in parts]


def together(parts: list[DataFrame]) -> DataFrame:
    """The rows of all parts."""
    return reduce(DataFrame.unionByName, parts)
