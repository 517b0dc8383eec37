"""Make a past campaign again from what it pinned, and hold it against what was published.

Nothing is committed: what is staged lies where nobody looks and is removed at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import TYPE_CHECKING

from audit.check_log import SHOWN
from audit.entries import in_order
from conf.recorded import recorded_config
from conf.schema import EngineSettings, RunConfig
from features.catalogue import customer_features_table
from jobs.build_features import build_features
from jobs.home import Home
from jobs.plan_campaign import plan_campaign
from jobs.run import Repeated, Run
from jobs.runs.exports import LISTS
from jobs.runs.identity import code_version
from jobs.runs.staging import Staging
from jobs.score_customers import score_customers
from tables.base import Table
from tables.delta import DataFile
from tables.derived import CHECKPOINTS, OFFER_LOG, PROPENSITY_SCORES
from tables.errors import UserError
from tables.runs import RunRecord, Runs
from tables.store import Store

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

MODEL = "model "  # in front of what a model was registered for, among the inputs of a run
LOG = (CHECKPOINTS.name, OFFER_LOG.name)
ENTRY = ("client", "offer_id", "leaf")
Entry = tuple[str, str, str]


@dataclass
class Replayed:
    """What came of a repetition.

    Attributes:
        lines: What was compared, a line each.
        findings: What came out otherwise, a sentence each.
        erased: Entries of clients who were erased since, about whom nothing can be repeated.
    """

    lines: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    erased: int = 0

    def compared(self, what: str, count: int, unit: str, differing: int, more: str = "") -> None:
        """One kind of thing was compared."""
        told = "the same" if not differing else f"{differing:,} differ{more}"
        line = f"{what:<11}{count:>12,} {unit}: {told}"
        (self.findings if differing else self.lines).append(line)


@dataclass(frozen=True)
class Replay:
    """A campaign that is made again.

    Attributes:
        home: Where.
        spark: An engine; any gives the same.
        record: The campaign.
        config: As recorded, with the engine of now.
    """

    home: Home
    spark: SparkSession
    record: RunRecord
    config: RunConfig

    def all_steps(self, *, only_campaign: bool = False) -> Replayed:
        """Features, scores and decisions, or the decisions alone; call it under the run lock.

        Raises:
            UserError: A run that it read from is not there any more.
        """
        found = Replayed()
        if (code := code_version()) != self.record.code_version:
            found.lines.append(f"made by code {self.record.code_version}, repeated by {code}")
        staged: dict[str, list[DataFile]] = {}
        try:
            for step, table, job in () if only_campaign else self._before():
                self._step(found, self._read(step), (table, job), staged)
            self._campaign(found, staged)
        finally:
            Runs(self.home.tables).remove_leftovers([*staged, *self._of_campaign()])
        return found

    def _before(self) -> tuple[tuple[str, Table, Callable[[Run], None]], ...]:
        features = customer_features_table(tuple(self.config.products))
        return (
            ("features", features, build_features),
            ("score", PROPENSITY_SCORES, score_customers),
        )

    def _read(self, step: str) -> RunRecord:
        found = Runs(self.home.tables).find(self.record.inputs[step])
        if found is None:
            raise UserError(f"the {step} that the campaign read is not in `runs` any more")
        return found

    def _run(self, record: RunRecord, staged: dict[str, list[DataFile]]) -> Run:
        """A run like the past one, that reads what it read and what was staged so far."""
        models = {
            name.removeprefix(MODEL): digest
            for name, digest in record.inputs.items()
            if name.startswith(MODEL)
        }
        pins = dict(record.pins)
        if record is self.record:
            pins = {**_without_log(pins), **_log_before(self.home, record)}
        config = _with_engine(recorded_config(record.config), self.config.engine)
        return Run(
            record.step,
            record.as_of,
            record.run_id,
            config,
            self.home.path,
            self.spark,
            Store(self.home.tables, self.spark, pins, staged),
            Staging(
                self.home.tables, record.run_id, record.as_of, config.engine.shuffle_partitions
            ),
            repeated=Repeated(models, record.sequence),
        )

    def _step(
        self,
        found: Replayed,
        record: RunRecord,
        step: tuple[Table, Callable[[Run], None]],
        staged: dict[str, list[DataFile]],
    ) -> None:
        table, job = step
        run = self._run(record, staged)
        job(run)
        staged |= run.staging.files
        was = Store(self.home.tables, self.spark, record.pins).snapshot(table, record.as_of)
        now = run.store.with_staged(run.staging.files).staged(table)
        differing = was.exceptAll(now).count() + now.exceptAll(was).count()
        found.compared(record.step, run.staging.rows(table), "rows", differing)

    def _campaign(self, found: Replayed, staged: dict[str, list[DataFile]]) -> None:
        run = self._run(self.record, staged)
        plan_campaign(run)
        staged |= run.staging.files
        self._compare_log(found, run)
        pinned = self.record.outputs[LISTS]
        paths = {*run.list_files, *pinned}
        differing = sorted(one for one in paths if run.list_files.get(one) != pinned.get(one))
        example = f", e.g. {differing[0]}" if differing else ""
        found.compared("lists", len(pinned), "files", len(differing), example)
        if not found.erased:
            self._compare_roots(found, run)

    def _compare_log(self, found: Replayed, run: Run) -> None:
        store = Store(self.home.tables, None, self.record.pins)
        was = self._entries(store.files(OFFER_LOG), found)
        now = self._entries(run.staging.files[OFFER_LOG.name], found)
        examples: list[str] = []
        count = differing = 0
        for old, new in zip_longest(was, now):
            count += 1
            if old != new:
                differing += 1
                examples += [(old or new)[2][:12]] if len(examples) < SHOWN else []
        more = f", e.g. leaf {', '.join(examples)}" if examples else ""
        found.compared("decisions", count, "lines", differing, more)

    def _entries(self, files: list[DataFile], found: Replayed) -> Iterator[Entry]:
        """Those of the campaign in order, without who was erased since."""
        folder = self.home.tables / OFFER_LOG.name
        for batch in in_order(folder, files, ENTRY, self.record.run_id):
            columns = (batch[name].to_pylist() for name in ENTRY)
            for entry in zip(*columns, strict=True):
                if entry[0] is None:
                    found.erased += 1
                else:
                    yield entry

    def _compare_roots(self, found: Replayed, run: Run) -> None:
        own = Store(self.home.tables, None, self.record.pins).arrow_records(CHECKPOINTS)
        notes = {row["run_id"]: row["note"] for row in own.to_pylist()}
        staged = run.store.with_staged(run.staging.files).staged(CHECKPOINTS).collect()
        is_other = _said(notes[self.record.run_id]) != _said(staged[0]["note"])
        found.compared("checkpoint", 1, "root", int(is_other))

    def _of_campaign(self) -> list[str]:
        return [name for name in self.record.outputs if (self.home.tables / name).is_dir()]


def _with_engine(config: RunConfig, engine: EngineSettings) -> RunConfig:
    return config.model_copy(update={"engine": engine})


def _said(note: str) -> str:
    """Name, size and root; a signature may be by another key by now."""
    return note.rpartition("\n\n")[0]


def _without_log(pins: dict[str, int]) -> dict[str, int]:
    return {name: version for name, version in pins.items() if name not in LOG}


def _log_before(home: Home, record: RunRecord) -> dict[str, int]:
    """The log as it was before the campaign; names of clients stay as the campaign left them."""
    found: dict[str, int] = {}
    for one in Runs(home.tables).committed():
        if one.sequence < record.sequence:
            found |= {name: one.pins[name] for name in LOG if name in one.outputs}
    return found
