"""Kill a command at a named point, as `kill -9` would.

`python -m tests.crash MODULE:FUNCTION NUMBER before|after ARGS…`
"""

from __future__ import annotations

import importlib
import os
import signal
import sys

from jobs.cli import main


def kill_at(point: str, number: int, when: str) -> None:
    """Let the ``number``-th call of ``module:function`` be the last thing that happens.

    The function is replaced wherever it has been imported to: a point that is never reached must
    not pass.
    """
    module_name, _, name = point.partition(":")
    holder = importlib.import_module(module_name)
    *path, last = name.split(".")
    for part in path:
        holder = getattr(holder, part)
    real = getattr(holder, last)
    calls = 0

    def patched(*args, **kwargs):
        nonlocal calls
        calls += 1
        if calls == number and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = real(*args, **kwargs)
        if calls == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(holder, last, patched)


if __name__ == "__main__":
    kill_at(sys.argv[1], int(sys.argv[2]), sys.argv[3])
    sys.exit(main(sys.argv[4:]))
