"""The types of `conf/*/models.yaml`: how models are trained, and what they must reach."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictFloat, StrictInt

from conf.fairness_settings import Attribute
from conf.fields import Age, Count, Identifier, Positive, Settings, Share

Direction = Literal["increasing", "decreasing"]


class GateSettings(Settings):
    """What a challenger must reach to become champion.

    Attributes:
        max_ece: Mean distance between propensity and rate, beyond what chance explains.
        min_auc: Ranking on the test cohort.
        min_test_positives: With fewer test buyers the AUC says nothing and is not judged.
        max_group_ratio: How many times more, or less, often than predicted a protected group may
            buy, beside all customers (`models/fairness.py`).
    """

    max_ece: Share
    min_auc: Share
    min_test_positives: Count
    max_group_ratio: Annotated[StrictFloat, Field(ge=1)]


class FairnessSettings(Settings):
    """Protected groups, none of which a model knows of, and how each is measured.

    Attributes:
        attributes: Of customers; null is a group of its own.
        genders: Words of the bank that a card may show; every other counts as ``other``.
        age_bands: The age at which each band but the first begins.
        min_customers: Of smaller groups nothing is shown, and nothing is judged by them.
    """

    attributes: tuple[Attribute, ...]
    genders: tuple[str, ...]
    age_bands: Annotated[tuple[Age, ...], Field(min_length=1)]
    min_customers: Positive


class SearchSettings(Settings):
    """Search for better parameters than those below, product by product (`models/search.py`).

    Attributes:
        trials: Sets of parameters to try per product, the ones below among them; 0: no search.
    """

    trials: Annotated[StrictInt, Field(ge=0, le=1000)]


class ModelSettings(Settings):
    """Training of the propensity models.

    Attributes:
        min_positives: A product with fewer buyers in the training cohorts has no own booster.
        min_pooled_positives: With fewer over all products there is no pooled model either.
        negatives_per_positive: Training customers without the purchase per one with it.
        max_evaluation_customers: Drawn of the calibration cohort at most, and as many of the test
            cohort; features are computed for nobody else.
        rounds: Most trees of a booster.
        early_stopping_rounds: Trees without gain after which no more are added.
        learning_rate: How much one tree counts.
        num_leaves: Of one tree.
        min_data_in_leaf: Customers in a leaf.
        seed: Of every draw.
        search: For better parameters, product by product.
        processes: That train side by side.
        bootstrap_samples: Behind each interval.
        monotone: Features with which every propensity may only rise, or only fall.
        uplift_history_months: How far back own campaigns are looked at to learn uplift; 0: it is
            neither learned nor used.
        gate: What a challenger must reach.
        fairness: Protected groups that are measured.
        auto_promote: The gate alone puts a challenger in use.
        four_eyes: One person proposes a promotion, another one makes it.
        accelerator: What predicts in place of LightGBM, for models that it was equal for.
    """

    min_positives: Positive
    min_pooled_positives: Positive
    negatives_per_positive: Positive
    max_evaluation_customers: Positive
    rounds: Annotated[StrictInt, Field(ge=1, le=10_000)]
    early_stopping_rounds: Positive
    learning_rate: Annotated[StrictFloat, Field(gt=0, le=1)]
    num_leaves: Annotated[StrictInt, Field(ge=2, le=4096)]
    min_data_in_leaf: Positive
    seed: Count
    search: SearchSettings
    processes: Annotated[StrictInt, Field(ge=1, le=256)]
    bootstrap_samples: Annotated[StrictInt, Field(ge=10, le=100_000)]
    monotone: dict[Identifier, Direction]
    uplift_history_months: Annotated[StrictInt, Field(ge=0, le=120)]
    gate: GateSettings
    fairness: FairnessSettings
    auto_promote: StrictBool
    four_eyes: StrictBool
    accelerator: Literal["none", "onedal"]
