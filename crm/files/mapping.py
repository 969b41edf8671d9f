"""Mapping the cells of a row to the texts of a record's fields."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from crm.errors import FieldError
from crm.files.amounts import bare_amount, plain_amount
from crm.files.columns import Match
from crm.files.dates import is_no_date, read_day, without_year
from crm.files.headers import PLACES
from crm.files.names import split_name
from crm.model import Client, Conventions, Sale, fields
from crm.model.currencies import currencies_of, foreign_currency
from crm.model.fields import Amount, Day, visible
from crm.model.folding import words

_SEVERAL = ":::"  # how Google writes several values in one cell
# How programs write that there is nothing.
_NOTHING = words(
    "- -- --- \u2014 \u2013 . ? / n/a #n/a n.a. null <null> (null) (none) (blank) (empty) (leer) nan k.a."
    " #ref! #value! #name?"
)
_NOTHING_IN_WORDS = words(
    "none unknown nil kein keine keiner unbekannt aucun aucune ninguno ninguna nessuno nessuna geen onbekend nenhum"
)
_ADDRESS = re.compile(r"(?:mailto:)?[^\s@<>;,|]+@[^\s@<>;,|]+\.[^\s@<>;,|.]{2,}", re.IGNORECASE)
_NAMED_ADDRESS = re.compile(r"[^<>@]*<\s*(?:mailto:)?([^\s@<>]+@[^\s@<>]+)\s*>", re.IGNORECASE)
_BETWEEN_ADDRESSES = re.compile(r"\s*[;,|\n]\s*|\s+/\s+|\s+")
_BETWEEN_NUMBERS = re.compile(r"\s*[;,|\n]\s*|\s+/\s+|\s+(?:or|oder|ou|und|and)\s+", re.IGNORECASE)
_FEWEST_DIGITS = 5
_OWN_GROUPS = frozenset(("mycontacts", "my contacts", "other contacts"))
_FIELDS = {**fields(Client), **fields(Sale)}
_DATES = frozenset(name for name, field in _FIELDS.items() if isinstance(field.check, Day))
_AMOUNTS = frozenset(name for name, field in _FIELDS.items() if isinstance(field.check, Amount))


class Mapped(NamedTuple):
    """A row by fields: the text of each field that has a column ('' for a blank cell), and of the team's own fields
    those that are filled."""

    fields: dict[str, str]
    extra: dict[str, str]


class Mapper:
    """Turns the cells of each row into the texts of fields, for columns matched once.

    Texts are as the fields' checks take them: dates in ISO, amounts plain, of several e-mail addresses and numbers
    the first, whole names in their parts. What programs write where there is no date, address, number or country is
    blank. What cannot be read stays as it was written, for the check to refuse with its reason. Where several
    columns have one target, the first by rank that a row fills counts; of addresses all columns of one.
    """

    def __init__(self, matches: Sequence[Match], by: Conventions) -> None:
        self._by = by
        self._plain: list[tuple[int, str]] = []
        self._converted: list[tuple[int, str, Callable[[str], str]]] = []
        self._names: list[int] = []
        self._extra: list[tuple[int, str]] = []
        self._born: dict[str, int] = {}
        self._currency: int | None = None
        self._other_addresses: dict[int, list[tuple[int, str, Callable[[str], str]]]] = {}
        self._blank: dict[str, str] = {}
        self._birth_order = next((match.date_order for match in matches if match.target == "date_of_birth"), "")
        for place, match in sorted(enumerate(matches), key=lambda placed: placed[1].rank):
            self._add(place, match, by)

    def _add(self, place: int, match: Match, by: Conventions) -> None:
        target = match.target
        if target.startswith("extra:"):
            self._extra.append((place, target.removeprefix("extra:")))
        elif target in ("name", "client.name"):
            self._names.append(place)
            self._before = target.removesuffix("name")
            self._blank |= {f"{self._before}first_name": "", f"{self._before}last_name": ""}
        elif target.startswith("date_of_birth."):
            self._born[target.rpartition(".")[2]] = place
            self._blank["date_of_birth"] = ""
        elif target == "status":
            self._plain.append((place, target))
        elif target == "currency":
            self._currency = place
        elif target:
            self._blank[target] = ""
            convert = _converter(target.rpartition(".")[2], match, by)
            if target in PLACES and match.rank:
                self._other_addresses.setdefault(match.rank, []).append((place, target, convert or str))
            elif convert is None and target not in [name for _, name in self._plain]:
                self._plain.append((place, target))
            else:
                self._converted.append((place, target, convert or str))

    def __call__(self, cells: Sequence[str]) -> Mapped:
        """The fields of one row; `cells` are at least as many as the columns that were matched."""
        values = self._blank.copy()
        for place, target in self._plain:
            cell = cells[place]
            values[target] = cell if cell.isprintable() else visible(cell)
        for place, target, convert in self._converted:
            cell = cells[place]
            if cell and not values[target].strip():
                values[target] = convert(cell if cell.isprintable() else visible(cell))
        if self._other_addresses and not any(values.get(target, "").strip() for target in PLACES):
            self._elsewhere(cells, values)
        for place in self._names:
            self._name(cells[place], values)
        if self._born and len(values["date_of_birth"]) < 3:
            values["date_of_birth"] = self._birth(cells, values["date_of_birth"])
        if (born := values.get("date_of_birth")) and not born[:4].isdigit():
            self._without_year(values)
        if self._currency is not None and (written := cells[self._currency].strip()):
            values["amount"] = _with_currency(values.get("amount", ""), written, self._by)
        extra = {name: text for place, name in self._extra if (text := visible(cells[place]).strip())}
        return Mapped(values, extra)

    def _elsewhere(self, cells: Sequence[str], values: dict[str, str]) -> None:
        """Fills in another address of the row, where it has one."""
        for columns in self._other_addresses.values():
            if any(cells[place].strip() for place, _, _ in columns):
                values |= {target: convert(cells[place]) for place, target, convert in columns}
                return

    def _name(self, cell: str, values: dict[str, str]) -> None:
        before = self._before
        if values[f"{before}first_name"].strip() or values[f"{before}last_name"].strip():
            return
        if cell.strip().casefold() != values.get(f"{before}company", "").strip().casefold():
            first, last = split_name(visible(cell))
            if before or not (first or last) or _has_letter(first + last):
                values[f"{before}first_name"], values[f"{before}last_name"] = first, last

    def _birth(self, cells: Sequence[str], day_alone: str) -> str:
        """A birthday of which year, month and day have a column each; `day_alone` is what its own column holds."""
        year, month, day = (
            cells[self._born[part]].strip() if part in self._born else "" for part in ("year", "month", "day")
        )
        day = day or day_alone
        if not (month.strip("0") and day.strip("0")):
            return day_alone
        month = month if month.isdigit() else without_year(f"{day} {month}", "", self._by)[:2] or month
        if not year.strip("0"):
            return f"--{month:0>2}-{day:0>2}"
        try:
            return read_day(f"{year}-{month}-{day}", "ymd", self._by).isoformat()
        except FieldError:
            return f"{year}-{month}-{day}"

    def _without_year(self, values: dict[str, str]) -> None:
        """A birthday that names no year is worth a note, and no date."""
        if day := without_year(values["date_of_birth"], self._birth_order, self._by):
            note = f"Birthday: {day} (month-day, no year given)"
            values["date_of_birth"], values["notes"] = (
                "",
                "\n".join(filter(None, (values.get("notes", "").strip(), note))),
            )


def apply(matches: Sequence[Match], cells: Sequence[str], by: Conventions) -> Mapping[str, str]:
    """The fields of a single row, without the team's own; for many rows make one `Mapper`."""
    return Mapper(matches, by)(cells).fields


def _converter(target: str, match: Match, by: Conventions) -> Callable[[str], str] | None:
    if target == "email":
        return _address
    if target == "phone":
        return _number
    if target == "country":
        return _value
    if target == "tags":
        return _tags
    if target in _DATES:

        @lru_cache(maxsize=4096)
        def day(text: str) -> str:
            if is_no_date(text) or not _value(text):
                return ""
            try:
                return read_day(text, match.date_order, by).isoformat()
            except FieldError:
                # Apple means no year by 1604.
                return re.sub(r"^\s*1604-", "--", text)

        return day
    if target in _AMOUNTS:
        return _amounts(match, by)
    return None


def _amounts(match: Match, by: Conventions) -> Callable[[str], str]:
    mark = match.decimal_mark or (by.decimal_mark if by.decimal_mark in ".," else ".")

    def amount(text: str) -> str:
        if foreign_currency(text, by.currency):
            return text  # refused by its check, which says why
        # Where the column does not show whether 1.234 is about one or a thousand, it is read as if a person typed it.
        is_open = by.decimals > 2 and not match.decimal_mark
        plain = (bare_amount(text) or text) if is_open else plain_amount(text, mark)
        return _with_currency(plain, match.currency, by)

    return amount


def _with_currency(amount: str, currency: str, by: Conventions) -> str:
    """An amount with the currency that stands elsewhere, where it is not the team's."""
    codes = currencies_of(currency)
    return amount if not amount or not currency or by.currency in codes else f"{amount} {currency}"


def _value(text: str) -> str:
    """The text, or '' where it is a word for nothing."""
    text = text.strip()
    return "" if text.casefold() in _NOTHING or text.casefold() in _NOTHING_IN_WORDS else text


def _address(text: str) -> str:
    """One e-mail address of what may be several, or a name and one."""
    text = _value(text.partition(_SEVERAL)[0])
    if text.isascii() and text.replace("@", "").replace(".", "").replace("-", "").replace("_", "").isalnum():
        return text
    if match := _NAMED_ADDRESS.fullmatch(text):
        return match[1]
    pieces = [piece.strip("'\"<>") for piece in _BETWEEN_ADDRESSES.split(text) if piece.strip("'\"<>")]
    is_list = bool(pieces) and all(_ADDRESS.fullmatch(piece) for piece in pieces)
    return pieces[0].removeprefix("mailto:") if is_list else text


def _number(text: str) -> str:
    """One telephone number of what may be several."""
    text = _value(text.partition(_SEVERAL)[0]).lstrip("'")
    text = text[4:] if text[:4].casefold() == "tel:" else text
    first = _BETWEEN_NUMBERS.split(text, maxsplit=1)[0].strip()
    return first if sum(map(str.isdigit, first)) >= _FEWEST_DIGITS else text


def _has_letter(text: str) -> bool:
    return any(map(str.isalpha, text))


def _tags(text: str) -> str:
    # Google marks the groups that it made itself with a star.
    tags = (re.sub(r"^\*\s+(?=\S)", "", part.strip()) for part in text.split(_SEVERAL))
    return ", ".join(tag for tag in tags if tag and tag.casefold() not in _OWN_GROUPS)
