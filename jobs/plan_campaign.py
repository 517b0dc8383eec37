"""Decide about every customer and offer, and make the branches' lists of what is offered."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from campaigns.campaign_list import campaign_list, offers_made
from campaigns.candidates import candidates
from campaigns.care_list import care_list
from campaigns.choice import Choice, choose_among, competing, outcomes
from campaigns.competition import Terms
from campaigns.decisions import decisions
from campaigns.endings import NO_AMOUNTS, Amounts, amounts, ending_accounts, with_balances
from campaigns.moves import MONTHS, NO_RATES, RenewalRates, renewal_rates, renewals
from campaigns.reasons import Pair
from campaigns.returned_contacts import with_returned
from campaigns.sources import CampaignSources
from conf.errors import ConfigError, did_you_mean
from conf.moves import MATURITY
from conf.schema import RunConfig
from features.catalogue import customer_features_table
from jobs.audit.seal import check_log_goes_on, seal, stage_log
from jobs.campaigns.client_parts import source_parts, together
from jobs.campaigns.figures import campaign_figures, choice_figures
from jobs.campaigns.levers_offered import levers_offered
from jobs.campaigns.offer_reasons import offer_reasons
from jobs.campaigns.parts import places_of, sections_of
from jobs.campaigns.tables import lever_remarks
from jobs.run import Run
from jobs.scratch import kept
from models.registry import champions
from tables.base import Table
from tables.derived import (
    CAMPAIGN_LISTS,
    CARE_LISTS,
    DECISIONS,
    DISPOSITIONS,
    PROPENSITY_SCORES,
    VAULT,
)
from tables.reason_codes import Outcome
from tables.sources import (
    ACCOUNTS,
    CONSENTS,
    CONTACTS,
    CUSTOMERS,
    FLAGS,
    HOLDINGS,
    TRANSACTIONS,
)
from tables.windows import months_before

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

log = logging.getLogger(__name__)

STAGES = 5


@dataclass(frozen=True)
class Planned:
    """What a campaign would do.

    Attributes:
        choice: What is chosen, and what is known about that.
        decided: Shaped ``DECISIONS``, in parts; as good as their folder lasts.
    """

    choice: Choice
    decided: list[DataFrame]


def plan_campaign(run: Run) -> None:
    """Stage decisions, offer log and its checkpoint, campaign lists and care lists.

    Raises:
        ConfigError: A role is shown a column that lists do not have.
        ModelNotFound: A product has no champion to explain its offers.
        UserError: What is decided could not be sealed.
    """
    check_roles(run.config)
    check_log_goes_on(run)
    sources = campaign_sources(run)
    with run.progress(STAGES, "decisions, figures, log, lists, care") as advance:
        with _scratch(run) as folder:
            planned = plan(run, sources, gated(run, sources, folder), folder)
            for part in planned.decided:
                run.stage(DECISIONS, part)
            advance(1)
            decided = run.store.with_staged(run.staging.files).staged(DECISIONS)
            run.figures.update(campaign_figures(run, sources, decided, folder))
        _note_choice(run, planned.choice)
        advance(1)
        stage_log(run)
        vault = run.store.with_staged(run.staging.files).records(VAULT)
        advance(1)
        offers = offers_made(decided, sources.customers, vault)
        made = offers.toArrow()
        reasons = _reasons(run, made, offers, sources.customer_features)
        ending = ending_amounts(run, made, sources.holdings)
        run.stage(CAMPAIGN_LISTS, campaign_list(made, reasons, run.config, ending))
        advance(1)
        care = care_list(decided, sources.customers, sources.flags, run.config, run.as_of)
        run.stage(CARE_LISTS, care)
        seal(run)
        advance(1)
    _note_outcomes(run, decided)


def gated(run: Run, sources: CampaignSources, folder: Path) -> list[DataFrame]:
    """Every candidate with its gates and its value, kept below ``folder``, in parts of clients."""
    rates = _renewal_rates(run, sources)
    return [
        kept(candidates(part, run.config, run.as_of, rates), folder / "candidates" / str(number))
        for number, part in enumerate(source_parts(run, sources, folder))
    ]


def plan(run: Run, sources: CampaignSources, parts: list[DataFrame], folder: Path) -> Planned:
    """Choose among candidates, and decide about every one of them; nothing is staged.

    Args:
        run: Gives settings and engine.
        sources: What the candidates were made from.
        parts: As ``gated`` gives them.
        folder: For what has to be read more than once.
    """
    settings = run.config.campaign
    options = competing(together(parts), sources.customers)
    choice = choose_among(sections_of(options, Terms.of(run.config), folder), settings)
    places = places_of(choice, run.spark, folder)
    decided = [decisions(outcomes(part, places), settings, run.as_of, run.run_id) for part in parts]
    return Planned(choice, decided)


def check_roles(config: RunConfig) -> None:
    """Every column that a role may see exists.

    Raises:
        ConfigError: Some do not.
    """
    known = CAMPAIGN_LISTS.column_names
    unknown = [
        (role, name)
        for role in type(config.roles).model_fields
        for name in getattr(config.roles, role).list_columns
        if name not in known
    ]
    if unknown:
        raise ConfigError(
            f"roles.{role}.list_columns names {name}, which lists do not have"
            f"{did_you_mean(name, known)}"
            for role, name in unknown
        )


def campaign_sources(run: Run) -> CampaignSources:
    """What the campaign of a month is decided from."""

    def known(table: Table) -> DataFrame:
        return run.store.known_before(table, run.as_of)

    features = customer_features_table(tuple(run.config.products))
    return CampaignSources(
        customers=known(CUSTOMERS),
        holdings=known(HOLDINGS),
        consents=known(CONSENTS),
        flags=known(FLAGS),
        contacts=contacts_known(run),
        customer_features=run.store.snapshot(features, run.as_of),
        propensity_scores=run.store.snapshot(PROPENSITY_SCORES, run.as_of),
        levers_offered=levers_offered(run),
    )


def contacts_known(run: Run) -> DataFrame:
    """Contacts as delivered, with results that branches have returned themselves."""
    delivered = run.store.known_before(CONTACTS, run.as_of)
    if not run.store.files(DISPOSITIONS):
        return delivered
    returned = run.store.records(DISPOSITIONS)
    return with_returned(
        delivered, run.store.of_persons(DISPOSITIONS, returned, run.as_of), run.as_of
    )


def _renewal_rates(run: Run, sources: CampaignSources) -> RenewalRates:
    """How often what some offer renews was renewed; nothing where none does."""
    if not any(offer.move == "renewal" for offer in run.config.offers.values()):
        return NO_RATES
    then = run.store.known_before(HOLDINGS, months_before(run.as_of, MONTHS))
    found = renewals(then, sources.holdings, run.as_of).collect()
    counts = {row["product_id"]: (row["ended"], row["renewed"]) for row in found}
    rates = renewal_rates(counts, run.config)
    run.note(**{f"renewal_rate_{name}": f"{rate:.1%}" for name, rate in rates.items()})
    return rates


@contextmanager
def _scratch(run: Run) -> Iterator[Path]:
    """Where rows that are read more than once lie; no engine here keeps them in memory."""
    folder = run.home / "tables" / f".candidates-{run.run_id[:12]}"
    shutil.rmtree(folder, ignore_errors=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _note_choice(run: Run, choice: Choice) -> None:
    """Tell what the choice is worth, what stands in its way, and what its control will show."""
    told = choice_figures(choice)
    run.note(
        expected_profit=f"{told['expected_profit']:,.2f}",
        upper_bound=f"{told['upper_bound']:,.2f}",
        gap=f"{told['gap']:.4%}",
    )
    if choice.explored:
        worth = f"{choice.explored_value / 100:,.2f}"
        run.note(exploration=f"{choice.explored:,} offers chosen by chance, worth {worth}")
    for name in ("dearest_limits", "minima_not_met"):
        if told[name]:
            run.note(**{name: "; ".join(told[name])})
    if lacking := told["minima_not_met"]:
        log.warning("%s minima of the campaign are not met: %s", len(lacking), "; ".join(lacking))
    if levers := lever_remarks(run.figures):
        run.note(lever_budgets="; ".join(levers))
    run.note(detectable_uplift=run.figures["detectable"][0]["sentence"])
    run.figures.update(told)


def _reasons(
    run: Run, made: pa.Table, offers: DataFrame, snapshot: DataFrame
) -> Mapping[Pair, list[str]]:
    pairs = list(zip(made["customer_id"].to_pylist(), made["product_id"].to_pylist(), strict=True))
    offered = snapshot.join(offers, "customer_id", how="left_semi").toArrow()
    in_use = champions(run.config, run.home, run.models)
    return offer_reasons(pairs, offered, snapshot, in_use, run.config)


def ending_amounts(run: Run, made: pa.Table, holdings: DataFrame) -> Amounts:
    """What is on that whose end an offer waits for; no booking is read where nothing tells.

    Args:
        run: Gives engine and store.
        made: Decisions on a list.
        holdings: As known before the as-of date.
    """
    due = made.filter(pc.equal(made["event"], MATURITY)).select(["customer_id", "event_on"])
    if not due.num_rows:
        return NO_AMOUNTS
    accounts = run.store.known_before(ACCOUNTS, run.as_of)
    waited_for = run.spark.createDataFrame(due)
    found = ending_accounts(waited_for, holdings, accounts, run.as_of).toArrow()
    if not found.num_rows:
        return NO_AMOUNTS
    bookings = run.store.known_before(TRANSACTIONS, run.as_of)
    ends = run.spark.createDataFrame(found)
    return amounts(with_balances(ends, bookings, run.as_of).toArrow())


def _note_outcomes(run: Run, decided: DataFrame) -> None:
    counts = {row["outcome"]: row["count"] for row in decided.groupBy("outcome").count().collect()}
    run.note(**{str(outcome): counts.get(str(outcome), 0) for outcome in Outcome})
    run.note(care=run.staging.rows(CARE_LISTS))
