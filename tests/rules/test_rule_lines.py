"""A rule typed as one line."""

import pytest

from crm.errors import RuleError
from crm.rules import checked_status, rule_text, split_rule


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        ("VIP when total_spend >= 35000", ("VIP", "total_spend >= 35000")),
        ("Regular otherwise", ("Regular", "")),
        ("At risk when age > 1", ("At risk", "age > 1")),
        ("  At   risk   WHEN  age > 1  ", ("At risk", "age > 1")),
        ("VIP\u00a0when\u00a0age > 1", ("VIP", "age > 1")),
        ("Regular OTHERWISE ", ("Regular", "")),
        ("VIP when(age > 1)", ("VIP", "(age > 1)")),
        ("VIP when 'when' in tags", ("VIP", "'when' in tags")),
        ("VIP when source = 'x otherwise'", ("VIP", "source = 'x otherwise'")),
        ("Whenever when age > 1", ("Whenever", "age > 1")),
        ("Großkunde \U0001f469\u200d\U0001f4bb otherwise", ("Großkunde \U0001f469\u200d\U0001f4bb", "")),
        ("x" * 40 + " otherwise", ("x" * 40, "")),
    ],
)
def test_a_rule_line_is_split(line, parts):
    assert split_rule(line) == parts
    assert split_rule(rule_text(*parts)) == parts


@pytest.mark.parametrize(
    ("line", "position", "reason"),
    [
        ("", 0, "when a client gets the status"),
        ("VIP", 3, "when a client gets the status"),
        ("VIP if age > 1", 14, "when a client gets the status"),
        ("when age > 1", 0, "begins with the status"),
        ("otherwise", 0, "begins with the status"),
        ("VIP when", 8, "is empty"),
        ("VIP when otherwise", 9, "right after the status"),
        ("VIP otherwise age > 1", 14, "otherwise comes last"),
        ("A otherwise when age > 1", 2, "the word otherwise"),
        ("x" * 41 + " otherwise", 40, "at most 40"),
        ("VIP when agee > 1", 9, "Did you mean age?"),
        ("  VIP   when  age > 'x'", 20, "age is a number"),
        ("VIP when age > 1\0", 16, "control characters"),
        ("V\x1b[2JIP otherwise", 1, "control characters"),
        ("VIP when " + "x" * 1001, 1009, "at most 1000"),
    ],
)
def test_refuses_with_the_place_in_the_line(line, position, reason):
    with pytest.raises(RuleError) as caught:
        split_rule(line)
    assert reason in caught.value.reason
    assert caught.value.position == position
    assert "\x1b" not in caught.value.sentence


def test_a_status_is_checked_by_itself():
    assert checked_status("  At   risk ") == "At risk"
    for status in ("", "  ", "x" * 41, "a\tb", "Call when ready", "Ask otherwise"):
        with pytest.raises(RuleError):
            checked_status(status)
