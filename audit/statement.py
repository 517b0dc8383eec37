"""What a run states about itself, the last of its entries in the log: which files it published.

Decisions alone would not tell whether a list is the one that was made of them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date

from tables.leaves import leaf_hash

# Nothing here is about a client, so that there is nothing to hide from who tries texts out.
NO_SALT = bytes(32)


def statement(
    run_id: str,
    step: str,
    as_of: date,
    campaign_id: str,
    files: Mapping[str, str],
    *,
    keys: Sequence[str] = (),
) -> str:
    """Canonical JSON: sorted keys, no spaces.

    Args:
        run_id: Tells, by being a hash of them, what was read, how it was configured, and the code.
        step: Its step.
        as_of: Its as-of date.
        campaign_id: The campaign.
        files: SHA-256 by path below the home folder, of what people get to see; ``gone`` of what
            an erasure removed. Tables are left out: engines write the same rows as different bytes,
            and a log is the same on each.
        keys: Of a change of keys, all verifier keys that sign this statement's checkpoint; the last
            one signs alone from then on.
    """
    told: dict[str, object] = {
        "as_of": as_of.isoformat(),
        "campaign_id": campaign_id,
        "files": dict(files),
        "run_id": run_id,
        "step": step,
    }
    told |= {"keys": list(keys)} if keys else {}
    return json.dumps(told, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def statement_leaf(text: str) -> bytes:
    """Its leaf; it goes into the tree as decisions do, with a salt of zeros."""
    return bytes.fromhex(leaf_hash(text, NO_SALT))


def keys_stated(text: str) -> list[str]:
    """Verifier keys that a statement brings in; none but of a change of keys."""
    keys: list[str] = json.loads(text).get("keys", [])
    return keys


def files_stated(text: str) -> dict[str, str]:
    """SHA-256 by path below the home folder."""
    files: dict[str, str] = json.loads(text)["files"]
    return files
