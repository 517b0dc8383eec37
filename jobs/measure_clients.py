"""The client's side: contacts, what clients answered, and what they had of what they bought."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jobs.measure_blocks import (
    TOP,
    bars,
    forest,
    missing,
    plain_row,
    sentences,
    table,
    upright_plot,
)
from jobs.measure_found import ALL, Measured, rows_of
from jobs.measure_plots import Upright, is_drawn
from jobs.measure_words import (
    DASH,
    NOT_TOLD,
    number,
    several,
    value_in_words,
)

Content = dict[str, Any]
PER = 1000
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


def client_blocks(found: Measured) -> Iterator[Content]:
    """Contacts, what clients answered, caps that were broken, and what clients had of it."""
    if found.clients is None:
        why = found.missing.get("clients", "it was not computed")
        yield missing("What contacts did to clients", why)
        return
    yield sentences("What contacts did to clients", found.clients.headlines)
    yield from _contacts_per_client(found)
    yield from _reactions(found)
    yield from _fatigue(found)
    yield from _caps(found)
    yield from _client_value(found)


def _contacts_per_client(found: Measured) -> Iterator[Content]:
    rows = rows_of(found.clients, "contacts_per_client", ("contacts", "clients"))
    told = [row for row in rows if row["clients"] is not None]
    if told:
        yield bars(
            "Clients by contacts they had",
            ("clients",),
            [
                (str(row["contacts"]), (float(row["clients"]),), f"{row['clients']:,}")
                for row in told
            ],
            note=_hidden(len(rows) - len(told)),
            file="contacts_per_client.csv",
        )


def _hidden(count: int) -> str:
    return f"{several(count, 'number')} not told, for a small group's sake." if count else ""


def _reactions(found: Measured) -> Iterator[Content]:
    """Refusals, objections and complaints per 1,000 contacts."""
    needed = ("kind", "name", "measure", "contacts", "share", "share_low", "share_high")
    rows = rows_of(found.clients, "reactions", needed)
    for measure in ("refusal", "objection", "complaint"):
        ours = [row for row in rows if row["measure"] == measure and row["kind"] in KINDS]
        drawn = [_reaction(found, row) for row in ours]
        if drawn:
            yield forest(
                f"{ANSWERS[measure]}, of 1,000 contacts",
                drawn[:TOP] if len(drawn) <= TOP else _telling(drawn),
                note="How often clients answered so; what they would have said anyway is in it.",
                file="reactions.csv",
                unit="of 1,000 contacts",
            )


def _telling(drawn: Sequence[Content]) -> list[Content]:
    """All contacts together, then the highest rates; those not told are named below."""
    told = [row for row in drawn[1:] if row["ends"] is not None]
    highest = sorted(told, key=lambda row: (-row["ends"][0], row["label"]))[: TOP - 1]
    return [drawn[0], *highest, *(row for row in drawn[1:] if row["ends"] is None)]


def _reaction(found: Measured, row: Mapping[str, Any]) -> Content:
    label = KINDS["all"] if row["kind"] == ALL else value_in_words("", row["name"], found.names)
    ends = _per(row)
    is_told = is_drawn(ends)
    text = f"{ends[0]:,.1f} [{ends[1]:,.1f}, {ends[2]:,.1f}]" if is_told else NOT_TOLD
    arms = several(row["contacts"], "contact") if row["contacts"] is not None else NOT_TOLD
    drawn = plain_row(label, ends, text, is_sure=is_told, arms=arms)
    return drawn | {"is_strong": row["kind"] == ALL, "why": "not told, for a small group's sake"}


def _per(row: Mapping[str, Any]) -> tuple[float, float, float]:
    value, low, high = (row[f"share{end}"] for end in ("", "_low", "_high"))
    return (_times(value), _times(low), _times(high))


def _times(share: float | None) -> float:
    return float("nan") if share is None else PER * share


def _fatigue(found: Measured) -> Iterator[Content]:
    """Answers by how many contacts the client had shortly before."""
    needed = ("name", "measure", "contacts", "share", "share_low", "share_high")
    rows = rows_of(found.clients, "fatigue", needed)
    for measure, words in ANSWERS.items():
        ours = [row for row in rows if row["measure"] == measure and is_drawn(_per(row))]
        if ours:
            yield upright_plot(
                f"{words}, by contacts shortly before",
                [_step(row) for row in ours],
                "",
                note="Of 1,000 contacts. No effect: who is contacted more often is another client.",
                foot="contacts that the client had before this one",
                file="fatigue.csv",
                is_joined=True,
            )


def _step(row: Mapping[str, Any]) -> Upright:
    ends = _per(row)
    title = f"{row['name']} before: {ends[0]:,.1f} [{ends[1]:,.1f}, {ends[2]:,.1f}] of 1,000"
    return Upright(str(row["name"]), ends, is_sure=True, title=title)


def _caps(found: Measured) -> Iterator[Content]:
    rows = rows_of(found.clients, "caps", ("rule", "branch", "contacts", "broken"))
    of_all = [row for row in rows if row["branch"] == ALL]
    if of_all:
        yield table(
            "Contacts that the contact policy did not allow",
            ("Rule", "Contacts", "Not allowed", "Share"),
            [
                (
                    row["rule"].replace("_", " "),
                    f"{row['contacts']:,}",
                    f"{row['broken']:,}",
                    number(100 * row["broken"] / row["contacts"], " %")
                    if row["contacts"]
                    else DASH,
                )
                for row in of_all
            ],
            note="By the policy in force, on the day of the contact; branches are in the file.",
            file="caps.csv",
        )


def _share(row: Mapping[str, Any]) -> str:
    return number(100 * row["broken"] / row["contacts"], " %") if row["contacts"] else DASH


def _client_value(found: Measured) -> Iterator[Content]:
    rows = rows_of(found.clients, "client_value", ("kind", "name", "clients"))
    if rows:
        head = [name for name in rows[0] if name not in ("kind", "name")]
        yield table(
            "What clients had of it",
            ("What", "Which", *(name.replace("_", " ").capitalize() for name in head)),
            [
                (
                    row["kind"].replace("_", " "),
                    value_in_words("", row["name"], found.names),
                    *(_cell(row[name]) for name in head),
                )
                for row in rows[:TOP]
            ],
            file="client_value.csv",
            text_columns=2,
            total=len(rows),
        )


def _cell(value: Any) -> str:  # noqa: ANN401 -- a cell is anything
    if value is None:
        return DASH
    return f"{value:,}" if isinstance(value, int) else number(float(value))
