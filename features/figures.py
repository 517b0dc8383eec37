"""Numbers about many customers, as people write them."""

from __future__ import annotations

PERCENT, WHOLE_FROM = 100, 100


def rounded(value: float, digits: int) -> float:
    """To so many significant digits."""
    return float(f"{value:.{digits}g}")


def in_words(value: float) -> str:
    """A rounded number."""
    is_whole = value == int(value) or abs(value) >= WHOLE_FROM
    text = f"{value:,.0f}" if is_whole else f"{value:.4f}".rstrip("0").rstrip(".")
    return text if text != "-0" else "0"


def percent(share: float) -> str:
    """A share in whole percent; a small one is not nothing."""
    whole = round(PERCENT * share)
    return "under 1 %" if share and not whole else f"{whole} %"
