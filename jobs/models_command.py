"""`xsell models`: what is in use, what waits, and who changed it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from conf.load import load_config
from conf.schema import RunConfig
from models.gate import PASSED
from models.registry import CHALLENGER, CHAMPION, Registered, Registry, database
from models.scorer import model_name
from tables.errors import ModelNotFound, UserError

HEADER = ("product", "version", "kind", "test AUC", "ECE", "trained as of", "challenger")
NOTHING = "-"


def list_command(options: argparse.Namespace) -> int:
    """Print champion and challenger of every product, with their figures."""
    registry, config = _open(options)
    rows = [_row(registry, product_id) for product_id in config.products]
    sys.stdout.write(_table([HEADER, *rows]))
    return 0


def promote_command(options: argparse.Namespace) -> int:
    """Make the challenger of a product its champion, if the gate let it pass.

    Raises:
        ModelNotFound: The product has no challenger.
        UserError: The gate refused it when it was trained.
    """
    registry, config = _open(options)
    challenger = _known(registry, config, options.product, CHALLENGER)
    verdict = challenger.tags.get("gate", "")
    if verdict != PASSED:
        raise UserError(
            f"{_label(challenger)} may not be promoted: {verdict}. Train a better one, or change"
            " models.gate and train again"
        )
    _switch(registry, challenger, "promote", options)
    return 0


def rollback_command(options: argparse.Namespace) -> int:
    """Make the champion before the present one the champion again.

    Raises:
        ModelNotFound: There is no champion, or none before it.
    """
    registry, config = _open(options)
    champion = _known(registry, config, options.product, CHAMPION)
    number = previous_version(registry.events(options.product))
    previous = registry.version(options.product, number) if number is not None else None
    if previous is None:
        raise ModelNotFound(
            f"{_label(champion)} is the first champion; there is none to go back to"
        )
    _switch(registry, previous, "rollback", options)
    return 0


def previous_version(events: Sequence[dict[str, object]]) -> int | None:
    """The champion before the present one, where a rollback undoes the promotion before it."""
    champions: list[int] = []
    for event in events:
        if event["action"] == "rollback":
            champions.pop()
        else:
            champions.append(int(str(event["version"])))
    return champions[-2] if len(champions) > 1 else None


def _open(options: argparse.Namespace) -> tuple[Registry, RunConfig]:
    config = load_config(options.env, options.overrides)
    home = Path(options.home).resolve()
    if not database(home).exists():
        raise ModelNotFound(f"No models in {home}. Run xsell train first")
    return Registry(home), config


def _known(registry: Registry, config: RunConfig, product_id: str, alias: str) -> Registered:
    if product_id not in config.products:
        raise UserError(f"no product {product_id!r}; there are {', '.join(config.products)}")
    found = registry.with_alias(product_id, alias)
    if found is None:
        raise ModelNotFound(f"No {alias} for {product_id}. Run xsell train first")
    return found


def _switch(
    registry: Registry, registered: Registered, action: str, options: argparse.Namespace
) -> None:
    """A person's decision carries the time of the decision, not an as-of date."""
    now = datetime.now(UTC).isoformat(timespec="seconds")  # noqa: TID251 - when it was decided
    registry.switch(registered, action, options.who, options.why, now)
    sys.stdout.write(f"{_label(registered)} is the champion\n")


def _label(registered: Registered) -> str:
    return f"{model_name(registered.product_id)} version {registered.version}"


def _row(registry: Registry, product_id: str) -> tuple[str, ...]:
    champion = registry.with_alias(product_id, CHAMPION)
    challenger = registry.with_alias(product_id, CHALLENGER)
    return (product_id, *_champion_cells(registry, champion), _challenger_cell(challenger))


def _champion_cells(registry: Registry, champion: Registered | None) -> tuple[str, ...]:
    if champion is None:
        return (NOTHING,) * 5
    figures = registry.metrics(champion)
    return (
        str(champion.version),
        champion.tags["kind"],
        _interval(figures, "auc"),
        f"{figures['ece']:.4f}" if "ece" in figures else NOTHING,
        champion.tags["as_of"],
    )


def _challenger_cell(challenger: Registered | None) -> str:
    if challenger is None:
        return NOTHING
    verdict = challenger.tags["against_champion"]
    return f"{challenger.version} ({challenger.tags['kind']}): {verdict}"


def _interval(figures: dict[str, float], name: str) -> str:
    if name not in figures:
        return NOTHING
    low, high = (figures.get(f"{name}_{end}", float("nan")) for end in ("low", "high"))
    return f"{figures[name]:.3f} [{low:.3f}, {high:.3f}]"


def _table(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
    return "".join(f"{line}\n" for line in lines)
