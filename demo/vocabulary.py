"""The words of the synthetic bank: categories, channels, counterparties, names.

Categories of transactions, as the payments team of this bank tags them:

======================  ===============================================================================
salary, pension         regular income; salary comes from ``payroll_employer_id``
self_employment         irregular income
benefit, child_benefit  paid by the state
rent, utilities,        recurring bills
subscription
insurance               premium paid to an insurer that is no partner: a competitor's product
loan_payment            instalment paid to another lender: a competitor's product
loan_instalment         instalment of a loan, mortgage or lease taken through this bank
groceries … home        spending
cash                    withdrawals
savings                 between the customer's own current and savings account (two bookings)
term_deposit,           into and out of products held here
investment, loan_payout
transfer                from and to accounts at other banks
fees                    charged by the bank
======================  ===============================================================================
"""

from __future__ import annotations

CATEGORIES = (
    "salary", "pension", "self_employment", "benefit", "child_benefit",
    "rent", "utilities", "subscription", "insurance", "loan_payment", "loan_instalment",
    "groceries", "dining", "shopping", "leisure", "fuel", "car", "travel", "health", "home",
    "cash", "savings", "term_deposit", "investment", "loan_payout", "transfer", "fees",
)  # fmt: skip
CATEGORY = {name: code for code, name in enumerate(CATEGORIES)}

TRANSACTION_CHANNELS = (
    "transfer", "standing_order", "direct_debit", "card", "online", "app", "atm", "branch", "internal",
)  # fmt: skip
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
