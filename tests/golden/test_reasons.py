"""Every sentence of every language, stored for whoever translates: a change shows as a diff.

`make golden` accepts today's sentences.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from campaigns.reasons import last_resort
from campaigns.sentences import reason_sentence
from conf.load import load_config
from conf.schema import RunConfig
from conf.wording import Language
from features.catalogue import Feature, feature_catalogue

STORED = Path(__file__).parent / "reasons"
PRODUCT = "credit_card"
YES_OR_NO = (None, False, True)
SHARES = (None, 0, 0.004, 0.01, 0.354, 1.0)
NUMBERS = (None, 0, 1, 2, 5, 21, 22, 25, 1234.5)
MONEY = (*NUMBERS, 0.4, 1_234_567)


@pytest.mark.parametrize("language", get_args(Language))
def test_the_sentences_are_those_that_were_accepted(language, request):
    config = load_config("local", [f"bank.language={language}"])
    lines = [*_feature_lines(config), *_last_lines(config)]
    stored = STORED / f"{language}.txt"
    if request.config.getoption("--accept"):
        stored.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert lines == stored.read_text(encoding="utf-8").split("\n")[:-1]


def _feature_lines(config: RunConfig) -> Iterator[str]:
    """Feature, value and sentence; of further windows of a fact one value."""
    seen: set[tuple[str, ...]] = set()
    for feature in feature_catalogue(tuple(config.products)):
        if feature.in_reason and feature.product_id in (None, PRODUCT):
            values = _values(feature)
            sentences = (feature.fact, *feature.tells)
            for value in values if sentences not in seen else values[-1:]:
                told = reason_sentence(feature, value, config) or "-"
                yield f"{feature.name} = {'unknown' if value is None else value}: {told}"
            seen.add(sentences)


def _values(feature: Feature) -> tuple[object, ...]:
    by_unit = {"yes or no": YES_OR_NO, "share": SHARES, "rate": (-0.5, *SHARES), "money": MONEY}
    return by_unit.get(feature.unit, NUMBERS)


def _last_lines(config: RunConfig) -> Iterator[str]:
    for product_id, product in config.products.items():
        yield f"{product_id}: {last_resort(product_id, {}, config)}"
        for held in filter(None, (product.upgrade_of, *product.complements)):
            yield f"{product_id}, {held}: {last_resort(product_id, {f'has_{held}': True}, config)}"
