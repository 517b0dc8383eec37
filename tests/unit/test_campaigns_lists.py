"""Reasons, list rows, and the files that a branch gets."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import string
import unicodedata
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, strategies as st
from pyspark.sql import SparkSession

from campaigns.campaign_list import campaign_list, offers_made
from campaigns.credit import credit
from campaigns.csv_file import guarded
from campaigns.endings import NO_AMOUNTS, Amounts
from campaigns.headings import HEADINGS
from campaigns.list_files import CARE_COLUMNS, file_name, write_lists
from campaigns.list_query import ListQuery
from campaigns.offer_log import entries
from campaigns.reasons import WEIGHED, reasons_of_offers
from conf.errors import ConfigError
from conf.load import load_config
from conf.schema import RunConfig
from features.typical import Typical
from jobs.lists.command import list_lines
from jobs.plan_campaign import check_roles
from tables.arrow import arrow_schema
from tables.derived import CAMPAIGN_LISTS, CARE_LISTS, DECISIONS, VAULT
from tables.sources import CUSTOMERS
from tests.campaign_bank import frame

AS_OF = date(2024, 3, 1)
CONFIG = load_config("local")
ITALIAN = load_config("local", ["bank.language=it"])
RUN_ID = "ab" * 32


def decision(customer: str, rank: int, **changes: Any) -> dict[str, Any]:
    values = {
        "as_of": AS_OF,
        "run_id": RUN_ID,
        "campaign_id": "monthly",
        "customer_id": customer,
        "offer_id": "travel_insurance_2026",
        "product_id": "travel_insurance",
        "branch_id": "B1",
        "move": "cross_sell_partner",
        "channel": "phone",
        "outcome": "offered",
        "failed_gates": [],
        "propensity": 0.4321,
        "margin": Decimal("28.00"),
        "contact_cost": Decimal("4.00"),
        "expected_profit": Decimal("8.10"),
        "rank_in_customer": 1,
        "rank_in_branch": rank,
        "is_in_global_holdout": False,
        "is_in_control_group": False,
        "contacts_left_30d": 2,
        "consent_basis": "marketing_partner/phone",
        "consent_checked_at": datetime(2024, 3, 1, tzinfo=UTC),
        "model_name": "propensity_travel_insurance",
        "model_version": 1,
        "is_exploration": False,
    }
    return {**values, **changes}


def listed(
    *decisions: dict[str, Any],
    reason: str = "Spent 900 EUR on travel",
    config: RunConfig = CONFIG,
    amounts: Amounts = NO_AMOUNTS,
) -> pa.Table:
    made = pa.Table.from_pylist(list(decisions), schema=arrow_schema(DECISIONS))
    advised = made.append_column("advisor_id", pa.array(["A1"] * made.num_rows, pa.string()))
    advised = with_names(advised)
    pairs = [(row["customer_id"], row["product_id"]) for row in decisions]
    told = {pair: [reason, "Also this"] for pair in pairs}
    return campaign_list(advised, told, config, amounts)


def with_names(made: pa.Table) -> pa.Table:
    """What the vault tells of each client."""
    names = pa.array([f"client of {one}" for one in made["customer_id"].to_pylist()], pa.string())
    secrets = pa.array(["0a"] * made.num_rows, pa.string())
    return made.append_column("client", names).append_column("secret", secrets)


def cared(*customers: str) -> pa.Table:
    rows = [
        {
            "run_id": RUN_ID,
            "as_of": AS_OF,
            "branch_id": "B1",
            "customer_id": customer,
            "care_treatment": "personal_advice",
            "why": "Needs time",
            "what_to_do": "Take time",
            "may_contact": False,
            "contact": "The contact person",
            "valid_from": AS_OF,
            "valid_until": date(2024, 4, 7),
        }
        for customer in customers
    ]
    return pa.Table.from_pylist(rows, schema=arrow_schema(CARE_LISTS))


def reasons(
    moved: dict[str, tuple[float, object]],
    product: str = "gold_card",
    config: RunConfig = CONFIG,
    **values: object,
) -> list[str]:
    """What is told about customer C1: by feature its contribution and value, then other values."""
    rows = [
        {"customer_id": "C1", "product_id": product, "feature": name, "contribution": weight,
         "over_ordinary": 1.0, "over_usual": 1.0}
        for name, (weight, _) in moved.items()
    ]  # fmt: skip
    known = {name: value for name, (_, value) in moved.items()}
    weighed = pa.Table.from_pylist(rows, schema=WEIGHED)
    features = pa.Table.from_pylist([{"customer_id": "C1", **known, **values}])
    # half of all customers have something, all of them less than this one
    typical = dict.fromkeys(moved, Typical(ordinary=0.0, usual=0.0, share=0.5))
    return reasons_of_offers([("C1", product)], weighed, features, typical, config)["C1", product]


def test_the_three_weightiest_facts_are_told() -> None:
    told = reasons(
        {
            "balance_amount": (0.1, Decimal("1234.50")),
            "has_savings_account": (0.9, True),
            "product_count": (-3.0, 4),
            "has_mortgage": (0.5, False),
            "has_home_insurance": (0.05, True),
        }
    )
    assert told == [
        "Already uses our savings account",
        "Has no mortgage with us yet",
        "Keeps 1,234 EUR on the accounts",
    ]


def test_what_lowered_the_propensity_is_no_reason() -> None:
    assert reasons({"product_count": (-3.0, 4), "has_mortgage": (0.5, True)}) == [
        "Already uses our mortgage"
    ]


def test_of_one_fact_over_several_windows_the_weightiest_is_told() -> None:
    amount = Decimal(500)
    told = reasons({"savings_amount_3m": (0.2, amount), "savings_amount_12m": (0.7, amount)})
    assert told == ["Put 500 EUR aside in the last 12 months"]


def test_a_value_that_does_not_set_the_client_apart_is_not_told() -> None:
    ordinary = {"savings_amount_3m": (5.0, Decimal(0)), "has_mortgage": (0.1, True)}
    assert reasons(ordinary) == ["Already uses our mortgage"]


def test_a_feature_that_may_not_be_told_is_not_told() -> None:
    assert reasons({"closed_count_12m": (5.0, 2), "has_mortgage": (0.1, True)}) == [
        "Already uses our mortgage"
    ]


@pytest.mark.parametrize(
    ("product", "values", "sentence"),
    [
        ("gold_card", {"has_credit_card": True},
         "Already uses our credit card, which this product builds on"),
        ("savings_account", {"has_current_account": True},
         "Already uses our current account, which this product goes well with"),
        ("mortgage", {"has_current_account": True},
         "Meets the conditions for the mortgage and has none with us"),
        ("gold_card", {}, "Meets the conditions for the gold card and has none with us"),
    ],
)  # fmt: skip
def test_an_offer_of_a_fallback_model_has_a_reason_too(
    product: str, values: dict[str, Any], sentence: str
) -> None:
    assert reasons({}, product, **values) == [sentence]


def test_a_bank_speaks_its_language_in_reasons_names_and_benefits(tmp_path: Path) -> None:
    moved = {"travel_amount_3m": (2.0, Decimal("1234.56")), "has_credit_card": (1.0, True)}
    why = reasons(moved, "travel_insurance", ITALIAN)
    assert why == [
        "Ha speso 1.235 EUR in viaggi negli ultimi 3 mesi",
        "Utilizza già il nostro prodotto «Carta di credito»",
    ]
    lists = listed(decision("C1", 1), reason=why[0], config=ITALIAN)
    write_lists(tmp_path, lists, cared(), ITALIAN, AS_OF)
    [told] = csv_rows(tmp_path / "branches/branch_B1.csv")
    assert told["reason_1"] == why[0]
    assert told["client_benefit"].startswith("Spese mediche e annullamenti coperti")
    page = openpyxl.load_workbook(tmp_path / "branches/branch_B1.xlsx").worksheets[0]
    shown = [cell.value for cell in page[2]]
    assert {why[0], "Assicurazione viaggi", told["client_benefit"]} <= set(shown)
    assert "Assicurazione viaggi" in list_lines(lists, ITALIAN, ListQuery(), 1)[2]


def test_a_list_row_says_what_the_configuration_and_the_decision_say() -> None:
    rows = listed(decision("C2", 2), decision("C1", 1))
    assert rows.schema == arrow_schema(CAMPAIGN_LISTS)
    assert rows["customer_id"].to_pylist() == ["C1", "C2"], "in the order of the ranks"
    row = rows.to_pylist()[0]
    expected = {
        "kind": "partner",
        "partner_id": "aurora_insurance",
        "talking_point_id": "TP-TRV-01",
        "client_benefit": CONFIG.products["travel_insurance"].client_benefit["en"],
        "valid_from": date(2024, 3, 8),
        "valid_to": date(2024, 4, 21),
        "reason_1": "Spent 900 EUR on travel",
        "reason_2": "Also this",
        "reason_3": None,
        "advisor_id": "A1",
        "caller": "advisor",
        "credit_owner": "aurora_insurance",
        "referral_owner": "A1",
        "credit_share": 0.7,
        "referral_share": 0.3,
    }
    assert {name: row[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("changes", "advisor", "expected"),
    [
        ({}, "A1", ("advisor", "A1", None, 1.0, None)),
        ({}, None, ("branch", "B1", None, 1.0, None)),
        ({"product_id": "travel_insurance"}, None, ("branch", "aurora_insurance", "B1", 0.7, 0.3)),
        ({"lever_code": "call"}, "A1", ("branch_director", "B1", "A1", 0.7, 0.3)),
        ({"lever_code": "call"}, None, ("branch_director", "B1", None, 1.0, None)),
        ({"lever_code": "first_year_fee"}, "A1", ("advisor", "A1", None, 1.0, None)),
    ],
)
def test_who_calls_who_closes_and_who_referred(
    changes: dict[str, Any], advisor: str | None, expected: tuple[object, ...]
) -> None:
    lever = (
        "levers.call={name: Call, kind: personal_contact, offers: [mortgage_2026], cost: 0.0,"
        " cost_when: offered, made_by: branch_director}"
    )
    config = load_config("local", [lever])
    offer = decision("C1", 1, **{"product_id": "mortgage", "lever_code": None} | changes)
    assert tuple(credit({**offer, "advisor_id": advisor}, config).values()) == expected


def test_the_leaf_on_a_list_is_that_of_the_whole_decision() -> None:
    made = pa.Table.from_pylist([decision("C1", 1)], schema=arrow_schema(DECISIONS))
    _, leaves = entries(with_names(made))
    assert listed(decision("C1", 1))["log_leaf"].to_pylist() == leaves.to_pylist()


def test_only_offers_made_are_listed(spark: SparkSession) -> None:
    others = ["control", "outranked", "over_capacity", "suppressed", "ineligible"]
    rows = [decision("C0", 1), *(decision(f"C{n}", 1, outcome=o) for n, o in enumerate(others, 1))]
    names = [row["customer_id"] for row in rows]
    people = [{"customer_id": name, "advisor_id": "A7"} for name in sorted(set(names))]
    decisions, customers = frame(spark, DECISIONS, rows), frame(spark, CUSTOMERS, people)

    vault = spark.createDataFrame([("C0", "n", "s"), ("C1", "m", "t")], VAULT.ddl)
    made = offers_made(decisions, customers, vault).collect()

    told = [(row.customer_id, row.advisor_id, row.client, row.secret) for row in made]
    assert told == [("C0", "A7", "n", "s")]


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@SUM(A1)", "|cmd", "%x", "\t=1", "\r=1", "\n=1", "  =1", "\u00a0=1",
     "\ufeff=1", "\uff1d1+1", "\uff0b1", "\uff20x", "\ufe66" "1", "\u200b=1"],
)  # fmt: skip
def test_what_could_begin_a_formula_gets_a_quote(text: str) -> None:
    assert guarded(text).startswith("'")
    assert guarded(text).replace("'", "") == text


SEPARATORS = re.compile(r"""[,;|"\t\r\n]""")


@given(st.text(st.sampled_from("a1 '=+-@|%,;\"\t\r\n\u00a0\uff1d\uff0d\ufeff\x00"), max_size=12))
def test_however_a_text_is_split_no_cell_begins_a_formula(text: str) -> None:
    for cell in SEPARATORS.split(guarded(text)):
        begins = unicodedata.normalize(
            "NFKC", cell.strip("\ufeff\x00" + string.whitespace + "\u00a0")
        )
        assert not begins.startswith(tuple("=+-@|%")), cell


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("a;=1", "a;'=1"),
        ("a,b\t=1", "a,b\t'=1"),
        ('a"=1', "a\"'=1"),
        ("a\n=1", "a\n'=1"),
        ("a|=1;+2", "a|'=1;'+2"),
        (",|=1", ",'|'=1"),
    ],
)
def test_a_cell_that_another_separator_would_make_gets_a_quote_too(text: str, safe: str) -> None:
    assert guarded(text) == safe


@pytest.mark.parametrize(
    "text", ["", "C-17", "1 = 1", "Kept 45 % of what came in", "B\u00e9-1", "a, b; c", "'=1"]
)
def test_other_texts_are_left_as_they_are(text: str) -> None:
    assert guarded(text) == text


@pytest.mark.parametrize("branch", ["B1", "../x", "a/b", "..", "\u00e9 1", "=cmd"])
def test_a_branch_cannot_name_a_file_outside_its_folder(branch: str) -> None:
    assert re.fullmatch(r"branch_[A-Za-z0-9_.%~-]*", file_name(branch))


def test_the_same_rows_give_the_same_files_with_true_digests(tmp_path: Path) -> None:
    lists = listed(decision("C1", 1), decision("C2", 1, branch_id="B/2"))
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write_lists(tmp_path / name, lists, cared("C3"), CONFIG, AS_OF)

    one, two = (files_below(tmp_path / name) for name in ("one", "two"))
    assert one == two
    manifest = json.loads(one.pop("manifest.json"))
    assert {name: file["sha256"] for name, file in manifest["files"].items()} == {
        name: hashlib.sha256(content).hexdigest() for name, content in one.items()
    }
    assert {name: file["rows"] for name, file in manifest["files"].items()} == {
        "branches/branch_B%2F2.csv": 1,
        "branches/branch_B%2F2.xlsx": 1,
        "branches/branch_B1.csv": 1,
        "branches/branch_B1.xlsx": 1,
        "campaign.parquet": 2,
        "care/branch_B1.csv": 1,
        "care/branch_B1.xlsx": 1,
    }


def files_below(folder: Path) -> dict[str, bytes]:
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def csv_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_campaign_without_offers_makes_an_empty_list(tmp_path: Path) -> None:
    write_lists(tmp_path, listed(), cared(), CONFIG, AS_OF)
    assert sorted(files_below(tmp_path)) == ["campaign.parquet", "manifest.json"]
    assert pq.read_table(tmp_path / "campaign.parquet").num_rows == 0


def test_a_branch_sees_its_own_clients_and_no_propensity_or_profit(tmp_path: Path) -> None:
    write_lists(tmp_path, listed(decision("C1", 1), decision("C2", 1, branch_id="B2")),
                cared(), CONFIG, AS_OF)  # fmt: skip
    rows = csv_rows(tmp_path / "branches/branch_B1.csv")
    assert [row["customer_id"] for row in rows] == ["C1"]
    assert tuple(rows[0]) == CONFIG.roles.branch.list_columns
    workbook = openpyxl.load_workbook(tmp_path / "branches/branch_B1.xlsx")
    for content in (str(rows), str([list(page.values) for page in workbook])):
        assert "0.4321" not in content
        assert "8.1" not in content
    kept = pq.read_table(tmp_path / "campaign.parquet")
    assert kept["propensity"].to_pylist() == [0.4321, 0.4321]


def test_every_column_that_is_shown_has_a_heading() -> None:
    for role in (CONFIG.roles.branch, CONFIG.roles.campaign, CONFIG.roles.science):
        assert {*role.list_columns, *CARE_COLUMNS} <= set(HEADINGS)
    assert set(CAMPAIGN_LISTS.column_names) <= set(HEADINGS)


@pytest.mark.parametrize("role", ["branch", "campaign"])
def test_a_role_may_only_see_columns_that_exist(role: str) -> None:
    wrong = load_config("local", [f"roles.{role}.list_columns=[customer_id, chanel]"])
    with pytest.raises(ConfigError, match=rf"roles.{role}.*chanel.*did you mean channel"):
        check_roles(wrong)
    check_roles(CONFIG)
