"""Hillstrom's mails, an insurer's campaign and a grocer's coupons as what our offers became.

`measurement_public.py`: each through the production's code, beside the published averages. A client
is a row, the offer is the mail, a visit or a purchase the response.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from conf.load import load_config
from measurement.offers import NAME, OFFERS, Campaign
from measurement.results import campaign_results

DATA = Path(os.environ.get("XSELL_DATA", Path(__file__).parents[1] / "../shared/data"))
SETTINGS = load_config("local").measurement.effect
NOBODY = "No E-Mail"
MAILS = {"womens": "Womens E-Mail", "mens": "Mens E-Mail"}
LONG_AGO = date(2008, 3, 1)
CAMPAIGN = Campaign("", "", LONG_AGO, 0.5, LONG_AGO, LONG_AGO, True, True)
SHOWN = ("response", "revenue")
PUBLISHED: Mapping[tuple[str, str], str] = {
    ("Hillstrom visit, womens", "response"): "15.14 % and 10.62 %",
    ("Hillstrom visit, mens", "response"): "18.28 % and 10.62 %",
    ("Hillstrom conversion, womens", "response"): "0.884 % and 0.573 %",
    ("Hillstrom conversion, mens", "response"): "1.253 % and 0.573 %",
    ("Hillstrom conversion, womens", "revenue"): "1.0772 and 0.6528",
    ("Hillstrom conversion, mens", "revenue"): "1.4226 and 0.6528",
    ("insurance", "response"): "20.37 % and 19.55 %",
    ("journey A", "response"): "16.6 %, no control",
    ("journey B", "response"): "6.5 %, no control",
    ("journey C", "response"): "5.9 %, no control",
}


@dataclass(frozen=True)
class Arms:
    """A campaign of somebody else.

    Attributes:
        is_treated: Of each client.
        has_responded: To what was offered.
        spent: Cents.
        before: What was known to go with it, from 0 to 1.
    """

    is_treated: npt.NDArray[np.bool_]
    has_responded: npt.NDArray[np.bool_]
    spent: npt.NDArray[np.int64]
    before: npt.NDArray[np.float64] | None = None


def main() -> None:
    """Print a table of all that are there."""
    print(f"{'campaign':<30}{'measure':<10}{'treated':>10}{'control':>10}  {'effect':<32}published")
    for campaign in (hillstrom, insurance, journey):
        try:
            for name, results in campaign():
                print_rows(name, results)
        except FileNotFoundError as error:
            print(f"{campaign.__name__} is left out: {error.filename} is not there")


def hillstrom() -> Iterator[tuple[str, pa.Table]]:
    """Each mail against none: visits, and conversions with what was spent."""
    shop = _read("hillstrom", "hillstrom_email")
    for arm, mail in MAILS.items():
        rows = shop[shop["segment"].isin([mail, NOBODY])]
        is_treated = (rows["segment"] == mail).to_numpy()
        spent = np.rint(rows["spend"].to_numpy() * 100).astype(np.int64)
        # What was spent in the year before, as a share of the most that anybody spent.
        before = (rows["history"] / shop["history"].max()).to_numpy()
        for outcome in ("visit", "conversion"):
            has_responded = (rows[outcome] == 1).to_numpy()
            arms = Arms(is_treated, has_responded, spent, before)
            yield f"Hillstrom {outcome}, {arm}", told(arms)


def insurance() -> Iterator[tuple[str, pa.Table]]:
    """Purchases of those whom chance chose for the offer, and of the others."""
    rows = _read("insurance_campaign_uplift", "train")
    has_bought = (rows["PURCHASE"] == 1).to_numpy()
    nothing = np.zeros(len(rows), dtype=np.int64)
    yield "insurance", told(Arms((rows["TREATMENT"] == 1).to_numpy(), has_bought, nothing))


def journey() -> Iterator[tuple[str, pa.Table]]:
    """Households that redeemed a coupon, by type of campaign; nobody was withheld by chance."""
    contacts = _read("completejourney", "campaigns")
    redeemed = _read("completejourney", "coupon_redemptions")
    keys = ["campaign_id", "household_id"]
    redeemed = redeemed[keys].drop_duplicates().assign(has_redeemed=True)
    rows = contacts.merge(_read("completejourney", "campaign_descriptions"), on="campaign_id")
    rows = rows.merge(redeemed, how="left", on=keys)
    for kind, of_kind in rows.groupby("campaign_type"):
        has_redeemed = of_kind["has_redeemed"].notna().to_numpy()
        everybody = np.ones(len(of_kind), dtype=bool)
        nothing = np.zeros(len(of_kind), dtype=np.int64)
        arms = Arms(everybody, has_redeemed, nothing)
        yield f"journey {str(kind)[-1]}", told(arms, replace(CAMPAIGN, control_share=0.0))


def told(arms: Arms, campaign: Campaign = CAMPAIGN) -> pa.Table:
    """The results of the whole campaign."""
    return campaign_results(offers(arms), [campaign], None, SETTINGS, cuts=())


def offers(arms: Arms) -> pa.Table:
    """Rows shaped ``OFFERS``, one per client."""
    clients = len(arms.is_treated)
    given: dict[str, npt.NDArray[np.generic]] = {
        "customer_id": np.arange(clients).astype(str),
        "is_treated": arms.is_treated,
        "propensity": np.zeros(clients) if arms.before is None else arms.before,
        "margin": np.full(clients, 100),
        "revenue": arms.spent,
        "bought_on": np.where(
            arms.has_responded, np.datetime64("2008-03-02"), np.datetime64("NaT")
        ),
    }

    def column(field: pa.Field) -> pa.Array:
        kind = field.type.value_type if field.type == NAME else field.type
        if field.name in given:
            array = pa.array(given[field.name], from_pandas=True).cast(kind)
        elif field.nullable:
            array = pa.nulls(clients, kind)
        else:
            nothing = np.full(clients, "") if kind == pa.string() else np.zeros(clients)
            array = pa.array(nothing).cast(kind)
        return array.dictionary_encode() if field.type == NAME else array

    return pa.table([column(field) for field in OFFERS], schema=OFFERS)


def print_rows(name: str, results: pa.Table) -> None:
    """One line per measure that was known."""
    for row in results.to_pylist():
        if row["campaign"] == "all" or row["measure"] not in SHOWN or row["treated_mean"] is None:
            continue
        if (name, row["measure"]) not in PUBLISHED:
            continue
        show = _percent if row["measure"] == "response" else _money
        effect = row["state"]
        if effect == "measured":
            low, high = show(row["effect_low"]), show(row["effect_high"])
            effect = f"{show(row['effect'])} [{low}, {high}]"
        arms = "".join(f"{show(row[arm]):>10}" for arm in ("treated_mean", "control_mean"))
        published = PUBLISHED[name, row["measure"]]
        print(f"{name:<30}{row['measure']:<10}{arms}  {effect:<32}{published}")
        print(f"{'':<30}{row['method'] or row['note']}")


def _percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.3f}"


def _money(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _read(folder: str, name: str) -> pd.DataFrame:
    return pd.read_parquet(DATA / folder / f"{name}.parquet")


if __name__ == "__main__":
    main()
