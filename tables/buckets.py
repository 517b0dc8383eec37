"""The layout of transactions: buckets of customers, so that a build needs memory for some of them.

A bucket is named ``<place>-of-<count>``; the store's folders carry the name, so that files tell how
they were laid out.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath

from pyspark.sql import Column, functions as F

BUCKET = "bucket"


def customer_bucket(count: int) -> Column:
    """The bucket of ``customer_id``: 32 bits of SHA-256, so that every engine agrees."""
    place = place_by_hash(F.col("customer_id"), count).cast("string")
    return F.concat(place, F.lit(f"-of-{count}"))


def place_by_hash(name: Column, count: int) -> Column:
    """One of ``count`` numbers for each name, from 0."""
    head = F.conv(F.substring(F.sha2(name, 256), 1, 8), 16, 10)
    return F.pmod(head.cast("bigint"), F.lit(count))


def bucket_of(path: str) -> str:
    """The bucket of a stored file, from its path; empty where the table has none."""
    folders = PurePosixPath(path).parts[:-1]
    return next((f.removeprefix(f"{BUCKET}=") for f in folders if f.startswith(f"{BUCKET}=")), "")


def common_count(buckets: Iterable[str]) -> int | None:
    """Of how many buckets all of them are; None where there are none or layouts are mixed."""
    counts = {bucket.partition("-of-")[2] for bucket in buckets}
    return int(counts.pop()) if len(counts) == 1 and "" not in counts else None
