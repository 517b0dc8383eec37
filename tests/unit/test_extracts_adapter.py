"""What a recipe says is made; what it does not say stops everything."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from conf.errors import ConfigError
from conf.source import load_source
from extracts.adapter import made_tables
from tables.errors import ContractViolation, UserError
from tests.raw_bank import BOOKINGS, CLIENTS, TRANSACTIONS, made, settings, write_raw


@pytest.fixture
def data(tmp_path):
    return write_raw(tmp_path)


def test_a_recipe_makes_typed_rows_with_the_time_at_which_they_were_known(data):
    rows = made(data, "customers")

    assert [row["customer_id"] for row in rows] == ["K1", "K2", "K3"]
    assert [row["segment"] for row in rows] == ["vip", "mass", None]
    assert rows[0]["recorded_at"] == datetime(2024, 1, 5, 18, 30, tzinfo=UTC)
    assert rows[0]["birth_date"] is None and rows[0]["is_employee"] is False


def test_rows_are_filtered_looked_up_and_summed_by_group(data):
    rows = made(data, "transactions", TRANSACTIONS)

    assert [(row["transaction_id"], row["amount"]) for row in rows] == [
        ("b1-x", Decimal("-12.50")), ("b2-x", Decimal("-1.00")),
    ]  # fmt: skip
    assert [row["counterparty_id"] for row in rows] == ["Brno", "Brno"]
    assert rows[0]["recorded_at"] == datetime(2024, 1, 20, 18, tzinfo=UTC)


def test_what_is_not_found_is_empty_and_so_is_the_later_time(data):
    (data / "bookings.csv").write_text(BOOKINGS.replace("b2,2", "b2,99"))

    rows = made(data, "transactions", TRANSACTIONS)

    assert (rows[1]["counterparty_id"], rows[1]["recorded_at"]) == (None, None)


def test_the_first_row_of_a_group_is_the_earliest_not_the_first_in_the_file(data):
    (data / "bookings.csv").write_text(BOOKINGS.replace("b1,1,x,2024-01-20", "b1,1,x,2024-01-21"))

    rows = made(data, "transactions", TRANSACTIONS)

    assert rows[0]["transaction_id"] == "b1-y"


def test_a_looked_up_file_with_two_answers_is_refused(data):
    (data / "clients.csv").write_text(CLIENTS + "2;Praha;1.1.2024;A;0;0\n")

    with pytest.raises(ContractViolation, match="several rows have the same nr"):
        made(data, "transactions", TRANSACTIONS)


HOLDINGS = """
rows_of: clients
flags: {into: product, products: {card: credit_card, depot: investment_fund}}
only: {town: [Brno, Plzen]}
columns:
  holding_id: {text: "{nr}-{product}"}
  customer_id: {text: "K{nr}"}
  product_id: product
  opened_on: since
  closed_on: {column: since, if_present: grade}
  recorded_at: {always: "2024-03-05T00:00:00Z"}
"""


def test_flags_become_rows_and_no_flag_is_no_product(data):
    rows = made(data, "holdings", HOLDINGS)

    assert [row["holding_id"] for row in rows] == [
        "1-credit_card", "2-credit_card", "2-investment_fund",
    ]  # fmt: skip


def test_a_flag_that_is_neither_yes_nor_no_stops_the_adapter(data):
    (data / "clients.csv").write_text(CLIENTS.replace("Brno;9.2.2024;B;1;1", "Brno;9.2.2024;B;1;S"))

    with pytest.raises(ContractViolation, match=r"depot: 1 values .* the first in row 2"):
        made(data, "holdings", HOLDINGS)


def test_only_and_if_present_leave_out(data):
    kept = made(data, "holdings", HOLDINGS.replace("[Brno, Plzen]", '["Plzen"]'))
    (data / "clients.csv").write_text(CLIENTS.replace("9.2.2024;;0", "9.2.2024;;1"))
    dated = made(data, "holdings", HOLDINGS)

    assert kept == []
    # the third client has no grade
    assert [row["closed_on"] is None for row in dated] == [False, False, False, True]


def test_consents_are_assumed_for_customers_who_will_not_be_set_aside(data):
    (data / "clients.csv").write_text(CLIENTS.replace("3;Plzen", "3;"))
    assumed = {
        "because": "nobody delivers consents here", "purposes": ["profiling"], "channels": ["post"],
    }  # fmt: skip

    rows = made(
        data,
        "consents",
        change=lambda values: values["adapter"].update({"assumed_consents": assumed}),
    )

    assert [row["customer_id"] for row in rows] == ["K1", "K2"]
    assert rows[0]["changed_at"] == rows[0]["recorded_at"] == datetime(
        2024, 1, 5, 18, 30, tzinfo=UTC
    )  # fmt: skip


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (["rows_of"], "client", "client is not among adapter.raw; did you mean clients?"),
        (["columns", "segmet"], "town", "segmet is not among the columns of the table; did you"),
        (["columns", "branch_id"], None, "lacks branch_id, which may not be empty"),
        (["columns", "segment"], {"column": "grade", "codes": "x"}, "x is not among adapter.codes"),
        (["columns", "language"], {"total": "nr"}, "total needs one_row_per"),
        (["columns", "language"], {"text": "cs"}, "names no column in braces"),
        (["in_order_of"], "since", "it needs one_row_per"),
    ],
)
def test_settings_that_fit_no_table_are_told_before_a_file_is_opened(path, value, expected):
    def change(values):
        *parents, last = path
        place = values["adapter"]["make"]["customers"]
        for parent in parents:
            place = place[parent]
        if value is None:
            del place[last]
        else:
            place[last] = value

    with pytest.raises(ConfigError) as refused:
        made_tables(None, settings(change))

    assert expected in str(refused.value)
    assert str(refused.value).startswith("adapter.make.customers")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("delimeter: ';'", "delimeter is unknown; did you mean delimiter?"),
        ("date_format: DD.MM", "date_format: 'DD.MM' does not say every part"),
    ],
)
def test_a_setting_that_is_wrong_is_told_with_the_one_that_is_meant(tmp_path, line, expected):
    (tmp_path / "mine.yaml").write_text(f"description: x\ntables: {{}}\n{line}\n")

    with pytest.raises(ConfigError) as refused:
        load_source("mine", tmp_path)

    assert expected in str(refused.value)


def test_a_source_without_recipes_is_not_adapted():
    with pytest.raises(UserError, match=r"no adapter\.make"):
        made_tables(None, load_source("standard"))


def test_a_recipe_may_mark_what_the_source_deleted(data):
    marked = TRANSACTIONS.replace("columns:\n", "columns:\n  is_deleted: {always: true}\n", 1)
    assert all(row["is_deleted"] is True for row in made(data, "transactions", marked))
    assert "is_deleted" not in made(data, "transactions", TRANSACTIONS)[0]
