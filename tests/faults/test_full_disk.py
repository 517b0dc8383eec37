"""A disk that is really full, at whatever write that happens to be."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from tests.faults.seen import checked, debris, published

KIB = 1024
# KiB beside what is there already: full while tables are staged and committed, while lists are
# made for the commit, and while they are put in place after it.
ROOM = {20: "old", 68: "old", 128: "new"}


@pytest.fixture
def disk(tmp_path):
    """A disk in memory that can be made larger."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def size(kib, *more):
        options = ",".join([f"size={kib}k", *more])
        return subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder],
            capture_output=True,
            check=False,
        )

    if shutil.which("mount") is None or size(64 * KIB).returncode:
        pytest.skip("a disk of its own can be mounted by the system's administrator only")
    yield folder, size
    subprocess.run(["umount", folder], check=True)


def used_kib(folder):
    return (shutil.disk_usage(folder).used + KIB - 1) // KIB


@pytest.mark.parametrize("room", ROOM)
def test_a_full_disk_leaves_the_old_run_or_the_new_one_and_more_space_the_new(campaign, disk, room):
    folder, size = disk
    home = folder / "home"
    shutil.copytree(campaign.old, home)
    size(used_kib(folder) + room, "remount")
    [ended] = campaign.forks.ask({**campaign.task, "home": str(home)})
    assert ended["code"] == 1, ended
    assert ended["complained"].startswith("xsell: ")
    assert "Free some space and run the same command again" in ended["complained"]
    assert ended["complained"].count("\n") == 1
    assert checked(home) == {"old": campaign.before, "new": campaign.after}[ROOM[room]]
    size(64 * KIB, "remount")
    [ended] = campaign.forks.ask({**campaign.task, "home": str(home)})
    assert (ended["code"], checked(home)) == (0, campaign.after), ended
    assert debris(home) == []
    assert published(home) == campaign.result
