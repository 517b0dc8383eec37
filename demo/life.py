"""What happens in customers' lives in a month.

They move, marry, have children, lose or change jobs, retire, die and leave. Each event shows in the
deliveries: in a new version of the customer's row, or in the bookings.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from demo.draws import Bools, Ints
from demo.economy import Economy, Job
from demo.moment import Moment
from demo.people import BLOCK, BRANCHES_PER_BLOCK, NO_ONE, QUAD, People, advisor_of
from demo.vocabulary import EMPLOYERS

PENSION_AGE = 65
PENSION_SHARE = 0.62
LOSES_JOB = 0.0035
FINDS_JOB = 0.22
CHANGES_JOB = 0.006
RAISE_MEAN, RAISE_SPREAD = 0.025, 0.02
PROMOTION, PROMOTION_RAISE = 0.008, 0.18
MOVES, RENT_RISES = 0.005, 1.08
MARRIES, MARRIAGE_AGE = 0.004, 20
HAS_CHILD, PARENTS_FROM, PARENTS_TO = 0.004, 22, 43
DIES, DIES_AT, DOUBLES_IN = 0.000_02, 30, 8.0
DEATH_DAYS, DEATH_DELAY_DAYS = 16, 10
LEAVES = 0.0035


@dataclass(frozen=True)
class Events:
    """Places of the customers to whom it happened this month."""

    left: Ints
    died: Ints
    bereaved: Ints


def live(moment: Moment, economy: Economy, active: Bools) -> Events:
    """Let a month pass for the active customers; people and economy change."""
    _move(moment, economy, active)
    _marry(moment, active)
    _have_children(moment, economy, active)
    _raise_pay(moment, economy, active)
    _change_jobs(moment, economy, active)
    _retire(moment, economy, active)
    died = _die(moment, active)
    left = _leave(moment, active)
    return Events(left, died, _bereaved(moment.people, died, active))


def _move(moment: Moment, economy: Economy, active: Bools) -> None:
    """To another branch of the same block; a new flat costs more."""
    people = moment.people
    moved = np.flatnonzero(active & moment.chance("move", MOVES))
    block = people.ids[moved] // BLOCK * BRANCHES_PER_BLOCK
    step = 1 + moment.integer("moves by", BRANCHES_PER_BLOCK - 1, moved)
    branch = block + (people.branch[moved] - block + step) % BRANCHES_PER_BLOCK
    advisor = advisor_of(moment.draws, moment.month.index, people.ids[moved], branch)
    people.branch[moved] = branch
    people.advisor[moved] = np.where(people.advisor[moved] == NO_ONE, NO_ONE, advisor)
    economy.rent[moved] *= RENT_RISES
    people.touch(moved, moment.day("move day", moved))


def _marry(moment: Moment, active: Bools) -> None:
    """Two neighbours become one household."""
    people = moment.people
    first = np.flatnonzero(moment.chance("marry", MARRIES))
    first = first[(people.ids[first] % QUAD < QUAD - 1) & (first + 1 < len(people))]
    is_adult = active & (people.age(moment.month.first_day) >= MARRIAGE_AGE)
    home = np.where(people.household == NO_ONE, people.ids, people.household)
    is_couple = is_adult[first] & is_adult[first + 1] & (home[first] != home[first + 1])
    first = first[is_couple]
    days = moment.day("marriage day", first)
    for place in (first, first + 1):
        people.household[place] = home[first]
        people.touch(place, days)


def _have_children(moment: Moment, economy: Economy, active: Bools) -> None:
    age = moment.people.age(moment.month.first_day)
    is_parent = active & (age > PARENTS_FROM) & (age < PARENTS_TO)
    economy.children[is_parent & moment.chance("child", HAS_CHILD)] += 1


def _raise_pay(moment: Moment, economy: Economy, active: Bools) -> None:
    """Once a year for everybody, in a month of one's own; promotions at any time."""
    is_salaried = active & (economy.job == Job.SALARIED)
    raised = is_salaried & ((moment.ids() + moment.month.of_year) % 12 == 0)
    growth = RAISE_MEAN + RAISE_SPREAD * moment.normal("raise")
    economy.pay[raised] *= 1 + growth[raised].clip(0)
    promoted = is_salaried & moment.chance("promotion", PROMOTION)
    economy.pay[promoted] *= 1 + PROMOTION_RAISE


def _change_jobs(moment: Moment, economy: Economy, active: Bools) -> None:
    """Some lose their job, some find one, some change."""
    people = moment.people
    is_salaried = active & (economy.job == Job.SALARIED)
    is_jobless = economy.is_jobless.copy()
    lost = is_salaried & ~is_jobless & moment.chance("job loss", LOSES_JOB)
    found = is_salaried & is_jobless & moment.chance("job found", FINDS_JOB)
    changed = is_salaried & ~is_jobless & ~lost & moment.chance("job change", CHANGES_JOB)
    economy.is_jobless[lost] = True
    economy.is_jobless[found] = False
    people.employer[lost] = NO_ONE
    hired = np.flatnonzero(found | changed)
    employer = moment.integer("new employer", EMPLOYERS, hired)
    people.employer[hired] = np.where(economy.is_paid_here[hired], employer, NO_ONE)
    economy.pay[hired] *= np.exp(0.04 + 0.1 * moment.normal("new pay", hired))
    moved = np.flatnonzero(lost | found | changed)
    people.touch(moved, moment.day("job day", moved))


def _retire(moment: Moment, economy: Economy, active: Bools) -> None:
    people = moment.people
    is_old = people.age(moment.month.first_day) >= PENSION_AGE
    retired = np.flatnonzero(active & is_old & (economy.job == Job.SALARIED))
    economy.job[retired] = Job.PENSIONER
    economy.pay[retired] *= PENSION_SHARE
    economy.is_jobless[retired] = False
    people.employer[retired] = NO_ONE
    people.touch(retired, moment.day("retires", retired))


def _die(moment: Moment, active: Bools) -> Ints:
    """Mortality doubles every eight years (Gompertz); recorded within the month, days later."""
    people = moment.people
    age = people.age(moment.month.first_day)
    died = np.flatnonzero(
        active & moment.chance("death", DIES * 2 ** ((age - DIES_AT) / DOUBLES_IN))
    )
    people.deceased[died] = moment.day("day of death", died, DEATH_DAYS)
    delay = moment.integer("death recorded", DEATH_DELAY_DAYS, died)
    people.touch(died, people.deceased[died] + delay)
    return died


def _leave(moment: Moment, active: Bools) -> Ints:
    people = moment.people
    is_alive = people.deceased > moment.month.end_day
    left = np.flatnonzero(active & is_alive & moment.chance("leave", LEAVES))
    people.left[left] = moment.day("day of leaving", left)
    people.touch(left, people.left[left])
    return left


def _bereaved(people: People, died: Ints, active: Bools) -> Ints:
    """Those who lived with somebody who died."""
    households = people.household[died]
    lives_there = np.isin(people.household, households[households != NO_ONE])
    lives_there[died] = False
    return np.flatnonzero(lives_there & active)
