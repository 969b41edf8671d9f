"""Dates as people type them: one parser for forms, filters, the shell, quick capture and files."""

from datetime import date

import pytest
from babel.localedata import locale_identifiers
from hypothesis import example, given
from hypothesis import strategies as st

from crm.errors import FieldError
from crm.model import Conventions
from crm.model.fields import Birthday, Day
from crm.model.written_dates import Direction, NoDateError, When, read_when
from tests.support.clocks import TODAY, standing_on

pytestmark = pytest.mark.dated

# Tests take place on Saturday, November 21, 2026.
US = Conventions(clock=standing_on(TODAY))


def team(language: str, today: date = TODAY) -> Conventions:
    return Conventions(language=language, clock=standing_on(today))


def refusal(text: str, by: Conventions = US, direction: Direction = "ahead") -> str:
    with pytest.raises(FieldError) as refused:
        read_when(text, by, direction)
    return refused.value.reason


AHEAD = [
    # A time alone is today's, or tomorrow's where it is over: it is 9:00.
    ("5pm", "2026-11-21 17:00"),
    ("17:00", "2026-11-21 17:00"),
    ("at 5 pm", "2026-11-21 17:00"),
    ("noon", "2026-11-21 12:00"),
    ("8:59", "2026-11-22 08:59"),
    ("9:00", "2026-11-22 09:00"),
    ("9:01", "2026-11-21 09:01"),
    ("half past nine", "2026-11-21 09:30"),
    # In short, as many write it.
    ("2p", "2026-11-21 14:00"),
    ("tomorrow 2p", "2026-11-22 14:00"),
    ("tmrw at 2P", "2026-11-22 14:00"),
    ("next tues 9a", "2026-11-24 09:00"),
    ("fri 9:30a", "2026-11-27 09:30"),
    ("9:30p fri", "2026-11-27 21:30"),
    ("at 12p on friday", "2026-11-27 12:00"),
    ("tomorrow evening 7p", "2026-11-22 19:00"),
    ("fri quarter to 3p", "2026-11-27 14:45"),
    # Times in words.
    ("half past nine tomorrow", "2026-11-22 09:30"),
    ("tomorrow at half past 2", "2026-11-22 14:30"),
    ("half past six am on monday", "2026-11-23 06:30"),
    ("quarter to 3 fri", "2026-11-27 14:45"),
    # With am or pm it is the hour named that has it.
    ("quarter to 12 pm fri", "2026-11-27 11:45"),
    ("quarter to 12 am fri", "2026-11-27 23:45"),
    ("quarter to 1 pm fri", "2026-11-27 12:45"),
    ("fri ten to one am", "2026-11-27 00:50"),
    ("half past 12 p.m. fri", "2026-11-27 12:30"),
    ("half past twelve am fri", "2026-11-27 00:30"),
    ("fri quarter past 11pm", "2026-11-27 23:15"),
    ("quarter to 8 am fri", "2026-11-27 07:45"),
    ("quarter to one", "2026-11-21 12:45"),
    ("fri a quarter past four", "2026-11-27 16:15"),
    ("ten to five on friday", "2026-11-27 16:50"),
    ("mon at nine", "2026-11-23 09:00"),
    ("tomorrow two o'clock", "2026-11-22 14:00"),
    # Days that have a name, and parts of weeks and months.
    ("christmas eve", "2026-12-24"),
    ("christmas 2028", "2028-12-25"),
    ("at christmas", "2026-12-25"),
    # Easter, and what moves with it: March 28 in 2027, April 16 in 2028.
    ("easter", "2027-03-28"),
    ("over easter", "2027-03-28"),
    ("Easter Monday", "2027-03-29"),
    ("good friday 10:00", "2027-03-26 10:00"),
    ("maundy thursday", "2027-03-25"),
    ("whitsun", "2027-05-16"),
    ("ascension day", "2027-05-06"),
    ("corpus christi", "2027-05-27"),
    ("easter 2028", "2028-04-16"),
    ("whit monday 2028", "2028-06-05"),
    ("xmas", "2026-12-25"),
    ("new year's eve", "2026-12-31"),
    ("new year's day", "2027-01-01"),
    ("valentine's day", "2027-02-14"),
    ("early next week", "2026-11-23"),
    ("early in january", "2027-01-01"),
    ("middle of next week", "2026-11-25"),
    ("the week after next", "2026-11-30"),
    ("a week from monday", "2026-11-30"),
    # As the program prints it.
    ("Mar 5, 1980", "1980-03-05"),
    ("Nov 20, 2026", "2026-11-20"),
    ("Nov 27, 2026, 14:05", "2026-11-27 14:05"),
    ("Fri, Nov 27, 2026 at 10:00", "2026-11-27 10:00"),
    ("2026-12-01", "2026-12-01"),
    # Month and day, with and without a year.
    ("12/24", "2026-12-24"),
    ("1/5", "2027-01-05"),
    ("11/21", "2026-11-21"),
    ("12/24/26", "2026-12-24"),
    ("12/24/2026", "2026-12-24"),
    ("12-24-2026", "2026-12-24"),
    ("1/15/27", "2027-01-15"),
    ("5 dec", "2026-12-05"),
    ("dec 24", "2026-12-24"),
    ("Dec. 24th", "2026-12-24"),
    ("5dec", "2026-12-05"),
    ("20 nov", "2027-11-20"),
    ("sept 3", "2027-09-03"),
    ("5th of march", "2027-03-05"),
    ("March 5 1980", "1980-03-05"),
    ("march 5th, 1980", "1980-03-05"),
    ("5 Mar 1980", "1980-03-05"),
    ("05-Mar-1980", "1980-03-05"),
    ("1980 march 5", "1980-03-05"),
    ("5 dec '26", "2026-12-05"),
    ("24.12.", "2026-12-24"),
    ("24.12.26", "2026-12-24"),
    ("24. 12. 2026", "2026-12-24"),
    ("2026/12/24", "2026-12-24"),
    ("20261224", "2026-12-24"),
    ("feb 29", "2028-02-29"),
    ("the 30th", "2026-11-30"),
    ("31st", "2026-12-31"),
    ("15th", "2026-12-15"),
    # Days of the week.
    ("fri", "2026-11-27"),
    ("Saturday", "2026-11-28"),
    ("this friday", "2026-11-27"),
    ("next tuesday", "2026-11-24"),
    ("next sat", "2026-11-28"),
    ("last fri", "2026-11-20"),
    ("fri, 27 nov", "2026-11-27"),
    ("sat 28", "2026-11-28"),
    ("28 sat", "2026-11-28"),
    ("tue 29", "2026-12-29"),
    ("fri the 13th", "2027-08-13"),
    ("fri 31st", "2027-12-31"),
    ("fri 13", "2026-11-27 13:00"),
    ("sat 28 10:00", "2026-11-28 10:00"),
    # Counted.
    ("today", "2026-11-21"),
    ("TOMORROW", "2026-11-22"),
    ("day after tomorrow", "2026-11-23"),
    ("the day before yesterday", "2026-11-19"),
    ("in two weeks", "2026-12-05"),
    ("in a fortnight", "2026-12-05"),
    ("in 10 days", "2026-12-01"),
    ("in 1 month", "2026-12-21"),
    ("in a year", "2027-11-21"),
    ("two weeks from now", "2026-12-05"),
    ("a week from today", "2026-11-28"),
    ("in 5 working days", "2026-11-27"),
    ("2 wks", "2026-12-05"),
    ("10 days", "2026-12-01"),
    ("30 days ago", "2026-10-22"),
    ("a month ago", "2026-10-21"),
    # Ends and beginnings.
    ("next week", "2026-11-23"),
    ("next month", "2026-12-01"),
    ("next quarter", "2027-01-01"),
    ("next year", "2027-01-01"),
    ("end of month", "2026-11-30"),
    ("end of the month", "2026-11-30"),
    ("by end of next month", "2026-12-31"),
    ("eom", "2026-11-30"),
    ("end of week", "2026-11-27"),
    ("end of the quarter", "2026-12-31"),
    ("end of december", "2026-12-31"),
    ("mid december", "2026-12-15"),
    ("beginning of next month", "2026-12-01"),
    ("december", "2026-12-01"),
    ("dec 2026", "2026-12-01"),
    ("2027-02", "2027-02-01"),
    # Weekends, evenings, and a day of the week by its place in a month.
    ("this weekend", "2026-11-21"),
    ("on the weekend", "2026-11-21"),
    ("next weekend", "2026-11-28"),
    ("last weekend", "2026-11-14"),
    ("tonight", "2026-11-21 18:00"),
    ("tonight at 8", "2026-11-21 20:00"),
    ("this evening", "2026-11-21 18:00"),
    ("this afternoon at 3", "2026-11-21 15:00"),
    ("tomorrow evening at 7:30", "2026-11-22 19:30"),
    ("tonight 8pm", "2026-11-21 20:00"),
    ("friday morning at 9", "2026-11-27 09:00"),
    ("first monday of december", "2026-12-07"),
    ("the last friday of december", "2026-12-25"),
    ("on the last friday in Dec", "2026-12-25"),
    ("second tuesday in january", "2027-01-12"),
    ("2nd tue of january 2028", "2028-01-11"),
    ("last monday of the month", "2026-11-30"),
    ("first monday of next month", "2026-12-07"),
    ("first friday of next month at 10", "2026-12-04 10:00"),
    ("last day of february", "2027-02-28"),
    ("last working day of january", "2027-01-29"),
    ("first of the month", "2026-12-01"),
    ("by the end of the year", "2026-12-31"),
    ("thursday week", "2026-12-03"),
    ("in a few days", "2026-11-24"),
    ("2w", "2026-12-05"),
    ("10d", "2026-12-01"),
    ("in half a year", "2027-05-21"),
    ("q1", "2027-01-01"),
    ("q4", "2026-10-01"),
    # With a time.
    ("fri 10.30", "2026-11-27 10:30"),
    ("fri 10:00", "2026-11-27 10:00"),
    ("10:00 on friday", "2026-11-27 10:00"),
    ("mon 9:30", "2026-11-23 09:30"),
    ("tomorrow 9", "2026-11-22 09:00"),
    ("tomorrow at 4pm", "2026-11-22 16:00"),
    ("tomorrow noon", "2026-11-22 12:00"),
    ("monday morning", "2026-11-23 09:00"),
    ("in 3 days at 16h", "2026-11-24 16:00"),
    ("12/24 9.30", "2026-12-24 09:30"),
    ("dec 24 at 9", "2026-12-24 09:00"),
    ("2026-12-01T09:00", "2026-12-01 09:00"),
]


@pytest.mark.parametrize(("typed", "meant"), AHEAD)
def test_future_dates_are_read_as_people_type_them(typed: str, meant: str) -> None:
    when = read_when(typed, US, "ahead")
    assert f"{when.day} {when.time}".strip() == meant


PAST = [
    ("easter", "2026-04-05"),
    ("good friday 2025", "2025-04-18"),
    ("12/24", "2025-12-24"),
    ("11/21", "2026-11-21"),
    ("nov 20", "2026-11-20"),
    ("5 dec", "2025-12-05"),
    ("12/24/26", "2026-12-24"),
    ("12/24/27", "1927-12-24"),
    ("3/5/80", "1980-03-05"),
    ("feb 29", "2024-02-29"),
    ("fri", "2026-11-20"),
    ("sat", "2026-11-14"),
    ("sat 28", "2026-03-28"),
    ("on monday", "2026-11-16"),
    ("last monday", "2026-11-16"),
    ("yesterday", "2026-11-20"),
    ("two weeks ago", "2026-11-07"),
    ("3 weeks ago", "2026-10-31"),
    ("last week", "2026-11-09"),
    ("last month", "2026-10-01"),
    ("this month", "2026-11-01"),
    ("last year", "2025-01-01"),
    ("march", "2026-03-01"),
    ("nov 2026", "2026-11-01"),
    ("end of last month", "2026-10-31"),
    ("the 30th", "2026-10-30"),
    ("yesterday 14:00", "2026-11-20 14:00"),
    ("last weekend", "2026-11-14"),
    ("last night", "2026-11-20 18:00"),
    ("last friday at 10", "2026-11-20 10:00"),
    ("first monday of december", "2025-12-01"),
    ("last monday of last month", "2026-10-26"),
    ("a few days ago", "2026-11-18"),
    ("half a year ago", "2026-05-21"),
    ("q1", "2026-01-01"),
    ("q2 2025", "2025-04-01"),
]


@pytest.mark.parametrize(("typed", "meant"), PAST)
def test_past_dates_are_read_as_people_type_them(typed: str, meant: str) -> None:
    when = read_when(typed, US, "past")
    assert f"{when.day} {when.time}".strip() == meant


@pytest.mark.parametrize(
    ("typed", "language", "meant"),
    [
        ("24/12", "en_GB", "2026-12-24"),
        ("3/4/2026", "en_GB", "2026-04-03"),
        ("3/4/2026", "fr_FR", "2026-04-03"),
        ("12/24", "ja_JP", "2026-12-24"),
        ("26/12/24", "ja_JP", "2026-12-24"),
        ("2026年12月24日", "ja_JP", "2026-12-24"),
        ("24.12.", "de_AT", "2026-12-24"),
        ("5. Dez. 2026", "de_AT", "2026-12-05"),
        ("5. Dezember", "de_AT", "2026-12-05"),
        ("5. März", "de_AT", "2027-03-05"),
        ("5 maerz", "de_AT", "2027-03-05"),
        ("Fr 10:00", "de_AT", "2026-11-27 10:00"),
        ("Freitag", "de_AT", "2026-11-27"),
        ("5 dec", "de_AT", "2026-12-05"),
        ("mar", "it_IT", "2026-11-24"),
        ("5 mar", "it_IT", "2027-03-05"),
        ("5 de diciembre de 2026", "es_ES", "2026-12-05"),
        ("1er décembre", "fr_FR", "2026-12-01"),
        ("2026. dec. 24.", "hu_HU", "2026-12-24"),
        ("24 декабря", "ru_RU", "2026-12-24"),
        ("٢٤/١٢/٢٠٢٦", "ar_EG", "2026-12-24"),
        ("2026년 12월 24일", "ko_KR", "2026-12-24"),
    ],
)
def test_each_team_types_dates_in_its_own_order_and_words(typed: str, language: str, meant: str) -> None:
    when = read_when(typed, team(language), "ahead")
    assert f"{when.day} {when.time}".strip() == meant


@pytest.mark.parametrize(
    ("typed", "language", "words"),
    [
        ("2026-02-30", "en_US", "no day 30 in February 2026"),
        ("30 feb", "en_US", "no day 30 in February"),
        ("feb 29, 2026", "en_US", "no day 29 in February 2026"),
        ("31 june", "en_US", "no day 31 in June"),
        ("32 dec", "en_US", "no day 32 in December"),
        ("11/31", "en_GB", "write it like"),
        ("2026-13-01", "en_US", "no month 13"),
        ("0/0/2026", "en_US", "no month 0"),
        ("31/12/1999", "en_US", "no month 31; here the month comes first: 12/31/1999"),
        ("24/12", "en_US", "no month 24; here the month comes first: 12/24"),
        ("12/31/1999", "en_GB", "no month 31; here the day comes first: 31/12/1999"),
        ("12.31.1999", "de_AT", "no month 31; here the day comes first: 31.12.1999"),
        ("mon, nov 27, 2026", "en_US", "Nov 27, 2026 is a Friday, not a Monday"),
        ("sat 32", "en_US", "no day 32 in any month"),
        ("fri 25:00", "en_US", "no such time of day"),
        ("fri 13pm", "en_US", "with am or pm the hour is from 1 to 12"),
        ("in 99999 years", "en_US", "too far away"),
        ("99999999999 days ago", "en_US", "too far away"),
        ("fifth monday of december 2026", "en_US", "no fifth monday in December 2026"),
        ("second weekend of december", "en_US", "write it like"),
        ("monkey", "en_US", "write it like tomorrow, fri, next week, in 10 days, 12/24 or Dec 24, 2026"),
        ("monkey", "de_AT", "write it like tomorrow, fri, next week, in 10 days, 24.12. or 24.12.2026"),
        ("sunshine", "en_US", "write it like"),
        ("frisbee", "en_US", "write it like"),
        ("12", "en_US", "write it like"),
        ("mar mar 5", "en_US", "write it like"),
        ("10", "en_US", "write it like"),
        ("next", "en_US", "write it like"),
        ("in days", "en_US", "write it like"),
        ("5 dec 6 jan", "en_US", "write it like"),
        ("0660 123 456", "en_US", "write it like"),
        ("12/24/2026/5", "en_US", "write it like"),
    ],
)
def test_an_invalid_day_is_refused_with_examples(typed: str, language: str, words: str) -> None:
    assert words in refusal(typed, team(language))


# One of each way in which Babel writes a date.
LANGUAGES = (
    "en_US", "en_GB", "de_AT", "de_DE", "fr_FR", "es_ES", "it_IT", "pt_BR", "pt_PT", "nl_NL", "pl_PL", "cs_CZ", "hu_HU",
    "ro_RO", "hr_HR", "sr", "bg_BG", "ru_RU", "uk_UA", "el_GR", "tr_TR", "fi_FI", "sv_SE", "nb_NO", "da_DK", "lt_LT",
    "lv_LV", "et_EE", "is_IS", "eu_ES", "ca_ES", "gl_ES", "ga_IE", "he_IL", "ar_EG", "fa_IR", "ur_PK", "hi_IN", "bn",
    "ta_IN", "ml_IN", "th_TH", "vi_VN", "id_ID", "ko_KR", "ja_JP", "zh_CN", "zh_TW", "kk_KZ", "hy_AM", "ka_GE", "mn_MN",
    "osa",
)  # fmt: skip


def _every_month(language: str) -> None:
    """Type back what is printed of a day of each month, with a day of the week and a time too."""
    by = team(language)
    for month in range(1, 13):
        for day in (date(2026, month, month), date(1980, month, 28)):
            printed = by.day(day)
            assert read_when(printed, by, "past") == When(day), printed
            for time in ("14:05", by.time_of_day("14:05"), by.time_of_day("00:30")):
                when = When(day, "00:30" if time == by.time_of_day("00:30") else "14:05")
                assert read_when(f"{printed}, {time}", by, "ahead") == when, f"{printed}, {time}"
            assert read_when(f"{by.weekday(day)}, {printed}", by, "nearest") == When(day), printed


@pytest.mark.parametrize("language", LANGUAGES)
def test_printed_dates_can_be_typed_back(language: str) -> None:
    _every_month(language)


@pytest.mark.slow
def test_printed_dates_can_be_typed_back_in_every_language() -> None:
    tried = set()
    for language in sorted(locale_identifiers()):
        by = team(language)
        printed = tuple(f"{by.weekday(day)} {by.day(day)}" for day in (date(2026, month, 27) for month in range(1, 13)))
        if printed not in tried:
            _every_month(language)
            tried.add(printed)


def test_a_field_says_what_is_wrong_in_the_words_of_its_hint() -> None:
    for check in (Day(), Day(past=False), Birthday()):
        with pytest.raises(FieldError) as refused:
            check.read("soon", US)
        assert check.hint(US)
        assert refused.value.reason.endswith(check.hint(US))
    with pytest.raises(FieldError) as refused:
        Day().read("fri 10:00", US)
    assert refused.value.reason == "leave out the time (10:00 AM); only the day counts here"
    timed = Day(past=False, timed=True)
    assert timed.show(timed.read("fri 10:00", US), US) == "Nov 27, 2026, 10:00 AM"
    assert timed.read(timed.edit(timed.read("fri 10:00", US), US), US) == timed.read("fri 10:00", US)
    with pytest.raises(FieldError) as refused:
        Birthday().read("mar 5", US)
    assert refused.value.reason.startswith("write the year too")
    for year in ("1980", "march 1980"):
        with pytest.raises(FieldError) as refused:
            Birthday().read(year, US)
        assert refused.value.reason.startswith("write the day and the month too")
    # What names a whole month, week or year is no day on which something was.
    with pytest.raises(FieldError) as refused:
        Day().read("last month", US)
    assert refused.value.reason.startswith("that is more than one day")


@pytest.mark.parametrize(
    ("typed", "first", "last"),
    [
        ("last month", "2026-10-01", "2026-10-31"),
        ("nov 2025", "2025-11-01", "2025-11-30"),
        ("2025-11", "2025-11-01", "2025-11-30"),
        ("last week", "2026-11-09", "2026-11-15"),
        ("2025", "2025-01-01", "2025-12-31"),
        ("last quarter", "2026-07-01", "2026-09-30"),
        ("yesterday", "2026-11-20", "2026-11-20"),
    ],
)
def test_a_filter_takes_a_month_from_its_first_day_to_its_last(typed: str, first: str, last: str) -> None:
    assert str(Day(of_period="first").read(typed, US)) == first
    assert str(Day(past=False, of_period="last").read(typed, US)) == last


WORDS = st.sampled_from(
    ["next", "last", "in", "ago", "end", "of", "the", "month", "week", "5", "31", "2026", "12/24", "dec", "mar", "fri",
     "10:00", "at", "9pm", "two", "99999", ",", ".", "'26", "²", "٣", "feb", "30", "th", "1st", "days", "T", "-", "年"]
)  # fmt: skip


@given(
    st.one_of(st.text(max_size=30), st.lists(WORDS, max_size=6).map(" ".join)),
    st.sampled_from(["en_US", "de_AT", "ja_JP", "it_IT", "ar_EG"]),
    st.dates(date(1990, 1, 1), date(2090, 12, 31)),
)
@example("in 99999 months", "en_US", TODAY)
@example("feb 29", "en_US", date(2097, 3, 1))
def test_any_text_is_a_day_or_is_refused(typed: str, language: str, today: date) -> None:
    by = team(language, today)
    for direction in ("past", "ahead", "nearest"):
        try:
            when = read_when(typed, by, direction)  # type: ignore[arg-type]
        except FieldError:
            continue
        assert isinstance(when.day, date)


@pytest.mark.parametrize("written", ["in -3 days", "in \u22123 days", " In - 3 weeks"])
def test_a_negative_count_is_not_a_date(written: str) -> None:
    with pytest.raises(NoDateError):
        read_when(written, Conventions(), "ahead")


GERMAN = [
    ("heute", "2026-11-21"),
    ("morgen", "2026-11-22"),
    ("übermorgen", "2026-11-23"),
    ("übernächste Woche", "2026-11-30"),
    ("Anfang übernächster Woche", "2026-11-30"),
    ("übernächsten Montag", "2026-11-30"),
    ("Montag in acht Tagen", "2026-11-30"),
    ("zu Ostern", "2027-03-28"),
    ("Ostermontag um 10 Uhr", "2027-03-29 10:00"),
    ("Karfreitag", "2027-03-26"),
    ("Gründonnerstag", "2027-03-25"),
    ("Christi Himmelfahrt", "2027-05-06"),
    ("über Pfingsten", "2027-05-16"),
    ("an Weihnachten", "2026-12-25"),
    ("uebermorgen", "2026-11-23"),
    ("gestern", "2026-11-20"),
    ("vorgestern", "2026-11-19"),
    ("Montag", "2026-11-23"),
    ("am Montag", "2026-11-23"),
    ("nächsten Dienstag", "2026-11-24"),
    ("naechsten dienstag", "2026-11-24"),
    ("kommenden Freitag", "2026-11-27"),
    ("letzten Freitag", "2026-11-20"),
    ("nächste Woche", "2026-11-23"),
    ("nächsten Monat", "2026-12-01"),
    ("nächstes Quartal", "2027-01-01"),
    ("in zwei Wochen", "2026-12-05"),
    ("in einer Woche", "2026-11-28"),
    ("in einem Monat", "2026-12-21"),
    ("in 14 Tagen", "2026-12-05"),
    ("in 5 Werktagen", "2026-11-27"),
    ("in einem halben Jahr", "2027-05-21"),
    ("vor zwei Tagen", "2026-11-19"),
    ("vor einer Woche", "2026-11-14"),
    ("Anfang des Monats", "2026-11-01"),
    ("Ende des Monats", "2026-11-30"),
    ("Monatsende", "2026-11-30"),
    ("Anfang nächster Woche", "2026-11-23"),
    ("Mitte nächster Woche", "2026-11-25"),
    ("Ende der Woche", "2026-11-27"),
    ("Mitte Januar", "2027-01-15"),
    ("Ende Januar", "2027-01-31"),
    ("erster Montag im Dezember", "2026-12-07"),
    ("Heiligabend", "2026-12-24"),
    ("Silvester", "2026-12-31"),
    ("am 5. Dezember", "2026-12-05"),
    ("bis Freitag", "2026-11-27"),
    ("17 Uhr", "2026-11-21 17:00"),
    ("morgen um 10 Uhr", "2026-11-22 10:00"),
    ("morgen 10.30 Uhr", "2026-11-22 10:30"),
    ("morgen halb zehn", "2026-11-22 09:30"),
    ("Montag viertel vor drei", "2026-11-23 14:45"),
    ("morgen früh", "2026-11-22 09:00"),
    ("morgen halb eins", "2026-11-22 12:30"),
    ("morgen viertel vor eins", "2026-11-22 12:45"),
    ("morgen früh um 8", "2026-11-22 08:00"),
    ("Freitag früh um 9", "2026-11-27 09:00"),
    ("Freitag früh um 8:30 Uhr", "2026-11-27 08:30"),
    ("Freitag nachmittags um 3", "2026-11-27 15:00"),
    ("morgen Abend um 8", "2026-11-22 20:00"),
    ("heute Morgen", "2026-11-21 09:00"),
    ("Montagmorgen", "2026-11-23 09:00"),
    ("am Montag Morgen", "2026-11-23 09:00"),
    ("Freitagnachmittag", "2026-11-27 14:00"),
    ("Freitagvormittag um 10", "2026-11-27 10:00"),
    ("Dienstagabend um 19:30", "2026-11-24 19:30"),
    ("Montag in einer Woche", "2026-11-30"),
    ("morgen", "2026-11-22"),
    ("am Montag um 8", "2026-11-23 08:00"),
    ("heute Abend", "2026-11-21 18:00"),
    ("in einer halben Stunde", "2026-11-21 09:30"),
]


@pytest.mark.parametrize(("typed", "meant"), GERMAN)
def test_a_german_team_types_german_words(typed: str, meant: str) -> None:
    when = read_when(typed, team("de_AT"), "ahead")
    assert f"{when.day} {when.time}".strip() == meant


@pytest.mark.parametrize("typed", ["morgen", "in zwei Wochen", "Ende des Monats"])
def test_other_teams_do_not_type_german_words(typed: str) -> None:
    with pytest.raises(NoDateError):
        read_when(typed, team("fr_FR"), "ahead")


@pytest.mark.parametrize("typed", ["bald", "nach Ostern", "in der ersten Maiwoche", "Morgenstern", "halb", "viertel"])
def test_an_invalid_day_in_german_is_refused(typed: str) -> None:
    with pytest.raises(FieldError):
        read_when(typed, team("de_DE"), "ahead")
