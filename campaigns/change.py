"""How a row of a list can differ between two runs, and for what cause."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import pyarrow as pa

CHANGES = pa.schema(
    [
        ("kind", pa.string()),
        ("cause", pa.string()),
        ("detail", pa.string()),
        ("branch_id", pa.string()),
        ("customer_id", pa.string()),
        ("offer_id", pa.string()),
        ("rank_before", pa.int32()),
        ("rank_after", pa.int32()),
        ("instead_of", pa.string()),
    ]
)


class Kind(StrEnum):
    """What became of a row; the first that applies."""

    ENTERED = "entered"
    LEFT = "left"
    OTHER_BRANCH = "other branch"
    OTHER_WAY = "other way"
    RE_RANKED = "re-ranked"


class Cause(StrEnum):
    """Why; of several, the first."""

    CLIENT = "client"
    CARE = "care"
    CONSENT = "consent"
    CONTACT = "contact"
    POLICY = "policy"
    CONTROL = "control"
    CAPACITY = "capacity"
    MODEL = "model"
    DATA = "data"
    NEIGHBOURS = "neighbours"


MEANING = {
    Cause.CLIENT: "the client is new, or none any more",
    Cause.CARE: "the client came into care, or out of it",
    Cause.CONSENT: "consent was given or withdrawn",
    Cause.CONTACT: "contacts since: a cap or cool-off begins or ends",
    Cause.POLICY: "a rule, an offer or what it earns was configured anew",
    Cause.CONTROL: "drawn for the control group or the global holdout, or no more",
    Cause.CAPACITY: "passes every gate in both runs; what clients share decided",
    Cause.MODEL: "another version of the model values it otherwise",
    Cause.DATA: "what is known of the client changed",
    Cause.NEIGHBOURS: "its own value is the same; others came or went",
}


@dataclass(frozen=True)
class Change:
    """One row that is not as it was."""

    kind: Kind
    cause: Cause
    detail: str
    branch_id: str
    customer_id: str
    offer_id: str
    rank_before: int | None
    rank_after: int | None
    instead_of: str | None = None


def as_table(found: Iterable[Change]) -> pa.Table:
    """Changes as rows, shaped ``CHANGES``."""
    return pa.Table.from_pylist([vars(change) for change in found], schema=CHANGES)
