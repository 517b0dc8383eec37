"""What customers allow the bank to do with their data, by purpose and channel, and when they changed their mind."""

from __future__ import annotations

import numpy as np

from demo.draws import ALWAYS, Bools, Draws, Ints
from demo.life import day_in
from demo.months import DAY_MICROSECONDS, HOUR_MICROSECONDS, Month
from demo.people import People
from demo.rows import GrowingRows
from demo.vocabulary import CONTACT_CHANNELS, PURPOSES

GRANTED = {"marketing_internal": 0.80, "marketing_partner": 0.58, "profiling": 0.92}
PARTNER_WITHOUT_INTERNAL = 0.05
# Some say yes to a purpose, yet not to every channel; channels after the fourth were asked of few.
YES_BY_CHANNEL = {"branch": 0.98, "phone": 0.94, "email": 0.85, "app": 0.8, "sms": 0.6, "post": 0.7}
ASKED_OF_ALL = 4
ASKED_REST = 0.2
WITHDRAWS, GRANTS_AGAIN = 0.003, 0.004
INTERNAL, PARTNER, PROFILING = range(len(PURPOSES))


class Consents:
    """Changes so far and the state now, purpose × channel × customer."""

    def __init__(self, customers: int) -> None:
        self.rows = GrowingRows("who", "purpose", "channel", "changed", "is_granted")
        self.granted = np.zeros((len(PURPOSES), len(CONTACT_CHANNELS), customers), dtype=np.bool_)

    def allows(self, purpose: int, channel: int) -> Bools:
        """Who allows it now."""
        return self.granted[purpose, channel]

    def change(self, purpose: int, who: Ints, changed: Ints, is_granted: Bools) -> None:
        """Customers answer for all channels they were asked about; ``is_granted`` is channel × customer."""
        for channel in range(len(CONTACT_CHANNELS)):
            asked = np.flatnonzero(self._is_asked[channel, who])
            answer = is_granted[channel, asked]
            self.granted[purpose, channel, who[asked]] = answer
            self.rows.append(
                who=who[asked],
                purpose=purpose,
                channel=channel,
                changed=changed[asked],
                is_granted=answer.astype(np.int64),
            )

    _is_asked: Bools

    def ask(self, draws: Draws, people: People, who: Ints) -> None:
        """The answers on the day of joining."""
        ids = people.ids
        rest = draws.chance("asked", ALWAYS, ids, ASKED_REST)
        self._is_asked = np.array([rest | (c < ASKED_OF_ALL) for c in range(len(CONTACT_CHANNELS))])
        for purpose, answers in enumerate(self._first_answers(draws, ids[who])):
            self.change(purpose, who, _noon(people.joined[who]), answers)

    def live(self, draws: Draws, month: Month, people: People, active: Bools) -> None:
        """Some withdraw a purpose, some grant it again."""
        for purpose, name in enumerate(PURPOSES):
            is_yes = self.granted[purpose].any(axis=0)
            withdraws = draws.chance(f"withdraws {name}", month.index, people.ids, WITHDRAWS)
            grants = draws.chance(f"grants {name}", month.index, people.ids, GRANTS_AGAIN)
            who = np.flatnonzero(active & np.where(is_yes, withdraws, grants))
            changed = _noon(day_in(draws, f"consent {name}", month, people.ids[who]))
            answers = np.broadcast_to(~is_yes[who], (len(CONTACT_CHANNELS), len(who)))
            self.change(purpose, who, changed, answers)

    def opt_out(self, who: Ints, days: Ints) -> None:
        """No more marketing of any kind, said in a contact; recorded with it."""
        never = np.zeros((len(CONTACT_CHANNELS), len(who)), dtype=np.bool_)
        for purpose in (INTERNAL, PARTNER):
            self.change(purpose, who, _noon(days) + 5 * HOUR_MICROSECONDS, never)

    def _first_answers(self, draws: Draws, ids: Ints) -> list[Bools]:
        """By purpose: channel × customer. Profiling is one answer for all channels."""
        internal, partner, profiling = (
            draws.uniform(f"consent {name}", ALWAYS, ids) for name in PURPOSES
        )
        says_internal = internal < GRANTED["marketing_internal"]
        partner_share = np.where(
            says_internal, GRANTED["marketing_partner"] / 0.76, PARTNER_WITHOUT_INTERNAL
        )
        channels = [
            draws.chance(f"channel {name}", ALWAYS, ids, share)
            for name, share in YES_BY_CHANNEL.items()
        ]
        by_channel = np.array(channels)
        says_profiling = profiling < GRANTED["profiling"]
        return [
            by_channel & says_internal,
            by_channel & (partner < partner_share),
            np.broadcast_to(says_profiling, by_channel.shape),
        ]


def _noon(days: Ints) -> Ints:
    return days * DAY_MICROSECONDS + 12 * HOUR_MICROSECONDS
