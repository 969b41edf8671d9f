"""An opened file of records, whatever its form: what it has in columns, and its rows one by one."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, NamedTuple

SAMPLE_ROWS = 200


class Row(NamedTuple):  # a tuple, as making one takes a third of the time of a frozen dataclass
    """One row: the line of the file it begins on (counted from 1, header included) and its cells.

    There are at least as many cells as columns. Where a row has more that are filled they follow after
    those, nothing is cut off, and `problem` says so; it also tells when the row could not be read rightly.
    """

    number: int
    cells: tuple[str, ...]
    problem: str = ""


class Source(ABC):
    """An opened file of records. `kind` is 'csv', 'xlsx' or 'vcard'; `sample` are the cells of its first rows, and
    `header_line` is where its heading stands, below titles in some. Of a workbook it is the `sheet`; `other_sheets`
    have something in them too, and `without_results` are the names of columns with formulas that have no result.
    `hidden_rows` and `hidden_columns` count what somebody who looks at it does not see.

    Nothing stays open between two runs through `rows`.
    """

    kind: ClassVar[str]

    def __init__(self, path: Path) -> None:
        self.path = path
        self.encoding = ""
        self.delimiter = ""
        self.has_header = True
        self.header_line = 1
        self.sheet = ""
        self.other_sheets: tuple[str, ...] = ()
        self.without_results: tuple[str, ...] = ()
        self.hidden_rows = self.hidden_columns = 0
        self.columns: tuple[str, ...] = ()
        self.sample: tuple[tuple[str, ...], ...] = ()

    @abstractmethod
    def rows(self) -> Iterator[Row]:
        """The rows, from the first on at each call, never more than a few in memory; blank ones are left out.

        Raises FileError where the file cannot be read on.
        """

    @abstractmethod
    def progress(self) -> tuple[int, int]:
        """The progress of the latest run through `rows`, and how far there is to go: bytes, of a workbook rows."""
