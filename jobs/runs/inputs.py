"""What a step reads: committed runs, deliveries, champions; each by its identity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from jobs.runs.rewritten import Rewritten
from tables.derived import CHECKPOINTS, DISPOSITIONS, ERASED, OFFER_LOG, VAULT
from tables.errors import ContractViolation, UserError
from tables.windows import months_before

if TYPE_CHECKING:
    from extracts.deliveries import Delivery
    from jobs.publishing import Context
    from jobs.steps import Step
    from tables.runs import RunRecord


@dataclass(frozen=True)
class Inputs:
    """What a run reads.

    Attributes:
        identity: Part of the ``run_id``: name of what is read → run_id or digest.
        pins: Version of every table the run may read.
        deliveries: Deliveries not yet ingested.
        satisfied_by: A committed run that has done the work already.
    """

    identity: Mapping[str, str]
    pins: Mapping[str, int]
    deliveries: tuple[Delivery, ...] = ()
    satisfied_by: RunRecord | None = None


def resolve(context: Context, step: Step) -> Inputs:
    """Find what ``step`` reads.

    Raises:
        UserError: A step before it has not been run, or no delivery has arrived.
        ModelNotFound: A product has no champion.
    """
    if step.name == "ingest":
        return _deliveries(context)
    records = [_committed(context, name) for name in step.reads]
    identity = {record.step: record.run_id for record in records}
    pins = {name: version for record in records for name, version in record.pins.items()}
    if step.uses_models:
        identity |= _champions(context)
    if step.name in ("campaign", "measure") and (returned := _returned(context)) is not None:
        identity[returned.step] = returned.run_id
        pins[DISPOSITIONS.name] = returned.pins[DISPOSITIONS.name]
    if step.name == "train":
        identity |= _past_campaigns(context)
    if step.name == "score":
        identity |= _uplift(context)
    if step.name == "campaign":
        identity |= _campaigns_with_levers(context)
        pins |= _log_so_far(context)
    if step.name == "measure":
        identity |= _measured(context)
    return Inputs(identity, pins)


def _committed(context: Context, step_name: str) -> RunRecord:
    if step_name == "ingest":
        found = _ingested(context)
    else:
        found = context.runs.current(step_name, context.as_of)
    if found is None:
        raise UserError(
            f"{step_name} has not been run for {context.as_of}."
            f" Run xsell {step_name} --as-of {context.as_of} first"
        )
    return found


def _returned(context: Context) -> RunRecord | None:
    """The last results that branches had returned before the as-of date; see ``known_at``."""
    return context.runs.newest(
        "disposition",
        lambda record: record.as_of <= context.as_of and DISPOSITIONS.name in record.pins,
    )


def _log_so_far(context: Context) -> dict[str, int]:
    """What a campaign's lines are put under; no part of its identity: nothing is decided by it."""
    heads = {table.name: context.runs.head(table.name) for table in (VAULT, CHECKPOINTS, OFFER_LOG)}
    return {name: version for name, version in heads.items() if version is not None}


def _champions(context: Context) -> dict[str, str]:
    from models.registry import champions

    found = champions(context.config, context.home.path)
    return {f"model {product}": champion.sha256 for product, champion in sorted(found.items())}


def _past_campaigns(context: Context) -> dict[str, str]:
    """What uplift is learned from."""
    from jobs.campaigns.history import past_campaigns

    found = past_campaigns(context.home.tables, context.as_of, context.config)
    return {f"campaign {campaign.as_of}": campaign.run_id for campaign in found}


def _campaigns_with_levers(context: Context) -> dict[str, str]:
    """Whose levers are not offered to the same clients again."""
    from jobs.campaigns.levers_offered import campaigns_with_levers

    found = campaigns_with_levers(context.home.tables, context.as_of, context.config)
    return {f"campaign {campaign.as_of}": campaign.run_id for campaign in found}


def _measured(context: Context) -> dict[str, str]:
    """Every campaign that is measured, and the scores that are held against purchases."""
    from jobs.measurement.campaigns import campaigns_to_measure
    from jobs.measurement.scored_months import scoring_runs

    months = context.config.measurement.effect.months
    found = campaigns_to_measure(context.home, context.as_of, months)
    scored = scoring_runs(context.home, context.as_of)
    return {f"campaign {campaign.as_of}": campaign.run_id for campaign in found} | {
        f"score {record.as_of}": record.run_id for record in scored
    }


def _uplift(context: Context) -> dict[str, str]:
    from models.scorer import UPLIFT
    from models.uplift_champion import uplift_champion

    found = uplift_champion(context.config, context.home.path)
    return {} if found is None else {f"model {UPLIFT}": found.sha256}


def _deliveries(context: Context) -> Inputs:
    """Deliveries up to the as-of date, and the ingest they continue."""
    present = _present(context)
    refuse_gaps(present)
    identity = _identity(context, present)
    base = None if context.may_supersede else context.runs.newest("ingest", lambda _: True)
    done = dict(base.inputs) if base else {}
    _refuse_changed(identity, done)
    pending = tuple(delivery for delivery in present if delivery.name not in done)
    if not pending:
        return Inputs(identity, {}, satisfied_by=_ingested(context))
    late = [delivery.name for delivery in pending if done and delivery.name < max(done)]
    if late:
        raise ContractViolation(
            f"delivery {late[0]} arrived after {max(done)} had been ingested."
            " Nothing was changed; to rebuild the history from all deliveries, say --supersede"
        )
    return Inputs(done | identity, {**(base.pins if base else {}), **_erased(context)}, pending)


def _identity(context: Context, present: Sequence[Delivery]) -> dict[str, str]:
    """Digest of each delivery's manifest as it was delivered, whoever was taken out of it since."""
    from extracts.deliveries import MANIFEST

    rewritten = Rewritten(context.runs.committed())
    return {
        one.name: rewritten.originally(
            (one.folder / MANIFEST).relative_to(context.home.path).as_posix(), one.digest
        )
        for one in present
    }


def _erased(context: Context) -> dict[str, int]:
    """Whose rows are not taken."""
    version = context.runs.head(ERASED.name)
    return {} if version is None else {ERASED.name: version}


def _present(context: Context) -> list[Delivery]:
    """Deliveries up to the as-of date; the newest is one of the month before it."""
    from extracts.deliveries import deliveries_until

    present = deliveries_until(context.home.landing, context.as_of)
    _refuse_stale(context, present[-1])
    return present


def _refuse_stale(context: Context, newest: Delivery) -> None:
    """A month that was never delivered would be scored on what was known a month before."""
    if newest.day <= months_before(context.as_of, 1):
        raise ContractViolation(
            f"nothing was delivered in the month before {context.as_of}: the last delivery is"
            f" {newest.name}. Wait for that of {context.as_of}, or choose another --as-of"
        )


def refuse_gaps(present: Sequence[Delivery]) -> None:
    """Increments of a month that never came are lost, and nobody would notice.

    Raises:
        ContractViolation: Between two deliveries lies a whole month, or more, without any.
    """
    for earlier, later in pairwise(present):
        if months_before(later.day.replace(day=1), 1) > earlier.day:
            raise ContractViolation(
                f"nothing was delivered between {earlier.name} and {later.name}: what was recorded"
                " in between is missing. Ask for the delivery of each month; one in which nothing"
                " happened has tables without rows"
            )


def _refuse_changed(identity: Mapping[str, str], done: Mapping[str, str]) -> None:
    changed = [name for name in identity if done.get(name, identity[name]) != identity[name]]
    if changed:
        raise ContractViolation(
            f"delivery {changed[0]} differs from what was ingested under that date"
            f" ({len(changed)} changed in all). Restore it, or rebuild the history with --supersede"
        )


def _ingested(context: Context) -> RunRecord | None:
    """The first ingest, not superseded, that holds every delivery up to the as-of date."""
    needed = _identity(context, _present(context))
    superseded = {record.supersedes for record in context.runs.committed()}
    return next(
        (
            record
            for record in context.runs.committed()
            if record.step == "ingest"
            and record.run_id not in superseded
            and needed.items() <= dict(record.inputs).items()
        ),
        None,
    )
