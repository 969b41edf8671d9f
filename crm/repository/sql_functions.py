"""The SQL functions that each database spells in its own way; another database adds its spelling here."""

import re
from datetime import date
from itertools import product
from typing import Any, ClassVar, TypeVar

from sqlalchemy import BigInteger, ColumnElement, Date, Integer, String, case, func, literal
from sqlalchemy.exc import CompileError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

Value = TypeVar("Value")


class _Spelled(FunctionElement[Value]):
    """A function by its SQL: that of a database by its name, else `sql`. {0} and {1} stand for the SQL of its
    arguments, and {all} for that of all of them."""

    sql: ClassVar[str] = ""
    sqlite: ClassVar[str] = ""
    postgresql: ClassVar[str] = ""
    # Of MySQL and MariaDB.
    mysql: ClassVar[str] = ""

    def __init_subclass__(cls) -> None:
        cls.inherit_cache = True
        super().__init_subclass__()


@compiles(_Spelled)
def _(element: Any, compiler: Any, **keywords: Any) -> str:
    arguments = [compiler.process(clause, **keywords) for clause in element.clauses]
    name = "mysql" if compiler.dialect.name == "mariadb" else compiler.dialect.name
    spelling: str = getattr(element, name, "") or element.sql
    if not spelling:
        raise CompileError(f"{type(element).__name__} has no spelling for {compiler.dialect.name}")
    return spelling.format(*arguments, all=", ".join(arguments))


class caseless(_Spelled[str]):
    """Text without its case, to compare."""

    type = String()
    # The dialect of SQLite makes this function itself.
    sql = "caseless({0})"
    postgresql = 'lower({0} COLLATE "und-x-icu")'
    mysql = "LOWER({0})"


class folded(_Spelled[str]):
    """Text as `fold` makes it, to sort by."""

    type = String()
    # The dialect of SQLite makes this function itself.
    sql = "folded({0})"
    postgresql = 'lower({0} COLLATE "und-x-icu")'
    mysql = "({0} COLLATE utf8mb4_unicode_520_nopad_ci)"


class position(_Spelled[int]):
    """The place at which the second text begins in the first, from 1 on; 0 where it is not part of it."""

    type = Integer()
    sql = "instr({0}, {1})"
    postgresql = "strpos({0}, {1})"


# At most this many words with letters beyond ASCII are looked for in several spellings.
_MOST_SPELLED = 3


def is_text(column: ColumnElement[Any], text: str) -> ColumnElement[bool]:
    """Return whether a column is a text that is not '', whatever its case.

    The database's own `lower`, which indexes are made of, may know ASCII only; other letters are looked for in the
    cases that words are written in.
    """
    lowered, spelled = func.lower(column), _spellings(text)
    condition: ColumnElement[bool] = lowered == spelled[0] if len(spelled) == 1 else lowered.in_(spelled)
    # Written out in the SQL, because partial indexes leave out what is empty.
    return (column != literal("", literal_execute=True)) & condition


def count_if(condition: ColumnElement[bool]) -> ColumnElement[int]:
    """The number of rows that fit a condition. A count is a whole number everywhere; the sum of ones is a decimal on
    servers."""
    return func.count(case((condition, 1)))


def holds(column: ColumnElement[Any], word: str) -> ColumnElement[bool]:
    """Return whether a word is part of a text, whatever its case."""
    if word.isascii():
        # The database's own `lower` is quick, and knows ASCII only.
        return column.icontains(word, autoescape=True)
    # Both by the database: its rules and those of Python may differ, as for ß.
    return position(caseless(column), caseless(literal(word))) > 0


def holds_folded(column: ColumnElement[Any], word: str) -> ColumnElement[bool]:
    """Return whether a word is part of a text, as both are sorted."""
    return position(folded(column), folded(literal(word))) > 0


def _spellings(text: str) -> list[str]:
    """The ways in which a text may be written, with its letters of ASCII in lower case."""
    words = re.split(r"(\W+)", text)
    if sum(not word.isascii() for word in words) > _MOST_SPELLED:
        words = [text]
    spellings = [[word] if word.isascii() else [word, word.lower(), word.upper(), word.capitalize()] for word in words]
    # Of bytes only those of ASCII have a case.
    return list(dict.fromkeys("".join(several).encode().lower().decode() for several in product(*spellings)))


class nulls_last(_Spelled[Any]):
    """An order, `asc()` or `desc()`, in which what has no value comes last."""

    sql = "{0} NULLS LAST"


@compiles(nulls_last, "mysql", "mariadb")
def _(element: Any, compiler: Any, **keywords: Any) -> str:
    (ordered,) = element.clauses
    value = compiler.process(ordered.element, **keywords)
    return f"{value} IS NULL, {compiler.process(ordered, **keywords)}"


class days_between(_Spelled[int]):
    """Whole days from the second date to the first."""

    type = Integer()
    sql = "({0} - {1})"
    sqlite = "CAST(julianday({0}) - julianday({1}) AS INTEGER)"
    mysql = "DATEDIFF({0}, {1})"


class day_at_offset(_Spelled[date]):
    """The date of a moment in UTC, where clocks are a number of seconds ahead of UTC."""

    type = Date()
    sql = "CAST({0} + {1} * INTERVAL '1 second' AS DATE)"
    sqlite = "date({0}, ({1}) || ' seconds')"
    mysql = "DATE({0} + INTERVAL ({1}) SECOND)"


class quotient(_Spelled[int]):
    """The quotient of two whole numbers without its fraction, the second not 0, both at least 0."""

    type = BigInteger()
    sql = "(({0}) / ({1}))"
    mysql = "(({0}) DIV ({1}))"


class multiplied(_Spelled[int]):
    """Two numbers multiplied, to be compared: it may be more than a whole number of the database holds."""

    type = BigInteger()
    # Larger ones become floats by themselves.
    sqlite = "(({0}) * ({1}))"
    postgresql = "(CAST({0} AS NUMERIC) * ({1}))"
    mysql = "(CAST({0} AS DECIMAL(65)) * ({1}))"


class trimmed(_Spelled[str]):
    """A text without some character at its beginning and end."""

    type = String()
    sql = "TRIM(BOTH {1} FROM {0})"
    sqlite = "trim({0}, {1})"


class money_text(_Spelled[str]):
    """A stored amount, zero or more, as text in major units: with two decimals, or four where two are too few."""

    type = String()
    # MOD in the place of %, which drivers take for a parameter.
    sql = (
        "(CAST({0} / 10000 AS TEXT) || '.' || CASE WHEN MOD({0}, 100) = 0"
        " THEN LPAD(CAST(MOD({0}, 10000) / 100 AS TEXT), 2, '0') ELSE LPAD(CAST(MOD({0}, 10000) AS TEXT), 4, '0') END)"
    )
    mysql = (
        "CONCAT(({0}) DIV 10000, '.', CASE WHEN MOD({0}, 100) = 0"
        " THEN LPAD(MOD({0}, 10000) DIV 100, 2, '0') ELSE LPAD(MOD({0}, 10000), 4, '0') END)"
    )
    sqlite = (
        "CASE WHEN {0} % 100 = 0 THEN printf('%d.%02d', {0} / 10000, {0} % 10000 / 100)"
        " ELSE printf('%d.%04d', {0} / 10000, {0} % 10000) END"
    )


class json_object(_Spelled[str]):
    """A JSON object as text, of names and values in turn."""

    type = String()
    sql = "json_object({all})"
    # As text `json` has a blank before each colon.
    postgresql = "CAST(jsonb_build_object({all}) AS TEXT)"


class json_rows(_Spelled[str]):
    """All rows of a statement as the text of one JSON array, each an array of some columns."""

    type = String()
    sqlite = "json_group_array(json_array({all}))"
    postgresql = "coalesce(CAST(json_agg(json_build_array({all})) AS TEXT), '[]')"
    mysql = "coalesce(JSON_ARRAYAGG(JSON_ARRAY({all})), '[]')"


class among(_Spelled[int]):
    """The condition that a text is one of those in a JSON array; one value however many there are, so the statement
    stays."""

    # Said to be no boolean, or "= 1" is put behind it where there are none, and no index is used.
    type = Integer()
    sqlite = "{0} IN (SELECT CAST(value AS TEXT) FROM json_each({1}))"
    postgresql = "{0} IN (SELECT json_array_elements_text(CAST({1} AS json)))"
    mysql = "{0} IN (SELECT value FROM JSON_TABLE({1}, '$[*]' COLUMNS (value LONGTEXT PATH '$')) AS wanted)"


class text_in(_Spelled[str]):
    """The text in a field of a JSON object kept as text, by the field's name; NULL where it has none."""

    type = String()
    sql = "CASE WHEN {0} <> '' THEN json_extract({0}, '$.' || {1}) END"
    postgresql = "CASE WHEN {0} <> '' THEN CAST({0} AS json) ->> {1} END"
    mysql = "CASE WHEN {0} <> '' THEN JSON_VALUE({0}, CONCAT('$.', {1})) END"


class is_yes(_Spelled[bool]):
    """Return whether a flag is set, as it is written out for a partial index."""

    sql = "{0} = 1"
    postgresql = "{0}"


class number_in(_Spelled[int]):
    """The whole number in a field of a JSON object kept as text, by the field's name; NULL where it has none."""

    type = Integer()
    # Empty text is no JSON, and what has no such field need not be parsed.
    sql = "CASE WHEN instr({0}, '\"' || {1} || '\":') > 0 THEN json_extract({0}, '$.' || {1}) END"
    # In brackets, as an index over it is made.
    postgresql = "(CASE WHEN strpos({0}, '\"' || {1} || '\":') > 0 THEN CAST(CAST({0} AS json) ->> {1} AS INTEGER) END)"
    mysql = (
        "CASE WHEN instr({0}, CONCAT('\"', {1}, '\":')) > 0 THEN CAST(JSON_VALUE({0}, CONCAT('$.', {1})) AS SIGNED) END"
    )
