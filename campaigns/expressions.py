"""What a configured rule asks, in a small part of SQL: read by a parser, never by an engine.

Three fences, each of its own: only listed words and signs may occur in the text, only listed nodes
in what sqlglot makes of it, and each of these is turned into a Column by code of this file. Names
are facts that are listed, so that nothing else of a table, a file or a machine can be reached.

Numbers: a fact is compared exactly; a sum, difference or product is a double. The three-valued
logic of SQL holds: what is asked of an unknown value is unknown, and who asks decides what unknown
means.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
from operator import add, and_, eq, ge, gt, le, lt, mul, ne, or_, sub
from typing import Any, Literal

import sqlglot
from pyspark.sql import Column, functions as F
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import TokenType
from sqlglot.tokens import Tokenizer

from conf.errors import did_you_mean

# A number is exact, an integer or a decimal; a double is not.
Kind = Literal["condition", "text", "number", "double"]
NUMBERS: tuple[Kind, ...] = ("number", "double")
MOST_WORDS, MOST_NESTED, MOST_SUMS = 200, 12, 8
LITERAL = re.compile(r"\d{1,12}(\.\d{1,6})?")
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
WORDS = frozenset(
    (
        TokenType.VAR, TokenType.NUMBER, TokenType.STRING, TokenType.NULL, TokenType.TRUE,
        TokenType.FALSE, TokenType.L_PAREN, TokenType.R_PAREN, TokenType.COMMA, TokenType.AND,
        TokenType.OR, TokenType.NOT, TokenType.IN, TokenType.BETWEEN, TokenType.IS, TokenType.EQ,
        TokenType.NEQ, TokenType.GT, TokenType.GTE, TokenType.LT, TokenType.LTE, TokenType.PLUS,
        TokenType.DASH, TokenType.STAR,
    )
)  # fmt: skip
COMPARISONS: Mapping[type[exp.Expr], Callable[[Any, Any], Any]] = {
    exp.EQ: eq,
    exp.NEQ: ne,
    exp.GT: gt,
    exp.GTE: ge,
    exp.LT: lt,
    exp.LTE: le,
}
SUMS: Mapping[type[exp.Expr], Callable[[Any, Any], Any]] = {
    exp.Add: add,
    exp.Sub: sub,
    exp.Mul: mul,
}
CONNECTIVES: Mapping[type[exp.Expr], Callable[[Any, Any], Any]] = {
    exp.And: and_,
    exp.Or: or_,
}


class ExpressionError(ValueError):
    """An expression that is not accepted; the message goes on a sentence that names it."""


@dataclass(frozen=True)
class Term:
    """A part of an expression: what kind of value it has, and how an engine computes it."""

    kind: Kind
    column: Callable[[], Column]

    def as_double(self) -> Column:
        """The same number, as a double."""
        return self.column().cast("double")


def compiled(text: str, facts: Mapping[str, Term]) -> Term:
    """The expression as a term of kind ``condition``.

    Args:
        text: As somebody wrote it.
        facts: What names stand for.

    Raises:
        ExpressionError: It says anything that is not listed, or makes no sense.
    """
    try:
        found = _Compiler(facts).term(_parsed(text))
    except RecursionError:
        raise ExpressionError("is nested too deeply") from None
    if found.kind != "condition":
        raise ExpressionError(f"is a {found.kind}; a condition is needed")
    return found


def names_in(text: str) -> set[str]:
    """The names that an expression has.

    Raises:
        ExpressionError: It cannot be understood.
    """
    return {node.name for node in _parsed(text).find_all(exp.Column)}


def _parsed(text: str) -> exp.Expr:
    try:
        _check_words(text)
        trees = sqlglot.parse(text, error_level=sqlglot.ErrorLevel.RAISE)
    except SqlglotError:
        raise ExpressionError("cannot be understood; write a condition like a >= 1") from None
    if len(trees) != 1 or not isinstance(trees[0], exp.Expr):
        raise ExpressionError("must be one condition")
    return trees[0]


def _check_words(text: str) -> None:
    words = Tokenizer().tokenize(text)
    if any(word.comments for word in words):
        raise ExpressionError("has a comment; write it in the description")
    strange = next((word.text for word in words if word.token_type not in WORDS), None)
    if strange is not None:
        raise ExpressionError(f"uses {strange!r}, which rules do not have")
    kinds = [word.token_type for word in words]
    if len(words) > MOST_WORDS:
        raise ExpressionError(f"has {len(words)} words; {MOST_WORDS} are allowed")
    nested = max(kinds.count(kind) for kind in (TokenType.L_PAREN, TokenType.NOT))
    if nested > MOST_NESTED:
        raise ExpressionError(f"has {nested} times ( or NOT; {MOST_NESTED} are allowed")
    if sum(map(kinds.count, (TokenType.PLUS, TokenType.DASH, TokenType.STAR))) > MOST_SUMS:
        raise ExpressionError(f"computes more than {MOST_SUMS} times")


class _Compiler:
    """Turns each listed node into a term, and refuses all others."""

    def __init__(self, facts: Mapping[str, Term]) -> None:
        self._facts = facts
        self._makers: dict[type[exp.Expr], Callable[[Any], Term]] = {
            exp.Paren: lambda node: self.term(node.this),
            exp.Not: self._not,
            exp.Between: self._between,
            exp.In: self._in,
            exp.Is: self._is_null,
            exp.Neg: self._negative,
            exp.Coalesce: self._coalesce,
            exp.Abs: self._absolute,
            exp.Column: self._fact,
            exp.Literal: self._literal,
            exp.Boolean: lambda node: _constant("condition", bool(node.this)),
            **dict.fromkeys(CONNECTIVES, self._connective),
            **dict.fromkeys(COMPARISONS, self._comparison),
            **dict.fromkeys(SUMS, self._sum),
        }

    def term(self, node: exp.Expr) -> Term:
        """What a node stands for."""
        maker = self._makers.get(type(node))
        if maker is None:
            raise ExpressionError(f"uses {node.key.upper()}, which rules do not have")
        return maker(node)

    def _connective(self, node: exp.Binary) -> Term:
        sides = [self._of_kind(side, "condition", "and, or") for side in (node.left, node.right)]
        return _combined("condition", CONNECTIVES[type(node)], sides)

    def _not(self, node: exp.Not) -> Term:
        inner = self._of_kind(node.this, "condition", "not")
        return Term("condition", lambda: ~inner.column())

    def _comparison(self, node: exp.Binary) -> Term:
        return self._compared(node, self.term(node.left), self.term(node.right))

    def _compared(self, node: exp.Expr, left: Term, right: Term) -> Term:
        operator = COMPARISONS[type(node)]
        if left.kind in NUMBERS and right.kind in NUMBERS:
            if left.kind == right.kind:
                return _combined("condition", operator, [left, right])
            return Term("condition", lambda: operator(left.as_double(), right.as_double()))
        if left.kind != right.kind:
            raise ExpressionError(f"compares a {left.kind} with a {right.kind}")
        if operator not in (eq, ne):
            raise ExpressionError(f"asks which {left.kind} is greater; only = and <> are possible")
        return _combined("condition", operator, [left, right])

    def _between(self, node: exp.Between) -> Term:
        _only(node, "this", "low", "high")
        value, low, high = (self.term(node.args[name]) for name in ("this", "low", "high"))
        return _combined(
            "condition",
            and_,
            [self._compared(exp.GTE(), value, low), self._compared(exp.LTE(), value, high)],
        )

    def _in(self, node: exp.In) -> Term:
        _only(node, "this", "expressions")
        value = self.term(node.this)
        each = [self._compared(exp.EQ(), value, self.term(item)) for item in node.expressions]
        if not each:
            raise ExpressionError("has IN without values")
        return _combined("condition", or_, each)

    def _is_null(self, node: exp.Is) -> Term:
        if not isinstance(node.expression, exp.Null):
            raise ExpressionError("uses IS with something other than NULL")
        inner = self.term(node.this)
        return Term("condition", lambda: inner.column().isNull())

    def _sum(self, node: exp.Binary) -> Term:
        sides = [self._of_number(side) for side in (node.left, node.right)]
        operator = SUMS[type(node)]
        return Term("double", lambda: operator(*(side.as_double() for side in sides)))

    def _negative(self, node: exp.Neg) -> Term:
        inner = self._of_number(node.this)
        return Term(inner.kind, lambda: -inner.column())

    def _absolute(self, node: exp.Abs) -> Term:
        _only(node, "this")
        inner = self._of_number(node.this)
        return Term("double", lambda: F.abs(inner.as_double()))

    def _coalesce(self, node: exp.Coalesce) -> Term:
        parts = [self.term(part) for part in (node.this, *node.expressions)]
        kinds = {part.kind for part in parts}
        if kinds <= set(NUMBERS):
            return Term("double", lambda: F.coalesce(*(part.as_double() for part in parts)))
        if len(kinds) > 1:
            raise ExpressionError(f"has COALESCE of a {' and a '.join(sorted(kinds))}")
        return Term(parts[0].kind, lambda: F.coalesce(*(part.column() for part in parts)))

    def _fact(self, node: exp.Column) -> Term:
        _only(node, "this")
        name = node.name
        if node.this.quoted or not NAME.fullmatch(name):
            raise ExpressionError(f"uses {name!r}, which rules do not have")
        if name not in self._facts:
            raise ExpressionError(
                f"names {name}, which rules cannot ask for{did_you_mean(name, self._facts)}"
            )
        return self._facts[name]

    def _literal(self, node: exp.Literal) -> Term:
        if node.is_string:
            return _constant("text", str(node.this))
        if not LITERAL.fullmatch(node.this):
            raise ExpressionError(
                f"has the number {node.this}; at most 12 digits, 6 after the point"
            )
        return _constant("number", Decimal(node.this) if "." in node.this else int(node.this))

    def _of_kind(self, node: exp.Expr, kind: Kind, where: str) -> Term:
        found = self.term(node)
        if found.kind != kind:
            raise ExpressionError(f"has a {found.kind} with {where}, where a {kind} is needed")
        return found

    def _of_number(self, node: exp.Expr) -> Term:
        found = self.term(node)
        if found.kind not in NUMBERS:
            raise ExpressionError(f"computes with a {found.kind}")
        return found


def _combined(kind: Kind, operator: Callable[[Any, Any], Any], terms: list[Term]) -> Term:
    return Term(kind, lambda: reduce(operator, (term.column() for term in terms)))


def _constant(kind: Kind, value: object) -> Term:
    return Term(kind, lambda: F.lit(value))


def _only(node: exp.Expr, *names: str) -> None:
    """A node may carry more than its listed parts; such a one is refused."""
    more = [name for name, value in node.args.items() if value and name not in names]
    if more:
        raise ExpressionError(f"uses {node.key.upper()} in a way that rules do not have")
