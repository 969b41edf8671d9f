"""Invalid values that another program wrote into a store: text instead of a number, a day that does not exist. Most
databases refuse them, SQLite accepts any value."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Boolean, Column, Date, Integer

from crm.errors import StoreDamagedError
from crm.repository import Finding
from crm.repository.column_types import JsonText, Minor, Moment, UniqueNumber

_REMEDY = "Correct it with the program that wrote it, or restore a backup with `restore FILE`."


@dataclass(frozen=True, slots=True)
class WrongValue:
    """The place of such a value, and what belongs there. The value itself is not shown: it may be a secret."""

    table: str
    row: int
    column: str
    expected: str

    @property
    def sentence(self) -> str:
        return f"Table “{self.table}”, row {self.row}: “{self.column}” is not {self.expected}."

    @property
    def finding(self) -> Finding:
        """The finding of `check`."""
        return Finding(self.sentence, True, how_to_mend=_REMEDY)

    @property
    def error(self) -> StoreDamagedError:
        """The error of a step that fails on it."""
        return StoreDamagedError(f"The data is damaged. {self.sentence} It was left as it is. {_REMEDY}")


def expected(column: Column[Any]) -> str:
    """The kind of value that a column holds, in words."""
    match column.type:
        case Boolean():
            return "0 or 1"
        case Minor() | Integer() | UniqueNumber():
            return "a whole number"
        case Date():
            return "a day like 2026-11-20"
        case Moment():
            return "a time like 2026-11-20 14:05:00"
        case JsonText():
            return "a JSON object"
    return "text in UTF-8"
