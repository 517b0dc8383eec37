"""One small bank and its month, for tests that need the whole chain."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from conf.load import load_config
from conf.schema import RunConfig
from demo.bank import make_demo_bank
from jobs.home import Home
from jobs.publishing import Context, StepResult
from jobs.run_month import run_steps
from jobs.steps import MONTH
from tests.log_keys import place_keys

AS_OF = date(2026, 11, 1)
CUSTOMERS = 600
# Fewer cohorts and rounds than by default: every path is taken, in a fraction of the time.
SMALL = (
    "time.train_cohorts=1",
    "models.rounds=40",
    "models.min_positives=20",
    "models.bootstrap_samples=20",
    "campaign.branch_capacity=12",
)


@dataclass(frozen=True)
class Bank:
    """A home with deliveries, and how it is configured."""

    home: Home
    config: RunConfig = field(default_factory=lambda: load_config("local", SMALL))

    def context(self, spark, *, config=None, may_supersede=False):
        return Context(AS_OF, config or self.config, self.home, spark, may_supersede)


def small_bank(folder: Path, customers: int = CUSTOMERS) -> Bank:
    """Deliveries of a bank in an empty home."""
    bank = Bank(Home(folder))
    bank.home.create()
    place_keys(folder)
    make_demo_bank(
        bank.home.landing,
        truth=folder / "truth",
        customers=customers,
        months=24,
        seed=7,
        until=AS_OF,
        products=bank.config.products,
    )
    return bank


def run_month(bank: Bank, spark) -> list[StepResult]:
    """All steps of its month."""
    return run_steps(bank.context(spark), MONTH)
