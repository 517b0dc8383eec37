"""What makes two runs the same: the digests that go into a ``run_id``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path

from conf.load import config_hash
from conf.schema import RunConfig

PACKAGES = ("conf", "tables", "features", "extracts", "models", "campaigns", "expectations", "jobs")
VERSION = "0.1.0"


def run_id(
    step: str, as_of: date, config: RunConfig, inputs: Mapping[str, str], code: str
) -> str:
    """SHA-256 over everything that may change the result, hex (DESIGN §5)."""
    identity = {
        "step": step,
        "as_of": as_of.isoformat(),
        "campaign_id": config.campaign.campaign_id,
        "inputs": dict(inputs),
        "config": config_hash(config),
        "code": code,
    }
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()


@cache
def code_version() -> str:
    """Version and digest of the project's own source files."""
    root = Path(__file__).parent.parent
    digest = hashlib.sha256()
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            digest.update(path.relative_to(root).as_posix().encode())
            digest.update(path.read_bytes())
    return f"{VERSION}+{digest.hexdigest()[:12]}"
