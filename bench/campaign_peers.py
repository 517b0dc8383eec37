"""What the demo bank's lists are worth beside simple ways to fill them, under the same limits.

`campaign_peers.py [HOME]`; HOME has had its month run. Two sets of limits: the bank's own, of which
only branches' contacts bind, and tight ones of every kind. Expected profit is what the bank can
know. The planted truth says what it would come to: purchases of the outcome window by the true
hazards, valued as the campaign values them, and what the contacts would add by the true uplift.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from measure import AS_OF, DEFAULT_BANK, measured, write_result
from numpy.typing import NDArray
from optimiser_ours import taken_in_turn

from campaigns.choice import competing
from campaigns.competition import Competition, Terms
from campaigns.optimiser import optimise
from campaigns.optimiser_problem import Ints
from conf.load import load_config
from conf.schema import RunConfig
from jobs.campaigns.client_parts import together
from jobs.engine import open_engine
from jobs.home import Home
from jobs.plan_campaign import campaign_sources, gated
from jobs.publishing import Context
from jobs.run import Run
from jobs.runs import inputs
from jobs.runs.staging import Staging
from jobs.steps import CAMPAIGN
from tables.store import Store

Floats = NDArray[np.float64]
OURS = "ours"


@dataclass(frozen=True)
class Worth:
    """What a way to fill the lists comes to, in the base currency.

    Attributes:
        offers: How many it makes.
        expected: Profit by the propensities of the models.
        true: Profit by the planted propensities.
        added: Profit by the planted uplift: less what would have been bought anyway.
    """

    offers: int
    expected: float
    true: float
    added: float


def main() -> None:
    """Make the default demo bank and its month, unless a home that has both is given."""
    with tempfile.TemporaryDirectory(prefix="xsell-bench-") as folder:
        home = Home(Path(sys.argv[1] if len(sys.argv) > 1 else folder).resolve())
        if not home.tables.exists():
            _make(home)
        rows = passing(home, load_config("local"), date.fromisoformat(AS_OF))
        result: dict[str, float] = {}
        for name, limits in (("own", ()), ("tight", _tight(rows))):
            found = compared(home, rows, load_config("local", limits), date.fromisoformat(AS_OF))
            _print(name, found)
            result |= {f"{key}_{name}": value for key, value in _ratios(found)}
    write_result("campaign", result)


def compared(home: Home, rows: pa.Table, config: RunConfig, as_of: date) -> dict[str, Worth]:
    """Our way first, then the simple ones; nobody who is withheld takes part.

    Args:
        home: Has the planted truth.
        rows: As ``passing`` gives them.
        config: The limits.
        as_of: Of the campaign.
    """
    competition = Competition.among(rows, Terms.of(config))
    free = np.flatnonzero(~competition.is_withheld)
    problem = competition.problem.part(free)
    options = competition.rows.take(pa.array(free))
    chosen = {OURS: optimise(problem).chosen} | {
        name: taken_in_turn(problem, order).options for name, order in _simple_orders(options)
    }
    true, uplift = _planted(home.path / "truth", options, config, as_of)
    margins = {name: float(product.expected_margin) for name, product in config.products.items()}
    margin = np.array([margins[name] for name in options["product_id"].to_pylist()])
    cost = options["cost_cents"].to_numpy() / 100
    return {
        name: Worth(
            offers=len(some),
            expected=int(problem.value[some].sum()) / 100,
            true=float((true * margin - cost)[some].sum()),
            added=float((uplift * margin - cost)[some].sum()),
        )
        for name, some in chosen.items()
    }


def _simple_orders(options: pa.Table) -> Iterator[tuple[str, Ints]]:
    """In which order the simple ways take what still fits."""
    value, propensity = (options[name].to_numpy() for name in ("profit_cents", "propensity"))
    customer, product = (_texts(options, name) for name in ("customer_id", "product_id"))
    yield "score first", np.lexsort((-value, -propensity))
    yield "customer order", np.lexsort((-value, customer))
    yield "product by value", np.lexsort((-value, product))
    yield "value first", np.argsort(-value, kind="stable")


def passing(home: Home, config: RunConfig, as_of: date) -> pa.Table:
    """What passed every gate, made as the campaign makes it, of what the planted truth knows.

    That is no lever, no package, and no renewal: who holds a product does not buy it.
    """
    with open_engine(config.engine) as spark, tempfile.TemporaryDirectory(dir=home.path) as folder:
        context = Context(as_of, config, home, spark)
        read = inputs.resolve(context, replace(CAMPAIGN, uses_models=False))
        store = Store(home.tables, spark, read.pins)
        staging = Staging(home.tables, "bench", as_of, config.engine.shuffle_partitions)
        run = Run("campaign", as_of, "bench", config, home.path, spark, store, staging)
        sources = campaign_sources(run)
        candidates = together(gated(run, sources, Path(folder)))
        rows: pa.Table = competing(candidates, sources.customers).toArrow()
    known = [name for name, offer in config.offers.items() if not (offer.move or offer.bundle)]
    is_known = pc.is_in(rows["offer_id"], value_set=pa.array(known))
    return rows.filter(pc.and_(is_known, pc.is_null(rows["lever_code"])))


def _planted(
    truth: Path, options: pa.Table, config: RunConfig, as_of: date
) -> tuple[Floats, Floats]:
    """Of each option the true propensity of the outcome window, and what a contact adds to it."""
    on_the_day = pc.field("as_of") == pa.scalar(as_of, pa.date32())
    hazards = ds.dataset(truth / "propensity.parquet").to_table(filter=on_the_day)
    uplifts = ds.dataset(truth / "uplift.parquet").to_table()
    hazard, uplift = (
        _of_options(options, known, name)
        for known, name in ((hazards, "propensity"), (uplifts, "uplift"))
    )
    return 1 - (1 - hazard) ** config.time.outcome_months, uplift


def _of_options(options: pa.Table, known: pa.Table, name: str) -> Floats:
    keys = ("customer_id", "product_id")
    wanted, there = (
        pc.binary_join_element_wise(*(rows[key].cast(pa.string()) for key in keys), "|")
        for rows in (options, known)
    )
    at = pc.index_in(wanted, value_set=there.combine_chunks())
    if at.null_count:
        raise SystemExit(f"{at.null_count} options have no known {name}")
    found: Floats = known[name].take(at).to_numpy()
    return found


def _tight(rows: pa.Table) -> tuple[str, ...]:
    """Limits of every kind that bind, by how much there is to choose from."""
    options = rows.num_rows
    return (
        "campaign.branch_capacity=40",
        "campaign.advisor_capacity=12",
        f"campaign.budget={options * 1.2:.2f}",
        f"campaign.product_quotas.mortgage={{max: {options // 40}}}",
        f"campaign.product_quotas.investment_fund={{max: {options // 30}}}",
        f"campaign.product_quotas.credit_card={{min: {options // 50}}}",
    )


def _print(limits: str, found: dict[str, Worth]) -> None:
    print(f"{limits + ' limits':<18}{'offers':>8}{'expected':>12}{'true':>12}{'added':>12}")
    for name, worth in found.items():
        print(
            f"{name:<18}{worth.offers:>8,}{worth.expected:>12,.2f}{worth.true:>12,.2f}"
            f"{worth.added:>12,.2f}"
        )


def _ratios(found: dict[str, Worth]) -> Iterator[tuple[str, float]]:
    """Ours ÷ theirs; above 1 is better."""
    ours = found[OURS]
    for name, worth in found.items():
        if name != OURS:
            slug = name.replace(" ", "_")
            yield f"expected_ratio_{slug}", round(ours.expected / worth.expected, 4)
            yield f"true_ratio_{slug}", round(ours.true / worth.true, 4)
    yield "added", round(ours.added, 2)


def _texts(options: pa.Table, name: str) -> NDArray[np.str_]:
    return np.asarray(options[name].to_pylist(), dtype=np.str_)


def _make(home: Home) -> None:
    xsell = str(Path(sys.executable).parent / "xsell")
    place = ["--home", str(home.path)]
    measured([xsell, "demo", *place, *DEFAULT_BANK])
    measured([xsell, "run", *place, "--as-of", AS_OF])


if __name__ == "__main__":
    main()
