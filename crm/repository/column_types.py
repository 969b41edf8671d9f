"""Column types for money, flags, times, tags and objects. They raise ValueError, TypeError or LookupError for what no
column of theirs holds, see `wrong_values`."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from operator import index
from typing import Any

from sqlalchemy import BigInteger, Boolean, DateTime, Dialect, Integer, String, Text, TypeDecorator

from crm.errors import RefusedError
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


def major(stored: int) -> Decimal:
    """A stored number as an amount: with two decimals, or four where two are too few."""
    hundredths, rest = divmod(stored, MINOR_UNITS // 100)
    return Decimal(stored).scaleb(-MOST_DECIMALS) if rest else Decimal(hundredths).scaleb(-2)


def _whole(stored: Any) -> int:
    """A stored number that a database gives in another type."""
    whole = int(stored)
    if whole != stored or isinstance(stored, float):
        raise ValueError("no whole number stands where an amount is kept")
    return whole


class Minor(TypeDecorator[Decimal]):
    """Money: Decimal major units outside, whole ten-thousandths of them in the database, whatever the currency, so that
    the amounts of a team that changes its currency stay what they are. Raises RefusedError for what does not fit."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        return None if value is None else minor(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        return None if value is None else major(value if type(value) is int else _whole(value))


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

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


class TagList(TypeDecorator[tuple[str, ...]]):
    """Tags as text with a comma before, between and after them, so that ',gold,' finds one of them."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: tuple[str, ...] | None, dialect: Dialect) -> str:
        return f",{','.join(value)}," if value else ""

    def process_result_value(self, value: str | None, dialect: Dialect) -> tuple[str, ...]:
        return tuple(value.strip(",").split(",")) if value else ()


class JsonText(TypeDecorator[Mapping[str, Any]]):
    """An object as JSON text; an empty one is ''."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Mapping[str, Any] | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        return json.dumps(dict(value), ensure_ascii=False, separators=(",", ":")) if value else ""

    def process_result_value(self, value: str | None, dialect: Dialect) -> dict[str, Any] | None:
        if value is None:
            return None
        if not value:
            return {}
        read = json.loads(value)
        if type(read) is not dict:
            raise ValueError("no JSON object")
        return read


class UniqueText(TypeDecorator[str]):
    """Text that is unique where given: missing is '' outside and NULL in the database."""

    impl = String
    cache_ok = True

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
