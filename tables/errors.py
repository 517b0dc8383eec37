"""What can go wrong for a user: each error is one clear message with the fix."""

from __future__ import annotations


class UserError(Exception):
    """The command cannot be carried out; the message says why and what to do. Exit code 1."""

    exit_code = 1


class UnknownClient(UserError):
    """The bank knows no such client. Exit code 2."""

    exit_code = 2


class ModelNotFound(UserError):
    """No champion is registered for a product."""


class ContractViolation(UserError):
    """A table breaks its contract, so nothing is published. Exit code 3."""

    exit_code = 3
