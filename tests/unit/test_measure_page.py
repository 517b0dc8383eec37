"""Pages of a measurement say what the tables say, whatever was measured, and no more."""

import re
from dataclasses import replace
from html import unescape
from math import nan

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from jobs.measurement.pages.blocks import by_chance
from jobs.measurement.pages.found import ALL, CONTROL, HOLDOUT, MEASURED, Part
from jobs.measurement.pages.page import write_measurement
from jobs.measurement.pages.rows import Results
from jobs.measurement.pages.words import (
    DASH,
    STATES,
    interval,
    number,
    numbers,
    percent,
    state_in_words,
    sureness,
    unit_of,
)
from tables.derived import CAMPAIGN_RESULTS
from tests import measured_figures as figures
from tests.pages import Text

EXTREMES = {
    "nothing": figures.nothing,
    "three contacts": figures.three_contacts,
    "a year": figures.year,
    "large": lambda: figures.year(scale=3e6, branches=3),
    "losses": lambda: figures.year(sign=-1.0, branches=3),
}
MONEY = unit_of("profit", "EUR")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """By extreme its folder and its pages by path."""
    found = {}
    for name, made in EXTREMES.items():
        folder = tmp_path_factory.mktemp("pages")
        paths = write_measurement(folder / "measurement", made())
        found[name] = folder, {path: path.read_text() for path in paths.values()}
    return found


@pytest.mark.parametrize("name", EXTREMES)
def test_every_page_is_whole_and_fetches_nothing(written, name):
    folder, pages = written[name]
    tables = {"campaign_results"} | {
        table
        for part in (figures.year().credit, figures.year().clients, figures.year().models)
        for table in part.tables
    }
    for path, page in pages.items():
        text = Text(page)
        assert text.open == []
        assert "None" not in text.shown
        assert "nan" not in text.shown.split()
        assert "<script" not in page
        for link in text.fetched:
            if link.startswith("#"):
                assert link[1:] in text.ids
            elif link.endswith(".html"):
                assert (path.parent / link).resolve() in pages
            else:
                assert (path.parent / link).resolve().parent == folder / "measurement"
                assert link.rsplit("/")[-1].split(".")[0] in tables


def test_each_reader_has_a_section_to_jump_to(written):
    for page in written["a year"][1].values():
        text = Text(page)
        assert {"manager", "science", "compliance"} <= set(text.ids)
        assert {"#manager", "#science", "#compliance"} <= set(text.fetched)


def test_there_is_a_page_for_every_campaign_also_where_two_are_of_one_day(tmp_path):
    one, *others = figures.year().campaigns
    found = replace(
        figures.nothing(), campaigns=(one, replace(one, run_id="other" * 12), others[0])
    )

    paths = write_measurement(tmp_path / "measurement", found)

    assert len(set(paths.values())) == 4
    assert all(path.exists() for path in paths.values())


def test_same_figures_in_any_order_give_the_same_bytes(tmp_path):
    found = figures.year(branches=5)
    order = np.random.default_rng(1).permutation(found.results.num_rows)
    other = replace(
        found,
        results=found.results.take(pa.array(order)),
        campaigns=tuple(reversed(found.campaigns)),
    )

    first = write_measurement(tmp_path / "first" / "measurement", found)
    second = write_measurement(tmp_path / "second" / "measurement", other)

    assert [path.read_bytes() for path in first.values()] == [
        path.read_bytes() for path in second.values()
    ]


def test_every_state_of_the_table_has_words():
    told = next(c.meaning for c in CAMPAIGN_RESULTS.columns if c.name == "state")

    assert set(re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", told)) == set(STATES) - {MEASURED}


def test_a_campaign_that_is_not_measured_says_why_on_every_page_and_shows_no_effect(written):
    folder, pages = written["a year"]
    month = Text(pages[folder / "measurement.html"]).shown
    for place, state in enumerate(("no_control", "not_randomised", "not_matured"), start=2):
        as_of = figures.campaign(place).as_of
        own = Text(pages[folder / "measurement" / f"campaign-{as_of}.html"]).shown
        assert f"Not measured: {STATES[state]}." in own
        assert "sure gain" not in own
        assert "of clients offered bought it; beside," in own or state == "not_matured"
        assert re.search(rf"{as_of:%Y-%m}[^;]*\({re.escape(STATES[state])}\)", month)


def test_numbers_on_the_page_are_those_of_the_table(written):
    folder, pages = written["a year"]
    page = unescape(pages[folder / "measurement.html"]).replace("\u00a0", " ").replace("−", "-")
    page = page[page.index("by product</h3>") : page.index("by move</h3>")]
    results = Results(figures.year().results)

    for row in results.parts("product", "profit"):
        shown = re.search(rf'aria-label="{_label(row)}: (\S+) \[(\S+), (\S+)\]', page)
        if row["state"] != MEASURED:
            assert shown is None
            continue
        told = [float(end) for end in shown.groups()]
        wanted = [row["effect"], row["effect_low"], row["effect_high"]]
        assert told == pytest.approx(wanted, abs=0.051)
        assert f"{row['treated']:,} offered, {row['control']:,} withheld" in page


def _label(row):
    return re.escape({"credit_card": "Credit card"}.get(row["value"]) or _spaced(row["value"]))


def _spaced(name):
    return name.replace("_", " ")


def test_the_answer_comes_first_and_says_whether_it_is_sure(written):
    folder, pages = written["a year"]
    page = Text(pages[folder / "measurement.html"]).shown
    results = Results(figures.year().results)
    whole, holdout = results.whole("profit"), results.whole("profit", ALL, HOLDOUT)

    start = page[: page.index("For the campaign manager")]

    assert number(whole["total"], " EUR", signed=True) in start
    assert "That it earned money is sure." in start
    assert "What could be measured of them caused between" in start
    assert number(holdout["total"], " EUR", signed=True) in start
    assert f"of {whole['treated']:,} clients offered" in start


def test_losses_are_told_as_losses(written):
    folder, pages = written["losses"]
    start = Text(pages[folder / "measurement.html"]).shown

    assert "That it cost money is sure." in start
    assert "Surely loses" in start
    assert "Surely earns" not in start


def test_what_is_missing_says_why(written):
    nothing = Text(next(iter(written["nothing"][1].values()))).shown
    assert "No campaign was made in the months looked at" in nothing
    assert "Not told: no month of scores has an outcome window that is over." in nothing

    folder, pages = written["three contacts"]
    three = Text(pages[folder / "measurement.html"]).shown
    assert "1 campaign of 2026-09; none could be measured." in three
    assert "Contacts made 3 about offers to 3 clients" in three
    assert "too few clients in an arm" in three


def test_names_of_others_are_text_and_never_markup(tmp_path):
    evil = "<script>alert(1)</script>"
    found = figures.year(branches=2)
    rows = found.results.to_pylist()
    for row in rows:
        if row["cut"] == "product" and row["value"] == "mortgage":
            row["value"] = evil
    found = replace(
        found,
        results=figures.results(rows),
        credit=Part((evil,), {}),
        names={"P01": evil},
        missing={"models": evil},
        models=None,
    )

    for path in write_measurement(tmp_path / "measurement", found).values():
        page = path.read_text()
        assert "<script" not in page
        assert "&lt;script&gt;" in page


def test_what_is_not_told_for_a_small_groups_sake_is_not_on_the_page(written):
    folder, pages = written["a year"]
    page = Text(pages[folder / "measurement.html"]).shown

    assert "1 number not told, for a small group's sake." in page
    assert "channel: email (not told, for a small group's sake)" in page
    assert "in care: complaint open not told, for a small group's sake" in page


def test_long_lists_show_the_most_telling_and_name_the_file(written):
    folder, pages = written["a year"]
    page = Text(pages[folder / "measurement.html"]).shown

    assert "28 more in the file. Figures: credit.csv" in page
    assert "18 more in the file. Figures: feature_drift.csv" in page


def test_what_chance_alone_would_show_is_said_beside_many_parts():
    rows = [
        {"state": MEASURED, "p_value": p_value, "is_sure": p_value < 0.001}
        for p_value in (0.0001, 0.02, 0.04, *[0.5] * 37)
    ]
    rows.append({"state": "too_few", "p_value": None, "is_sure": False})

    assert by_chance(rows, ("branch", "branches")) == (
        "40 branches: about 2.0 would stand out by chance alone; 3 do, 1 still when all are"
        " looked at together."
    )


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([12_345.6, 4_001.2, 20_690.0], ["12,300", "4,000", "20,700"]),
        ([0.0], ["0"]),
        ([-0.001, 0.002], ["0.00", "0.00"]),
        ([1.5e6, -2.25e6], ["1.50", "−2.25"]),
        ([3.2e12], ["3,200"]),
        ([99.96], ["100.0"]),
        ([None, nan, 7.0], [DASH, DASH, "7.00"]),
    ],
)
def test_numbers_have_no_more_digits_than_they_deserve(values, told):
    assert numbers(values)[0] == told


def test_an_interval_has_one_sign_one_unit_and_no_break_in_between():
    assert interval([12_345.0, -20.0, 24_690.0], "\u00a0EUR") == "+12,300\u00a0EUR [0,\u00a024,700]"
    assert interval([-1.5e6, -2e6, -1e6]) == "−1.50 million [−2.00,\u00a0−1.00]"
    assert interval([None, None, None]) == DASH
    assert percent(0.123) == "12.3\u00a0%"
    assert percent(0.0012) == "0.12\u00a0%"
    assert percent(0.0) == "0.0\u00a0%"


def test_whether_it_is_sure_is_said_in_words_for_each_measure():
    row = {"is_sure": True, "effect": -1.0}
    assert sureness(row, MONEY) == "sure loss"
    assert sureness(row, unit_of("opt_out", "EUR")) == "surely fewer"
    assert sureness({"is_sure": False, "effect": 9.0}, MONEY) == "not sure"
    assert sureness({"is_sure": True, "effect": 9.0}, unit_of("cost", "EUR")) == "surely a cost"


def test_results_are_found_by_what_they_are_about():
    found = figures.year(branches=2)
    results = Results(found.results)
    wanted = found.results.filter(
        pc.and_(pc.equal(found.results["cut"], "move"), pc.equal(found.results["measure"], "cost"))
    )
    run = found.campaigns[0].run_id

    own = results.parts("move", "cost", run)

    assert own == sorted(
        (row for row in wanted.to_pylist() if row["campaign"] == run),
        key=lambda row: row["value"],
    )
    assert {row["against"] for row in own} == {CONTROL}
    assert results.parts("move", "nothing") == []
    assert results.whole("profit", "nobody") is None


def test_a_state_that_nobody_thought_of_is_told_as_it_is():
    assert state_in_words("bad_luck") == "bad luck"
