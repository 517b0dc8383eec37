"""The whole month on a small bank: what a user gets, and what a second run does."""

from __future__ import annotations

import json
from collections import Counter

import pyarrow.parquet as pq

from features.catalogue import customer_features_table
from jobs.publishing import Context
from jobs.run_month import run_steps
from jobs.runs.exports import lists_folder
from jobs.runs.summary import summary_lines
from jobs.steps import MONTH
from tables.derived import (
    CAMPAIGN_LISTS,
    DECISIONS,
    DELIVERIES,
    OFFER_LOG,
    PROPENSITY_SCORES,
    VAULT,
)
from tables.files import sha256_of
from tables.store import Store
from tests.month import AS_OF


def committed(bank, spark):
    record = bank.context(spark).runs.current("campaign", AS_OF)
    return record, Store(bank.home.tables, spark, record.pins)


def test_every_delivered_row_is_accounted_for(bank, spark):
    record = bank.context(spark).runs.current("ingest", AS_OF)
    rows = Store(bank.home.tables, spark, record.pins).records(DELIVERIES).collect()
    manifests = {
        (folder.name, name.split("/")[0].split(".")[0]): entry["rows"]
        for folder in bank.home.landing.iterdir()
        if folder.is_dir()
        for name, entry in json.loads((folder / "manifest.json").read_text())["files"].items()
    }
    assert {(str(r["delivery"]), r["table_name"]): r["rows_in"] for r in rows} == manifests
    assert all(r["rows_in"] == r["rows_accepted"] + r["rows_quarantined"] for r in rows)


def test_every_active_customer_has_a_propensity_for_every_product(bank, spark):
    _, store = committed(bank, spark)
    features = customer_features_table(tuple(bank.config.products))
    customers = set(store.arrow(features, AS_OF, ["customer_id"])["customer_id"].to_pylist())
    scores = store.arrow(PROPENSITY_SCORES, AS_OF)
    pairs = Counter(
        zip(scores["customer_id"].to_pylist(), scores["product_id"].to_pylist(), strict=True)
    )
    assert pairs == Counter((c, p) for c in customers for p in bank.config.products)


def test_every_customer_and_offer_has_one_decision_and_one_line_in_the_log(bank, spark):
    record, store = committed(bank, spark)
    decisions = store.arrow(DECISIONS, AS_OF)
    log = store.arrow(OFFER_LOG, AS_OF)
    assert (
        decisions.num_rows
        == log.num_rows
        == sum(
            record.counts[outcome]
            for outcome in (
                "offered",
                "control",
                "outranked",
                "over_capacity",
                "suppressed",
                "ineligible",
            )
        )
    )
    lines = [json.loads(line) for line in log["line"].to_pylist()]
    vault = store.arrow_records(VAULT).to_pylist()
    named = {row["client"]: row["customer_id"] for row in vault}
    told = {(named[line["client"]], line["offer_id"]): line["outcome"] for line in lines}
    made = zip(
        decisions["customer_id"].to_pylist(),
        decisions["offer_id"].to_pylist(),
        decisions["outcome"].to_pylist(),
        strict=True,
    )
    assert told == {(customer, offer): outcome for customer, offer, outcome in made}


def test_lists_hold_what_was_offered_and_nothing_else(bank, spark):
    record, store = committed(bank, spark)
    decisions = store.arrow(DECISIONS, AS_OF).to_pylist()
    offered = {(d["customer_id"], d["offer_id"]) for d in decisions if d["outcome"] == "offered"}
    listed = store.arrow(CAMPAIGN_LISTS, AS_OF)
    assert offered, "a month without any offer shows nothing"
    assert (
        set(zip(listed["customer_id"].to_pylist(), listed["offer_id"].to_pylist(), strict=True))
        == offered
    )
    files = list(lists_folder(bank.home, record).rglob("*.parquet"))
    assert sum(pq.read_metadata(file).num_rows for file in files) >= len(offered)


def test_list_files_are_those_whose_hashes_the_run_pinned(bank, spark):
    record, _ = committed(bank, spark)
    folder = lists_folder(bank.home, record)
    found = {
        p.relative_to(folder).as_posix(): sha256_of(p) for p in folder.rglob("*") if p.is_file()
    }
    assert found == record.outputs["lists"]
    assert any(name.endswith(".xlsx") for name in found)


def test_a_second_run_finds_nothing_to_do(bank, spark):
    context: Context = bank.context(spark)
    before = context.runs.committed()
    results = run_steps(context, MONTH)
    assert all(result.was_there_already for result in results)
    assert context.runs.committed() == before
    assert summary_lines(context, results)[0] == f"Nothing to do: {AS_OF} is complete."


def test_lists_that_were_lost_are_made_again_with_the_same_bytes(bank, spark):
    record, _ = committed(bank, spark)
    folder = lists_folder(bank.home, record)
    victim = next(folder.rglob("*.xlsx"))
    digest = sha256_of(victim)
    victim.write_bytes(b"torn")
    run_steps(bank.context(spark), MONTH)
    assert sha256_of(victim) == digest
