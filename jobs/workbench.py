"""The data scientist's workbench: train variants on a stored training set, compare, register.

What a variant may differ in are its parameters and what it reads. Everything a committee would ask
about is production's: sampling and prior correction, parts by date, calibration, test, gate, card,
registry. Nothing is promoted from here. `docs/workbench.py` shows it from end to end.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
from threadpoolctl import threadpool_limits

from conf.schema import EngineSettings
from features.catalogue import feature_catalogue
from jobs.campaigns.protected_groups import protected_groups
from jobs.clock import time_of_decision
from jobs.engine import open_engine
from jobs.models.card import TEMPLATE, ModelCards
from jobs.models.challengers import Challengers
from jobs.models.command import label, require_product
from jobs.models.extra_columns import RECIPE, extra_columns
from jobs.models.stored_training_set import stored_training_rows, training_record, training_run
from jobs.models.tried import tried_on_test
from jobs.models.variant_comparison import Beside, Comparison
from jobs.models.variants import Variant, chosen_features, identity_of, variant_plan, with_settings
from jobs.models.variants_looked_at import looked_at
from jobs.reports import page_text, report_page
from jobs.run import Run
from jobs.train_propensity import rows_of_part, training_plan
from models.decisions import Signature
from models.evaluate import Estimate, evaluate, log_loss_gain
from models.labels import outcome_column
from models.registry import CHALLENGER, CHAMPION, Registered, Registry
from models.scorer import Scorer
from models.training_set import PARTS, TEST, TRAIN
from models.variant import split_parameters, train_variant
from tables.errors import ModelNotFound, UserError
from tables.files import make_folder, write_file

if TYPE_CHECKING:
    from types import TracebackType

    from models.fairness import Groups

KEYS = ("cohort", "customer_id", "part", "weight")
MOST_CHARACTERS = 500  # of a name or a reason in the record


def open_workbench(home: Path, as_of: date) -> Workbench:
    """The training set of the month's `xsell train`; an engine reads it, and is stopped again.

    Raises:
        UserError: Nothing was trained as of then, or features have changed since.
    """
    settings = EngineSettings(kind="embedded", url="", shuffle_partitions=1)
    record = training_record(home.resolve(), as_of)
    with open_engine(settings) as spark:
        run = training_run(home.resolve(), record, spark)
        rows = stored_training_rows(run)
        tested = rows_of_part(rows, TEST)
        groups = protected_groups(run, tested["cohort"][0].as_py(), tested["customer_id"])
    return Workbench(run, rows, groups)


class Workbench:
    """The training set of one run of `xsell train`, and what can be done with it.

    Args:
        run: The committed run.
        rows: Its training set.
        groups: Protected groups of its test customers.

    Attributes:
        features: Names of what a model may read.
        customers: ``cohort``, ``customer_id``, ``part``, ``weight`` and the features.
    """

    def __init__(self, run: Run, rows: pa.Table, groups: Groups) -> None:
        self._run, self._rows, self._groups = run, rows, groups
        self._registry = Registry(run.home)
        self._folder = TemporaryDirectory(dir=run.home / "mlruns", prefix="training-")
        self._tested = rows_of_part(rows, TEST)
        self._plan = training_plan(run.config, rows, make_folder(Path(self._folder.name) / "all"))
        self._trained = 0
        self.features = self._plan.features
        self.customers = rows.select([*KEYS, *self.features])

    def close(self) -> None:
        """Remove the arrays; otherwise that is done when Python ends."""
        self._folder.cleanup()

    def outcomes(self, product_id: str, part: str = PARTS[TRAIN]) -> pa.Table:
        """Who could buy a product: ``cohort``, ``customer_id``, ``weight`` and ``has_bought``.

        Of the training cohorts, unless another part is asked for: who explores the test cohort
        learns from it.
        """
        require_product(self._run.config, product_id)
        if part not in PARTS:
            raise UserError(f"no part {part!r}; there are {', '.join(PARTS)}")
        rows = rows_of_part(self._rows, PARTS.index(part))
        has_bought = rows[outcome_column(product_id)]
        keys = rows.select(["cohort", "customer_id", "weight"])
        return keys.append_column("has_bought", has_bought).filter(pc.is_valid(has_bought))

    def train(
        self,
        product_id: str,
        *,
        parameters: Mapping[str, Any] | None = None,
        features: Sequence[str] | None = None,
        extra: Any = None,  # noqa: ANN401 - Arrow's or pandas'
    ) -> Variant:
        """Train a variant on the training cohorts, calibrate and test it on the later ones.

        Args:
            product_id: The product.
            parameters: Of `conf/*/models.yaml` or of LightGBM, in place of production's.
            features: Names of those to read; None is all.
            extra: Columns of its own, Arrow or pandas, with ``cohort`` and ``customer_id``: a row
                for each of ``customers``, made of nothing that was not known before the cohort.

        Raises:
            UserError: A name or a value is wrong, or the rows are not those of ``customers``.
        """
        require_product(self._run.config, product_id)
        settings, own = split_parameters(parameters or {})
        config = with_settings(self._run.config, settings)
        names = chosen_features(features, self._plan)
        taken = {feature.name for feature in feature_catalogue(self._plan.products)}
        more = None if extra is None else extra_columns(extra, self.customers, taken)
        self._trained += 1
        folder = Path(self._folder.name) / str(self._trained)
        plan = variant_plan(self._plan, config, names, more, folder)
        with threadpool_limits(1):
            candidate = train_variant(plan, product_id, own)
            tried = tried_on_test(plan, candidate, "", self._groups, is_last=False)
        changed = {name: str(value) for name, value in (settings | own).items()}
        reads = f"{len(names)} of {len(self.features)} features"
        columns = plan.features[len(names) :]
        variant_id = identity_of(self._run.run_id, candidate)
        looks = looked_at(self._run.home, candidate, variant_id, self._test_cohort, changed)
        words = " and ".join([reads, *columns])
        return Variant(variant_id, plan, changed, words, columns, tried, looks)

    def compare(self, variant: Variant) -> Comparison:
        """A variant beside champion and challenger on its test customers; print it."""
        others, left_out = [], []
        for alias in (CHAMPION, CHALLENGER):
            registered = self._registry.with_alias(variant.product_id, alias)
            if registered is None or registered.run_id == variant.variant_id:
                continue
            scorer = self._registry.load(registered).scorer
            if problem := self._incomparable(registered, scorer):
                name = f"{alias}, version {registered.version}"
                left_out.append(f"Not compared with the {name}: {problem}.")
            else:
                figures = self._beside(variant, scorer)
                others.append(Beside(alias, registered.version, *figures))
        return Comparison(variant.tried, tuple(others), variant.looks, tuple(left_out))

    def card(self, variant: Variant) -> Path:
        """Write the page that the variant would get as a version, below ``reports``."""
        known = self._registry.versions(variant.product_id)
        nothing = "it is not registered"
        tags = {"gate": str(variant.tried.verdict), "against_champion": nothing, "sha256": nothing}
        draft = Registered(variant.product_id, len(known) + 1, variant.variant_id, "", tags)
        why = f"a variant that is not registered ({variant}; {variant.looks})"
        cards = ModelCards(self._as_run(variant), variant.plan, self._facts(variant))
        content = cards.content(self._registry, draft, replace(variant.tried, why=why))
        if variant.extra:
            unknown = f"It reads {', '.join(variant.extra)}, of which the catalogue says nothing."
            content["limits"] = [*content["limits"], unknown]
        page = report_page(self._run.home, "variant", self._run.as_of, variant.variant_id)
        make_folder(page.parent)
        write_file(page, page_text(content, TEMPLATE).encode())
        return page

    def register(self, variant: Variant, *, by: str, why: str) -> Registered:
        """Make a variant the challenger of its product, with card, digest and record.

        It is promoted by `xsell models promote` only, and only if the gate let it pass.

        Raises:
            UserError: It reads columns that scoring can't compute, or is a version that is there.
        """
        by, why = _said("by", by), _said("why", why)
        if variant.extra:
            raise UserError(
                f"{variant.product_id}: a variant that reads {', '.join(variant.extra)} can't be"
                " registered: scoring computes features of the catalogue only. Declare them there"
                f" first: {RECIPE}"
            )
        self._require_new(variant)
        now = time_of_decision()
        signed = Signature(by, f"{why} ({variant}; {variant.looks})", now, now)
        tags = {"variant": variant.variant_id, "by": by, "why": why}
        run, facts = self._as_run(variant), self._facts(variant)
        challengers = Challengers(run, variant.plan, facts, self._tested, self._groups)
        with threadpool_limits(1):
            candidate = variant.tried.candidate
            return challengers.register_variant(self._registry, candidate, signed, tags)

    @property
    def _test_cohort(self) -> str:
        return str(self._tested["cohort"][0].as_py())

    def _as_run(self, variant: Variant) -> Run:
        """The training run, under the variant's id."""
        return replace(self._run, run_id=variant.variant_id)

    def _facts(self, variant: Variant) -> dict[str, str]:
        """What MLflow records: the training run's facts, but for what is the variant's own."""
        made = self._registry.of_run(variant.product_id, self._run.run_id)
        if not made:
            raise ModelNotFound(
                f"training run {self._run.run_id[:12]} has no model of {variant.product_id} in"
                f" {self._run.home / 'mlruns'}. Run xsell train --supersede"
            )
        facts = self._registry.parameters(made[0])
        return facts | dict(variant.own) | {"features": ", ".join(variant.plan.features)}

    def _incomparable(self, registered: Registered, scorer: Scorer) -> str:
        """Why a version's figures on these customers would mislead, if they would."""
        if registered.tags["as_of"] > str(self._run.as_of):
            return f"as of {registered.tags['as_of']} it may have learned from these customers"
        missing = sorted(set(scorer.columns) - set(self._tested.column_names))
        return f"it reads {', '.join(missing[:3])}, which was not stored" if missing else ""

    def _beside(self, variant: Variant, scorer: Scorer) -> tuple[dict[str, Estimate], Estimate]:
        """A version's metrics on the variant's test customers, and the variant's gain over it."""
        could_buy = pc.is_valid(self._tested[outcome_column(variant.product_id)])
        propensity = scorer.propensities(self._tested.filter(could_buy))
        tried, settings = variant.tried, self._run.config.models
        many = settings.bootstrap_samples, settings.seed
        metrics = evaluate(propensity, tried.has_bought, *many)
        gain = log_loss_gain(tried.propensity, propensity, tried.has_bought, *many)
        return metrics, gain

    def _require_new(self, variant: Variant) -> None:
        for registered in self._registry.of_run(variant.product_id, self._run.run_id):
            if self._registry.load(registered).scorer == variant.tried.candidate.scorer:
                raise UserError(
                    f"the variant is {label(registered)} itself, bit by bit: there is nothing to"
                    " register"
                )


def in_one_line(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """For ``sys.excepthook`` of a script: a wrong call is told in a line, as by `xsell`."""
    if isinstance(error, UserError):
        sys.stderr.write(f"workbench: {error}\n")
    else:
        sys.__excepthook__(kind, error, trace)


def _said(name: str, text: str) -> str:
    """A person's words for the record, in one line."""
    words = " ".join(text.split())
    if not 0 < len(words) <= MOST_CHARACTERS:
        raise UserError(f"{name} needs 1 to {MOST_CHARACTERS} characters, has {len(words)}")
    return words
