"""The settings, in one table: what each is called, what it may be, what it is when nobody says."""

import getpass
import os
import re
import sys
from collections.abc import Callable, Container, Mapping
from contextlib import suppress
from dataclasses import field
from datetime import date, datetime, time
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from crm.atomic_write import atomic_write
from crm.clock import NO_ZONES, machine_now, machine_zone, running_from
from crm.errors import FieldError, FileError, UsageError
from crm.lazy_pattern import lazy_pattern
from crm.lean_dataclass import dataclass
from crm.model.billing import METHODS, TAX_CATEGORIES
from crm.model.conventions import SALES, Conventions
from crm.model.data import (
    CURRENCY,
    FEW_DELETIONS,
    PAID_INVOICES,
    READS_AFTER,
    SHEET_DELETIONS,
    SHEET_READS,
    SPEND_COUNTS,
    TIME_ZONE,
)
from crm.model.fields import Check, Choice, Country, Email, Flag, Line, Price, Rate, Secret, Whole
from crm.model.iban import bare_iban, iban_like, is_iban, is_like_iban
from crm.model.local_taxes import LOCAL_TAXES
from crm.model.paths import display_path, path_of
from crm.model.vat_ids import bare_vat_id, is_like_vat_id, is_other_tax_id, vat_id_like
from crm.private_files import private_folder

# How the URL of a store begins that is a file, or a Google spreadsheet.
SQLITE, SHEETS = "sqlite:///", "sheets://"
# What is remembered is made by the program and read by it; anything else was not meant.
_REMEMBERED = lazy_pattern(rf"{SHEETS}[\w-]+")
# What a file system takes in a name, less what the name of a backup that is kept adds.
_LONGEST_STEM = 255 - len("-2026-11-29-101500-damaged.sqlite3")
# The setting with the accounts of a bookkeeping program.
ACCOUNTS = "accounts"
# What names the store with the sample data.
SAMPLE = "sample"
# The first and the last year that CRM_NOW can name.
_FIRST_YEAR, _LAST_YEAR = 1900, 9000


class Language(Check):
    """A locale as Babel names it: de_AT, en_US."""

    example = "en_US for English in the US, en_GB for the UK, de_AT for German in Austria"

    def read(self, typed: str, by: Conventions) -> str:
        from babel import Locale, UnknownLocaleError

        try:
            return str(Locale.parse(typed.strip().replace("-", "_")))
        except (UnknownLocaleError, ValueError, TypeError) as error:
            raise FieldError("no such language and country; write it like en_US or de_AT") from error


# Codes of ISO 4217 for no currency, and for tests.
_NO_CURRENCIES = frozenset(("XXX", "XTS"))


class Currency(Check):
    """A currency by its ISO 4217 code."""

    example = "EUR"
    completed_by = "currency"

    def read(self, typed: str, by: Conventions) -> str:
        code = typed.strip().upper()
        if code not in by.locale.currencies or code in _NO_CURRENCIES:
            raise FieldError(f"no currency has that code; write its three letters, like {by.currency}")
        return code


@dataclass(frozen=True)
class LongSecret(Secret):
    """A secret that nobody can guess: of at least so many characters."""

    shortest: int = 32

    def read(self, typed: str, by: Conventions) -> str:
        if len(typed) < self.shortest:
            raise FieldError(f"at least {self.shortest} characters, best random ones (openssl rand -base64 48)")
        return typed


# So many letters of a city are enough to look for it, and so many cities are named.
_LEAST_OF_CITY, _CITIES = 3, 4


@cache
def _time_zones() -> dict[str, str]:
    """All time zones, by their names in lower case; to find them reads many folders."""
    from zoneinfo import available_timezones

    return {timezone.casefold(): timezone for timezone in available_timezones() - NO_ZONES}


class TimeZone(Check):
    """A time zone by its IANA name, by the city alone, or by the beginning of a word of it that only one has."""

    example = "the nearest big city, for example New York"

    def read(self, typed: str, by: Conventions) -> str:
        folded, names = "_".join(typed.split()).casefold(), _time_zones()
        if folded in names:
            return names[folded]
        cities = {name: name.casefold().rpartition("/")[2] for name in names.values()}
        matches = sorted(name for name, city in cities.items() if city == folded)
        if not matches and len(folded) >= _LEAST_OF_CITY:
            matches = sorted(name for name, city in cities.items() if f"_{folded}" in f"_{city}")
        if len(matches) != 1:
            which = f"; did you mean {' or '.join(matches[:_CITIES])}?" if matches else ""
            raise FieldError(f"no time zone is called that; write the nearest big city, for example New York{which}")
        return matches[0]


class Instant(Check):
    """A moment, as a date and a time with a UTC offset (ISO 8601)."""

    example = "2026-11-20T14:05:00Z"

    def read(self, typed: str, by: Conventions) -> datetime:
        try:
            moment = datetime.fromisoformat(typed.strip())
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            raise FieldError(f"write a date, a time and an offset from UTC, like {self.example}")
        # There are no days before the year 1 and after the year 9999 to count to and from.
        if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
            raise FieldError(f"its year must be between {_FIRST_YEAR} and {_LAST_YEAR}")
        return moment


class Switch(Check):
    """Yes or no, kept as the word."""

    empty = "no"
    example = Flag.example

    def read(self, typed: str, by: Conventions) -> str:
        return Flag().show(Flag().read(typed, by), by)


class Addresses(Check):
    """E-mail addresses, separated by commas."""

    example = "anna@example.org, bo@example.net"

    def read(self, typed: str, by: Conventions) -> str:
        text = Line(2000).read(typed, by)
        addresses = (Email().read(part, by) for part in re.split(r"[\s,;]+", text) if part)
        return ", ".join(dict.fromkeys(addresses))


class VatId(Check):
    """A VAT id with its country, without blanks; the tax number in a country without VAT."""

    example = "DE123456789"

    def read(self, typed: str, by: Conventions) -> str:
        text = bare_vat_id(typed)
        if text and not (is_like_vat_id(text) or is_other_tax_id(text, by.country)):
            local = LOCAL_TAXES.get(by.country)
            how = f"like {local.example}" if local else f"with its country, like {vat_id_like(text, by.country)}"
            raise FieldError(f"write it {how}")
        return text

    def hint(self, by: Conventions) -> str:
        return LOCAL_TAXES[by.country].example if by.country in LOCAL_TAXES else vat_id_like("", by.country)


class Iban(Check):
    """The number of a bank account (ISO 13616), with its check digits."""

    example = "DE89 3704 0044 0532 0130 00"

    def hint(self, by: Conventions) -> str:
        return iban_like(by.country)

    def read(self, typed: str, by: Conventions) -> str:
        text = bare_iban(typed)
        if not text:
            return ""
        if not is_like_iban(text):
            raise FieldError(f"an IBAN is written like {self.hint(by)}")
        if not is_iban(text):
            raise FieldError("a digit of this IBAN is wrong: its check digits do not match")
        return text


class Accounts(Check):
    """Accounts of a bookkeeping program, by rates and categories of tax and by ways to pay."""

    example = "19%=8400, 7%=8300, AE=8337, bank transfer=1200"

    def read(self, typed: str, by: Conventions) -> str:
        pairs: dict[str, str] = {}
        for part in filter(None, (piece.strip() for piece in Line(2000).read(typed, by).split(","))):
            key, _, account = (piece.strip() for piece in part.partition("="))
            rate = re.fullmatch(r"(\d{1,3}(?:\.\d{1,2})?) ?%", key)
            if rate:
                key = f"{Decimal(rate[1]).normalize():f}%"
            elif key.upper() in TAX_CATEGORIES:
                key = key.upper()
            elif key.lower() in METHODS:
                key = key.lower()
            else:
                raise FieldError(
                    f"{key!r:.40} is not a rate, tax category ({', '.join(TAX_CATEGORIES)}) or method of payment"
                    f" ({', '.join(METHODS)}); write it like {self.example}"
                )
            if not re.fullmatch(r"[\w.-]{1,20}", account):
                raise FieldError(f"give {key} an account, like {key}=8400")
            pairs[key] = account
        return ", ".join(f"{key}={account}" for key, account in pairs.items())


def accounts_of(setting: str) -> dict[str, str]:
    """The accounts of a bookkeeping program: by rate (19%), by category of tax (AE), by way to pay."""
    pairs = (pair.partition("=") for pair in setting.split(", ") if pair)
    return {key: account for key, _, account in pairs}


class Endpoint(Check):
    """The address of a service on the network: a scheme, a host and a port, and nothing after them."""

    example = "http://127.0.0.1:8765"

    def read(self, typed: str, by: Conventions) -> str:
        address = typed.strip().rstrip("/")
        try:
            parts = urlsplit(address)
            good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            good = False
        if not good or "@" in parts.netloc or parts.path or parts.query or parts.fragment:
            raise FieldError(f"it must be an http or https address like {self.example}")
        return address


@dataclass(frozen=True, slots=True)
class Option:
    """One setting: from the environment where it has a `variable`, else one of the team's, kept in the store."""

    name: str
    label: str
    check: Check
    description: str
    default: Callable[[], Any] = lambda: ""
    variable: str = ""


def _language() -> str:
    for name in ("LC_ALL", "LC_MONETARY", "LANG"):
        written = os.environ.get(name, "").partition(".")[0].partition("@")[0]
        if written and written not in ("C", "POSIX"):
            try:
                return str(Language().read(written, Conventions()))
            except FieldError:
                continue
    return "en_US"


def _territory() -> str:
    return Conventions(language=_language()).locale.territory or "US"


def _currency() -> str:
    from babel.numbers import get_territory_currencies

    return (get_territory_currencies(_territory()) or ["USD"])[-1]


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""


def data_folder(environment: Mapping[str, str]) -> Path:
    """The folder of this user's data, as the environment of a menu or of a command says; where it does not, the one of
    the person that the process belongs to."""
    if named := environment.get("XDG_DATA_HOME", "").strip():
        return Path(named) / "crm"
    home = environment.get("HOME", "")
    if home and sys.platform != "win32":
        return Path(home, "Library/Application Support" if sys.platform == "darwin" else ".local/share", "crm")
    from platformdirs import user_data_path

    return user_data_path("crm", appauthor=False)


def own_store(folder: Path) -> str:
    """The store on this computer: a SQLite file in the user's data folder."""
    return f"{SQLITE}{folder / 'crm.sqlite3'}"


def sample_file(folder: Path) -> Path:
    """The file of the store with the sample data, in the user's data folder."""
    return folder / "sample.sqlite3"


def sample_store(folder: Path) -> str:
    """The store with the sample data, which `--store sample` names."""
    return f"{SQLITE}{sample_file(folder)}"


def store_file(store: str) -> Path | None:
    """The file of a store on this computer by its URL, absolute; None where the URL names no file. Raises UsageError
    for a path that cannot be."""
    if not store.startswith(SQLITE) or store == SQLITE:
        return None
    try:
        file = path_of(store.removeprefix(SQLITE)).absolute()
    except FieldError as error:
        raise UsageError(f"{display_path(store)} is not a store address: {error.reason}.") from error
    except OSError as error:
        raise UsageError(
            f"{display_path(store)} is relative to a folder that no longer exists. Change to another folder."
        ) from error
    if len(os.fsencode(file.stem)) > _LONGEST_STEM:
        raise UsageError(
            "The file name is too long, because backups add the date to it. Choose a name of at most"
            f" {_LONGEST_STEM} bytes before its extension."
        )
    return file


def default_store(folder: Path) -> str:
    """The store when none is named: the one that was connected last, else the one on this computer."""
    return remembered_store(folder) or own_store(folder)


def _memory(folder: Path) -> Path:
    return folder / "store.txt"


def remembered_store(folder: Path) -> str:
    """The store that was connected, '' where none was. Raises UsageError where that cannot be read."""
    memory = _memory(folder)
    try:
        written = memory.read_text("utf-8").strip()
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except (OSError, UnicodeDecodeError) as error:
        where, why = display_path(memory), getattr(error, "strerror", "") or "it is not text"
        raise UsageError(f"{where}, which names the store to open, cannot be read: {why}. Delete it.") from error
    if not _REMEMBERED.fullmatch(written):
        raise UsageError(f"{display_path(memory)} does not name a store. Delete it, and connect the spreadsheet again.")
    return written


def remember_store(folder: Path, url: str) -> None:
    """Remember a store as the one to open where none is named; '' forgets it. Raises FileError."""
    memory = _memory(folder)
    try:
        if not url:
            memory.unlink(missing_ok=True)
            return
        private_folder(folder)
        with atomic_write(memory) as file:
            file.write(f"{url}\n".encode())
    except OSError as error:
        where = display_path(memory)
        raise FileError(f"The choice cannot be kept: {where} cannot be written ({error.strerror}).") from error


ENVIRONMENT: tuple[Option, ...] = (
    Option(
        "store",
        "Store",
        Line(1000),
        "Where the data is: sqlite:///path, or sheets:// and the ID or address of a Google spreadsheet.",
        default=lambda: default_store(data_folder(os.environ)),
        variable="CRM_STORE",
    ),
    Option("user", "User", Line(100), "The author of changes in the history.", default=_user, variable="CRM_USER"),
    Option(
        "now",
        "Now",
        Instant(),
        "The time that the program starts with, to try things out, like `2026-11-20T14:05:00Z`. The clock runs on from"
        " there.",
        default=machine_now,
        variable="CRM_NOW",
    ),
    Option(
        "credentials",
        "Credentials",
        Secret(),
        "The key of a Google service account: the JSON itself, not the name of a file.",
        variable="CREDS",
    ),
    Option(
        "credentials_file",
        "Credentials file",
        Line(1000),
        "The file with that key if `CREDS` is not set, instead of `creds.json` in the current folder or beside"
        " `run.py`. `creds.example.json` shows what it looks like.",
        variable="CRM_CREDS",
    ),
    Option(
        "google",
        "Google",
        Endpoint(),
        "The address of a stand-in for Google, to try things out; it accepts only credentials made for it.",
        variable="CRM_GOOGLE_URL",
    ),
    Option(
        "secret",
        "Secret",
        LongSecret(),
        "Protects passwords, second factors and sessions: at least 32 random characters, the same on every machine that"
        " opens the store. Without it, each machine makes its own file `secret`; if that is lost, no one can sign in."
        " The command `secret` prints a new one.",
        variable="CRM_SECRET",
    ),
    Option(
        "smtp_url",
        "Mail server",
        Secret(),
        "The server that sends e-mail: `smtp://user:password@host:587?starttls`, or `smtps://…`. `gmail:` sends through"
        " Google with the key of the service account, as `CRM_MAIL_FROM`.",
        variable="CRM_SMTP_URL",
    ),
    Option(
        "mail_from",
        "Mail from",
        Line(300),
        "The sender of e-mail: an address, or `Example Ltd <crm@example.com>`.",
        variable="CRM_MAIL_FROM",
    ),
    Option(
        "imap_url",
        "Mailbox",
        Secret(),
        "The mailbox that e-mail is read from: `imaps://user:password@host/INBOX`. Write an @ in the user name as"
        " `%40`.",
        variable="CRM_IMAP_URL",
    ),
    Option(
        "twilio_account",
        "Twilio account",
        Line(60),
        "The Twilio account that sends SMS (AC…).",
        variable="TWILIO_ACCOUNT_SID",
    ),
    Option("twilio_token", "Twilio token", Secret(), "The token of that account.", variable="TWILIO_AUTH_TOKEN"),
    Option(
        "twilio_from",
        "Twilio sender",
        Line(60),
        "The number, name or messaging service (MG…) that sends the texts.",
        variable="TWILIO_FROM",
    ),
    Option(
        "twilio",
        "Twilio",
        Endpoint(),
        "The address of a stand-in for Twilio, to try things out; it accepts no real Twilio account.",
        variable="CRM_TWILIO_URL",
    ),
    Option(
        "origin",
        "Origin",
        Endpoint(),
        "The web terminal: its only address, like `https://crm.example.com`; other addresses are refused. Links in"
        " e-mails need it.",
        variable="CRM_ORIGIN",
    ),
    Option(
        "admin_email",
        "Admin's e-mail",
        Email(),
        "The web terminal: if there is no admin yet, one is made with this address, and a one-time password is printed"
        " once.",
        variable="CRM_ADMIN_EMAIL",
    ),
    Option(
        "trusted_proxies",
        "Trusted proxies",
        Line(1000),
        "The web terminal: the addresses or networks of the proxies in front of it, separated by commas; `*` if nobody"
        " else can reach it. Not needed on Heroku.",
        variable="FORWARDED_ALLOW_IPS",
    ),
    Option(
        "terminals",
        "Terminals",
        Whole(least=1, most=1000),
        "The web terminal: how many can be open at once. Each takes up to 38 MB: 10 fit into 512 MB.",
        default=lambda: 30,
        variable="CRM_WEB_TERMINALS",
    ),
)

# Kept in the store, so that everybody who works on it has the same.
TEAM: tuple[Option, ...] = (
    Option("company_name", "Company name", Line(80), "Your company's name, in the title."),
    Option(
        "language",
        "Language and number format",
        Language(),
        "The format of numbers, money, dates and times, and the language of invoices.",
        default=_language,
    ),
    Option(
        CURRENCY,
        "Currency",
        Currency(),
        "The currency of all amounts, by its three letters. If you change it, amounts are not converted.",
        default=_currency,
    ),
    Option(
        SPEND_COUNTS,
        "Total spend counts",
        Choice({SALES: "the sales that are recorded", PAID_INVOICES: "what was paid on invoices"}),
        f"What counts as a client's total spend, which status rules use: {SALES}, or {PAID_INVOICES} in the team's"
        " currency.",
        default=lambda: SALES,
    ),
    Option(
        "country",
        "Country",
        Country(),
        "Your country: for your address and tax, and the default for phone numbers.",
        default=_territory,
    ),
    Option(
        TIME_ZONE,
        "Time zone",
        TimeZone(),
        "Where your team is: the nearest big city, like New York. It decides when a day begins and which times are"
        " shown.",
        default=machine_zone,
    ),
    Option(
        "tax_rate",
        "Tax rate",
        Rate(),
        "The usual tax rate in percent, for services and invoice lines without their own rate.",
        default=lambda: "0",
    ),
    Option("company_address", "Street", Line(300), "Your address on invoices: the street."),
    Option("company_postcode", "Postcode", Line(20), "The postcode of your address on invoices."),
    Option("company_city", "City", Line(100), "Your city."),
    Option("company_region", "State/Region", Line(100), "Your state or region, if your address has one."),
    Option("company_email", "E-mail on invoices", Email(), "The e-mail address on your invoices."),
    Option("company_phone", "Phone on invoices", Line(60), "The phone number on your invoices."),
    Option(
        "vat_id",
        "VAT ID",
        VatId(),
        "Your VAT ID with its country; in a country without VAT the number that invoices have there (GST number, ABN).",
    ),
    Option("tax_number", "Tax number", Line(40), "Your number at the tax office, if you have no VAT ID."),
    Option("iban", "Bank account (IBAN)", Iban(), "The account that clients pay to, if it has an IBAN."),
    Option("bic", "BIC", Line(11), "The BIC of that account, if clients need it."),
    Option(
        "bank_account",
        "Bank account without IBAN",
        Line(100),
        "The account that clients pay to, as you write it on invoices, like a sort code and an account number.",
    ),
    Option(
        "payment_days",
        "Days to pay",
        Whole(most=365),
        "How many days a client has to pay an invoice.",
        default=lambda: 14,
    ),
    Option("payment_terms", "Payment terms", Line(500), "The terms on your invoices, unless an invoice has its own."),
    Option(
        "invoice_template",
        "Invoice template",
        Line(500),
        "The typst file that the PDFs of invoices are made from, on this machine; empty for the default.",
    ),
    Option(
        ACCOUNTS,
        "Accounts",
        Accounts(),
        "The accounts of your bookkeeping program, for `reports bookkeeping`: by tax rate, tax category and method of"
        f" payment, like `{Accounts.example}`.",
    ),
    Option(
        "mails_per_minute",
        "E-mails a minute",
        Whole(least=1, most=6000),
        "How many e-mails of a mailing are sent per minute at most; providers block senders who exceed their limit.",
        default=lambda: 60,
    ),
    Option(
        "sms_price",
        "Price of an SMS",
        Price(),
        "What one SMS costs you, so that the cost of many is shown before they are sent; 0 if you do not know.",
        default=lambda: "0",
    ),
    Option(
        "our_addresses",
        "Our other addresses",
        Addresses(),
        "More e-mail addresses of your team, separated by commas. E-mail from them counts as sent by your team (for"
        " example, if a colleague forwards one from home), unless the mail server doubts the sender.",
    ),
    Option(
        SHEET_READS,
        "Seconds between full reads of the spreadsheet",
        Whole(least=10, most=86_400),
        "After how many seconds the whole Google spreadsheet is read again while it is in use, in case Google Drive has"
        " not reported an edit made by hand. If `check --live` found that Drive reports edits at once, it is 600.",
        default=lambda: READS_AFTER,
    ),
    Option(
        SHEET_DELETIONS,
        "Records that can be deleted at once",
        Whole(least=1, most=1_000_000),
        "How many records of a kind can be deleted by hand from the Google spreadsheet at once, with those that go with"
        " a deleted client. If there are more, and more than 10 % of the kind, they are kept until you choose what to"
        " do (`sheets repair`). The same holds for the values of a column if more than half of them are emptied.",
        default=lambda: FEW_DELETIONS,
    ),
    Option(
        "require_second_factor",
        "Second factor required",
        Switch(),
        "Whether everyone has to set up a second factor before anything else: yes or no.",
        default=lambda: "no",
    ),
)


@dataclass(frozen=True, slots=True)
class Config:
    """The settings that come from the environment, read and checked."""

    store: str
    user: str
    now: Callable[[], datetime] = machine_now
    credentials: str = field(default="", repr=False)
    credentials_file: str = ""
    google: str = ""
    # The store that was named on the command line or in the environment.
    named_store: str = ""
    # Where the user's data is kept, of this menu or command: others in the same process may have another.
    folder: Path = field(default_factory=lambda: data_folder(os.environ))
    # What protects accounts, and what sends their links and codes.
    secret: str = field(default="", repr=False)
    smtp_url: str = field(default="", repr=False)
    mail_from: str = ""
    imap_url: str = field(default="", repr=False)
    twilio_account: str = ""
    twilio_token: str = field(default="", repr=False)
    twilio_from: str = ""
    twilio: str = ""
    # Of the web terminal.
    origin: str = ""
    admin_email: str = ""
    trusted_proxies: str = ""
    terminals: int = 30


def _morning_of(day: str) -> Mapping[str, str]:
    """The time of a trial that names the day alone, as CRM_TODAY does: nine in the morning on this machine."""
    if not day:
        return {}
    try:
        morning = datetime.combine(date.fromisoformat(day.strip()), time(9), ZoneInfo(machine_zone()))
    except ValueError as error:
        raise UsageError("The environment variable CRM_TODAY is a date like 2026-11-20.") from error
    return {"CRM_NOW": morning.isoformat()}


def from_environment(environment: Mapping[str, str], store: str = "") -> Config:
    """The settings of this run; `store` is one named on the command line. Raises UsageError."""
    environment = {**_morning_of(environment.get("CRM_TODAY", "")), **environment}
    values: dict[str, Any] = {}
    for option in ENVIRONMENT:
        if written := environment.get(option.variable, ""):
            try:
                values[option.name] = option.check.read(written, Conventions())
            except FieldError as error:
                raise UsageError(
                    f"The environment variable {option.variable} cannot be used: {error.reason}."
                ) from error
    values = {name: value for name, value in values.items() if value}
    folder = data_folder(environment)
    named = store or values.get("store", "")
    if named == SAMPLE:
        named = sample_store(folder)
    derived = {
        "store": named or default_store(folder),
        "user": values.get("user") or _user(),
        "now": running_from(values["now"]) if "now" in values else machine_now,
    }
    return Config(**{**values, **derived}, named_store=named, folder=folder)


def team_defaults(but: Container[str] = ()) -> dict[str, str]:
    """The team's settings as this machine suggests them, for a new store; those that are known are not looked for."""
    return {option.name: str(option.default()) for option in TEAM if option.name not in but}


def settings_of(locale: str) -> dict[str, str]:
    """The team's settings that follow from the locale of a spreadsheet (en_GB): phone numbers and dates are read as
    people write them in it. None if it names no country."""
    country = locale.partition("_")[2]
    if len(country) != 2:
        return {}
    with suppress(FieldError):
        return {"country": country, "language": Language().read(locale, Conventions())}
    return {"country": country}


def check_team_setting(key: str, value: str, by: Conventions) -> str:
    """A value for one of the team's settings as it is kept. Raises FieldError."""
    option = next((option for option in TEAM if option.name == key), None)
    if option is None:
        raise FieldError(f"no setting {key}; use one of {', '.join(option.name for option in TEAM)}", field="key")
    checked = str(option.check.read(value, by))
    if not checked and option.default():
        raise FieldError(f"{option.label.lower()} cannot be empty", field="value", label="Value")
    return checked
