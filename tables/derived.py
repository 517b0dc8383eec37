"""The tables a run publishes; `customer_features` is declared by the feature catalogue."""

from __future__ import annotations

from tables.base import Table, columns
from tables.sources import MONEY

AS_OF = "as_of date -- cut-off, exclusive: nothing known on or after it was used"
CUSTOMER = "customer_id string -- the bank's identifier of the customer"
PRODUCT = "product_id string -- the product, as in conf/base/products.yaml"

DELIVERIES = Table(
    name="deliveries",
    grain="one row per delivered table of a delivery",
    key=("delivery", "table_name"),
    kind="record",
    columns=columns(
        "delivery date -- day of the delivery",
        "table_name string -- delivered table",
        "manifest_sha256 string -- digest of the delivery's manifest",
        "rows_in bigint -- rows read",
        "rows_accepted bigint -- rows that count, repeated ones included",
        "rows_quarantined bigint -- rows set aside with a reason",
        "rows_erased bigint? -- rows of erased clients, of which nothing was kept; null before"
        " anybody could be erased",
    ),
)

QUARANTINE = Table(
    name="quarantine",
    grain="one row per rejected source row, rule it broke and column",
    key=("delivery", "table_name", "file_name", "row_number", "rule", "column_name"),
    kind="record",
    columns=columns(
        "delivery date -- day of the delivery",
        "table_name string -- delivered table",
        "file_name string -- file within the delivery",
        "row_number bigint -- row in the file, from 1, the header not counted",
        "rule string -- the rule that was broken",
        "column_name string -- the column concerned, or the columns of a key",
        "value string? -- the offending value",
        "raw_row string -- the row as delivered, JSON",
    ),
)

TRAINING_SET = Table(
    name="training_set",
    grain="one row per sampled customer and cohort of a training run; the features follow",
    key=("as_of", "cohort", "customer_id"),
    kind="derived",
    partition="as_of",
    columns=columns(
        "as_of date -- as-of date of the training run",
        "cohort date -- as-of date of the snapshot",
        CUSTOMER,
        "part string -- train: all buyers and a share of the others; calibration or test: a share"
        " of all",
        "weight double -- how many customers of the cohort the row stands for: 1 / its chance to be"
        " sampled",
    ),
)

LABELS = Table(
    name="labels",
    grain="one row per sampled customer, product and cohort in which the customer could buy it",
    key=("as_of", "cohort", "customer_id", "product_id"),
    kind="derived",
    partition="as_of",
    columns=columns(
        "as_of date -- as-of date of the training run; labels known before it",
        "cohort date -- as-of date of the snapshot",
        CUSTOMER,
        PRODUCT,
        "has_bought boolean -- opened in [cohort + gap, cohort + gap + outcome window)",
    ),
)

PROPENSITY_SCORES = Table(
    name="propensity_scores",
    grain="one row per active customer, active product and as-of date",
    key=("as_of", "customer_id", "product_id"),
    kind="derived",
    partition="as_of",
    columns=columns(
        AS_OF,
        CUSTOMER,
        PRODUCT,
        "propensity double -- calibrated probability of purchase in the outcome window",
        "model_name string -- registered model that scored",
        "model_version int -- its version",
        "model_kind string -- booster, pooled or segment_rate",
        "feature_version bigint -- version of customer_features that was scored",
        "uplift double? -- what an offer adds to the probability of purchase, negative where it"
        " puts off; null of all rows unless a model of it is in use",
        "uplift_version int? -- version of xsell_uplift behind it",
    ),
)

DECISIONS = Table(
    name="decisions",
    grain="one row per customer, offer and run",
    key=("as_of", "customer_id", "offer_id"),
    kind="derived",
    partition="as_of",
    columns=columns(
        AS_OF,
        "run_id string -- the run that decided",
        "campaign_id string -- the campaign it belongs to",
        CUSTOMER,
        "offer_id string -- the offer, as in conf/base/offers.yaml",
        PRODUCT,
        "branch_id string -- branch that serves the customer",
        "household_id string? -- people who live together",
        "move string -- cross_sell_internal, cross_sell_partner, up_sell, renewal or bundle",
        "channel string? -- how the client is contacted, or would best be; null without consent to"
        " any",
        "outcome string -- offered, control, outranked, over_capacity, suppressed or ineligible",
        "failed_gates array<string> -- every gate that failed, sorted; none hides another",
        "care_treatment string? -- help given instead of a sales offer",
        "propensity double? -- calibrated probability of purchase; null for who is not active; of a"
        " renewal the share that renewed, of a bundle that of product_id",
        f"margin {MONEY} -- expected margin of one sale over its horizon; of a bundle that of what"
        " is not held, less what the package saves the client",
        f"contact_cost {MONEY} -- cost of one contact",
        f"expected_profit {MONEY}? -- response x margin - contact cost - what the lever costs",
        "rank_in_customer int? -- place among the customer's offers that passed every gate",
        "rank_in_branch int? -- place on the branch's list",
        "is_in_global_holdout boolean -- withheld from every campaign",
        "is_in_control_group boolean -- withheld from this campaign, by salted hash",
        "contacts_left_30d int -- contacts the policy still allows in 30 days",
        "consent_basis string? -- purpose and channel of the consent relied on",
        "consent_checked_at timestamp -- consents recorded before this instant were considered",
        "model_name string? -- registered model that scored",
        "model_version int? -- its version",
        "response double? -- purchases that the offer is expected to bring, made in this way: the"
        " uplift, or the propensity where no model of uplift is in use (of a renewal the share that"
        " renewed, of a bundle the least of what is not held), times the channel's factor, and what"
        " the lever adds",
        "response_basis string? -- uplift, propensity, renewal_rate or least_component; null"
        " without any",
        "uplift_version int? -- version of xsell_uplift, where response is uplift",
        "failed_rules array<struct<rule:string,version:string,passes_on:date>> -- the rule of each"
        " failed gate, in the same order, with its version and the first day on which it passes if"
        " nothing else happens; null: never by time alone",
        "passes_again_on date? -- the latest of these days; null if a rule has none, or none"
        " failed",
        "rules_version string -- digest of all rules asked about the offer, in their versions",
        "event string? -- what makes an offer with a trigger due; null where it is not due",
        "event_on date? -- the day of that, where it is known by day",
        "lever_code string? -- lever that goes with the offer, as in conf/base/levers.yaml; null:"
        " none",
        f"lever_limit {MONEY}? -- most that may be granted",
        f"lever_cost {MONEY}? -- what the lever costs, each time",
        "lever_cost_when string? -- accepted: where the offer is; offered: whatever comes of it",
        "acceptance double? -- probability that the client accepts the offer, made in this way;"
        " whoever would have bought anyway accepts, too",
        "is_exploration boolean -- chosen by chance, so that the bank learns from it; it need not"
        " be worth it",
        "choice_probability double? -- of an exploration: that chance chose this offer in this way"
        " for the client, who was drawn; null: not by chance",
    ),
)

CAMPAIGN_LISTS = Table(
    name="campaign_lists",
    grain="one row per customer and offer on a list",
    key=("branch_id", "rank_in_branch"),
    kind="derived",
    partition="as_of",
    columns=columns(
        "run_id string -- the run that made the list",
        "campaign_id string -- the campaign it belongs to",
        AS_OF,
        "branch_id string -- branch that works through the list",
        "advisor_id string? -- the client's advisor",
        CUSTOMER,
        "offer_id string -- what to offer",
        PRODUCT,
        "kind string -- internal or partner",
        "partner_id string? -- whose product it is",
        "move string -- cross_sell_internal, cross_sell_partner, up_sell, renewal or bundle",
        "bundle_id string? -- the bundle that is offered",
        "lever_code string? -- lever that goes with it, as in conf/base/levers.yaml; null: none",
        f"lever_limit {MONEY}? -- most that may be granted",
        "rank_in_branch int -- place on the list, from 1",
        "propensity double -- calibrated probability of purchase",
        f"expected_profit {MONEY} -- response x margin - contact cost, where response is the"
        " propensity or, if a model of it is in use, the uplift; decisions tell which",
        "reason_1 string -- why this client, in a sentence about the client's own behaviour that"
        " raised the propensity",
        "reason_2 string? -- second reason",
        "reason_3 string? -- third reason",
        "client_benefit string -- what the client gains",
        "talking_point_id string -- how to open the conversation",
        "channel string -- how to contact",
        "consent_basis string -- purpose and channel of the consent relied on",
        "consent_checked_at timestamp -- consents recorded before this instant were considered",
        "contacts_left_30d int -- contacts the policy still allows in 30 days, this one included",
        "valid_from date -- first day of the offer; after an event, of contact about it",
        "valid_to date -- last day of the offer; after an event, of contact about it",
        "credit_owner string? -- who is credited with a sale: an advisor, a branch or a partner",
        "referral_owner string? -- who is credited with having referred the client; null where who"
        " holds the relationship closes the sale",
        "log_leaf string -- RFC 9162 leaf hash of the decision in the offer log, hex",
        f"package_price {MONEY}? -- what the bundle costs the client as a whole",
        "component_prices string? -- what each of its products costs alone; each can be had alone",
        "event string? -- what makes the offer due now",
        "event_on date? -- the day of that, where it is known by day",
        "caller string -- who makes the contact: advisor (the client's), branch or branch_director",
        "credit_share double -- part of the credit that is credit_owner's",
        "referral_share double? -- part that is referral_owner's; null without one",
        "is_exploration boolean -- chosen by chance, so that the bank learns from it; it need not"
        " be worth it",
    ),
)

CARE_LISTS = Table(
    name="care_lists",
    grain="one row per customer who gets help instead of a sales offer",
    key=("branch_id", "customer_id"),
    kind="derived",
    partition="as_of",
    columns=columns(
        "run_id string -- the run that made the list",
        AS_OF,
        "branch_id string -- branch that calls",
        "advisor_id string? -- the client's advisor",
        CUSTOMER,
        "care_treatment string -- what the client is helped with",
        "why string -- what the branch is told of the reason, and no more than it needs",
        "what_to_do string -- what the branch does",
        "may_contact boolean -- the branch may turn to the client by itself",
        "contact string -- whom it turns to, and how",
        "valid_from date -- first day on which this holds",
        "valid_until date -- last day: the reason ends, or the next list takes its place",
    ),
)

OFFER_LOG = Table(
    name="offer_log",
    grain="one row per decision of a run",
    key=("run_id", "position"),
    kind="record",
    columns=columns(
        "run_id string -- the run that decided",
        "position bigint -- place of the line among those of the run, from 0",
        "client string? -- pseudonym of the customer; null once erased",
        "offer_id string -- the offer decided about",
        "line string? -- the decision as canonical JSON, under the pseudonym; null once erased",
        "leaf string -- RFC 9162 leaf hash of a salt that only the vault tells and the line, hex",
    ),
)

VAULT = Table(
    name="vault",
    grain="one row per customer about whom something was decided",
    key=("customer_id",),
    kind="record",
    columns=columns(
        CUSTOMER,
        "client string -- pseudonym of the customer in the offer log, 128 bits, hex",
        "secret string -- from which the salts of the customer's lines are made, 256 bits, hex",
    ),
)

CHECKPOINTS = Table(
    name="checkpoints",
    grain="one row per run that decided",
    key=("run_id",),
    kind="record",
    columns=columns(
        "run_id string -- the run whose lines are the last ones",
        "first_entry bigint -- place of its first entry in the whole log, from 0",
        "size bigint -- entries of the whole log",
        "peaks string -- roots of the full trees that it consists of, hex, the largest first",
        "note string -- the checkpoint: name, size and root of the log, signed (C2SP)",
        "statement string -- last entry of the run: the digest of every list file it published,"
        " canonical JSON",
    ),
)

DISPOSITIONS = Table(
    name="dispositions",
    grain="one row per contact that a branch has returned the result of",
    key=("customer_id", "offer_id", "disposition_at"),
    kind="record",
    columns=columns(
        CUSTOMER,
        "offer_id string -- what was offered",
        "disposition_at timestamp -- when the client said so, UTC",
        "disposition string -- contacted, no_answer, interested, sold, refused, opt_out,"
        " unsuitable, wrong_person or complaint",
        "channel string -- branch, phone, email, sms, post or app",
        "advisor_id string? -- who made the contact",
        "note_code string? -- the bank's code for a remark; no text is kept",
        "product_id string? -- product of the offer; null for an opt-out that is on no list",
        "branch_id string? -- whose list the offer was on; null likewise",
        "run_id string? -- the run that made that list; null likewise",
        "campaign_id string? -- its campaign; null likewise",
        "as_of date? -- its as-of date; null likewise",
        "has_consent boolean? -- at that time, so far as was known when the result came, the client"
        " might be contacted so; null where no list says what about",
        "recorded_at timestamp -- when the result was known: never before a campaign that was made"
        " without it, UTC",
        "file_sha256 string -- digest of the file that brought it",
    ),
)

QUARANTINED_DISPOSITIONS = Table(
    name="quarantined_dispositions",
    grain="one row per returned result that was set aside",
    key=("file_sha256", "row_number"),
    kind="record",
    columns=columns(
        "file_sha256 string -- digest of the file that brought it",
        "row_number bigint -- row in the file, from 1, the header not counted",
        "rule string -- why it was set aside",
        "raw_row string -- the columns that are read, as returned, JSON",
        "recorded_at timestamp -- when it came, as for dispositions, UTC",
    ),
)

EXPORTS = Table(
    name="exports",
    grain="one row per export of a campaign's lists",
    key=("export_id",),
    kind="record",
    columns=columns(
        "export_id string -- hash of what was exported; the same export again adds no row",
        "run_id string -- the run that made the lists",
        "campaign_id string -- the campaign they belong to",
        "as_of date -- as-of date of the campaign",
        "branch_id string? -- whose list was exported; null: every branch's",
        "known_before date -- consents, objections and flags recorded before it were checked",
        "row_count bigint -- rows that were exported",
        "recalled_row_count bigint -- rows that were left out, because something was withdrawn",
        "manifest_sha256 string -- digest of the manifest, which names the digest of every file",
    ),
)

CAMPAIGN_RESULTS = Table(
    name="campaign_results",
    grain="one row per campaign, what it is held against, cut, value of the cut and measure",
    key=("as_of", "campaign", "against", "cut", "value", "measure"),
    kind="derived",
    partition="as_of",
    columns=columns(
        "as_of date -- what was known before it is measured",
        "run_id string -- the run that measured",
        "campaign string -- run that made the campaign, or all",
        "campaign_id string? -- its name; null of all together",
        "campaign_as_of date? -- its as-of date; null of all together",
        "against string -- campaign_control: who made the cut and was withheld by chance;"
        " global_holdout: who is withheld from every campaign",
        "cut string -- what campaigns are divided by: all, product, combination, move, segment,"
        " branch, advisor, channel, partner, business_line, lever or exploration",
        "value string -- which part",
        "measure string -- response (bought what was offered), revenue, cost, profit, other_profit"
        " (of other products in the same time), later_profit (of the same product in the months"
        " after), total_profit (of everything), opt_out, complaint",
        "state string -- measured, or why not: too_few, no_control, not_randomised, not_matured,"
        " before_contact or no_outcome",
        "treated bigint -- clients who were offered something",
        "control bigint -- clients it is held against",
        "treated_mean double? -- the measure per client offered; money in the bank's currency",
        "control_mean double? -- the same of the control",
        "effect double? -- caused per client offered",
        "effect_low double? -- lower end of its 95 % interval",
        "effect_high double? -- upper end",
        "total double? -- caused in all",
        "total_low double? -- lower end of its 95 % interval",
        "total_high double? -- upper end",
        "p_value double? -- how often chance alone would show as much",
        "q_value double? -- share of chance among all parts of the cut told as sure from it on",
        "is_sure boolean -- told as sure: q_value within measurement.effect.max_false_share",
        "detectable double? -- least effect per client that such arms find four times out of five",
        "method string? -- how effect and interval were computed",
        "note string? -- what a reader must know of it, in words",
    ),
)

ERASED = Table(
    name="erased",
    grain="one row per identifier of an erased client",
    key=("identifier_hash",),
    kind="record",
    columns=columns(
        "identifier_hash string -- HMAC with SHA-256 of the identifier under log/keys/erased.key,"
        " hex: who is delivered again is known by it and not taken",
        "run_id string -- the run that erased the client, or that found another account",
    ),
)

DERIVED = (
    DELIVERIES,
    QUARANTINE,
    TRAINING_SET,
    LABELS,
    PROPENSITY_SCORES,
    DECISIONS,
    CAMPAIGN_LISTS,
    CARE_LISTS,
    OFFER_LOG,
    VAULT,
    CHECKPOINTS,
    DISPOSITIONS,
    QUARANTINED_DISPOSITIONS,
    EXPORTS,
    CAMPAIGN_RESULTS,
    ERASED,
)
