"""`xsell demo --react`: branches work through published lists; nothing ingested ever changes."""

from __future__ import annotations

import shutil
from datetime import date

import duckdb
import pytest

from jobs.cli import main
from jobs.demo.marker import Made, read_marker
from jobs.demo.react import react
from jobs.home import Home
from tables.derived import CAMPAIGN_LISTS
from tables.errors import UserError
from tables.identifiers import CUSTOMER
from tables.runs import Runs
from tables.store import Store
from tables.tombstones import Tombstones
from tests.demo_bank import digests
from tests.reacted_bank import (
    CAMPAIGNS,
    CUSTOMERS_MADE,
    MONTHS,
    SEED,
    UNTIL,
    delivered_demo,
    publish_campaign,
    reacted_bank,
    take_deliveries,
)


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    return reacted_bank(tmp_path_factory.mktemp("reacted"))


@pytest.fixture
def copy(bank, tmp_path):
    shutil.copytree(bank.home.path, tmp_path, dirs_exist_ok=True)
    return type(bank)(Home(tmp_path), bank.config)


def test_contacts_are_those_of_the_lists(bank):
    lists = []
    for record in Runs(bank.home.tables).committed():
        if record.step == "campaign":
            store = Store(bank.home.tables, None, record.pins)
            columns = ["customer_id", "offer_id", "branch_id", "advisor_id", "channel",
                       "campaign_id", "valid_from", "valid_to"]  # fmt: skip
            lists += store.arrow(CAMPAIGN_LISTS, record.as_of, columns).to_pylist()
    contacts = duckdb.sql(f"""
        from '{bank.home.landing}/*/contacts.parquet'
        where contact_id like 'L%'""").to_arrow_table().to_pylist()  # fmt: skip
    assert len(contacts) > 400
    for row in contacts:
        names = ("customer_id", "offer_id", "branch_id", "advisor_id", "channel", "campaign_id")
        assert any(
            line["valid_from"] <= row["contacted_on"] <= line["valid_to"]
            and all(row[name] == line[name] for name in names)
            for line in lists
        )
    assert bank.truth().num_rows == len(lists)


def test_who_was_kept_back_is_not_contacted(bank):
    decisions = f"{bank.home.tables}/decisions/**/*.parquet"
    [(control, contacted)] = duckdb.sql(f"""
        with kept as (select customer_id, as_of from '{decisions}' where outcome = 'control')
        select count(*), count(contact_id) from kept left join
        '{bank.home.landing}/*/contacts.parquet' c on c.customer_id = kept.customer_id
        and c.contacted_on >= as_of and c.contacted_on < as_of + interval 1 month
        and not exists (from '{decisions}' d where d.customer_id = kept.customer_id
            and d.as_of < kept.as_of and d.outcome = 'offered')""").fetchall()
    assert control > 300
    assert contacted == 0


def test_what_clients_would_have_bought_without_any_list_is_told(bank):
    sql = duckdb.connect()
    home = bank.home.path
    sql.execute(f"create view alone as from '{home}/truth/alone.parquet/*.parquet'")
    sql.execute(f"create view reactions as from '{home}/truth/reactions.parquet/*.parquet'")
    sql.execute(f"""create view bought as select customer_id, product_id, opened_on, closed_on
        from '{home}/landing/{UNTIL}/holdings.parquet' where opened_on >= '{CAMPAIGNS[0]}'""")
    others = "where customer_id not in (select customer_id from reactions)"
    rows = sql.execute(f"from alone {others} order by all").fetchall()
    assert len(rows) > 20
    assert rows == sql.execute(f"from bought {others} order by all").fetchall()
    [(more, caused)] = sql.execute("""
        select (select count(*) from bought) - (select count(*) from alone),
          (select sum(has_bought::int - would_have_bought::int) from reactions)""").fetchall()
    assert 0 < more <= caused + 5


def test_again_nothing_is_left_to_do(copy, capsys):
    before = digests(copy.home.landing)
    react(copy.home, copy.home.landing, copy.config.products)
    assert "were worked through before" in capsys.readouterr().err
    assert digests(copy.home.landing) == before


def test_the_same_demo_bank_is_still_known_as_such(copy, capsys):
    size = ["--customers", str(CUSTOMERS_MADE), "--months", str(MONTHS), "--seed", str(SEED)]
    said = main(["demo", "--home", str(copy.home.path), *size, "--until", str(UNTIL)])
    assert said == 0
    assert "already there" in capsys.readouterr().err
    made = read_marker(copy.home.landing)
    assert made is not None
    assert [as_of for as_of, _ in made.worked] == list(CAMPAIGNS)


def test_what_was_ingested_is_never_changed(copy, capsys):
    publish_campaign(copy, date(2026, 6, 1), set())
    before = digests(copy.home.path)
    assert main(["demo", "--react", "--home", str(copy.home.path)]) == 1
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "deliveries up to 2026-08-01 have been ingested without what came of" in told
    after = digests(copy.home.path)
    assert {name: after[name] for name in before} == before


def test_a_home_without_lists_or_without_a_demo_bank_is_told_so(tmp_path):
    home = Home(tmp_path)
    home.create()
    with pytest.raises(UserError, match="holds no demo bank"):
        react(home, home.landing, {})
    (home.landing / ".demo").write_text(Made(10, 10, 1, UNTIL).line())
    with pytest.raises(UserError, match="no list is out that deliveries follow"):
        react(home, home.landing, {})


@pytest.fixture(scope="module")
def listed(tmp_path_factory):
    """With the lists of one campaign."""
    one = delivered_demo(tmp_path_factory.mktemp("listed"))
    take_deliveries(one, CAMPAIGNS[0])
    publish_campaign(one, CAMPAIGNS[0], set())
    return one


def test_a_bank_that_would_come_out_otherwise_is_refused(listed):
    """Here its products were configured in another way."""
    fewer = {name: listed.config.products[name] for name in list(listed.config.products)[:-1]}
    before = digests(listed.home.path)
    with pytest.raises(UserError, match="would come out otherwise"):
        react(listed.home, listed.home.landing, fewer)
    assert digests(listed.home.path) == before


def test_erased_clients_do_not_come_back(listed, monkeypatch):
    gone = Tombstones(b"key").of(CUSTOMER, ["C0000007"])
    erased = Tombstones(b"key", frozenset(gone))
    monkeypatch.setattr("jobs.demo.react.remembered", lambda _: erased)
    react(listed.home, listed.home.landing, listed.config.products, with_alone=False)
    for name in ("landing/2026-04-01/customers", "landing/2026-08-01/holdings",
                 "truth/propensity.parquet/*", "truth/uplift.parquet/*"):  # fmt: skip
        file = f"'{listed.home.path}/{name}.parquet'"
        [(his, all_rows)] = duckdb.sql(f"""
            select count(*) filter (customer_id = 'C0000007'), count(*) from {file}""").fetchall()
        assert his == 0
        assert all_rows > 1_000
