"""The types of `conf/*/combinations.yaml`: what is told of products held together."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StrictFloat, StrictInt

from conf.fields import Months, Positive, Settings, Share


class CombinationSettings(Settings):
    """What `xsell combinations` tells of products that clients hold together.

    Attributes:
        min_support: Smallest share of all clients who hold a set; ``--min-support`` goes before it.
        min_clients: Nothing that fewer clients hold or did is told.
        max_size: Products in a set.
        max_false_share: Of what is told as sure, so much may be chance.
        history_months: Whose purchases are looked at for their order.
        within_months: One purchase follows another if it comes so many months later at most.
        min_package_lift: Only a pair whose lift is surely above this makes a package.
    """

    min_support: Share
    min_clients: Positive
    max_size: Annotated[StrictInt, Field(ge=2, le=4)]
    max_false_share: Annotated[StrictFloat, Field(gt=0, le=0.5)]
    history_months: Months
    within_months: Months
    min_package_lift: Annotated[StrictFloat, Field(ge=1, le=100)]
