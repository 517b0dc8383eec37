"""Seal what a run has decided: its lines are appended to one Merkle tree, whose root is signed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pyarrow as pa

from audit.checkpoint import Checkpoint, signed
from audit.entries import checkpoints_in_order, in_order
from audit.merkle import EMPTY, Frontier
from campaigns.pseudonyms import new_clients
from jobs.home import Home
from jobs.log_keys import signing_key, vault_key
from tables.arrow import arrow_schema
from tables.derived import CHECKPOINTS, OFFER_LOG, VAULT
from tables.errors import UserError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from jobs.run import Run


def check_log_goes_on(run: Run) -> None:
    """Before anything is decided: what is decided can be sealed.

    Raises:
        UserError: The key that the log was signed with is gone, or the log would go on under
            another name, under which nobody would find what was signed before.
    """
    name, so_far = run.config.bank.log_name, checkpoints_in_order(run.store)
    before = so_far[-1]["note"].partition("\n")[0] if so_far else name
    if before != name:
        raise UserError(
            f"bank.log_name is {name}, but the offer log was begun as {before}. Set it back: a log"
            " keeps its name, and what was signed cannot be renamed"
        )
    signing_key(Home(run.home), name)


def with_pseudonyms(run: Run, decisions: DataFrame) -> DataFrame:
    """Stage a row of the vault for everybody who has none yet.

    Returns:
        The vault, shaped ``VAULT``.
    """
    known = run.store.records(VAULT)
    run.stage(VAULT, new_clients(decisions, known, vault_key(Home(run.home))))
    return run.store.with_staged(run.staging.files).records(VAULT)


def seal(run: Run) -> None:
    """Stage the checkpoint that the log ends with once the staged lines are in it."""
    so_far = checkpoints_in_order(run.store)
    earlier = Frontier.from_text(so_far[-1]["peaks"]) if so_far else EMPTY
    frontier = earlier.with_leaves(_staged_leaves(run))
    name = run.config.bank.log_name
    checkpoint = Checkpoint(name, frontier.size, frontier.root())
    row = {
        "run_id": run.run_id,
        "first_entry": earlier.size,
        "size": frontier.size,
        "peaks": frontier.as_text(),
        "note": signed(checkpoint, signing_key(Home(run.home), name)),
    }
    run.stage(CHECKPOINTS, pa.Table.from_pylist([row], schema=arrow_schema(CHECKPOINTS)))
    run.note(log_entries=frontier.size)


def _staged_leaves(run: Run) -> Iterator[bytes]:
    """Leaves by position.

    Raises:
        RuntimeError: An engine has not written the lines in their order.
    """
    folder, files = run.home / "tables" / OFFER_LOG.name, run.staging.files[OFFER_LOG.name]
    place = 0
    for entries in in_order(folder, files, ["leaf"], run.run_id):
        if entries["position"].to_pylist() != list(range(place, place + entries.num_rows)):
            raise RuntimeError(f"lines of the offer log are not in order after position {place}")
        place += entries.num_rows
        yield from map(bytes.fromhex, entries["leaf"].to_pylist())
