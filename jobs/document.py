"""Write the documents that are generated from code: `python -m jobs.document`."""

from __future__ import annotations

from pathlib import Path

from conf.load import load_config
from features.catalogue import catalogue_markdown

DOCS = Path(__file__).parent.parent / "docs"


def document(folder: Path) -> None:
    """Write `feature_catalogue.md` for the products of `conf/base`."""
    config = load_config("local", [])
    folder.mkdir(parents=True, exist_ok=True)
    text = catalogue_markdown(tuple(config.products))
    (folder / "feature_catalogue.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    document(DOCS)
