"""Column types for money, flags, times, tags and objects, and whether a value fits its field before it is written. They
raise ValueError, TypeError or LookupError for what no column of theirs holds, see `wrong_values`."""

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from itertools import chain
from operator import index
from types import NoneType
from typing import Any, get_args, get_origin

from sqlalchemy import BigInteger, Boolean, DateTime, Dialect, Integer, String, Text, TypeDecorator
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.types import TypeEngine

from crm.errors import FieldError, RefusedError
from crm.model import Record, field_names, fields
from crm.model.encoding import types_of
from crm.model.fields import Whole
from crm.model.money import MOST_DECIMALS

# How many stored units make one unit of a currency: as many as the currency with the most decimals needs.
MINOR_UNITS = 10**MOST_DECIMALS


def minor(amount: Decimal) -> int:
    """An amount as it is stored. Raises RefusedError where it would not come back as it is."""
    shifted = amount.scaleb(MOST_DECIMALS)
    whole = int(shifted)
    if whole != shifted:
        raise RefusedError(f"{amount} has more than {MOST_DECIMALS} decimals and cannot be kept. Nothing was changed.")
    if not -(2**63) <= whole < 2**63:
        raise RefusedError(f"{amount} is more than can be kept. Nothing was changed.")
    return whole


@lru_cache(maxsize=4096)
def major(stored: int) -> Decimal:
    """A stored number as an amount: with two decimals, or four where two are too few."""
    hundredths, rest = divmod(stored, MINOR_UNITS // 100)
    return Decimal(stored).scaleb(-MOST_DECIMALS) if rest else Decimal(hundredths).scaleb(-2)


def _whole(stored: Any) -> int:
    """A stored number that a database gives in another type."""
    whole = int(stored)
    if whole != stored or isinstance(stored, float):
        raise ValueError("an amount is kept as a whole number, and this is not one")
    return whole


class LongText(Text):
    """Text of any length: what MySQL and MariaDB call TEXT ends after 65 535 bytes."""


@compiles(LongText, "mysql", "mariadb")
def _(*_: Any, **__: Any) -> str:
    return "LONGTEXT"


class Microseconds(DateTime):
    """A time to the microsecond: what MySQL and MariaDB call DATETIME is one to the second."""


@compiles(Microseconds, "mysql", "mariadb")
def _(*_: Any, **__: Any) -> str:
    return "DATETIME(6)"


def plain_text(length: int | None = None) -> String:
    """Text in the order of its characters, whatever the locale of the database: ranges of names are looked up in it."""
    if not length:
        return LongText().with_variant(Text(collation="C"), "postgresql")
    return String(length).with_variant(String(length, collation="C"), "postgresql")


# SQLAlchemy would call three functions, one inside the other, for each value that is read of one of the types below:
# they say themselves what reads it.
_Read = Callable[[Any], Any]


class Minor(TypeDecorator[Decimal]):
    """Money: Decimal major units outside, whole ten-thousandths of them in the database, whatever the currency, so that
    the amounts of a team that changes its currency stay what they are. Raises RefusedError for what does not fit."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        return None if value is None else minor(value)

    def result_processor(self, dialect: Dialect, coltype: object) -> _Read:
        return _amount


def _amount(stored: Any) -> Decimal | None:
    return None if stored is None else major(stored if type(stored) is int else _whole(stored))


def _counted(stored: Any) -> int | None:
    return None if stored is None else index(stored)


class WholeNumber(Integer):
    """A whole number. Raises TypeError for text, which SQLite keeps in its place."""

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], int | None]:
        return _counted


_FLAGS = {None: None, 0: False, 1: True}


class YesNo(Boolean):
    """Yes or no: 1 or 0 in the database. What is neither raises KeyError, and is not taken for yes."""

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], bool | None]:
        return _FLAGS.__getitem__


class Moment(TypeDecorator[datetime]):
    """A time in UTC: aware outside, without a zone in the database."""

    impl = Microseconds
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def result_processor(self, dialect: Dialect, coltype: object) -> _Read:
        read = self.impl_instance.dialect_impl(dialect).result_processor(dialect, coltype)

        def moment(stored: Any) -> datetime | None:
            kept: datetime | None = stored if read is None or stored is None else read(stored)
            return None if kept is None else kept.replace(tzinfo=UTC)

        return moment


class TagList(TypeDecorator[tuple[str, ...]]):
    """Tags as text with a comma before, between and after them, so that ',gold,' finds one of them."""

    impl = plain_text()
    cache_ok = True

    def process_bind_param(self, value: tuple[str, ...] | None, dialect: Dialect) -> str:
        return f",{','.join(value)}," if value else ""

    def result_processor(self, dialect: Dialect, coltype: object) -> _Read:
        return _tags


def _tags(stored: str | None) -> tuple[str, ...]:
    return tuple(stored.strip(",").split(",")) if stored else ()


class JsonText(TypeDecorator[Mapping[str, Any]]):
    """An object as JSON text; an empty one is ''."""

    impl = plain_text()
    cache_ok = True

    def process_bind_param(self, value: Mapping[str, Any] | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        return json.dumps(dict(value), ensure_ascii=False, separators=(",", ":")) if value else ""

    def result_processor(self, dialect: Dialect, coltype: object) -> _Read:
        return _object


def _object(stored: str | None) -> dict[str, Any] | None:
    if stored is None:
        return None
    if not stored:
        return {}
    read = json.loads(stored)
    if type(read) is not dict:
        raise ValueError("no JSON object")
    return read


class UniqueText(TypeDecorator[str]):
    """Text that is unique where given: missing is '' outside and NULL in the database."""

    impl = String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        held = self.impl_instance
        return plain_text(held.length) if dialect.name == "postgresql" and isinstance(held, String) else held

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return value or None

    def process_result_value(self, value: str | None, dialect: Dialect) -> str:
        return value or ""


class UniqueNumber(TypeDecorator[int]):
    """A whole number that is unique where given: missing is 0 outside and NULL in the database."""

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> int | None:
        return value or None

    def process_result_value(self, value: int | None, dialect: Dialect) -> int:
        return index(value) if value else 0


# The largest whole number that a column of every database holds.
_MOST = Whole.most

_OF_EVERY_RECORD = frozenset(field.name for field in dataclasses.fields(Record))

_NEEDED: Mapping[type, str] = {
    str: "text",
    int: f"a whole number of at most {_MOST}",
    bool: "yes or no",
    Decimal: "an amount",
    date: "a day",
    datetime: "a time",
    tuple: "a tuple of texts",
    Mapping: "a text for each name",
}
_NAMES: Mapping[type, str] = {
    NoneType: "no value",
    str: "this is text",
    bool: "this is yes or no",
    date: "this is a day",
    datetime: "this is a time",
    int: "this is a whole number",
    float: "this is a number with a floating point",
    Decimal: "this is an amount",
}


_DECLARED: dict[type[Record], Mapping[str, tuple[Any, bool, Any]]] = {}


def _declared(kind: type[Record]) -> Mapping[str, tuple[Any, bool, Any]]:
    """The type of each field of a kind, whether it may be None, and its default if that is a value. What every record
    has the store writes itself."""
    if kind in _DECLARED:
        return _DECLARED[kind]
    declared = {}
    defaults = {field.name: field.default for field in dataclasses.fields(kind)}
    for name in field_names(kind):
        if name not in _OF_EVERY_RECORD:
            hint = types_of(kind)[name]
            optional = NoneType in get_args(hint)
            needed = get_args(hint)[0] if optional else hint
            default = dataclasses.MISSING if defaults[name] is None else defaults[name]
            declared[name] = (get_origin(needed) or needed, optional, default)
    _DECLARED[kind] = declared
    return declared


def refuse_wrong_types(kind: type[Record], values: Mapping[str, Any]) -> None:
    """Raise FieldError for the first of some values of a record that is not of the type that its field declares.
    SQLite keeps it, and nobody can read it again; other databases refuse it in words of their own."""
    for name, (needed, optional, default) in _declared(kind).items():
        if name not in values:
            continue
        value = values[name]
        # What is usual is decided here: one more call for each value would take longer than all else.
        if value is default or (value is None and optional) or (
            type(value) is needed
            and (
                value.isprintable() if needed is str
                else -_MOST <= value <= _MOST if needed is int
                else needed is bool or needed is date
            )
        ):  # fmt: skip
            continue
        if value is None and name in kind.about.needs:
            raise missing(kind, name)
        if wrong := _wrong(value, needed):
            raise _refusal(kind, name, f"{wrong}, and {_NEEDED[needed]} is needed")


def refuse_wrong_columns(kind: type[Record], columns: Mapping[str, Sequence[Any]]) -> None:
    """The same for the values of many records of one kind: whole columns are looked at first."""
    declared = _declared(kind)
    if all(name not in declared or _is_right(column, *declared[name][:2]) for name, column in columns.items()):
        return
    for row in zip(*columns.values(), strict=True):
        refuse_wrong_types(kind, dict(zip(columns, row, strict=True)))


def _is_right(column: Sequence[Any], needed: type, optional: bool) -> bool:
    """Return whether all values of a column are right; False also where that takes a look at each."""
    types = set(map(type, column))
    if optional and NoneType in types:
        types.remove(NoneType)
        column = [value for value in column if value is not None]
    if not types or types == {bool} == {needed} or types == {date} == {needed}:
        return True
    if types == {int} == {needed}:
        return bool(min(column) >= -_MOST and max(column) <= _MOST)
    if types == {Decimal} == {needed}:
        return all(map(Decimal.is_finite, column))
    if types == {str} == {needed}:
        return _is_kept(column)
    if types == {tuple} == {needed}:
        return _is_kept(list(chain.from_iterable(column)))
    if types == {dict} and needed is Mapping:
        return _is_kept([part for value in column if value for parts in value.items() for part in parts])
    return False


def _is_kept(texts: Sequence[Any]) -> bool:
    """Return whether all are texts that databases keep."""
    if not set(map(type, texts)) <= {str}:
        return False
    return _can_be_kept("".join(texts))


def _can_be_kept(text: str) -> bool:
    """Return whether every database keeps a text: none keeps half of a surrogate pair, and some no NUL."""
    if text.isprintable():
        return True
    try:
        # Quicker than a pattern.
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def missing(kind: type[Record], name: str) -> FieldError:
    """The error where a field is empty without which a record is none."""
    return _refusal(kind, name, f"every {kind.noun} needs it")


def _refusal(kind: type[Record], name: str, why: str) -> FieldError:
    label = fields(kind)[name].label if name in fields(kind) else name
    return FieldError(f"{why}; nothing was changed", field=name, label=label)


def _wrong(value: Any, needed: type) -> str:
    """The fault of a value, as the beginning of a sentence; '' for none."""
    if not isinstance(value, needed) or (isinstance(value, bool | datetime) and type(value) is not needed):
        return _NAMES.get(type(value), "this is of another type")
    if isinstance(value, int) and not -_MOST <= value <= _MOST:
        return "this number is too large"
    if isinstance(value, Decimal) and not value.is_finite():
        return "this is no number"
    if isinstance(value, datetime) and value.tzinfo is None:
        return "this time has no zone"
    parts = (*value, *value.values()) if isinstance(value, Mapping) else value if isinstance(value, tuple) else (value,)
    if needed in (str, tuple, Mapping):
        if not all(isinstance(part, str) for part in parts):
            return "a part of this is no text"
        if not all(map(_can_be_kept, parts)):
            return "this has a character that cannot be kept"
    return ""
