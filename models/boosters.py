"""A booster from its text, loaded once per process."""

from __future__ import annotations

import sys
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lightgbm import Booster


@lru_cache(maxsize=128)
def loaded_booster(model_text: str) -> Booster:
    """The booster; the same object for the same text."""
    from lightgbm import Booster

    return Booster(model_str=model_text)


def import_lightly() -> None:
    """Import LightGBM without scikit-learn, which takes most of the time and which boosters ignore.

    Only for a process with one thread that predicts and does nothing else.
    """
    if "sklearn" in sys.modules:
        return
    sys.modules["sklearn"] = None  # type: ignore[assignment] # makes an import of it fail
    try:
        import lightgbm  # noqa: F401
    finally:
        del sys.modules["sklearn"]
