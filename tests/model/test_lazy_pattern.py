"""Patterns that are compiled at their first use behave as those that `re.compile` makes."""

import re

import pytest

from crm.lazy_pattern import lazy_pattern


@pytest.mark.parametrize("flags", [0, re.IGNORECASE])
def test_a_lazy_pattern_finds_what_a_compiled_one_finds(flags: int) -> None:
    text, typed = r"(?P<letter>[a-z])(\d+)", "a1, B22; c333"
    lazy, compiled = lazy_pattern(text, flags), re.compile(text, flags)
    for _ in "again":
        assert lazy.findall(typed) == compiled.findall(typed)
        assert lazy.sub(r"\2\1", typed) == compiled.sub(r"\2\1", typed)
        assert bool(lazy.fullmatch("B22")) == bool(compiled.fullmatch("B22"))
        assert [match.span("letter") for match in lazy.finditer(typed)] == [
            match.span("letter") for match in compiled.finditer(typed)
        ]
    assert (lazy.pattern, lazy.flags, lazy.groupindex) == (compiled.pattern, compiled.flags, compiled.groupindex)


def test_a_pattern_is_compiled_when_it_is_first_used() -> None:
    wrong = lazy_pattern("(")
    with pytest.raises(re.error, match="unterminated"):
        wrong.search("")


def test_a_method_that_no_pattern_has_is_refused() -> None:
    with pytest.raises(AttributeError):
        lazy_pattern("a").found  # type: ignore[attr-defined]  # noqa: B018
