"""The types of values and conditions, checked while a condition is read."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal as OneOf
from typing import TypeAlias, cast

from crm.rules.grammar import (
    And,
    Arithmetic,
    ArithmeticOperator,
    Compare,
    CompareOperator,
    Condition,
    Expression,
    HasTag,
    In,
    IsMissing,
    Literal,
    Name,
    Negate,
    Or,
)
from crm.rules.printing import quoted
from crm.rules.tokens import Token, clipped, error_at

MAX_NESTING = 50

COMPARISONS: dict[str, CompareOperator] = {
    "=": "=", "==": "=", "!=": "!=", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">=",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ValuePart:
    """A value read so far; `depth` counts the calculations below it."""

    node: Expression
    kind: OneOf["number", "text", "tags"]
    start: int
    depth: int = 0


@dataclass(frozen=True, slots=True)
class MissingPart:
    """The word none."""

    start: int


@dataclass(frozen=True, slots=True)
class ConditionPart:
    """A condition read so far."""

    node: Condition
    start: int


Part: TypeAlias = ValuePart | MissingPart | ConditionPart


class Checker:
    """A builder that joins parts of one condition; each method raises RuleError where the parts do not fit together."""

    def __init__(self, text: str) -> None:
        self._text = text

    def condition(self, part: Part) -> Condition:
        """The condition in `part`; a bare value is none."""
        match part:
            case ConditionPart(node):
                return node
            case MissingPart(start):
                raise error_at("“none” is not a condition. Write country = none.", self._text, start)
            case ValuePart(Literal(), _, start):
                raise error_at("A value alone is not a condition. Compare it.", self._text, start)
            case ValuePart(Name(name), "number", start):
                example = f"{name} > 0"
            case ValuePart(Name(name), "text", start):
                example = f"{name} = '...'"
            case ValuePart(Name(name), _, start):
                example = f"'gold' in {name}"
            case ValuePart(_, _, start):
                raise error_at("A calculation alone is not a condition. Compare its result.", self._text, start)
        raise error_at(f"{name} alone is not a condition. Compare it, as in {example}.", self._text, start)

    def compared(self, left: Part, sign: Token, right: Part) -> Condition:
        """Two values compared; with none on one side, the test for a missing value."""
        operator = COMPARISONS[sign.source]
        if isinstance(left, ConditionPart) or isinstance(right, ConditionPart):
            start = left.start if isinstance(left, ConditionPart) else right.start
            raise error_at("A condition cannot be compared. Join conditions with “and” or “or”.", self._text, start)
        if isinstance(left, MissingPart):
            return self._missing(right, sign)
        if isinstance(right, MissingPart):
            return self._missing(left, sign)
        if "tags" in {left.kind, right.kind}:
            reason = "Use “in” to test tags, as in 'gold' in tags, or tags = none."
            raise error_at(reason, self._text, sign.start)
        if left.kind != right.kind:
            reason = f"{_described(left)}, {_described(right)}: they cannot be compared."
            raise error_at(reason, self._text, right.start)
        if left.kind == "text" and operator not in {"=", "!="}:
            raise error_at("Use only = or != to compare texts.", self._text, sign.start)
        return Compare(left.node, operator, right.node)

    def _missing(self, part: ValuePart | MissingPart, sign: Token) -> IsMissing:
        if isinstance(part, MissingPart):
            raise error_at("Write “none” on one side only, as in country = none.", self._text, part.start)
        if isinstance(part.node, Literal):
            raise error_at("A value that you write is never “none”.", self._text, part.start)
        if COMPARISONS[sign.source] not in {"=", "!="}:
            raise error_at("Use only = or != with “none”.", self._text, sign.start)
        return IsMissing(part.node, negated=COMPARISONS[sign.source] == "!=")

    def in_list(self, part: Part, texts: Sequence[str], negated: bool) -> In:
        """A text looked for in a written list."""
        match part:
            case ValuePart(node, "text"):
                return In(node, tuple(texts), negated)
            case ValuePart(_, "tags", start):
                reason = "Tags are several texts. Write 'gold' in tags or 'vip' in tags."
            case ValuePart(_, _, start):
                reason = "A list is for texts. Compare a number, as in 18 <= age < 30."
            case MissingPart(start) | ConditionPart(_, start):
                reason = "Write a name before “in”, as in country in ('DE', 'AT')."
        raise error_at(reason, self._text, start)

    def in_tags(self, part: Part, negated: bool) -> HasTag:
        """A written text looked for among the tags, which are in lower case."""
        match part:
            case ValuePart(Literal(str(tag)), _, start):
                if "," in tag:
                    raise error_at("A tag cannot contain a comma. Test one tag at a time.", self._text, start)
                return HasTag(tag.lower(), negated)
        raise error_at("Write a text in quotes before “in tags”, as in 'gold' in tags.", self._text, part.start)

    def calculated(self, left: Part, sign: Token, right: Part) -> ValuePart:
        """Two numbers calculated with."""
        first, second = self._number(left), self._number(right)
        depth = max(first.depth, second.depth) + 1
        if depth > MAX_NESTING:
            raise error_at(f"A calculation has at most {MAX_NESTING} steps.", self._text, sign.start)
        operator = cast("ArithmeticOperator", sign.source)
        return ValuePart(Arithmetic(first.node, operator, second.node), "number", first.start, depth)

    def negated(self, part: Part, start: int) -> ValuePart:
        """A number with its sign turned; a written number takes the sign into itself."""
        number = self._number(part)
        match number.node:
            case Literal(int(value)):
                return ValuePart(Literal(-value), "number", start)
            case Literal(Decimal() as value):
                return ValuePart(Literal(value.copy_negate()), "number", start)
        return ValuePart(Negate(number.node), "number", start, number.depth)

    def _number(self, part: Part) -> ValuePart:
        if isinstance(part, ValuePart) and part.kind == "number":
            return part
        what = _described(part) if isinstance(part, ValuePart) else "this is none"
        if isinstance(part, ConditionPart):
            what = "this is a condition"
        raise error_at(f"You can calculate only with numbers: {what}.", self._text, part.start)


def all_of(conditions: Sequence[Condition]) -> Condition:
    """One condition that holds when all do, without an And inside an And."""
    if len(conditions) == 1:
        return conditions[0]
    return And(tuple(part for one in conditions for part in (one.parts if isinstance(one, And) else (one,))))


def any_of(conditions: Sequence[Condition]) -> Condition:
    """One condition that holds when one does, without an Or inside an Or."""
    if len(conditions) == 1:
        return conditions[0]
    return Or(tuple(part for one in conditions for part in (one.parts if isinstance(one, Or) else (one,))))


def _described(part: ValuePart) -> str:
    kind = {"number": "a number", "text": "a text", "tags": "a list of tags"}[part.kind]
    match part.node:
        case Name(name):
            return f"{name} is {kind}"
        case Literal(value):
            return f"{clipped(quoted(value) if isinstance(value, str) else str(value))} is {kind}"
    return f"the calculation is {kind}"
