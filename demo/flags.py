"""Reasons to leave a customer in peace or to help: difficulty, vulnerability, complaints, fraud, bereavement."""

from __future__ import annotations

import numpy as np

from demo.draws import Bools, Draws, Ints
from demo.economy import Economy
from demo.life import Events, day_in
from demo.memory import Memory
from demo.months import DAY_MICROSECONDS, EVENING, NEVER, Month
from demo.people import NO_ONE, People
from demo.rows import GrowingRows
from demo.vocabulary import FLAGS

DIFFICULTY, VULNERABLE, COMPLAINT, FRAUD, BEREAVEMENT = range(len(FLAGS))
MONTHS_OF_OVERDRAFT = 2
IN_DIFFICULTY = 0.12  # a month, of those overdrawn for two months or without their job
VULNERABLE_EACH_MONTH = 0.0004
COMPLAINS, IS_DEFRAUDED = 0.004, 0.001
ENDS = {DIFFICULTY: 0.12, VULNERABLE: 0.02, COMPLAINT: 0.6, FRAUD: 0.5, BEREAVEMENT: 0.17}


class Flags:
    """Rows from start to end of validity, and what is open now by flag and customer."""

    def __init__(self, customers: int) -> None:
        self.rows = GrowingRows("who", "flag", "from", "to", "recorded")
        self._open = np.full((len(FLAGS), customers), NO_ONE)

    def has(self, flag: int) -> Bools:
        """Who carries it now."""
        return self._open[flag] != NO_ONE

    def has_any(self) -> Bools:
        """Who carries at least one."""
        return (self._open != NO_ONE).any(axis=0)

    def live(  # noqa: PLR0913 - flags follow from everything else
        self,
        draws: Draws,
        month: Month,
        people: People,
        economy: Economy,
        memory: Memory,
        events: Events,
        active: Bools,
    ) -> None:
        """Raise and end flags in a month."""
        overdrawn = [memory.balance(back) < 0 for back in range(MONTHS_OF_OVERDRAFT)]
        is_strained = np.all(overdrawn, axis=0) | (economy.is_jobless & (memory.balance() < 500))
        chances = {
            DIFFICULTY: IN_DIFFICULTY * is_strained,
            VULNERABLE: np.full(len(people), VULNERABLE_EACH_MONTH),
            COMPLAINT: np.full(len(people), COMPLAINS),
            FRAUD: np.full(len(people), IS_DEFRAUDED),
            BEREAVEMENT: np.isin(np.arange(len(people)), events.bereaved).astype(np.float64),
        }
        for flag, share in chances.items():
            drawn = draws.chance(f"flag {flag}", month.index, people.ids, share)
            ends = draws.chance(f"flag ends {flag}", month.index, people.ids, ENDS[flag])
            self._end(draws, month, people, flag, np.flatnonzero(self.has(flag) & ends))
            self._raise(draws, month, people, flag, np.flatnonzero(drawn & active & ~self.has(flag)))

    def _raise(self, draws: Draws, month: Month, people: People, flag: int, who: Ints) -> None:
        days = day_in(draws, f"flag from {flag}", month, people.ids[who])
        recorded = days * DAY_MICROSECONDS + EVENING
        values = {"who": who, "flag": flag, "from": days, "to": NEVER, "recorded": recorded}
        self._open[flag, who] = self.rows.append(**values)

    def _end(self, draws: Draws, month: Month, people: People, flag: int, who: Ints) -> None:
        days = day_in(draws, f"flag to {flag}", month, people.ids[who], days=15)
        rows = self._open[flag, who]
        self.rows["to"][rows] = days
        self.rows["recorded"][rows] = days * DAY_MICROSECONDS + EVENING
        self._open[flag, who] = NO_ONE
