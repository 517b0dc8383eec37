"""`xsell fairness`: what stops and what is reported, on terminal, page and tables."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from jobs.cli import main
from jobs.fairness.analysis import EARLIER, Fairness, analysed
from jobs.home import Home
from models.registry import Registry
from models.scorer import Scorer
from models.train import Candidate
from tables.files import sha256_of
from tables.runs import Runs
from tests.fairness_home import (
    CLIENTS,
    CONFIG,
    add_customers,
    add_holdings,
    add_merges,
    add_results,
    gender,
    open_home,
    publish_campaign,
    record_scoring,
)
from tests.pages import Text

AS_OF, BEFORE = date(2026, 11, 1), date(2026, 6, 1)
REPORTS_ONLY = ("--set", "jurisdiction.profile=us_opt_out")
FEW = ("--set", "fairness.proxies.max_customers=300")
OTHERWISE = {n: {"f": "m", "m": "f"}.get(gender(n) or "") for n in range(CLIENTS)}


@pytest.fixture(scope="module")
def unfair(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Two campaigns: one that treated women alike, one that left half of them out."""
    home = open_home(tmp_path_factory.mktemp("unfair"))
    early = publish_campaign(home, BEFORE, seed=2)
    # Every tenth client bought in the outcome window, nobody's was recorded too late but one.
    bought = [(f"C{n:05d}", "mortgage", date(2026, 6, 20)) for n in range(100, CLIENTS, 10)]
    add_holdings(home, [*bought, ("C00101", "mortgage", date(2026, 10, 31))])
    complaints = {f"C{number:05d}": "complaint" for number in range(100, 120)}
    refusals = {f"C{number:05d}": "refused" for number in range(200, CLIENTS, 2)}
    known = datetime(2026, 6, 25, tzinfo=UTC)
    add_results(home, early, complaints | refusals, known)
    # In the store already, and recorded on the as-of date: not known before it.
    add_customers(home, OTHERWISE, datetime(2026, 11, 1, tzinfo=UTC))
    publish_campaign(home, AS_OF, women_at=0.5)
    return home


def fairness(home: Home, *words: object) -> int:
    given = ["fairness", "--debug", "--as-of", AS_OF, "--home", home.path, *FEW, *words]
    return main(list(map(str, given)))


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def found(home: Home, overrides: tuple[str, ...] = ()) -> Fairness:
    proxies = CONFIG.fairness.proxies.model_copy(update={"max_customers": 300})
    settings = CONFIG.fairness.model_copy(update={"proxies": proxies})
    return analysed(home, CONFIG.model_copy(update={"fairness": settings}), AS_OF)


def test_it_stops_where_the_profile_says_and_only_there(
    unfair: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fairness(unfair, "--out", tmp_path / "eu") == 3
    told = capsys.readouterr().out
    assert "STOPS: gender f: all offers, share of clients offered: 0." in told
    assert "STOPS: gender m" not in told
    assert f"{CLIENTS - 20:,} active clients" in told  # whoever has left is nobody's disadvantage
    assert "balance_amount" not in told  # a proxy of women, but no model relies on it
    html = (tmp_path / "eu/fairness.html").read_text()
    page = Text(html)
    assert "STOPS: gender f" in page.shown
    assert "<code>balance_<wbr>amount</code>" in html
    assert page.fetched == []
    assert {row["figure"] for row in rows(tmp_path / "eu/fairness.csv") if row["judged"]} == {
        "selection", "selection_alike",
    }  # fmt: skip
    stopping = [r for r in rows(tmp_path / "eu/fairness.csv") if r["judged"] == "stops"]
    assert {(row["group"], row["of"]) for row in stopping} >= {("f", "all")}
    [first, *_] = rows(tmp_path / "eu/fairness_proxies.csv")
    assert (first["feature"], first["attribute"]) == ("balance_amount", "gender")

    assert fairness(unfair, "--out", tmp_path / "us", *REPORTS_ONLY) == 0
    told = capsys.readouterr().out
    assert "STOPS" not in told
    assert "Rates are reported only" in told
    [less] = [line for line in told.splitlines() if line.startswith("gender f ")]
    assert " 0.5" in less
    both = [
        [row | {"judged": ""} for row in rows(tmp_path / p / "fairness.csv")] for p in ("eu", "us")
    ]
    assert both[0] == both[1]  # the law changes what stops, and no figure


def test_the_same_again_is_the_same_bytes_and_what_came_later_changes_nothing(
    unfair: Home, tmp_path: Path
) -> None:
    fairness(unfair, "--out", tmp_path / "one")
    add_customers(unfair, OTHERWISE, datetime(2026, 11, 2, tzinfo=UTC))
    publish_campaign(unfair, date(2026, 12, 1))
    early = Runs(unfair.tables).current("campaign", BEFORE)
    late = {f"C{number:05d}": "refused" for number in range(201, CLIENTS, 2)}
    add_results(unfair, early, late, datetime(2026, 11, 1, tzinfo=UTC))
    fairness(unfair, "--out", tmp_path / "two")
    for name in ("fairness.html", "fairness.csv", "fairness_proxies.csv"):
        assert sha256_of(tmp_path / "one" / name) == sha256_of(tmp_path / "two" / name)


def test_earlier_campaigns_are_a_trend_and_what_became_of_their_offers(unfair: Home) -> None:
    facts = found(unfair)
    assert [month.as_of for month in facts.trend] == [BEFORE, AS_OF]
    ratios = [
        next(f.ratio for f in month.facts if f.group == "f" and f.name == "selection")
        for month in facts.trend
    ]
    assert ratios[0].low < 1 < ratios[0].high
    assert ratios[1].high < 0.8
    outcomes = {(f.name, f.attribute, f.group): f for f in facts.facts if f.scope_kind == EARLIER}
    everybody = outcomes["response", "language", "everybody"]
    # Whoever was offered a mortgage and is a multiple of ten from 100 on bought it in the window.
    assert 0.04 < everybody.value.value < 0.1
    assert not outcomes["complaint", "gender", "f"].is_told  # a handful
    women, men = (outcomes["refusal", "gender", group] for group in "fm")
    assert (women.count, men.ratio.value) == (None, men.ratio.value)
    assert outcomes["refusal", "language", "everybody"].count > 100


def test_no_small_count_and_no_client_is_in_any_file(unfair: Home, tmp_path: Path) -> None:
    fairness(unfair, "--out", tmp_path)
    texts = [path.read_text() for path in tmp_path.iterdir()]
    assert not any(f"C{number:05d}" in text for text in texts for number in (100, 777, 1499))
    for row in rows(tmp_path / "fairness.csv"):
        if row["is_told"] == "false":
            assert not any(row[name] for name in ("count", "among", "value", "ratio", "p_value"))
        elif row["figure"] not in ("share_of_offers", "propensity"):
            is_act = row["figure"].startswith("selection")
            assert is_act or row["count"] == "0" or int(row["count"]) >= 30


def test_a_model_that_reads_what_is_made_of_age_stops(
    registry_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = open_home(registry_home)
    read = {"mortgage": ("balance_amount",), "credit_card": ("balance_amount", "has_turned_18_12m")}
    digests = {
        product: Registry(home.path)
        .register(Candidate(Scorer(product, "segment_rate", features), {}, {}), "run 1", {}, {})
        .tags["sha256"]
        for product, features in read.items()
    }
    score = record_scoring(home, AS_OF, digests)
    publish_campaign(home, AS_OF, inputs={"score": score})
    for profile in ((), REPORTS_ONLY):
        assert fairness(home, *profile) == 3
        told = capsys.readouterr().out
        assert (
            "STOPS: propensity_credit_card reads has_turned_18_12m, which is made of"
            " customers.birth_date" in told
        )
        assert "propensity_mortgage" not in told
    reported = "jurisdiction.profiles.us_opt_out.fairness.stop_on_protected_inputs=false"
    assert fairness(home, *REPORTS_ONLY, "--set", reported) == 0
    assert "Reported: propensity_credit_card reads" in capsys.readouterr().out


def test_a_model_that_is_gone_is_not_taken_for_one_that_reads_nothing(
    registry_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = open_home(registry_home)
    score = record_scoring(home, AS_OF, {"mortgage": "0" * 64})
    publish_campaign(home, AS_OF, inputs={"score": score})
    assert fairness(home) == 3
    [line] = capsys.readouterr().err.splitlines()
    assert "propensity_mortgage: the version that scored this campaign is not in the" in line


def test_a_registry_that_is_gone_is_not_made_anew(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = open_home(tmp_path)
    publish_campaign(home, AS_OF, inputs={"score": record_scoring(home, AS_OF, {"mortgage": "0"})})
    assert fairness(home) == 3
    assert "Restore mlruns from a backup" in capsys.readouterr().err
    assert list(home.mlruns.iterdir()) == []


def test_without_a_campaign_it_says_what_to_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = Home(tmp_path)
    home.create()
    assert fairness(home) == 1
    assert "Run xsell run --as-of 2026-11-01 first" in capsys.readouterr().err


def test_an_attribute_that_is_judged_but_not_measured_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fairness(Home(tmp_path), "--set", "models.fairness.attributes=[language]") == 2
    told = capsys.readouterr().err
    assert "eu_strict.fairness.stop.gender is not measured" in told


def test_purchases_known_too_late_or_outside_the_window_are_no_response(tmp_path: Path) -> None:
    """The window of August's campaign is 8 August to 7 October, both included."""
    home = open_home(tmp_path)
    publish_campaign(home, date(2026, 8, 1))
    publish_campaign(home, date(2026, 10, 1))  # its window ends on 7 December: not over
    outside = [date(2026, 8, 7), date(2026, 10, 8), date(2026, 10, 31)]
    add_holdings(
        home,
        [
            (
                f"{'SC'[n % 2]}{n:05d}",
                product,
                outside[n % 3] if n % 4 else date(2026, 9, 1) + timedelta(n % 9),
            )
            for n in range(100, CLIENTS)
            for product in ("mortgage",)
        ],
    )
    # Of every second client the purchase is booked under the record that stands for it by now.
    add_merges(home, {f"C{n:05d}": f"S{n:05d}" for n in range(100, CLIENTS, 2)})
    publish_campaign(home, AS_OF)
    facts = [f for f in found(home).facts if f.name == "response" and f.group == "everybody"]
    offered = next(f for f in found(home).trend[0].facts if f.group == "everybody")
    assert facts[0].of == offered.count
    assert facts[0].value.value == pytest.approx(0.25 * 0.3 / (1 - 0.7**2), abs=0.04)
