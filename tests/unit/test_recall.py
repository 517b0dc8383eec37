"""After an objection: which rows of lists that lie at branches must be withdrawn."""

from __future__ import annotations

import json
from datetime import date, timedelta

import openpyxl

from campaigns.headings import HEADINGS
from campaigns.recall import RECALL, recalled_rows, write_recall
from tables.files import sha256_of
from tests.unit.test_campaigns_lists import AS_OF, CONFIG, csv_rows, decision, listed

END = date(2024, 4, 21)  # last day of the offers below
OLD_RUN = "cd" * 32


def handed(*decisions):
    return listed(*decisions).to_pylist()


def test_offers_that_are_still_valid_on_the_day_of_the_objection_are_withdrawn():
    rows = handed(decision("C1", 1), decision("C2", 2), decision("C3", 3))
    since = {"C1": END, "C2": END + timedelta(1)}
    found = recalled_rows(rows, since)
    assert found.schema == RECALL
    assert [(row["customer_id"], row["objected_on"]) for row in found.to_pylist()] == [("C1", END)]


def test_a_list_that_was_superseded_may_be_out_all_the_same():
    newest = handed(decision("C1", 1))
    old = handed(
        decision("C1", 2, run_id=OLD_RUN), decision("C1", 1, run_id=OLD_RUN, branch_id="B2")
    )
    found = recalled_rows([*newest, *old], {"C1": AS_OF}).to_pylist()
    assert [(row["branch_id"], row["run_id"] == OLD_RUN) for row in found] == [
        ("B1", False),
        ("B2", True),
    ]


def test_each_branch_gets_its_rows_and_the_same_rows_give_the_same_bytes(tmp_path):
    rows = handed(
        decision("=C1", 1, channel="phone"),
        decision("C2", 2, channel="branch"),
        decision("C3", 1, branch_id="../B2"),
    )
    found = recalled_rows(rows, dict.fromkeys(("=C1", "C2", "C3"), date(2024, 3, 9)))
    made = []
    for name in ("once", "again"):
        (tmp_path / name).mkdir()
        write_recall(tmp_path / name, found, CONFIG)
        made.append({path.name: sha256_of(path) for path in (tmp_path / name).iterdir()})
    assert made[0] == made[1]
    folder = tmp_path / "once"
    told = csv_rows(folder / "recall-branch_B1.csv")
    assert [(row["channel"], row["customer_id"]) for row in told] == [
        ("branch", "C2"), ("phone", "'=C1"),
    ]  # fmt: skip
    assert len(csv_rows(folder / "recall-branch_..%2FB2.csv")) == 1, "no way out of the folder"
    manifest = json.loads((folder / "manifest.json").read_text())["files"]
    assert {name: entry["sha256"] for name, entry in manifest.items()} == {
        name: digest for name, digest in made[0].items() if name != "manifest.json"
    }
    book = openpyxl.load_workbook(folder / "recall-branch_B1.xlsx")
    page = book["Recall"]
    client = [cell.value for cell in page[1]].index(HEADINGS["customer_id"].title("en")) + 1
    assert [page.cell(row, client).value for row in (2, 3)] == ["C2", "=C1"]
    assert page.cell(3, client).data_type == "s"
    assert {line[0]: line[1] for line in book["About this list"].values}["Offers to withdraw"] == 2
