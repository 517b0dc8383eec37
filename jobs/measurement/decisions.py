"""Whom measured campaigns offered something and whom chance withheld it from, as tables in SQL.

Intention to treat: whoever was offered counts as treated, reached or not (`jobs/campaign_history`).
Attributes are those that were known before the campaign. Records that turned out to be one person
since are one client; it was offered what any of its records was offered, and is in the control only
if none was.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from campaigns.credit import credit
from conf.schema import RunConfig
from jobs.measurement.campaigns import Measured
from jobs.measurement.known_in_sql import KnownInSql, moment
from tables.derived import DECISIONS
from tables.reason_codes import Outcome
from tables.sources import CUSTOMERS, HOLDINGS
from tables.store import Store

# What `decided` takes over from decisions as it stands there.
AS_DECIDED = (
    "offer_id, product_id, move, branch_id, channel, propensity, response, lever_code,"
    " lever_cost_when, is_exploration, event_on"
)
CAMPAIGNS = pa.schema(
    [
        ("campaign", pa.int32()),  # place among the measured ones, oldest first
        ("run_id", pa.string()),
        ("as_of", pa.date32()),
        ("opens", pa.date32()),
        ("ends", pa.date32()),
        ("seen", pa.date32()),  # the outcome window's end, or the day of measuring before it
        ("later_ends", pa.date32()),
    ]
)
TERMS = pa.schema(
    [
        ("campaign", pa.int32()),
        ("offer_id", pa.string()),
        ("product_id", pa.string()),
        ("kind", pa.string()),
        ("partner_id", pa.string()),
        ("business_line", pa.string()),
        ("bundle_id", pa.string()),
        ("offered", pa.string()),  # its products in words
    ]
)
PARTS = pa.schema(
    [
        ("campaign", pa.int32()),
        ("offer_id", pa.string()),
        ("product_id", pa.string()),  # of which the offer is made
        ("may_be_held", pa.bool_()),  # the core of a package
    ]
)
PRODUCTS = pa.schema(
    [
        ("campaign", pa.int32()),
        ("product_id", pa.string()),
        ("margin", pa.int64()),  # cents
        ("is_core", pa.bool_()),
    ]
)
CREDIT = pa.schema(
    [
        ("campaign", pa.int32()),
        ("product_id", pa.string()),
        ("lever_code", pa.string()),
        ("has_advisor", pa.bool_()),
        ("credit_owner", pa.string()),
        ("credit_share", pa.float64()),
        ("referral_owner", pa.string()),
        ("referral_share", pa.float64()),
    ]
)
# Stand-ins for whoever they are of a row.
ADVISOR, BRANCH = "\x00advisor", "\x00branch"
Rows = list[dict[str, Any]]


def make_decided(known: KnownInSql, campaigns: Sequence[Measured]) -> None:
    """Make ``decided``, a row per campaign × client × offer, and what is known of its like.

    Beside it ``campaigns``, ``terms``, ``parts``, ``products`` and ``credit``, shaped as above.
    """
    known.put("campaigns", pa.Table.from_pylist(_campaigns(known, campaigns), CAMPAIGNS))
    queries = [_decisions(known, place, one) for place, one in enumerate(campaigns)]
    known.make("offered", " UNION ALL ".join(queries))
    known.make(
        "decided",
        f"""
        SELECT row_number() OVER (ORDER BY campaign, person, offer_id) AS row, *
        FROM (
            SELECT *, coalesce(survivor_id, client) AS person
            FROM offered LEFT JOIN persons ON record_id = client
            {_one_row_a_person(known)}
        ) JOIN campaigns USING (campaign)
        """,
    )
    known.sql.execute("DROP TABLE offered")
    _put_terms(known, campaigns)


def make_attributes(known: KnownInSql) -> None:
    """Make what was known of clients before the campaign, by ``row`` of ``decided``.

    ``attributes`` has segment and advisor, ``held`` each product that was open then, ``core`` the
    core products among them in words.
    """
    known.versions("customer_versions", CUSTOMERS)
    known.make(
        "attributes",
        """
        SELECT decided.row,
            CASE WHEN NOT is_deleted THEN segment END AS segment,
            CASE WHEN NOT is_deleted THEN advisor_id END AS advisor_id
        FROM decided ASOF LEFT JOIN customer_versions AS version
        ON decided.client = version.customer_id AND decided.made_at > version.recorded_at
        """,
    )
    _make_held(known)
    known.make(
        "core",
        """
        SELECT row, string_agg(held.product_id, ' + ' ORDER BY held.product_id) AS core
        FROM held JOIN decided USING (row)
        JOIN products ON products.campaign = decided.campaign
            AND products.product_id = held.product_id AND is_core
        GROUP BY row
        """,
    )


def _make_held(known: KnownInSql) -> None:
    """Products open before the campaign, also those of records given up by then."""
    known.make(
        "holding_versions",
        f"""
        SELECT holding_id, customer_id, product_id, opened_on, closed_on, is_deleted, recorded_at,
            lead(recorded_at) OVER (PARTITION BY holding_id ORDER BY recorded_at) AS next_at
        FROM all_holding_versions WHERE {known.is_known("recorded_at")}
        """,
    )
    known.make(
        "held",
        """
        SELECT DISTINCT decided.row, version.product_id
        FROM decided JOIN (
            SELECT campaign, record_id, survivor_id AS client FROM persons_then
            UNION ALL SELECT DISTINCT campaign, client, client FROM decided
        ) AS records USING (campaign, client)
        JOIN holding_versions AS version ON version.customer_id = records.record_id
        WHERE version.recorded_at < made_at AND (next_at IS NULL OR next_at >= made_at)
            AND NOT is_deleted AND opened_on < as_of
            AND (closed_on IS NULL OR closed_on >= as_of)
        """,
    )


def make_history(known: KnownInSql, campaigns: Sequence[Measured]) -> None:
    """Make what ``make_attributes`` looks into: holdings, and who was one person by then."""
    known.versions("all_holding_versions", HOLDINGS)
    parts = []
    for place, one in enumerate(campaigns):
        known.persons(f"persons_{place}", one.campaign.as_of)
        parts.append(f"SELECT {place}::INTEGER AS campaign, * FROM persons_{place}")
    known.make("persons_then", " UNION ALL ".join(parts))


def _campaigns(known: KnownInSql, campaigns: Sequence[Measured]) -> Rows:
    return [
        {
            "campaign": place,
            "run_id": one.campaign.run_id,
            "as_of": one.campaign.as_of,
            "opens": one.campaign.opens,
            "ends": one.campaign.ends,
            "seen": min(one.campaign.ends, known.day),
            "later_ends": one.later_ends,
        }
        for place, one in enumerate(campaigns)
    ]


def _decisions(known: KnownInSql, place: int, measured: Measured) -> str:
    """Who was offered something, and the campaign's own control; amounts in cents."""
    record, view = measured.record, f"decisions_{place}"
    store = Store(known.store.folder, None, record.pins)
    files = store.slice_files(DECISIONS, record.as_of)
    known.view(view, DECISIONS, [store.folder / DECISIONS.name / file.path for file in files])
    offered, control = (f"outcome = '{one}'" for one in (Outcome.OFFERED, Outcome.CONTROL))
    return f"""
        SELECT {place}::INTEGER AS campaign, {moment(record.as_of)} AS made_at,
            customer_id AS client, {offered} AS is_treated, {AS_DECIDED},
            {_cents("margin")} AS margin, {_cents("contact_cost")} AS contact_cost,
            coalesce({_cents("lever_cost")}, 0) AS lever_cost
        FROM {view} WHERE {offered} OR ({control} AND is_in_control_group)
    """


def _one_row_a_person(known: KnownInSql) -> str:
    """Which rows stay of records that are one person; nobody is looked for where there is none."""
    [(merged,)] = known.sql.execute("SELECT count(*) FROM persons").fetchall()
    if not merged:
        return ""
    return """
        QUALIFY (is_treated OR NOT bool_or(is_treated) OVER (PARTITION BY campaign, person))
            AND row_number() OVER (
                PARTITION BY campaign, person, offer_id ORDER BY is_treated DESC, client
            ) = 1
    """


def _put_terms(known: KnownInSql, campaigns: Sequence[Measured]) -> None:
    """What the configuration of each campaign says of what it decided about."""
    query = "SELECT DISTINCT campaign, offer_id, product_id FROM decided ORDER BY ALL"
    offers = known.sql.execute(query).fetchall()
    terms = [_terms(place, name, of, campaigns[place].config) for place, name, of in offers]
    parts = [row for place, name, of in offers for row in _parts(place, name, of, campaigns)]
    products = [
        {
            "campaign": place,
            "product_id": name,
            "margin": int(product.expected_margin * 100),
            "is_core": product.role == "core",
        }
        for place, one in enumerate(campaigns)
        for name, product in one.config.products.items()
    ]
    known.put("terms", pa.Table.from_pylist(terms, TERMS))
    known.put("parts", pa.Table.from_pylist(parts, PARTS))
    known.put("products", pa.Table.from_pylist(products, PRODUCTS))
    known.put("credit", pa.Table.from_pylist(list(_credit(known, campaigns)), CREDIT))


def _terms(place: int, offer_id: str, product_id: str, config: RunConfig) -> dict[str, Any]:
    offer, product = config.offers[offer_id], config.products[product_id]
    return {
        "campaign": place,
        "offer_id": offer_id,
        "product_id": product_id,
        "kind": product.kind,
        "partner_id": product.partner,
        "business_line": product.business_line,
        "bundle_id": offer_id if offer.bundle else None,
        "offered": " + ".join(offer.products),
    }


def _parts(
    place: int, offer_id: str, product_id: str, campaigns: Sequence[Measured]
) -> Iterator[dict[str, Any]]:
    offer = campaigns[place].config.offers[offer_id]
    for name in offer.products:
        yield {
            "campaign": place,
            "offer_id": offer_id,
            "product_id": name,
            "may_be_held": offer.bundle is not None and name == offer.bundle.core,
        }


def _credit(known: KnownInSql, campaigns: Sequence[Measured]) -> Iterator[dict[str, Any]]:
    """Whose sale it would be: the rule asks no more of a client than whether it has an advisor."""
    query = "SELECT DISTINCT campaign, product_id, lever_code FROM decided ORDER BY ALL"
    for place, product_id, lever_code in known.sql.execute(query).fetchall():
        for advisor_id in (ADVISOR, None):
            offer = {
                "product_id": product_id,
                "lever_code": lever_code,
                "advisor_id": advisor_id,
                "branch_id": BRANCH,
            }
            whose = credit(offer, campaigns[place].config)
            yield {
                "campaign": place,
                "product_id": product_id,
                "lever_code": lever_code,
                "has_advisor": advisor_id is not None,
            } | {name: whose[name] for name in CREDIT.names if name in whose}


def _cents(amount: str) -> str:
    return f"({amount} * 100)::BIGINT"
