"""Numbers, amounts and plurals in a bank's language, by the rules of the Unicode CLDR."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import cache
from typing import cast

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_decimal

from conf.wording import OTHER, Form, Language, Sentence

WHOLE, CENTS = "#,##0", "#,##0.00"
DAY, DAY_OF_YEAR = "d MMMM", "d MMMM y"
EXACTLY_ONE: Form = "1"
NOT_COUNTED = ("money", "share", "rate", "yes or no")
# The larger numbers have no other forms than these.
COUNTED_TO = 1000


def is_counted(unit: str) -> bool:
    """Its values are numbers of something, so that plural forms are needed."""
    return unit not in NOT_COUNTED


def in_words(amount: float, unit: str, currency: str, language: Language) -> str:
    """A value above zero: with its currency, as a percentage, or as a whole number."""
    match unit:
        case "money":
            return f"{_number(amount, WHOLE if amount >= 1 else CENTS, language)} {currency}"
        case "share" | "rate":
            return f"{_number(100 * amount, WHOLE, language)} %"
        case _:
            return _number(amount, WHOLE, language)


def price_in_words(amount: Decimal, currency: str, language: Language) -> str:
    """An amount to the cent, with its currency."""
    return f"{format_decimal(amount, format=CENTS, locale=_locale(language))} {currency}"


def day_in_words(day: date, language: Language, pattern: str = DAY) -> str:
    """A day as it is said within a sentence."""
    return str(format_date(day, format=pattern, locale=_locale(language)))


def form_for(sentence: Sentence, amount: float, language: Language) -> str:
    """The form of a sentence that goes with a number, rounded as it is shown."""
    number = round(amount)
    if number == 1 and EXACTLY_ONE in sentence:
        return sentence[EXACTLY_ONE]
    return sentence.get(_plural(number, language)) or sentence[OTHER]


@cache
def plural_forms(language: Language) -> dict[Form, int]:
    """The forms that whole numbers need, each with the smallest number from 1 that does."""
    return {_plural(number, language): number for number in range(COUNTED_TO, 0, -1)}


def _plural(number: int, language: Language) -> Form:
    return cast(Form, _locale(language).plural_form(number))


def _number(amount: float, pattern: str, language: Language) -> str:
    return str(format_decimal(amount, format=pattern, locale=_locale(language)))


@cache
def _locale(language: Language) -> Locale:
    return Locale.parse(language)
