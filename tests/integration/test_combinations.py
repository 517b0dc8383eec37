"""`xsell combinations` where features have been run: planted pairs found, nothing published."""

from __future__ import annotations

import csv
from contextlib import nullcontext
from datetime import date
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from campaigns.consent import answer_columns, leave_columns
from conf.load import read_yaml
from demo.hazards import PLANTED
from features.catalogue import customer_features_table
from jobs.arguments import parser
from jobs.combinations import command as combinations
from jobs.combinations.package_reach import Reach, reach
from measurement.association import Estimate
from measurement.combinations import Combination
from measurement.packages import Proposal
from tables.errors import UserError
from tables.files import sha256_of
from tables.sources import CUSTOMERS, HOLDINGS
from tables.store import Store
from tests.campaign_bank import frame
from tests.month import AS_OF, SMALL, Bank
from tests.pages import Text

FEW = "combinations.min_clients=15"  # of 600
# What the demo bank plants: both are bought by who travels; one makes the other likelier.
TRAVEL = {"gold_card", "travel_insurance"}
SAVED = {"investment_fund", "term_deposit"}


@pytest.fixture(autouse=True)
def engine(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    """The session that is there already."""
    monkeypatch.setattr(combinations, "open_engine", lambda _: nullcontext(spark))


def run(bank: Bank, *words: object) -> int:
    settings = [text for override in (*SMALL, FEW) for text in ("--set", override)]
    home = ["combinations", "--as-of", AS_OF, "--home", bank.home.path]
    options = parser().parse_args(list(map(str, [*home, *settings, *words])))
    return int(options.do(options))


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_planted_pairs_are_found_and_nothing_is_published(
    bank: Bank, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert {one.signal for one in PLANTED["gold_card"].drivers} == {"travel_12m"}
    assert "has_term_deposit" in {one.signal for one in PLANTED["investment_fund"].drivers}
    before = {path: sha256_of(path) for path in bank.home.path.rglob("*") if path.is_file()}
    assert run(bank, "--out", tmp_path / "found") == 0
    assert before == {path: sha256_of(path) for path in bank.home.path.rglob("*") if path.is_file()}

    told = rows(tmp_path / "found" / "sets.csv")
    sure = [{*row["products"].split(" + ")} for row in told if row["is_sure"] == "true"]
    assert SAVED in sure and TRAVEL in sure
    assert all(int(row["clients"]) >= 15 for row in told)
    products = rows(tmp_path / "found" / "products.csv")
    assert products[0] | {"coreness": ""} == {
        "product_id": "current_account",
        "holders": products[0]["holders"],
        "coreness": "",
        "is_core": "true",
        "configured": "core",
    }
    out = capsys.readouterr().out
    assert "investment_fund" in out and "Page: " in out
    page = Text((tmp_path / "found" / "combinations.html").read_text(encoding="utf-8"))
    assert "Products held together, 2026-11-01" in page.shown
    assert not page.fetched and not page.open


def test_the_same_again_gives_the_same_bytes(bank: Bank, tmp_path: Path) -> None:
    for name in ("one", "other"):
        run(bank, "--out", tmp_path / name, "--min-support", 0.1)
    one, other = (
        {path.name: sha256_of(path) for path in (tmp_path / name).iterdir()}
        for name in ("one", "other")
    )
    assert one == other
    assert all(float(row["support"]) >= 0.1 for row in rows(tmp_path / "one" / "sets.csv"))


def test_a_segment_is_looked_at_alone(bank: Bank, spark: SparkSession, tmp_path: Path) -> None:
    run(bank, "--out", tmp_path, "--segment", "mass")
    pins = bank.context(spark).runs.current("features", AS_OF).pins
    table = customer_features_table(tuple(bank.config.products))
    segments = Store(bank.home.tables, None, pins).arrow(table, AS_OF, ["segment"])["segment"]
    mass = segments.to_pylist().count("mass")
    assert 0 < mass < len(segments)
    page = (tmp_path / "combinations.html").read_text(encoding="utf-8")
    assert f"{mass:,} active clients of segment mass" in Text(page).shown


def test_where_nothing_may_be_told_there_are_headers_and_no_rows(
    bank: Bank, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(bank, "--out", tmp_path, "--set", "combinations.min_clients=601")
    out = capsys.readouterr().out
    assert "together: none" in out and "Core: none" in out
    files = {path.stem: path.read_text(encoding="utf-8") for path in tmp_path.glob("*.csv")}
    assert {*files} == {"sets", "rules", "order", "products"}
    assert all(text.count("\n") == 1 and "," in text for text in files.values())
    assert read_yaml(tmp_path / "packages.yaml") == {"offers": {}}


def test_a_segment_without_a_client_is_refused(bank: Bank) -> None:
    with pytest.raises(
        UserError, match="no active client is in the segment mas; did you mean mass"
    ):
        run(bank, "--segment", "mas")


def test_who_is_active_is_counted_with_what_is_held_before_the_as_of_date(
    spark: SparkSession,
) -> None:
    as_of = date(2024, 3, 1)
    joined = {"joined_on": date(2020, 1, 1), "segment": "mass"}
    people = [
        {"customer_id": "holds"} | joined,
        {"customer_id": "nothing"} | joined,
        {"customer_id": "left", "left_on": date(2024, 2, 1)} | joined,
        {"customer_id": "not yet"} | joined | {"joined_on": as_of},
    ]
    held = [
        (who, product, opened, closed)
        for who in ("holds", "left", "not yet")
        for product, opened, closed in (
            ("savings_account", date(2023, 1, 1), None),
            ("current_account", date(2022, 1, 1), as_of),
            ("gold_card", date(2022, 1, 1), date(2024, 2, 29)),
            ("mortgage", as_of, None),
        )
    ]
    names = ("customer_id", "product_id", "opened_on", "closed_on")
    holdings = frame(spark, HOLDINGS, [dict(zip(names, row, strict=True)) for row in held])
    found = combinations.held_sets(frame(spark, CUSTOMERS, people), holdings, as_of).collect()
    assert {
        (row["segment"], tuple(row["open_products"] or ()), row["clients"]) for row in found
    } == {
        ("mass", ("current_account", "savings_account"), 1),
        ("mass", (), 1),
    }


def test_a_package_reaches_who_holds_the_core_alone_may_hold_the_other_and_agreed(
    bank: Bank, spark: SparkSession
) -> None:
    product = bank.config.products["pension_plan"].eligibility
    assert (product.max_age, str(product.min_monthly_income)) == (58, "900.00")
    held = ["mortgage"]
    fine = {"birth_date": date(1980, 1, 1), "income_amount_3m": 3_000.0, "balance_amount": 0.0}
    leave = [
        f"{purpose}/branch" for purpose in ("marketing_internal", "marketing_partner", "profiling")
    ]
    people = [
        (held, fine, leave),
        (held, fine, leave[:2]),
        (held, fine | {"income_amount_3m": 1_000.0}, leave),
        ([*held, "pension_plan"], fine, leave),
        ([], fine, leave),
    ]
    ddl = (
        "open_products array<string>, birth_date date, income_amount_3m double,"
        " balance_amount double, granted array<string>, refused array<string>"
    )
    rows = [(products, *facts.values(), granted, []) for products, facts, granted in people]
    lift = Estimate(2.0, 1.5, 2.5)
    parts = ("mortgage", "pension_plan")
    pair = Combination(parts, 400, 0.1, parts[:1], parts[1:], lift, lift, 0.1, 0.0, 0.0, True)
    asked, law = spark.createDataFrame(rows, ddl), bank.config.jurisdiction.in_force
    channels = ("branch", "phone")
    answered = asked.select("*", *answer_columns(channels, law))
    facts = answered.select("*", *leave_columns(channels, law))
    one = Proposal(*parts, pair, 1_000, 0.5, None)
    assert reach(facts, [one], bank.config, AS_OF) == [Reach(3, 2, 1)]


def test_features_have_to_be_there(bank: Bank, spark: SparkSession) -> None:
    with pytest.raises(UserError, match="has not been run for 2026-10-01"):
        options = parser().parse_args(
            ["combinations", "--as-of", "2026-10-01", "--home", str(bank.home.path)]
        )
        options.do(options)
