"""Contacts that the contact policy does not allow on the day on which they were made.

The policy is that of the configuration in force; whatever the bank's own systems or branches do
beside the lists counts as well. A list is checked when it is made and again when it is handed out;
what happens until the contact is seen here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from conf.schema import ContactPolicy, Product
from measurement.association import Bools, Estimate, Ints
from measurement.contacts_made import SPAN, Contacts, Packages
from measurement.group_rates import share
from measurement.sales import bools, codes, days
from measurement.small_cells import told_groups

CAP_DAYS = 30
FATIGUE_DAYS = 90
FOR_ALL_PRODUCTS = "opt_out"
EVERYWHERE = "all"
IN_CARE = "in_care"
# What is told of a contact, in words.
RULES = {
    "contact_cap": "the client had as many contacts in 30 days as allowed",
    "household_cap": "the household had as many contacts in 30 days as allowed",
    "channel_cap": "the channel's own cap for the client was reached",
    "fatigue_cap": "the client had as many contacts of that kind in 90 days as allowed",
    "too_soon": "too few days after the last contact",
    "cool_off": "before the cool-off after a refusal, sale or objection was over",
    IN_CARE: "the client was in care on that day, as is known by now",
}


@dataclass(frozen=True)
class Broken:
    """How many contacts a rule did not allow.

    Attributes:
        rule: One of ``RULES``.
        branch: Which branch made them, or all.
        contacts: That were made; None: not told, for a small group's sake.
        broken: Of these not allowed; None likewise.
    """

    rule: str
    branch: str
    contacts: int | None
    broken: int | None

    @property
    def share(self) -> Estimate:
        """Of the contacts."""
        return share(self.broken or 0, self.contacts or 0)


def broken_rules(
    contacts: Contacts,
    policy: ContactPolicy,
    products: Mapping[str, Product],
    packages: Packages,
    households: pa.Table,
) -> dict[str, Bools]:
    """By rule the contacts that it did not allow on their day.

    Args:
        contacts: All that are known, also of before the time that is looked at.
        policy: In force.
        products: By id.
        packages: Products by offer.
        households: ``customer_id``, ``household_id``.
    """
    household = _households(contacts, households)
    capped = [
        contacts.is_in("channel", [channel])
        & (contacts.before(CAP_DAYS, contacts.is_in("channel", [channel])) >= cap)
        for channel, cap in policy.max_contacts_30d_by_channel.items()
    ]
    tired = []
    for name, cap in policy.max_contacts_90d_by_fatigue_class.items():
        of_class = [one for one, product in products.items() if product.fatigue_class == name]
        is_about = contacts.is_about(of_class, packages)
        tired.append(is_about & (contacts.before(FATIGUE_DAYS, is_about) >= cap))
    all_before = contacts.before(CAP_DAYS, group=household)
    since_last = contacts.before(policy.min_days_between_contacts - 1)
    return {
        "contact_cap": contacts.before(CAP_DAYS) >= policy.max_contacts_30d,
        "household_cap": all_before >= policy.max_household_contacts_30d,
        "channel_cap": _any(capped, len(contacts)),
        "fatigue_cap": _any(tired, len(contacts)),
        "too_soon": (since_last > 0) & (policy.min_days_between_contacts > 0),
        "cool_off": _cooling(contacts, policy, products, packages),
        IN_CARE: bools(contacts.rows["is_in_care"]),
    }


def told_broken(
    contacts: Contacts, rules: Mapping[str, Bools], among: Bools, least: int
) -> list[Broken]:
    """Of all branches together, and of each.

    Args:
        contacts: All that are known.
        rules: By rule the contacts that it did not allow.
        among: Contacts that are told of.
        least: Of fewer clients contacted, or in care, nothing is told.
    """
    branches = contacts.rows["branch_id"].filter(pa.array(among))
    names = pc.unique(branches).drop_null().sort().to_pylist()
    branch, client = codes(branches), contacts.client[among]
    told = told_groups(_clients(branch, client, len(names)), least)
    found = []
    for rule, is_broken in rules.items():
        broken = is_broken[among]
        found.append(Broken(rule, EVERYWHERE, len(broken), int(broken.sum())))
        is_told = told
        if rule == IN_CARE:
            is_told = told_groups(_clients(branch[broken], client[broken], len(names)), least, told)
        for place, name in enumerate(names):
            mine = branch == place
            counts = (int(mine.sum()), int((mine & broken).sum()))
            found.append(Broken(rule, name, *(counts if is_told[place] else (None, None))))
    return found


def _households(contacts: Contacts, households: pa.Table) -> Ints:
    """A number for who lives together; who has no household lives alone."""
    at = pc.index_in(contacts.rows["customer_id"], value_set=households["customer_id"])
    known = households["household_id"].cast(pa.string()).take(at)
    household = codes(known)
    is_alone = ~bools(pc.is_valid(known))
    return np.where(is_alone, contacts.client + int(household.max(initial=0)) + 1, household)


def _cooling(
    contacts: Contacts,
    policy: ContactPolicy,
    products: Mapping[str, Product],
    packages: Packages,
) -> Bools:
    """Contacts before the cool-off after an earlier result was over."""
    said_on = days(contacts.rows["result_on"])
    said_on = np.where(said_on > 0, said_on, contacts.day)
    until = np.zeros(len(contacts), dtype=np.int64)
    for result, cool_off in policy.cool_off_days_after.items():
        until[contacts.is_in("result", [result])] = cool_off
    until = np.where(until > 0, said_on + until, 0)
    everything = np.ones(len(contacts), dtype=np.bool_)
    has_objected = contacts.is_in("result", [FOR_ALL_PRODUCTS])
    found = _before_end(contacts, everything, said_on, np.where(has_objected, until, 0))
    for product in products:
        found |= _before_end(contacts, contacts.is_about([product], packages), said_on, until)
    return found


def _before_end(contacts: Contacts, among: Bools, said_on: Ints, until: Ints) -> Bools:
    """Contacts among these on a day before one that a result of an earlier day said to wait for."""
    found = np.zeros(len(contacts), dtype=np.bool_)
    says = np.flatnonzero(among & (until > 0))
    if not len(says):
        return found
    key = contacts.client[says] * SPAN + said_on[says]
    order = np.argsort(key, kind="stable")
    key, says = key[order], says[order]
    # The latest end so far of each client: a client's numbers are above those of all before.
    latest = np.maximum.accumulate(contacts.client[says] * SPAN + until[says])
    asked = np.flatnonzero(among)
    client, day = contacts.client[asked], contacts.day[asked]
    at = np.searchsorted(key, client * SPAN + day, "left") - 1
    is_after = at >= 0
    ends = latest[np.maximum(at, 0)]
    found[asked] = is_after & (ends // SPAN == client) & (ends % SPAN > day)
    return found


def _clients(group: Ints, client: Ints, groups: int) -> Ints:
    """Different clients of each group; what is in none is beyond the last."""
    pairs = np.unique(np.stack([group, client]), axis=1)
    return np.bincount(pairs[0], minlength=groups + 1)[:groups].astype(np.int64)


def _any(several: list[Bools], length: int) -> Bools:
    return np.asarray(np.logical_or.reduce([np.zeros(length, dtype=np.bool_), *several]))
