"""What makes two runs the same: the digests that go into a ``run_id``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path

from conf.load import config_json
from conf.schema import RunConfig
from tables.runs import RunRecord

PACKAGES = (
    "conf",
    "tables",
    "features",
    "extracts",
    "models",
    "campaigns",
    "audit",
    "measurement",
    "expectations",
    "jobs",
)
VERSION = "0.1.0"


def run_id(step: str, as_of: date, config: RunConfig, inputs: Mapping[str, str], code: str) -> str:
    """SHA-256 over everything that may change the result, hex (DESIGN §5)."""
    return _identity(step, as_of, config_json(config), inputs, code)


def id_as_recorded(record: RunRecord) -> str:
    """The id that a run of a month's step has, if what ``runs`` tells of it is true."""
    return _identity(record.step, record.as_of, record.config, record.inputs, record.code_version)


def result_config_hash(config: RunConfig) -> str:
    """Digest of the settings that may change a result."""
    return _settings_hash(config_json(config))


def _identity(step: str, as_of: date, config: str, inputs: Mapping[str, str], code: str) -> str:
    identity = {
        "step": step,
        "as_of": as_of.isoformat(),
        "campaign_id": json.loads(config)["campaign"]["campaign_id"],
        "inputs": dict(inputs),
        "config": _settings_hash(config),
        "code": code,
    }
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()


def _settings_hash(config: str) -> str:
    """Of a configuration in JSON.

    Lists carry the ``run_id`` and must be the same bytes on any engine, core count and
    partitioning (P3), so how the work is shared is left out.
    """
    settings = json.loads(config)
    del settings["engine"]
    del settings["models"]["processes"]
    del settings["bank"]["transaction_buckets"]
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()


@cache
def code_version() -> str:
    """Version and digest of the project's own source files, descriptions of sources included."""
    root = Path(__file__).parents[2]
    digest = hashlib.sha256()
    for package in PACKAGES:
        files = [*(root / package).rglob("*.py"), *(root / package).glob("sources/*.yaml")]
        for path in sorted(files):
            digest.update(path.relative_to(root).as_posix().encode())
            digest.update(path.read_bytes())
    return f"{VERSION}+{digest.hexdigest()[:12]}"
