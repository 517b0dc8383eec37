"""The options of a campaign in sections: in this process if they are few, else where the engine is.

Either way the choice is made by the same code, and comes out the same.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
from pyspark.sql import functions as F

from campaigns.competition import NAMED, Known, Terms
from campaigns.parts import itself
from campaigns.sections import Section, in_process
from jobs.engine_parts import EngineParts
from jobs.scratch import kept
from tables.buckets import place_by_hash
from tables.files import make_folder

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from campaigns.choice import Choice
    from campaigns.parts import Parts
    from campaigns.placing import Placed

# As many take some 2 GB here; a pass over parts of the engine costs more than one over memory.
OPTIONS_HERE = 2_000_000
OPTIONS_PER_PART = 250_000  # two at a time, with all their arrays, beside the embedded engine
PART = "part"
Source = tuple[int, Path]


def sections_of(options: DataFrame, terms: Terms, folder: Path) -> Parts[Section]:
    """The options in sections that no household lies across.

    Args:
        options: As ``choice.competing`` gives them.
        terms: Limits of the campaign.
        folder: For what is looked at more than once.
    """
    rows = kept(options, folder / "options")
    files = (folder / "options").glob("*.parquet")
    count = sum(pq.read_metadata(file).num_rows for file in files)
    if count <= OPTIONS_HERE:
        return in_process(rows.toArrow(), terms)
    return _on_engine(rows, -(-count // OPTIONS_PER_PART), terms, folder)


def _on_engine(rows: DataFrame, count: int, terms: Terms, folder: Path) -> Parts[Section]:
    # tasks may have another working folder
    known, folder = _known(rows), folder.resolve()
    by_part = folder / "options-by-part"
    home = F.coalesce("household_id", "customer_id")
    placed = rows.withColumn(PART, place_by_hash(home, count))
    placed.write.partitionBy(PART).parquet(str(by_part))
    sources: list[Source] = list(enumerate(sorted(by_part.glob(f"{PART}=*"))))
    read = partial(_section, terms, known)
    return EngineParts(rows.sparkSession, folder, sources, itself).altered(read)


def _known(rows: DataFrame) -> Known:
    """What sections have to agree on."""
    names = [F.collect_set(name).alias(name) for name in NAMED]
    longest = F.max(F.length(F.col("customer_id").cast("binary"))).alias("longest")
    [found] = rows.agg(*names, longest).collect()
    return Known({name: tuple(sorted(found[name])) for name in NAMED}, found["longest"])


def _section(terms: Terms, known: Known, source: Source) -> Section:
    number, folder = source
    return Section.among(number, pq.read_table(folder), terms, known)


def places_of(choice: Choice, spark: SparkSession, folder: Path) -> DataFrame:
    """What became of options, shaped ``PLACES``, as files written where sections are."""
    places = make_folder(folder.resolve() / "places")
    choice.placed.map(partial(_write, places))
    return spark.read.parquet(*sorted(map(str, places.glob("*.parquet"))))


def _write(folder: Path, placed: Placed) -> None:
    pq.write_table(placed.rows, folder / f"part-{placed.number:05}.parquet")
