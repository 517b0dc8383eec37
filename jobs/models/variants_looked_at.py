"""How many variants were looked at on one test cohort: an MLflow run each, tagged `variant`.

The best of several looks better than it is, the more so the more there were: whoever chooses one by
its figures on the test cohort should at least know how many it was chosen from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from models.evaluate import flat
from models.mlflow_client import open_client
from models.registry import database
from models.train import Candidate

EXPERIMENT = "xsell-variants"
MOST = 10_000  # runs that are counted


@dataclass(frozen=True)
class Looks:
    """A variant among those that were looked at on its test cohort.

    Attributes:
        place: From 1, in the order of first looks.
        total: So far.
        cohort: The test cohort.
    """

    place: int
    total: int
    cohort: str

    def __str__(self) -> str:
        """A reminder for whoever reads the figures."""
        if self.total == 1:
            return f"the only variant looked at so far on the test cohort {self.cohort}"
        return (
            f"variant {self.place} of {self.total} looked at on the test cohort {self.cohort}:"
            " the best of several looks better than it is"
        )


def looked_at(
    home: Path, candidate: Candidate, variant_id: str, cohort: str, own: Mapping[str, str]
) -> Looks:
    """Note that a variant was tested, unless the very same one was before, and count.

    Args:
        home: Where state lives; something was registered there.
        candidate: The tested model.
        variant_id: The same for the same model.
        cohort: The test cohort.
        own: What the data scientist changed.
    """
    product_id = candidate.scorer.product_id
    earlier = _earlier(home, product_id, cohort)
    if variant_id not in earlier:
        _note(home, candidate, variant_id, cohort, own)
        earlier.append(variant_id)
    return Looks(earlier.index(variant_id) + 1, len(earlier), cohort)


def _earlier(home: Path, product_id: str, cohort: str) -> list[str]:
    """The variants of a product on a test cohort, each once, first looks first."""
    client = open_client(database(home))
    query = f"tags.product_id = '{product_id}' and tags.test_cohort = '{cohort}'"
    found = client.search_runs([_experiment(home)], query, max_results=MOST)
    oldest_first = sorted(found, key=lambda run: (run.info.start_time, run.info.run_id))
    return list(dict.fromkeys(run.data.tags["variant"] for run in oldest_first))


def _note(
    home: Path, candidate: Candidate, variant_id: str, cohort: str, own: Mapping[str, str]
) -> None:
    from mlflow.entities import Metric, Param

    client, product_id = open_client(database(home)), candidate.scorer.product_id
    tags = {"variant": variant_id, "product_id": product_id, "test_cohort": cohort}
    run = client.create_run(_experiment(home), run_name=product_id, tags=tags)
    at, figures = run.info.start_time, flat(candidate.metrics) | dict(candidate.facts)
    client.log_batch(
        run.info.run_id,
        metrics=[Metric(name, float(value), at, 0) for name, value in figures.items()],
        params=[Param(name, value) for name, value in own.items()],
    )
    client.set_terminated(run.info.run_id)


def _experiment(home: Path) -> str:
    client = open_client(database(home))
    found = client.get_experiment_by_name(EXPERIMENT)
    if found is not None:
        return str(found.experiment_id)
    # Nothing is ever stored there, but MLflow's default would be the working directory.
    location = (home / "mlruns" / "artifacts").as_uri()
    return str(client.create_experiment(EXPERIMENT, artifact_location=location))
