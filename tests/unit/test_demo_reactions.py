"""Branches of the demo bank work through lists: planted effects are exactly what is delivered."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from datetime import date

import duckdb
import numpy as np
import pytest

import demo.bank
from campaigns.returned_file import read_returned
from demo.months import first_of
from demo.portfolio import PLACE
from tests.demo_bank import digests
from tests.worked_demo import MONTHS, OFFERS, lists, query, worked

FIRST, SECOND, THIRD = date(2026, 4, 1), date(2026, 5, 1), date(2026, 6, 1)
MANY, FEW = 2_500, 300
TRUTH = "from reactions where not is_renewal and without is not null"


def everybody(customers, *, start=0, step=1):
    """Each client another product; the lists of a month."""
    return [(n, OFFERS[n % len(OFFERS)], False) for n in range(start, customers, step)]


def months_of_lists(customers):
    """Three months; in the second a travel insurance that ends may be renewed."""
    shifted = [(n, OFFERS[(n + 5) % len(OFFERS)], False) for n in range(customers)]
    ends = [(n, "travel_insurance", True) for n in range(customers)]
    return lists([(FIRST, everybody(customers)), (SECOND, ends), (THIRD, shifted)])


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    return worked(tmp_path_factory.mktemp("worked"), months_of_lists(MANY), MANY)


@pytest.fixture(scope="module")
def sql(bank):
    return query(bank)


@pytest.fixture(scope="module")
def left_alone(tmp_path_factory):
    """The same bank with lists of the same months that hold nobody."""
    nobody = lists([(FIRST, [])])
    return query(worked(tmp_path_factory.mktemp("alone"), nobody, MANY))


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    return worked(tmp_path_factory.mktemp("few"), months_of_lists(FEW), FEW)


def deliveries_until(folder, day):
    return {path: one for path, one in digests(folder / "landing").items() if path[:10] <= str(day)}


def test_what_was_delivered_before_the_first_list_comes_out_byte_for_byte_the_same(tmp_path, few):
    before = worked(tmp_path, None, FEW)
    same = deliveries_until(before, FIRST)
    assert same == deliveries_until(few, FIRST)
    assert len({path[:10] for path in same}) == MONTHS - 4
    other, now = digests(before / "landing"), digests(few / "landing")
    name = f"{first_of(FIRST, 1)}/contacts.parquet"
    assert other[name] != now[name]


def test_later_lists_change_nothing_that_was_delivered_before_them(tmp_path, few):
    months = months_of_lists(FEW)
    first = replace(months, lines=months.lines.take(months.lines.campaign < 2))
    first = replace(first, campaigns=months.campaigns[:2])
    one = worked(tmp_path, first, FEW, after=FIRST)
    assert deliveries_until(one, THIRD).items() <= deliveries_until(few, THIRD).items()
    assert digests(one / "landing").items() - digests(few / "landing").items()


@pytest.mark.slow
def test_any_number_of_processes_writes_the_same_bytes_and_only_what_is_wanted(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(demo.bank, "CHUNK_SIZE", 150)
    work = months_of_lists(FEW)
    work = replace(work, lines=replace(work.lines, branch=work.lines.who // 150))
    one = worked(tmp_path / "one", work, FEW, after=SECOND)
    two = worked(tmp_path / "two", work, FEW, after=SECOND, processes=2)
    assert digests(one) == digests(two)
    written = sorted(path.name for path in (one / "landing").iterdir())
    assert written == ["2026-06-01", "2026-07-01", "2026-08-01"]


def test_who_is_on_no_list_lives_on_as_if_there_were_none(tmp_path, left_alone):
    half = worked(tmp_path, lists([(FIRST, everybody(MANY, step=2))]), MANY)
    others = "from holdings where substr(customer_id, 2)::int % 2 = 1 order by holding_id"
    assert query(half)(others) == left_alone(others)


def test_what_clients_would_have_bought_is_what_they_buy_where_nobody_calls(sql, left_alone):
    """In the month of the first lists; afterwards clients are others than they would have been."""
    month = "date_trunc('month', planned_on) = date '2026-04-01'"
    would = sql(f"""select customer_id, product_id {TRUTH} and {month} and would_have_bought
                    and campaign = date '{FIRST}' order by all""")
    pairs = set(sql(f"select customer_id, product_id {TRUTH} and {month}"))
    alone = left_alone("""select customer_id, product_id from holdings
                          where date_trunc('month', opened_on) = date '2026-04-01' order by all""")
    assert len(would) > 10
    assert would == [pair for pair in alone if pair in pairs]


def test_what_the_truth_says_was_bought_is_what_was_delivered(sql):
    [(wrong,)] = sql("""
        select count(*) from reactions r left join holdings h
          on h.customer_id = r.customer_id and h.product_id = r.product_id
          and h.opened_on = r.bought_on
        where not is_renewal and (has_bought and h.holding_id is null
          or has_bought is distinct from (bought_on is not null)
          or has_bought and is_given_back <> coalesce(h.closed_on - h.opened_on <= 60, false))""")
    assert wrong == 0
    assert sql("select count(*) > 0 from reactions where is_given_back") == [(True,)]


def test_only_a_contact_changes_anything_and_it_does_as_often_as_planted(sql):
    same = "contacted_on is null and would_have_bought <> has_bought"
    assert sql(f"select count(*) {TRUTH} and {same}") == [(0,)]
    [(caused, planted, spread, lines)] = sql(f"""
        select sum(has_bought::int - would_have_bought::int), sum(with_contact - without),
          sum(abs(with_contact - without)), count(*)
        {TRUTH} and contacted_on is not null and not (is_claiming and would_have_bought)""")
    assert lines > 1_500
    assert planted > 30
    assert abs(caused - planted) < 4 * math.sqrt(spread)


def test_branches_reach_the_share_that_is_planted(sql):
    for reach, called, reached in sql("""
        select reach, count(*), count(contacted_on) from reactions r
        where not is_renewal and without is not null and not would_have_bought and not exists (
            from flags f where f.customer_id = r.customer_id and f.valid_from <= r.planned_on)
          and not exists (from consents c where c.customer_id = r.customer_id
            and c.purpose = 'marketing_internal' and c.channel = 'branch' and not c.is_granted)
          and exists (from customers c where c.customer_id = r.customer_id and left_on is null
            and deceased_on is null) group by 1"""):
        assert abs(reached - reach * called) < 4 * math.sqrt(called / 4)


def test_who_objects_or_complains_has_it_delivered(sql):
    [(objecting, complaining)] = sql(
        "select sum(has_objected::int), sum(has_complained::int) from reactions"
    )
    assert min(objecting, complaining) > 10
    assert sql("""
        select count(*) from reactions r where has_objected and not exists (
          from consents c where c.customer_id = r.customer_id and c.purpose = 'marketing_internal'
          and not is_granted and changed_at::date between contacted_on and contacted_on + 4)
        """) == [(0,)]
    assert sql("""
        select count(*) from reactions r where has_complained and not exists (
          from flags f where f.customer_id = r.customer_id and flag = 'complaint_open'
          and (valid_to is null or valid_to >= contacted_on))""") == [(0,)]


def test_the_more_contacts_the_more_objections_and_complaints(sql):
    [(first,), (later,)] = sql("""
        with r as (select *, count(contacted_on) over (
            partition by customer_id order by planned_on rows between unbounded preceding
            and 1 preceding) as before from reactions)
        select avg(has_objected::int + has_complained::int) from r
        where contacted_on is not null group by before > 0 order by before > 0""")
    assert later > 1.2 * first


def test_contacts_are_told_as_the_extract_tells_them(sql):
    mine = "from contacts where contact_id like 'L%'"
    assert sql(f"select contact_id {mine} group by 1 having count(*) > 1") == []
    assert sql(f"""select count(*) {mine} and (recorded_at::date < contacted_on
        or disposition_on < contacted_on or (disposition is null) <> (disposition_on is null))
        """) == [(0,)]
    assert sql(f"select min(contacted_on) >= '{FIRST}' {mine}") == [(True,)]
    known = {word for (word,) in sql(f"select distinct disposition {mine}")}
    assert known == {"sold", "interested", "contacted", "no_answer", "refused", "opt_out",
                     "unsuitable", None}  # fmt: skip


def test_own_campaigns_of_the_bank_end_with_the_first_list(sql):
    [(last,)] = sql("select max(contacted_on) from contacts where contact_id like 'K%'")
    assert date(2026, 3, 1) < last < FIRST


def test_a_contact_is_delivered_when_it_was_recorded(bank):
    for day in sorted(path.name for path in (bank / "landing").iterdir()):
        file = f"{bank}/landing/{day}/contacts.parquet"
        [(early, late)] = duckdb.sql(f"""
            select min(recorded_at::date), max(recorded_at::date) from '{file}'
            where contact_id like 'L%'""").fetchall()
        assert early is None or str(first_of(date.fromisoformat(day), -1)) <= str(early)
        assert late is None or str(late) < day


def test_careless_advisors_call_late_and_leave_results_out(sql):
    rows = dict(sql("select is_careless, avg(planned_on - campaign) from reactions group by 1"))
    assert rows[True] > rows[False] + 7
    without = sql("""select distinct is_careless from contacts c join reactions r
        on r.customer_id = c.customer_id and r.offer_id = c.offer_id
        and r.contacted_on = c.contacted_on where disposition is null""")
    assert without == [(True,)]


def test_who_has_bought_already_is_called_by_nobody_but_who_claims_the_sale(sql):
    late = sql(
        "select is_claiming, count(*) from reactions where bought_on < contacted_on group by 1"
    )
    assert [kind for kind, _ in late] == [True]


def test_claimed_sales_were_bought_before_the_contact(sql):
    claimed = sql("""select is_claiming, count(*) from contacts c join reactions r
        on r.customer_id = c.customer_id and r.product_id = c.product_id
        and r.contacted_on = c.contacted_on
        where disposition = 'sold' and bought_on < c.contacted_on group by 1""")
    assert [kind for kind, _ in claimed] == [True]


def test_renewals_come_as_the_truth_says_and_more_often_after_a_contact(sql):
    renewals = "from reactions where is_renewal and without is not null"
    [(lines, would, does)] = sql(f"""
        select count(contacted_on), sum(would_have_bought::int), sum(has_bought::int)
        {renewals} and contacted_on is not null""")
    assert lines > 20
    assert does > would
    assert sql(f"select distinct without, with_contact {renewals}") == [(0.5, 0.7)]


def test_a_package_brings_all_of_it_that_is_missing(tmp_path):
    plain = lists([(FIRST, [(n, "travel_insurance", False) for n in range(MANY)])])
    both = np.full(MANY, (1 << PLACE["travel_insurance"]) | (1 << PLACE["credit_card"]))
    package = replace(plain, lines=replace(plain.lines, products=both, added=np.full(MANY, 0.3)))
    sql = query(worked(tmp_path, package, MANY))
    [(sold, without_card)] = sql("""
        select count(*), count(*) filter (not exists (
            from holdings h where h.customer_id = r.customer_id and h.product_id = 'credit_card'
            and date_trunc('month', h.opened_on) <= r.bought_on
            and coalesce(h.closed_on, '2099-01-01') >= date_trunc('month', r.bought_on)))
        from reactions r where has_bought and not would_have_bought""")
    assert sold > 50
    assert without_card == 0
    assert sql("""
        select count(*) > 10 from reactions r join holdings h
          on h.customer_id = r.customer_id and h.opened_on = r.bought_on
        where h.product_id = 'credit_card' and has_bought and not would_have_bought""") == [(True,)]


def test_branches_return_files_that_can_be_taken(bank, sql):
    files = sorted((bank / "returned").glob("*/*.csv"))
    assert files
    told = {row for row in sql("select customer_id, offer_id, disposition_on from contacts")}
    for file in files:
        rows = read_returned(file.name, file.read_bytes()).rows
        assert all(
            (row.customer_id, row.offer_id, row.disposition_at.date()) in told for row in rows
        )


def test_of_erased_clients_nothing_is_written_and_the_others_stay_as_they_are(tmp_path, few):
    seen = query(few)
    rest = worked(tmp_path, months_of_lists(FEW), FEW, unseen=(7, 8))
    sql = query(rest)
    files = [path for path in rest.rglob("*") if path.is_file()]
    assert len(files) > 40
    for path in files:
        if path.suffix == ".parquet":
            text = duckdb.sql(f"from '{path}'").to_arrow_table().to_pylist().__repr__()
        else:
            text = path.read_text()
        assert re.findall("[A-EG-Z]000000[78]", text) == [], path
    for table in ("holdings", "contacts", "reactions"):
        others = f"from {table} where customer_id not in ('C0000007', 'C0000008') order by all"
        assert sql(others) == seen(others)
