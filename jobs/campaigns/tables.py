"""The figures of one or several plans side by side, row by row, for a terminal and for a page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from campaigns.fatigue import CLIENTS_30D, MOST
from campaigns.funnel import AFTER_GATES, START, in_order, in_words

Content = dict[str, Any]
Unit = Literal["whole", "money", "share", "gap", "points"]
DIGITS: dict[Unit, int] = {"whole": 0, "money": 2, "share": 1, "gap": 4, "points": 1}
PERCENT = ("share", "gap")
DASH = "–"
LEFT_OFFERS, ALL_PRODUCTS = "Offers left after each step", "Offers by product"
PAIR = 2
Number = float | int | None
Cells = tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """One figure of every plan."""

    label: str
    unit: Unit
    values: tuple[Number, ...]

    @property
    def difference(self) -> Number:
        """Of two plans the second less the first."""
        first, second = self.values
        return None if first is None or second is None else second - first


@dataclass(frozen=True)
class Section:
    """Rows under a title; a detail is for a page, where there is room."""

    title: str
    rows: tuple[Row, ...]
    is_detail: bool = False


def sections(plans: Sequence[Content]) -> list[Section]:
    """Everything that can be told in numbers; rows in which every plan has nothing are left out."""
    found = [
        Section("Result", tuple(_result(plans))),
        Section(LEFT_OFFERS, _funnel(plans, "left", "offers")),
        Section("Offers that the step alone stops", _funnel(plans, "alone", "offers")),
        Section("Offers that the step stops", _funnel(plans, "stops", "offers"), True),
        Section("Clients left after each step", _funnel(plans, "left", "clients"), True),
        Section(
            "Clients with an offer that it alone stops", _funnel(plans, "alone", "clients"), True
        ),
        Section("Clients with an offer that it stops", _funnel(plans, "stops", "clients"), True),
        Section(ALL_PRODUCTS, _named(plans, "products", "offers", "whole")),
        Section("Expected profit by product", _named(plans, "products", "profit", "money"), True),
        Section("Offers by channel", _named(plans, "channels", "offers", "whole")),
        Section("Cost of levers, as expected", _levers(plans, "expected", "money")),
        Section("Chance that a lever costs more than its budget", _levers(plans, "over", "share")),
        Section("Share of clients offered, by segment", _named(plans, "segments", "rate", "share")),
        Section(
            "Share of clients offered, by region", _named(plans, "regions", "rate", "share"), True
        ),
        Section("Clients by contacts in 30 days, these offers included", _contacts(plans), True),
        Section("At a cap of the contact policy afterwards", _at_caps(plans)),
        Section("Share of clients offered, by protected group (oversight only)", _groups(plans)),
        Section("Smallest uplift that can be seen, in points", _detectable(plans), True),
    ]
    return [section for section in found if section.rows]


def cells(section: Section, names: Sequence[str]) -> list[Cells]:
    """A section as text under a header; two plans get a column with their difference."""
    is_pair = len(names) == PAIR
    header = (section.title, *names, *(["difference"] if is_pair else []))
    rows = (
        (
            row.label,
            *(shown(value, row.unit) for value in row.values),
            *([shown(row.difference, row.unit, "+")] if is_pair else []),
        )
        for row in section.rows
    )
    return [header, *rows]


def remarks(figures: Content) -> list[str]:
    """A plan in sentences: dear limits, levers, minima not met, what its control can show."""
    return [
        *figures["dearest_limits"],
        *lever_remarks(figures),
        *figures["minima_not_met"],
        figures["detectable"][0]["sentence"],
    ]


def lever_remarks(figures: Content) -> list[str]:
    """What each lever with a budget may come to."""
    return [one["sentence"] for one in figures["levers"]]


def shown(value: Number, unit: Unit, sign: Literal["", "+"] = "") -> str:
    """A figure as text; with ``sign``, one that is above zero has a plus."""
    if value is None:
        return DASH
    text = f"{_scaled(value, unit):{sign},.{DIGITS[unit]}f}"
    if not text.strip("+-0.,"):
        text = text.strip("+-")
    return f"{text} %" if unit in PERCENT else text


def _scaled(value: float, unit: Unit) -> float:
    return 100 * value if unit in (*PERCENT, "points") else value


def _result(plans: Sequence[Content]) -> Iterable[Row]:
    def row(label: str, unit: Unit, value: Callable[[Content], Number]) -> Row:
        return Row(label, unit, tuple(map(value, plans)))

    yield row("offers", "whole", lambda plan: plan["offers"])
    yield row("clients offered", "whole", lambda plan: plan["clients_offered"])
    yield row("clients in the control group", "whole", lambda p: p["detectable"][0]["control"])
    yield row("expected profit", "money", lambda plan: plan["expected_profit"])
    yield row("expected profit of an offer", "money", _per_offer)
    yield row("upper bound of the profit", "money", lambda plan: plan["upper_bound"])
    yield row("gap to the bound, at most", "gap", lambda plan: plan["gap"])
    yield row("branches with a full list", "whole", lambda plan: plan["volume"]["full"])
    yield row("offers of a branch, least", "whole", lambda plan: plan["volume"]["least"])
    yield row("offers of a branch, median", "whole", lambda plan: plan["volume"]["median"])
    yield row("offers of a branch, most", "whole", lambda plan: plan["volume"]["most"])
    yield row("uplift that can be seen, points", "points", lambda p: p["detectable"][0]["uplift"])


def _per_offer(plan: Content) -> Number:
    return plan["expected_profit"] / plan["offers"] if plan["offers"] else None


def _funnel(plans: Sequence[Content], kind: str, of: str) -> tuple[Row, ...]:
    found = [{step["name"]: step for step in plan["funnel"]} for plan in plans]
    gates = {name for steps in found for name in steps} - {START, *AFTER_GATES}
    names = (START, *in_order(gates), *AFTER_GATES)
    if kind == "left":
        return tuple(
            Row(in_words(name), "whole", tuple(_left(steps, name, names, of) for steps in found))
            for name in names
        )
    return _rows(
        (in_words(name), "whole", [_counted(steps.get(name), kind, of) for steps in found])
        for name in names
    )


def _left(steps: dict[str, Content], name: str, names: Sequence[str], of: str) -> int:
    """A gate that stops nothing of a plan leaves what the step before it left."""
    before = names[: names.index(name) + 1]
    nearest = next(one for one in reversed(before) if one in steps)
    left: int = steps[nearest]["left"][of]
    return left


def _counted(step: Content | None, kind: str, of: str) -> Number:
    return step[kind][of] if step and step[kind] else 0


def _named(plans: Sequence[Content], part: str, figure: str, unit: Unit) -> tuple[Row, ...]:
    found = [{one["name"]: one[figure] for one in plan[part]} for plan in plans]
    names = sorted({name for by_name in found for name in by_name})
    return _rows((name, unit, [by_name.get(name, 0) for by_name in found]) for name in names)


def _levers(plans: Sequence[Content], figure: str, unit: Unit) -> tuple[Row, ...]:
    """A chance of nothing is told as well."""
    found = [{one["name"]: one[figure] for one in plan["levers"]} for plan in plans]
    names = sorted({name for by_name in found for name in by_name})
    return tuple(Row(name, unit, tuple(one.get(name) for one in found)) for name in names)


def _contacts(plans: Sequence[Content]) -> tuple[Row, ...]:
    after = [plan["contacts"]["spreads"][CLIENTS_30D]["after"] for plan in plans]
    return _rows(
        (or_more(number), "whole", [one[number] for one in after]) for number in range(MOST + 1)
    )


def or_more(contacts: int) -> str:
    """So many contacts; the last number stands for more, too."""
    return f"{contacts} or more" if contacts == MOST else str(contacts)


def _at_caps(plans: Sequence[Content]) -> tuple[Row, ...]:
    found = [plan["contacts"]["at_caps"] for plan in plans]
    days = {name: cap["days"] for caps in found for name, cap in caps.items()}
    return tuple(
        Row(_cap_in_words(name, of), "share", tuple(_cap_share(caps.get(name)) for caps in found))
        for name, of in days.items()
    )


def _cap_in_words(name: str, days: int) -> str:
    whole = {"client": "clients", "household": "households"}
    return f"{whole[name]}, {days} days" if name in whole else f"clients, {days} days, {name}"


def _cap_share(cap: Content | None) -> Number:
    return cap["after"] / cap["of"] if cap and cap["of"] else None


def _groups(plans: Sequence[Content]) -> tuple[Row, ...]:
    found = [{(g["attribute"], g["group"]): g["rate"] for g in plan["groups"]} for plan in plans]
    names = dict.fromkeys(name for groups in found for name in groups)
    return tuple(
        Row(f"{attribute} {group}".replace("_", " "), "share", tuple(g.get(name) for g in found))
        for name in names
        for attribute, group in [name]
    )


def _detectable(plans: Sequence[Content]) -> tuple[Row, ...]:
    found = [{one["name"]: one["uplift"] for one in plan["detectable"]} for plan in plans]
    names = dict.fromkeys(name for by_name in found for name in by_name)
    return tuple(Row(name, "points", tuple(one.get(name) for one in found)) for name in names)


def _rows(found: Iterable[tuple[str, Unit, Sequence[Number]]]) -> tuple[Row, ...]:
    return tuple(Row(label, unit, tuple(values)) for label, unit, values in found if any(values))
