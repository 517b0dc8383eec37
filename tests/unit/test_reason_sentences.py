"""Sentences say a value rightly in four languages, and what is missing or wrong is told."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import get_args

import pytest

import conf.load
from campaigns.sentences import broken_sentences, reason_sentence
from campaigns.wording import form_for, plural_forms
from conf.errors import ConfigError
from conf.load import load_config
from conf.schema import RunConfig
from conf.wording import Language
from features.catalogue import feature_catalogue
from jobs.cli import main
from jobs.settings import checked_config

LANGUAGES: tuple[Language, ...] = get_args(Language)
BANKS = {name: checked_config("local", [f"bank.language={name}"]) for name in LANGUAGES}
CATALOGUE = {f.name: f for f in feature_catalogue(tuple(BANKS["en"].products))}
# Parts of words, from their beginning, that no sentence may have: health, belief, unions, politics,
# gambling, sex, origin, age, family, poverty.
DENIED = {
    "en": "health medic doctor pharma hospital relig church faith union politic gambl casino"
    " betting sex gender ethnic national foreigner birth aged pension disab marri divorc child"
    " debt poor",
    "it": "salut medic farmac ospedal relig chies sindacat politic azzard scommess sess etni"
    " nazional stranier nascit età pension disab matrimon divorz figli debit pover",
    "ro": "sănăt medic farmac spital relig biseric sindicat politic noroc pariu sex etni"
    " național străin naștere vârst pensi handicap căsător divorț copi datori sărac",
    "ru": "здоров медиц врач аптек больниц религ церк профсоюз полити азарт ставк секс этнич"
    " национал иностранец рожд возраст пенси инвалид брак развод дети долг бедн",
}


def told(name: str, value: object, language: Language = "en") -> str | None:
    return reason_sentence(CATALOGUE[name], value, BANKS[language])


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("travel_amount_3m", Decimal("1234.56"), "Spent 1,235 EUR on travel in the last 3 months"),
        ("travel_amount_3m", Decimal("0.40"), "Spent 0.40 EUR on travel in the last 3 months"),
        ("travel_amount_3m", Decimal("0.00"), None),
        ("rent_amount_3m", Decimal("4807.00"), "Paid 4,807 EUR of rent in the last 3 months"),
        ("income_amount_3m", Decimal("7500.00"), "A regular income arrives here"),
        ("months_since_joined", 1, "Has been a client for 1 month"),
        ("months_since_joined", 14, "Has been a client for 14 months"),
        ("months_since_joined", 0, "Became a client within the last month"),
        ("digital_share_3m", 0.354, "Makes 35 % of all bookings online or in the app"),
        ("digital_share_3m", 0.001, None),
        ("has_credit_card", True, "Already uses our credit card"),
        ("has_credit_card", False, "Has no credit card with us yet"),
        ("has_credit_card", 1.0, "Already uses our credit card"),
        ("card_count_3m", 1, "Made 1 card payment in the last 3 months"),
        ("card_count_3m", 12, "Made 12 card payments in the last 3 months"),
        ("net_flow_amount_1m", 90, "Had 90 EUR more coming in than going out in the last month"),
        ("net_flow_amount_3m", Decimal("-80.00"), None),
        ("days_to_next_maturity", None, None),
        ("savings_rate_3m", float("nan"), None),
        ("segment_rank", 3, None),
    ],
)
def test_a_reason_says_the_value_or_nothing(name: str, value: object, expected: str | None) -> None:
    assert told(name, value) == expected


@pytest.mark.parametrize(
    ("language", "name", "value", "expected"),
    [
        ("it", "rent_amount_3m", 1234, "Ha pagato 1.234 EUR di affitto negli ultimi 3 mesi"),
        ("it", "rent_amount_3m", 0.4, "Ha pagato 0,40 EUR di affitto negli ultimi 3 mesi"),
        ("it", "months_since_joined", 1, "È cliente da 1 mese"),
        ("it", "months_since_joined", 21, "È cliente da 21 mesi"),
        ("it", "net_flow_amount_1m", 90,
         "Le entrate hanno superato le uscite di 90 EUR nell'ultimo mese"),
        ("ro", "months_since_joined", 1, "Are relații cu banca noastră de 1 lună"),
        ("ro", "months_since_joined", 19, "Are relații cu banca noastră de 19 luni"),
        ("ro", "months_since_joined", 20, "Are relații cu banca noastră de 20 de luni"),
        ("ro", "months_since_joined", 101, "Are relații cu banca noastră de 101 luni"),
        ("ro", "rent_amount_3m", 1234, "A plătit chirie de 1.234 EUR în ultimele 3 luni"),
        ("ru", "months_since_joined", 1, "Клиент банка уже 1 месяц"),
        ("ru", "months_since_joined", 22, "Клиент банка уже 22 месяца"),
        ("ru", "months_since_joined", 12, "Клиент банка уже 12 месяцев"),
        ("ru", "card_count_3m", 1234.5,
         "Совершено 1\u00a0234 платежа картой за последние 3 месяца"),
        ("ru", "net_flow_amount_1m", 90,
         "Поступления превысили расходы на 90 EUR за последний месяц"),
        ("ru", "net_flow_amount_6m", 90,
         "Поступления превысили расходы на 90 EUR за последние 6 месяцев"),
        ("ru", "has_credit_card", True, "Уже пользуется нашим продуктом «Кредитная карта»"),
    ],
)  # fmt: skip
def test_numbers_and_plurals_follow_the_language(
    language: Language, name: str, value: float, expected: str
) -> None:
    assert told(name, value, language) == expected


def test_a_longer_window_has_its_plural_too() -> None:
    window = BANKS["ru"].reasons.window["ru"]
    said = {months: form_for(window, months, "ru") for months in (1, 2, 5, 21)}
    assert said == {
        1: "за последний месяц",
        2: "за последние {months} месяца",
        5: "за последние {months} месяцев",
        21: "за последний {months} месяц",
    }


def test_the_forms_of_a_language_are_those_of_its_whole_numbers() -> None:
    assert {name: plural_forms(name) for name in LANGUAGES} == {
        "en": {"one": 1, "other": 2},
        "it": {"one": 1, "other": 2},
        "ro": {"one": 1, "few": 2, "other": 20},
        "ru": {"one": 1, "few": 2, "many": 5},
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_is_complete_for_any_value(language: Language) -> None:
    for name in CATALOGUE:
        for value in (None, 0, 1, 2, 2.5, 5, 21, 1000):
            sentence = told(name, value, language)
            assert sentence is None or re.fullmatch(r"[A-ZÀ-ȚА-Я][^{}]*[^{}.\s]", sentence), name
            assert "  " not in (sentence or "")


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_names_what_is_nobodys_business(language: Language) -> None:
    denied = re.compile(rf"\b({'|'.join(DENIED[language].split())})")
    reasons = BANKS[language].reasons
    last = [getattr(reasons.last_resort, name) for name in type(reasons.last_resort).model_fields]
    for sentences in (*reasons.of_a_value.values(), *reasons.of_nothing.values(), *last):
        for text in sentences[language].values():
            assert not denied.search(text.lower()), text
    assert denied.search(DENIED[language].split()[5])


def test_a_branch_is_not_told_how_much_somebody_earns() -> None:
    for language in LANGUAGES:
        assert not re.search(r"\d", str(told("income_amount_3m", 7500, language)))


@pytest.mark.parametrize("env", ["berka", "local", "prod"])
def test_every_environment_can_say_its_reasons(env: str) -> None:
    assert not list(broken_sentences(load_config(env)))


@pytest.mark.parametrize("language", LANGUAGES)
def test_base_has_every_sentence_in_every_language(language: Language) -> None:
    assert not list(broken_sentences(BANKS[language]))


CAR = "reasons.of_a_value.car_amount"


@pytest.mark.parametrize(
    ("setting", "problem"),
    [
        (f"{CAR}.it=!replace {{}}",
         f"{CAR}.it lacks the form other"),
        (f"{CAR}=!replace {{en: Spent}}",
         f"{CAR}.it is missing, and it is the bank's language; write it"),
        ("reasons.of_a_value=!replace {}",
         "reasons.of_a_value.car_amount is missing: car_amount_3m may be a reason;"
         " write its sentences"),
        (f"{CAR}s.en=Spent",
         f"{CAR}s is no fact of which something may be told; did you mean car_amount?"),
        ("reasons.of_nothing.car_amount.en=Spent",
         "reasons.of_nothing.car_amount is no fact of which nothing may be told"),
        (f"{CAR}.ru='{{valeu}}'",
         f"{CAR}.ru names {{valeu}}; it may name {{value}} and {{window}}; did you mean value?"),
        (f"{CAR}.ru='{{value.__class__}}'", "names {value.__class__}; it may name {value}"),
        (f"{CAR}.ru='{{value!r}}'", "names {value}; it may name {value}"),
        (f"{CAR}.en='{{value'", f"{CAR}.en has a brace without its other half"),
        (f"{CAR}.en={{one: a, other: b}}", f"{CAR}.en has forms, and counts nothing"),
        ("reasons.of_a_value.income_amount.it='Riceve {value}'",
         "reasons.of_a_value.income_amount.it names {value}; it may name {window}"),
        ("reasons.of_nothing.has_product.it='{value}'",
         "names {value}; it may name {Product} and {product}"),
        ("reasons.of_a_value.card_count.ru='{value} платежей'",
         "reasons.of_a_value.card_count.ru lacks the form few, which numbers such as 2 need"),
        ("reasons.of_a_value.card_count.en.few='{value} payments'",
         "reasons.of_a_value.card_count.en.few is no form of en"),
        ("reasons.window.ro={one: luna, other: '{months} de luni'}", ""),
        ("reasons.window.ro=!replace {one: luna, other: '{months} de luni'}",
         "reasons.window.ro lacks the form few, which numbers such as 2 need"),
        ("reasons.window.ro.few='{month} luni'", "did you mean months?"),
        ("reasons.last_resort.neither.it='{value}'",
         "reasons.last_resort.neither.it names {value}; it may name {product} and {Product}"),
        ("reasons.of_a_value.card_count.en.two=x", "is not a possible name"),
        ("reasons.of_a_value.card_count.de=x", "is not a possible name"),
        ("products.mortgage.name=!replace {en: Mortgage}",
         "products.mortgage.name has no text in the bank's language it"),
        ("bank.language=de", "is de; it must be 'en', 'it', 'ro' or 'ru'"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_sentence_is_told(setting: str, problem: str) -> None:
    settings = ["bank.language=it", setting]
    if not problem:
        assert checked_config("local", settings)
        return
    with pytest.raises(ConfigError) as caught:
        checked_config("local", settings)
    found = [one for one in caught.value.problems if problem in one]
    assert found, caught.value.problems
    assert found[0].startswith((f"--set {setting}: ", "conf/base"))


def test_a_month_is_not_begun_with_a_sentence_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = f"{CAR}=!replace {{it: Ha speso}}"
    home = tmp_path / "home"
    code = main(["run", "--as-of", "2026-11-01", "--home", str(home), "--set", wrong])
    assert code == 2
    assert f"{CAR}.en is missing, and it is the bank's language" in capsys.readouterr().err
    assert not home.exists()


def test_a_bank_may_say_one_sentence_its_own_way(tmp_path: Path) -> None:
    folder = tmp_path / "conf"
    (folder / "bank").mkdir(parents=True)
    (folder / "base").symlink_to(conf.load.CONF / "base")
    own = folder / "bank" / "reasons.yaml"
    own.write_text("reasons: {of_a_value: {rent_amount: {en: 'Rents for {value}'}}}")
    config = load_config("bank", (), folder, (broken_sentences,))
    assert reason_sentence(CATALOGUE["rent_amount_3m"], 900, config) == "Rents for 900 EUR"
    assert reason_sentence(CATALOGUE["fuel_amount_3m"], 9, config) == told("fuel_amount_3m", 9)

    own.write_text("reasons: {of_a_value: {rent_amount: {en: 'Rents for {amount}'}}}")
    with pytest.raises(ConfigError) as caught:
        load_config("bank", (), folder, (broken_sentences,))
    assert caught.value.problems == (
        "conf/bank/reasons.yaml: reasons.of_a_value.rent_amount.en names {amount};"
        " it may name {value} and {window}",
    )


def test_a_name_may_be_one_for_all_languages() -> None:
    one: RunConfig = load_config("local", ["products.mortgage.name=HomePlan", "bank.language=it"])
    assert one.products["mortgage"].named("it") == "HomePlan"
    assert RunConfig.model_validate_json(one.model_dump_json()) == one
