"""The card of each registered model: a page and its figures as JSON, beside the model's files.

Neither holds a client's value, nor anything of a protected group smaller than configured.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from conf.schema import Product, TimeSettings
from features.catalogue import feature_catalogue
from jobs.reports import Content, page_text, report_page, write_page
from models.card import (
    BASELINES,
    CohortFacts,
    baseline_sentences,
    cohort_rows,
    decile_rows,
    group_rows,
    limits,
    metric_rows,
    parameter_sentence,
)
from models.card_features import MOST_CUSTOMERS, top_features
from models.card_plots import plot_scales
from models.evaluate import auc_estimate, deciles, from_flat
from models.monotone import promises
from models.registry import AGAINST, Registered, Registry
from models.scorer import Scorer
from models.search import recorded
from models.train import Candidate, Plan, propensities, shared_arrays
from models.training_set import CALIBRATION, PARTS, TEST, first_by_draw, total
from tables.files import make_folder, write_file

if TYPE_CHECKING:
    from jobs.models.tried import Tried
    from jobs.run import Run

TEMPLATE, INDEX_TEMPLATE = "card.html.j2", "models.html.j2"
TOP_FEATURES, EARLIER_VERSIONS = 15, 6
KINDS = {
    "booster": "a LightGBM booster of its own",
    "pooled": "one LightGBM booster for all products, told what kind of product it looks at",
    "segment_rate": "the rate of the customer's segment",
}
DATA = "version_"
COHORTS = ("train_cohorts", "calibration_cohort", "test_cohort")
SEARCH = ("search", "search_result")
SHOWN_APART = (
    "run_id", "as_of", "config_hash", "features", "fairness", "monotone", *SEARCH, *COHORTS
)  # fmt: skip


class ModelCards:
    """Writes a card per registered version of one training run.

    Args:
        run: The run.
        plan: What was trained, with the arrays.
        facts: What MLflow records: cohorts, data versions, settings, features.
    """

    def __init__(self, run: Run, plan: Plan, facts: Mapping[str, str]) -> None:
        self._run = run
        self._plan = plan
        self._facts = facts
        self._described = {f.name: f.description for f in feature_catalogue(plan.products)}
        self._written: list[Content] = []

    def write(self, registry: Registry, registered: Registered, tried: Tried) -> None:
        """Write a version's card, unless an attempt of this run before a crash has."""
        page = registry.card(registered)
        if not page.exists():
            content = self.content(registry, registered, tried)
            make_folder(page.parent)
            text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
            write_file(page.with_suffix(".json"), text.encode())
            # The page comes last: where it is, its figures are.
            write_file(page, page_text(content, TEMPLATE).encode())
        self._written.append(self._entry(registry, registered, tried))

    def write_index(self) -> None:
        """The report of the run: every version it registered, with the way to its card."""
        run = self._run
        content = {
            "as_of": str(run.as_of),
            "run_id": run.run_id,
            "is_searched": self._plan.settings.search.trials > 0,
            "models": self._written,
        }
        write_page(run, content, INDEX_TEMPLATE)

    def _entry(self, registry: Registry, registered: Registered, tried: Tried) -> Content:
        folder = report_page(self._run.home, self._run.step, self._run.as_of, "").parent
        sentences = baseline_sentences(tried.candidate)
        return {
            "product_id": registered.product_id,
            "version": registered.version,
            "kind": tried.candidate.scorer.kind,
            "auc": tried.candidate.metrics["auc"].in_words(3),
            "ece": tried.candidate.metrics["ece"].in_words(4),
            "parameters": self._parameters(tried.candidate),
            "beats": {key: one["beats"] for key, one in zip(BASELINES, sentences, strict=True)},
            "gate": registered.tags["gate"],
            "against_champion": registered.tags[AGAINST],
            # Relative, so that a home may be moved.
            "card": os.path.relpath(registry.card(registered), folder),
        }

    def content(self, registry: Registry, registered: Registered, tried: Tried) -> Content:
        """The card as plain values; the same run gives the same."""
        settings, candidate = self._plan.settings, tried.candidate
        test = _test_facts(self._facts["test_cohort"], tried)
        gate, is_judged = settings.gate, test.buyers >= settings.gate.min_test_positives
        tenths = decile_rows(test.bins)
        return {
            **self._identity(registered, tried),
            "metrics": metric_rows(candidate.metrics),
            "baselines": list(BASELINES.values()),
            "beside_baselines": baseline_sentences(candidate),
            "bootstrap_samples": settings.bootstrap_samples,
            "deciles": tenths,
            "plots": plot_scales(tenths),
            "features": self._top_features(tried),
            "explained_customers": MOST_CUSTOMERS,
            "cohort_results": cohort_rows(
                [*self._months(candidate), *self._calibration(tried), test]
            ),
            "earlier": _earlier(registry, registered),
            "groups": group_rows(tried.groups, gate.max_group_ratio if is_judged else None),
            "groups_are_judged": is_judged,
            "has_small_groups": tried.has_small_groups,
            "min_group_customers": settings.fairness.min_customers,
            "max_group_ratio": gate.max_group_ratio,
            "limits": limits(
                candidate, test, gate.min_test_positives, (self._run.home / "truth").exists()
            ),
        }

    def _identity(self, registered: Registered, tried: Tried) -> Content:
        scorer = tried.candidate.scorer
        facts = {**self._facts, **recorded(tried.candidate.found)}
        product = self._run.config.products[registered.product_id]
        return {
            "product_id": registered.product_id,
            "product_name": product.named(self._run.config.bank.language),
            "version": registered.version,
            "kind": scorer.kind,
            "kind_in_words": KINDS[scorer.kind],
            "why_kind": tried.why,
            "as_of": str(self._run.as_of),
            "run_id": self._run.run_id,
            "sha256": registered.tags["sha256"],
            "gate": registered.tags["gate"],
            "against_champion": registered.tags[AGAINST],
            "window": _window(self._run.config.time),
            "eligibility": _eligibility(product, self._run.config.bank.base_currency),
            "parts": self._parts(tried),
            "calibration": scorer.calibration.kind,
            "constraints": promises(self._plan.settings.monotone) if scorer.model_text else [],
            "parameters_in_words": self._parameters(tried.candidate),
            "config_hash": facts["config_hash"],
            "data": {k.removeprefix(DATA): v for k, v in facts.items() if k.startswith(DATA)},
            "parameters": {
                **{
                    k: v
                    for k, v in facts.items()
                    if k not in SHOWN_APART and not k.startswith(DATA)
                },
                **{k: f"{v:g}" for k, v in tried.candidate.facts.items() if "_" not in k},
            },
            "reads": list(scorer.columns),
        }

    def _parameters(self, candidate: Candidate) -> str:
        return parameter_sentence(candidate, self._plan.settings.search.trials)

    def _parts(self, tried: Tried) -> list[Content]:
        """Rows, buyers and weights of each part."""
        data, candidate = shared_arrays(self._plan.folder), tried.candidate
        place = self._plan.products.index(candidate.scorer.product_id)
        return [
            {
                "part": name,
                "cohorts": self._facts[cohorts],
                "rows": int(candidate.facts[f"{name}_rows"]),
                "buyers": int(candidate.facts[f"{name}_positives"]),
                "customers": round(total(data.weight[data.rows(place, part)])),
            }
            for part, (name, cohorts) in enumerate(zip(PARTS, COHORTS, strict=True))
        ]

    def _months(self, candidate: Candidate) -> list[CohortFacts]:
        """How boosters that had not seen its customers do in each training cohort."""
        cohorts = self._facts["train_cohorts"].split(", ")
        return [
            CohortFacts("training", cohorts[month.cohort], (month.together,), month.auc)
            for month in candidate.months
        ]

    def _calibration(self, tried: Tried) -> list[CohortFacts]:
        """How it does on the calibration cohort, which the booster was not trained on."""
        scorer = tried.candidate.scorer
        if scorer.kind == "segment_rate":
            return []
        data = shared_arrays(self._plan.folder)
        place = self._plan.products.index(scorer.product_id)
        rows = data.rows(place, CALIBRATION)
        propensity = propensities(self._plan, scorer, rows)
        bought = data.outcomes[rows, place] == 1
        cohort, auc = self._facts["calibration_cohort"], auc_estimate(propensity, bought)
        return [CohortFacts("calibration", cohort, deciles(propensity, bought), auc)]

    def _top_features(self, tried: Tried) -> list[Content]:
        scorer: Scorer = tried.candidate.scorer
        if scorer.kind == "segment_rate":
            return []
        data = shared_arrays(self._plan.folder)
        rows = data.rows(self._plan.products.index(scorer.product_id), TEST)
        some = first_by_draw(rows, data.draw, MOST_CUSTOMERS)
        found = top_features(scorer, data.features[some], TOP_FEATURES)
        return [{**vars(one), "description": self._described.get(one.name, "")} for one in found]


def _test_facts(cohort: str, tried: Tried) -> CohortFacts:
    bins = deciles(tried.propensity, tried.has_bought)
    return CohortFacts("test", cohort, bins, tried.candidate.metrics["auc"])


def _earlier(registry: Registry, registered: Registered) -> list[Content]:
    """The versions before, newest first, with what they were found to be worth then."""
    versions = [
        v for v in registry.versions(registered.product_id) if v.version < registered.version
    ]
    return [
        {
            "version": one.version,
            "as_of": one.tags["as_of"],
            "kind": one.tags["kind"],
            "gate": one.tags["gate"],
            "auc": from_flat(figures, "auc").in_words(3),
            "ece": from_flat(figures, "ece").in_words(4),
        }
        for one in reversed(versions[-EARLIER_VERSIONS:])
        for figures in [registry.metrics(one)]
    ]


def _window(time: TimeSettings) -> Content:
    return {"gap_days": time.gap_days, "outcome_months": time.outcome_months}


def _eligibility(product: Product, currency: str) -> list[str]:
    """The product's rules, as a person would say them."""
    rules = product.eligibility
    said = {
        "at least {} years old": rules.min_age,
        "at most {} years old": rules.max_age,
        f"a regular monthly income of at least {{}} {currency}": rules.min_monthly_income,
        f"a balance of at least {{}} {currency}": rules.min_balance,
        "holding {}": " or ".join(rules.requires_any) or None,
        "not holding {}": " or ".join(rules.excludes) or None,
    }
    own = [] if product.can_be_held_twice else ["not holding it already"]
    return [*own, *(words.format(value) for words, value in said.items() if value is not None)]
