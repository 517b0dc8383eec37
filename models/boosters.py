"""A booster from its text, loaded once per process."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lightgbm import Booster


@lru_cache(maxsize=128)
def loaded_booster(model_text: str) -> Booster:
    """The booster; the same object for the same text."""
    from lightgbm import Booster

    return Booster(model_str=model_text)
