"""What the bank's contacts were to its clients: how many, how they were answered, what was gained.

None of it says what a contact caused; `campaign_results` does, where a control tells.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from conf.measurement_settings import ClientSideSettings
from conf.schema import ContactPolicy, Product
from measurement.association import Ints
from measurement.client_use import client_use
from measurement.client_value import BOUGHT, Worth, client_worth
from measurement.contact_caps import EVERYWHERE, Broken, broken_rules, told_broken
from measurement.contacts_made import CONTACTS_MADE, EVENTS, Contacts, Packages
from measurement.offers import Campaign
from measurement.reactions import MEASURES, Answers, Rate, fatigue_curve, reaction_rates
from measurement.sales import bools
from measurement.small_cells import told_groups

CONTACTS, FLAG, TREATMENT = "contacts", "flag", "treatment"
BRANCH_CALLS, BRANCH_WAITS = "branch may turn to them", "branch waits for them"
# Grain: person whom the bank knows.
PEOPLE = pa.schema(
    [
        pa.field("customer_id", pa.string(), nullable=False),
        pa.field("household_id", pa.string()),
        pa.field("is_active", pa.bool_(), nullable=False),  # a client before the as-of date
    ]
)
# Grain: person and flag that is answered by care, on the as-of date.
IN_CARE = pa.schema(
    [
        pa.field("customer_id", pa.string(), nullable=False),
        pa.field("flag", pa.string(), nullable=False),
    ]
)
# Grain: person on the care list of a campaign.
LISTED = pa.schema(
    [
        pa.field("campaign_as_of", pa.date32(), nullable=False),
        pa.field("customer_id", pa.string(), nullable=False),
        pa.field("care_treatment", pa.string(), nullable=False),
        pa.field("may_contact", pa.bool_(), nullable=False),
    ]
)


@dataclass(frozen=True)
class KnownOfClients:
    """What a home knows of clients and their contacts before the as-of date.

    Attributes:
        contacts: Shaped ``CONTACTS_MADE``; also those of before the measured time.
        events: Shaped ``EVENTS``.
        people: Shaped ``PEOPLE``.
        in_care: Shaped ``IN_CARE``.
        listed: Shaped ``LISTED``.
        bought: Shaped ``BOUGHT``.
    """

    contacts: pa.Table
    events: pa.Table
    people: pa.Table
    in_care: pa.Table
    listed: pa.Table
    bought: pa.Table

    @classmethod
    def nothing(cls) -> KnownOfClients:
        """Of a home without any."""
        return cls(
            *(one.empty_table() for one in (CONTACTS_MADE, EVENTS, PEOPLE, IN_CARE, LISTED, BOUGHT))
        )


@dataclass(frozen=True)
class Terms:
    """What the client's side is measured by.

    Attributes:
        settings: Windows and bounds.
        policy: How often a client may be contacted.
        products: By id.
        packages: Products by offer.
        savings: By offer of a package what a client saves by it in a year, in cents.
        reaction_days: An answer so soon after a contact may come of it.
        least: Of fewer clients nothing is told.
        currency: The bank's own.
    """

    settings: ClientSideSettings
    policy: ContactPolicy
    products: Mapping[str, Product]
    packages: Packages
    savings: Mapping[str, int]
    reaction_days: int
    least: int
    currency: str


@dataclass(frozen=True)
class Share:
    """Clients of a group among all active ones.

    Attributes:
        kind: ``CONTACTS``, ``FLAG`` or ``TREATMENT``.
        name: How many contacts; which flag; which treatment, with its campaign.
        clients: None: not told, for a small group's sake.
        of: All active clients; all on the care list.
    """

    kind: str
    name: str
    clients: int | None
    of: int


@dataclass(frozen=True)
class ClientSide:
    """Everything that is told of it.

    Attributes:
        since: First day of the measured time.
        as_of: First day after it.
        terms: What it was measured by.
        contacts: In the measured time.
        distribution: Active clients by contacts in the last ``fatigue_days``.
        reactions: How contacts were answered.
        fatigue: The same by how many contacts there were shortly before.
        broken: Contacts that the policy does not allow.
        care: Clients in care, and those on care lists.
        worth: What clients had of the offers.
    """

    since: date
    as_of: date
    terms: Terms
    contacts: int
    distribution: tuple[Share, ...]
    reactions: tuple[Rate, ...]
    fatigue: tuple[Rate, ...]
    broken: tuple[Broken, ...]
    care: tuple[Share, ...]
    worth: tuple[Worth, ...]


def client_side(
    known: KnownOfClients,
    offers: pa.Table,
    campaigns: Sequence[Campaign],
    terms: Terms,
    *,
    since: date,
    as_of: date,
) -> ClientSide:
    """Measure the contacts of a time.

    Args:
        known: Before ``as_of``.
        offers: Shaped ``OFFERS``.
        campaigns: Those that are measured.
        terms: What it is measured by.
        since: First day of the time.
        as_of: First day after it.
    """
    contacts = Contacts(known.contacts)
    measured = contacts.since(since, as_of)
    rules = broken_rules(contacts, terms.policy, terms.products, terms.packages, known.people)
    answers = Answers(
        contacts,
        # A contact of yesterday can't have been answered by all who will.
        contacts.since(since, as_of - timedelta(days=terms.reaction_days)),
        {
            measure: contacts.answered(measure, known.events, terms.reaction_days)
            for measure in MEASURES
        },
    )
    propensity = contacts.propensity(offers, campaigns)
    before = contacts.before(terms.settings.fatigue_days)
    most = terms.settings.most_contacts
    return ClientSide(
        since=since,
        as_of=as_of,
        terms=terms,
        contacts=int(measured.sum()),
        distribution=tuple(_distribution(contacts, known.people, terms, as_of)),
        reactions=tuple(reaction_rates(answers, terms.products, terms.least)),
        fatigue=tuple(fatigue_curve(answers, before, most, propensity, terms.least)),
        broken=tuple(told_broken(contacts, rules, measured, terms.least)),
        care=tuple(_care(known, terms.least)),
        worth=tuple(_worth(known.bought, offers, campaigns, terms, as_of)),
    )


def _worth(
    bought: pa.Table, offers: pa.Table, campaigns: Sequence[Campaign], terms: Terms, as_of: date
) -> Iterator[Worth]:
    yield from client_worth(
        offers,
        campaigns,
        terms.savings,
        bought,
        as_of=as_of,
        kept_months=terms.settings.kept_months,
        least=terms.least,
    )
    yield from client_use(
        offers,
        campaigns,
        terms.products,
        bought,
        as_of=as_of,
        settings=terms.settings,
        least=terms.least,
    )


def _distribution(
    contacts: Contacts, people: pa.Table, terms: Terms, as_of: date
) -> Iterator[Share]:
    """Active clients by how many contacts they had; who had none is one of them."""
    active = people["customer_id"].filter(people["is_active"])
    recent = contacts.since(as_of - timedelta(days=terms.settings.fatigue_days), as_of)
    number = np.bincount(contacts.client[recent], minlength=len(contacts.clients))
    at = pc.fill_null(pc.index_in(active, value_set=contacts.clients), -1).to_numpy()
    had = np.append(number, 0)[at]
    most = terms.settings.most_contacts
    counts = np.bincount(np.minimum(had, most), minlength=most + 1)
    told = told_groups(counts, terms.least)
    for place, count in enumerate(counts.tolist()):
        name = str(place) if place < most else f"{most} or more"
        yield Share(CONTACTS, name, count if told[place] else None, len(active))


def _care(known: KnownOfClients, least: int) -> Iterator[Share]:
    """Active clients in care, in all and by flag; who was on a care list, by campaign."""
    active = known.people["customer_id"].filter(known.people["is_active"])
    in_care = known.in_care.filter(pc.is_in(known.in_care["customer_id"], active))
    anybody = pc.count_distinct(in_care["customer_id"]).as_py()
    yield from _told(FLAG, {EVERYWHERE: anybody}, len(active), least)
    yield from _told(FLAG, _by(in_care, "flag"), len(active), least)
    for day in pc.unique(known.listed["campaign_as_of"]).sort().to_pylist():
        listed = known.listed.filter(pc.equal(known.listed["campaign_as_of"], day))
        may_call = int(bools(listed["may_contact"]).sum())
        ways = {BRANCH_CALLS: may_call, BRANCH_WAITS: listed.num_rows - may_call}
        for counts in ({EVERYWHERE: listed.num_rows}, ways, _by(listed, "care_treatment")):
            by_name = {f"{day}: {name}": count for name, count in counts.items()}
            yield from _told(TREATMENT, by_name, listed.num_rows, least)


def _told(kind: str, counts: Mapping[str, int], of: int, least: int) -> Iterator[Share]:
    numbers: Ints = np.array(list(counts.values()), dtype=np.int64)
    for (name, count), is_told in zip(counts.items(), told_groups(numbers, least), strict=True):
        yield Share(kind, name, count if is_told else None, of)


def _by(rows: pa.Table, column: str) -> dict[str, int]:
    counted = rows.group_by(column).aggregate([("customer_id", "count_distinct")])
    pairs = counted.sort_by(column).to_pylist()
    return {row[column]: row["customer_id_count_distinct"] for row in pairs}
