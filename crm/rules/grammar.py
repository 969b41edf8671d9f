"""The tree that a condition is read into, small enough to be turned into Python or SQL.

Every condition is either true or false. A comparison and an `in` with a missing side are false in both
directions, so only Not can turn a missing value into a true condition. Arithmetic with a missing side and a
division by zero are missing.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal as OneOf
from typing import TypeAlias

CompareOperator: TypeAlias = OneOf["=", "!=", "<", "<=", ">", ">="]
ArithmeticOperator: TypeAlias = OneOf["+", "-", "*", "/"]


@dataclass(frozen=True, slots=True)
class Literal:
    """A number or a text written in the rule; a text is never empty."""

    value: int | Decimal | str


@dataclass(frozen=True, slots=True)
class Name:
    """The value of a metric."""

    metric: str


@dataclass(frozen=True, slots=True)
class Negate:
    """A number with its sign turned; a written number carries its sign itself."""

    operand: "Expression"


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """An exact calculation with two numbers."""

    left: "Expression"
    operator: ArithmeticOperator
    right: "Expression"


Expression: TypeAlias = Literal | Name | Negate | Arithmetic


@dataclass(frozen=True, slots=True)
class Compare:
    """Two numbers, or two texts with = or !=; false when a side is missing."""

    left: Expression
    operator: CompareOperator
    right: Expression


@dataclass(frozen=True, slots=True)
class IsMissing:
    """The condition that there is no value; an empty text and no tags at all count as missing."""

    operand: Expression
    negated: bool = False


@dataclass(frozen=True, slots=True)
class In:
    """The condition that a text is one of `texts`; false, negated or not, when it is missing."""

    operand: Expression
    texts: tuple[str, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class HasTag:
    """The condition that the client has a tag (in lower case); a client without tags has none, which is not missing."""

    tag: str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class And:
    """A condition that is true where all its parts are."""

    parts: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class Or:
    """A condition of which at least one part is true."""

    parts: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class Not:
    """A condition that is true where its part is false."""

    part: "Condition"


Condition: TypeAlias = Compare | IsMissing | In | HasTag | And | Or | Not


def reason_names(condition: Condition) -> tuple[str, ...]:
    """The metrics that a condition uses, each once, in order of first appearance."""
    return tuple(dict.fromkeys(_names(condition)))


def _names(node: Condition | Expression) -> list[str]:
    match node:
        case Literal():
            return []
        case Name(metric):
            return [metric]
        case HasTag():
            return ["tags"]
        case Arithmetic(left, _, right) | Compare(left, _, right):
            return _names(left) + _names(right)
        case Negate(inner) | IsMissing(inner) | In(inner):
            return _names(inner)
        case Not(part):
            return _names(part)
        case And(parts) | Or(parts):
            return [name for part in parts for name in _names(part)]
