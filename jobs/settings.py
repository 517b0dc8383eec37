"""The configuration that a command is given, with what only steps know to be wrong in it."""

from __future__ import annotations

from collections.abc import Sequence

from conf.load import load_config
from conf.schema import RunConfig


def checked_config(
    env: str, overrides: Sequence[str] = (), what_ifs: Sequence[str] = ()
) -> RunConfig:
    """The configuration of a month, whose mistakes are told before anything is done.

    Raises:
        ConfigError: With every problem that was found.
    """
    # features are declared with the engine's library, which not every command needs
    from campaigns.bank_rules import broken_expressions
    from campaigns.sentences import broken_sentences
    from models.monotone import broken_constraints

    more_rules = (broken_sentences, broken_constraints, broken_expressions)
    return load_config(env, overrides, more_rules=more_rules, what_ifs=what_ifs)
