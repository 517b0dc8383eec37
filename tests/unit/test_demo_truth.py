"""The planted truth of the synthetic bank: purchases follow it, rules bind it, chance splits it."""

from __future__ import annotations

import numpy as np
import pytest

from demo.campaigns import Chosen, treated_hazard, uplift
from demo.draws import Draws
from demo.hazards import PLANTED
from demo.months import history
from demo.people import settle
from tests.demo_bank import MONTHS, PRODUCTS, UNTIL, make, query

# Purchases of the history; on joining, customers may come by any door.
BOUGHT = """(select h.*, c.birth_date, date_trunc('month', h.opened_on) as as_of
             from holdings h join customers c using (customer_id)
             where h.opened_on >= '2025-11-01' and h.opened_on > c.joined_on)"""
HELD_THEN = "x.opened_on < b.as_of and (x.closed_on is null or x.closed_on >= b.as_of)"


@pytest.fixture(scope="module")
def sql(tmp_path_factory):
    folder, _ = make(tmp_path_factory.mktemp("truth"), customers=2_500, seed=3)
    return query(folder)


def test_every_product_is_bought(sql):
    assert {name for (name,) in sql(f"select distinct product_id from {BOUGHT}")} == set(PRODUCTS)


@pytest.mark.parametrize("product_id", PLANTED)
def test_only_those_buy_a_product_who_may_hold_it(sql, product_id):
    """Age, income, required and excluded products, recomputed from the deliveries."""
    rules = PRODUCTS[product_id].eligibility
    bought = f"{BOUGHT} b where b.product_id = '{product_id}'"
    holds = f"from holdings x where x.customer_id = b.customer_id and {HELD_THEN} and x.product_id"
    wrong = []
    if rules.min_age is not None:
        wrong.append(f"birth_date + interval {rules.min_age} year > as_of")
    if rules.max_age is not None:
        wrong.append(f"birth_date + interval {rules.max_age + 1} year <= as_of")
    if rules.requires_any:
        names = ", ".join(f"'{name}'" for name in rules.requires_any)
        wrong.append(f"not exists ({holds} in ({names}))")
    wrong += [f"exists ({holds} = '{name}')" for name in rules.excludes]
    assert sql(f"select count(*) > 0 from {bought}") == [(True,)]
    assert sql(f"select count(*) from {bought} and ({' or '.join(wrong)})") == [(0,)]


def test_nobody_buys_on_credit_without_the_regular_income_it_needs(sql):
    """Of three months; a few salaries are delivered without their category."""
    limits = {
        product_id: 3 * product.eligibility.min_monthly_income
        for product_id, product in PRODUCTS.items()
        if product.eligibility.min_monthly_income is not None
    }
    rows = ", ".join(f"('{product_id}', {limit})" for product_id, limit in limits.items())
    [(poor, buyers)] = sql(f"""
        with limits as (from (values {rows}) as t(product_id, needed)),
        buyers as (select holding_id, customer_id, needed, as_of
                   from {BOUGHT} join limits using (product_id) where as_of >= '2026-02-01'),
        earned as (
          select holding_id, sum(amount) as amount
          from buyers join accounts using (customer_id) join transactions using (account_id)
          where category in ('salary', 'pension', 'self_employment')
            and booked_on < as_of and booked_on >= as_of - interval 3 month group by 1)
        select count(*) filter (coalesce(amount, 0) < needed), count(*)
        from buyers left join earned using (holding_id)""")
    assert buyers > 200
    assert poor < 0.03 * buyers


def test_no_product_is_held_twice(sql):
    assert sql("""
        select count(*) from holdings a join holdings b using (customer_id, product_id)
        where a.holding_id < b.holding_id
          and (a.closed_on is null or a.closed_on > b.opened_on)""") == [(0,)]


def test_a_gold_card_replaces_the_credit_card_on_the_same_day(sql):
    assert sql("""
        select count(*) from holdings g where product_id = 'gold_card' and not exists (
          from holdings c where c.product_id = 'credit_card' and c.customer_id = g.customer_id
          and c.closed_on = g.opened_on)""") == [(0,)]


def test_truth_is_of_those_who_are_here_and_do_not_hold_the_product(sql):
    assert sql("""
        select count(*) from true_propensity p join holdings h using (customer_id, product_id)
        where h.opened_on < p.as_of and (h.closed_on is null or h.closed_on >= p.as_of)
        """) == [(0,)]
    assert sql("""
        select count(*) from true_propensity p join customers c using (customer_id)
        where c.joined_on >= p.as_of or c.left_on < p.as_of or c.deceased_on < p.as_of
        """) == [(0,)]
    [(months, lowest, highest)] = sql(
        "select count(distinct as_of), min(propensity), max(propensity) from true_propensity"
    )
    assert months == MONTHS + 1
    assert lowest == 0
    assert 0.01 < highest <= 0.35


@pytest.mark.parametrize("product_id", PLANTED)
def test_purchases_come_as_often_as_the_truth_says(sql, product_id):
    """Without campaigns, expected and observed purchases differ by chance only."""
    [(expected, variance, seen)] = sql(f"""
        select sum(propensity), sum(propensity * (1 - propensity)), count(h.holding_id)
        from true_propensity p
        anti join (select customer_id, product_id, month as as_of from true_campaigns)
          using (customer_id, product_id, as_of)
        left join holdings h on h.customer_id = p.customer_id and h.product_id = p.product_id
          and date_trunc('month', h.opened_on) = p.as_of
        where p.product_id = '{product_id}' and p.as_of < '{UNTIL}'""")
    # Two per cent: who dies or leaves in a month buys nothing in it.
    assert abs(seen - expected) < 4 * np.sqrt(variance) + 0.02 * expected


def test_the_likely_buy_more_than_the_unlikely(sql):
    [(best, rest)] = sql(f"""
        with ranked as (
          select p.*,
            ntile(10) over (partition by product_id, as_of order by propensity desc) as tenth
          from true_propensity p where propensity > 0 and as_of < '{UNTIL}')
        select avg((h.holding_id is not null)::int) filter (tenth = 1),
               avg((h.holding_id is not null)::int) filter (tenth > 5)
        from ranked p left join holdings h on h.customer_id = p.customer_id
          and h.product_id = p.product_id and date_trunc('month', h.opened_on) = p.as_of""")
    assert best > 4 * rest


def test_contacts_are_the_treated_of_the_randomised_campaigns(sql):
    treated = "select customer_id, product_id, month from true_campaigns where is_treated"
    contacted = (
        "select customer_id, product_id, date_trunc('month', contacted_on)::date from contacts"
    )
    assert sql(f"({treated}) except ({contacted})") == []
    assert sql(f"({contacted}) except ({treated})") == []
    [(share,)] = sql("select avg(is_treated::int) from true_campaigns")
    assert 0.75 < share < 0.85


def test_what_a_campaign_counts_as_bought_is_a_holding_opened_that_month(sql):
    assert sql("""
        select count(*) from true_campaigns t where has_bought <> exists (
          from holdings h where h.customer_id = t.customer_id and h.product_id = t.product_id
          and date_trunc('month', h.opened_on) = t.month)""") == [(0,)]


def test_the_treated_buy_as_often_as_propensity_and_uplift_together_say(sql):
    [(expected, variance, seen, without)] = sql("""
        with chance as (
          select has_bought, propensity, greatest(0, least(0.9, propensity + uplift)) as chance
          from true_campaigns join true_uplift using (customer_id, product_id)
          join true_propensity p using (customer_id, product_id)
          where p.as_of = month and is_treated)
        select sum(chance), sum(chance * (1 - chance)), sum(has_bought::int), sum(propensity)
        from chance""")
    assert abs(seen - expected) < 4 * np.sqrt(variance)
    assert expected > 1.2 * without


def test_a_contact_adds_the_uplift_to_the_hazard_of_the_treated_and_of_nobody_else():
    months = history(UNTIL, 1, 0)
    people = settle(Draws(1), np.arange(6), months)
    hazard = np.full(6, 0.02)
    chosen = Chosen(
        "credit_card",
        who=np.array([1, 3, 4]),
        is_treated=np.array([True, False, True]),
        contacted=np.full(3, months[0].first_day),
        channel=np.zeros(3, dtype=np.int64),
    )
    added = np.where(np.isin(np.arange(6), [1, 4]), uplift("credit_card", people), 0)
    assert np.abs(added).max() > 0.005
    moved = treated_hazard(chosen, people, hazard)
    assert moved.tolist() == pytest.approx(np.clip(hazard + added, 0, 1).tolist())


def test_uplift_helps_some_harms_some_and_leaves_some_cold(sql):
    shares = dict(
        sql("select sign(uplift), count(*) / sum(count(*)) over () from true_uplift group by 1")
    )
    assert shares[1] > 0.5
    assert shares[-1] > 0.1
    assert shares[0] > 0.05


def test_who_opts_out_withdraws_marketing_consent_that_day(sql):
    opted_out = "select customer_id, disposition_on from contacts where disposition = 'opt_out'"
    assert sql(f"select count(*) > 0 from ({opted_out})") == [(True,)]
    assert sql(f"""
        select count(*) from ({opted_out}) o where not exists (
          from consents c where c.customer_id = o.customer_id and not is_granted
          and purpose = 'marketing_partner' and c.changed_at::date = o.disposition_on)
        """) == [(0,)]


def test_contacts_need_consent_to_their_purpose_and_channel(sql):
    partner = ", ".join(
        f"'{name}'" for name, product in PRODUCTS.items() if product.kind == "partner"
    )
    assert sql(f"""
        with asked as (
          select contact_id, customer_id, channel, contacted_on, case when product_id in ({partner})
            then 'marketing_partner' else 'marketing_internal' end as purpose from contacts),
        known as (
          select contact_id, arg_max(is_granted, changed_at) as yes
          from asked join consents using (customer_id, purpose, channel)
          where changed_at < date_trunc('month', contacted_on) group by 1)
        select count(*) from asked left join known using (contact_id) where yes is not true
        """) == [(0,)]
