"""Ready-made rule sets, and the page that explains rules."""

import re
from decimal import Decimal
from pathlib import Path

import pytest

from crm.rules import METRICS, SETS, RuleSet, parse_condition, rule_text, split_rule

PAGE = Path(__file__).parents[2] / "docs" / "rules.md"
ZERO = {"money": Decimal(0), "number": 0, "text": "", "tags": ()}
MISSING = ("average_sale", "largest_sale", "days_since_last_sale", "days_since_first_sale", "age")
NEVER_BOUGHT = {
    **{name: ZERO[metric.kind] for name, metric in METRICS.items()},
    **dict.fromkeys(MISSING),
    "days_since_added": 400,
}


def rules_of(name):
    return RuleSet((number, *rule) for number, rule in enumerate(SETS[name].rules()))


def client(last, first, count, spend):
    return NEVER_BOUGHT | {
        "days_since_last_sale": last,
        "days_since_first_sale": first,
        "sales_count": count,
        "sales_last_365_days": count,
        "total_spend": Decimal(spend),
    }


@pytest.mark.parametrize("name", SETS)
def test_a_ready_set_is_readable_and_complete(name):
    ready = SETS[name]
    assert ready.name == name
    assert ready.title
    assert ready.description
    assert [rule_text(*rule) for rule in ready.rules()] == list(ready.lines)
    rules = rules_of(name)
    assert rules.rules[-1].condition is None
    assert rules.unreachable == ()
    assert rules.decide(NEVER_BOUGHT).status


def test_the_promised_ready_made_sets_exist():
    assert set(SETS) == {"default", "loyalty", "recency", "rfm"}


@pytest.mark.parametrize(
    ("name", "values", "status"),
    [
        ("loyalty", client(5, 5, 1, "35000"), "Platinum"),
        ("loyalty", client(5, 5, 1, "34999.99"), "Gold"),
        ("loyalty", client(5, 5, 1, "5000"), "Silver"),
        ("loyalty", client(5, 5, 1, "1"), "Bronze"),
        ("loyalty", NEVER_BOUGHT, "Prospect"),
        ("recency", NEVER_BOUGHT | {"days_since_added": 3}, "New"),
        ("recency", NEVER_BOUGHT, "Dormant"),
        ("recency", client(30, 30, 1, "1"), "New"),
        ("recency", client(90, 400, 2, "1"), "Active"),
        ("recency", client(91, 400, 2, "1"), "At risk"),
        ("recency", client(181, 400, 2, "1"), "Dormant"),
        ("rfm", client(10, 400, 6, "10000"), "Champion"),
        ("rfm", client(40, 400, 6, "10000"), "Loyal"),
        ("rfm", client(40, 60, 1, "10"), "New"),
        ("rfm", client(40, 400, 2, "10"), "Promising"),
        ("rfm", client(400, 900, 2, "35000"), "Cannot lose"),
        ("rfm", client(180, 900, 2, "10"), "At risk"),
        ("rfm", client(181, 900, 2, "10"), "Lost"),
        ("rfm", NEVER_BOUGHT, "Prospect"),
    ],
)
def test_ready_made_sets_give_the_expected_statuses(name, values, status):
    assert rules_of(name).decide(values).status == status


def test_the_page_lists_every_metric_as_it_is():
    rows = re.findall(r"^\| `(\w+)` \| ([\w ]+) \| (.+?) \| (yes|) ?\|$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert rows == [
        (metric.name, metric.kind, metric.description, "yes" if metric.depends_on_day else "")
        for metric in METRICS.values()
    ]


def test_the_page_shows_every_ready_set_as_it_is():
    page = PAGE.read_text("utf-8")
    for ready in SETS.values():
        assert f"### `{ready.name}`: {ready.title}" in page
        assert ready.description in page
        assert "```rule\n" + "\n".join(ready.lines) + "\n```" in page


def test_every_rule_and_condition_on_the_page_can_be_read():
    page = PAGE.read_text("utf-8")
    lines = [line for block in re.findall(r"```rule\n(.*?)```", page, re.DOTALL) for line in block.splitlines()]
    assert lines
    for line in lines:
        split_rule(line)
    conditions = re.findall(r"^\| [^|]+ \| `([^`]+)` \|$", page, re.MULTILINE)
    assert conditions
    for condition in conditions:
        parse_condition(condition)
