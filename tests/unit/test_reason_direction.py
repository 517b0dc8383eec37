"""A sentence agrees with what moved the propensity: by table, and by the SHAP of a real booster."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping

import lightgbm
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from pyspark.sql import SparkSession

from campaigns import reasons as campaign_reasons
from campaigns.direction import Gain, agrees
from campaigns.reasons import reasons_of_offers
from conf.load import load_config
from features.catalogue import feature_catalogue
from features.typical import Typical, typical_values
from jobs.campaigns import offer_reasons as job
from jobs.campaigns.offer_reasons import weighed
from models.explain import contributions
from models.scorer import Champion, Scorer

CONFIG = load_config("local")
CATALOGUE = {feature.name: feature for feature in feature_catalogue(tuple(CONFIG.products))}
UNKNOWN = math.nan
BETTER, SAME, WORSE = 1.0, 0.0, -1.0
# A quarter pays rent, mostly 2,000; everybody has a balance, mostly 5,000.
RENT = ("rent_amount_3m", Typical(0.0, 2000.0, 0.25))
BALANCE = ("balance_amount", Typical(5000.0, 5000.0, 1.0))
CARD = ("has_credit_card", Typical(0.0, 1.0, 0.4))
ACCOUNT = ("has_current_account", Typical(0.0, 1.0, 0.95))
RARE = ("has_gold_card", Typical(0.0, 1.0, 0.05))
TIME = ("months_since_joined", Typical(60.0, 60.0, 0.99))
MATURITY = ("days_to_next_maturity", Typical(UNKNOWN, 200.0, 0.3))
SALARY = ("income_amount_3m", Typical(4000.0, 6000.0, 0.6))


@pytest.mark.parametrize(
    ("case", "amount", "over_ordinary", "over_usual", "told"),
    [
        (RENT, 2500, BETTER, BETTER, True),
        (RENT, 2500, WORSE, BETTER, False),  # any rent at all is worse than none
        (RENT, 2500, SAME, SAME, False),
        (RENT, 900, BETTER, WORSE, True),  # a rent is good, and more is better
        (RENT, 900, BETTER, SAME, True),
        (RENT, 12, BETTER, BETTER, False),  # a low rent is better than the usual one
        (RENT, 0, SAME, BETTER, False),  # there is no sentence about paying none
        (BALANCE, 9000, BETTER, BETTER, True),
        (BALANCE, 100, BETTER, BETTER, False),  # little money raised it
        (BALANCE, 5000, BETTER, BETTER, False),  # as everybody has
        (BALANCE, -70, BETTER, BETTER, False),
        (CARD, 1, BETTER, SAME, True),
        (CARD, 1, WORSE, SAME, False),
        (CARD, 0, SAME, BETTER, True),
        (CARD, 0, SAME, WORSE, False),
        (ACCOUNT, 1, BETTER, SAME, False),  # nearly everybody has one
        (ACCOUNT, 0, SAME, BETTER, True),
        (RARE, 1, BETTER, SAME, True),
        (RARE, 0, SAME, BETTER, False),  # nearly nobody has one
        (TIME, 100, BETTER, BETTER, True),
        (TIME, 3, BETTER, BETTER, False),  # being new raised it: no word of how long
        (TIME, 0, BETTER, BETTER, True),  # but that somebody is new
        (MATURITY, 20, BETTER, BETTER, True),
        (MATURITY, 20, WORSE, BETTER, False),  # an end at all is worse than none
        (MATURITY, 20, BETTER, WORSE, False),
        (MATURITY, 900, BETTER, BETTER, False),
        (SALARY, 9000, BETTER, BETTER, True),
        (("income_amount_3m", Typical(4000.0, 6000.0, 0.95)), 9000, BETTER, BETTER, False),
    ],
)  # fmt: skip
def test_a_sentence_agrees_or_is_not_told(
    case: tuple[str, Typical], amount: float, over_ordinary: float, over_usual: float, told: bool
) -> None:
    name, typical = case
    assert agrees(CATALOGUE[name], amount, typical, Gain(over_ordinary, over_usual)) is told


def test_what_is_typical_is_that_of_all_and_of_those_who_have_something() -> None:
    rows = pa.table(
        {
            "rent_amount_3m": pa.array([None, 0, 0, 0, 600, 900, 800], pa.decimal128(18, 2)),
            "balance_amount": pa.array([-5, 1, 2, 3, 4, None, None], pa.decimal128(18, 2)),
            "days_to_next_maturity": pa.array([9, None, None, None, None, 7, None], pa.int32()),
            "has_credit_card": pa.array([True] * 6 + [False]),
            "opened_count_12m": pa.array([0] * 7, pa.int32()),
        }
    )
    found = typical_values([CATALOGUE[name] for name in rows.column_names], rows)
    assert found["rent_amount_3m"] == Typical(0.0, 800.0, 3 / 7)
    assert found["balance_amount"] == Typical(1.0, 2.0, 4 / 7)
    assert found["has_credit_card"] == Typical(0.0, 1.0, 6 / 7)
    assert math.isnan(found["days_to_next_maturity"].ordinary)
    assert found["days_to_next_maturity"].usual == 7.0
    assert math.isnan(found["opened_count_12m"].usual)


# What each feature does to the log-odds of buying, as planted, and what may be told of it.
PLANTED = {
    "rent_amount_3m": "Paid",  # the more the better: told
    "travel_amount_3m": None,  # the less the better: never told
    "dining_amount_3m": None,  # a little is better than none, and than the usual much: never
    "months_since_joined": "Became a client",  # new clients
    "days_to_next_maturity": "A product comes to its end",  # a near end
    "has_credit_card": "Already uses our credit card",
    "has_savings_account": "Has no savings account",
    "balance_amount": "Keeps",  # the more the better, from below zero
}
CUSTOMERS = 4000
NAMES = tuple(PLANTED)


def bank() -> dict[str, np.ndarray]:
    random = np.random.default_rng(5)
    chance = random.random((CUSTOMERS, len(NAMES)))
    rent = np.where(chance[:, 0] < 0.4, random.uniform(10, 3000, CUSTOMERS), 0)
    travel = np.where(chance[:, 1] < 0.7, random.uniform(1, 900, CUSTOMERS), 0)
    dining = np.where(chance[:, 2] < 0.45, random.uniform(500, 900, CUSTOMERS), 0)
    dining = np.where(chance[:, 2] < 0.2, random.uniform(1, 40, CUSTOMERS), dining)
    joined = np.where(chance[:, 3] < 0.3, 0, random.integers(1, 200, CUSTOMERS))
    ends = np.where(chance[:, 4] < 0.5, random.integers(1, 720, CUSTOMERS), np.nan)
    return {
        "rent_amount_3m": rent,
        "travel_amount_3m": travel,
        "dining_amount_3m": dining,
        "months_since_joined": joined,
        "days_to_next_maturity": ends,
        "has_credit_card": chance[:, 5] < 0.4,
        "has_savings_account": chance[:, 6] < 0.5,
        "balance_amount": random.normal(1000, 2000, CUSTOMERS),
    }


def log_odds(rows: Mapping[str, np.ndarray]) -> np.ndarray:
    return (
        -2.0
        + rows["rent_amount_3m"] / 1000
        - rows["travel_amount_3m"] / 300
        + 2.0 * ((rows["dining_amount_3m"] > 0) & (rows["dining_amount_3m"] < 100))
        - 1.0 * (rows["dining_amount_3m"] > 100)
        + 2.0 * (rows["months_since_joined"] == 0)
        + 2.0 * (np.nan_to_num(rows["days_to_next_maturity"], nan=999) < 100)
        + 1.5 * rows["has_credit_card"]
        - 1.5 * rows["has_savings_account"]
        + rows["balance_amount"] / 1500
    )


@pytest.fixture(scope="module")
def model() -> tuple[Scorer, pa.Table]:
    rows = bank()
    matrix = np.column_stack([rows[name] for name in NAMES]).astype(np.float32)
    chance = 1 / (1 + np.exp(-log_odds(rows)))
    bought = np.random.default_rng(6).random(CUSTOMERS) < chance
    data = lightgbm.Dataset(matrix, bought, feature_name=list(NAMES))
    settings = {
        "objective": "binary", "num_leaves": 6, "learning_rate": 0.15, "verbose": -1,
        "deterministic": True, "force_row_wise": True, "num_threads": 1, "seed": 1,
    }  # fmt: skip
    booster = lightgbm.train(settings, data, 60)
    scorer = Scorer("mortgage", "booster", NAMES, model_text=booster.model_to_string())
    ids = pa.array([f"C{place:04d}" for place in range(CUSTOMERS)])
    known = {name: pa.array(values, from_pandas=True) for name, values in rows.items()}
    return scorer, pa.table({"customer_id": ids, **known})


def told(scorer: Scorer, customers: pa.Table) -> dict[str, list[str]]:
    """All sentences by feature, as a campaign tells them, of a sample of customers."""
    typical = typical_values([CATALOGUE[name] for name in NAMES], customers)
    some = customers.slice(0, 600)
    rows = weighed(scorer, some, contributions(scorer, some, len(NAMES)), typical)
    pairs = [(name, "mortgage") for name in some["customer_id"].to_pylist()]
    found: dict[str, list[str]] = {name: [] for name in NAMES}
    for name in NAMES:
        alone = rows.filter(pc.equal(rows["feature"], name))
        sentences = reasons_of_offers(pairs, alone, some, typical, CONFIG)
        found[name] = [text for [text] in sentences.values() if "conditions" not in text]
    return found


def test_only_what_was_planted_is_told(model: tuple[Scorer, pa.Table]) -> None:
    found = told(*model)
    for name, beginning in PLANTED.items():
        if beginning is None:
            assert not found[name], name
        else:
            assert len(found[name]) > 20, name
            assert all(text.startswith(beginning) for text in found[name]), name
    amounts = [int(re.sub(r"\D", "", text.split(" EUR")[0])) for text in found["balance_amount"]]
    assert min(amounts) > np.median(model[1]["balance_amount"].to_numpy())
    days = [int(text.split()[-2]) for text in found["days_to_next_maturity"]]
    assert max(days) < np.nanmedian(model[1]["days_to_next_maturity"].to_numpy())


def test_without_the_rule_what_was_low_would_be_told_as_much(
    model: tuple[Scorer, pa.Table], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(campaign_reasons, "agrees", lambda *_: True)
    found = Counter({name: len(texts) for name, texts in told(*model).items()})
    assert min(found["travel_amount_3m"], found["dining_amount_3m"]) > 20


def test_a_campaign_holds_its_customers_beside_a_sample_by_hash(
    model: tuple[Scorer, pa.Table], spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    scorer, customers = model
    rate = Scorer("gold_card", "segment_rate", segment_rates={"": 0.1})
    in_use = {one.product_id: Champion(one.product_id, 1, "", one) for one in (scorer, rate)}
    some = customers.slice(0, 100)
    pairs = [(name, "mortgage") for name in some["customer_id"].to_pylist()]
    snapshot = spark.createDataFrame(customers.to_pandas())

    def found() -> dict[tuple[str, str], list[str]]:
        return job.offer_reasons([*pairs, ("C0000", "gold_card")], some, snapshot, in_use, CONFIG)

    of_all = found()
    monkeypatch.setattr(job, "CUSTOMERS_IN_SAMPLE", 1000)
    assert 900 < job._sample(snapshot, ["rent_amount_3m"]).num_rows < 1100
    of_sample = found()
    assert of_sample.keys() == of_all.keys()
    assert sum(of_sample[pair] == of_all[pair] for pair in pairs) > 80, "nearly the same medians"
    assert "on travel" not in str(of_sample)
    assert "eating out" not in str(of_sample)
    assert len({len(told) for told in of_sample.values()}) > 1
    assert of_sample["C0000", "gold_card"] == [
        "Already uses our credit card, which this product builds on"
        if some["has_credit_card"][0].as_py()
        else "Meets the conditions for the gold card and has none with us"
    ]


def test_the_gain_is_what_the_model_makes_of_the_difference(
    model: tuple[Scorer, pa.Table], monkeypatch: pytest.MonkeyPatch
) -> None:
    scorer, customers = model
    typical = typical_values([CATALOGUE[name] for name in NAMES], customers)
    some = customers.slice(0, 40)
    moved = contributions(scorer, some, 3)
    rows = weighed(scorer, some, moved, typical)
    monkeypatch.setattr(job, "BATCH_ROWS", 7)
    assert weighed(scorer, some, moved, typical).equals(rows), "whatever the batches"

    booster, by_id = scorer.booster(), {row["customer_id"]: row for row in some.to_pylist()}
    for row in rows.to_pylist()[::10]:
        own = [by_id[row["customer_id"]][name] for name in NAMES]
        for column, other in (("over_ordinary", "ordinary"), ("over_usual", "usual")):
            changed = list(own)
            changed[NAMES.index(row["feature"])] = getattr(typical[row["feature"]], other)
            both = np.array([own, changed], dtype=float).astype(np.float32)
            mine, others = booster.predict(both, raw_score=True)
            assert row[column] == pytest.approx(mine - others, abs=1e-12)
