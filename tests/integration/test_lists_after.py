"""What happens to lists after the run, on the small bank: what a person types and finds."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from campaigns import list_files
from campaigns.sides import by_key
from jobs.cli import main
from jobs.home import Home
from jobs.lists.which_campaign import campaign_of
from jobs.plan_campaign import contacts_known
from jobs.run import Run
from jobs.run_month import run_steps
from jobs.runs import inputs
from jobs.runs.recording import Entry, commit_rows
from jobs.runs.staging import Staging
from jobs.steps import CAMPAIGN
from tables.arrow import arrow_schema
from tables.delta import commit_files
from tables.derived import CAMPAIGN_LISTS, DECISIONS, DISPOSITIONS, EXPORTS, VAULT
from tables.files import sha256_of
from tables.runs import Runs
from tables.sources import CONSENTS, CUSTOMERS, FLAGS
from tables.store import Store
from tests.later_ingest import learn, present
from tests.month import AS_OF

MIDDLE = date(2026, 11, 15)


@pytest.fixture
def home(bank, tmp_path) -> Home:
    """A copy of the bank's tables and log, to learn and record in; the rest is the bank's own."""
    for name in ("tables", "log"):
        shutil.copytree(bank.home.path / name, tmp_path / "home" / name)
    for name in ("landing", "mlruns"):
        (tmp_path / "home" / name).symlink_to(bank.home.path / name)
    return Home(tmp_path / "home")


def xsell(home, capsys, *words, as_of=AS_OF):
    """Exit code and what was printed."""
    month = [] if as_of is None else ["--as-of", str(as_of)]
    code = main([*map(str, words), "--home", str(home.path), *month])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def offers(home):
    record = campaign_of(home, AS_OF)
    return Store(home.tables, None, record.pins).arrow(CAMPAIGN_LISTS, AS_OF).to_pylist()


def digests(folder: Path):
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): sha256_of(path) for path in files}


def exported(home):
    runs = Runs(home.tables)
    pins = {EXPORTS.name: runs.head(EXPORTS.name)}
    return Store(home.tables, None, pins).arrow_records(EXPORTS).to_pylist()


def withdraw(home, first, second, third):
    """Consent of one client, the life of another, the peace of a third."""
    learn(
        home,
        MIDDLE,
        {
            CONSENTS: [
                {
                    "customer_id": first["customer_id"],
                    "purpose": "profiling",
                    "channel": first["channel"],
                    "changed_at": datetime(2026, 11, 10, 9, tzinfo=UTC),
                    "is_granted": False,
                }
            ],
            CUSTOMERS: [
                present(home, CUSTOMERS, second["customer_id"])
                | {
                    "deceased_on": date(2026, 11, 9),
                    "recorded_at": datetime(2026, 11, 12, tzinfo=UTC),
                }
            ],
            FLAGS: [
                {
                    "customer_id": third["customer_id"],
                    "flag": "complaint_open",
                    "valid_from": date(2026, 11, 3),
                }
            ],
        },
    )


def test_an_export_is_what_was_committed_less_what_was_withdrawn_since(
    home, capsys, caplog, tmp_path
):
    code, out, _ = xsell(home, capsys, "lists", "export", "--to", tmp_path / "a")
    folder = Path(out.strip())
    assert (code, digests(folder)) == (0, dict(campaign_of(home, AS_OF).outputs["lists"]))

    gone = offers(home)[:3]
    withdraw(home, *gone)
    code, out, _ = xsell(home, capsys, "lists", "export", "--to", tmp_path / "b")
    assert code == 0
    assert "3 of " in out
    assert (
        "before 2026-11-15 (care.treatment_flag 1, consent.profiling 1, eligibility.active 1)"
        in out
    )
    folder = Path(out.splitlines()[0])
    names = {row["customer_id"] for row in gone}
    kept = pq.read_table(folder / "campaign.parquet")["customer_id"].to_pylist()
    assert len(kept) == len(offers(home)) - 3
    assert not names & set(kept)
    told = (folder / "recalled.csv").read_text().splitlines()[1:]
    assert {line.split(",")[1] for line in told} == names
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["recalled"]["left_out"] == 3
    found = digests(folder)
    found.pop("manifest.json")
    assert {name: entry["sha256"] for name, entry in manifest["files"].items()} == found
    for name in found:
        if name.endswith(".csv") and name != "recalled.csv":
            assert not names & set((folder / name).read_text().replace("\r\n", ",").split(","))

    code, out, _ = xsell(home, capsys, "lists", "export", "--to", tmp_path / "c", "--on", AS_OF)
    assert "the store knows more" in caplog.text
    assert digests(Path(out.strip())) == dict(campaign_of(home, AS_OF).outputs["lists"])
    assert [(row["known_before"], row["recalled_row_count"]) for row in exported(home)] in (
        [(AS_OF, 0), (MIDDLE, 3)],
        [(MIDDLE, 3), (AS_OF, 0)],
    )


def test_a_branch_gets_its_own_files_and_no_parquet(home, capsys, tmp_path):
    branches = sorted({row["branch_id"] for row in offers(home)})[:2]
    words = ("lists", "export", "--to", tmp_path, "--branch", branches[1], "--branch", branches[0])
    _, out, _ = xsell(home, capsys, *words)
    pinned = dict(campaign_of(home, AS_OF).outputs["lists"])
    for branch, line in zip(branches, out.splitlines(), strict=True):
        found = digests(Path(line))
        assert json.loads((Path(line) / "manifest.json").read_text())["branch_id"] == branch
        del found["manifest.json"]
        assert found
        assert all(Path(name).stem == f"branch_{branch}" for name in found)
        assert found == {name: pinned[name] for name in found}
    runs = len(Runs(home.tables).committed())
    assert xsell(home, capsys, *words)[1] == out
    assert len(Runs(home.tables).committed()) == runs, "the same export again is no other one"
    assert [row["branch_id"] for row in exported(home)].count(branches[0]) == 1


def test_files_that_would_not_be_the_committed_ones_are_not_written(
    home, capsys, tmp_path, monkeypatch
):
    monkeypatch.setattr(list_files, "HOW_TO_READ", list_files.HOW_TO_READ[:1])
    branch = offers(home)[0]["branch_id"]
    for words in ([], ["--branch", branch]):
        code, _, err = xsell(home, capsys, "lists", "export", "--to", tmp_path / "x", *words)
        assert code == 3
        assert "list files differ from those committed, e.g. branches/" in err
    assert [path for path in (tmp_path / "x").rglob("*") if path.is_file()] == []
    assert Runs(home.tables).head(EXPORTS.name) is None


def test_an_export_that_cannot_be_is_refused(home, capsys, tmp_path):
    words = ("lists", "export", "--to", tmp_path / "x")
    assert "has no list; there are B0" in xsell(home, capsys, *words, "--branch", "B9")[2]
    assert "is before the campaign" in xsell(home, capsys, *words, "--on", "2026-10-31")[2]
    assert not (tmp_path / "x").exists()
    assert Runs(home.tables).head(EXPORTS.name) is None


def another_campaign(home, gone, settings):
    """The same month decided anew: one offer less, by a gate that the configuration closed."""
    first = campaign_of(home, AS_OF)
    store = Store(home.tables, None, first.pins)
    pins, run_id = dict(first.pins), "d" * 64
    staging = Staging(home.tables, run_id, AS_OF, 1)
    decided = store.arrow(DECISIONS, AS_OF).to_pylist()
    for row in decided:
        if (row["customer_id"], row["offer_id"]) == gone:
            row |= {"outcome": "suppressed", "failed_gates": ["contact_policy.contact_cap"]}
        row["rules_version"] = "another"
    listed = [
        row for row in offers(home) if (row["customer_id"], row["offer_id"]) != gone
    ]  # fmt: skip
    for table, rows in ((DECISIONS, decided), (CAMPAIGN_LISTS, listed)):
        staging.stage(table, pa.Table.from_pylist(rows, schema=arrow_schema(table)))
        folder, files = home.tables / table.name, staging.files[table.name]
        pins[table.name] = commit_files(folder, table, files, run_id)
    config = json.loads(first.config)
    config["contact_policy"] |= settings
    record = replace(first, run_id=run_id, pins=pins, config=json.dumps(config))
    return Runs(home.tables).append(record)


def test_a_diff_names_what_left_and_the_rule_that_was_changed(home, capsys, tmp_path):
    first, victim = campaign_of(home, AS_OF), offers(home)[1]
    gone = (victim["customer_id"], victim["offer_id"])
    another_campaign(home, gone, {"max_contacts_30d": 1})
    words = ("lists", "diff", first.run_id[:8], "dddd", "--csv", tmp_path / "diff.csv")
    code, out, _ = xsell(home, capsys, *words, as_of=None)
    assert code == 0
    count = len(offers(home))
    assert f"0 entered, 1 left, {count} stayed" in out
    [line] = [line for line in out.splitlines() if line.startswith("left ")]
    assert victim["customer_id"] in line
    assert "policy: contact.customer_cap_30d 1-" in line
    assert (tmp_path / "diff.csv").read_text().splitlines()[1].startswith("left,policy,")

    branch = next(
        row["branch_id"] for row in offers(home) if row["branch_id"] != victim["branch_id"]
    )
    words = ("lists", "diff", first.run_id[:8], "dddd", "--branch", branch)
    assert "The lists are the same." in xsell(home, capsys, *words, as_of=None)[1]


def test_a_diff_shows_each_role_what_it_may_see(home, capsys, tmp_path):
    first, victim = campaign_of(home, AS_OF), offers(home)[1]
    another_campaign(home, (victim["customer_id"], victim["offer_id"]), {"max_contacts_30d": 1})
    diff = ("lists", "diff", first.run_id[:8], "dddd", "--examples", 99)

    def told(*words):
        """What is printed and what the file says, as one text."""
        code, out, err = xsell(home, capsys, *diff, "--csv", tmp_path / "d.csv", *words, as_of=None)
        return code, out + err + (tmp_path / "d.csv").read_text()

    _, whole = told("--role", "compliance")
    assert victim["customer_id"] in whole
    assert "contact.customer_cap_30d 1-" in whole

    _, science = told("--role", "science")
    assert victim["log_leaf"] in science
    assert "contact.customer_cap_30d 1-" in science
    assert not any(row["customer_id"] in science for row in offers(home))
    assert "  - -> -  " in science.replace("   - -> -", "  - -> -")

    code, branch = told("--role", "branch")
    assert (code, "role branch sees the clients of one branch: say --branch" in branch) == (1, True)
    code, branch = told("--role", "branch", "--branch", victim["branch_id"])
    assert (code, victim["customer_id"] in branch) == (0, True)
    assert "contact.customer_cap_30d" not in branch
    assert "not shown to this role" in branch


def test_an_export_is_for_who_may_see_its_clients(home, capsys, tmp_path):
    branch = offers(home)[0]["branch_id"]
    words = ("lists", "export", "--to", tmp_path / "x", "--role")
    for more, said in (
        (("branch",), "role branch sees the clients of one branch: say --branch"),
        (("branch", "--branch", branch, "--branch", "B00001"), "say --branch"),
        (("science",), "role science may not see customer_id"),
    ):
        code, _, err = xsell(home, capsys, *words, *more)
        assert (code, said in err) == (1, True), err
    assert not (tmp_path / "x").exists()
    assert xsell(home, capsys, *words, "branch", "--branch", branch)[0] == 0
    assert xsell(home, capsys, *words, "compliance")[0] == 0


def test_a_look_up_that_a_role_may_not_make_is_refused_and_is_none(home, capsys):
    client = offers(home)[0]
    show = ("lists", "show", "--customer", client["customer_id"], "--role")
    assert "may not see customer_id" in xsell(home, capsys, *show, "science")[2]
    assert "say --branch" in xsell(home, capsys, *show, "branch")[2]
    assert not (home.log / "lookups.jsonl").exists()
    other = next(row["branch_id"] for row in offers(home)
                 if row["branch_id"] != client["branch_id"])  # fmt: skip
    code, out, _ = xsell(home, capsys, *show, "branch", "--branch", other)
    assert (code, "0 of 0 offers" in out) == (0, True)
    assert '"found": false' in (home.log / "lookups.jsonl").read_text()


def test_a_campaign_does_not_differ_from_itself(home, capsys):
    month = ("--as-of", AS_OF)
    code, out, _ = xsell(home, capsys, "lists", "diff", *month, *month, as_of=None)
    assert (code, out.splitlines()[-1]) == (0, "The lists are the same.")


def test_runs_that_cannot_be_compared_are_named(home, capsys):
    run = campaign_of(home, AS_OF).run_id
    for words, said in (
        (["zzz", run[:6]], f"run zzz is no committed campaign; there are {run[:12]}"),
        ([run], "say which two campaigns"),
        ([run, run, "--branch", "B9"], "has no list; there are B0"),
    ):
        code, _, err = xsell(home, capsys, "lists", "diff", *words, as_of=None)
        assert code == 1
        assert said in err


HEADER = "customer_id,offer_id,as_of,disposition,disposition_at,channel,remark"


def returned(tmp_path, *rows, name="branch.csv"):
    """A file of results: client, offer, result, day."""
    lines = [
        HEADER,
        *(f"{who},{what},{AS_OF},{said},{on},phone,SECRET" for who, what, said, on in rows),
    ]
    path = tmp_path / name
    path.write_text("\ufeff" + "\r\n".join(lines) + "\r\n", encoding="utf-8")
    return path


def pairs(home):
    return [(row["customer_id"], row["offer_id"]) for row in offers(home)]


def dispositions(home):
    version = Runs(home.tables).head(DISPOSITIONS.name)
    return (
        Store(home.tables, None, {DISPOSITIONS.name: version})
        .arrow_records(DISPOSITIONS)
        .to_pylist()
    )


def test_returned_results_are_taken_once_and_none_is_lost(home, capsys, tmp_path):
    first, second, third = pairs(home)[:3]
    file = returned(
        tmp_path,
        (*first, "refused", "2026-11-10"),
        (*second, "accepted", "2026-11-11"),
        ("C-unknown", third[1], "sold", "2026-11-11"),
        (third[0], "no_offer", "sold", "2026-11-11"),
    )
    words = ("offers", "disposition", "--file", file)
    code, out, err = xsell(home, capsys, *words, as_of=None)
    assert (code, err) == (0, "")
    assert "branch.csv: 4 rows in = 2 accepted + 0 there already + 2 quarantined" in out
    assert "refused 1, sold 1" in out
    assert "quarantined, not_on_list: 2 (row 3, 4)" in out
    assert "count from the campaign as of 2026-12-01 on" in out
    assert not {"C-unknown", "SECRET", first[0]} & set(out.replace(",", " ").split())
    taken = dispositions(home)
    assert [(row["disposition"], str(row["recorded_at"].date())) for row in taken] == [
        ("refused", "2026-11-11"), ("sold", "2026-11-11"),
    ]  # fmt: skip
    assert "SECRET" not in str(taken)

    runs = len(Runs(home.tables).committed())
    again = xsell(home, capsys, *words, as_of=None)[1]
    assert again.splitlines()[0] == "branch.csv: was taken before; nothing is new."
    assert len(Runs(home.tables).committed()) == runs
    more = returned(
        tmp_path, (*first, "refused", "2026-11-10"), (*third, "sold", "2026-11-12"), name="more.csv"
    )
    out = xsell(home, capsys, "offers", "disposition", "--file", more, as_of=None)[1]
    assert "2 rows in = 1 accepted + 1 there already + 0 quarantined" in out
    assert len(dispositions(home)) == 3


def test_a_file_that_cannot_be_read_changes_nothing(home, capsys, tmp_path):
    first = pairs(home)[0]
    before = len(Runs(home.tables).committed())
    for rows, said, code in (
        ([(*first, "refusd", "2026-11-10")], "did you mean refused?", 3),
        ([(*first, "refused", "2026-11-10")], "--on 2026-11-09 is before 2026-11-10", 1),
    ):
        words = ("offers", "disposition", "--file", returned(tmp_path, *rows), "--on", "2026-11-09")
        ended, out, err = xsell(home, capsys, *words, as_of=None)
        assert (ended, out) == (code, "")
        assert said in err
    code, _, err = xsell(
        home, capsys, "offers", "disposition", "--file", tmp_path / "x", as_of=None
    )
    assert (code, len(err.splitlines())) == (1, 1)
    assert len(Runs(home.tables).committed()) == before
    assert Runs(home.tables).head(DISPOSITIONS.name) is None


def test_an_objection_recalls_at_once_and_leaves_the_next_export(home, capsys, tmp_path):
    victim = offers(home)[0]
    who = (victim["customer_id"], victim["offer_id"])
    file = returned(tmp_path, (*who, "opt_out", "2026-11-10"))
    words = ("offers", "disposition", "--file", file)
    line = xsell(home, capsys, *words, as_of=None)[1].splitlines()[-1]
    said, folder = line.rsplit(": ", 1)
    assert said.startswith("Objections of 1 client: withdraw 1 offers at 1 branches")
    made = digests(Path(folder))
    name = f"recall-branch_{victim['branch_id']}"
    assert set(made) == {f"{name}.csv", f"{name}.xlsx", "manifest.json"}
    rows = (Path(folder) / f"{name}.csv").read_text().splitlines()
    assert rows[1].split(",")[2] == who[0]

    shutil.rmtree(folder)
    assert xsell(home, capsys, *words, as_of=None)[1].splitlines()[-1] == line
    assert digests(Path(folder)) == made
    out = xsell(home, capsys, "lists", "export", "--to", tmp_path / "out")[1]
    assert "before 2026-11-11 (contact.cool_off 1)" in out

    recall = ("offers", "recall", "--customer", who[0], "--to", tmp_path / "recalled", "--since")
    day_of_end = xsell(home, capsys, *recall, victim["valid_to"], as_of=None)[1]
    assert "withdraw 1 offers" in day_of_end
    later = victim["valid_to"] + timedelta(1)
    assert "no list that is still valid" in xsell(home, capsys, *recall, later, as_of=None)[1]
    unknown = ("offers", "recall", "--customer", "C-none", "--since", MIDDLE)
    code, _, err = xsell(home, capsys, *unknown, as_of=None)
    assert (code, "C-none" in err) == (1, False)


def returned_in_time(home, *results):
    """Results that came before the month was decided."""
    before = datetime(2026, 10, 20, tzinfo=UTC)
    common = {"disposition_at": before, "recorded_at": before, "channel": "phone"}
    rows = [
        common
        | {
            "customer_id": client,
            "offer_id": offer,
            "product_id": offer.removesuffix("_2026"),
            "disposition": said,
            "file_sha256": "f" * 64,
        }
        for (client, offer), said in results
    ]
    entry = Entry("e" * 64, "disposition", AS_OF, {}, {}, campaign_of(home, AS_OF))
    added = pa.Table.from_pylist(rows, schema=arrow_schema(DISPOSITIONS))
    commit_rows(home, entry, [(DISPOSITIONS, added)])


def test_results_count_for_the_next_campaign_and_for_none_that_was_made(
    home, bank, spark, capsys, tmp_path, monkeypatch
):
    monkeypatch.setattr(inputs, "_champions", lambda _: {})  # MLflow takes seconds to import
    first = pairs(home)[0]
    file = returned(tmp_path, (*first, "refused", "2026-11-10"))
    here = replace(bank, home=home).context(spark)
    before = inputs.resolve(here, CAMPAIGN)
    assert xsell(home, capsys, "offers", "disposition", "--file", file, as_of=None)[0] == 0
    assert inputs.resolve(here, CAMPAIGN) == before, "the month is found done as it was"
    [record] = [run for run in Runs(home.tables).committed() if run.step == "disposition"]
    assert record.as_of == date(2026, 12, 1)

    returned_in_time(home, (first, "refused"))
    read = inputs.resolve(here, CAMPAIGN)
    assert read.identity == {**before.identity, "disposition": "e" * 64}
    store = Store(home.tables, spark, read.pins)
    run = Run("campaign", AS_OF, "f" * 64, bank.config, home.path, spark, store, None)
    told = contacts_known(run).where("contact_id like 'returned|%'").collect()
    assert [(row["customer_id"], row["disposition"]) for row in told] == [(first[0], "refused")]


@pytest.mark.slow
def test_whoever_refused_is_not_asked_the_same_and_whoever_objects_nothing_at_all(
    home, bank, spark, capsys
):
    refused, objected = pairs(home)[0], pairs(home)[-1]
    first = campaign_of(home, AS_OF)
    returned_in_time(home, (refused, "refused"), (objected, "opt_out"))
    here = replace(bank, home=home)
    [done] = run_steps(here.context(spark, may_supersede=True), [CAMPAIGN])
    assert done.record.inputs["disposition"] == "e" * 64
    store = Store(home.tables, None, done.record.pins)
    decided = by_key(store.arrow(DECISIONS, AS_OF))
    for pair in (refused, objected):
        assert "contact_policy.cool_off" in decided[pair]["failed_gates"]
    stopped = {
        client for (client, _), row in decided.items()
        if row["outcome"] == "offered" and client == objected[0]
    }  # fmt: skip
    assert not stopped, "who objects is offered nothing at all"
    others = [row for (client, offer), row in decided.items()
              if client == refused[0] and offer != refused[1]]  # fmt: skip
    assert not any("contact_policy.cool_off" in row["failed_gates"] for row in others)

    words = ("lists", "diff", first.run_id[:12], done.record.run_id[:12])
    out = xsell(home, capsys, *words, as_of=None)[1]
    assert f"{objected[0]}  {objected[1]}  contact: contact_policy.cool_off" in out


def test_whoever_looks_a_client_up_is_recorded_by_the_pseudonym_of_the_log(home, capsys):
    client = offers(home)[0]["customer_id"]
    vault = Store(home.tables, None, {VAULT.name: Runs(home.tables).head(VAULT.name)})
    names = {row["customer_id"]: row["client"] for row in vault.arrow_records(VAULT).to_pylist()}

    by = ("--by", "Ana Pop")
    code, shown, _ = xsell(home, capsys, "lists", "show", "--customer", client, *by)
    assert (code, client in shown) == (0, True)
    assert xsell(home, capsys, "lists", "show", "--customer", "nobody", *by)[0] == 1
    recall = ("offers", "recall", "--since", "2026-11-03", "--customer", client)
    assert xsell(home, capsys, *recall, as_of=None)[0] == 0
    assert xsell(home, capsys, *recall, "--customer", "nobody", as_of=None)[0] == 1

    code, told, _ = xsell(home, capsys, "offers", "lookups", as_of=None)
    assert code == 0
    assert "5 look-ups; clients 2, who asked 2" in told
    assert told.count(names[client]) == 3
    assert client not in told
    assert "nobody" not in told
    assert len(xsell(home, capsys, "offers", "lookups", *by, as_of=None)[1].splitlines()) == 3
