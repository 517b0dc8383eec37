"""`xsell offers replay`: a past campaign made again comes out as it did."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from conf.recorded import recorded_config
from jobs.audit.replay import Replay, Replayed
from jobs.engine import open_engine
from jobs.home import Home
from jobs.lists.which_campaign import asked_campaign
from jobs.runs.rewriting import publishing

FAILED = 1


def replay_command(options: argparse.Namespace) -> int:
    """Make a campaign again and compare; nothing is published."""
    home = Home(Path(options.home).resolve())
    record = asked_campaign(home, options)
    config = recorded_config(record.config)
    changed = {
        "kind": options.engine or config.engine.kind,
        "shuffle_partitions": options.partitions or config.engine.shuffle_partitions,
    }
    engine = config.engine.model_copy(update=changed)
    config = config.model_copy(update={"engine": engine})
    with publishing(home, f"xsell offers replay of {record.as_of}"), open_engine(engine) as spark:
        replay = Replay(home, spark, record, config)
        found = replay.all_steps(only_campaign=options.only_decisions)
    since = "features and scores" if options.only_decisions else "what had been delivered by then"
    sys.stdout.write(
        f"campaign {record.campaign_id} as of {record.as_of}, run {record.run_id[:12]}: made again"
        f" from {since}, on {engine.kind}\n"
    )
    sys.stdout.write("".join(f"  {line}\n" for line in (*found.lines, *found.findings)))
    sys.stdout.write(f"{_verdict(found)}\n")
    return FAILED if found.findings else 0


def _verdict(found: Replayed) -> str:
    if found.findings and found.erased:
        return (
            f"it comes out otherwise; {found.erased:,} of its entries are of clients who were"
            " erased since, and what they took up went to others"
        )
    if found.findings:
        return "it does NOT come out as it did"
    return "it comes out as it did, byte for byte"
