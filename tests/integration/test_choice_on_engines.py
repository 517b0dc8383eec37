"""The choice in tasks of an engine, whose workers are processes with nothing but the code."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from conf.schema import EngineSettings
from tests.classic_spark import last_line, skip_without_java

SEEDS = (1, 2)


def made_there_as_here(kind: str) -> str:
    """Whether choices are the same as in this process."""
    from campaigns.choice import choose, choose_among
    from jobs.campaigns import parts as campaign_parts
    from jobs.engine import open_engine
    from tests.random_competition import make_rows, make_terms, told

    campaign_parts.OPTIONS_HERE, campaign_parts.OPTIONS_PER_PART = 0, 150
    found = []
    with (
        open_engine(EngineSettings(kind=kind, url="", shuffle_partitions=2)) as session,
        tempfile.TemporaryDirectory() as folder,
    ):
        for seed in SEEDS:
            rows, terms = make_rows(seed, 60), make_terms(seed, 60)
            options = session.createDataFrame(rows)
            sections = campaign_parts.sections_of(options, terms, Path(folder) / str(seed))
            there = told(choose_among(sections, terms.settings))
            found.append(there == told(choose(rows, terms)))
    return str(found)


@pytest.mark.slow
def test_classic_spark_makes_the_choice_of_this_process(tmp_path):
    skip_without_java()
    told = last_line(__name__, "made_there_as_here('spark')", tmp_path, 300)
    assert told == str([True] * len(SEEDS))
