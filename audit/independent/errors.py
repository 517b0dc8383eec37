"""Why there was nothing to check."""

from __future__ import annotations


class CannotCheck(Exception):
    """What the check needs is not there, or cannot be read; the message is for a person."""
