"""How figures of protected groups are said, on a terminal and on the page."""

from __future__ import annotations

from math import isnan

from measurement.association import Estimate
from measurement.fairness import ALIKE, PAST, SELECTION, WITHIN, Fact
from measurement.fairness_rule import Judged

DASH = "–"
IN_WORDS = {
    SELECTION: "share of clients offered",
    WITHIN: "within age limits, offer by offer",
    PAST: "past every gate, offer by offer",
    ALIKE: "past every gate, same offer and propensity",
}
KINDS = {
    "all": "All offers",
    "credit": "Credit",
    "lever": "Lever",
    "line": "Business line",
    "move": "Move",
    "product": "Product",
}
NOT_TOLD = "not told"


def group_in_words(fact: Fact) -> str:
    """``age band 25–34``."""
    return f"{fact.attribute.replace('_', ' ')} {fact.group}"


def offers_in_words(fact: Fact) -> str:
    """``all offers``, ``product mortgage``."""
    kind = KINDS[fact.scope_kind].lower()
    return kind if fact.scope_kind == fact.scope else f"{kind} {fact.scope}"


def percent(share: float) -> str:
    """A share with a digit, so that rates of a few percent can be told apart."""
    return DASH if isnan(share) else f"{100 * share:.1f} %"


def times(ratio: Estimate) -> str:
    """A ratio with its interval."""
    if isnan(ratio.value):
        return DASH
    return f"{ratio.value:.2f} [{ratio.low:.2f}, {ratio.high:.2f}]"


def plain_times(fact: Fact) -> str:
    """A ratio alone; or why there is none."""
    if not fact.is_told:
        return NOT_TOLD
    return DASH if isnan(fact.ratio.value) else f"{fact.ratio.value:.2f}"


def stopping_in_words(one: Judged, bound: float) -> str:
    """A figure that stops, in a sentence."""
    if not one.is_told:
        return (
            f"{group_in_words(one.fact)}: {offers_in_words(one.fact)}, {IN_WORDS[one.fact.name]}:"
            f" below the bound of {bound:.2f}; by how much is not told, for a small group's sake"
        )
    return (
        f"{group_in_words(one.fact)}: {offers_in_words(one.fact)}, {IN_WORDS[one.fact.name]}:"
        f" {one.ratio.value:.2f} times the others, at most {one.ratio.high:.2f} with all judged"
        f" figures together; the bound is {bound:.2f}"
    )
