"""What `spark-submit` starts: the wheel among its Python files, on the driver as on executors.

``spark-submit … --py-files xsell-….whl submit.py features --as-of …`` does what `xsell features`
does. This file needs nothing of the project but that wheel, and may be copied out of it.
"""

from __future__ import annotations

import atexit
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path

WHEEL = "xsell-*.whl"


def main() -> int:
    """Carry out the command with the code of the wheel; exit codes are those of `xsell`."""
    wheel = next((place for place in map(Path, sys.path) if place.match(WHEEL)), None)
    if wheel is None:
        sys.stderr.write(
            "xsell: the cluster needs the project's code: add --py-files dist/xsell-….whl before"
            " the script (make wheel builds it)\n"
        )
        return 2
    # It takes the place of this script's folder, whose modules are no top-level ones.
    sys.path[0] = unpacked(wheel)
    from jobs.cli import main as xsell

    return xsell()


def unpacked(wheel: Path) -> str:
    """A folder of this process with the wheel's files: settings and templates are read by path."""
    folder = tempfile.mkdtemp(prefix="xsell-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


if __name__ == "__main__":
    sys.exit(main())
