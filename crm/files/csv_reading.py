"""Tables in text: CSV and its relatives."""

import csv
import io
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, ClassVar

from crm.errors import FileError
from crm.files import dialect_detection
from crm.files.charset import Charset, repaired
from crm.files.formula_escaping import restored
from crm.files.source import SAMPLE_ROWS, Row, Source
from crm.files.table_rows import records_of
from crm.model.file_errors import unreadable

if TYPE_CHECKING:
    from _csv import Reader

LARGEST_CELL = 4_000_000
_SEPARATOR = re.compile(r'"?sep=([^\w\s"]|\t)"?[ ]*(\r\n|\r|\n|$)', re.IGNORECASE)
_HEAD = 128 * 1024


class DelimitedSource(Source):
    """A table in text. Cells are taken as they are, without trimming; only quotes that made
    a formula harmless are taken off again."""

    kind: ClassVar[str] = "csv"

    def __init__(self, path: Path, charset: Charset, *, delimiter: str = "", header: bool | None = None) -> None:
        super().__init__(path)
        self._charset = charset
        self._total = path.stat().st_size
        self._done = 0
        self._file: BinaryIO | None = None
        with path.open("rb") as file, self._text(file) as text:
            head = text.read(_HEAD)
        if not head.strip():
            raise FileError(f"{path.name} is empty. Export it again.")
        if len(delimiter) > 1 or delimiter in ('"', "\r", "\n"):
            raise FileError("A delimiter is one character, like , or ; or a tab.")
        self._skipped_lines = 0
        if named := _SEPARATOR.match(head):
            self._skipped_lines = 1
            head = head[named.end() :]
            delimiter = delimiter or named.group(1)
        complete = len(head) < _HEAD - 10
        dialect = dialect_detection.dialect_of(head, complete=complete, delimiter=delimiter)
        rows = dialect_detection.read_rows(head, dialect, complete=complete)
        self.encoding = charset.encoding
        self.delimiter = dialect.delimiter
        self._skips_blanks = dialect.skips_blanks
        layout = dialect_detection.layout_of(rows, header)
        self._above, self.has_header = layout.above, layout.has_header
        rows = rows[layout.above :]
        self._careful = charset.guarded or charset.nul or charset.stray or charset.quotes % 2 == 1
        width = dialect_detection.width_of(rows, self.has_header) if rows else 1
        names = [self._repaired_cell(cell) for cell in rows[0]] if rows and self.has_header else []
        self._heading = names
        self.columns = dialect_detection.column_names(names, width)
        self.sample = tuple(row.cells for row in islice(self.rows(), SAMPLE_ROWS) if not row.problem)

    def progress(self) -> tuple[int, int]:
        return (self._file.tell() if self._file is not None else self._done), self._total

    def rows(self) -> Iterator[Row]:
        csv.field_size_limit(LARGEST_CELL)
        number = 0
        try:
            with self.path.open("rb") as file, self._text(file) as text:
                self._file = file
                try:
                    for row in self._from(text):
                        number = row.number
                        yield row
                finally:
                    self._done, self._file = file.tell(), None
        except csv.Error as error:
            raise FileError(
                f"{self.path.name} cannot be read after line {number or 1}: {error}."
                " Perhaps a quotation mark there is never closed. Correct it and try again."
            ) from error
        except OSError as error:
            raise unreadable(self.path, error) from error

    def _from(self, text: io.TextIOWrapper) -> Iterator[Row]:
        for _ in range(self._skipped_lines):
            text.readline()
        rows = self._rows(csv.reader(text, delimiter=self.delimiter, skipinitialspace=self._skips_blanks))
        for _ in range(self._above):
            next(rows, None)
        if self.has_header and (heading := next(rows, None)):
            self.header_line = heading.number
        return records_of(self._checked(rows) if self._careful else rows, self._heading)

    def _text(self, file: BinaryIO) -> io.TextIOWrapper:
        return io.TextIOWrapper(file, self._charset.encoding, self._charset.errors, newline="")

    def _rows(self, read: "Reader") -> Iterator[Row]:
        # This loop runs once for each row of the file: no calls that can be spared.
        width, strip, skipped = len(self.columns), str.strip, self._skipped_lines + 1
        number, delimiter = skipped, self.delimiter
        for cells in read:
            if any(map(strip, cells)):
                if delimiter in cells[0] and width > 1:
                    cells = dialect_detection.unwrapped(cells, delimiter, width)
                if len(cells) == width:
                    yield Row(number, tuple(cells))
                else:
                    yield _evened(number, cells, width)
            number = read.line_num + skipped

    def _checked(self, rows: Iterator[Row]) -> Iterator[Row]:
        """The rows, with places that the scan found suspicious repaired or reported."""
        unclosed = self._unclosed() if self._charset.quotes % 2 else 0
        for number, cells, problem in rows:
            if any("\0" in cell for cell in cells):
                problem = problem or "there are NUL characters in it; the file is damaged here"
            if number == unclosed:
                problem = "a quotation mark opened here is never closed; the rest of the file is in this row"
            yield Row(number, tuple(map(self._repaired_cell, cells)), problem)

    def _repaired_cell(self, cell: str) -> str:
        if self._charset.stray:
            cell = repaired(cell)
        return restored(cell)

    def _unclosed(self) -> int:
        """The line where a row begins whose quotation mark is open at the end of the file; 0 for none."""
        number = start = self._skipped_lines + 1
        with self.path.open("rb") as file, self._text(file) as text:
            for _ in range(self._skipped_lines):
                text.readline()
            last = ""

            def lines() -> Iterator[str]:
                nonlocal last
                for last in text:
                    yield last
                # A row of its own unless a quotation mark is open, which then swallows it.
                if not last.endswith(("\n", "\r")):
                    yield "\n"
                yield "end\n"

            read = csv.reader(lines(), delimiter=self.delimiter, skipinitialspace=self._skips_blanks)
            cells: list[str] = []
            try:
                for cells in read:  # noqa: B007
                    start, number = number, read.line_num + self._skipped_lines + 1
            except csv.Error:  # told when the rows themselves come to it
                return 0
        return 0 if cells == ["end"] else start


def _evened(number: int, cells: list[str], width: int) -> Row:
    if len(cells) < width:
        return Row(number, (*cells, *[""] * (width - len(cells))))
    more = sum(bool(cell.strip()) for cell in cells[width:])
    if not more:
        return Row(number, tuple(cells[:width]))
    surplus = "one cell more" if more == 1 else f"{more} cells more"
    return Row(number, tuple(cells), f"{surplus} than there are columns; a text with the delimiter in it needs quotes")
