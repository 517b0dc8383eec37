"""What the values of the campaign lists mean: what a branch may rely on."""

from __future__ import annotations

from pyspark.sql import functions as F

from conf.schema import CampaignSettings
from expectations.measures import (
    count_where,
    differs_within,
    groups_larger_than,
    groups_not_ranked_densely,
    repeated,
)
from expectations.rules import (
    matches,
    not_before,
    not_blank,
    one_of,
    present,
    rows_at_least,
    within,
)
from expectations.suite import Fact, Suite
from tables.derived import CAMPAIGN_LISTS

MOVES = ("cross_sell_internal", "cross_sell_partner", "up_sell", "renewal", "bundle")
SENTENCES = ("reason_1", "client_benefit", "talking_point_id", "consent_basis", "channel")
MOST_MONEY = 10**15
SMALLEST_PART = 1e-9
CALLERS = ("advisor", "branch", "branch_director")


def campaign_lists_suite(campaign: CampaignSettings) -> Suite:
    """The contract of the lists of one campaign and as-of date."""
    parts = F.col("credit_share") + F.coalesce("referral_share", F.lit(0.0))
    return Suite(
        CAMPAIGN_LISTS,
        rules=(
            # A small bank may have nobody to contact in a month; a person should look.
            rows_at_least(1, "warning"),
            *present(CAMPAIGN_LISTS),
            within("propensity", 0, 1, strict=True),
            within("expected_profit", -MOST_MONEY, MOST_MONEY, strict=True),
            within("contacts_left_30d", 1, 1_000),
            not_before("valid_to", "valid_from"),
            not_before("valid_from", "as_of"),
            one_of("kind", ("internal", "partner")),
            one_of("move", MOVES),
            one_of("caller", CALLERS),
            matches("log_leaf", "^[0-9a-f]{64}$", "a SHA-256 in hex"),
            *(not_blank(column) for column in SENTENCES),
        ),
        facts=(
            Fact("no key occurs twice", repeated(CAMPAIGN_LISTS.key)),
            Fact("no offer is made to a customer twice", repeated(("customer_id", "offer_id"))),
            Fact(
                f"nobody gets more than {campaign.max_offers_per_customer} offers",
                groups_larger_than("customer_id", campaign.max_offers_per_customer),
            ),
            Fact(
                "no branch has more offers than its capacity",
                groups_larger_than(
                    "branch_id", campaign.branch_capacity, campaign.branch_capacity_overrides
                ),
            ),
            Fact(
                "the ranks of a branch are 1, 2, 3, …",
                groups_not_ranked_densely("branch_id", "rank_in_branch"),
            ),
            Fact("all rows are of one run", differs_within("run_id")),
            Fact(
                f"every offer earns at least {campaign.min_expected_profit}",
                count_where(
                    (F.col("expected_profit") < F.lit(campaign.min_expected_profit))
                    & ~F.col("is_exploration")
                ),
            ),
            Fact(
                "every offer but those of chance is worth something",
                count_where((F.col("expected_profit") <= 0) & ~F.col("is_exploration")),
            ),
            Fact(
                f"chance chooses at most {campaign.exploration_share:g} of a branch's capacity",
                groups_larger_than(
                    "branch_id",
                    _of_chance(campaign, campaign.branch_capacity),
                    {
                        branch: _of_chance(campaign, places)
                        for branch, places in campaign.branch_capacity_overrides.items()
                    },
                    of=F.col("is_exploration"),
                ),
            ),
            Fact(
                "whoever refers a client is not who closes the sale, and both make a whole",
                count_where(
                    F.col("referral_owner").eqNullSafe(F.col("credit_owner"))
                    | (F.abs(parts - 1) > SMALLEST_PART)
                ),
            ),
            Fact(
                "a partner's offer names the partner, an own one none",
                count_where((F.col("kind") == "partner") != F.col("partner_id").isNotNull()),
            ),
            Fact(
                "a cross-sell is of the kind that its move says",
                count_where(
                    F.col("move").startswith("cross_sell_")
                    & (F.col("move") != F.concat(F.lit("cross_sell_"), F.col("kind")))
                ),
            ),
        ),
    )


def _of_chance(campaign: CampaignSettings, contacts: int) -> int:
    """How many of a branch's contacts chance may have."""
    return int(campaign.exploration_share * contacts + SMALLEST_PART)
