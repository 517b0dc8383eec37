"""The uplift model in use, if there is one. Imported by jobs only, as the registry is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from conf.schema import RunConfig
from models.registry import Registered, Registry, database, in_use
from models.scorer import UPLIFT
from models.uplift_scorer import UpliftChampion, UpliftScorer
from tables.errors import ModelNotFound


def uplift_champion(
    config: RunConfig, home: Path, digests: Mapping[str, str] | None = None
) -> UpliftChampion | None:
    """What offers are valued by in place of propensity, verified; None where propensity is.

    Args:
        config: The products.
        home: Where.
        digests: Of versions to take in place of today's, as for ``champions``.

    Raises:
        ModelNotFound: It was trained when there were other products.
        ContractViolation: Its files are not those that were registered.
    """
    found = uplift_in_use(config, home, digests)
    if found is None:
        return None
    scorer = UpliftScorer.from_files(Registry(home).files(found))
    if unknown := [name for name in config.products if name not in scorer.attributes]:
        raise ModelNotFound(
            f"{UPLIFT} version {found.version} was trained without {', '.join(unknown)}."
            f" Run xsell train and promote what it learns, or xsell models rollback {UPLIFT}"
        )
    return UpliftChampion(found.version, found.tags["sha256"], scorer)


def uplift_in_use(
    config: RunConfig, home: Path, digests: Mapping[str, str] | None = None
) -> Registered | None:
    """Its version, as the registry knows it."""
    if not config.models.uplift_history_months or not database(home).exists():
        return None
    return in_use(Registry(home), UPLIFT, digests)
