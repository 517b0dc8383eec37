"""What moved a response between two runs: its clients scored anew, by the models of both runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pyarrow as pa
from deltalake.exceptions import DeltaError

from campaigns.moved import Answers, Key, Moved, Question, Valuer
from campaigns.value import PROPENSITY
from conf.recorded import recorded_config
from features.catalogue import customer_features_table, feature_catalogue
from jobs.home import Home
from models.explain import shap_values
from models.matrix import Vector, feature_matrix
from models.registry import Registry, database
from models.scorer import UPLIFT, Scorer, model_name
from models.uplift_scorer import UpliftScorer
from tables.errors import UserError
from tables.runs import RunRecord
from tables.store import Store

BEFORE, AFTER = 0, 1
ALIKE = 1e-6  # an accelerator's propensity is no closer to LightGBM's
MOST_NAMED = 2
NOT_AS_DECIDED = "scored anew it is not what was decided, so that nothing is told apart"


class CannotTell(Exception):
    """Why it cannot be told what moved a response."""


@dataclass(frozen=True)
class Model:
    """What values one product.

    Attributes:
        columns: Of customer_features, that it reads.
        values: One propensity, or one uplift, per row.
        scorer: Of propensities, to ask which features moved them.
    """

    columns: tuple[str, ...]
    values: Callable[[pa.Table], Vector]
    scorer: Scorer | None = None


@dataclass(frozen=True)
class Snapshot:
    """What a run knew of the clients in question.

    Attributes:
        rows: ``customer_id`` and what some model reads.
        label: What it is, for a person.
        why_not: Why there are no rows, if it is gone.
    """

    rows: pa.Table
    label: str
    why_not: str = ""

    @cached_property
    def place(self) -> dict[str, int]:
        """The row of each client."""
        return {name: at for at, name in enumerate(self.rows["customer_id"].to_pylist())}

    def of(self, customers: Iterable[str], columns: Collection[str]) -> pa.Table:
        """Rows of these clients, in this order.

        Raises:
            CannotTell: The snapshot is gone, or lacks a column or a client.
        """
        if self.why_not:
            raise CannotTell(self.why_not)
        if lacking := set(columns) - set(self.rows.column_names):
            raise CannotTell(f"{self.label} lack {min(lacking)}")
        places = [self.place.get(name) for name in customers]
        if None in places:
            raise CannotTell(f"{self.label} lack a client")
        return self.rows.take(pa.array(places, pa.int64()))


@dataclass(frozen=True)
class Compared:
    """Clients whose offers of one product were valued by the same two models.

    Attributes:
        asked: What is asked about them.
        models: Before and after; or why one is gone.
        snapshots: Before and after.
        may_be_named: Features.
    """

    asked: Sequence[Question]
    models: tuple[Model | CannotTell, Model | CannotTell]
    snapshots: tuple[Snapshot, Snapshot]
    may_be_named: Collection[str]

    def answers(self) -> Answers:
        """What moved each of them, or why that cannot be told."""
        first = self.asked[0]
        try:
            own = [self._own(run) for run in (BEFORE, AFTER)]
            by_model = np.zeros(len(own[0])) if first.is_same_model else self._by_model(own)
        except CannotTell as error:
            return {one.key: f"not told apart from the data: {error}" for one in self.asked}
        bases = {one.basis for one in first.valuers}
        what = bases.pop() if len(bases) == 1 else "response"
        found = [
            Moved(what, before, after, part, is_same_model=first.is_same_model)
            for before, after, part in zip(*(one.tolist() for one in (*own, by_model)), strict=True)
        ]
        return {
            one.key: NOT_AS_DECIDED if np.isnan(moved.after - moved.before) else moved
            for one, moved in zip(self.asked, self._with_features(found), strict=True)
        }

    def _own(self, run: int) -> Vector:
        """As the run itself valued them; not a number where it decided by something else."""
        decided = np.array([one.propensities[run] for one in self.asked], np.float64)
        is_decided = self.asked[0].valuers[run].basis == PROPENSITY
        try:
            scored = self._scored(run, run)
        except CannotTell:
            if not is_decided:
                raise
            return decided
        is_it = np.abs(scored - decided) < ALIKE if is_decided else True
        return np.where(is_it, scored, np.nan)

    def _by_model(self, own: Sequence[Vector]) -> Vector:
        """The model's part: the mean of both orders, or of the one that can be told."""
        orders, reasons = [], []
        for model, data in ((AFTER, BEFORE), (BEFORE, AFTER)):
            try:
                mixed = self._scored(model, data)
            except CannotTell as error:
                reasons.append(str(error))
            else:
                orders.append(mixed - own[BEFORE] if model == AFTER else own[AFTER] - mixed)
        if not orders:
            raise CannotTell("; ".join(dict.fromkeys(reasons)))
        return np.asarray(np.mean(orders, axis=0))

    def _scored(self, model: int, data: int) -> Vector:
        scorer = self._model(model)
        return scorer.values(self._rows(data, self.asked, scorer))

    def _model(self, run: int) -> Model:
        found = self.models[run]
        if isinstance(found, CannotTell):
            raise found
        return found

    def _rows(self, run: int, asked: Iterable[Question], model: Model) -> pa.Table:
        return self.snapshots[run].of((one.key[0] for one in asked), model.columns)

    def _with_features(self, found: Sequence[Moved]) -> list[Moved]:
        """Where the data moved a propensity, by which features most."""
        places = [at for at, one in enumerate(found) if not one.is_by_model and one.by_data]
        named: dict[int, tuple[str, ...]] = {}
        try:
            asked = [self.asked[at] for at in places]
            if asked and (scorer := self._model(AFTER).scorer):
                model = self._model(AFTER)
                then, now = (self._rows(run, asked, model) for run in (BEFORE, AFTER))
                signs = np.sign([found[at].by_data for at in places])
                named = dict(zip(places, self._named(scorer, then, now, signs), strict=True))
        except CannotTell:
            pass  # which features it was is told where it is known
        return [replace(one, features=named.get(at, ())) for at, one in enumerate(found)]

    def _named(
        self, scorer: Scorer, then: pa.Table, now: pa.Table, signs: Vector
    ) -> Iterable[tuple[str, ...]]:
        if scorer.kind == "segment_rate":
            return [()] * len(signs)
        names, width = np.array(scorer.features), len(scorer.features)
        values = [shap_values(scorer, rows)[:, :width] for rows in (then, now)]
        moved = (values[AFTER] - values[BEFORE]) * signs[:, None]
        # What the others are, changes what a feature contributes that did not change itself.
        was, is_now = (feature_matrix(rows, scorer.features) for rows in (then, now))
        is_alike = (was == is_now) | (np.isnan(was) & np.isnan(is_now))
        moved[is_alike | [name not in self.may_be_named for name in names]] = 0
        best = np.argsort(-moved, axis=1, kind="stable")[:, :MOST_NAMED]
        return [
            tuple(str(names[place]) for place in own if row[place] > 0)
            for own, row in zip(best, moved, strict=True)
        ]


def what_moved(
    home: Home, records: tuple[RunRecord, RunRecord], questions: Sequence[Question]
) -> Answers:
    """What moved each response: one pass over each run's features, one over each two models.

    Args:
        home: Whose models and tables.
        records: The run before, and the one after.
        questions: About clients and offers that were valued otherwise.
    """
    groups: dict[tuple[str, tuple[Valuer, Valuer]], list[Question]] = defaultdict(list)
    for one in questions:
        groups[one.product_id, one.valuers].append(one)
    models = _models(home, groups)
    columns = {name for one in models.values() if isinstance(one, Model) for name in one.columns}
    customers = {one.key[0] for one in questions}
    before, after = (_snapshot(home, record, customers, columns) for record in records)
    products = tuple(recorded_config(records[AFTER].config).products)
    told = {feature.name for feature in feature_catalogue(products) if feature.in_reason}
    answers: dict[Key, Moved | str] = {}
    for (product, valuers), asked in groups.items():
        first, second = (models[product, valuer] for valuer in valuers)
        answers |= Compared(asked, (first, second), (before, after), told).answers()
    return answers


def _models(
    home: Home, groups: Iterable[tuple[str, tuple[Valuer, Valuer]]]
) -> Mapping[tuple[str, Valuer], Model | CannotTell]:
    """Every version that is asked for, or why it cannot be had."""
    registry = Registry(home.path) if database(home.path).exists() else None
    found: dict[tuple[str, Valuer], Model | CannotTell] = {}
    for key in {(product, valuer) for product, valuers in groups for valuer in valuers}:
        try:
            found[key] = model_of(registry, *key)
        except CannotTell as error:
            found[key] = error
        except UserError as error:
            found[key] = CannotTell(str(error))
    return found


def model_of(registry: Registry | None, product_id: str, valuer: Valuer) -> Model:
    """A registered version, ready to value a product.

    Raises:
        CannotTell: There is no such version any more, or it does not know the product.
        ContractViolation: Its files are not those that were registered.
    """
    name = product_id if valuer.basis == PROPENSITY else UPLIFT
    version = registry.version(name, valuer.version) if registry else None
    if registry is None or version is None:
        raise CannotTell(f"{model_name(name)} version {valuer.version} is not registered any more")
    if valuer.basis == PROPENSITY:
        scorer = registry.load(version).scorer
        scorer.require_order()
        return Model(scorer.columns, scorer.propensities, scorer)
    uplift = UpliftScorer.from_files(registry.files(version))
    if product_id not in uplift.attributes:
        raise CannotTell(f"{UPLIFT} version {valuer.version} does not know {product_id}")

    def uplifts(rows: pa.Table) -> Vector:
        matrix = feature_matrix(rows, uplift.features)
        return uplift.uplifts_of(matrix, [product_id])[product_id]

    return Model(uplift.features, uplifts)


def _snapshot(
    home: Home, record: RunRecord, customers: Collection[str], columns: Collection[str]
) -> Snapshot:
    """What the run read of these clients, without an engine."""
    label = f"the features as of {record.as_of}"
    table = customer_features_table(tuple(recorded_config(record.config).products))
    store = Store(home.tables, None, record.pins)
    try:
        # A column that was not there then would be read as unknown.
        present = store.stored_columns(table, record.as_of).names & set(table.column_names)
        names = ["customer_id", *sorted(present & set(columns))]
        return Snapshot(store.arrow_of(table, record.as_of, customers, names), label)
    except (UserError, OSError, DeltaError):
        empty = pa.table({"customer_id": pa.array([], pa.string())})
        return Snapshot(empty, label, f"{label} cannot be read any more")
