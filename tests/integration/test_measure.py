"""`xsell measure`: what is published of past campaigns, and when it is measured again."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime
from functools import partial
from time import process_time
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conf.load import load_config
from jobs import measure
from jobs.measurement.files import measurement_folder, measurement_page
from jobs.publishing import Context, execute
from jobs.runs import inputs
from jobs.runs.summary import summary_lines
from jobs.steps import MEASURE
from tables.derived import CAMPAIGN_RESULTS, DELIVERIES
from tables.errors import ContractViolation, UserError
from tables.runs import Runs
from tables.sources import CONTACTS, CUSTOMERS, HOLDINGS
from tables.store import Store
from tests import scored_home
from tests.fairness_home import add_results
from tests.measured_home import campaign, know, open_home, pins_of
from tests.pages import Text

JUNE, OCTOBER, AS_OF = date(2026, 6, 1), date(2026, 10, 1), date(2026, 11, 1)
CARD = "credit_card_2026"
FEW = load_config("local", ["measurement.effect.min_clients=20"])


@pytest.fixture
def home(tmp_path, monkeypatch):
    made = open_home(tmp_path / "home", AS_OF)

    def ingested(_context, _step):
        return SimpleNamespace(step="ingest", run_id="ingested", pins=pins_of(made))

    monkeypatch.setattr(inputs, "_committed", ingested)
    return made


def a_past_campaign(home):
    """Of 200 offered 60 bought, of 50 withheld 5; everybody who was offered was contacted."""
    treated, control = ([f"{arm}{n:03d}" for n in range(of)] for arm, of in (("C", 200), ("K", 50)))
    rows = [{"customer_id": who, "offer_id": CARD} for who in treated]
    rows += [{"customer_id": who, "offer_id": CARD, "outcome": "control"} for who in control]
    campaign(home, JUNE, rows, ["campaign.control_share=0.2"])
    bought = "\n".join(f"H{who} | {who} | credit_card | 2026-07-01" for who in
                       (*treated[:60], *control[:5]))  # fmt: skip
    know(home, HOLDINGS, f"holding_id | customer_id | product_id | opened_on\n{bought}")
    contacts = "\n".join(f"T{who} | {who} | credit_card | 2026-06-20" for who in treated)
    header = "contact_id | customer_id | product_id | contacted_on"
    know(home, CONTACTS, f"{header}\n{contacts}", channel="phone")
    campaign(home, OCTOBER, rows[:1])


def context(home, spark, **changed):
    return Context(AS_OF, FEW, home, spark, **changed)


def results(home):
    record = Runs(home.tables).current("measure", AS_OF)
    rows = Store(home.tables, None, record.pins).arrow(CAMPAIGN_RESULTS, AS_OF).to_pylist()
    return {(row["campaign_as_of"], row["cut"], row["value"], row["measure"]): row
            for row in rows if row["against"] == "campaign_control"}  # fmt: skip


def test_what_a_campaign_caused_is_published_told_and_written(home, spark):
    a_past_campaign(home)
    done = execute(context(home, spark), MEASURE)
    found = results(home)
    response = found[JUNE, "all", "all", "response"]
    assert (response["state"], response["treated"], response["control"]) == ("measured", 200, 50)
    assert (response["treated_mean"], response["control_mean"]) == (0.3, 0.1)
    assert response["effect_low"] < 0.2 < response["effect_high"]
    # 200 contacts at 5.00 each; the margin of a card is 90.00.
    profit = found[JUNE, "all", "all", "profit"]
    assert (profit["treated_mean"], profit["control_mean"]) == pytest.approx((22.0, 9.0))
    product = found[JUNE, "product", "credit_card", "response"]
    assert product["effect"] == response["effect"]
    october = found[OCTOBER, "all", "all", "response"]
    assert (october["state"], october["effect"]) == ("not_matured", None)
    lines = summary_lines(context(home, spark), [done])
    assert "1 of 2 campaigns measured (2026-06-01, 2026-10-01)" in lines
    assert "201 offers to clients, 200 of them contacted (200 contacts)" in lines[3]
    assert any(line.startswith("Response: 30.00% of those offered, 10.00%") for line in lines)
    assert any(line.startswith("Not measured: 2026-10-01: the time in which") for line in lines)
    folder = measurement_folder(home, AS_OF, done.record.run_id)
    page = measurement_page(home, AS_OF, done.record.run_id)
    assert lines[-1] == f"Measurement: {page}"
    told = Text(page.read_text())
    assert "2 campaigns from 2026-06 to 2026-10; 1 could be measured." in told.shown
    assert "30.0 % against 10.0 % of 200 clients offered" in told.shown
    assert "Contacts made 200 about offers to 201 clients" in told.shown
    assert "Cannot be told. No model can be judged yet." in told.shown
    linked = [link for link in told.fetched if not link.startswith("#")]
    assert f"{folder.name}/campaign-{JUNE}.html" in linked
    assert all((page.parent / link).exists() for link in linked)
    assert {path.stem for path in folder.glob("*.csv")} == {
        path.stem for path in folder.glob("*.parquet")
    }
    with (folder / "campaign_results.csv").open(newline="") as file:
        written = list(csv.DictReader(file))
    assert len(written) == pq.read_metadata(folder / "campaign_results.parquet").num_rows
    assert {row["run_id"] for row in written} == {done.record.run_id}
    drawn = pq.read_table(folder / "randomisation.parquet").to_pylist()
    assert [(row["clients"], row["withheld"]) for row in drawn] == [(250, 50), (1, 0)]
    assert (folder / "withheld.csv").exists()
    assert any("sales after a contact are credited" in line for line in lines)
    with (folder / "credit.csv").open(newline="") as file:
        [branch] = [row for row in csv.DictReader(file) if row["level"] == "branch"]
    assert (branch["offers"], branch["contacted"]) == ("201", "200")


def test_it_is_done_once_and_another_returned_result_makes_it_another_one(home, spark, monkeypatch):
    whole = partial(measure.campaign_results, cuts=("all",))  # parts take their time
    monkeypatch.setattr(measure, "campaign_results", whole)
    a_past_campaign(home)
    first = execute(context(home, spark), MEASURE).record
    assert set(first.inputs) == {"ingest", f"campaign {JUNE}", f"campaign {OCTOBER}"}
    again = execute(context(home, spark), MEASURE)
    assert again.was_there_already and again.record.run_id == first.run_id
    june = Runs(home.tables).current("campaign", JUNE)
    add_results(home, june, {"C199": "complaint"}, datetime(2026, 7, 2, tzinfo=UTC))
    with pytest.raises(UserError, match="made from other inputs"):
        execute(context(home, spark), MEASURE)
    assert results(home)[JUNE, "all", "all", "complaint"]["treated_mean"] == 0
    newer = execute(context(home, spark, may_supersede=True), MEASURE).record
    assert newer.supersedes == first.run_id and "disposition" in newer.inputs
    assert results(home)[JUNE, "all", "all", "complaint"]["treated_mean"] == 1 / 200
    assert {row["campaign_as_of"] for row in results(home).values()} == {JUNE, OCTOBER, None}


def test_before_the_first_campaign_models_are_judged_and_no_effect_is_told(home, spark):
    campaign(home, AS_OF, [{"customer_id": "C1", "offer_id": CARD}])
    clients = [f"C{number}" for number in range(200)]
    know(home, CUSTOMERS, "\n".join(["customer_id", *clients]), birth_date=date(1985, 5, 5))
    scored_home.add_purchases(home, [(who, "mortgage", date(2026, 9, 1)) for who in clients[:50]])
    chance = {(who, "mortgage"): 0.125 for who in clients}
    scored_home.add_scores(home, date(2026, 8, 1), chance)
    scored_home.record(home, "ingest", AS_OF, DELIVERIES)
    started = process_time()  # which does not tell of who else wants the machine
    done = execute(context(home, spark), MEASURE)
    assert process_time() - started < 4
    assert set(done.record.inputs) == {"ingest", "score 2026-08-01"}
    assert done.record.outputs[CAMPAIGN_RESULTS.name] == {}
    lines = summary_lines(context(home, spark), [done])
    page = measurement_page(home, AS_OF, done.record.run_id)
    assert lines[1:3] == [
        "  measure   campaigns 0",
        "No campaign was made in the 12 months before 2026-11-01: no effect to measure yet.",
    ]
    assert lines[-1] == f"Measurement: {page}"
    folder = measurement_folder(home, AS_OF, done.record.run_id)
    [row] = pq.read_table(folder / "model_outcomes.parquet").to_pylist()
    assert (row["buyers"], row["expected"]) == (50, 25)
    told = Text(page.read_text()).shown
    assert "No campaign was made in the months looked at: there is no effect to measure." in told
    assert "no campaign was made in the months looked at" in told
    assert "2.00" in told  # bought, over expected
    assert not list(folder.glob("campaign-*.html"))


def test_a_model_that_cannot_be_judged_stops_the_measurement_with_its_own_words(
    home, spark, monkeypatch
):
    def gone(*_):
        raise ContractViolation("model credit_card 3 is not what was registered")

    monkeypatch.setattr(measure, "model_findings", gone)
    know(home, HOLDINGS, "holding_id | customer_id | product_id | opened_on")
    with pytest.raises(ContractViolation, match="credit_card 3 is not what was registered"):
        execute(context(home, spark), MEASURE)
    assert Runs(home.tables).current("measure", AS_OF) is None


@pytest.mark.slow
def test_results_that_break_their_contract_are_not_published(home, spark, monkeypatch):
    a_past_campaign(home)
    honest = measure.campaign_results

    def without_reasons(*given):
        found = honest(*given)
        place = found.column_names.index("note")
        nothing = pa.nulls(found.num_rows, pa.string())
        return found.set_column(place, found.field(place), nothing)

    monkeypatch.setattr(measure, "campaign_results", without_reasons)
    with pytest.raises(ContractViolation, match="where nothing was measured, it is said why"):
        execute(context(home, spark), MEASURE)
    assert Runs(home.tables).current("measure", AS_OF) is None
