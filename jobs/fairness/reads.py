"""What fairness is measured from: committed campaigns, read without an engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from conf.model_settings import FairnessSettings
from conf.recorded import recorded_config
from conf.schema import RunConfig
from jobs.campaigns.protected_groups import columns_needed, groups_of
from jobs.home import Home
from measurement.association import Bools, Ints
from measurement.fairness import AGE_LIMITS, ALL, Decided, Groups, Scope
from models.labels import outcome_window
from tables.derived import DECISIONS, DISPOSITIONS
from tables.known_rows import latest_columns, persons_before
from tables.reason_codes import Outcome, ReasonCode
from tables.runs import RunRecord, Runs
from tables.sources import CUSTOMERS, HOLDINGS
from tables.store import Store

# Gates that say the same for a reader, beside the families of reason codes. Whoever has a flag
# against contact is not in care.
CLASS_OF = {
    str(ReasonCode.TOO_YOUNG): AGE_LIMITS,
    str(ReasonCode.TOO_OLD): AGE_LIMITS,
    str(ReasonCode.AGE_UNKNOWN): AGE_LIMITS,
    str(ReasonCode.NO_CONTACT_FLAG): "contact_policy",
}
CREDIT_SCOPE = "credit"
RESPONSE = "response"
RETURNED = {"refused": "refusal", "complaint": "complaint", "opt_out": "opt_out"}


@dataclass(frozen=True)
class Campaign:
    """A committed campaign as fairness sees it.

    Attributes:
        record: Its run.
        config: What it was made with.
        customers: Active clients, in the order of the groups.
        decided: What was decided about them.
        groups: By attribute the group of each, as known before the campaign.
        columns: Of each client × offer: product_id, move, lever_code.
    """

    record: RunRecord
    config: RunConfig
    customers: pa.Array
    decided: Decided
    groups: Groups
    columns: Mapping[str, pa.Array]


def read_campaign(home: Home, record: RunRecord, settings: FairnessSettings) -> Campaign:
    """Decisions about active clients, and which groups those belong to.

    Args:
        home: Where.
        record: The campaign's run; its tables are read as it pinned them.
        settings: Groups, as configured today.
    """
    store = Store(home.tables, None, record.pins)
    stored = store.stored_columns(DECISIONS, record.as_of)
    gates = _failed(stored.column("failed_gates"))
    is_active = ~gates.pop(str(ReasonCode.NOT_ACTIVE), np.zeros(stored.rows, dtype=np.bool_))
    keep = pa.array(is_active)
    names = ("customer_id", "offer_id", "outcome", "product_id", "move", "lever_code")
    columns = {name: _encoded(stored.column(name)).filter(keep) for name in names}
    customers, client = _places(columns["customer_id"])
    failed = _by_class(gates, is_active)
    propensity = stored.column("propensity").combine_chunks().filter(keep)
    decided = Decided(
        clients=len(customers),
        client=client,
        offer=_places(columns["offer_id"])[1],
        is_offered=_is(columns["outcome"], str(Outcome.OFFERED)),
        passes=~np.logical_or.reduce([np.zeros(len(client), dtype=np.bool_), *failed.values()]),
        stopped={AGE_LIMITS: np.zeros(len(client), dtype=np.bool_)} | failed,
        propensity=np.asarray(pc.fill_null(propensity, np.nan).to_numpy(zero_copy_only=False)),
    )
    people = latest_columns(store, CUSTOMERS, record.as_of, columns_needed(settings))
    return Campaign(
        record,
        recorded_config(record.config),
        customers,
        decided,
        groups_of(people, pa.chunked_array([customers]), record.as_of, settings),
        {name: columns[name] for name in ("product_id", "move", "lever_code")},
    )


def scopes_of(campaign: Campaign) -> list[Scope]:
    """All offers together, credit, each lever, business line, move and product."""
    products = campaign.config.products
    product, move = campaign.columns["product_id"], campaign.columns["move"]
    found = [all_offers(campaign)]
    credit = [name for name, one in products.items() if one.is_credit]
    found.append(Scope(CREDIT_SCOPE, CREDIT_SCOPE, _is(product, *credit)))
    found += _levers(campaign)
    for line in sorted({one.business_line for one in products.values()}):
        of_line = [name for name, one in products.items() if one.business_line == line]
        found.append(Scope("line", line, _is(product, *of_line)))
    for kind, values in (("move", move), ("product", product)):
        found += [Scope(kind, name, _is(values, name)) for name in _names(values)]
    return [scope for scope in found if scope.rows.any()]


def all_offers(campaign: Campaign) -> Scope:
    """All offers together."""
    return Scope(ALL, ALL, np.ones(len(campaign.decided.client), dtype=np.bool_))


def outcomes_of(home: Home, now: RunRecord, campaign: Campaign) -> dict[str, Bools]:
    """What became of a campaign's offers, as far as known before ``now``: by client offered.

    Args:
        home: Where.
        now: A later campaign, whose as-of date says what is known.
        campaign: The earlier one.

    Returns:
        Of each client offered, in order, that a product offered was bought in the outcome window,
        where that was over, and that a branch returned a refusal, complaint or objection.
    """
    offered = campaign.decided.is_offered
    places = campaign.decided.client[offered]
    clients = campaign.customers.to_pylist()
    products = campaign.columns["product_id"].filter(pa.array(offered)).to_pylist()
    who = np.unique(places)
    found = {
        name: np.array([clients[place] in said for place in who], dtype=np.bool_)
        for name, said in _returned(home, now.as_of, campaign.record).items()
    }
    opens, ends = outcome_window(campaign.record.as_of, campaign.config.time)
    if ends <= now.as_of:
        store = Store(home.tables, None, now.pins)
        bought = _bought(store, now.as_of, opens, ends)
        person = persons_before(store, now.as_of).person
        buyers = {
            place
            for place, product in zip(places.tolist(), products, strict=True)
            if (person(clients[place]), product) in bought
        }
        found[RESPONSE] = np.array([place in buyers for place in who.tolist()], dtype=np.bool_)
    return found


def groups_offered(campaign: Campaign) -> dict[str, np.ndarray]:
    """Groups of the clients that ``outcomes_of`` tells of."""
    who = np.unique(campaign.decided.client[campaign.decided.is_offered])
    return {name: labels[who] for name, labels in campaign.groups.items()}


def _failed(column: pa.ChunkedArray) -> dict[str, Bools]:
    """By gate whether it failed, of every row; chunk by chunk, for names of gates are many."""
    found: dict[str, Bools] = {}
    rows, start = len(column), 0
    for chunk in column.chunks:
        named = pc.list_flatten(chunk).dictionary_encode()
        places = start + pc.list_parent_indices(chunk).to_numpy()
        codes = named.indices.to_numpy()
        for code, gate in enumerate(named.dictionary.to_pylist()):
            found.setdefault(gate, np.zeros(rows, dtype=np.bool_))[places[codes == code]] = True
        start += len(chunk)
    return found


def _by_class(gates: Mapping[str, Bools], is_active: Bools) -> dict[str, Bools]:
    found: dict[str, Bools] = {}
    for gate in sorted(gates):
        name = CLASS_OF.get(gate, gate.partition(".")[0])
        found[name] = found.get(name, False) | gates[gate][is_active]
    return found


def _encoded(column: pa.ChunkedArray) -> pa.Array:
    return pa.chunked_array([column.combine_chunks()]).combine_chunks().dictionary_encode()


def _places(column: pa.Array) -> tuple[pa.Array, Ints]:
    """Different values in order, and the place of each row's among them."""
    used, place = np.unique(column.indices.to_numpy(zero_copy_only=False), return_inverse=True)
    values = column.dictionary.take(pa.array(used))
    order = pc.sort_indices(values).to_numpy()
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return values.take(pa.array(order)), rank[place]


def _names(column: pa.Array) -> list[str]:
    return [name for name in _places(column)[0].to_pylist() if name is not None]


def _is(column: pa.Array, *values: str) -> Bools:
    wanted = pc.is_in(column.dictionary, value_set=pa.array(values, pa.string()))
    codes = pc.fill_null(column.indices, len(column.dictionary)).to_numpy(zero_copy_only=False)
    return np.asarray(np.append(wanted.to_numpy(zero_copy_only=False), False)[codes])


def _levers(campaign: Campaign) -> Iterator[Scope]:
    """Of each lever the offers it may go with; offered is who got it."""
    levers, decided = campaign.columns["lever_code"], campaign.decided
    for name in sorted(_used(levers)):
        has_it = _is(levers, name)
        rows = np.isin(decided.offer, np.unique(decided.offer[has_it]))
        yield Scope("lever", name, rows, decided.is_offered & has_it)


def _used(column: pa.Array) -> list[str]:
    codes = np.unique(column.indices.drop_null().to_numpy())
    return [str(name) for name in column.dictionary.take(pa.array(codes)).to_pylist()]


def _returned(home: Home, as_of: date, record: RunRecord) -> dict[str, set[str]]:
    """By result, clients of whom a branch returned it about this campaign; none if none came."""
    version = Runs(home.tables).head(DISPOSITIONS.name)
    if version is None:
        return {}
    store = Store(home.tables, None, {DISPOSITIONS.name: version})
    midnight = datetime.combine(as_of, time(), tzinfo=UTC)
    rows = [
        row
        for row in store.arrow_records(DISPOSITIONS).to_pylist()
        if row["recorded_at"] < midnight and row["run_id"] == record.run_id
    ]
    found: dict[str, set[str]] = {name: set() for name in RETURNED.values()} if rows else {}
    for row in rows:
        if row["disposition"] in RETURNED:
            found[RETURNED[row["disposition"]]].add(row["customer_id"])
    return found


def _bought(store: Store, as_of: date, opens: date, ends: date) -> set[tuple[str, str]]:
    """Client and product of every purchase in a window, as known before ``as_of``."""
    columns = ("customer_id", "product_id", "opened_on")
    rows = latest_columns(store, HOLDINGS, as_of, columns)
    is_in = pc.and_(pc.greater_equal(rows["opened_on"], opens), pc.less(rows["opened_on"], ends))
    persons = persons_before(store, as_of)
    found = rows.filter(is_in)
    pairs = zip(found["customer_id"].to_pylist(), found["product_id"].to_pylist(), strict=True)
    return {(persons.person(customer), product) for customer, product in pairs}
