"""Sampling: exact, repeatable, and independent of the order of products."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from models.calibrate import probabilities
from models.training_set import TRAIN, TrainingSet, first_by_draw, segment_places, total
from tests.model_data import PRODUCTS, sampled, small_bank

CARD, LOAN, BOAT = map(list(PRODUCTS).index, ("card", "loan", "boat"))


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
    draw = np.array([0.5, 0.1, 0.3, 0.1, 0.1])
    assert first_by_draw(np.array([0, 1, 2, 3, 4]), draw, 2).tolist() == [1, 3]


def test_who_is_there_only_for_another_purchase_is_no_negative() -> None:
    data = sampled(small_bank(), 0.3)
    sample = data.sampled_rows(LOAN, negatives_per_positive=1000)
    negatives = sample.rows[data.outcomes[sample.rows, LOAN] == 0]
    others = data.rows(LOAN, TRAIN)
    left_out = others[(data.outcomes[others, LOAN] == 0) & (data.draw[others] >= 0.3)]
    assert len(left_out) > 20
    assert (data.outcomes[left_out, CARD] == 1).all()
    assert data.draw[negatives].max() < 0.3


def test_negatives_of_a_sample_buy_other_things_as_often_as_all_do() -> None:
    everybody = small_bank(20_000)
    data = sampled(everybody, 0.3)
    rates = []
    for one in (everybody, data):
        sample = one.sampled_rows(LOAN, negatives_per_positive=1000)
        negatives = sample.rows[one.outcomes[sample.rows, LOAN] == 0]
        rates.append((one.outcomes[negatives, CARD] == 1).mean())
    assert rates[1] == pytest.approx(rates[0], rel=0.05)


@pytest.mark.parametrize("negatives_per_positive", [1, 1000])
def test_the_share_kept_of_a_sample_is_that_of_all_customers(negatives_per_positive: int) -> None:
    everybody = small_bank(20_000)
    data = sampled(everybody, 0.3)
    sample = data.sampled_rows(LOAN, negatives_per_positive)
    kept = (data.outcomes[sample.rows, LOAN] == 0).sum()
    others = (everybody.outcomes[everybody.rows(LOAN, TRAIN), LOAN] == 0).sum()
    assert sample.negative_share == pytest.approx(kept / others, rel=0.02)
    assert sample.negative_share < 0.31


def test_a_sample_that_finds_its_negatives_takes_those_it_takes_of_all() -> None:
    everybody = small_bank(4000)
    data = sampled(everybody, 0.5)
    taken = [one.sampled_rows(LOAN, negatives_per_positive=5) for one in (everybody, data)]
    draws = [one.draw[sample.rows] for one, sample in zip((everybody, data), taken, strict=True)]
    assert np.array_equal(*draws)
    assert taken[1].negative_share == pytest.approx(taken[0].negative_share, rel=0.05)


def test_nothing_changes_where_everybody_is_drawn() -> None:
    everybody = small_bank()
    data = sampled(everybody, 1.0)
    for product in (CARD, LOAN, BOAT):
        of_all, found = (one.sampled_rows(product, 2) for one in (everybody, data))
        assert found.rows.tolist() == of_all.rows.tolist()
        assert found.negative_share == of_all.negative_share


def test_a_sum_of_weights_does_not_depend_on_their_order() -> None:
    weights = np.array([1e16, 1.0, 1.0])
    assert total(weights) == total(weights[::-1]) == 1e16 + 2


def test_an_unknown_segment_has_the_place_after_the_last() -> None:
    segments = pa.chunked_array([["mass", None], ["vip", "new"]])
    assert segment_places(segments, ["mass", "vip"]).tolist() == [0, 2, 1, 2]


def test_arrays_read_by_another_process_are_those_that_were_written(tmp_path: Path) -> None:
    data = small_bank(customers=50)
    data.save(tmp_path)
    loaded = TrainingSet.load(tmp_path)
    assert np.array_equal(loaded.features, data.features, equal_nan=True)
    assert np.array_equal(loaded.outcomes, data.outcomes)
