"""Records as JSON and back: money a string with two decimals, or four, and beside a currency with those of it; dates
and times ISO 8601."""

import dataclasses
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, get_type_hints

from crm.errors import FileError
from crm.model.fields import Amount
from crm.model.money import as_written_in, exact, plain_amount
from crm.model.record import AnyRecord, Record
from crm.model.registry import field_names, fields

# More than any sum of amounts, and less than a database's whole numbers hold with all decimals.
_TOO_MUCH = Decimal(9) * 10**14


def plain(value: Any) -> Any:
    """Any value as what `json` writes: records and reports become objects, sequences arrays.

    A report that is read differently by scripts than by people says so in a method `as_json`.
    """
    match value:
        case None | bool() | int() | str():
            return value
        case Decimal() | Fraction():
            return plain_amount(value)
        case datetime():
            return value.isoformat(timespec="microseconds").replace("+00:00", "Z")
        case date():
            return value.isoformat()
        case Path():
            return str(value)
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple() | frozenset() | set():
            return [plain(item) for item in value]
    if hasattr(value, "as_json"):
        return plain(value.as_json())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        of_currency: str = getattr(value, "currency", "")
        return {field.name: _plain_in(of_currency, getattr(value, field.name)) for field in dataclasses.fields(value)}
    raise TypeError(f"no JSON for {type(value).__name__}")


def _plain_in(currency: str, value: Any) -> Any:
    """A value that is beside a currency: an amount has the decimals of that."""
    return f"{as_written_in(value, currency):f}" if currency and isinstance(value, Decimal) else plain(value)


_TYPES: dict[type[Record], Mapping[str, Any]] = {}


def types_of(record: type[Record]) -> Mapping[str, Any]:
    """The type of each field, as the record declares it; found out when it is first asked for."""
    if record not in _TYPES:
        hints = get_type_hints(record)
        _TYPES[record] = {name: hints[name] for name in field_names(record)}
    return _TYPES[record]


def value_of(record: type[Record], name: str, written: Any) -> Any:
    """The value that `plain` wrote for a field of `record`. Raises FileError where it cannot be one."""
    try:
        kind = types_of(record)[name]
        if written is None and kind == (date | None):
            return None
        if kind is datetime:
            return datetime.fromisoformat(written)
        if kind in (date, date | None):
            return date.fromisoformat(written)
        if kind is Decimal:
            return _money(Decimal(written), signed=_is_signed(record, name))
        if kind in (int, bool, str):
            if type(written) is not kind:
                raise TypeError
            return written
        if kind == tuple[str, ...]:
            if not isinstance(written, list | tuple):
                raise TypeError
            return tuple(str(item) for item in written)
        return {str(key): str(item) for key, item in written.items()}
    except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        raise FileError(f"{name} of a {record.noun} cannot be {written!r:.60}.") from error


def _is_signed(record: type[Record], name: str) -> bool:
    check = fields(record)[name].check
    return isinstance(check, Amount) and check.signed


def _money(amount: Decimal, *, signed: bool) -> Decimal:
    if not (amount.is_finite() and (-_TOO_MUCH if signed else 0) <= amount < _TOO_MUCH):
        raise ValueError
    return exact(amount)


def record_of(record: type[AnyRecord], written: Mapping[str, Any]) -> AnyRecord:
    """The record that `plain` wrote; fields that are missing take their defaults. Raises FileError."""
    return record(**{name: value_of(record, name, value) for name, value in written.items()})
