"""Learn uplift from the bank's own campaigns, and have it in use only where it beats propensity."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from conf.load import config_hash
from features.catalogue import model_feature_names
from jobs.campaigns.history import past_campaigns, past_contacts
from jobs.clock import time_of_decision
from jobs.models.challengers import GATE
from jobs.models.train_uplift import arms_of, randomised_history
from jobs.run import Run
from models.decisions import PROMOTE, Signature
from models.gate import Verdict
from models.pooled import product_attributes
from models.qini import power
from models.registry import ACCELERATOR, AGAINST, CHAMPION, Registered, Registry
from models.scorer import UPLIFT
from models.uplift import TrainedUplift, train_uplift
from models.uplift_scorer import UpliftCandidate, UpliftModel, UpliftScorer
from tables.files import scratch_folder
from tables.runs import RunRecord

log = logging.getLogger(__name__)
SCRATCH = ".uplift-"
NO_HISTORY = "no randomised history yet"
SWITCHED_OFF = "switched off (models.uplift_history_months)"


def challenge_with_uplift(run: Run) -> None:
    """Train, judge and register; what the newest training does not let pass goes out of use.

    Offers may be valued by uplift only where that is surely better than by propensity. Where that
    can no longer be shown, propensity values them again, as it does where nothing was ever learned.
    """
    registry = Registry(run.home)
    with scratch_folder(run.home / "tables", SCRATCH) as scratch:
        registered, verdict = _trained(run, registry, scratch)
    if _is_of_the_newest(run, registry):
        _put_in_use(run, registry, registered, verdict)
    run.note(uplift=_in_words(registered, verdict))


def _trained(run: Run, registry: Registry, scratch: Path) -> tuple[Registered | None, Verdict]:
    """The registered version, if there was enough to train one, and whether it may be used."""
    if not run.config.models.uplift_history_months:
        return None, Verdict((SWITCHED_OFF,))
    campaigns = past_campaigns(run.store.folder, run.as_of, run.config)
    contacts = past_contacts(run, campaigns, scratch) if campaigns else None
    if contacts is None or not contacts.num_rows:
        return None, Verdict((NO_HISTORY,))
    # Features are worth computing only where their uplift could be judged.
    enough = power(arms_of(contacts))
    if not enough.suffices:
        return None, Verdict((enough.warning,))
    history, rows = randomised_history(run, contacts, scratch)
    found = train_uplift(history, run.config.models, np.asarray(rows["propensity"]))
    if found.model is None:
        return None, Verdict((found.power.warning,))
    if found.power.warning:
        log.warning("uplift: %s", found.power.warning)
    return _registered(run, registry, found, found.model, campaigns), found.verdict


def _registered(
    run: Run,
    registry: Registry,
    found: TrainedUplift,
    model: UpliftModel,
    campaigns: Sequence[RunRecord],
) -> Registered:
    names = model_feature_names(tuple(run.config.products))
    scorer = UpliftScorer(model, names, product_attributes(run.config.products))
    told = {
        "campaigns": len(campaigns),
        "treated": found.power.treated,
        "control": found.power.control,
        "control_rate": found.power.control_rate,
        "detectable_uplift": found.power.detectable,
    }
    qini = {f"qini_of_{name}": figure for name, figure in found.qini.items()}
    tags = {
        "as_of": str(run.as_of),
        "gate": str(found.verdict),
        AGAINST: str(found.verdict),
        ACCELERATOR: "none",
        "power": found.power.warning or "enough",
    }
    candidate = UpliftCandidate(scorer, {**found.figures, **qini}, told)
    return registry.register(candidate, run.run_id, tags, _facts(run, campaigns, names))


def _facts(run: Run, campaigns: Sequence[RunRecord], names: Sequence[str]) -> dict[str, str]:
    """What MLflow records beside the figures."""
    settings = run.config.models
    return {
        "run_id": run.run_id,
        "as_of": str(run.as_of),
        "config_hash": config_hash(run.config),
        **{name: str(value) for name, value in run.config.time.model_dump().items()},
        "campaigns": ", ".join(f"{one.as_of} {one.run_id[:12]}" for one in campaigns),
        **{name: str(value) for name, value in settings.model_dump(exclude={"gate"}).items()},
        "features": ", ".join(names),
    }


def _is_of_the_newest(run: Run, registry: Registry) -> bool:
    """Nothing trained on later months is in use: an old month that is redone decides nothing."""
    champion = registry.with_alias(UPLIFT, CHAMPION)
    return champion is None or champion.tags["as_of"] <= str(run.as_of)


def _put_in_use(
    run: Run, registry: Registry, registered: Registered | None, verdict: Verdict
) -> None:
    champion = registry.with_alias(UPLIFT, CHAMPION)
    if registered is not None and not (champion and champion.version == registered.version):
        registry.challenge(registered)
    signed = Signature(GATE, str(verdict), str(run.as_of), time_of_decision())
    if registered is not None and verdict.passed:
        if run.config.models.auto_promote:
            registry.switch(registered, PROMOTE, signed)
    elif champion is not None:
        # Without four eyes, and whoever promotes: it only goes back to what was approved before.
        registry.retire(champion, signed)
        log.warning("uplift version %d is taken out of use: %s", champion.version, verdict)


def _in_words(registered: Registered | None, verdict: Verdict) -> str:
    """For the summary and the record of the run."""
    if registered is None:
        return str(verdict)
    return "beats propensity" if verdict.passed else f"not used: {verdict}"
