"""Everything that a home holds about one client (GDPR art. 15), as plain values; no engine."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from campaigns.rules import Rule, rules_in_force
from conf.recorded import recorded_config
from conf.schema import RunConfig
from conf.source import load_source
from conf.wording import Language
from features.catalogue import customer_features_table
from jobs.home import Home
from jobs.privacy.client_traces import count_delivered, rows_about, stored_places, traces_of
from jobs.privacy.erased_clients import remembered
from jobs.privacy.erasure import DECLARED, newest_run
from jobs.privacy.erasure_landing import delivered_places
from jobs.privacy.erasure_lists import handed_out, listed
from jobs.privacy.subject_words import ABOUT, BECAME, KEPT, LOGIC, NOT_SHOWN, TITLE
from tables.base import Table
from tables.errors import UnknownClient
from tables.identifiers import CUSTOMER, Identifiers
from tables.reason_codes import Outcome

Content = dict[str, Any]
Row = dict[str, Any]
FEATURES = "customer_features"
LANGUAGE: Language = "en"  # of the report; reasons on lists are in the bank's


def subject_report(home: Home, customer: str) -> Content | None:
    """All that is held about a client; None if the client was erased.

    Args:
        home: Where.
        customer: Any record of the person.

    Raises:
        UnknownClient: Nothing names such a client.
        UserError: Nothing has been ingested.
    """
    newest = newest_run(home)
    config = recorded_config(newest.config)
    stored = list(stored_places(home))
    delivered = list(delivered_places(home.landing, load_source(config.bank.source)))
    traces = traces_of(home, customer, [*stored, *delivered])
    if not traces.is_known:
        erased = remembered(home)
        if erased is not None and erased.knows("customer_id", customer):
            return None
        raise UnknownClient(
            "no table and no delivery has a client of that --customer: is it misspelt?"
        )
    client = traces.identifiers
    rows: dict[str, list[Row]] = {}
    for place in stored:
        rows.setdefault(place.table_name, []).extend(rows_about(place, client))
    campaigns = listed(home, client)
    configs = {one.record.run_id: recorded_config(one.record.config) for one in campaigns}
    return {
        "title": TITLE,
        "customer_id": customer,
        "records": sorted(client.values(CUSTOMER)),
        "bank": config.bank.name,
        "as_of": str(newest.as_of),
        "consents": _consents_now(rows.get("consents", [])),
        "decisions": _decisions(rows, configs, config),
        "logic": list(LOGIC),
        "recipients": [*handed_out(home, campaigns), *_partners(rows, config)],
        "kept": KEPT,
        "tables": [
            section for name in sorted(rows) if (section := _section(name, rows[name], config))
        ],
        "delivered": _delivered(delivered, client),
    }


def _section(name: str, rows: Sequence[Row], config: RunConfig) -> Content | None:
    """A table's rows, each once, with what the table and its columns are for."""
    distinct = {_text(row): row for row in rows}
    if not distinct:
        return None
    hidden = NOT_SHOWN.get(name, ())
    table = _declared(name, config)
    meanings = {column.name: column.meaning for column in table.columns} if table else {}
    names = [column for column in next(iter(distinct.values())) if column not in hidden]
    return {
        "name": name,
        "about": ABOUT[name],
        "columns": {column: meanings.get(column, "") for column in names},
        "rows": [
            {column: plain(row[column]) for column in names} for _, row in sorted(distinct.items())
        ],
        "not_shown": list(hidden),
    }


def _declared(name: str, config: RunConfig) -> Table | None:
    return (
        customer_features_table(tuple(config.products)) if name == FEATURES else DECLARED.get(name)
    )


def _consents_now(rows: Sequence[Row]) -> list[Content]:
    """The last word on each purpose and channel."""
    last: dict[tuple[str, str], Row] = {}
    for row in sorted(rows, key=lambda row: (row["changed_at"], not row["is_granted"])):
        last[row["purpose"], row["channel"]] = row
    return [
        {
            "purpose": purpose,
            "channel": channel,
            "is_granted": row["is_granted"],
            "since": plain(row["changed_at"]),
        }
        for (purpose, channel), row in sorted(last.items())
    ]


def _decisions(
    rows: Mapping[str, Sequence[Row]], configs: Mapping[str, RunConfig], newest: RunConfig
) -> list[Content]:
    """Every decision, the newest month first, with the sentences that a branch was given."""
    given = {
        (row["run_id"], row["offer_id"]): [row[f"reason_{place}"] for place in (1, 2, 3)]
        for row in rows.get("campaign_lists", ())
    }
    found = []
    for row in rows.get("decisions", ()):
        told = given.get((row["run_id"], row["offer_id"]), ())
        found.append(
            _decision(row, configs, newest) | {"told_to_the_branch": [one for one in told if one]}
        )
    return sorted(found, key=lambda one: (one["as_of"], one["run_id"]), reverse=True)


def _decision(row: Row, configs: Mapping[str, RunConfig], newest: RunConfig) -> Content:
    """A decision in words."""
    config = configs.get(row["run_id"], newest)
    rules = rules_in_force(row["offer_id"], config) if row["offer_id"] in config.offers else {}
    product = config.products.get(row["product_id"])
    return {
        "as_of": plain(row["as_of"]),
        "run_id": row["run_id"],
        "offer_id": row["offer_id"],
        "product": product.named(LANGUAGE) if product else row["product_id"],
        "outcome": row["outcome"],
        "became": BECAME[Outcome(row["outcome"])],
        "reasons": list(_reasons(row, rules)),
        "propensity": row["propensity"],
        "passes_again_on": plain(row["passes_again_on"]),
    }


def _reasons(row: Row, rules: Mapping[str, Rule]) -> Iterator[str]:
    for code in row["failed_gates"] or ():
        rule = rules.get(code)
        yield rule.words(LANGUAGE) if rule else code
    if row["is_in_global_holdout"]:
        yield "You are among the few who are contacted about nothing, drawn by chance"


def _partners(rows: Mapping[str, Sequence[Row]], config: RunConfig) -> Iterator[str]:
    offered = {row["partner_id"] for row in rows.get("campaign_lists", ()) if row["partner_id"]}
    for partner in sorted(offered):
        known = config.partners.get(partner)
        yield (
            f"partner {known.name if known else partner}: its product was to be offered to you by"
            " your branch; this system sends it nothing"
        )


def _delivered(places: Sequence[Any], client: Identifiers) -> Content:
    """How many rows of deliveries the tables above were made from."""
    rows: Counter[str] = Counter()
    days = set()
    for place in places:
        if count := count_delivered(place, client):
            rows[place.table_name] += count
            days.add(place.path.parent.name)
    return {"deliveries": len(days), "rows": dict(sorted(rows.items()))}


def plain(value: object) -> object:
    """A value as JSON has it; amounts and days as text, so that nothing is rounded."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    return str(value)


def _text(row: Row) -> str:
    return json.dumps(row, default=str)
