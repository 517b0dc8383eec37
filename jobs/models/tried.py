"""A candidate on the test cohort: what it predicts there, for whom, and what the gate says."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.fairness import GroupFacts, Groups, group_facts, has_small_groups
from models.gate import Verdict, fit_for_use
from models.matrix import Integers, Outcomes, Vector
from models.train import Candidate, Plan, propensities, shared_arrays
from models.training_set import TEST


@dataclass(frozen=True)
class Tried:
    """A candidate and what is known of it.

    Attributes:
        candidate: The model.
        why: Why this kind of model is tried, in words.
        propensity: Of the test customers who could buy the product.
        has_bought: What happened.
        groups: Protected groups among them that are large enough.
        has_small_groups: There are others.
        verdict: What the gate says.
    """

    candidate: Candidate
    why: str
    propensity: Vector
    has_bought: Outcomes
    groups: tuple[GroupFacts, ...]
    has_small_groups: bool
    verdict: Verdict


def tried_on_test(
    plan: Plan, candidate: Candidate, why: str, groups: Groups, *, is_last: bool
) -> Tried:
    """Look at a candidate on the test cohort.

    Args:
        plan: What was trained.
        candidate: The model.
        why: Why this kind.
        groups: Protected groups of everybody in the test cohort.
        is_last: Nothing is left to try: it passes, for without it the product could not be scored.
    """
    data, settings = shared_arrays(plan.folder), plan.settings
    place = plan.products.index(candidate.scorer.product_id)
    rows = data.rows(place, TEST)
    propensity = propensities(plan, candidate.scorer, rows)
    has_bought = np.asarray(data.outcomes[rows, place] == 1)
    at = _places(np.flatnonzero(data.part == TEST), rows)
    own = {attribute: labels[at] for attribute, labels in groups.items()}
    fewest = settings.fairness.min_customers
    facts = group_facts(propensity, has_bought, own, fewest)
    positives = candidate.facts["test_positives"]
    judged = fit_for_use(candidate.metrics, positives, settings.gate, facts)
    return Tried(
        candidate=candidate,
        why=why,
        propensity=propensity,
        has_bought=has_bought,
        groups=facts,
        has_small_groups=has_small_groups(own, fewest),
        verdict=Verdict() if is_last else judged,
    )


def _places(all_rows: Integers, rows: Integers) -> Integers:
    """Where each row stands among all rows of the test cohort; both rise."""
    return np.asarray(np.searchsorted(all_rows, rows), dtype=np.int64)
