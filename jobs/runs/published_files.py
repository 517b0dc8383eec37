"""Are the files that runs published what they were, and is the record of these runs?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from audit.statement import files_stated
from jobs.home import Home
from jobs.runs.exports import LISTS, lists_folder
from jobs.runs.identity import id_as_recorded
from jobs.runs.rewritten import GONE, REWRITTEN, Rewritten
from jobs.steps import STEPS
from tables.files import sha256_of
from tables.runs import RunRecord


@dataclass(frozen=True)
class Published:
    """A file, and the last run that published it.

    Attributes:
        digest: SHA-256, as the table ``runs`` has it; ``GONE`` if an erasure or retention has
            removed it.
        run: How the run's id begins.
    """

    digest: str
    run: str


Files = dict[str, Published]


def published_files(home: Home, records: list[RunRecord]) -> Files:
    """Every file that committed runs have published, by path below the home folder.

    Args:
        home: Where.
        records: Oldest first.
    """
    rewritten = Rewritten(records)
    return {
        name: Published(rewritten.now(name, digest), record.run_id[:12])
        for record in records
        for name, digest in _files(home, record)
    }


def changed_files(home: Home, files: Files) -> Iterator[str]:
    """A sentence for each file that is not what was published."""
    for name, published in files.items():
        path, is_gone = home.path / name, published.digest == GONE
        if not path.exists():
            if not is_gone:
                yield f"{name} is gone, which run {published.run} published{_remedy(name)}"
        elif is_gone:
            yield (
                f"{name} is there again, which run {published.run} published and an erasure or"
                " retention has removed"
            )
        elif sha256_of(path) != published.digest:
            yield f"{name} is not what run {published.run} published"


def _remedy(name: str) -> str:
    """List files are copies: a run that was killed right after its commit has not made them yet."""
    return "; that campaign once more makes it again" if name.startswith(f"{LISTS}/") else ""


def changed_record(
    records: list[RunRecord], files: Files, statements: Mapping[str, str]
) -> Iterator[str]:
    """A sentence for each thing that the table ``runs`` does not tell as it was.

    The id of a run is a hash of what it read, how it was configured, and the code; what it read
    are runs by their ids, deliveries by their manifests, and models by their digests. So the
    sealed id of a campaign vouches for all of it.

    Args:
        records: As committed.
        files: What they say that was published.
        statements: What was sealed, by run_id, in order: of each file the last one counts.
    """
    for record in records:
        if record.step in STEPS and id_as_recorded(record) != record.run_id:
            yield (
                f"run {record.run_id[:12]}: what `runs` says that it read, its configuration or its"
                " code is not what its id was made of"
            )
    known = {record.run_id for record in records}
    for run_id in statements:
        if run_id not in known:
            yield f"run {run_id[:12]} was sealed, but `runs` does not tell of it"
    yield from _other_digests(files, statements)


def _other_digests(files: Files, statements: Mapping[str, str]) -> Iterator[str]:
    sealed = {
        name: (digest, run_id[:12])
        for run_id, text in statements.items()
        for name, digest in files_stated(text).items()
    }
    for name, (digest, run) in sealed.items():
        if name not in files or files[name].digest != digest:
            yield f"{name}: `runs` has another digest than run {run} sealed"
    for name in sorted(files.keys() - sealed.keys()):
        if name.startswith(f"{LISTS}/"):
            yield f"{name}: `runs` says that it was published, but no run has sealed it"


def _files(home: Home, record: RunRecord) -> Iterator[tuple[str, str]]:
    for name, digests in sorted(record.outputs.items()):
        if name == REWRITTEN:
            continue
        folder = lists_folder(home, record) if name == LISTS else home.tables / name
        below = folder.relative_to(home.path)
        yield from (((below / path).as_posix(), told) for path, told in sorted(digests.items()))
