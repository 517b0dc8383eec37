"""`xsell` knows every command of `docs/compliance.md` and of the table of `README.md`."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from jobs.arguments import parser

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "compliance.md"
ASKED = [
    line
    for line in (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("|")
]
QUESTION = re.compile(r"^\| (\d+) \|", re.MULTILINE)
TEXTS = [DOCUMENT.read_text(encoding="utf-8"), *ASKED]
COMMANDS = sorted({one for text in TEXTS for one in re.findall(r"`(xsell [^`]+)`", text)})


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
