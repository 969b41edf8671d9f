"""Writing tables of records as CSV and Excel workbooks."""

import codecs
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from crm.errors import FileError
from crm.files.formula_escaping import harmless
from crm.files.safe_writing import replacing
from crm.model.money import MOST_DECIMALS, shown_decimals
from crm.model.paths import display_path

Value = object  # str, int, Decimal, float, bool, date, datetime, None, a sequence (tags) or a mapping (own fields)

# Every delimiter there is, so that nobody has to guess which of them is meant.
_QUOTED = re.compile(r"""[",;|\t\r\n]|^\s|\s$|^sep=""", re.IGNORECASE)
_UNTITLED = re.compile(r"[\[\]:*?/\\\x00-\x1f]")
_MOST_ROWS = 1_048_576
_LONGEST_CELL = 32_767
_EXACT = 10**15
_FIRST_DAY = date(1900, 3, 1)  # before it Excel counts a day that never was


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Iterable[Value]]) -> int:
    """Write a table as CSV, the number of its rows is returned. Raises FileError.

    Text that a spreadsheet would run as a formula gets a quote before it, which `open_source` takes off again.
    """
    count = 0
    # With a BOM: without one Excel takes the accents for another encoding, while scripts (utf-8-sig), pandas,
    # LibreOffice, Google and `open_source` all take it well.
    with replacing(path) as file:
        file.write(codecs.BOM_UTF8 + _line(header))
        for row in rows:
            file.write(_line(row))
            count += 1
    return count


def csv_lines(header: Sequence[str], rows: Iterable[Iterable[Value]]) -> Iterator[bytes]:
    """The lines of a table as CSV, without a mark of the encoding before them."""
    yield _line(header)
    yield from map(_line, rows)


def _line(values: Iterable[Value]) -> bytes:
    return (",".join(map(_cell, values)) + "\r\n").encode("utf-8", "replace")


def _cell(value: Value) -> str:
    text = as_text(value)
    if not text:
        return text
    if not isinstance(value, int | float | Decimal):
        text = harmless(text)
    if _QUOTED.search(text):
        return '"' + text.replace('"', '""') + '"'
    return text


def as_text(value: Value) -> str:
    """A value as files have it: dates in ISO 8601, yes and no, tags with commas, own fields as lines name=value."""
    match value:
        case str():
            return value
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case Decimal():
            return format(value, "f")
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case date():
            return value.isoformat()
        case Mapping():
            return "\n".join(f"{name}={text}" for name, text in value.items())
        case list() | tuple() | set() | frozenset():
            return ", ".join(map(str, value))
    return str(value)


def write_xlsx(
    path: Path, header: Sequence[str], rows: Iterable[Iterable[Value]], title: str, decimals: int = 2
) -> int:
    """Write a table as the only sheet of a workbook, the number of its rows is returned. Raises FileError."""
    return write_workbook(path, [(title, header, rows)], decimals)


def write_workbook(
    path: Path, sheets: Iterable[tuple[str, Sequence[str], Iterable[Iterable[Value]]]], decimals: int = 2
) -> int:
    """Write tables as the sheets of a workbook, the number of all rows is returned. Raises FileError.

    Text is always a text cell, never a formula or a link; numbers and dates are typed. Amounts are shown with
    `decimals` decimals, or more where they have more.
    """
    from xlsxwriter import Workbook
    from xlsxwriter.exceptions import XlsxWriterException

    count = 0
    with replacing(path) as file, tempfile.TemporaryDirectory(prefix="crm-") as folder:
        workbook = Workbook(file, {"constant_memory": True, "tmpdir": folder})
        formats = _Formats(workbook, decimals)
        try:
            for name, header, sheet_rows in _titled(sheets):
                count += _write_sheet(workbook.add_worksheet(name), header, sheet_rows, formats, path)
            workbook.close()
        except XlsxWriterException as error:
            if error.args and isinstance(error.args[0], OSError):
                raise error.args[0] from error
            raise FileError(f"{display_path(path)} could not be written: {error}.") from error
        finally:
            for sheet in workbook.worksheets():  # else its temporary file stays open after an error
                sheet._opt_close()
    return count


class _Formats:
    def __init__(self, workbook: Any, decimals: int) -> None:
        self._decimals = decimals
        self._money = [
            workbook.add_format({"num_format": f"#,##0.{'0' * few}".rstrip(".")}) for few in range(MOST_DECIMALS + 1)
        ]
        self.bold = workbook.add_format({"bold": True})
        self.day = workbook.add_format({"num_format": "yyyy-mm-dd"})
        self.moment = workbook.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})

    def money(self, amount: Decimal) -> Any:
        """The text of an amount."""
        return self._money[shown_decimals(amount, self._decimals)]


def _write_sheet(
    sheet: Any, header: Sequence[str], rows: Iterable[Iterable[Value]], formats: _Formats, path: Path
) -> int:
    widths = [len(name) for name in header]
    for place, name in enumerate(header):
        sheet.write_string(0, place, name, formats.bold)
    number = 0
    for number, row in enumerate(rows, 1):
        if number >= _MOST_ROWS:
            raise FileError(
                f"{display_path(path)} would have more rows than Excel can hold ({_MOST_ROWS:,}). Export as CSV."
            )
        for place, value in enumerate(row):
            if value is None or value == "":
                continue
            length = _write_cell(sheet, number, place, value, formats)
            if length > _LONGEST_CELL:
                raise FileError(f"Row {number} has a text that is too long for Excel. Export as CSV.")
            if number <= 200 and place < len(widths):
                widths[place] = max(widths[place], length)
    for place, width in enumerate(widths):
        sheet.set_column(place, place, min(max(width, 6), 45) + 2)
    sheet.freeze_panes(1, 0)
    if header:
        sheet.autofilter(0, 0, number, len(header) - 1)
    return number


def _write_cell(sheet: Any, row: int, place: int, value: Value, formats: _Formats) -> int:
    """Write one cell and say how many characters it shows."""
    match value:
        case bool():
            sheet.write_boolean(row, place, value)
            return 5
        case int() | float() if abs(value) < _EXACT:
            sheet.write_number(row, place, value)
        # Excel counts with 15 digits.
        case Decimal() if Decimal(f"{float(value):.15g}") == value:
            sheet.write_number(row, place, float(value), formats.money(value))
        case datetime() if value.date() >= _FIRST_DAY:
            naive = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
            sheet.write_datetime(row, place, naive, formats.moment)
            return 19
        case date() if not isinstance(value, datetime) and value >= _FIRST_DAY:
            sheet.write_datetime(row, place, value, formats.day)
            return 10
        case _:
            text = as_text(value).encode("utf-8", "replace").decode("utf-8")
            sheet.write_string(row, place, text)
            return len(text)
    return len(str(value))


def _titled(
    sheets: Iterable[tuple[str, Sequence[str], Iterable[Iterable[Value]]]],
) -> Iterator[tuple[str, Sequence[str], Iterable[Iterable[Value]]]]:
    """The sheets with titles that Excel takes: at most 31 characters, some of them barred, none twice."""
    used: set[str] = set()
    for title, header, rows in sheets:
        bare = _UNTITLED.sub(" ", title).strip().strip("'")[:31].strip() or "Sheet"
        name, again = bare, 2
        while name.casefold() in used:
            name, again = f"{bare[:26]} ({again})", again + 1
        used.add(name.casefold())
        yield name, header, rows
