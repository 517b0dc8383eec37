"""The types of `conf/base/fairness.yaml`, and of what a jurisdiction makes of its figures."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictFloat, StrictInt

from conf.fields import Count, Positive, Settings, Share

Attribute = Literal["gender", "age_band", "language"]
# Figures by whose ratio a group may be found to be left out (`measurement/fairness.py`).
RatioFact = Literal[
    "selection", "selection_within_age_limits", "selection_past_gates", "selection_alike"
]
ScopeKind = Literal["all", "credit", "lever", "line", "move", "product"]


class FairnessRule(Settings):
    """Which facts stop `xsell fairness`; every other is reported only.

    Attributes:
        stop: By attribute the figure whose ratio is judged; one that is not named is reported.
        of: Offers that are judged: all together, those of credit, each lever, and so on.
        min_ratio: A group may be offered so many times as often as the others; 0.8 is the rule of
            four fifths.
        only_when_sure: The interval of all judged groups together has to lie below.
        stop_on_protected_inputs: A model that reads a protected attribute stops.
    """

    stop: dict[Attribute, RatioFact] = Field(default={})
    of: tuple[ScopeKind, ...] = ("all",)
    min_ratio: Annotated[StrictFloat, Field(gt=0, le=1)] = 0.8
    only_when_sure: StrictBool = True
    stop_on_protected_inputs: StrictBool = True


class ProxySettings(Settings):
    """How features that tell a protected group are looked for.

    Attributes:
        max_customers: Of more customers so many are drawn by hash.
        min_auc: From which AUC on a feature is called a proxy of a group.
        min_gain: From which share of a champion's gain on a model is said to rely on a proxy.
    """

    max_customers: Annotated[StrictInt, Field(ge=100)]
    min_auc: Annotated[StrictFloat, Field(gt=0.5, le=1)]
    min_gain: Share


class FairnessReport(Settings):
    """What `xsell fairness` tells.

    Attributes:
        min_cell: Numbers of clients below it are not told, nor what would give them away.
        max_false_share: Of what is told as sure, so much may be chance.
        trend_months: How far back earlier campaigns are looked at; 0: none is.
        proxies: Features that tell a group.
    """

    min_cell: Positive
    max_false_share: Annotated[StrictFloat, Field(gt=0, le=0.5)]
    trend_months: Annotated[Count, Field(le=120)]
    proxies: ProxySettings
