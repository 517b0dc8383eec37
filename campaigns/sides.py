"""The two runs that are held against each other: what they listed, and what they decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from campaigns.moved import Answers, Key
from campaigns.rules import Rule, rules_in_force
from conf.schema import RunConfig

Row = Mapping[str, Any]
NEEDED = (
    "customer_id",
    "offer_id",
    "branch_id",
    "outcome",
    "failed_gates",
    "margin",
    "contact_cost",
    "is_in_global_holdout",
    "contacts_left_30d",
    "channel",
    "lever_code",
    "propensity",
    "model_version",
    "response",
    "response_basis",
    "uplift_version",
    "rules_version",
)


@dataclass(frozen=True)
class Side:
    """One of the two runs.

    Attributes:
        listed: Rows of its lists, by client and offer.
        decided: What it decided about every offer to the clients on either list.
        config: Its configuration.
        is_after: It is the later one of the two.
        answers: Of the later one: what moved responses, where that had to be found out.
    """

    listed: Mapping[Key, Row]
    decided: Mapping[Key, Row]
    config: RunConfig
    is_after: bool = False
    answers: Answers = field(default_factory=dict)
    _rules: dict[str, dict[str, Rule]] = field(default_factory=dict, compare=False)

    def rules(self, offer_id: str) -> dict[str, Rule]:
        """The rules asked about an offer, by reason code."""
        if offer_id not in self._rules:
            self._rules[offer_id] = rules_in_force(offer_id, self.config)
        return self._rules[offer_id]


def by_key(rows: pa.Table) -> dict[Key, Row]:
    """Rows by client and offer."""
    return {(row["customer_id"], row["offer_id"]): row for row in rows.to_pylist()}


def way(row: Row) -> str:
    """By which channel an offer is made, and with what."""
    return " with ".join(filter(None, (row["channel"], row["lever_code"])))


def configured(config: RunConfig, offer_id: str) -> tuple[object, ...]:
    """What decides in which ways an offer may be made."""
    caps = config.contact_policy.max_contacts_30d_by_channel
    return config.offers[offer_id].channels, config.channels, config.levers, caps
