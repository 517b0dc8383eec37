"""Parts that the engine looks at: a task each, wherever it runs tasks, and their results here.

A task is told a file's name, reads it from the home, which every machine of a cluster mounts
(docs/adr/0009), and sends back what was asked for. So this process holds results, never the parts.
"""

from __future__ import annotations

import io
import itertools
import os
import pickle
import threading
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
import pyarrow as pa

from campaigns.parts import AT_ONCE, Parts
from tables.files import make_folder

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pyspark.sql import SparkSession

Item = TypeVar("Item")
Other = TypeVar("Other")
Result = TypeVar("Result")
FOUND = pa.schema([("part", pa.int64()), ("found", pa.binary())])
FOUND_DDL = "part bigint, found binary"
# Spark's workers are processes with a task at a time; Sail's are threads of one process, whose
# memory is to hold a few parts only, however many tasks it starts.
ROOM = threading.BoundedSemaphore(AT_ONCE)


class EngineParts(Parts[Item]):
    """Parts in files of a folder.

    Args:
        spark: The session. Its Python workers have this project's code, as for scoring.
        folder: For what is altered; every worker sees it under the same path.
        sources: Of each part what ``read`` makes it from.
        read: A function that workers can import.
    """

    def __init__(
        self, spark: SparkSession, folder: Path, sources: list[Any], read: Callable[[Any], Item]
    ) -> None:
        self._spark, self._folder = spark, folder
        self._sources, self._read = sources, read

    def map(self, work: Callable[[Item], Result]) -> list[Result]:
        """Do ``work`` in tasks."""
        found = self._found(partial(_answer, self._read, work), self._sources)
        return [pickle.loads(content) for content in found]

    def altered(self, work: Callable[[Item], Other]) -> Parts[Other]:
        """The results, in files beside those of this."""
        folder = _new_folder(self._folder)
        files = [folder / f"part-{number:05}" for number in range(len(self._sources))]
        pairs = list(zip(self._sources, files, strict=True))
        self._found(partial(_stored, self._read, work), pairs)
        kept = EngineParts(self._spark, self._folder, files, read_part)
        return cast("Parts[Other]", kept)

    def _found(self, task: Callable[[Any], bytes], sources: list[Any]) -> list[bytes]:
        """What tasks send back, in the order of parts."""
        count = len(sources)
        # Nothing shuffles or coalesces these partitions: each holds one row, and is one task.
        tasks = self._spark.range(0, count, 1, count)
        found = tasks.mapInArrow(batch_task(task, sources), FOUND_DDL).toArrow()
        by_part = dict(zip(found["part"].to_pylist(), found["found"], strict=True))
        return [by_part[part].as_py() for part in range(count)]


def batch_task(
    task: Callable[[Any], bytes], sources: list[Any]
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """The function that an engine's worker runs: from numbers of parts to packed results."""

    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for part in batch.column(0).to_pylist():
                found = {"part": [part], "found": [task(sources[part])]}
                yield pa.RecordBatch.from_pydict(found, schema=FOUND)

    return run


def _answer(read: Callable[[Any], Item], work: Callable[[Item], object], source: object) -> bytes:
    with ROOM:
        return packed(work(read(source)))


def _stored(
    read: Callable[[Any], Item], work: Callable[[Item], object], place: tuple[object, Path]
) -> bytes:
    """Keep what ``work`` makes of a part; a task that is run again replaces the same bytes."""
    source, file = place
    staged = file.with_name(f"{file.name}.{os.getpid()}.{threading.get_ident()}")
    staged.write_bytes(_answer(read, work, source))
    staged.replace(file)
    return b""


def read_part(file: Path) -> object:
    """What was kept of a part."""
    with file.open("rb") as content:
        return pickle.load(content)


def _new_folder(folder: Path) -> Path:
    number = next(n for n in itertools.count() if not (folder / f"parts-{n}").exists())
    return make_folder(folder / f"parts-{number}")


class _Packer(pickle.Pickler):
    """Pickles whole numbers in as few bytes as they need: most are small."""

    def reducer_override(self, item: object) -> Any:  # noqa: ANN401 - pickle's own
        if not isinstance(item, np.ndarray) or item.dtype != np.int64 or not item.size:
            return NotImplemented
        kind = np.result_type(np.min_scalar_type(item.min()), np.min_scalar_type(item.max()))
        if kind.itemsize >= item.itemsize or kind.kind not in "iu":
            return NotImplemented
        return _widened, (item.astype(kind),)


def _widened(values: NDArray[Any]) -> NDArray[np.int64]:
    return values.astype(np.int64)


def packed(item: object) -> bytes:
    """Pickled, as between processes: it comes from this very code, and goes to it."""
    buffer = io.BytesIO()
    _Packer(buffer, protocol=pickle.HIGHEST_PROTOCOL).dump(item)
    return buffer.getvalue()
