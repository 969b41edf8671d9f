"""Validation of typed fields: each value is accepted, or refused with a helpful error."""

import random
import re
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import phonenumbers
import pytest
from babel import localedata
from email_validator import EmailNotValidError, validate_email
from hypothesis import assume, given
from hypothesis import strategies as st

from crm.errors import FieldError
from crm.model import Client, Conventions, Sale, fields
from crm.model.fields import (
    FOREVER,
    LARGEST_AMOUNT,
    Amount,
    Balance,
    Check,
    Choice,
    ClientPhone,
    Country,
    Day,
    Email,
    ExactPrice,
    Extra,
    Flag,
    Line,
    Phone,
    Price,
    Prose,
    Quantity,
    Rate,
    Tags,
    Whole,
)
from tests.support.clocks import TODAY, standing_on

US = Conventions(clock=standing_on(TODAY))
AT = Conventions("de_AT", "EUR", "AT", standing_on(TODAY))
DE = Conventions("de_DE", "EUR", "DE", standing_on(TODAY))
FR = Conventions("fr_FR", "EUR", "FR", standing_on(TODAY))
GB = Conventions("en_GB", "GBP", "GB", standing_on(TODAY))
CH = Conventions("de_CH", "CHF", "CH", standing_on(TODAY))
EVERYWHERE = [US, AT, DE, FR, CH]

CHECKS: list[Check] = [
    Line(), Prose(), Email(), Phone(), Day(), Day(past=False), Amount(), Choice({"a": "Letter A"}), Flag(), Tags(),
    Country(), Whole(), Extra(),
]  # fmt: skip

BAD = [
    "2026-02-30",
    "12,50",
    "1.234,56",
    "-5",
    "nan",
    "NaN",
    "inf",
    "1e400",
    "",
    " ",
    "x" * 10_000,
    "9" * 10_000,
    "9" * 39,
    "[bold]",
    "[/]",
    "\x1b[31mred",
    "\u202eright to left",
    "\u200fmark",
    "a\x00b",
    "\x00",
    "😀",
    "\ud800",
    "=1+1",
    "%s",
    "{}",
    "'; drop table client; --",
    "\\",
    "\n",
    "\r\n",
    "\t",
    "١٢٣",
    "²",
    "½",
    "+",
    "#",
    "@",
    ",",
    ".",
    "--",
    "0000-00-00",
    "99/99/9999",
]


def refusal(check: Check, typed: str, by: Conventions = US) -> str:
    """The reason with which a check refuses what was typed."""
    with pytest.raises(FieldError) as caught:
        check.read(typed, by)
    return caught.value.reason


@pytest.mark.dated
def test_a_phone_number_is_asked_for_as_the_team_s_country_writes_it() -> None:
    assert Phone().hint(US).startswith("(201) 555-0123; ")
    assert Phone().hint(AT).startswith("01 234567890; ")
    with pytest.raises(FieldError, match=re.escape("write it like (201) 555-0123, or with + and its country code")):
        Phone().read("notanemail", US)
    for typed in ("bob@acme.com4555-0134", "bob@acme.com 614-555-0134"):
        with pytest.raises(FieldError):
            ClientPhone().read(typed, US)


@pytest.mark.parametrize("by", EVERYWHERE, ids=lambda by: by.language)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: type(check).__name__)
def test_any_text_is_accepted_or_refused_with_a_message(check: Check, by: Conventions) -> None:
    for typed in BAD:
        try:
            value = check.read(typed, by)
        except FieldError as error:
            reason = error.reason
            assert 0 < len(reason) < 400
            assert "\x1b" not in reason
            assert "\x00" not in reason
        else:
            assert check.read(check.edit(value, by), by) == value
            assert isinstance(check.show(value, by), str)
            assert "\x1b" not in check.show(value, by)


@pytest.mark.dated
@given(typed=st.text(max_size=30), by=st.sampled_from(EVERYWHERE), check=st.sampled_from(CHECKS))
def test_an_accepted_value_can_be_edited_and_saved_again(typed: str, by: Conventions, check: Check) -> None:
    try:
        value = check.read(typed, by)
    except FieldError:
        return
    assert check.read(check.edit(value, by), by) == value


@pytest.mark.dated
@pytest.mark.parametrize("name", list(fields(Client)))
def test_an_empty_answer_leaves_every_field_of_a_client_empty(name: str) -> None:
    check = fields(Client)[name].check
    if isinstance(check, Amount | Whole):
        assert refusal(check, "")
    else:
        assert check.read("", US) == check.empty
        assert check.read(check.edit(check.empty, US), US) == check.empty


# Text


def test_a_line_is_trimmed_and_has_a_maximum_length() -> None:
    assert Line().read("  Anna \t Maria\n ", US) == "Anna Maria"
    assert Line().read("x" * 200, US) == "x" * 200
    assert refusal(Line(), "x" * 10_000) == "at most 200 characters, this has 10000"
    for kept in ("[bold]", "[/]", "😀", "O'Brien", "=HYPERLINK(1)", "שלום\u200f", "王伟", "👩\u200d👩"):
        assert Line().read(kept, US) == kept


@pytest.mark.parametrize(
    ("typed", "named"),
    [
        ("a\x00b", "NUL"),
        ("\x1b[31m", "escape"),
        ("a\u202eb", "U+202E"),
        ("\u2066x", "U+2066"),
        ("x\x7f", "delete"),
        ("\x9b31m", "U+009B"),
    ],
)
def test_a_control_character_is_named_in_the_error(typed: str, named: str) -> None:
    for check in (Line(), Prose(), Tags(), Extra()):
        text = f"k={typed}" if isinstance(check, Extra) else typed
        assert named in refusal(check, text)
        assert "at position" in refusal(check, text)


def test_a_long_text_keeps_its_lines() -> None:
    assert Prose().read(" one\r\ntwo\rthree\n\n four\t5 \n", US) == "one\ntwo\nthree\n\n four\t5"
    assert refusal(Prose(10), "x" * 11) == "at most 10 characters, this has 11"


# Addresses


def test_an_email_address_is_stored_in_one_spelling() -> None:
    assert Email().read(" Anna.Müller@Example.COM ", US) == "anna.müller@example.com"
    for wrong in ("anna", "anna@", "@x.at", "a b@x.at", "anna@x..at", "anna@x.at, ben@x.at", "x" * 250 + "@x.at"):
        assert refusal(Email(), wrong)


def test_an_odd_address_gets_a_warning() -> None:
    assert Email().doubt("anna@example.com", US) == ""
    assert Email().doubt("", US) == ""
    assert Email().doubt("anna@firma.invalidtld", US) == "no e-mail domain ends in .invalidtld"
    assert Email().doubt("no address", US)


@pytest.mark.parametrize(
    ("typed", "by", "kept"),
    [
        ("0660 1234567", AT, "+436601234567"),
        ("+43 (0)660 1234567", US, "+436601234567"),
        ("0043 660 1234567", AT, "+436601234567"),
        ("(212) 555-0123", US, "+12125550123"),
        ("06 12 34 56 78", FR, "+33612345678"),
    ],
)
def test_a_number_is_read_with_the_teams_country(typed: str, by: Conventions, kept: str) -> None:
    assert Phone().read(typed, by) == kept


@pytest.mark.parametrize("typed", ["12", "call me", "+999 123456", "0660", "++43", "123456789012345678"])
def test_an_invalid_phone_number_is_refused(typed: str) -> None:
    assert refusal(Phone(), typed, AT)


@pytest.mark.parametrize(
    "typed", ["banana 12345678", "call me on 1131980", "m1 1aed3 march 1980", "12345 Anna", "0121 234 5678 or 0121 999"]
)
def test_words_beside_a_number_that_is_none_are_refused(typed: str) -> None:
    reason = "a phone number has no letters, but for an extension like ext. 12; put the rest in the notes"
    with pytest.raises(FieldError, match=re.escape(reason)):
        Phone().entered(typed, GB)


@pytest.mark.parametrize(
    ("typed", "doubt"),
    [
        ("0121 234 5678 ext. 12", "has an extension, so it is kept as typed"),
        ("0121 234 5678 (x 12)", "has an extension, so it is kept as typed"),
        ("1-800-FLOWERS ext 5", "not a phone number in the UK"),
        ("0316/44", "not a phone number in the UK"),
    ],
)
def test_a_number_that_can_be_dialled_is_kept_as_typed(typed: str, doubt: str) -> None:
    assert Phone().entered(typed, GB) == typed
    assert Phone().doubt(typed, GB) == doubt


def test_an_extension_is_never_dropped() -> None:
    assert "extension" in refusal(Phone(), "+1 212 555 0123 ext. 12")


@pytest.mark.parametrize("kept", ["call me", "+1", "+999123", "+43", "+123456789012345678", "0316/44"])
def test_an_unusual_number_is_kept_as_typed_with_a_warning(kept: str) -> None:
    assert Phone().show(kept, AT) == kept
    assert "not a phone number" in Phone().doubt(kept, AT)
    assert Phone().doubt("+436601234567", AT) == ""
    assert Phone().doubt("", AT) == ""


def test_numbers_of_every_country_can_be_edited() -> None:
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        example = phonenumbers.example_number(region)
        if example is None:
            continue
        value = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
        for by in EVERYWHERE:
            assert Phone().read(value, by) == value
            assert Phone().read(Phone().edit(value, by), by) == value, (region, by.country)


def test_a_number_is_valid_where_the_library_says_so() -> None:
    chance = random.Random(7)
    texts = set()
    for region in phonenumbers.SUPPORTED_REGIONS:
        for kind in range(11):
            if (example := phonenumbers.example_number_for_type(region, kind)) is not None:
                digits = list(phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164))
                texts.add("".join(digits))
                digits[chance.randrange(4, len(digits))] = chance.choice("0123456789")
                texts.add("".join(digits))
                digits.insert(chance.randrange(2, 6), chance.choice("0123456789"))
                texts.add("".join(digits))
    # Looks like one of Germany's numbers, but for its length.
    for text in ["+49497880876242", *chance.sample(sorted(texts), 2000)]:
        try:
            number = phonenumbers.parse(text, "AT")
            valid = phonenumbers.is_valid_number(number)
        except phonenumbers.NumberParseException:
            valid = False
        if valid:
            assert Phone().read(text, AT) == phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        else:
            refusal(Phone(), text)


# Dates


@pytest.mark.dated
@pytest.mark.parametrize(
    ("typed", "by", "day"),
    [
        ("2026-11-20", US, "2026-11-20"),
        ("2026-1-2", US, "2026-01-02"),
        ("TODAY", US, "2026-11-21"),
        ("yesterday", US, "2026-11-20"),
        ("fri", US, "2026-11-20"),
        ("Friday", US, "2026-11-20"),
        ("sat", US, "2026-11-14"),
        ("3/4/2026", US, "2026-03-04"),
        ("3/4/2026", FR, "2026-04-03"),
        ("3/4/2026", DE, "2026-04-03"),
        ("3.4.2026", US, "2026-04-03"),
        ("3. 4. 2026", CH, "2026-04-03"),
        ("29.2.2024", AT, "2024-02-29"),
    ],
)
def test_a_day_is_read_as_people_write_it(typed: str, by: Conventions, day: str) -> None:
    assert Day().read(typed, by) == date.fromisoformat(day)


@pytest.mark.dated
@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("2026-02-30", "no day 30 in February 2026"),
        ("2026-13-01", "no month 13"),
        ("31/12/2025", "no month 31"),
        ("29.2.2026", "no day 29"),
        ("2026-11-22", "is in the future"),
        ("tomorrow", "is in the future"),
        ("1899-12-31", "is before Jan 1, 1900"),
        ("monkey", "write it like"),
        ("sunshine", "write it like"),
        ("frisbee", "write it like"),
        ("12", "write it like"),
    ],
)
def test_an_impossible_day_is_refused(typed: str, words: str) -> None:
    assert words in refusal(Day(), typed)


@pytest.mark.dated
def test_a_future_day_is_accepted_where_allowed() -> None:
    ahead = Day(past=False)
    assert ahead.read("tomorrow", US) == date(2026, 11, 22)
    assert ahead.read("sat", US) == date(2026, 11, 28)
    assert ahead.read(ahead.edit(FOREVER, US), US) == FOREVER
    assert ahead.show(FOREVER, US) == "until lifted"


@pytest.mark.dated
@given(day=st.dates(date(1900, 1, 1), TODAY), by=st.sampled_from(EVERYWHERE))
def test_every_day_can_be_edited(day: date, by: Conventions) -> None:
    assert Day().read(Day().edit(day, by), by) == day
    written = f"{day.day}/{day.month}/{day.year}" if by.day_first else f"{day.month}/{day.day}/{day.year}"
    assert Day().read(written, by) == day
    assert str(day.year) in Day().show(day, by)


@pytest.mark.dated
@given(name=st.sampled_from(["mon", "tues", "wednesday", "thu", "fri", "saturday", "sun"]), past=st.booleans())
def test_a_weekday_is_within_the_week(name: str, past: bool) -> None:
    day = Day(past=past).read(name, US)
    assert day is not None
    assert day.strftime("%A").lower().startswith(name)
    assert 1 <= (TODAY - day if past else day - TODAY) / timedelta(days=1) <= 7


# Money


@pytest.mark.parametrize(
    ("typed", "language", "currency", "amount"),
    [
        ("1,234", "en_US", "JPY", "1234.00"),
        ("1.234", "de_DE", "JPY", "1234.00"),
        ("1234.00", "ja_JP", "JPY", "1234.00"),
        ("￥1,234", "ja_JP", "JPY", "1234.00"),
        ("1.234", "en_US", "KWD", "1.2340"),
        ("1,234", "en_US", "KWD", "1234.00"),
        ("1,234.567", "en_US", "KWD", "1234.5670"),
        ("KWD 1.234", "en_US", "KWD", "1.2340"),
        ("1,234", "de_DE", "KWD", "1.2340"),
        ("1.234,567", "de_DE", "KWD", "1234.5670"),
        ("0.500", "de_DE", "KWD", "0.50"),
        ("1.2340", "de_DE", "KWD", "1.2340"),
        ("1.234", "fr_TN", "TND", "1.2340"),
        ("1,2345", "es_CL", "CLF", "1.2345"),
        ("1.2345", "es_CL", "CLF", "1.2345"),
        ("12.50", "sr_RS", "RSD", "12.50"),
    ],
)
def test_an_amount_has_the_decimals_of_its_currency(typed: str, language: str, currency: str, amount: str) -> None:
    assert str(Amount().read(typed, Conventions(language, currency))) == amount


@pytest.mark.parametrize(
    ("typed", "language", "currency", "words"),
    [
        ("1234.5", "en_US", "JPY", "an amount in JPY has no decimals"),
        ("1,5", "de_DE", "JPY", "an amount in JPY has no decimals"),
        ("x", "en_US", "JPY", "like 1200"),
        ("1.2345", "en_US", "KWD", "an amount in KWD has at most three decimals"),
        ("x", "en_US", "KWD", "like 1200 or 1200.500"),
        # One decimal mark or a thousand: nothing is guessed.
        ("1.234", "de_DE", "KWD", "write 1,234 or 1234"),
        ("1.234", "es_CL", "CLF", "write 1,2340 or 1234"),
        ("1.234,567", "en_US", "KWD", "did you mean 1,234.567?"),
        ("1.23456", "en_US", "CLF", "an amount in CLF has at most four decimals"),
        ("10000000000000", "en_US", "JPY", "at most 999,999,999,999"),
    ],
)
def test_an_amount_with_more_decimals_than_its_currency_is_refused(
    typed: str, language: str, currency: str, words: str
) -> None:
    assert words in refusal(Amount(), typed, Conventions(language, currency))


@pytest.mark.parametrize(
    ("typed", "by", "amount"),
    [
        ("1200", US, "1200.00"),
        ("1,234.56", US, "1234.56"),
        ("1234.5", US, "1234.50"),
        ("12,50", DE, "12.50"),
        ("1.234,56", DE, "1234.56"),
        ("1.234", DE, "1234.00"),
        ("1234.56", DE, "1234.56"),
        ("1 234,56", FR, "1234.56"),
        ("1\u202f234,56", FR, "1234.56"),
        ("1\u00a0234,56", FR, "1234.56"),
        ("12.50", FR, "12.50"),
        ("1\u2019234.50", CH, "1234.50"),
        ("1'234.50", CH, "1234.50"),
        ("1 234,56", AT, "1234.56"),
        ("0", US, "0.00"),
        (" 5 ", US, "5.00"),
        ("999999999999.99", DE, "999999999999.99"),
        ("$36,000", US, "36000.00"),
        ("$36,000.00", US, "36000.00"),
        ("usd 36", US, "36.00"),
        ("36.000 €", DE, "36000.00"),
        ("36.000,00\u00a0€", DE, "36000.00"),
        ("EUR 36.000", DE, "36000.00"),
    ],
)
def test_an_amount_is_read_as_the_team_writes_it(typed: str, by: Conventions, amount: str) -> None:
    value = Amount().read(typed, by)
    assert str(value) == amount


@pytest.mark.slow
@pytest.mark.many
@pytest.mark.parametrize("currency", ["USD", "EUR", "CHF", "JPY", "SEK", "INR", "AED", "KWD", "CLF"])
def test_an_amount_is_read_as_the_program_shows_it_in_every_language(currency: str) -> None:
    for language in localedata.locale_identifiers():
        by = Conventions(language, currency)
        for amount in map(by.rounded, (Decimal("0.05"), Decimal("36000.00"), Decimal("1234567.8912"))):
            assert Amount().read(by.money(amount), by) == amount, (language, by.money(amount))


@pytest.mark.parametrize(
    ("typed", "by", "words"),
    [
        ("12,50", US, "did you mean 12.50?"),
        ("1.234,56", US, "did you mean 1,234.56?"),
        ("1,234.56", DE, "did you mean 1.234,56?"),
        ("1,5", US, "did you mean 1.50?"),
        ("1,5,5", US, "write it like 1,234.50"),
        ("€36", US, "that is in EUR"),
        ("$", US, "give an amount"),
        ("$-5", US, "cannot be negative"),
        ("1.234", US, "at most two decimals; did you mean 1,234?"),
        ("12.000", US, "at most two decimals; did you mean 12,000?"),
        ("$12.000", US, "did you mean 12,000?"),
        ("12,000", DE, "did you mean 12.000?"),
        ("1.500", replace(US, currency="JPY"), "did you mean 1,500?"),
        ("1.005", FR, ""),
        ("-5", US, "cannot be negative"),
        ("\u22125", DE, "cannot be negative"),
        ("nan", US, "not an amount"),
        ("1e400", US, "not an amount"),
        ("1e2", US, "not an amount"),
        ("", US, "give an amount"),
        ("..", US, "not an amount"),
        ("1_000", US, "not an amount"),
        ("1000000000000", US, "at most"),
        ("9" * 39, US, "at most"),
        ("9" * 30, DE, "at most"),
        ("0." + "0" * 35 + "1", US, "at most two decimals"),
        ("9" * 10_000, US, "at most"),
    ],
)
def test_an_impossible_amount_is_refused(typed: str, by: Conventions, words: str) -> None:
    assert words in refusal(Amount(), typed, by)


@pytest.mark.parametrize("check", [Price(), ExactPrice(), Balance(), Quantity()])
def test_three_decimals_that_may_be_thousands_are_refused_in_prices_and_quantities(check: Amount) -> None:
    assert "12,000" in (words := refusal(check, "12.000", US)) or "write 12.00 or 12000" in words
    assert check.read("12.00", US) == 12
    assert check.read("12,000", US) == 12_000
    assert check.read("0.500", US) == Decimal("0.5")
    if check.decimals(US) > 2:
        assert check.read("1.659", US) == Decimal("1.659")
    else:
        assert "1,659" in refusal(check, "1.659", US)
    assert check.read("12.500", replace(US, currency="KWD")) == Decimal("12.5")
    assert Rate().read("19.000", US) == 19


@pytest.mark.parametrize("check", [Price(), Quantity()])
@pytest.mark.parametrize("by", EVERYWHERE)
def test_three_decimals_are_edited_and_shown_as_they_can_be_typed(check: Amount, by: Conventions) -> None:
    value = Decimal("2.125")
    edited = check.edit(value, by)
    assert len(edited) == 5
    assert check.read(edited, by) == check.read(check.show(value, by), by) == value


@given(
    amount=st.decimals(0, LARGEST_AMOUNT, places=4),
    by=st.sampled_from(EVERYWHERE),
    currency=st.sampled_from(["EUR", "JPY", "KWD", "CLF", "UYW"]),
)
def test_every_amount_can_be_edited_and_typed_as_it_is_shown(amount: Decimal, by: Conventions, currency: str) -> None:
    by = replace(by, currency=currency)
    amount = min(by.rounded(amount), Decimal(999_999_999_999))
    assert Amount().read(Amount().edit(amount, by), by) == amount
    assert Amount().read(by.amount(amount), by) == amount


# The rest


def test_a_choice_is_made_by_value_or_words() -> None:
    kind = fields(Client)["kind"].check
    assert kind.read(" Person ", US) == "person"
    assert "person, company" in refusal(kind, "robot")


@pytest.mark.parametrize(
    ("typed", "value"), [("yes", True), ("Y", True), ("1", True), ("no", False), ("0", False), ("", False)]
)
def test_a_flag_is_yes_or_no(typed: str, value: bool) -> None:
    assert Flag().read(typed, US) is value
    assert refusal(Flag(), "maybe") == "answer yes or no"


def test_tags_are_lower_case_without_duplicates() -> None:
    assert Tags().read("Gold, news letter;gold\n,, VIP ", US) == ("gold", "news letter", "vip")
    assert refusal(Tags(), ",".join(map(str, range(51)))) == "there are more than 50 tags; leave some out"
    assert refusal(Tags(), "x" * 41)
    # In lower case this letter is two.
    assert refusal(Tags(), "İ" * 40)


@given(
    tags=st.lists(
        st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters=",;"), min_size=1, max_size=40),
        max_size=5,
    )
)
def test_tags_can_be_edited(tags: list[str]) -> None:
    try:
        value = Tags().read(",".join(tags), US)
    except FieldError:
        return
    assert Tags().read(Tags().edit(value, US), US) == value


@pytest.mark.parametrize(
    ("typed", "by", "code"),
    [
        ("at", US, "AT"),
        ("Austria", US, "AT"),
        ("Österreich", DE, "AT"),
        ("Autriche", FR, "AT"),
        ("austria", DE, "AT"),
        ("UK", US, "GB"),
    ],
)
def test_a_country_is_read_by_code_or_name(typed: str, by: Conventions, code: str) -> None:
    assert Country().read(typed, by) == code
    assert refusal(Country(), "Atlantis", by)


@pytest.mark.parametrize(
    ("typed", "meant"), [("Germny", "Germany"), ("Untied States", "United States"), ("Narnia", "")]
)
def test_a_country_that_is_misspelt_is_asked_about(typed: str, meant: str) -> None:
    with pytest.raises(FieldError) as refused:
        Country().read(typed, Conventions())
    assert ("did you mean" in refused.value.reason) is bool(meant)
    assert meant in refused.value.reason


def test_every_country_can_be_edited() -> None:
    for by in EVERYWHERE:
        for name in set(by.locale.territories.values()):
            try:
                code = Country().read(name, by)
            except FieldError:
                continue
            assert Country().read(Country().edit(code, by), by) == code
            assert Country().read(Country().show(code, by), by) == code


def test_a_whole_number_has_limits() -> None:
    assert Whole().read(" #12 ", US) == 12
    for wrong in ("1.5", "-1", "²", "1e3", "9" * 100, "2147483648", "0x1"):
        assert refusal(Whole(), wrong)
    assert refusal(Whole(least=1), "0") == "that is out of range; give a whole number from 1 to 2147483647"


def test_custom_fields_are_a_name_and_a_value() -> None:
    assert Extra().read("shoe size = 42\n\nmotto=a=b\nempty=", US) == {"shoe size": "42", "motto": "a=b", "empty": ""}
    for wrong in ("shoe size", "=42"):
        assert "name=value" in refusal(Extra(), wrong)


@given(
    labels=st.lists(st.text("aZ9-.éK_", max_size=5) | st.just("a" * 64), min_size=1, max_size=5),
    ending=st.sampled_from(["com", "AT", "c0m", "co1", "test", "local", "Onion", "xn--p1ai", "museum", ""]),
)
def test_a_domain_is_read_as_the_library_reads_it(labels: list[str], ending: str) -> None:
    address = f"a@{'.'.join([*labels, ending])}"
    try:
        expected = validate_email(address, check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        assert refusal(Email(), address)
    else:
        assert Email().read(address, US) == expected


@given(address=st.emails())
def test_every_accepted_address_can_be_edited(address: str) -> None:
    try:
        value = Email().read(address, US)
    except FieldError:
        assume(False)
    assert Email().read(Email().edit(value, US), US) == value


def test_an_error_names_its_field() -> None:
    field: Any = fields(Sale)["amount"]
    with pytest.raises(FieldError) as caught:
        field.check.read("nan", US)
    answer = caught.value.at("amount", field.label)
    assert str(answer).startswith("Amount: ")
    assert answer.field == "amount"


@pytest.mark.parametrize(
    "typed",
    [
        "0664/123 45 67 DW 12",
        "0664 1234567 Kl. 5",
        "+43 664 1234567 dw12",
        "01 5880 Durchwahl 12",
        "0664 1234567 ext. 12",
    ],
)
def test_an_extension_never_becomes_part_of_a_number(typed: str) -> None:
    with pytest.raises(FieldError, match="extension"):
        Phone().read(typed, Conventions(country="AT"))


def test_letters_for_digits_in_a_phone_number_are_accepted() -> None:
    assert Phone().read("1-800-FLOWERS", Conventions(country="US")) == "+18003569377"


@pytest.mark.parametrize(
    ("typed", "amount"),
    [
        ("12k", "12000"),
        ("1.5m", "1500000"),
        ("$2,5K", "2500"),
        ("20 k", "20000"),
        ("12k USD", "12000"),
        ("1200", "1200"),
    ],
)
def test_an_amount_may_be_in_thousands_or_millions(typed: str, amount: str) -> None:
    assert Amount().read(typed, Conventions("en_US", "USD")) == int(amount)
    assert Price().read(typed, Conventions("en_US", "USD")) == int(amount)


@pytest.mark.parametrize("typed", ["1,500k", "k", "12kk", "12x", "-5k", "99999999m", "1.500k"])
def test_an_invalid_amount_in_thousands_is_refused(typed: str) -> None:
    assert refusal(Amount(), typed, Conventions("en_US", "USD"))


def test_a_quantity_is_not_written_in_thousands() -> None:
    assert "not an amount" in refusal(Quantity(), "12k", Conventions("en_US", "USD"))


@pytest.mark.parametrize("typed", ["-5", " -5", "\u22125.50", "-\u20ac5"])
def test_a_price_of_a_line_may_be_typed_with_a_minus_and_that_of_a_service_not(typed: str) -> None:
    assert ExactPrice().read(typed, Conventions("en_US", "EUR")) < 0
    with pytest.raises(FieldError, match="cannot be negative"):
        Price().read(typed, Conventions("en_US", "EUR"))
