"""One calibrated propensity per active customer and active product, by the champions."""

from __future__ import annotations

from collections import Counter

from features.catalogue import customer_features_table
from jobs.run import Run
from models.registry import champions
from models.score import score
from tables.derived import PROPENSITY_SCORES


def score_customers(run: Run) -> None:
    """Score the published snapshot with every product's champion.

    Raises:
        ModelNotFound: A product has no champion.
        ContractViolation: A model's file was changed, or a feature that it needs is missing.
    """
    table = customer_features_table(tuple(run.config.products))
    found = champions(run.config, run.home)
    features = run.store.snapshot(table, run.as_of)
    with run.progress(1, "scores") as advance:
        run.stage(PROPENSITY_SCORES, score(features, found, run.as_of, run.store.version(table)))
        advance(1)
    kinds = Counter(champion.scorer.kind for champion in found.values())
    run.note(
        scores=run.staging.rows(PROPENSITY_SCORES),
        models=len(found),
        **{f"{kind}_models": count for kind, count in sorted(kinds.items())},
    )
