"""One step, or all steps of a month: each commits once, a rerun does only what is missing."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from jobs.engine import open_engine
from jobs.home import Home
from jobs.publishing import Context, StepResult, execute
from jobs.runs.rewriting import publishing
from jobs.runs.summary import summary_lines
from jobs.settings import checked_config
from jobs.steps import MONTH, STEPS, Step


def run_command(options: argparse.Namespace) -> int:
    """`xsell run` and `xsell <step>`."""
    config = checked_config(options.env, options.overrides)
    home = Home(Path(options.home).resolve())
    home.create()
    steps = MONTH if options.step == "run" else (STEPS[options.step],)
    holder = f"xsell {options.step} --as-of {options.as_of}"
    with publishing(home, holder), open_engine(config.engine) as spark:
        context = Context(options.as_of, config, home, spark, options.supersede)
        results = run_steps(context, steps)
        sys.stdout.write("\n".join(summary_lines(context, results)) + "\n")
    return 0


def run_steps(context: Context, steps: Sequence[Step]) -> list[StepResult]:
    """Execute steps in order; each sees what those before it committed."""
    results = []
    for step in steps:
        result = execute(context, step)
        state = "already there" if result.was_there_already else f"{result.record.seconds:.1f} s"
        sys.stderr.write(f"{step.name:<9} {state}\n")
        results.append(result)
    return results
