"""A bank's tables as known before a date, read by DuckDB from the files it delivered."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb

from conf.schema import RunConfig
from tables.windows import months_before
from tests.feature_oracle import MARGINS

KEYS = {
    "transactions": "transaction_id",
    "contacts": "contact_id",
    "consents": "customer_id, purpose, channel, changed_at",
}
# Who is gone from the last delivery is gone; of what changes, it brings the last word.
WHOLE = "create table {name} as from '{landing}/{delivery}/{table}.parquet'"
RATES = """
create table fx_rates as
select currency, month::date as month, rate_to_base::decimal(18, 8) as rate_to_base
from read_csv('{landing}/{as_of}/fx_rates.csv', all_varchar = true)
"""
INCREMENT = """
create table {name} as
select * exclude (filename) from (
    select *, parse_filename(parse_dirpath(filename))::date as delivery
    from read_parquet('{landing}/*/{name}.parquet', filename = true)
)
where delivery <= as_of() and recorded_at < as_of()::timestamptz
qualify row_number() over (partition by {key} order by recorded_at desc, delivery desc) = 1
"""
# A booking belongs to who owned its account when it was delivered.
OWNED = """
create or replace table transactions as
select t.*, a.customer_id from transactions t join (
    select account_id, customer_id, parse_filename(parse_dirpath(filename))::date as delivery
    from read_parquet('{landing}/*/accounts.parquet', filename = true)
) a using (account_id, delivery)
"""
# A year's margin comes in twelve parts, each discounted from its end, over what is left of the
# horizon, and never over less than the least share of it.
REMAINING = """
insert into margins
select product_id, is_partner, held, coalesce(round(sum(
    100 * margin / 12 / pow(1 + rate, month / 12)
) filter (month > 0)), 0)
from (
    select *, unnest(range(greatest(horizon - held, least_left) + 1)) as month
    from (
        select *, unnest(range(horizon - least_left + 1)) as held
        from (
            select product_id, kind = 'partner' as is_partner, coalesce(margin, 0) as margin,
                coalesce(horizon, 0) as horizon, rate,
                ceil(coalesce(horizon, 0) * least_share)::int as least_left
            from sold
        )
    )
)
group by all
"""


def write_delivered(tables: duckdb.DuckDBPyConnection, landing: Path, as_of: date) -> None:
    """Tables from a landing folder; what came later, or was recorded later, is left out."""
    whole = {name: (name, as_of) for name in ("customers", "accounts", "holdings", "flags")}
    whole["customers_before"] = ("customers", months_before(as_of, 6))
    for name, (table, delivery) in whole.items():
        text = WHOLE.format(name=name, landing=landing, delivery=delivery, table=table)
        tables.execute(text)
    for name, key in KEYS.items():
        tables.execute(INCREMENT.format(name=name, landing=landing, key=key))
    tables.execute(OWNED.format(landing=landing))
    tables.execute(RATES.format(landing=landing, as_of=as_of))


def write_expected_margins(tables: duckdb.DuckDBPyConnection, config: RunConfig) -> None:
    """What holdings of the configured products still earn, by the months they have been held."""
    tables.execute(MARGINS)
    tables.execute("""
        create table sold (product_id varchar, kind varchar, margin double, horizon int,
            rate double, least_share double)""")
    value = config.lifetime_value
    rows = [
        (name, one.kind, one.margin_per_year, one.horizon_months, value.discount_rate,
         value.least_remaining_share)
        for name, one in config.products.items()
    ]  # fmt: skip
    tables.executemany("insert into sold values (?, ?, ?, ?, ?, ?)", rows)
    tables.execute(REMAINING)
