"""What a branch reads of renewals, events and packages, in every language."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import openpyxl
import pytest

from campaigns.headings import CODES
from campaigns.list_files import words, write_lists
from conf.fields import Channel
from conf.load import load_config
from conf.moves import Event
from conf.wording import Language
from expectations.campaign_lists import CALLERS, MOVES
from tests.unit.test_campaigns_lists import AS_OF, cared, decision, listed

RENEWAL = "offers.r={product: term_deposit, move: renewal, channels: [phone], contact_cost: 1.00, \
validity_days: 30, talking_point_id: T, trigger: {event: maturity, days_before: [30, 0]}}"
RENEWED = {
    "offer_id": "r",
    "product_id": "term_deposit",
    "move": "renewal",
    "event": "maturity",
    "event_on": date(2024, 4, 20),
    "response_basis": "renewal_rate",
}
INFLOW = {
    "offer_id": "investment_fund_inflow_2026",
    "product_id": "investment_fund",
    "move": "cross_sell_internal",
    "event": "large_credit",
    "response_basis": "propensity",
}
PACKAGE = {"offer_id": "travel_package_2026", "move": "bundle", "response_basis": "least_component"}


@pytest.mark.parametrize(
    ("language", "renewal", "inflow"),
    [
        (
            "en",
            "The term deposit ends on 20 April 2024: talk about it between 21 March and 6 April",
            "Had more coming in than usual in the last month: talk about it by 30 March",
        ),
        (
            "it",
            "«Deposito vincolato» scade il 20 aprile 2024: parlarne tra il 21 marzo e il 6 aprile",
            "Nell'ultimo mese è entrato più denaro del solito: parlarne entro il 30 marzo",
        ),
        (
            "ro",
            "„Depozit la termen” ajunge la scadență pe 20 aprilie 2024:"
            " de discutat între 21 martie și 6 aprilie",
            "În ultima lună au intrat mai mulți bani decât de obicei:"
            " de discutat până la 30 martie",
        ),
        (
            "ru",
            "Срок продукта «Срочный вклад» истекает 20 апреля 2024:"
            " поговорить с 21 марта по 6 апреля",
            "За последний месяц поступило больше денег, чем обычно: поговорить не позднее 30 марта",
        ),
    ],
)
def test_an_event_is_the_first_reason_and_times_the_offer(
    language: str, renewal: str, inflow: str
) -> None:
    config = load_config("local", [RENEWAL, f"bank.language={language}"])
    rows = listed(decision("C1", 1, **RENEWED), decision("C2", 2, **INFLOW), config=config)
    due, more = rows.to_pylist()
    assert reasons(due) == [renewal, None, None], "models know nothing of who holds a product"
    assert (due["valid_from"], due["valid_to"]) == (date(2024, 3, 21), date(2024, 4, 6))
    assert (due["event"], due["event_on"]) == ("maturity", date(2024, 4, 20))
    assert reasons(more) == [inflow, "Spent 900 EUR on travel", "Also this"]
    assert (more["valid_from"], more["valid_to"]) == (date(2024, 3, 8), date(2024, 3, 30))


def reasons(row: dict[str, Any]) -> list[str | None]:
    return [row[f"reason_{place}"] for place in (1, 2, 3)]


@pytest.mark.parametrize(
    ("language", "prices", "benefit"),
    [
        ("en", "Credit card 36.00 EUR; Travel insurance 32.00 EUR", "Card and cover"),
        ("it", "Carta di credito 36,00 EUR; Assicurazione viaggi 32,00 EUR", "Carta e copertura"),
        ("ro", "Card de credit 36,00 EUR; Asigurare de călătorie 32,00 EUR", "Card și acoperire"),
        ("ru", "Кредитная карта 36,00 EUR; Страхование путешествий 32,00 EUR", "Карта и защита"),
    ],
)
def test_a_package_shows_its_price_and_that_of_each_product_alone(
    language: str, prices: str, benefit: str
) -> None:
    config = load_config("local", [f"bank.language={language}"])
    [row] = listed(decision("C1", 1, **PACKAGE), config=config).to_pylist()
    assert (row["bundle_id"], row["package_price"]) == ("travel_package_2026", Decimal("62.00"))
    assert row["component_prices"] == prices
    assert row["client_benefit"].startswith(benefit)
    [plain] = listed(decision("C1", 1), config=config).to_pylist()
    assert [plain[name] for name in ("bundle_id", "package_price", "component_prices")] == [
        None
    ] * 3


def test_the_workbook_names_package_and_prices_and_the_first_day(tmp_path: Path) -> None:
    config = load_config("local", [RENEWAL])
    rows = listed(decision("C1", 1, **PACKAGE), decision("C2", 2, **RENEWED), config=config)
    write_lists(tmp_path, rows, cared(), config, AS_OF)
    page = openpyxl.load_workbook(tmp_path / "branches/branch_B1.xlsx")["List"]
    head, package, renewal = ([cell.value for cell in line] for line in page)
    shown = dict(zip(head, package, strict=True))
    assert (shown["Package"], shown["Package price"]) == ("Travel package", 62)
    assert shown["Each alone"] == "Credit card 36.00 EUR; Travel insurance 32.00 EUR"
    first = page.column_dimensions[page.cell(1, head.index("Valid from") + 1).column_letter]
    assert not first.hidden, "some offers wait for their day"
    assert dict(zip(head, renewal, strict=True))["Because of"] == "it ends"


def test_every_move_and_event_has_its_words() -> None:
    assert set(CODES["move"]) == set(MOVES)
    assert set(CODES["event"]) == set(get_args(Event))
    assert set(CODES["channel"]) == set(get_args(Channel))
    assert set(CODES["caller"]) == set(CALLERS)
    for language in get_args(Language):
        config = load_config("local", [f"bank.language={language}"])
        assert set(config.reasons.events) == set(get_args(Event))
        assert all(language in sentences for sentences in config.reasons.events.values())
        assert words(config)["bundle_id"].keys() == {"travel_package_2026"}
