"""What the general adapter is told: which raw files there are, and what our tables are made of."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, StrictBool, StrictStr, model_validator

from conf.fields import Identifier, Settings
from conf.notation import Notation, Words

# A column of the recipe's rows, or <raw>.<column> of a raw file that is looked up.
RawColumn = Annotated[StrictStr, Field(min_length=1)]
RawColumns = Annotated[tuple[RawColumn, ...], Field(min_length=1)]
TimeOfDay = Annotated[StrictStr, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
KINDS = ("column", "text", "always", "total", "later_of")


class RawFile(Notation):
    """A file as the bank has it.

    Attributes:
        file: Its name in the data folder; with ``*`` all that match, in the order of their
            names. CSV, CSV.gz or Parquet.
        one_row_per: Only the first row of each group is used.
        in_order_of: The date or time that says which is first; else the order in the file.
    """

    file: Annotated[StrictStr, Field(pattern=r"^[^/\\.][^/\\]*\.(parquet|csv|csv\.gz)$")]
    one_row_per: tuple[RawColumn, ...] = ()
    in_order_of: RawColumn | None = None


class FlagColumns(Settings):
    """Columns that say with a flag whether a product is held, each turned into a row of its own.

    Attributes:
        into: Name of the new column that says which product it is.
        held: Words for a product that is held.
        not_held: Words for one that is not; any other word stops the adapter, nothing means no.
        products: Raw column → product id.
    """

    into: RawColumn
    held: Words = ("1",)
    not_held: Words = ("0",)
    products: Annotated[dict[RawColumn, Identifier], Field(min_length=1)]


class ColumnRule(Settings):
    """Where one of our columns comes from: one of the first five; the rest changes it.

    Attributes:
        column: The raw column.
        text: A text with raw columns in braces, such as ``H{household_id}``; nothing where one of
            them is empty.
        always: The same in every row, in the contract's notation.
        total: The sum of a raw column over the rows of the group.
        later_of: The latest of several dates or times; nothing where one is empty.
        codes: The list that translates it.
        if_present: Nothing where this raw column is empty.
        at: Time of day (UTC) at which something that has only a date is taken to be known.
        is_debit: The sign is turned.
    """

    column: RawColumn | None = None
    text: StrictStr | None = None
    always: StrictStr | StrictBool | None = None
    total: RawColumn | None = None
    later_of: RawColumns | None = None
    codes: Identifier | None = None
    if_present: RawColumn | None = None
    at: TimeOfDay | None = None
    is_debit: StrictBool = False

    @model_validator(mode="after")
    def _has_one_kind(self) -> ColumnRule:
        if sum(getattr(self, kind) is not None for kind in KINDS) != 1:
            raise ValueError(f"says not exactly one of {', '.join(KINDS)}")
        return self


LookUpKeys = Annotated[
    dict[RawColumn, RawColumn],
    # columns that have one name on both sides need not be written twice
    BeforeValidator(
        lambda value: {name: name for name in value} if isinstance(value, list) else value
    ),
    Field(min_length=1),
]
Rule = Annotated[
    ColumnRule,
    # a raw column alone need not be written as {column: …}
    BeforeValidator(lambda value: {"column": value} if isinstance(value, str) else value),
]


class Recipe(Settings):
    """What the rows of one of our tables are made of.

    Attributes:
        rows_of: The raw file whose rows they are.
        look_up: Raw file → the columns by which its row is found, as our column: its column; what
            is found is then ``<raw>.<column>``. There may be one row for each value only.
        only: Raw column → words; other rows are left out. An empty word means nothing stands there.
        without: Raw column → words; these rows are left out.
        flags: Turns columns into rows.
        one_row_per: One row for each group: the first one, with totals of the group.
        in_order_of: The date or time that says which row is first; else the order in the file.
        is_snapshot: Each known time is a picture of the whole; the newest one counts.
        columns: Our column → where it comes from.
    """

    rows_of: Identifier
    look_up: dict[Identifier, LookUpKeys] = Field(default_factory=dict)
    only: dict[RawColumn, Words] = Field(default_factory=dict)
    without: dict[RawColumn, Words] = Field(default_factory=dict)
    flags: FlagColumns | None = None
    one_row_per: tuple[RawColumn, ...] = ()
    in_order_of: RawColumn | None = None
    is_snapshot: StrictBool = False
    columns: Annotated[dict[Identifier, Rule], Field(min_length=1)]
