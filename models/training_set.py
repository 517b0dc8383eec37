"""Features × outcomes of sampled customers in several cohorts, as arrays for training processes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from models.matrix import Integers, Matrix, Outcomes, Vector

TRAIN, CALIBRATION, TEST = 0, 1, 2
PARTS = ("train", "calibration", "test")  # their names
FOLDS = 4


@dataclass(frozen=True)
class TrainingSet:
    """Rows are sampled customers within cohorts, sorted by cohort and customer.

    Of a training cohort there is everybody who bought something, and who was drawn; the others are
    drawn whatever was bought. See ``models/sampling.py``.

    Attributes:
        features: One column per feature.
        outcomes: One column per product: -1 could not buy, 0 did not, 1 did.
        part: TRAIN, CALIBRATION or TEST, by cohort.
        cohort: Place of the row's cohort among all of them, the oldest first.
        customer: A number per customer, the same in every cohort.
        fold: A number below ``FOLDS`` that follows the customer, so that nobody is on both sides.
        draw: A number per row that decides which negatives are kept.
        is_drawn: The row would be here whatever was bought.
        weight: How many customers of the cohort the row stands for.
        segment: Place of the customer's segment in the list of segments.
    """

    features: Matrix
    outcomes: npt.NDArray[np.int8]
    part: npt.NDArray[np.int8]
    cohort: npt.NDArray[np.int16]
    customer: npt.NDArray[np.int32]
    fold: npt.NDArray[np.int8]
    draw: Vector
    is_drawn: Outcomes
    weight: Vector
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
        one binned matrix serves them all. Others who are here only for what else they bought are no
        negatives: among those, buyers would be too many.
        """
        rows = self.rows(product, TRAIN)
        has_bought = self.outcomes[rows, product] == 1
        others = rows[~has_bought]
        wanted = negatives_per_positive * int(has_bought.sum())
        kept = first_by_draw(others[self.is_drawn[others]], self.draw, wanted)
        share = share_kept(len(kept), self.weight[others])
        return Sample(np.sort(np.concatenate([rows[has_bought], kept])), share)


@dataclass(frozen=True)
class Sample:
    """Rows to train on, and the share of all customers' negatives that are among them."""

    rows: Integers
    negative_share: float

    @property
    def log_odds_shift(self) -> float:
        """What to add to log-odds learned on the sample: the exact prior correction.

        Dropping negatives multiplies the odds of every customer by 1 / share and changes nothing
        else (King and Zeng, Logistic Regression in Rare Events Data, 2001, section 4.1).
        """
        return float(np.log(self.negative_share)) if self.negative_share else 0.0


def share_kept(kept: int, weights: Vector) -> float:
    """How many of all negatives are kept; 1 if there are none.

    Args:
        kept: How many there are to train on.
        weights: Of every negative among the sampled rows; they add up to the estimated number of
            negatives among all customers, which is exact if nobody was left out.
    """
    return kept / total(weights) if len(weights) else 1.0


def total(weights: Vector) -> float:
    """Their sum, rounded once, so that it does not depend on their order."""
    return math.fsum(weights)


def first_by_draw(rows: Integers, draw: Vector, wanted: int) -> Integers:
    """The ``wanted`` rows with the smallest draw; equal draws go by row."""
    if wanted >= len(rows):
        return rows
    return rows[np.argsort(draw[rows], kind="stable")[:wanted]]


def segment_places(segments: pa.ChunkedArray, levels: Sequence[str]) -> npt.NDArray[np.int16]:
    """Place of each segment in ``levels``; the place after the last is for unknown ones."""
    found = pc.index_in(segments, value_set=pa.array(levels, pa.string()))
    places = pc.fill_null(found, len(levels)).to_numpy(zero_copy_only=False)
    return np.asarray(places, dtype=np.int16)
