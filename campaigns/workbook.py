"""Lists as XLSX for a person: one sheet to work through, one that says what it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from campaigns.headings import HEADINGS, Heading
from campaigns.workbook_words import Block, said
from conf.wording import Language

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

GREEN, PALE, GREY = "#1F5C4D", "#F1F6F4", "#5F6B67"
NUMBER_FORMS = {
    "whole": "0",
    "share": "0 %",
    "money": "#,##0.00",
    "day": "d mmm yyyy",
    "instant": "yyyy-mm-dd hh:mm",
}
HEADER_HEIGHT = 32
LINE_HEIGHT = 15
LABEL_WIDTH, VALUE_WIDTH = 26, 90
LONGEST_FOOTER = 100  # Excel takes 255 characters of both sides together, & being two
Words = Mapping[str, Mapping[str, str]]
Cell = str | bool | int | float | Decimal | date | None


@dataclass(frozen=True)
class Sheet:
    """What goes into a workbook.

    Attributes:
        title: Headline of the summary.
        tab: Name of the sheet with the rows.
        rows: The list; its columns in the order in which they are shown.
        words: By column: what to show instead of a code.
        language: Of headings and all that the workbook says about itself.
        summary: Blocks of the second sheet: a headline, then lines of a label and a value.
        created: Day that the file says it is from; no clock is asked, so bytes repeat.
    """

    title: str
    tab: str
    rows: pa.Table
    words: Words
    language: Language
    summary: Sequence[Block]
    created: date


def write_workbook(path: Path, sheet: Sheet) -> None:
    """Write the list and its summary; texts are never read as formulas.

    Raises:
        OSError: It cannot be written.
    """
    import xlsxwriter
    from xlsxwriter.exceptions import FileCreateError

    try:
        with xlsxwriter.Workbook(str(path)) as book:
            created = datetime.combine(sheet.created, time())
            book.set_properties({"title": sheet.title, "created": created})
            _write_list(book, book.add_worksheet(sheet.tab), sheet)
            _write_summary(book, book.add_worksheet(said("tab about it", sheet.language)), sheet)
    except FileCreateError as error:
        raise error.args[0] from None  # what the system has said, a full disk for one


def _write_list(book: Workbook, page: Worksheet, sheet: Sheet) -> None:
    names = sheet.rows.column_names
    headings = [HEADINGS[name] for name in names]
    head = book.add_format(
        {
            "bold": True,
            "font_color": "white",
            "bg_color": GREEN,
            "text_wrap": True,
            "valign": "vcenter",
            "border": 1,
            "border_color": "white",
        }
    )
    page.set_row(0, HEADER_HEIGHT)
    for place, heading in enumerate(headings):
        page.write_string(0, place, heading.title(sheet.language), head)
    _write_columns(book, page, sheet, headings)
    for row, height in enumerate(_row_heights(sheet.rows, sheet.words), start=1):
        page.set_row(row, height)
    page.autofilter(0, 0, max(sheet.rows.num_rows, 1), len(names) - 1)
    page.freeze_panes(1, 1 + _place(names, "customer_id"))
    page.set_landscape()
    _set_up_print(page, sheet)
    page.repeat_rows(0)


def _write_columns(
    book: Workbook, page: Worksheet, sheet: Sheet, headings: Sequence[Heading]
) -> None:
    for place, (name, heading) in enumerate(zip(sheet.rows.column_names, headings, strict=True)):
        values = sheet.rows.column(name)
        is_empty = values.null_count == len(values)
        options = {"hidden": is_empty or heading.is_technical, "level": int(heading.is_technical)}
        page.set_column(place, place, heading.width, None, options)
        formats = [_cell_format(book, heading, is_striped) for is_striped in (False, True)]
        words = sheet.words.get(name, {})
        for row, value in enumerate(values.to_pylist(), start=1):
            _write_cell(page, row, place, _shown(value, words, sheet), formats[row % 2 == 0])


def _shown(value: Cell, words: Mapping[str, str], sheet: Sheet) -> Cell:
    if isinstance(value, bool):
        return said("yes" if value else "no", sheet.language)
    return words.get(value, value) if isinstance(value, str) else value


def _row_heights(rows: pa.Table, shown: Words) -> list[int]:
    """Room for every line of the broken texts: not every program makes it by itself."""
    lines = [1] * rows.num_rows
    for name in rows.column_names:
        if HEADINGS[name].form == "long":
            needed = (
                _lines(shown.get(name, {}).get(text, text), HEADINGS[name].width)
                for text in rows.column(name).to_pylist()
            )
            lines = [max(pair) for pair in zip(lines, needed, strict=True)]
    return [LINE_HEIGHT * count for count in lines]


def _lines(text: str | None, width: int) -> int:
    return max(1, len(wrap(text or "", width)))


def _cell_format(book: Workbook, heading: Heading, is_striped: bool) -> Format:
    form: dict[str, Any] = {"valign": "top", "bottom": 1, "bottom_color": "#D5DEDA"}
    if is_striped:
        form["bg_color"] = PALE
    if heading.form == "long":
        form["text_wrap"] = True
    if heading.form in NUMBER_FORMS:
        form |= {"num_format": NUMBER_FORMS[heading.form], "align": "left"}
    return book.add_format(form)


def _write_cell(page: Worksheet, row: int, column: int, value: Cell, form: Format) -> None:
    if value is None:
        page.write_blank(row, column, None, form)
    elif isinstance(value, str):
        page.write_string(row, column, value, form)
    elif isinstance(value, datetime):
        page.write_datetime(row, column, value.astimezone(UTC).replace(tzinfo=None), form)
    elif isinstance(value, date):
        page.write_datetime(row, column, value, form)
    else:
        page.write_number(row, column, value, form)


def _set_up_print(page: Worksheet, sheet: Sheet) -> None:
    page.set_paper(9)
    page.fit_to_pages(1, 0)
    title = sheet.title[:LONGEST_FOOTER].replace("&", "&&")
    page.set_footer(f"&L{title}&R{said('page', sheet.language)}")


def _write_summary(book: Workbook, page: Worksheet, sheet: Sheet) -> None:
    title = book.add_format({"bold": True, "font_size": 16, "font_color": GREEN})
    head = book.add_format({"bold": True, "font_color": GREEN, "bottom": 1, "bottom_color": GREEN})
    label = book.add_format({"valign": "top", "font_color": GREY})
    value = book.add_format({"valign": "top", "align": "left", "text_wrap": True})
    page.hide_gridlines(2)
    page.set_column(0, 0, max(LABEL_WIDTH, *map(_longest_label, sheet.summary)))
    page.set_column(1, 1, VALUE_WIDTH)
    _set_up_print(page, sheet)
    page.write_string(0, 0, sheet.title, title)
    row = 2
    for headline, lines in sheet.summary:
        page.write_string(row, 0, headline, head)
        page.write_blank(row, 1, None, head)
        for offset, (name, content) in enumerate(lines, start=1):
            page.set_row(row + offset, LINE_HEIGHT * _lines(str(content), VALUE_WIDTH))
            page.write_string(row + offset, 0, name, label)
            _write_cell(page, row + offset, 1, content, value)
        row += len(lines) + 2


def _longest_label(block: Block) -> int:
    headline, lines = block
    return max(map(len, (headline, *(name for name, _ in lines))))


def _place(names: Sequence[str], name: str) -> int:
    return names.index(name) if name in names else -1
