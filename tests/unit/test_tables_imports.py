"""What a command does without is not imported."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

from tables.imports import without

EXPLAIN = """
import sys
from jobs.arguments import parser
from tables.errors import UserError

options = parser().parse_args(
    ["offers", "explain", "--customer", "C1", "--as-of", "2026-11-01", "--home", sys.argv[1]]
)
try:
    options.do(options)
except UserError:
    print(sorted({"pandas", "sklearn"} & set(sys.modules)))
"""


def test_imports_fail_meanwhile_and_work_afterwards():
    sys.modules.pop("colorsys", None)
    with without("colorsys"), pytest.raises(ModuleNotFoundError, match="colorsys"):
        import_module("colorsys")
    assert import_module("colorsys").rgb_to_hsv(0, 0, 0) == (0, 0, 0)


def test_what_is_imported_stays():
    with without("json"):
        assert import_module("json").loads("1") == 1


def test_explaining_needs_no_pandas(tmp_path):
    """It is most of what importing takes, and a reviewer waits for it."""
    said = subprocess.run(
        [sys.executable, "-c", EXPLAIN, tmp_path], capture_output=True, text=True, check=True
    )
    assert said.stdout == "[]\n"
