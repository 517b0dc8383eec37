"""The client's side: contacts, what clients answered, and what they had of what they bought."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jobs.measurement.pages.blocks import (
    TOP,
    bars,
    forest,
    missing,
    plain_row,
    sentences,
    table,
    upright_plot,
)
from jobs.measurement.pages.found import ALL, Findings, rows_of
from jobs.measurement.pages.plots import Ends, Upright, is_drawn
from jobs.measurement.pages.used import bought_product, use_blocks
from jobs.measurement.pages.words import (
    DASH,
    NOT_TOLD,
    interval,
    number,
    percent,
    several,
    value_in_words,
)

Content = dict[str, Any]
PER_1000 = ("per_1000", "per_1000_low", "per_1000_high")
ALIKE = ("ratio_alike", "ratio_alike_low", "ratio_alike_high")
FLAG = "flag"  # else it is about a care list
ANSWERS: Mapping[str, str] = {
    "interest": "Interested",
    "sale": "Sold",
    "refusal": "Refused",
    "objection": "Objected to being contacted",
    "complaint": "Complained",
}
KINDS: Mapping[str, str] = {
    "all": "all contacts",
    "channel": "channel",
    "product": "product",
    "fatigue_class": "kind of offer",
}
WORTH: Mapping[str, str] = {
    "package": "fees saved in a year by the package",
    "lever": "granted",
    "kept": "bought after an offer and still held",
    "kept_without_offer": "bought without an offer, by clients withheld, and still held",
}
HIDDEN = "not told, for a small group's sake"


def client_blocks(found: Findings) -> Iterator[Content]:
    """Contacts, what clients answered, contacts not allowed, care, and what clients had of it."""
    if found.clients is None:
        why = found.missing.get("clients", "it was not computed")
        yield missing("What contacts did to clients", why)
        return
    yield sentences("What contacts were to clients", found.clients.headlines)
    yield from _contacts_per_client(found)
    yield from _reactions(found)
    yield from _fatigue(found)
    yield from _not_allowed(found)
    yield from _care(found)
    yield from _worth(found)
    yield from use_blocks(found)


def _contacts_per_client(found: Findings) -> Iterator[Content]:
    rows = rows_of(found.clients, "contacts_per_client", ("name", "clients", "of"))
    told = [row for row in rows if row["clients"] is not None]
    if any(row["clients"] for row in told):
        yield bars(
            "Active clients by contacts they had of late",
            ("clients",),
            [
                (row["name"], (float(row["clients"]),), _share_of(row))
                for row in told
                if row["clients"]
            ],
            note=_hidden(len(rows) - len(told)),
            file="contacts_per_client.csv",
        )


def _share_of(row: Mapping[str, Any]) -> str:
    if row["clients"] is None:
        return HIDDEN
    share = percent(row["clients"] / row["of"]) if row["of"] else DASH
    return f"{row['clients']:,} ({share})"


def _hidden(count: int) -> str:
    return f"{several(count, 'number')} {HIDDEN}." if count else ""


def _reactions(found: Findings) -> Iterator[Content]:
    """Refusals, objections and complaints per 1,000 contacts."""
    rows = rows_of(found.clients, "reactions", ("kind", "name", "measure", "contacts", *PER_1000))
    for measure in ("refusal", "objection", "complaint"):
        ours = [row for row in rows if row["measure"] == measure and row["kind"] in KINDS]
        drawn = [_reaction(found, row) for row in ours]
        if any(row["ends"] for row in drawn):
            yield forest(
                f"{ANSWERS[measure]}, of 1,000 contacts",
                _telling(drawn),
                note="How often clients answered so: a rate, not what contacts caused.",
                file="reactions.csv",
                unit="of 1,000 contacts",
            )


def _telling(drawn: Sequence[Content]) -> list[Content]:
    """All contacts together, then the highest rates; those not told are named below."""
    of_all = [row for row in drawn if row["is_strong"]]
    others = [row for row in drawn if not row["is_strong"]]
    told = [row for row in others if row["ends"] is not None]
    highest = sorted(told, key=lambda row: (-row["ends"][0], row["label"]))[: TOP - 1]
    return [*of_all, *highest, *(row for row in others if row["ends"] is None)]


def _reaction(found: Findings, row: Mapping[str, Any]) -> Content:
    is_all = row["kind"] == ALL
    label = value_in_words(row["kind"], row["name"], found.names)
    drawn = plain_row(
        KINDS[ALL] if is_all else f"{KINDS[row['kind']]}: {label}",
        _ends(row, PER_1000),
        "",
        is_sure=True,
        arms=several(row["contacts"] or 0, "contact"),
    )
    return drawn | {"is_strong": is_all, "why": HIDDEN}


def _ends(row: Mapping[str, Any], names: Sequence[str]) -> Ends:
    value, low, high = (float("nan") if row[name] is None else row[name] for name in names)
    return value, low, high


def _fatigue(found: Findings) -> Iterator[Content]:
    """Answers by how many contacts the client had shortly before."""
    rows = rows_of(found.clients, "fatigue", ("name", "measure", "contacts", *PER_1000, *ALIKE))
    drawn = [_curve(rows, measure) for measure in ANSWERS]
    if any(len(curve["points"]) > 1 for curve in drawn):
        yield {
            "kind": "curves",
            "title": "Answers by contacts shortly before",
            "note": (
                "Of 1,000 contacts, by how many the client had before. No effect: who is contacted"
                " more often is another client, and who refuses is left in peace for a while."
            ),
            "curves": [curve for curve in drawn if len(curve["points"]) > 1],
            "file": "fatigue.csv",
        }
    alike = [_alike(row) for row in rows if is_drawn(_ends(row, ALIKE))]
    if alike:
        yield forest(
            "The same among clients alike",
            alike[: 2 * TOP],
            note=(
                "Times as often as with no contact before, among contacts about the same product"
                " with clients as likely to buy it. Dashed: as often."
            ),
            file="fatigue.csv, columns ratio_alike",
            unit="times",
            even=1.0,
        )


def _curve(rows: Sequence[Mapping[str, Any]], measure: str) -> Content:
    ours = [row for row in rows if row["measure"] == measure and row["contacts"] is not None]
    points = [_step(row) for row in ours if is_drawn(_ends(row, PER_1000))]
    return upright_plot(ANSWERS[measure], points, "", foot="contacts before", is_joined=True)


def _step(row: Mapping[str, Any]) -> Upright:
    ends = _ends(row, PER_1000)
    title = f"{row['name']} before: {interval(ends, signed=False)} of 1,000"
    return Upright(str(row["name"]), ends, is_sure=True, title=title)


def _alike(row: Mapping[str, Any]) -> Content:
    value, low, high = _ends(row, ALIKE)
    return plain_row(
        f"{ANSWERS.get(row['measure'], row['measure'])}, after {row['name']}",
        (value, low, high),
        f"{value:.2f} [{low:.2f}, {high:.2f}]",
        is_sure=not low <= 1 <= high,
        arms=several(row["contacts"] or 0, "contact"),
    )


def _not_allowed(found: Findings) -> Iterator[Content]:
    needed = ("in_words", "branch", "contacts", "not_allowed")
    rows = rows_of(found.clients, "contact_policy", needed)
    of_all = [row for row in rows if row["branch"] == ALL]
    if of_all:
        yield table(
            "Contacts that the contact policy does not allow",
            ("Rule", "Contacts", "Not allowed", "Share"),
            [
                (
                    row["in_words"],
                    f"{row['contacts']:,}",
                    f"{row['not_allowed']:,}",
                    percent(row["not_allowed"] / row["contacts"]) if row["contacts"] else DASH,
                )
                for row in of_all
            ],
            note="By the policy in force, on the day of the contact; branches are in the file.",
            file="contact_policy.csv",
        )


def _care(found: Findings) -> Iterator[Content]:
    """Clients in care now, and who was on the newest care list."""
    rows = rows_of(found.clients, "care", ("kind", "name", "clients", "of"))
    lists = [row for row in rows if row["kind"] != FLAG]
    newest = max((row["name"].split(": ")[0] for row in lists), default="")
    shown = [row for row in rows if row["kind"] == FLAG]
    shown += [row for row in lists if row["name"].startswith(f"{newest}: ")]
    if shown:
        yield table(
            "Clients in care",
            ("Who", "Clients"),
            [(_in_care(row), _share_of(row)) for row in shown[: 2 * TOP]],
            note="In care now, of all active clients; and of who was on the newest care list.",
            file="care.csv",
            total=len(rows),
        )


def _in_care(row: Mapping[str, Any]) -> str:
    name = row["name"].replace("_", " ")
    if row["kind"] == FLAG:
        return "in care" if row["name"] == ALL else f"in care: {name}"
    day, what = name.split(": ", 1)
    return f"care list of {day}" + ("" if what == ALL else f": {what}")


def _worth(found: Findings) -> Iterator[Content]:
    needed = ("kind", "name", "clients", "amount", "count", "of")
    rows = rows_of(found.clients, "client_value", needed)
    rows = [row for row in rows if row["kind"] in WORTH]
    if rows:
        ordered = sorted(rows, key=lambda row: list(WORTH).index(row["kind"]))
        yield table(
            "What clients had of it",
            ("What", "Which", "Clients", found.currency, "Still held"),
            [_worth_row(found, row) for row in ordered[: 2 * TOP]],
            file="client_value.csv",
            text_columns=2,
            total=len(rows),
        )


def _worth_row(found: Findings, row: Mapping[str, Any]) -> tuple[str, ...]:
    held = f"{row['count']:,} of {row['of']:,}" if row["of"] else DASH
    return (
        WORTH[row["kind"]],
        bought_product(found, row),
        NOT_TOLD if row["clients"] is None else f"{row['clients']:,}",
        number(None if row["amount"] is None else float(row["amount"])),
        held,
    )
