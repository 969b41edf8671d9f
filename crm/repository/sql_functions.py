"""The SQL functions that each database spells in its own way; another database adds its spelling here."""

import re
from collections.abc import Callable
from datetime import date
from itertools import product
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Date, Integer, String, func, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


def spelled(function: type[FunctionElement[Any]], *databases: str) -> Callable[[Callable[..., str]], None]:
    """Registers how an SQL function is spelled, of the SQL of its arguments: in some databases, or in all others."""

    def register(spelling: Callable[..., str]) -> None:
        @compiles(function, *databases)
        def _(element: Any, compiler: Any, **keywords: Any) -> str:
            return spelling(*(compiler.process(clause, **keywords) for clause in element.clauses))

    return register


class caseless(FunctionElement[str]):
    """Text without its case, to compare."""

    type = String()
    inherit_cache = True


class folded(FunctionElement[str]):
    """Text as `fold` makes it, to sort by."""

    type = String()
    inherit_cache = True


# The dialect of SQLite makes these two functions itself.
@spelled(caseless)
def _(text: str) -> str:
    return f"caseless({text})"


@spelled(caseless, "postgresql")
def _(text: str) -> str:
    return f'lower({text} COLLATE "und-x-icu")'


@spelled(caseless, "mysql", "mariadb")
def _(text: str) -> str:
    return f"LOWER({text})"


@spelled(folded)
def _(text: str) -> str:
    return f"folded({text})"


@spelled(folded, "postgresql")
def _(text: str) -> str:
    return f'lower({text} COLLATE "und-x-icu")'


@spelled(folded, "mysql", "mariadb")
def _(text: str) -> str:
    return f"({text} COLLATE utf8mb4_unicode_520_nopad_ci)"


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


def holds(column: ColumnElement[Any], word: str) -> ColumnElement[bool]:
    """Return whether a word is part of a text, whatever its case."""
    if word.isascii():
        # The database's own `lower` is quick, and knows ASCII only.
        return column.icontains(word, autoescape=True)
    return caseless(column).contains(word.casefold(), autoescape=True)


def _spellings(text: str) -> list[str]:
    """The ways in which a text may be written, with its letters of ASCII in lower case."""
    words = re.split(r"(\W+)", text)
    if sum(not word.isascii() for word in words) > _MOST_SPELLED:
        words = [text]
    spellings = [[word] if word.isascii() else [word, word.lower(), word.upper(), word.capitalize()] for word in words]
    # Of bytes only those of ASCII have a case.
    return list(dict.fromkeys("".join(several).encode().lower().decode() for several in product(*spellings)))


class nulls_last(FunctionElement[Any]):
    """An order, `asc()` or `desc()`, in which what has no value comes last."""

    inherit_cache = True


@spelled(nulls_last)
def _(ordered: str) -> str:
    return f"{ordered} NULLS LAST"


@compiles(nulls_last, "mysql", "mariadb")
def _(element: Any, compiler: Any, **keywords: Any) -> str:
    (ordered,) = element.clauses
    value = compiler.process(ordered.element, **keywords)
    return f"{value} IS NULL, {compiler.process(ordered, **keywords)}"


class days_between(FunctionElement[int]):
    """Whole days from the second date to the first."""

    type = Integer()
    inherit_cache = True


@spelled(days_between)
def _(later: str, earlier: str) -> str:
    return f"({later} - {earlier})"


@spelled(days_between, "sqlite")
def _(later: str, earlier: str) -> str:
    return f"CAST(julianday({later}) - julianday({earlier}) AS INTEGER)"


@spelled(days_between, "mysql", "mariadb")
def _(later: str, earlier: str) -> str:
    return f"DATEDIFF({later}, {earlier})"


class day_at_offset(FunctionElement[date]):
    """The date of a moment in UTC, where clocks are a number of seconds ahead of UTC."""

    type = Date()
    inherit_cache = True


@spelled(day_at_offset)
def _(moment: str, seconds: str) -> str:
    return f"CAST({moment} + {seconds} * INTERVAL '1 second' AS DATE)"


@spelled(day_at_offset, "sqlite")
def _(moment: str, seconds: str) -> str:
    return f"date({moment}, ({seconds}) || ' seconds')"


@spelled(day_at_offset, "mysql", "mariadb")
def _(moment: str, seconds: str) -> str:
    return f"DATE({moment} + INTERVAL ({seconds}) SECOND)"


class quotient(FunctionElement[int]):
    """How often a whole number that is not 0 is contained in another, both at least 0."""

    type = BigInteger()
    inherit_cache = True


@spelled(quotient)
def _(one: str, other: str) -> str:
    return f"(({one}) / ({other}))"


@spelled(quotient, "mysql", "mariadb")
def _(one: str, other: str) -> str:
    return f"(({one}) DIV ({other}))"


class multiplied(FunctionElement[int]):
    """Two numbers multiplied, to be compared: it may be more than a whole number of the database holds."""

    type = BigInteger()
    inherit_cache = True


# Larger ones become floats by themselves.
@spelled(multiplied, "sqlite")
def _(one: str, other: str) -> str:
    return f"(({one}) * ({other}))"


@spelled(multiplied, "postgresql")
def _(one: str, other: str) -> str:
    return f"(CAST({one} AS NUMERIC) * ({other}))"


@spelled(multiplied, "mysql", "mariadb")
def _(one: str, other: str) -> str:
    return f"(CAST({one} AS DECIMAL(65)) * ({other}))"


class trimmed(FunctionElement[str]):
    """A text without some character at its beginning and end."""

    type = String()
    inherit_cache = True


@spelled(trimmed)
def _(text: str, character: str) -> str:
    return f"TRIM(BOTH {character} FROM {text})"


@spelled(trimmed, "sqlite")
def _(text: str, character: str) -> str:
    return f"trim({text}, {character})"


class money_text(FunctionElement[str]):
    """A stored amount, zero or more, as text in major units: with two decimals, or four where two are too few."""

    type = String()
    inherit_cache = True


@spelled(money_text)
def _(stored: str) -> str:
    # In the place of %, which drivers take for a parameter.
    two = f"LPAD(CAST(MOD({stored}, 10000) / 100 AS TEXT), 2, '0')"
    four = f"LPAD(CAST(MOD({stored}, 10000) AS TEXT), 4, '0')"
    return f"(CAST({stored} / 10000 AS TEXT) || '.' || CASE WHEN MOD({stored}, 100) = 0 THEN {two} ELSE {four} END)"


@spelled(money_text, "mysql", "mariadb")
def _(stored: str) -> str:
    two = f"LPAD(MOD({stored}, 10000) DIV 100, 2, '0')"
    four = f"LPAD(MOD({stored}, 10000), 4, '0')"
    return f"CONCAT(({stored}) DIV 10000, '.', CASE WHEN MOD({stored}, 100) = 0 THEN {two} ELSE {four} END)"


@spelled(money_text, "sqlite")
def _(stored: str) -> str:
    two, four = (
        f"printf('%d.{form}', {stored} / 10000, {rest})"
        for form, rest in (("%02d", f"{stored} % 10000 / 100"), ("%04d", f"{stored} % 10000"))
    )
    return f"CASE WHEN {stored} % 100 = 0 THEN {two} ELSE {four} END"


class json_object(FunctionElement[str]):
    """A JSON object as text, of names and values in turn."""

    type = String()
    inherit_cache = True


@spelled(json_object)
def _(*parts: str) -> str:
    return f"json_object({', '.join(parts)})"


@spelled(json_object, "postgresql")
def _(*parts: str) -> str:
    # As text `json` has a blank before each colon.
    return f"CAST(jsonb_build_object({', '.join(parts)}) AS TEXT)"


class json_rows(FunctionElement[str]):
    """All rows of a statement as the text of one JSON array, each an array of some columns."""

    type = String()
    inherit_cache = True


@spelled(json_rows, "sqlite")
def _(*parts: str) -> str:
    return f"json_group_array(json_array({', '.join(parts)}))"


@spelled(json_rows, "postgresql")
def _(*parts: str) -> str:
    return f"coalesce(CAST(json_agg(json_build_array({', '.join(parts)})) AS TEXT), '[]')"


@spelled(json_rows, "mysql", "mariadb")
def _(*parts: str) -> str:
    return f"coalesce(JSON_ARRAYAGG(JSON_ARRAY({', '.join(parts)})), '[]')"


class among(FunctionElement[int]):
    """Whether a text is one of those in a JSON array; one value however many there are, so the statement stays."""

    # Said to be no boolean, or "= 1" is put behind it where there are none, and no index is used.
    type = Integer()
    inherit_cache = True


@spelled(among, "sqlite")
def _(text: str, several: str) -> str:
    return f"{text} IN (SELECT CAST(value AS TEXT) FROM json_each({several}))"


@spelled(among, "postgresql")
def _(text: str, several: str) -> str:
    return f"{text} IN (SELECT json_array_elements_text(CAST({several} AS json)))"


@spelled(among, "mysql", "mariadb")
def _(text: str, several: str) -> str:
    return f"{text} IN (SELECT value FROM JSON_TABLE({several}, '$[*]' COLUMNS (value LONGTEXT PATH '$')) AS wanted)"


class text_in(FunctionElement[str]):
    """The text in a field of a JSON object kept as text, by the field's name; NULL where it has none."""

    type = String()
    inherit_cache = True


@spelled(text_in)
def _(text: str, name: str) -> str:
    return f"CASE WHEN {text} <> '' THEN json_extract({text}, '$.' || {name}) END"


@spelled(text_in, "postgresql")
def _(text: str, name: str) -> str:
    return f"CASE WHEN {text} <> '' THEN CAST({text} AS json) ->> {name} END"


@spelled(text_in, "mysql", "mariadb")
def _(text: str, name: str) -> str:
    return f"CASE WHEN {text} <> '' THEN JSON_VALUE({text}, CONCAT('$.', {name})) END"


class number_in(FunctionElement[int]):
    """The whole number in a field of a JSON object kept as text, by the field's name; NULL where it has none."""

    type = Integer()
    inherit_cache = True


# Empty text is no JSON, and what has no such field need not be parsed.
@spelled(number_in)
def _(text: str, name: str) -> str:
    return f"CASE WHEN instr({text}, '\"' || {name} || '\":') > 0 THEN json_extract({text}, '$.' || {name}) END"


@spelled(number_in, "postgresql")
def _(text: str, name: str) -> str:
    number = f"CAST(CAST({text} AS json) ->> {name} AS INTEGER)"
    # In brackets, as an index over it is made.
    return f"(CASE WHEN strpos({text}, '\"' || {name} || '\":') > 0 THEN {number} END)"


@spelled(number_in, "mysql", "mariadb")
def _(text: str, name: str) -> str:
    number = f"CAST(JSON_VALUE({text}, CONCAT('$.', {name})) AS SIGNED)"
    return f"CASE WHEN instr({text}, CONCAT('\"', {name}, '\":')) > 0 THEN {number} END"
