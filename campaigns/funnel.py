"""From customers x offers to what is offered: what each gate stops, and what it alone stops."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, Row, functions as F

from tables.reason_codes import Outcome, ReasonCode

# What may stop an offer, in the order in which people ask for it; another family of gates comes
# between the bank's own rules and value.
FAMILIES = ("eligibility", "consent", "contact_policy", "care", "rule")
LAST_FAMILY = "value"
GLOBAL_HOLDOUT = "global_holdout"
AFTER_GATES = (
    str(Outcome.OUTRANKED),
    str(Outcome.OVER_CAPACITY),
    GLOBAL_HOLDOUT,
    str(Outcome.CONTROL),
)
START = "start"
WORDS = {
    START: "customers × offers",
    str(Outcome.OUTRANKED): "outranked by a better offer, or by none",
    str(Outcome.OVER_CAPACITY): "over what clients share: capacity, quota, budget",
    GLOBAL_HOLDOUT: "global holdout",
    str(Outcome.CONTROL): "control group; what is left is offered",
}
BITS = 60  # in one number of an engine
MASK = (1 << BITS) - 1


@dataclass(frozen=True)
class Count:
    """How many offers, and how many clients they are for."""

    offers: int
    clients: int


@dataclass(frozen=True)
class FunnelStep:
    """One step of the funnel.

    Attributes:
        name: A gate's reason code, or what becomes of those that pass all gates.
        stops: What the step stops, whatever else stops it as well.
        alone: What no other gate stops; None of a step after the gates, which are apart.
        left: What neither this step nor one before it stops.
    """

    name: str
    stops: Count
    alone: Count | None
    left: Count


@dataclass(frozen=True)
class _Fate:
    """What happened to some offers, or to all offers of some clients, as bits of step numbers.

    Attributes:
        stops: Steps that stop any of them.
        alone: Gates that are the only ones to stop one of them.
        place: The first step that stops an offer; of a client, the furthest of all offers.
        count: How many there are.
    """

    stops: int
    alone: int
    place: int
    count: int


def funnel(decisions: DataFrame) -> tuple[FunnelStep, ...]:
    """Every step that stops something, and those after the gates.

    Args:
        decisions: Shaped ``DECISIONS``.

    Returns:
        First ``START``, which stops nothing; what the last step leaves is offered.
    """
    # Reason codes are identifiers, so that a comma tells them apart.
    failed = F.concat_ws(",", "failed_gates").alias("failed")
    rows = decisions.select("customer_id", failed, _stage().alias("stage"))
    counted = rows.groupBy("failed", "stage").count().collect()
    gates = in_order({gate for row in counted for gate in row["failed"].split(",") if gate})
    steps = (*gates, *AFTER_GATES)
    fates = {(row["failed"], row["stage"]): _fate(row, steps) for row in counted}
    offers, clients = tuple(fates.values()), _clients(rows, fates, len(steps))
    everything = Count(*(sum(fate.count for fate in some) for some in (offers, clients)))
    return (
        FunnelStep(START, Count(0, 0), None, everything),
        *(
            FunnelStep(
                step,
                Count(_stopped(offers, place), _stopped(clients, place)),
                Count(_alone(offers, place), _alone(clients, place)) if step in gates else None,
                Count(_left(offers, place), _left(clients, place)),
            )
            for place, step in enumerate(steps)
        ),
    )


def in_order(gates: set[str]) -> tuple[str, ...]:
    """Reason codes in the order in which the funnel asks their gates."""

    def place(code: str) -> tuple[int, bool, str]:
        family = code.partition(".")[0]
        # Who is no client any more is a matter of its own, and comes first.
        rest = (code != ReasonCode.NOT_ACTIVE, code)
        if family in FAMILIES:
            return FAMILIES.index(family), *rest
        return len(FAMILIES) + (family == LAST_FAMILY), *rest

    return tuple(sorted(gates, key=place))


def in_words(step: str) -> str:
    """A step as people say it."""
    family, _, rule = step.partition(".")
    return f"{family}: {rule}".replace("_", " ") if rule else WORDS[step]


def _stage() -> Column:
    """What becomes of who passes all gates; the holdout has no outcome of its own."""
    is_holdout = (F.col("outcome") == str(Outcome.CONTROL)) & ~F.col("is_in_control_group")
    return F.when(is_holdout, F.lit(GLOBAL_HOLDOUT)).otherwise(F.col("outcome"))


def _fate(counted: Row, steps: Sequence[str]) -> _Fate:
    """Of offers that failed the same gates, or came as far."""
    stopping = counted["failed"].split(",") if counted["failed"] else [counted["stage"]]
    places = [steps.index(one) for one in stopping if one in steps]
    stops = sum(1 << place for place in places)
    alone = stops if counted["failed"] and len(places) == 1 else 0
    return _Fate(stops, alone, min(places, default=len(steps)), counted["count"])


def _clients(
    rows: DataFrame, fates: Mapping[tuple[str, str], _Fate], steps: int
) -> tuple[_Fate, ...]:
    """Clients whose offers came to the same."""
    parts = range(0, steps, BITS)
    names = [f"{kind}_{part}" for kind in ("stops", "alone") for part in parts]
    ddl = ", ".join(["failed string", "stage string", "place int", *map("{} bigint".format, names)])
    told = [
        (
            *key,
            fate.place,
            *(mask >> part & MASK for mask in (fate.stops, fate.alone) for part in parts),
        )
        for key, fate in fates.items()
    ]
    # The left key is unique: a row per combination.
    joined = rows.sparkSession.createDataFrame(told, ddl).join(rows, ["failed", "stage"])
    each = joined.groupBy("customer_id").agg(
        F.max("place").alias("place"), *(F.bit_or(name).alias(name) for name in names)
    )
    counted = each.groupBy("place", *names).count().collect()
    return tuple(
        _Fate(_whole(row, "stops", parts), _whole(row, "alone", parts), row["place"], row["count"])
        for row in counted
    )


def _whole(row: Row, kind: str, parts: Iterable[int]) -> int:
    """The bits of all parts."""
    return sum(row[f"{kind}_{part}"] << part for part in parts)


def _stopped(fates: Iterable[_Fate], place: int) -> int:
    return sum(fate.count for fate in fates if fate.stops >> place & 1)


def _alone(fates: Iterable[_Fate], place: int) -> int:
    return sum(fate.count for fate in fates if fate.alone >> place & 1)


def _left(fates: Iterable[_Fate], place: int) -> int:
    return sum(fate.count for fate in fates if fate.place > place)
