"""`xsell models compare`: two versions of a product side by side, and on the same customers."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from conf.model_settings import ModelSettings
from conf.schema import RunConfig
from jobs.models.command import (
    NOTHING,
    in_words,
    label,
    open_registry,
    require_product,
    text_table,
)
from jobs.models.stored_test_cohort import stored_test_cohort
from models.card import METRIC_NAMES
from models.evaluate import evaluate, log_loss_gain
from models.gate import better_than_champion
from models.registry import AGAINST, CHALLENGER, CHAMPION, Registered, Registry
from models.scorer import UPLIFT
from tables.errors import ModelNotFound, UserError

Parameters = Mapping[str, str]
FIGURES = {
    **METRIC_NAMES,
    "ece_by_chance": ("ECE by chance alone", 4),
    "log_loss_gain_over_segment_rate": ("Log loss gain over the segment's rate", 5),
    "log_loss_gain_over_logistic_regression": ("Log loss gain over the logistic regression", 5),
}
UPLIFT_FIGURES = {
    "qini": ("Qini coefficient, out of fold", 5),
    "qini_gain_over_propensity": ("Qini gain over propensity", 5),
    "qini_of_propensity": ("Qini coefficient of propensity", 5),
    "uplift_01": ("Uplift in the best 1 %", 4),
    "uplift_05": ("Uplift in the best 5 %", 4),
    "uplift_10": ("Uplift in the best 10 %", 4),
    "uplift_30": ("Uplift in the best 30 %", 4),
}
COHORTS = ("train_cohorts", "calibration_cohort", "test_cohort")
# What differs between any two runs, or is shown by itself.
NOT_SETTINGS = {"run_id", "as_of", "features", "campaigns", *COHORTS}
DATA = "version_"
DIGEST = 64  # hexadecimal digits of SHA-256
ROLES = (CHAMPION, CHALLENGER)


def compare_command(options: argparse.Namespace) -> int:
    """Print both versions' figures, the paired log loss gain, verdicts and differences.

    Raises:
        UserError: The product or a version does not exist.
    """
    registry, config = open_registry(options)
    require_product(config, options.product)
    one, two = _pair(registry, options.product, options.versions)
    sys.stdout.write(
        f"{label(one)}{_role(registry, one)} beside version {two.version}{_role(registry, two)}\n\n"
        + _side_by_side(registry, one, two)
        + "\n"
        + "".join(_verdict(registry, version) for version in (one, two))
        + "\n"
        + _paired(Path(options.home).resolve(), config, registry, one, two)
        + "\n"
        + _differences(registry.parameters(one), registry.parameters(two))
    )
    return 0


def _pair(registry: Registry, product_id: str, wanted: list[int]) -> tuple[Registered, Registered]:
    if len(wanted) not in (0, 2):
        raise UserError("compare needs two versions, or none for champion and challenger")
    known = {version.version: version for version in registry.versions(product_id)}
    there_are = f"versions of {product_id}: {', '.join(map(str, known)) or 'none'}"
    if wanted:
        if unknown := [str(number) for number in wanted if number not in known]:
            raise ModelNotFound(f"No version {' and no version '.join(unknown)}; {there_are}")
        return known[wanted[0]], known[wanted[1]]
    champion, challenger = (registry.with_alias(product_id, alias) for alias in ROLES)
    if champion is None or challenger is None:
        missing = [
            role for role, found in zip(ROLES, (champion, challenger), strict=True) if not found
        ]
        raise ModelNotFound(
            f"No {' and no '.join(missing)} for {product_id}. Say which versions to compare:"
            f" xsell models compare {product_id} VERSION VERSION ({there_are})"
        )
    return champion, challenger


def _role(registry: Registry, version: Registered) -> str:
    of_product = {alias: registry.with_alias(version.product_id, alias) for alias in ROLES}
    return "".join(f" ({alias})" for alias, found in of_product.items() if found == version)


def _side_by_side(registry: Registry, one: Registered, two: Registered) -> str:
    columns = [_column(registry, version) for version in (one, two)]
    return text_table([(name, *(column[name] for column in columns)) for name in columns[0]])


def _column(registry: Registry, version: Registered) -> dict[str, str]:
    figures, parameters = registry.metrics(version), registry.parameters(version)
    is_uplift = version.product_id == UPLIFT
    shown = UPLIFT_FIGURES if is_uplift else FIGURES
    return {
        "": f"version {version.version}",
        "kind": version.tags.get("kind", NOTHING),
        "trained as of": version.tags.get("as_of", NOTHING),
        **(_history(figures) if is_uplift else _test_cohort(figures, parameters)),
        **{name: in_words(figures, key, decimals) for key, (name, decimals) in shown.items()},
    }


def _test_cohort(figures: Mapping[str, float], parameters: Parameters) -> dict[str, str]:
    counts = (figures.get("test_positives", 0), figures.get("test_rows", 0))
    return {
        "test cohort": parameters.get("test_cohort", NOTHING),
        "test buyers of customers": "{:,.0f} of {:,.0f}".format(*counts),
    }


def _history(figures: Mapping[str, float]) -> dict[str, str]:
    names = {"campaigns": "campaigns", "treated": "offered", "control": "kept back as control"}
    return {name: f"{figures[key]:,.0f}" for key, name in names.items()}


def _verdict(registry: Registry, version: Registered) -> str:
    """What the gate said when it was trained, and where its card lies."""
    card = registry.card(version)
    return (
        f"Version {version.version}\n"
        f"  gate: {version.tags.get('gate', NOTHING)}\n"
        f"  against the champion then: {version.tags.get(AGAINST, NOTHING)}\n"
        f"  model card: {card if card.exists() else NOTHING}\n"
    )


def _paired(
    home: Path, config: RunConfig, registry: Registry, one: Registered, two: Registered
) -> str:
    """Both on the same customers: the test cohort of whichever was trained on later data."""
    if one.product_id == UPLIFT:
        return "Each was judged on its own history, by boosters that had not seen the customer.\n"
    later = max((one, two), key=lambda version: (version.tags.get("as_of", ""), version.version))
    try:
        return _on_same_customers(home, config.models, registry, (one, two), later)
    except UserError as problem:
        return f"Not compared on the same customers: {problem}\n"


def _on_same_customers(
    home: Path,
    settings: ModelSettings,
    registry: Registry,
    versions: tuple[Registered, Registered],
    later: Registered,
) -> str:
    scorers = [registry.load(version).scorer for version in versions]
    for version, scorer in zip(versions, scorers, strict=True):
        if scorer.kind == "segment_rate":
            raise UserError(
                f"{label(version)} is the segment's rate, over which each gain is shown above"
            )
    needed = sorted({name for scorer in scorers for name in scorer.columns})
    # A variant from the workbench has an id of its own, and the customers of a training run.
    run_id = registry.parameters(later).get("run_id", later.run_id)
    cohort = stored_test_cohort(home, run_id, later.product_id, needed)
    samples, seed = settings.bootstrap_samples, settings.seed
    first, second = (scorer.propensities(cohort.rows) for scorer in scorers)
    gain = log_loss_gain(second, first, cohort.has_bought, samples, seed)
    both = [evaluate(one, cohort.has_bought, samples, seed) for one in (first, second)]
    numbers = [version.version for version in versions]
    lines = [
        f"On the same {len(cohort.has_bought):,} customers, {cohort.has_bought.sum():,} of them"
        f" buyers (test cohort {cohort.cohort} of version {later.version})",
        *(
            f"  version {number}: AUC {figures['auc'].in_words(3)}, log loss"
            f" {figures['log_loss'].in_words(5)}"
            for number, figures in zip(numbers, both, strict=True)
        ),
        f"  log loss gain of version {numbers[1]} over version {numbers[0]}:"
        f" {gain.in_words(5, sign=True)}",
        f"  gate, version {numbers[1]} in place of version {numbers[0]}:"
        f" {better_than_champion(gain)}",
    ]
    return "\n".join(lines) + "\n"


def _differences(one: Parameters, two: Parameters) -> str:
    names = sorted((one.keys() | two.keys()) - NOT_SETTINGS)
    settings = [name for name in names if not name.startswith(DATA)]
    data = [name for name in names if name.startswith(DATA)]
    lines = [
        *_changed("settings", settings, one, two),
        *_features(one, two),
        *_changed("cohorts", COHORTS, one, two),
        *(_changed("campaigns", ("campaigns",), one, two) if "campaigns" in one else []),
        *_changed("data versions", data, one, two),
    ]
    return "Differences\n" + "".join(f"  {line}\n" for line in lines)


def _changed(title: str, names: Sequence[str], one: Parameters, two: Parameters) -> list[str]:
    changed = [
        f"{name.removeprefix(DATA)} {_short(one.get(name))} → {_short(two.get(name))}"
        for name in names
        if one.get(name) != two.get(name)
    ]
    return [f"{title}: {'; '.join(changed) or 'none'}"]


def _short(value: str | None) -> str:
    """A digest is told by its beginning."""
    if value is None:
        return NOTHING
    return value[:12] if len(value) == DIGEST else value


def _features(one: Parameters, two: Parameters) -> list[str]:
    before, after = (set(filter(None, of.get("features", "").split(", "))) for of in (one, two))
    added, removed = sorted(after - before), sorted(before - after)
    if not added and not removed:
        return [f"features: none (both read {len(after)})"]
    return [
        f"features: {len(added)} more ({', '.join(added) or NOTHING}),"
        f" {len(removed)} fewer ({', '.join(removed) or NOTHING})"
    ]
