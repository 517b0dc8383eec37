"""The bank's own randomised history: whom past campaigns offered what, and whom chance kept back.

Whoever was *offered* something counts as treated, reached or not: whom a branch manages to reach is
no matter of chance, and an offer can only be valued as it is worked in fact (intention to treat).
Whom chance chose for (exploration) was offered or kept back by the same draw as all others, so that
the chance of each row is known alike; ``choice_probability`` in the decisions is how likely that
offer was for that client, for whoever wants to learn of all clients and not of those chosen.
The control is the campaign's own. The global holdout is left out, though it is drawn by hash, too:
nobody in it ever had a contact, so that caps and cool-offs let its members into campaigns in which
others like them are missing, and what they buy would tell of all contacts ever, not of this offer.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import functions as F

from conf.schema import RunConfig
from jobs.run import Run
from jobs.scratch import kept
from models.labels import outcome_window, purchases
from tables.derived import DECISIONS
from tables.reason_codes import Outcome
from tables.runs import RunRecord, Runs
from tables.sources import HOLDINGS
from tables.store import Store
from tables.windows import months_before

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

log = logging.getLogger(__name__)
CONTACTS = pa.schema(
    [
        ("cohort", pa.date32()),
        ("customer_id", pa.string()),
        ("product_id", pa.string()),
        ("is_treated", pa.bool_()),
        ("has_bought", pa.bool_()),
        ("chance", pa.float64()),
        ("propensity", pa.float64()),
    ]
)
FURTHEST = 4.0  # standard deviations; chance alone goes further in one campaign out of 16,000


def past_campaigns(tables: Path, as_of: date, config: RunConfig) -> list[RunRecord]:
    """Campaigns with a control group whose outcomes are known before ``as_of``, oldest first.

    Of several runs for one month the last one committed stands, as it does for everybody else.
    """
    oldest = months_before(as_of, config.models.uplift_history_months)
    standing = {run.as_of: run for run in Runs(tables).committed() if run.step == "campaign"}
    return [
        record
        for cohort, record in sorted(standing.items())
        if oldest <= cohort
        and outcome_window(cohort, config.time)[1] <= as_of
        and 0 < control_share(record) < 1
    ]


def control_share(campaign: RunRecord) -> float:
    """The share kept back of those who made the cut, as the campaign was configured."""
    return float(json.loads(campaign.config)["campaign"]["control_share"])


def past_contacts(run: Run, campaigns: Sequence[RunRecord], scratch: Path) -> pa.Table:
    """Who was offered something and who was kept back from it, shaped ``CONTACTS``.

    Args:
        run: The training run: purchases count as known before its as-of date.
        campaigns: At least one.
        scratch: A folder for intermediate results.

    Returns:
        One row per cohort, customer and product, with the chance of having been offered it and the
        propensity of that time. A campaign that did not keep back the share it was to is left out.
    """
    since = F.lit(campaigns[0].as_of)
    holdings = run.store.known_before(HOLDINGS, run.as_of).where(F.col("opened_on") >= since)
    opened = kept(holdings.select("customer_id", "product_id", "opened_on"), scratch / "opened")
    parts = [_contacts(run, campaign, opened) for campaign in campaigns]
    drawn = [
        rows
        for rows, campaign in zip(parts, campaigns, strict=True)
        if _is_as_drawn(rows, campaign)
    ]
    return pa.concat_tables([CONTACTS.empty_table(), *drawn])


def _contacts(run: Run, campaign: RunRecord, opened: DataFrame) -> pa.Table:
    pinned = Store(run.store.folder, run.spark, campaign.pins)
    decisions = pinned.snapshot(DECISIONS, campaign.as_of)
    is_offered = F.col("outcome") == str(Outcome.OFFERED)
    is_still_sold = F.col("product_id").isin(*run.config.products)
    # A renewal or a package is another thing than the product alone.
    is_of_product = ~F.col("move").isin("renewal", "bundle")
    is_compared = is_offered | F.col("is_in_control_group")
    chosen = decisions.where(is_compared & is_still_sold & is_of_product)
    # The right key is unique: purchases are grouped by it.
    bought = purchases(opened, campaign.as_of, run.config.time)
    has_bought = F.array_contains("bought_products", F.col("product_id"))
    rows = chosen.join(bought, "customer_id", how="left").select(
        F.lit(campaign.as_of).alias("cohort"),
        "customer_id",
        "product_id",
        is_offered.alias("is_treated"),
        F.coalesce(has_bought, F.lit(False)).alias("has_bought"),
        F.lit(1 - control_share(campaign)).alias("chance"),
        "propensity",
    )
    return rows.toArrow().cast(CONTACTS)


def _is_as_drawn(rows: pa.Table, campaign: RunRecord) -> bool:
    share = control_share(campaign)
    control = rows.filter(pc.invert(rows["is_treated"]))
    customers, held_back = (
        pc.count_distinct(some["customer_id"]).as_py() for some in (rows, control)
    )
    if is_as_drawn(customers, held_back, share):
        return True
    log.warning(
        "campaign %s is left out of the uplift history: %d of %d customers were kept back, where"
        " campaign.control_share was %s. Look what changed its lists after the draw",
        campaign.as_of,
        held_back,
        customers,
        share,
    )
    return False


def is_as_drawn(customers: int, held_back: int, share: float) -> bool:
    """About as many customers are in the control as the share says; else it was not chance.

    Args:
        customers: Who made the cut.
        held_back: Of them in the control.
        share: Chance of being kept back.
    """
    spread = math.sqrt(share * (1 - share) * customers)
    return abs(held_back - share * customers) <= FURTHEST * spread
