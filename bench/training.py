"""How near do the demo bank's models come to its planted truth, on customers nobody trained on?

The truth is the monthly hazard h that drew the purchases, as it was on the day of the test cohort;
over m outcome months it comes to 1 - (1 - h)^m. But for luck, no model can rank or predict better.

An ECE of few customers is above 0 for the truth itself: whoever buys is drawn. Beside the model's
there are therefore the truth's own on the same customers; the model's less what chance alone gives
on average; and, without any luck, how far propensities are from the truth in the same ten bins.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import fmean

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from measure import AS_OF, DEFAULT_BANK, measured, merge_result

from conf.load import load_config
from jobs.home import Home
from jobs.train_propensity import training_table
from models.evaluate import ECE_BINS, Estimate, evaluate
from models.labels import cohorts
from models.matrix import Vector
from models.registry import champions
from models.scorer import Champion
from tables.derived import LABELS
from tables.runs import Runs
from tables.store import Store

BOOTSTRAP_SAMPLES, SEED = 1000, 1


@dataclass(frozen=True)
class Compared:
    """One product's figures on the test cohort.

    Attributes:
        buyers: How many bought.
        customers: How many could.
        model: What the model's propensities are worth.
        truth: What the true ones are worth.
        from_truth: Mean distance of both, in ten bins of the model's propensities.
    """

    buyers: int
    customers: int
    model: dict[str, Estimate]
    truth: dict[str, Estimate]
    from_truth: float

    @property
    def ece_debiased(self) -> float:
        """What is left of the ECE without the mean of what chance alone gives."""
        return max(0.0, self.model["ece"].value - self.model["ece_by_chance"].value)

    def ratio(self, metric: str) -> float:
        """The model's figure ÷ the truth's."""
        return self.model[metric].value / self.truth[metric].value


def main() -> None:
    """Make the default demo bank and its month, unless a home that has both is given."""
    with tempfile.TemporaryDirectory(prefix="xsell-bench-") as folder:
        home = Home(Path(sys.argv[1] if len(sys.argv) > 1 else folder).resolve())
        if not home.tables.exists():
            _make(home)
        found = dict(compared(home, date.fromisoformat(AS_OF)))
    _print(found)
    merge_result(
        "training",
        {
            "demo_auc_ratio": round(fmean(found[name].ratio("auc") for name in found), 4),
            # Means over products, as the ratios are; then of the worst product.
            "demo_ece": round(fmean(one.model["ece"].value for one in found.values()), 4),
            "demo_ece_of_truth": round(fmean(one.truth["ece"].value for one in found.values()), 4),
            "demo_ece_worst": round(max(one.model["ece"].value for one in found.values()), 4),
            "demo_ece_worst_of_truth": round(
                max(one.truth["ece"].value for one in found.values()), 4
            ),
            "demo_ece_debiased": round(max(one.ece_debiased for one in found.values()), 4),
            "demo_ece_from_truth": round(max(one.from_truth for one in found.values()), 4),
            "demo_logloss_ratio": round(fmean(found[name].ratio("log_loss") for name in found), 4),
        },
    )


def compared(home: Home, as_of: date) -> Iterator[tuple[str, Compared]]:
    """Model and truth of every product on the test cohort of the training run for ``as_of``."""
    config = load_config("local")
    products = tuple(config.products)
    record = Runs(home.tables).current("train", as_of)
    if record is None:
        raise SystemExit(f"no model was trained for {as_of} in {home.path}")
    test = cohorts(as_of, config.time).test
    store = Store(home.tables, None, record.pins)
    at_test = pc.field("cohort") == pa.scalar(test, pa.date32())
    customers = store.arrow(training_table(products), as_of).filter(at_test)
    labels = store.arrow(LABELS, as_of).filter(at_test)
    for product_id, champion in champions(config, home.path).items():
        rows = _beside_truth(home, champion, customers, labels, test)
        has_bought = rows["has_bought"].to_numpy(zero_copy_only=False)
        truth = 1 - (1 - rows["hazard"].to_numpy()) ** config.time.outcome_months
        model = rows["propensity"].to_numpy()
        yield (
            product_id,
            Compared(
                buyers=int(has_bought.sum()),
                customers=len(has_bought),
                model=evaluate(model, has_bought, BOOTSTRAP_SAMPLES, SEED),
                truth=evaluate(truth, has_bought, BOOTSTRAP_SAMPLES, SEED),
                from_truth=_distance(model, truth),
            ),
        )


def _distance(model: Vector, truth: Vector) -> float:
    """ECE with the truth in place of what happened."""
    bins = np.array_split(np.argsort(-model, kind="stable"), ECE_BINS)
    return float(sum(abs((model[some] - truth[some]).sum()) for some in bins) / len(model))


def _make(home: Home) -> None:
    xsell = str(Path(sys.executable).parent / "xsell")
    place = ["--home", str(home.path)]
    measured([xsell, "demo", *place, *DEFAULT_BANK])
    measured([xsell, "run", *place, "--as-of", AS_OF])


def _beside_truth(
    home: Home, champion: Champion, customers: pa.Table, labels: pa.Table, test: date
) -> pa.Table:
    """Outcome, propensity and true hazard of everybody who could buy the product."""
    of_product = pc.field("product_id") == champion.product_id
    propensity = pa.table(
        {
            "customer_id": customers["customer_id"],
            "propensity": champion.scorer.propensities(customers),
        }
    )
    on_the_day = of_product & (pc.field("as_of") == pa.scalar(test, pa.date32()))
    truth = ds.dataset(home.path / "truth" / "propensity.parquet").to_table(filter=on_the_day)
    hazard = truth.select(["customer_id", "propensity"]).rename_columns(["customer_id", "hazard"])
    could_buy = labels.filter(of_product)
    rows = could_buy.join(propensity, "customer_id", join_type="inner")
    rows = rows.join(hazard, "customer_id", join_type="inner")
    if rows.num_rows != could_buy.num_rows:
        missing = could_buy.num_rows - rows.num_rows
        raise SystemExit(f"{champion.product_id}: {missing} customers have no known truth")
    return rows.sort_by("customer_id")


def _print(found: dict[str, Compared]) -> None:
    print(
        f"{'product':<18}{'buyers':>7} of {'customers':>10}   AUC [95 %]           of the truth"
        "           ratio    ECE  by chance  truth's  from truth  log loss ÷ truth's"
    )
    for product_id, figures in found.items():
        print(
            f"{product_id:<18}{figures.buyers:>7,} of {figures.customers:>10,}"
            f"   {_interval(figures.model['auc'])}  {_interval(figures.truth['auc'])}"
            f"   {figures.ratio('auc'):.3f}  {figures.model['ece'].value:.4f}"
            f"     {figures.model['ece_by_chance'].value:.4f}   {figures.truth['ece'].value:.4f}"
            f"      {figures.from_truth:.4f}  {figures.ratio('log_loss'):>18.4f}"
        )


def _interval(estimate: Estimate) -> str:
    return f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"


if __name__ == "__main__":
    main()
