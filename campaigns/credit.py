"""Who makes the contact, who closes the sale, who referred the client, and how credit is split."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conf.schema import RunConfig

ADVISOR, BRANCH = "advisor", "branch"


def credit(offer: Mapping[str, Any], config: RunConfig) -> dict[str, Any]:
    """The columns of a list row about who does what, and for what part of the sale.

    Whoever holds the relationship, the client's advisor or the branch of a client without one,
    refers the client where somebody else closes the sale.

    Args:
        offer: A decision with the client's ``advisor_id``.
        config: Who closes what, and the shares of credit.
    """
    holder = offer["advisor_id"] or offer["branch_id"]
    caller = _caller(offer, config)
    closer = _closer(offer, config, holder, caller)
    is_referred, shares = closer != holder, config.credit.shares
    return {
        "caller": caller,
        "credit_owner": closer,
        "referral_owner": holder if is_referred else None,
        "credit_share": shares.closer if is_referred else 1.0,
        "referral_share": shares.referrer if is_referred else None,
    }


def _caller(offer: Mapping[str, Any], config: RunConfig) -> str:
    lever = config.levers.get(offer["lever_code"] or "")
    if lever is not None and lever.made_by != ADVISOR:
        return lever.made_by
    return ADVISOR if offer["advisor_id"] else BRANCH


def _closer(offer: Mapping[str, Any], config: RunConfig, holder: str, caller: str) -> str:
    product = config.products[offer["product_id"]]
    if product.partner is not None and config.credit.closed_by[product.kind] == "partner_desk":
        return product.partner
    return holder if caller in (ADVISOR, BRANCH) else str(offer["branch_id"])
