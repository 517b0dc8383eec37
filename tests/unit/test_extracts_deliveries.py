"""A manifest must be true, and a delivery complete, before a row is read."""

import json
from datetime import date

import pytest

from conf.source import load_source
from extracts.deliveries import delivered_files, deliveries_until
from tables.errors import ContractViolation, UserError
from tests.deliveries import write_delivery, write_manifest

AS_OF = date(2024, 4, 1)
STANDARD = load_source("standard")


def read(landing):
    return delivered_files(deliveries_until(landing, AS_OF), STANDARD)


def problems_of(landing):
    with pytest.raises(ContractViolation) as refused:
        read(landing)
    return str(refused.value).splitlines()


def edit_manifest(folder, change):
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    change(manifest)
    path.write_text(json.dumps(manifest))


def test_deliveries_are_those_dated_on_or_before_the_as_of_date_oldest_first(tmp_path):
    for day in ("2024-04-02", "2024-04-01", "2024-03-01"):
        write_delivery(tmp_path, day)

    assert [one.name for one in deliveries_until(tmp_path, AS_OF)] == ["2024-03-01", "2024-04-01"]


def test_no_delivery_says_where_one_belongs(tmp_path):
    with pytest.raises(UserError, match=r"no delivery under .* dated on or before 2024-04-01"):
        deliveries_until(tmp_path / "landing", AS_OF)


def test_a_delivery_keeps_its_digest_until_its_manifest_changes(tmp_path):
    folder = write_delivery(tmp_path, "2024-03-01")
    before = deliveries_until(tmp_path, AS_OF)[0].digest

    assert deliveries_until(tmp_path, AS_OF)[0].digest == before

    (folder / "branches.csv").write_text("branch_id,name,region,recorded_at\nB1,a,b,\n")
    write_manifest(folder)
    assert deliveries_until(tmp_path, AS_OF)[0].digest != before


def test_every_data_file_of_a_true_manifest_is_read(tmp_path):
    write_delivery(tmp_path, "2024-03-01")

    files = read(tmp_path)

    assert {file.table_name for file in files} == set(STANDARD.tables)
    assert {file.name for file in files} == {f"{name}.csv" for name in STANDARD.tables}


def test_parts_in_a_folder_belong_to_the_table_of_that_name(tmp_path):
    folder = write_delivery(tmp_path, "2024-03-01")
    (folder / "transactions").mkdir()
    (folder / "transactions.csv").rename(folder / "transactions" / "part-1.csv")
    write_manifest(folder)

    names = [file.name for file in read(tmp_path) if file.table_name == "transactions"]

    assert names == ["transactions/part-1.csv"]


def test_a_folder_that_is_no_date_is_refused_and_one_in_progress_ignored(tmp_path):
    write_delivery(tmp_path, "2024-03-01")
    (tmp_path / ".2024-04-01.copying").mkdir()
    assert len(deliveries_until(tmp_path, AS_OF)) == 1

    (tmp_path / "2024-4-1").mkdir()
    with pytest.raises(ContractViolation, match="2024-4-1: is no delivery"):
        deliveries_until(tmp_path, AS_OF)


def test_a_delivery_without_a_manifest_is_not_complete(tmp_path):
    (tmp_path / "2024-03-01").mkdir()

    with pytest.raises(ContractViolation, match=r"2024-03-01: has no manifest.json. Wait"):
        deliveries_until(tmp_path, AS_OF)


def test_a_changed_file_is_refused(tmp_path):
    folder = write_delivery(tmp_path, "2024-03-01")
    with (folder / "customers.csv").open("a") as file:
        file.write("\n")

    [problem] = problems_of(tmp_path)

    assert problem.startswith("2024-03-01/customers.csv: SHA-256 is ")
    assert problem.endswith("ask for it again")


def test_a_missing_file_is_refused_once(tmp_path):
    folder = write_delivery(tmp_path, "2024-03-01")
    (folder / "customers.csv").unlink()

    assert problems_of(tmp_path) == [
        "2024-03-01/customers.csv: is missing, but the manifest names it. Ask for the file"
    ]


def test_a_table_that_no_file_brings_is_missed(tmp_path):
    folder = write_delivery(tmp_path, "2024-03-01")
    (folder / "flags.csv").unlink()
    write_manifest(folder)

    assert problems_of(tmp_path) == [
        "2024-03-01: has no flags. Ask the source team for the missing file"
    ]


def test_a_table_that_is_not_required_may_be_absent(tmp_path):
    folder = write_delivery(tmp_path, "2024-03-01")
    (folder / "flags.csv").unlink()
    write_manifest(folder)
    flags = STANDARD.tables["flags"].model_copy(update={"is_required": False})
    source = STANDARD.model_copy(update={"tables": {**STANDARD.tables, "flags": flags}})

    files = delivered_files(deliveries_until(tmp_path, AS_OF), source)

    assert "flags" not in {file.table_name for file in files}


def test_a_file_that_the_manifest_does_not_name_is_refused(tmp_path):
    folder = write_delivery(tmp_path, "2024-03-01")
    (folder / "_customers.csv").write_text("x")

    [problem] = problems_of(tmp_path)

    assert problem.startswith("2024-03-01/_customers.csv: is not in the manifest")


def test_a_table_in_a_file_and_in_parts_is_ambiguous(tmp_path):
    folder = write_delivery(tmp_path, "2024-03-01")
    (folder / "flags").mkdir()
    (folder / "flags" / "part.csv").write_text((folder / "flags.csv").read_text())
    write_manifest(folder)

    [problem] = problems_of(tmp_path)

    assert "flags comes as flags.csv, flags/part.csv" in problem


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("../../etc/passwd", "outside its folder"),
        ("/etc/passwd", "outside its folder"),
        ("./customers.csv", "another notation"),
        ("a\\b.csv", "another notation"),
        ("customers.xlsx", "is missing"),
        ("nothing", "is missing"),
    ],
)
def test_a_path_that_must_not_be_opened_is_refused(tmp_path, name, expected):
    folder = write_delivery(tmp_path, "2024-03-01")
    entry = {"rows": 1, "sha256": "0" * 64}
    edit_manifest(folder, lambda manifest: manifest["files"].update({name: entry}))

    [problem] = problems_of(tmp_path)

    assert expected in problem


def test_links_are_refused_whether_file_or_folder(tmp_path):
    folder = write_delivery(tmp_path / "landing", "2024-03-01")
    outside = tmp_path / "outside"
    outside.mkdir()
    (folder / "flags.csv").rename(outside / "flags.csv")
    (folder / "flags.csv").symlink_to(outside / "flags.csv")
    (outside / "part.csv").write_text((folder / "branches.csv").read_text())
    (folder / "branches.csv").unlink()
    (folder / "branches").symlink_to(outside)
    entry = {"rows": 0, "sha256": "0" * 64}
    edit_manifest(folder, lambda manifest: manifest["files"].update({"branches/part.csv": entry}))
    edit_manifest(folder, lambda manifest: manifest["files"].pop("branches.csv"))

    problems = problems_of(tmp_path / "landing")

    assert sum("is a link or lies below one" in problem for problem in problems) == 2


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("{", "Expecting property name"),
        ('{"delivery": "2024-03-01"}', "files: Field required"),
        ('{"delivery": "2024-03-01", "files": {}, "note": 1}', "note: Extra inputs"),
        ('{"delivery": "2024-03-02", "files": {}}', "says it is delivery 2024-03-02"),
        ('{"delivery": "2024-03-01", "files": {"a.csv": {}, "a.csv": {}}}', "names a.csv twice"),
        (
            '{"delivery": "2024-03-01", "files": {"a.csv": {"rows": "1", "sha256": ""}}}',
            "rows: Input should be a valid integer",
        ),
    ],
)
def test_a_manifest_of_another_shape_is_refused(tmp_path, content, expected):
    folder = write_delivery(tmp_path, "2024-03-01")
    (folder / "manifest.json").write_text(content)

    assert any(expected in problem for problem in problems_of(tmp_path))


def test_an_unknown_table_is_refused_with_the_nearest_name(tmp_path):
    folder = write_delivery(tmp_path, "2024-03-01")
    (folder / "customer.csv").write_text("x\n")
    write_manifest(folder)

    [problem] = problems_of(tmp_path)

    assert problem.endswith("customer is no table of this source; did you mean customers?")


def test_problems_of_all_deliveries_are_told_at_once(tmp_path):
    for day in ("2024-02-01", "2024-03-01"):
        (write_delivery(tmp_path, day) / "flags.csv").write_text("cut")

    assert [problem[:10] for problem in problems_of(tmp_path)] == ["2024-02-01", "2024-03-01"]
