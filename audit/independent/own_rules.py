"""Rules of the bank's own, as far as the facts they ask for are known here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import duckdb

from audit.independent.settings import Values, literal

ALLOWED = """
    select customer_id from (
        select customer_id, branch_id, segment,
            date_diff('year', birth_date, as_of())
                - (strftime(birth_date, '%m%d') > strftime(as_of(), '%m%d'))::int as age,
            coalesce(last_3_months, 0) as income_amount_3m, balance.amount as balance_amount
        from customers_active left join regular_income using (customer_id)
        left join balance using (customer_id)
    ) where {condition}
"""
OWN_RULE = """
    select l.customer_id, l.offer_id, 'is not allowed'
    from listed l join offer o using (offer_id) join product p on p.product_id = o.product_id
    where {wanted} and l.customer_id not in ({allowed})
"""
UNKNOWN = "asks for what is not known here"


def own_rules(
    rules: Mapping[str, Values], ask: Callable[[str], list[tuple[Any, ...]]]
) -> dict[str, str | None]:
    """Each rule as a query over the list, by its reason code; None where it cannot be asked.

    Args:
        rules: As configured.
        ask: Asks the database, and fails where a rule's condition asks for what is not there.
    """
    found: dict[str, str | None] = {}
    for name, rule in rules.items():
        allowed = ALLOWED.format(condition=rule["allow_when"])
        try:
            ask(f"explain {allowed}")
        except duckdb.BinderException:
            found[f"rule.{name}"] = None
        else:
            wanted = _applies(rule.get("applies_to") or {})
            found[f"rule.{name}"] = OWN_RULE.format(allowed=allowed, wanted=wanted)
    return found


def _applies(named: Values) -> str:
    columns = {"offers": "l.offer_id", "products": "o.product_id", "partners": "p.partner"}
    parts = [
        f"coalesce({columns[kind]} in ({', '.join(map(literal, names))}), false)"
        for kind, names in named.items()
        if names
    ]
    return f"({' or '.join(parts)})" if parts else "true"
