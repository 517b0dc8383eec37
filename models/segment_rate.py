"""The last resort: a product with too few buyers for any model gets the rate of the segment."""

from __future__ import annotations

from models.baselines import segment_rates
from models.scorer import UNKNOWN_SEGMENT, Scorer
from models.train import Candidate, Plan, shared_arrays, tested


def train_segment_rate(plan: Plan, product_id: str) -> Candidate:
    """Rates of the training and calibration cohorts, measured on the test cohort like any model."""
    data = shared_arrays(plan.folder)
    rates = segment_rates(data, plan.products.index(product_id), len(plan.segments))
    by_name = zip((*plan.segments, UNKNOWN_SEGMENT), rates.tolist(), strict=True)
    return tested(plan, Scorer(product_id, "segment_rate", segment_rates=dict(by_name)), {})
