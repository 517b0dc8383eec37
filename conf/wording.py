"""Types of what a person reads: texts in several languages, sentences with plural forms."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StrictStr

from conf.strict_yaml import YamlValue

Language = Literal["en", "it", "ro", "ru"]
# Exactly 1, then the plural categories of the CLDR that these languages have.
Form = Literal["1", "one", "few", "many", "other"]
ANY_LANGUAGE: Literal["any"] = "any"
OTHER: Form = "other"


def _in_any_language(value: YamlValue) -> YamlValue:
    return {ANY_LANGUAGE: value} if isinstance(value, str) else value


def _in_one_form(value: YamlValue) -> YamlValue:
    return {OTHER: value} if isinstance(value, str) else value


NonEmpty = Annotated[StrictStr, Field(min_length=1)]
# A text alone is a name in any language.
Name = Annotated[
    dict[Literal["any", "en", "it", "ro", "ru"], NonEmpty], BeforeValidator(_in_any_language)
]
# A text alone is a sentence in which nothing is counted.
Sentence = Annotated[dict[Form, NonEmpty], BeforeValidator(_in_one_form)]
InLanguages = dict[Language, Sentence]
