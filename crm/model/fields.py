"""How the value of a field is checked when it is typed, shown to people, and written as text.

A check turns what a person typed into a value or raises FieldError with the reason in a sentence.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, ClassVar

from crm.errors import FieldError
from crm.model.conventions import Conventions

# Controls, line separators and the marks that reorder text on screen; the plain left-to-right and
# right-to-left marks are part of names in Arabic and Hebrew and stay.
_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]")
_SPACES = re.compile(r"\s+")
_CONTROL_NAMES = {"\x00": "NUL", "\x07": "bell", "\x08": "backspace", "\x1b": "escape", "\x7f": "delete"}

LARGEST_AMOUNT = Decimal("999999999999.99")
FOREVER = date(9999, 12, 31)


def forbidden_character(text: str) -> str:
    """The first character in `text` that must not be stored, in words; '' when there is none."""
    found = _FORBIDDEN.search(text)
    if found is None:
        return ""
    character = found.group()
    name = _CONTROL_NAMES.get(character, f"U+{ord(character):04X}")
    return f"an invisible control character ({name}) at place {found.start() + 1}"


class Check:
    """What one kind of field accepts. Subclasses say how a value is read and shown."""

    empty: ClassVar[Any] = ""
    example: ClassVar[str] = ""
    # A value that cannot be read is still worth keeping as it was typed when it comes from a file.
    keeps_unreadable: ClassVar[bool] = False

    def read(self, typed: str, by: Conventions) -> Any:
        """The value of what was typed; raises FieldError."""
        raise NotImplementedError

    def show(self, value: Any, by: Conventions) -> str:
        """The value for people to read."""
        return str(value) if value is not None else ""

    def edit(self, value: Any, by: Conventions) -> str:
        """The value as text that `read` takes back unchanged."""
        return self.show(value, by)

    def doubt(self, value: Any, by: Conventions) -> str:
        """What is odd about a stored value, as a sentence; '' when nothing is."""
        return ""


@dataclass(frozen=True)
class Line(Check):
    """One line of text; blanks at the ends and runs of blanks are tidied."""

    longest: int = 200

    def read(self, typed: str, by: Conventions) -> str:
        if typed.isprintable() and len(typed) <= self.longest and "  " not in typed:
            return typed.strip()
        text = _SPACES.sub(" ", typed).strip()
        if forbidden := forbidden_character(text):
            raise FieldError(f"there is {forbidden}; leave it out")
        if len(text) > self.longest:
            raise FieldError(f"at most {self.longest} characters, this has {len(text)}")
        return text


@dataclass(frozen=True)
class Prose(Check):
    """Text of any number of lines."""

    longest: int = 20_000

    def read(self, typed: str, by: Conventions) -> str:
        text = typed.replace("\r\n", "\n").replace("\r", "\n").strip()
        if forbidden := forbidden_character(text):
            raise FieldError(f"there is {forbidden}; leave it out")
        if len(text) > self.longest:
            raise FieldError(f"at most {self.longest} characters, this has {len(text)}")
        return text


class Email(Check):
    """An e-mail address. Its syntax is checked, not whether it exists (RFC 5322 and 6531, by email-validator)."""

    example = "anna@example.com"
    keeps_unreadable = True

    def read(self, typed: str, by: Conventions) -> str:
        text = Line(254).read(typed, by)
        return _normal_email(text) if text else ""

    def doubt(self, value: Any, by: Conventions) -> str:
        return _email_doubt(value) if value else ""


# A mailbox of letters, digits and the usual signs (RFC 5322 dot-atom): nothing about it can be wrong.
_PLAIN_MAILBOX = re.compile(r"[A-Za-z0-9_+-]+(\.[A-Za-z0-9_+-]+)*")


def _normal_email(text: str) -> str:
    mailbox, at, domain = text.rpartition("@")
    if at and len(mailbox) <= 64 and _PLAIN_MAILBOX.fullmatch(mailbox):
        # Mailboxes that differ in case alone are nowhere different people; one spelling finds duplicates.
        return f"{mailbox.lower()}@{_normal_domain(domain)}"
    return _validated(text)


@lru_cache(maxsize=8192)
def _normal_domain(domain: str) -> str:
    """The domain of an address; many addresses share one, and it is the costly part to check."""
    return _validated(f"a@{domain}")[2:]


def _validated(text: str) -> str:
    from email_validator import EmailNotValidError, validate_email

    try:
        return validate_email(text, check_deliverability=False).normalized.lower()
    except EmailNotValidError as error:
        raise FieldError(f"that is not an e-mail address: {error}".rstrip(".")) from error


@lru_cache(maxsize=4096)
def _known_top_level(domain: str) -> bool:
    return _public_suffixes().publicsuffix(domain, accept_unknown=False) is not None


@lru_cache(maxsize=1)
def _public_suffixes() -> Any:
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList()


def _email_doubt(value: str) -> str:
    try:
        _normal_email(value)
    except FieldError as error:
        return error.reason
    ending = value.rpartition(".")[2].lower()
    if not _known_top_level(ending):
        return f"no e-mail domain ends in .{ending}"
    return ""


class Phone(Check):
    """A telephone number, kept as E.164 (+4366012345678); read with the team's country (phonenumbers)."""

    example = "+43 660 1234567"
    keeps_unreadable = True

    def read(self, typed: str, by: Conventions) -> str:
        text = Line(60).read(typed, by)
        return _e164(text, by.country) if text else ""

    def show(self, value: Any, by: Conventions) -> str:
        if not value or not _is_e164(value):
            return str(value)
        import phonenumbers

        number = phonenumbers.parse(value)
        home = number.country_code == phonenumbers.country_code_for_region(by.country)
        style = phonenumbers.PhoneNumberFormat.NATIONAL if home else phonenumbers.PhoneNumberFormat.INTERNATIONAL
        return phonenumbers.format_number(number, style)

    def doubt(self, value: Any, by: Conventions) -> str:
        if not value or _is_e164(value):
            return ""
        return f"not a telephone number as it is written (read for {by.country})"


_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


def _is_e164(text: str) -> bool:
    """Whether a stored text is a number as `read` makes them, not one kept as it was typed."""
    if not _E164.fullmatch(text):
        return False
    import phonenumbers

    return any(int(text[1:end]) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE for end in (2, 3, 4))


def _e164(text: str, country: str) -> str:
    import phonenumbers

    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException as error:
        raise FieldError(f"that cannot be read as a telephone number: {str(error).rstrip('.').lower()}") from error
    if not phonenumbers.is_valid_number(number):
        raise FieldError(
            f"there is no such telephone number (without a country code it is read for {country});"
            " start with + and the country code if it is from elsewhere"
        )
    if number.extension:
        raise FieldError("an extension has no place in a telephone number; put it in the notes")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


_ISO_DAY = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_WRITTEN_DAY = re.compile(r"(\d{1,2})[./-]\s?(\d{1,2})[./-]\s?(\d{4})")
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True)
class Day(Check):
    """A date: 2026-11-21, today, yesterday, fri, or day and month in the team's order.

    A weekday is the last one before today where `past`, else the next one. `earliest` and, with
    `past`, today bound it.
    """

    past: bool = True
    earliest: date = date(1900, 1, 1)

    empty = None
    example = "2026-11-20, today, fri"

    def read(self, typed: str, by: Conventions) -> date | None:
        text = typed.strip().lower()
        if not text:
            return None
        day = self._day(text, by)
        if day < self.earliest:
            raise FieldError(f"{day.isoformat()} is before {self.earliest.isoformat()}")
        if self.past and day > by.today:
            raise FieldError(f"{day.isoformat()} lies in the future (today is {by.today.isoformat()})")
        return day

    def _day(self, text: str, by: Conventions) -> date:
        words = {"today": 0, "yesterday": -1, "tomorrow": 1}
        if text in words:
            return by.today + timedelta(days=words[text])
        if len(text) >= 3 and (named := [day for day in _WEEKDAYS if day.startswith(text)]):
            distance = _WEEKDAYS.index(named[0]) - by.today.weekday()
            return by.today + timedelta(days=-(-distance % 7 or 7) if self.past else (distance % 7 or 7))
        if iso := _ISO_DAY.fullmatch(text):
            year, month, day = (int(part) for part in iso.groups())
        elif written := _WRITTEN_DAY.fullmatch(text):
            first, second, year = (int(part) for part in written.groups())
            day, month = (first, second) if by.day_first or "." in text else (second, first)
        else:
            raise FieldError("write the date as year-month-day, like 2026-11-20, or today, yesterday, fri")
        return calendar_day(year, month, day)

    def show(self, value: Any, by: Conventions) -> str:
        return "until lifted" if value == FOREVER else by.day(value)

    def edit(self, value: Any, by: Conventions) -> str:
        return value.isoformat() if value is not None else ""


def calendar_day(year: int, month: int, day: int) -> date:
    """The date of these numbers; a FieldError says which of them cannot be."""
    try:
        return date(year, month, day)
    except ValueError as error:
        if not 1 <= month <= 12:
            raise FieldError(f"there is no month {month}") from error
        raise FieldError(f"there is no day {day} in {year}-{month:02d}") from error


_PLAIN_AMOUNT = re.compile(r"\d+(\.\d{1,2})?")


class Amount(Check):
    """Money in major units with two decimals, zero or more; grouping and decimal mark as the team writes them.

    A point before one or two last digits is always the decimal mark, so scripts need not know the locale.
    """

    empty = Decimal("0.00")
    example = "1200 or 1200.50"

    def read(self, typed: str, by: Conventions) -> Decimal:
        text = _SPACES.sub("", typed)
        if not text:
            raise FieldError(f"an amount is needed, like {self.example}")
        if text.startswith(("-", "\u2212")):
            raise FieldError("an amount cannot be negative; to undo a sale, take it back")
        amount = Decimal(text) if len(text) <= 15 and _PLAIN_AMOUNT.fullmatch(text) else self._localised(text, by)
        if amount > LARGEST_AMOUNT:
            raise FieldError(f"at most {by.amount(LARGEST_AMOUNT)}")
        return amount.quantize(Decimal("0.01"))

    def _localised(self, text: str, by: Conventions) -> Decimal:
        from babel.numbers import NumberFormatError, get_group_symbol, parse_decimal

        mark = by.decimal_mark
        group = get_group_symbol(by.locale)
        if not re.fullmatch(rf"[\d.,'\u2019{re.escape(mark + group)}]+", text) or not re.search(r"\d", text):
            raise FieldError(f"that is not an amount; write digits, like {self.example}")
        if len(text) > 40:
            raise FieldError(f"at most {by.amount(LARGEST_AMOUNT)}")
        hint = _meant_amount(text)
        if group == "\u2019":
            # The Swiss write it as their keyboards have it.
            text = text.replace("'", group)
        try:
            amount = parse_decimal(text, locale=by.locale, strict=True)
        except (NumberFormatError, InvalidOperation) as error:
            meant = f"; if you mean {hint}, write {hint}" if hint else ""
            raise FieldError(f"the separators of {text} cannot be read for {by.language}{meant}") from error
        # One that is too large is told by the caller; it may have more digits than `quantize` takes.
        if amount <= LARGEST_AMOUNT and amount != amount.quantize(Decimal("0.01")):
            raise FieldError("an amount has at most two decimals")
        return amount

    def show(self, value: Any, by: Conventions) -> str:
        return by.money(value) if value is not None else ""

    def edit(self, value: Any, by: Conventions) -> str:
        return f"{value:.2f}"


def _meant_amount(text: str) -> str:
    """What 1.234,56 or 12,50 most likely means, as a plain number; '' when it could be several."""
    last = max(text.rfind(","), text.rfind("."))
    decimals = text[last + 1 :]
    if last < 0 or not 1 <= len(decimals) <= 2 or not decimals.isdigit():
        return ""
    whole = re.sub(r"\D", "", text[:last])
    return f"{whole or '0'}.{decimals}"


@dataclass(frozen=True)
class Choice(Check):
    """One of a few words; `options` maps each value to what people read."""

    options: Mapping[str, str]

    def read(self, typed: str, by: Conventions) -> str:
        text = typed.strip().lower()
        if not text:
            return ""
        for value, words in self.options.items():
            if text in (value, words.lower()):
                return value
        raise FieldError(f"one of {', '.join(self.options)}")

    def show(self, value: Any, by: Conventions) -> str:
        return self.options.get(value, value)

    def edit(self, value: Any, by: Conventions) -> str:
        return str(value)

    def __hash__(self) -> int:
        return hash(tuple(self.options))


class Flag(Check):
    """Yes or no."""

    empty = False
    example = "yes or no"

    def read(self, typed: str, by: Conventions) -> bool:
        text = typed.strip().lower()
        if text in ("yes", "y", "true", "1", "on", "x", "opted in", "subscribed"):
            return True
        if text in ("", "no", "n", "false", "0", "off", "opted out", "unsubscribed"):
            return False
        raise FieldError("answer yes or no")

    def show(self, value: Any, by: Conventions) -> str:
        return "yes" if value else "no"


class Tags(Check):
    """Any number of tags, lower case, separated by commas; each at most 40 characters."""

    empty = ()
    example = "gold, newsletter"

    def read(self, typed: str, by: Conventions) -> tuple[str, ...]:
        tags = {Line(40).read(part.lower(), by): None for part in re.split(r"[,;\n]", typed)}
        tags.pop("", None)
        if len(tags) > 50:
            raise FieldError("at most 50 tags")
        return tuple(tags)

    def show(self, value: Any, by: Conventions) -> str:
        return ", ".join(value)


class Country(Check):
    """A country: its ISO 3166 code, or its name in English or the team's language; kept as the code."""

    example = "AT or Austria"

    def read(self, typed: str, by: Conventions) -> str:
        text = Line(80).read(typed, by)
        if not text:
            return ""
        code = _countries(by.language).get(text.casefold())
        if code is None:
            raise FieldError("no country has that name or code; write its two letters (ISO 3166), like AT")
        return code

    def show(self, value: Any, by: Conventions) -> str:
        return str(by.locale.territories.get(value, value)) if value else ""

    def edit(self, value: Any, by: Conventions) -> str:
        return str(value)


_COUNTRY_ALIASES = {
    "uk": "GB", "england": "GB", "scotland": "GB", "wales": "GB", "great britain": "GB",
    "usa": "US", "u.s.a.": "US", "u.s.": "US", "united states of america": "US", "america": "US",
    "czech republic": "CZ", "holland": "NL", "the netherlands": "NL", "south korea": "KR", "russia": "RU",
}  # fmt: skip


@lru_cache(maxsize=4)
def _countries(language: str) -> Mapping[str, str]:
    from babel import Locale

    codes: dict[str, str] = {}
    for locale in (Locale.parse("en"), Locale.parse(language)):
        for code, name in locale.territories.items():
            if len(code) == 2 and code.isalpha() and code not in ("EU", "EZ", "UN", "ZZ", "XA", "XB"):
                codes[code.casefold()] = code
                codes[name.casefold()] = code
    return codes | _COUNTRY_ALIASES


@dataclass(frozen=True)
class Whole(Check):
    """A whole number within bounds."""

    least: int = 0
    most: int = 2**31 - 1

    empty = 0

    def read(self, typed: str, by: Conventions) -> int:
        text = typed.strip().lstrip("#")
        if not (text.isascii() and text.isdigit()):
            raise FieldError("write a whole number in digits")
        if len(text) > 12 or not self.least <= int(text) <= self.most:
            raise FieldError(f"a whole number from {self.least} to {self.most}")
        return int(text)


class Extra(Check):
    """The team's own fields of a record, `name=value` separated by line breaks; values are text."""

    empty: ClassVar[Mapping[str, str]] = {}
    example = "shoe size=42"

    def read(self, typed: str, by: Conventions) -> dict[str, str]:
        fields: dict[str, str] = {}
        for line in filter(None, (part.strip() for part in typed.splitlines())):
            name, equals, value = line.partition("=")
            if not equals or not name.strip():
                raise FieldError("write each of your own fields as name=value")
            fields[Line(60).read(name, by)] = Line(2000).read(value, by)
        return fields

    def show(self, value: Any, by: Conventions) -> str:
        return ", ".join(f"{name}: {text}" for name, text in value.items())

    def edit(self, value: Any, by: Conventions) -> str:
        return "\n".join(f"{name}={text}" for name, text in value.items())
