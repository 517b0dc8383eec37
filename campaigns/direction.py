"""Does a sentence agree with what moved the propensity?

A contribution says that a value raised a propensity, not which way: a rent may have raised it by
being low. A sentence about a value suggests that there is much of it, and one about days that they
are few. So the model is asked what it makes of the difference to other customers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from features.catalogue import Feature
from features.typical import Typical

# A sentence that is true of so many says nothing about this client.
NEARLY_EVERYBODY = 0.9


@dataclass(frozen=True)
class Gain:
    """What a customer's own value is worth to the model, in log-odds.

    Attributes:
        over_ordinary: Beside the same customer with the ordinary value.
        over_usual: Beside the same customer with what those usually have who have something.
    """

    over_ordinary: float
    over_usual: float


def agrees(feature: Feature, amount: float, typical: Typical, gain: Gain) -> bool:
    """A sentence about this value says what raised the propensity, and not of nearly everybody.

    Args:
        feature: The feature.
        amount: Its value for one customer; unknown is nothing.
        typical: Its values among all customers.
        gain: What the model makes of the difference.
    """
    if amount == 0:
        return "nothing" in feature.tells and _nothing_raised(typical, gain)
    if "more" in feature.tells and _more_raised(feature, amount, typical, gain):
        return True
    return "less" in feature.tells and _less_raised(amount, typical, gain)


def _nothing_raised(typical: Typical, gain: Gain) -> bool:
    return 1 - typical.share < NEARLY_EVERYBODY and gain.over_usual > 0


def _more_raised(feature: Feature, amount: float, typical: Typical, gain: Gain) -> bool:
    """More than ordinary, and better for it; where still more is usual, that is no worse."""
    # An unknown value is nothing, and less than any that is told.
    is_above = math.isnan(typical.ordinary) or amount > typical.ordinary
    is_enough = amount >= typical.usual or gain.over_usual <= 0
    says_how_much = feature.tells_amount and not feature.is_yes_or_no
    is_telling = says_how_much or typical.share < NEARLY_EVERYBODY
    return is_above and is_enough and is_telling and gain.over_ordinary > 0


def _less_raised(amount: float, typical: Typical, gain: Gain) -> bool:
    """Less than usual, and better for it; where nothing at all is ordinary, better than that."""
    is_ordinary = math.isnan(typical.ordinary) and gain.over_ordinary <= 0
    return amount < typical.usual and gain.over_usual > 0 and not is_ordinary
