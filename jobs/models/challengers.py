"""Which model of each product is tried, registered, and put in use."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from threadpoolctl import threadpool_limits

from jobs.clock import time_of_decision
from jobs.models.card import ModelCards
from jobs.models.tried import Tried, tried_on_test
from jobs.run import Run
from models.accelerator import is_equal
from models.decisions import PROMOTE, REGISTER, Signature
from models.evaluate import Estimate, log_loss_gain
from models.fairness import Groups
from models.gate import Verdict, better_than_champion
from models.labels import outcome_codes, outcome_column
from models.pooled import POOLED, pooled_candidate, train_pooled, train_task
from models.registry import ACCELERATOR, AGAINST, CHAMPION, Registered, Registry
from models.scorer import Scorer
from models.search import recorded
from models.segment_rate import train_segment_rate
from models.train import Candidate, Plan, share_binned, shared_arrays
from models.training_set import TEST, TRAIN
from models.workers import in_processes, in_tasks

log = logging.getLogger(__name__)
GATE = "gate"  # who promotes without a person


class Challengers:
    """The models of one training run.

    Every product is tried with its own booster, then with the pooled model, then with its segment's
    rate, until one may be used; where a champion is in use already, the first is enough.

    Args:
        run: The run.
        plan: What the training processes are told.
        facts: Parameters to record with each model.
        test_rows: The test cohort with features and outcomes, to compare champions on.
        groups: Protected groups of the test cohort.
    """

    def __init__(
        self, run: Run, plan: Plan, facts: Mapping[str, str], test_rows: pa.Table, groups: Groups
    ) -> None:
        self._run = run
        self._plan = plan
        self._facts = facts
        self._test_rows = test_rows
        self._groups = groups
        self._cards = ModelCards(run, plan, facts)
        self._boosters: dict[str, Candidate] = {}
        self._pooled: Scorer | None = None
        self._promoted: list[str] = []
        self._last: dict[str, Candidate] = {}

    def train(self) -> None:
        """Train the boosters of all products that have enough buyers, side by side."""
        own = [p for p in self._plan.products if self._positives(p) >= self._needed]
        # The pooled model takes longest, so that it starts first if it is known to be needed.
        first = [POOLED] if len(own) < len(self._plan.products) and self._can_pool else []
        if own:
            share_binned(self._plan)
        with self._run.progress(len(first) + len(own), "models") as advance:
            for product_id, trained in self._side_by_side(first + own):
                if isinstance(trained, Scorer):
                    self._pooled = trained
                else:
                    self._boosters[product_id] = trained
                    if trained.found:
                        log.info("%s: parameters: %s", product_id, trained.found.in_words())
                advance(1)

    def register(self, registry: Registry) -> None:
        """Register every candidate; when all are there, switch champions."""
        with threadpool_limits(1):
            decided = [self._decide(registry, product_id) for product_id in self._plan.products]
        self._cards.write_index()
        for registered, verdict in decided:
            self._put_in_use(registry, registered, verdict)

    def register_variant(
        self, registry: Registry, candidate: Candidate, signed: Signature, tags: Mapping[str, str]
    ) -> Registered:
        """Make a person's candidate the challenger of its product; the gate never promotes it."""
        before = self._champion_before(registry, candidate.scorer.product_id)
        tried = self._look_at(candidate, f"registered by {signed.who}: {signed.why}")
        against = self._against(registry, before, tried)
        registered = self._registered(registry, tried, against, tags)
        self._cards.write(registry, registered, tried)
        champion = registry.with_alias(registered.product_id, CHAMPION)
        if champion is None or champion.version != registered.version:
            registry.record(registered, REGISTER, signed)
            registry.challenge(registered)
        return registered

    def summary(self) -> dict[str, object]:
        """Facts for the end of the run."""
        aucs = [c.metrics["auc"].value for c in self._last.values() if c.metrics["auc"].is_known]
        fallbacks = [p for p, c in self._last.items() if c.scorer.kind != "booster"]
        return {
            "models": len(self._last),
            "promoted": len(self._promoted),
            "mean_test_auc": round(float(np.mean(aucs)), 4) if aucs else "unknown",
            "without_own_model": ", ".join(fallbacks) or "none",
            **self._searched(),
        }

    def _searched(self) -> dict[str, str]:
        """For which products a search found better parameters, if there was one."""
        found = {product: booster.found for product, booster in self._boosters.items()}
        better = [p for p in self._plan.products if (one := found.get(p)) and one.used]
        searched = sum(one is not None for one in found.values())
        told = f"{len(better)} of {searched} searched: {', '.join(better)}".removesuffix(": ")
        return {"better_parameters": told} if searched else {}

    def _side_by_side(self, keys: Sequence[str]) -> Iterator[tuple[str, Candidate | Scorer]]:
        """In processes beside the embedded engine, else as tasks of the engine."""
        if self._run.config.engine.kind == "embedded":
            return in_processes(train_task, self._plan, keys)
        return in_tasks(self._run.spark, train_task, self._plan, keys)

    @property
    def _needed(self) -> int:
        return self._run.config.models.min_positives

    def _decide(self, registry: Registry, product_id: str) -> tuple[Registered, Verdict]:
        """Try one product's candidates and register each; the last is the challenger."""
        before = self._champion_before(registry, product_id)
        for tried in self._tried(product_id):
            against = self._against(registry, before, tried)
            registered = self._registered(registry, tried, against)
            self._cards.write(registry, registered, tried)
            if before is not None or tried.verdict.passed:
                break
            kind = tried.candidate.scorer.kind
            log.warning("%s: %s model refused: %s", product_id, kind, tried.verdict)
        self._last[product_id] = tried.candidate
        return registered, against

    def _tried(self, product_id: str) -> Iterator[Tried]:
        buyers = f"{self._positives(product_id):,} buyers in the training cohorts"
        why = f"{buyers}; a model of its own needs {self._needed:,}"
        if product_id in self._boosters:
            own = self._look_at(self._boosters[product_id], why)
            yield own
            why = f"its own booster was refused: {own.verdict}"
        if self._can_pool:
            self._pooled = self._pooled or train_pooled(self._plan)
            pooled = pooled_candidate(self._plan, self._pooled, product_id)
            shared = self._look_at(pooled, why)
            yield shared
            why = f"{why}; the pooled model was refused: {shared.verdict}"
        # The last resort passes: without it the product could not be scored at all.
        yield self._look_at(train_segment_rate(self._plan, product_id), why, is_last=True)

    def _look_at(self, candidate: Candidate, why: str, *, is_last: bool = False) -> Tried:
        return tried_on_test(self._plan, candidate, why, self._groups, is_last=is_last)

    @cached_property
    def _can_pool(self) -> bool:
        """There are enough buyers of anything."""
        positives = sum(map(self._positives, self._plan.products))
        return positives >= self._run.config.models.min_pooled_positives

    def _positives(self, product_id: str) -> int:
        data = shared_arrays(self._plan.folder)
        place = self._plan.products.index(product_id)
        return int((data.outcomes[data.rows(place, TRAIN), place] == 1).sum())

    def _champion_before(self, registry: Registry, product_id: str) -> Registered | None:
        """The champion, unless an earlier attempt of this very run has put it there."""
        champion = registry.with_alias(product_id, CHAMPION)
        return None if champion and champion.run_id == self._run.run_id else champion

    def _registered(
        self,
        registry: Registry,
        tried: Tried,
        against: Verdict,
        more_tags: Mapping[str, str] | None = None,
    ) -> Registered:
        tags = {
            **(more_tags or {}),
            "as_of": str(self._run.as_of),
            "gate": str(tried.verdict),
            AGAINST: str(against),
            ACCELERATOR: self._accelerator(tried.candidate.scorer),
        }
        facts = {**self._facts, **recorded(tried.candidate.found)}
        return registry.register(tried.candidate, self._run.run_id, tags, facts)

    def _accelerator(self, scorer: Scorer) -> str:
        """The configured accelerator, if it gives the test cohort the same propensities."""
        wanted = self._run.config.models.accelerator
        if wanted == "none" or not scorer.model_text:
            return "none"
        data, place = shared_arrays(self._plan.folder), self._plan.products.index(scorer.product_id)
        rows = data.features[data.rows(place, TEST)]
        other = replace(scorer, is_accelerated=True)
        if is_equal(other.propensities_of(rows), scorer.propensities_of(rows)):
            return wanted
        log.warning("%s: %s differs from LightGBM and is not used", scorer.product_id, wanted)
        return "none"

    def _against(self, registry: Registry, before: Registered | None, tried: Tried) -> Verdict:
        """The gate's verdict, and whether the challenger beats the champion on the test cohort."""
        if before is None or not tried.verdict.passed:
            return tried.verdict
        champion = registry.load(before).scorer
        if not set(champion.columns) <= set(self._test_rows.column_names):
            return tried.verdict  # the champion can't score today's features at all
        return better_than_champion(self._gain(champion, tried.candidate.scorer))

    def _gain(self, champion: Scorer, challenger: Scorer) -> Estimate:
        column = outcome_column(challenger.product_id)
        rows = self._test_rows.filter(pc.is_valid(self._test_rows[column]))
        has_bought = outcome_codes(rows, challenger.product_id) == 1
        settings = self._run.config.models
        return log_loss_gain(
            challenger.propensities(rows),
            champion.propensities(rows),
            has_bought,
            settings.bootstrap_samples,
            settings.seed,
        )

    def _put_in_use(self, registry: Registry, registered: Registered, verdict: Verdict) -> None:
        champion = registry.with_alias(registered.product_id, CHAMPION)
        if champion is not None and champion.version == registered.version:
            return
        registry.challenge(registered)
        if self._run.config.models.auto_promote and verdict.passed:
            signed = Signature(GATE, str(verdict), str(self._run.as_of), time_of_decision())
            registry.switch(registered, PROMOTE, signed)
            self._promoted.append(registered.product_id)
