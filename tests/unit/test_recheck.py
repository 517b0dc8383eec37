"""Consent checked once more: what takes a row off a list that was made before."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from campaigns.consent import (
    answer_columns,
    consented_channel,
    granted_consents,
    leave_columns,
)
from campaigns.list_files import MANIFEST, RECALLED_FILE, Part, write_part
from campaigns.recheck import RECALLED, Known, care_recalled, offers_recalled, without
from conf.load import load_config
from tables.files import sha256_of
from tables.sources import CONSENTS
from tests.campaign_bank import CHANNELS, frame, make_bank
from tests.unit.test_campaigns_lists import CONFIG, cared, csv_rows, decision, listed

DAY = date(2024, 3, 20)
LONG_AGO = datetime(2024, 1, 1, tzinfo=UTC)
LATELY = datetime(2024, 3, 15, 9, tzinfo=UTC)
US = load_config("local", ["jurisdiction.profile=us_opt_out"])
CLIENT = {"left_on": None, "deceased_on": None, "recorded_at": LONG_AGO}


def consent(purpose: str, is_granted: bool = True, at: datetime = LONG_AGO) -> dict[str, Any]:
    return {
        "purpose": purpose, "channel": "phone", "changed_at": at, "is_granted": is_granted,
        "recorded_at": at,
    }  # fmt: skip


OPTED_OUT = [("contact.cool_off", "opt_out", LATELY.date())]
IN_CARE = [("care.treatment_flag", "offers, for care", LATELY.date())]
IN_PEACE = [("care.no_contact_flag", "all contact", LATELY.date())]
AGREED = (consent("marketing_partner"), consent("profiling"))


def flag(name: str, **changes: Any) -> dict[str, Any]:
    return {
        "flag": name, "valid_from": date(2024, 3, 10), "valid_to": None, "recorded_at": LATELY,
    } | changes  # fmt: skip


def opt_out(on: date) -> dict[str, Any]:
    return {"contacted_on": on, "disposition_on": None, "recorded_at": LATELY}


def found(known: Known, config: Any = CONFIG) -> list[tuple[str, str, date | None]]:
    rows = offers_recalled(listed(decision("C1", 1)), {"C1": known}, config, DAY).to_pylist()
    return [(row["rule"], row["withdrawn"], row["known_on"]) for row in rows]


def known(**changes: Any) -> Known:
    return Known(**({"customer": CLIENT, "consents": AGREED} | changes))


@pytest.mark.parametrize(
    ("client", "told"),
    [
        (known(), []),
        (
            known(consents=(*AGREED, consent("marketing_partner", False, LATELY))),
            [("consent.marketing", "marketing_partner/phone", LATELY.date())],
        ),
        (
            known(consents=(*AGREED, consent("profiling", False, LATELY))),
            [("consent.profiling", "profiling/phone", LATELY.date())],
        ),
        (known(consents=AGREED[:1]), [("consent.profiling", "profiling/phone", None)]),
        # granted anew, but only from the day on
        (
            known(consents=(*AGREED, consent("profiling", at=datetime(2024, 3, 20, tzinfo=UTC)))),
            [("consent.profiling", "profiling/phone", DAY)],
        ),
        (known(opt_outs=[opt_out(date(2024, 3, 14))]), OPTED_OUT),
        (known(opt_outs=[opt_out(DAY - timedelta(3650))]), []),
        (known(opt_outs=[opt_out(DAY - timedelta(3649))]), OPTED_OUT),
        (
            known(customer=CLIENT | {"deceased_on": date(2024, 3, 14), "recorded_at": LATELY}),
            [("eligibility.active", "the client's relationship", LATELY.date())],
        ),
        (
            known(customer=CLIENT | {"left_on": DAY - timedelta(1), "recorded_at": LATELY}),
            [("eligibility.active", "the client's relationship", LATELY.date())],
        ),
        (known(customer=CLIENT | {"left_on": DAY}), []),
        (known(customer=None), [("eligibility.active", "the client's relationship", DAY)]),
        (known(flags=[flag("vulnerable")]), IN_CARE),
        (known(flags=[flag("fraud_watch")]), IN_PEACE),
        (known(flags=[flag("vulnerable", valid_to=DAY)]), []),
        (known(flags=[flag("vulnerable", valid_from=DAY + timedelta(1))]), []),
    ],
)  # fmt: skip
def test_what_is_withdrawn_is_told_with_its_rule_and_the_day(client: Known, told: Any) -> None:
    assert found(client) == told


def test_every_reason_is_told_and_a_flag_is_not_named() -> None:
    client = known(consents=(), flags=[flag("bereavement")], opt_outs=[opt_out(DAY)])
    told = found(client)
    assert {rule for rule, _, _ in told} == {
        "care.treatment_flag", "consent.marketing", "consent.profiling", "contact.cool_off",
    }  # fmt: skip
    assert "bereavement" not in str(told)


def test_where_the_law_asks_for_no_consent_only_an_objection_counts() -> None:
    card = {"offer_id": "credit_card_2026", "product_id": "credit_card"}
    lists = listed(*(decision(name, place, **card) for place, name in enumerate(("C1", "C2"), 1)))
    clients = {
        "C1": known(consents=()),
        "C2": known(consents=[consent("profiling", False, LATELY)]),
    }
    [told] = offers_recalled(lists, clients, US, DAY).to_pylist()
    assert (told["customer_id"], told["rule"]) == ("C2", "consent.profiling")
    assert offers_recalled(lists, clients, CONFIG, DAY).num_rows == 4


def test_help_needs_no_consent_but_a_client_who_may_be_contacted() -> None:
    clients = {
        "C1": Known(CLIENT),
        "C2": Known(CLIENT | {"deceased_on": DAY, "recorded_at": LATELY}),
        "C3": Known(CLIENT, flags=[flag("fraud_watch")]),
        "C4": Known(CLIENT, flags=[flag("vulnerable")], opt_outs=[opt_out(DAY)]),
    }
    recalled = care_recalled(cared(*clients), clients, CONFIG, DAY)
    assert recalled["customer_id"].to_pylist() == ["C2", "C3"]
    assert without(cared(*clients), recalled)["customer_id"].to_pylist() == ["C1", "C4"]


@pytest.mark.parametrize("config", [CONFIG, US], ids=["consent", "no objection"])
def test_the_answer_is_the_one_at_scoring(spark, config) -> None:
    """On a drawn bank: who may use the channel by the gates keeps the row."""
    day, product = date(2024, 3, 1), config.products["travel_insurance"]
    bank = make_bank(3, 200, config)
    law = config.jurisdiction.in_force
    facts = granted_consents(frame(spark, CONSENTS, bank.consents), day)
    everybody = frame(spark, CONSENTS, bank.consents).select("customer_id").distinct()
    told = facts.select("*", *answer_columns(CHANNELS, law))
    asked = everybody.join(told, "customer_id", how="left")
    rows = asked.select("customer_id", *leave_columns(CHANNELS, law)).select(
        "customer_id", *(consented_channel([name], product).alias(name) for name in CHANNELS)
    )
    may_use = {row["customer_id"]: row.asDict() for row in rows.collect()}
    clients = {
        name: Known(CLIENT, [one for one in bank.consents if one["customer_id"] == name])
        for name in may_use
    }
    for channel in CHANNELS:
        lists = listed(*(decision(name, 1, channel=channel) for name in may_use))
        recalled = offers_recalled(lists, clients, config, day)
        kept = {name for name, channels in may_use.items() if channels[channel] is not None}
        assert set(without(lists, recalled)["customer_id"].to_pylist()) == kept
        assert 0 < len(kept) < len(may_use)


def recalled_rows(*rows: tuple[str, str | None]) -> pa.Table:
    whole = [
        {
            "branch_id": "B1", "customer_id": customer, "offer_id": offer,
            "withdrawn": "=opt_out", "known_on": DAY, "rule": "contact.cool_off",
        }
        for customer, offer in rows
    ]  # fmt: skip
    return pa.Table.from_pylist(whole, schema=RECALLED)


def test_what_is_recalled_is_in_no_file_but_the_one_that_says_so(tmp_path) -> None:
    offer = "travel_insurance_2026"
    part = Part(
        listed(decision("C1", 1), decision("C2", 2), decision("C3", 1, branch_id="B2")),
        cared("C7", "C8"),
        recalled_rows(("C2", offer), ("C8", None)),
        DAY,
    )
    write_part(tmp_path, part, CONFIG, date(2024, 3, 1))

    assert pq.read_table(tmp_path / "campaign.parquet")["customer_id"].to_pylist() == ["C1", "C3"]
    [kept] = csv_rows(tmp_path / "branches/branch_B1.csv")
    assert (kept["customer_id"], kept["rank_in_branch"]) == ("C1", "1")
    assert [row["customer_id"] for row in csv_rows(tmp_path / "care/branch_B1.csv")] == ["C7"]
    told = csv_rows(tmp_path / RECALLED_FILE)
    assert [(row["customer_id"], row["offer_id"]) for row in told] == [("C2", offer), ("C8", "")]
    assert told[0]["withdrawn"] == "'=opt_out", "no formula in what a spreadsheet opens"
    manifest = json.loads((tmp_path / MANIFEST).read_text())
    assert manifest["recalled"] == {
        "committed_rows": 5,
        "left_out": 2,
        "by_rule": {"contact.cool_off": 2},
        "known_before": "2024-03-20",
    }
    files = {path for path in tmp_path.rglob("*") if path.is_file()} - {tmp_path / MANIFEST}
    assert {path.relative_to(tmp_path).as_posix() for path in files} == set(manifest["files"])
    for path in files:
        entry = manifest["files"][path.relative_to(tmp_path).as_posix()]
        assert entry["sha256"] == sha256_of(path)


def test_a_branch_all_of_whose_rows_are_recalled_gets_only_that(tmp_path) -> None:
    rows = listed(decision("C1", 1))
    recalled = recalled_rows(("C1", "travel_insurance_2026"))
    write_part(tmp_path, Part(rows, cared(), recalled, DAY, "B1"), CONFIG, date(2024, 3, 1))
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} == {
        MANIFEST, RECALLED_FILE,
    }  # fmt: skip
