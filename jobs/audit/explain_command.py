"""`xsell offers explain`: why a client was, or was not, offered something."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from audit.explanation import explanation_lines, overview_lines
from jobs.audit.client_facts import Campaign
from jobs.audit.explained import Told, explained
from jobs.audit.lookups import note_lookup
from jobs.home import Home
from jobs.lists.which_campaign import asked_campaign
from jobs.reports import page_text
from models.boosters import import_lightly
from tables.errors import UserError
from tables.files import write_file

TEMPLATE = "explain.html.j2"
MORE = "Everything about one: --offer ID; about all: --html FILE or --json FILE"


def explain_command(options: argparse.Namespace) -> int:
    """Tell everything about the decisions of a campaign about one client."""
    home = Home(Path(options.home).resolve())
    is_short = not (options.offer or options.json or options.html)
    if not is_short:
        import_lightly()
    _, told = explained_to(home, options, "offers explain", in_short=is_short)
    for path, content in _files(options, told):
        write_file(path, content.encode())
        sys.stdout.write(f"written to {path}\n")
    if is_short:
        sys.stdout.write("\n".join([*overview_lines(told), "", MORE]) + "\n")
    elif not (options.json or options.html):
        sys.stdout.write("\n".join(explanation_lines(told)) + "\n")
    return 0


def explained_to(
    home: Home, options: argparse.Namespace, command: str, *, in_short: bool = False
) -> tuple[Campaign, Told]:
    """What is told about the client that was asked for; who asks is recorded before it is told."""
    campaign = Campaign.of(home, asked_campaign(home, options))
    try:
        told = explained(campaign, options.customer, options.offer, in_short=in_short)
    except UserError:
        note_lookup(home, command, options.customer, options.by, found=False)
        raise
    note_lookup(home, command, options.customer, options.by, found=True)
    return campaign, told


def _files(options: argparse.Namespace, told: Told) -> list[tuple[Path, str]]:
    found = []
    if options.json:
        text = json.dumps(told, indent=1, ensure_ascii=False, default=str)
        found.append((options.json, text + "\n"))
    if options.html:
        found.append((options.html, page_text(told, TEMPLATE)))
    return found
