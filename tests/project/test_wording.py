"""The wording of long lists of names: one function for all of them."""

import re
from collections.abc import Sequence
from typing import Any

import pytest

from crm.wording import first_few, first_lines
from tests.conftest import PROJECT

NAMES = ["Ann", "Bob", "Cy", "Dee", "Eve", "Fay", "Gus"]


@pytest.mark.parametrize(
    ("words", "options", "text"),
    [
        ([], {}, ""),
        (NAMES[:5], {}, "Ann, Bob, Cy, Dee, Eve"),
        (NAMES, {}, "Ann, Bob, Cy, Dee, Eve and 2 more"),
        (NAMES, {"separator": "; "}, "Ann; Bob; Cy; Dee; Eve; and 2 more"),
        (NAMES[:2], {"total": 1202, "number": "{:,}".format}, "Ann, Bob and 1,200 more"),
        (NAMES, {"total": 9}, "Ann, Bob, Cy, Dee, Eve and 4 more"),
    ],
)
def test_of_many_names_the_first_are_named_and_the_others_counted(
    words: Sequence[str], options: dict[str, Any], text: str
) -> None:
    assert first_few(words, **options) == text


def test_of_many_lines_the_first_are_shown_and_the_others_counted() -> None:
    assert first_lines(NAMES[:2], 2) == NAMES[:2]
    assert first_lines(NAMES, 2) == ["Ann", "Bob", "and 5 more"]
    assert first_lines(NAMES[:1], 2, total=3) == ["Ann", "and 2 more"]


def test_no_other_sentence_counts_the_names_that_it_leaves_out() -> None:
    """On screen, tables and tiles have a line of their own for the rows that are not shown."""
    counting = re.compile(r"and \{[^}]+\} more\b|\} …\)")
    found = [
        path.relative_to(PROJECT).as_posix()
        for path in (PROJECT / "crm").rglob("*.py")
        if path.parts[len(PROJECT.parts) + 1] != "terminal"
        if counting.search("\n".join(line for line in path.read_text().splitlines() if 'f"' in line))
    ]
    assert found == ["crm/wording.py"]
