"""Formulas of dynamic rules: a small closed language over whole numbers, with limits on length, size and depth.

    max(0, amount - 10) * 2 + if(weekday == 6, 50, 0)

Operators by precedence, weakest first: `or`, `and`, comparisons (1 or 0), `+ -`, `* / %`, `-`. Division rounds down; by
zero it gives 0. Functions: `min`, `max`, `if(condition, then, else)`. Nothing else exists, so nothing else can happen.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from regulars.sdk import N_, BadValue

VARIABLES = frozenset(
    {"amount", "cents", "items", "lines", "quantity", "hour", "weekday", "day", "month", "balance", "lifetime"}
)
"""Names that a formula may use; see `earning.variables`."""
MAX_LENGTH, MAX_NODES, MAX_DEPTH = 400, 100, 20
BOUND = 10**15
"""No result, not even one in the middle, is farther from nothing."""
_TOKEN = re.compile(
    r"\s*(?:(?P<number>[0-9]{1,15})|(?P<name>[A-Za-z_]\w*)|(?P<sign><=|>=|==|!=|[-+*/%<>(),]))", re.ASCII
)
_LEVELS: tuple[frozenset[str], ...] = (
    frozenset({"or"}),
    frozenset({"and"}),
    frozenset({"<", "<=", ">", ">=", "==", "!="}),
    frozenset({"+", "-"}),
    frozenset({"*", "/", "%"}),
)
_FUNCTIONS = {"min": (2, 10), "max": (2, 10), "if": (3, 3)}
_OPERATIONS: Mapping[str, Callable[[int, int], int]] = {
    "or": lambda a, b: int(bool(a) or bool(b)),
    "and": lambda a, b: int(bool(a) and bool(b)),
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.floordiv,
    "%": operator.mod,
}
_CHOICES: Mapping[str, Callable[[list[int]], int]] = {"min": min, "max": max}


@dataclass(frozen=True, slots=True)
class Node:
    """A part of a formula: a number, a name, an operator or a function with its parts."""

    name: str
    parts: tuple[Node, ...] = ()
    number: int = 0


@dataclass(slots=True)
class Result:
    """What a formula gives.

    Attributes:
        value: whole number.
        divided_by_zero: a division had nothing to divide by and gave 0.
    """

    value: int
    divided_by_zero: bool = False


@dataclass(frozen=True, slots=True)
class Token:
    """A word of a formula and where it begins, from 1."""

    text: str
    place: int
    kind: str


def parse(text: str) -> Node:
    """Read a formula.

    Args:
        text: as the merchant wrote it.

    Raises:
        BadValue: a sentence that says what is wrong and where.
    """
    if len(text) > MAX_LENGTH:
        raise BadValue(N_("This formula is too long."))
    return _Parser(_tokens(text)).all()


def evaluate(node: Node, values: Mapping[str, int]) -> Result:
    """Compute a formula.

    Args:
        node: as it was parsed.
        values: for every name of `VARIABLES`.
    """
    result = Result(0)
    result.value = _value(node, values, result)
    return result


def _value(node: Node, values: Mapping[str, int], result: Result) -> int:
    if not node.parts:
        return node.number if node.name == "number" else _bounded(values[node.name])
    if node.name == "if":
        condition, yes, no = node.parts
        return _value(yes if _value(condition, values, result) else no, values, result)
    parts = [_value(part, values, result) for part in node.parts]
    if node.name in _CHOICES:
        return _CHOICES[node.name](parts)
    if len(parts) == 1:
        return -parts[0]
    if node.name in {"/", "%"} and parts[1] == 0:
        result.divided_by_zero = True
        return 0
    return _bounded(int(_OPERATIONS[node.name](*parts)))


def _bounded(number: int) -> int:
    return max(-BOUND, min(BOUND, number))


def _tokens(text: str) -> list[Token]:
    found, at = [], 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            place = at + len(text[at:]) - len(text[at:].lstrip())
            raise BadValue(
                N_("“%(what)s” at character %(place)s is not understood."), what=text[place], place=place + 1
            )
        kind = match.lastgroup or ""
        found.append(Token(match[kind], match.start(kind) + 1, kind))
        at = match.end()
    return found


@dataclass(slots=True)
class _Parser:
    """Precedence climbing over the tokens."""

    tokens: list[Token]
    at: int = 0
    nodes: int = 0
    depth: int = field(default=0)

    def all(self) -> Node:
        node = self._level(0)
        if self.at < len(self.tokens):
            raise self._unexpected()
        return node

    def _level(self, level: int) -> Node:
        if level == len(_LEVELS):
            return self._factor()
        left = self._level(level + 1)
        while self._next() in _LEVELS[level]:
            sign = self._take()
            left = self._node(sign, left, self._level(level + 1))
        return left

    def _factor(self) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise BadValue(N_("This formula has too many parts."))
        try:
            return self._plain()
        finally:
            self.depth -= 1

    def _plain(self) -> Node:
        if self._next() == "-":
            self._take()
            return self._node("-", self._factor())
        if self._next() == "(":
            self._take()
            node = self._level(0)
            self._expect(")")
            return node
        if self.at >= len(self.tokens):
            raise self._unexpected()
        token = self.tokens[self.at]
        if token.kind == "number":
            self._take()
            return self._node("number", number=int(token.text))
        if token.text in _FUNCTIONS:
            return self._call()
        if token.kind == "name" and token.text in VARIABLES:
            return self._node(self._take())
        raise self._unexpected()

    def _call(self) -> Node:
        name, (least, most) = self._next(), _FUNCTIONS[self._take()]
        self._expect("(")
        parts = [self._level(0)]
        while self._next() == ",":
            self._take()
            parts.append(self._level(0))
        self._expect(")")
        if not least <= len(parts) <= most:
            raise BadValue(N_("“%(name)s” takes %(count)s values."), name=name, count=least)
        return self._node(name, *parts)

    def _node(self, name: str, *parts: Node, number: int = 0) -> Node:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise BadValue(N_("This formula has too many parts."))
        return Node(name, parts, number)

    def _next(self) -> str:
        return self.tokens[self.at].text if self.at < len(self.tokens) else ""

    def _take(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1].text

    def _expect(self, text: str) -> None:
        if self._next() != text:
            raise self._unexpected()
        self._take()

    def _unexpected(self) -> BadValue:
        if self.at >= len(self.tokens):
            return BadValue(N_("The formula ends too early."))
        token = self.tokens[self.at]
        return BadValue(N_("“%(what)s” at character %(place)s is not understood."), what=token.text, place=token.place)
