"""An uplift model in use: what turns the features of a customer into what a contact adds."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from models.boosters import loaded_booster
from models.calibrate import probabilities
from models.evaluate import Estimate
from models.matrix import Matrix, Outcomes, Vector
from models.model_files import SCORER
from models.scorer import DECIMALS, UPLIFT, with_columns
from tables.errors import ContractViolation

LearnerName = Literal["t_learner", "s_learner", "class_transformation"]
LEARNERS: tuple[LearnerName, ...] = ("t_learner", "s_learner", "class_transformation")
IS_TREATED = "is_treated"  # what an S-learner is told after the features


@dataclass(frozen=True)
class UpliftModel:
    """What turns features into the probability that a contact adds."""

    learner: LearnerName
    model_texts: tuple[str, ...]

    def uplift(self, features: Matrix) -> Vector:
        """One uplift per row; negative where a contact puts off."""
        if self.learner == "t_learner":
            treated, control = (_response(text, features) for text in self.model_texts)
            found = treated - control
        elif self.learner == "s_learner":
            (text,) = self.model_texts
            treated, control = (
                _response(text, with_treatment(features, told)) for told in (True, False)
            )
            found = treated - control
        else:
            (text,) = self.model_texts
            found = 2 * _response(text, features) - 1
        return np.asarray(np.round(found, DECIMALS))

    def response(self, features: Matrix) -> Vector:
        """What a T-learner's first booster says: the probability of buying when contacted."""
        return np.asarray(np.round(_response(self.model_texts[0], features), DECIMALS))


@dataclass(frozen=True)
class UpliftScorer:
    """Everything an uplift depends on, besides the customer.

    Attributes:
        model: Of all products.
        features: What its boosters read of a customer, in the order of their matrix.
        attributes: What they are told about each product, after the features.
    """

    model: UpliftModel
    features: tuple[str, ...]
    attributes: Mapping[str, Mapping[str, float]]

    @property
    def product_id(self) -> str:
        """It stands for all products."""
        return UPLIFT

    @property
    def kind(self) -> str:
        """Its learner."""
        return self.model.learner

    def uplifts_of(self, matrix: Matrix, product_ids: Iterable[str]) -> dict[str, Vector]:
        """By product one uplift per row of a matrix of its ``features``, within -1 and 1.

        Raises:
            ContractViolation: A booster reads other features, or in another order: the matrix would
                be scored wrongly without a word.
        """
        names = tuple(next(iter(self.attributes.values())))
        self._require(names)
        # One copy for all products: their attributes take turns in its last columns.
        told = with_columns(matrix, np.zeros(len(names)))
        found = {}
        for product_id in product_ids:
            attributes = self.attributes[product_id]
            told[:, len(self.features) :] = [attributes[name] for name in names]
            found[product_id] = self.model.uplift(told)
        return found

    def _require(self, names: Sequence[str]) -> None:
        expected = [*self.features, *names]
        if self.model.learner == "s_learner":
            expected.append(IS_TREATED)
        for text in self.model.model_texts:
            if loaded_booster(text).feature_name() != expected:
                raise ContractViolation(
                    f"the {self.kind} of {UPLIFT} was trained on other features, or in another"
                    " order, than its scorer.json says. Train a new one"
                )

    def files(self) -> dict[str, str]:
        """What is stored, by file name: a text per booster, and everything else as JSON."""
        texts = {_text_name(place): text for place, text in enumerate(self.model.model_texts)}
        content = {
            "learner": self.model.learner,
            "features": self.features,
            "attributes": {name: dict(told) for name, told in self.attributes.items()},
        }
        return {**texts, SCORER: json.dumps(content, indent=1, allow_nan=False) + "\n"}

    @classmethod
    def from_files(cls, files: Mapping[str, str]) -> UpliftScorer:
        """The inverse of ``files``."""
        content: dict[str, Any] = json.loads(files[SCORER])
        texts = tuple(files[name] for name in sorted(files) if name != SCORER)
        return cls(
            model=UpliftModel(content["learner"], texts),
            features=tuple(content["features"]),
            attributes=content["attributes"],
        )


@dataclass(frozen=True)
class UpliftCandidate:
    """A trained uplift model with what is known about it.

    Attributes:
        scorer: Ready to use.
        metrics: Out of fold, with intervals.
        facts: Numbers of campaigns and customers, what could be detected.
    """

    scorer: UpliftScorer
    metrics: Mapping[str, Estimate]
    facts: Mapping[str, float]


@dataclass(frozen=True)
class UpliftChampion:
    """The registered version in use, checked against the registered digest."""

    version: int
    sha256: str
    scorer: UpliftScorer


def with_treatment(features: Matrix, is_treated: Outcomes | bool) -> Matrix:
    """The features, followed by what an S-learner is told."""
    told = np.broadcast_to(np.asarray(is_treated, dtype=np.float32), len(features))
    return np.column_stack([features, told])


def _text_name(place: int) -> str:
    """In the order of the learner's boosters: of a T-learner the treated come first."""
    return f"model_{place}.txt"


def _response(model_text: str, features: Matrix) -> Vector:
    if not len(features):
        return np.empty(0)
    return probabilities(
        loaded_booster(model_text).predict(features, raw_score=True, num_threads=1)
    )
