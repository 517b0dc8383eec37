"""What a bank knew before a day, from the files it had delivered by then."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import duckdb

from tests.checker.settings import literal

# The tables that lists depend on: how they are delivered, key, columns that must be there, others.
TABLES = {
    "customers": (
        "whole", ("customer_id",),
        "branch_id varchar, joined_on date, is_employee boolean",
        "birth_date date, left_on date, deceased_on date, household_id varchar, advisor_id varchar,"
        " segment varchar, gender varchar, language varchar, payroll_employer_id varchar",
    ),
    "accounts": (
        "whole", ("account_id",),
        "customer_id varchar, product_id varchar, opened_on date, currency varchar",
        "closed_on date",
    ),
    "holdings": (
        "whole", ("holding_id",),
        "customer_id varchar, product_id varchar, opened_on date",
        "account_id varchar, closed_on date, matures_on date",
    ),
    "flags": ("whole", ("customer_id", "flag", "valid_from"), "", "valid_to date"),
    "fx_rates": ("whole", ("currency", "month"), "rate_to_base decimal(18, 8)", ""),
    "transactions": (
        "increment", ("transaction_id",),
        "account_id varchar, booked_on date, amount decimal(18, 2), currency varchar",
        "balance_after decimal(18, 2), category varchar, channel varchar, counterparty_id varchar",
    ),
    "consents": (
        "increment", ("customer_id", "purpose", "channel", "changed_at"), "is_granted boolean", ""
    ),
    "contacts": (
        "increment", ("contact_id",),
        "customer_id varchar, product_id varchar, channel varchar, contacted_on date",
        "offer_id varchar, campaign_id varchar, disposition varchar, disposition_on date,"
        " branch_id varchar, advisor_id varchar, referred_by_advisor_id varchar",
    ),
    "customer_merges": (
        "increment", ("customer_id",), "survivor_id varchar, merged_on date", ""
    ),
}  # fmt: skip
KEY_TYPES = {"valid_from": "date", "month": "date", "changed_at": "timestamptz"}
# A row that says the same as in the delivery before is no news. What is news was not known before
# the delivery that did not say it; a key that is gone was gone just before the delivery without it.
WHOLE = """
create table {name}_versions as
with places as (
    select delivery, row_number() over (order by delivery) as place,
        lag(delivery) over (order by delivery) as previous,
        lead(delivery) over (order by delivery) as following
    from (select distinct unnest({days}) as delivery)
), told as (
    select distinct {columns}, recorded_at, place, previous, following, {is_sound} as is_sound,
        hash({said}) as content
    from {name}_rows join places using (delivery)
    where {is_keyed} and not coalesce(is_deleted, false)
), believed as (
    -- one row of each key and delivery; without a content where it is doubtful what is said
    select * replace (
        case when bool_and(is_sound) over one and min(content) over one = max(content) over one
            then content end as content)
    from told window one as (partition by {key}, place)
    qualify row_number() over (partition by {key}, place order by recorded_at) = 1
), kept as (
    -- in doubt what was known before stays
    select *, last_value(content ignore nulls) over (partition by {key} order by place) as stands
    from believed
), seen as (
    select *, content is not null and (lag(stands) over in_time is distinct from content
            or lag(place) over in_time is distinct from place - 1) as is_news,
        lead(place) over in_time is distinct from place + 1 and following is not null as is_gone
    from kept where stands is not null
    window in_time as (partition by {key} order by place)
)
select {columns}, greatest(recorded_at, coalesce(previous::timestamptz, recorded_at)) as known_at,
    false as is_gone from seen where is_news
union all
select {columns}, following::timestamptz - interval 1 microsecond, true from seen where is_gone
"""
# Of a row that came again the one recorded last counts, and of two recorded at once the later one.
INCREMENT = """
create table {name}_versions as
with places as (
    select delivery, lag(delivery) over (order by delivery) as previous
    from (select distinct unnest({days}) as delivery)
), arrived as (
    select {columns}, recorded_at, delivery, previous, coalesce(is_deleted, false) as is_gone,
        row_number() over (partition by {key}, recorded_at order by delivery) as arrival,
        max(recorded_at) over (partition by {key} order by delivery
            range between unbounded preceding and interval 1 day preceding) as newest_before
    from {name}_rows join places using (delivery) where {is_sound}
)
select {columns}, case when arrival = 1 then recorded_at
    else greatest(recorded_at, previous::timestamptz) end as known_at, is_gone, delivery
from arrived where coalesce(newest_before <= recorded_at, true)
"""
KNOWN = """
create or replace table {name} as
select * exclude (is_gone) from (
    from {versions} where known_at < {day}::timestamptz
    qualify row_number() over (partition by {key} order by known_at desc, is_gone) = 1
) where not is_gone
"""
# Who stands for a record that was given up; where nobody survives, nothing is said.
PERSONS = """
create table {name} as
with recursive into_ as (
    select customer_id as record, survivor_id, merged_on from {merges}
    where customer_id <> survivor_id
), chain as (
    select record, survivor_id, merged_on from into_
    union
    select c.record, i.survivor_id, c.merged_on
    from chain c join into_ i on i.record = c.survivor_id
)
select record, survivor_id as person, merged_on from chain
where survivor_id not in (select record from into_)
"""


def read_landing(database: duckdb.DuckDBPyConnection, landing: Path, as_of: date) -> None:
    """Every version of every row of the deliveries up to a day, as `<table>_versions`."""
    files = _files(landing, as_of)
    for name, (kind, key, required, optional) in TABLES.items():
        types = {one: KEY_TYPES.get(one, "varchar") for one in key}
        types |= dict(part.split(" ", 1) for part in _split(required))
        needed = [*types]
        types |= dict(part.split(" ", 1) for part in _split(optional))
        _read_rows(database, name, types, files.get(name, []))
        template = WHOLE if kind == "whole" else INCREMENT
        days = sorted({day for day, _ in files.get(name, [])})
        said = [one for one in types if one not in key] or list(key)
        database.execute(
            template.format(
                name=name,
                days="[" + ", ".join(map(literal, days)) + "]::date[]",
                key=", ".join(key),
                columns=", ".join(types),
                said=", ".join(said),
                is_keyed=" and ".join(f"{one} is not null" for one in key),
                is_sound=" and ".join(f"{one} is not null" for one in (*needed, "recorded_at")),
            )
        )


def _split(columns: str) -> list[str]:
    """`a x, b decimal(18, 2)` at the commas between columns."""
    parts = columns.replace("(18, ", "(18_").split(", ")
    return [part.replace("(18_", "(18, ") for part in parts if part]


def know_before(database: duckdb.DuckDBPyConnection, table: str, day: date, name: str) -> None:
    """A table as known before a day, records as they were delivered."""
    key = ", ".join(TABLES[table][1])
    database.execute(
        KNOWN.format(name=name, versions=f"{table}_versions", key=key, day=literal(day))
    )


def know_persons(database: duckdb.DuckDBPyConnection, day: date, name: str) -> None:
    """Who was known before a day to stand for whom."""
    know_before(database, "customer_merges", day, f"{name}_merges")
    database.execute(PERSONS.format(name=name, merges=f"{name}_merges"))


def _files(landing: Path, as_of: date) -> dict[str, list[tuple[date, Path]]]:
    """Delivered files by table, as the manifests of deliveries up to the day name them."""
    found: dict[str, list[tuple[date, Path]]] = {}
    for manifest in sorted(landing.glob("*/manifest.json")):
        if manifest.parent.name.startswith("."):
            continue
        day = date.fromisoformat(manifest.parent.name)
        if day <= as_of:
            for name in sorted(json.loads(manifest.read_text(encoding="utf-8"))["files"]):
                table = name.partition("/")[0].partition(".")[0]
                found.setdefault(table, []).append((day, manifest.parent / name))
    return found


def _read_rows(
    database: duckdb.DuckDBPyConnection,
    name: str,
    types: dict[str, str],
    files: list[tuple[date, Path]],
) -> None:
    """All rows as they stood, typed; what cannot be read is null."""
    columns = types | {"recorded_at": "timestamptz", "is_deleted": "boolean"}
    parts = [
        "select "
        + ", ".join(f"null::varchar as {one}" for one in columns)
        + ", null::date as delivery where false"
    ]
    for day, path in files:
        file = literal(path)
        source = (
            f"read_parquet({file})"
            if path.suffix == ".parquet"
            else f"read_csv({file}, all_varchar = true, header = true, delim = ',', quote = '\"',"
            " escape = '\"', new_line = '\\n')"
        )
        parts.append(f"select columns(*)::varchar, date '{day}' as delivery from {source}")
    whole = " union all by name ".join(parts)
    typed = ", ".join(
        f"try_cast(nullif({one}, '') as {kind}) as {one}" for one, kind in columns.items()
    )
    database.execute(f"create table {name}_rows as select {typed}, delivery from ({whole})")
