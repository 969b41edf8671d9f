"""The rows of a tab of a spreadsheet, read already, as a table of records."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import ClassVar

from crm.errors import FileError
from crm.files import dialect_detection
from crm.files.source import SAMPLE_ROWS, Row, Source
from crm.files.table_rows import records_of


class GridSource(Source):
    """Rows of texts that were read elsewhere; `title` says where. Raises FileError where they are all blank."""

    kind: ClassVar[str] = "tab"

    def __init__(self, title: str, rows: Sequence[Sequence[str]]) -> None:
        super().__init__(Path(title))
        filled = [(number, _trimmed(cells)) for number, cells in enumerate(rows, 1) if any(map(str.strip, cells))]
        if not filled:
            raise FileError(f"The tab “{title}” is empty.")
        first = [cells for _, cells in filled[: SAMPLE_ROWS + 1]]
        layout = dialect_detection.layout_of(first)
        self.has_header, first = layout.has_header, first[layout.above :]
        self._heading = first[0] if self.has_header else ()
        self.header_line = filled[layout.above][0]
        self.columns = dialect_detection.column_names(self._heading, dialect_detection.width_of(first, self.has_header))
        self._below = filled[layout.above + self.has_header :]
        self._done = 0
        self.sample = tuple(row.cells for row in islice(self.rows(), SAMPLE_ROWS) if not row.problem)

    def rows(self) -> Iterator[Row]:
        return records_of(self._all_rows(), self._heading)

    def _all_rows(self) -> Iterator[Row]:
        for done, (number, cells) in enumerate(self._below, 1):
            self._done = done
            yield self._row(number, cells)

    def progress(self) -> tuple[int, int]:
        return self._done, len(self._below)

    def _row(self, number: int, cells: tuple[str, ...]) -> Row:
        missing = len(self.columns) - len(cells)
        if missing >= 0:
            return Row(number, cells + ("",) * missing)
        return Row(number, cells, "more cells than there are columns" if number else "")


def _trimmed(cells: Sequence[str]) -> tuple[str, ...]:
    end = max((place for place, cell in enumerate(cells, 1) if cell.strip()), default=0)
    return tuple(cells[:end])
