"""A delivery that differs from the months before it is told; one that does not, is not."""

from datetime import date, timedelta

import pytest
from pyspark.sql import Row, functions as F

from conf.load import load_config
from expectations.check import check
from expectations.history import OTHER, History
from expectations.suite import Suite
from expectations.trailing import (
    freshness_facts,
    null_facts,
    sign_facts,
    trailing_facts,
    volume_facts,
)
from expectations.volumes import delivered, monthly_volumes
from tables.derived import DELIVERIES
from tables.sources import CONSENTS, CUSTOMERS, FLAGS, TRANSACTIONS, stored

AS_OF = date(2024, 4, 1)
LIMITS = load_config("local", ()).checks.trailing
DELIVERED_ON = [date(2024, 4, 1), date(2024, 3, 1), date(2024, 2, 1), date(2024, 1, 1)]
RATHER = "in as large a share as in the months before, give or take 10%"


def broken(facts):
    """Sentence → (severity, what was found) of the facts whose number is out of bounds."""
    return {
        fact.sentence: (fact.severity, fact.measure)
        for fact in facts
        if not fact.at_least <= fact.measure <= fact.at_most
    }


def volumes(*newest_first):
    return dict(enumerate(newest_first, start=1))


def history(*newest_first):
    """One group a month, of 1000 rows; 2 % of each column are null."""
    groups = []
    for month, given in enumerate(newest_first, start=1):
        rows = given.get("n_rows", 1000)
        usual = {"category": "rent", "n_rows": rows, "n_credits": 400, "n_debits": 600}
        usual |= {f"nulls_{column.name}": rows // 50 for column in TRANSACTIONS.columns}
        groups.append(Row(month=month, **(usual | given)))
    return History(tuple(groups), 1)


USUAL = ({}, {}, {}, {})


def test_a_month_with_as_many_rows_as_usual_keeps_the_rules():
    facts = list(volume_facts(TRANSACTIONS, volumes(1000, 900, 90_000, 1100, 1050), LIMITS))
    assert len(facts) == 2
    assert broken(facts) == {}


def test_a_month_with_half_the_rows_and_less_is_told():
    told = broken(volume_facts(TRANSACTIONS, volumes(499, 1000, 1000, 1000), LIMITS))
    assert list(told.values()) == [("warning", 0.499)]
    assert broken(volume_facts(TRANSACTIONS, volumes(500, 1000, 1000, 1000), LIMITS)) == {}
    assert list(broken(volume_facts(FLAGS, volumes(2001, 1000, 1000, 1000), LIMITS)).values()) == [
        ("warning", 2.001)
    ]


def test_consents_come_in_waves_so_that_their_bounds_are_wider():
    assert broken(volume_facts(CONSENTS, volumes(300, 1000, 1000, 1000), LIMITS)) == {}
    assert broken(volume_facts(CONSENTS, volumes(249, 1000, 1000, 1000), LIMITS)) != {}


def test_a_table_suddenly_empty_stops_publication():
    told = broken(volume_facts(FLAGS, volumes(0, 20, 21, 19), LIMITS))
    assert told == {"the newest month brought rows, as those before it did": ("critical", 0)}
    assert broken(volume_facts(FLAGS, volumes(0, 19, 19, 19), LIMITS)) == {}


def test_nothing_is_compared_before_there_are_enough_months():
    assert list(volume_facts(FLAGS, volumes(0, 1000, 1000), LIMITS)) == []
    assert list(null_facts(TRANSACTIONS, history(*USUAL[:3]), LIMITS)) == []


def test_months_are_those_that_a_delivery_ends_and_whole_tables_count_their_last_delivery():
    came = {date(2024, 4, 1): 5, date(2024, 3, 15): 3, date(2024, 3, 1): 2, date(2023, 12, 31): 1}
    assert monthly_volumes(TRANSACTIONS, came, AS_OF) == {1: 8, 2: 2, 4: 1}
    assert monthly_volumes(CUSTOMERS, came, AS_OF) == {1: 5, 2: 2, 4: 1}


def test_a_delivery_after_the_as_of_date_is_not_looked_at(spark):
    rows = [(day, "flags", "", 7, 6, 1, 0) for day in (AS_OF, AS_OF + timedelta(days=1))]
    records = spark.createDataFrame(rows, DELIVERIES.ddl)
    assert delivered(records, AS_OF) == {"flags": {AS_OF: 6}}


def balance_nulls(now, before=20, rows=1000):
    months = ({"n_rows": rows, "nulls_balance_after": now}, *[{"nulls_balance_after": before}] * 3)
    return list(null_facts(TRANSACTIONS, history(*months), LIMITS))


def test_a_column_as_full_as_usual_keeps_the_rule():
    assert len(balance_nulls(30)) == 4
    assert broken(balance_nulls(30)) == {}


def test_a_column_suddenly_empty_or_full_is_told():
    told = broken(balance_nulls(1000))
    assert told == {f"balance_after is empty {RATHER}": ("warning", 0.98)}
    assert len(broken(balance_nulls(0, before=1000))) == 1


def test_few_rows_may_differ_by_chance():
    assert broken(balance_nulls(60, before=500, rows=100)) == {}
    assert broken(balance_nulls(81, before=500, rows=100)) != {}
    assert balance_nulls(99, rows=99) == []


def test_signs_in_the_usual_mixture_keep_the_rules():
    facts = list(sign_facts(history(*USUAL), LIMITS))
    assert len(facts) == 4
    assert broken(facts) == {}


def test_amounts_of_one_sign_stop_publication():
    unsigned = {"n_credits": 1000, "n_debits": 0, "category": "salary"}
    told = broken(sign_facts(history(unsigned, *USUAL), LIMITS))
    assert told["there are credits and debits"] == ("critical", 0)
    assert len(told) == 3
    assert {severity for severity, _ in told.values()} == {"critical", "warning"}


def test_turned_signs_are_told_by_share_and_by_category():
    turned = {"n_credits": 700, "n_debits": 300}
    facts = list(sign_facts(history(turned, *USUAL), LIMITS))
    told = broken(facts)
    assert sorted(told.values()) == [("warning", 0.3), ("warning", 1)]
    assert [fact.detail for fact in facts][-1] == "rent"


def test_a_category_may_be_credited_now_and_then():
    refunds = {"n_rows": 19, "n_credits": 19, "n_debits": 0}
    assert broken(sign_facts(history(refunds), LIMITS)) == {}


VERSIONS = {
    "delivery": "date'2024-04-01'",
    "is_deleted": "false",
    "is_revision": "false",
    "recorded_at": "timestamp'2023-06-01 10:00:00'",
}


def versions(spark, table, *groups):
    """``count`` rows of each group: a dictionary of column → SQL over ``id``."""
    made = []
    for count, given in groups:
        values = VERSIONS | given
        made.append(
            spark.range(count).select(
                *[
                    F.expr(values.get(column.name, "null")).cast(column.type).alias(column.name)
                    for column in stored(table).columns
                ]
            )
        )
    rows = made[0]
    for more in made[1:]:
        rows = rows.union(more)
    return rows


def bookings(spark, *newest):
    """Three months of 50 bookings in groceries, then those of the newest month."""
    usual = {"transaction_id": "concat('T', id)", "amount": "if(id % 3 = 0, 9, -1)"}
    usual |= {"category": "'groceries'", "channel": "'card'"}
    before = [(50, usual | {"delivery": f"date'{day}'"}) for day in DELIVERED_ON[1:]]
    return versions(spark, TRANSACTIONS, *before, *[(n, usual | given) for n, given in newest])


def facts_of(spark, table, rows, products=("loan",)):
    months = dict.fromkeys((1, 2, 3, 4), 50)
    return trailing_facts(table, rows, months, products=products, as_of=AS_OF, limits=LIMITS)


def novelty(facts, kind):
    return {
        fact.sentence.partition(" ")[0]: (fact.measure, fact.detail)
        for fact in facts
        if fact.sentence.partition(" ")[2].startswith(kind)
    }


def test_codes_seen_in_the_months_before_are_not_new(spark):
    facts = facts_of(spark, TRANSACTIONS, bookings(spark, (50, {})))
    assert novelty(facts, "has no code") == {"category": (0, ""), "channel": (0, "")}
    assert novelty(facts, "lacks no code") == {"category": (0, ""), "channel": (0, "")}


def test_new_and_lost_codes_are_counted_and_named_only_if_they_are_no_names(spark):
    newest = [
        (20, {"category": "'rent'"}),
        (19, {"category": "'fuel'"}),
        (100, {"category": "'crypto_purchase'"}),
        (100, {"category": "'Mueller'"}),
        (99, {"category": "'secret'"}),
        (19, {"category": "concat('secret', id)"}),
    ]
    facts = facts_of(spark, TRANSACTIONS, bookings(spark, *newest))
    assert novelty(facts, "has no code")["category"] == (4, "rent, crypto_purchase")
    assert novelty(facts, "lacks no code")["category"] == (1, "groceries")
    assert "Mueller" not in repr(facts)
    assert "secret" not in repr(facts)


def test_an_unknown_code_that_came_before_is_not_new(spark):
    rows = bookings(spark, (50, {})).withColumn("category", F.lit("weekly_shop"))
    facts = facts_of(spark, TRANSACTIONS, rows)
    assert novelty(facts, "has no code")["category"] == (0, "")
    assert OTHER not in repr(facts)


def test_rows_of_a_whole_table_belong_to_every_month_until_they_are_replaced_or_gone(spark):
    who = {"customer_id": "concat('C', id)", "segment": "'mass'", "language": "'en'"}
    old = who | {"delivery": "date'2024-01-01'"}
    emptied = who | {"language": "null", "recorded_at": "timestamp'2024-03-30 10:00:00'"}
    gone = who | {
        "customer_id": "concat('C', id + 150)",
        "is_deleted": "true",
        "delivery": "date'2024-02-01'",
        "recorded_at": "timestamp'2024-01-30 10:00:00'",
    }
    rows = versions(spark, CUSTOMERS, (200, old), (100, emptied), (50, gone))
    facts = facts_of(spark, CUSTOMERS, rows)
    told = {fact.sentence: fact for fact in facts}[f"language is empty {RATHER}"]
    assert told.measure == round(100 / 150, 4)
    assert told.detail == "66.7% of 150 rows, 0.0% in the median of 3 months before"


@pytest.mark.parametrize(("table", "severity"), [(CONSENTS, "critical"), (TRANSACTIONS, "warning")])
def test_old_news_are_told_and_stop_publication_where_a_client_may_have_objected(
    spark, table, severity
):
    limits = LIMITS.model_copy(update={"max_days_since_record": {table.name: 92}})

    def told(delivery, recorded):
        months = dict.fromkeys((1, 2, 3, 4), 50)
        facts = freshness_facts(table, delivery, months, AS_OF, limits)
        rows = versions(spark, table, (3, {"recorded_at": f"timestamp'{recorded}'"}))
        results = check(Suite(table, (), facts), rows).results
        return [(one.severity, one.found) for one in results if not one.success]

    assert told(date(2024, 3, 12), "2023-12-31 10:00:00") == []
    assert told(date(2024, 3, 11), "2023-12-31 10:00:00") == [(severity, 21)]
    assert told(date(2024, 4, 1), "2023-12-30 10:00:00") == [(severity, 93)]


def test_the_age_of_rows_is_no_matter_in_a_table_that_few_come_of():
    facts = freshness_facts(CONSENTS, AS_OF, dict.fromkeys((1, 2, 3, 4), 19), AS_OF, LIMITS)
    assert [fact.sentence for fact in facts] == ["the last delivery is at most 20 days old"]
