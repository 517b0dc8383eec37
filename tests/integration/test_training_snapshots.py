"""Training rows: the right customers, and of each what a full snapshot says, value by value."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from conf.load import load_config
from features.customer_features import active_customers
from jobs import train_propensity
from jobs.build_features import plan_of, source_tables
from jobs.models import training_snapshots
from jobs.models.training_snapshots import pair_features
from jobs.scratch import kept
from jobs.train_propensity import training_rows
from models import sampling
from models.labels import cohorts, outcome_column, with_outcomes
from models.sampling import without_money_rules
from tables.errors import UserError
from tables.sources import CUSTOMERS, HOLDINGS
from tests.bank import AS_OF, PRODUCTS
from tests.versions_bank import stored_bank

MOST = 25  # customers of calibration and test
SETTINGS = (
    "time.train_cohorts=1",
    "models.negatives_per_positive=1",
    f"models.max_evaluation_customers={MOST}",
)
DEFAULT = load_config("local", SETTINGS)
SOLD = {name: DEFAULT.products[name] for name in PRODUCTS}  # of which the card asks for income
CONFIG = DEFAULT.model_copy(update={"products": SOLD})
CHOSEN = cohorts(AS_OF, CONFIG.time)
[TRAIN] = CHOSEN.train
OUTCOMES = [outcome_column(product) for product in PRODUCTS]
Rows = dict[str, dict[str, Any]]  # by customer


@contextmanager
def silent(_total, _label) -> Iterator[Any]:
    yield lambda done: None


def by_customer(frame) -> Rows:
    return {row["customer_id"]: row.asDict() for row in frame.collect()}


@dataclass(frozen=True)
class Trained:
    """What a training run computes, and what it should."""

    notes: dict[str, Any]
    features: dict[date, Rows]
    rows: dict[date, Rows]
    active: int  # at the test cohort
    full: Rows  # snapshot and outcomes of the test cohort
    buyers: set[str]  # of the training cohort


@pytest.fixture(scope="module")
def trained(spark, tmp_path_factory) -> Trained:
    """Rows of a run over a bank in which everything changes, and what a full snapshot says."""
    home, notes = tmp_path_factory.mktemp("home"), {}
    store = stored_bank(spark, home / "tables", seed=5, customers=60)
    run: Any = SimpleNamespace(
        store=store, config=CONFIG, progress=silent, as_of=AS_OF, home=home, note=notes.update
    )
    features = {}

    def watched(*arguments):
        for cohort, frame in pair_features(*arguments):
            features[cohort] = by_customer(frame)
            yield cohort, frame

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sampling, "MIN_DRAWN", 25)
        patch.setattr(training_snapshots, "MOST", 1.0)
        patch.setattr(train_propensity, "pair_features", watched)
        rows = training_rows(run, CHOSEN).to_pylist()
    assert not [path for path in (home / "tables").iterdir() if path.name.startswith(".")]
    everybody = plan_of(run, CHOSEN.test).rows(source_tables(run, CHOSEN.test))
    snapshot = kept(everybody, home / "full")
    full = outcomes(store, snapshot, CHOSEN.test, CONFIG.products)
    active = active_customers(store.known_before(CUSTOMERS, TRAIN), TRAIN).select("customer_id")
    bought = outcomes(store, active, TRAIN, without_money_rules(CONFIG.products))
    return Trained(
        notes,
        features,
        {c: {row["customer_id"]: row for row in rows if row["cohort"] == c} for c in CHOSEN.all},
        snapshot.count(),
        full,
        {customer for customer, row in bought.items() if any(row[name] for name in OUTCOMES)},
    )


def outcomes(store, customers, cohort, products) -> Rows:
    """What customers went on to buy, beside what is known of them."""
    return by_customer(
        with_outcomes(
            customers,
            customers=store.known_before(CUSTOMERS, cohort),
            held=store.known_before(HOLDINGS, cohort),
            bought=store.known_before(HOLDINGS, AS_OF),
            products=products,
            cohort=cohort,
            time=CONFIG.time,
        )
    )


def test_features_of_sampled_customers_are_those_of_a_full_snapshot(trained):
    found = trained.features[CHOSEN.test]
    assert found.keys() == trained.rows[CHOSEN.test].keys() < trained.full.keys()
    for customer, row in found.items():
        assert row == {name: trained.full[customer][name] for name in row}


def test_outcomes_of_sampled_customers_are_those_of_the_full_rule(trained):
    for customer, row in trained.rows[CHOSEN.test].items():
        assert [row[name] for name in OUTCOMES] == [
            trained.full[customer][name] for name in OUTCOMES
        ]


def test_every_buyer_and_a_share_of_the_others_train(trained):
    share, rows, buyers = trained.notes["training_share"], trained.rows[TRAIN], trained.buyers
    assert 0.2 < share < 0.8
    assert 0 < len(buyers) < len(rows)
    assert buyers <= rows.keys()
    for customer, row in rows.items():
        assert row["is_drawn"] == (row["draw"] < share)
        assert row["is_drawn"] or customer in buyers
        assert row["weight"] == (1 if customer in buyers else pytest.approx(1 / share, rel=1e-3))
    assert {row["part"] for row in rows.values()} == {"train"}


def test_later_cohorts_are_drawn_whatever_was_bought(trained):
    for cohort, part in ((CHOSEN.calibration, "calibration"), (CHOSEN.test, "test")):
        rows = trained.rows[cohort].values()
        assert len(rows) == MOST
        assert {(row["part"], row["is_drawn"]) for row in rows} == {(part, True)}
    weights = {row["weight"] for row in trained.rows[CHOSEN.test].values()}
    assert weights == {trained.active / MOST}


def test_a_history_without_any_customer_is_said(spark, tmp_path):
    early = cohorts(date(2001, 1, 1), CONFIG.time)
    store = stored_bank(spark, tmp_path / "tables", seed=1, customers=3)
    run: Any = SimpleNamespace(
        store=store, config=CONFIG, progress=silent, as_of=date(2001, 1, 1), home=tmp_path
    )
    with pytest.raises(UserError, match="no customer is known before 2000-04-01"):
        training_rows(run, early)
