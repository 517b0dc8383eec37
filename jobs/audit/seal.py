"""Seal what a run has decided: its lines are appended to one Merkle tree, whose root is signed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from audit.checkpoint import Checkpoint, SigningKey, signed
from audit.entries import checkpoints_in_order, in_order
from audit.merkle import EMPTY, Frontier
from audit.statement import statement, statement_leaf
from campaigns.offer_log import Places
from campaigns.pseudonyms import new_clients
from jobs.audit.log_files import different, in_parts, write_lines
from jobs.audit.log_keys import signing_key, vault_key
from jobs.home import Home
from jobs.runs.exports import list_digests
from tables.arrow import arrow_schema
from tables.derived import CHECKPOINTS, DECISIONS, OFFER_LOG, VAULT
from tables.errors import UserError
from tables.files import scratch_folder
from tables.runs import Runs
from tables.store import Store

if TYPE_CHECKING:
    from jobs.run import Run

SCRATCH = ".log-"
PARTS_AT_ONCE = 2  # each is worked on by one thread, and takes some 450 MB


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


def stage_log(run: Run) -> None:
    """Stage a line for each staged decision, and a row of the vault for whoever has none yet."""
    files = run.staging.files[DECISIONS.name]
    decisions = [run.home / "tables" / DECISIONS.name / file.path for file in files]
    places = Places(
        _clients(run, different(decisions, "customer_id")), different(decisions, "offer_id")
    )
    with (
        scratch_folder(run.home / "tables", SCRATCH) as folder,
        ThreadPoolExecutor(PARTS_AT_ONCE) as pool,
    ):
        parts = in_parts(decisions, places, folder)
        list(pool.map(partial(_stage_lines, run, places), parts))


def seal(run: Run) -> None:
    """Stage the checkpoint that the log ends with once what the run has staged is in it.

    Its lists must have been staged, too: the run states last which files it publishes.
    """
    key = signing_key(Home(run.home), run.config.bank.log_name)
    row = _checkpoint(run.store, run.run_id, _staged_leaves(run), _statement(run), [key])
    run.stage(CHECKPOINTS, row)
    run.note(log_entries=row["size"][0].as_py())


def sealed_statement(home: Home, run_id: str, keys: Sequence[SigningKey], stated: str) -> pa.Table:
    """The checkpoint after a run that decides nothing and only states something.

    Args:
        home: Where.
        run_id: Of the run.
        keys: That sign.
        stated: What it states.

    Returns:
        Shaped ``CHECKPOINTS``.
    """
    version = Runs(home.tables).head(CHECKPOINTS.name)
    assert version is not None, "before the first campaign there is no log"
    store = Store(home.tables, None, {CHECKPOINTS.name: version})
    return _checkpoint(store, run_id, [], stated, keys)


def _checkpoint(
    store: Store, run_id: str, leaves: Iterable[bytes], stated: str, keys: Sequence[SigningKey]
) -> pa.Table:
    so_far = checkpoints_in_order(store)
    earlier = Frontier.from_text(so_far[-1]["peaks"]) if so_far else EMPTY
    frontier = earlier.with_leaves(chain(leaves, [statement_leaf(stated)]))
    checkpoint = Checkpoint(keys[0].name, frontier.size, frontier.root())
    row = {
        "run_id": run_id,
        "first_entry": earlier.size,
        "size": frontier.size,
        "peaks": frontier.as_text(),
        "note": signed(checkpoint, *keys),
        "statement": stated,
    }
    return pa.Table.from_pylist([row], schema=arrow_schema(CHECKPOINTS))


def _statement(run: Run) -> str:
    run.list_files.update(list_digests(run, run.store.with_staged(run.staging.files)))
    campaign_id = run.config.campaign.campaign_id
    folder = Home(run.home).lists_of(run.as_of, campaign_id, run.run_id).relative_to(run.home)
    files = {(folder / path).as_posix(): digest for path, digest in run.list_files.items()}
    return statement(run.run_id, run.step, run.as_of, campaign_id, files)


def _clients(run: Run, customers: pa.Array) -> pa.Table:
    """Who is decided about, shaped ``VAULT``; new ones are staged."""
    known = run.store.arrow_records(VAULT)
    new = new_clients(customers, known, vault_key(Home(run.home)))
    if new.num_rows:
        run.stage(VAULT, new)
    vault = pa.concat_tables([known, new])
    return vault.filter(pc.is_in(vault["customer_id"], customers))


def _stage_lines(run: Run, places: Places, part: Path) -> None:
    run.staging.stage_file(OFFER_LOG, partial(write_lines, part, places))


def _staged_leaves(run: Run) -> Iterator[bytes]:
    """Leaves by position.

    Raises:
        RuntimeError: The lines were not written in their order.
    """
    folder, files = run.home / "tables" / OFFER_LOG.name, run.staging.files[OFFER_LOG.name]
    place = 0
    for entries in in_order(folder, files, ["leaf"], run.run_id):
        wanted = np.arange(place, place + entries.num_rows)
        if not np.array_equal(entries["position"].to_numpy(), wanted):
            raise RuntimeError(f"lines of the offer log are not in order after position {place}")
        place += entries.num_rows
        yield from map(bytes.fromhex, entries["leaf"].to_pylist())
