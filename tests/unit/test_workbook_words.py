"""A workbook speaks one language from its tabs to its help."""

from __future__ import annotations

import string
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
from tests.unit.test_campaigns_lists import AS_OF, cared, decision, listed

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
