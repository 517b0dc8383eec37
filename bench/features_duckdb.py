"""The same measures in DuckDB: `features_duckdb.py HOME AS_OF OUT`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import duckdb
from features_inputs import WRITTEN_THRICE, task

from features.measures import Measure
from features.sources import SEGMENTS
from tables.categories import OWN_TRANSFERS
from tables.sources import SOURCES
from tables.windows import months_before

THREADS = 2
AGGREGATES = {"count": "count", "sum": "sum", "min": "min", "max": "max", "months": "bit_or"}


def main() -> None:
    """One CREATE TABLE per source, as a single pass of CASE WHEN, and one join of them all."""
    home, as_of, out = Path(sys.argv[1]), date.fromisoformat(sys.argv[2]), sys.argv[3]
    wanted = task(home, as_of)
    database = duckdb.connect(config={"threads": THREADS})
    for name, files in wanted.files.items():
        if files:
            database.execute(_view(name, files))
    rows = _rows(as_of)
    for place, source in enumerate(WRITTEN_THRICE):
        columns = ", ".join(_column(m, name) for m, name in wanted.of(source).items())
        grouped = "" if source.is_per_customer else " group by customer_id"
        query = f"select customer_id, {columns} from ({rows[source.name]}){grouped}"
        database.execute(f"create temp table s{place} as {query}")
    joins = "".join(
        f" left join s{place} using (customer_id)" for place in range(1, len(WRITTEN_THRICE))
    )
    database.execute(f"copy (from s0{joins}) to '{out}' (format parquet, compression zstd)")


def _view(name: str, files: object) -> str:
    """The latest version of each key; of increments every row, as no row was revised."""
    table = next(table for table in SOURCES if table.name == name)
    scan = f"read_parquet({files}, hive_partitioning = false)"
    if table.kind == "increment":
        return f"create view {name} as from {scan}"
    key = ", ".join(table.key)
    return f"""create view {name} as
        select v.* from {scan} v
        semi join (select {key}, max(recorded_at) recorded_at from {scan} group by all) l
        using ({key}, recorded_at) where not is_deleted"""


def _column(measure: Measure, name: str) -> str:
    conditions = [_is_in(column, values) for column, values in measure.rows.allowed]
    if measure.within is not None:
        conditions.append(f"{measure.clock} <= {measure.within}")
    value = {
        "sum_of_squares": f"{measure.of}::hugeint * {measure.of}",
        "months": f"1 << ({measure.of} - 1)",
    }.get(measure.how, measure.of)
    counted = f"case when {' and '.join(conditions)} then {value} end" if conditions else value
    if measure.how == "value":
        return f"{counted} as {name}"
    if measure.how == "sum_of_squares":
        return f"sum({counted})::decimal(38, 0) as {name}"
    # a sum is a HUGEINT, which Parquet does not know
    kind = "::bigint" if measure.how == "sum" else ""
    return f"{AGGREGATES[measure.how]}({counted}){kind} as {name}"


def _is_in(column: str, values: tuple[str | bool, ...]) -> str:
    if isinstance(values[0], bool):
        return column if values[0] else f"not {column}"
    texts = ", ".join(f"'{value}'" for value in values)
    return f"{column} = {texts}" if len(values) == 1 else f"{column} in ({texts})"


def _rows(as_of: date) -> Mapping[str, str]:
    """One query per source, by its name."""
    cut = f"date '{as_of}'"
    year = f"date '{months_before(as_of, 12)}'"
    own = ", ".join(f"'{category}'" for category in OWN_TRANSFERS)
    ranks = " ".join(f"when '{name}' then {rank}" for rank, name in enumerate(SEGMENTS, start=1))

    def months_ago(day: str) -> str:
        return f"({as_of.year * 12 + as_of.month} - year({day}) * 12 - month({day}))::int"

    def days_ago(day: str) -> str:
        return f"({cut} - {day}::date)::int"

    def completed(day: str) -> str:
        return f"{months_ago(day)} - (day({day}) > 1)::int"

    def cents(amount: str) -> str:
        converted = f"(round({amount} * rate_to_base, 2) * 100)::bigint"
        return f"case when currency = 'EUR' then ({amount} * 100)::bigint else {converted} end"

    rates = f"""(select currency rate_currency, month rate_from, rate_to_base,
        lead(month, 1, date '9999-12-31') over (partition by currency order by month) rate_until
        from fx_rates where month < {cut} and currency <> 'EUR')"""
    latest = f"""(select currency, arg_max(rate_to_base, month) rate_to_base
        from fx_rates where month < {cut} and currency <> 'EUR' group by 1)"""
    ends = {"balance": as_of} | {f"balance_{n}m": months_before(as_of, n) for n in (1, 3, 6)}
    last_days = ", ".join(
        f"max(case when booked_on < date '{end}' then booked_on end) {name}_on"
        for name, end in ends.items()
    )
    order = "(recorded_at, transaction_id)"
    last = ", ".join(
        f"arg_max(case when booked_on = {name}_on then balance_after end,"
        f" case when booked_on = {name}_on then {order} end) {name}"
        for name in ends
    )
    on_last = " or ".join(f"booked_on = {name}_on" for name in ends)
    balances = f"""(with known as (select account_id, booked_on, balance_after, recorded_at,
            transaction_id from transactions where booked_on < {cut} and balance_after is not null)
        select account_id, {last} from known
        join (select account_id, {last_days} from known group by 1) using (account_id)
        where {on_last} group by 1)"""
    return {
        "customers": f"""select customer_id, segment, case segment {ranks} end segment_rank,
            case when household_id is null then 1
                else count(*) over (partition by household_id) end household_size,
            {completed("joined_on")} months_since_joined,
            payroll_employer_id is not null has_payroll_employer,
            advisor_id is not null has_advisor
            from customers where joined_on < {cut} and coalesce(left_on >= {cut}, true)
            and coalesce(deceased_on >= {cut}, true)""",
        "bookings": f"""select customer_id, category, channel, {days_ago("booked_on")} days_ago,
            {months_ago("booked_on")} months_ago, abs({cents("amount")}) cents,
            {cents("balance_after")} balance_cents, amount > 0 is_credit, amount < 0 is_debit,
            balance_after < 0 is_overdrawn, currency <> 'EUR' is_foreign,
            coalesce(category in ({own}), false) is_own_transfer
            from transactions left join {rates} on currency = rate_currency
                and booked_on >= rate_from and booked_on < rate_until
            where booked_on >= {year} and booked_on < {cut}""",
        "open accounts": f"""select customer_id,
            {", ".join(f"{cents(name)} {name}_cents" for name in ends)}
            from accounts left join {balances} using (account_id) left join {latest} r
            using (currency) where opened_on < {cut} and coalesce(closed_on >= {cut}, true)""",
        "holdings": f"""select customer_id, product_id,
            coalesce(closed_on >= {cut}, true) is_open, {days_ago("opened_on")} days_ago,
            {months_ago("opened_on")} months_ago, {completed("opened_on")} months_held,
            case when closed_on < {cut} then {months_ago("closed_on")} end closed_months_ago,
            case when coalesce(closed_on >= {cut}, true) and matures_on >= {cut}
                then -{days_ago("matures_on")} end days_to_maturity
            from holdings where opened_on < {cut}""",
        "contacts": f"""select customer_id, product_id,
            case when coalesce(disposition_on, contacted_on) < {cut} then disposition end
                disposition,
            {days_ago("contacted_on")} days_ago, {months_ago("contacted_on")} months_ago
            from contacts where contacted_on >= {year} and contacted_on < {cut}""",
        "consents": f"""select customer_id, purpose, channel,
            arg_max(is_granted, changed_at) is_granted
            from consents where changed_at < {cut}::timestamptz group by all""",
        "flags": f"""select customer_id, flag, {days_ago("valid_from")} days_ago,
            {months_ago("valid_from")} months_ago from flags where valid_from < {cut}""",
    }


if __name__ == "__main__":
    main()
