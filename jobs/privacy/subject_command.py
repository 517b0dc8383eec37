"""`xsell offers subject`: what is held about a client, for the client (GDPR art. 15)."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from jobs.audit.lookups import note_lookup
from jobs.home import Home
from jobs.privacy.subject_report import Content, subject_report
from tables.errors import UserError
from tables.files import make_folder, write_file

COMMAND = "offers subject"
TEMPLATE = "subject.html.j2"
FOR_ONE = 0o600  # what is held about one person is for whoever answers that person


def subject_command(options: argparse.Namespace) -> int:
    """Say in short what is held, and write it whole.

    Raises:
        UnknownClient: Nothing names such a client.
        UserError: A file would lie below the home, where an erasure would have to look for it.
    """
    home = Home(Path(options.home).resolve())
    if not home.tables.is_dir():
        raise UserError(f"{home.path} is no home folder. Choose another --home")
    for path in (options.to, options.html):
        _refuse_inside(home, path)
    try:
        content = subject_report(home, options.customer)
    except UserError:
        note_lookup(home, COMMAND, options.customer, options.by, found=False)
        raise
    note_lookup(home, COMMAND, options.customer, options.by, found=content is not None)
    if content is None:
        sys.stdout.write("This client was erased; nothing about them is held.\n")
        return 0
    lines = list(_told(content))
    if options.to:
        text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
        lines.append(_written(options.to, text))
    if options.html:
        from jobs.reports import page_text

        lines.append(_written(options.html, page_text(content, TEMPLATE)))
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 0


def _refuse_inside(home: Home, path: Path | None) -> None:
    if path is not None and home.path in path.resolve().parents:
        raise UserError(f"{path} is below the home folder: write the report somewhere else")


def _written(path: Path, text: str) -> str:
    make_folder(path.resolve().parent)
    write_file(path.resolve(), text.encode(), FOR_ONE)
    return f"written to {path}"


def _told(content: Content) -> Iterator[str]:
    """The report in short."""
    records = len(content["records"])
    of = f", {records} records of one person" if records > 1 else ""
    yield f"{content['title']}: client {content['customer_id']}{of}"
    yield "Held, by table:"
    width = max(len(one["name"]) for one in content["tables"])
    for one in content["tables"]:
        yield f"  {one['name']:<{width}}  {len(one['rows']):>6,}  {one['about']}"
    delivered = content["delivered"]
    count = sum(delivered["rows"].values())
    yield f"  and {count:,} rows in {delivered['deliveries']:,} deliveries"
    allowed = sum(one["is_granted"] for one in content["consents"])
    yield f"Consents: {allowed} given, {len(content['consents']) - allowed} refused"
    outcomes = Counter(one["outcome"] for one in content["decisions"])
    said = ", ".join(f"{name} {count:,}" for name, count in sorted(outcomes.items()))
    yield f"Decisions: {said or 'none'}"
    yield "Received by:"
    yield from (f"  {one}" for one in content["recipients"] or ["nobody outside of this system"])
