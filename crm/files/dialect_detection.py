"""The shape of a table in text: its delimiter, whether it has a header, and the names of its columns."""

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from crm.files.column_names import plain_words
from crm.files.headers import is_field_word

DELIMITERS = ",;\t|"
_BEST_OF = 500
# So far down a heading is looked for.
_DEEPEST = 25
_SPACED_QUOTE = re.compile(r'[,;\t|] +"')
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_VALUE = re.compile(r"[+(\-]?\d[\d\s.,:/()'-]*(%|[€$£])?|[€$£]\s?[\d.,]+|\d{4}-\d\d-\d\d[T ].*")


@dataclass(frozen=True, slots=True)
class Dialect:
    """The separation of cells: the delimiter, and whether blanks after it do not count."""

    delimiter: str
    skips_blanks: bool = False


def dialect_of(text: str, *, complete: bool, delimiter: str = "") -> Dialect:
    """The dialect in which the beginning of a file reads most like a table.

    `complete`: `text` is the whole file, so that its last row counts too.
    """
    spaced = (False, True) if _SPACED_QUOTE.search(text) else (False,)
    candidates = [Dialect(mark, skips) for mark in delimiter or DELIMITERS for skips in spaced]
    # The first of equals wins: comma before the others, blanks kept before blanks skipped.
    return max(candidates, key=lambda candidate: _evenness(read_rows(text, candidate, complete=complete)))


def read_rows(text: str, dialect: Dialect, *, complete: bool) -> list[list[str]]:
    """The rows at the beginning of a file that are not blank; none if they cannot be read so."""
    lines = re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+", text)
    rows: list[list[str]] = []
    try:
        for row in csv.reader(lines, delimiter=dialect.delimiter, skipinitialspace=dialect.skips_blanks):
            rows.append(row)
            if len(rows) > _BEST_OF:
                break
    except csv.Error:
        return []
    if not complete and len(rows) > 1:
        rows.pop()
    return _all_unwrapped([row for row in rows if any(map(str.strip, row))], dialect.delimiter)


def _all_unwrapped(rows: list[list[str]], delimiter: str) -> list[list[str]]:
    """The rows; those that are quoted as a whole are unquoted."""
    widths = Counter(len(row) for row in rows if any(map(str.strip, row[1:])))
    if not widths and rows:
        inner = [unwrapped(row, delimiter, 0) for row in rows]
        # Where not even the heading has several cells, each row is a single text.
        widths = Counter(len(row) for row in inner if len(row) > 2) if len(inner[0]) > 2 else widths
    width = widths.most_common(1)[0][0] if widths else 1
    return [unwrapped(row, delimiter, width) for row in rows] if width > 1 else rows


def unwrapped(cells: list[str], delimiter: str, width: int) -> list[str]:
    """The cells of a row that stands as a whole in one pair of quotation marks, its own marks doubled; any other row as
    it is. A table has `width` columns (0 for any number)."""
    if delimiter not in cells[0] or (len(cells) > 1 and (any(map(str.strip, cells[1:])) or "@" not in cells[0])):
        return cells
    try:
        inner = next(csv.reader([cells[0]], delimiter=delimiter), cells)
    except csv.Error:
        return cells
    # What has a blank behind its commas is a text.
    if any(cell.startswith(" ") for cell in inner[1:]) or (
        width and len(inner) != width and not 2 < len(inner) < width
    ):
        return cells
    return inner


def _evenness(rows: list[list[str]]) -> float:
    if not rows:
        return -1.0
    width, count = Counter(map(len, rows)).most_common(1)[0]
    if width == 1:
        return 0.0
    cells = [cell for row in rows for cell in row]
    # Quotation marks inside cells, and blanks at their beginning, mean that the text was cut in wrong places.
    quotes = sum('"' in cell for cell in cells) / len(cells)
    blanks = sum(cell.startswith(" ") for cell in cells) / len(cells)
    first = rows[layout_of(rows).above]
    known = sum(map(is_field_word, first)) / len(first)
    header_fits = 0.3 if len(first) == width else 0.0
    return count / len(rows) + header_fits + 0.3 * known - 0.5 * quotes - 0.3 * blanks + min(width, 30) / 300


def is_value(text: str) -> bool:
    """Return whether a cell is a number, a date, a phone number or an e-mail address, and so no column's name."""
    text = text.strip()
    return bool(_VALUE.fullmatch(text) or _EMAIL.fullmatch(text))


def has_header(rows: Sequence[Sequence[str]]) -> bool:
    """Return whether the first row names the columns: it has words for fields, or is unlike the rows below it.

    A row of plain words above others of plain words counts as a header, as most tables have one.
    """
    if not rows:
        return False
    first = [cell.strip() for cell in rows[0]]
    named = [cell for cell in first if cell]
    known = sum(map(is_field_word, named))
    values = sum(map(is_value, named))
    if known or values:
        return known > values
    if len(set(map(str.casefold, named))) < len(named):
        return False
    # A name is not repeated below itself; a value may be.
    below = [{row[place].strip() for row in rows[1:] if place < len(row)} for place in range(len(first))]
    return not any(name and name in cells for name, cells in zip(first, below, strict=True))


@dataclass(frozen=True, slots=True)
class Layout:
    """The number of rows that are not blank above the table, and whether it begins with a heading."""

    above: int
    has_header: bool


def layout_of(rows: Sequence[Sequence[str]], header: bool | None = None) -> Layout:
    """The layout of a file: where the table begins among its first rows; `header` says whether there is a heading, if
    known."""
    if header is False or not rows:
        return Layout(0, False)
    known = [_known(row) for row in rows[:_DEEPEST]]
    best = max(range(len(known)), key=lambda place: known[place])
    if best and (known[best] > 1 or _heads_a_column(rows, best)):
        return Layout(best, True)
    if header is None and not known[0]:
        narrow = _narrow(rows)
        if narrow and has_header(rows[narrow:]):
            return Layout(narrow, True)
    return Layout(0, has_header(rows) if header is None else header)


def _known(row: Sequence[str]) -> int:
    """The number of different words for fields in a row, if it could be a heading: ON, ON are provinces."""
    named = [cell for cell in row if cell.strip()]
    known = len({plain_words(cell) for cell in named if is_field_word(cell)})
    return known if known > sum(map(is_value, named)) else 0


def _heads_a_column(rows: Sequence[Sequence[str]], place: int) -> bool:
    """Return whether a row of one word is above values."""
    below = next((cell for row in rows[place + 1 :] for cell in row if cell.strip()), "")
    return (
        _is_known_alone(rows[place])
        and is_value(below)
        and not any(is_value(cell) for row in rows[:place] for cell in row)
    )


def _is_known_alone(row: Sequence[str]) -> bool:
    """Return whether a row has one cell that is filled, and it is a word for a field."""
    named = [cell for cell in row if cell.strip()]
    return len(named) == 1 and is_field_word(named[0])


def _narrow(rows: Sequence[Sequence[str]]) -> int:
    """The number of rows at the beginning that have one cell, where most of the others have three or more."""
    filled = [sum(bool(cell.strip()) for cell in row) for row in rows]
    usual = Counter(filled).most_common(1)[0][0]
    if usual < 3:
        return 0
    return next((place for place, count in enumerate(filled[:_DEEPEST]) if count > 1), 0)


def width_of(rows: Sequence[Sequence[str]], header: bool) -> int:
    """The number of columns: those with a name, and those that most rows fill."""
    widths = [_filled(row) for row in rows]
    below = widths[1:] if header else widths
    usual = sorted(below)[len(below) // 2] if below else 0
    if not header:
        return max(
            (count for count in widths if sum(width >= count for width in widths) > len(widths) // 10), default=1
        )
    return max(widths[0], usual)


def _filled(row: Sequence[str]) -> int:
    return max((place + 1 for place, cell in enumerate(row) if cell.strip()), default=0)


def column_names(cells: Sequence[str], width: int) -> tuple[str, ...]:
    """Names for `width` columns: those written, 'Column 3' for none, and a number after a name already used."""
    written = [" ".join(cell.split()) for cell in cells[:width]]
    written += [""] * (width - len(written))
    names: dict[str, None] = {}
    for place, name in enumerate(written, 1):
        name = name or f"Column {place}"
        distinct, again = name, 2
        while distinct in names or (again > 2 and distinct in written):
            distinct, again = f"{name} ({again})", again + 1
        names[distinct] = None
    return tuple(names)
