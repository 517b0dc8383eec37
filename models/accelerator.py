"""Predictions of a booster by oneDAL, on x86 in about a quarter of LightGBM's time.

oneDAL adds a tree's leaves in 32 bits, so that log-odds differ by some 5e-6 from LightGBM's. What
its converter (`daal4py.mb`, in scikit-learn-intelex) takes for a threshold sends a few rows to the
other side of a split; here it is given one that does not. Whether a model gives the same numbers
is tried out before anybody relies on it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from types import ModuleType

import numpy as np

from models.matrix import Matrix, Vector
from tables.errors import UserError

MOST_APART = 1e-6  # of propensities
LARGEST = 1e308


@lru_cache(maxsize=128)
def accelerated(model_text: str) -> Callable[[Matrix], Vector]:
    """What predicts log-odds as the booster does, in one thread; loaded once per process.

    Raises:
        UserError: The optional packages are not installed.
    """
    from lightgbm import Booster

    builders = _builders()
    model = builders.convert_model(Booster(model_str=_for_conversion(model_text)))
    return lambda matrix: np.asarray(model.predict(matrix), dtype=np.float64).ravel()


def is_equal(propensities: Vector, others: Vector) -> bool:
    """No propensity is further away than ``MOST_APART``."""
    return bool(np.abs(propensities - others).max(initial=0.0) <= MOST_APART)


def _builders() -> ModuleType:
    try:
        import daal4py
        from daal4py import mb
    except ImportError:
        raise UserError(
            "models.accelerator is onedal, but its packages are not installed (x86 only): run"
            " pip install 'xsell[accelerator]', or set models.accelerator to none"
        ) from None
    daal4py.daalinit(1)
    builders: ModuleType = mb
    return builders


def _for_conversion(model_text: str) -> str:
    """The same trees for the converter: log-odds instead of probabilities, its kind of thresholds.

    Sizes of trees in bytes are left out, as they are no longer true; LightGBM reads without them.
    """
    lines = (line for line in model_text.split("\n") if not line.startswith("tree_sizes="))
    return "\n".join(map(_converted, lines))


def _converted(line: str) -> str:
    name, _, value = line.partition("=")
    if name == "objective":
        return "objective=regression"
    return f"threshold={_next_above(value)}" if name == "threshold" else line


def _next_above(thresholds: str) -> str:
    """For each threshold the first 32-bit number above it.

    To LightGBM a 32-bit value is on the left up to the last such number that is not above the
    threshold. The converter goes one 32-bit number down from the nearest, which is that one only
    if it begins here.
    """
    exact = np.array(thresholds.split(), dtype=np.float64)
    with np.errstate(over="ignore"):  # beyond all 32-bit numbers: everything is on the left
        near = exact.astype(np.float32)
    above = np.where(near > exact, near, np.nextafter(near, np.float32(np.inf)))
    return " ".join(repr(float(min(number, LARGEST))) for number in above.astype(np.float64))
