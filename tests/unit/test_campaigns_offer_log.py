"""One canonical line per decision: the very bytes matter, proofs rest on them."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given, strategies as st

from campaigns.canonical_json import json_objects, json_objects_in_pieces
from campaigns.offer_log import IN_LINE, entries
from campaigns.pseudonyms import client_name, client_secret, new_clients
from tables.arrow import arrow_schema
from tables.derived import DECISIONS
from tables.leaves import leaf_hash, salt
from tests.offer_logs import log_of, named, vault_of

KEY = bytes(range(32))
DECISION = {
    "as_of": date(2024, 3, 1),
    "run_id": "r",
    "campaign_id": "monthly",
    "customer_id": 'Zoe\u0308 "7"',
    "offer_id": "b",
    "product_id": "p",
    "branch_id": "B\u00e91\n",
    "household_id": None,
    "move": "up_sell",
    "channel": None,
    "outcome": "suppressed",
    "failed_gates": ["care.in_care", "consent.no_consent"],
    "care_treatment": None,
    "propensity": 1e-07,
    "margin": Decimal("1800.00"),
    "contact_cost": Decimal("0.00"),
    "expected_profit": Decimal("-0.10"),
    "rank_in_customer": None,
    "rank_in_branch": 3,
    "is_in_global_holdout": False,
    "is_in_control_group": True,
    "contacts_left_30d": 0,
    "consent_basis": None,
    "consent_checked_at": datetime(2024, 3, 1, tzinfo=UTC),
    "model_name": "m",
    "model_version": 1,
    "response": -0.02,
    "response_basis": "uplift",
    "uplift_version": 4,
    "failed_rules": [
        {"rule": "care.treatment_flag", "version": "1-a", "passes_on": date(2024, 4, 2)},
        {"rule": "consent.marketing", "version": "1-b", "passes_on": None},
    ],
    "passes_again_on": None,
    "rules_version": "0f",
    "lever_code": "bonus",
    "lever_limit": Decimal("20.00"),
    "lever_cost": Decimal("20.00"),
    "lever_cost_when": "accepted",
    "acceptance": 0.25,
    "is_exploration": True,
    "choice_probability": 0.125,
}
LINE = (
    '{"acceptance":0.25,"as_of":"2024-03-01","branch_id":"B\u00e91\\n","campaign_id":"monthly",'
    '"care_treatment":null,"channel":null,"choice_probability":0.125,"consent_basis":null,'
    '"consent_checked_at":"2024-03-01T00:00:00Z","contact_cost":"0.00","contacts_left_30d":0,'
    '"customer_id":"Zo\u00eb \\"7\\"","event":null,"event_on":null,"expected_profit":"-0.10",'
    '"failed_gates":["care.in_care","consent.no_consent"],'
    '"failed_rules":[{"passes_on":"2024-04-02","rule":"care.treatment_flag","version":"1-a"},'
    '{"passes_on":null,"rule":"consent.marketing","version":"1-b"}],"household_id":null,'
    '"is_exploration":true,"is_in_control_group":true,"is_in_global_holdout":false,'
    '"lever_code":"bonus","lever_cost":"20.00","lever_cost_when":"accepted","lever_limit":"20.00",'
    '"margin":"1800.00",'
    '"model_name":"m","model_version":1,"move":"up_sell","offer_id":"b","outcome":"suppressed",'
    '"passes_again_on":null,"product_id":"p","propensity":1e-07,"rank_in_branch":3,"rank_in_customer":null,'
    '"response":-0.02,"response_basis":"uplift","rules_version":"0f","run_id":"r","uplift_version":4}'
)


def rows(*changes: dict[str, object]) -> pa.Table:
    return pa.Table.from_pylist([DECISION | c for c in changes], schema=arrow_schema(DECISIONS))


def test_a_decision_is_these_very_bytes() -> None:
    assert json_objects(rows({})).to_pylist() == [LINE]
    assert unicodedata.is_normalized("NFC", LINE)
    assert list(json.loads(LINE)) == sorted(DECISIONS.column_names)


def test_equal_decisions_give_equal_lines_whatever_stands_around_them() -> None:
    others = [
        {},
        {"propensity": 0.25, "failed_gates": [], "failed_rules": []},
        {"failed_gates": ["x"], "failed_rules": None},
    ]
    alone = [json_objects(rows(change)).to_pylist()[0] for change in others]
    assert json_objects(rows(*others)).to_pylist() == alone
    assert json_objects(rows(*others).slice(1)).to_pylist() == alone[1:]
    assert json_objects(pa.concat_tables([rows(c) for c in others])).to_pylist() == alone


def test_what_has_few_values_is_written_as_if_every_row_stood_alone() -> None:
    changes = [
        {"propensity": (place % 40) / 39, "rank_in_branch": place % 3 or None, "event": event}
        for place, event in enumerate([None, "salary", "b\u00e9b\u00e9"] * 50)
    ]
    alone = [json_objects(rows(change)).to_pylist()[0] for change in changes]
    many = rows(*changes)
    assert json_objects(many).to_pylist() == alone
    pieces = list(json_objects_in_pieces(many, 64))
    assert [len(piece) for piece in pieces] == [64, 64, 22]
    assert pa.concat_arrays(pieces).to_pylist() == alone
    encoded = pa.table({name: _encoded(many[name]) for name in many.schema.names})
    assert json_objects(encoded).to_pylist() == alone


def _encoded(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.dictionary_encode() if pa.types.is_string(column.type) else column


def test_no_decisions_give_no_lines() -> None:
    assert json_objects(rows()).to_pylist() == []


@pytest.mark.parametrize(
    ("propensity", "text"),
    [(0.1, "0.1"), (1 / 3, "0.3333333333333333"), (1.0, "1.0"), (-0.0, "0.0"), (None, "null")],
)
def test_a_double_is_the_shortest_text_that_reads_back(propensity: float, text: str) -> None:
    [line] = json_objects(rows({"propensity": propensity})).to_pylist()
    assert f'"propensity":{text},' in line


# Few are drawn where Arrow writes a double otherwise than Python does: those are named.
@given(
    st.lists(
        st.one_of(
            st.floats(allow_nan=False, allow_infinity=False),
            st.floats(0, 1),
            st.floats(-1e7, 1e7),
            st.sampled_from(
                [1e-4, 9.999999999999999e-05, 1e7, 9999999.999999998, 22016599682.75502, 145029.0]
            ),
        ),
        min_size=1,
    )
)
def test_every_double_is_what_python_writes(numbers: list[float]) -> None:
    texts = json_objects(pa.table({"x": pa.array(numbers, pa.float64())})).to_pylist()
    assert texts == [f'{{"x":{number + 0.0!r}}}' for number in numbers]


def test_a_number_that_is_not_finite_is_refused_without_naming_it() -> None:
    with pytest.raises(ValueError, match="not finite"):
        json_objects(rows({"propensity": float("nan")}))


def test_a_leaf_is_the_hash_of_a_zero_byte_the_salt_and_the_line() -> None:
    # RFC 9162 §2.1.1: the hash of an empty entry is that of one zero byte.
    assert leaf_hash("", b"") == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert leaf_hash("\u00e9", b"s") == hashlib.sha256(b"\x00s\xc3\xa9").hexdigest()


def test_each_line_has_a_salt_of_its_own_that_only_the_secret_tells() -> None:
    whose = [("0a", "r", "a"), ("0b", "r", "a"), ("0a", "s", "a"), ("0a", "r", "b")]
    assert len({salt(*one) for one in whose}) == len(whose)
    assert salt("0a", "r", "a") == hashlib.sha256(b"\x0ar\na").digest()


def test_names_and_secrets_come_from_the_key_and_tell_nothing_of_each_other() -> None:
    other = b"k" * 32
    assert client_name(KEY, "C1") == client_name(KEY, "C1") != client_name(other, "C1")
    assert client_secret(KEY, "C1")[:32] != client_name(KEY, "C1") != client_name(KEY, "C2")
    assert client_secret(KEY, "C1") != client_secret(other, "C1")


def test_whoever_is_in_the_vault_keeps_name_and_secret() -> None:
    known = pa.table({"customer_id": ["C1"], "client": ["n"], "secret": ["s"]})
    [row] = new_clients(pa.array(["C1", "C2"]), known, KEY).to_pylist()
    assert tuple(row.values()) == ("C2", client_name(KEY, "C2"), client_secret(KEY, "C2"))


def test_lines_name_nobody() -> None:
    assert {"customer_id", "household_id"} & {*IN_LINE} == set()
    decided = rows({"customer_id": "C10", "household_id": "H7"})
    [entry] = log_of(decided, vault("C10")).to_pylist()
    told = json.loads(entry["line"])
    assert list(told) == sorted(IN_LINE)
    assert told["client"] == entry["client"] == client_name(KEY, "C10")
    assert not {"C10", "H7"} & {str(value) for value in entry.values()}
    assert "C10" not in entry["line"]
    assert "H7" not in entry["line"]


@pytest.mark.parametrize("together", [1, 3, 100])
def test_lines_stand_in_the_order_of_pseudonym_and_offer(
    monkeypatch: pytest.MonkeyPatch, together: int
) -> None:
    monkeypatch.setattr("jobs.audit.log_files.LINES_IN_PART", together)
    monkeypatch.setattr("campaigns.offer_log.LINES_AT_ONCE", 2)
    pairs = [(customer, offer) for customer in ("C10", "C2", "c1") for offer in ("a", "b")]
    decided = rows(*({"customer_id": c, "offer_id": o} for c, o in reversed(pairs)))

    log = log_of(decided, vault("C10", "C2", "c1", "c1 of another")).to_pylist()

    assert [row["position"] for row in log] == list(range(6))
    told = [json.loads(row["line"]) for row in log]
    wanted = sorted((client_name(KEY, customer), offer) for customer, offer in pairs)
    assert [(line["client"], line["offer_id"]) for line in told] == wanted
    assert [(row["client"], row["offer_id"]) for row in log] == wanted
    secrets = {client_name(KEY, c): client_secret(KEY, c) for c, _ in pairs}
    assert [row["leaf"] for row in log] == [
        leaf_hash(row["line"], salt(secrets[row["client"]], "r", row["offer_id"])) for row in log
    ]


def test_a_line_has_one_leaf_wherever_it_is_made() -> None:
    decided, clients = rows({"customer_id": "C10"}, {"customer_id": "C2"}), vault("C10", "C2")
    log = log_of(decided, clients)
    _, leaves = entries(named(decided, clients))
    assert {*leaves.to_pylist()} == {*log["leaf"].to_pylist()}


def test_a_campaign_about_nobody_has_an_empty_log() -> None:
    assert log_of(rows(), vault("C1")).num_rows == 0


def vault(*customers: str) -> pa.Table:
    return vault_of(pa.array(customers, pa.string()), KEY)
