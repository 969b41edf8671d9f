"""The tree of a condition as one Python function, so that a decision walks no tree."""

import operator
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeAlias

from crm.rules.grammar import (
    And,
    Arithmetic,
    Compare,
    Condition,
    Expression,
    HasTag,
    In,
    IsMissing,
    Literal,
    Name,
    Negate,
    Not,
    Or,
)
from crm.rules.metrics import METRICS, Values

Test: TypeAlias = Callable[[Values], bool]
Getter: TypeAlias = Callable[[Values], Any]
Comparison: TypeAlias = Callable[[Any, Any], bool]

_COMPARE: dict[str, Comparison] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def compile_condition(condition: Condition) -> Test:
    """A function from the values of a client to whether the condition holds.

    The function raises KeyError when the mapping lacks a metric that the condition uses; a missing value is
    given as None.
    """
    match condition:
        case Compare(Name(metric), sign, Literal(literal)):
            return _compared_with_literal(metric, _COMPARE[sign], literal)
        case Compare(left, sign, right):
            return _compared(_getter(left), _COMPARE[sign], _getter(right))
        case IsMissing(operand, negated):
            value = _getter(operand)
            return lambda values: (value(values) is None) is not negated
        case In(operand, texts, negated):
            return _listed(_getter(operand), frozenset(texts), negated)
        case HasTag(tag, negated):
            return _tagged(tag, negated)
        case Not(part):
            test = compile_condition(part)
            return lambda values: not test(values)
        case And(parts):
            return _every([compile_condition(part) for part in parts])
        case Or(parts):
            return _some([compile_condition(part) for part in parts])


def _compared_with_literal(metric: str, compare: Comparison, literal: int | Decimal | str) -> Test:
    def test(values: Values) -> bool:
        value = values[metric]
        return value is not None and value != "" and compare(value, literal)

    return test


def _compared(left: Getter, compare: Comparison, right: Getter) -> Test:
    def test(values: Values) -> bool:
        first, second = left(values), right(values)
        return first is not None and second is not None and compare(first, second)

    return test


def _listed(value: Getter, texts: frozenset[str], negated: bool) -> Test:
    def test(values: Values) -> bool:
        text = value(values)
        return text is not None and (text in texts) is not negated

    return test


def _tagged(tag: str, negated: bool) -> Test:
    def test(values: Values) -> bool:
        tags = values["tags"]
        return (isinstance(tags, tuple) and tag in tags) is not negated

    return test


def _every(tests: list[Test]) -> Test:
    def test(values: Values) -> bool:
        for one in tests:  # noqa: SIM110 - a generator would cost more than the tests
            if not one(values):
                return False
        return True

    return test


def _some(tests: list[Test]) -> Test:
    def test(values: Values) -> bool:
        for one in tests:  # noqa: SIM110 - a generator would cost more than the tests
            if one(values):
                return True
        return False

    return test


def _getter(node: Expression) -> Getter:
    """A function to the value of an expression, None when it is missing."""
    match node:
        case Literal(value):
            return lambda _: value
        case Name(metric) if METRICS[metric].kind in {"text", "tags"}:
            return lambda values: values[metric] or None
        case Name(metric):
            return operator.itemgetter(metric)
        case Negate(operand):
            number = _getter(operand)
            return lambda values: None if (whole := number(values)) is None else -_exact(whole)
        case Arithmetic(left, sign, right):
            return _calculated(_getter(left), _CALCULATE[sign], _getter(right))


def _calculated(left: Getter, calculate: Callable[[Any, Any], Any], right: Getter) -> Getter:
    def result(values: Values) -> Any:
        first, second = left(values), right(values)
        if first is None or second is None:
            return None
        return calculate(_exact(first), _exact(second))

    return result


def _divided(first: int | Fraction, second: int | Fraction) -> Fraction | None:
    return Fraction(first, second) if second else None


_CALCULATE: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divided,
}


def _exact(value: int | Decimal | Fraction) -> int | Fraction:
    # Decimal arithmetic rounds to the digits of its context; fractions never round.
    return Fraction(value) if isinstance(value, Decimal) else value
