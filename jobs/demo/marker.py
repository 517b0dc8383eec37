"""What a landing folder says of the demo bank in it: how it was made, which lists were worked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from tables.errors import UserError
from tables.files import write_file

MARKER = ".demo"
UNFINISHED = "unfinished\n"
MADE = re.compile(r"(\d+) customers, (\d+) months, seed (-?\d+), until (\d{4}-\d\d-01)")
WORKED = re.compile(r"worked (\d{4}-\d\d-01) ([0-9a-f]+)")


@dataclass(frozen=True)
class Made:
    """How a demo bank was made.

    Attributes:
        customers: Everybody who ever joins.
        months: Deliveries.
        seed: Of all draws.
        until: Day of the last delivery.
        worked: As-of date and run of each campaign whose lists branches have worked through.
    """

    customers: int
    months: int
    seed: int
    until: date
    worked: tuple[tuple[date, str], ...] = ()

    def line(self) -> str:
        """As the marker says it."""
        return (
            f"{self.customers} customers, {self.months} months, seed {self.seed},"
            f" until {self.until}\n"
        )


def read_marker(landing: Path) -> Made | None:
    """What the marker says; None where no bank was finished."""
    marker = landing / MARKER
    lines = marker.read_text(encoding="utf-8").splitlines() if marker.exists() else []
    made = MADE.fullmatch(lines[0]) if lines else None
    if made is None:
        return None
    found = [WORKED.fullmatch(line) for line in lines[1:]]
    worked = [(date.fromisoformat(one[1]), one[2]) for one in found if one is not None]
    customers, months, seed = (int(made[place]) for place in (1, 2, 3))
    return Made(customers, months, seed, date.fromisoformat(made[4]), tuple(worked))


def write_marker(landing: Path, made: Made, worked: Sequence[tuple[date, str]] = ()) -> None:
    """The bank is complete, and so is what its branches made of these lists."""
    lines = [made.line(), *(f"worked {as_of} {run_id}\n" for as_of, run_id in worked)]
    write_file(landing / MARKER, "".join(lines).encode())


def is_there(landing: Path, wanted: Made) -> bool:
    """The landing folder holds this very bank; an unfinished one is made again.

    Raises:
        UserError: It holds other deliveries, which must not be overwritten.
    """
    marker = landing / MARKER
    found = marker.read_text(encoding="utf-8") if marker.exists() else ""
    first = found.partition("\n")[0]
    if found == UNFINISHED or f"{first}\n" == wanted.line():
        return found != UNFINISHED
    if landing.exists() and any(landing.iterdir()):
        raise UserError(
            f"{landing} already holds {first.strip() or 'deliveries of another source'};"
            " nothing was written. Choose another --home, or empty it"
        )
    return False
