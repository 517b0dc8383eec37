"""What the Berka bank knew, as rows of our tables, each with the time at which it was known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time

from conf.source import AdapterSettings
from extracts.berka_files import Account, BerkaFiles, Booking, Card, Loan
from tables.errors import ContractViolation

CURRENCY = "CZK"
ACCOUNT_PRODUCT = "current_account"
LOAN = "loan"
TRANSFER_OUT = "PREVOD NA UCET"
EVENING = time(18, tzinfo=UTC)
Row = dict[str, object]


def customer_id(account: Account) -> str:
    """The owner, who has this one account."""
    return f"C{account.owner.client_id}"


def berka_facts(files: BerkaFiles, adapter: AdapterSettings) -> dict[str, list[Row]]:
    """All rows of every table, each with the time at which it was known.

    Raises:
        ContractViolation: A code in the files is not in the settings.
    """
    codes = _Codes(adapter.codes)
    accounts = sorted(files.accounts.values(), key=lambda account: account.account_id)
    started = datetime.combine(adapter.history_from, time(), UTC)
    facts: dict[str, list[Row]] = {
        "branches": [
            {"branch_id": f"D{key}", "name": name, "region": region, "recorded_at": started}
            for key, (name, region) in files.districts.items()
        ],
        "customers": [_customer(account) for account in accounts],
        "accounts": [_account(account) for account in accounts],
        "transactions": [_transaction(booking, codes) for booking in files.bookings],
        "holdings": list(_holdings(files, codes)),
        "consents": [row for account in accounts for row in _consents(account, adapter)],
    }
    codes.complain()
    return facts


class _Codes:
    """Translations, and the raw codes that none was found for."""

    def __init__(self, lists: Mapping[str, Mapping[str, str | None]]) -> None:
        self._lists = lists
        self._unknown: set[str] = set()

    def translate(self, name: str, raw: str) -> str | None:
        if raw not in self._lists[name]:
            self._unknown.add(f"{name}: {raw}")
            return None
        return self._lists[name][raw]

    def lists(self, name: str, raw: str | None) -> bool:
        return raw in self._lists[name]

    def complain(self) -> None:
        if self._unknown:
            raise ContractViolation(
                f"Berka files: codes without a translation: {'; '.join(sorted(self._unknown))}."
                " Add them to adapter.codes in conf/sources/berka.yaml"
            )


def _evening(day: date) -> datetime:
    return datetime.combine(day, EVENING)


def _customer(account: Account) -> Row:
    return {
        "customer_id": customer_id(account),
        "birth_date": account.owner.birth_date,
        "gender": account.owner.gender,
        "branch_id": f"D{account.district_id}",
        "joined_on": account.opened_on,
        "is_employee": False,
        "recorded_at": _evening(account.opened_on),
    }


def _account(account: Account) -> Row:
    return {
        "account_id": f"A{account.account_id}",
        "customer_id": customer_id(account),
        "product_id": ACCOUNT_PRODUCT,
        "opened_on": account.opened_on,
        "currency": CURRENCY,
        "recorded_at": _evening(account.opened_on),
    }


def _transaction(booking: Booking, codes: _Codes) -> Row:
    operation = booking.operation
    sign = -1 if codes.translate("sign", booking.kind) == "-" else 1
    if booking.symbol:
        category = codes.translate("category", booking.symbol)
    else:
        category = codes.translate("category_of_operation", operation) if operation else None
    return {
        "transaction_id": f"T{booking.trans_id}",
        "account_id": f"A{booking.account_id}",
        "booked_on": booking.booked_on,
        "amount": sign * booking.amount,
        "currency": CURRENCY,
        "balance_after": booking.balance,
        "category": category,
        "channel": codes.translate("channel", operation) if operation else None,
        "counterparty_id": booking.partner,
        "recorded_at": _evening(booking.booked_on),
    }


def _holdings(files: BerkaFiles, codes: _Codes) -> Iterator[Row]:
    for loan in files.loans:
        yield _holding(files, f"L{loan.loan_id}", loan, LOAN, loan.granted_on)
    for card in files.cards:
        product = codes.translate("card", card.kind)
        yield _holding(files, f"K{card.card_id}", card, product, card.issued_on)
    for (account_id, symbol), booking in sorted(_first_payments(files, codes).items()):
        product = codes.translate("payment", symbol)
        yield _holding(files, f"P{account_id}-{product}", booking, product, booking.booked_on)


def _holding(
    files: BerkaFiles,
    holding_id: str,
    item: Loan | Card | Booking,
    product: str | None,
    opened_on: date,
) -> Row:
    account = files.accounts[item.account_id]
    return {
        "holding_id": holding_id,
        "customer_id": customer_id(account),
        "product_id": product,
        "account_id": f"A{item.account_id}",
        "opened_on": opened_on,
        "recorded_at": _evening(opened_on),
    }


def _first_payments(files: BerkaFiles, codes: _Codes) -> dict[tuple[str, str], Booking]:
    """The first payment to another bank by account and symbol, for symbols that show a product."""
    first: dict[tuple[str, str], Booking] = {}
    for booking in sorted(files.bookings, key=lambda one: (one.booked_on, one.trans_id)):
        if booking.operation == TRANSFER_OUT and codes.lists("payment", booking.symbol):
            first.setdefault((booking.account_id, str(booking.symbol)), booking)
    return first


def _consents(account: Account, adapter: AdapterSettings) -> Iterator[Row]:
    assumed = adapter.assumed_consents
    if assumed is None:
        return
    for purpose in assumed.purposes:
        for channel in assumed.channels:
            yield {
                "customer_id": customer_id(account),
                "purpose": purpose,
                "channel": channel,
                "changed_at": _evening(account.opened_on),
                "is_granted": True,
                "recorded_at": _evening(account.opened_on),
            }
