"""The stand-alone verifier: it needs nothing of ours, and finds whatever was done to a log."""

from __future__ import annotations

import ast
import gzip
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from audit import verify_offer_log
from audit.checkpoint import Checkpoint, SigningKey, signed
from audit.merkle import EMPTY
from tables.leaves import leaf_hash

NAME = "bank.example/offers"
KEY, OTHER_KEY = SigningKey(NAME, bytes(32)), SigningKey(NAME, b"x" * 32)
PUBLISHED = KEY.verifier.as_text()
SIZES, PER_FILE, ERASED = (40, 100, 130), 50, (3, 77)

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")


def entry(place: int) -> tuple[str, str]:
    """A line of the export and its leaf."""
    line, salt = f'{{"n":{place},"name":"Zo\u00eb"}}', bytes([place]) * 32
    leaf = leaf_hash(line, salt)
    return (leaf if place in ERASED else f"{salt.hex()} {line}"), leaf


def write_log(folder: Path, size: int = SIZES[-1], key: SigningKey = KEY) -> Path:
    """A log of so many entries."""
    (folder / "checkpoints").mkdir(parents=True)
    made = [entry(place) for place in range(size)]
    for first in range(0, size, PER_FILE):
        write(folder, first, [text for text, _ in made[first : first + PER_FILE]])
    leaves = [bytes.fromhex(leaf) for _, leaf in made]
    for at in sorted({*(one for one in SIZES if one < size), size}):
        checkpoint = Checkpoint(NAME, at, EMPTY.with_leaves(leaves[:at]).root())
        (folder / "checkpoints" / f"{at:012}").write_text(signed(checkpoint, key), "utf-8")
    (folder / "keys").write_text(key.verifier.as_text() + "\n")
    return folder


def write(folder: Path, first: int, lines: list[str]) -> None:
    content = "".join(f"{line}\n" for line in lines).encode()
    path_of(folder, first).write_bytes(gzip.compress(content, mtime=0))


def path_of(folder: Path, first: int) -> Path:
    return folder / f"entries-{first:012}.txt.gz"


def lines_of(folder: Path, first: int) -> list[str]:
    return gzip.decompress(path_of(folder, first).read_bytes()).decode().splitlines()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return write_log(tmp_path / "log")


@pytest.fixture
def verify(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    def run(folder: Path, *options: str) -> tuple[int, str]:
        status = verify_offer_log.main([str(folder), *options])
        return status, capsys.readouterr().out

    return run


Verify = Callable[..., tuple[int, str]]


def test_a_log_that_nobody_touched_is_as_it_was_signed(log: Path, verify: Verify) -> None:
    kept = log / "checkpoints" / "000000000100"
    status, said = verify(log, "--key", PUBLISHED, "--kept", str(kept))
    assert said == ("130 entries, 2 of them erased, 3 checkpoints\nthe log is as it was signed\n")
    assert status == 0
    status, said = verify(log)
    assert status == 0
    assert "compare them with those the bank gave you" in said
    assert "no checkpoint that you kept was compared" in said


def change_line(folder: Path, place: int, change: Callable[[str], str]) -> None:
    first = place - place % PER_FILE
    lines = lines_of(folder, first)
    lines[place - first] = change(lines[place - first])
    write(folder, first, lines)


def change_lines(folder: Path, change: Callable[[list[str]], list[str]]) -> None:
    write(folder, 50, change(lines_of(folder, 50)))


def swap_files(folder: Path) -> None:
    first, second = lines_of(folder, 0), lines_of(folder, 50)
    write(folder, 0, second)
    write(folder, 50, first)


def edit(path: Path, change: Callable[[bytes], bytes]) -> None:
    path.write_bytes(change(path.read_bytes()))


def no_entry(folder: Path) -> None:
    change_line(folder, 60, lambda _: "nothing")


NOT_SIGNED = "entries are not those that were signed"
DONE: dict[str, tuple[Callable[[Path], object], str]] = {
    "a bit of a line": (
        lambda log: change_line(log, 60, lambda t: t[:-3] + chr(ord(t[-3]) ^ 1) + t[-2:]),
        NOT_SIGNED,
    ),
    "a salt": (lambda log: change_line(log, 60, lambda t: "f" + t[1:]), NOT_SIGNED),
    "the leaf of what was erased": (
        lambda log: change_line(log, 77, lambda t: "f" * 8 + t[8:]),
        NOT_SIGNED,
    ),
    "a line dropped": (lambda log: change_lines(log, lambda t: t[:9] + t[10:]), NOT_SIGNED),
    "a line doubled": (lambda log: change_lines(log, lambda t: t[:9] + t[8:]), NOT_SIGNED),
    "lines swapped": (
        lambda log: change_lines(log, lambda t: [*t[:8], t[9], t[8], *t[10:]]),
        NOT_SIGNED,
    ),
    "no entry": (no_entry, "entries-000000000050.txt.gz, line 11: this is no entry"),
    "files swapped": (swap_files, NOT_SIGNED),
    "a file lost": (
        lambda log: path_of(log, 50).unlink(),
        "entries-000000000100.txt.gz: 50 entries come before it, not 100",
    ),
    "all files lost": (
        lambda log: [path.unlink() for path in log.glob("entries*")],
        "has no file named",
    ),
    "a file cut off": (
        lambda log: edit(path_of(log, 50), lambda content: content[:-40]),
        "cannot be read to its end",
    ),
    "a file that is none": (
        lambda log: path_of(log, 50).write_bytes(b"nothing"),
        "cannot be read to its end",
    ),
    "the end of the last line": (
        lambda log: edit(
            path_of(log, 100), lambda c: gzip.compress(gzip.decompress(c)[:-1], mtime=0)
        ),
        "its last line was cut off",
    ),
    "more entries": (
        lambda log: write(log, 130, [entry(130)[0]]),
        "1 entries at the end were never signed",
    ),
    "a checkpoint": (
        lambda log: edit(log / "checkpoints" / "000000000100", lambda c: c.replace(b"100", b"101")),
        "the signature of bank.example/offers is not of this checkpoint",
    ),
    "a checkpoint that is none": (
        lambda log: (log / "checkpoints" / "000000000100").write_text("nothing"),
        "is no checkpoint: no line of a signature ends it",
    ),
    "a checkpoint under another name": (
        lambda log: (log / "checkpoints" / "000000000100").rename(log / "checkpoints" / "7"),
        "7 is of 100 entries, which its name does not say",
    ),
    "no checkpoint": (
        lambda log: shutil.rmtree(log / "checkpoints"),
        "nothing says what the log should be",
    ),
    "no keys": (lambda log: (log / "keys").unlink(), "none of the known keys has signed it"),
}


@pytest.mark.parametrize("what", DONE)
def test_whatever_was_changed_is_found(log: Path, verify: Verify, what: str) -> None:
    change, finding = DONE[what]
    change(log)
    status, said = verify(log)
    assert status == 1
    assert finding in said
    assert said.endswith("the log is NOT as it was signed\n")


def test_a_log_rolled_back_is_found_by_who_kept_a_checkpoint(
    log: Path, tmp_path: Path, verify: Verify
) -> None:
    shorter = write_log(tmp_path / "shorter", size=100)
    assert verify(shorter)[0] == 0, "it agrees with itself, and the bank has signed it"
    kept = log / "checkpoints" / "000000000130"
    status, said = verify(shorter, "--kept", str(kept))
    assert status == 1
    assert "was signed when the log had 130 entries; it has 100" in said


def test_a_log_made_anew_is_found_by_who_kept_a_checkpoint(
    log: Path, tmp_path: Path, verify: Verify, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{__name__}.ERASED", ())
    other = write_log(tmp_path / "other")
    assert verify(other, "--kept", str(log / "checkpoints" / "000000000130"))[0] == 0
    change_line(other, 5, lambda text: text.replace('"n":5', '"n":6'))
    assert verify(other)[0] == 1


def test_a_log_under_another_key_is_found_by_who_has_the_right_one(
    tmp_path: Path, verify: Verify
) -> None:
    other = write_log(tmp_path / "other", key=OTHER_KEY)
    assert verify(other)[0] == 0
    status, said = verify(other, "--key", PUBLISHED)
    assert (status, "none of the known keys has signed it" in said) == (1, True)


def test_without_openssl_it_says_what_was_not_verified(
    log: Path, verify: Verify, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    status, said = verify(log)
    assert (status, "signatures were NOT verified. Install it" in said) == (1, True)
    status, said = verify(log, "--without-signatures")
    assert (status, "signatures were NOT verified\n" in said) == (0, True)


@pytest.mark.parametrize("options", [["--key", "nothing"], ["--what"]])
def test_a_wrong_call_says_so(log: Path, options: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        verify_offer_log.main([str(log), *options])
    assert ended.value.code == 2


def test_nothing_but_the_standard_library_is_needed(log: Path) -> None:
    source = Path(verify_offer_log.__file__)
    tree = ast.parse(source.read_text(encoding="utf-8"), feature_version=(3, 9))
    imported = {
        name
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert {name.split(".")[0] for name in imported} <= {*sys.stdlib_module_names}
    alone = log / "verify.py"
    shutil.copy(source, alone)
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(alone), str(log)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("the log is as it was signed\n")
