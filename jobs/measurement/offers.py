"""The offers of past campaigns with what followed, and the clients of the oldest, from a home.

One pass of SQL over the pinned files: of a year's decisions, hundreds of millions of rows, only the
columns and rows are read that somebody was offered something in, or withheld from it by chance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import pyarrow as pa

from conf.schema import RunConfig
from jobs.measurement.campaigns import Measured, contact_costs
from jobs.measurement.decisions import (
    ADVISOR,
    BRANCH,
    make_attributes,
    make_decided,
    make_history,
)
from jobs.measurement.known_in_sql import KnownInSql, in_days, known_in_sql, moment
from jobs.measurement.what_followed import make_events, make_followed
from measurement.offers import CLIENTS, OFFERS
from tables.derived import DECISIONS
from tables.store import Store

COSTS = pa.schema(
    [("product_id", pa.string()), ("margin", pa.int64()), ("contact_cost", pa.int64())]
)
LEVER_COST = """
    CASE WHEN NOT is_treated OR decided.lever_code IS NULL THEN 0
        WHEN lever_cost_when = 'offered' OR bought_on IS NOT NULL THEN lever_cost ELSE 0 END
"""


def offers_and_clients(
    store: Store, campaigns: Sequence[Measured], config: RunConfig, as_of: date
) -> tuple[pa.Table, pa.Table]:
    """What effects, credit and reactions are computed from, as known before a date.

    Args:
        store: Source tables and returned results at the versions that count.
        campaigns: At least one, oldest first.
        config: Of the measurement; of what a campaign offered its own counts.
        as_of: What was recorded before it counts.

    Returns:
        ``OFFERS`` in the order of campaign, client and offer, and ``CLIENTS`` in that of clients.
    """
    oldest = campaigns[0].campaign.as_of
    with known_in_sql(store, as_of) as known:
        make_decided(known, campaigns)
        make_history(known, campaigns)
        make_attributes(known)
        make_events(known, config.measurement.effect, oldest)
        make_followed(known, config.measurement.effect)
        _make_offers(known)
        offers = known.sql.sql("SELECT * FROM offers ORDER BY row").to_arrow_table()
        clients = _clients(known, campaigns[0], config)
    return _shaped(offers, OFFERS), _shaped(clients, CLIENTS)


def _make_offers(known: KnownInSql) -> None:
    """Put together what was found; an owner's stand-in becomes who it is of the row."""
    known.make(
        "offers",
        f"""
        SELECT decided.row, run_id AS campaign, person AS customer_id, offer_id,
            decided.product_id, is_treated, coalesce(is_exploration, FALSE) AS is_exploration,
            move, kind, partner_id, business_line, bundle_id,
            coalesce(core, 'nothing') || ' → ' || offered AS combination,
            segment, branch_id, advisor_id, channel, decided.lever_code,
            propensity, response, decided.margin, contact_cost, lever_cost, lever_cost_when,
            {_whose("credit_owner")} AS credit_owner, credit_share,
            {_whose("referral_owner")} AS referral_owner, referral_share,
            coalesce(contacts, 0) AS contacts, contacted_on, disposition, disposition_on,
            bought_on, coalesce(is_cancelled, FALSE) AS is_cancelled,
            CASE WHEN NOT is_cancelled THEN decided.margin ELSE 0 END AS revenue,
            {LEVER_COST} AS lever_paid,
            coalesce(contacts, 0) * contact_cost + lever_paid AS cost,
            coalesce(others.cents, 0) AS other_revenue,
            CASE WHEN later_ends <= {in_days(known.day)} THEN coalesce(later.cents, 0) END
                AS later_revenue,
            opted_out.row IS NOT NULL AS has_opted_out,
            complained.row IS NOT NULL AS has_complained
        FROM decided
        JOIN terms USING (campaign, offer_id, product_id)
        LEFT JOIN attributes ON attributes.row = decided.row
        LEFT JOIN credit ON credit.campaign = decided.campaign
            AND credit.product_id = decided.product_id
            AND credit.lever_code IS NOT DISTINCT FROM decided.lever_code
            AND credit.has_advisor = (advisor_id IS NOT NULL)
        {_joined("core", "bought", "others", "later", "reached", "said")}
        {_joined("opted_out", "complained")}
        """,
    )


def _joined(*names: str) -> str:
    """Each has at most one row for a row of ``decided``."""
    return " ".join(f"LEFT JOIN {name} ON {name}.row = decided.row" for name in names)


def _whose(owner: str) -> str:
    return (
        f"CASE {owner} WHEN {_text(ADVISOR)} THEN advisor_id"
        f" WHEN {_text(BRANCH)} THEN branch_id ELSE {owner} END"
    )


def _text(word: str) -> str:
    return f"'{word}'"


def _clients(known: KnownInSql, oldest: Measured, config: RunConfig) -> pa.Table:
    """Everybody who was an active client then: of others the decisions tell no propensity."""
    known.put("costs", pa.Table.from_pylist(_costs(config), COSTS))
    since = in_days(oldest.campaign.as_of)
    _make_first_clients(known, oldest)
    return known.sql.sql(
        f"""
        WITH active AS (
            SELECT coalesce(survivor_id, client) AS customer_id,
                bool_and(is_holdout) AS is_holdout, sum(expected)::BIGINT AS expected,
                min_by(segment, (client <> customer_id, client)) AS segment
            FROM first_clients LEFT JOIN persons ON record_id = client GROUP BY 1
        ), bought_since AS (
            SELECT person, sum(margin)::BIGINT AS revenue
            FROM opened JOIN costs USING (product_id) WHERE is_kept GROUP BY person
        ), contacted_since AS (
            SELECT person, sum(contact_cost)::BIGINT AS cost
            FROM contacts JOIN costs USING (product_id)
            WHERE contacted_on >= {since} AND contacted_on < {in_days(known.day)} GROUP BY person
        ), levers_since AS (
            SELECT customer_id AS person, sum(lever_paid)::BIGINT AS cost FROM offers GROUP BY ALL
        )
        SELECT customer_id, is_holdout, segment, expected, coalesce(revenue, 0) AS revenue,
            coalesce(contacted_since.cost, 0) + coalesce(levers_since.cost, 0) AS cost,
            customer_id IN (SELECT person FROM objections WHERE said_on >= {since})
                AS has_opted_out,
            customer_id IN (SELECT person FROM complaints WHERE said_on >= {since})
                AS has_complained
        FROM active
        LEFT JOIN bought_since ON bought_since.person = customer_id
        LEFT JOIN contacted_since ON contacted_since.person = customer_id
        LEFT JOIN levers_since ON levers_since.person = customer_id
        ORDER BY customer_id
        """
    ).to_arrow_table()


def _make_first_clients(known: KnownInSql, oldest: Measured) -> None:
    """Make ``first_clients``: who was active in the oldest campaign, and what was expected of whom.

    Each row's expected profit is rounded to a cent first, so that no sum depends on an order.
    """
    record, store = oldest.record, Store(known.store.folder, None, oldest.record.pins)
    files = store.slice_files(DECISIONS, record.as_of)
    known.view("first", DECISIONS, [store.folder / DECISIONS.name / one.path for one in files])
    known.make(
        "first_clients",
        f"""
        SELECT found.*, CASE WHEN NOT is_deleted THEN segment END AS segment
        FROM (
            SELECT customer_id AS client, bool_or(is_in_global_holdout) AS is_holdout,
                sum(round(propensity * (margin * 100)::BIGINT)::BIGINT)::BIGINT AS expected,
                {moment(record.as_of)} AS made_at
            FROM first WHERE propensity IS NOT NULL GROUP BY customer_id
        ) AS found
        ASOF LEFT JOIN customer_versions AS version
        ON found.client = version.customer_id AND found.made_at > version.recorded_at
        """,
    )


def _costs(config: RunConfig) -> list[Mapping[str, object]]:
    contact = contact_costs(config)
    return [
        {
            "product_id": name,
            "margin": int(product.expected_margin * 100),
            "contact_cost": contact.get(name, 0),
        }
        for name, product in config.products.items()
    ]


def _shaped(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """Columns in their order and types; text that repeats as a dictionary."""
    columns = []
    for field in schema:
        column = rows[field.name]
        if pa.types.is_dictionary(field.type):
            column = pa.chunked_array([column.combine_chunks()]).dictionary_encode()
        columns.append(column.cast(field.type))
    return pa.table(columns, schema=schema)
