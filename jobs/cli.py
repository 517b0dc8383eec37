"""`xsell`: what the campaign manager, the data scientist and the compliance reviewer type."""

from __future__ import annotations

import argparse
import errno
import logging
import os
import sys
from collections.abc import Callable, Sequence

from jobs.arguments import parser
from tables.errors import UserError
from tables.files import HIDDEN

FAILED = 1
OURS = (
    "extracts",
    "features",
    "models",
    "campaigns",
    "audit",
    "measurement",
    "expectations",
    "demo",
    "jobs",
    "tables",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out a command.

    Returns:
        Exit code: 0 done, 1 failed, 2 wrong usage or configuration, 3 a contract stopped
        publication.
    """
    options = parser().parse_args(arguments)
    # Engines and libraries write files of their own: none is for others, whatever mask was there.
    os.umask(os.umask(HIDDEN) | HIDDEN)
    logging.basicConfig(
        level=logging.WARNING, format="%(levelname)s %(message)s", stream=sys.stderr
    )
    # Once imported it sets a level of its own, and tells of its temporary folders.
    chatty = logging.getLogger("great_expectations.data_context.types.base")
    chatty.addFilter(lambda record: record.levelno >= logging.WARNING)
    for package in OURS if options.verbose else ():
        logging.getLogger(package).setLevel(logging.INFO)
    return guarded(options.do, options)


def guarded(do: Callable[[argparse.Namespace], int], options: argparse.Namespace) -> int:
    """Turn errors into one line and an exit code; `--debug` lets the trace through."""
    try:
        return _to_the_end(do, options)
    except UserError as error:
        return _failed(str(error), error.exit_code, options)
    except KeyboardInterrupt:
        return _failed(
            "stopped; what is published is whole. Run the same command to go on", 130, options
        )
    except OSError as error:
        hint = ". Free some space and run the same command again" if _is_full(error) else ""
        where = f" ({error.filename})" if error.filename else ""
        return _failed(f"{error.strerror or error}{where}{hint}", FAILED, options)
    except Exception as error:  # noqa: BLE001 -- the outermost edge: nothing is carried on
        from conf.errors import ConfigError

        if isinstance(error, ConfigError):
            return _failed(str(error), error.exit_code, options)
        # An engine's message may quote a customer's values, so only its kind is shown.
        return _failed(
            f"internal error: {type(error).__name__}. What is published is whole;"
            " --debug shows the trace (it may contain customers' values)",
            FAILED,
            options,
        )


def _to_the_end(do: Callable[[argparse.Namespace], int], options: argparse.Namespace) -> int:
    try:
        code = do(options)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader, `head` for one, has seen enough; Python would complain once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


def _failed(message: str, exit_code: int, options: argparse.Namespace) -> int:
    if options.debug and sys.exc_info()[0] is not None:
        logging.getLogger(__name__).exception("trace")
    sys.stderr.write(f"xsell: {message}\n")
    return exit_code


def _is_full(error: OSError) -> bool:
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


if __name__ == "__main__":
    sys.exit(main())
