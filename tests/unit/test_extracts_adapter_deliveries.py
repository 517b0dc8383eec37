"""Raw rows become the deliveries of each month, dated by when they were known."""

import json
from datetime import UTC, datetime

import pytest

from conf.strict_yaml import parse_yaml
from extracts.adapter import make_deliveries
from extracts.deliveries import delivered_files, deliveries_until
from tables.errors import UserError
from tests.raw_bank import CLIENTS, TRANSACTIONS, settings, write_raw


@pytest.fixture
def data(tmp_path):
    return write_raw(tmp_path)


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
