"""The lists of one small bank, stored: a change that moves somebody shows as a diff to be reviewed.

`make golden` accepts today's lists.
"""

from __future__ import annotations

from pathlib import Path

from pyarrow import csv

from tables.derived import CAMPAIGN_LISTS
from tables.store import Store
from tests.month import AS_OF

STORED = Path(__file__).parent / "campaign_lists.csv"
SHOWN = [
    "branch_id", "rank_in_branch", "customer_id", "offer_id", "move", "channel", "consent_basis",
    "contacts_left_30d", "valid_from", "valid_to", "reason_1", "reason_2", "reason_3",
]  # fmt: skip


def test_the_lists_are_those_that_were_accepted(bank, spark, tmp_path, request):
    record = bank.context(spark).runs.current("campaign", AS_OF)
    lists = Store(bank.home.tables, spark, record.pins).arrow(CAMPAIGN_LISTS, AS_OF, SHOWN)
    made = tmp_path / "lists.csv"
    csv.write_csv(lists, made)
    if request.config.getoption("--accept"):
        STORED.write_bytes(made.read_bytes())
    assert made.read_text().splitlines() == STORED.read_text().splitlines()
