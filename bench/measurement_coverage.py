"""Do the intervals of what campaigns caused hold? The demo bank's campaign, drawn anew many times.

`measurement_coverage.py [CAMPAIGNS [HOME ...]]`; each HOME has had its month run. Who made the cut
is the campaign's own decision; who of them is withheld and who buys is drawn anew by the planted
truth, with its uplift and without, and measured by the production's code. A client buys in the
outcome window, two months, by the true hazards of both; an offer adds the planted uplift in the
first. Of a renewal nothing is planted: its propensity is taken as the truth, and no uplift.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from deltalake import DeltaTable
from measure import DEFAULT_BANK, measured, merge_result

from conf.load import load_config
from measurement.association import Estimate
from measurement.cuts import coded
from measurement.group_rates import share
from measurement.offers import NAME, OFFERS, Campaign
from measurement.results import campaign_results
from tables.derived import DECISIONS
from tables.runs import Runs
from tables.windows import months_before

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]
CAMPAIGNS, A_YEAR = 500, 12
CONTROL_SHARE = 0.1
HIGHEST = 0.9  # no month's probability is higher (demo/truth.py)
SETTINGS = load_config("local").measurement.effect
KEPT = ("customer_id", "offer_id", "product_id", "move", "branch_id", "propensity")
COLUMNS = [*KEPT, "margin", "contact_cost"]
CUTS = {"all": None, "product": "product_id", "branch": "branch_id"}
ALARM = 0.05


@dataclass(frozen=True)
class Planted:
    """Who made the cut of a campaign, and what they would do.

    Attributes:
        decisions: One row per client, as decided.
        without: Chance of buying in the outcome window if nothing is offered.
        added: What the offer adds to it.
    """

    decisions: pa.Table
    without: Floats
    added: Floats

    @property
    def margin(self) -> Integers:
        """Cents of one sale."""
        return cents(self.decisions["margin"])

    @property
    def contact_cost(self) -> Integers:
        """Cents of one contact."""
        return cents(self.decisions["contact_cost"])


def main() -> None:
    """Measure the coverage on each home; without one, of the default bank."""
    several = int(sys.argv[1]) if sys.argv[1:] else CAMPAIGNS
    result: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="xsell-bench-") as folder:
        for home in map(Path, sys.argv[2:] or [_made(Path(folder))]):
            planted = planted_campaign(home)
            print(f"\n{len(planted.without):,} clients made the cut, drawn {several} times")
            with_uplift = told(planted, several, seed=1)
            without = told(Planted(*_no_uplift(planted)), several, seed=2)
            print_coverage(with_uplift)
            print_alarms(without)
            found = with_uplift[(with_uplift["cut"] == "all") & (with_uplift["campaign"] != "all")]
            profit = found[found["measure"] == "profit"]
            result["coverage_95"] = round(float(profit["is_covered"].mean()), 4)
            whole = without[(without["cut"] == "all") & (without["campaign"] != "all")]
            is_alarm = whole.loc[whole["measure"] == "response", "p_value"] < ALARM
            result["false_alarm_rate"] = round(float(is_alarm.mean()), 4)
    merge_result("measurement", result)


def planted_campaign(home: Path) -> Planted:
    """The newest campaign of a home, with the truth about those who made its cut."""
    record = [run for run in Runs(home / "tables").committed() if run.step == "campaign"][-1]
    table = DECISIONS.name
    made = (pc.field("outcome") == "offered") | pc.field("is_in_control_group")
    of_run = made & (pc.field("run_id") == record.run_id)
    committed = DeltaTable(str(home / "tables" / table), version=record.pins[table])
    decisions = committed.to_pyarrow_dataset().to_table(COLUMNS, filter=of_run)
    return planted(home / "truth", decisions, record.as_of)


def planted(truth: Path, decisions: pa.Table, as_of: date) -> Planted:
    """The truth about decisions; of a product that the client holds, the propensity."""
    keys = pa.table(
        {
            "key": pc.binary_join_element_wise(
                decisions["customer_id"].cast(pa.string()), decisions["product_id"], "/"
            )
        }
    ).to_pandas()
    months = [_of(truth, "propensity", keys, pc.field("as_of") == as_of)]
    next_one = _of(truth, "propensity", keys, pc.field("as_of") == months_before(as_of, -1))
    months.append(np.where(np.isnan(next_one), months[0], next_one))
    uplift = _of(truth, "uplift", keys, None)
    reached = np.clip(months[0] + uplift, 0, HIGHEST)
    without = 1 - (1 - months[0]) * (1 - months[1])
    added = (reached - months[0]) * (1 - months[1])
    is_planted = ~np.isnan(months[0])
    propensity = decisions["propensity"].to_numpy()
    return Planted(
        decisions, np.where(is_planted, without, propensity), np.where(is_planted, added, 0.0)
    )


def told(planted: Planted, several: int, seed: int) -> pd.DataFrame:
    """What is told of so many campaigns beside the truth, a year of them at a time."""
    random, found = np.random.default_rng(seed), list[pd.DataFrame]()
    runs = [f"{at:02d}" for at in range(A_YEAR)]
    year = _decided(planted, runs)
    measured_ones = [_campaign(run) for run in runs]
    for number in range(-(-several // A_YEAR)):
        is_treated, offers = drawn(planted, year, random)
        results = campaign_results(offers, measured_ones, None, SETTINGS, CUTS).to_pandas()
        results = results[results["state"] == "measured"]
        truth = _truth(planted, offers, is_treated)
        found.append(results.merge(truth, how="inner").assign(year=number))
    told = pd.concat(found, ignore_index=True)
    told = told[told["year"] * A_YEAR + told["campaign"].replace("all", 0).astype(int) < several]
    told["is_below"] = told["truth"] < told["total_low"]
    told["is_above"] = told["truth"] > told["total_high"]
    told["is_covered"] = ~told["is_below"] & ~told["is_above"]
    return told


def drawn(planted: Planted, year: pa.Table, random: np.random.Generator) -> tuple[Bools, pa.Table]:
    """A year of campaigns as they might have come out: who was offered something, and all rows."""
    clients = len(planted.without)
    is_treated = random.random((len(year) // clients, clients)) >= CONTROL_SHARE
    has_bought = random.random(is_treated.shape) < planted.without + planted.added * is_treated
    day, later, never = (np.datetime64(text) for text in ("2026-11-10", "2026-11-20", "NaT"))
    columns = {
        "is_treated": is_treated,
        "contacts": is_treated,
        "contacted_on": np.where(is_treated, day, never),
        "bought_on": np.where(has_bought, later, never),
        "revenue": has_bought * planted.margin,
        "cost": is_treated * planted.contact_cost,
    }
    for name, values in columns.items():
        at = year.column_names.index(name)
        field = year.schema.field(at)
        column = pa.array(values.ravel(), from_pandas=True).cast(field.type)
        year = year.set_column(at, field, column)
    return is_treated, year


def print_coverage(found: pd.DataFrame) -> None:
    """How often the truth was within the interval, by part."""
    print(f"\n{'part':<28}{'control':>8} {'measure':<10}{'covered %':<36}truth missed, %")
    for name, rows in _parts(found, ("profit", "response")):
        covered = _rate(rows["is_covered"])
        low, high = 100 * rows["is_below"].mean(), 100 * rows["is_above"].mean()
        print(f"{name}{covered:<36}{low:.1f} below, {high:.1f} above")


def print_alarms(found: pd.DataFrame) -> None:
    """How often an effect was told where none was planted, by part."""
    print(f"\n{'no uplift':<28}{'control':>8} {'measure':<10}{'p < 0.05, %':<36}covered %")
    for name, rows in _parts(found, ("response", "revenue", "profit")):
        alarm = _rate(rows["p_value"] < ALARM) if "profit" not in name else ""
        print(f"{name}{alarm:<36}{_rate(rows['is_covered'])}")
    for cut in CUTS:
        rows = found[(found["cut"] == cut) & (found["measure"] == "response")]
        rows = rows[rows["campaign"] != "all"]
        if len(rows) and cut != "all":
            sure = rows.groupby(["year", "campaign"])["is_sure"].any()
            print(f"campaigns with a sure part of cut {cut:<14}{_rate(sure)}")


def cents(column: pa.ChunkedArray) -> Integers:
    """Money as whole cents."""
    return np.rint(column.cast(pa.float64()).to_numpy() * 100).astype(np.int64)


def _parts(found: pd.DataFrame, measures: tuple[str, ...]) -> Iterator[tuple[str, pd.DataFrame]]:
    """Parts by name: whole campaigns, years, products and so on; branches all as one."""
    found = found[found["measure"].isin(measures)].copy()
    is_year = found["campaign"] == "all"
    found["part"] = found["cut"].where(found["cut"] == "branch", found["value"])
    found["part"] = found["part"].where(found["part"] != "branch", "every branch")
    found["part"] = np.where(is_year, "year: ", "") + found["part"]
    for (_, part, measure), rows in found.groupby(["cut", "part", "measure"], sort=True):
        yield f"{part:<28}{rows['control'].mean():>8.0f} {measure:<10}", rows


def _rate(is_so: pd.Series) -> str:
    rate: Estimate = share(float(is_so.sum()), len(is_so))
    value, low, high = (f"{100 * one:.1f}" for one in rate)
    return f"{value} [{low}, {high}] of {len(is_so):,}"


def _truth(planted: Planted, offers: pa.Table, is_treated: Bools) -> pd.DataFrame:
    """What was caused in all, by campaign, cut, part and measure."""
    revenue = planted.added * planted.margin / 100
    caused = {
        "response": planted.added,
        "revenue": revenue,
        "profit": revenue - planted.contact_cost / 100,
    }
    several, clients = is_treated.shape
    tables = []
    for cut, name in CUTS.items():
        part, values = np.zeros(clients, dtype=np.int64), ["all"]
        if name:
            part, values = coded(offers[name].slice(0, clients))
        is_part = part[:, None] == np.arange(len(values))
        for measure, each in caused.items():
            sums = (is_treated * each) @ is_part
            sums = np.vstack([sums, sums.sum(axis=0)])
            runs = [*(f"{at:02d}" for at in range(several)), "all"]
            table = pd.DataFrame(sums, index=runs, columns=values).stack().rename("truth")
            table.index.names = ["campaign", "value"]
            tables.append(table.reset_index().assign(cut=cut, measure=measure))
    return pd.concat(tables)


def _no_uplift(planted: Planted) -> tuple[pa.Table, Floats, Floats]:
    return planted.decisions, planted.without, np.zeros_like(planted.added)


def _campaign(run: str) -> Campaign:
    opens, ends = date(2026, 11, 1), date(2027, 1, 1)
    return Campaign(run, "monthly", opens, CONTROL_SHARE, opens, ends, True, True)


def _decided(planted: Planted, runs: list[str]) -> pa.Table:
    """The rows of offers of a year, each month the same decisions; nothing has followed yet."""
    decisions, rows = planted.decisions, len(planted.without) * len(runs)
    given = {
        name: pa.concat_arrays([decisions[name].combine_chunks()] * len(runs)) for name in KEPT
    }
    given["campaign"] = pa.array(np.repeat(runs, len(planted.without)))
    given["margin"] = pa.array(np.tile(planted.margin, len(runs)))
    given["contact_cost"] = pa.array(np.tile(planted.contact_cost, len(runs)))

    def column(field: pa.Field) -> pa.Array:
        kind = field.type.value_type if field.type == NAME else field.type
        if field.name in given:
            array = given[field.name].cast(kind)
        elif field.nullable and field.name != "later_revenue":
            array = pa.nulls(rows, kind)
        else:
            array = pa.array(np.zeros(rows)).cast(kind) if kind != pa.string() else _same(rows)
        return array.dictionary_encode() if field.type == NAME else array

    return pa.table([column(field) for field in OFFERS], schema=OFFERS)


def _same(rows: int) -> pa.Array:
    return pa.array(np.full(rows, "any"))


def _of(truth: Path, name: str, keys: pd.DataFrame, chosen: pc.Expression | None) -> Floats:
    """The value planted for each key; NaN where there is none."""
    table = ds.dataset(truth / f"{name}.parquet").to_table(filter=chosen)
    key = pc.binary_join_element_wise(
        table["customer_id"].cast(pa.string()), table["product_id"].cast(pa.string()), "/"
    )
    known = pd.Series(table[name].to_numpy(), index=key.to_pandas())
    return known.reindex(keys["key"]).to_numpy()


def _made(folder: Path) -> Path:
    xsell = str(Path(sys.executable).parent / "xsell")
    for command in (["demo", *DEFAULT_BANK], ["run", "--as-of", DEFAULT_BANK[-1]]):
        measured([xsell, *command, "--home", str(folder)])
    return folder


if __name__ == "__main__":
    main()
