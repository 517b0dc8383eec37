"""Every command of `docs/compliance.md` is one that `xsell` understands."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from jobs.arguments import parser

DOCUMENT = Path(__file__).parents[2] / "docs" / "compliance.md"
QUESTION = re.compile(r"^\| (\d+) \|", re.MULTILINE)
COMMANDS = sorted(set(re.findall(r"`(xsell [^`]+)`", DOCUMENT.read_text(encoding="utf-8"))))


def test_the_questions_are_numbered_and_many_enough():
    numbers = [int(number) for number in QUESTION.findall(DOCUMENT.read_text(encoding="utf-8"))]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 25


@pytest.mark.parametrize("command", COMMANDS)
def test_the_command_is_understood(command, monkeypatch):
    from audit.checkpoint import VerifierKey

    # Keys in the document stand for those of the case.
    monkeypatch.setattr(VerifierKey, "from_text", staticmethod(lambda text: VerifierKey("n", b"")))
    options = parser().parse_args(shlex.split(command)[1:])
    assert callable(options.do)
