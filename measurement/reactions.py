"""What clients answered to contacts: by channel, product, kind and branch, and the more there were.

These are rates, no effects: who is contacted more often is another client. What contacts caused of
objections and complaints is in ``campaign_results``, those offered against the control.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from conf.schema import Product
from measurement.association import Bools, Estimate, Floats, Ints
from measurement.contact_caps import EVERYWHERE
from measurement.contacts_made import (
    COMPLAINT,
    INTEREST,
    OBJECTION,
    REFUSAL,
    SALE,
    Contacts,
)
from measurement.group_rates import UNKNOWN, clustered_share
from measurement.sales import codes
from measurement.small_cells import told_groups
from measurement.standardised import Strata, deciles_within

UNWANTED = (REFUSAL, OBJECTION, COMPLAINT)
MEASURES = (INTEREST, SALE, *UNWANTED)
# Known of a contact only where its result is.
IN_RESULT = (INTEREST, SALE, REFUSAL)


@dataclass(frozen=True)
class Answers:
    """What came of contacts whose time to react is over.

    Attributes:
        contacts: All that are known.
        among: Those that are looked at.
        answered: By measure whether the client answered so, of all.
    """

    contacts: Contacts
    among: Bools
    answered: Mapping[str, Bools]

    def of(self, measure: str) -> Bools:
        """Contacts of which the measure is known."""
        if measure in IN_RESULT:
            return self.among & self.contacts.has_result()
        return self.among


@dataclass(frozen=True)
class Rate:
    """How often clients answered so.

    Attributes:
        kind: all, channel, product, fatigue_class or branch; or contacts_before.
        name: Which of them.
        measure: What they answered.
        contacts: Of which it is known; None: not told, for a small group's sake.
        clients: Who had them.
        count: Contacts that were answered so.
        share: Of the contacts, with an interval that allows for a client's contacts being alike.
        alike: The rate ÷ that of contacts without another one before, among those about the same
            product with the same tenth of propensity; of ``contacts_before`` only.
    """

    kind: str
    name: str
    measure: str
    contacts: int | None = None
    clients: int | None = None
    count: int | None = None
    share: Estimate = UNKNOWN
    alike: Estimate = UNKNOWN


def reaction_rates(answers: Answers, products: Mapping[str, Product], least: int) -> list[Rate]:
    """Refusals, objections and complaints, of all contacts and by what they are divided by.

    Args:
        answers: What came of contacts.
        products: By id.
        least: Of fewer clients nothing is told, nor what would give them away.
    """
    rows = answers.contacts.rows
    names = pa.array(sorted(products), pa.string())
    classes = pa.array([str(products[name].fatigue_class) for name in sorted(products)])
    fatigue_class = classes.take(pc.index_in(rows["product_id"], value_set=names))
    divided = {
        EVERYWHERE: pa.chunked_array([pa.array([EVERYWHERE] * len(rows), pa.string())]),
        "channel": rows["channel"],
        "product": rows["product_id"],
        "fatigue_class": pa.chunked_array([fatigue_class]),
        "branch": rows["branch_id"],
    }
    return [
        rate
        for kind, column in divided.items()
        for measure in UNWANTED
        for rate in _rates(answers, measure, _Groups.of(kind, column), least)
    ]


def fatigue_curve(
    answers: Answers, before: Ints, most: int, propensity: Floats, least: int
) -> list[Rate]:
    """Each measure by how many contacts the client had shortly before.

    Args:
        answers: What came of contacts.
        before: How many the client had before each.
        most: From so many on they are told together.
        propensity: Of each contact's client to buy the product then; NaN where unknown.
        least: Of fewer clients nothing is told.
    """
    step = np.minimum(before, most)
    names = [*map(str, range(most)), f"{most} or more"]
    groups = _Groups("contacts_before", names, step)
    found = []
    for measure in MEASURES:
        alike = _alike(answers, measure, step, propensity, most)
        for rate in _rates(answers, measure, groups, least):
            is_told = rate.contacts is not None
            found.append(_with_alike(rate, alike[names.index(rate.name)]) if is_told else rate)
    return found


@dataclass(frozen=True)
class _Groups:
    """What contacts are divided by; those in none are beyond the last name."""

    kind: str
    names: Sequence[str]
    place: Ints

    @classmethod
    def of(cls, kind: str, column: pa.ChunkedArray) -> _Groups:
        return cls(kind, pc.unique(column).drop_null().sort().to_pylist(), codes(column))


def _rates(answers: Answers, measure: str, groups: _Groups, least: int) -> Iterator[Rate]:
    known = answers.of(measure)
    place, client = groups.place[known], answers.contacts.client[known]
    is_so = answers.answered[measure][known]
    clients = [len(np.unique(client[place == at])) for at in range(len(groups.names))]
    told = told_groups(np.array(clients, dtype=np.int64), least)
    for at, name in enumerate(groups.names):
        mine = place == at
        if not told[at]:
            yield Rate(groups.kind, name, measure)
        elif clients[at]:
            yield Rate(
                kind=groups.kind,
                name=name,
                measure=measure,
                contacts=int(mine.sum()),
                clients=clients[at],
                count=int(is_so[mine].sum()),
                share=clustered_share(is_so[mine], client[mine]),
            )


def _with_alike(rate: Rate, alike: Estimate) -> Rate:
    return Rate(
        rate.kind, rate.name, rate.measure,
        contacts=rate.contacts, clients=rate.clients, count=rate.count, share=rate.share,
        alike=alike,
    )  # fmt: skip


def _alike(
    answers: Answers, measure: str, step: Ints, propensity: Floats, most: int
) -> list[Estimate]:
    """Each step's rate ÷ that of the first step, among contacts alike; unknown without any.

    Not within a client: whoever refused is left in peace for a while, so that a second contact soon
    after one tells that the first was not refused.
    """
    known = answers.of(measure) & ~np.isnan(propensity)
    product = codes(answers.contacts.rows["product_id"])
    stratum = deciles_within(product, propensity, known)
    is_so, client = answers.answered[measure], answers.contacts.client
    found = [UNKNOWN]
    for at in range(1, most + 1):
        rows = known & ((step == at) | (step == 0))
        # A client with contacts in both steps is one unit in each.
        units, unit = np.unique(client[rows] * 2 + (step[rows] == at), return_inverse=True)
        strata = Strata(unit, stratum[rows], is_so[rows], len(units))
        found.append(strata.ratio(units % 2 == 1).estimate())
    return found
