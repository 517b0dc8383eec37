"""The care list: everybody who gets help, with why, what to do, whom to contact, and until when."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any, get_args

import openpyxl
import pytest
from pyspark.sql import Row, SparkSession

from campaigns.care_list import care_list
from campaigns.list_files import write_lists
from conf.errors import ConfigError
from conf.load import load_config
from conf.schema import RunConfig
from conf.wording import Language
from tables.arrow import arrow_schema
from tables.derived import CARE_LISTS, DECISIONS
from tables.sources import CUSTOMERS, FLAGS
from tests.campaign_bank import frame
from tests.tables import table_rows
from tests.unit.test_campaigns_lists import AS_OF, cared, decision, listed

CONFIG = load_config("local")
# Lists of March are worked with from the 8th; those of April from 8 April.
NEXT_LIST = date(2024, 4, 7)
HELPED = {
    "difficulty": "restructuring_talk",
    "both": "bereavement_support",
    "ends": "complaint_first",
    "again": "personal_advice",
}


def rows(spark: SparkSession, config: RunConfig = CONFIG) -> dict[str, Row]:
    flags = table_rows(
        spark,
        FLAGS,
        """
        customer_id | flag                 | valid_from | valid_to
        difficulty  | financial_difficulty | 2024-03-01 |
        both        | complaint_open       | 2024-01-01 |
        both        | bereavement          | 2024-02-01 | 2024-09-01
        ends        | complaint_open       | 2024-02-01 | 2024-03-21
        ends        | vulnerable           | 2024-03-02 |
        again       | vulnerable           | 2024-01-01 | 2024-03-10
        again       | vulnerable           | 2024-02-01 | 2024-03-20
        past        | vulnerable           | 2024-01-01 | 2024-03-01
        """,
    )
    decided: list[dict[str, Any]] = [
        decision(name, 1, offer_id=offer_id, outcome="suppressed", care_treatment=treatment)
        for name, treatment in (HELPED | {"past": None}).items()
        for offer_id in ("a", "b")
    ]
    people = [{"customer_id": name, "advisor_id": "A7"} for name in (*HELPED, "past")]
    care = care_list(
        frame(spark, DECISIONS, decided), frame(spark, CUSTOMERS, people), flags, config, AS_OF
    )
    assert tuple(care.columns) == CARE_LISTS.column_names
    found = care.collect()
    assert len(found) == len(HELPED), "once, whatever the number of offers"
    return {row.customer_id: row for row in found}


def test_everybody_who_is_helped_is_listed_with_what_to_do(spark: SparkSession) -> None:
    found = rows(spark)
    assert {name: row.care_treatment for name, row in found.items()} == HELPED
    told = found["difficulty"]
    assert (told.branch_id, told.advisor_id) == ("B1", "A7")
    assert told.why == "May need relief with payments"
    assert told.what_to_do.startswith("Offer a talk about smaller or later instalments")
    assert (told.may_contact, told.contact) == (True, "The client, by phone or in the branch")
    assert (told.valid_from, told.valid_until) == (AS_OF, NEXT_LIST)
    bereaved = found["both"]
    assert bereaved.why == "A personal matter calls for tact", "the most urgent flag, not the other"
    assert bereaved.may_contact is False
    assert "contact person" in bereaved.contact


def test_help_ends_with_its_reason(spark: SparkSession) -> None:
    found = rows(spark)
    assert found["ends"].valid_until == date(2024, 3, 20)
    assert found["again"].valid_until == date(2024, 3, 19), "the later of two"
    assert found["both"].valid_until == NEXT_LIST


def test_a_branch_reads_it_in_its_language(spark: SparkSession) -> None:
    config = load_config("local", ["bank.language=ru"])
    told = rows(spark, config)["ends"]
    assert told.why == "Есть нерешённый вопрос к нам, сначала он"
    assert told.what_to_do.endswith("До решения ничего не продавайте.")


def test_every_text_is_there_in_every_language_and_is_its_own() -> None:
    care = CONFIG.care
    texts = [*care.why.values()]
    for one in care.instructions.values():
        texts += [one.name, one.what_to_do, one.contact]
    for text in texts:
        assert set(text) == set(get_args(Language))
        assert len(set(text.values())) == len(text)
    # What the flag is called in the bank's books is nothing that a list says.
    said = " ".join(" ".join(text.values()) for text in texts).lower()
    for word in ("difficult", "vulnerab", "bereave", "fraud", "death", "debt", "ill"):
        assert f" {word}" not in said


def test_the_care_workbook_says_what_to_do_and_whether_to_call(tmp_path: Path) -> None:
    write_lists(tmp_path, listed(), cared("C1"), CONFIG, AS_OF)
    page = openpyxl.load_workbook(tmp_path / "care/branch_B1.xlsx")["Care"]
    head, values = ([cell.value for cell in line] for line in page)
    told = dict(zip(head, values, strict=True))
    shown = ("Help to offer", "Why", "What to do", "May be called", "Whom to contact")
    assert [told[title] for title in shown] == [
        "Personal advice", "Needs time", "Take time", "no", "The contact person",
    ]  # fmt: skip
    assert told["Valid until"].date() == NEXT_LIST
    assert arrow_schema(CARE_LISTS).equals(cared("C1").schema)


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("care.treatments.vulnerable=talk", "care.instructions lacks talk, the treatment of vuln"),
        ("care.why.vulnerable=!replace {it: x}", "care.why has no text for vulnerable in the bank"),
        (
            "care.instructions.personal_advice.contact=!replace {it: x}",
            "care.instructions.personal_advice.contact has no text in the bank's language en",
        ),
        ("care.no_contact=[vulnerable]", "has vulnerable, which also has a treatment"),
    ],
)
def test_a_help_without_instructions_is_refused(override: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        load_config("local", [override])
