"""Evidence about one client's decisions, for an examiner who has nothing of ours."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

import audit
from audit.entries import checkpoints_in_order, in_order
from audit.merkle import EMPTY, Frontier, GrownTree
from audit.statement import NO_SALT, statement_leaf
from campaigns.rule_book import rules_markdown
from jobs.audit.client_facts import Campaign
from jobs.audit.explained import Told
from jobs.audit.log_keys import published_keys
from jobs.measurement.files import write_rows
from jobs.reports import page_text
from models.registered_files import model_files_of
from tables.derived import CAMPAIGN_RESULTS, OFFER_LOG
from tables.errors import ModelNotFound, UserError
from tables.files import sha256_of
from tables.runs import Runs
from tables.store import Store

README = """\
Evidence about decisions of the campaign {campaign_id} as of {as_of}, run {run_id},
about one client. It was taken from a sealed log of all decisions, offered or not.

To verify it: python3 verify_evidence.py --key KEY
KEY is the bank's verifier key as you were given it; without it the key in this folder is used,
which whoever made the folder could have made as well. The program and what it checks can be read.

What it proves: each decision is, letter by letter, an entry of the log whose root the bank signed,
under this configuration, these inputs and this code, named by their digests. It does not prove that
the decision was right, nor that no other log exists: compare the checkpoint with one kept
elsewhere.
It says a pseudonym and, in the explanation, the client's id and what was known of the client: keep
it as you keep personal data.

explanation.html   to read: what was decided, every rule, what it looked at, what would change it
decisions/         the sealed lines, with their proofs
rules.md           every rule, its versions and parameters, as they were in force
models/            cards of the models that scored, and the digests of their files
run.json, configuration.json   what was read, and how it was configured
measurement.csv    what the campaign caused in all and by product, if it has been measured
"""


@dataclass(frozen=True)
class Evidence:
    """What goes into a folder of evidence.

    Attributes:
        campaign: Who decided.
        told: As ``explained`` gives it.
    """

    campaign: Campaign
    told: Told

    def fill(self, folder: Path) -> None:
        """Write all files into an empty folder.

        Raises:
            UserError: A decision is not as it was sealed: no proof can be given of it.
        """
        if not all(offer["log"]["is_as_sealed"] for offer in self.told["offers"]):
            raise UserError(
                "a decision is not as it was sealed, so that nothing can be proven of it. Ask"
                " xsell offers verify what was changed"
            )
        record = self.campaign.record
        self._write_entries(folder)
        _write(folder / "explanation.json", _json(self.told))
        _write(folder / "explanation.html", page_text(self.told, "explain.html.j2"))
        _write(folder / "configuration.json", record.config)
        run = {
            name: getattr(record, name)
            for name in ("run_id", "step", "as_of", "campaign_id", "inputs", "code_version")
        }
        _write(folder / "run.json", _json(run))
        _write(folder / "rules.md", rules_markdown(self.campaign.config))
        self._write_models(folder / "models")
        self._write_measurement(folder / "measurement.csv")
        for name in ("verify_evidence.py", "verify_offer_log.py"):
            shutil.copyfile(Path(audit.__file__).with_name(name), folder / name)
        _write(folder / "README.txt", README.format(**self.told["campaign"]))
        _write(folder / "SHA256SUMS", _sums(folder))

    def _write_entries(self, folder: Path) -> None:
        row, earlier = self._checkpoint()
        tree = GrownTree(earlier, [*self._leaves(), statement_leaf(row["statement"])])
        (folder / "decisions").mkdir()
        for offer in self.told["offers"]:
            entry = self._entry(offer, tree)
            _write(folder / "decisions" / f"{offer['offer_id']}.json", _json(entry))
        last = {
            "entry": tree.size - 1,
            "salt": NO_SALT.hex(),
            "line": row["statement"],
            "proof": _hex(tree, tree.size - 1),
        }
        _write(folder / "statement.json", _json(last))
        _write(folder / "checkpoint", row["note"])
        keys = published_keys(self.campaign.home)
        _write(folder / "keys", "".join(f"{key}\n" for key in keys))

    def _entry(self, offer: Mapping[str, Any], tree: GrownTree) -> Told:
        sealed = offer["log"]
        proof = _hex(tree, sealed["entry"])
        return {name: sealed[name] for name in ("entry", "salt", "line")} | {"proof": proof}

    def _checkpoint(self) -> tuple[dict[str, Any], Frontier]:
        """That of the campaign, and the tree before it."""
        earlier = EMPTY
        for row in checkpoints_in_order(self.campaign.store):
            if row["run_id"] == self.campaign.record.run_id:
                return row, earlier
            earlier = Frontier.from_text(row["peaks"])
        raise UserError("the campaign has no checkpoint: it was made before the log was sealed")

    def _leaves(self) -> list[bytes]:
        store, run_id = self.campaign.store, self.campaign.record.run_id
        batches = in_order(store.folder / OFFER_LOG.name, store.files(OFFER_LOG), ["leaf"], run_id)
        return [bytes.fromhex(leaf) for batch in batches for leaf in batch["leaf"].to_pylist()]

    def _write_models(self, folder: Path) -> None:
        """Cards of the models that scored, and the digests of their files."""
        home = self.campaign.home.path
        used = {
            (offer["product_id"], offer["value"]["model_version"])
            for offer in self.told["offers"]
            if offer["value"]["model_version"] is not None
        }
        for product_id, version in sorted(used):
            own = folder / f"{product_id}-version-{version}"
            own.mkdir(parents=True)
            try:
                files = model_files_of(home, product_id, version)
            except ModelNotFound as error:
                _write(own / "GONE.txt", f"{error}\n")
                continue
            for path in files:
                shutil.copyfile(path, own / path.name)

    def _write_measurement(self, path: Path) -> None:
        """What the campaign caused, by the newest measurement that tells of it; no small parts."""
        home, run_id = self.campaign.home, self.campaign.record.run_id
        for record in reversed(Runs(home.tables).committed()):
            if record.step != "measure":
                continue
            found = Store(home.tables, None, record.pins).arrow(CAMPAIGN_RESULTS, record.as_of)
            is_told = pc.is_in(found["cut"], pa.array(["all", "product"]))
            own = found.filter(pc.and_(is_told, pc.equal(found["campaign"], run_id)))
            if own.num_rows:
                write_rows(own, path)
                return


def _hex(tree: GrownTree, index: int) -> list[str]:
    return [step.hex() for step in tree.inclusion_proof(index)]


def _sums(folder: Path) -> str:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return "".join(f"{sha256_of(path)}  {path.relative_to(folder).as_posix()}\n" for path in paths)


def _json(content: object) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True, default=str) + "\n"


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
