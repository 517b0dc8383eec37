"""One log over all campaigns: each goes on where the last one ended, under the same keys."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest

from audit.checkpoint import opened
from audit.entries import checkpoints_in_order
from conf.load import load_config
from jobs.audit.checkpoint_files import committed_checkpoints, write_checkpoints
from jobs.audit.log_keys import published_keys, signing_key, vault_key
from jobs.cli import main
from jobs.home import Home
from jobs.publishing import execute
from jobs.steps import CAMPAIGN
from tables.derived import VAULT
from tables.errors import UserError
from tables.runs import Runs
from tables.store import Store
from tests.log_keys import NAME, SIGNING
from tests.month import SMALL


@pytest.fixture(scope="module")
def grown(bank, spark, tmp_path_factory):
    """The home of the small bank after a second campaign, and what its log was before."""
    home = tmp_path_factory.mktemp("grown") / "home"
    shutil.copytree(bank.home.path, home)
    own = replace(bank, home=Home(home))
    before = committed_checkpoints(own.home)
    config = load_config("local", [*SMALL, "campaign.branch_capacity=5"])
    execute(own.context(spark, config=config, may_supersede=True), CAMPAIGN)
    return own, before


def test_the_second_campaign_goes_on_where_the_first_ended(grown):
    own, [first] = grown
    rows = committed_checkpoints(own.home)
    assert rows[0] == first, "nothing of before is written again"
    second = rows[1]
    assert (second["first_entry"], second["size"]) == (first["size"], 2 * first["size"])
    key = SIGNING.verifier
    assert [opened(row["note"], [key]).size for row in rows] == [row["size"] for row in rows]
    runs = Runs(own.home.tables)
    assert {row["run_id"] for row in rows} == {
        record.run_id for record in runs.committed() if record.step == "campaign"
    }


def test_clients_keep_their_names(grown, bank):
    own, _ = grown

    def vault(home: Home) -> list[dict[str, object]]:
        version = Runs(home.tables).head(VAULT.name)
        rows: list[dict[str, object]] = (
            Store(home.tables, None, {VAULT.name: version}).arrow_records(VAULT).to_pylist()
        )
        return rows

    assert vault(own.home) == vault(bank.home)


def test_the_longer_log_is_verified_and_holds_what_was_kept(grown, bank, capsys, tmp_path):
    own, [first] = grown
    kept = tmp_path / "kept"
    kept.write_text(first["note"], encoding="utf-8")
    options = ["offers", "verify", "--home", str(own.home.path), "--checkpoint", str(kept)]
    assert main(options) == 0
    size = 2 * first["size"]
    told = f"entries hashed again: {size:,}, of them erased: 0; checkpoints verified: 2"
    assert told in capsys.readouterr().out
    # Who keeps the longer one finds that the shorter log was cut back.
    newest = own.home.log / "checkpoint"
    options = ["offers", "verify", "--home", str(bank.home.path), "--checkpoint", str(newest)]
    assert main(options) == 1
    assert f"was signed when the log had {size:,} entries" in capsys.readouterr().out


def test_files_that_are_lost_are_made_again_from_the_commits(grown):
    own, _ = grown
    files = [own.home.log / "checkpoint", *(own.home.log / "checkpoints").iterdir()]
    before = {path: path.read_bytes() for path in files}
    for path in files:
        path.unlink()
    write_checkpoints(own.home)
    assert {path: path.read_bytes() for path in files} == before


def test_keys_are_for_their_owner_alone(tmp_path):
    home = Home(tmp_path)
    home.create()
    made = signing_key(home, NAME), vault_key(home)
    assert made == (signing_key(home, NAME), vault_key(home)), "made once"
    folder = home.log / "keys"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert published_keys(home) == [made[0].verifier.as_text()]


def test_without_its_key_a_log_is_not_continued_under_another(grown, spark):
    own, _ = grown
    path = own.home.log / "keys" / "signing.pem"
    content = path.read_bytes()
    path.unlink()
    other = load_config("local", [*SMALL, "campaign.branch_capacity=6"])
    again = own.context(spark, config=other, may_supersede=True)
    with pytest.raises(UserError, match="is gone, with which the offer log was signed"):
        execute(again, CAMPAIGN)
    assert not path.exists(), "and none was made in its place"
    path.write_bytes(content)


def test_a_log_keeps_its_name(grown, spark):
    own, _ = grown
    other = load_config("local", [*SMALL, "bank.log_name=another.example/offers"])
    with pytest.raises(UserError, match=f"but the offer log was begun as {NAME}"):
        execute(own.context(spark, config=other, may_supersede=True), CAMPAIGN)
    assert published_keys(own.home) == [SIGNING.verifier.as_text()]


def test_a_store_without_a_campaign_has_no_checkpoint(tmp_path):
    assert checkpoints_in_order(Store(tmp_path, None, {})) == []
