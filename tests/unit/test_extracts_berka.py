"""The Berka bank's words become ours, and nothing is known before it happened."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from conf.load import load_config
from conf.source import load_source
from extracts.berka_facts import berka_facts
from extracts.berka_files import Account, BerkaFiles, Booking, Card, Loan, Owner, birth, raw_date
from tables.categories import BookingChannel, Category
from tables.errors import ContractViolation

ADAPTER = load_source("berka").adapter
EVENING = datetime(1993, 5, 3, 18, tzinfo=UTC)
ACCOUNT = Account("7", "12", date(1993, 5, 3), Owner("9", date(1950, 12, 1), "f"))
PAYMENT = Booking(
    trans_id=1, account_id="7", booked_on=date(1993, 6, 5), kind="VYDAJ",
    operation="PREVOD NA UCET", amount=Decimal("250.00"), balance=Decimal("1000.10"),
    symbol="SIPO", partner="YZ-1",
)  # fmt: skip


def facts(*bookings, loans=(), cards=()):
    files = BerkaFiles({"12": ("Praha", "Prague")}, {"7": ACCOUNT}, [*loans], [*cards], [*bookings])
    return berka_facts(files, ADAPTER)


@pytest.mark.parametrize(
    ("number", "day", "gender"),
    [
        ("706213", date(1970, 12, 13), "f"),
        ("450204", date(1945, 2, 4), "m"),
        ("115101", date(1911, 1, 1), "f"),
        ("870930", date(1987, 9, 30), "m"),
    ],
)
def test_a_birth_number_tells_birth_date_and_gender(number, day, gender):
    assert birth(number) == (day, gender)


def test_dates_may_be_followed_by_a_time():
    assert raw_date("931107 00:00:00") == raw_date("931107") == date(1993, 11, 7)


def test_owners_become_customers_of_the_branch_of_their_account():
    found = facts()

    [customer], [account] = found["customers"], found["accounts"]
    assert (customer["customer_id"], customer["branch_id"]) == ("C9", "D12")
    assert customer["recorded_at"] == EVENING
    assert (account["account_id"], account["customer_id"], account["currency"]) == (
        "A7", "C9", "CZK",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "amount"), [("PRIJEM", "250.00"), ("VYDAJ", "-250.00"), ("VYBER", "-250.00")]
)
def test_the_type_of_a_booking_gives_its_sign(kind, amount):
    [booking] = facts(replace(PAYMENT, kind=kind))["transactions"]

    assert booking["amount"] == Decimal(amount)


@pytest.mark.parametrize(
    ("symbol", "operation", "category"),
    [
        ("SIPO", "PREVOD NA UCET", Category.HOUSEHOLD),
        ("SIPO", "VYBER", Category.HOUSEHOLD),
        ("DUCHOD", "PREVOD Z UCTU", Category.PENSION),
        ("UROK", None, Category.INTEREST),
        (None, "VYBER KARTOU", Category.CASH),
        (None, "PREVOD NA UCET", Category.TRANSFER),
        (None, None, None),
    ],
)
def test_a_symbol_says_what_a_booking_was_for_and_else_its_operation(symbol, operation, category):
    [booking] = facts(replace(PAYMENT, symbol=symbol, operation=operation))["transactions"]

    assert booking["category"] == category


def test_every_code_becomes_a_word_that_the_system_knows():
    codes = ADAPTER.codes

    assert set(codes["category"].values()) <= set(Category)
    assert set(codes["category_of_operation"].values()) <= set(Category)
    assert set(codes["channel"].values()) <= set(BookingChannel)
    products = {*codes["card"].values(), *codes["payment"].values(), "loan"}
    assert products <= set(load_config("berka").products)


def test_a_code_without_a_translation_stops_with_its_name():
    with pytest.raises(ContractViolation, match=r"category: NOVY; sign: JINY.*berka\.yaml"):
        facts(replace(PAYMENT, symbol="NOVY", kind="JINY"))


def test_a_product_seen_in_payments_is_known_from_its_first_payment_to_another_bank():
    later = replace(PAYMENT, trans_id=2, booked_on=date(1993, 7, 5))
    cash = replace(PAYMENT, trans_id=3, booked_on=date(1993, 5, 5), operation="VYBER")

    [holding] = facts(later, PAYMENT, cash)["holdings"]

    assert holding["product_id"] == "household_payments"
    assert holding["opened_on"] == date(1993, 6, 5)
    assert holding["recorded_at"] == datetime(1993, 6, 5, 18, tzinfo=UTC)


def test_loans_and_cards_are_held_by_the_owner_from_the_day_they_were_given():
    found = facts(
        loans=[Loan("1", "7", date(1993, 8, 1))], cards=[Card("2", "7", "gold", date(1995, 3, 1))]
    )["holdings"]

    assert [(one["product_id"], one["customer_id"], one["opened_on"]) for one in found] == [
        ("loan", "C9", date(1993, 8, 1)), ("credit_card_gold", "C9", date(1995, 3, 1)),
    ]  # fmt: skip


def test_assumed_consents_count_from_the_day_of_joining():
    found = facts()["consents"]

    assumed = ADAPTER.assumed_consents
    assert len(found) == len(assumed.purposes) * len(assumed.channels)
    assert {row["recorded_at"] for row in found} == {EVENING}


def test_nothing_is_known_before_it_happened():
    found = facts(PAYMENT, loans=[Loan("1", "7", date(1993, 8, 1))])

    for rows, happened in (("transactions", "booked_on"), ("holdings", "opened_on")):
        assert all(row["recorded_at"].date() == row[happened] for row in found[rows])
