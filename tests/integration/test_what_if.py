"""`xsell campaign --what-if` where the month has been run: same figures, nothing published."""

from __future__ import annotations

import argparse
import csv
import json
from collections import Counter
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from conf.errors import ConfigError
from jobs.arguments import parser
from jobs.campaigns import what_if
from jobs.reports import report_page
from tables.derived import DECISIONS
from tables.errors import UserError
from tables.files import sha256_of
from tables.runs import RunRecord
from tables.store import Store
from tests.month import AS_OF, SMALL, Bank
from tests.pages import Text

CAPACITY, HOUSEHOLD = "campaign.branch_capacity", "campaign.max_offers_per_household"


def arguments(bank: Bank, *words: object) -> argparse.Namespace:
    settings = [text for override in SMALL for text in ("--set", override)]
    home = ["--as-of", AS_OF, "--home", bank.home.path]
    return parser().parse_args(list(map(str, ["campaign", *home, *settings, *words])))


@pytest.fixture(autouse=True)
def engine(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    """The session that is there already."""
    monkeypatch.setattr(what_if, "open_engine", lambda _: nullcontext(spark))


@pytest.fixture
def record(bank: Bank, spark: SparkSession) -> RunRecord:
    found: RunRecord = bank.context(spark).runs.current("campaign", AS_OF)
    return found


def digests(home: Path) -> dict[str, str]:
    return {str(path): sha256_of(path) for path in sorted(home.rglob("*")) if path.is_file()}


def told(bank: Bank, record: RunRecord) -> dict[str, Any]:
    """The figures on the page of the committed campaign."""
    page = report_page(bank.home.path, "campaign", AS_OF, record.run_id)
    content = json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))
    [plan] = content["campaign"]["plans"]
    assert "Offers left after each gate" in Text(page.read_text(encoding="utf-8")).shown
    figures: dict[str, Any] = plan["figures"]
    return figures


def test_the_page_of_a_campaign_counts_what_was_decided(
    bank: Bank, spark: SparkSession, record: RunRecord
) -> None:
    figures = told(bank, record)
    decided = Store(bank.home.tables, None, record.pins).arrow(DECISIONS, AS_OF).to_pylist()
    offered = [row for row in decided if row["outcome"] == "offered"]
    stops = {step["name"]: step["stops"]["offers"] for step in figures["funnel"]}
    failed = Counter(gate for row in decided for gate in row["failed_gates"])
    alone = Counter(row["failed_gates"][0] for row in decided if len(row["failed_gates"]) == 1)
    assert {name: count for name, count in stops.items() if "." in name} == failed
    assert {
        step["name"]: step["alone"]["offers"] for step in figures["funnel"] if step["alone"]
    } == {name: alone[name] for name in failed}
    control = [row for row in decided if row["outcome"] == "control"]
    assert stops["control"] == sum(row["is_in_control_group"] for row in control)
    assert stops["control"] + stops["global_holdout"] == len(control) == record.counts["control"]
    for outcome in ("outranked", "over_capacity"):
        assert stops[outcome] == record.counts[outcome]
    assert figures["funnel"][0]["left"]["offers"] == len(decided)
    assert figures["funnel"][-1]["left"]["offers"] == figures["offers"] == len(offered) > 0
    assert figures["funnel"][-1]["left"]["clients"] == len({row["customer_id"] for row in offered})
    assert figures["expected_profit"] == float(sum(row["expected_profit"] for row in offered))
    for name, column in (("products", "product_id"), ("branches", "branch_id")):
        found = {one["name"]: one["offers"] for one in figures[name] if one["offers"]}
        assert found == Counter(row[column] for row in offered)
    levers = Counter(row["lever_code"] for row in offered)
    budgets = {code for code, lever in bank.config.levers.items() if lever.budget is not None}
    assert {one["name"]: one["offers"] for one in figures["levers"]} == {
        code: levers[code] for code in budgets if levers[code]
    }
    assert record.counts["detectable_uplift"] == figures["detectable"][0]["sentence"]
    assert sum(one["offered"] for one in figures["segments"]) == figures["clients_offered"]


def test_the_same_settings_give_the_committed_figures_and_nothing_is_written(
    bank: Bank, record: RunRecord, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = digests(bank.home.path)
    page = tmp_path / "tried" / "plan.html"
    words = ("--what-if", f"{CAPACITY}=12", "--against", record.run_id[:9], "--out", page)
    assert what_if.campaign_command(arguments(bank, *words)) == 0
    assert digests(bank.home.path) == before
    content = json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))
    committed, tried = (plan["figures"] for plan in content["campaign"]["plans"])
    limits = tried.pop("dearest_limits")
    assert committed.pop("dearest_limits") == ["; ".join(limits)]
    assert tried.pop("gap") == pytest.approx(committed.pop("gap"), abs=1e-6)
    assert tried == committed
    assert {name: told(bank, record)[name] for name in tried} == tried
    shown = capsys.readouterr().out
    assert f"{CAPACITY}: 12 → 12" in shown
    assert f"Page: {page}" in shown
    assert "difference" in shown


def test_a_sweep_shows_what_one_more_earns(
    bank: Bank, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "plan.html"
    words = ("--what-if", f"{CAPACITY}=2..6:4", "--what-if", f"{HOUSEHOLD}=1")
    assert what_if.campaign_command(arguments(bank, *words, "--out", page)) == 0
    lines = capsys.readouterr().out.splitlines()
    content = json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))
    points = [point["expected_profit"] for point in content["sweep"]["points"]]
    few, many = points
    assert few < many
    [earns] = [line for line in lines if line.startswith("one more of")]
    assert earns.split()[-3:] == ["–", "–", f"{(many - few) / 4:,.2f}"]
    assert lines[1:3] == [f"{CAPACITY}: 12 → 2, 6", f"{HOUSEHOLD}: 2 → 1"]
    current = content["campaign"]["plans"][0]["figures"]
    with (tmp_path / "plan-branches.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["plan"] for row in rows} == {"current", "2", "6"}
    assert all(int(row["offers"]) <= int(row["capacity"]) for row in rows)
    assert sum(int(row["offers"]) for row in rows if row["plan"] == "current") == current["offers"]


@pytest.mark.parametrize(
    ("words", "error", "phrase"),
    [
        (["--what-if", "campaign.branch_capcity=4"], ConfigError, "did you mean branch_capacity"),
        (["--what-if", "time.gap_days=4"], ConfigError, "time cannot be tried"),
        (["--what-if", f"{CAPACITY}=4", "--against", "zz"], UserError, "no committed campaign"),
        (["--what-if", f"{CAPACITY}=4", "--supersede"], ConfigError, "publishes nothing"),
        (["--out", "plan.html"], ConfigError, "--out says nothing without --what-if"),
        (["--against", "current"], ConfigError, "--against says nothing without"),
    ],
)
def test_what_cannot_be_tried_is_said_in_a_line(
    bank: Bank, words: list[str], error: type[Exception], phrase: str
) -> None:
    with pytest.raises(error, match=phrase):
        what_if.campaign_command(arguments(bank, *words))


def test_a_page_has_the_name_of_one(bank: Bank, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        arguments(bank, "--out", "plan.pdf")
    assert refused.value.code == 2
    assert "is not the name of a page" in capsys.readouterr().err
