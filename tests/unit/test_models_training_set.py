"""Sampling: exact, repeatable, and independent of the order of products."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from models.calibrate import probabilities
from models.training_set import (
    FOLDS,
    TRAIN,
    TrainingSet,
    customer_folds,
    first_by_draw,
    row_draws,
    segment_places,
    stable_hashes,
)
from tests.model_data import PRODUCTS, small_bank

CARD, BOAT = list(PRODUCTS).index("card"), list(PRODUCTS).index("boat")


def test_a_sample_has_every_buyer_and_the_wanted_number_of_others() -> None:
    data = small_bank()
    sample = data.sampled_rows(CARD, negatives_per_positive=2)
    bought = data.outcomes[sample.rows, CARD]
    buyers = ((data.outcomes[:, CARD] == 1) & (data.part == TRAIN)).sum()
    others = ((data.outcomes[:, CARD] == 0) & (data.part == TRAIN)).sum()

    assert (data.part[sample.rows] == TRAIN).all()
    assert bought.min() == 0  # nobody who could not buy
    assert bought.sum() == buyers
    assert len(sample.rows) == 3 * buyers
    assert sample.negative_share == pytest.approx(2 * buyers / others)


def test_the_shift_undoes_the_loss_of_negatives_exactly() -> None:
    sample = small_bank().sampled_rows(CARD, negatives_per_positive=2)
    true_rate = 0.03
    rate_in_sample = true_rate / (true_rate + (1 - true_rate) * sample.negative_share)
    log_odds = np.array([np.log(rate_in_sample / (1 - rate_in_sample))])
    assert probabilities(log_odds + sample.log_odds_shift)[0] == pytest.approx(true_rate)


def test_all_negatives_are_kept_when_there_are_fewer_than_wanted() -> None:
    data = small_bank()
    sample = data.sampled_rows(CARD, negatives_per_positive=1000)
    assert sample.negative_share == 1.0
    assert sample.log_odds_shift == 0.0
    assert sample.rows.tolist() == data.rows(CARD, TRAIN).tolist()


def test_a_product_that_nobody_bought_has_an_empty_sample() -> None:
    sample = small_bank().sampled_rows(BOAT, negatives_per_positive=5)
    assert len(sample.rows) == 0
    assert sample.log_odds_shift == 0.0


def test_the_smallest_draws_are_kept_and_equal_ones_go_by_row() -> None:
    draw = np.array([5, 1, 3, 1, 1], dtype=np.uint64)
    assert first_by_draw(np.array([0, 1, 2, 3, 4]), draw, 2).tolist() == [1, 3]


def test_a_customer_is_in_one_fold_whatever_the_cohort_and_the_other_rows() -> None:
    ids = [f"C{number}" for number in range(400)]
    folds = customer_folds(ids, seed=1)
    assert customer_folds([*ids[::-1], "C7"], seed=1)[-1] == folds[7]
    assert customer_folds(ids, seed=2).tolist() != folds.tolist()
    assert np.bincount(folds, minlength=FOLDS).min() > 60


def test_a_draw_depends_on_customer_cohort_and_seed_only() -> None:
    draws = row_draws(["a", "a", "b"], ["C1", "C2", "C1"], seed=1)
    assert len(set(draws.tolist())) == 3
    assert row_draws(["b"], ["C1"], seed=1)[0] == draws[2]
    assert row_draws(["b"], ["C1"], seed=2)[0] != draws[2]


def test_hashes_are_the_same_on_every_machine() -> None:
    texts = ("fold 1C1", "fold 1Ć2")
    digests = (hashlib.blake2b(text.encode(), digest_size=8).digest() for text in texts)
    expected = [int.from_bytes(digest, "little") for digest in digests]
    assert stable_hashes(["C1", "Ć2"], "fold 1").tolist() == expected


def test_an_unknown_segment_has_the_place_after_the_last() -> None:
    assert segment_places(["mass", None, "vip", "new"], ["mass", "vip"]).tolist() == [0, 2, 1, 2]


def test_arrays_read_by_another_process_are_those_that_were_written(tmp_path: Path) -> None:
    data = small_bank(customers=50)
    data.save(tmp_path)
    loaded = TrainingSet.load(tmp_path)
    assert np.array_equal(loaded.features, data.features, equal_nan=True)
    assert np.array_equal(loaded.outcomes, data.outcomes)
