"""The SQL functions that each database spells in its own way; another database adds its spelling here."""

import re
from datetime import date
from itertools import product
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Date, Integer, String, func, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


class caseless(FunctionElement[str]):
    """Text without its case, to compare."""

    type = String()
    inherit_cache = True


class folded(FunctionElement[str]):
    """Text as `fold` makes it, to sort by."""

    type = String()
    inherit_cache = True


# The dialect of SQLite makes these two functions itself.
@compiles(caseless)
def _(element: Any, compiler: Any, **keywords: Any) -> str:
    return f"caseless({compiler.process(element.clauses, **keywords)})"


@compiles(caseless, "postgresql")
def _(element: Any, compiler: Any, **keywords: Any) -> str:
    return f'lower({compiler.process(element.clauses, **keywords)} COLLATE "und-x-icu")'


@compiles(caseless, "mysql", "mariadb")
def _(element: Any, compiler: Any, **keywords: Any) -> str:
    return f"LOWER({compiler.process(element.clauses, **keywords)})"


@compiles(folded)
def _(element: Any, compiler: Any, **keywords: Any) -> str:
    return f"folded({compiler.process(element.clauses, **keywords)})"


@compiles(folded, "postgresql")
def _(element: Any, compiler: Any, **keywords: Any) -> str:
    return f'lower({compiler.process(element.clauses, **keywords)} COLLATE "und-x-icu")'


@compiles(folded, "mysql", "mariadb")
def _(element: Any, compiler: Any, **keywords: Any) -> str:
    return f"({compiler.process(element.clauses, **keywords)} COLLATE utf8mb4_unicode_520_nopad_ci)"


# At most this many words with letters beyond ASCII are looked for in several spellings.
_MOST_SPELLED = 3


def is_text(column: ColumnElement[Any], wanted: str) -> ColumnElement[bool]:
    """Whether a column is a text that is not '', whatever its case.

    The database's own `lower`, which indexes are made of, may know ASCII only; other letters are looked for in the
    cases that words are written in.
    """
    lowered, spelled = func.lower(column), _spellings(wanted)
    found: ColumnElement[bool] = lowered == spelled[0] if len(spelled) == 1 else lowered.in_(spelled)
    # Written out in the SQL, because partial indexes leave out what is empty.
    return (column != literal("", literal_execute=True)) & found


def _spellings(text: str) -> list[str]:
    """The ways in which a text may be written, with its letters of ASCII in lower case."""
    words = re.split(r"(\W+)", text)
    if sum(not word.isascii() for word in words) > _MOST_SPELLED:
        words = [text]
    each = [[word] if word.isascii() else [word, word.lower(), word.upper(), word.capitalize()] for word in words]
    # Of bytes only those of ASCII have a case.
    return list(dict.fromkeys("".join(several).encode().lower().decode() for several in product(*each)))


class nulls_last(FunctionElement[Any]):
    """An order, `asc()` or `desc()`, in which what has no value comes last."""

    inherit_cache = True


@compiles(nulls_last)
def _(element: Any, compiler: Any, **keywords: Any) -> str:
    return f"{compiler.process(element.clauses, **keywords)} NULLS LAST"


@compiles(nulls_last, "mysql", "mariadb")
def _(element: Any, compiler: Any, **keywords: Any) -> str:
    (ordered,) = element.clauses
    value = compiler.process(ordered.element, **keywords)
    return f"{value} IS NULL, {compiler.process(ordered, **keywords)}"


class days_between(FunctionElement[int]):
    """Whole days from the second date to the first."""

    type = Integer()
    inherit_cache = True


@compiles(days_between)
def _(element: Any, compiler: Any, **keywords: Any) -> str:
    later, earlier = (compiler.process(each, **keywords) for each in element.clauses)
    return f"({later} - {earlier})"


@compiles(days_between, "sqlite")
def _(element: Any, compiler: Any, **keywords: Any) -> str:
    later, earlier = (compiler.process(each, **keywords) for each in element.clauses)
    return f"CAST(julianday({later}) - julianday({earlier}) AS INTEGER)"


@compiles(days_between, "mysql", "mariadb")
def _(element: Any, compiler: Any, **keywords: Any) -> str:
    return f"DATEDIFF({compiler.process(element.clauses, **keywords)})"


class day_at_offset(FunctionElement[date]):
    """The date of a moment in UTC, where clocks are a number of seconds ahead of UTC."""

    type = Date()
    inherit_cache = True


@compiles(day_at_offset)
def _(element: Any, compiler: Any, **keywords: Any) -> str:
    moment, seconds = (compiler.process(each, **keywords) for each in element.clauses)
    return f"CAST({moment} + {seconds} * INTERVAL '1 second' AS DATE)"


@compiles(day_at_offset, "sqlite")
def _(element: Any, compiler: Any, **keywords: Any) -> str:
    moment, seconds = (compiler.process(each, **keywords) for each in element.clauses)
    return f"date({moment}, ({seconds}) || ' seconds')"


@compiles(day_at_offset, "mysql", "mariadb")
def _(element: Any, compiler: Any, **keywords: Any) -> str:
    moment, seconds = (compiler.process(each, **keywords) for each in element.clauses)
    return f"DATE({moment} + INTERVAL ({seconds}) SECOND)"


class quotient(FunctionElement[int]):
    """How often a whole number that is not 0 is contained in another, both at least 0."""

    type = BigInteger()
    inherit_cache = True


@compiles(quotient)
def _(element: Any, compiler: Any, **keywords: Any) -> str:
    one, other = (compiler.process(each, **keywords) for each in element.clauses)
    return f"(({one}) / ({other}))"


@compiles(quotient, "mysql", "mariadb")
def _(element: Any, compiler: Any, **keywords: Any) -> str:
    one, other = (compiler.process(each, **keywords) for each in element.clauses)
    return f"(({one}) DIV ({other}))"


class multiplied(FunctionElement[int]):
    """Two numbers multiplied, to be compared: it may be more than a whole number of the database holds."""

    type = BigInteger()
    inherit_cache = True


# Larger ones become floats by themselves.
@compiles(multiplied, "sqlite")
def _(element: Any, compiler: Any, **keywords: Any) -> str:
    one, other = (compiler.process(each, **keywords) for each in element.clauses)
    return f"(({one}) * ({other}))"


@compiles(multiplied, "postgresql")
def _(element: Any, compiler: Any, **keywords: Any) -> str:
    one, other = (compiler.process(each, **keywords) for each in element.clauses)
    return f"(CAST({one} AS NUMERIC) * ({other}))"


@compiles(multiplied, "mysql", "mariadb")
def _(element: Any, compiler: Any, **keywords: Any) -> str:
    one, other = (compiler.process(each, **keywords) for each in element.clauses)
    return f"(CAST({one} AS DECIMAL(65)) * ({other}))"


class trimmed(FunctionElement[str]):
    """A text without some character at its beginning and end."""

    type = String()
    inherit_cache = True


@compiles(trimmed)
def _(element: Any, compiler: Any, **keywords: Any) -> str:
    text, character = (compiler.process(each, **keywords) for each in element.clauses)
    return f"TRIM(BOTH {character} FROM {text})"


@compiles(trimmed, "sqlite")
def _(element: Any, compiler: Any, **keywords: Any) -> str:
    return f"trim({compiler.process(element.clauses, **keywords)})"


class money_text(FunctionElement[str]):
    """A stored amount, zero or more, as text in major units: with two decimals, or four where two are too few."""

    type = String()
    inherit_cache = True


@compiles(money_text)
def _(element: Any, compiler: Any, **keywords: Any) -> str:
    (stored,) = (compiler.process(each, **keywords) for each in element.clauses)
    # In the place of %, which drivers take for a parameter.
    two = f"LPAD(CAST(MOD({stored}, 10000) / 100 AS TEXT), 2, '0')"
    four = f"LPAD(CAST(MOD({stored}, 10000) AS TEXT), 4, '0')"
    return f"(CAST({stored} / 10000 AS TEXT) || '.' || CASE WHEN MOD({stored}, 100) = 0 THEN {two} ELSE {four} END)"


@compiles(money_text, "mysql", "mariadb")
def _(element: Any, compiler: Any, **keywords: Any) -> str:
    (stored,) = (compiler.process(each, **keywords) for each in element.clauses)
    two = f"LPAD(MOD({stored}, 10000) DIV 100, 2, '0')"
    four = f"LPAD(MOD({stored}, 10000), 4, '0')"
    return f"CONCAT(({stored}) DIV 10000, '.', CASE WHEN MOD({stored}, 100) = 0 THEN {two} ELSE {four} END)"


@compiles(money_text, "sqlite")
def _(element: Any, compiler: Any, **keywords: Any) -> str:
    (stored,) = (compiler.process(each, **keywords) for each in element.clauses)
    two, four = (
        f"printf('%d.{form}', {stored} / 10000, {rest})"
        for form, rest in (("%02d", f"{stored} % 10000 / 100"), ("%04d", f"{stored} % 10000"))
    )
    return f"CASE WHEN {stored} % 100 = 0 THEN {two} ELSE {four} END"


class json_object(FunctionElement[str]):
    """A JSON object as text, of names and values in turn."""

    type = String()
    inherit_cache = True


@compiles(json_object)
def _(element: Any, compiler: Any, **keywords: Any) -> str:
    return f"json_object({', '.join(compiler.process(each, **keywords) for each in element.clauses)})"


@compiles(json_object, "postgresql")
def _(element: Any, compiler: Any, **keywords: Any) -> str:
    # As text `json` has a blank before each colon.
    parts = ", ".join(compiler.process(each, **keywords) for each in element.clauses)
    return f"CAST(jsonb_build_object({parts}) AS TEXT)"


class json_rows(FunctionElement[str]):
    """All rows of a statement as the text of one JSON array, each an array of some columns."""

    type = String()
    inherit_cache = True


@compiles(json_rows, "sqlite")
def _(element: Any, compiler: Any, **keywords: Any) -> str:
    return f"json_group_array(json_array({compiler.process(element.clauses, **keywords)}))"


@compiles(json_rows, "postgresql")
def _(element: Any, compiler: Any, **keywords: Any) -> str:
    return f"coalesce(CAST(json_agg(json_build_array({compiler.process(element.clauses, **keywords)})) AS TEXT), '[]')"


@compiles(json_rows, "mysql", "mariadb")
def _(element: Any, compiler: Any, **keywords: Any) -> str:
    return f"coalesce(JSON_ARRAYAGG(JSON_ARRAY({compiler.process(element.clauses, **keywords)})), '[]')"


class among(FunctionElement[int]):
    """Whether a text is one of those in a JSON array; one value however many there are, so the statement stays."""

    # Said to be no boolean, or "= 1" is put behind it where there are none, and no index is used.
    type = Integer()
    inherit_cache = True


@compiles(among, "sqlite")
def _(element: Any, compiler: Any, **keywords: Any) -> str:
    text, several = (compiler.process(each, **keywords) for each in element.clauses)
    return f"{text} IN (SELECT CAST(value AS TEXT) FROM json_each({several}))"


@compiles(among, "postgresql")
def _(element: Any, compiler: Any, **keywords: Any) -> str:
    text, several = (compiler.process(each, **keywords) for each in element.clauses)
    return f"{text} IN (SELECT json_array_elements_text(CAST({several} AS json)))"


@compiles(among, "mysql", "mariadb")
def _(element: Any, compiler: Any, **keywords: Any) -> str:
    text, several = (compiler.process(each, **keywords) for each in element.clauses)
    return f"{text} IN (SELECT value FROM JSON_TABLE({several}, '$[*]' COLUMNS (value LONGTEXT PATH '$')) AS wanted)"


class text_in(FunctionElement[str]):
    """The text in a field of a JSON object kept as text, by the field's name; NULL where it has none."""

    type = String()
    inherit_cache = True


@compiles(text_in)
def _(element: Any, compiler: Any, **keywords: Any) -> str:
    text, name = (compiler.process(each, **keywords) for each in element.clauses)
    return f"CASE WHEN {text} <> '' THEN json_extract({text}, '$.' || {name}) END"


@compiles(text_in, "postgresql")
def _(element: Any, compiler: Any, **keywords: Any) -> str:
    text, name = (compiler.process(each, **keywords) for each in element.clauses)
    return f"CASE WHEN {text} <> '' THEN CAST({text} AS json) ->> {name} END"


@compiles(text_in, "mysql", "mariadb")
def _(element: Any, compiler: Any, **keywords: Any) -> str:
    text, name = (compiler.process(each, **keywords) for each in element.clauses)
    return f"CASE WHEN {text} <> '' THEN JSON_VALUE({text}, CONCAT('$.', {name})) END"


class number_in(FunctionElement[int]):
    """The whole number in a field of a JSON object kept as text, by the field's name; NULL where it has none."""

    type = Integer()
    inherit_cache = True


# Empty text is no JSON, and what has no such field need not be parsed.
@compiles(number_in)
def _(element: Any, compiler: Any, **keywords: Any) -> str:
    text, name = (compiler.process(each, **keywords) for each in element.clauses)
    return f"CASE WHEN instr({text}, '\"' || {name} || '\":') > 0 THEN json_extract({text}, '$.' || {name}) END"


@compiles(number_in, "postgresql")
def _(element: Any, compiler: Any, **keywords: Any) -> str:
    text, name = (compiler.process(each, **keywords) for each in element.clauses)
    number = f"CAST(CAST({text} AS json) ->> {name} AS INTEGER)"
    # In brackets, as an index over it is made.
    return f"(CASE WHEN strpos({text}, '\"' || {name} || '\":') > 0 THEN {number} END)"


@compiles(number_in, "mysql", "mariadb")
def _(element: Any, compiler: Any, **keywords: Any) -> str:
    text, name = (compiler.process(each, **keywords) for each in element.clauses)
    number = f"CAST(JSON_VALUE({text}, CONCAT('$.', {name})) AS SIGNED)"
    return f"CASE WHEN instr({text}, CONCAT('\"', {name}, '\":')) > 0 THEN {number} END"
