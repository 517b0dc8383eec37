"""Campaigns of others have their published averages; drawn ones hold what intervals promise."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pyarrow as pa
import pytest

from jobs.measurement.model_outcomes import model_findings
from measurement.group_rates import share

MIX, BASE = np.array([0.3, 0.5, 0.2]), np.array([0.04, 0.12, 0.3])
MARGIN = np.array([1_800.0, 270.0, 90.0])
CAMPAIGNS, CLIENTS = 500, 3_000


def script(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A script of `bench/`; they find each other as they do when they are run."""
    scripts = str(Path(__file__).parents[2] / "bench")
    monkeypatch.setattr(sys, "path", [*sys.path, scripts])  # last: bench/demo.py is not `demo`
    return importlib.import_module(name)


@pytest.fixture
def public(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    return script("measurement_public", monkeypatch)


def needs(public: ModuleType, folder: str) -> None:
    if not (public.DATA / folder).exists():
        pytest.skip(f"{public.DATA / folder} is not there (XSELL_DATA names the folder of data)")


def means(results: pa.Table, measure: str, digits: int) -> tuple[object, ...]:
    """State and both means, as published."""
    rows = results.to_pylist()
    row = next(one for one in rows if one["measure"] == measure and one["campaign"] == "")
    arms = (row["treated_mean"], row["control_mean"])
    return row["state"], *(None if arm is None else round(arm, digits) for arm in arms)


def test_hillstroms_mails_have_their_published_averages(public: ModuleType) -> None:
    needs(public, "hillstrom")
    told = dict(public.hillstrom())
    visits = {arm: means(told[f"Hillstrom visit, {arm}"], "response", 4) for arm in public.MAILS}
    assert visits == {
        "mens": ("measured", 0.1828, 0.1062),
        "womens": ("measured", 0.1514, 0.1062),
    }
    buys = {arm: told[f"Hillstrom conversion, {arm}"] for arm in public.MAILS}
    assert {arm: means(rows, "response", 5) for arm, rows in buys.items()} == {
        "mens": ("measured", 0.01253, 0.00573),
        "womens": ("measured", 0.00884, 0.00573),
    }
    assert {arm: means(rows, "revenue", 4) for arm, rows in buys.items()} == {
        "mens": ("measured", 1.4226, 0.6528),
        "womens": ("measured", 1.0772, 0.6528),
    }


def test_an_insurers_campaign_is_not_sure_to_have_sold_anything(public: ModuleType) -> None:
    needs(public, "insurance_campaign_uplift")
    ((_, results),) = public.insurance()
    assert means(results, "response", 4) == ("measured", 0.2037, 0.1955)
    assert not any(results["is_sure"].to_pylist())


def test_coupons_without_a_control_have_a_response_and_no_effect(public: ModuleType) -> None:
    needs(public, "completejourney")
    told = {name: means(results, "response", 3) for name, results in public.journey()}
    assert told == {
        "journey A": ("no_control", 0.166, None),
        "journey B": ("no_control", 0.065, None),
        "journey C": ("no_control", 0.059, None),
    }


@pytest.mark.slow
@pytest.mark.parametrize("uplift", [0.0, 0.01])
def test_intervals_of_500_campaigns_hold_together_and_by_product(
    monkeypatch: pytest.MonkeyPatch, uplift: float
) -> None:
    """From offers to results, so that what is told of parts is held against the truth, too."""
    bench = script("measurement_coverage", monkeypatch)
    product = np.random.default_rng(1).choice(3, CLIENTS, p=MIX)
    names = np.array(["mortgage", "fund", "card"])[product]
    decisions = pa.table(
        {
            "customer_id": np.arange(CLIENTS).astype(str),
            "offer_id": names,
            "product_id": names,
            "move": names,
            "branch_id": names,
            "propensity": BASE[product],
            "margin": MARGIN[product],
            "contact_cost": np.full(CLIENTS, 8.0),
        }
    )
    planted = bench.Planted(decisions, BASE[product], np.full(CLIENTS, uplift))
    told = bench.told(planted, CAMPAIGNS, seed=3)
    told = told[(told["campaign"] != "all") & told["cut"].isin(["all", "product"])]
    for (part, measure), rows in told.groupby(["value", "measure"]):
        assert len(rows) == CAMPAIGNS
        covered = share(float(rows["is_covered"].sum()), CAMPAIGNS)
        # Not surely outside of 93 to 97 %; of one a fifth too short, 88 % would be.
        assert covered.high >= 0.93 and covered.low <= 0.97, (part, measure)
    if not uplift:
        response = told[told["measure"] == "response"]
        alarms = (response[response["cut"] == "all"]["p_value"] < 0.05).sum()
        assert share(float(alarms), CAMPAIGNS).low <= 0.05
        sure = response[response["cut"] == "product"].groupby(["year", "campaign"])["is_sure"].any()
        assert share(float(sure.sum()), CAMPAIGNS).low <= 0.05


@pytest.mark.slow
def test_models_of_the_drawn_home_are_read_from_its_registry(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bench = script("measurement_home", monkeypatch)
    home = bench.make_home(tmp_path / "home", 600)
    found = model_findings(home, bench.AS_OF, bench.CONFIG).observed
    assert {one.product_id for one in found.tested} == set(bench.PRODUCTS)
    assert all(one.auc.value > 0.6 and one.gain for one in found.tested)
    assert {one.version for one in found.scores} == {1}
    assert len({one.name for one in found.features}) > 200
