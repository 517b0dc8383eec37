"""The choice of `xsell campaign` for a million customers: options here, or in tasks of an engine.

`choice_parts.py CUSTOMERS ENGINE`: makes options as rows of text, as gates leave them, and chooses
twice, with a program each: all options in this process, and in parts where the engine is. Prints
and writes seconds and peaks of memory, of the process that decides and of all processes together.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from measure import measured, merge_result
from optimiser_options import make_options

from campaigns.choice import choose_among
from campaigns.competition import Terms
from campaigns.optimiser_problem import NO_GROUP, Ints
from conf.load import load_config
from conf.schema import CampaignSettings, EngineSettings, Quota
from jobs.campaigns import parts as campaign_parts
from jobs.engine import open_engine

CUSTOMERS, CHUNK = 1_000_000, 125_000
WITHHELD, SHARE_DRAWN = 0.1, 0.02


def main() -> None:
    """May be said: how many CUSTOMERS, and which ENGINE."""
    if len(sys.argv) > 3:  # noqa: PLR2004 - how this program starts itself
        _choose(sys.argv[1], Path(sys.argv[2]), sys.argv[3] == "here")
        return
    customers, engine = (*sys.argv[1:], *(str(CUSTOMERS), "embedded")[len(sys.argv) - 1 :])
    result: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="xsell-bench-") as folder:
        for number, first in enumerate(range(0, int(customers), CHUNK)):
            rows = _rows(number, min(CHUNK, int(customers) - first))
            pq.write_table(rows, Path(folder) / f"part-{number:05}.parquet")
        found = []
        for where in ("here", "parts"):
            run = measured([sys.executable, __file__, engine, folder, where])
            told = json.loads((Path(folder) / "found.json").read_text(encoding="utf-8"))
            found.append(told.pop("worth"))
            own = f"choice_{engine}_{where}"
            result |= {f"{own}_{name}_{customers}": value for name, value in told.items()}
            result[f"{own}_all_peak_mb_{customers}"] = run.peak_mb
    assert found[0] == found[1], found
    assert found[0][0] <= found[0][1], found
    merge_result("optimiser", result)


def _choose(engine: str, folder: Path, is_here: bool) -> None:
    """Choose, and write what it took."""
    if is_here:
        campaign_parts.OPTIONS_HERE = sys.maxsize
    terms = _terms()
    with (
        open_engine(EngineSettings(kind=engine, url="", shuffle_partitions=2)) as session,
        tempfile.TemporaryDirectory(dir=folder) as scratch,
    ):
        wall = time.monotonic()
        options = session.read.parquet(*sorted(map(str, folder.glob("*.parquet"))))
        sections = campaign_parts.sections_of(options, terms, Path(scratch))
        prepared = time.monotonic()
        choice = choose_among(sections, terms.settings)
        placed = sum(choice.placed.map(lambda one: len(one.rows)))
        told = {
            "seconds": round(time.monotonic() - wall, 1),
            "prepare_s": round(prepared - wall, 1),
            "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
            "gap": choice.plan.gap,
            "worth": [choice.plan.value, choice.plan.bound, choice.explored_value, placed],
        }
    (folder / "found.json").write_text(json.dumps(told), encoding="utf-8")


def _terms() -> Terms:
    config = load_config("local", ())
    settings = CampaignSettings(**{
        "campaign_id": "bench", "max_offers_per_customer": 2, "max_offers_per_household": 2,
        "branch_capacity": 60, "branch_capacity_overrides": {}, "min_expected_profit": Decimal(0),
        "control_share": WITHHELD, "global_holdout_share": 0.0, "salt": "salt",
        "advisor_capacity": 20, "budget": Decimal(120_000), "exploration_share": SHARE_DRAWN,
        "product_quotas": {"mortgage": Quota(min=500, max=2_500), "credit_card": Quota(max=2_500)},
    })  # fmt: skip
    return Terms(settings, config.products, config.offers, {}, {})


def _rows(number: int, customers: int) -> pa.Table:
    """Options of some customers, with branches of their own, as ``choice.competing`` gives them."""
    random = np.random.default_rng(number)
    made, config = make_options(customers, number + 1), load_config("local", ())
    problem, offers = made.problem, sorted(config.offers.items())
    classes = [config.products[one.product].fatigue_class for _, one in offers]
    limits = {limit.name: limit for limit in problem.limits}
    offer = limits["product"].group % len(offers)
    customer, count = problem.customer, len(problem)
    is_withheld = random.random(customers) < WITHHELD
    is_drawn = random.random(customers) < SHARE_DRAWN
    hashes = np.array([f"{one:032x}" for one in random.integers(0, 2**62, customers)], object)
    hashes[~is_drawn] = None
    return pa.table(
        {
            "customer_id": _names(f"C{number}-", customer),
            "household_id": _names(f"H{number}-", problem.household),
            "branch_id": _names(f"B{number}-", limits["branch"].group),
            "advisor_id": _names(f"A{number}-", limits["advisor"].group),
            "offer_id": pa.array([name for name, _ in offers]).take(pa.array(offer)),
            "product_id": pa.array([one.product for _, one in offers]).take(pa.array(offer)),
            "fatigue_class": pa.array(classes).take(pa.array(offer)),
            "event": pa.nulls(count, pa.string()),
            "exploration_hash": pa.array(hashes, pa.string()).take(pa.array(customer)),
            "channel": pa.array(["branch"]).take(pa.array(np.zeros(count, np.int64))),
            "lever_code": pa.nulls(count, pa.string()),
            "propensity": made.propensity,
            "is_withheld": is_withheld[customer],
            "is_worth_it": np.ones(count, np.bool_),
            "way": np.zeros(count, np.int32),
            "class_contacts_left": np.ones(count, np.int32),
            "contacts_left_30d": np.full(count, 2, np.int32),
            "household_contacts_left": np.full(count, 2, np.int32),
            "profit_cents": problem.value,
            "cost_cents": np.full(count, 400),
            "lever_cents": np.zeros(count, np.int64),
        }
    )


def _names(prefix: str, group: Ints) -> pa.Array:
    names = pa.array([f"{prefix}{one:06}" for one in range(int(group.max()) + 1)])
    return names.take(pa.array(group, mask=group == NO_GROUP))


if __name__ == "__main__":
    main()
