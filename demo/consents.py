"""What customers allow the bank to do, by purpose and channel, and when they changed their mind."""

from __future__ import annotations

import numpy as np

from demo.draws import Bools, Ints
from demo.moment import Moment
from demo.months import DAY_MICROSECONDS, HOUR_MICROSECONDS
from demo.rows import GrowingRows
from demo.vocabulary import CONTACT_CHANNELS, PURPOSES

# Partners: of those who say yes to the bank itself.
GRANTED = {"marketing_internal": 0.80, "marketing_partner": 0.74, "profiling": 0.92}
PARTNER_WITHOUT_INTERNAL = 0.05
# Some say yes to a purpose, yet not to every channel; channels after the fourth were asked of few.
YES_BY_CHANNEL = {"branch": 0.98, "phone": 0.94, "email": 0.85, "app": 0.8, "sms": 0.6, "post": 0.7}
ASKED_OF_ALL = 4
ASKED_REST = 0.2
WITHDRAWS, GRANTS_AGAIN = 0.003, 0.004
INTERNAL, PARTNER, PROFILING = range(len(PURPOSES))
NOON, AFTERNOON = 12 * HOUR_MICROSECONDS, 17 * HOUR_MICROSECONDS


class Consents:
    """Changes so far and the state now, purpose × channel × customer."""

    def __init__(self, customers: int) -> None:
        self.rows = GrowingRows("who", "purpose", "channel", "changed", "is_granted")
        self.granted = np.zeros((len(PURPOSES), len(CONTACT_CHANNELS), customers), dtype=np.bool_)
        self._is_asked = np.zeros((len(CONTACT_CHANNELS), customers), dtype=np.bool_)

    def allows(self, purpose: int, channel: int) -> Bools:
        """Who allows it now."""
        allowed: Bools = self.granted[purpose, channel]
        return allowed

    def change(self, purpose: int, who: Ints, changed: Ints, is_granted: Bools) -> None:
        """An answer (channel × customer) for all channels that the customers were asked about."""
        for channel in range(len(CONTACT_CHANNELS)):
            asked = np.flatnonzero(self._is_asked[channel, who])
            answer = is_granted[channel, asked]
            self.granted[purpose, channel, who[asked]] = answer
            self.rows.append(
                {
                    "who": who[asked],
                    "purpose": purpose,
                    "channel": channel,
                    "changed": changed[asked],
                    "is_granted": answer.astype(np.int64),
                }
            )

    def ask(self, moment: Moment, who: Ints) -> None:
        """The answers on the day of joining."""
        asked_all = moment.always("asked", who) < ASKED_REST
        for channel in range(len(CONTACT_CHANNELS)):
            self._is_asked[channel, who] = asked_all | (channel < ASKED_OF_ALL)
        for purpose, answers in enumerate(_first_answers(moment, who)):
            self.change(purpose, who, _noon(moment.people.joined[who]), answers)

    def live(self, moment: Moment, active: Bools) -> None:
        """Some withdraw a purpose, some grant it again."""
        for purpose, name in enumerate(PURPOSES):
            is_yes = self.granted[purpose].any(axis=0)
            withdraws = moment.chance(f"withdraws {name}", WITHDRAWS)
            grants = moment.chance(f"grants {name}", GRANTS_AGAIN)
            who = np.flatnonzero(active & np.where(is_yes, withdraws, grants))
            changed = _noon(moment.day(f"consent {name}", who))
            answers = np.broadcast_to(~is_yes[who], (len(CONTACT_CHANNELS), len(who)))
            self.change(purpose, who, changed, answers)

    def opt_out(self, who: Ints, days: Ints) -> None:
        """No more marketing of any kind, said in a contact; recorded with it."""
        never = np.zeros((len(CONTACT_CHANNELS), len(who)), dtype=np.bool_)
        for purpose in (INTERNAL, PARTNER):
            self.change(purpose, who, days * DAY_MICROSECONDS + AFTERNOON, never)


def _first_answers(moment: Moment, who: Ints) -> list[Bools]:
    """By purpose: channel × customer. Profiling is one answer for all channels."""
    drawn = {purpose: moment.always(f"consent {purpose}", who) for purpose in PURPOSES}
    says_internal = drawn["marketing_internal"] < GRANTED["marketing_internal"]
    partner = np.where(says_internal, GRANTED["marketing_partner"], PARTNER_WITHOUT_INTERNAL)
    by_channel = np.array(
        [moment.always(f"channel {name}", who) < share for name, share in YES_BY_CHANNEL.items()]
    )
    says_profiling = drawn["profiling"] < GRANTED["profiling"]
    return [
        by_channel & says_internal,
        by_channel & (drawn["marketing_partner"] < partner),
        np.broadcast_to(says_profiling, by_channel.shape),
    ]


def _noon(days: Ints) -> Ints:
    return days * DAY_MICROSECONDS + NOON
