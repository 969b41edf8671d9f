"""Matching the columns of a file to the fields of a record, by name and by content."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from crm.errors import FieldError
from crm.files.amounts import bare_amount, mark_of
from crm.files.column_names import plain_words
from crm.files.dates import in_two_orders, order_of
from crm.files.headers import PLACES, Meaning, date_order_in_heading, meaning_of
from crm.model import Client, Conventions, Sale, fields
from crm.model.currencies import currencies_of, currency_in_heading
from crm.model.fields import Choice, Flag
from crm.model.folding import words

_UNNAMED = re.compile(r"Column \d+")
_EMAIL = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+\.[^@\s,;<>]{2,}")
_PHONE = re.compile(r"(?=(?:\D*\d){7,15}\D*$)(?:[+(]?0|\+|\(\d|\d+[\s()/-]+\d)[\d\s()./-]+")
_COMPANY = re.compile(
    r"\b(gmbh|ag|kg|ohg|e\.?u|ug|inc|incorporated|corp|corporation|company|co|ltd|limited|llc|llp|plc|sarl|sas|sa|s\.a|srl"
    r"|s\.r\.l|spa|s\.p\.a|s\.l|sl|bv|b\.v|nv|n\.v|lda|industries|associates|institute|foundation|consulting|gruppe|group)\b\.?$",
    re.IGNORECASE,
)
_CLIENT_WORDS = words("client customer kunde kunden kundenname cliente klant")
_NO_REGIONS = words("active inactive open closed new lead customer prospect pending enabled disabled aktiv inaktiv")
_NUMBER_WORDS = words(
    "no nr id number ref reference code num nummer numero numer kundennr kundennummer referenz codigo codice klantnr"
    " klantnummer custid account n"
)
_OF_ONE = words("unit each per piece einzel einzelpreis stuckpreis unitaire unitario unitaria stuksprijs eenheidsprijs")
_YES = words("ja j oui si s\u00ed s\u00ec sim x \u2713 \u2714 wahr vrai vero verdadero verdadeiro waar")
_NO = words("nein non nee nao n\u00e3o falsch faux falso onwaar - \u2717 \u2718")
# Numbers that nobody is called by.
_OF_FAX = words("fax telefax pager faxnummer telefaxnummer")
# Fields for which several columns may stand.
SEVERAL = ("email", "phone", "client.email", "client.phone", "status", "tags", "address.more", "opt_out")
_RUNNING = re.compile(r"\d{1,5}(?:\.0)?")
_PERSON = re.compile(r"[^\W\d_][\w.'\u2019-]*,?(?: [\w.'\u2019-]+){1,4}")


@dataclass(frozen=True, slots=True)
class Match:
    """A column and the field it goes to.

    `target` is a typed field of the record, 'name' (a whole name in one cell), for sales also
    'client.email' and the like, 'extra:NAME' for a field of the team's own, or '' for none.
    `by` says what told it: 'name' or 'content'. Of several columns for one field, as for e-mail addresses and numbers,
    the one with the least `rank` that a row fills counts. `currency` is what the column's name tells, where it is not
    the team's. `date_order` and `decimal_mark` are how its dates and numbers are written ('' where nothing in it tells,
    or it has none), whatever its target; `in_two_orders` is whether some of its dates are written in another order.
    """

    column: str
    target: str
    by: str = ""
    date_order: str = ""
    decimal_mark: str = ""
    rank: int = 0
    currency: str = ""
    in_two_orders: bool = False


# The fields that say what a client is called.
_NAMES = ("name", "first_name", "last_name", "company")
# A name that could be a number: P1, Room 12; not INV-2026-0001.
_SHORT_NAME = re.compile(r"[^\W\d_]+[ -]?\d{1,3}")


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    cells: tuple[str, ...]  # those that are filled
    meaning: Meaning | None

    @property
    def unnamed(self) -> bool:
        return _UNNAMED.fullmatch(self.name) is not None

    def mostly(self, fits: Callable[[str], object], share: float = 0.8) -> bool:
        return bool(self.cells) and sum(map(bool, map(fits, self.cells))) >= share * len(self.cells)


def match_columns(
    columns: Sequence[str], sample: Sequence[Sequence[str]], record: type[Client] | type[Sale], by: Conventions
) -> list[Match]:
    """A match for each column, in their order; no two have the same target with the same rank."""
    # The numbers of an export of ours are those of its store.
    unknown = {"Client number"} if {"Client number", "Client reference", "Client"} <= set(columns) else set()
    seen = [
        _Column(
            name,
            tuple(text for row in sample if place < len(row) and (text := row[place].strip())),
            None if _UNNAMED.fullmatch(name) or name in unknown else meaning_of(name, sales=record is Sale),
        )
        for place, name in enumerate(columns)
    ]
    targets, ranks = _by_name(seen, record)
    matched_by = dict.fromkeys(targets, "name")
    for place, target in _by_content(seen, targets, record, by):
        targets[place] = target
        matched_by[place] = "content"
    orders = [date_order_in_heading(column.name) or order_of(column.cells, by) for column in seen]
    return [
        Match(
            column.name,
            targets.get(place, ""),
            matched_by.get(place, ""),
            orders[place],
            mark_of(column.cells) if column.mostly(bare_amount, 0.6) else "",
            ranks.get(place, 0),
            _foreign_in_heading(column.name, by) if targets.get(place) == "amount" else "",
            in_two_orders(column.cells, orders[place]),
        )
        for place, column in enumerate(seen)
    ]


def _foreign_in_heading(heading: str, by: Conventions) -> str:
    """The currency that the name of a column tells where it is not the team's; '' for none."""
    currency = currency_in_heading(heading)
    return "" if by.currency in currencies_of(currency) else currency


def _by_name(columns: Sequence[_Column], record: type[Client] | type[Sale]) -> tuple[dict[int, str], dict[int, int]]:
    """The fields that columns' names stand for, by place, and the ranks of those that are not the first for theirs."""
    candidates: dict[str, list[int]] = {}
    short: list[int] = []
    for place, column in enumerate(columns):
        if column.meaning is None:
            continue
        target = column.meaning.target
        if target == "client" and not tells_number(column.name) and column.mostly(is_name, 0.5):
            target = "client.name"
        if target == "date_of_birth.day" and not _may_be(column, target, record):
            target = "date_of_birth"
        if _may_be(column, target, record):
            candidates.setdefault(target, []).append(place)
        elif target == "name" and column.mostly(_SHORT_NAME.fullmatch):
            short.append(place)
    if record is Client and short and candidates.keys().isdisjoint(_NAMES):
        # Nothing else says what the clients are called: P1, P2.
        candidates["name"] = short
    home = _address_group(columns, chain.from_iterable(candidates.get(target, ()) for target in PLACES))
    taken: dict[int, str] = {}
    ranks: dict[int, int] = {}
    further: dict[int, str] = {}
    for target, places in candidates.items():
        fullest = max(len(columns[place].cells) for place in places)

        def worth(place: int, target: str = target, fullest: int = fullest) -> tuple[bool, bool, tuple[int, int, int]]:
            column = columns[place]
            rank, group = (column.meaning.rank, column.meaning.group) if column.meaning else ((9, 9, 9), "")
            # Half as full as the fullest is full enough for the better name to count; a deal not won has no day.
            sparse = len(column.cells) * 2 < fullest and "won" not in plain_words(column.name).split()
            return target in PLACES and group != home, sparse, rank

        first, *others = sorted(places, key=worth)
        taken[first] = target
        if target in SEVERAL:
            taken |= dict.fromkeys(others, target)
            ranks |= {place: rank for rank, place in enumerate(others, 1)}
        elif target in PLACES:
            lines = [place for place in others if target == "address" and _continues(columns, first, place)]
            taken |= dict.fromkeys(lines, "address.more")
            ranks |= {place: rank for rank, place in enumerate(sorted(lines), 1)}
            further |= dict.fromkeys((place for place in others if place not in lines), target)
    # An address that is not the one of most rows: its columns count together, in the rows that have no other.
    groups = sorted({_group(columns[place]) for place in further} - {home})
    for place, target in further.items():
        if _group(columns[place]) in groups:
            taken[place] = target
            ranks[place] = 1 + groups.index(_group(columns[place]))
    return (_named_persons(columns, taken) if record is Client else taken), ranks


def _continues(columns: Sequence[_Column], first: int, place: int) -> bool:
    """Return whether a column is another line of the address in the `first`, as Address line 2 is: no address of its
    own."""
    name, group = columns[place].name, _group(columns[place])
    if not re.search(r"[2-9]\W*$", name):
        return False
    if _group(columns[first]) == group:
        return True
    return group.isdigit() and not any(
        _group(column) == group and column.meaning is not None and column.meaning.target in PLACES
        for at, column in enumerate(columns)
        if at != place
    )


def _group(column: _Column) -> str:
    return column.meaning.group if column.meaning is not None else ""


def _may_be(column: _Column, target: str, record: type[Client] | type[Sale]) -> bool:
    """Return whether what is in a column can be what its name says, where a word has other meanings too."""
    if target == "client":  # an address has a field of its own
        return not column.mostly(lambda text: "@" in text)
    if target in ("name", "client.name"):  # the number of an order is nobody's name
        of_client = target == "client.name" and not _CLIENT_WORDS.isdisjoint(plain_words(column.name).split())
        return of_client or not column.cells or column.mostly(_has_letters, 0.5)
    if target == "reference" and record is Sale:  # 'Order' may say what was ordered
        return tells_number(column.name) or not column.cells or column.mostly(_has_digit)
    if target == "currency":
        return column.mostly(currencies_of)
    if target == "region":  # a state may also be that of a client
        return not column.mostly(lambda text: text.strip().casefold() in _NO_REGIONS)
    if target == "date_of_birth.day":
        return not column.cells or column.mostly(_is_short_number)
    check = fields(record)[target].check if target in fields(record) else None
    if isinstance(check, Choice):
        by_label = not column.cells and column.meaning is not None and not any(column.meaning.rank)
        return by_label or column.mostly(lambda text: text.lower() in check.options)
    if isinstance(check, Flag):
        return not column.cells or column.mostly(lambda text: _reads(check, text))
    return True


def _has_digit(text: str) -> bool:
    return any(map(str.isdigit, text))


def _may_number_orders(column: _Column) -> bool:
    """Return whether a column that is called by a general word holds the numbers of orders: '#1001', and no running
    number."""
    words = plain_words(column.name)
    return words in ("name", "id") and column.mostly(lambda text: _has_digit(text) and not _RUNNING.fullmatch(text))


def _has_letters(text: str) -> bool:
    letters = sum(map(str.isalpha, text))
    return letters > 1 and letters > sum(map(str.isdigit, text))


def is_company(name: str) -> bool:
    """Return whether a name ends as those of companies do."""
    return _COMPANY.search(name) is not None


def is_name(text: str) -> bool:
    """Return whether a text may be somebody's name, and not a reference."""
    return (
        _has_letters(text)
        and "@" not in text
        and not any(map(str.isdigit, text))
        and (" " in text or not text.isupper())
    )


def tells_number(name: str) -> bool:
    """Return whether a column's name says that it holds numbers of clients, not their names."""
    return not _NUMBER_WORDS.isdisjoint(plain_words(name).split())


def _is_short_number(text: str) -> bool:
    return text.isdigit() and len(text) < 3


def yes_or_no(text: str) -> str:
    """A yes or a no in one of the languages that headings are read in; any other text as it is."""
    word = text.strip().casefold()
    return "yes" if word in _YES else "no" if word in _NO else text


def _reads(check: Flag, text: str) -> bool:
    try:
        check.read(yes_or_no(text), _ANY)
    except FieldError:
        return False
    return True


_ANY = Conventions()


def _address_group(columns: Sequence[_Column], places: Iterable[int]) -> str:
    """The address group (home or business) that is filled best, so that no address is put together of two."""
    filled: Counter[str] = Counter({"": 0})
    for place in places:
        meaning = columns[place].meaning
        if meaning is not None:
            filled[meaning.group] += len(columns[place].cells)
    return max(filled, key=lambda group: filled[group])


def _named_persons(columns: Sequence[_Column], taken: dict[int, str]) -> dict[int, str]:
    """Settle what a column for whole names is where there are others for parts of them."""
    places = {target: place for place, target in taken.items()}
    if "name" not in places:
        return taken
    whole = places["name"]
    first, last = places.get("first_name"), places.get("last_name")
    if first is None and last is None and _is_name_of_two(columns, whole) and whole + 1 not in taken:
        return taken | {whole: "first_name", whole + 1: "last_name"}
    if first is not None and last is not None:
        return taken  # the whole name counts in the rows that have no parts
    if first is not None or last is not None:
        # In Vorname;Name or Nombre;Apellidos the general word is the other part.
        taken[whole] = "last_name" if first is not None else "first_name"
    elif "company" not in places and columns[whole].mostly(_COMPANY.search):
        # In a list of both each name is taken for itself.
        taken[whole] = "company"
    return taken


def _is_name_of_two(columns: Sequence[_Column], place: int) -> bool:
    """Return whether a heading for whole names stands over two columns: one for each part."""
    name = columns[place].name
    return place + 1 < len(columns) and columns[place + 1].name == f"{name} (2)" and bool(columns[place + 1].cells)


def _by_content(
    columns: Sequence[_Column], taken: dict[int, str], record: type[Client] | type[Sale], by: Conventions
) -> Iterable[tuple[int, str]]:
    """The fields that no column's name stands for but one column's content."""
    used = set(taken.values())
    for place, column in enumerate(columns):
        if record is Sale and place not in taken and "reference" not in used and _may_number_orders(column):
            used.add("reference")
            yield place, "reference"
            continue
        if place in taken or not column.cells or (column.meaning is not None and column.meaning.target in used):
            continue
        target = _content(column, record, by)
        parts = {"name": {"name", "first_name", "last_name"}}.get(target, {target})
        if target and not parts & used:
            used.add(target)
            yield place, target


def _content(column: _Column, record: type[Client] | type[Sale], by: Conventions) -> str:
    client = "client." if record is Sale else ""
    # Of a list of nothing but addresses some are misspelt.
    if column.mostly(_EMAIL.fullmatch, 0.5 if column.unnamed else 0.8):
        return f"{client}email"
    dates = bool(order_of(column.cells, by))
    if record is Sale and dates:
        return "on"
    # What one piece costs is not what was paid.
    of_one = not _OF_ONE.isdisjoint(plain_words(column.name).split())
    amount = not of_one and column.mostly(lambda text: bare_amount(text) and re.search(r"[.,]\d\d(\D*)$", text))
    if record is Sale and amount:
        return "amount"
    is_fax = not _OF_FAX.isdisjoint(plain_words(column.name).split())
    if not dates and not amount and not is_fax and column.mostly(_PHONE.fullmatch):
        return f"{client}phone"
    # What a column with a name of its own holds is better left to the person.
    if not column.unnamed:
        return ""
    if record is Client and dates:
        return "date_of_birth"
    if column.mostly(_COMPANY.search, 0.5):
        return f"{client}company"
    if record is Sale:
        return ""
    if column.mostly(lambda text: _is_country(text, by)):
        return "country"
    return "name" if column.mostly(_PERSON.fullmatch) else ""


def _is_country(text: str, by: Conventions) -> bool:
    try:
        return bool(fields(Client)["country"].check.read(text, by))
    except FieldError:
        return False


def retargeted(match: Match, target: str) -> Match:
    """The match with the target that a person chose for it."""
    return replace(match, target=target, by="")
