"""Apply a counterfactual to what was known of a client, so that the gates can be asked again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from campaigns.counterfactual import Change

Rows = list[dict[str, Any]]
Tables = Mapping[str, Rows]
A_YEAR = timedelta(days=365)


def applied(tables: Tables, customer_id: str, changes: Iterable[Change], as_of: date) -> Tables:
    """What would have been known of one client; nobody else's rows change.

    Args:
        tables: Rows by name: ``customers``, ``holdings``, ``consents``, ``flags``,
            ``customer_features``, ``propensity_scores``; of the client, and of others or not.
        customer_id: Whose.
        changes: Of kinds that change what is known; the others are left to who asks again.
        as_of: Cut-off: what is put in place was known before it.
    """
    found = {name: [dict(row) for row in rows] for name, rows in tables.items()}
    for change in changes:
        APPLIES.get(change.kind, _nothing)(found, customer_id, change, as_of)
    return found


def _nothing(found: Tables, customer_id: str, change: Change, as_of: date) -> None:
    """Of this kind nothing that is known changes."""


def _own(found: Tables, name: str, customer_id: str) -> Rows:
    return [row for row in found[name] if row["customer_id"] == customer_id]


def _before(as_of: date) -> datetime:
    return datetime.combine(as_of, time(), tzinfo=UTC) - timedelta(hours=1)


def _consent(found: Tables, customer_id: str, change: Change, as_of: date) -> None:
    for purpose, channel in change.values["consents"]:
        is_same = (customer_id, purpose, channel)
        kept = [
            row
            for row in found["consents"]
            if (row["customer_id"], row["purpose"], row["channel"]) != is_same
        ]
        new = dict(zip(("customer_id", "purpose", "channel"), is_same, strict=True))
        at = {"changed_at": _before(as_of), "recorded_at": _before(as_of)}
        found["consents"][:] = [*kept, {**new, **at, "is_granted": change.kind == "grant"}]


def _close(found: Tables, customer_id: str, change: Change, as_of: date) -> None:
    for row in _own(found, "holdings", customer_id):
        if row["product_id"] in change.values["products"]:
            row["closed_on"] = min(row["closed_on"] or as_of, as_of - timedelta(days=1))


def _open(found: Tables, customer_id: str, change: Change, as_of: date) -> None:
    found["holdings"].append(_holding(customer_id, change.values["product"], as_of))


def _end(found: Tables, customer_id: str, change: Change, as_of: date) -> None:
    ends_on = {"matures_on": change.values["ends_on"]}
    found["holdings"].append(_holding(customer_id, change.values["product"], as_of) | ends_on)


def _holding(customer_id: str, product_id: str, as_of: date) -> dict[str, Any]:
    return {
        "holding_id": f"supposed {product_id} of {customer_id}",
        "customer_id": customer_id,
        "product_id": product_id,
        "account_id": None,
        "opened_on": as_of - A_YEAR,
        "closed_on": None,
        "matures_on": None,
        "recorded_at": _before(as_of),
    }


def _features(found: Tables, customer_id: str, change: Change, as_of: date) -> None:
    for row in _own(found, "customer_features", customer_id):
        row.update(change.values["features"])


def _birth_date(found: Tables, customer_id: str, change: Change, as_of: date) -> None:
    for row in _own(found, "customers", customer_id):
        row["birth_date"] = change.values["birth_date"]


def _employment(found: Tables, customer_id: str, change: Change, as_of: date) -> None:
    for row in _own(found, "customers", customer_id):
        row["is_employee"] = False


def _flag(found: Tables, customer_id: str, change: Change, as_of: date) -> None:
    for row in _own(found, "flags", customer_id):
        if row["flag"] in change.values["flags"]:
            row["valid_to"] = row["valid_from"]


def _response(found: Tables, customer_id: str, change: Change, as_of: date) -> None:
    for row in _own(found, "propensity_scores", customer_id):
        if row["product_id"] in change.values["products"]:
            column = "propensity" if row.get("uplift") is None else "uplift"
            row[column] = max(change.values["response"], row[column])


APPLIES: Mapping[str, Callable[[Tables, str, Change, date], None]] = {
    "grant": _consent,
    "withdraw": _consent,
    "close": _close,
    "open": _open,
    "end": _end,
    "features": _features,
    "birth_date": _birth_date,
    "employment": _employment,
    "flag": _flag,
    "response": _response,
}
