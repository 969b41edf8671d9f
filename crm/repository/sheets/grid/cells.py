"""A value as the cell that holds it, and back."""

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, get_type_hints

from crm.errors import FieldError
from crm.model import RECORDS, Client, Conventions, Record, fields, links, people
from crm.model.encoding import plain
from crm.model.fields import Amount, Day, Id, Line, Phone, Whole
from crm.model.money import MOST_DECIMALS, exact, plain_amount, plain_number
from crm.model.record import AnyRecord
from crm.repository.sheets.grid.layout import OWN, Cell, columns

# One of the requests of a batchUpdate.
Request = dict[str, Any]
VALUE = "userEnteredValue"
# The day that Google Sheets counts from; a date before it is written as text.
_DAY_ZERO = date(1899, 12, 30)
_FIRST_DAY = date(1900, 3, 1)
# Up to it a cell holds each whole number as it is.
LARGEST_EXACT = 2**53
_MOST_DIGITS = 15
_STAMP = re.compile(rf"([0-9]{{1,{_MOST_DIGITS}}})/([0-9]{{1,{_MOST_DIGITS}}})")
# No amount, and no sum of them, is kept that is as high.
_LARGEST_KEPT = Decimal(2**63 // 10**MOST_DECIMALS)


def cell_in(row: Sequence[Cell], at: int) -> Cell:
    """The cell of a row in a column; '' behind its end, as Google leaves out what is empty there."""
    return row[at] if at < len(row) else ""


def cell_of(value: Any) -> Cell:
    """The value as it is in a cell and is read back; '' for nothing."""
    match value:
        case None | ():
            return ""
        case bool() | str():
            return value
        case int():
            return value if abs(value) <= LARGEST_EXACT else str(value)
        case Decimal():
            number = float(value)
            # A sum with more digits than a cell counts with is kept as text.
            if Decimal(repr(number)) != value:
                return plain_amount(value)
            return int(number) if number.is_integer() else number
        case datetime():
            return str(plain(value))
        case date():
            return (value - _DAY_ZERO).days if value >= _FIRST_DAY else value.isoformat()
        case _:
            return ", ".join(value)


def written(cell: Cell) -> dict[str, Any]:
    """The cell as a request writes it: typed, so that text is never read as a formula, a number or a date."""
    if cell == "" and isinstance(cell, str):
        return {}
    if isinstance(cell, bool):
        return {"userEnteredValue": {"boolValue": cell}}
    if isinstance(cell, str):
        return {"userEnteredValue": {"stringValue": cell}}
    return {"userEnteredValue": {"numberValue": cell}}


def cells_request(sheet: int, row: int, column: int, rows: Sequence[Sequence[Cell]]) -> Request:
    """Write typed cells, from a row and a column on."""
    start = {"sheetId": sheet, "rowIndex": row, "columnIndex": column}
    return {"updateCells": {"start": start, "rows": [row_request(row) for row in rows], "fields": VALUE}}


def row_request(cells: Sequence[Cell]) -> Request:
    """A row as requests take it."""
    return {"values": [written(cell) for cell in cells]}


def row_of(record: Record) -> list[Any]:
    """A record as the row that `layout.Heading.row` reads: a cell for each column, then its own fields."""
    row: list[Any] = [cell_of(getattr(record, name)) for name in columns(type(record))]
    for name in people(type(record)).values():
        # Nobody's account needs no cell.
        at = columns(type(record)).index(name)
        row[at] = row[at] or ""
    row[-1] = stamp(record.id, record.version)
    if isinstance(record, Client):
        row.append(dict(record.extra))
    return row


def stamp(record_id: int, version: int) -> str:
    """The stamp in the last column: the id of the record, and how often it was changed."""
    return f"{record_id}/{version}"


# What is before the stamp in a row that was copied by hand.
_COPY = "copy of "


def copy_mark(stamp: Cell) -> str:
    """The mark of a copied row, by the stamp that it brought along: it names no record any more."""
    return f"{_COPY}{stamp}"


def copied_stamp(mark: Cell) -> str:
    """The stamp that a copied row brought along; '' when the mark is not that of a copy."""
    text = str(mark)
    return text.removeprefix(_COPY) if text.startswith(_COPY) else ""


def stamped(cell: Cell) -> tuple[int, int] | None:
    """The id and the version that a stamp names; None when it is none."""
    stamp = _STAMP.fullmatch(cell) if isinstance(cell, str) else None
    return (int(stamp[1]), int(stamp[2])) if stamp else None


def number_of(cell: Cell) -> int | None:
    """A cell as an id; None when it cannot be one."""
    if isinstance(cell, bool):
        return None
    if isinstance(cell, int | float):
        return int(cell) if cell == int(cell) and 0 < cell < LARGEST_EXACT else None
    text = cell.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS and int(text) else None


# As the program writes them


def text_of(cell: Any) -> str:
    """A cell that is a text. Raises ValueError."""
    if type(cell) is not str:
        raise ValueError
    return cell


def whole_of(cell: Any) -> int:
    """A cell that is a whole number, or the text of one. Raises ValueError."""
    if not (type(cell) is int or (type(cell) is float and cell.is_integer()) or (type(cell) is str and cell.isdigit())):
        raise ValueError
    number = int(cell)
    if abs(number) > LARGEST_EXACT:
        raise ValueError
    return number


def _day(cell: Any) -> date:
    if type(cell) is str:
        return date.fromisoformat(cell)
    if type(cell) in (int, float) and cell == int(cell):
        return _DAY_ZERO + timedelta(days=int(cell))
    raise ValueError


def _maybe_day(cell: Any) -> date | None:
    return None if cell == "" else _day(cell)


def _money(cell: Any) -> Decimal:
    amount = _balance(cell)
    if amount < 0:
        raise ValueError
    return amount


def _balance(cell: Any) -> Decimal:
    """An amount that may be negative."""
    if type(cell) not in (int, float, str) or cell == "":
        raise ValueError
    amount = Decimal(repr(cell) if type(cell) is float else cell)
    if not abs(amount) < _LARGEST_KEPT:
        raise ValueError
    return exact(amount)


def _moment(cell: Any) -> datetime:
    moment = datetime.fromisoformat(text_of(cell))
    if moment.tzinfo is None:
        raise ValueError
    return moment


def _truth(cell: Any) -> bool:
    if type(cell) is not bool:
        raise ValueError
    return cell


def _list(cell: Any) -> tuple[str, ...]:
    return tuple(text_of(cell).split(", ")) if cell != "" else ()


def _version(cell: Any) -> int:
    stamp = stamped(cell)
    if stamp is None:
        raise ValueError
    return stamp[1]


_BY_TYPE: Mapping[Any, Callable[[Any], Any]] = {
    str: text_of,
    int: whole_of,
    bool: _truth,
    Decimal: _money,
    date: _day,
    date | None: _maybe_day,
    datetime: _moment,
    tuple[str, ...]: _list,
}


def _account(cell: Any) -> int:
    return 0 if cell == "" else whole_of(cell)


def _link(cell: Any) -> int:
    """The number of another record; 0 for none."""
    number = whole_of(cell)
    if number < 0:
        raise ValueError
    return number


def _readers(kind: type[Record]) -> Sequence[Callable[[Any], Any]]:
    hints = get_type_hints(kind)
    signed = [name for name, field in fields(kind).items() if isinstance(field.check, Amount) and field.check.signed]
    special: dict[str, Callable[[Any], Any]] = {
        "version": _version,
        **dict.fromkeys(people(kind).values(), _account),
        **dict.fromkeys(links(kind), _link),
        **dict.fromkeys(signed, _balance),
    }
    return [special.get(name) or _BY_TYPE[hints[name]] for name in columns(kind)]


READERS: Mapping[type[Record], Sequence[Callable[[Any], Any]]] = {kind: _readers(kind) for kind in RECORDS}


def record_of(kind: type[AnyRecord], row: Sequence[Any]) -> AnyRecord:
    """The record in a row as the program writes it. Raises ValueError or ArithmeticError where a cell is not so."""
    names = columns(kind)
    values = {name: read(cell) for name, read, cell in zip(names, READERS[kind], row, strict=False)}
    if kind is Client:
        own = row[len(names)]
        if not all(type(value) is str for value in own.values()):
            raise ValueError
        values[OWN] = own
    return kind(**values)


# As people write them


FAILED = frozenset(
    ("#ERROR!", "#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", "Loading...")
)  # fmt: skip
FORMULA_FAILS = "the formula in this cell fails"


def typed(kind: type[Record], name: str, cell: Cell, by: Conventions) -> Any:
    """The value of a cell that a person filled in, checked like any input. Raises FieldError."""
    check = fields(kind)[name].check
    if isinstance(cell, str):
        if cell in FAILED:
            raise FieldError(FORMULA_FAILS)
        if not cell.strip() and name in ("on", "due_on"):
            raise FieldError(f"a {kind.noun} needs its date")
        if isinstance(check, Whole) and not cell.strip() and name not in kind.about.needs:
            return check.empty
        if isinstance(check, Id) and cell.strip() and not is_number(cell):
            raise FieldError(f"write the {check.record}'s ID or its name")
        return check.read(cell, by)
    if isinstance(cell, bool):
        # What a person typed as a word was made a truth by Google.
        return check.read(str(cell).upper(), by)
    return _typed_number(check, cell, by)


def is_number(cell: str) -> bool:
    """Return whether a text is a number as an ID is one."""
    return cell.strip().isdecimal()


def _typed_number(check: Any, cell: float, by: Conventions) -> Any:
    # People see 15 digits of a number; what a formula has beyond them is not meant.
    number = Decimal(f"{cell:.15g}")
    whole = int(number) if number == int(number) else None
    match check:
        case Day():
            if not 0 < number < 2_958_466:
                raise FieldError("that is not a date")
            return check.read((_DAY_ZERO + timedelta(days=int(number))).isoformat(), by)
        case Amount():
            # With its own decimals, which the check counts; never with three, which could be thousands.
            return check.read(plain_number(cell), by)
        case Whole() | Id() if whole is None:
            raise FieldError("that is not a whole number; write it in digits")
        case Phone() if whole is not None:
            return _typed_phone(check, str(whole), by)
    return check.read(str(whole) if whole is not None else repr(cell), by)


def _typed_phone(check: Phone, digits: str, by: Conventions) -> Any:
    """A phone number of which Google has taken the + or the zeros away."""
    for opening in ("", "+", "0"):
        with suppress(FieldError):
            return check.read(opening + digits, by)
    return check.read(digits, by)


def own_plain(cell: Cell) -> str:
    """A cell of a field of the team's own as text, as it is shown."""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float) and cell == int(cell):
        cell = int(cell)
    return str(cell)


def own_text(cell: Cell, by: Conventions) -> str:
    """A cell of a field of the team's own, which is text. Raises FieldError."""
    if cell in FAILED:
        raise FieldError(FORMULA_FAILS)
    return Line(2000).read(own_plain(cell), by)
