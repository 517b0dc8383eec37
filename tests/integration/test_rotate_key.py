"""The log changes its key: the old one vouches for the new one, and a crash leaves one of them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from jobs.audit import rotate_key
from jobs.audit.log_keys import signing_key
from jobs.cli import main
from jobs.home import Home
from tests.log_keys import NAME, SIGNING

WHO = ("--by", "security officer", "--reason", "yearly change")
OLD = SIGNING.verifier.as_text()


@pytest.fixture
def home(bank, tmp_path) -> Path:
    target = tmp_path / "home"
    for name in ("tables", "log", "lists"):
        shutil.copytree(bank.home.path / name, target / name)
    return target


def rotated(home: Path, *options: str) -> str:
    assert main(["offers", "rotate-key", "--home", str(home), *WHO, *options]) == 0
    return signing_key(Home(home), NAME).verifier.as_text()


def verified(home: Path, capsys, *options: str) -> tuple[int, str]:
    capsys.readouterr()
    status = main(["offers", "verify", "--home", str(home), *options])
    return status, capsys.readouterr().out


def test_who_trusts_the_old_key_learns_the_new_one_from_the_log(home, capsys, tmp_path):
    kept = tmp_path / "kept"
    shutil.copy(home / "log" / "checkpoint", kept)
    new = rotated(home)
    assert new != OLD
    assert rotated(home) not in (new, OLD)
    status, said = verified(home, capsys, "--key", OLD, "--checkpoint", str(kept))
    assert status == 0, said
    assert said.count(new) == 1, "and says whom it trusts by now"
    assert (home / "log" / "verifier_keys").read_text().count(f"{NAME}+") == 3
    keys = home / "log" / "keys"
    assert {path.name for path in keys.iterdir()} >= {"signing.pem"}
    assert not (keys / "signing.next.pem").exists()
    assert (keys / "signing.pem").stat().st_mode & 0o777 == 0o600


def test_an_examiner_without_any_of_this_verifies_with_all_keys(home, capsys, tmp_path):
    new = rotated(home)
    assert verified(home, capsys, "--export", str(tmp_path / "out"))[0] == 0
    [folder] = (tmp_path / "out").iterdir()
    command = [sys.executable, "-I", str(folder / "verify_offer_log.py"), str(folder)]
    for keys, status in (((OLD, new), 0), ((OLD,), 0), ((new,), 1)):
        options = [word for key in keys for word in ("--key", key)]
        done = subprocess.run([*command, *options], check=False, capture_output=True, text=True)
        assert done.returncode == status, done.stdout


def test_a_key_that_nobody_vouches_for_is_not_trusted(home, capsys):
    new = rotated(home, "--lost")
    status, said = verified(home, capsys, "--key", OLD)
    assert status == 1
    assert "none of the known keys has signed this checkpoint" in said
    assert verified(home, capsys, "--key", OLD, "--key", new)[0] == 0


@pytest.mark.parametrize("point", ["commit_rows", "finish_rotation"])
def test_killed_it_signs_with_the_old_key_or_the_new_one(home, capsys, monkeypatch, point):
    """As nobody catches it, an interrupt leaves files as a kill would."""

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(rotate_key, point, killed)
    assert main(["offers", "rotate-key", "--home", str(home), *WHO]) == 130
    monkeypatch.undo()
    key = signing_key(Home(home), NAME).verifier.as_text()
    assert (key == OLD) == (point == "commit_rows")
    assert verified(home, capsys, "--key", OLD)[0] == 0
    rotated(home)
    assert verified(home, capsys, "--key", OLD)[0] == 0
