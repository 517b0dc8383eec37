"""One declaration per feature: column, catalogue line, permitted uses and lineage come from it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from features.formulas import Formula
from features.lineage import columns_read

Theme = Literal[
    "profile",
    "holdings",
    "balances",
    "income",
    "spending",
    "bills",
    "cash flow",
    "channels",
    "engagement",
    "events",
    "value",
]

SMALLEST_SHARE = 0.01


@dataclass(frozen=True)
class Feature:
    """One fact about a customer, as the bank saw it on the as-of date.

    Attributes:
        name: Column in ``customer_features``: ``<what>_<unit>_<window>``.
        theme: What it is about.
        description: What it means, for a reviewer.
        value: How it is computed, with its type, unit, columns read and value without data.
        sentence: Why this client: words about the client's own behaviour, with ``{value}``.
        sentence_zero: The same where the value is nothing: zero, false or unknown.
        in_model: A model may use it.
        in_list: A campaign list may show it.
    """

    name: str
    theme: Theme
    description: str
    value: Formula
    sentence: str | None = None
    sentence_zero: str | None = None
    in_model: bool = True
    in_list: bool = False

    @property
    def type(self) -> str:
        """Spark SQL type."""
        return self.value.type

    @property
    def unit(self) -> str:
        """Unit of the value."""
        return self.value.unit

    @property
    def is_nullable(self) -> bool:
        """It may be null."""
        return self.value.is_nullable

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it is computed from, as ``table.column``."""
        return tuple(sorted({name for m in self.value.measures for name in columns_read(m)}))

    @property
    def window_months(self) -> int | None:
        """The longest window, where it has one in months."""
        return max((m.window_months or 0 for m in self.value.measures), default=0) or None

    @property
    def in_reason(self) -> bool:
        """A reason sentence may rest on it."""
        return self.sentence is not None or self.sentence_zero is not None


def reason_sentence(feature: Feature, value: object, currency: str) -> str | None:
    """Say a feature's value as a reason; None where it makes no sentence.

    Args:
        feature: The feature.
        value: Its value for one customer.
        currency: ISO code that money is followed by.
    """
    amount = _plain_number(value)
    if amount == 0:
        return feature.sentence_zero
    if feature.sentence is None or amount < 0:
        return None
    return feature.sentence.format(value=_in_words(amount, feature.unit, currency))


def _plain_number(value: object) -> float:
    """A value as a number; unknown is nothing."""
    if value is None or isinstance(value, str):
        return 0.0
    number = float(value) if isinstance(value, (int, float, Decimal)) else float(str(value))
    return 0.0 if math.isnan(number) else number


def _in_words(amount: float, unit: str, currency: str) -> str:
    match unit:
        case "money":
            return f"{amount:,.0f} {currency}" if amount >= 1 else f"{amount:.2f} {currency}"
        case "share" | "rate":
            return f"{100 * amount:.0f} %" if amount >= SMALLEST_SHARE else "less than 1 %"
        case "times":
            return f"{amount:.1f} times"
        case _:
            return f"{amount:,.0f} {unit}" + ("" if amount == 1 else "s")
