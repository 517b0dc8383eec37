"""How a list's columns are shown to a person, in every language of the bank's lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from conf.wording import Language

Form = Literal["text", "long", "whole", "share", "money", "day", "instant"]
LANGUAGES: tuple[Language, ...] = ("en", "it", "ro", "ru")


@dataclass(frozen=True)
class Heading:
    """One column of a sheet.

    Attributes:
        titles: What stands over it, in the order of ``LANGUAGES``.
        width: In characters.
        form: How its values are written; ``long`` texts break into lines.
        is_technical: Folded away at first: for whoever asks where a row comes from.
    """

    titles: tuple[str, str, str, str]
    width: int
    form: Form = "text"
    is_technical: bool = False

    def title(self, language: Language) -> str:
        """What stands over it."""
        return self.titles[LANGUAGES.index(language)]


def _shown(width: int, *titles: str, form: Form = "text") -> Heading:
    en, it, ro, ru = titles
    return Heading((en, it, ro, ru), width, form)


def _folded(width: int, *titles: str, form: Form = "text") -> Heading:
    en, it, ro, ru = titles
    return Heading((en, it, ro, ru), width, form, is_technical=True)


HEADINGS: Mapping[str, Heading] = {
    "rank_in_branch": _shown(5, "No.", "N.", "Nr.", "№", form="whole"),
    "customer_id": _shown(13, "Client", "Cliente", "Client", "Клиент"),
    "product_id": _shown(19, "Offer", "Offerta", "Ofertă", "Предложение"),
    "reason_1": _shown(
        36,
        "Why this client",
        "Perché questo cliente",
        "De ce acest client",
        "Почему этот клиент",
        form="long",
    ),
    "reason_2": _shown(30, "Also", "Inoltre", "De asemenea", "Также", form="long"),
    "reason_3": _shown(30, "And", "E ancora", "Și", "И ещё", form="long"),
    "client_benefit": _shown(
        42,
        "What the client gains",
        "Che cosa ne ha il cliente",
        "Ce câștigă clientul",
        "Что получит клиент",
        form="long",
    ),
    "channel": _shown(11, "Contact by", "Contatto", "Contact prin", "Как связаться"),
    "caller": _shown(20, "Who calls", "Chi contatta", "Cine contactează", "Кто связывается"),
    "valid_from": _shown(
        12, "Valid from", "Valida dal", "Valabilă din", "Действует с", form="day"
    ),
    "valid_to": _shown(
        12, "Valid until", "Valida fino al", "Valabilă până la", "Действует до", form="day"
    ),
    "talking_point_id": _shown(
        13, "Talking point", "Spunto di dialogo", "Punct de discuție", "Тема разговора"
    ),
    "advisor_id": _shown(11, "Advisor", "Consulente", "Consilier", "Консультант"),
    "contacts_left_30d": _shown(
        9, "Contacts left", "Contatti rimasti", "Contacte rămase", "Осталось контактов",
        form="whole",
    ),
    "partner_id": _shown(18, "Partner", "Partner", "Partener", "Партнёр"),
    "lever_code": _shown(
        22, "With it goes", "Con l'offerta", "Împreună cu", "Вместе с предложением", form="long"
    ),
    "lever_limit": _shown(11, "At most", "Al massimo", "Cel mult", "Не более", form="money"),
    "bundle_id": _shown(19, "Package", "Pacchetto", "Pachet", "Пакет"),
    "package_price": _shown(
        11, "Package price", "Prezzo del pacchetto", "Prețul pachetului", "Цена пакета",
        form="money",
    ),
    "component_prices": _shown(
        34, "Each alone", "Ciascuno da solo", "Fiecare separat", "Каждый по отдельности",
        form="long",
    ),
    "event": _folded(16, "Because of", "Per via di", "Din cauza", "Из-за"),
    "event_on": _folded(12, "On", "Il", "La data", "Дата", form="day"),
    "credit_owner": _folded(14, "Credit to", "Merito a", "Merit pentru", "Продажа засчитана"),
    "credit_share": _folded(9, "Credit part", "Quota merito", "Cota", "Доля", form="share"),
    "referral_owner": _folded(
        14, "Referred by", "Segnalato da", "Recomandat de", "Рекомендовал"
    ),
    "referral_share": _folded(
        9, "Referral part", "Quota segnalante", "Cota recomandării", "Доля рекомендации",
        form="share",
    ),
    "move": _folded(20, "Kind of sale", "Tipo di vendita", "Tip de vânzare", "Вид продажи"),
    "kind": _folded(11, "Product of", "Prodotto di", "Produs al", "Чей продукт"),
    "propensity": _folded(11, "Propensity", "Propensione", "Înclinație", "Склонность"),
    "expected_profit": _folded(
        14, "Expected profit", "Profitto atteso", "Profit așteptat", "Ожидаемая прибыль",
        form="money",
    ),
    "is_exploration": _folded(
        9, "By chance", "Scelta a caso", "Aleasă la întâmplare", "Выбрано случайно"
    ),
    "consent_basis": _folded(
        26, "Consent relied on", "Consenso di base", "Consimțământ folosit", "Согласие"
    ),
    "consent_checked_at": _folded(
        17, "Consent checked", "Consenso verificato", "Consimțământ verificat",
        "Согласие проверено", form="instant",
    ),
    "offer_id": _folded(24, "Offer number", "Codice offerta", "Codul ofertei", "Код предложения"),
    "branch_id": _folded(11, "Branch", "Filiale", "Sucursală", "Отделение"),
    "campaign_id": _folded(14, "Campaign", "Campagna", "Campanie", "Кампания"),
    "as_of": _folded(12, "Data as of", "Dati al", "Date la", "Данные на", form="day"),
    "run_id": _folded(20, "Run", "Esecuzione", "Rulare", "Запуск"),
    "log_leaf": _folded(20, "Log entry", "Voce di registro", "Intrare în jurnal", "Запись журнала"),
    "objected_on": _shown(12, "Objected on", "Opposizione del", "Opoziție la", "Возражение от",
                          form="day"),
    "care_treatment": _shown(30, "Help to offer", "Aiuto da offrire", "Ajutor de oferit",
                             "Какую помощь предложить"),
    "why": _shown(30, "Why", "Perché", "De ce", "Почему", form="long"),
    "what_to_do": _shown(48, "What to do", "Che cosa fare", "Ce este de făcut", "Что сделать",
                         form="long"),
    "may_contact": _shown(9, "May be called", "Si può chiamare", "Poate fi sunat", "Можно звонить"),
    "contact": _shown(30, "Whom to contact", "Chi contattare", "Pe cine să contactați",
                      "С кем связаться", form="long"),
    "valid_until": _shown(12, "Valid until", "Valido fino al", "Valabil până la", "Действует до",
                          form="day"),
}  # fmt: skip

# What is read instead of a code, in the order of LANGUAGES.
CODES: Mapping[str, Mapping[str, tuple[str, str, str, str]]] = {
    "channel": {
        "branch": ("branch visit", "visita in filiale", "vizită la sucursală", "визит в отделение"),
        "phone": ("phone", "telefono", "telefon", "телефон"),
        "email": ("e-mail", "e-mail", "e-mail", "эл. почта"),
        "sms": ("SMS", "SMS", "SMS", "СМС"),
        "post": ("post", "posta", "poștă", "почта"),
        "app": ("app", "app", "aplicație", "приложение"),
    },
    "caller": {
        "advisor": ("the client's advisor", "il consulente del cliente", "consilierul clientului",
                    "консультант клиента"),
        "branch": ("the branch", "la filiale", "sucursala", "отделение"),
        "branch_director": ("the branch director", "il direttore di filiale",
                            "directorul sucursalei", "директор отделения"),
    },
    "move": {
        "cross_sell_internal": ("new product of ours", "nuovo prodotto nostro",
                                "produs nou de-al nostru", "новый наш продукт"),
        "cross_sell_partner": ("new product of a partner", "nuovo prodotto di un partner",
                               "produs nou al unui partener", "новый продукт партнёра"),
        "up_sell": ("upgrade", "prodotto superiore", "produs superior", "продукт выше уровнем"),
        "renewal": ("renewal", "rinnovo", "reînnoire", "продление"),
        "bundle": ("package", "pacchetto", "pachet", "пакет"),
    },
    "event": {
        "maturity": ("it ends", "scade", "ajunge la scadență", "срок истекает"),
        "salary_start": ("a first income", "un primo reddito", "un prim venit", "первый доход"),
        "large_credit": ("more than usual came in", "è entrato più del solito",
                         "a intrat mai mult ca de obicei", "поступило больше обычного"),
        "branch_changed": ("another branch", "un'altra filiale", "altă sucursală",
                           "другое отделение"),
    },
    "kind": {
        "internal": ("ours", "nostro", "al nostru", "наш"),
        "partner": ("a partner", "un partner", "un partener", "партнёра"),
    },
}  # fmt: skip


def words_for_codes(language: Language) -> dict[str, dict[str, str]]:
    """By column: what is read instead of each of its codes."""
    place = LANGUAGES.index(language)
    return {
        column: {code: texts[place] for code, texts in codes.items()}
        for column, codes in CODES.items()
    }
