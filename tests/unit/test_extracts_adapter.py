"""What a recipe says is made, dated and delivered; what it does not say stops everything."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conf.errors import ConfigError
from conf.source import SourceSettings, load_source
from conf.strict_yaml import parse_yaml
from extracts.adapter import made_tables, make_deliveries
from extracts.adapter_raw import typed
from extracts.casts import CONTRACT
from extracts.deliveries import delivered_files, deliveries_until
from tables.errors import ContractViolation, UserError

CLIENTS = """nr;town;since;grade;card;depot
1;Brno;5.1.2024;A;1;0
2;Brno;9.2.2024;B;1;1
3;Plzen;9.2.2024;;0;NA
"""
BOOKINGS = """basket,client,shop,day,amount
b1,1,x,2024-01-20,10.00
b1,1,y,2024-01-20,2.50
b2,2,x,2024-02-20,1.00
b2,2,x,2024-02-20,0
"""
SETTINGS = """
description: A bank of three clients
tables:
  customers: {delivery: whole}
  accounts: {delivery: whole, is_required: false}
  transactions: {delivery: increment, is_required: false}
  holdings: {delivery: whole, is_required: false}
  consents: {delivery: increment, is_required: false}
  contacts: {delivery: increment, is_required: false}
adapter:
  history_from: "2024-01-01"
  raw:
    clients: {file: clients.csv, delimiter: ";", date_format: "%d.%m.%Y", nulls: [NA]}
    bookings: {file: bookings.csv}
  codes:
    grade: {A: vip, B: mass, C: null}
  make:
    customers:
      rows_of: clients
      columns:
        customer_id: {text: "K{nr}"}
        branch_id: town
        segment: {column: grade, codes: grade}
        joined_on: since
        is_employee: {always: false}
        recorded_at: {column: since, at: "18:30"}
"""


def settings(change=lambda values: None):
    values = parse_yaml(SETTINGS, "settings")
    change(values)
    return SourceSettings.model_validate(values)


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "clients.csv").write_text(CLIENTS)
    (folder / "bookings.csv").write_text(BOOKINGS)
    return folder


def made(data, table, recipe=None, change=lambda values: None):
    """The rows of one table, customers included if they are not it."""

    def changed(values):
        if recipe:
            values["adapter"]["make"][table] = parse_yaml(recipe, "recipe")
        change(values)

    tables = {one.table.name: one for one in made_tables(data, settings(changed))}
    return tables[table].rows.to_pylist()


def test_a_recipe_makes_typed_rows_with_the_time_at_which_they_were_known(data):
    rows = made(data, "customers")

    assert [row["customer_id"] for row in rows] == ["K1", "K2", "K3"]
    assert [row["segment"] for row in rows] == ["vip", "mass", None]
    assert rows[0]["recorded_at"] == datetime(2024, 1, 5, 18, 30, tzinfo=UTC)
    assert rows[0]["birth_date"] is None and rows[0]["is_employee"] is False


TRANSACTIONS = """
rows_of: bookings
look_up: {clients: {client: nr}}
without: {amount: ["0"]}
one_row_per: [basket]
in_order_of: day
columns:
  transaction_id: {text: "{basket}-{shop}"}
  account_id: {text: "A{client}"}
  booked_on: day
  amount: {total: amount, is_debit: true}
  currency: {always: CZK}
  counterparty_id: clients.town
  recorded_at: {later_of: [day, clients.since], at: "18:00"}
"""


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


def deliver(data, tmp_path, source=None):
    landing = tmp_path / "landing"
    landing.mkdir(exist_ok=True)
    return landing, make_deliveries(data, landing, source or settings())


def with_transactions(values):
    values["adapter"]["make"]["transactions"] = parse_yaml(TRANSACTIONS, "recipe")


def test_a_year_of_raw_rows_becomes_the_deliveries_of_that_year(data, tmp_path):
    source = settings(with_transactions)

    landing, rows = deliver(data, tmp_path, source)

    assert rows == {"2024-02-01": 2, "2024-03-01": 4}
    found = {
        f"{day}/{table}": (landing / day / f"{table}.csv").read_text().count("\n") - 1
        for day in rows
        for table in ("customers", "transactions")
    }
    assert found == {
        "2024-02-01/customers": 1, "2024-02-01/transactions": 1,
        "2024-03-01/customers": 3, "2024-03-01/transactions": 1,
    }  # fmt: skip
    deliveries = deliveries_until(landing, datetime(2024, 3, 1, tzinfo=UTC).date())
    assert len(delivered_files(deliveries, source)) == 4


def test_a_whole_table_is_delivered_as_it_was_last_known(data, tmp_path):
    (data / "clients.csv").write_text(CLIENTS + "1;Praha;20.2.2024;C;1;0\n")

    landing, _ = deliver(data, tmp_path)

    towns = [
        line.split(",")[3]
        for day in ("2024-02-01", "2024-03-01")
        for line in (landing / day / "customers.csv").read_text().splitlines()
        if line.startswith('"K1"')
    ]
    assert towns == ['"Brno"', '"Praha"']


def test_of_snapshots_the_newest_counts_so_that_who_is_gone_is_gone(data, tmp_path):
    source = settings(
        lambda values: values["adapter"]["make"]["customers"].update({"is_snapshot": True})
    )

    landing, _ = deliver(data, tmp_path, source)

    assert '"K1"' not in (landing / "2024-03-01/customers.csv").read_text()


def test_a_row_without_a_known_time_is_delivered_to_be_set_aside(data, tmp_path):
    (data / "clients.csv").write_text(CLIENTS + "4;Praha;;A;1;0\n")

    landing, rows = deliver(data, tmp_path)

    assert rows == {"2024-02-01": 2, "2024-03-01": 4}
    assert '"K4"' in (landing / "2024-02-01/customers.csv").read_text()


def test_the_same_files_change_nothing_and_others_are_not_overwritten(data, tmp_path):
    landing, _ = deliver(data, tmp_path)
    before = {path: path.stat().st_mtime_ns for path in landing.rglob("*.csv")}

    deliver(data, tmp_path)
    assert {path: path.stat().st_mtime_ns for path in landing.rglob("*.csv")} == before

    (data / "clients.csv").write_text(CLIENTS.replace("9.2.2024;B", "9.2.2024;A"))
    with pytest.raises(UserError, match="2024-03-01 holds another delivery"):
        deliver(data, tmp_path)
    assert {path: path.stat().st_mtime_ns for path in landing.rglob("*.csv")} == before
    assert not list(landing.glob(".*"))


def test_a_new_month_is_added_to_those_that_are_there(data, tmp_path):
    landing, _ = deliver(data, tmp_path)
    first = (landing / "2024-02-01/manifest.json").read_bytes()
    (data / "clients.csv").write_text(CLIENTS + "4;Praha;3.3.2024;A;1;0\n")

    _, rows = deliver(data, tmp_path)

    assert list(rows) == ["2024-02-01", "2024-03-01", "2024-04-01"]
    assert (landing / "2024-02-01/manifest.json").read_bytes() == first
    assert json.loads((landing / "2024-04-01/manifest.json").read_text())["files"]


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
    ("old", "new", "expected"),
    [
        ("9.2.2024;B", "2/9/2024;B", "clients.csv: since: 1 of 3 values are no date"),
        ("9.2.2024;B", "9.2.2024;Z", "customers.segment: 1 values are not in adapter.codes.grade"),
        ("nr;town", "nr;city", r"clients.csv: lacks town .has nr, city"),
        ("nr;town;since", "nr;town;sinces", "lacks since; did you mean sinces?"),
        (CLIENTS, CLIENTS + CLIENTS, "since: 1 of 7 values are no date .* the first in row 4"),
        ("2;Brno", "2;Brno;more", "line 3 has 7 fields, the header has 6"),
        ("Plzen", "Plze\u0148".encode("cp1250").decode("latin-1"), None),
    ],
)
def test_what_is_not_written_as_declared_stops_the_adapter(data, old, new, expected):
    (data / "clients.csv").write_bytes(CLIENTS.replace(old, new).encode("latin-1"))

    with pytest.raises(ContractViolation, match=expected or "is not UTF-8 text") as refused:
        made(data, "customers")

    assert "2/9/2024" not in str(refused.value) and "Brno" not in str(refused.value)


def test_a_raw_file_that_is_not_there_is_named(data):
    (data / "clients.csv").unlink()

    with pytest.raises(UserError, match=r"clients\.csv is not in the data folder"):
        made(data, "customers")


def test_all_files_that_match_are_one(data):
    (data / "clients_2.csv").write_text(CLIENTS.splitlines()[0] + "\n7;Cheb;1.3.2024;A;0;0\n")

    rows = made(
        data,
        "customers",
        change=lambda values: values["adapter"]["raw"]["clients"].update(file="clients*.csv"),
    )

    assert [row["customer_id"] for row in rows] == ["K1", "K2", "K3", "K7"]


def test_parquet_is_read_in_its_own_types(data):
    table = pa.table(
        {
            "nr": [1, 2], "town": pa.array(["Brno", None]).dictionary_encode(),
            "since": pa.array(["2024-01-05T23:30", "2024-10-27T02:30"]).cast(pa.timestamp("ns")),
            "grade": pa.array(["A", "B"], pa.large_string()),
        }
    )  # fmt: skip
    pq.write_table(table, data / "clients.parquet")
    file = {"file": "clients.parquet", "time_zone": "Europe/Prague"}

    def change(values):
        values["adapter"]["raw"]["clients"] = file
        values["adapter"]["make"]["customers"]["columns"]["recorded_at"] = {"column": "since"}

    rows = made(data, "customers", change=change)

    assert [(row["customer_id"], row["branch_id"]) for row in rows] == [
        ("K1", "Brno"),
        ("K2", None),
    ]
    assert rows[0]["joined_on"].isoformat() == "2024-01-05"
    assert rows[0]["recorded_at"] == datetime(2024, 1, 5, 22, 30, tzinfo=UTC)
    # an hour that is there twice is the later one
    assert rows[1]["recorded_at"] == datetime(2024, 10, 27, 1, 30, tzinfo=UTC)


def test_a_float_is_money_only_where_it_is_near_a_cent():
    values, unreadable = typed(
        pa.array([0.1 + 0.2, 10.999, None, float("nan")]), "decimal(18,2)", CONTRACT
    )

    assert values[0].as_py() == Decimal("0.30")
    assert unreadable.to_pylist() == [False, True, False, True]


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
