"""What leads to a client: identifiers by their kind, and the values of rows that hold one."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

CUSTOMER, ACCOUNT, HOUSEHOLD = "customer", "account", "household"
TRANSACTION, HOLDING, CONTACT = "transaction", "holding", "contact"
PSEUDONYM, SECRET = "pseudonym", "secret"
# Whose identifiers a column holds. A column of another name is searched for a mention.
KINDS: Mapping[str, tuple[str, ...]] = {
    "customer_id": (CUSTOMER,),
    "survivor_id": (CUSTOMER,),
    "account_id": (ACCOUNT,),
    "counterparty_id": (ACCOUNT, CUSTOMER),
    "household_id": (HOUSEHOLD,),
    "transaction_id": (TRANSACTION,),
    "holding_id": (HOLDING,),
    "contact_id": (CONTACT,),
    "client": (PSEUDONYM,),
    "secret": (SECRET,),
}
JSON_COLUMNS = ("raw_row",)
# Bookings are too many to be searched for in sentences; whatever names one names its account.
IN_SENTENCES = (CUSTOMER, ACCOUNT, HOUSEHOLD, HOLDING, CONTACT, PSEUDONYM, SECRET)
ODD = r"[^!-~]"
SHORTEST, SHORTEST_NUMBER = 4, 7


@dataclass(frozen=True)
class Identifiers:
    """The identifiers of one client.

    Attributes:
        of_kind: Values by kind.
    """

    of_kind: Mapping[str, Collection[str]] = field(default_factory=dict)

    def also(self, kind: str, values: Collection[str]) -> Identifiers:
        """With more of one kind."""
        return Identifiers({**self.of_kind, kind: {*self.of_kind.get(kind, ()), *values}})

    def values(self, *kinds: str) -> set[str]:
        """All of some kinds."""
        return {value for kind in kinds for value in self.of_kind.get(kind, ())}

    def in_column(self, name: str) -> set[str]:
        """What would stand in a column of that name."""
        return self.values(*KINDS[name])

    @cached_property
    def everything(self) -> set[str]:
        """Of every kind, as ``bare`` writes them."""
        return {bare(value) for value in self.values(*self.of_kind)}

    @cached_property
    def distinctive(self) -> list[str]:
        """Those that cannot be something else in a sentence: a bare number may be an amount."""
        return sorted(value for value in self.values(*IN_SENTENCES) if _is_distinctive(value))

    @cached_property
    def pattern(self) -> str | None:
        """A regular expression (RE2) of a mention; None where nothing is distinctive."""
        if not self.distinctive:
            return None
        named = "|".join(map(re.escape, self.distinctive))
        return f"(^|[^0-9A-Za-z])({named})($|[^0-9A-Za-z])"

    def is_in_text(self, text: str) -> bool:
        """A text mentions the client."""
        return self.pattern is not None and re.search(self.pattern, text) is not None

    def is_in_field(self, name: str, text: str) -> bool:
        """A delivered value is about the client; spaces and what is invisible mean nothing."""
        if name in KINDS:
            return bare(text) in {bare(value) for value in self.in_column(name)}
        return self.is_in_text(text)

    def is_in_json(self, text: str) -> bool:
        """Any value of a JSON text is one of the identifiers, or mentions one."""
        try:
            leaves = _leaves(json.loads(text))
        except ValueError:
            leaves = iter(re.split(r"[^0-9A-Za-z_-]+", text))
        return self.is_in_text(text) or any(bare(leaf) in self.everything for leaf in leaves)

    def found(self, name: str, values: pa.Array) -> pa.Array:
        """Which values of a column lead to the client, never null.

        Args:
            name: Of the column.
            values: Of any type; within lists and structs texts are looked at.
        """
        kind = values.type
        if pa.types.is_dictionary(kind):
            hits = self.found(name, values.dictionary).take(values.indices)
        elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
            hits = self._of_texts(name, values)
        elif pa.types.is_list(kind) or pa.types.is_large_list(kind):
            hits = self._of_lists(name, values)
        elif pa.types.is_struct(kind):
            hits = pa.array([False] * len(values), pa.bool_())
            for number, inner in enumerate(kind):
                hits = pc.or_(hits, self.found(inner.name, values.field(number)))
        else:
            return pa.repeat(pa.scalar(False), len(values))
        return pc.fill_null(hits, False)

    def _of_texts(self, name: str, texts: pa.Array) -> pa.Array:
        if name in KINDS:
            return self._in_ids(name, texts)
        if name in JSON_COLUMNS:
            return _mapped(texts, self.is_in_json)
        if self.pattern is None:
            return pa.repeat(pa.scalar(False), len(texts))
        return pc.match_substring_regex(texts, self.pattern)

    def _in_ids(self, name: str, texts: pa.Array) -> pa.Array:
        wanted = pa.array(sorted(self.in_column(name)), texts.type)
        hits = pc.is_in(texts, wanted)
        is_odd = pc.fill_null(pc.match_substring_regex(texts, ODD), False)
        if not pc.any(is_odd).as_py():
            return hits
        known = {bare(value) for value in self.in_column(name)}
        return pc.or_(hits, _mapped(texts, lambda text: bare(text) in known))

    def _of_lists(self, name: str, values: pa.Array) -> pa.Array:
        hits = self.found(name, values.flatten())
        places = pc.list_parent_indices(values).filter(hits)
        return pc.is_in(pa.array(np.arange(len(values))), places)


def bare(text: str) -> str:
    """A text without spaces and what is invisible, as a person reads it."""
    if text.isascii() and text.isprintable() and " " not in text:
        return text
    folded = unicodedata.normalize("NFKC", text)
    return "".join(sign for sign in folded if sign.isprintable() and not sign.isspace())


def _is_distinctive(value: str) -> bool:
    if value.isdigit():
        return len(value) >= SHORTEST_NUMBER
    return len(value) >= SHORTEST and any(sign.isdigit() for sign in value)


def _mapped(texts: pa.Array, test: Callable[[str], bool]) -> pa.Array:
    return pa.array([text is not None and test(text) for text in texts.to_pylist()], pa.bool_())


def _leaves(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
    elif value is not None:
        yield str(value)
