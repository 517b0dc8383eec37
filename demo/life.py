"""What happens in customers' lives in a month: they join, move, marry, have children, lose or change jobs, retire,
die and leave. Each event shows in the deliveries: in a new version of the customer's row, or in the bookings.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from demo.draws import Bools, Draws, Floats, Ints
from demo.economy import Economy, Job
from demo.months import Month
from demo.people import (
    BLOCK,
    BRANCHES_PER_BLOCK,
    NO_ONE,
    QUAD,
    People,
    advisor_of,
)
from demo.vocabulary import EMPLOYERS

PENSION_AGE = 65
PENSION_SHARE = 0.62
LOSES_JOB = 0.0035
FINDS_JOB = 0.22
CHANGES_JOB = 0.006
MOVES = 0.005
MARRIES = 0.004
HAS_CHILD = 0.004
LEAVES = 0.0035
RAISE_MEAN, RAISE_SPREAD = 0.025, 0.02
PROMOTION, PROMOTION_RAISE = 0.008, 0.18


@dataclass(frozen=True)
class Events:
    """Places of the customers to whom it happened this month."""

    left: Ints
    died: Ints
    bereaved: Ints
    lost_job: Ints


def live(draws: Draws, month: Month, people: People, economy: Economy) -> Events:
    """Let a month pass; ``people`` and ``economy`` change."""
    active = people.is_active(month.first_day)
    _move(draws, month, people, economy, active)
    _marry(draws, month, people, active)
    _have_children(draws, month, people, economy, active)
    lost_job = _work(draws, month, people, economy)
    died = _die(draws, month, people, active)
    left = _leave(draws, month, people, active)
    return Events(left, died, _bereaved(people, died, active), lost_job)


def day_in(draws: Draws, purpose: str, month: Month, ids: Ints, days: int | None = None) -> Ints:
    """A day among the first ``days`` of the month."""
    return month.first_day + draws.integer(purpose, month.index, ids, days or month.days)


def _happens(draws: Draws, what: str, month: Month, people: People, share: Floats | float) -> Bools:
    return draws.chance(what, month.index, people.ids, share)


def _move(draws: Draws, month: Month, people: People, economy: Economy, active: Bools) -> None:
    """To another branch of the same block; a new flat costs more."""
    moved = np.flatnonzero(active & _happens(draws, "move", month, people, MOVES))
    ids = people.ids[moved]
    block = ids // BLOCK * BRANCHES_PER_BLOCK
    step = 1 + draws.integer("moves by", month.index, ids, BRANCHES_PER_BLOCK - 1)
    branch = block + (people.branch[moved] - block + step) % BRANCHES_PER_BLOCK
    people.branch[moved] = branch
    advisor = advisor_of(draws, month.index, ids, branch)
    people.advisor[moved] = np.where(people.advisor[moved] == NO_ONE, NO_ONE, advisor)
    economy.rent[moved] *= 1.08
    people.touch(moved, day_in(draws, "move day", month, ids))


def _marry(draws: Draws, month: Month, people: People, active: Bools) -> None:
    """Two neighbours become one household."""
    first = np.flatnonzero(_happens(draws, "marry", month, people, MARRIES))
    partner = first + 1
    is_possible = (people.ids[first] % QUAD < QUAD - 1) & (partner < len(people))
    first, partner = first[is_possible], partner[is_possible]
    is_adult = (people.age(month.first_day) >= 20) & active
    is_couple = is_adult[first] & is_adult[partner]
    first, partner = first[is_couple], partner[is_couple]
    home = people.household[first]
    home = np.where(home == NO_ONE, people.ids[first], home)
    days = day_in(draws, "marriage day", month, people.ids[first])
    for place in (first, partner):
        people.household[place] = home
        people.touch(place, days)


def _have_children(
    draws: Draws, month: Month, people: People, economy: Economy, active: Bools
) -> None:
    age = people.age(month.first_day)
    is_parent = active & (age > 22) & (age < 43)
    economy.children[is_parent & _happens(draws, "child", month, people, HAS_CHILD)] += 1


def _work(draws: Draws, month: Month, people: People, economy: Economy) -> Ints:
    """Raises, job loss, new jobs, retirement. Returns who lost the job."""
    is_salaried = economy.job == Job.SALARIED
    _raise_pay(draws, month, people, economy, is_salaried)
    is_working = is_salaried & ~economy.is_jobless
    lost = is_working & _happens(draws, "job loss", month, people, LOSES_JOB)
    found = economy.is_jobless & _happens(draws, "job found", month, people, FINDS_JOB)
    changed = is_working & _happens(draws, "job change", month, people, CHANGES_JOB)
    economy.is_jobless[lost] = True
    economy.is_jobless[found] = False
    _new_employer(draws, month, people, economy, np.flatnonzero(found | (changed & ~lost)))
    retired = is_salaried & (people.age(month.first_day) >= PENSION_AGE)
    economy.job[retired] = Job.PENSIONER
    economy.pay[retired] *= PENSION_SHARE
    economy.is_jobless[retired] = False
    people.employer[retired] = NO_ONE
    people.touch(retired, month.first_day)
    return np.flatnonzero(lost & ~retired)


def _raise_pay(
    draws: Draws, month: Month, people: People, economy: Economy, is_salaried: Bools
) -> None:
    """Once a year for everybody, in a month of one's own; promotions at any time."""
    is_due = (people.ids + month.of_year) % 12 == 0
    growth = RAISE_MEAN + RAISE_SPREAD * draws.normal("raise", month.index, people.ids)
    raised = is_salaried & is_due
    economy.pay[raised] *= 1 + growth[raised].clip(0)
    promoted = is_salaried & _happens(draws, "promotion", month, people, PROMOTION)
    economy.pay[promoted] *= 1 + PROMOTION_RAISE


def _new_employer(
    draws: Draws, month: Month, people: People, economy: Economy, places: Ints
) -> None:
    ids = people.ids[places]
    people.employer[places] = draws.integer("new employer", month.index, ids, EMPLOYERS)
    economy.pay[places] *= np.exp(0.04 + 0.1 * draws.normal("new pay", month.index, ids))
    people.touch(places, day_in(draws, "new job day", month, ids))


def _die(draws: Draws, month: Month, people: People, active: Bools) -> Ints:
    """Mortality doubles every eight years (Gompertz); recorded within the month, some days later."""
    age = people.age(month.first_day)
    risk = 0.000_02 * np.exp(np.log(2) / 8 * (age - 30))
    died = np.flatnonzero(active & _happens(draws, "death", month, people, risk))
    ids = people.ids[died]
    people.deceased[died] = day_in(draws, "day of death", month, ids, days=16)
    delay = draws.integer("death recorded", month.index, ids, 10)
    people.touch(died, people.deceased[died] + delay)
    return died


def _leave(draws: Draws, month: Month, people: People, active: Bools) -> Ints:
    is_alive = people.deceased > month.end_day
    left = np.flatnonzero(active & is_alive & _happens(draws, "leave", month, people, LEAVES))
    people.left[left] = day_in(draws, "day of leaving", month, people.ids[left])
    people.touch(left, people.left[left])
    return left


def _bereaved(people: People, died: Ints, active: Bools) -> Ints:
    """Those who lived with somebody who died."""
    households = people.household[died]
    is_close = np.isin(people.household, households[households != NO_ONE])
    return np.flatnonzero(is_close & active & (people.deceased > people.deceased[died].max(initial=0)))
