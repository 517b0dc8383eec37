"""Other banks' raw files become deliveries by YAML alone, and are ingested like any other."""

import csv
import io
import os
import re
from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from conf.load import load_config
from conf.source import SourceSettings, load_source
from conf.strict_yaml import parse_yaml
from extracts.adapter import make_deliveries
from extracts.deliveries import delivered_files, deliveries_until
from jobs.cli import main
from jobs.home import Home
from jobs.publishing import Context, execute
from jobs.steps import INGEST
from tables.derived import QUARANTINE
from tables.sources import CUSTOMERS, HOLDINGS, TRANSACTIONS
from tables.store import Store

ROOT = Path(__file__).parents[2]
SHARED = Path(os.environ.get("XSELL_DATA", ROOT / "../shared/data"))
PAGE = ROOT / "docs/new_bank.md"
JOURNEY, ZIMNAT, SANTANDER = "completejourney", "zimnat_product_holdings", "santander_sample"


def needs(name):
    return pytest.mark.skipif(
        not (SHARED / name).is_dir(),
        reason=f"no {name} under {SHARED}; set XSELL_DATA to the data folder",
    )


def rows(landing, day, table):
    return list(csv.DictReader(io.StringIO((landing / day / f"{table}.csv").read_text())))


def adapted(tmp_path_factory, name):
    landing = tmp_path_factory.mktemp(name)
    make_deliveries(SHARED / name, landing, load_source(name))
    return landing


def ingested(home, as_of, source, spark, *settings):
    config = load_config("local", [f"bank.source={source}", *settings])
    result = execute(Context(as_of, config, home, spark), INGEST)
    return Store(home.tables, spark, result.record.pins), result


@pytest.fixture(scope="module")
def journey(tmp_path_factory):
    return adapted(tmp_path_factory, JOURNEY)


@needs(JOURNEY)
def test_every_cent_of_the_journey_is_delivered_once_and_in_its_month(journey):
    days = [one.name for one in deliveries_until(journey, date(2018, 2, 1))]
    bookings = [(day, row) for day in days for row in rows(journey, day, "transactions")]
    amounts = [Decimal(row["amount"]) for _, row in bookings]

    assert (days[0], days[-1], len(days)) == ("2017-02-01", "2018-02-01", 13)
    assert len({row["transaction_id"] for _, row in bookings}) == len(bookings)
    assert -sum(amount for amount in amounts if amount < 0) == Decimal("4596039.58")
    raw = pq.read_table(SHARED / JOURNEY / "transactions.parquet", columns=["coupon_disc"])
    coupons = Decimal(str(round(pc.sum(raw["coupon_disc"]).as_py(), 2)))
    assert sum(amount for amount in amounts if amount > 0) == coupons
    assert all(day[:7] > row["recorded_at"][:7] for day, row in bookings)


@needs(JOURNEY)
def test_a_campaign_is_a_contact_and_a_coupon_used_corrects_it_later(journey):
    days = [one.name for one in deliveries_until(journey, date(2018, 2, 1))]
    contacts = [row for day in days for row in rows(journey, day, "contacts")]
    first = [row for row in contacts if not row["disposition"]]
    sold = [row for row in contacts if row["disposition"] == "sold"]

    assert len(first) == len({row["contact_id"] for row in first}) == 6_589
    assert {row["contact_id"] for row in sold} < {row["contact_id"] for row in first}
    # 16.6 % of Type A, as its description says
    of_type_a = [row for row in first if row["product_id"] == "coupons_type_a"]
    sold_a = [row for row in sold if row["product_id"] == "coupons_type_a"]
    assert round(len(sold_a) / len(of_type_a), 3) == 0.166


@needs(JOURNEY)
def test_nobody_is_known_before_the_first_purchase(journey):
    known = {row["customer_id"] for row in rows(journey, "2017-02-01", "customers")}
    contacted = {row["customer_id"] for row in rows(journey, "2017-02-01", "contacts")}

    assert len(known) == 1_982
    assert contacted <= known
    assert len(rows(journey, "2018-01-01", "customers")) == 2_469


@needs(ZIMNAT)
def test_zimnat_s_days_come_before_months_and_its_flags_become_holdings(tmp_path_factory):
    landing = adapted(tmp_path_factory, ZIMNAT)
    raw = pq.read_table(SHARED / ZIMNAT / "train.parquet").to_pylist()
    customers = {row["customer_id"]: row for row in rows(landing, "2020-09-01", "customers")}
    holdings = rows(landing, "2020-09-01", "holdings")

    assert [one.name for one in deliveries_until(landing, date(2021, 1, 1))] == ["2020-09-01"]
    assert len(customers) == 29_132
    for row in raw:
        day, month, year = (row["join_date"] or "//").split("/")
        expected = f"{year}-{month:0>2}-{day:0>2}" if year else ""
        assert customers[row["ID"]]["joined_on"] == expected
    counted = Counter(row["product_id"] for row in holdings)
    assert (counted["RVSZ"], counted["GYSR"]) == (25_328, 4)
    assert len(holdings) == sum(value == 1 for row in raw for value in list(row.values())[8:])


@needs(SANTANDER)
def test_santander_is_adapted_and_ingested_with_one_customer_set_aside(tmp_path, spark):
    home = Home(tmp_path)
    home.create()
    source = load_source(SANTANDER)
    make_deliveries(SHARED / SANTANDER, home.landing, source)
    as_of = date(2015, 2, 1)

    store, result = ingested(home, as_of, SANTANDER, spark)

    assert len(delivered_files(deliveries_until(home.landing, as_of), source)) == 4
    customers = store.known_before(CUSTOMERS, as_of).toPandas()
    assert len(customers) == 998
    assert customers["gender"].value_counts().to_dict() == {"f": 529, "m": 469}
    holdings = store.known_before(HOLDINGS, as_of).toPandas()["product_id"].value_counts()
    # the customer who has nothing but a number lacks three things, and holds a current account
    assert (holdings["current_account"], holdings["payroll"]) == (926, 19)
    reasons = store.records(QUARANTINE).select("table_name", "rule", "column_name").collect()
    assert {(row["table_name"], row["rule"]) for row in reasons} == {
        ("customers", "missing"), ("holdings", "missing"),
    }  # fmt: skip
    assert {row["column_name"] for row in reasons} == {
        "branch_id", "joined_on", "is_employee", "opened_on",
    }  # fmt: skip
    assert result.record.counts["rows_quarantined"] == 2


def page_files(kind):
    """Name and content of the code blocks of the page, by the word after their kind."""
    return re.findall(rf"^```{kind} ?(\S*)\n(.*?)^```", PAGE.read_text(), re.M | re.S)


def test_the_worked_example_of_the_page_works(tmp_path, spark, monkeypatch):
    data, home = tmp_path / "data", Home(tmp_path / "home")
    data.mkdir()
    home.create()
    for name, content in page_files("csv"):
        (data / name).write_text(content)
    [(_, settings)] = page_files("yaml")
    source = SourceSettings.model_validate(parse_yaml(settings, "page"))

    assert make_deliveries(data, home.landing, source) == {"2024-02-01": 5, "2024-03-01": 10}

    monkeypatch.setattr("jobs.ingest.load_source", lambda _: source)
    monkeypatch.setattr("jobs.runs.contracts.load_source", lambda _: source)
    store, result = ingested(home, date(2024, 3, 1), "kleinbank", spark)
    bookings = store.known_before(TRANSACTIONS, date(2024, 3, 1)).toPandas()
    found = bookings.set_index("transaction_id")
    assert found["amount"].to_dict() == {
        "T1": Decimal("-12.50"), "T2": Decimal("1800.00"), "T3": Decimal("-7.00"),
    }  # fmt: skip
    assert found["category"].to_dict() == {"T1": "dining", "T2": "salary", "T3": None}
    assert len(store.known_before(CUSTOMERS, date(2024, 2, 1)).toPandas()) == 1
    assert result.record.counts["rows_quarantined"] == 0


def test_the_command_says_what_it_made_and_what_was_assumed(tmp_path, capsys, monkeypatch):
    data = tmp_path / "data"
    data.mkdir()
    for name, content in page_files("csv"):
        (data / name).write_text(content)
    source = SourceSettings.model_validate(parse_yaml(page_files("yaml")[0][1], "page"))
    monkeypatch.setattr("jobs.extracts.adapt.load_source", lambda _: source)
    command = ["adapt", "--source", "kleinbank", "--data", str(data), "--home", str(tmp_path / "h")]

    assert main(command) == 0
    told = capsys.readouterr().out
    assert re.search(r"2024-03-01 +10 rows", told)
    assert "Assumed: a product is taken to be held since the client joined" in told

    (data / "kunden.csv").write_text("Nr;Filiale;Seit;Karte;Depot\n7;Nord;16.01.2024;1;0\n")
    assert main(command) == 1
    assert "2024-02-01 holds another delivery" in capsys.readouterr().err


def test_a_source_or_folder_that_is_not_there_is_told(tmp_path, capsys):
    home = ["--home", str(tmp_path / "h")]

    assert main(["adapt", "--source", "zimnat_product", "--data", str(tmp_path), *home]) == 2
    assert "did you mean zimnat_product_holdings?" in capsys.readouterr().err
    nowhere = str(tmp_path / "nowhere")
    assert main(["adapt", "--source", SANTANDER, "--data", nowhere, *home]) == 1
    assert "--data names the folder" in capsys.readouterr().err
