"""`xsell campaign --what-if`: what other settings would come to, and nothing is published."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from campaigns.what_if import Alternative, alternatives, candidates_key
from conf.errors import ConfigError
from conf.recorded import recorded_config
from conf.schema import RunConfig
from jobs.campaigns.client_parts import together
from jobs.campaigns.figures import Content, campaign_figures, choice_figures
from jobs.campaigns.what_if_shown import Tried, what_if_lines, write_what_if
from jobs.engine import open_engine
from jobs.home import Home
from jobs.lists.which_campaign import campaign_run
from jobs.plan_campaign import campaign_sources, gated, plan
from jobs.progress import progress_bar
from jobs.publishing import Context
from jobs.run import Run
from jobs.run_month import run_command
from jobs.runs import inputs
from jobs.runs.staging import Staging
from jobs.scratch import kept
from jobs.settings import checked_config
from jobs.steps import CAMPAIGN
from tables.derived import DECISIONS
from tables.files import make_folder
from tables.runs import RunRecord
from tables.store import Store

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

CURRENT = "current"
NOT_COMMITTED = "what-if"  # stands where a run's id would


def campaign_command(options: argparse.Namespace) -> int:
    """`xsell campaign`: the step, or what it would do."""
    if options.what_ifs:
        return what_if_command(options)
    for name in ("against", "out"):
        if getattr(options, name) is not None:
            raise ConfigError([f"--{name} says nothing without --what-if key=value"])
    return run_command(options)


def what_if_command(options: argparse.Namespace) -> int:
    """Plan every alternative, print them beside the current plan, write a page if asked to."""
    if options.supersede:
        raise ConfigError(["--what-if publishes nothing: --supersede has no place beside it"])
    tried = try_plans(options)
    lines = what_if_lines(tried, options.what_ifs, options.as_of)
    if options.out:
        written = write_what_if(options.out, tried, options.what_ifs, options.as_of)
        lines[-1:] = [f"{what}: {path}" for what, path in written.items()]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


def try_plans(options: argparse.Namespace) -> list[Tried]:
    """What the alternatives are held against, then each of them; the store stays as it is.

    Raises:
        ConfigError: A setting is unknown, or may not be tried.
        UserError: A step before the campaign has not been run, or there is no such run.
    """
    wanted = alternatives(options.what_ifs, str(options.as_of))
    config = checked_config(options.env, options.overrides)
    configs = [checked_config(options.env, options.overrides, one.changes) for one in wanted]
    home = Home(Path(options.home).resolve())
    with open_engine(config.engine) as spark:
        context = Context(options.as_of, config, home, spark)
        read = inputs.resolve(context, replace(CAMPAIGN, uses_models=False))
        against = options.against or CURRENT
        record = None if against == CURRENT else campaign_run(context.home, against)
        with tempfile.TemporaryDirectory(prefix=".what-if-", dir=home.path) as folder:
            plans = _Plans(context, read.pins, Path(folder))
            with progress_bar(1 + len(wanted), "what-if: plans") as advance:
                found = [plans.committed(record) if record else plans.tried(config)]
                advance(1)
                for one, changed in zip(wanted, configs, strict=True):
                    found.append(plans.tried(changed, one))
                    advance(1)
    return found


class _Plans:
    """Plans of one month; candidates are made once for all plans that have the same."""

    def __init__(self, context: Context, pins: Mapping[str, int], folder: Path) -> None:
        self._context, self._folder = context, folder
        self._store = Store(context.home.tables, context.spark, pins)
        self._candidates: dict[str, list[DataFrame]] = {}

    def tried(self, config: RunConfig, alternative: Alternative | None = None) -> Tried:
        """Plan the month with these settings."""
        name = alternative.name if alternative else CURRENT
        folder = make_folder(self._folder / f"plan-{name}")
        run = self._run(config, self._store, self._context.as_of)
        sources, key = campaign_sources(run), candidates_key(config)
        if key not in self._candidates:
            self._candidates[key] = gated(run, sources, folder)
        planned = plan(run, sources, self._candidates[key], folder)
        decided = kept(together(planned.decided), folder / "decided")
        figures = campaign_figures(run, sources, decided, folder) | choice_figures(planned.choice)
        return Tried(name, config, figures, alternative.at if alternative else None)

    def committed(self, record: RunRecord) -> Tried:
        """What a committed campaign came to, from what it decided and noted."""
        config = recorded_config(record.config)
        store = Store(self._context.home.tables, self._context.spark, record.pins)
        run = self._run(config, store, record.as_of)
        decided = store.snapshot(DECISIONS, record.as_of)
        folder = make_folder(self._folder / "committed")
        figures = campaign_figures(run, campaign_sources(run), decided, folder)
        return Tried(f"run {record.run_id[:8]}", config, figures | _noted(record))

    def _run(self, config: RunConfig, store: Store, as_of: date) -> Run:
        home, spark = self._context.home, self._context.spark
        staging = Staging(home.tables, NOT_COMMITTED, as_of, config.engine.shuffle_partitions)
        return Run(CAMPAIGN.name, as_of, NOT_COMMITTED, config, home.path, spark, store, staging)


def _noted(record: RunRecord) -> Content:
    """What a run noted of its choice."""
    told = {name: str(value) for name, value in record.counts.items()}
    return {
        "expected_profit": float(told["expected_profit"].replace(",", "")),
        "upper_bound": float(told["upper_bound"].replace(",", "")),
        "gap": float(told["gap"].removesuffix("%")) / 100,
        "dearest_limits": [told[name] for name in ("dearest_limits",) if name in told],
        "minima_not_met": [told[name] for name in ("minima_not_met",) if name in told],
    }
