"""Keys that occur more than once: found by 64-bit hashes, a share at a time, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pyspark.sql import Column, DataFrame, functions as F

HASHES_PER_PASS = 60_000_000  # counted at a time, in about 4 GB


def key_hash(key: Sequence[str]) -> Column:
    """64 bits of a key. Two keys with one hash only get looked at more closely."""
    return F.xxhash64(*key).alias("key_hash")


def shares(rows: int, hashes: Sequence[DataFrame]) -> Iterator[list[DataFrame]]:
    """The same share of the hashes of each frame, one share after the other.

    Args:
        rows: How many hashes there are at most.
        hashes: Frames with a column ``key_hash``.
    """
    count = -(-rows // HASHES_PER_PASS) or 1
    for number in range(count):
        is_in_share = F.pmod(F.col("key_hash"), F.lit(count)) == number
        yield [frame if count == 1 else frame.where(is_in_share) for frame in hashes]


def repeated_hashes(hashes: DataFrame) -> DataFrame:
    """Each hash that occurs more than once, once."""
    return hashes.groupBy("key_hash").count().where(F.col("count") > 1).select("key_hash")


def repeated_keys(rows: DataFrame, key: Sequence[str], count: int) -> int:
    """How many keys occur more than once.

    Args:
        rows: Rows in which no column of the key is null.
        key: Names of its columns.
        count: How many rows there are.
    """
    repeated = 0
    for [share] in shares(count, [rows.select(*key, key_hash(key))]):
        found = repeated_hashes(share)
        if not found.limit(1).count():
            continue  # nearly always, and an engine may hold all of the rows to join none
        suspects = share.join(found, on="key_hash", how="left_semi")
        repeated += suspects.groupBy(*key).count().where(F.col("count") > 1).count()
    return repeated
