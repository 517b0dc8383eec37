"""How branches and advisors work through lists: planted, and the same every month.

A branch reaches a share of the clients on its list. Some branches return files with results. Some
advisors are careless (they call late, and write down every other result), some are pushy (more is
sold, more of it is given back, more clients object or complain), and some claim as sold what the
client had bought without them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from demo.draws import ALWAYS, Bools, Draws, Floats, Ints
from demo.people import NO_ONE

LEAST_REACHED, MOST_REACHED = 0.55, 0.95
RETURNS = 0.2
CARELESS, PUSHY, CLAIMING = 0.12, 0.08, 0.06


@dataclass(frozen=True)
class Staff:
    """Who works through some lines: one value per line.

    Attributes:
        reach: Share of clients on a list whom the branch reaches.
        returns_files: The branch returns a file of results.
        is_careless: The advisor calls late and writes down every other result.
        is_pushy: The advisor presses clients.
        is_claiming: The advisor claims sales that were none of the contact's.
    """

    reach: Floats
    returns_files: Bools
    is_careless: Bools
    is_pushy: Bools
    is_claiming: Bools


def staff(draws: Draws, branch: Ints, advisor: Ints) -> Staff:
    """The habits of branches and advisors, by number; a branch without advisor has none but reach.

    Args:
        draws: Of the bank.
        branch: Numbers of branches.
        advisor: Numbers of advisors, NO_ONE without, as many.
    """
    kind = draws.uniform("habits", ALWAYS, np.where(advisor == NO_ONE, 0, advisor))
    careless, pushy, claiming = np.cumsum((CARELESS, PUSHY, CLAIMING))
    kind[advisor == NO_ONE] = 1.0
    spread = MOST_REACHED - LEAST_REACHED
    return Staff(
        reach=LEAST_REACHED + spread * draws.uniform("reach", ALWAYS, branch),
        returns_files=draws.chance("returns files", ALWAYS, branch, RETURNS),
        is_careless=kind < careless,
        is_pushy=(kind >= careless) & (kind < pushy),
        is_claiming=(kind >= pushy) & (kind < claiming),
    )
