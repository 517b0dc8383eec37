"""What is drawn of products held together: a map around the core, and a table of shades."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import cos, pi, sin, sqrt
from typing import Any

from measurement.combinations import Combination
from measurement.core_periphery import Map, Position

Content = dict[str, Any]
WIDE, HIGH = 760, 520
OUTER, INNER = (235.0, 185.0), (74.0, 46.0)
LARGEST, SMALLEST = 30.0, 5.0  # radius of a product that everybody holds, and least
LINKS = 2  # of each product, its strongest
THICKEST = 6.0
SHADES = 5
SIDEWAYS = 0.25


def product_map(
    found: Map, pairs: Sequence[Combination], names: Mapping[str, str], clients: int
) -> Content:
    """Core products in the middle, the others around it, those next to each other that belong.

    The same figures give the same picture. Lines are the strongest links of each product that are
    sure; all of them would hide each other, and the table of shades has them.
    """
    links = _links(pairs)
    core = [one for one in found.positions if one.is_core]
    around = _in_turn([one for one in found.positions if not one.is_core], links)
    nodes = [
        *_ring(core, INNER if len(core) > 1 else (0.0, 0.0), names, clients),
        *_ring(around, OUTER, names, clients),
    ]
    at = {node["product"]: node for node in nodes}
    drawn = _strongest(links, list(at))
    most = max((links[pair] for pair in drawn), default=1.0)
    return {
        "wide": WIDE,
        "high": HIGH,
        "inner": [round(one + LARGEST + 14, 1) for one in INNER],
        "nodes": nodes,
        "links": [
            {
                "from": [at[one]["x"], at[one]["y"]],
                "to": [at[other]["x"], at[other]["y"]],
                "width": round(max(THICKEST * links[one, other] / (most or 1.0), 0.8), 2),
                "title": f"{names[one]} + {names[other]}: {1 + links[one, other]:.2f}",
            }
            for one, other in drawn
        ],
    }


def heat_map(
    products: Sequence[str], pairs: Sequence[Combination], names: Mapping[str, str]
) -> Content:
    """How much more often than usual among clients alike, for each pair; half of the square."""
    by_pair = {frozenset(one.products): one for one in pairs}
    most = max((one.alike.value - 1 for one in pairs if one.is_sure), default=1.0) or 1.0
    return {
        "names": [names[one] for one in products],
        "rows": [
            {
                "name": names[one],
                "cells": [
                    _cell(by_pair.get(frozenset((one, other))), most) for other in products[:place]
                ],
            }
            for place, one in enumerate(products)
        ],
    }


def _cell(pair: Combination | None, most: float) -> Content:
    if pair is None:
        return {"text": "", "shade": 0, "is_sure": False, "title": "too few clients to be told"}
    above = max(pair.alike.value - 1, 0) / most
    shade = min(max(round(SHADES * above), 1), SHADES) if pair.is_sure else 0
    low, high = pair.alike.low, pair.alike.high
    return {
        "text": f"{pair.alike.value:.2f}",
        "shade": shade,
        "is_sure": pair.is_sure,
        "title": f"{pair.clients:,} clients, {pair.alike.value:.2f} [{low:.2f}, {high:.2f}]",
    }


def _links(pairs: Sequence[Combination]) -> dict[tuple[str, str], float]:
    """Beyond what is usual among clients alike, by pair."""
    found = {}
    for pair in pairs:
        if pair.is_sure:
            one, other = pair.products
            found[one, other] = pair.alike.value - 1
    return found


def _link(links: Mapping[tuple[str, str], float], one: str, other: str) -> float:
    return links.get((one, other), links.get((other, one), 0.0))


def _in_turn(
    products: Sequence[Position], links: Mapping[tuple[str, str], float]
) -> list[Position]:
    """Each followed by the one that it is most linked to, the most coreness first."""
    left = list(products)
    found: list[Position] = []
    while left:
        last = found[-1].product if found else left[0].product
        # of equals the first: products come in order of coreness
        nearest = max(left, key=lambda one: _link(links, last, one.product)) if found else left[0]
        left.remove(nearest)
        found.append(nearest)
    return found


def _strongest(
    links: Mapping[tuple[str, str], float], products: Sequence[str]
) -> list[tuple[str, str]]:
    kept = set()
    for product in products:
        own = [pair for pair in links if product in pair and set(pair) <= set(products)]
        kept |= set(sorted(own, key=lambda pair: (-links[pair], pair))[:LINKS])
    return sorted(kept, key=lambda pair: (links[pair], pair))


def _ring(
    products: Sequence[Position],
    radius: tuple[float, float],
    names: Mapping[str, str],
    clients: int,
) -> Iterator[Content]:
    for place, one in enumerate(products):
        # the core begins on the left, so that names of two stand beside each other
        angle = 2 * pi * place / len(products) - (pi if one.is_core else pi / 2)
        across, up = cos(angle), sin(angle)
        share = one.holders / clients
        size = max(LARGEST * sqrt(share), SMALLEST)
        yield {
            "product": one.product,
            "name": names[one.product],
            "share": round(share, 6),
            "x": round(WIDE / 2 + radius[0] * across, 1),
            "y": round(HIGH / 2 + radius[1] * up, 1),
            "size": round(size, 1),
            "is_core": one.is_core,
            **_label(one.is_core, across, up, size),
        }


def _label(is_core: bool, across: float, up: float, size: float) -> Content:
    """Where the name stands: outside of the ring, or below a product of the core."""
    if is_core or abs(across) < SIDEWAYS:
        below = is_core or up > 0
        return {"anchor": "middle", "dx": 0.0, "dy": round(size + 13 if below else -size - 18, 1)}
    away = size + 6
    side = "start" if across > 0 else "end"
    return {"anchor": side, "dx": round(away if across > 0 else -away, 1), "dy": -2.0}
