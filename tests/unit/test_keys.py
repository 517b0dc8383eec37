"""Repeated keys are found, however few are looked at in one pass."""

import pytest

from tables import keys


@pytest.mark.parametrize("hashes_per_pass", [1000, 7, 1])
def test_repeated_keys_are_counted_in_any_number_of_passes(spark, monkeypatch, hashes_per_pass):
    monkeypatch.setattr(keys, "HASHES_PER_PASS", hashes_per_pass)
    rows = spark.createDataFrame(
        [("a", 1), ("a", 2), ("b", 1), ("b", 1), ("c", 1), ("c", 1), ("c", 1)],
        "name string, number int",
    )
    assert keys.repeated_keys(rows, ["name", "number"], 7) == 2
    assert keys.repeated_keys(rows, ["name"], 7) == 3


def test_two_keys_with_one_hash_are_not_taken_for_one(spark, monkeypatch):
    monkeypatch.setattr(
        keys, "key_hash", lambda key: keys.F.lit(7).cast("bigint").alias("key_hash")
    )
    rows = spark.createDataFrame([("a",), ("b",), ("b",)], "name string")
    assert keys.repeated_keys(rows, ["name"], 3) == 1
