"""The report on a month's features: what it is compared with, what it warns of, what it shows."""

from __future__ import annotations

import json
import logging
import re
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from conf.load import load_config
from conf.schema import RunConfig
from features.catalogue import customer_features_table, feature_catalogue, model_feature_names
from jobs.features.report import report_features
from jobs.publishing import StepResult
from jobs.reports import report_page
from jobs.runs.audit_staged import audit
from jobs.runs.staging import Staging
from jobs.runs.summary import summary_lines
from tables.arrow import arrow_schema
from tables.delta import commit_files
from tables.derived import TRAINING_SET
from tables.runs import RunRecord, Runs
from tables.store import Store
from tests.pages import Text

AS_OF, LAST_MONTH, NEXT_MONTH = date(2024, 3, 1), date(2024, 2, 1), date(2024, 4, 1)
CONFIG = load_config("local")
PRODUCTS = tuple(CONFIG.products)
FEATURES = customer_features_table(PRODUCTS)
TRAINED_ON = replace(
    TRAINING_SET,
    columns=TRAINING_SET.columns
    + tuple(one for one in FEATURES.columns if one.name in model_feature_names(PRODUCTS)),
)
CUSTOMERS = 300
SEGMENTS = ["mass"] * 200 + ["vip"] * 95 + ["CANARYsegment"] * 5
MOVED, EMPTIED = "days_since_last_contact", "has_advisor"
NUMBERS = {"int", "bigint", "double", "decimal(18,2)"}


@dataclass(frozen=True)
class Month:
    """All that the report takes from a run."""

    home: Path
    store: Store
    staging: Staging
    as_of: date = AS_OF
    step: str = "features"
    run_id: str = "0123456789abcdef"
    config: RunConfig = CONFIG
    counts: dict[str, int] = field(default_factory=dict)

    def count(self, name, more):
        self.counts[name] = self.counts.get(name, 0) + more

    @contextmanager
    def progress(self, total, label):
        yield lambda done: None


def snapshot(table, as_of=AS_OF, rows=CUSTOMERS, **changed):
    """Rows of a table of features: every number a spread of its own, or what is given."""
    schema = arrow_schema(table)
    values = {"as_of": [as_of] * rows, "cohort": [LAST_MONTH] * rows}
    values["customer_id"] = [f"CANARY{place}" for place in range(rows)]
    values["segment"] = (SEGMENTS * rows)[:rows]
    values |= {"part": ["test"] * rows, "weight": [1.0] * rows}
    for one in table.columns:
        if one.type == "boolean":
            values[one.name] = [place % 3 == 0 for place in range(rows)]
        elif one.type in NUMBERS:
            values[one.name] = [_number(one.type, place) for place in range(rows)]
    arrays = [pa.array((values | changed)[name], schema.field(name).type) for name in schema.names]
    return pa.Table.from_arrays(arrays, schema=schema)


def _number(kind, place):
    return Decimal(place) / 4 if kind.startswith("decimal") else place


def staged(home, table, rows, as_of=AS_OF, run_id="0123456789abcdef"):
    staging = Staging(home / "tables", run_id, as_of, 1)
    staging.stage(table, rows)
    return staging


def commit(home, step, table, rows, as_of):
    """A committed run of another month, or of the training."""
    run_id = f"{step}-{as_of}"
    staging = staged(home, table, rows, as_of, run_id)
    version = commit_files(home / "tables" / table.name, table, staging.files[table.name], run_id)
    record = RunRecord(
        run_id, step, as_of, "", None, {}, {table.name: version}, {table.name: {}}, {}, "", "{}",
        "", "embedded", 1.0,
    )  # fmt: skip
    return Runs(home / "tables").append(record)


def report(home, **changed):
    """The report of a month's features: its content, its page and the run."""
    staging = staged(home, FEATURES, snapshot(FEATURES, **changed))
    store = Store(home / "tables", None, {})
    run = Month(home, store, staging)
    page = report_features(run, store.with_staged(staging.files))
    content = json.loads(page.with_suffix(".json").read_text())
    return content, page, run


def trained(home, as_of=LAST_MONTH, **changed):
    return commit(home, "train", TRAINED_ON, snapshot(TRAINED_ON, as_of, **changed), as_of)


def built_last_month(home, **changed):
    return commit(home, "features", FEATURES, snapshot(FEATURES, LAST_MONTH, **changed), LAST_MONTH)


def entry(content, name):
    return next(one for one in content["features"] if one["name"] == name)


def test_the_planted_shift_comes_first_in_words_and_as_a_warning(tmp_path, caplog):
    trained(tmp_path)
    with caplog.at_level(logging.WARNING):
        content, page, run = report(tmp_path, **{MOVED: range(100, 100 + CUSTOMERS)})
    first = content["features"][0]
    assert content["most_changed"] == [MOVED] == [first["name"]]
    assert first["change"] == "median 149 → 249"
    [warning] = content["warnings"]
    assert warning == f"{MOVED}: PSI {first['psi']:.2f} is over 0.25: median 149 → 249"
    assert [line.getMessage() for line in caplog.records] == [f"features 2024-03-01: {warning}"]
    assert run.counts == {"warnings": 1}
    shown = Text(page.read_text()).shown.replace(" ,", ",")
    assert f"PSI {first['psi']:.2f}, median 149 → 249" in shown
    assert shown.index("Most changed") < shown.index("Every feature")


def test_features_follow_in_order_of_their_drift(tmp_path):
    trained(tmp_path, **{EMPTIED: [True] * CUSTOMERS})
    content, _, _ = report(tmp_path, **{MOVED: range(40, 40 + CUSTOMERS)})
    drifts = [one["psi"] for one in content["features"]]
    known = [psi for psi in drifts if psi is not None]
    assert known == sorted(known, reverse=True)
    assert drifts[len(known) :] == [None] * (len(drifts) - len(known))
    assert [one["name"] for one in content["features"]][:2] == [EMPTIED, MOVED]


def test_nothing_to_compare_with_is_said(tmp_path):
    content, page, run = report(tmp_path)
    assert (content["training"], content["last_month"]) == (None, None)
    assert {one["psi"] for one in content["features"]} == {None}
    assert {one["reference"] for one in content["features"]} == {None}
    assert run.counts.get("warnings", 0) == 0
    assert "nothing to compare with" in Text(page.read_text()).shown


def test_without_training_last_month_is_compared_with(tmp_path):
    built_last_month(tmp_path)
    content, page, _ = report(tmp_path)
    assert content["last_month"]["rows"] == CUSTOMERS
    assert {one["reference"] for one in content["features"]} == {"last month"}
    assert {one["psi"] for one in content["features"]} == {0.0}
    assert "compared with last month (300 customers)" in Text(page.read_text()).shown


def test_training_is_compared_with_and_last_month_for_what_no_model_uses(tmp_path):
    trained(tmp_path)
    built_last_month(tmp_path, **{MOVED: range(100, 100 + CUSTOMERS)})
    content, _, _ = report(tmp_path)
    in_models = {one.name for one in feature_catalogue(PRODUCTS) if one.in_model}
    found = {one["name"]: one["reference"] for one in content["features"]}
    assert {name for name, reference in found.items() if reference == "training"} == in_models
    assert found["segment"] == "last month"
    assert entry(content, MOVED)["psi"] == 0.0


def test_the_newest_training_up_to_the_month_counts(tmp_path):
    trained(tmp_path, date(2024, 1, 1))
    trained(tmp_path, rows=200)
    trained(tmp_path, NEXT_MONTH)
    content, _, _ = report(tmp_path)
    assert content["training"] == {
        "run_id": "train-2024-02-01",
        "as_of": "2024-02-01",
        "rows": 200,
    }


def test_training_cohorts_have_too_many_buyers_to_be_compared_with(tmp_path):
    enriched = [0] * 100 + list(range(100, 300))
    parts = ["train"] * 100 + ["calibration"] * 100 + ["test"] * 100
    trained(tmp_path, part=parts, **{MOVED: enriched})
    content, page, _ = report(tmp_path, **{MOVED: [100 + 2 * place // 3 for place in range(300)]})
    assert content["training"]["rows"] == 200
    assert entry(content, MOVED)["then"]["typical"]["median"] == 199
    assert entry(content, MOVED)["psi"] < 0.01
    assert "200 rows of calibration and test" in Text(page.read_text()).shown


def test_a_training_set_without_parts_is_compared_with_whole(tmp_path):
    columns = tuple(one for one in TRAINED_ON.columns if one.name not in ("part", "weight"))
    before = replace(TRAINED_ON, columns=columns)
    commit(tmp_path, "train", before, snapshot(before, LAST_MONTH), LAST_MONTH)
    content, _, _ = report(tmp_path)
    assert content["training"]["rows"] == CUSTOMERS
    assert entry(content, MOVED)["psi"] == 0.0


def test_coverage_is_compared_with_last_month(tmp_path):
    trained(tmp_path, **{EMPTIED: [False] * CUSTOMERS})
    built_last_month(tmp_path)
    content, page, _ = report(tmp_path, **{EMPTIED: [False] * CUSTOMERS})
    found = entry(content, EMPTIED)
    assert (found["coverage_last_month"], found["now"]["coverage"]) == (0.333333, 0.0)
    assert content["warnings"] == [
        f"{EMPTIED}: 0 % of customers have data, last month 33 %",
        f"{EMPTIED}: the value is the same for all customers, which was not so before",
    ]
    shown = Text(page.read_text()).shown.replace("_ ", "_").replace(" ,", ",")
    assert f"Without data for any customer {EMPTIED} Every feature" in shown
    assert "with data 0 % (training 0 %, last month 33 %)" in shown


def test_a_month_without_customers_has_a_report(tmp_path):
    trained(tmp_path)
    staging = staged(tmp_path, FEATURES, snapshot(FEATURES, rows=0))
    store = Store(tmp_path / "tables", None, {})
    page = report_features(Month(tmp_path, store, staging), store.with_staged(staging.files))
    assert json.loads(page.with_suffix(".json").read_text())["customers"] == 0


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A page with everything on it."""
    home = tmp_path_factory.mktemp("home")
    trained(home, **{EMPTIED: [False] * CUSTOMERS})
    built_last_month(home)
    content, page, _ = report(home, **{MOVED: range(100, 100 + CUSTOMERS)})
    return content, page.read_text()


def test_the_page_is_well_formed_and_every_link_leads_somewhere_on_it(whole):
    content, page = whole
    text = Text(page)
    assert text.open == []
    assert len(text.ids) == len(set(text.ids))
    assert {link.removeprefix("#") for link in text.fetched} <= set(text.ids)
    assert all(link.startswith("#") for link in text.fetched)
    assert {one["name"] for one in content["features"]} <= set(text.ids)
    assert not re.search(r"url\(|@import|<script", page)


def test_a_theme_s_link_leaves_only_its_features(whole):
    content, page = whole
    for theme, features in content["themes"].items():
        name = "theme-" + theme.replace(" ", "-")
        assert f'<a href="#{name}">{theme} ({features})</a>' in page
        assert f"#{name}:target ~ .features > :not(.{name}) {{ display: none; }}" in page
        assert page.count(f'<article class="{name}"') == features
    assert sum(content["themes"].values()) == len(content["features"])


def test_neither_page_nor_figures_show_a_client(whole):
    content, page = whole
    assert "CANARY" not in page
    assert "CANARY" not in json.dumps(content)
    labels = [one["label"] for one in entry(content, "segment")["classes"]]
    assert labels == ["mass", "vip", "other"]
    # of 300 customers, the outer quantiles are too near to single ones
    typical = entry(content, MOVED)["now"]["typical"]
    assert (typical["1 %"], typical["99 %"], typical["median"]) == (None, None, 249)


def test_the_same_month_gives_the_same_bytes_whatever_the_order_of_rows(tmp_path):
    def written(home, order):
        trained(home)
        built_last_month(home)
        staging = staged(home, FEATURES, snapshot(FEATURES))
        for file in staging.files[FEATURES.name]:
            path = home / "tables" / FEATURES.name / file.path
            pa.parquet.write_table(pa.parquet.read_table(path).take(order), path)
        store = Store(home / "tables", None, {})
        page = report_features(Month(home, store, staging), store.with_staged(staging.files))
        return page.read_bytes(), page.with_suffix(".json").read_bytes()

    order = np.arange(CUSTOMERS)
    assert written(tmp_path / "a", order) == written(tmp_path / "b", order[::-1])


def test_the_audit_of_the_features_writes_the_report_and_the_summary_names_it(tmp_path, spark):
    rows = snapshot(FEATURES)
    staging = staged(tmp_path, FEATURES, rows)
    run = Month(tmp_path, Store(tmp_path / "tables", spark, {}), staging)
    audit(run)
    page = report_page(tmp_path, "features", AS_OF, run.run_id)
    assert page.exists()
    record = replace(commit(tmp_path, "features", FEATURES, rows, AS_OF), run_id=run.run_id)
    context = SimpleNamespace(as_of=AS_OF, home=SimpleNamespace(path=tmp_path))
    assert f"Report: {page}" in summary_lines(context, [StepResult(record, False)])
