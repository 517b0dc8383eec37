"""Customer records that the bank found to be one person: rows of each stand for the survivor.

The strictest holds: a refusal of either record outlives the merge until the person decides anew,
a flag lasts as long as the longest of them, whom one record calls dead is dead.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pyarrow as pa
from pyspark.sql import DataFrame, functions as F

from tables.base import Table
from tables.errors import ContractViolation
from tables.sources import CONSENTS, CUSTOMERS, FLAGS

MERGED = "record_id string, survivor_id string, merged_on date"
MERGED_ARROW = pa.schema(
    [("record_id", pa.string()), ("survivor_id", pa.string()), ("merged_on", pa.date32())]
)


def survivors(merges: pa.Table) -> pa.Table:
    """Who stands for each record in the end, where a survivor was merged again.

    Args:
        merges: Rows of ``customer_merges`` as known before a date.

    Returns:
        ``MERGED_ARROW``: one row per record that was given up.

    Raises:
        ContractViolation: Records were merged in a circle, so that nobody survives.
    """
    into = dict(
        zip(merges["customer_id"].to_pylist(), merges["survivor_id"].to_pylist(), strict=True)
    )
    days = dict(
        zip(merges["customer_id"].to_pylist(), merges["merged_on"].to_pylist(), strict=True)
    )
    into = {record: survivor for record, survivor in into.items() if record != survivor}
    ends = {record: _end(record, into) for record in into}
    if circular := [record for record, end in ends.items() if end is None]:
        raise ContractViolation(
            f"customer_merges: {len(circular)} records are merged in a circle, so that none"
            " survives. Ask the source team which record stands for the person"
        )
    rows = [
        {"record_id": record, "survivor_id": end, "merged_on": days[record]}
        for record, end in sorted(ends.items())
    ]
    return pa.Table.from_pylist(rows, schema=MERGED_ARROW)


def as_survivors(table: Table, rows: DataFrame, merged: DataFrame) -> DataFrame:
    """Rows of a table in which every person has one ``customer_id``.

    Args:
        table: A source table with a ``customer_id``.
        rows: Its rows.
        merged: ``MERGED``, one row per record that was given up.
    """
    named = rows.withColumnRenamed("customer_id", "original_id")
    # one row per record, so that no row is doubled
    found = named.join(
        F.broadcast(merged), on=F.col("original_id") == F.col("record_id"), how="left"
    ).withColumn("customer_id", F.coalesce("survivor_id", "original_id"))
    combine = COMBINED.get(table.name)
    combined = found if combine is None else combine(found, merged)
    return combined.select(*rows.columns)


def _one_customer(rows: DataFrame, merged: DataFrame) -> DataFrame:
    """The survivor's own row; dead, or an employee, if any record says so."""
    given_up = (
        rows.where(F.col("record_id").isNotNull())
        .groupBy(F.col("customer_id").alias("person"))
        .agg(F.min("deceased_on").alias("died_on"), F.max("is_employee").alias("works_here"))
    )
    own = rows.where(F.col("record_id").isNull())
    # grouped by person, so that no customer is doubled
    return (
        own.join(given_up, on=F.col("customer_id") == F.col("person"), how="left")
        .withColumn("deceased_on", F.coalesce("deceased_on", "died_on"))
        .withColumn(
            "is_employee", F.col("is_employee") | F.coalesce(F.col("works_here"), F.lit(False))
        )
    )


def _longest_flag(rows: DataFrame, merged: DataFrame) -> DataFrame:
    """Of flags that begin on one day the one that lasts longest."""
    never = F.lit("9999-12-31").cast("date")
    ends = F.max(F.coalesce("valid_to", never))
    grouped = rows.groupBy(*FLAGS.key).agg(
        ends.alias("ends"), F.max("recorded_at").alias("recorded_at")
    )
    return grouped.withColumn("valid_to", F.when(F.col("ends") != never, F.col("ends")))


def _strictest_consent(rows: DataFrame, merged: DataFrame) -> DataFrame:
    """Without what was granted before the merge, where a record's last word then was a refusal.

    Of decisions at one instant a refusal counts.
    """
    last_merge = merged.groupBy(F.col("survivor_id").alias("person")).agg(
        F.max("merged_on").cast("timestamp").alias("merged_at")
    )
    # grouped by person, so that no decision is doubled
    dated = rows.join(
        F.broadcast(last_merge), on=F.col("customer_id") == F.col("person"), how="left"
    ).withColumn("is_older", F.coalesce(F.col("changed_at") < F.col("merged_at"), F.lit(False)))
    subject = ("customer_id", "purpose", "channel")
    refused = (
        dated.where("is_older")
        .groupBy("original_id", *subject)
        .agg(F.max_by("is_granted", "changed_at").alias("stands"))
        .where(~F.col("stands"))
        .select(*subject, F.lit(True).alias("is_refused"))
        .distinct()
    )
    is_overruled = F.col("is_older") & F.col("is_granted") & F.coalesce("is_refused", F.lit(False))
    # one row per subject, so that no decision is doubled
    return (
        dated.join(refused, on=list(subject), how="left")
        .where(~is_overruled)
        .groupBy(*CONSENTS.key)
        .agg(F.min("is_granted").alias("is_granted"), F.max("recorded_at").alias("recorded_at"))
    )


COMBINED: Mapping[str, Callable[[DataFrame, DataFrame], DataFrame]] = {
    CUSTOMERS.name: _one_customer,
    FLAGS.name: _longest_flag,
    CONSENTS.name: _strictest_consent,
}


def _end(record: str, into: Mapping[str, str]) -> str | None:
    """Follow a record to the one that survives; None if there is none."""
    seen = {record}
    while record in into:
        record = into[record]
        if record in seen:
            return None
        seen.add(record)
    return record
