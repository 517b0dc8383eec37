"""Features of a real bank as published, and once more from its raw files."""

from __future__ import annotations

from datetime import date

import pytest

from conf.load import load_config
from conf.source import load_source
from extracts.berka import make_berka_deliveries
from features.catalogue import customer_features_table
from jobs.home import Home
from jobs.publishing import Context, execute
from jobs.steps import FEATURES, INGEST
from tables.store import Store
from tests.berka_queries import write_raw
from tests.delivered_queries import write_expected_margins
from tests.feature_oracle import database, describe, queries, same_for_all
from tests.integration.test_berka_deliveries import DATA, needs_data

pytestmark = pytest.mark.slow  # half a minute; the demo bank's deliveries are always looked at

AS_OF = date(1993, 11, 1)
# In autumn 1993 fewer have an account than a month of the back-test must have.
CONFIG = load_config("berka", ("checks.min_active_customers=500",))
# The files tell nothing of households, segments, contacts, flags, consents or foreign currency, of
# no end of anything, and of no card before 7 November 1993.
SAME_FOR_ALL = {
    *("household_size", "has_advisor_changed_6m", "has_branch_changed_6m"),
    *("segment_rank_change_6m", "complaint_count_12m", "consented_channel_count"),
    *("contact_count_30d", "days_since_last_interest", "refused_count_12m"),
    *("closed_count_12m", "days_to_next_maturity", "maturing_count_90d"),
    *("has_ended_payer_3m", "ended_payee_count_3m", "savings_amount_6m"),
    *("card_amount_12m", "digital_share_3m", "foreign_currency_amount_12m"),
    *("days_since_travel", "travel_trend_3m"),
    *(
        name
        for kind in ("credit_card_classic", "credit_card_gold", "credit_card_junior", "leasing")
        for name in (f"has_{kind}", f"months_since_{kind}_opened")
    ),
}


@pytest.fixture(scope="module")
def published(spark, tmp_path_factory):
    """The table that the real commands made of the raw files."""
    home = Home(tmp_path_factory.mktemp("berka") / "home")
    home.create()
    make_berka_deliveries(DATA, home.landing, AS_OF, load_source("berka"))
    context = Context(AS_OF, CONFIG, home, spark)
    execute(context, INGEST)
    record = execute(context, FEATURES).record
    table = customer_features_table(tuple(CONFIG.products))
    return Store(home.tables, None, record.pins).arrow(table, AS_OF)


@needs_data
def test_published_features_equal_those_of_the_raw_files_exactly(published):
    asked = queries(tuple(CONFIG.products))
    with database(AS_OF, "CZK") as tables:
        write_raw(tables, DATA)
        write_expected_margins(tables, CONFIG)
        describe(tables)
        assert same_for_all(published, tables, asked) == SAME_FOR_ALL
    assert published.num_rows > 900
    assert len(asked) - len(SAME_FOR_ALL) > 50
