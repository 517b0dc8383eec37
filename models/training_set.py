"""Snapshots × outcomes over several cohorts, as arrays that training processes share."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.matrix import Integers, Matrix

TRAIN, CALIBRATION, TEST = 0, 1, 2
FOLDS = 4


@dataclass(frozen=True)
class TrainingSet:
    """Rows are customers within cohorts, sorted by cohort and customer.

    Attributes:
        features: One column per feature.
        outcomes: One column per product: -1 could not buy, 0 did not, 1 did.
        part: TRAIN, CALIBRATION or TEST, by cohort.
        fold: A number below ``FOLDS`` that follows the customer, so that nobody is on both sides.
        draw: A number per row that decides which negatives are kept.
        segment: Place of the customer's segment in the list of segments.
    """

    features: Matrix
    outcomes: npt.NDArray[np.int8]
    part: npt.NDArray[np.int8]
    fold: npt.NDArray[np.int8]
    draw: npt.NDArray[np.uint64]
    segment: npt.NDArray[np.int16]

    def save(self, folder: Path) -> None:
        """Write each array for ``load`` in another process."""
        for field in fields(self):
            np.save(folder / f"{field.name}.npy", getattr(self, field.name))

    @classmethod
    def load(cls, folder: Path) -> TrainingSet:
        """Map the arrays into memory, without a copy per process."""
        arrays = {
            field.name: np.load(folder / f"{field.name}.npy", mmap_mode="r")
            for field in fields(cls)
        }
        return cls(**arrays)

    def rows(self, product: int, part: int) -> Integers:
        """Rows of one part in which the product, by its place, could be bought."""
        return np.flatnonzero((self.part == part) & (self.outcomes[:, product] >= 0))

    def sampled_rows(self, product: int, negatives_per_positive: int) -> Sample:
        """Training rows of one product: all buyers and the first of the others by ``draw``.

        The draw does not depend on the product, so that the rows of different products overlap and
        one binned matrix serves them all.
        """
        rows = self.rows(product, TRAIN)
        has_bought = self.outcomes[rows, product] == 1
        negatives = rows[~has_bought]
        wanted = negatives_per_positive * int(has_bought.sum())
        kept = first_by_draw(negatives, self.draw, wanted)
        share = len(kept) / len(negatives) if len(negatives) else 1.0
        return Sample(np.sort(np.concatenate([rows[has_bought], kept])), share)


@dataclass(frozen=True)
class Sample:
    """Rows to train on, and the share of the negatives that are among them."""

    rows: Integers
    negative_share: float

    @property
    def log_odds_shift(self) -> float:
        """What to add to log-odds learned on the sample: the exact prior correction.

        Dropping negatives multiplies the odds of every customer by 1 / share and changes nothing
        else (King and Zeng, Logistic Regression in Rare Events Data, 2001, section 4.1).
        """
        return float(np.log(self.negative_share)) if self.negative_share else 0.0


def first_by_draw(rows: Integers, draw: npt.NDArray[np.uint64], wanted: int) -> Integers:
    """The ``wanted`` rows with the smallest draw; equal draws go by row."""
    if wanted >= len(rows):
        return rows
    return rows[np.argsort(draw[rows], kind="stable")[:wanted]]


def customer_folds(customer_ids: Sequence[str], seed: int) -> npt.NDArray[np.int8]:
    """A fold per row, the same for all rows of a customer."""
    return (stable_hashes(customer_ids, f"fold {seed}") % FOLDS).astype(np.int8)


def row_draws(
    cohorts: Sequence[str], customer_ids: Sequence[str], seed: int
) -> npt.NDArray[np.uint64]:
    """A number per customer and cohort that looks random and depends on nothing else."""
    keys = [f"{cohort} {customer}" for cohort, customer in zip(cohorts, customer_ids, strict=True)]
    return stable_hashes(keys, f"draw {seed}")


def stable_hashes(keys: Sequence[str], salt: str) -> npt.NDArray[np.uint64]:
    """64 bits of BLAKE2b per key."""
    salted = hashlib.blake2b(salt.encode(), digest_size=8)
    digests = bytearray()
    for key in keys:
        hashed = salted.copy()
        hashed.update(key.encode())
        digests += hashed.digest()
    return np.frombuffer(bytes(digests), dtype="<u8").astype(np.uint64)


def segment_places(segments: Sequence[str | None], levels: Sequence[str]) -> npt.NDArray[np.int16]:
    """Place of each segment in ``levels``; the place after the last is for unknown ones."""
    places: Mapping[str | None, int] = {level: place for place, level in enumerate(levels)}
    return np.array([places.get(segment, len(levels)) for segment in segments], dtype=np.int16)
