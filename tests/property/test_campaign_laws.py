"""Laws of every campaign, checked on random banks against the oracle and raw rows."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import HealthCheck, Phase, given, settings, strategies as st
from pyspark.sql import DataFrame, Row as SparkRow, SparkSession

from campaigns.candidates import candidates
from campaigns.choice import choose, competing, outcomes
from campaigns.competition import Terms
from campaigns.decisions import decisions
from campaigns.sources import CampaignSources
from conf.load import load_config
from conf.schema import RunConfig
from tests.campaign_bank import AS_OF, CHANNELS, KNOWN, PURPOSES, Bank, make_bank
from tests.offer_logs import log_of, vault_of
from tests.property.campaign_oracle import RATES, Oracle, Pair, Verdict

CUSTOMERS = 60
MANY = 600  # what a query costs is its plan: clients are cheap
RUN_ID = "0" * 64
KEY = bytes(32)
# An example costs seconds, and a seed does not get simpler by being smaller: no shrinking.
LAWS = settings(
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
WriteDown = Callable[[DataFrame], DataFrame]
Failed = dict[Pair, set[str]]
SEEDS = st.integers(0, 10**9)
CONSENT = {"consent.no_consent", "consent.no_profiling_consent"}
OF_CHANNELS = {"consent.no_profiling_consent", "contact_policy.channel_cap"}


def config_with(*others: str, **campaign: Any) -> RunConfig:
    """Profits fail seldom enough for the other rules to show."""
    given_values = {"min_expected_profit": "-2.00", "control_share": 0.2, "salt": "test"}
    # So little that levers run out.
    given_caps = ["contact_policy.max_contacts_30d_by_channel={phone: 3, branch: 3}"]
    given_levers = ["levers.first_year_fee.budget=20.00", "levers.market_evening.seats=1"]
    overrides = (
        given_caps
        + given_levers
        + [f"campaign.{name}={value}" for name, value in (given_values | campaign).items()]
    )
    return load_config("local", [*overrides, *others])


CONFIGS = st.builds(
    config_with,
    max_offers_per_customer=st.integers(1, 3),
    max_offers_per_household=st.integers(1, 3),
    branch_capacity=st.integers(0, 6),
    global_holdout_share=st.sampled_from([0.0, 0.1]),
)


@pytest.fixture(scope="module")
def write_down(
    spark: SparkSession, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[DataFrame], DataFrame]:
    """What is read more than once is computed once, as the job does."""

    def written(rows: DataFrame) -> DataFrame:
        path = str(tmp_path_factory.mktemp("rows") / "rows")
        rows.write.parquet(path)
        return spark.read.parquet(path)

    return written


def decide(sources: CampaignSources, config: RunConfig, write_down: WriteDown) -> DataFrame:
    rows = write_down(candidates(sources, config, AS_OF, RATES))
    options = competing(rows, sources.customers).toArrow()
    choice = choose(options, Terms.of(config))
    places = rows.sparkSession.createDataFrame(choice.places)
    return decisions(outcomes(rows, places), config.campaign, AS_OF, RUN_ID)


@settings(LAWS, max_examples=4)
@given(seed=SEEDS, config=CONFIGS)
def test_every_decision_is_the_oracles_and_no_list_breaks_a_rule(
    spark: SparkSession, write_down: WriteDown, seed: int, config: RunConfig
) -> None:
    assert_decisions_are_the_oracles(spark, write_down, seed, config)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@settings(LAWS, max_examples=16)
@given(seed=SEEDS, config=CONFIGS)
def test_on_more_banks_every_decision_is_the_oracles(
    spark: SparkSession, write_down: WriteDown, seed: int, config: RunConfig
) -> None:
    assert_decisions_are_the_oracles(spark, write_down, seed, config)


def assert_decisions_are_the_oracles(
    spark: SparkSession, write_down: WriteDown, seed: int, config: RunConfig
) -> None:
    bank = make_bank(seed, CUSTOMERS, config)
    oracle = Oracle(bank, config, AS_OF)
    verdicts = oracle.decide()

    rows = decide(bank.sources(spark), config, write_down).collect()

    assert len(rows) == len(verdicts) == CUSTOMERS * len(config.offers)
    for row in rows:
        verdict = verdicts[row.customer_id, row.offer_id]
        assert row.failed_gates == verdict.failed, row
        if row.failed_gates or row.outcome not in ("offered", "control"):
            assert row.outcome == verdict.outcome, row
        assert (row.move, row.care_treatment) == (verdict.move, verdict.care), row
        [way] = [one for one in verdict.ways if one.lever == row.lever_code]
        assert (row.channel, row.expected_profit) == (way.channel, way.profit), row
        if row.outcome not in ("offered", "control"):
            assert row.expected_profit == verdict.profit, row
        assert row.contacts_left_30d == oracle.contacts_left(row.customer_id), row
    offered = [row for row in rows if row.outcome == "offered"]
    assert_lists_keep_the_rules(offered, oracle)
    best = oracle.highest_profit(verdicts)
    assert sum(row.expected_profit for row in offered) == best
    assert_control_would_have_been_offered(rows, oracle, verdicts)


def assert_control_would_have_been_offered(
    rows: list[SparkRow], oracle: Oracle, verdicts: dict[Pair, Verdict]
) -> None:
    """To contact a control customer too would pay; to contact another withheld one would not."""
    best = oracle.highest_profit(verdicts)
    outcomes_of: dict[str, set[str]] = {}
    for row in rows:
        if oracle.is_withheld(row.customer_id) and not row.failed_gates:
            outcomes_of.setdefault(row.customer_id, set()).add(row.outcome)
    for customer_id, found in outcomes_of.items():
        gains = oracle.highest_profit(verdicts, more=customer_id) > best
        assert gains == ("control" in found), customer_id
        assert "offered" not in found


def assert_lists_keep_the_rules(offered: list[SparkRow], oracle: Oracle) -> None:
    """P8, from raw rows: the numbers of the choice are checked too, not only its gates."""
    config, campaign = oracle.config, oracle.config.campaign
    for row in offered:
        kinds = {config.products[name].kind for name in config.offers[row.offer_id].products}
        purposes = sorted(f"marketing_{kind}" for kind in kinds)
        for purpose in (*purposes, "profiling"):
            assert (row.customer_id, purpose, row.channel) in oracle.granted
        assert row.consent_basis == ", ".join(f"{name}/{row.channel}" for name in purposes)
        assert not oracle.is_in_holdout(row.customer_id)
        assert not oracle.is_in_control(row.customer_id)
        assert not oracle.people[row.customer_id]["is_employee"]
    policy = config.contact_policy
    for customer_id, count in Counter(row.customer_id for row in offered).items():
        assert count <= campaign.max_offers_per_customer
        before = len(oracle._recent(customer_id, 30))
        assert before + count <= policy.max_contacts_30d
    homes = Counter(min(oracle._household(oracle.people[row.customer_id])) for row in offered)
    for home, count in homes.items():
        assert count <= campaign.max_offers_per_household
        before = oracle._household_contacts(oracle.people[home])
        assert before + count <= policy.max_household_contacts_30d
    seats = Counter(row.lever_code for row in offered)
    assert seats["market_evening"] <= (config.levers["market_evening"].seats or 0)
    spent = [row.acceptance for row in offered if row.lever_code == "first_year_fee"]
    assert 30 * sum(spent) <= (config.levers["first_year_fee"].budget or 0)
    by_branch: dict[str, list[int]] = {}
    for row in offered:
        by_branch.setdefault(row.branch_id, []).append(row.rank_in_branch)
    for ranks in by_branch.values():
        assert sorted(ranks) == list(range(1, len(ranks) + 1))
        assert len(ranks) <= campaign.branch_capacity


@pytest.fixture(scope="module")
def strict() -> RunConfig:
    return config_with()


@pytest.fixture(scope="module")
def many(strict: RunConfig) -> Bank:
    return make_bank(1, MANY, strict)


@pytest.fixture(scope="module")
def stopped(spark: SparkSession, many: Bank, strict: RunConfig) -> Failed:
    """Which gates stop whom, before anything is loosened."""
    return failed_gates(spark, many, strict)


def failed_gates(spark: SparkSession, bank: Bank, config: RunConfig) -> Failed:
    rows = candidates(bank.sources(spark), config, AS_OF).collect()
    return {(row.customer_id, row.offer_id): set(row.failed_gates) for row in rows}


def test_more_consent_never_shrinks_what_a_customer_may_be_offered(
    spark: SparkSession, many: Bank, strict: RunConfig, stopped: Failed
) -> None:
    chance = random.Random(1)
    more = [
        {
            "customer_id": person["customer_id"],
            "purpose": chance.choice(PURPOSES),
            "channel": chance.choice(CHANNELS),
            "changed_at": datetime(2024, 1, 15, tzinfo=UTC),
            "is_granted": True,
            "recorded_at": KNOWN,
        }
        for person in many.customers
        for _ in range(3)
    ]

    after = failed_gates(spark, replace(many, consents=many.consents + more), strict)

    assert passing(stopped) < passing(after)


def passing(failed: Failed) -> set[Pair]:
    return {pair for pair, codes in failed.items() if not codes}


def test_a_less_strict_jurisdiction_stops_fewer(
    spark: SparkSession, many: Bank, stopped: Failed
) -> None:
    """Another profile, one word: clients who never answered may be contacted, credit has no highest
    age, and nothing else changes."""
    after = failed_gates(spark, many, config_with("jurisdiction.profile=us_opt_out"))

    for pair, codes in stopped.items():
        # whom no channel is open to is told the first reason only: behind it comes the next
        has_passed = CONSENT & (codes - after[pair])
        assert after[pair] - codes <= (OF_CHANNELS if has_passed else set())
    assert {code for pair in stopped for code in stopped[pair] - after[pair]} == {
        *CONSENT,
        "eligibility.too_old",
    }
    assert passing(stopped) < passing(after)


def test_row_order_and_partitions_change_no_byte_of_the_log(
    spark: SparkSession, write_down: WriteDown
) -> None:
    config = config_with(branch_capacity=5)
    bank = make_bank(2, CUSTOMERS, config)
    shuffled = Bank(**{name: list(rows) for name, rows in bank.__dict__.items()})
    for rows in shuffled.__dict__.values():
        random.Random(3).shuffle(rows)
    spread = {name: rows.repartition(5) for name, rows in shuffled.sources(spark).__dict__.items()}

    one = lines_of(bank.sources(spark), config, write_down)
    other = lines_of(CampaignSources(**spread), config, write_down)

    assert one.equals(other)
    assert one["position"].to_pylist() == list(range(CUSTOMERS * len(config.offers)))


def lines_of(sources: CampaignSources, config: RunConfig, write_down: WriteDown) -> pa.Table:
    decided = write_down(decide(sources, config, write_down)).toArrow()
    return log_of(decided, vault_of(pc.unique(decided["customer_id"]), KEY))
