"""Every file operation that a crash could tear: one module, so that one fault test covers them all.

Power loss may keep a rename and lose the bytes behind it, so data are synced before the name that
makes them visible, and the folder after (Pillai et al., "All File Systems Are Not Created Equal",
OSDI 2014). `tests/faults/` lets every one of these operations go wrong.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import glob
import hashlib
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tables.errors import UserError

FILE_MODE = 0o640
FOLDER_MODE = 0o750
AT_FDCWD, RENAME_EXCHANGE = -100, 2  # of Linux's renameat2
HIDDEN = 0o027  # the mask of whatever is written: no writing by the group, nothing for others


def sha256_of(path: Path) -> str:
    """Digest of a file's bytes, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync_file(path: Path) -> None:
    """Force a file's bytes, or a folder's names, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """Force all files below a folder, and the folders themselves, to the disk."""
    for parent, _, names in os.walk(folder):
        for name in names:
            sync_file(Path(parent, name))
        sync_file(Path(parent))


def sync_below(folder: Path, files: Iterable[Path]) -> None:
    """Force files below a folder to the disk, and every name on the way to them, its own too."""
    parents = {folder, folder.parent}
    for file in files:
        sync_file(file)
        parents |= {one for one in file.parents if one.is_relative_to(folder)}
    for parent in sorted(parents):
        sync_file(parent)


def make_folder(folder: Path) -> Path:
    """Create a folder, readable by its group only, and its parents; their names stay.

    Raises:
        UserError: The folder cannot be created or written to.
    """
    try:
        new = [one for one in (folder, *folder.parents) if not one.exists()]
        folder.mkdir(parents=True, exist_ok=True, mode=FOLDER_MODE)
        for one in new:
            sync_file(one.parent)
    except OSError as error:
        raise UserError(
            f"cannot create {folder}: {error.strerror}. Choose another --home"
        ) from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UserError(f"cannot write to {folder}. Make it writable or choose another --home")
    return folder


def write_tree(target: Path, write: Callable[[Path], None]) -> None:
    """Let ``write`` fill a folder and put it in place at one instant, or not at all.

    A folder that is there already is replaced; a reader sees the old one or the new one. Two must
    not write the same target at once: what a killed writer left behind goes first.
    """
    make_folder(target.parent)
    for left_over in target.parent.glob(f".{glob.escape(target.name)}.*"):
        shutil.rmtree(left_over)
    building = target.parent / f".{target.name}.{uuid.uuid4().hex}"
    try:
        building.mkdir(mode=FOLDER_MODE)
        write(building)
        _restrict(building)
        sync_tree(building)
        _replace(building, target)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    sync_file(target.parent)


@contextmanager
def scratch_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """A folder for what lives as long as the run; what a killed run left behind goes first."""
    for left_over in parent.glob(f"{prefix}*"):
        shutil.rmtree(left_over, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=prefix, dir=parent) as folder:
        yield Path(folder)


def remove_leftovers(folder: Path) -> None:
    """Remove what killed writers left below a folder: what they build has a dot in front."""
    for left in sorted(folder.rglob(".*")):
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)


def put_if_absent(made: Path, target: Path) -> None:
    """Give a finished file its final name as well, unless that is taken; then it is there to stay.

    Raises:
        FileExistsError: Somebody else was quicker.
    """
    sync_file(made)
    os.link(made, target)
    sync_file(target.parent)


def _replace(building: Path, target: Path) -> None:
    if not target.exists():
        building.rename(target)
    elif not _exchange(building, target):
        # For a moment there is neither: only where the file system can't exchange two folders.
        aside = building.with_name(building.name + ".old")
        target.rename(aside)
        building.rename(target)
        shutil.rmtree(aside, ignore_errors=True)


def _exchange(one: Path, other: Path) -> bool:
    """Let two folders change places at one instant, where kernel and file system can.

    A folder can't be renamed over a full one, and Python does not know this call.
    """
    call = getattr(ctypes.CDLL(None), "renameat2", None)
    if call is None:
        return False
    names = os.fsencode(one), os.fsencode(other)
    failed = call(AT_FDCWD, names[0], AT_FDCWD, names[1], RENAME_EXCHANGE)
    return not failed


def _restrict(folder: Path) -> None:
    for parent, folders, names in os.walk(folder):
        for name in folders:
            Path(parent, name).chmod(FOLDER_MODE)
        for name in names:
            Path(parent, name).chmod(FILE_MODE)


def write_file(target: Path, content: bytes, mode: int = FILE_MODE) -> None:
    """Put a small file in place at one instant, or not at all."""
    building = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    try:
        building.touch(mode)
        building.chmod(mode)  # whatever the mask takes away
        building.write_bytes(content)
        sync_file(building)
        building.replace(target)
    finally:
        building.unlink(missing_ok=True)
    sync_file(target.parent)


def append_line(path: Path, line: str) -> None:
    """Add a line to a file that only grows, and force it to the disk.

    Raises:
        OSError: It could not be written whole.
    """
    with _locked(path) as descriptor:
        size = os.fstat(descriptor).st_size
        if not size:
            os.fchmod(descriptor, FILE_MODE)  # whatever the mask takes away
        # What a killed writer left of a line must not swallow the next one.
        is_torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        content = (b"\n" if is_torn else b"") + line.encode() + b"\n"
        if os.write(descriptor, content) != len(content):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        os.fsync(descriptor)
    sync_file(path.parent)


def replace_beginning(path: Path, size: int, digest: str, new: bytes) -> None:
    """Put other bytes in place of the first ones of a file that only grows.

    What was added to its end since these were looked at stays there. Done twice, it is done once.

    Args:
        path: Of the file.
        size: Of the bytes that are replaced.
        digest: Their SHA-256, hex; a file that begins otherwise is left alone.
        new: What takes their place.
    """
    with _locked(path) as descriptor:
        content = path.read_bytes()
        if hashlib.sha256(content[:size]).hexdigest() == digest:
            mode = os.fstat(descriptor).st_mode & 0o777
            write_file(path, new + content[size:], mode)


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    """A file open for adding to, which nobody else adds to or replaces meanwhile."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, FILE_MODE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if _is_still(path, descriptor):
                yield descriptor
                return
        finally:
            os.close(descriptor)


def _is_still(path: Path, descriptor: int) -> bool:
    """While somebody waited for the lock, the file may have been replaced by another."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


@contextmanager
def exclusive(lock: Path, holder: str) -> Iterator[None]:
    """Hold a lock for as long as the process lives; the kernel drops it when the process is killed.

    Raises:
        UserError: Somebody else holds it.
    """
    make_folder(lock.parent)
    with lock.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            other = file.read().strip() or "another run"
            raise UserError(
                f"{other} is at work in {lock.parent}; nothing was done."
                " Run again when it has ended"
            ) from None
        file.seek(0)
        file.truncate()
        file.write(holder)
        file.flush()
        yield
