"""How a list's columns are shown to a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Form = Literal["text", "long", "whole", "money", "day", "instant"]


@dataclass(frozen=True)
class Heading:
    """One column of a sheet.

    Attributes:
        title: What stands over it.
        width: In characters.
        form: How its values are written; ``long`` texts break into lines.
        is_technical: Folded away at first: for whoever asks where a row comes from.
    """

    title: str
    width: int
    form: Form = "text"
    is_technical: bool = False


HEADINGS = {
    "rank_in_branch": Heading("No.", 5, "whole"),
    "customer_id": Heading("Client", 13),
    "product_id": Heading("Offer", 19),
    "reason_1": Heading("Why this client", 36, "long"),
    "reason_2": Heading("Also", 30, "long"),
    "reason_3": Heading("And", 30, "long"),
    "client_benefit": Heading("What the client gains", 42, "long"),
    "channel": Heading("Contact by", 11),
    "valid_from": Heading("Valid from", 12, "day"),
    "valid_to": Heading("Valid until", 12, "day"),
    "talking_point_id": Heading("Talking point", 13),
    "advisor_id": Heading("Advisor", 11),
    "contacts_left_30d": Heading("Contacts left", 9, "whole"),
    "partner_id": Heading("Partner", 18),
    "lever_code": Heading("Discount or bonus", 14),
    "lever_limit": Heading("At most", 11, "money"),
    "bundle_id": Heading("Package", 19),
    "package_price": Heading("Package price", 11, "money"),
    "component_prices": Heading("Each alone", 34, "long"),
    "event": Heading("Because of", 16, is_technical=True),
    "event_on": Heading("On", 12, "day", is_technical=True),
    "credit_owner": Heading("Credit to", 11, is_technical=True),
    "referral_owner": Heading("Referred by", 12, is_technical=True),
    "move": Heading("Kind of sale", 20, is_technical=True),
    "kind": Heading("Product of", 11, is_technical=True),
    "propensity": Heading("Propensity", 11, is_technical=True),
    "expected_profit": Heading("Expected profit", 14, "money", is_technical=True),
    "consent_basis": Heading("Consent relied on", 26, is_technical=True),
    "consent_checked_at": Heading("Consent checked", 17, "instant", is_technical=True),
    "offer_id": Heading("Offer number", 24, is_technical=True),
    "branch_id": Heading("Branch", 11, is_technical=True),
    "campaign_id": Heading("Campaign", 14, is_technical=True),
    "as_of": Heading("Data as of", 12, "day", is_technical=True),
    "run_id": Heading("Run", 20, is_technical=True),
    "log_leaf": Heading("Log entry", 20, is_technical=True),
    "objected_on": Heading("Objected on", 12, "day"),
    "care_treatment": Heading("Help to offer", 30),
    "why": Heading("Why", 30, "long"),
    "what_to_do": Heading("What to do", 48, "long"),
    "may_contact": Heading("May be called", 9),
    "contact": Heading("Whom to contact", 30, "long"),
    "valid_until": Heading("Valid until", 12, "day"),
}
