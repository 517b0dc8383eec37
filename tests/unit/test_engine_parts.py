"""The choice comes out the same in any number of parts, here or in tasks of an engine."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from campaigns.choice import choose, choose_among
from campaigns.competition import Competition, Known, Terms
from campaigns.optimiser import optimise
from campaigns.parts import InProcess, itself
from campaigns.sections import Section
from jobs.campaigns.parts import sections_of
from jobs.engine_parts import EngineParts
from tests.property.test_choice_laws import made, options
from tests.random_competition import make_rows, make_terms, told
from tests.unit.test_campaigns_optimiser import large_problem

MANY = 400  # customers with some 2,900 options, too many for an exact choice
SIZES = (15, 60, MANY)
SIFT = "campaigns.optimiser_sift"


def drawn(seeds: range) -> list[tuple[pa.Table, Terms]]:
    sizes = [(seed, SIZES[seed % len(SIZES)]) for seed in seeds]
    return [(make_rows(seed, size), make_terms(seed, size)) for seed, size in sizes]


def in_sections(rows: pa.Table, terms: Terms, count: int) -> InProcess[Section]:
    """As an engine would have them: each section from rows of its own."""
    home = rows["household_id"].to_pylist()
    alone = rows["customer_id"].to_pylist()
    part = np.array(
        [crc32((one or other).encode()) % count for one, other in zip(home, alone, strict=True)]
    )
    known = Known.of(rows)
    pieces = [rows.filter(pa.array(part == number)) for number in range(count)]
    return InProcess(
        [Section.among(number, own, terms, known) for number, own in enumerate(pieces)]
    )


def all_sifted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Search for prices as if there were millions of options."""
    monkeypatch.setattr(f"{SIFT}.SIFTED_ABOVE", 1)
    monkeypatch.setattr(f"{SIFT}.SAMPLE_OPTIONS", 1_000)


def test_the_choice_is_the_same_in_any_number_of_sections() -> None:
    seen: Counter[str] = Counter()
    for rows, terms in drawn(range(9)):
        alone = told(choose(rows, terms))
        for count in (2, 5):
            assert told(choose_among(in_sections(rows, terms, count), terms.settings)) == alone
        cut = [row for row in alone["places"] if row["made_cut"]]
        seen["control"] += sum(row["rank_in_branch"] is None for row in cut)
        seen["by chance"] += alone["explored"][0]
        seen["lacking"] += bool(alone["lacking"][0])
        seen.update(f"{name} binds" for name in binding(alone))
    kinds = {"branch", "advisor", "product", "campaign", "channel", "lever"}
    assert {f"{kind} binds" for kind in kinds} | {"control", "by chance", "lacking"} <= set(seen)


def binding(choice: dict[str, Any]) -> set[str]:
    """Names of limits that are used up."""
    pairs = zip(choice["limits"], choice["used"], strict=True)
    return {name for (name, _, most), used in pairs if any(map(int.__eq__, most, used))}


def test_sifting_looks_at_sections_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    all_sifted(monkeypatch)
    rows, terms = make_rows(2, MANY), make_terms(2, MANY)
    alone = told(choose(rows, terms))
    for count in (1, 4):
        assert told(choose_among(in_sections(rows, terms, count), terms.settings)) == alone


def test_households_are_drawn_alike_where_there_are_no_branches(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    all_sifted(monkeypatch)
    rows, terms = make_rows(2, MANY), make_terms(2, MANY)
    one_branch = pa.array(["B0"] * len(rows))
    rows = rows.set_column(rows.column_names.index("branch_id"), "branch_id", one_branch)
    settings = terms.settings.model_copy(
        update={"advisor_capacity": None, "branch_capacity": MANY // 8}
    )
    terms = replace(terms, settings=settings)
    alone = told(choose(rows, terms))
    assert alone["worth"][0] > 0
    assert told(choose_among(in_sections(rows, terms, 4), settings)) == alone


def test_a_minimum_of_which_a_sample_has_no_whole_unit_is_searched_for_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    problem = large_problem()
    limits = [replace(limit, least=np.minimum(limit.least, 1)) for limit in problem.limits]
    assert any(limit.has_least for limit in limits)
    monkeypatch.setattr(f"{SIFT}.SIFTED_ABOVE", 1)
    monkeypatch.setattr(f"{SIFT}.SAMPLE_OPTIONS", len(problem) // 4)
    plan = optimise(replace(problem, limits=tuple(limits)))
    assert 0 <= plan.gap < 0.01
    assert not plan.shortages


def test_places_sort_as_the_order_that_decides_ties() -> None:
    rows = make_rows(1, 60)
    competition = Competition.among(rows, make_terms(1, 60))
    assert len(set(competition.place.tolist())) == len(rows)
    assert np.argsort(competition.place).tolist() == list(range(len(rows)))
    some = rows.slice(0, 30)
    alone = Competition.among(some, competition.terms, Known.of(rows))
    assert set(alone.place.tolist()) <= set(competition.place.tolist())


def test_what_chance_made_is_ranked_among_what_was_planned() -> None:
    alike = {"offer_id": "a", "profit_cents": 100}
    rows = options(
        {**alike, "customer_id": "C1", "propensity": 0.9, "exploration_hash": "0" * 64},
        {**alike, "customer_id": "C2", "propensity": 0.8},
    )
    choice, _ = made(rows, exploration_share=1.0)
    ranks = {row["customer_id"]: row["rank_in_branch"] for row in choice.places.to_pylist()}
    assert choice.explored == 1
    assert ranks == {"C1": 1, "C2": 2}


@pytest.mark.parametrize("is_sifted", [False, True])
def test_an_engine_makes_the_choice_of_this_process(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_sifted: bool
) -> None:
    if is_sifted:
        all_sifted(monkeypatch)
    monkeypatch.setattr("jobs.campaigns.parts.OPTIONS_HERE", 0)
    for number, (rows, terms) in enumerate(drawn(range(2, 3) if is_sifted else range(6))):
        monkeypatch.setattr("jobs.campaigns.parts.OPTIONS_PER_PART", len(rows) // 4)
        options = spark.createDataFrame(rows)
        sections = sections_of(options, terms, tmp_path / str(number))
        assert len(sections.map(itself)) > 1
        assert told(choose_among(sections, terms.settings)) == told(choose(rows, terms))


def test_tasks_answer_in_the_order_of_parts_and_keep_whole_numbers_whole(
    spark: SparkSession, tmp_path: Path
) -> None:
    sources = [np.array(numbers) for numbers in ([-300, 7], [2**62, -1], [], [2**31, 0])]
    parts = EngineParts(spark, tmp_path, sources, itself)
    doubled = parts.altered(_halved)
    assert [part.tolist() for part in doubled.map(itself)] == [
        (np.asarray(one, np.int64) // 2).tolist() for one in sources
    ]
    assert {str(part.dtype) for part in doubled.map(itself)} == {"int64"}
    assert [part.tolist() for part in parts.altered(_halved).altered(_halved).map(itself)] == [
        (np.asarray(one, np.int64) // 4).tolist() for one in sources
    ]


def _halved(numbers: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.asarray(numbers, np.int64) // 2


def test_parts_in_this_process_are_looked_at_two_at_a_time() -> None:
    running, most = [0], [0]
    lock = threading.Lock()

    def work(item: int) -> int:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        threading.Event().wait(0.01)
        with lock:
            running[0] -= 1
        return -item

    assert InProcess(list(range(8))).map(work) == [-item for item in range(8)]
    assert most == [2]
