"""The words of the synthetic bank: codes, counterparties, fictional names."""

from __future__ import annotations

from tables.categories import BookingChannel, Category

CATEGORIES = tuple(category.value for category in Category)
CATEGORY = {name: code for code, name in enumerate(CATEGORIES)}
TRANSACTION_CHANNELS = tuple(channel.value for channel in BookingChannel)
TRANSACTION_CHANNEL = {name: code for code, name in enumerate(TRANSACTION_CHANNELS)}

EMPLOYERS = 2000
LANDLORDS = 400
MERCHANTS = 40  # per spending category
PAYEES = {
    "employer": [f"EMP-{number:04d}" for number in range(EMPLOYERS)],
    "landlord": [f"LND-{number:03d}" for number in range(LANDLORDS)],
    "utility": [f"UTL-{number:02d}" for number in range(12)],
    "insurer": [f"INS-{number:02d}" for number in range(8)],
    "lender": [f"LEN-{number:02d}" for number in range(8)],
    "state": ["STATE-PENSION", "STATE-BENEFIT"],
    "media": [f"SUB-{number:02d}" for number in range(20)],
    "other_bank": [f"BNK-{number:02d}" for number in range(15)],
} | {
    category: [f"{category[:3].upper()}-{number:02d}" for number in range(MERCHANTS)]
    for category in (
        "groceries", "dining", "shopping", "leisure", "fuel", "car", "travel", "health", "home",
    )
}  # fmt: skip
COUNTERPARTIES = [name for names in PAYEES.values() for name in names]
NOBODY = -1
_SIZES = [len(names) for names in PAYEES.values()]
FIRST_PAYEE = {
    group: sum(_SIZES[:place]) for place, group in enumerate(PAYEES)
}  # where a group starts among COUNTERPARTIES

SEGMENTS = ("mass", "affluent", "private", "vip")
GENDERS = ("f", "m")
LANGUAGES = ("en", "de", "fr")
CURRENCIES = ("EUR", "USD", "GBP", "CHF")
BASE_CURRENCY = CURRENCIES[0]

PURPOSES = ("marketing_internal", "marketing_partner", "profiling")
CONTACT_CHANNELS = ("branch", "phone", "email", "app", "sms", "post")
DISPOSITIONS = (
    "sold", "interested", "contacted", "no_answer", "refused", "opt_out", "unsuitable",
)  # fmt: skip
FLAGS = ("financial_difficulty", "vulnerable", "complaint_open", "fraud_watch", "bereavement")

REGIONS = ("North", "East", "South", "West", "Centre")
PLACES = (
    "Alderbrook", "Birchfield", "Cedar Hill", "Dunmere", "Eastwick", "Fernley", "Glenport",
    "Harrowgate", "Ivybridge", "Junction", "Kingsmead", "Larkspur", "Millbrook", "Northgate",
    "Oakhaven", "Pinewood", "Quayside", "Riverside", "Stonebridge", "Thornbury", "Upland",
    "Valebrook", "Westmoor", "Yarrow", "Zelmont",
)  # fmt: skip
FIRST_NAMES = ("Ada", "Bruno", "Clara", "Dario", "Elin", "Felix", "Greta", "Hugo", "Iris", "Jonas")
LAST_NAMES = ("Abel", "Brandt", "Cole", "Dahl", "Ermer", "Frost", "Gild", "Holt", "Isen", "Jarl")
ROLES = ("senior advisor", "advisor", "junior advisor")
