"""The files of a campaign: workbook and CSV per branch, for care too, and all rows as Parquet."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from campaigns.csv_file import write_csv
from campaigns.headings import words_for_codes
from campaigns.recheck import without
from campaigns.workbook import Sheet, Words, write_workbook
from campaigns.workbook_words import HOW_TO_HELP, HOW_TO_READ, Block, lines_of, said
from conf.schema import RunConfig
from tables.files import sha256_of

MANIFEST = "manifest.json"
RECALLED_FILE = "recalled.csv"
WHOLE_FILE = "campaign.parquet"
# With what is put before and behind it, a name stays below the 255 bytes of file systems.
LONGEST_NAME, DIGEST_DIGITS = 100, 16
CARE_COLUMNS = (
    "customer_id",
    "care_treatment",
    "why",
    "what_to_do",
    "may_contact",
    "contact",
    "advisor_id",
    "valid_until",
    "valid_from",
    "as_of",
    "branch_id",
    "run_id",
)


COUNTED = {
    "by product": "product_id",
    "by channel": "channel",
    "by lever": "lever_code",
    "by advisor": "advisor_id",
}


@dataclass(frozen=True)
class Part:
    """What leaves the house where it is not all that was committed.

    Attributes:
        lists: Committed rows, shaped ``CAMPAIGN_LISTS``, recalled ones among them.
        care: Committed rows, shaped ``CARE_LISTS``, likewise.
        recalled: Shaped ``RECALLED``: rows that are left out of every file, and why.
        known_before: What was recorded before this day has decided that.
        branch_id: Whose rows these are; None: everybody's.
    """

    lists: pa.Table
    care: pa.Table
    recalled: pa.Table
    known_before: date
    branch_id: str | None = None

    @property
    def is_as_committed(self) -> bool:
        """Nothing is left out."""
        return self.branch_id is None and not self.recalled.num_rows

    @property
    def rows(self) -> int:
        """How many rows were committed."""
        return int(self.lists.num_rows + self.care.num_rows)

    @property
    def left_out(self) -> int:
        """How many rows are left out, each once."""
        return self.rows - sum(int(rows.num_rows) for rows in self.kept)

    @cached_property
    def kept(self) -> tuple[pa.Table, pa.Table]:
        """Lists and care lists without what is recalled."""
        of_care = pc.is_null(self.recalled["offer_id"])
        return (
            without(self.lists, self.recalled.filter(pc.invert(of_care))),
            without(self.care, self.recalled.filter(of_care)),
        )


def write_part(folder: Path, part: Part, config: RunConfig, as_of: date) -> None:
    """Fill an empty folder with a part, what was recalled from it, and how many rows that left out.

    A branch's part has no Parquet file: that has columns which are none of a branch's business.
    """
    lists, care = part.kept
    rows = _whole_file(folder, lists) if part.branch_id is None else {}
    rows |= _branch_files(folder, lists, config, as_of)
    rows |= _care_files(folder, care, config, as_of)
    if part.recalled.num_rows:
        write_csv(folder / RECALLED_FILE, part.recalled)
        rows[RECALLED_FILE] = part.recalled.num_rows
    left_out = {
        "committed_rows": part.rows,
        "left_out": part.left_out,
        "by_rule": dict(sorted(Counter(part.recalled["rule"].to_pylist()).items())),
        "known_before": part.known_before.isoformat(),
    }
    about = {"campaign_id": config.campaign.campaign_id, "as_of": as_of.isoformat()}
    _write_manifest(folder, rows, about | {"branch_id": part.branch_id, "recalled": left_out})


def write_lists(
    folder: Path, lists: pa.Table, care: pa.Table, config: RunConfig, as_of: date
) -> None:
    """Fill an empty folder; the same rows give the same bytes.

    Args:
        folder: ``campaign.parquet``, ``branches/``, ``care/`` and ``manifest.json`` go here.
        lists: Shaped ``CAMPAIGN_LISTS``, in order.
        care: Shaped ``CARE_LISTS``, in order.
        config: Names of products and partners, what a branch may see.
        as_of: Day that the files say they are from.
    """
    rows = _whole_file(folder, lists)
    rows |= _branch_files(folder, lists, config, as_of)
    rows |= _care_files(folder, care, config, as_of)
    about = {"campaign_id": config.campaign.campaign_id, "as_of": as_of.isoformat()}
    _write_manifest(folder, rows, about)


def write_again(
    folder: Path,
    lists: pa.Table,
    care: pa.Table,
    config: RunConfig,
    as_of: date,
    *,
    branches: Collection[str],
) -> dict[str, int]:
    """Fill an empty folder with what ``write_lists`` would make of some branches.

    Args:
        folder: ``campaign.parquet`` of all branches goes here, and the files of some.
        lists: As for ``write_lists``.
        care: Likewise.
        config: Likewise.
        as_of: Likewise.
        branches: Whose files are made.

    Returns:
        Rows by file; a branch without rows has no file.
    """
    wanted = pa.array(sorted(branches), pa.string())
    rows = _whole_file(folder, lists)
    own, own_care = (one.filter(pc.is_in(one["branch_id"], wanted)) for one in (lists, care))
    rows |= _branch_files(folder, own, config, as_of)
    rows |= _care_files(folder, own_care, config, as_of)
    return rows


def branch_view(lists: pa.Table, config: RunConfig) -> pa.Table:
    """The columns that a branch may see, in its order."""
    return lists.select(list(config.roles.branch.list_columns))


def words(config: RunConfig) -> Words:
    """What a person reads instead of a code."""
    language = config.bank.language
    return {
        **words_for_codes(language),
        "product_id": {name: item.named(language) for name, item in config.products.items()},
        "partner_id": {name: partner.name for name, partner in config.partners.items()},
        "lever_code": {code: lever.named(language) for code, lever in config.levers.items()},
        "bundle_id": {
            name: offer.bundle.named(language)
            for name, offer in config.offers.items()
            if offer.bundle
        },
    }


def file_name(branch_id: str) -> str:
    """A branch's identifier as a name that cannot lead out of the folder.

    Of an identifier too long for a file system the beginning stays, with a digest of the whole.
    """
    quoted = quote(branch_id, safe="")
    if len(quoted) > LONGEST_NAME:
        digest = hashlib.sha256(branch_id.encode()).hexdigest()[:DIGEST_DIGITS]
        quoted = f"{quoted[:LONGEST_NAME]}~{digest}"
    return f"branch_{quoted}"


def _whole_file(folder: Path, lists: pa.Table) -> dict[str, int]:
    pq.write_table(lists, folder / WHOLE_FILE, compression="zstd")
    return {WHOLE_FILE: lists.num_rows}


def _branch_files(
    folder: Path, lists: pa.Table, config: RunConfig, as_of: date
) -> Iterator[tuple[str, int]]:
    language = config.bank.language
    for branch_id, rows in _by_branch(lists):
        name, shown = file_name(branch_id), branch_view(rows, config)
        sheet = Sheet(
            title=said("title of a list", language, branch=branch_id),
            tab=said("tab of a list", language),
            rows=shown,
            words=words(config),
            language=language,
            summary=_summary(rows, config, as_of),
            created=as_of,
        )
        yield from _pair(folder, f"branches/{name}", sheet)


def _care_files(
    folder: Path, care: pa.Table, config: RunConfig, as_of: date
) -> Iterator[tuple[str, int]]:
    known, language = config.care.instructions.items(), config.bank.language
    treatments = {name: one.name.get(language, name) for name, one in known}
    for branch_id, rows in _by_branch(care):
        about = (
            (said("data as of", language), as_of.isoformat()),
            (said("clients", language), rows.num_rows),
        )
        sheet = Sheet(
            title=said("title of care", language, branch=branch_id),
            tab=said("tab of care", language),
            rows=rows.select(list(CARE_COLUMNS)),
            words={"care_treatment": treatments},
            language=language,
            summary=(
                (said("this list", language), about),
                lines_of("how to read it", HOW_TO_HELP, language),
            ),
            created=as_of,
        )
        yield from _pair(folder, f"care/{file_name(branch_id)}", sheet)


def _pair(folder: Path, name: str, sheet: Sheet) -> Iterator[tuple[str, int]]:
    (folder / name).parent.mkdir(exist_ok=True)
    write_workbook(folder / f"{name}.xlsx", sheet)
    write_csv(folder / f"{name}.csv", sheet.rows)
    yield from ((f"{name}.{kind}", sheet.rows.num_rows) for kind in ("xlsx", "csv"))


def _by_branch(rows: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    for branch_id in sorted(set(rows["branch_id"].to_pylist())):
        yield branch_id, rows.filter(pc.equal(rows["branch_id"], branch_id))


def _summary(rows: pa.Table, config: RunConfig, as_of: date) -> Sequence[Block]:
    shown, language = words(config), config.bank.language
    valid_from, valid_to = min(rows["valid_from"].to_pylist()), max(rows["valid_to"].to_pylist())
    days = said("from to", language, first=valid_from, last=valid_to)
    about = {
        "bank": config.bank.name,
        "campaign": config.campaign.campaign_id,
        "data as of": as_of.isoformat(),
        "valid": days,
        "offers": rows.num_rows,
        "clients": len(set(rows["customer_id"].to_pylist())),
    }
    in_words = [(said(name, language), told) for name, told in about.items()]
    return (
        (said("this list", language), in_words),
        *(
            (said(headline, language), _counts(rows, column, shown, said("none", language)))
            for headline, column in COUNTED.items()
        ),
        lines_of("how to read it", HOW_TO_READ, language),
    )


def _counts(rows: pa.Table, column: str, shown: Words, none: str) -> list[tuple[str, int]]:
    counts = Counter(rows[column].to_pylist())
    labels = shown.get(column, {})
    named = {labels.get(code, code or none): number for code, number in counts.items()}
    return sorted(named.items(), key=lambda item: (-item[1], item[0]))


def _write_manifest(folder: Path, rows: dict[str, int], about: Mapping[str, object]) -> None:
    files = {
        name: {"rows": count, "sha256": sha256_of(folder / name)}
        for name, count in sorted(rows.items())
    }
    text = json.dumps({**about, "files": files}, indent=1, sort_keys=True, ensure_ascii=False)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")
