"""Are the models still right? Committed scores against what was bought after them.

Read without an engine: of each month the scores as their run pinned them, of purchases what was
known before the as-of date. Who could buy is asked as for labels; whom a campaign offered the
product is left out, see `measurement/reliability.py`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from conf.recorded import recorded_config
from conf.schema import RunConfig
from jobs.home import Home
from jobs.measurement.model_references import References, feature_shifts
from jobs.measurement.offer_weights import OfferWeights
from jobs.measurement.scored_months import ScoredMonth, read_ahead, scoring_runs
from measurement.alarms import ALL
from measurement.association import Bools, Floats, Ints
from measurement.late_labels import LateLabels, WindowPurchases, late_labels
from measurement.monitoring import ModelFindings, Observed, TrainedModel, judged
from measurement.reliability import ModelMonth, ScoredProduct, model_month
from measurement.shifts import ScoreShift, score_shift
from models.labels import outcome_window
from tables.derived import DELIVERIES
from tables.known_rows import Persons, persons_before
from tables.runs import RunRecord, Runs
from tables.sources import HOLDINGS, stored
from tables.store import Store

Window = tuple[date, date]


def model_findings(home: Home, as_of: date, config: RunConfig) -> ModelFindings:
    """Hold the scores of the last months against purchases, and say what to do.

    Args:
        home: Where.
        as_of: What was known before it counts: purchases, merges, deliveries, scores.
        config: The bounds, of ``measurement.models``.
    """
    settings = config.measurement.models
    runs = scoring_runs(home, as_of)
    windows = {one.as_of: _window_of(one) for one in runs}
    since = min((opens for opens, _ in windows.values()), default=as_of)
    purchases = Purchases.known_before(home, as_of, since)
    if not runs or purchases is None:
        return judged(Observed(as_of, notes=("Nothing was scored and delivered yet.",)), settings)
    recent = runs[-settings.cohorts :]
    over = [one for one in runs if windows[one.as_of][1] <= purchases.until]
    matured = over[-settings.cohorts :]
    looked = _Looked(home, as_of, config, purchases, windows)
    records = sorted({one.as_of: one for one in (*matured, *recent)}.values(), key=_day)
    for month in read_ahead(home, records, purchases.persons):
        record = month.record
        looked.look_at(month, is_matured=record in matured, is_recent=record in recent)
    return judged(looked.observed(matured, recent), settings)


def _window_of(scored: RunRecord) -> Window:
    """The outcome window that a month's propensities are about."""
    return outcome_window(scored.as_of, recorded_config(scored.config).time)


def _day(record: RunRecord) -> date:
    return record.as_of


@dataclass(frozen=True)
class Purchases:
    """Every product that was opened from a day on, as known before another.

    Attributes:
        rows: person_id, product_id, opened_on, and known_on: the day on which it became known.
        persons: Who was one person by then.
        until: Purchases before this day have been delivered.
    """

    rows: pa.Table
    persons: Persons
    until: date

    @classmethod
    def known_before(cls, home: Home, as_of: date, since: date) -> Purchases | None:
        """What the newest ingest up to ``as_of`` knew; None if there was none.

        Args:
            home: Where.
            as_of: What was recorded before it counts.
            since: Purchases of before are left out.
        """
        ingest = Runs(home.tables).newest("ingest", lambda record: record.as_of <= as_of)
        if ingest is None:
            return None
        store = Store(home.tables, None, ingest.pins)
        persons = persons_before(store, as_of)
        rows = _latest(_versions(store, as_of, since))
        people = [persons.person(one) for one in rows["customer_id"].to_pylist()]
        shaped = pa.table(
            {
                "person_id": pa.array(people, pa.string()),
                "product_id": rows["product_id"],
                "opened_on": rows["opened_on"],
                "known_on": rows["known_on"],
            }
        )
        return cls(shaped, persons, _delivered_until(store, as_of))

    def in_window(self, window: Window) -> pa.Table:
        """Those opened in an outcome window."""
        opened = self.rows["opened_on"]
        return self.rows.filter(
            pc.and_(pc.greater_equal(opened, window[0]), pc.less(opened, window[1]))
        )


def _versions(store: Store, as_of: date, since: date) -> pa.Table:
    """Every known version of holdings of which one says that they were opened so late."""
    midnight = pa.scalar(datetime.combine(as_of, time(), tzinfo=UTC), pa.timestamp("us", tz="UTC"))
    is_known, holdings = pc.field("recorded_at") < midnight, stored(HOLDINGS)
    is_late = pc.field("opened_on") >= since
    some = store.arrow_where(holdings, is_known & is_late, ["holding_id"])["holding_id"]
    # Another version may say that they were opened before.
    is_asked_for = pc.field("holding_id").isin(some.unique())
    names = ["holding_id", "customer_id", "product_id", "opened_on", "recorded_at", "is_deleted"]
    return store.arrow_where(holdings, is_known & is_asked_for, names)


def _latest(versions: pa.Table) -> pa.Table:
    """The last version of each holding, with the day of the first; without deleted ones."""
    rows = versions.sort_by([("holding_id", "ascending"), ("recorded_at", "ascending")])
    keys = rows["holding_id"].combine_chunks().dictionary_encode().indices.to_numpy()
    first = np.flatnonzero(np.diff(keys, prepend=-1))
    last = np.append(first[1:], len(keys))[: len(first)] - 1
    known = pc.cast(pc.floor_temporal(rows["recorded_at"].take(first), unit="day"), pa.date32())
    newest = rows.take(last).append_column("known_on", known)
    return newest.filter(pc.invert(newest["is_deleted"]))


def _delivered_until(store: Store, as_of: date) -> date:
    """The day of the last delivery of holdings, which tells of the days before it."""
    rows = store.arrow_records(DELIVERIES)
    of_holdings = rows.filter(pc.equal(rows["table_name"], HOLDINGS.name))["delivery"]
    days = [day for day in of_holdings.to_pylist() if day <= as_of]
    return max(days, default=date.min)


class _Looked:
    """Month after month, so that the scores of two are in memory at a time."""

    def __init__(
        self,
        home: Home,
        as_of: date,
        config: RunConfig,
        purchases: Purchases,
        windows: Mapping[date, Window],
    ) -> None:
        self._home, self._as_of, self._windows = home, as_of, windows
        self._settings = config.measurement.models
        self._purchases = purchases
        self._weights = OfferWeights(home, purchases.persons)
        self._references = References(home)
        self._tested: dict[tuple[str, int], TrainedModel | None] = {}
        self._test_scores: dict[tuple[str, int], Floats] = {}
        self._months: list[ModelMonth] = []
        self._shifts: list[ScoreShift] = []
        self._versions: dict[str, list[tuple[date, int]]] = defaultdict(list)

    def look_at(self, month: ScoredMonth, *, is_matured: bool, is_recent: bool) -> None:
        """Outcomes of a month whose window is over, drift of a recent one."""
        record = month.record
        for product_id, version in month.versions.items():
            key = (product_id, version)
            self._versions[product_id].append((record.as_of, version))
            if key not in self._tested:
                self._tested[key] = self._references.tested(product_id, version, record)
            if is_recent:
                self._drift(month, product_id, version)
        if is_matured:
            self._outcomes(month)

    def observed(self, matured: Sequence[RunRecord], recent: Sequence[RunRecord]) -> Observed:
        """Everything that was looked at."""
        newest = recent[-1].as_of
        in_use = {
            product_id: (seen[-1][1], next(day for day, one in seen if one == seen[-1][1]))
            for product_id, seen in self._versions.items()
            if seen[-1][0] == newest
        }
        features = tuple(feature_shifts(self._home, recent))
        waiting = {name: self._references.waiting(name, self._as_of) for name in in_use}
        return Observed(
            self._as_of,
            months=tuple(self._months),
            scores=tuple(self._shifts),
            features=features,
            late=tuple(self._late(matured)),
            tested=tuple(one for one in self._tested.values() if one),
            in_use=in_use,
            waiting={name: version for name, version in waiting.items() if version is not None},
            notes=_notes(matured, bool(features)),
        )

    def _drift(self, month: ScoredMonth, product_id: str, version: int) -> None:
        key, could_buy = (product_id, version), month.could_buy[product_id]
        if key not in self._test_scores:
            self._test_scores[key] = self._references.test_scores(*key)
        scores, then = month.propensity[product_id][could_buy], self._test_scores[key]
        if len(scores) and len(then):
            day = month.record.as_of
            self._shifts.append(score_shift(product_id, day, version, scores, then))

    def _outcomes(self, month: ScoredMonth) -> None:
        day = month.record.as_of
        window = self._windows[day]
        bought = self._purchases.in_window(window)
        for product_id, version in month.versions.items():
            could_buy = month.could_buy[product_id]
            weight, note = self._weights.weights(product_id, month.persons, window, day)
            scored = ScoredProduct(
                product_id,
                day,
                version,
                month.propensity[product_id][could_buy],
                _buyers(bought, product_id, month.persons)[could_buy],
                weight[could_buy],
                note,
            )
            self._months.append(model_month(scored, self._settings.min_buyers))

    def _late(self, matured: Sequence[RunRecord]) -> list[LateLabels]:
        products = sorted({one.product_id for one in self._months})
        found: list[LateLabels] = []
        for product_id in (ALL, *products):
            windows = []
            for record in matured:
                window = self._windows[record.as_of]
                days = _days_late(self._purchases.in_window(window), product_id, window[1])
                windows.append(WindowPurchases(record.as_of, window[1], days))
            found += late_labels(product_id, windows, self._as_of, self._settings.late_share)
        return found


def _buyers(bought: pa.Table, product_id: str, persons: pa.Array) -> Bools:
    of_product = bought.filter(pc.equal(bought["product_id"], product_id))["person_id"]
    found = pc.is_in(persons, value_set=of_product.combine_chunks())
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=np.bool_)


def _days_late(bought: pa.Table, product_id: str, ends: date) -> Ints:
    """Of each purchase how many days after the window it became known; negative: before its end."""
    if product_id != ALL:
        bought = bought.filter(pc.equal(bought["product_id"], product_id))
    known = pc.cast(bought["known_on"], pa.int32()).to_numpy()
    return np.asarray(known - (ends - date(1970, 1, 1)).days, dtype=np.int64)


def _notes(matured: Sequence[RunRecord], has_features: bool) -> tuple[str, ...]:
    notes = []
    if not matured:
        notes.append(
            "No month of scores has an outcome window that is over and delivered: nothing is said"
            " of calibration and order."
        )
    if not has_features:
        notes.append(
            "No month's features were held beside a training: nothing is said of their drift."
        )
    return tuple(notes)
