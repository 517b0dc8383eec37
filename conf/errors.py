"""What a person who wrote a configuration is told."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class ConfigError(Exception):
    """The configuration is wrong; the message has one line per problem. Exit code 2."""

    exit_code = 2

    def __init__(self, problems: Iterable[str]) -> None:
        """Keep every problem: all are told at once."""
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The nearest known name as the end of a sentence, or nothing."""
    nearest = get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"; did you mean {nearest[0]}?" if nearest else ""
