"""Commands typed one after another into one process: to start one takes longer than most do."""

from __future__ import annotations

import json
import subprocess
import sys

COMMANDS = """
import contextlib, io, json, sys
from jobs.cli import main
for line in sys.stdin:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main(json.loads(line))
        except SystemExit as stopped:
            code = stopped.code
    print(json.dumps([code, out.getvalue(), err.getvalue()]), flush=True)
"""


class Typed:
    """A process that runs one command after another, and says how each ended."""

    def __init__(self) -> None:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        self._process = subprocess.Popen([sys.executable, "-c", COMMANDS], text=True, **pipes)

    def __call__(self, *words: object) -> subprocess.CompletedProcess[str]:
        """As `subprocess.run` tells of a command of its own; an error nobody caught ends all."""
        said = [str(word) for word in words]
        print(json.dumps(said), file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        assert answer, self._process.stderr.read()
        return subprocess.CompletedProcess(said, *json.loads(answer))

    def close(self) -> None:
        """Let it end."""
        self._process.communicate(timeout=60)
