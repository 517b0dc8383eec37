"""The language of configured rules: what it says, and what it refuses."""

from __future__ import annotations

from decimal import Decimal

import pytest
from pyspark.sql import SparkSession, functions as F

from campaigns.expressions import ExpressionError, Term, compiled, names_in

FACTS = {
    "months": Term("number", lambda: F.col("months")),
    "income": Term("number", lambda: F.col("income")),
    "share": Term("double", lambda: F.col("share")),
    "segment": Term("text", lambda: F.col("segment")),
    "has_card": Term("condition", lambda: F.col("has_card")),
    "unknown_count": Term("number", lambda: F.col("unknown_count")),
}
HOSTILE = [
    "reflect('java.lang.System', 'getenv', 'HOME') = 'x'",
    "java_method('java.lang.Runtime', 'getRuntime') = 'x'",
    "months > (select max(months) from customers)",
    "exists (select 1)",
    "months in (select 1)",
    "(select * from parquet.`/etc/passwd`) is null",
    "parquet.`/etc/passwd` = 1",
    "months > 1; drop table customers",
    "months > 1;",
    "months > 1 -- and has_card",
    "months > 1 /* or true */",
    "months > 1 # or true",
    "months > 1 union select 1",
    "drop table customers",
    "read_csv('/etc/passwd') is null",
    "input_file_name() = ''",
    "raise_error('x') is null",
    "version() = 'x'",
    "current_user = 'x'",
    "current_date > '2024-01-01'",
    "rand() < 0.5",
    "sleep(10) is null",
    "cast(months as string) = '1'",
    "months::text = '1'",
    "date '2024-01-01' is null",
    "interval 1 day is null",
    "customers.months > 1",
    '"months" > 1',
    "`months` > 1",
    "@months > 1",
    "$$months$$ > 1",
    ":months > 1",
    "? > 1",
    "{{ months }} > 1",
    "months[0] > 1",
    "(months, income) = (1, 2)",
    "segment like '%a'",
    "segment || 'x' = 'ax'",
    "months / 0 > 1",
    "months % 2 = 0",
    "months & 1 = 1",
    "case when has_card then true end",
    "if(has_card, true, false)",
    "months is distinct from 1",
    "months > all (1)",
    "count(*) > 1",
    "sum(months) over () > 1",
    "x -> x > 1",
    "months > 1e9",
    "months > 0x1f",
    "months > 1234567890123",
    "months between symmetric 1 and 2",
    "(" * 500 + "has_card" + ")" * 500,
    "not " * 240 + "has_card",
    "- " * 400 + "months > 1",
    "has_card" + " and has_card" * 75 * 3,
    "months * months * months * months * months * months * months * months * months * 2 > 1",
    "\x00months > 1",
    "ｍonths > 1",
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:40])
def test_what_is_not_listed_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        compiled(text, FACTS)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "must be one condition"),
        ("months = share = 1", "compares a condition with a number"),
        ("months >", "cannot be understood"),
        ("months", "is a number; a condition is needed"),
        ("monts > 1", "names monts, which rules cannot ask for; did you mean months?"),
        ("months > 'a'", "compares a number with a text"),
        ("segment > 'a'", "asks which text is greater"),
        ("has_card = 1", "compares a condition with a number"),
        ("segment + 1 > 2", "computes with a text"),
        ("months and has_card", "has a number with and, or, where a condition is needed"),
        ("not segment", "has a text with not"),
        ("months = null", "uses NULL, which rules do not have"),
        ("months is true", "uses IS with something other than NULL"),
        ("coalesce(months, 'a') = 'a'", "has COALESCE of a number and a text"),
        ("months in ()", "has IN without values"),
        ("round(months) > 1", "uses ROUND, which rules do not have"),
        ("months > 1 -- why", "has a comment"),
        ("months > 1;", "uses ';', which rules do not have"),
    ],
)
def test_a_mistake_is_told_without_a_trace(text: str, problem: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        compiled(text, FACTS)
    assert problem in str(caught.value)


TRUTHS = {
    "months >= 6": True,
    "months > 6": False,
    "months <> 6": False,
    "6 = months": True,
    "months between 6 and 7": True,
    "months not between 6 and 7": False,
    "months in (5, 6)": True,
    "months not in (5, 6)": False,
    "segment in ('mass', 'vip')": True,
    "segment = 'it''s'": False,
    "has_card": True,
    "not has_card or months = 7": False,
    "has_card = false": False,
    "income >= 2400.01": True,
    "income > 2400.01": False,
    "income - 400.01 > 1999.99": True,
    "share * 100 > 24 and share < 0.26": True,
    "abs(-months) = 6": True,
    "months + 1 > 6 and not (segment = 'vip')": True,
    "months - -1 = 7": True,
    "unknown_count > 0": None,
    "not unknown_count > 0": None,
    "unknown_count > 0 or has_card": True,
    "unknown_count is null": True,
    "unknown_count is not null": False,
    "coalesce(unknown_count, 9) > 8": True,
    "coalesce(segment, 'x') = 'mass'": True,
    "true": True,
}


def test_an_expression_means_what_sql_means(spark: SparkSession) -> None:
    row = spark.createDataFrame(
        [(6, Decimal("2400.01"), 0.25, "mass", True, None)],
        "months int, income decimal(18,2), share double, segment string, has_card boolean,"
        " unknown_count int",
    )
    columns = [compiled(text, FACTS).column().alias(f"c{i}") for i, text in enumerate(TRUTHS)]
    found = row.select(*columns).collect()[0]
    assert dict(zip(TRUTHS, found, strict=True)) == TRUTHS


def test_and_binds_before_or(spark: SparkSession) -> None:
    row = spark.createDataFrame([(True,)], "has_card boolean")
    told = compiled("true or has_card and false", FACTS).column()
    assert row.select(told).collect()[0][0] is True


def test_the_names_of_an_expression_are_known_without_an_engine() -> None:
    assert names_in("months > 1 and not (segment in ('income') or has_card)") == {
        "months",
        "segment",
        "has_card",
    }
