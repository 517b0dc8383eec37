"""Names and texts that somebody may mean badly: refused in settings, harmless in list files."""

from __future__ import annotations

import csv
import re
import string
import unicodedata
import zipfile
from pathlib import Path

import openpyxl
import pyarrow as pa
import pytest

from campaigns.list_files import file_name, write_lists
from conf.errors import ConfigError
from conf.load import load_config
from tables.arrow import arrow_schema
from tables.derived import CAMPAIGN_LISTS, CARE_LISTS
from tests.unit.test_campaigns_lists import AS_OF, cared, decision, listed

HOSTILE_NAMES = (
    "../../etc/passwd", "a/b", "a\\\\b", "..", ".", "", " ", "=1+1", "+1", "-1", "@x", "%0a",
    "con:", "monthly ", "monthly\\n", "monthly\\u0000", "mon\\u202ethly", "m\\u00f6nthly",
    "\\uff1d1", "\\u043conthly", "mo\\u200bnthly", "a" * 65, "a" * 500,
    "'; drop table x; --", "$(id)", "{0}",
)  # fmt: skip
HOSTILE_TEXTS = (
    "=HYPERLINK(\"http://x\",\"y\")", "+1", "-1+1", "@SUM(1)", "|cmd", "%x", "\t=1", "\r\n=1",
    "\uff1d1", "a,=1", "a;=1", 'a"=1', "\u202e=1", "http://x.example/", "mailto:a@b", "\x00=1",
    "\x01\x1f", "x" * 500, "\U0001f600", "&L&P", "{=1}", "'=1",
)  # fmt: skip
SEPARATORS = re.compile(r"""[,;|"\t\r\n]""")


@pytest.mark.parametrize(
    ("setting", "name"),
    [*(("campaign.campaign_id={}", name) for name in HOSTILE_NAMES),
     ("offers.mortgage_2026.talking_point_id={}", "=1+1"),
     ("products.car_leasing.partner={}", "../x"),
     ("care.treatments.vulnerable={}", "monthly\\n")],
)  # fmt: skip
def test_a_name_that_is_none_is_refused(setting: str, name: str) -> None:
    text = f'"{name}"'
    with pytest.raises(ConfigError) as refused:
        load_config("local", [setting.format(text)])
    assert setting.removesuffix("={}") in str(refused.value)
    assert all(line.startswith("--set ") for line in str(refused.value).splitlines())


@pytest.mark.parametrize("name", ["a", "A-1_b", "a" * 64])
def test_other_names_of_a_campaign_are_taken(name: str) -> None:
    assert load_config("local", [f"campaign.campaign_id={name}"]).campaign.campaign_id == name


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_no_text_of_a_list_becomes_a_formula_or_a_link(tmp_path: Path, text: str) -> None:
    config = load_config("local", [])
    named = config.model_copy(
        update={"bank": config.bank.model_copy(update={"name": text}),
                "partners": {name: one.model_copy(update={"name": text})
                             for name, one in config.partners.items()}}
    )  # fmt: skip
    write_lists(
        tmp_path, hostile(listed(decision("C1", 1)), text), hostile(cared("C2"), text), named, AS_OF
    )
    files = sorted(tmp_path.rglob("*.*"))
    assert len([path for path in files if path.suffix in (".csv", ".xlsx")]) == 4
    for path in files:
        if path.suffix == ".csv":
            no_cell_begins_a_formula(path)
        if path.suffix == ".xlsx":
            all_cells_are_values(path)


def hostile(rows: pa.Table, text: str) -> pa.Table:
    """The same rows with this text in every column of text."""
    for table in (CAMPAIGN_LISTS, CARE_LISTS):
        if rows.schema == arrow_schema(table):
            for place, field in enumerate(rows.schema):
                if field.type == pa.string():
                    rows = rows.set_column(place, field, pa.array([text] * rows.num_rows))
    return rows


def no_cell_begins_a_formula(path: Path) -> None:
    with path.open(encoding="utf-8", newline="") as file:
        for value in (value for row in csv.reader(file) for value in row):
            for cell in SEPARATORS.split(value):
                begins = unicodedata.normalize(
                    "NFKC", cell.strip("\ufeff\x00\u200b" + string.whitespace + "\u00a0")
                )
                assert not begins.startswith(tuple("=+-@|%")), (path.name, cell)


def all_cells_are_values(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        whole = b"".join(map(archive.read, archive.namelist()))
    assert b"<f>" not in whole
    assert b"<hyperlink" not in whole
    for page in openpyxl.load_workbook(path):
        kinds = {cell.data_type for row in page.iter_rows() for cell in row}
        assert kinds <= {"s", "n", "d", "b"}


@pytest.mark.parametrize("branch", ["B" * 500, "\u0416" * 60, "\U0001f600" * 40, "a/" * 200])
def test_the_file_of_a_branch_has_a_name_that_file_systems_take(branch: str) -> None:
    name = file_name(branch)
    assert len(f"{name}.xlsx".encode()) <= 255
    assert re.fullmatch(r"branch_[A-Za-z0-9_.%~-]*", name)
    assert name != file_name(f"{branch}x")
