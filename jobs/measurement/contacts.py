"""What a home knows of contacts, clients and care before a day, in one pass of SQL over its files.

A contact is in the bank's extract, or a branch has returned its result, or both: then the extract's
row stands for it, as it does for the contact policy (`campaigns/returned_contacts.py`), and of what
is known of its result the most telling counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pyarrow as pa

from campaigns.returned_contacts import SAME_WITHIN
from conf.schema import RunConfig
from jobs.measurement.campaigns import Measured
from jobs.measurement.known_in_sql import KnownInSql, day_of, in_days, known_in_sql
from jobs.measurement.seen_use import make_use
from jobs.measurement.what_followed import make_withdrawn
from measurement.client_side import IN_CARE, LISTED, PEOPLE, KnownOfClients
from measurement.client_value import BOUGHT
from measurement.contacts_made import COMPLAINT, CONTACTS_MADE, EVENTS, OBJECTION
from measurement.credit_checks import RETURNED
from tables.derived import CARE_LISTS, DISPOSITIONS
from tables.sources import CONTACTS, CUSTOMERS, FLAGS, HOLDINGS
from tables.store import Store

# The most telling first.
RESULTS = (
    "complaint",
    "opt_out",
    "refused",
    "sold",
    "interested",
    "unsuitable",
    "wrong_person",
    "contacted",
    "no_answer",
)
COMPLAINT_OPEN = "complaint_open"


def known_of_clients(
    store: Store,
    campaigns: Sequence[Measured],
    config: RunConfig,
    as_of: date,
    *,
    since: date,
    offers: pa.Table,
) -> tuple[KnownOfClients, pa.Table]:
    """Contacts, answers, clients, care, purchases and their use.

    Args:
        store: Source tables, returned results and care lists at the versions that count.
        campaigns: Those that are measured.
        config: Says which flags are answered by care.
        as_of: What was recorded before it counts.
        since: First day of the time that is measured; contacts of before it are told, too.
        offers: Shaped ``OFFERS``; use is looked for of what was bought after one of them.

    Returns:
        What is known of clients, and results that branches returned, shaped ``RETURNED``.
    """
    with known_in_sql(store, as_of) as known:
        _make_returned(known)
        _make_contacts(known)
        _make_care(known, sorted(config.care.treatments))
        _make_events(known, since)
        found = KnownOfClients(
            contacts=_shaped(known, _CONTACTS, CONTACTS_MADE),
            events=_shaped(known, "SELECT * FROM events", EVENTS),
            people=_people(known, as_of),
            in_care=_in_care(known, as_of),
            listed=_listed(known, campaigns),
            bought=_bought(known, config, since, offers),
        )
        return found, _returned(known, campaigns)


def _make_returned(known: KnownInSql) -> None:
    """Results as branches returned them, of persons."""
    files = known.store.files(DISPOSITIONS)
    folder = known.store.folder / DISPOSITIONS.name
    known.view("dispositions_returned", DISPOSITIONS, [folder / file.path for file in files])
    known.make(
        "returned",
        f"""
        SELECT dispositions_returned.*, coalesce(survivor_id, customer_id) AS person,
            {day_of("disposition_at")} AS said_on,
            concat_ws('|', 'returned', customer_id, offer_id, disposition_at) AS returned_id
        FROM dispositions_returned LEFT JOIN persons ON record_id = customer_id
        WHERE {known.is_known("recorded_at")}
        """,
    )


def _make_contacts(known: KnownInSql) -> None:
    """Each contact once, and all that is known of its result."""
    names = ("contact_id", "product_id", "offer_id", "channel", "branch_id", "contacted_on")
    columns = [*names, "disposition", "disposition_on"]
    until = f"contacted_on < {in_days(known.day)}"
    known.make("delivered", known.known(CONTACTS, columns, until))
    known.make(
        "same",
        f"""
        SELECT returned_id, contact_id FROM returned JOIN delivered USING (person, product_id)
        WHERE abs(contacted_on - said_on) <= {SAME_WITHIN}
        QUALIFY row_number() OVER (
            PARTITION BY returned_id ORDER BY abs(contacted_on - said_on), contact_id
        ) = 1
        """,
    )
    known.make(
        "all_contacts",
        f"""
        SELECT {", ".join(names)}, person FROM delivered
        UNION ALL BY NAME
        SELECT returned_id AS contact_id, product_id, offer_id, channel, branch_id,
            said_on AS contacted_on, person
        FROM returned ANTI JOIN same USING (returned_id)
        WHERE product_id IS NOT NULL AND said_on < {in_days(known.day)}
        """,
    )
    known.make(
        "results",
        f"""
        WITH said AS (
            SELECT contact_id, disposition AS result,
                coalesce(disposition_on, contacted_on) AS result_on
            FROM delivered WHERE disposition IS NOT NULL
            UNION ALL
            SELECT coalesce(contact_id, returned_id), disposition, said_on
            FROM returned LEFT JOIN same USING (returned_id)
        )
        SELECT * FROM said QUALIFY row_number() OVER (
            PARTITION BY contact_id
            ORDER BY list_position({list(RESULTS)!r}, result), result_on
        ) = 1
        """,
    )


def _make_care(known: KnownInSql, flags: Sequence[str]) -> None:
    """Times in which a person has a flag that is answered by care."""
    names = ", ".join(f"'{flag}'" for flag in flags)
    columns = ["flag", "valid_from", "valid_to"]
    known.make("cared", known.known(FLAGS, columns, f"flag IN ({names})" if names else "FALSE"))


def _make_events(known: KnownInSql, since: date) -> None:
    """Objections and complaints since a day, by whatever way they came."""
    begun = f"flag = '{COMPLAINT_OPEN}' AND valid_from >= {in_days(since)}"
    make_withdrawn(known, since)
    known.make(
        "events",
        f"""
        SELECT person AS customer_id, '{OBJECTION}' AS kind, said_on AS happened_on FROM withdrawn
        UNION
        SELECT person, '{OBJECTION}', said_on FROM returned
        WHERE disposition = 'opt_out' AND product_id IS NULL AND said_on >= {in_days(since)}
        UNION
        SELECT person, '{COMPLAINT}', valid_from
        FROM ({known.known(FLAGS, ["flag", "valid_from"], begun)})
        """,
    )


_CONTACTS = """
    SELECT contact_id, person AS customer_id, product_id, offer_id, channel, branch_id,
        contacted_on, result, result_on,
        EXISTS (
            FROM cared WHERE cared.person = all_contacts.person AND valid_from <= contacted_on
                AND (valid_to IS NULL OR valid_to > contacted_on)
        ) AS is_in_care
    FROM all_contacts LEFT JOIN results USING (contact_id)
    ORDER BY contact_id
"""


def _people(known: KnownInSql, as_of: date) -> pa.Table:
    """The survivor's own row of each person."""
    day = in_days(as_of)
    is_active = (
        f"joined_on < {day} AND coalesce(left_on >= {day}, TRUE)"
        f" AND coalesce(deceased_on >= {day}, TRUE)"
    )
    columns = ["customer_id", "household_id", "joined_on", "left_on", "deceased_on"]
    query = f"""
        SELECT customer_id, household_id, {is_active} AS is_active
        FROM ({known.known(CUSTOMERS, columns)}) WHERE customer_id = person ORDER BY customer_id
    """
    return _shaped(known, query, PEOPLE)


def _in_care(known: KnownInSql, as_of: date) -> pa.Table:
    day = in_days(as_of)
    query = f"""
        SELECT DISTINCT person AS customer_id, flag FROM cared
        WHERE valid_from < {day} AND (valid_to IS NULL OR valid_to >= {day}) ORDER BY ALL
    """
    return _shaped(known, query, IN_CARE)


def _listed(known: KnownInSql, campaigns: Sequence[Measured]) -> pa.Table:
    """Who was on the care list of a measured campaign."""
    parts = [LISTED.empty_table()]
    for one in campaigns:
        if CARE_LISTS.name in one.record.pins:
            store = Store(known.store.folder, None, one.record.pins)
            rows = store.arrow(CARE_LISTS, one.record.as_of)
            known.put("listed", rows)
            query = """
                SELECT as_of AS campaign_as_of, coalesce(survivor_id, customer_id) AS customer_id,
                    care_treatment, may_contact
                FROM listed LEFT JOIN persons ON record_id = customer_id ORDER BY ALL
            """
            parts.append(_shaped(known, query, LISTED))
    return pa.concat_tables(parts)


def _bought(known: KnownInSql, config: RunConfig, since: date, offers: pa.Table) -> pa.Table:
    columns = ["product_id", "account_id", "opened_on", "closed_on"]
    known.make("purchases", known.known(HOLDINGS, columns, f"opened_on >= {in_days(since)}"))
    make_use(known, config, offers)
    query = """
        SELECT person AS customer_id, product_id, opened_on, closed_on, months_used
        FROM purchases LEFT JOIN use USING (person, product_id, opened_on) ORDER BY ALL
    """
    return _shaped(known, query, BOUGHT)


def _returned(known: KnownInSql, campaigns: Sequence[Measured]) -> pa.Table:
    """Results of the measured campaigns' offers, with whose product it is."""
    partners = {
        (one.record.run_id, name): product.partner
        for one in campaigns
        for name, product in one.config.products.items()
    }
    rows = [{"run": run, "product": name, "partner": who} for (run, name), who in partners.items()]
    schema = pa.schema([(name, pa.string()) for name in ("run", "product", "partner")])
    known.put("partners", pa.Table.from_pylist(rows, schema))
    query = """
        SELECT run_id AS campaign, product_id, branch_id, advisor_id, partner AS partner_id,
            has_consent
        FROM returned JOIN partners ON run = run_id AND product = product_id
        ORDER BY returned_id
    """
    return _shaped(known, query, RETURNED)


def _shaped(known: KnownInSql, query: str, schema: pa.Schema) -> pa.Table:
    rows = known.sql.sql(query).to_arrow_table()
    plain = pa.schema(
        pa.field(one.name, pa.string() if pa.types.is_dictionary(one.type) else one.type)
        for one in schema
    )
    return rows.select(schema.names).cast(plain).cast(schema)
