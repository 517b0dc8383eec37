"""How far a client's propensity moved between two runs, by the model and by the data.

Of two runs that differ in both, neither alone is the cause. What the model did is how far another
model moves the propensity of the same client, what the data did is how far other features move it
under the same model; each is the mean of both orders in which the two can change, so that they add
up to the whole and swap their signs with the runs (Shapley, A Value for n-Person Games, 1953).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Key = tuple[str, str]
PERCENT = 100
MOST_DIGITS = 4
MINUS = "−"


@dataclass(frozen=True)
class Valuer:
    """The model that says what an offer is worth.

    Attributes:
        basis: ``propensity`` or ``uplift``, as ``response_basis`` has it.
        version: Of the product's model, or of the uplift model.
    """

    basis: str
    version: int


@dataclass(frozen=True)
class Question:
    """The same offer to the same client, valued otherwise.

    Attributes:
        valuers: Of the run before and of the one after.
        propensities: As these decided by them; what is found has to agree with it.
    """

    key: Key
    product_id: str
    valuers: tuple[Valuer, Valuer]
    propensities: tuple[float, float]

    @property
    def is_same_model(self) -> bool:
        """Only the data can have moved it."""
        return self.valuers[0] == self.valuers[1]


@dataclass(frozen=True)
class Moved:
    """What was found about a question.

    Attributes:
        what: propensity or uplift; response if it is one before and the other after.
        before: In the run before.
        after: In the one after.
        by_model: What of the difference is the model's doing.
        features: Those whose change moved it most the way the data did.
    """

    what: str
    before: float
    after: float
    by_model: float = 0.0
    features: tuple[str, ...] = ()
    is_same_model: bool = False

    @property
    def by_data(self) -> float:
        """What of the difference is the doing of what is known of the client."""
        return self.after - self.before - self.by_model

    @property
    def is_by_model(self) -> bool:
        """The model moved it at least as far as the data."""
        return not self.is_same_model and abs(self.by_model) >= abs(self.by_data)


Answers = Mapping[Key, Moved | str]  # a text says why it cannot be told


def in_words(moved: Moved) -> str:
    """From before to after, and both parts in points."""
    parts = (moved.after - moved.before, moved.by_model, moved.by_data)
    digits = _digits(parts)
    told = f"{moved.what} {shares_in_words(moved.before, moved.after, digits)}"
    if not moved.is_same_model:
        model, data = (_points(one, digits) for one in parts[1:])
        told += f": model {model}, data {data} points"
    return told + (f", most by {', '.join(moved.features)}" if moved.features else "")


def shares_in_words(before: float, after: float, digits: int | None = None) -> str:
    """From one share to the other."""
    many = _digits((after - before,)) if digits is None else digits
    shown = (f"{PERCENT * one:.{many}f} %".replace("-", MINUS) for one in (before, after))
    return " -> ".join(shown)


def _digits(parts: Iterable[float]) -> int:
    """As many as it takes to see the largest part, one at least."""
    points = PERCENT * max(map(abs, parts))
    return min(MOST_DIGITS, max(1, math.ceil(-math.log10(points)))) if points else 1


def _points(share: float, digits: int) -> str:
    text = f"{PERCENT * share:+.{digits}f}"
    return (text if text.strip("+-0.") else text[1:]).replace("-", MINUS).removeprefix("+")
