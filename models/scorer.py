"""A model in use: what turns the features of a customer into a calibrated propensity."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.accelerator import accelerated
from models.boosters import loaded_booster
from models.calibrate import IDENTITY, Calibration, probabilities
from models.matrix import Matrix, Vector, feature_matrix
from models.model_files import MODEL_TEXT, SCORER
from models.shallow_trees import shallow_trees
from tables.errors import ContractViolation

if TYPE_CHECKING:
    from lightgbm import Booster

ModelKind = Literal["booster", "pooled", "segment_rate"]
UNKNOWN_SEGMENT = ""
UPLIFT = "xsell_uplift"  # stands for all products, and is the model's name in the registry
DECIMALS = 12  # below any use, above the last bits in which processors may differ


@dataclass(frozen=True)
class Scorer:
    """Everything a propensity depends on, besides the customer.

    Attributes:
        product_id: What is bought.
        kind: Its own booster, the booster pooled over products, or the segment's rate.
        features: What a booster reads, in the order of its matrix.
        attributes: What a pooled booster is told about the product, after the features.
        model_text: The booster as LightGBM's text.
        log_odds_shift: Prior correction of the negatives left out in training.
        calibration: Applied after the shift.
        segment_rates: Rate by segment, with ``UNKNOWN_SEGMENT`` for every other.
        is_accelerated: oneDAL predicts instead of LightGBM, where trees are not so small that this
            program is quicker; not a property of the model, but of how it is used here.
    """

    product_id: str
    kind: ModelKind
    features: tuple[str, ...] = ()
    attributes: Mapping[str, float] = field(default_factory=dict)
    model_text: str = ""
    log_odds_shift: float = 0.0
    calibration: Calibration = IDENTITY
    segment_rates: Mapping[str, float] = field(default_factory=dict)
    is_accelerated: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of customer_features it reads."""
        return ("segment",) if self.kind == "segment_rate" else self.features

    def propensities(self, rows: pa.Table | pa.RecordBatch) -> Vector:
        """One propensity per row."""
        if self.kind == "segment_rate":
            return self._rates(rows.column("segment"))
        return self.propensities_of(feature_matrix(rows, self.features))

    def propensities_of(self, matrix: Matrix) -> Vector:
        """The same for a matrix of its ``features``; of boosters only."""
        log_odds = self.calibration.apply(self.log_odds(matrix))
        return np.round(probabilities(log_odds), DECIMALS)

    def log_odds(self, matrix: Matrix) -> Vector:
        """Prior-corrected, not yet calibrated."""
        if not len(matrix):
            return np.empty(0)
        booster, rows = self.booster(), self.with_attributes(matrix)
        if trees := shallow_trees(self.model_text):
            return trees.log_odds(rows) + self.log_odds_shift
        if self.is_accelerated:
            return accelerated(self.model_text)(rows) + self.log_odds_shift
        raw = booster.predict(rows, raw_score=True, num_threads=1)
        return np.asarray(raw, dtype=np.float64) + self.log_odds_shift

    def with_attributes(self, matrix: Matrix) -> Matrix:
        """The matrix, followed by the product's attributes where the model is pooled."""
        if not self.attributes:
            return matrix
        return with_columns(matrix, list(self.attributes.values()))

    def booster(self) -> Booster:
        """The booster, loaded once per process.

        Raises:
            ContractViolation: It reads other features, or in another order: the matrix would be
                scored wrongly without a word.
        """
        booster = loaded_booster(self.model_text)
        expected = [*self.features, *self.attributes]
        if booster.feature_name() != expected:
            raise ContractViolation(
                f"the {self.kind} model of {self.product_id} was trained on other features, or in"
                " another order, than its scorer.json says. Train a new one"
            )
        return booster

    def files(self) -> dict[str, str]:
        """What is stored, by file name."""
        return {MODEL_TEXT: self.model_text, SCORER: self.as_json()}

    def require_order(self) -> None:
        """Stop unless a booster reads its features in the order that it is given them in.

        Here, before an engine's worker finds out: whose error would quote no rule.

        Raises:
            ContractViolation: It reads others, or in another order.
        """
        if self.model_text:
            self.booster()

    def as_json(self) -> str:
        """Everything but the booster's text, as canonical JSON."""
        content = {
            "product_id": self.product_id,
            "kind": self.kind,
            "features": self.features,
            "attributes": dict(self.attributes),
            "log_odds_shift": self.log_odds_shift,
            "calibration": self.calibration.as_json(),
            "segment_rates": dict(self.segment_rates),
        }
        return json.dumps(content, indent=1, allow_nan=False) + "\n"

    @classmethod
    def from_files(cls, files: Mapping[str, str]) -> Scorer:
        """The inverse of ``files``."""
        return cls.from_json(files[SCORER], files[MODEL_TEXT])

    @classmethod
    def from_json(cls, text: str, model_text: str) -> Scorer:
        """The inverse of ``as_json``."""
        content: dict[str, Any] = json.loads(text)
        return cls(
            product_id=content["product_id"],
            kind=content["kind"],
            features=tuple(content["features"]),
            attributes=content["attributes"],
            model_text=model_text,
            log_odds_shift=content["log_odds_shift"],
            calibration=Calibration.from_json(content["calibration"]),
            segment_rates=content["segment_rates"],
        )

    def _rates(self, segments: pa.Array | pa.ChunkedArray) -> Vector:
        known = [name for name in self.segment_rates if name != UNKNOWN_SEGMENT]
        texts = pc.cast(segments, pa.string())
        places = pc.index_in(texts, value_set=pa.array(known, pa.string()))
        rates = np.array([self.segment_rates[name] for name in (*known, UNKNOWN_SEGMENT)])
        at = pc.fill_null(places, len(known)).to_numpy(zero_copy_only=False)
        return np.asarray(rates[at], dtype=np.float64)


@dataclass(frozen=True)
class Champion:
    """A registered version of a model, with its scorer checked against the registered digest."""

    product_id: str
    version: int
    sha256: str
    scorer: Scorer

    @property
    def name(self) -> str:
        """Name in the registry."""
        return model_name(self.product_id)


def model_name(product_id: str) -> str:
    """Name of a product's registered model, or of the uplift model."""
    return UPLIFT if product_id == UPLIFT else f"propensity_{product_id}"


def with_columns(matrix: Matrix, values: Sequence[float] | Vector) -> Matrix:
    """The matrix, followed by a column for each value, the same in every row."""
    columns = np.array([values], dtype=np.float32)
    return np.hstack([matrix, np.repeat(columns, len(matrix), axis=0)])
