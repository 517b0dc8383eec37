"""What became of offers: who was offered something, who was withheld by chance, and what followed.

The one table that effects, credit and reactions are computed from. Money is in whole cents.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pyarrow as pa

NAME = pa.dictionary(pa.int32(), pa.string())

# Grain: campaign × client × offer, of those offered and of the campaign's control.
OFFERS = pa.schema(
    [
        pa.field("campaign", NAME, nullable=False),  # run that made it
        pa.field("customer_id", pa.string(), nullable=False),  # the person by the as-of date
        pa.field("offer_id", NAME, nullable=False),
        pa.field("product_id", NAME, nullable=False),
        pa.field("is_treated", pa.bool_(), nullable=False),  # offered; else withheld by chance
        pa.field("is_exploration", pa.bool_(), nullable=False),
        # What it is cut by.
        pa.field("move", NAME, nullable=False),
        pa.field("kind", NAME, nullable=False),  # internal or partner
        pa.field("partner_id", NAME),
        pa.field("business_line", NAME, nullable=False),
        pa.field("bundle_id", NAME),
        pa.field("combination", NAME, nullable=False),  # core products held → what was offered
        pa.field("segment", NAME),  # as known before the campaign
        pa.field("branch_id", NAME, nullable=False),
        pa.field("advisor_id", NAME),
        pa.field("channel", NAME),
        pa.field("lever_code", NAME),
        # What was expected, and what it costs.
        pa.field("propensity", pa.float64()),
        pa.field("response", pa.float64()),
        pa.field("margin", pa.int64(), nullable=False),  # cents, of one sale over its horizon
        pa.field("contact_cost", pa.int64(), nullable=False),  # cents, of one contact
        pa.field("lever_cost", pa.int64(), nullable=False),  # cents, each time; 0 without a lever
        pa.field("lever_cost_when", NAME),  # accepted or offered
        # Whose sale it would be, as configured for the campaign.
        pa.field("credit_owner", NAME),
        pa.field("credit_share", pa.float64()),
        pa.field("referral_owner", NAME),
        pa.field("referral_share", pa.float64()),
        # What followed, as far as known before the as-of date of the measurement.
        pa.field("contacts", pa.int32(), nullable=False),  # about the product, to the window's end
        pa.field("contacted_on", pa.date32()),  # the first of them
        pa.field("disposition", NAME),  # the last result
        pa.field("disposition_on", pa.date32()),
        pa.field("bought_on", pa.date32()),  # first opened in the outcome window
        pa.field("is_cancelled", pa.bool_(), nullable=False),  # given back so soon: no sale
        pa.field("revenue", pa.int64(), nullable=False),  # cents: margin, if bought and kept
        pa.field("cost", pa.int64(), nullable=False),  # cents: contacts and lever, as they came
        pa.field("other_revenue", pa.int64(), nullable=False),  # cents: other products, same time
        pa.field(
            "later_revenue", pa.int64()
        ),  # cents: the same, in as many months after; null: not over
        # From the campaign to the window's end, whatever brought it about.
        pa.field("has_opted_out", pa.bool_(), nullable=False),
        pa.field("has_complained", pa.bool_(), nullable=False),
    ]
)

# Grain: client who was a client when the first of the measured campaigns was made.
CLIENTS = pa.schema(
    [
        pa.field("customer_id", pa.string(), nullable=False),
        pa.field("is_holdout", pa.bool_(), nullable=False),  # withheld from every campaign
        pa.field("segment", NAME),  # as known before the first campaign
        pa.field("expected", pa.int64(), nullable=False),  # cents: sum of propensity x margin then
        pa.field("revenue", pa.int64(), nullable=False),  # cents: margin of all bought since, kept
        pa.field("cost", pa.int64(), nullable=False),  # cents: contacts and levers since
        pa.field("has_opted_out", pa.bool_(), nullable=False),
        pa.field("has_complained", pa.bool_(), nullable=False),
    ]
)


@dataclass(frozen=True)
class Campaign:
    """A campaign that is measured.

    Attributes:
        run_id: The run that made it.
        campaign_id: Its name.
        as_of: Its as-of date.
        control_share: Chance of being withheld, of those who made the cut.
        opens: First day on which a purchase counts.
        ends: First day after the outcome window.
        is_matured: The window was over before the as-of date of the measurement.
        has_deliveries: Of the time since, purchases are known at all.
    """

    run_id: str
    campaign_id: str
    as_of: date
    control_share: float
    opens: date
    ends: date
    is_matured: bool
    has_deliveries: bool
