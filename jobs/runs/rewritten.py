"""Files that a committed run has rewritten since they were published: what is right about them now.

An erasure takes a client out of files in place, so that versions and pins stay what they are. Its
row in ``runs`` says of each file what its digest was and is, and nothing else may have changed one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from tables.runs import RunRecord, Runs

REWRITTEN = "rewritten"  # in the outputs of a run: path below the home → both digests
GONE = "gone"


class Rewritten:
    """What committed runs have rewritten.

    Args:
        records: All committed runs, in their order.
    """

    def __init__(self, records: Iterable[RunRecord]) -> None:
        self._steps: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for record in records:
            for path, digests in record.outputs.get(REWRITTEN, {}).items():
                before, _, after = digests.partition(" ")
                self._steps[path].append((before, after))

    @classmethod
    def of(cls, tables: Path) -> Rewritten:
        """Of a home's tables."""
        return cls(Runs(tables).committed())

    def now(self, path: str, digest: str) -> str:
        """What a file's digest should be that once was ``digest``; ``GONE``: it was removed."""
        for before, after in self._steps.get(path, ()):
            digest = after if digest == before else digest
        return digest

    def originally(self, path: str, digest: str) -> str:
        """What a file's digest was when it came, that is ``digest`` by now."""
        for before, after in reversed(self._steps.get(path, ())):
            digest = before if digest == after else digest
        return digest

    def all_now(self, folder: str, digests: Mapping[str, str]) -> dict[str, str]:
        """The same of files below a folder, without those that were removed."""
        found = {path: self.now(f"{folder}/{path}", digest) for path, digest in digests.items()}
        return {path: digest for path, digest in found.items() if digest != GONE}


def step(before: str | None, after: str | None) -> str:
    """How ``outputs`` tell what became of a file; ``None``: it was not, or is not there."""
    return f"{before or GONE} {after or GONE}"
