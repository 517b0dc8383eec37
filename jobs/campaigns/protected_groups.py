"""Which protected groups the test customers belong to; for reports and the gate, for no model."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from conf.model_settings import FairnessSettings
from jobs.run import Run
from models.fairness import Groups, Labels
from tables.sources import CUSTOMERS

UNKNOWN_GROUP, OTHER_GROUP = "unknown", "other"
COLUMN = {"age_band": "birth_date"}  # of customers; the others are called as they are
LANGUAGE = "^[a-z]{2}$"  # ISO 639-1


def protected_groups(run: Run, cohort: date, customer_ids: pa.ChunkedArray) -> Groups:
    """By configured attribute the group of each customer, as known before ``cohort``.

    Args:
        run: Gives store and settings.
        cohort: The test cohort.
        customer_ids: Its customers, in the order in which groups are wanted.
    """
    settings = run.config.models.fairness
    known = run.store.known_before(CUSTOMERS, cohort)
    people = known.select("customer_id", *columns_needed(settings)).toArrow()
    return groups_of(people, customer_ids, cohort, settings)


def columns_needed(settings: FairnessSettings) -> list[str]:
    """Columns of customers that groups are made of."""
    return sorted({COLUMN.get(name, name) for name in settings.attributes})


def groups_of(
    people: pa.Table, customer_ids: pa.ChunkedArray, as_of: date, settings: FairnessSettings
) -> Groups:
    """By configured attribute the group of each customer.

    Args:
        people: ``customer_id``, once each, and ``columns_needed``, as known before ``as_of``.
        customer_ids: In the order in which groups are wanted; who is not known is ``unknown``.
        as_of: On which ages are counted.
        settings: Attributes and their groups.
    """
    at = pc.index_in(customer_ids, value_set=people["customer_id"].combine_chunks())
    rows = people.take(at)
    return {
        name: age_bands(rows["birth_date"], as_of, settings.age_bands)
        if name == "age_band"
        else group_labels(rows[name], settings.genders if name == "gender" else None)
        for name in settings.attributes
    }


def age_bands(born_on: pa.ChunkedArray, as_of: date, bands: Sequence[int]) -> Labels:
    """The band of each age in completed years: ``0–24``, ``25–34``, …, ``65 and over``."""
    names = [
        f"0–{bands[0] - 1}",
        *(f"{low}–{high - 1}" for low, high in pairwise(bands)),
        f"{bands[-1]} and over",
    ]
    had_birthday = pc.less_equal(
        pc.add(pc.multiply(pc.month(born_on), 100), pc.day(born_on)), as_of.month * 100 + as_of.day
    )
    years = pc.subtract(as_of.year, pc.year(born_on))
    ages = pc.subtract(years, pc.cast(pc.invert(had_birthday), pa.int64()))
    known = np.asarray(pc.fill_null(ages, -1).to_numpy())
    labels = np.array(names)[np.searchsorted(bands, known, side="right")]
    return np.where(known < 0, UNKNOWN_GROUP, labels)


def group_labels(values: pa.ChunkedArray, words: Sequence[str] | None) -> Labels:
    """The group of each value, under a name that is no client's: what is free text has none.

    Args:
        values: As delivered; null is ``unknown``.
        words: Those that name a group; None is every language code. The others are ``other``.
    """
    texts = values.combine_chunks().cast(pa.string())
    if words is None:
        is_named = pc.match_substring_regex(texts, LANGUAGE)
    else:
        is_named = pc.is_in(texts, value_set=pa.array(words, pa.string()))
    named = pc.if_else(is_named, texts, OTHER_GROUP)
    known = pc.if_else(pc.is_valid(texts), named, UNKNOWN_GROUP)
    return np.asarray(known.to_pylist(), dtype=np.str_)
