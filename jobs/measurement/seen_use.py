"""In how many months after it was bought a product was used, as bookings show it.

Few have bought something; of a hundred million bookings only those on their accounts are read.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from conf.product_use import OWN_ACCOUNT
from conf.schema import Product, RunConfig
from jobs.measurement.known_in_sql import KnownInSql, in_days, last_of
from tables.categories import BANKS_OWN
from tables.sources import ACCOUNTS, TRANSACTIONS

_USES = pa.schema(
    [
        ("product_id", pa.string()),
        ("is_own", pa.bool_()),
        ("direction", pa.string()),
        ("categories", pa.list_(pa.string())),
        ("channels", pa.list_(pa.string())),
    ]
)
_KEYS = ["customer_id", "product_id", "bought_on"]


def make_use(known: KnownInSql, config: RunConfig, offers: pa.Table) -> None:
    """Make the table ``use``: person, product_id, opened_on, months_used.

    Only of what was bought after an offer, or by who was withheld, so long ago that its first
    months are over. No row: nobody can say, as the account belongs to another product.

    Args:
        known: With the table ``purchases``: person, product_id, account_id, opened_on.
        config: Says what shows the use of a product, and how long it is looked for.
        offers: Shaped ``OFFERS``.
    """
    known.put("uses", _uses(config.products))
    known.put("offered", _bought(offers))
    _make_watched(known, config.measurement.clients.used_months)
    _make_booked(known)
    known.make(
        "use",
        f"""
        SELECT watched.person, watched.product_id, watched.opened_on,
            count(DISTINCT month) FILTER (
                WHERE booked_on >= since AND booked_on < until AND booked_on > watched.opened_on
                    AND NOT booked.is_deleted AND {_IS_USE}
            )::INTEGER AS months_used
        FROM watched JOIN uses USING (product_id) LEFT JOIN booked USING (account_id)
        GROUP BY ALL
        """,
    )


def _uses(products: Mapping[str, Product]) -> pa.Table:
    rows = [
        {
            "product_id": name,
            "is_own": product.use.shown_by == OWN_ACCOUNT,
            "direction": product.use.direction,
            "categories": list(product.use.categories),
            "channels": list(product.use.channels),
        }
        for name, product in products.items()
        if product.use is not None and product.use.is_booked
    ]
    return pa.Table.from_pylist(rows, _USES)


def _bought(offers: pa.Table) -> pa.Table:
    rows = offers.select(_KEYS).filter(pc.is_valid(offers["bought_on"]))
    return rows.cast(
        pa.schema(list(zip(_KEYS, [pa.string(), pa.string(), pa.date32()], strict=True)))
    )


def _make_watched(known: KnownInSql, months: int) -> None:
    """Each account on which, and each month in which, use of a purchase is looked for."""
    due = f"""
        SELECT DISTINCT person, product_id, account_id, opened_on, is_own
        FROM purchases JOIN uses USING (product_id)
        SEMI JOIN offered ON customer_id = person AND offered.product_id = purchases.product_id
            AND bought_on = opened_on
        WHERE opened_on + INTERVAL {months} MONTH <= {in_days(known.day)}
    """
    known.make("due", due)
    known.make("accounts_known", known.known(ACCOUNTS, ["account_id", "product_id"]))
    known.make(
        "watched",
        f"""
        WITH shown AS (
            SELECT person, product_id, opened_on, account_id
            FROM due SEMI JOIN accounts_known USING (account_id, product_id) WHERE is_own
            UNION
            SELECT person, due.product_id, opened_on, accounts_known.account_id
            FROM due JOIN accounts_known USING (person) WHERE NOT is_own
        )
        SELECT *, (opened_on + month * INTERVAL 1 MONTH)::DATE AS since,
            (opened_on + (month + 1) * INTERVAL 1 MONTH)::DATE AS until
        FROM shown CROSS JOIN range({months}) AS months(month)
        """,
    )


def _make_booked(known: KnownInSql) -> None:
    """The last known version of each booking that lies, or lay, on a watched account."""
    known.versions("bookings", TRANSACTIONS)
    [(first, last)] = known.sql.sql("SELECT min(since), max(until) FROM watched").fetchall()
    if first is None:
        known.make("booked", f"SELECT {_BOOKED} FROM bookings LIMIT 0")
        return
    on_watched = f"""
        FROM bookings SEMI JOIN watched USING (account_id)
        WHERE booked_on >= {in_days(first)} AND booked_on < {in_days(last)}
            AND {known.is_known("recorded_at")}
    """
    if not known.store.has_revisions(TRANSACTIONS):
        # The id of each booking is different: to read them costs as much as all other columns.
        known.make("booked", f"SELECT {_BOOKED} {on_watched}")
        return
    versions = f"{_BOOKED}, transaction_id, recorded_at"
    known.make("lay_there", f"SELECT {versions} {on_watched}")
    # A later version may have another account or day: then the booking is not there any more.
    known.make(
        "booked",
        f"""
        SELECT * FROM (
            FROM lay_there
            UNION
            SELECT {versions} FROM bookings SEMI JOIN lay_there USING (transaction_id)
            WHERE is_revision AND {known.is_known("recorded_at")}
        ) QUALIFY {last_of(TRANSACTIONS.key)}
        """,
    )


_BOOKED = "account_id, booked_on, amount, category, channel, is_deleted"
_BANKS_OWN = ", ".join(f"'{one}'" for one in BANKS_OWN)
_IS_USE = f"""
    (direction IS NULL OR (direction = 'in') = (amount > 0))
    AND CASE WHEN len(categories) > 0 THEN coalesce(list_contains(categories, category), FALSE)
        ELSE coalesce(category NOT IN ({_BANKS_OWN}), TRUE) END
    AND (len(channels) = 0 OR coalesce(list_contains(channels, channel), FALSE))
"""
