"""Mapping the cells of a row to the texts of a record's fields."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Literal, NamedTuple

from crm.errors import FieldError
from crm.files.amounts import bare_amount, plain_amount
from crm.files.column_names import plain_words
from crm.files.columns import Match, is_company, yes_or_no
from crm.files.dates import DaysInColumn, is_no_date, read_day, without_year
from crm.files.headers import PLACE, PLACES
from crm.files.names import split_name
from crm.files.places import split_place
from crm.model import Client, Conventions, Sale, fields
from crm.model.currencies import currencies_of, foreign_currency
from crm.model.fields import Amount, Day, visible
from crm.model.folding import words

# What people write beside a number in its cell: mobile: 0664 123, 0664 123 (home). ext. 12 belongs to it.
_LABEL_OF_NUMBER = re.compile(
    r"^[^\W\d][^\W\d_. -]{0,11}[.:]\s*(?=[+(\d])|\s*\((?!ext)[^\W\d][^\d()]*\)$", re.IGNORECASE
)
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
# What spreadsheets make of long numbers.
_POWER = re.compile(r"\+?(\d)[.,](\d+)E\+?(\d{1,2})", re.IGNORECASE)
_AS_FIGURE = re.compile(r"(\d{7,15})\.0")
# The value for no, in a column of opt-outs.
_NOT_OPTED_OUT = words("no n false f 0 nein non faux nee falso falsch nao subscribed active") | {""}
_QUOTED_TAG = re.compile(r'"([^",]*)"')
# The own fields for what a client has a second one of.
OTHERS = {"email": "Other e-mail", "phone": "Other phone", "address": "Other address"}
# In the name of a column: it is what an account is called, where first and last name are somebody there.
_OF_ACCOUNTS = words("contact customer client account kunde kundin klant cliente")
_OWN_GROUPS = frozenset(("mycontacts", "my contacts", "other contacts"))
_FIELDS = {**fields(Client), **fields(Sale)}
_HAS_DIGIT = re.compile(r"\d")
DATES = frozenset(name for name, field in _FIELDS.items() if isinstance(field.check, Day))
_AMOUNTS = frozenset(name for name, field in _FIELDS.items() if isinstance(field.check, Amount))


class Mapped(NamedTuple):
    """A row by fields: the text of each field that has a column ('' for a blank cell), and of the team's own fields
    those that are filled. `opted_out` says that a column of who has opted out elsewhere does so. `unclear_dates` are
    dates of a column that has day and month in two orders: target, column, cell, and whether it is read in the order
    that is not the column's, or could be read in either. `doubts` are cells that were read in part only, each with its
    target and what became of it."""

    fields: dict[str, str]
    extra: dict[str, str]
    opted_out: bool = False
    unclear_dates: Sequence[tuple[str, Match, str, Literal["other", "either"]]] = ()
    doubts: Sequence[tuple[str, str, str]] = ()


class Mapper:
    """The way from the cells of each row to the texts of fields, for columns matched once.

    Texts are as the fields' checks take them: dates in ISO, amounts plain, whole names in their parts. Of several
    e-mail addresses, numbers and postal addresses the first is the client's; the others are own fields. What programs
    write where there is no date, address, number or country is blank. What cannot be read stays as it was written, for
    the check to refuse with its reason. Where several columns have one target, the first by rank that a row fills
    counts; of postal addresses all columns of one.
    """

    def __init__(self, matches: Sequence[Match], by: Conventions) -> None:
        self._by = by
        self._plain: list[tuple[int, str]] = []
        self._converted: list[tuple[int, str, Callable[[str], str]]] = []
        self._names: list[int] = []
        self._extra: list[tuple[int, str]] = []
        self._born: dict[str, int] = {}
        self._currency: int | None = None
        self._recipients: dict[str, list[int]] = {}
        self._statuses: list[int] = []
        self._tags: list[int] = []
        self._lines: list[int] = []
        self._opt_outs: list[int] = []
        self._place: int | None = None
        self._other_addresses: dict[int, list[tuple[int, str, Callable[[str], str]]]] = {}
        # The fields of every row, without their texts.
        self.blank: dict[str, str] = {}
        self._days: list[tuple[int, str, Match, DaysInColumn]] = []
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
            self._called_after = not _OF_ACCOUNTS.isdisjoint(plain_words(match.column).split())
            self.blank |= {f"{self._before}first_name": "", f"{self._before}last_name": ""}
        elif target.startswith("date_of_birth."):
            self._born[target.rpartition(".")[2]] = place
            self.blank["date_of_birth"] = ""
        elif target == "status":
            self._statuses.append(place)
            self.blank["status"] = ""
        elif target == "tags":
            self._tags.append(place)
            self.blank["tags"] = ""
        elif target == "address.more":
            self._lines.append(place)
        elif target == PLACE:
            self._place = place
            self.blank = {"city": "", "region": "", "postcode": "", "country": ""} | self.blank
        elif target == "opt_out":
            self._opt_outs.append(place)
            self.blank["marketing_consent"] = ""
        elif target == "currency":
            self._currency = place
        elif target.rpartition(".")[2] in _SEPARATED:
            self.blank[target] = ""
            self._recipients.setdefault(target, []).append(place)
        elif target:
            self.blank[target] = ""
            days = DaysInColumn(match.date_order, by, is_mixed=match.in_two_orders)
            if target.rpartition(".")[2] in DATES:
                self._days.append((place, target, match, days))
            convert = _converter(target.rpartition(".")[2], match, by, days)
            if target in PLACES and match.rank:
                self._other_addresses.setdefault(match.rank, []).append((place, target, convert or str))
            elif convert is None and target not in [name for _, name in self._plain]:
                self._plain.append((place, target))
            else:
                self._converted.append((place, target, convert or str))

    def __call__(self, cells: Sequence[str]) -> Mapped:
        """The fields of one row."""
        return self.rows([cells])[0]

    def rows(self, rows: Sequence[Sequence[str]]) -> list[Mapped]:
        """The fields of some rows, each with at least as many cells as columns were matched. What is the same for every
        row is done by column."""
        if not rows:
            return []
        columns: dict[str, Sequence[str]] = {target: [text] * len(rows) for target, text in self.blank.items()}
        by_place = list(zip(*rows, strict=False))
        for place, target in self._plain:
            cells = by_place[place]
            columns[target] = cells if "".join(cells).isprintable() else list(map(visible, cells))
        for place, target, convert in self._converted:
            known = columns[target]
            used = [cell if not text.strip() else "" for text, cell in zip(known, by_place[place], strict=True)]
            read = {cell: convert(visible(cell)) for cell in set(used) if cell}
            columns[target] = [read.get(cell, text) for text, cell in zip(known, used, strict=True)]
        several: dict[str, list[int]] = {}
        for target, places in self._recipients.items():
            if len(places) == 1 and _ARE_PLAIN[target.rpartition(".")[2]](by_place[places[0]]):
                columns[target] = by_place[places[0]]
            else:
                several[target] = places
        texts = zip(*columns.values(), strict=True) if columns else [()] * len(rows)
        fields = [dict(zip(columns, row, strict=True)) for row in texts]
        if several or self._needs_rows or _has_no_year(columns):
            return [self._mapped(cells, values, several) for cells, values in zip(rows, fields, strict=True)]
        return [Mapped(values, {}) for values in fields]

    @property
    def _needs_rows(self) -> bool:
        """Return whether there are fields that are made of several cells of a row."""
        return bool(
            self._extra or self._lines or self._other_addresses or self._opt_outs or self._statuses or self._tags
            or self._names or self._born or self._currency is not None or self._place is not None
            or any(days.is_mixed for *_, days in self._days)
        )  # fmt: skip

    def _mapped(self, cells: Sequence[str], values: dict[str, str], several: Mapping[str, Sequence[int]]) -> Mapped:
        """One row, of which `values` are known by now, and the places of `several` recipients are not."""
        extra = {name: text for place, name in self._extra if (text := visible(cells[place]).strip())}
        doubts: list[tuple[str, str, str]] = []
        for target, places in several.items():
            self._take_recipients(target, [cells[place] for place in places], values, extra)
        if self._lines and (lines := [text for place in self._lines if (text := visible(cells[place]).strip())]):
            values["address"] = ", ".join(filter(None, (values["address"].strip(), *lines)))
        if self._place is not None:
            place_cell = visible(cells[self._place]).strip()
            for target, text in split_place(place_cell, self._by).items():
                values[target] = values[target].strip() or text
                if target == "city" and text == place_cell and _HAS_DIGIT.search(text):
                    doubts.append(("city", text, "could not be taken apart, so all of it is the city"))
        if self._other_addresses:
            self._elsewhere(cells, values, extra)
        has_opted_out = any(_value(cells[place]).casefold() not in _NOT_OPTED_OUT for place in self._opt_outs)
        if has_opted_out:
            values["marketing_consent"] = "no"
        if self._statuses:
            values["status"] = "\n".join(filter(None, (cells[place].strip() for place in self._statuses)))
        if self._tags:
            values["tags"] = ", ".join(filter(None, (_tags(visible(cells[place])) for place in self._tags)))
        for place in self._names:
            self._name(cells[place], values)
        if self._born and len(values["date_of_birth"]) < 3:
            values["date_of_birth"] = self._birth(cells, values["date_of_birth"])
        if (born := values.get("date_of_birth")) and not born[:4].isdigit() and (day := self._without_year(values)):
            doubts.append(("date_of_birth", day, "has no year, so it is kept in the notes"))
        if self._currency is not None and (written := cells[self._currency].strip()):
            values["amount"] = _with_currency(values.get("amount", ""), written, self._by)
        unclear = [
            (target, match, cells[place], doubt)
            for place, target, match, days in self._days
            if days.is_mixed and (doubt := days.doubt(cells[place]))
        ]
        return Mapped(values, extra, has_opted_out, unclear, doubts)

    def _take_recipients(
        self, target: str, written: Sequence[str], values: dict[str, str], extra: dict[str, str]
    ) -> None:
        """The first e-mail address or number of a row is the client's, and others are an own field."""
        kind = target.rpartition(".")[2]
        texts: list[str] = []
        for cell in written:
            if cell and not cell.isspace():
                texts += _SEPARATED[kind](cell if cell.isprintable() else visible(cell))
        if not texts:
            return
        if len(texts) == 1:
            values[target] = texts[0]
            return
        place = next((at for at, value in enumerate(texts) if _REACHES[kind](value)), 0)
        values[target] = texts.pop(place)
        if kind == target:
            others = dict.fromkeys(self._as_stored(kind, value) for value in texts)
            others.pop(self._as_stored(kind, values[target]), None)
            if others:
                extra.setdefault(OTHERS[kind], ", ".join(others))

    def _as_stored(self, kind: str, text: str) -> str:
        try:
            return str(_FIELDS[kind].check.read(text, self._by))
        except FieldError:
            return text

    def _elsewhere(self, cells: Sequence[str], values: dict[str, str], extra: dict[str, str]) -> None:
        """Fill in another address of the row where it has no first one; else the others are an own field."""
        filled = any(values.get(target, "").strip() for target in PLACES)
        others: dict[str, None] = {}
        for columns in self._other_addresses.values():
            texts = [text for place, _, _ in columns if (text := visible(cells[place]).strip())]
            if texts and not filled:
                for target in PLACES:
                    parts = (convert(cells[place]).strip() for place, goes_to, convert in columns if goes_to == target)
                    values[target] = ", ".join(filter(None, parts))
                filled = True
            elif texts and texts != [text for target in PLACES if (text := values.get(target, "").strip())]:
                others[", ".join(texts)] = None
        if others:
            extra.setdefault(OTHERS["address"], "; ".join(others))

    def _name(self, cell: str, values: dict[str, str]) -> None:
        before = self._before
        first, last = values[f"{before}first_name"].strip(), values[f"{before}last_name"].strip()
        company = values.get(f"{before}company", "").strip()
        if first or last:
            # Bookkeeping has the name of an account, and of somebody there.
            if self._called_after and not company and _is_another(cell, f"{first} {last}"):
                values[f"{before}company"] = visible(cell).strip()
            return
        if cell.strip().casefold() == company.casefold():
            return
        if not before and not company and is_company(cell.strip()):
            values["company"] = visible(cell).strip()
            return
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

    def _without_year(self, values: dict[str, str]) -> str:
        """Move a birthday that names no year to the notes, as it is no date, and return it; '' for any other text."""
        written = without_year(values["date_of_birth"], self._birth_order, self._by)
        if not written:
            return ""
        # A leap year has every day that there is.
        day = self._by.named_day(date.fromisoformat(f"2000-{written}"))
        lines = (values.get("notes", "").strip(), f"Birthday: {day} (no year given)")
        values["date_of_birth"], values["notes"] = "", "\n".join(filter(None, lines))
        return day


def _has_no_year(columns: Mapping[str, Sequence[str]]) -> bool:
    """Return whether some birthday may name no year."""
    return any(text and not text[:4].isdigit() for text in set(columns.get("date_of_birth", ())))


def apply(matches: Sequence[Match], cells: Sequence[str], by: Conventions) -> Mapping[str, str]:
    """The fields of a single row, without the team's own; for many rows make one `Mapper`."""
    return Mapper(matches, by)(cells).fields


def _converter(target: str, match: Match, by: Conventions, days: DaysInColumn) -> Callable[[str], str] | None:
    if target == "country":
        return _value
    if target == "tags":
        return _tags
    if target == "marketing_consent":
        return yes_or_no
    if target in DATES:

        @lru_cache(maxsize=4096)
        def day(text: str) -> str:
            if is_no_date(text) or not _value(text):
                return ""
            try:
                return days(text).isoformat()
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


def _are_addresses(cells: Sequence[str]) -> bool:
    """Return whether each of some cells is blank or one e-mail address, as far as its signs show."""
    text = "".join(cells)
    signs = text.replace("@", "").replace(".", "").replace("-", "").replace("_", "")
    return text.isascii() and (signs.isalnum() or not text) and all("@" in cell for cell in cells if cell)


def _are_numbers(cells: Sequence[str]) -> bool:
    """Return whether each of some cells is blank or the digits of one telephone number."""
    return "".join(cells).isascii() and all(cell.removeprefix("+").isdigit() for cell in cells if cell)


def _addresses(written: str) -> list[str]:
    """The e-mail addresses in a cell, which may hold several, or a name and one; what is none is one text."""
    if written and _are_addresses((written,)):
        return [written]
    values: list[str] = []
    for part in written.split(_SEVERAL):
        text = _value(part)
        if not text:
            continue
        if match := _NAMED_ADDRESS.fullmatch(text):
            values.append(match[1])
            continue
        pieces = [piece.strip("'\"<>") for piece in _BETWEEN_ADDRESSES.split(text) if piece.strip("'\"<>")]
        if all(_ADDRESS.fullmatch(piece) for piece in pieces):
            values += [piece.removeprefix("mailto:") for piece in pieces]
        else:
            named = [_NAMED_ADDRESS.fullmatch(piece.strip()) for piece in re.split(r"[;,\n]", text) if piece.strip()]
            values += [address[1] for address in named if address] if all(named) else [text]
    return values


def _numbers(written: str) -> list[str]:
    """The telephone numbers in a cell, which may hold several; what is none is one text."""
    if written and _are_numbers((written,)):
        return [written]
    values: list[str] = []
    for part in written.split(_SEVERAL):
        text = _value(part).lstrip("'")
        text = _LABEL_OF_NUMBER.sub("", text)
        if not text:
            continue
        pieces = [piece.strip() for piece in _BETWEEN_NUMBERS.split(text)]
        if _digits(pieces[0]) < _FEWEST_DIGITS:
            values.append(_spelt_out(text))
        else:
            # "or 0144" is the end of another number.
            values += [_spelt_out(piece) for piece in pieces if piece]
    return values


def _spelt_out(text: str) -> str:
    """A number that a spreadsheet has written as 4.36641234567E+11, where no digit of it is lost."""
    if match := _AS_FIGURE.fullmatch(text):
        return match[1]
    match = _POWER.fullmatch(text)
    if match is None or len(match[2]) != int(match[3]):
        return text
    return match[1] + match[2]


def _digits(text: str) -> int:
    return sum(map(str.isdigit, text))


def _is_another(name: str, person: str) -> bool:
    """Return whether the name of an account is not that of the person there."""
    words, others = set(plain_words(name).split()), set(plain_words(person).split())
    return bool(words) and _has_letter(name) and (is_company(name.strip()) or not words & others)


_SEPARATED = {"email": _addresses, "phone": _numbers}
_ARE_PLAIN = {"email": _are_addresses, "phone": _are_numbers}
_REACHES: dict[str, Callable[[str], bool]] = {
    "email": lambda text: "@" in text,
    "phone": lambda text: _digits(text) >= _FEWEST_DIGITS,
}


def _has_letter(text: str) -> bool:
    return any(map(str.isalpha, text))


def _tags(text: str) -> str:
    # Google marks the groups that it made itself with a star.
    tags = (re.sub(r"^\*\s+(?=\S)", "", part.strip()) for part in _QUOTED_TAG.sub(r"\1", text).split(_SEVERAL))
    return ", ".join(tag for tag in tags if tag and tag.casefold() not in _OWN_GROUPS)
