"""Write the generated documents anew: `python -m jobs.documents`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from campaigns.rule_book import rules_markdown
from conf.load import load_config
from features.catalogue import catalogue_markdown
from tables.dictionary import data_dictionary

DOCS = Path(__file__).parent.parent / "docs"


def documents() -> dict[str, Callable[[], str]]:
    """How each generated document comes about, by its file name."""
    return {
        "data_dictionary.md": data_dictionary,
        "rules.md": lambda: rules_markdown(load_config("local")),
        "feature_catalogue.md": lambda: catalogue_markdown(tuple(load_config("local").products)),
    }


def main() -> None:
    """Write all of them."""
    for name, text in documents().items():
        (DOCS / name).write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    main()
