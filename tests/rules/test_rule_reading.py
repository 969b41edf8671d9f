"""The parser of conditions: the tree that it makes, and its errors."""

import sys
from decimal import Decimal

import pytest

from crm.errors import RuleError
from crm.rules import (
    METRICS,
    OFTEN_USED,
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
    condition_text,
    parse_condition,
    reason_names,
)

AGE = Name("age")
OVER_1 = Compare(AGE, ">", Literal(1))
OVER_2 = Compare(AGE, ">", Literal(2))
OVER_3 = Compare(AGE, ">", Literal(3))


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("total_spend >= 35000", Compare(Name("total_spend"), ">=", Literal(35000))),
        ("total_spend>=35_000", Compare(Name("total_spend"), ">=", Literal(35000))),
        ("35000 <= Total_Spend", Compare(Literal(35000), "<=", Name("total_spend"))),
        ("age == 1", Compare(AGE, "=", Literal(1))),
        ("age <> 1", Compare(AGE, "!=", Literal(1))),
        ("age = 0.50", Compare(AGE, "=", Literal(Decimal("0.50")))),
        ("age = -5", Compare(AGE, "=", Literal(-5))),
        ("age = --5", Compare(AGE, "=", Literal(5))),
        ("-age < 0", Compare(Negate(AGE), "<", Literal(0))),
        ("((age)) > (1)", OVER_1),
        ("country = 'DE'", Compare(Name("country"), "=", Literal("DE"))),
        ('country = "DE"', Compare(Name("country"), "=", Literal("DE"))),
        ("source = 'Rock ''n'' Roll'", Compare(Name("source"), "=", Literal("Rock 'n' Roll"))),
        ("status = source", Compare(Name("status"), "=", Name("source"))),
        ("country = none", IsMissing(Name("country"))),
        ("NONE <> age", IsMissing(AGE, negated=True)),
        ("age / 0 = none", IsMissing(Arithmetic(AGE, "/", Literal(0)))),
        ("country in ('DE', 'AT')", In(Name("country"), ("DE", "AT"))),
        ("country NOT IN ('DE')", In(Name("country"), ("DE",), negated=True)),
        ("'Gold' in tags", HasTag("gold")),
        ("'GOLD' not in TAGS", HasTag("gold", negated=True)),
        ("1 <= age < 5", And((Compare(Literal(1), "<=", AGE), Compare(AGE, "<", Literal(5))))),
        ("not age > 1", Not(OVER_1)),
        ("age > 1 or age > 2 and age > 3", Or((OVER_1, And((OVER_2, OVER_3))))),
        ("(age > 1 or age > 2) AND age > 3", And((Or((OVER_1, OVER_2)), OVER_3))),
        ("not age > 1 and age > 2", And((Not(OVER_1), OVER_2))),
        (
            "age - (1 - age) > 1",
            Compare(Arithmetic(AGE, "-", Arithmetic(Literal(1), "-", AGE)), ">", Literal(1)),
        ),
        (
            "1 / (age / 2) > 1",
            Compare(Arithmetic(Literal(1), "/", Arithmetic(AGE, "/", Literal(2))), ">", Literal(1)),
        ),
        ("age > 1 and (age > 2 and age > 3)", And((OVER_1, OVER_2, OVER_3))),
        (
            "age - 1 - 2 * age > 3",
            Compare(
                Arithmetic(Arithmetic(AGE, "-", Literal(1)), "-", Arithmetic(Literal(2), "*", AGE)),
                ">",
                Literal(3),
            ),
        ),
    ],
)
def test_conditions_are_parsed(text, tree):
    assert parse_condition(text) == tree
    assert parse_condition(condition_text(tree)) == tree


def test_names_are_listed_in_order_of_first_appearance():
    tree = parse_condition("'gold' in tags and 1 < age < total_spend / sales_count and age != none")
    assert reason_names(tree) == ("tags", "age", "total_spend", "sales_count")


@pytest.mark.parametrize(
    ("text", "position", "reason"),
    [
        ("", 0, "is empty"),
        ("   ", 0, "is empty"),
        ("total_spnd > 5", 0, "Did you mean total_spend?"),
        ("age > 1 and 'x' in tgas", 19, "Did you mean tags?"),
        ("country = DE", 10, "in quotes: 'DE'"),
        ("tags = 'x'", 5, "'gold' in tags"),
        ("'x' != tags", 4, "'gold' in tags"),
        ("tags in ('x', 'y')", 0, "'gold' in tags or 'vip' in tags"),
        ("country in tags", 0, "a text in quotes"),
        ("'gold,vip' in tags", 0, "one tag at a time"),
        ("'x' in country", 7, "a list in parentheses"),
        ("country in 'DE'", 11, "a list in parentheses"),
        ("age in ('18')", 0, "18 <= age < 30"),
        ("country in ()", 12, "Put each text of a list in quotes"),
        ("country in ('DE',)", 17, "Put each text of a list in quotes"),
        ("country in ('DE' 'AT')", 17, "Separate the texts of a list with commas"),
        ("country in ('DE', none)", 18, "Put each text of a list in quotes"),
        ("country in ('DE'", 11, "no closing )"),
        ("total_spend > 'x'", 14, "total_spend is a number, 'x' is a text"),
        ("country = 5", 10, "country is a text, 5 is a number"),
        ("country < 'DE'", 8, "Use only = or != to compare texts"),
        ("age < none", 4, "Use only = or != with “none”"),
        ("none = none", 7, "one side only"),
        ("5 = none", 0, "never “none”"),
        ("country = ''", 10, "Write “none”"),
        ("age + 'x' > 3", 6, "only with numbers"),
        ("country + 'x' = 'y'", 0, "only with numbers"),
        ("age * tags > 3", 6, "only with numbers"),
        ("-country = 'x'", 1, "only with numbers"),
        ("age + none > 3", 6, "only with numbers"),
        ("(age > 1) + 2 > 3", 1, "only with numbers"),
        ("(age > 1) = (age > 2)", 1, "Join conditions with “and” or “or”"),
        ("total_spend", 0, "Compare it, as in total_spend > 0"),
        ("not country", 4, "Compare it, as in country"),
        ("age > 1 and tags", 12, "as in 'gold' in tags"),
        ("5", 0, "is not a condition"),
        ("'DE' or age > 1", 0, "is not a condition"),
        ("none", 0, "is not a condition"),
        ("age + 1", 0, "is not a condition"),
        ("total_spend >= 35 000", 17, "cannot contain spaces. Write 35000"),
        ("total_spend >= 1 000 000 or age > 1", 16, "Write 1000000"),
        ("total_spend > 35,000", 16, "cannot contain a comma"),
        ("total_spend > 35k", 14, "35k is not a number"),
        ("total_spend > 1e9", 14, "is not a number"),
        ("total_spend > 1.", 14, "is not a number"),
        ("total_spend > 1__0", 14, "is not a number"),
        ("total_spend > 1234567890123456", 14, "at most 15 digits"),
        ("total_spend > 0.1234567", 14, "6 after it"),
        ("age > 1 and", 11, "missing at the end"),
        ("age >", 5, "missing at the end"),
        ("age > 1 or or age > 2", 11, "missing before “or”"),
        ("age > not 1", 6, "missing before “not”"),
        ("age > +1", 6, "missing before “+”"),
        ("(age > 1", 0, "no closing )"),
        ("age > 1)", 7, "This ) has no opening ("),
        ("age > 1 age > 2", 8, "“and” or “or” is missing"),
        ("age not 5", 4, "Write “not” before"),
        ("1 < age in ('x')", 8, "“in” cannot follow"),
        ("age > 1 not in ('x')", 8, "“not” cannot follow"),
        ("age = otherwise", 6, "right after the status"),
        ("'abc", 0, "no closing '"),
        ('country = "DE', 10, 'no closing "'),
        ("country = \u2018DE\u2019", 10, "in quotes"),
        ("age => 5", 4, ">="),
        ("age =< 5", 4, "<="),
        ("age \u2265 5", 4, ">="),
        ("age === 5", 4, "Write = for equal"),
        ("age > 1 && age < 5", 8, "Write “and” between"),
        ("age > 1 || age < 5", 8, "Write “or” between"),
        ("!age > 1", 0, "Write “not” for the opposite"),
        ("age ** 2 > 1", 4, "Powers do not work here"),
        ("age // 2 > 1", 4, "Write / to divide"),
        ("total_spend > 5 €", 16, "has no meaning"),
        ("age > 1; age < 2", 7, "has no meaning"),
    ],
)
def test_refuses_with_the_place_and_a_reason(text, position, reason):
    with pytest.raises(RuleError) as caught:
        parse_condition(text)
    assert reason in caught.value.reason
    assert caught.value.position == position
    assert caught.value.text == text


def test_an_unknown_name_comes_with_the_names_that_are_used_most():
    with pytest.raises(RuleError) as caught:
        parse_condition("revenue > 5")
    assert caught.value.names == OFTEN_USED
    assert METRICS.keys() > set(OFTEN_USED)
    assert "total_spend" in caught.value.sentence


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("__import__('os')", 0),
        ("__import__('os').system('true') = 'x'", 0),
        ("total_spend.__class__ > 5", 11),
        ("total_spend.real > 5", 11),
        ("'x'.join > 5", 3),
        ("total_spend(5) > 3", 11),
        ("len(tags) > 3", 0),
        ("tags[0] = 'x'", 4),
        ("(lambda: 5) > 3", 1),
        ("True", 0),
        ("age > 1\0", 7),
        ("age > 1\nor age > 2", 7),
        ("country = '\x1b[31m'", 11),
        ("country = '\u202eDE'", 11),
        ("country = '\ud800'", 11),
        ("(" * 60 + "age" + ")" * 60 + " > 1", 50),
        ("not " * 60 + "age > 1", 200),
        ("-" * 60 + "age > 1", 50),
        ("1+" * 60 + "1 < age", 101),
        ("x" * 10_000, 1000),
        ("(" * 10_000, 1000),
        ("\u212aind = 'person'", 0),
        ("\uff11 < age", 0),
    ],
)
def test_hostile_text_is_refused_with_its_place(text, position):
    with pytest.raises(RuleError) as caught:
        parse_condition(text)
    assert caught.value.position == position
    assert not any(character in caught.value.sentence for character in "\0\x1b\u202e\ud800")
    assert len(caught.value.sentence) < 3000


def test_the_deepest_condition_is_read_from_a_deep_call():
    text = "1+(" * 50 + "age" + ")" * 50 + " > 1"

    def deep(levels):
        return deep(levels - 1) if levels else parse_condition(text)

    spare = sys.getrecursionlimit() - 700
    with pytest.raises(RuleError):
        parse_condition("1+(" * 51 + "age" + ")" * 51 + " > 1")
    assert reason_names(deep(spare)) == ("age",)


def test_a_condition_of_exactly_the_longest_length_is_read():
    text = "age > 1".ljust(1000)
    assert parse_condition(text) == OVER_1
    with pytest.raises(RuleError):
        parse_condition(text + " ")
