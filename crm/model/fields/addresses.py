"""E-mail addresses, phone numbers and countries."""

import re
import unicodedata
from collections.abc import Sequence, Set
from functools import lru_cache
from typing import Any

from crm.errors import FieldError
from crm.lazy_pattern import lazy_pattern
from crm.model.conventions import Conventions
from crm.model.fields.checks import Check, Line
from crm.model.fields.countries import country_code, likely_country

# Made once: an import reads thousands.
_EMAIL_LINE, _ELECTRONIC_LINE, _PHONE_LINE, _COUNTRY_LINE = Line(254), Line(120), Line(60), Line(80)


class Email(Check):
    """An e-mail address. Its syntax is checked, not whether it exists (RFC 5322 and 6531, by email-validator)."""

    example = "anna@example.com"
    keeps_unreadable = True

    def read(self, typed: str, by: Conventions) -> str:
        text = _EMAIL_LINE.read(typed, by)
        # Wide letters, as some keyboards write them, are no others.
        return _normal_email(text if text.isascii() else unicodedata.normalize("NFKC", text)) if text else ""

    def read_all(self, texts: Sequence[str], by: Conventions) -> Sequence[str] | None:
        addresses = [text for text in texts if text]
        whole = "\n".join(addresses)
        if (
            not _PLAIN_ADDRESSES.fullmatch(whole)
            or whole.count("\n") >= len(addresses)
            or max(map(len, addresses)) > 64
        ):
            return None
        values = [text.lower() for text in texts]
        domains = {value.rpartition("@")[2] for value in values if value}
        is_sure = all(_PLAIN_DOMAIN.fullmatch(domain) and not _email_doubt(f"a@{domain}") for domain in domains)
        return values if is_sure else None

    def doubt(self, value: Any, by: Conventions) -> str:
        return _email_doubt(value) if value else ""


class ElectronicAddress(Check):
    """An address for e-invoices: an address in Peppol with its scheme of four digits, or an e-mail address."""

    example = "9930:DE123456789"

    def read(self, typed: str, by: Conventions) -> str:
        text = _ELECTRONIC_LINE.read(typed, by)
        if not text or "@" in text:
            return Email().read(text, by)
        scheme, _, address = (part.strip() for part in text.partition(":"))
        if not (re.fullmatch(r"[0-9]{4}", scheme) and re.fullmatch(r"[A-Za-z0-9:._-]+", address)):
            raise FieldError(f"write it with its scheme of four digits, like {self.example}, or give an e-mail address")
        return f"{scheme}:{address}"


# A mailbox of letters, digits and the usual signs (RFC 5322 dot-atom): nothing about it can be wrong.
_PLAIN_MAILBOX = lazy_pattern(r"[A-Za-z0-9_+-]+(\.[A-Za-z0-9_+-]+)*")

# Such addresses, each on a line.
_PLAIN_ADDRESSES = lazy_pattern(r"(?:[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*@[A-Za-z0-9.-]+(?:\n(?=.)|$))+")


# A name of the internet in plain letters, without two hyphens in a row, which have a meaning of their own (RFC 5890).
_PLAIN_DOMAIN = lazy_pattern(r"(?:[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*\.)+[A-Za-z]+")


# An address that is read is looked at for doubts next.
@lru_cache(maxsize=1024)
def _normal_email(text: str) -> str:
    mailbox, at, domain = text.rpartition("@")
    if at and len(mailbox) <= 64 and _PLAIN_MAILBOX.fullmatch(mailbox):
        # Mailboxes that differ in case alone are nowhere different people; one spelling finds duplicates.
        return f"{mailbox.lower()}@{_normal_domain(domain)}"
    return _validated(text)


@lru_cache(maxsize=8192)
def _normal_domain(domain: str) -> str:
    """The domain of an address; many addresses share one, and it is the costly part to check.

    The library takes thirty times as long for a plain one, of which an import of companies has thousands.
    """
    if _PLAIN_DOMAIN.fullmatch(domain) and len(domain) <= 253 and max(map(len, domain.split("."))) <= 63:
        normal = domain.lower()
        if not f".{normal}".endswith(_reserved()):
            return normal
    return _validated(f"a@{domain}")[2:]


@lru_cache(maxsize=1)
def _reserved() -> tuple[str, ...]:
    """The endings of domains that no mail is sent to."""
    from email_validator import SPECIAL_USE_DOMAIN_NAMES

    return tuple(f".{name}" for name in SPECIAL_USE_DOMAIN_NAMES)


def _validated(text: str) -> str:
    from email_validator import EmailNotValidError, validate_email

    try:
        return validate_email(text, check_deliverability=False).normalized.lower()
    except EmailNotValidError as error:
        # The library writes it in another way, and as a sentence of its own.
        why = str(error).replace("email", "e-mail").rstrip(".")
        if re.search(r"\s", text.strip()):
            why = "it has a space in it"
        raise FieldError(f"that is not an e-mail address: {why[:1].lower()}{why[1:]}") from error


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
    """A phone number, kept as E.164 (+4366012345678); read with the team's country (phonenumbers)."""

    example = "+43 660 1234567"
    keeps_unreadable = True

    def hint(self, by: Conventions) -> str:
        return f"{_like_home(by.country)}; from elsewhere with + and its country code"

    def read(self, typed: str, by: Conventions) -> str:
        text = _PHONE_LINE.read(typed, by)
        return _e164(text, by.country) if text else ""

    def read_all(self, texts: Sequence[str], by: Conventions) -> Sequence[str] | None:
        return texts if all(map(is_plain_number.__wrapped__, filter(None, texts))) else None

    def entered(self, typed: str, by: Conventions) -> str:
        text = _PHONE_LINE.read(typed, by)
        try:
            return self.read(text, by)
        except FieldError:
            if "@" in text:
                raise
            # An extension, letters for digits, a number of the house: what can be dialled stays as it is typed.
            if len(re.findall(r"\d", text)) < _FEWEST_DIGITS:
                raise
            number = _AT_THE_END.sub("", text)
            if any(sign.isalpha() for sign in number) and not _LETTERS_FOR_DIGITS.fullmatch(number):
                raise FieldError(_NO_LETTERS) from None
            return text

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
        if is_rounded(value):
            return _ROUNDED
        if (number := _AT_THE_END.sub("", value)) != value and self._is_number(number, by):
            return "has an extension, so it is kept as typed"
        return f"not a phone number in {_in_words(by.country)}"

    def _is_number(self, text: str, by: Conventions) -> bool:
        try:
            return bool(self.read(text, by))
        except FieldError:
            return False


class ClientPhone(Phone):
    """A phone number of somebody outside, kept as typed where it can still be dialled."""

    def read(self, typed: str, by: Conventions) -> str:
        return Phone().entered(typed, by)


_CALLED = {"AE": "the UAE", "GB": "the UK", "NL": "the Netherlands", "PH": "the Philippines", "US": "the US"}
# A number with fewer is none.
_FEWEST_DIGITS = 3
# Behind these a number within a company follows, in the languages in which they are short for it. The library takes its
# digits for the end of the number itself, which is then somebody else's.
_WORDS = (
    "dw|durchwahl|kl|klappe|nst|nebenst(?:elle)?|extension|extn?|poste|anexo|interno|int|ramal|toestel|anknytning|wew"
    "|linka"
)
_EXTENSION = lazy_pattern(rf"(?<![^\W\d_])(?:{_WORDS})[\s.:/#-]*\d{{1,6}}\s*$", re.IGNORECASE)
# One that is kept with its number as it was typed: 0121 234 5678 ext. 12, 040 1234 (x 5).
_AT_THE_END = lazy_pattern(rf"[\s(,;]*(?:x|{_WORDS})[\s.:/#-]*\d{{1,6}}[\s)]*$", re.IGNORECASE)
# 1-800-FLOWERS
_LETTERS_FOR_DIGITS = lazy_pattern(r"[+(]?\d[\d\s()./-]*[A-Z][A-Z-]{2,}")
_NO_LETTERS = "a phone number has no letters, but for an extension like ext. 12; put the rest in the notes"
_NO_EXTENSION = "leave the extension out of the number; put it in the notes"
_E164 = lazy_pattern(r"\+[1-9][0-9]{6,14}")


def _is_e164(text: str) -> bool:
    """Return whether a stored text is a number as `read` makes them, not one kept as it was typed."""
    return bool(_E164.fullmatch(text) and _country_code(text[1:4]))


def _in_words(country: str) -> str:
    """A country (ISO 3166) as it is called behind "in"."""
    from babel import Locale

    return _CALLED.get(country) or str(Locale("en").territories.get(country, country))


@lru_cache(maxsize=8)
def _like_home(country: str) -> str:
    """A phone number of a country as people there write it."""
    import phonenumbers

    number = phonenumbers.example_number(country)
    style = phonenumbers.PhoneNumberFormat.NATIONAL
    return phonenumbers.format_number(number, style) if number else Phone.example


@lru_cache(maxsize=1024)
def _country_code(digits: str) -> str:
    """The country code with which three digits begin; '' where there is no such code."""
    import phonenumbers

    codes = (digits[:end] for end in (1, 2, 3))
    return next((code for code in codes if int(code) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE), "")


# Whether the part behind a country's code is a number there: by its length, and by what it looks like.
_Plan = Sequence[tuple[Set[int], re.Pattern[str]]]


@lru_cache(maxsize=1024)
def is_plain_number(text: str) -> bool:
    """Return whether a text is a valid number as it is kept, as far as the tables of its country alone show.

    The library can say so too, but takes ten times as long, which is most of the time of an import. Numbers that may
    begin with a prefix, and those of the smaller of several countries with one code, are left to the library.
    """
    if not _E164.fullmatch(text) or not (code := _country_code(text[1:4])):
        return False
    national = text[1 + len(code) :]
    return any(len(national) in lengths and looks.fullmatch(national) for lengths, looks in _plan(code))


@lru_cache(maxsize=512)
def _plan(code: str) -> _Plan:
    """The numbers there are behind the code of a country: nothing where it is left to the library."""
    import phonenumbers

    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[int(code)]
    # The first of several countries is the one that the library tries first.
    known = phonenumbers.PhoneMetadata.metadata_for_region(regions[0])
    if known is None:
        return ()
    # Not where it could be a prefix that is left out, nor with zeros in front, which some countries keep.
    no_prefix = f"(?!{known.national_prefix_for_parsing or '0'}|0)"
    either = (
        known.mobile, known.fixed_line, known.toll_free, known.shared_cost, known.premium_rate, known.voip,
        known.personal_number, known.pager, known.uan, known.voicemail,
    )  # fmt: skip
    every = known.general_desc
    return [
        (
            frozenset(plan.possible_length or every.possible_length),
            re.compile(f"{no_prefix}(?=(?:{every.national_number_pattern})$)(?:{plan.national_number_pattern})"),
        )
        for plan in either
        if every and plan and plan.national_number_pattern
    ]


# How a spreadsheet shows a number that it took for a figure.
_AS_POWER = lazy_pattern(r"\d[.,]?\d*E\+?\d", re.IGNORECASE)
_ROUNDED = "a spreadsheet has rounded this number, so its last digits are lost; format the column there as text"
# By the numbers that the library gives its errors.
_WHY = {
    0: ": it begins with a country code that does not exist",
    2: ": after the country code it has too few digits",
    3: ": it has too few digits",
    4: ": it has too many digits",
}


def is_rounded(text: str) -> bool:
    """Return whether a spreadsheet has made a figure of a number, as 4.3E+11 is: several numbers look so."""
    return _AS_POWER.search(text) is not None


def _e164(text: str, country: str) -> str:
    if is_plain_number(text):
        return text
    if _EXTENSION.search(text):
        raise FieldError(_NO_EXTENSION)
    if is_rounded(text):
        raise FieldError(_ROUNDED)
    import phonenumbers

    try:
        number = phonenumbers.parse(text, country)
        if text.startswith("00") and not phonenumbers.is_valid_number(number):
            # As most of the world dials abroad, whatever is dialled for it in the country itself.
            number = phonenumbers.parse(f"+{text[2:]}", country)
    except phonenumbers.NumberParseException as error:
        why = _WHY.get(error.error_type, "")
        raise FieldError(
            f"that is not a phone number{why}; write it like {_like_home(country)}, or with + and its country code"
        ) from error
    if "@" in text:
        # The library skips the letters before a number.
        raise FieldError("that contains an e-mail address; give the phone number alone")
    if not phonenumbers.is_valid_number(number):
        raise FieldError(
            f"no such phone number in {_in_words(country)};"
            " start with + and the country code if it is from another country"
        )
    if number.extension:
        raise FieldError(_NO_EXTENSION)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def is_landline(number: str) -> bool:
    """Return whether a number as it is kept is surely one of a landline."""
    if not _is_e164(number):
        return False
    import phonenumbers

    kind = phonenumbers.number_type(phonenumbers.parse(number))
    return bool(kind == phonenumbers.PhoneNumberType.FIXED_LINE)


class Country(Check):
    """A country: its ISO 3166 code, or its name in English, the team's language or its own; kept as the code."""

    example = "US or United States"
    keeps_unreadable = True

    def hint(self, by: Conventions) -> str:
        from babel import Locale

        return f"{by.country} or {Locale('en').territories.get(by.country, by.country)}"

    def read(self, typed: str, by: Conventions) -> str:
        text = _COUNTRY_LINE.read(typed, by)
        if not text:
            return ""
        code = country_code(text, by.language)
        if not code and (likely := likely_country(text, by.language)):
            raise FieldError(f"no country has that name or code; did you mean {self.show(likely, by)}?")
        if not code:
            raise FieldError("no country has that name or code; write its two letters, like AT")
        return code

    def doubt(self, value: Any, by: Conventions) -> str:
        return "" if not value or country_code(value, by.language) == value else "no country has that name or code"

    def show(self, value: Any, by: Conventions) -> str:
        return str(by.locale.territories.get(value, value)) if value else ""

    def edit(self, value: Any, by: Conventions) -> str:
        return str(value)
