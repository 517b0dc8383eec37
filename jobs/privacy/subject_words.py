"""What a client is told about each table that holds something about them, and how offers arise."""

from __future__ import annotations

from collections.abc import Mapping

from tables.reason_codes import Outcome

# For what each table is there, to a person who has never heard of it.
ABOUT: Mapping[str, str] = {
    "customers": "Your master data as the bank delivered them, in every version. Birth date and"
    " gender decide nothing but age limits of products and whether models treat groups alike.",
    "customer_merges": "Records of you that the bank found to be one person.",
    "accounts": "Your accounts, to know which bookings are yours.",
    "transactions": "Your bookings, from which the facts about your money are computed.",
    "holdings": "The products you hold or held.",
    "consents": "What you allowed or refused, and when. It decides whether and how you may be"
    " contacted, and whether your data may be used to choose offers.",
    "flags": "Signs that you may need help or peace. While some hold, you get no sales offer.",
    "contacts": "When you were contacted, about what, and what came of it. It limits how often you"
    " are contacted.",
    "quarantine": "Rows about you that were delivered with a mistake and not used.",
    "customer_features": "Facts computed about you from the tables above, a month at a time.",
    "training_set": "The same facts of months past, from which models learned, with those of many"
    " others.",
    "labels": "Whether you bought a product in a month past, from which models learned.",
    "propensity_scores": "How likely models think you are to buy each product.",
    "decisions": "Every decision about every offer to you, with all that spoke against it.",
    "campaign_lists": "What your branch was given to offer you, and why.",
    "care_lists": "Help that your branch was given to offer you.",
    "offer_log": "The same decisions under a pseudonym, sealed so that nobody can change them.",
    "vault": "Your pseudonym in that log, and the secret that protects it.",
    "dispositions": "What a branch told of its contacts with you.",
    "quarantined_dispositions": "What a branch told of you that could not be used.",
}
# Whose values would let others do harm are not written into a report that is sent about.
NOT_SHOWN: Mapping[str, tuple[str, ...]] = {"vault": ("secret",)}

TITLE = "What the offer system of the bank holds about you"
KEPT = (
    "What is listed here is kept until the bank deletes it; nothing is deleted by age. If you ask"
    " to be erased (GDPR art. 17), all of it goes but what leads to nobody: hashes in the sealed"
    " log, a keyed hash of your number, and figures and models made of many clients."
)
BECAME: Mapping[Outcome, str] = {
    Outcome.OFFERED: "was put on your branch's list",
    Outcome.CONTROL: "was withheld by chance, so that the bank can measure what its offers do",
    Outcome.OUTRANKED: "gave way to another offer to you or your household",
    Outcome.OVER_CAPACITY: "was not made for want of room on the lists",
    Outcome.SUPPRESSED: "was not made, because you were not to be contacted about it",
    Outcome.INELIGIBLE: "was not made, because you could not have the product",
}

LOGIC = (
    "Once a month facts are computed about you from what the bank's systems knew by then: what"
    " comes in and goes out, which products you hold, how you were contacted. Nothing that was"
    " known later is used.",
    "For each product a model says how likely you are to buy it in the months after. It is a set of"
    " decision trees that learned from many clients; gender, age, birth date, nationality and"
    " language are no inputs of it.",
    "Then rules are asked, all of them: may you have the product, did you agree to be contacted and"
    " to this use of your data, were you contacted too often, do you need help or peace instead.",
    "Of what is left, those offers are chosen that are expected to be worth most, within what"
    " branches have time for. Some are withheld by chance. Your branch gets a list of what to offer"
    " and makes the contact; this system concludes no contract and refuses none.",
    "You may object to this at any time (GDPR art. 21) and take your consent back (art. 7); from"
    " then on nothing is offered on that ground.",
)
