"""Renewals: how often they happened before, and what an offer of one is worth."""

from __future__ import annotations

from datetime import date

from pyspark.sql import SparkSession

from campaigns.components import components
from campaigns.moves import renewal_rates, renewals
from conf.load import load_config
from tables.sources import HOLDINGS
from tests.tables import table_rows

AS_OF = date(2024, 3, 1)
RENEWAL = "offers.r={product: term_deposit, move: renewal, channels: [phone], contact_cost: 1.00, \
validity_days: 30, talking_point_id: T, trigger: {event: maturity, days_before: [30, 0]}}"
RENEWED = load_config("local", [RENEWAL, "offers.travel_insurance_renewal_2026.move=null"])


def test_an_end_was_renewed_if_the_client_has_the_product_some_days_later(
    spark: SparkSession,
) -> None:
    # A year before: ends from 1 March 2023 to 30 January 2024 are settled.
    then = """
        holding_id | customer_id | product_id   | opened_on  | closed_on  | matures_on
        1          | same        | term_deposit | 2022-06-01 |            | 2023-06-01
        2          | another     | term_deposit | 2022-06-01 |            | 2023-06-01
        3          | late        | term_deposit | 2022-06-01 |            | 2023-06-01
        4          | gone        | term_deposit | 2022-06-01 |            | 2023-06-01
        5          | other       | term_deposit | 2022-06-01 |            | 2023-06-01
        6          | first       | term_deposit | 2022-06-01 |            | 2023-03-01
        7          | before      | term_deposit | 2022-06-01 |            | 2023-02-28
        8          | last        | term_deposit | 2022-06-01 |            | 2024-01-30
        9          | unsettled   | term_deposit | 2022-06-01 |            | 2024-01-31
        10         | closed      | term_deposit | 2022-06-01 | 2023-02-28 | 2023-06-01
        11         | card        | credit_card  | 2022-06-01 |            | 2023-06-01
        """
    now = """
        holding_id | customer_id | product_id   | opened_on  | closed_on  | matures_on
        1          | same        | term_deposit | 2022-06-01 |            | 2024-06-01
        2          | another     | term_deposit | 2022-06-01 | 2023-06-01 | 2023-06-01
        2b         | another     | term_deposit | 2023-07-01 |            | 2024-07-01
        3          | late        | term_deposit | 2022-06-01 | 2023-06-01 | 2023-06-01
        3b         | late        | term_deposit | 2023-07-02 |            | 2024-07-01
        4          | gone        | term_deposit | 2022-06-01 | 2023-07-01 | 2023-06-01
        5          | other       | credit_card  | 2022-06-01 |            |
        11         | card        | credit_card  | 2022-06-01 |            | 2026-06-01
        """
    frames = (table_rows(spark, HOLDINGS, text) for text in (then, now))
    found = renewals(*frames, AS_OF).collect()
    assert {row.product_id: (row.ended, row.renewed) for row in found} == {
        "term_deposit": (7, 2),
        "credit_card": (1, 1),
    }


def test_too_few_ends_borrow_from_all_products_and_none_at_all_tell_nothing() -> None:
    enough = {"term_deposit": (30, 12), "credit_card": (70, 70)}
    assert renewal_rates(enough, RENEWED) == {"term_deposit": 0.4}
    assert renewal_rates(enough | {"term_deposit": (29, 12)}, RENEWED) == {"term_deposit": 82 / 99}
    assert renewal_rates({"term_deposit": (29, 12)}, RENEWED) == {}
    other = load_config("local")
    assert renewal_rates({"travel_insurance": (0, 0)} | enough, other) == {"travel_insurance": 0.82}
    none = load_config("local", ["offers.travel_insurance_renewal_2026.move=null"])
    assert renewal_rates(enough, none) == {}


def test_who_renews_is_not_asked_for_what_the_product_holds_itself() -> None:
    [asked], [renewed] = (
        components(RENEWED.offers[name], RENEWED).values() for name in ("term_deposit_2026", "r")
    )
    assert (asked.can_be_held_twice, renewed.can_be_held_twice) == (False, True)
    assert asked.eligibility.min_balance
    assert renewed.eligibility == asked.eligibility.model_copy(update={"min_balance": None})


def test_what_a_package_brings_itself_is_not_required_before() -> None:
    config = load_config(
        "local", ["products.travel_insurance.eligibility.requires_any=[credit_card]"]
    )
    parts = components(config.offers["travel_package_2026"], config)
    assert parts["travel_insurance"].eligibility.requires_any == ()
    assert parts["credit_card"].eligibility.requires_any == ("current_account",)
