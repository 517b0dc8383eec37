"""Whether clients use what they bought, product by product."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jobs.measurement.pages.blocks import TOP, table
from jobs.measurement.pages.found import ALL, Findings, rows_of
from jobs.measurement.pages.words import DASH, NOT_TOLD, percent, value_in_words

Content = dict[str, Any]
USED, USED_UNASKED = "used", "used_without_offer"
WHY_NOT: Mapping[str, str] = {
    "used_by_holding": "used by being held: see what is still held",
    "use_on_shared_account": "cannot be told: it has no account of its own",
    "use_not_seen": "cannot be seen in the bank's data",
}


def use_blocks(found: Findings) -> Iterator[Content]:
    """Whether it is used: by product, after an offer and without one."""
    needed = ("kind", "name", "clients", "count", "of", "share", "share_low", "share_high")
    rows = rows_of(found.clients, "client_value", needed)
    unasked = {row["name"]: row for row in rows if row["kind"] == USED_UNASKED}
    seen = [row for row in rows if row["kind"] == USED]
    blind = [row for row in rows if row["kind"] in WHY_NOT]
    shown = [_used(found, row, unasked) for row in seen] + [_blind(found, row) for row in blind]
    if shown:
        yield table(
            "Is what was bought after an offer used?",
            ("Product", "Used", "Withheld, bought without an offer", "Clients"),
            shown[: 2 * TOP],
            text_columns=3,  # why nothing is told is a sentence, which a phone has to break
            note=(
                "Used: booked on after the day of opening, as products.yaml says of the product, in"
                " its first months, and not given back in them. No effect: who buys without an"
                " offer is another client."
            ),
            file="client_value.csv",
            total=len(shown),
        )


def _used(
    found: Findings, row: Mapping[str, Any], unasked: Mapping[str, Mapping[str, Any]]
) -> tuple[str, ...]:
    beside = unasked.get(row["name"])
    clients = NOT_TOLD if row["clients"] is None else f"{row['clients']:,}"
    name = "all whose use is seen" if row["name"] == ALL else bought_product(found, row)
    return (name, _used_share(row), _used_share(beside), clients)


def _used_share(row: Mapping[str, Any] | None) -> str:
    if row is None:
        return DASH
    if row["clients"] is None:
        return NOT_TOLD
    low, high = 100 * row["share_low"], 100 * row["share_high"]
    return f"{row['count']:,} of {row['of']:,}: {percent(row['share'])} [{low:.1f}, {high:.1f}]"


def _blind(found: Findings, row: Mapping[str, Any]) -> tuple[str, ...]:
    clients = NOT_TOLD if row["clients"] is None else f"{row['clients']:,}"
    return (bought_product(found, row), WHY_NOT[row["kind"]], DASH, clients)


def bought_product(found: Findings, row: Mapping[str, Any]) -> str:
    """A product in words, or all of them."""
    return "all products" if row["name"] == ALL else value_in_words("", row["name"], found.names)
