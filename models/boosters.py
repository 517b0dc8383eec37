"""A booster from its text, loaded once per process."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from tables.imports import without

if TYPE_CHECKING:
    from lightgbm import Booster


@lru_cache(maxsize=128)
def loaded_booster(model_text: str) -> Booster:
    """The booster; the same object for the same text."""
    from lightgbm import Booster

    return Booster(model_str=model_text)


def import_lightly() -> None:
    """Import LightGBM without what takes most of the time and boosters ignore.

    Only for a process with one thread that predicts and does nothing else.
    """
    with without("pandas", "sklearn"):
        import lightgbm  # noqa: F401
