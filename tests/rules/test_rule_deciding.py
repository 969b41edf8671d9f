"""Decisions of rules: the status of a client, and the reason shown for it."""

import decimal
import timeit
from decimal import Decimal
from fractions import Fraction

import pytest

from crm.errors import RuleError
from crm.rules import (
    METRICS,
    OFTEN_USED,
    SETS,
    Decision,
    RuleSet,
    Trace,
    compile_condition,
    parse_condition,
    value_text,
)

NOBODY = {name: {"text": "", "tags": ()}.get(metric.kind) for name, metric in METRICS.items()}


def holds(text, **values):
    return compile_condition(parse_condition(text))({**NOBODY, **values})


def rule_set(*rules):
    return RuleSet((number, status, when) for number, (status, when) in enumerate(rules, 1))


DEFAULT = rule_set(("VIP", "total_spend >= 35000"), ("Regular", ""))


@pytest.mark.parametrize(
    ("spend", "status"),
    [("35000.00", "VIP"), ("34999.99", "Regular"), ("35000.01", "VIP"), ("0", "Regular")],
)
def test_the_boundary_is_exact(spend, status):
    assert DEFAULT.decide({"total_spend": Decimal(spend)}).status == status


def test_the_first_rule_that_fits_wins():
    rules = rule_set(("Gold", "total_spend >= 10"), ("Platinum", "total_spend >= 100"), ("None", ""))
    assert rules.decide({"total_spend": Decimal(500)}).rule_id == 1


def test_no_rule_fits():
    rules = rule_set(("VIP", "total_spend >= 35000"))
    assert rules.decide({"total_spend": Decimal(1)}) == Decision("", "No rule applies", None)
    assert rule_set().decide({}) == Decision("", "No rule applies", None)


@pytest.mark.parametrize(("age", "fits"), [(17, False), (18, True), (29, True), (30, False)])
def test_chained_comparison(age, fits):
    assert holds("18 <= age < 30", age=age) is fits


def test_and_binds_tighter_than_or_and_not_tighter_than_and():
    assert holds("age > 1 or age > 2 and age > 99", age=5)
    assert not holds("(age > 1 or age > 2) and age > 99", age=5)
    assert not holds("not age > 1 and age > 2", age=5)
    assert holds("age = 2 + 3 * 4 - 10 / 5", age=12)
    assert holds("age = -2 * -(3 + 3)", age=12)
    assert holds("10 - 3 - 2 = age", age=5)


@pytest.mark.parametrize("operator", ["=", "!=", "<", "<=", ">", ">="])
def test_a_comparison_with_a_missing_side_is_false(operator):
    assert not holds(f"age {operator} 5")
    assert not holds(f"5 {operator} age")
    assert not holds(f"age {operator} age")
    assert not holds(f"age + 1 {operator} 5")
    assert not holds(f"-age {operator} 5")
    assert holds(f"not age {operator} 5")


def test_missing_text():
    assert not holds("country = 'DE'")
    assert not holds("country != 'DE'")
    assert not holds("country = source")
    assert not holds("country != source", source="web")
    assert not holds("country in ('DE')")
    assert not holds("country not in ('DE')")
    assert holds("not country in ('DE')")
    assert holds("country = none")
    assert holds("country = none", country=None)
    assert not holds("country != 'DE'", country=None)
    assert holds("country != none", country="DE")


def test_missing_numbers_and_tags():
    assert holds("age = none")
    assert not holds("age = none", age=0)
    assert holds("tags = none")
    assert holds("tags != none", tags=("gold",))
    assert not holds("'gold' in tags")
    assert holds("'gold' not in tags")


def test_division_by_zero_is_missing():
    assert not holds("total_spend / sales_count > 0", total_spend=Decimal(5), sales_count=0)
    assert holds("total_spend / sales_count = none", total_spend=Decimal(5), sales_count=0)
    assert not holds("age / 0 = age / 0", age=5)


def test_text_is_compared_exactly_and_tags_in_lower_case():
    assert holds("country = 'DE'", country="DE")
    assert not holds("country = 'de'", country="DE")
    assert holds("'GOLD' in tags", tags=("new", "gold"))
    assert not holds("'gol' in tags", tags=("gold",))
    assert holds("country in ('DE', 'AT')", country="AT")
    assert holds("country not in ('DE', 'AT')", country="CH")


def test_arithmetic_is_exact_whatever_the_decimal_context():
    spend = Decimal("123456789012345.67")
    with decimal.localcontext(decimal.Context(prec=3)):
        assert holds("total_spend * 3 = 370370367037037.01", total_spend=spend)
        assert not holds("total_spend > 123456789012345.67", total_spend=spend)
    assert holds("total_spend / 3 * 3 = total_spend", total_spend=Decimal("0.01"))
    assert holds("0.1 + 0.2 = 0.3")
    third = Fraction(100, 3)
    assert holds("average_sale > 33.333333", average_sale=third)
    assert holds("average_sale != 33.33", average_sale=third)
    assert holds("largest_sale > average_sale", largest_sale=Decimal("33.34"), average_sale=third)
    assert holds("average_sale * 3 = total_spend", total_spend=Decimal("100.00"), average_sale=third)
    assert holds("largest_sale = average_sale", largest_sale=Decimal("0.50"), average_sale=Fraction(1, 2))


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("total_spend", Decimal("36200"), "36200.00"),
        ("total_spend", Decimal("36200.5"), "36200.50"),
        ("total_spend", Decimal("1E+6"), "1000000.00"),
        ("total_spend", Decimal("-0.00"), "0.00"),
        ("total_spend", Decimal("-12.5"), "-12.50"),
        ("total_spend", 7, "7.00"),
        ("total_spend", Decimal("0.125"), "0.1250"),
        ("total_spend", Decimal("0.12345"), "0.1235"),
        ("average_sale", Fraction(1, 3), "0.33"),
        ("average_sale", Fraction(2, 3), "0.67"),
        ("average_sale", Fraction(1, 200), "0.01"),
        ("average_sale", Fraction(-1, 200), "-0.01"),
        ("average_sale", Fraction(-1, 300), "0.00"),
        ("average_sale", None, "none"),
        ("sales_count", 12, "12"),
        ("sales_count", 0, "0"),
        ("country", "DE", "DE"),
        ("country", "", "none"),
        ("tags", ("gold", "new"), "gold,new"),
        ("tags", (), "none"),
    ],
)
def test_values_are_written_in_one_way(name, value, text):
    assert value_text(name, value) == text


def test_the_reason_names_the_rule_and_the_values():
    assert DEFAULT.decide({"total_spend": Decimal("36200")}) == Decision(
        "VIP", "VIP when total_spend >= 35000 (total_spend 36200.00)", 1
    )
    assert DEFAULT.decide({"total_spend": Decimal(1)}) == Decision("Regular", "Regular otherwise", 2)
    rules = rule_set(("Fan", "'Gold' in tags and  1 <= sales_count < 9 and not sales_count = age"))
    assert rules.decide({**NOBODY, "tags": ("gold", "x"), "sales_count": 3}).reason == (
        "Fan when 'Gold' in tags and  1 <= sales_count < 9 and not sales_count = age"
        " (tags gold,x, sales_count 3, age none)"
    )
    assert rule_set(("All", "1 = 1")).decide({}).reason == "All when 1 = 1"


def test_a_rule_set_knows_the_metrics_it_needs():
    assert DEFAULT.needs == {"total_spend"}
    assert not DEFAULT.depends_on_day
    assert rule_set(("Young", "age < 30"), ("Regular", "")).depends_on_day
    assert [rule.text for rule in DEFAULT.rules] == ["VIP when total_spend >= 35000", "Regular otherwise"]
    assert DEFAULT.rules[0].condition == parse_condition("total_spend >= 35000")
    assert DEFAULT.rules[1].condition is None


def test_rules_after_otherwise_are_unreachable():
    assert DEFAULT.unreachable == ()
    rules = rule_set(("A", "age > 1"), ("B", ""), ("C", "age > 2"), ("D", ""))
    assert rules.unreachable == (3, 4)


def test_explain_shows_the_result_of_every_rule():
    rules = rule_set(("A", "age > 50"), ("B", "age > 20 and country = 'DE'"), ("C", "age > 40"), ("D", ""))
    assert rules.explain({**NOBODY, "age": 30, "country": "DE"}) == [
        Trace(1, "A when age > 50", False, True, (("age", "30"),)),
        Trace(2, "B when age > 20 and country = 'DE'", True, True, (("age", "30"), ("country", "DE"))),
        Trace(3, "C when age > 40", False, False, (("age", "30"),)),
        Trace(4, "D otherwise", True, False, ()),
    ]


def test_an_unreadable_rule_is_placed_in_its_whole_line():
    with pytest.raises(RuleError) as caught:
        rule_set(("VIP", "total_spend > 1"), ("At risk", "sales > 5"))
    assert caught.value.text == "At risk when sales > 5"
    assert caught.value.position == 13
    assert caught.value.names == OFTEN_USED


def test_a_blank_condition_is_not_taken_for_otherwise():
    with pytest.raises(RuleError):
        rule_set(("VIP", "  "))


def test_five_rules_are_decided_quickly():
    rules = RuleSet((number, *rule) for number, rule in enumerate(SETS["rfm"].rules()[-5:]))
    values = {**NOBODY, "total_spend": Decimal("36200.00"), "sales_count": 12, "days_since_last_sale": 100}
    seconds = min(timeit.repeat(lambda: rules.decide(values), number=1000, repeat=5)) / 1000
    assert seconds < 50e-6
