"""What people are told about a rule that stopped an offer, in every language of lists.

No plurals: a number stands after a colon, so that one form does for all numbers.
"""

from __future__ import annotations

from collections.abc import Mapping

from conf.wording import Language
from tables.reason_codes import ReasonCode

Words = Mapping[Language, str]

SAYS: Mapping[ReasonCode, Words] = {
    ReasonCode.NOT_ACTIVE: {
        "en": "Is not a client now",
        "it": "Al momento non è cliente",
        "ro": "În prezent nu este client",
        "ru": "Сейчас не клиент банка",
    },
    ReasonCode.ALREADY_HELD: {
        "en": "Holds the product already",
        "it": "Possiede già il prodotto",
        "ro": "Deține deja produsul",
        "ru": "Продукт уже есть",
    },
    ReasonCode.TOO_YOUNG: {
        "en": "Has not reached the lowest age: {min_age}",
        "it": "Non ha raggiunto l'età minima: {min_age}",
        "ro": "Nu a împlinit vârsta minimă: {min_age}",
        "ru": "Не достигнут минимальный возраст: {min_age}",
    },
    ReasonCode.TOO_OLD: {
        "en": "Is above the highest age: {max_age}",
        "it": "Ha superato l'età massima: {max_age}",
        "ro": "A depășit vârsta maximă: {max_age}",
        "ru": "Превышен максимальный возраст: {max_age}",
    },
    ReasonCode.AGE_UNKNOWN: {
        "en": "The date of birth is unknown, and the product has an age limit",
        "it": "La data di nascita non è nota, e il prodotto ha un limite di età",
        "ro": "Data nașterii nu este cunoscută, iar produsul are o limită de vârstă",
        "ru": "Дата рождения неизвестна, а у продукта есть возрастное ограничение",
    },
    ReasonCode.INCOME_TOO_LOW: {
        "en": "Regular income is unknown or below, a month: {min_monthly_income}",
        "it": "Il reddito regolare non è noto o è inferiore, al mese, a: {min_monthly_income}",
        "ro": "Venitul regulat nu este cunoscut sau este, pe lună, sub: {min_monthly_income}",
        "ru": "Регулярный доход неизвестен или ниже, в месяц: {min_monthly_income}",
    },
    ReasonCode.BALANCE_TOO_LOW: {
        "en": "The balance is unknown or below: {min_balance}",
        "it": "Il saldo non è noto o è inferiore a: {min_balance}",
        "ro": "Soldul nu este cunoscut sau este sub: {min_balance}",
        "ru": "Остаток на счетах неизвестен или ниже: {min_balance}",
    },
    ReasonCode.LACKS_REQUIRED_PRODUCT: {
        "en": "Holds none of: {requires_any}",
        "it": "Non possiede nessuno di: {requires_any}",
        "ro": "Nu deține niciunul dintre: {requires_any}",
        "ru": "Нет ни одного из: {requires_any}",
    },
    ReasonCode.HOLDS_EXCLUDED_PRODUCT: {
        "en": "Holds one of: {excludes}",
        "it": "Possiede uno di: {excludes}",
        "ro": "Deține unul dintre: {excludes}",
        "ru": "Есть одно из: {excludes}",
    },
    ReasonCode.NO_CONSENT: {
        "en": "May not be approached ({purpose}) by any of: {channels}",
        "it": "Non può essere contattato ({purpose}) tramite: {channels}",
        "ro": "Nu poate fi contactat ({purpose}) prin: {channels}",
        "ru": "Нельзя обращаться ({purpose}) ни по одному из каналов: {channels}",
    },
    ReasonCode.NO_PROFILING_CONSENT: {
        "en": "May not be profiled where contact is allowed: {channels}",
        "it": "Profilazione non ammessa dove il contatto lo è: {channels}",
        "ro": "Nu poate fi profilat acolo unde contactul este permis: {channels}",
        "ru": "Нельзя профилировать там, где можно обращаться: {channels}",
    },
    ReasonCode.CONTACT_CAP: {
        "en": "Limit of contacts in 30 days reached: {limit}",
        "it": "Limite di contatti in 30 giorni raggiunto: {limit}",
        "ro": "Limita de contacte în 30 de zile este atinsă: {limit}",
        "ru": "Достигнут предел контактов за 30 дней: {limit}",
    },
    ReasonCode.HOUSEHOLD_CAP: {
        "en": "The household's limit of contacts in 30 days is reached: {limit}",
        "it": "Limite di contatti della famiglia in 30 giorni raggiunto: {limit}",
        "ro": "Limita de contacte a familiei în 30 de zile este atinsă: {limit}",
        "ru": "Достигнут предел контактов семьи за 30 дней: {limit}",
    },
    ReasonCode.FATIGUE_CAP: {
        "en": "Limit of contacts about such products in 90 days reached: {limit}",
        "it": "Limite di contatti su prodotti simili in 90 giorni raggiunto: {limit}",
        "ro": "Limita de contacte despre astfel de produse în 90 de zile este atinsă: {limit}",
        "ru": "Достигнут предел контактов о таких продуктах за 90 дней: {limit}",
    },
    ReasonCode.CHANNEL_CAP: {
        "en": "Limit of contacts in 30 days reached on every allowed channel: {limits}",
        "it": "Limite di contatti in 30 giorni raggiunto su ogni canale consentito: {limits}",
        "ro": "Limita de contacte în 30 de zile este atinsă pe fiecare canal permis: {limits}",
        "ru": "Достигнут предел контактов за 30 дней по каждому разрешённому каналу: {limits}",
    },
    ReasonCode.COOL_OFF: {
        "en": "The answer to an earlier offer is still to be respected",
        "it": "La risposta a un'offerta precedente va ancora rispettata",
        "ro": "Răspunsul la o ofertă anterioară trebuie încă respectat",
        "ru": "Ответ на прежнее предложение ещё следует уважать",
    },
    ReasonCode.TOO_SOON: {
        "en": "Days since the last contact are fewer than: {days}",
        "it": "I giorni dall'ultimo contatto sono meno di: {days}",
        "ro": "Zilele de la ultimul contact sunt mai puține de: {days}",
        "ru": "Дней с последнего контакта меньше, чем: {days}",
    },
    ReasonCode.QUIET_PERIOD: {
        "en": "No offer begins in a quiet period",
        "it": "Nessuna offerta inizia in un periodo di silenzio",
        "ro": "Nicio ofertă nu începe într-o perioadă de liniște",
        "ru": "В период тишины предложения не начинаются",
    },
    ReasonCode.EMPLOYEE: {
        "en": "Works for the bank, or may do so",
        "it": "Lavora, o potrebbe lavorare, per la banca",
        "ro": "Lucrează, sau ar putea lucra, la bancă",
        "ru": "Работает или, возможно, работает в банке",
    },
    ReasonCode.NO_CONTACT_FLAG: {
        "en": "All contact is stopped for now",
        "it": "Ogni contatto è per ora sospeso",
        "ro": "Orice contact este oprit deocamdată",
        "ru": "Все контакты пока приостановлены",
    },
    ReasonCode.CARE: {
        "en": "Gets help instead of offers",
        "it": "Riceve aiuto invece di offerte",
        "ro": "Primește ajutor în loc de oferte",
        "ru": "Получает помощь вместо предложений",
    },
    ReasonCode.NOT_TRIGGERED: {
        "en": "The event that the offer waits for has not happened, or its days are over: {event}",
        "it": "L'evento che l'offerta attende non si è verificato, o i suoi giorni sono passati:"
        " {event}",
        "ro": "Evenimentul așteptat de ofertă nu a avut loc sau zilele lui au trecut: {event}",
        "ru": "Событие, которого ждёт предложение, не произошло, или его дни прошли: {event}",
    },
    ReasonCode.NOT_PROFITABLE: {
        "en": "Is expected to bring less than: {min_expected_profit}",
        "it": "Si prevede che renda meno di: {min_expected_profit}",
        "ro": "Se estimează că aduce mai puțin de: {min_expected_profit}",
        "ru": "Ожидается, что принесёт меньше, чем: {min_expected_profit}",
    },
}
