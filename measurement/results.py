"""What campaigns caused: every campaign and all together, cut by cut, measure by measure.

Each campaign's own control shows what its clients would have done anyway; the perpetual holdout
shows it of all campaigns together. Campaigns that withheld the same share are one stratum, others
strata of their own: arms of campaigns with other shares are never thrown together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from conf.measurement_settings import EffectSettings
from measurement.association import Floats, Ints, adjusted
from measurement.campaign_states import MEASURED, WHY_NOT, Verdict, drawn, of_several, verdicts
from measurement.cuts import ALL, CUTS, Cells, cells, client_rows, offered_rows, parts
from measurement.effect import Comparison, Moments, compare
from measurement.offers import Campaign
from measurement.randomised import UNLIKELY, Draw, share_chance

CONTROL, HOLDOUT = "campaign_control", "global_holdout"
CENTS = 100
Texts = npt.NDArray[np.object_]
RESULTS = pa.schema(
    [
        pa.field("campaign", pa.string(), nullable=False),
        pa.field("campaign_id", pa.string()),
        pa.field("campaign_as_of", pa.date32()),
        pa.field("against", pa.string(), nullable=False),
        pa.field("cut", pa.string(), nullable=False),
        pa.field("value", pa.string(), nullable=False),
        pa.field("measure", pa.string(), nullable=False),
        pa.field("state", pa.string(), nullable=False),
        pa.field("treated", pa.int64(), nullable=False),
        pa.field("control", pa.int64(), nullable=False),
        *(
            pa.field(name, pa.float64())
            for name in (
                "treated_mean",
                "control_mean",
                "effect",
                "effect_low",
                "effect_high",
                "total",
                "total_low",
                "total_high",
                "p_value",
                "q_value",
            )
        ),
        pa.field("is_sure", pa.bool_(), nullable=False),
        pa.field("detectable", pa.float64()),
        pa.field("method", pa.string()),
        pa.field("note", pa.string()),
    ]
)
KEY = ("campaign", "against", "cut", "value", "measure")


@dataclass(frozen=True)
class Measure:
    """Something that campaigns change.

    Attributes:
        name: As in campaign_results.
        sales: The figure that comes in lumps; empty if there is none.
        costs: The figure that comes evenly.
        before: What was known before that foretells it.
        sign: Of the costs.
        is_share: Of clients, not of money.
    """

    name: str
    sales: str = ""
    costs: str = ""
    before: str = ""
    sign: int = -1
    is_share: bool = False

    @property
    def method(self) -> str:
        """How its interval was computed."""
        if not self.sales:
            return "normal interval (Welch)"
        return "Newcombe's interval" if self.is_share else "score interval of effective counts"


MEASURES = (
    Measure("response", "bought", before="propensity", is_share=True),
    Measure("revenue", "revenue", before="expected"),
    Measure("cost", costs="cost", sign=1),
    Measure("profit", "revenue", "cost", before="expected"),
    Measure("other_profit", "other"),
    Measure("later_profit", "later"),
    Measure("total_profit", "total", "cost", before="expected"),
    Measure("opt_out", "opted_out", is_share=True),
    Measure("complaint", "complained", is_share=True),
)
OF_CLIENTS = tuple(
    measure
    for measure in MEASURES
    if measure.name in {"revenue", "cost", "profit", "opt_out", "complaint"}
)
OBSERVED = ("no_control", "not_randomised", "before_contact")  # outcomes are known all the same
AFTER = {"later_profit", "total_profit"}


@dataclass(frozen=True)
class Compared:
    """What is compared in one go: parts of one cut, of each campaign or of several together.

    Attributes:
        labels: Columns that say what each part is.
        cells: Sums by part and campaign.
        select: Makes parts × strata of parts × campaigns.
        states: Of each part, before it is looked at: ``measured``, or why not.
        notes: What a reader must know of each part.
        shares: Chance of being withheld, by part and stratum.
        family: Parts that are held against chance together.
    """

    labels: dict[str, Texts]
    cells: Cells
    select: Callable[[Ints], Ints]
    states: Texts
    notes: Texts
    shares: Floats
    family: Ints


def campaign_results(
    offers: pa.Table,
    campaigns: Sequence[Campaign],
    clients: pa.Table | None,
    settings: EffectSettings,
) -> pa.Table:
    """What campaigns caused, shaped as the table campaign_results without ``as_of`` and ``run_id``.

    Args:
        offers: Shaped ``OFFERS``; of no campaign but these.
        campaigns: Those that are measured.
        clients: Shaped ``CLIENTS``; None: nothing is held against the global holdout.
        settings: ``measurement.effect``.

    Returns:
        Shaped ``RESULTS``, sorted by its key; money in the bank's currency.

    Raises:
        ValueError: An offer is of a campaign that is not measured.
    """
    found = _against_control(offers, campaigns, settings)
    if clients is not None:
        found += _against_holdout(clients, settings)
    results = pa.concat_tables([RESULTS.empty_table(), *found])
    return results.sort_by([(name, "ascending") for name in KEY])


def draws(offers: pa.Table, campaigns: Sequence[Campaign]) -> list[Verdict]:
    """Of each campaign whether it can be compared, and how its control was drawn."""
    rows = offered_rows(offers, [campaign.run_id for campaign in campaigns])
    whole = cells(rows, *parts(offers, ALL), len(campaigns))
    return verdicts(offers, campaigns, whole)


def _against_control(
    offers: pa.Table, campaigns: Sequence[Campaign], settings: EffectSettings
) -> list[pa.Table]:
    rows = offered_rows(offers, [campaign.run_id for campaign in campaigns])
    found, judged = [], list[Verdict]()
    for cut in CUTS:
        sums = cells(rows, *parts(offers, cut), len(campaigns))
        judged = judged or verdicts(offers, campaigns, sums)
        for measure in MEASURES:
            known = [_state_of(measure, verdict) for verdict in judged]
            found.append(_rows(_each(cut, sums, campaigns, known), measure, settings))
            found.append(_rows(_together(cut, sums, campaigns, known), measure, settings))
    return found


def _state_of(measure: Measure, verdict: Verdict) -> str:
    is_known = verdict.is_later_known or measure.name not in AFTER
    return verdict.state if is_known or verdict.state != MEASURED else "not_matured"


def _each(cut: str, sums: Cells, campaigns: Sequence[Campaign], states: Sequence[str]) -> Compared:
    """Every part of every campaign by itself."""
    several, parts_ = len(campaigns), len(sums.values)

    def by_part(values: Sequence[object]) -> Texts:
        return np.tile(np.array(values, dtype=object), parts_)

    labels = {
        "campaign": by_part([campaign.run_id for campaign in campaigns]),
        "campaign_id": by_part([campaign.campaign_id for campaign in campaigns]),
        "campaign_as_of": by_part([campaign.as_of for campaign in campaigns]),
        "against": np.full(parts_ * several, CONTROL, dtype=object),
        "cut": np.full(parts_ * several, cut, dtype=object),
        "value": np.repeat(np.array(sums.values, dtype=object), several),
    }
    shares = np.tile([campaign.control_share for campaign in campaigns], parts_)
    # Whole campaigns are looked at side by side; a campaign's parts beside each other.
    family = np.zeros(several) if cut == ALL else np.arange(several)
    return Compared(
        labels,
        sums,
        lambda figure: figure.reshape(-1, 1),
        by_part(states),
        np.full(parts_ * several, "", dtype=object),
        shares[:, None],
        np.tile(family, parts_).astype(np.int64),
    )


def _together(
    cut: str, sums: Cells, campaigns: Sequence[Campaign], states: Sequence[str]
) -> Compared:
    """Every part over all campaigns that can be compared, one stratum for each control share."""
    used = [at for at, state in enumerate(states) if state == MEASURED]
    shown = used or range(len(campaigns))
    strata = sorted({campaigns[at].control_share for at in shown})
    places = [[at for at in shown if campaigns[at].control_share == share] for share in strata]

    def select(figure: Ints) -> Ints:
        return np.stack([figure[:, place].sum(axis=1) for place in places], axis=1)

    state = MEASURED if used else of_several(states)
    note = f"{len(used)} of {len(campaigns)} campaigns can be compared"
    note = "" if len(used) == len(campaigns) else note
    return _of_all(CONTROL, cut, sums, (select, state, note, np.array(strata)))


def _of_all(
    against: str, cut: str, sums: Cells, how: tuple[Callable[[Ints], Ints], str, str, Floats]
) -> Compared:
    select, state, note, strata = how
    several = len(sums.values)

    def everywhere(value: object) -> Texts:
        return np.full(several, value, dtype=object)

    labels = {
        "campaign": everywhere(ALL),
        "campaign_id": everywhere(None),
        "campaign_as_of": everywhere(None),
        "against": everywhere(against),
        "cut": everywhere(cut),
        "value": np.array(sums.values, dtype=object),
    }
    shares = np.broadcast_to(strata, (several, len(strata)))
    family = np.zeros(several, dtype=np.int64)
    return Compared(labels, sums, select, everywhere(state), everywhere(note), shares, family)


def _against_holdout(clients: pa.Table, settings: EffectSettings) -> list[pa.Table]:
    rows, found = client_rows(clients), []
    state = MEASURED
    for cut in (ALL, "segment"):
        sums = cells(rows, *parts(clients, cut), 1)
        if cut == ALL:
            state = _state_of_holdout(drawn(sums, 0, np.nan))
        how = (lambda figure: figure, state, "", np.array([np.nan]))
        compared = _of_all(HOLDOUT, cut, sums, how)
        found += [_rows(compared, measure, settings) for measure in OF_CLIENTS]
    return found


def _state_of_holdout(draw: Draw) -> str:
    if not draw.control:
        return "no_control"
    return MEASURED if draw.is_by_chance else "not_randomised"


def _rows(compared: Compared, measure: Measure, settings: EffectSettings) -> pa.Table:
    """The rows of one measure; parts without any client are left out."""
    arms = compared.cells.moments(compared.select, measure.sales, measure.costs, measure.before)
    treated, control = (arm.clients.sum(axis=1) for arm in arms)
    states = _states(compared, arms, measure, settings)
    found = compare(
        *arms, settings.min_variance_reduction, measure.sign, has_sales=bool(measure.sales)
    )
    is_measured = states == MEASURED
    columns: dict[str, npt.NDArray[Any]] = {
        **compared.labels,
        "measure": np.full(len(states), measure.name, dtype=object),
        "state": states,
        "treated": treated,
        "control": control,
        **_figures(found, treated, is_measured, 1 if measure.is_share else CENTS),
        "method": _methods(measure, found, is_measured),
    }
    q_values = _q_values(found.p_value, compared.family, is_measured)
    is_sure = is_measured & (np.nan_to_num(q_values, nan=1.0) <= settings.max_false_share)
    columns |= {"q_value": q_values, "is_sure": is_sure}
    _tell_means(columns, arms, measure)
    columns["note"] = _notes(compared, states, settings)
    is_there = treated + control > 0
    if compared.labels["cut"][0] == ALL:
        is_there[:] = True
    return pa.table(
        {
            field.name: pa.array(columns[field.name][is_there], field.type, from_pandas=True)
            for field in RESULTS
        },
        schema=RESULTS,
    )


def _states(
    compared: Compared, arms: tuple[Moments, Moments], measure: Measure, settings: EffectSettings
) -> Texts:
    """Of each part: ``measured``, or why not."""
    treated, control = arms
    clients = treated.clients + control.clients
    states = compared.states.copy()
    is_open = states == MEASURED
    fewest = np.minimum(treated.clients.sum(axis=1), control.clients.sum(axis=1))
    chance = share_chance(control.clients, clients, np.nan_to_num(compared.shares, nan=0.5))
    is_known = ~np.isnan(compared.shares) & (clients > 0)
    is_odd = (np.where(is_known, chance, 1.0) < UNLIKELY / len(states)).any(axis=1)
    sold = (treated.sales + control.sales).sum(axis=1)
    states[is_open & bool(measure.sales) & (not measure.is_share) & (sold == 0)] = "no_outcome"
    states[is_open & is_odd] = "not_randomised"
    states[is_open & (fewest < settings.min_clients)] = "too_few"
    return states


def _figures(
    found: Comparison, treated: Ints, is_measured: npt.NDArray[np.bool_], unit: int
) -> dict[str, Floats]:
    """Means, effect and total; NaN where nothing is computed."""
    per_client = {
        "treated_mean": found.treated_mean,
        "control_mean": found.control_mean,
        "effect": found.effect,
        "effect_low": found.low,
        "effect_high": found.high,
        "total": found.effect * treated,
        "total_low": found.low * treated,
        "total_high": found.high * treated,
        "detectable": found.detectable,
    }
    told = {name: np.where(is_measured, values, np.nan) for name, values in per_client.items()}
    figures = {name: values / unit for name, values in told.items()}
    return {**figures, "p_value": np.where(is_measured, found.p_value, np.nan)}


def _tell_means(
    columns: dict[str, npt.NDArray[Any]], arms: tuple[Moments, Moments], measure: Measure
) -> None:
    """What the arms did is told also where it is known, but not what it would have been."""
    is_told = np.isin(columns["state"].astype(str), OBSERVED)
    unit = 1 if measure.is_share else CENTS
    for name, arm in zip(("treated_mean", "control_mean"), arms, strict=True):
        clients = arm.clients.sum(axis=1)
        is_one = is_told & (clients > 0)
        value = (arm.sales + measure.sign * arm.costs).sum(axis=1) / np.maximum(clients, 1)
        columns[name] = np.where(is_one, value / unit, columns[name])


def _methods(measure: Measure, found: Comparison, is_measured: npt.NDArray[np.bool_]) -> Texts:
    methods = np.full(len(is_measured), None, dtype=object)
    methods[is_measured] = measure.method
    for at in np.flatnonzero(is_measured & (found.reduction > 0)):
        share = f"{100 * found.reduction[at]:.0f} % of the variance less"
        methods[at] = f"{measure.method}, CUPED on {measure.before}: {share}"
    return methods


def _q_values(p_values: Floats, family: Ints, is_measured: npt.NDArray[np.bool_]) -> Floats:
    found = np.full(len(p_values), np.nan)
    for one in np.unique(family):
        places = np.flatnonzero(is_measured & (family == one))
        found[places] = adjusted(p_values[places].tolist(), len(places))
    return found


def _notes(compared: Compared, states: Texts, settings: EffectSettings) -> Texts:
    """Why nothing is computed, or beside how many others a part was held against chance."""
    notes = compared.notes.copy()
    is_measured = states == MEASURED
    beside = np.bincount(compared.family[is_measured], minlength=int(compared.family.max()) + 1)
    share = f"{100 * settings.max_false_share:g} %"
    for at, state in enumerate(states):
        parts_ = beside[compared.family[at]]
        several = f"one of {parts_} looked at: of those told as sure about {share} are chance"
        said = WHY_NOT.get(state, several if parts_ > 1 else "")
        notes[at] = "; ".join(filter(None, (notes[at], said))) or None
    return notes
