"""Rows of a table that are no records: totals, headings that come again, and remarks below the table."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence

from crm.files.source import Row

_LOOKS_LIKE_TOTAL = "this looks like a total of the rows above; give it another name if it is a record"
# More rows with a single cell in a row are a list, whatever comes behind them.
_MOST_REMARKS = 40

_WORDS = (
    r"(?:(?:grand|sub|net|gross|running|page|report|overall)[ -]?)*totals?|sum|summe|gesamt(?:summe|betrag|umsatz)?"
    r"|zwischensumme|endsumme|insgesamt|anzahl|(?:record |row )?count|total g[eé]n[eé]ral|sous[ -]total|totaux"
    r"|totale(?: generale)?|(?:sub)?totaal(?: generaal)?|suma|somme|razem|celkem|összesen|summa|i alt|yhteensä|toplam"
    r"|итого|всего|合计|合計|総計"
)
_AFTER = (
    r"(?:[\W\d]*(?:\([^)]*\)[\W\d]*)?|.{0,30}:"
    r"|[ ](?:for|of|per|in|für|im|am|pour|du|del|al|records?|rows?|entries|contacts|clients|customers|people)\b.*)"
)
_TOTAL = re.compile(rf"\W*(?:{_WORDS}){_AFTER}", re.IGNORECASE)
# The total of one name: Total Anna Berg, Anna Berg Total.
_TOTAL_OF = re.compile(rf"\W*(?:{_WORDS})[\s:\u2013-]+(.+)|(.+?)[\s:\u2013-]+(?:{_WORDS})\W*", re.IGNORECASE)
# A part of each word for a total, in small letters: asked of each row, and quicker than the patterns.
_PART_OF_TOTAL = re.compile(
    r"tota|sum|gesamt|anzahl|count|somme|razem|celkem|összesen| alt|yhteensä|toplam|итого|всего|合计|合計|総計"
)
_RULES = ("--", "==", "__", "**", "..")
_PLACES = 3
# So many different cells are remembered, to know a name by when its total comes.
_MOST_NAMES = 50_000
_REMARK = re.compile(
    rf"\W*(?:(?:{_WORDS})\b.*|copyright\b.*|©.{(6,)}|\(c\) .*|confidential.*|vertraulich.*|page \d.*|seite \d.*"
    r"|end of .*|(?:generated|exported|printed|created|prepared|report|erstellt|exportiert|gedruckt|généré|source"
    r"|quelle|as of|stand)\b.*[:\d].*|\d+ (?:rows?|records?|entries|contacts|datensätze|zeilen)\b.*)",
    re.IGNORECASE | re.DOTALL,
)
_FIGURE = re.compile(
    r"[^\w\s]{0,2}\s?(?:[^\W\d_]{1,3}\s?)?[^\w\s]?\d{1,3}(?:[.,'\u2019\s]?\d{3})*(?:[.,]\d{1,4})?\)?\s?[^\d]{0,4}"
)
_DAY = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}(?:[T ].*)?")
_RULE = re.compile(r"[-=_*.\s]+")
_LINE_ENDS = re.compile(r"\r\n|\r|\n")
_NAME = re.compile(r"[^\W\d_][^\W\d_.'\u2019-]*(?: [^\W\d_][^\W\d_.'\u2019-]*)?")


def records_of(rows: Iterable[Row], heading: Sequence[str]) -> Iterator[Row]:
    """The rows of a table; those that are no records say so in their `problem`. `heading` are the cells of its heading,
    none where it has none."""
    width = 0
    names = [name.strip().casefold() for name in heading]
    first = next((place for place, name in enumerate(names) if name), None)
    waiting: list[Row] = []
    waiting_after_gap = False
    before: Row | None = None
    above: Row | None = None
    names_above: set[str] = set()
    seen_full, gaps, count = False, 0, 0
    # This loop runs once for each row of a file: what is dear is asked of few of them.
    for row in rows:
        cells = row.cells
        width = len(cells)
        # A cell of several lines is no gap.
        gap = before is not None and row.number > before.number + 1 and row.number > _line_after(before)
        before = row
        count += 1
        gaps += gap
        if not row.problem:
            if cells.count("") >= width - 2 and _is_sentence(cells):
                if not waiting:
                    waiting_after_gap = gap and seen_full and gaps * 2 < count
                waiting.append(row)
                if len(waiting) > _MOST_REMARKS:
                    yield from map(_not_a_total, waiting)
                    waiting = []
                continue
            if first is not None and cells[first : first + 1] and cells[first].strip().casefold() == names[first]:
                row = _unless_heading(row, names)
            beginnings = [cell.casefold() for cell in cells[:_PLACES]]
            if cells[0][:2] in _RULES or _PART_OF_TOTAL.search("\n".join(beginnings)):
                row = _not_a_total(row)
                if above is not None and not row.problem:
                    row = _not_a_total_of(row, above, names_above)
            if not row.problem:
                above = row
                if len(names_above) < _MOST_NAMES:
                    names_above.update(beginnings)
        if waiting:
            yield from map(_not_a_total, waiting)
            waiting = []
        seen_full = True
        yield row
    yield from _remarks(waiting, waiting_after_gap, seen_full) if waiting else ()


def _line_after(row: Row) -> int:
    return row.number + 1 + sum(len(_LINE_ENDS.findall(cell)) for cell in row.cells)


def _remarks(rows: Sequence[Row], after_gap: bool, seen_full: bool) -> Iterator[Row]:
    """The last rows of a table, each with one cell: what is below a table is no record, nor what follows it."""
    below = False
    for row in rows:
        text = ",".join(filter(str.strip, row.cells)).strip()
        row = _not_a_total(row)
        below = (
            below
            or bool(row.problem)
            or (
                seen_full
                and (
                    _REMARK.fullmatch(text) is not None
                    or (after_gap and _NAME.fullmatch(text) is None)
                    or len(text.split()) > 4
                )
            )
        )
        yield row if row.problem or not below else row._replace(problem="this is below the table and not part of it")


def _is_sentence(cells: Sequence[str]) -> bool:
    """Return whether a row of several cells has one that is filled, or a sentence that was cut at its comma."""
    filled = [cell for cell in cells if cell.strip()]
    return len(cells) > 1 and (len(filled) == 1 or (len(filled) < len(cells) and filled[1].startswith(" ")))


def _unless_heading(row: Row, names: Sequence[str]) -> Row:
    cells = [cell.strip().casefold() for cell in row.cells]
    if cells[: len(names)] == names[: len(cells)] and not any(cells[len(names) :]):
        return row._replace(problem="this is the heading again, not a record")
    return row


def _not_a_total(row: Row) -> Row:
    """The row, with a problem where it adds up the rows above it: a word for that beside figures alone."""
    cells = row.cells
    for place in range(min(_PLACES, len(cells))):
        cell = cells[place]
        if cell and _TOTAL.match(cell) and _TOTAL.fullmatch(cell.strip()):
            others = [text.strip() for at, text in enumerate(cells) if at != place and text.strip()]
            if all(_is_figure(text) for text in others):
                return row._replace(problem=_LOOKS_LIKE_TOTAL)
    if cells[0][:2] in _RULES and all(_RULE.fullmatch(cell) for cell in cells if cell):
        return row._replace(problem="this is a line between rows, not a record")
    return row


def _not_a_total_of(row: Row, above: Row, names: Collection[str]) -> Row:
    """The row, with a problem where it adds up the rows of a name that is above it, beside nothing but figures and what
    the row above has too."""
    cells = row.cells
    for place in range(min(_PLACES, len(cells))):
        match = _TOTAL_OF.fullmatch(cells[place].strip(" :").casefold())
        if match is None or (match[1] or match[2]).strip() not in names:
            continue
        if all(
            not text.strip() or _is_figure(text.strip()) or text in above.cells[at : at + 1]
            for at, text in enumerate(cells)
            if at != place
        ):
            return row._replace(problem=_LOOKS_LIKE_TOTAL)
    return row


def _is_figure(text: str) -> bool:
    return bool(_FIGURE.fullmatch(text) or _DAY.fullmatch(text))
