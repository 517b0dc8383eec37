"""The client's side as tables; what is not told, for a small group's sake, is empty."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from math import isinf, isnan

import pyarrow as pa

from measurement.association import Estimate
from measurement.client_side import ClientSide, Share
from measurement.client_words import PER
from measurement.contact_caps import RULES
from measurement.reactions import Rate

MONEY = pa.decimal128(18, 2)


def client_tables(found: ClientSide) -> dict[str, pa.Table]:
    """Every figure, by the name of its file; what is not told is empty."""
    return {
        "contacts_per_client": _shares(found.distribution),
        "reactions": _rates(found.reactions, with_alike=False),
        "fatigue": _rates(found.fatigue, with_alike=True),
        "contact_policy": pa.Table.from_pylist(
            [
                {
                    "rule": one.rule,
                    "in_words": RULES[one.rule],
                    "branch": one.branch,
                    "contacts": one.contacts,
                    "not_allowed": one.broken,
                    **_ends("share", one.share),
                }
                for one in found.broken
            ],
            schema=_BROKEN,
        ),
        "care": _shares(found.care),
        "client_value": pa.Table.from_pylist(
            [
                {
                    "kind": one.kind,
                    "name": one.name,
                    "clients": one.clients,
                    "amount": None if one.cents is None else Decimal(one.cents) / 100,
                    "count": one.count,
                    "of": one.of,
                    **_ends("share", one.share),
                }
                for one in found.worth
            ],
            schema=_WORTH,
        ),
    }


def _shares(shares: Sequence[Share]) -> pa.Table:
    rows = [
        {
            "kind": one.kind,
            "name": one.name,
            "clients": one.clients,
            "of": one.of,
            "share": one.clients / one.of if one.clients is not None and one.of else None,
        }
        for one in shares
    ]
    return pa.Table.from_pylist(rows, schema=_SHARES)


def _rates(rates: Sequence[Rate], *, with_alike: bool) -> pa.Table:
    rows = [
        {
            "kind": one.kind,
            "name": one.name,
            "measure": one.measure,
            "contacts": one.contacts,
            "clients": one.clients,
            "count": one.count,
            **_ends("per_1000", Estimate(*(PER * end for end in one.share))),
            **_ends("ratio_alike", one.alike),
        }
        for one in rates
    ]
    table = pa.Table.from_pylist(rows, schema=_RATES)
    return table if with_alike else table.drop_columns(_ALIKE)


def _ends(name: str, one: Estimate) -> dict[str, float | None]:
    ends = {name: one.value, f"{name}_low": one.low, f"{name}_high": one.high}
    return {key: None if isnan(end) or isinf(end) else round(end, 6) for key, end in ends.items()}


def _with_ends(name: str) -> list[tuple[str, pa.DataType]]:
    return [(f"{name}{end}", pa.float64()) for end in ("", "_low", "_high")]


_ALIKE = [name for name, _ in _with_ends("ratio_alike")]
_SHARES = pa.schema(
    [
        ("kind", pa.string()),
        ("name", pa.string()),
        ("clients", pa.int64()),
        ("of", pa.int64()),
        ("share", pa.float64()),
    ]
)
_RATES = pa.schema(
    [
        ("kind", pa.string()),
        ("name", pa.string()),
        ("measure", pa.string()),
        ("contacts", pa.int64()),
        ("clients", pa.int64()),
        ("count", pa.int64()),
        *_with_ends("per_1000"),
        *_with_ends("ratio_alike"),
    ]
)
_BROKEN = pa.schema(
    [
        ("rule", pa.string()),
        ("in_words", pa.string()),
        ("branch", pa.string()),
        ("contacts", pa.int64()),
        ("not_allowed", pa.int64()),
        *_with_ends("share"),
    ]
)
_WORTH = pa.schema(
    [
        ("kind", pa.string()),
        ("name", pa.string()),
        ("clients", pa.int64()),
        ("amount", MONEY),
        ("count", pa.int64()),
        ("of", pa.int64()),
        *_with_ends("share"),
    ]
)
