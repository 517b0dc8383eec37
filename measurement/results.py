"""What campaigns caused: every campaign and all together, cut by cut, measure by measure.

Each campaign's own control shows what its clients would have done anyway; the perpetual holdout
shows it of all campaigns together. Campaigns that withheld the same share are one stratum, others
strata of their own: arms of campaigns with other shares are never thrown together.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
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
FIGURES = (
    *("treated_mean", "control_mean"),
    *("effect", "effect_low", "effect_high"),
    *("total", "total_low", "total_high"),
    "detectable",
)
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
    def unit(self) -> int:
        """By which sums are divided: money is summed in cents."""
        return 1 if self.is_share else CENTS

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
    cuts: Collection[str] = tuple(CUTS),
) -> pa.Table:
    """What campaigns caused, shaped as the table campaign_results without ``as_of`` and ``run_id``.

    Args:
        offers: Shaped ``OFFERS``; of no campaign but these.
        campaigns: Those that are measured.
        clients: Shaped ``CLIENTS``; None: nothing is held against the global holdout.
        settings: ``measurement.effect``.
        cuts: What campaigns are divided by; ``all`` is always told.

    Returns:
        Shaped ``RESULTS``, sorted by its key; money in the bank's currency.

    Raises:
        ValueError: An offer is of a campaign that is not measured.
    """
    found = _against_control(offers, campaigns, settings, cuts)
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
    offers: pa.Table,
    campaigns: Sequence[Campaign],
    settings: EffectSettings,
    cuts: Collection[str],
) -> list[pa.Table]:
    if not campaigns:
        return []
    rows = offered_rows(offers, [campaign.run_id for campaign in campaigns])
    whole = cells(rows, *parts(offers, ALL), len(campaigns))
    judged, found = verdicts(offers, campaigns, whole), []
    for cut in (cut for cut in CUTS if cut == ALL or cut in cuts):
        sums = whole if cut == ALL else cells(rows, *parts(offers, cut), len(campaigns))
        if not sums.values:
            continue
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
    arms = _comparable(
        compared.cells.moments(compared.select, measure.sales, measure.costs, measure.before)
    )
    treated, control = (arm.clients.sum(axis=1) for arm in arms)
    states = _states(compared, arms, measure, settings)
    columns: dict[str, npt.NDArray[Any]] = {
        **compared.labels,
        "measure": np.full(len(states), measure.name, dtype=object),
        "state": states,
        "treated": treated,
        "control": control,
        **_measured(compared, states, arms, (measure, settings)),
        "note": _notes(compared, states, settings),
    }
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


def _comparable(arms: tuple[Moments, Moments]) -> tuple[Moments, Moments]:
    """Without strata in which one arm is empty, if there are others."""
    is_both = (arms[0].clients > 0) & (arms[1].clients > 0)
    is_kept = is_both | ~is_both.any(axis=1, keepdims=True)
    treated, control = (Moments(*(np.where(is_kept, one, 0) for one in arm)) for arm in arms)
    return treated, control


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


def _observed(
    states: Texts, arms: tuple[Moments, Moments], measure: Measure
) -> dict[str, npt.NDArray[Any]]:
    """Columns of what the arms did, told where it is known; all others are empty."""
    columns: dict[str, npt.NDArray[Any]] = {
        name: np.full(len(states), np.nan) for name in (*FIGURES, "p_value", "q_value")
    }
    columns["is_sure"] = np.zeros(len(states), dtype=bool)
    columns["method"] = np.full(len(states), None, dtype=object)
    is_told = np.isin(states.astype(str), OBSERVED)
    for name, arm in zip(("treated_mean", "control_mean"), arms, strict=True):
        clients = arm.clients.sum(axis=1)
        mean = (arm.sales + measure.sign * arm.costs).sum(axis=1) / np.maximum(clients, 1)
        columns[name] = np.where(is_told & (clients > 0), mean / measure.unit, np.nan)
    return columns


def _measured(
    compared: Compared,
    states: Texts,
    arms: tuple[Moments, Moments],
    how: tuple[Measure, EffectSettings],
) -> dict[str, npt.NDArray[Any]]:
    """The same columns with what is measured filled in."""
    measure, settings = how
    columns = _observed(states, arms, measure)
    places = np.flatnonzero(states == MEASURED)
    treated, control = (Moments(*(one[places] for one in arm)) for arm in arms)
    found = compare(
        treated,
        control,
        settings.min_variance_reduction,
        measure.sign,
        has_sales=bool(measure.sales),
    )
    for name, values in _figures(found, treated.clients.sum(axis=1)).items():
        columns[name][places] = values / measure.unit
    columns["p_value"][places] = found.p_value
    columns["q_value"][places] = _q_values(found.p_value, compared.family[places])
    columns["is_sure"][places] = columns["q_value"][places] <= settings.max_false_share
    columns["method"][places] = [_method(measure, share) for share in found.reduction]
    return columns


def _figures(found: Comparison, treated: Ints) -> dict[str, Floats]:
    """Means, effect and total."""
    values = (
        *(found.treated_mean, found.control_mean),
        *(found.effect, found.low, found.high),
        *(found.effect * treated, found.low * treated, found.high * treated),
        found.detectable,
    )
    return dict(zip(FIGURES, values, strict=True))


def _method(measure: Measure, reduction: float) -> str:
    if not reduction:
        return measure.method
    share = f"{100 * reduction:.0f} % of the variance less"
    return f"{measure.method}, CUPED on {measure.before}: {share}"


def _q_values(p_values: Floats, family: Ints) -> Floats:
    found = np.full(len(p_values), np.nan)
    for one in np.unique(family):
        places = np.flatnonzero(family == one)
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
