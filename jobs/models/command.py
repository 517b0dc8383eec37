"""`xsell models list|promote|rollback|history`: what is in use, what waits, who changed it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from conf.load import load_config
from conf.schema import RunConfig
from jobs.clock import time_of_decision
from models.decisions import (
    PROMOTE,
    PROPOSE,
    ROLLBACK,
    Action,
    Signature,
    is_promoted,
    is_same_person,
    open_proposal,
    previous_version,
)
from models.evaluate import from_flat
from models.gate import PASSED
from models.registry import AGAINST, CHALLENGER, CHAMPION, Registered, Registry, database
from models.scorer import UPLIFT, model_name
from tables.errors import ModelNotFound, UserError

HEADER = ("product", "version", "kind", "test AUC", "ECE", "trained as of", "challenger")
UPLIFT_HEADER = (
    "model",
    "version",
    "kind",
    "Qini",
    "Qini gain over propensity",
    "trained as of",
    "offers valued by",
    "challenger",
)
NOTHING = "-"


def list_command(options: argparse.Namespace) -> int:
    """Print champion and challenger of every product, with their figures and model cards."""
    registry, config = open_registry(options)
    rows = [_row(registry, product_id) for product_id in config.products]
    sys.stdout.write(text_table([HEADER, *rows]))
    if registry.versions(UPLIFT):
        sys.stdout.write("\n" + text_table([UPLIFT_HEADER, _uplift_row(registry, config)]))
    if cards := [line for product_id in config.products for line in _cards(registry, product_id)]:
        sys.stdout.write("\nModel cards\n" + text_table(cards))
    return 0


def promote_command(options: argparse.Namespace) -> int:
    """Make the challenger of a product its champion, if the gate let it pass.

    With ``models.four_eyes`` the first person proposes, and a second one switches.

    Raises:
        ModelNotFound: The product has no challenger.
        UserError: The gate refused it when it was trained, or the same person proposed it.
    """
    registry, config = open_registry(options)
    challenger = _in_role(registry, config, options.product, CHALLENGER)
    verdict = challenger.tags.get("gate", "")
    if verdict != PASSED:
        raise UserError(
            f"{label(challenger)} may not be promoted: {verdict}. Train a better one, or change"
            " models.gate and train again"
        )
    if config.models.four_eyes and _needs_second_person(registry, challenger, options.who):
        _propose(registry, challenger, options)
    else:
        _switch(registry, challenger, PROMOTE, options)
    return 0


def rollback_command(options: argparse.Namespace) -> int:
    """Make the champion before the present one the champion again.

    Before the first uplift model there was none, and offers were valued by propensity.

    One person is enough, whatever ``models.four_eyes`` says: that version was approved before, and
    harm to clients must not wait.

    Raises:
        ModelNotFound: There is no champion, or none before it.
    """
    registry, config = open_registry(options)
    champion = _in_role(registry, config, options.product, CHAMPION)
    number = previous_version(registry.decisions(options.product))
    previous = registry.version(options.product, number) if number is not None else None
    if previous is None and options.product == UPLIFT:
        registry.retire(champion, _signature(options))
        sys.stdout.write(f"{label(champion)} is out of use: offers are valued by propensity\n")
        return 0
    if previous is None:
        raise ModelNotFound(f"{label(champion)} is the first champion; there is none to go back to")
    _switch(registry, previous, ROLLBACK, options)
    return 0


def open_registry(options: argparse.Namespace) -> tuple[Registry, RunConfig]:
    """The registry below the home, and the configuration.

    Raises:
        ModelNotFound: Nothing was ever trained there.
    """
    config = load_config(options.env, options.overrides)
    home = Path(options.home).resolve()
    if not database(home).exists():
        raise ModelNotFound(f"No models in {home}. Run xsell train first")
    return Registry(home), config


def require_product(config: RunConfig, product_id: str) -> None:
    """Stop unless the product is one of the bank's, or the uplift model of all of them is meant.

    Raises:
        UserError: It is not.
    """
    known = (*config.products, UPLIFT)
    if product_id not in known:
        raise UserError(f"no product {product_id!r}; there are {', '.join(known)}")


def _in_role(registry: Registry, config: RunConfig, product_id: str, alias: str) -> Registered:
    require_product(config, product_id)
    found = registry.with_alias(product_id, alias)
    if found is None:
        raise ModelNotFound(f"No {alias} for {product_id}. Run xsell train first")
    return found


def _needs_second_person(registry: Registry, challenger: Registered, who: str) -> bool:
    """Nobody has proposed it yet.

    Raises:
        UserError: The same person has.
    """
    decisions = registry.decisions(challenger.product_id)
    if is_promoted(decisions, challenger.version):
        return False  # approved by two already; a crash left it the challenger as well
    proposal = open_proposal(decisions, challenger.version)
    if proposal is None:
        return True
    if is_same_person(proposal.who, who):
        raise UserError(
            f"{proposal.who} proposed {label(challenger)} on {proposal.when} and cannot be the"
            " second person as well (models.four_eyes). Somebody else has to run xsell models"
            f" promote {challenger.product_id}"
        )
    return False


def _propose(registry: Registry, challenger: Registered, options: argparse.Namespace) -> None:
    registry.record(challenger, PROPOSE, _signature(options))
    sys.stdout.write(
        f"{label(challenger)} is proposed by {options.who} and waits for a second person"
        f" (models.four_eyes): xsell models promote {challenger.product_id} --who … --why …\n"
    )


def _switch(
    registry: Registry, registered: Registered, action: Action, options: argparse.Namespace
) -> None:
    registry.switch(registered, action, _signature(options))
    sys.stdout.write(f"{label(registered)} is the champion\n")


def _signature(options: argparse.Namespace) -> Signature:
    """A person's decision carries the time of the decision, not an as-of date."""
    now = time_of_decision()
    return Signature(options.who, options.why, when=now, recorded_at=now)


def label(registered: Registered) -> str:
    """Name and version, as people are told."""
    return f"{model_name(registered.product_id)} version {registered.version}"


def _row(registry: Registry, product_id: str) -> tuple[str, ...]:
    champion = registry.with_alias(product_id, CHAMPION)
    challenger = registry.with_alias(product_id, CHALLENGER)
    return (
        product_id,
        *_champion_cells(registry, champion),
        _challenger_cell(registry, challenger),
    )


def _uplift_row(registry: Registry, config: RunConfig) -> tuple[str, ...]:
    """One for all products: what it was found to be worth out of fold, beside propensity."""
    champion = registry.with_alias(UPLIFT, CHAMPION)
    challenger = _challenger_cell(registry, registry.with_alias(UPLIFT, CHALLENGER))
    if champion is None:
        return (UPLIFT, *(NOTHING,) * 5, "propensity", challenger)
    figures = registry.metrics(champion)
    is_used = config.models.uplift_history_months > 0
    return (
        UPLIFT,
        str(champion.version),
        champion.tags["kind"],
        in_words(figures, "qini", 4),
        in_words(figures, "qini_gain_over_propensity", 4),
        champion.tags["as_of"],
        "uplift" if is_used else "propensity (models.uplift_history_months: 0)",
        challenger,
    )


def _champion_cells(registry: Registry, champion: Registered | None) -> tuple[str, ...]:
    if champion is None:
        return (NOTHING,) * 5
    figures = registry.metrics(champion)
    return (
        str(champion.version),
        champion.tags["kind"],
        in_words(figures, "auc", 3),
        f"{figures['ece']:.4f}" if "ece" in figures else NOTHING,
        champion.tags["as_of"],
    )


def _challenger_cell(registry: Registry, challenger: Registered | None) -> str:
    if challenger is None:
        return NOTHING
    cell = f"{challenger.version} ({challenger.tags['kind']}): {challenger.tags[AGAINST]}"
    proposal = open_proposal(registry.decisions(challenger.product_id), challenger.version)
    waits = f"; proposed by {proposal.who}, waits for a second person" if proposal else ""
    return cell + waits


def _cards(registry: Registry, product_id: str) -> list[tuple[str, ...]]:
    """Product, role, version and path of the cards of what is in use and what waits."""
    found = ((alias, registry.with_alias(product_id, alias)) for alias in (CHAMPION, CHALLENGER))
    return [
        (product_id, alias, str(version.version), str(registry.card(version)))
        for alias, version in found
        if version is not None and registry.card(version).exists()
    ]


def in_words(figures: Mapping[str, float], name: str, decimals: int) -> str:
    """A figure of the registry with its interval, or a dash."""
    estimate = from_flat(figures, name)
    return estimate.in_words(decimals) if estimate.is_known else NOTHING


def text_table(rows: Sequence[Sequence[str]]) -> str:
    """Rows of equally many cells, in columns; the first is the header."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
    return "".join(f"{line}\n" for line in lines)
