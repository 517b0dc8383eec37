"""One calibrated propensity per active customer and product, and an uplift if one is in use."""

from __future__ import annotations

from collections import Counter

from features.catalogue import customer_features_table
from jobs.run import Run
from models.registry import champions
from models.score import score
from models.uplift_champion import uplift_champion
from tables.derived import PROPENSITY_SCORES


def score_customers(run: Run) -> None:
    """Score the published snapshot with every product's champion.

    Raises:
        ModelNotFound: A product has no champion, or the uplift model does not know it.
        ContractViolation: A model's file was changed, or a feature that it needs is missing.
    """
    table = customer_features_table(tuple(run.config.products))
    found = champions(run.config, run.home, run.models)
    uplift = uplift_champion(run.config, run.home, run.models)
    features = run.store.snapshot(table, run.as_of)
    with run.progress(1, "scores") as advance:
        scores = score(features, found, run.as_of, run.store.version(table), uplift)
        # As the features are: to bring millions of scores in order costs more than to find them.
        run.staging.stage(PROPENSITY_SCORES, scores, is_ordered=True)
        advance(1)
    kinds = Counter(champion.scorer.kind for champion in found.values())
    run.note(
        scores=run.staging.rows(PROPENSITY_SCORES),
        models=len(found),
        **{f"{kind}_models": count for kind, count in sorted(kinds.items())},
        offers_valued_by=f"uplift (version {uplift.version})" if uplift else "propensity",
    )
