"""Properties of rules: any condition keeps its meaning as text, and means what a plain reading says."""

from contextlib import suppress
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.errors import RuleError
from crm.rules import (
    METRICS,
    And,
    Arithmetic,
    Compare,
    HasTag,
    In,
    IsMissing,
    Literal,
    Name,
    Negate,
    Not,
    Or,
    RuleSet,
    checked_status,
    compile_condition,
    condition_text,
    parse_condition,
    rule_text,
    split_rule,
    value_text,
)

EXAMPLES = settings(deadline=None, derandomize=True, max_examples=120, database=None)

NUMBERS = [name for name, metric in METRICS.items() if metric.kind in {"money", "number"}]
TEXTS = [name for name, metric in METRICS.items() if metric.kind == "text"]

words = st.text(st.sampled_from("aBé '\"-"), min_size=1, max_size=4)
written = st.integers(-5, 5) | st.decimals(-3, 3, places=1)
numbers = st.recursive(
    st.builds(Literal, written) | st.builds(Name, st.sampled_from(NUMBERS)),
    lambda inner: st.builds(Negate, inner) | st.builds(Arithmetic, inner, st.sampled_from("+-*/"), inner),
    max_leaves=4,
)
texts = st.builds(Name, st.sampled_from(TEXTS)) | st.builds(Literal, words)
signs = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
lists = st.lists(words, min_size=1, max_size=3).map(tuple)
conditions = st.recursive(
    st.builds(Compare, numbers, signs, numbers)
    | st.builds(Compare, texts, st.sampled_from(["=", "!="]), texts)
    | st.builds(IsMissing, st.builds(Name, st.sampled_from(list(METRICS))), st.booleans())
    | st.builds(In, texts, lists, st.booleans())
    | st.builds(HasTag, words.map(str.lower), st.booleans()),
    lambda inner: (
        st.builds(Not, inner)
        | st.builds(And, st.lists(inner, min_size=2, max_size=3).map(tuple))
        | st.builds(Or, st.lists(inner, min_size=2, max_size=3).map(tuple))
    ),
    max_leaves=6,
)


def _values_of(name):
    match METRICS[name].kind:
        case "money":
            exact = st.decimals(-3, 3, places=2)
            return st.none() | exact | st.fractions(-3, 3) if name == "average_sale" else st.none() | exact
        case "number":
            return st.none() | st.integers(-5, 5)
        case "text":
            return words | st.just("")
        case "tags":
            return st.lists(words.map(str.lower), max_size=2).map(tuple)


clients = st.fixed_dictionaries({name: _values_of(name) for name in METRICS})


def number(node, values):
    """The value of a number by the book: a fraction, or None."""
    match node:
        case Literal(value):
            return Fraction(value)
        case Name(name):
            return None if values[name] is None else Fraction(values[name])
        case Negate(operand):
            value = number(operand, values)
            return None if value is None else 0 - value
        case Arithmetic(left, sign, right):
            first, second = number(left, values), number(right, values)
            if first is None or second is None or (sign == "/" and second == 0):
                return None
            if sign == "/":
                return first / second
            return {"+": first + second, "-": first - second, "*": first * second}[sign]


def value_of(node, values):
    if isinstance(node, Literal) and isinstance(node.value, str):
        return node.value
    if isinstance(node, Name) and METRICS[node.metric].kind in {"text", "tags"}:
        return values[node.metric] if values[node.metric] else None
    return number(node, values)


def true(node, values):
    """True if a condition holds, by a plain reading of the rules."""
    match node:
        case And(parts):
            return all(true(part, values) for part in parts)
        case Or(parts):
            return any(true(part, values) for part in parts)
        case Not(part):
            return not true(part, values)
        case HasTag(tag, negated):
            return (tag not in values["tags"]) if negated else (tag in values["tags"])
        case IsMissing(operand, negated):
            missing = value_of(operand, values) is None
            return not missing if negated else missing
        case In(operand, found, negated):
            text = value_of(operand, values)
            if text is None:
                return False
            return text not in found if negated else text in found
        case Compare(left, sign, right):
            first, second = value_of(left, values), value_of(right, values)
            if first is None or second is None:
                return False
            equal, less = first == second, False if isinstance(first, str) else first < second
            return {
                "=": equal,
                "!=": not equal,
                "<": less,
                "<=": less or equal,
                ">": not less and not equal,
                ">=": not less,
            }[sign]


@EXAMPLES
@given(conditions, clients)
def test_a_condition_means_the_same_as_a_plain_reading(condition, values):
    assert compile_condition(condition)(values) is true(condition, values)


@EXAMPLES
@given(conditions, clients)
def test_a_condition_written_and_read_again_decides_the_same(condition, values):
    again = parse_condition(condition_text(condition))
    assert compile_condition(again)(values) is compile_condition(condition)(values)
    assert parse_condition(condition_text(again)) == again


@EXAMPLES
@given(st.lists(conditions, max_size=4), clients)
def test_the_first_rule_that_holds_decides(rules, values):
    found = RuleSet((at, f"S{at}", condition_text(rule)) for at, rule in enumerate(rules)).decide(values)
    first = next((at for at, rule in enumerate(rules) if true(rule, values)), None)
    assert found.rule_id == first
    assert found.status == ("" if first is None else f"S{first}")


pieces = st.sampled_from(
    [
        *METRICS,
        *"()+-*/<>=.,!'\"",
        "<=",
        ">=",
        "!=",
        " and ",
        " or ",
        " not ",
        " in ",
        " none ",
        " 5 ",
        "'x'",
        " ",
    ]
)


@EXAMPLES
@given(st.text(max_size=60) | st.lists(pieces, max_size=12).map("".join))
def test_any_text_is_read_or_refused_in_its_place(text):
    refusal = None
    try:
        condition = parse_condition(text)
    except RuleError as error:
        refusal = error
    if refusal is None:
        assert parse_condition(condition_text(condition)) == condition
    else:
        assert 0 <= refusal.position <= len(text)
        assert refusal.reason


@EXAMPLES
@given(st.text(max_size=45))
def test_an_accepted_status_survives_as_a_line(text):
    with suppress(RuleError):
        status = checked_status(text)
        assert checked_status(status) == status
        assert split_rule(rule_text(status, "")) == (status, "")
        assert split_rule(rule_text(status, "age > 1")) == (status, "age > 1")


@EXAMPLES
@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15))
def test_money_is_written_with_four_decimals_where_two_are_too_few_and_an_average_with_two(value):
    whole, average = value_text("total_spend", value), value_text("average_sale", Fraction(value))
    assert abs(Fraction(average) - Fraction(value)) <= Fraction(1, 200)
    assert abs(Fraction(whole) - Fraction(value)) <= Fraction(1, 20_000)
    assert len(whole.partition(".")[2]) == (2 if Fraction(whole) * 100 % 1 == 0 else 4)


@pytest.mark.parametrize("places", [Decimal("0.1"), Decimal("0.05")])
def test_written_decimals_are_not_rounded(places):
    assert parse_condition(f"age = {places}") == Compare(Name("age"), "=", Literal(places))
