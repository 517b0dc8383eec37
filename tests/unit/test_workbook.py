"""A workbook is made for a person, and speaks one language from its tabs to its help."""

from __future__ import annotations

import string
import zipfile
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest

from campaigns.headings import HEADINGS, LANGUAGES
from campaigns.list_files import write_lists
from campaigns.workbook_words import (
    HOW_TO_HELP,
    HOW_TO_READ,
    HOW_TO_RECALL,
    WORDS,
    Texts,
    lines_of,
    said,
)
from conf.load import load_config
from tests.unit.test_campaigns_lists import AS_OF, CONFIG, cared, csv_rows, decision, listed

HELP = (*HOW_TO_READ, *HOW_TO_HELP, *HOW_TO_RECALL)
ALL_TEXTS = (*WORDS.values(), *(text for line in HELP for text in line))
# Said alike in several languages.
ALIKE = {"Client", "Campania", "Banca", "Partner", "no", "Data"}


def fields(text: str) -> set[str | None]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("texts", ALL_TEXTS)
def test_a_text_is_there_in_every_language_with_the_same_values(texts: Texts) -> None:
    assert len(texts) == len(LANGUAGES)
    assert all(texts)
    assert len({frozenset(fields(text)) for text in texts}) == 1


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("folder", ["branches", "care"])
def test_nothing_of_another_language_is_in_a_workbook(
    tmp_path: Path, language: str, folder: str
) -> None:
    config = load_config("local", [f"bank.language={language}"])
    write_lists(tmp_path, listed(decision("C1", 1), config=config), cared("C2"), config, AS_OF)
    book = openpyxl.load_workbook(tmp_path / f"{folder}/branch_B1.xlsx")
    assert book.worksheets[1].title == said("tab about it", language)
    shown = {*book.sheetnames, book.properties.title, book.worksheets[0].oddFooter.right.text}
    shown |= {cell.value for page in book for row in page.iter_rows() for cell in row}
    own = LANGUAGES.index(language)
    foreign = {
        text
        for texts in (*ALL_TEXTS, *(heading.titles for heading in HEADINGS.values()))
        for place, text in enumerate(texts)
        if place != own and text not in {texts[own], *ALIKE}
    } - {texts[own] for texts in ALL_TEXTS}
    assert not shown & foreign
    block = {"branches": HOW_TO_READ, "care": HOW_TO_HELP}[folder]
    headline, lines = lines_of("how to read it", block, language)
    assert {headline, *(label for label, _ in lines), *(text for _, text in lines)} <= shown


def test_the_workbook_is_made_for_a_person_and_holds_no_formula(tmp_path: Path) -> None:
    row = decision("=cmd|' /C calc'!A0", 1)
    write_lists(tmp_path, listed(row, reason="=1+1"), cared(), CONFIG, AS_OF)
    path = tmp_path / "branches/branch_B1.xlsx"

    workbook = openpyxl.load_workbook(path)
    page = workbook["List"]
    headings = [cell.value for cell in page[1]]
    client, why = page.cell(2, 2), page.cell(2, headings.index("Why this client") + 1)
    assert (client.value, client.data_type) == ("=cmd|' /C calc'!A0", "s")
    assert (why.value, why.data_type) == ("=1+1", "s")
    assert workbook.properties.created == datetime(2024, 3, 1)  # noqa: DTZ001
    assert page.freeze_panes == "C2"
    assert page.auto_filter.ref.startswith("A1:")
    assert page.cell(2, headings.index("Offer") + 1).value == "Travel insurance"
    assert page.cell(2, headings.index("Valid until") + 1).value == datetime(2024, 4, 21)  # noqa: DTZ001
    about = {line[0]: line[1] for line in workbook["About this list"].values}
    assert about["Clients"] == 1
    assert about["Travel insurance"] == 1
    with zipfile.ZipFile(path) as archive:
        assert b"<f>" not in b"".join(map(archive.read, archive.namelist()))
    [told] = csv_rows(path.with_suffix(".csv"))
    assert (told["customer_id"], told["reason_1"]) == ("'=cmd|' /C calc'!A0", "'=1+1")


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", ["Client", "Who calls", "the client's advisor", "First year's fee waived"]),
        ("it", ["Cliente", "Chi contatta", "il consulente del cliente",
                "Canone del primo anno gratuito"]),
        ("ro", ["Client", "Cine contactează", "consilierul clientului",
                "Taxa primului an gratuită"]),
        ("ru", ["Клиент", "Кто связывается", "консультант клиента", "Без платы за первый год"]),
    ],
)  # fmt: skip
def test_a_list_tells_who_calls_whom_with_what_in_the_banks_language(
    tmp_path: Path, language: str, told: list[str]
) -> None:
    config = load_config("local", [f"bank.language={language}"])
    card = {"offer_id": "gold_card_upgrade_2026", "product_id": "gold_card", "move": "up_sell"}
    row = decision("C1", 1, lever_code="first_year_fee", lever_limit=Decimal("30.00"), **card)
    write_lists(tmp_path, listed(row, config=config), cared(), config, AS_OF)
    page = openpyxl.load_workbook(tmp_path / "branches/branch_B1.xlsx").worksheets[0]
    shown = [cell.value for line in page.iter_rows(max_row=2) for cell in line]
    assert {*told, 30} <= set(shown)
    assert all(all(heading.titles) for heading in HEADINGS.values())
