"""Hillstrom's mails and an insurer's campaign, both randomised: who was moved by the contact?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from public import FEW_SAMPLES, Line, random_folds, settings

from models.matrix import Matrix, Outcomes
from models.qini import Arms
from models.uplift import RandomisedHistory, TrainedUplift, train_uplift

HILLSTROM, MAILS = "hillstrom", "hillstrom_email"
NOBODY = "No E-Mail"
PUBLISHED = {"womens": "0.0314 (scikit-uplift)", "mens": "0.0654 (scikit-uplift)"}
INSURANCE, LABELLED, UNLABELLED = "insurance_campaign_uplift", "train", "valid_unlabelled"
NOT_FEATURES = ("UNIQUE_ID", "TREATMENT", "PURCHASE")
RANKED = "insurance_uplift.csv"
CHOSEN = settings(bootstrap_samples=FEW_SAMPLES)


def hillstrom(read: Callable[[str, str], pd.DataFrame], _folder: Path) -> list[Line]:
    """Visits within two weeks: each mail against none."""
    customers = read(HILLSTROM, MAILS)
    lines: list[Line] = []
    for arm, published in PUBLISHED.items():
        mail = f"{arm.capitalize()} E-Mail"
        chosen = customers[customers["segment"].isin([mail, NOBODY])]
        is_treated = (chosen["segment"] == mail).to_numpy()
        found = train_uplift(_history(_shop(chosen), is_treated, chosen["visit"] == 1), CHOSEN)
        lines += _lines(f"hillstrom_{arm}", f"Hillstrom {arm}", found, published)
    return lines


def insurance(read: Callable[[str, str], pd.DataFrame], folder: Path) -> list[Line]:
    """Purchases; and the uplift of the unlabelled half."""
    labelled, unlabelled = read(INSURANCE, LABELLED), read(INSURANCE, UNLABELLED)
    names = [name for name in labelled.columns if name not in NOT_FEATURES]
    is_treated = (labelled["TREATMENT"] == 1).to_numpy()
    features = labelled[names].to_numpy(dtype=np.float32)
    found = train_uplift(_history(features, is_treated, labelled["PURCHASE"] == 1), CHOSEN)
    if found.model is None:
        raise SystemExit(f"insurance campaign: no uplift model: {found.verdict}")
    uplift = found.model.uplift(unlabelled[names].to_numpy(dtype=np.float32))
    ranked = pd.DataFrame({"row": np.arange(len(uplift)), "uplift": uplift})
    ranked.to_csv(folder / RANKED, index=False)
    return _lines("insurance", "insurance", found, "")


def _history(features: Matrix, is_treated: Outcomes, has_bought: pd.Series) -> RandomisedHistory:
    rows = np.arange(len(features))
    arms = Arms(rows, is_treated, has_bought.to_numpy())
    return RandomisedHistory(features, arms, random_folds(len(rows)))


def _lines(key: str, data: str, found: TrainedUplift, published: str) -> list[Line]:
    """Uplift at 10 %, Qini, and what it gains over the propensity; the verdict beside it."""
    learner = found.model.learner if found.model else "none"
    used = "beats propensity" if found.verdict.passed else "not sure to beat propensity"
    figures = found.figures
    qini, gain = figures["qini"], figures["qini_gain_over_propensity"]
    of_propensity = f"that of the propensity: {found.qini['propensity'].value:.4f}"
    return [
        Line(
            f"{key}_uplift_10",
            data,
            f"uplift at 10 % ({learner})",
            figures["uplift_10"],
            published,
            digits=4,
        ),
        Line(f"{key}_qini", data, "Qini coefficient", qini, of_propensity, digits=4),
        Line(f"{key}_qini_gain", data, f"Qini gain over propensity: {used}", gain, digits=4),
    ]


def _shop(customers: pd.DataFrame) -> Matrix:
    numbers = [customers[name] for name in ("recency", "history", "mens", "womens", "newbie")]
    words = [
        customers[name] == word
        for name in ("zip_code", "channel")
        for word in sorted(customers[name].unique())
    ]
    return np.column_stack([*numbers, *words]).astype(np.float32)
