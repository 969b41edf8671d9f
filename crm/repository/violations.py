"""Violations of constraints: what a database refused a row for, by its error codes and the name of the constraint."""

import re
from collections.abc import Collection
from enum import Enum

from crm.model import Record, fields


class Broken(Enum):
    """The kind of constraint that a row would have broken."""

    UNIQUE = "unique"
    LINK = "link"
    OTHER = "other"


# SQLite names the kind and the columns, PostgreSQL has SQLSTATEs, and MySQL and MariaDB numbers of their own.
_SQLITE = {
    "SQLITE_CONSTRAINT_UNIQUE": Broken.UNIQUE,
    "SQLITE_CONSTRAINT_PRIMARYKEY": Broken.UNIQUE,
    "SQLITE_CONSTRAINT_FOREIGNKEY": Broken.LINK,
}
_STATES = {"23505": Broken.UNIQUE, "23503": Broken.LINK}
_NUMBERS = {1062: Broken.UNIQUE, 1451: Broken.LINK, 1452: Broken.LINK}
# `UNIQUE constraint failed: client.reference` or `: index 'vehicle_unique_chassis'`; `for key 'client.reference'`.
# What was typed may be before it.
_NAMES = re.compile(r"(?:constraint failed: (?:index )?|.*for key )(.+)", re.DOTALL)
_NAME = re.compile(r"[\w.]+")


def violation(error: BaseException | None) -> tuple[Broken, Collection[str]]:
    """The kind of constraint that a driver's error refers to, and the names of its columns or its own."""
    number = next(iter(getattr(error, "args", ())), None)
    broken = (
        _SQLITE.get(getattr(error, "sqlite_errorname", ""))
        or _STATES.get(str(getattr(error, "sqlstate", None) or getattr(error, "pgcode", "")))
        or (_NUMBERS.get(number) if isinstance(number, int) else None)
    )
    if constraint := getattr(getattr(error, "diag", None), "constraint_name", None):
        return broken or Broken.OTHER, (str(constraint),)
    match = _NAMES.search(str(error))
    return broken or Broken.OTHER, _NAME.findall(match[1]) if match else ()


def unique_field(kind: type[Record], names: Collection[str]) -> str:
    """The field of a record that a unique constraint with one of these names, or over these columns, is on; '' for
    none. PostgreSQL calls a constraint TABLE_COLUMN_key, MySQL and MariaDB by its column, and our own have theirs."""
    table = kind.kind_name
    return next(
        (
            name
            for name in fields(kind)
            if not {name, f"{table}.{name}", f"{table}_{name}_key", f"{table}_unique_{name}",
                    f"{table}.{table}_unique_{name}"}.isdisjoint(names)
        ),
        "",
    )  # fmt: skip
