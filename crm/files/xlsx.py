"""Excel workbooks (.xlsx) as rows of text."""

import re
import tempfile
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time
from itertools import islice
from pathlib import Path
from typing import IO, Any, ClassVar

from crm.errors import FileError
from crm.files import dialect_detection
from crm.files.headers import is_field_word, meaning_of
from crm.files.sheet_marks import SheetMarks, Spread, marks_of
from crm.files.source import SAMPLE_ROWS, Row, Source
from crm.files.table_rows import records_of
from crm.model.file_errors import unreadable
from crm.model.money import plain_number

# How a workbook writes characters that XML cannot hold, as _x000D_ for a carriage return.
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
# What an archive may unpack to, in bytes, and into how many files: more was made to fill the memory.
_UNPACKED = 1 << 30
_MOST_FILES = 1000
# A format that shows a number with noughts before it, as Excel's own for American postcodes.
_ZEROS = re.compile(r"(0{2,15})(?:;.*)?")
# A heading that is merged over more columns is no name of each.
_MOST_COLUMNS = 30
_STRICT = b"http://purl.oclc.org/ooxml/"
_TRANSITIONAL = b"http://schemas.openxmlformats.org/"
_STRICT_NAMES = {
    _STRICT + name + b"/": _TRANSITIONAL + name + b"/2006/"
    for name in (b"spreadsheetml", b"officeDocument", b"drawingml")
}


class WorkbookSource(Source):
    """One sheet of a workbook unless it is named: the first with a heading, or else the first with anything in it. Of
    formulas it has the values.

    The value of merged cells belongs to each row of them, a heading to each of its columns. What is hidden is read too.
    """

    kind: ClassVar[str] = "xlsx"

    def __init__(self, path: Path, *, header: bool | None = None, sheet: str = "") -> None:
        super().__init__(path)
        self._done = self._total = 0
        with self._workbook() as workbook:
            sizes = {worksheet.title: getattr(worksheet, "max_row", None) for worksheet in workbook.worksheets}
            filled_sheets = self._filled_sheets(workbook)
            self.sheet = self._sheet(workbook, sheet, filled_sheets)
            self.other_sheets = tuple(title for title in filled_sheets if title != self.sheet)
            self._total = sizes[self.sheet] or 0
            self._marks = _marks(workbook[self.sheet])
            numbered = list(islice(_filled(workbook[self.sheet], self._marks, Spread(self._marks)), SAMPLE_ROWS + 1))
        if not numbered:
            raise FileError(f"The sheet {self.sheet} of {path.name} is empty. Name another sheet.")
        first = [cells for _, cells in numbered]
        layout = dialect_detection.layout_of(first, header)
        self._above, self.has_header = layout.above, layout.has_header
        if self.has_header:
            self._above = self._last_of_heading(numbered)
        self.header_line, first = numbered[self._above][0], first[self._above :]
        self._heading = first[0] if self.has_header else ()
        names = self._over_columns(self._heading)
        width = dialect_detection.width_of([names, *first[1:]] if self.has_header else first, self.has_header)
        self.columns = dialect_detection.column_names(names, width)
        self._amounts = {
            place
            for place, name in enumerate(self.columns)
            if (meaning := meaning_of(name, sales=True)) and meaning.target == "amount"
        }
        self.without_results = tuple(
            self.columns[column]
            for column, row in sorted(self._marks.without_results.items())
            if column < len(self.columns) and row > (self.header_line if self.has_header else 0)
        )
        self.hidden_rows = sum(number > self.header_line for number in self._marks.hidden_rows)
        self.hidden_columns = self._marks.hidden_columns
        self.sample = tuple(row.cells for row in islice(self.rows(), SAMPLE_ROWS) if not row.problem)

    def progress(self) -> tuple[int, int]:
        return self._done, max(self._done, self._total)

    def rows(self) -> Iterator[Row]:
        return records_of(self._all_rows(), self._heading)

    def _last_of_heading(self, numbered: Sequence[tuple[int, tuple[str, ...]]]) -> int:
        """The place of the row in which a heading ends whose cells are merged with those below."""
        line, _ = numbered[self._above]
        last = max((area.bottom for area in self._marks.merged.get(line, ())), default=line)
        return max(place for place, (number, _) in enumerate(numbered) if number <= max(line, min(last, line + 3)))

    def _over_columns(self, heading: tuple[str, ...]) -> tuple[str, ...]:
        """The names of a heading, where one that is merged over several columns is the name of each."""
        names = list(heading)
        for area in self._marks.merged.get(self.header_line, ()) if heading else ():
            if area.left < len(heading) and area.right - area.left < _MOST_COLUMNS:
                names.extend([""] * (area.right + 1 - len(names)))
                names[area.left : area.right + 1] = [heading[area.left]] * (area.right + 1 - area.left)
        return tuple(names)

    def _all_rows(self) -> Iterator[Row]:
        with self._workbook() as workbook:
            filled = _filled(workbook[self.sheet], self._marks, Spread(self._marks, self._amounts))
            for _ in range(self._above + self.has_header):
                next(filled, None)
            for number, cells in filled:
                self._done = number
                yield self._row(number, cells)

    def _row(self, number: int, cells: tuple[str, ...]) -> Row:
        missing = len(self.columns) - len(cells)
        if self._is_title(number, cells):
            return Row(number, cells + ("",) * missing, "this is a title above the columns, not a record")
        if missing >= 0:
            return Row(number, cells + ("",) * missing)
        return Row(number, cells, "more cells than there are columns" if number else "")

    def _is_title(self, number: int, cells: tuple[str, ...]) -> bool:
        """Return whether a row is one cell that is merged over all columns."""
        named = sum(bool(name.strip()) for name in self._heading) or len(self.columns)
        return sum(bool(cell.strip()) for cell in cells) == 1 and any(
            area.right - area.left >= max(1, named - 1) for area in self._marks.merged.get(number, ())
        )

    def _filled_sheets(self, workbook: Any) -> list[str]:
        """The names of the sheets with anything in them, those that are hidden last."""
        sheets = [worksheet for worksheet in workbook.worksheets if hasattr(worksheet, "iter_rows")]
        # What was hidden is rarely what is meant.
        shown_first = sorted(sheets, key=lambda sheet: sheet.sheet_state != "visible")
        return [str(sheet.title) for sheet in shown_first if next(_filled(sheet), None)]

    def _sheet(self, workbook: Any, named: str, filled_sheets: Sequence[str]) -> str:
        if named:
            titles = [str(sheet.title) for sheet in workbook.worksheets]
            for title in titles:
                if title.casefold() == named.strip().casefold():
                    return title
            raise FileError(f"{self.path.name} has no sheet {named}. There are: {', '.join(titles)}.")
        if not filled_sheets:
            raise FileError(f"{self.path.name} is empty. Export it again.")
        with_heading = (
            title
            for title in filled_sheets
            if workbook[title].sheet_state == "visible" and _has_heading(workbook[title])
        )
        return next(with_heading, filled_sheets[0])

    @contextmanager
    def _workbook(self) -> Iterator[Any]:
        from openpyxl import load_workbook

        # It warns of styles and extensions it does not know, which are nothing to us.
        warnings.filterwarnings("ignore", module="openpyxl")
        workbook = None
        try:
            self._refuse_too_large()
            with _transitional(self.path) as file:
                workbook = load_workbook(file, read_only=True, data_only=True, keep_links=False)
                yield workbook
        except (FileError, GeneratorExit):
            raise
        except OSError as error:
            if isinstance(error, zipfile.BadZipFile) or not error.errno:
                raise self._damaged() from error
            raise unreadable(self.path, error) from error
        except Exception as error:  # whatever a damaged archive makes the library stumble over
            raise self._damaged() from error
        finally:
            if workbook is not None:
                workbook.close()

    def _refuse_too_large(self) -> None:
        """Raise FileError before anything is unpacked; no file of an archive unpacks to more than it says here."""
        with zipfile.ZipFile(self.path) as archive:
            sizes = [zip_info.file_size for zip_info in archive.infolist()]
        if sum(sizes) > _UNPACKED or len(sizes) > _MOST_FILES:
            raise FileError(
                f"{self.path.name} unpacks to more than {_UNPACKED >> 30} GB or {_MOST_FILES} files. Export the table"
                " as CSV, or divide it."
            )

    def _damaged(self) -> FileError:
        if self.path.suffix.lower() in (".xlsx", ".xlsm"):
            return FileError(
                f"{self.path.name} is damaged or not an Excel workbook. Open it in Excel and save it again."
            )
        return FileError(
            f"{self.path.name} is an archive or another program's file. Unpack it, or save the table as .xlsx or CSV."
        )


@contextmanager
def _transitional(path: Path) -> Iterator[Path | IO[bytes]]:
    """The workbook with the names in it that the library knows: Excel's "Strict Open XML Spreadsheet" has others."""
    with zipfile.ZipFile(path) as archive:
        parts = archive.infolist()
        strict = "xl/workbook.xml" in archive.namelist() and _STRICT in archive.read("xl/workbook.xml")
        if strict:
            with tempfile.TemporaryFile() as file:
                with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as written:
                    for part in parts:
                        content = archive.read(part)
                        for name, known in _STRICT_NAMES.items():
                            content = content.replace(name, known)
                        written.writestr(part.filename, content)
                file.seek(0)
                yield file
    if not strict:
        yield path


def _has_heading(sheet: Any) -> bool:
    """Return whether a sheet has the heading of a table in its first rows, which a cover sheet has not."""
    rows = [cells for _, cells in islice(_filled(sheet), SAMPLE_ROWS)]
    layout = dialect_detection.layout_of(rows)
    return layout.has_header and sum(map(is_field_word, filter(str.strip, rows[layout.above]))) > 0


def _marks(sheet: Any) -> SheetMarks:
    # What reads a row at a time leaves these out.
    with sheet._get_source() as xml:
        return marks_of(xml)


def _filled(
    sheet: Any, marks: SheetMarks | None = None, spread: Spread | None = None
) -> Iterator[tuple[int, tuple[str, ...]]]:
    """The rows of a sheet that are not blank, with their numbers, without the blank cells at their ends."""
    sheet.reset_dimensions()  # the size that is written in a sheet is often too small; the rows tell
    # To make a cell of each value takes twice the time, and most workbooks have no such format and no failed formula.
    by_cells = (
        any(_ZEROS.fullmatch(style) for style in sheet.parent._number_formats) or (marks or SheetMarks()).has_errors
    )
    for number, values in enumerate(sheet.iter_rows(values_only=not by_cells), 1):
        cells = [_cell_text(value) for value in values] if by_cells else [_text(value) for value in values]
        if spread is not None:
            spread(number, cells)
        while cells and not cells[-1]:
            cells.pop()
        if any(map(str.strip, cells)):
            yield number, tuple(cells)


def _cell_text(cell: Any) -> str:
    """A cell with the noughts that its format puts before a number, as of a postcode: 0150. Nothing where a formula has
    failed; a text #N/A is a text."""
    if cell.data_type == "e":
        return ""
    text = _text(cell.value)
    style = (
        _ZEROS.fullmatch(cell.number_format or "") if text.isdigit() and isinstance(cell.value, int | float) else None
    )
    return text.zfill(len(style[1])) if style else text


def _text(value: Any) -> str:
    """A cell as a person would type it: numbers without noise, dates in ISO, yes and no."""
    match value:
        case None:
            return ""
        case str():
            return _ESCAPED.sub(lambda code: chr(int(code.group(1), 16)), value) if "_x" in value else value
        case bool():
            return "yes" if value else "no"
        case float():
            return plain_number(value)
        case datetime():
            return value.date().isoformat() if value.time() == time() else value.isoformat(" ", "seconds")
        case date() | time():
            return value.isoformat()
    return str(value)
