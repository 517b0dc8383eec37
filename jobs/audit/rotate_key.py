"""`xsell offers rotate-key`: the log is signed with a new key from now on.

The change is an entry of the log itself, under a checkpoint that both keys sign: who trusts the old
key learns the new one from it, and nobody else can bring one in.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from datetime import date
from pathlib import Path

from audit.statement import statement
from jobs.audit.checkpoint_files import write_checkpoints
from jobs.audit.log_keys import finish_rotation, next_key, signing_key
from jobs.audit.seal import sealed_statement
from jobs.clock import time_of_decision
from jobs.home import Home
from jobs.runs.recording import Entry, commit_rows
from jobs.runs.rewriting import publishing
from tables.derived import CHECKPOINTS
from tables.errors import UserError
from tables.runs import RunRecord, Runs

STEP = "rotate_key"


def rotate_key_command(options: argparse.Namespace) -> int:
    """Sign with a new key from now on.

    Raises:
        UserError: There is no log yet; or the old key is gone, and nobody has said that it is.
    """
    home = Home(Path(options.home).resolve())
    made_by = _newest_campaign(home)
    with publishing(home, "xsell offers rotate-key"):
        name = _log_name(made_by)
        old = None if options.lost else signing_key(home, name)
        new = next_key(home, name)
        keys = [key for key in (old, new) if key is not None]
        day = date.fromisoformat(time_of_decision()[:10])
        identity = f"{STEP}\n{new.verifier.as_text()}"
        run_id = hashlib.sha256(identity.encode()).hexdigest()
        told = [key.verifier.as_text() for key in keys]
        stated = statement(run_id, STEP, day, made_by.campaign_id, {}, keys=told)
        counts = {"by": options.by, "reason": options.reason, "old_key_lost": options.lost}
        entry = Entry(run_id, STEP, day, {}, counts, made_by)
        commit_rows(home, entry, [(CHECKPOINTS, sealed_statement(home, run_id, keys, stated))])
        finish_rotation(home)
        write_checkpoints(home)
    sys.stdout.write(f"from now on the log is signed with {new.verifier.as_text()}\n")
    sys.stdout.write(LOST if options.lost else VOUCHED)
    return 0


LOST = (
    "No other key vouches for it: hand it out yourself, and say so, to everybody who verifies the"
    " log\n"
)
VOUCHED = (
    "Hand it out as well: the old key has signed the checkpoint that names it, so that who has the"
    " old one can see for themselves. Destroy copies of the old private key\n"
)


def _newest_campaign(home: Home) -> RunRecord:
    found = Runs(home.tables).newest("campaign", lambda _: True)
    if found is None:
        raise UserError(f"no campaign has been decided in {home.path}: there is no log yet")
    return found


def _log_name(made_by: RunRecord) -> str:
    return str(json.loads(made_by.config)["bank"]["log_name"])
