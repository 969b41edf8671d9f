"""The tree of a condition as text in one canonical way; reading it again gives the same tree."""

from decimal import Decimal

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

# How tightly each form binds; a part that binds more loosely than its place asks for gets parentheses.
_OR, _AND, _NOT, _COMPARISON = range(4)
_SUM, _PRODUCT, _SIGNED = range(3)


def condition_text(condition: Condition) -> str:
    """The condition as text: lower-case words, single blanks, parentheses only where they are needed."""
    return _condition(condition, _OR)


def quoted(text: str) -> str:
    """A text between quotes, as a rule has it."""
    quote = '"' if "'" in text and '"' not in text else "'"
    return quote + text.replace(quote, quote * 2) + quote


def _condition(node: Condition, place: int) -> str:
    match node:
        case Or(parts):
            written, binding = " or ".join(_condition(part, _AND) for part in parts), _OR
        case And(parts):
            written, binding = " and ".join(_condition(part, _NOT) for part in parts), _AND
        case Not(part):
            written, binding = f"not {_condition(part, _NOT)}", _NOT
        case Compare(left, operator, right):
            written, binding = f"{_expression(left, _SUM)} {operator} {_expression(right, _SUM)}", _COMPARISON
        case IsMissing(operand, negated):
            written, binding = f"{_expression(operand, _SUM)} {'!=' if negated else '='} none", _COMPARISON
        case In(operand, texts, negated):
            values = ", ".join(quoted(text) for text in texts)
            written, binding = f"{_expression(operand, _SUM)} {_in(negated)} ({values})", _COMPARISON
        case HasTag(tag, negated):
            written, binding = f"{quoted(tag)} {_in(negated)} tags", _COMPARISON
    return written if binding >= place else f"({written})"


def _expression(node: Expression, place: int) -> str:
    match node:
        case Literal(value):
            return quoted(value) if isinstance(value, str) else _number(value)
        case Name(metric):
            return metric
        case Negate(operand):
            return f"-{_expression(operand, _SIGNED)}"
        case Arithmetic(left, operator, right):
            # Both sides group to the left: a - (b - c) keeps its parentheses, (a - b) - c does not.
            binding = _SUM if operator in {"+", "-"} else _PRODUCT
            written = f"{_expression(left, binding)} {operator} {_expression(right, binding + 1)}"
            return written if binding >= place else f"({written})"


def _in(negated: bool) -> str:
    return "not in" if negated else "in"


def _number(value: int | Decimal) -> str:
    return format(value, "f") if isinstance(value, Decimal) else str(value)
