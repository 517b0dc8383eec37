"""The steps of a month: what each reads, and the job that does it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from jobs.run import Run


@dataclass(frozen=True)
class Step:
    """One step of a month.

    Attributes:
        name: As in the ``runs`` table and on the command line.
        job: ``module:function``, imported when the step runs, so that `--help` need not wait for
            it.
        reads: Steps whose committed results it reads.
        uses_models: The champions' identities are part of its inputs.
    """

    name: str
    job: str
    reads: tuple[str, ...] = ()
    uses_models: bool = False

    def run(self, run: Run) -> None:
        """Do the job."""
        self._load(self.job)(run)

    @staticmethod
    def _load(path: str) -> Callable[[Run], None]:
        module, _, function = path.partition(":")
        job: Callable[[Run], None] = getattr(import_module(module), function)
        return job


INGEST = Step("ingest", "jobs.ingest:ingest")
FEATURES = Step("features", "jobs.build_features:build_features", ("ingest",))
TRAIN = Step("train", "jobs.train_propensity:train_propensity", ("ingest",))
SCORE = Step(
    "score", "jobs.score_customers:score_customers", ("ingest", "features"), uses_models=True
)
CAMPAIGN = Step(
    "campaign",
    "jobs.plan_campaign:plan_campaign",
    ("ingest", "features", "score"),
    uses_models=True,
)
MEASURE = Step("measure", "jobs.measure:measure", ("ingest",))
MONTH = (INGEST, FEATURES, TRAIN, SCORE, CAMPAIGN, MEASURE)
STEPS = {step.name: step for step in MONTH}
