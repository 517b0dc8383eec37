"""Execute a step and publish what it made at one instant.

Stage, audit, commit the tables, commit the run, export.

Readers resolve versions only through the ``runs`` table, so everything before its commit is
invisible, and a crash leaves at most files that the repetition of the run replaces.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from conf.load import config_hash, config_json
from conf.schema import RunConfig
from jobs.home import Home
from jobs.run import Run
from jobs.runs import audit_staged, exports, inputs
from jobs.runs.identity import code_version, run_id
from jobs.runs.staging import Staging
from jobs.steps import Step
from tables.delta import (
    DataFile,
    commit_files,
    digests,
    files_of,
)
from tables.errors import ContractViolation, UserError
from tables.files import remove_leftovers
from tables.runs import RunRecord, Runs
from tables.store import Store, slice_path

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

log = logging.getLogger(__name__)
IN_PLACE_OF = "in place of"  # among the inputs of a run that had been replaced and came back


@dataclass(frozen=True)
class Context:
    """What all steps of one command share."""

    as_of: date
    config: RunConfig
    home: Home
    spark: SparkSession
    may_supersede: bool = False

    @property
    def runs(self) -> Runs:
        """The committed runs."""
        return Runs(self.home.tables)


@dataclass(frozen=True)
class StepResult:
    """What a step came to."""

    record: RunRecord
    was_there_already: bool


def execute(context: Context, step: Step) -> StepResult:
    """Run a step once: the same inputs, configuration and code again find it done.

    Raises:
        UserError: The step was published for this date from something else, and may not be
            superseded.
        ContractViolation: What was staged breaks a contract; nothing is published.
    """
    read, identity = _identified(context, step, inputs.resolve(context, step))
    done = read.satisfied_by or context.runs.find(identity)
    if done is not None:
        _complete(context, done)
        return StepResult(done, was_there_already=True)
    replaced = _may_publish(context, step, read.identity)
    started = time.monotonic()
    _remove_leftovers(context)
    run = _run(context, step, identity, read)
    _work(step, run)
    audit_staged.audit(run)
    record = _commit(context, run, read, replaced, time.monotonic() - started)
    _complete(context, record)
    return StepResult(record, was_there_already=False)


def _identified(context: Context, step: Step, read: inputs.Inputs) -> tuple[inputs.Inputs, str]:
    """What is read, and the id of the run that it makes.

    What was published and replaced since does not stand; wanted again, it is a run of its own, in
    place of the one that had replaced it.
    """
    replaced_by = {record.supersedes: record.run_id for record in context.runs.committed()}
    while True:
        identity = run_id(step.name, context.as_of, context.config, read.identity, code_version())
        if read.satisfied_by or identity not in replaced_by:
            return read, identity
        read = replace(read, identity={**read.identity, IN_PLACE_OF: replaced_by[identity]})


def _complete(context: Context, record: RunRecord) -> None:
    """Do what is left to do once a run is committed: its copies, and what attempts have left."""
    exports.complete(context, record)
    _remove_leftovers(context)


def _remove_leftovers(context: Context) -> None:
    for folder in (context.home.lists, context.home.log):
        remove_leftovers(folder)
    context.runs.remove_leftovers(folder.name for folder in context.home.tables.iterdir())


def _work(step: Step, run: Run) -> None:
    """Let the step stage its tables; what it refuses is reported as what the audit stops is.

    Raises:
        ContractViolation: It cannot take its inputs; one line per problem, and the report's place.
    """
    try:
        step.run(run)
    except ContractViolation as refusal:
        from jobs.reports import write_report

        page = write_report(run, (), str(refusal).splitlines(), run.store)
        raise ContractViolation(f"{refusal}\nReport: {page}") from None


def _run(context: Context, step: Step, identity: str, read: inputs.Inputs) -> Run:
    staging = Staging(
        context.home.tables, identity, context.as_of, context.config.engine.shuffle_partitions
    )
    store = Store(context.home.tables, context.spark, read.pins)
    return Run(
        step.name,
        context.as_of,
        identity,
        context.config,
        context.home.path,
        context.spark,
        store,
        staging,
        deliveries=read.deliveries,
    )


def _may_publish(context: Context, step: Step, read: Mapping[str, str]) -> RunRecord | None:
    """The run that a new one would replace, if that is allowed."""
    present = context.runs.current(step.name, context.as_of)
    if present is None or context.may_supersede:
        return present
    raise UserError(
        f"{step.name} {context.as_of} is already published by run {present.run_id[:12]}, made from"
        f" {_differences(context, present, read)}. Nothing was changed; to replace it, say"
        " --supersede"
    )


def _differences(context: Context, present: RunRecord, read: Mapping[str, str]) -> str:
    changed = {
        "another configuration": present.config_hash != config_hash(context.config),
        "other inputs": dict(present.inputs) != dict(read),
        "other code": present.code_version != code_version(),
    }
    return " and ".join(name for name, differs in changed.items() if differs) or "something else"


def _commit(
    context: Context, run: Run, read: inputs.Inputs, replaced: RunRecord | None, seconds: float
) -> RunRecord:
    """Commit every staged table, then the run."""
    pins = dict(read.pins)
    outputs: dict[str, Mapping[str, str]] = {}
    if run.list_files:
        outputs[exports.LISTS] = run.list_files
    for name, staged in sorted(run.staging.files.items()):
        folder = context.home.tables / name
        table = run.staging.tables[name]
        files = [*_kept(context, run, name, read), *staged]
        outputs[name] = digests(folder, staged)
        pins[name] = commit_files(folder, table, files, run.run_id)
    return context.runs.append(
        RunRecord(
            run_id=run.run_id,
            step=run.step,
            as_of=run.as_of,
            campaign_id=context.config.campaign.campaign_id,
            supersedes=replaced.run_id if replaced else None,
            inputs=read.identity,
            pins=pins,
            outputs=outputs,
            counts=run.counts,
            config_hash=config_hash(context.config),
            config=config_json(context.config),
            code_version=code_version(),
            engine=context.config.engine.kind,
            seconds=round(seconds, 3),
        )
    )


def _kept(context: Context, run: Run, name: str, read: inputs.Inputs) -> list[DataFile]:
    """Files of the table that stay: all of sources and records, other dates of derived tables."""
    folder = context.home.tables / name
    table = run.staging.tables[name]
    if run.step == "ingest":
        return files_of(folder, read.pins.get(name))
    present = files_of(folder, context.runs.head(name))
    if table.kind == "record":
        return present
    return [file for file in present if not file.path.startswith(slice_path(run.as_of))]
