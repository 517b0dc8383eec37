"""Reasons to leave a customer in peace or to help.

Difficulty, vulnerability, complaints, fraud, bereavement.
"""

from __future__ import annotations

import numpy as np

from demo.draws import Bools, Floats, Ints
from demo.economy import Economy
from demo.life import Events
from demo.memory import Memory
from demo.moment import Moment, evening
from demo.months import NEVER
from demo.people import NO_ONE
from demo.rows import GrowingRows
from demo.vocabulary import FLAGS

DIFFICULTY, VULNERABLE, COMPLAINT, FRAUD, BEREAVEMENT = range(len(FLAGS))
MONTHS_OF_OVERDRAFT = 2
IN_DIFFICULTY = 0.12  # a month, of those overdrawn for two months or without job and money
LITTLE_MONEY = 500
RAISED = {VULNERABLE: 0.0004, COMPLAINT: 0.004, FRAUD: 0.001}
ENDS = {DIFFICULTY: 0.12, VULNERABLE: 0.02, COMPLAINT: 0.6, FRAUD: 0.5, BEREAVEMENT: 0.17}
FIRST_DAYS = 15  # flags end in the first half of a month
BEREAVED_AFTER = 26  # days: every death of a month has been recorded by then


class Flags:
    """Rows from start to end of validity, and what is open now by flag and customer."""

    def __init__(self, customers: int) -> None:
        self.rows = GrowingRows("who", "flag", "from", "to", "recorded")
        self._open = np.full((len(FLAGS), customers), NO_ONE)

    def has_any(self) -> Bools:
        """Who carries at least one."""
        carries: Bools = (self._open != NO_ONE).any(axis=0)
        return carries

    def live(
        self,
        moment: Moment,
        economy: Economy,
        memory: Memory,
        events: Events,
        active: Bools,
    ) -> None:
        """Raise and end flags in a month."""
        bereaved = np.isin(np.arange(len(active)), events.bereaved).astype(np.float64)
        strained = _is_strained(economy, memory) * IN_DIFFICULTY
        shares: dict[int, Floats | float] = {DIFFICULTY: strained, BEREAVEMENT: bereaved, **RAISED}
        for flag, share in shares.items():
            open_now = self._open[flag]
            is_raised = moment.chance(f"flag {flag}", share) & active & (open_now == NO_ONE)
            ends = moment.chance(f"flag ends {flag}", ENDS[flag]) & (open_now != NO_ONE)
            self._end(moment, flag, np.flatnonzero(ends))
            self._raise(moment, flag, np.flatnonzero(is_raised))

    def complain(self, who: Ints, days: Ints) -> None:
        """Customers complain of a contact; who complains already is heard once."""
        is_new = self._open[COMPLAINT, who] == NO_ONE
        self._put(COMPLAINT, who[is_new], days[is_new])

    def _raise(self, moment: Moment, flag: int, who: Ints) -> None:
        days = moment.day(f"flag from {flag}", who)
        if flag == BEREAVEMENT:
            days = np.full(len(who), moment.month.first_day + BEREAVED_AFTER)
        self._put(flag, who, days)

    def _put(self, flag: int, who: Ints, days: Ints) -> None:
        self._open[flag, who] = self.rows.append(
            {"who": who, "flag": flag, "from": days, "to": NEVER, "recorded": evening(days)}
        )

    def _end(self, moment: Moment, flag: int, who: Ints) -> None:
        days = moment.day(f"flag to {flag}", who, FIRST_DAYS)
        rows = self._open[flag, who]
        self.rows["to"][rows] = days
        self.rows["recorded"][rows] = evening(days)
        self._open[flag, who] = NO_ONE


def _is_strained(economy: Economy, memory: Memory) -> Bools:
    overdrawn = [memory.balance(back) < 0 for back in range(MONTHS_OF_OVERDRAFT)]
    is_broke = economy.is_jobless & (memory.balance() < LITTLE_MONEY)
    strained: Bools = np.all(overdrawn, axis=0) | is_broke
    return strained
