"""Relative days on pages: words for near days, within sentences too, and full dates for all others."""

from datetime import UTC, date, datetime, timedelta

import pytest

from crm.model import Conventions
from crm.terminal.drawing.list_conventions import ListConventions, PipedConventions
from tests.support.clocks import TODAY, ZONE, standing_on

WHOLE = Conventions(clock=standing_on())
ON_PAGES = ListConventions.of(WHOLE)


@pytest.mark.parametrize(
    ("days", "on", "due"),
    [
        (-400, "on Oct 17, 2025", "400 days overdue"),
        (-8, "on Nov 13", "8 days overdue"),
        (-7, "7 days ago", "7 days overdue"),
        (-1, "yesterday", "1 day overdue"),
        (0, "today", "due today"),
        (1, "tomorrow", "due tomorrow"),
        (2, "on Mon", "due Mon"),
        (6, "on Fri", "due Fri"),
        (7, "on Nov 28", "due Nov 28"),
        (60, "on Jan 20, 2027", "due Jan 20, 2027"),
    ],
)
def test_a_near_day_is_a_word_in_sentences_too(days: int, on: str, due: str) -> None:
    day = TODAY + timedelta(days=days)
    assert (ON_PAGES.on_day(day), ON_PAGES.due(day)) == (on, due)
    assert WHOLE.on_day(day) == f"on {WHOLE.whole_day(day)}"
    assert WHOLE.due(day) == f"due {ON_PAGES.whole_day(day)}"


def test_a_missing_day_is_blank() -> None:
    assert [by.on_day(None) for by in (WHOLE, ON_PAGES)] == ["", ""]


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (datetime(2026, 11, 21, 8, 5, tzinfo=ZONE), "today 8:05 AM"),
        (datetime(2026, 11, 20, 23, 59, tzinfo=ZONE), "yesterday"),
        (datetime(2026, 11, 3, 12, tzinfo=ZONE), "Nov 3"),
        (datetime(2025, 1, 31, 12, tzinfo=ZONE), "Jan 31, 2025"),
    ],
)
def test_a_moment_of_today_has_its_time(moment: datetime, words: str) -> None:
    assert ON_PAGES.time(moment.astimezone(UTC)) == words
    assert WHOLE.time(moment.astimezone(UTC)) == f"{WHOLE.day(moment.date())}, {WHOLE.time_of_day(f'{moment:%H:%M}')}"


def test_other_programs_read_whole_days() -> None:
    assert PipedConventions.of(WHOLE).day(date(2026, 11, 20)) == "2026-11-20"
    assert PipedConventions.of(WHOLE).near_day(date(2026, 11, 20)) == "2026-11-20"
    assert PipedConventions.of(WHOLE).time_of_day("15:00") == "15:00"
