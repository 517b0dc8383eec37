"""Everything that `xsell fairness` finds out about a month's campaign."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from conf.fairness_settings import FairnessRule
from conf.schema import RunConfig
from features.catalogue import customer_features_table, feature_catalogue, model_feature_names
from jobs.fairness.models import (
    UsedModel,
    forbidden_inputs,
    largest_gain,
    used_models,
)
from jobs.fairness.reads import (
    Campaign,
    all_offers,
    groups_offered,
    outcomes_of,
    read_campaign,
    scopes_of,
)
from jobs.home import Home
from jobs.lists.which_campaign import campaign_of, earlier_campaigns
from jobs.progress import progress_bar
from measurement.association import Bools
from measurement.fairness import (
    ALIKE,
    SELECTION,
    Fact,
    campaign_facts,
    event_facts,
    with_q_values,
)
from measurement.fairness_rule import Judged, judged
from measurement.proxies import Proxy, UpperBound, drawn_customers, proxies, upper_bounds
from measurement.small_cells import told_groups
from tables.runs import RunRecord
from tables.store import Store

EARLIER = "earlier campaigns"
STAGES = 4
Forbidden = tuple[str, str, str]


@dataclass(frozen=True)
class Month:
    """What a campaign of the trend came to, of all offers together."""

    as_of: date
    facts: tuple[Fact, ...]


@dataclass(frozen=True)
class Fairness:
    """What is told, and what stops.

    Attributes:
        config: Of the command; the campaign's own says what was offered.
        record: The campaign's run.
        clients: Active ones.
        offers: That were made to them.
        facts: Of the campaign, and of what became of earlier ones.
        judged: Figures that the jurisdiction bounds.
        trend: Earlier campaigns and this one, oldest first.
        models: That scored the campaign's clients.
        forbidden: Model, feature, and why it may not read it.
        proxies: Each feature × group, the best first.
        bounds: What all features together tell.
        looked_at: Clients among whom proxies were looked for.
    """

    config: RunConfig
    record: RunRecord
    clients: int
    offers: int
    facts: tuple[Fact, ...]
    judged: tuple[Judged, ...]
    trend: tuple[Month, ...]
    models: tuple[UsedModel, ...]
    forbidden: tuple[Forbidden, ...]
    proxies: tuple[Proxy, ...]
    bounds: tuple[UpperBound, ...]
    looked_at: int

    @property
    def rule(self) -> FairnessRule:
        """What the jurisdiction in force stops."""
        return self.config.jurisdiction.in_force.fairness

    @property
    def stopping(self) -> list[Judged]:
        """Figures below the bound."""
        return [one for one in self.judged if one.stops]

    @property
    def stops(self) -> bool:
        """Something does."""
        return bool(self.stopping or (self.forbidden and self.rule.stop_on_protected_inputs))

    @property
    def relied_on(self) -> list[Proxy]:
        """Proxies that a model relies on, the best first."""
        settings = self.config.fairness.proxies
        return [
            one
            for one in self.proxies
            if one.auc.value >= settings.min_auc and one.gain >= settings.min_gain
        ]

    def find(self, name: str, kind: str = "all") -> list[Fact]:
        """Facts of that name and kind of offers."""
        return [fact for fact in self.facts if fact.name == name and fact.scope_kind == kind]


def analysed(home: Home, config: RunConfig, as_of: date) -> Fairness:
    """Measure a committed campaign, the ones before it, and the models behind it.

    Raises:
        UserError: There is no campaign for the month.
        ContractViolation: A model behind it is gone, or is not what was registered.
    """
    record = campaign_of(home, as_of)
    with progress_bar(STAGES, "fairness: campaign, earlier campaigns, models, proxies") as advance:
        campaign = read_campaign(home, record, config.models.fairness)
        least = config.fairness.min_cell
        facts = campaign_facts(campaign.decided, campaign.groups, scopes_of(campaign), least)
        advance(1)
        trend, outcomes = _earlier(home, config, record)
        advance(1)
        models = used_models(home, record)
        catalogue = feature_catalogue(tuple(campaign.config.products))
        forbidden = forbidden_inputs(models, catalogue, config.models.fairness.attributes)
        advance(1)
        found, bounds, looked_at = _proxies(home, config, campaign, models)
        advance(1)
    tested = tuple(with_q_values([*facts, *outcomes]))
    this_month = Month(as_of, tuple(_of_trend(tested)))
    return Fairness(
        config=config,
        record=record,
        clients=campaign.decided.clients,
        offers=int(campaign.decided.is_offered.sum()),
        facts=tested,
        judged=tuple(judged(tested, config.jurisdiction.in_force.fairness)),
        trend=(*trend, this_month),
        models=tuple(models),
        forbidden=tuple(forbidden),
        proxies=tuple(found),
        bounds=tuple(bounds),
        looked_at=looked_at,
    )


def _earlier(home: Home, config: RunConfig, now: RunRecord) -> tuple[list[Month], list[Fact]]:
    """The trend of earlier campaigns, and what became of their offers."""
    months = []
    happened: dict[str, list[Bools]] = defaultdict(list)
    groups: dict[str, list[dict[str, np.ndarray]]] = defaultdict(list)
    least = config.fairness.min_cell
    for record in earlier_campaigns(home, now.as_of, config.fairness.trend_months):
        earlier = read_campaign(home, record, config.models.fairness)
        facts = campaign_facts(earlier.decided, earlier.groups, [all_offers(earlier)], least)
        months.append(Month(record.as_of, tuple(_of_trend(facts))))
        for name, is_so in outcomes_of(home, now, earlier).items():
            happened[name].append(is_so)
            groups[name].append(groups_offered(earlier))
    outcomes = [
        fact
        for name in sorted(happened)
        for fact in event_facts(
            {name: np.concatenate(happened[name])}, _joined(groups[name]), EARLIER, least
        )
    ]
    return months, outcomes


def _joined(groups: Sequence[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {name: np.concatenate([one[name] for one in groups]) for name in groups[0]}


def _of_trend(facts: Sequence[Fact]) -> Iterator[Fact]:
    for fact in facts:
        if fact.scope_kind == "all" and fact.name in (SELECTION, ALIKE):
            yield fact


def _proxies(
    home: Home, config: RunConfig, campaign: Campaign, models: Sequence[UsedModel]
) -> tuple[list[Proxy], list[UpperBound], int]:
    """Features that tell a group, alone and together, among some active clients."""
    products = tuple(campaign.config.products)
    table = customer_features_table(products)
    stored = Store(home.tables, None, campaign.record.pins).stored_columns(
        table, campaign.record.as_of
    )
    rows, groups = _looked_at(campaign, stored.column("customer_id").to_pylist(), config)
    names = [name for name in model_feature_names(products) if name in stored.names]
    matrix = np.empty((len(rows.features), len(names)), dtype=np.float32)
    for place, name in enumerate(names):
        values = stored.column(name).take(rows.features).cast("float64")
        matrix[:, place] = values.to_numpy()
    told = _told(groups, config)
    gains = largest_gain(models)
    found = [
        replace(one, gain=gains[one.feature][0], model=gains[one.feature][1])
        if one.feature in gains
        else one
        for one in proxies(matrix, names, groups, told)
    ]
    bounds = upper_bounds(matrix, rows.customers, groups, told, config.models.seed)
    return found, bounds, len(rows.customers)


@dataclass(frozen=True)
class _Rows:
    customers: list[str]
    features: np.ndarray


def _looked_at(
    campaign: Campaign, with_features: list[str], config: RunConfig
) -> tuple[_Rows, dict[str, np.ndarray]]:
    """Some of the clients who have features and were decided about; their rows and groups."""
    of_client = {customer: place for place, customer in enumerate(campaign.customers.to_pylist())}
    row_of = {customer: row for row, customer in enumerate(with_features) if customer in of_client}
    known = sorted(row_of)
    drawn = drawn_customers(known, config.fairness.proxies.max_customers)
    customers = [known[place] for place in drawn]
    places = np.array([of_client[customer] for customer in customers], dtype=np.int64)
    features = np.array([row_of[customer] for customer in customers], dtype=np.int64)
    groups = {name: labels[places] for name, labels in campaign.groups.items()}
    return _Rows(customers, features), groups


def _told(groups: dict[str, np.ndarray], config: RunConfig) -> dict[str, list[str]]:
    """By attribute the groups that are large enough among the clients looked at."""
    found = {}
    for name, labels in groups.items():
        names, sizes = np.unique(labels, return_counts=True)
        is_told = told_groups(sizes, config.fairness.min_cell)
        # Where there is but one group, there are no others to tell it from.
        found[name] = [str(one) for one in names[is_told]] if len(names) > 1 else []
    return found
