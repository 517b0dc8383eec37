"""One declaration per feature: column, catalogue line, permitted uses and lineage come from it."""

from __future__ import annotations

import re
from dataclasses import dataclass
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

# What of a value a reason may rest on: that it is more than others have, that it is less (how long
# ago, how long until), that there is nothing: zero, no or unknown.
Telling = Literal["more", "less", "nothing"]
WINDOW = re.compile(r"_(\d+)m$")


@dataclass(frozen=True)
class Feature:
    """One fact about a customer, as the bank saw it on the as-of date.

    Attributes:
        name: Column in ``customer_features``: ``<what>_<unit>_<window>``.
        theme: What it is about.
        description: What it means, for a reviewer.
        value: How it is computed, with its type, unit, columns read and value without data.
        tells: What of it may be a reason; the sentences are in ``conf/base/reasons.yaml``.
        tells_amount: A sentence may name the value.
        product_id: The one product it is about.
        shared_sentence: Name of its sentences, where those of all products are the same.
        in_model: A model may use it.
        in_list: A campaign list may show it.
    """

    name: str
    theme: Theme
    description: str
    value: Formula
    tells: tuple[Telling, ...] = ()
    tells_amount: bool = True
    product_id: str | None = None
    shared_sentence: str | None = None
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
        return bool(self.tells)

    @property
    def fact(self) -> str:
        """What it is about, whatever the window."""
        return WINDOW.sub("", self.name)

    @property
    def sentence_key(self) -> str:
        """The name of its sentences."""
        return self.shared_sentence or self.fact

    @property
    def months_in_name(self) -> int | None:
        """The months of the window that a sentence names."""
        named = WINDOW.search(self.name)
        return int(named[1]) if named else None

    @property
    def is_yes_or_no(self) -> bool:
        """It is true or false."""
        return self.type == "boolean"
