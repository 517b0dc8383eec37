"""`xsell models history`: who promoted or rolled back what, when and why; what was live when."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from datetime import date

from jobs.models.command import NOTHING, open_registry, require_product, text_table
from models.decisions import Decision, live_on
from models.registry import Registry
from models.scorer import UPLIFT

Decisions = Mapping[str, Sequence[Decision]]
HEADER = ("recorded at", "product", "action", "version", "before", "as of", "who", "why")
LIVE_HEADER = ("product", "version", "kind", "since", "as of", "who", "why")


def history_command(options: argparse.Namespace) -> int:
    """Print every decision, oldest first, or what was live at the end of a day.

    Raises:
        UserError: There is no such product.
    """
    registry, config = open_registry(options)
    if options.product:
        require_product(config, options.product)
    every = [*config.products, *([UPLIFT] if registry.versions(UPLIFT) else [])]
    products = [options.product] if options.product else every
    decisions = {product_id: registry.decisions(product_id) for product_id in products}
    text = _live(registry, decisions, options.on) if options.on else _every(decisions)
    sys.stdout.write(text)
    return 0


def _every(decisions: Decisions) -> str:
    made = [(product_id, one) for product_id, several in decisions.items() for one in several]
    rows = [_row(*one) for one in sorted(made, key=lambda one: one[1].recorded_at)]
    return text_table([HEADER, *rows]) if rows else "Nothing has been promoted yet.\n"


def _row(product_id: str, decision: Decision) -> tuple[str, ...]:
    before = NOTHING if decision.before is None else str(decision.before)
    return (
        decision.recorded_at,
        product_id,
        decision.action,
        str(decision.version),
        before,
        _as_of(decision),
        decision.who,
        decision.why,
    )


def _as_of(decision: Decision) -> str:
    """The gate decides as of a date; a person does not."""
    return NOTHING if decision.when == decision.recorded_at else decision.when


def _live(registry: Registry, decisions: Decisions, day: date) -> str:
    rows = [
        _live_row(registry, product_id, live_on(several, day))
        for product_id, several in decisions.items()
    ]
    return f"Live at the end of {day}, UTC\n" + text_table([LIVE_HEADER, *rows])


def _live_row(registry: Registry, product_id: str, decision: Decision | None) -> tuple[str, ...]:
    if decision is None:
        return (product_id, *[NOTHING] * (len(LIVE_HEADER) - 1))
    version = registry.version(product_id, decision.version)
    kind = version.tags["kind"] if version else NOTHING
    since = decision.recorded_at
    return (
        product_id,
        str(decision.version),
        kind,
        since,
        _as_of(decision),
        decision.who,
        decision.why,
    )
