"""`xsell offers evidence`: what an examiner takes along about one client's decisions."""

from __future__ import annotations

import argparse
import sys
import tempfile
import zipfile
from pathlib import Path

from jobs.audit.evidence import Evidence
from jobs.audit.explain_command import explained_to
from jobs.home import Home
from models.boosters import import_lightly
from tables.errors import UserError
from tables.files import FILE_MODE, make_folder, write_file

# The same evidence makes the same bytes.
NO_TIME = (1980, 1, 1, 0, 0, 0)


def evidence_command(options: argparse.Namespace) -> int:
    """Write the evidence as one zip file.

    Raises:
        UserError: It would lie below the home folder, where an erasure could not reach into it.
    """
    home, target = Home(Path(options.home).resolve()), options.to.resolve()
    if home.path in target.parents:
        raise UserError(f"{options.to} is below the home folder: write the evidence elsewhere")
    import_lightly()
    campaign, told = explained_to(home, options, "offers evidence")
    make_folder(target.parent)
    with tempfile.TemporaryDirectory(prefix="xsell-") as name:
        folder = Path(name) / target.stem
        folder.mkdir()
        Evidence(campaign, told).fill(folder)
        write_file(target, _zipped(folder, Path(name) / "evidence.zip"))
    sys.stdout.write(
        f"{len(told['offers'])} decisions of {campaign.record.as_of}, with proofs: {options.to}\n"
        f"to verify it anywhere: unzip {target.name}, python3 {target.stem}/verify_evidence.py\n"
    )
    return 0


def _zipped(folder: Path, packed: Path) -> bytes:
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(one for one in folder.rglob("*") if one.is_file()):
            about = zipfile.ZipInfo(path.relative_to(folder.parent).as_posix(), NO_TIME)
            about.compress_type, about.external_attr = zipfile.ZIP_DEFLATED, FILE_MODE << 16
            archive.writestr(about, path.read_bytes())
    return packed.read_bytes()
