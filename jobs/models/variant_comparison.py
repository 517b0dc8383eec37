"""A variant beside the versions there are, on the same test customers, as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jobs.models.command import NOTHING, text_table
from jobs.models.tried import Tried
from jobs.models.variants_looked_at import Looks
from models.card import METRIC_NAMES, decile_rows
from models.evaluate import Estimate, deciles
from models.gate import better_than_champion
from models.registry import CHAMPION

HEADER = ("tenth", "customers", "buyers", "predicted", "observed [95 %]", "lift so far")


@dataclass(frozen=True)
class Beside:
    """A registered version on the test customers of a variant.

    Attributes:
        alias: Champion or challenger.
        version: Its number.
        metrics: Of the version.
        gain: Log loss gain of the variant over it, paired by customer.
    """

    alias: str
    version: int
    metrics: Mapping[str, Estimate]
    gain: Estimate

    @property
    def label(self) -> str:
        """Above its column."""
        return f"{self.alias}, version {self.version}"


@dataclass(frozen=True)
class Comparison:
    """What is known of a variant beside others; printed, it is a text for a person.

    Attributes:
        tried: The variant on the test cohort, with the gate's verdict.
        others: What is in use, what waits.
        looks: How many variants were looked at on this test cohort.
        left_out: Versions that were not compared, and why, a sentence each.
    """

    tried: Tried
    others: tuple[Beside, ...]
    looks: Looks
    left_out: tuple[str, ...]

    def __str__(self) -> str:
        """Figures side by side, reliability, the gate, and the reminder."""
        bought = self.tried.has_bought
        head = (
            f"{self.tried.candidate.scorer.product_id}, on the same {len(bought):,} customers,"
            f" {bought.sum():,} of them buyers (test cohort {self.looks.cohort})\n"
        )
        tail = [*self.left_out, *self._verdicts(), f"This is {self.looks}."]
        parts = [head, text_table(self._figures()), text_table(_tenths(self.tried))]
        return "\n".join([*parts, "\n".join(tail)])

    def _figures(self) -> list[Sequence[str]]:
        columns = [self.tried.candidate.metrics, *(other.metrics for other in self.others)]
        gains = [other.gain.in_words(5, sign=True) for other in self.others]
        return [
            ("", "variant", *(other.label for other in self.others)),
            *(
                (name, *(column[key].in_words(decimals) for column in columns))
                for key, (name, decimals) in METRIC_NAMES.items()
            ),
            ("Log loss gain of the variant", NOTHING, *gains),
        ]

    def _verdicts(self) -> list[str]:
        """What the gate would say of it as a challenger."""
        champion = [better_than_champion(one.gain) for one in self.others if one.alias == CHAMPION]
        return [
            f"Gate: {self.tried.verdict}.",
            *(f"Beside the champion: {one}." for one in champion),
        ]


def _tenths(tried: Tried) -> list[Sequence[str]]:
    """Reliability and lift: tenths of the test customers, best first."""
    rows = decile_rows(deciles(tried.propensity, tried.has_bought))
    return [HEADER, *(_tenth(place, row) for place, row in enumerate(rows, 1))]


def _tenth(place: int, row: Mapping[str, object]) -> tuple[str, ...]:
    observed = Estimate(*row["observed"])  # type: ignore[misc]
    so_far = row["lift_so_far"]
    return (
        str(place),
        f"{row['customers']:,}",
        f"{row['buyers']:,}",
        f"{row['predicted']:.4f}",
        observed.in_words(4),
        NOTHING if so_far is None else f"{so_far:.2f}",
    )
