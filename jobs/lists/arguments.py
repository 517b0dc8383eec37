"""What `xsell lists` and `xsell offers` understand."""

from __future__ import annotations

import argparse
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING

from jobs.arguments import (
    Parser,
    add_command,
    add_home,
    add_month,
    add_place,
    day_of,
    lazy,
    month_first,
    positive,
)
from jobs.audit.check_arguments import add_check
from jobs.audit.explain_arguments import add_evidence, add_explain, add_replay, add_rotate_key
from jobs.audit.lookup_arguments import add_by, add_lookups
from jobs.privacy.erasure_arguments import add_erase
from jobs.privacy.subject_arguments import add_subject
from tables.errors import UserError

if TYPE_CHECKING:
    from audit.checkpoint import VerifierKey
    from jobs.arguments import Commands

FILTER_HELP = {
    "branch": "branch_id (default, without any filter: the first branch)",
    "advisor": "advisor_id",
    "product": "product_id",
    "offer": "offer_id",
    "channel": "branch, phone, email, sms, post or app",
    "customer": "customer_id",
    "move": "kind of sale: cross_sell_internal, cross_sell_partner, up_sell, renewal, bundle",
}


def add_lists(commands: Commands) -> None:
    """`xsell lists` and its verbs."""
    lists = commands.add_parser("lists", help="show, export and compare campaign lists")
    verbs = lists.add_subparsers(title="commands", required=True, metavar="command")
    _add_show(verbs)
    export = add_command(
        verbs,
        "export",
        "write the lists of a committed run to a folder, without what was withdrawn since",
        lazy("jobs.lists.export", "export_command"),
    )
    export.add_argument("--to", type=Path, required=True, help="folder to write to")
    export.add_argument(
        "--branch",
        action="append",
        default=[],
        metavar="ID",
        help="only this branch's files, in a folder of their own; may be repeated",
    )
    export.add_argument(
        "--on",
        type=day_of,
        metavar="YYYY-MM-DD",
        help="what was recorded before this day decides who may still be contacted (default: all"
        " that was delivered)",
    )
    _add_role(export)
    add_by(export)
    add_month(export)
    _add_exports(verbs)
    _add_diff(verbs)


def _add_exports(verbs: Commands) -> None:
    exports = add_command(
        verbs,
        "exports",
        "who exported which lists, when, as known before which day",
        lazy("jobs.lists.export_record", "exports_command"),
    )
    exports.add_argument(
        "--since", type=day_of, metavar="YYYY-MM-DD", help="of this day (UTC) or later"
    )
    exports.add_argument("--by", metavar="NAME", help="by whom, as they said or by their account")
    add_home(exports)


def add_offers(commands: Commands) -> None:
    """`xsell offers` and its verbs."""
    offers = commands.add_parser("offers", help="what became of offers that were handed out")
    verbs = offers.add_subparsers(title="commands", required=True, metavar="command")
    disposition = add_command(
        verbs,
        "disposition",
        "take the results of contacts that branches return, as CSV",
        lazy("jobs.lists.dispositions_command", "disposition_command"),
    )
    disposition.add_argument(
        "--file",
        type=Path,
        required=True,
        help="columns customer_id, offer_id, run_id or as_of, disposition, disposition_at,"
        " channel; advisor_id and note_code if there are any",
    )
    disposition.add_argument(
        "--on",
        type=day_of,
        metavar="YYYY-MM-DD",
        help="day on which the file came (default: that of its newest result)",
    )
    add_home(disposition)
    _add_recall(verbs)
    _add_verify(verbs)
    add_explain(verbs)
    add_replay(verbs)
    add_evidence(verbs)
    add_rotate_key(verbs)
    add_lookups(verbs)
    add_erase(verbs)
    add_check(verbs)
    add_subject(verbs)


def _add_recall(verbs: Commands) -> None:
    recall = add_command(
        verbs,
        "recall",
        "which rows of lists that are out must be withdrawn, after an objection",
        lazy("jobs.lists.recall_command", "recall_command"),
    )
    recall.add_argument(
        "--customer", action="append", required=True, metavar="ID", help="may be repeated"
    )
    recall.add_argument(
        "--since",
        type=day_of,
        required=True,
        metavar="YYYY-MM-DD",
        help="day of the objection: offers that are valid on it or later are recalled",
    )
    recall.add_argument("--to", type=Path, help="folder (default: <home>/lists/recalls)")
    add_by(recall)
    add_home(recall)


def _add_verify(verbs: Commands) -> None:
    verify = add_command(
        verbs,
        "verify",
        "nothing of what was decided and published has been changed since",
        lazy("jobs.audit.verify_command", "verify_command"),
    )
    verify.add_argument(
        "--checkpoint",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a checkpoint that you kept: the log must still hold what it held then; may be"
        " repeated",
    )
    verify.add_argument(
        "--key",
        type=_verifier_key,
        action="append",
        metavar="KEY",
        help="the bank's verifier key as you were given it (default: what is published in"
        " <home>/log)",
    )
    verify.add_argument(
        "--export",
        type=Path,
        metavar="FOLDER",
        help="also write the log as plain files, with a program that verifies them without xsell",
    )
    add_home(verify)


def _add_show(verbs: Commands) -> None:
    show: Parser = add_command(
        verbs,
        "show",
        "the first lines of a branch's list, or of what filters leave of all lists",
        lazy("jobs.lists.command", "show_command"),
    )
    for name, text in FILTER_HELP.items():
        show.add_argument(f"--{name}", metavar="ID", help=text)
    show.add_argument("--min-profit", type=_amount, metavar="AMOUNT", help="least expected profit")
    show.add_argument(
        "--top", "--rows", type=positive, default=10, metavar="N", help="lines (default: 10)"
    )
    _add_role(show)
    show.add_argument(
        "--columns",
        type=_names,
        default=(),
        metavar="A,B,…",
        help="columns to show, of those that the role may see",
    )
    add_by(show)
    add_month(show)


def _add_diff(verbs: Commands) -> None:
    diff = add_command(
        verbs,
        "diff",
        "what changed between the lists of two campaigns, and why",
        lazy("jobs.lists.diff", "diff_command"),
    )
    diff.add_argument("runs", nargs="*", metavar="RUN", help="run id, or how it begins")
    diff.add_argument(
        "--as-of",
        action="append",
        type=month_first,
        default=[],
        metavar="YYYY-MM-01",
        help="the campaign of a month, in place of a run; twice for two months",
    )
    diff.add_argument("--branch", metavar="ID", help="only this branch's lists")
    _add_role(diff)
    diff.add_argument("--csv", type=Path, metavar="FILE", help="write every change to this file")
    diff.add_argument(
        "--examples", type=positive, default=2, metavar="N", help="of each kind and cause"
    )
    add_place(diff)


def _add_role(command: Parser) -> None:
    command.add_argument(
        "--role",
        choices=("campaign", "branch", "science", "compliance"),
        default="campaign",
        help="who asks: decides columns and rows (conf/base/roles.yaml; default: campaign)",
    )


def _verifier_key(text: str) -> VerifierKey:
    from audit.checkpoint import VerifierKey

    try:
        return VerifierKey.from_text(text)
    except UserError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _amount(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("nan")
    if not amount.is_finite():
        raise argparse.ArgumentTypeError(f"{text!r} is no amount; write it as 25 or 25.50")
    return amount.quantize(Decimal("0.01"))


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not names:
        raise argparse.ArgumentTypeError("names no column")
    return names
