"""How combinations of products are shown: lines on a terminal, a page, tables, packages as YAML."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from campaigns.csv_file import write_csv
from jobs.combinations.analysis import Analysis, figure_tables
from jobs.combinations.package_reach import Reach
from jobs.combinations.plots import heat_map, product_map
from jobs.reports import page_text
from measurement.association import Estimate
from measurement.combinations import PAIR, Combination
from measurement.packages import Proposal, needs, package_lines, reason
from measurement.purchase_order import Sequel
from tables.files import FILE_MODE, make_folder, write_file

Content = dict[str, Any]
TEMPLATE = "combinations.html.j2"
ON_PAGE = 15
DIGITS = 6
SIZES = {2: "pairs", 3: "triples", 4: "sets of four"}


def combination_lines(found: Analysis, top: int) -> list[str]:
    """What a person reads first: the most of each kind."""
    sure = [one for one in found.combinations if one.is_sure]
    after = [one for one in found.sequels if one.is_sure]
    core = [one.product for one in found.map.positions if one.is_core]
    return [
        *_headlines(found),
        "",
        *_table(
            ("together", "clients", "support", "lift", "among clients alike"),
            [_combination_cells(one) for one in sure[:top]],
        ),
        *_more(len(sure), top, "sets.csv"),
        "",
        *_table(
            (f"then, within {found.config.combinations.within_months} months", "clients", "lift"),
            [(f"{o.first} → {o.then}", f"{o.clients:,}", _shown(o.lift)) for o in after[:top]],
        ),
        *_more(len(after), top, "order.csv"),
        "",
        f"Core: {', '.join(core) or 'none'} (fit {found.map.fit:.2f}; products.csv has all)",
        "",
        "Packages this suggests (packages.yaml has them for offers.yaml, without a price)",
        *_package_lines(found, top),
    ]


def write_combinations(folder: Path, found: Analysis) -> dict[str, Path]:
    """Write page, figures, tables and packages; each is named by what it is."""
    make_folder(folder)
    content = report_content(found)
    paths = {
        "Page": folder / "combinations.html",
        "Figures": folder / "combinations.json",
        "Packages": folder / "packages.yaml",
    }
    write_file(paths["Page"], page_text(content, TEMPLATE).encode())
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    write_file(paths["Figures"], text.encode())
    write_file(paths["Packages"], (content["yaml"]).encode())
    for name, rows in figure_tables(found).items():
        path = folder / f"{name}.csv"
        write_csv(path, rows)
        path.chmod(FILE_MODE)
        paths[name.capitalize()] = path
    return paths


def report_content(found: Analysis) -> Content:
    """The report as plain values; the same inputs give the same."""
    pairs, names = found.of_size(PAIR), found.names
    sure = [one for one in found.combinations if one.is_sure]
    return {
        "as_of": found.as_of,
        "headlines": _headlines(found),
        "least": found.least,
        "settings": found.config.combinations.model_dump(),
        "pairs": [_shown_set(one, names) for one in sure if len(one.products) == PAIR],
        "larger": [_shown_set(one, names) for one in sure if len(one.products) > PAIR][:ON_PAGE],
        "larger_in_all": sum(len(one.products) > PAIR for one in sure),
        "map": product_map(found.map, pairs, names, found.clients),
        "heat": heat_map([one.product for one in found.map.positions], pairs, names),
        "order": [_shown_sequel(one, names) for one in found.sequels if one.is_sure][:ON_PAGE],
        "order_in_all": sum(one.is_sure for one in found.sequels),
        "products": [
            asdict(one) | {"name": names[one.product]} | _role(found, one.product)
            for one in found.map.positions
        ],
        "fit": round(found.map.fit, DIGITS),
        "proposals": [
            {"title": f"{names[one.core]} + {names[one.periphery]}"}
            | {"reason": reason(one, names), "needs": needs(one, found.config)}
            | {"reach": _reach_in_words(found, where), "yaml": _entry(found, one)}
            for one, where in zip(found.proposals, found.reach, strict=True)
        ],
        "not_proposed": [
            {"pair": " + ".join(names[name] for name in one.pair.products), "why": one.why}
            for one in found.not_proposed
        ],
        "yaml": _yaml(found),
    }


def _headlines(found: Analysis) -> list[str]:
    of = f" of segment {found.segment}" if found.segment else ""
    sizes = range(PAIR, found.config.combinations.max_size + 1)
    told = [(len(found.of_size(n)), sum(c.is_sure for c in found.of_size(n)), n) for n in sizes]
    told_sure = [sure for _, sure, _ in told]
    share = found.config.combinations.max_false_share
    return [
        f"Products held together, {found.as_of}: {found.clients:,} active clients{of};"
        f" sets of at least {found.least:,} are told",
        "Surely more than chance, also among clients alike: "
        + ", ".join(f"{sure} of {count} {SIZES[size]}" for count, sure, size in told)
        + (f"; of these about {share:.0%} at most are chance" if any(told_sure) else ""),
    ]


def _combination_cells(one: Combination) -> tuple[str, ...]:
    together = " + ".join(one.products)
    return (together, f"{one.clients:,}", f"{one.support:.1%}", _shown(one.lift), _shown(one.alike))


def _package_lines(found: Analysis, top: int) -> Iterator[str]:
    if not found.proposals:
        yield "  none"
    for place in range(min(top, len(found.proposals))):
        one, where = found.proposals[place], found.reach[place]
        yield f"{place + 1}. {one.core} + {one.periphery}"
        yield f"   {reason(one, found.names)}"
        yield f"   {_reach_in_words(found, where)}"
        yield from (f"   needs {text}" for text in needs(one, found.config))
    yield from _more(len(found.proposals), top, "packages.yaml")
    for other in found.not_proposed[:top]:
        yield f"Not {' + '.join(other.pair.products)}: {other.why}"
    yield from _more(len(found.not_proposed), top, "the page")


def _reach_in_words(found: Analysis, where: Reach) -> str:
    few = found.config.combinations.min_clients

    def number(count: int) -> str:
        return f"{count:,}" if count >= few else f"fewer than {few}"

    return (
        f"{number(where.clients)} clients hold the first and not the second;"
        f" {number(where.eligible)} of them are eligible now,"
        f" {number(where.consented)} may be contacted about both"
    )


def _table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    if not rows:
        yield f"{header[0]}: none"
        return
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    for first, *others in (header, *rows):
        cells = (text.rjust(width) for text, width in zip(others, widths[1:], strict=True))
        yield "  ".join([first.ljust(widths[0]), *cells])


def _more(count: int, top: int, where: str) -> list[str]:
    return [f"… {count - top:,} more: {where}"] if count > top else []


def _shown(one: Estimate) -> str:
    return f"{one.value:.2f} [{one.low:.2f}, {one.high:.2f}]"


def _shown_set(one: Combination, names: Mapping[str, str]) -> Content:
    return {
        "title": " + ".join(names[name] for name in one.products),
        "clients": one.clients,
        "support": round(one.support, DIGITS),
        "lift": _shown(one.lift),
        "alike": _shown(one.alike),
    }


def _shown_sequel(one: Sequel, names: Mapping[str, str]) -> Content:
    figures = {name: round(value, DIGITS) for name, value in one.lift._asdict().items()}
    title = f"{names[one.first]} → {names[one.then]}"
    return {"title": title, "clients": one.clients} | figures


def _role(found: Analysis, product_id: str) -> Content:
    return {"configured": found.config.products[product_id].role}


def _entry(found: Analysis, one: Proposal) -> str:
    return "\n".join(package_lines(one, found.config))


def _yaml(found: Analysis) -> str:
    lines = [
        f"# Packages that holdings of {found.as_of} suggest, for conf/<env>/offers.yaml.",
        "# What a package may cost, nobody but the bank can say: fill in what is marked.",
        "offers:" if found.proposals else "offers: {}",
    ]
    for one, where in zip(found.proposals, found.reach, strict=True):
        told = (reason(one, found.names), _reach_in_words(found, where))
        lines += [
            f"  # {text}" for text in (*told, *(f"Needs {t}" for t in needs(one, found.config)))
        ]
        lines += package_lines(one, found.config)
    return "\n".join(lines) + "\n"
