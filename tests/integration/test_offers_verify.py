"""`xsell offers verify` finds whatever was changed of what a month has decided and published."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from audit.checkpoint import Checkpoint, SigningKey, signed
from audit.merkle import EMPTY
from audit.statement import statement_leaf
from jobs.cli import main
from tests.log_keys import NAME, SIGNING


@pytest.fixture
def home(bank, tmp_path) -> Path:
    """What verifying reads of the small bank, to be changed."""
    target = tmp_path / "home"
    for name in ("tables", "log", "lists"):
        shutil.copytree(bank.home.path / name, target / name)
    return target


@pytest.fixture
def verify(home, capsys):
    """What it says, and how it ends."""

    def run(*options: str) -> tuple[int, str]:
        status = main(["offers", "verify", "--home", str(home), *options])
        return status, capsys.readouterr().out

    return run


def kept(home: Path) -> Path:
    return home / "log" / "checkpoint"


def test_a_log_that_nobody_touched_is_as_it_was_sealed(home, verify):
    status, said = verify("--key", SIGNING.verifier.as_text(), "--checkpoint", str(kept(home)))
    assert status == 0, said
    lines = said.splitlines()
    assert lines[-1] == "the log is as it was sealed"
    [entries] = {int(path.name) for path in (home / "log" / "checkpoints").iterdir()}
    assert lines[0].startswith(
        f"entries hashed again: {entries:,}, of them erased: 0; checkpoints verified: 1; "
    )
    assert "bring a --checkpoint" not in said
    assert "bring a --checkpoint" in verify()[1], "a key that lies beside the log proves little"


def test_an_exported_log_is_verified_without_any_of_this(home, verify, tmp_path):
    parent = tmp_path / "for the examiner"
    parent.mkdir()
    (parent / "letter").write_text("is left alone")
    status, said = verify("--export", str(parent))
    assert status == 0
    [folder] = parent.glob("offer-log-*")
    assert f"exported to {folder}" in said
    assert (parent / "letter").read_text() == "is left alone"
    options = ["--key", SIGNING.verifier.as_text(), "--kept", str(kept(home))]
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(folder / "verify_offer_log.py"), str(folder), *options],
        check=False,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    [entries] = (home / "log" / "checkpoints").iterdir()
    told = f"{int(entries.name):,} entries, 0 of them erased, 1 checkpoints"
    assert done.stdout.splitlines() == [told, "the log is as it was signed"]
    customers = pq.read_table(home / "tables" / "vault", columns=["customer_id"])["customer_id"]
    texts = [gzip.decompress(path.read_bytes()).decode() for path in folder.glob("entries*")]
    assert not any(f'"{one}"' in text for one in customers.to_pylist() for text in texts)


def rewrite(home: Path, table: str, change) -> None:
    """Change the rows of a table's newest files in place, whatever that breaks."""
    paths = sorted((home / "tables" / table).rglob("*.parquet"))
    paths = [path for path in paths if "_delta_log" not in path.parts]
    rows = pa.concat_tables([pq.read_table(path, partitioning=None) for path in paths])
    changed = change(rows)
    pq.write_table(changed, paths[0])
    for path in paths[1:]:
        pq.write_table(changed.slice(0, 0), path)


def with_value(rows: pa.Table, column: str, place: int, change) -> pa.Table:
    values = rows[column].to_pylist()
    values[place] = change(values[place])
    at = rows.schema.get_field_index(column)
    return rows.set_column(at, column, pa.array(values, rows.schema.field(column).type))


def other_outcome(line: str) -> str:
    return line.replace('"is_exploration":false', '"is_exploration":true')


def exchanged(rows: pa.Table) -> pa.Table:
    """Rows 7 and 8 in each other's place, under the position of that place."""
    order = [*range(7), 8, 7, *range(9, rows.num_rows)]
    return rows.take(order).set_column(1, "position", rows["position"])


CHANGES = {
    "a line says something else": (
        lambda rows: with_value(rows, "line", 7, other_outcome),
        "it is not what was sealed",
    ),
    "a leaf was changed": (
        lambda rows: with_value(rows, "leaf", 7, lambda leaf: "0" * 64),
        "it is not what was sealed",
    ),
    "line and leaf were given to another client": (
        lambda rows: with_value(rows, "client", 7, lambda _: rows["client"][-1].as_py()),
        "it is not what was sealed",
    ),
    "a leaf is none": (
        lambda rows: with_value(
            with_value(rows, "line", 7, lambda _: None), "leaf", 7, lambda _: "nothing"
        ),
        "the log cannot be read to its end",
    ),
    "a client was made up": (
        lambda rows: with_value(rows, "client", 7, lambda _: "0" * 32),
        "its client is not in the vault",
    ),
    "a line was erased that nobody asked to erase, and its leaf changed": (
        lambda rows: with_value(
            with_value(rows, "line", 7, lambda _: None), "leaf", 7, lambda _: "0" * 64
        ),
        "another root",
    ),
    "a line was dropped": (
        lambda rows: pa.concat_tables([rows.slice(0, 7), rows.slice(8)]),
        "missing, repeated or not in order",
    ),
    "a line is there twice": (
        lambda rows: pa.concat_tables([rows, rows.slice(7, 1)]),
        "missing, repeated or not in order",
    ),
    "the last line was cut off": (
        lambda rows: rows.filter(pc.less(rows["position"], pc.max(rows["position"]))),
        "its checkpoint was signed for",
    ),
    "two lines changed places": (exchanged, "another root"),
    "positions changed places": (
        lambda rows: rows.take([*range(7), 8, 7, *range(9, rows.num_rows)]),
        "missing, repeated or not in order",
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_log_is_found(home, verify, change):
    alter, finding = CHANGES[change]
    rewrite(home, "offer_log", alter)
    status, said = verify()
    assert status == 1
    assert finding in said
    assert "published" in said, "and the file is not the one that the run committed"
    assert said.splitlines()[-1].startswith("the log is NOT as it was sealed")


@pytest.mark.parametrize("table", ["offer_log", "vault", "checkpoints"])
def test_a_torn_file_is_a_finding_and_no_trace(home, verify, tmp_path, table):
    path = sorted((home / "tables" / table / "data").rglob("*.parquet"))[0]
    path.write_bytes(path.read_bytes()[:-100])
    status, said = verify("--export", str(tmp_path / "out"))
    assert status == 1
    assert "the log cannot be read to its end" in said
    assert f"{path.relative_to(home)} is not what run" in said
    assert "nothing was exported" in said
    assert not (tmp_path / "out").exists()


def test_a_checkpoint_of_another_log_is_told_apart(home, verify, tmp_path):
    other = SigningKey("another.example/offers", SIGNING.seed)
    size, root = kept(home).read_text().split("\n")[1:3]
    note = signed(Checkpoint(other.name, int(size), base64.b64decode(root)), other)
    (tmp_path / "kept").write_text(note)
    keys = [word for key in (SIGNING, other) for word in ("--key", key.verifier.as_text())]
    status, said = verify("--checkpoint", str(tmp_path / "kept"), *keys)
    assert status == 1
    assert f"checkpoints are of different logs: another.example/offers, {NAME}" in said


def forged(home: Path, keep: int, key: SigningKey) -> None:
    """A shorter log that agrees with itself: cut off, and a checkpoint signed for the rest."""
    rewrite(home, "offer_log", lambda rows: rows.filter(pc.less(rows["position"], keep)))
    paths = (home / "tables" / "offer_log").rglob("*.parquet")
    tables = [pq.read_table(path, partitioning=None) for path in paths]
    rows = pa.concat_tables(tables).sort_by("position")
    stated = pq.read_table(home / "tables" / "checkpoints" / "data", partitioning=None)["statement"]
    leaves = [bytes.fromhex(leaf) for leaf in rows["leaf"].to_pylist()]
    frontier = EMPTY.with_leaves([*leaves, statement_leaf(stated[0].as_py())])
    note = signed(Checkpoint(key.name, frontier.size, frontier.root()), key)
    told = {"note": note, "size": frontier.size, "peaks": frontier.as_text()}
    for column, value in told.items():
        rewrite(
            home, "checkpoints", lambda row, c=column, v=value: with_value(row, c, 0, lambda _: v)
        )


def test_a_shorter_log_signed_anew_is_found_by_who_kept_a_checkpoint(home, verify, tmp_path):
    mine = tmp_path / "mine"
    shutil.copy(kept(home), mine)
    shutil.rmtree(home / "log" / "checkpoints")
    forged(home, 100, SIGNING)
    alone = verify()[1]
    assert "entries hashed again: 101, of them erased: 0; checkpoints verified: 1" in alone
    assert "Entries were taken away" not in alone
    status, said = verify("--checkpoint", str(mine))
    assert status == 1
    assert f"{mine} was signed when the log had" in said
    assert "Entries were taken away" in said


def test_whoever_kept_a_checkpoint_of_fewer_entries_sees_whether_they_are_still_those(
    home, verify, tmp_path
):
    files = (home / "tables" / "offer_log" / "data").rglob("*.parquet")
    rows = pa.concat_tables([pq.read_table(path, partitioning=None) for path in files])
    leaves = map(bytes.fromhex, rows.sort_by("position")["leaf"].to_pylist()[:100])
    root = EMPTY.with_leaves(leaves).root()
    for kept_root, ends in ((root, 0), (bytes(32), 1)):
        (tmp_path / "kept").write_text(signed(Checkpoint(NAME, 100, kept_root), SIGNING))
        status, said = verify("--checkpoint", str(tmp_path / "kept"))
        assert status == ends
        assert ("the first 100 entries are not those it was signed for" in said) == bool(ends)


def test_a_log_under_another_key_is_found_by_who_has_the_right_one(home, verify):
    forged(home, 100, SigningKey(NAME, b"x" * 32))
    status, said = verify("--key", SIGNING.verifier.as_text())
    assert status == 1
    assert said.splitlines()[0].startswith("run ")


@pytest.mark.parametrize(
    "pattern", ["lists/**/*.xlsx", "lists/**/*.csv", "tables/decisions/**/*.parquet"]
)
def test_a_changed_or_lost_published_file_is_found(home, verify, pattern):
    path = sorted(home.glob(pattern))[0]
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    status, said = verify()
    name = path.relative_to(home)
    assert (status, f"{name} is not what run" in said) == (1, True)
    path.unlink()
    said = verify()[1]
    assert f"{name} is gone, which run" in said
    assert ("; that campaign once more makes it again" in said) == pattern.startswith("lists")


def with_record(home: Path, column: str, change) -> None:
    """Change what `runs` says about the campaign."""

    def alter(rows: pa.Table) -> pa.Table:
        return with_value(rows, column, rows["step"].to_pylist().index("campaign"), change)

    rewrite(home, "runs", alter)


def test_a_list_exchanged_together_with_its_digest_is_found(home, verify):
    path = sorted((home / "lists").rglob("branches/*.csv"))[0]
    honest = hashlib.sha256(path.read_bytes()).hexdigest()
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    other = hashlib.sha256(path.read_bytes()).hexdigest()
    with_record(home, "outputs", lambda told: told.replace(honest, other))
    status, said = verify()
    assert status == 1
    assert f"{path.relative_to(home)}: `runs` has another digest than run" in said
    assert "is not what run" not in said, "the record and the file agree; only the log tells"


def test_a_list_exchanged_under_the_name_of_an_erasure_is_found(home, verify):
    path = sorted((home / "lists").rglob("branches/*.csv"))[0]
    name, honest = path.relative_to(home).as_posix(), hashlib.sha256(path.read_bytes()).hexdigest()
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    other = hashlib.sha256(path.read_bytes()).hexdigest()

    def excused(told: str) -> str:
        return json.dumps(json.loads(told) | {"rewritten": {name: f"{honest} {other}"}})

    with_record(home, "outputs", excused)
    status, said = verify()
    assert status == 1
    assert f"{name}: `runs` has another digest than run" in said
    assert "is not what run" not in said


def test_a_list_that_was_added_is_found(home, verify):
    path = sorted((home / "lists").rglob("branches/*.csv"))[0]
    added = path.with_name("Z.csv")
    shutil.copy(path, added)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    with_record(
        home,
        "outputs",
        lambda told: told.replace('{"branches/', f'{{"branches/Z.csv": "{digest}", "branches/'),
    )
    status, said = verify()
    assert status == 1
    assert f"{added.relative_to(home)}: `runs` says that it was published, but no run" in said


@pytest.mark.parametrize(
    ("column", "change"),
    [
        ("inputs", lambda told: told.replace('"ingest": "', '"ingest": "0')),
        ("config", lambda told: told.replace('"branch_capacity":12', '"branch_capacity":13')),
        ("code_version", lambda told: f"{told}0"),
    ],
)
def test_a_record_that_tells_other_inputs_settings_or_code_is_found(home, verify, column, change):
    with_record(home, column, change)
    status, said = verify()
    assert status == 1
    assert "is not what its id was made of" in said


def test_a_record_under_another_name_is_found(home, verify):
    with_record(home, "run_id", lambda told: told[::-1])
    status, said = verify()
    assert status == 1
    assert "was sealed, but `runs` does not tell of it" in said


def test_a_checkpoint_that_says_nothing_about_the_log_is_no_finding_about_it(
    home, capsys, tmp_path
):
    (tmp_path / "letter").write_text("Dear auditor")
    stranger = SigningKey("another.example/offers", bytes(32))
    (tmp_path / "strange").write_text(signed(Checkpoint(stranger.name, 7, bytes(32)), stranger))
    told = {
        "letter": "says nothing about the log: this is no signed note",
        "strange": "says nothing about the log: none of the known keys has signed",
        "nowhere": "cannot read",
    }
    for name, words in told.items():
        path = tmp_path / name
        status = main(["offers", "verify", "--home", str(home), "--checkpoint", str(path)])
        printed = capsys.readouterr()
        assert (status, printed.out) == (1, "")
        assert words in printed.err
        assert str(path) in printed.err


def test_a_copy_that_was_changed_is_a_finding(home, verify):
    [copy] = (home / "log" / "checkpoints").iterdir()
    copy.write_bytes(b"\xff" + copy.read_bytes())
    status, said = verify()
    assert (status, f"log/checkpoints/{copy.name}: the signature of" in said) == (1, True)


def test_a_key_that_is_none_is_a_wrong_call(home, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["offers", "verify", "--home", str(home), "--key", "nonsense"])
    assert ended.value.code == 2
    assert "it should read name+8 digits+Base64" in capsys.readouterr().err


def test_a_home_without_a_campaign_says_so(tmp_path, capsys):
    assert main(["offers", "verify", "--home", str(tmp_path / "empty")]) == 1
    assert "there is no log to verify" in capsys.readouterr().err
