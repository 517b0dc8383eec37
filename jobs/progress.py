"""Show how far a step is: a bar on a terminal, nothing but plain lines in a log."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

log = logging.getLogger(__name__)


@contextmanager
def progress_bar(total: int, label: str, unit: str = "") -> Iterator[Callable[[int], None]]:
    """Yield a function that says how many more of ``total`` are done."""
    if not sys.stderr.isatty():
        log.info("%s", label)
        yield lambda _: None
        return
    from tqdm import tqdm

    with tqdm(total=total, desc=label, unit=unit or "it", leave=False, file=sys.stderr) as bar:
        yield lambda done: bar.update(done) and None
