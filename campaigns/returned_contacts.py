"""Returned results as contacts, beside those that the bank's own systems deliver.

A contact that a branch has returned is in the bank's extract too, sooner or later. It is the same
contact if both are about one client and product, with at most ``SAME_WITHIN`` days between them.
The extract's row then stands for the contact, and the returned one only for what the client said:
the longer cool-off holds, and no cap counts it twice.
"""

from __future__ import annotations

from datetime import date

from pyspark.sql import Column, DataFrame, functions as F

SAME_WITHIN = 3  # days
# What the contact policy knows, for results that only branches tell.
AS_CONTACT = {"wrong_person": "no_answer", "complaint": "unsuitable"}


def with_returned(contacts: DataFrame, dispositions: DataFrame, as_of: date) -> DataFrame:
    """Contacts as known before ``as_of``, with those that only branches have told of.

    Args:
        contacts: As delivered, known before ``as_of``.
        dispositions: Shaped ``DISPOSITIONS``, one ``customer_id`` per person.
        as_of: What was recorded before it counts.

    Returns:
        Columns of ``contacts``. A returned result of a contact that is there already has no
        ``contacted_on``, so that it counts as no contact, only as a result.
    """
    known = dispositions.where(F.col("recorded_at") < F.lit(as_of).cast("timestamp"))
    told = known.select(
        "*", F.to_date("disposition_at").alias("said_on"), _identifier().alias("returned_id")
    )
    # Each returned result once: a group per its key.
    pairs = told.join(
        contacts.select(
            F.col("customer_id").alias("client"),
            F.col("product_id").alias("product"),
            "contacted_on",
        ),
        on=(F.col("customer_id") == F.col("client"))
        & (F.col("product_id") == F.col("product"))
        & (F.abs(F.datediff("contacted_on", "said_on")) <= SAME_WITHIN),
        how="left_semi",
    ).select(F.col("returned_id").alias("there_already"))
    # The right key is unique, as each result is.
    marked = told.join(
        pairs, on=F.col("returned_id") == F.col("there_already"), how="left"
    ).withColumn("contacted_on", F.when(F.col("there_already").isNull(), F.col("said_on")))
    return contacts.unionByName(marked.select(*(_of_contact(name) for name in contacts.columns)))


def _identifier() -> Column:
    parts = ("customer_id", "offer_id", F.col("disposition_at").cast("string"))
    return F.concat_ws("|", F.lit("returned"), *parts)


def _of_contact(name: str) -> Column:
    """A returned result as a column of ``contacts``."""
    own = {
        "contact_id": F.col("returned_id"),
        "disposition": _as_contact(),
        "disposition_on": F.col("said_on"),
        "referred_by_advisor_id": F.lit(None).cast("string"),
    }
    return own.get(name, F.col(name)).alias(name)


def _as_contact() -> Column:
    said = F.col("disposition")
    for word, meaning in AS_CONTACT.items():
        said = F.when(F.col("disposition") == word, F.lit(meaning)).otherwise(said)
    return said
