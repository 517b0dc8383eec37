"""What `xsell` understands: commands, their options, and the function that carries each out."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from jobs.campaigns.what_if_arguments import add_what_if
from jobs.combinations.arguments import add_combinations
from jobs.demo.arguments import add_react
from jobs.fairness.arguments import add_fairness
from tables.imports import without

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction["Parser"]

WRONG_USAGE = 2
MOST_CHARACTERS = 500  # of a name or a reason in the record
STEP_HELP = {
    "ingest": "conform and validate new deliveries; set bad rows aside",
    "features": "customer features as of a date",
    "train": "a challenger per product, logged to MLflow",
    "score": "champion propensity of every customer and product",
    "campaign": "decisions, branch lists, offer log",
    "measure": "what past campaigns caused, as known by now",
    "run": "all steps of a month; a rerun does only what is missing",
}


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """Print the line and exit with 2."""
        end = "" if message.endswith("?") else "."
        self.exit(WRONG_USAGE, f"{self.prog}: {message}{end} See {self.prog} --help\n")


def month_first(text: str) -> date:
    """An as-of date: the first day of a month."""
    day = day_of(text)
    if day.day != 1:
        raise argparse.ArgumentTypeError(
            f"{text} is not the first day of a month; did you mean {day.replace(day=1)}?"
        )
    return day


def day_of(text: str) -> date:
    """A day, ``YYYY-MM-DD``."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date of the form YYYY-MM-DD") from None


def parser() -> Parser:
    """All commands and their options."""
    # They take what is common from here.
    from jobs.lists.arguments import add_lists, add_offers
    from jobs.privacy.retention_arguments import add_retention

    root = Parser(prog="xsell", description="Which client to offer what, and why: once a month.")
    root.set_defaults(verbose=False, debug=False)
    commands = root.add_subparsers(title="commands", required=True, metavar="command")
    _add_demo(commands)
    for name, text in STEP_HELP.items():
        command = add_command(commands, name, text, lazy("jobs.run_month", "run_command"))
        add_month(command)
        command.add_argument(
            "--supersede",
            action="store_true",
            help="replace what was published for this month from other inputs",
        )
        command.set_defaults(step=name)
        if name == "campaign":
            add_what_if(command)
            command.set_defaults(do=lazy("jobs.campaigns.what_if", "campaign_command"))
    combinations = add_command(
        commands,
        "combinations",
        "products held together more than by chance, and packages they suggest",
        lazy("jobs.combinations.command", "combinations_command"),
    )
    add_month(combinations)
    add_combinations(combinations)
    fairness = add_command(
        commands,
        "fairness",
        "who is offered less, by protected group, and what the jurisdiction stops",
        lazy("jobs.fairness.command", "fairness_command"),
    )
    add_month(fairness)
    add_fairness(fairness)
    retention = add_command(
        commands,
        "retention",
        "remove months that are older than the jurisdiction's bounds",
        lazy("jobs.privacy.retention_command", "retention_command"),
    )
    add_month(retention)
    add_retention(retention)
    _add_models(commands)
    add_lists(commands)
    add_offers(commands)
    _add_deliveries(commands)
    berka = add_command(
        commands,
        "berka",
        "the month as of 1994-04-01 of the Berka bank, back-tested",
        lazy("jobs.extracts.berka", "berka_command"),
    )
    berka.add_argument("--data", type=Path, required=True, help="folder of the raw Berka files")
    add_home(berka, "var-berka")
    _add_adapt(commands)
    doctor = add_command(
        commands,
        "doctor",
        "check machine, engine, configuration, store, registry",
        lazy("jobs.doctor", "doctor_command"),
    )
    add_place(doctor)
    return root


def add_command(
    commands: Commands, name: str, text: str, do: Callable[[argparse.Namespace], int]
) -> Parser:
    """A command that ``do`` carries out, with what every command understands."""
    command = commands.add_parser(name, help=text, description=text)
    command.add_argument("--verbose", action="store_true", help="log what is done")
    command.add_argument("--debug", action="store_true", help="show traces of errors")
    command.set_defaults(do=do)
    return command


def add_home(command: Parser, folder: str = "var") -> None:
    """Where state lives."""
    command.add_argument(
        "--home", type=Path, default=Path(folder), help=f"where state lives (default: {folder})"
    )


def add_place(command: Parser) -> None:
    """Where state lies, and with what settings."""
    command.add_argument("--env", default="local", help="folder under conf/ (default: local)")
    add_home(command)
    command.add_argument(
        "--set",
        dest="overrides",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change a setting, e.g. campaign.branch_capacity=40",
    )


def add_month(command: Parser) -> None:
    """Which month, and what ``add_place`` adds."""
    command.add_argument(
        "--as-of",
        type=month_first,
        required=True,
        metavar="YYYY-MM-01",
        help="first day of a month; nothing known on or after it is used",
    )
    add_place(command)


def _add_demo(commands: Commands) -> None:
    demo = add_command(
        commands,
        "demo",
        "make a synthetic bank with planted truth, as deliveries",
        lazy("jobs.demo.command", "demo_command"),
    )
    demo.add_argument("--customers", type=positive, default=20_000)
    demo.add_argument("--months", type=positive, default=24)
    demo.add_argument("--seed", type=int, default=1)
    demo.add_argument(
        "--until",
        type=month_first,
        default=date(2026, 11, 1),
        metavar="YYYY-MM-01",
        help="day of the last delivery (default: 2026-11-01)",
    )
    demo.add_argument(
        "--processes",
        type=positive,
        default=2,
        help="for more than 25,000 customers; each takes some 300 MB (default: 2)",
    )
    demo.add_argument("--out", type=Path, help="landing folder (default: <home>/landing)")
    add_react(demo)
    add_place(demo)


def _add_adapt(commands: Commands) -> None:
    adapt = add_command(
        commands,
        "adapt",
        "make deliveries of another bank's raw files, as conf/sources says",
        lazy("jobs.extracts.adapt", "adapt_command"),
    )
    adapt.add_argument("--source", required=True, help="name of a file in conf/sources")
    adapt.add_argument("--data", type=Path, required=True, help="folder of the raw files")
    add_home(adapt)


def positive(text: str) -> int:
    """A whole number above 0."""
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def _add_models(commands: Commands) -> None:
    models = commands.add_parser("models", help="list, compare, promote and roll back models")
    verbs = models.add_subparsers(title="commands", required=True, metavar="command")
    for name, text, module in (
        ("list", "champion and challenger per product, with their figures", "command"),
        ("compare", "two versions of a product side by side", "compare"),
        ("promote", "make a challenger the champion, if the gate lets it", "command"),
        ("rollback", "make the previous champion the champion again", "command"),
        ("history", "who promoted or rolled back what, when and why", "history"),
    ):
        verb = add_command(verbs, name, text, lazy(f"jobs.models.{module}", f"{name}_command"))
        _add_models_options(name, verb)
        add_place(verb)


def _add_models_options(name: str, verb: Parser) -> None:
    if name in ("compare", "promote", "rollback"):
        verb.add_argument("product")
    if name == "compare":
        verb.add_argument(
            "versions",
            nargs="*",
            type=positive,
            metavar="VERSION",
            help="two versions (default: champion and challenger)",
        )
    if name in ("promote", "rollback"):
        verb.add_argument("--who", required=True, type=said, help="who decides; recorded")
        verb.add_argument("--why", required=True, type=said, help="why; recorded")
    if name == "history":
        verb.add_argument("product", nargs="?", help="default: all")
        verb.add_argument("--on", type=day_of, metavar="YYYY-MM-DD", help="what was live on a day")


def said(text: str) -> str:
    """A person's words for the record, in one line."""
    words = " ".join(text.split())
    if not 0 < len(words) <= MOST_CHARACTERS:
        raise argparse.ArgumentTypeError(
            f"needs 1 to {MOST_CHARACTERS} characters, has {len(words)}"
        )
    return words


def _add_deliveries(commands: Commands) -> None:
    deliveries = commands.add_parser("deliveries", help="what was delivered, and what is wrong")
    verbs = deliveries.add_subparsers(title="commands", required=True, metavar="command")
    every = add_command(
        verbs,
        "list",
        "every delivery with its rows",
        lazy("jobs.extracts.deliveries_command", "list_command"),
    )
    show = add_command(
        verbs,
        "show",
        "the tables of a delivery",
        lazy("jobs.extracts.deliveries_command", "show_command"),
    )
    quarantine = add_command(
        verbs,
        "quarantine",
        "rows set aside, why, and what to ask for",
        lazy("jobs.extracts.deliveries_command", "quarantine_command"),
    )
    show.add_argument("delivery", metavar="YYYY-MM-DD")
    quarantine.add_argument("--delivery", metavar="YYYY-MM-DD", help="default: all")
    quarantine.add_argument("--table", help="default: all")
    quarantine.add_argument("--rows", type=positive, default=3, help="examples for each reason")
    quarantine.add_argument(
        "--values", action="store_true", help="show the offending values, which may be clients'"
    )
    for command in (every, show, quarantine):
        add_place(command)
    runs = add_command(
        commands, "runs", "committed runs, newest last", lazy("jobs.runs.command", "runs_command")
    )
    add_place(runs)


def lazy(
    module: str, function: str, *, done_without: Sequence[str] = ()
) -> Callable[[argparse.Namespace], int]:
    """The function, imported when it is called: `--help` must not wait for an engine to load.

    Args:
        module: Where it is.
        function: Its name.
        done_without: Packages that its imports do without, see ``tables.imports.without``.
    """

    def call(options: argparse.Namespace) -> int:
        from importlib import import_module

        with without(*done_without):
            command = getattr(import_module(module), function)
        return int(command(options))

    return call
