"""How a product's model does month by month: training cohorts, by boosters that had not seen them.

The final booster was trained on these customers, and would look better there than it is. The
boosters of its cross-validation, which told when to stop, had a part of the customers left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from models.evaluate import Bin, Estimate, auc_estimate
from models.fitting import Unseen
from models.matrix import Outcomes, Vector
from models.scorer import Scorer
from models.search import TrainingRows


@dataclass(frozen=True)
class MonthFit:
    """One training cohort.

    Attributes:
        cohort: Its place among all cohorts, the oldest first.
        together: Who was left out by some booster: customers, estimated from those sampled; buyers;
            the mean propensity.
        auc: With DeLong's interval. Negatives were dropped by chance, which changes no ranks.
    """

    cohort: int
    together: Bin
    auc: Estimate


def month_fits(
    scorer: Scorer, unseen: Sequence[Unseen], rows: TrainingRows
) -> tuple[MonthFit, ...]:
    """Each training cohort with a row that was left out.

    Args:
        scorer: The final model: its prior correction and its calibration are applied.
        unseen: Boosters of the cross-validation.
        rows: What they were trained on and judged by.
    """
    if not unseen:
        return ()
    places = [np.searchsorted(rows.positions, one.positions) for one in unseen]
    propensity = [
        replace(scorer, model_text=one.model_text).propensities_of(rows.data.features[rows.at[own]])
        for one, own in zip(unseen, places, strict=True)
    ]
    judged = np.concatenate(places)
    cohort, bought = rows.data.cohort[rows.at[judged]], rows.has_bought[judged]
    found, share = np.concatenate(propensity), rows.sample.negative_share
    return tuple(
        _month(int(month), cohort == month, found, bought, share) for month in np.unique(cohort)
    )


def _month(
    cohort: int, is_its: Outcomes, propensity: Vector, bought: Outcomes, negative_share: float
) -> MonthFit:
    own, has_bought = propensity[is_its], bought[is_its]
    stands_for = np.where(has_bought, 1.0, 1.0 / negative_share)
    mean = float((stands_for * own).sum() / stands_for.sum())
    together = Bin(round(float(stands_for.sum())), int(has_bought.sum()), mean)
    return MonthFit(cohort, together, auc_estimate(own, has_bought))
