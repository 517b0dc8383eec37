"""How figures of measured campaigns are said: numbers with no more digits than they deserve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import floor, isfinite, log10
from typing import Any

from jobs.measurement.pages.found import MEASURED

Row = Mapping[str, Any]
DASH, MINUS, NOT_TOLD = "–", "−", "not told"
NBSP = "\u00a0"  # what belongs together stays on one line
PERCENT = f"{NBSP}%"
DIGITS = 3  # that count, of the largest number of an interval
MOST_DECIMALS = 2
SMALL = 0.01  # of a share
LARGE = ((1e9, " billion"), (1e6, " million"))
SHORT = ((1e9, "bn"), (1e6, "m"), (1e3, "k"))

STATES: Mapping[str, str] = {
    MEASURED: "measured",
    "too_few": "too few clients in an arm",
    "no_control": "nobody was withheld by chance",
    "not_randomised": "it was not chance alone that withheld clients",
    "not_matured": "the time in which a purchase counts is not over",
    "before_contact": "most of what was bought was bought before the first contact",
    "no_outcome": "nothing is known to have been bought in that time",
}
CUTS: Mapping[str, str] = {
    "product": "product",
    "combination": "what clients had → what they were offered",
    "move": "move",
    "channel": "channel",
    "business_line": "business line",
    "partner": "partner",
    "lever": "lever",
    "segment": "segment",
    "exploration": "who chose the offer",
    "branch": "branch",
    "advisor": "advisor",
}
PLURALS: Mapping[str, str] = {
    "combination": "combinations",
    "branch": "branches",
    "lever": "levers, or none",
    "exploration": "ways of choosing",
}
NONE_OF: Mapping[str, str] = {
    "partner": "the bank's own",
    "lever": "no lever",
    "advisor": "no advisor",
    "segment": "no segment known",
    "channel": "no channel",
}
MEASURES: Mapping[str, str] = {
    "response": "bought what was offered",
    "revenue": "revenue",
    "cost": "cost of contacts and levers",
    "profit": "profit",
    "other_profit": "other products in the same time",
    "later_profit": "the same product in the months after",
    "total_profit": "everything together",
    "opt_out": "objected to being contacted",
    "complaint": "complained",
}


@dataclass(frozen=True)
class Unit:
    """How a measure is told.

    Attributes:
        factor: It is multiplied by that.
        words: Behind the number.
        change: Behind a difference.
        more: What a sure effect above zero is called.
        less: And one below.
    """

    factor: float
    words: str
    change: str
    more: str
    less: str


def unit_of(measure: str, currency: str) -> Unit:
    """How a measure of campaign_results is told."""
    if measure == "response":
        return Unit(100, PERCENT, " points", "surely more", "surely fewer")
    if measure in ("opt_out", "complaint"):
        return Unit(1000, " of 1,000", " of 1,000", "surely more", "surely fewer")
    if measure == "cost":
        return Unit(1, money(currency), money(currency), "surely a cost", "surely saved")
    return Unit(1, money(currency), money(currency), "sure gain", "sure loss")


def money(currency: str) -> str:
    """Behind an amount."""
    return f"{NBSP}{currency}"


def percent(share: float | None) -> str:
    """A share with a digit, or with two where it is small."""
    if share is None:
        return DASH
    digits = 1 if share >= SMALL or not share else 2
    return f"{100 * share:.{digits}f}{PERCENT}"


def numbers(values: Sequence[float | None], usual: float | None = None) -> tuple[list[str], str]:
    """Numbers that belong together, to the same digit, and a word that is behind all of them.

    Args:
        values: None and what is no number are told as a dash.
        usual: How large such numbers are, where there are others below; else as large as these.
    """
    known = [abs(value) for value in values if value is not None and isfinite(value)]
    most = max(known, default=0.0) if usual is None else usual
    size, word = next(((size, word) for size, word in LARGE if most >= size), (1.0, ""))
    return [_number(value, size, most / size) for value in values], word


def _number(value: float | None, size: float, most: float) -> str:
    if value is None or not isfinite(value):
        return DASH
    digits = DIGITS - 1 - floor(log10(most)) if most > 0 else 0
    shown = round(value / size, digits)
    text = f"{abs(shown):,.{max(0, min(MOST_DECIMALS, digits))}f}"
    is_zero = not text.strip("0.,")
    return f"{MINUS}{text}" if shown < 0 and not is_zero else text


def number(value: float | None, words: str = "", *, signed: bool = False) -> str:
    """One number.

    Args:
        value: None and what is no number are told as a dash.
        words: Behind it.
        signed: With a plus if it is above zero.
    """
    (text,), large = numbers([value])
    if value is None or text == DASH:
        return text
    return f"{'+' if signed and value > 0 else ''}{text}{large}{words}"


def interval(
    ends: Sequence[float | None],
    words: str = "",
    *,
    signed: bool = True,
    usual: float | None = None,
) -> str:
    """``+12,300 EUR [4,000, 20,600]``: value, and the ends of its interval.

    Args:
        ends: Value, lower end, upper end.
        words: Behind the value.
        signed: With a plus where it is above zero.
        usual: See ``numbers``.
    """
    (value, low, high), large = numbers(ends, usual)
    if value == DASH:
        return DASH
    if signed and ends[0] is not None and ends[0] > 0:
        value = f"+{value}"
    return f"{value}{large}{words} [{low},{NBSP}{high}]"


def between(ends: Sequence[float | None], words: str = "") -> str:
    """``between 4,000 and 20,600 EUR``."""
    (low, high), large = numbers(ends)
    return f"between {low} and {high}{large}{words}"


def short(value: float) -> str:
    """A number on an axis, as short as it can be: 2.5k, 10m."""
    size, word = next(((s, w) for s, w in SHORT if abs(value) >= s), (1.0, ""))
    text = f"{abs(value) / size:.6g}"
    return f"{MINUS if value < 0 and float(text) else ''}{text}{word}"


def effect_in_words(row: Row, unit: Unit) -> str:
    """What was caused per client offered, with its interval."""
    return interval(scaled(row, "effect", unit.factor), unit.change)


def scaled(row: Row, name: str, factor: float) -> list[float | None]:
    """Value and ends of an interval of campaign_results."""
    found = (row[f"{name}{end}"] for end in ("", "_low", "_high"))
    return [None if value is None else factor * value for value in found]


def sureness(row: Row, unit: Unit) -> str:
    """Whether an effect is sure, when all parts of the cut are looked at together."""
    if not row["is_sure"]:
        return "not sure"
    return unit.more if row["effect"] > 0 else unit.less


def state_in_words(state: str) -> str:
    """Why something was not measured."""
    return STATES.get(state, state.replace("_", " "))


def value_in_words(cut: str, value: str, names: Mapping[str, str]) -> str:
    """A part of a cut, as a person calls it."""
    if value == "none":
        return NONE_OF.get(cut, value)
    return names.get(value) or value.replace("_", " ")


def cut_in_words(cut: str) -> tuple[str, str]:
    """One part of a cut, and several."""
    name = cut.replace("_", " ")
    return name, PLURALS.get(cut, f"{name}s")


def month_in_words(day: date) -> str:
    """``2026-11``: campaigns are of a month."""
    return f"{day:%Y-%m}"


def listed(names: Sequence[str]) -> str:
    """``a, b and c``."""
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def several(count: int, one: str, more: str | None = None) -> str:
    """``1 campaign``, ``12 campaigns``."""
    return f"{count:,} {one if count == 1 else more or one + 's'}"
