"""What followed on the offers of measured campaigns, as tables in SQL over ``decided``.

Everything is counted for those offered and for the control alike: a control whom somebody contacted
all the same, or who was offered the product a month later, cost what it cost.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

from campaigns.moves import SETTLED_DAYS
from campaigns.returned_contacts import SAME_WITHIN
from conf.measurement_settings import EffectSettings
from jobs.measurement.known_in_sql import KnownInSql, day_of, in_days
from tables.derived import DISPOSITIONS
from tables.sources import CONSENTS, CONTACTS, FLAGS

MARKETING = "marketing_"  # purposes to which one may object


def make_events(known: KnownInSql, settings: EffectSettings, since: date) -> None:
    """Make what clients and branches did since a day, by ``person``, as known.

    ``holdings`` each product with whether it was kept, ``contacts`` with the day of the contact
    (null if another row stands for it) and what was said, ``objections`` and ``complaints`` by
    their days.
    """
    known.make(
        "holdings",
        f"""
        SELECT coalesce(survivor_id, customer_id) AS person, product_id, opened_on, closed_on,
            closed_on IS NULL OR closed_on - opened_on > {settings.cancelled_within_days} AS is_kept
        FROM holding_versions LEFT JOIN persons ON record_id = customer_id
        WHERE next_at IS NULL AND NOT is_deleted
        """,
    )
    known.make(
        "opened",
        "SELECT * FROM holdings"
        f" WHERE opened_on >= {in_days(since)} AND opened_on < {in_days(known.day)}",
    )
    _make_contacts(known, since)
    _make_objections(known, since)
    begun = f"flag = 'complaint_open' AND valid_from >= {in_days(since)}"
    known.make(
        "complaints",
        f"""
        SELECT person, valid_from AS said_on
        FROM ({known.known(FLAGS, ["flag", "valid_from"], begun)})
        UNION ALL SELECT person, said_on FROM contacts WHERE said = 'complaint'
        """,
    )


def _make_contacts(known: KnownInSql, since: date) -> None:
    """Contacts as delivered and as returned; of two rows about one, one counts as the contact."""
    near = f"{in_days(since)} - {SAME_WITHIN}"
    delivered = known.known(
        CONTACTS,
        ["contact_id", "product_id", "contacted_on", "disposition", "disposition_on"],
        f"contacted_on >= {near} OR disposition_on >= {near}",
    )
    known.make("delivered_contacts", delivered)
    known.view("all_returned", DISPOSITIONS, _files_of_returned(known))
    known.make(
        "returned_results",
        f"""
        SELECT coalesce(survivor_id, customer_id) AS person, product_id, offer_id, disposition_at,
            {day_of("disposition_at")} AS said_on, disposition AS said
        FROM all_returned LEFT JOIN persons ON record_id = customer_id
        WHERE {known.is_known("recorded_at")} AND {day_of("disposition_at")} >= {near}
        """,
    )
    known.make(
        "contacts",
        f"""
        SELECT person, product_id, contacted_on, disposition AS said,
            coalesce(disposition_on, contacted_on) AS said_on, FALSE AS is_returned
        FROM delivered_contacts
        UNION ALL
        SELECT person, product_id, CASE WHEN NOT EXISTS (
                FROM delivered_contacts AS other
                WHERE other.person = one.person AND other.product_id = one.product_id
                    AND other.contacted_on BETWEEN one.said_on - {SAME_WITHIN}
                        AND one.said_on + {SAME_WITHIN}
            ) THEN said_on END, said, said_on, TRUE
        FROM returned_results AS one
        """,
    )


def _make_objections(known: KnownInSql, since: date) -> None:
    """Refusals of marketing by who had not refused it, and what contacts ended with."""
    make_withdrawn(known, since)
    known.make(
        "objections",
        """
        SELECT person, said_on FROM withdrawn
        UNION ALL SELECT person, said_on FROM contacts WHERE said = 'opt_out'
        """,
    )


def make_withdrawn(known: KnownInSql, since: date) -> None:
    """Make ``withdrawn``: a row each time a ``person`` refused marketing that was not refused yet.

    Args:
        known: The store.
        since: First day that is told; ``said_on`` is the day.
    """
    columns = ["purpose", "channel", "changed_at", "is_granted"]
    changed_on, first = day_of("changed_at"), in_days(since)
    known.make("marketing", known.known(CONSENTS, columns, f"purpose LIKE '{MARKETING}%'"))
    known.make(
        "withdrawn",
        f"""
        SELECT person, {changed_on} AS said_on FROM (
            SELECT *, lag(is_granted) OVER (
                PARTITION BY person, purpose, channel ORDER BY changed_at, is_granted
            ) AS was_granted
            FROM marketing SEMI JOIN (
                SELECT person FROM marketing WHERE NOT is_granted AND {changed_on} >= {first}
            ) AS refusing USING (person)
        ) WHERE NOT is_granted AND coalesce(was_granted, TRUE) AND {changed_on} >= {first}
        """,
    )


def make_followed(known: KnownInSql, settings: EffectSettings) -> None:
    """Make, by ``row`` of ``decided``: ``bought``, ``others``, ``later``, ``reached``, ``said``.

    Rows of which nothing is to be told are not there.
    """
    _make_bought(known, settings)
    _make_earned(known)
    is_of_part = "parts.product_id = contacts.product_id"
    of_offer = f"""
        FROM decided JOIN parts USING (campaign, offer_id)
        JOIN contacts ON contacts.person = decided.person AND {is_of_part}
    """
    known.make(
        "reached",
        f"""
        SELECT row, count(*)::INTEGER AS contacts, min(contacted_on) AS contacted_on {of_offer}
        WHERE contacted_on >= as_of AND contacted_on < seen GROUP BY row
        """,
    )
    known.make(
        "said",
        f"""
        SELECT row, said AS disposition, said_on AS disposition_on {of_offer}
        WHERE said IS NOT NULL AND said_on >= as_of AND said_on < seen
        QUALIFY row_number() OVER (
            PARTITION BY row ORDER BY said_on DESC, is_returned DESC, said
        ) = 1
        """,
    )
    for name, events in (("opted_out", "objections"), ("complained", "complaints")):
        known.make(
            name,
            f"""
            SELECT DISTINCT row FROM decided JOIN {events} USING (person)
            WHERE said_on >= as_of AND said_on < seen
            """,
        )


def _make_bought(known: KnownInSql, settings: EffectSettings) -> None:
    """A package is bought with the last that was not held; a renewal when it outlives its end."""
    known.make(
        "bought",
        f"""
        WITH wanted AS (
            SELECT decided.row, person, opens, seen, parts.product_id
            FROM decided JOIN parts USING (campaign, offer_id)
            LEFT JOIN held ON held.row = decided.row AND held.product_id = parts.product_id
            WHERE move <> 'renewal' AND NOT (may_be_held AND held.row IS NOT NULL)
        ), found AS (
            SELECT row, wanted.product_id, min(opened_on) AS first_on, bool_or(is_kept) AS is_kept
            FROM wanted LEFT JOIN opened ON opened.person = wanted.person
                AND opened.product_id = wanted.product_id
                AND opened_on >= opens AND opened_on < seen
            GROUP BY ALL
        )
        SELECT row, max(first_on) AS bought_on, NOT bool_and(is_kept) AS is_cancelled
        FROM found GROUP BY row HAVING count(*) = count(first_on)
        UNION ALL
        SELECT row, event_on, bool_and(coalesce(
            closed_on - event_on <= {settings.cancelled_within_days}, FALSE))
        FROM decided JOIN holdings USING (person, product_id)
        WHERE move = 'renewal' AND event_on + {SETTLED_DAYS} < {in_days(known.day)}
            AND opened_on <= event_on + {SETTLED_DAYS}
            AND (closed_on IS NULL OR closed_on > event_on + {SETTLED_DAYS})
        GROUP BY row, event_on
        """,
    )


def _make_earned(known: KnownInSql) -> None:
    """Margins of what else was opened and kept, and of the same after the outcome window."""
    known.make(
        "others",
        """
        SELECT row, sum(products.margin)::BIGINT AS cents
        FROM decided JOIN opened ON opened.person = decided.person AND is_kept
            AND opened_on >= opens AND opened_on < seen
        JOIN products ON products.campaign = decided.campaign
            AND products.product_id = opened.product_id
        ANTI JOIN parts ON parts.campaign = decided.campaign
            AND parts.offer_id = decided.offer_id AND parts.product_id = opened.product_id
        GROUP BY row
        """,
    )
    known.make(
        "later",
        """
        SELECT row, sum(products.margin)::BIGINT AS cents
        FROM decided JOIN parts USING (campaign, offer_id)
        JOIN opened ON opened.person = decided.person AND opened.product_id = parts.product_id
            AND is_kept AND opened_on >= ends AND opened_on < later_ends
        JOIN products ON products.campaign = decided.campaign
            AND products.product_id = parts.product_id
        GROUP BY row
        """,
    )


def _files_of_returned(known: KnownInSql) -> list[Path]:
    folder = known.store.folder / DISPOSITIONS.name
    return [folder / file.path for file in known.store.files(DISPOSITIONS)]
