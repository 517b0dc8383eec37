"""The report of a run says what became of every rule, and holds no client's value."""

import json
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pytest

from conf.load import load_config
from expectations.check import CheckReport, CheckResult
from jobs.home import Home
from jobs.publishing import Context, execute
from jobs.reports import page_text, report_content, report_page, write_report
from jobs.runs.summary import summary_lines
from jobs.steps import INGEST
from tables.errors import ContractViolation
from tests.deliveries import ANY_REASON, write_delivery, write_manifest
from tests.pages import Text

AS_OF = date(2024, 3, 1)
RUN_ID = "0123456789abcdef"
REPORTS = (
    CheckReport(
        "scores",
        (
            CheckResult("there are rows", "critical", True, 1234567),
            CheckResult("a < b & c", "critical", False, 3, 48210),
            CheckResult("the mean is fine", "warning", False, 0.25, detail="1 of 4"),
            CheckResult("it can be checked", "warning", False, None, error="ArithmeticException"),
        ),
    ),
)


@dataclass(frozen=True)
class Scored:
    """All that a report of scores takes from a run."""

    home: Path
    step: str = "score"
    as_of: date = AS_OF
    run_id: str = RUN_ID
    counts: dict[str, object] = field(default_factory=dict)
    figures: dict[str, object] = field(default_factory=dict)


def content(tmp_path, problems=()):
    return report_content(Scored(tmp_path), REPORTS, problems, None)


def test_a_campaign_tells_what_its_choice_is_worth(tmp_path):
    counts = {"offered": 3, "gap": "0.0012%", "dearest_limits": "one more contact at branch <B> …"}
    told = report_content(Scored(tmp_path, counts=counts), REPORTS, (), None)
    assert told["choice"] == {"gap": "0.0012%", "dearest limits": counts["dearest_limits"]}
    assert "<td>one more contact at branch &lt;B&gt; …</td>" in page_text(told)
    assert "Choice of offers" not in page_text(content(tmp_path))


def test_every_rule_has_its_verdict(tmp_path):
    [table] = content(tmp_path)["tables"]
    verdicts = ["kept", "broken", "warning", "not checked"]
    assert [rule["verdict"] for rule in table["rules"]] == verdicts
    assert (table["name"], table["rows"]) == ("scores", 48210)
    assert table["rules"][1]["found"] == 3
    assert content(tmp_path)["verdicts"] == dict.fromkeys(verdicts, 1)


def test_the_page_shows_every_rule_and_first_those_to_look_at(tmp_path):
    shown = Text(page_text(content(tmp_path))).shown
    for phrase in (
        "4 rules: 1 broken, 1 not checked, 1 warning, 1 kept.",
        "scores 48,210 rows",
        "there are rows critical 1,234,567",
        "a < b & c critical 3 48,210",
        "the mean is fine 1 of 4 warning 0.25",
        "it can be checked could not be checked: ArithmeticException warning",
    ):
        assert phrase in shown
    assert shown.index("Needs a look") < shown.index("a < b & c") < shown.index("there are rows")


def test_the_page_says_whether_the_run_was_stopped_and_why(tmp_path):
    assert "No critical rule is broken." in Text(page_text(content(tmp_path))).shown
    shown = Text(page_text(content(tmp_path, ["scores: <b>3</b> rows"]))).shown
    assert "Stopped: nothing was published." in shown
    assert "scores: <b>3</b> rows" in shown


def test_the_page_is_well_formed_and_needs_no_network(tmp_path):
    page = page_text(content(tmp_path, ["<script src=//x.example/y></script>"]))
    text = Text(page)
    assert text.open == []
    assert text.fetched == ["#scores"]
    assert "url(" not in page
    assert "@import" not in page


def test_the_same_run_writes_the_same_bytes(tmp_path):
    def written(folder):
        page = write_report(Scored(folder), REPORTS, [], None)
        assert page == folder / "reports" / "2024-03-01" / "score-0123456789ab.html"
        return page.read_bytes(), page.with_suffix(".json").read_bytes()

    assert written(tmp_path / "a") == written(tmp_path / "b")
    assert json.loads(written(tmp_path / "a")[1])["run_id"] == RUN_ID


# A marker in every text column, in good rows and in bad ones.
CANARY = {
    "branches": """
        branch_id  | name       | region
        CANARYbr   | CANARYname | CANARYreg
    """,
    "advisors": """
        advisor_id | branch_id | name       | role
        CANARYad   | CANARYbr  | CANARYname | CANARYrole
    """,
    "customers": """
        customer_id | branch_id | segment    | payroll_employer_id | advisor_id | household_id
        CANARY1     | CANARYbr  | mass       | CANARYemp           | CANARYad   | CANARYhh
        CANARY2     | CANARYxx  | CANARYseg  | CANARYemp           | CANARYno   | CANARYhh
        CANARY3     | CANARYxx  |            | CANARYemp           | CANARYno   | CANARYhh
    """,
    "accounts": """
        account_id | customer_id | product_id
        CANARYa    | CANARY1     | CANARYprod
        CANARYb    | CANARY9     | CANARYprod
    """,
    "transactions": """
        transaction_id | account_id | booked_on  | amount | category  | channel  | counterparty_id
        CANARYt1       | CANARYa    | 2024-02-10 | 100.00 | CANARYcat | CANARYch | CANARYcp
        CANARYt2       | CANARYa    | CANARYday  | CANARY | CANARYcat | CANARYch | CANARYcp
    """,
    "holdings": """
        holding_id | customer_id | product_id | account_id
        CANARYh    | CANARY1     | CANARYprod | CANARYa
    """,
    "contacts": """
        contact_id | customer_id | product_id | offer_id  | campaign_id | channel | contacted_on
        CANARYk    | CANARY1     | CANARYprod | CANARYoff | CANARYcamp  | phone   | 2024-02-02
    """,
}
ACCEPTED_ALL = ["checks.max_quarantine_share=1.0", ANY_REASON, "bank.transaction_buckets=2"]
TOO_STRICT = [*ACCEPTED_ALL, "checks.trailing.max_days_since_delivery=14"]


@pytest.fixture(scope="module")
def ingested(tmp_path_factory, spark):
    """A home, what stopped its first ingest, and the summary of its second."""
    home = Home(tmp_path_factory.mktemp("home"))
    home.create()
    write_delivery(home.landing, "2024-02-15", CANARY)
    strict = Context(AS_OF, load_config("local", TOO_STRICT), home, spark)
    with pytest.raises(ContractViolation) as stopped:
        execute(strict, INGEST)
    context = Context(AS_OF, load_config("local", ACCEPTED_ALL), home, spark)
    result = execute(context, INGEST)
    return home, str(stopped.value).splitlines(), summary_lines(context, [result]), result


def test_a_refused_delivery_leaves_a_report_with_every_reason(tmp_path, spark):
    home = Home(tmp_path)
    home.create()
    folder = write_delivery(home.landing, "2024-02-15", CANARY)
    (folder / "branches.csv").write_text("branch,name,region,recorded_at\n")
    (folder / "advisors.csv").write_text("")
    write_manifest(folder)
    with pytest.raises(ContractViolation) as refused:
        execute(Context(AS_OF, load_config("local", ACCEPTED_ALL), home, spark), INGEST)
    *reasons, line = str(refused.value).splitlines()
    page = page_named_in(line)
    assert json.loads(page.with_suffix(".json").read_text())["problems"] == reasons
    assert [reason.partition(": ")[0] for reason in reasons] == [
        "2024-02-15/advisors.csv",
        "2024-02-15/branches.csv",
    ]
    shown = Text(page.read_text()).shown
    assert "Stopped: nothing was published." in shown
    assert "did you mean branch?" in shown
    assert "Refused before the contracts were looked at." in shown
    assert "CANARY" not in page.read_text() + str(refused.value)


def page_named_in(line):
    label, _, page = line.partition(" ")
    assert label == "Report:"
    return Path(page)


def test_a_run_that_is_stopped_leaves_a_report_and_the_error_names_it(ingested):
    home, stopped, _, result = ingested
    page = page_named_in(stopped[-1])
    written = json.loads(page.with_suffix(".json").read_text())
    assert written["stopped"] is True
    assert written["problems"] == stopped[:-1]
    assert sorted(line.partition(":")[0] for line in stopped[:-1]) == [
        "consents",
        "contacts",
        "flags",
    ]
    assert page != report_page(home.path, "ingest", AS_OF, result.record.run_id)


def test_the_summary_names_the_report_of_a_run_that_was_published(ingested):
    home, _, summary, result = ingested
    page = page_named_in(summary[-1])
    assert page == report_page(home.path, "ingest", AS_OF, result.record.run_id)
    assert "No critical rule is broken." in Text(page.read_text()).shown


def test_the_report_accounts_for_every_row_delivered(ingested):
    _, _, summary, result = ingested
    content = json.loads(page_named_in(summary[-1]).with_suffix(".json").read_text())
    rows = {row["table_name"]: row for row in content["deliveries"]}
    assert rows["transactions"] == {
        "delivery": "2024-02-15",
        "table_name": "transactions",
        "rows_in": 2,
        "rows_accepted": 1,
        "rows_quarantined": 1,
        "rows_erased": 0,
    }
    for row in rows.values():
        assert row["rows_in"] == sum(
            row[name] for name in ("rows_accepted", "rows_quarantined", "rows_erased")
        )
    assert sum(row["rows_in"] for row in rows.values()) == result.record.counts["rows_in"]
    set_aside = {(row["table_name"], row["rule"]) for row in content["quarantined"]}
    assert ("accounts", "orphan") in set_aside


def test_no_report_holds_a_clients_value(ingested):
    home, stopped, summary, _ = ingested
    files = sorted((home.path / "reports").rglob("*"))
    texts = [path.read_text() for path in files if path.is_file()]
    assert len(texts) == 4
    for text in [*texts, *stopped, *summary]:
        assert "CANARY" not in text
