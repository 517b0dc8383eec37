"""Is the offer log what was sealed? Every line is hashed anew, every root compared and verified."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from audit.checkpoint import BadCheckpoint, Checkpoint, VerifierKey, opened
from audit.entries import COLUMNS, checkpoints_in_order, in_order, secrets_of
from audit.merkle import EMPTY, Frontier
from audit.statement import keys_stated, statement_leaf
from tables.derived import OFFER_LOG
from tables.leaves import leaf_hash, salt
from tables.store import Store

SHOWN = 3  # examples of a kind of finding


@dataclass(frozen=True)
class Kept:
    """A checkpoint that somebody outside of the bank has kept.

    Attributes:
        name: Where it is from.
        note: As it was handed out.
    """

    name: str
    note: str


@dataclass
class LogCheck:
    """What was looked at, and what is wrong: a sentence each.

    Attributes:
        entries: Lines that were hashed, erased ones included.
        erased: Lines of which only the leaf is left.
        runs: Runs whose checkpoint is of what there is, and signed.
        statements: What each of these runs states about itself, by run_id, in order.
    """

    entries: int = 0
    erased: int = 0
    runs: int = 0
    statements: dict[str, str] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)


Wanted = dict[int, list[tuple[Kept, Checkpoint]]]


def trusted_keys(store: Store, keys: Sequence[VerifierKey]) -> list[VerifierKey]:
    """The keys, and those that they have vouched for when the log changed its key.

    Whether what brought a key in is in the log is for ``check_log`` to say.

    Args:
        store: At the newest version of checkpoints.
        keys: As they are known from elsewhere.
    """
    known = list(keys)
    for row in checkpoints_in_order(store):
        if brought_in := keys_stated(row["statement"]):
            with suppress(BadCheckpoint):
                opened(row["note"], known)
                known += map(VerifierKey.from_text, brought_in)
    return list(dict.fromkeys(known))


def check_log(store: Store, keys: Sequence[VerifierKey], kept: Sequence[Kept] = ()) -> LogCheck:
    """Hash every line of the log again and hold the tree against every checkpoint.

    Args:
        store: At the newest versions of log, vault and checkpoints.
        keys: That the bank signs with, best as somebody else has them.
        kept: What the log must still hold.
    """
    check = LogCheck()
    wanted = _by_size(kept, keys, check)
    try:
        _check_tree(store, keys, wanted, check)
    except (OSError, ValueError) as error:  # Arrow's of files that are torn are of these kinds
        check.findings.append(f"the log cannot be read to its end: {error}")
    return check


def _check_tree(store: Store, keys: Sequence[VerifierKey], wanted: Wanted, check: LogCheck) -> None:
    names = {checkpoint.origin for at in wanted.values() for _, checkpoint in at}
    reader, frontier = _Reader(store, secrets_of(store), wanted, check), EMPTY
    for row in checkpoints_in_order(store):
        frontier = reader.tree_after(row, frontier)
        names |= _checked_name(row, frontier, keys, check)
    check.findings += [
        f"{one.name} was signed when the log had {size:,} entries; it has {frontier.size:,}."
        " Entries were taken away"
        for size in sorted(wanted)
        for one, _ in wanted[size]
    ]
    if len(names) > 1:
        check.findings.append(f"checkpoints are of different logs: {', '.join(sorted(names))}")


@dataclass(frozen=True)
class _Reader:
    """Reads the log in its order and lets the tree grow with it.

    Attributes:
        secrets: Of clients, by pseudonym.
        wanted: Kept checkpoints by size; who has been compared is taken out.
    """

    store: Store
    secrets: Mapping[str, str]
    wanted: Wanted
    check: LogCheck

    def tree_after(self, row: Mapping[str, Any], frontier: Frontier) -> Frontier:
        """The tree with a run's lines in it; ``row`` is the run's in ``CHECKPOINTS``."""
        run_id, told = row["run_id"], f"run {row['run_id'][:12]}"
        if row["first_entry"] != frontier.size:
            self.check.findings.append(
                f"{told} begins at entry {row['first_entry']:,}, but {frontier.size:,} come before"
            )
        place, folder = 0, self.store.folder / OFFER_LOG.name
        for entries in in_order(folder, self.store.files(OFFER_LOG), COLUMNS, run_id):
            positions = entries["position"].to_pylist()
            if positions != list(range(place, place + len(positions))):
                self.check.findings.append(
                    f"{told}: entries after position {place:,} are missing, repeated or not in"
                    " order"
                )
            place += len(positions)
            frontier = self._grown(frontier, self._leaves(entries, run_id))
        self.check.entries += 1
        self.check.statements[run_id] = row["statement"]
        return self._grown(frontier, [statement_leaf(row["statement"])])

    def _leaves(self, entries: pa.RecordBatch, run_id: str) -> list[bytes]:
        """The leaf that each line makes today; of erased ones the leaf that was kept."""
        self.check.entries += entries.num_rows
        self.check.erased += entries["line"].null_count
        leaves, changed = [], []
        columns = (entries[name].to_pylist() for name in ("position", *COLUMNS))
        for position, client, offer_id, line, leaf in zip(*columns, strict=True):
            secret, made = self.secrets.get(client), leaf
            if line is not None and secret is None:
                changed.append((position, "its client is not in the vault"))
            elif line is not None and secret is not None:
                made = leaf_hash(line, salt(secret, run_id, offer_id))
                if made != leaf:
                    changed.append((position, "it is not what was sealed"))
            leaves.append(bytes.fromhex(made))
        self._tell(f"run {run_id[:12]}", changed)
        return leaves

    def _tell(self, run: str, changed: Sequence[tuple[int, str]]) -> None:
        for position, what in changed[:SHOWN]:
            self.check.findings.append(f"{run}, position {position:,}: {what}")
        if more := len(changed[SHOWN:]):
            self.check.findings.append(f"{run}: so it is with {more:,} more")

    def _grown(self, frontier: Frontier, leaves: Sequence[bytes]) -> Frontier:
        """The tree with more leaves; where somebody kept its root, it is compared on the way."""
        first, reached = frontier.size, frontier.size + len(leaves)
        for size in sorted(size for size in self.wanted if first < size <= reached):
            frontier = frontier.with_leaves(leaves[frontier.size - first : size - first])
            root = frontier.root()
            self.check.findings += [
                f"{one.name}: the first {size:,} entries are not those it was signed for"
                for one, checkpoint in self.wanted.pop(size)
                if checkpoint.root != root
            ]
        return frontier.with_leaves(leaves[frontier.size - first :])


def _by_size(kept: Sequence[Kept], keys: Sequence[VerifierKey], check: LogCheck) -> Wanted:
    found: Wanted = {}
    for one in kept:
        try:
            checkpoint = opened(one.note, keys)
        except BadCheckpoint as error:
            check.findings.append(f"{one.name}: {error}")
        else:
            found.setdefault(checkpoint.size, []).append((one, checkpoint))
    return found


def _checked_name(
    row: Mapping[str, Any], frontier: Frontier, keys: Sequence[VerifierKey], check: LogCheck
) -> set[str]:
    """The name of the log that a run's checkpoint is of, once it is compared with what there is."""
    run = row["run_id"][:12]
    try:
        checkpoint = opened(row["note"], keys)
    except BadCheckpoint as error:
        check.findings.append(f"run {run}: {error}")
        return set()
    if (checkpoint.size, checkpoint.root) == (frontier.size, frontier.root()):
        check.runs += 1
    else:
        check.findings.append(
            f"run {run}: its checkpoint was signed for {checkpoint.size:,} entries with another"
            f" root than that of the {frontier.size:,} there are"
        )
    return {checkpoint.origin}
