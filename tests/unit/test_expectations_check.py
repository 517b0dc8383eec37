"""What a check reports, whatever the rule."""

from expectations.check import check
from expectations.rules import matches, not_blank, within
from expectations.suite import Fact, Suite
from tables.base import Table, columns

PROPENSITIES = Table(
    name="propensities",
    grain="one row per customer",
    key=("customer_id",),
    kind="derived",
    columns=columns("customer_id string -- who", "propensity double? -- how likely"),
)
SUITE = Suite(PROPENSITIES, (within("propensity", 0, 1),), ())


def rows(spark, *propensities):
    named = [(f"secret{number}", value) for number, value in enumerate(propensities)]
    return spark.createDataFrame(named, PROPENSITIES.ddl)


def test_a_kept_rule_is_reported_as_kept(spark):
    report = check(SUITE, rows(spark, 0.0, 0.5, 1.0, None))
    assert [result.success for result in report.results] == [True]
    assert report.critical_failures == report.warnings == ()


def test_values_out_of_bounds_nan_and_infinity_are_counted(spark):
    report = check(SUITE, rows(spark, 0.5, -0.1, 1.1, float("nan"), float("inf"), float("-inf")))
    (failure,) = report.critical_failures
    assert (failure.found, failure.rows) == (5, 6)
    assert str(failure) == "propensity lies between 0 and 1: found 5 of 6 rows"


def test_a_warning_does_not_stop_publication(spark):
    suite = Suite(PROPENSITIES, (within("propensity", 0, 1, "warning"),), ())
    report = check(suite, rows(spark, 2.0))
    assert report.critical_failures == ()
    assert [warning.found for warning in report.warnings] == [1]


def test_a_rule_that_cannot_be_checked_stops_publication_even_if_it_is_a_warning(spark):
    suite = Suite(PROPENSITIES, (not_blank("absent", "warning"), within("propensity", 0, 1)), ())
    report = check(suite, rows(spark, 0.5))
    (failure,) = report.critical_failures
    assert failure.sentence == "absent is not blank"
    assert str(failure).startswith("could not be checked (")
    assert report.warnings == ()
    assert [result.success for result in report.results].count(True) == 1


def test_a_report_never_quotes_what_a_row_holds(spark):
    suite = Suite(PROPENSITIES, (matches("customer_id", "^C", "an id"), not_blank("absent")), ())
    assert "secret" not in repr(check(suite, rows(spark, 0.5)))


def test_a_fact_is_held_against_both_bounds(spark):
    def outcome(low, high):
        fact = Fact("the mean is fine", lambda table: table.agg({"propensity": "avg"}), low, high)
        (result,) = check(Suite(PROPENSITIES, (), (fact,)), rows(spark, 0.2, 0.4)).results
        return result.success, round(result.found, 3)

    assert outcome(0.3, 0.4) == (True, 0.3)
    assert outcome(0.31, 0.4) == (False, 0.3)
    assert outcome(0.1, 0.29) == (False, 0.3)


def test_a_fact_without_a_number_stops_publication(spark):
    fact = Fact("the mean is fine", lambda table: table.agg({"propensity": "avg"}), 0, 1)
    for values in ((None,), (float("nan"),)):
        (failure,) = check(Suite(PROPENSITIES, (), (fact,)), rows(spark, *values)).critical_failures
        assert failure.error == "no number came out"
