"""What settings are made of: kinds of values with their ranges, and the base of every type."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictFloat, StrictInt, StrictStr


def _to_cents(amount: Decimal) -> Decimal:
    # 4, 4.0 and 4.00 are one amount and must give one hash
    return amount.quantize(Decimal("0.01"))


Share = Annotated[StrictFloat, Field(ge=0, le=1)]
Money = Annotated[Decimal, Field(max_digits=18, decimal_places=2), AfterValidator(_to_cents)]
Cost = Annotated[Decimal, Field(ge=0, max_digits=18, decimal_places=2), AfterValidator(_to_cents)]
Days = Annotated[StrictInt, Field(ge=0, le=36_500)]
Count = Annotated[StrictInt, Field(ge=0)]
Positive = Annotated[StrictInt, Field(ge=1)]
Months = Annotated[StrictInt, Field(ge=1, le=120)]
Age = Annotated[StrictInt, Field(ge=0, le=130)]
SourceTable = Literal[
    "branches",
    "advisors",
    "fx_rates",
    "customers",
    "accounts",
    "transactions",
    "holdings",
    "consents",
    "flags",
    "contacts",
    "customer_merges",
]
# Why a row may be in quarantine: the rules of extracts/rules.py.
QuarantineRule = Literal[
    "type",
    "missing",
    "code",
    "implausible_date",
    "future",
    "recorded_too_late",
    "duplicate_key",
    "orphan",
]
Identifier = Annotated[StrictStr, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,63}$")]

Channel = Literal["branch", "phone", "email", "sms", "post", "app"]
Flag = Literal["financial_difficulty", "vulnerable", "complaint_open", "fraud_watch", "bereavement"]
Disposition = Literal[
    "contacted", "no_answer", "interested", "sold", "refused", "opt_out", "unsuitable"
]
FatigueClass = Literal["everyday", "credit", "wealth", "protection"]


class Settings(BaseModel):
    """Base of every configuration type: immutable, and a key it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")
