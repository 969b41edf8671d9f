"""Excel workbooks come out as a person would type them."""

import re
import zipfile
from datetime import date, datetime, time

import openpyxl
import pytest

from crm.errors import FileError
from crm.files import open_source


@pytest.fixture
def workbook(tmp_path):
    def write(**sheets):
        book = openpyxl.Workbook()
        book.remove(book.active)
        for title, rows in sheets.items():
            sheet = book.create_sheet(title)
            for row in rows:
                sheet.append(row)
        path = tmp_path / "book.xlsx"
        book.save(path)
        return path

    return write


def test_values_of_every_kind(workbook):
    values = [
        (436601234567, "436601234567"),
        (436601234567.0, "436601234567"),
        (12.5, "12.5"),
        (0.1 + 0.2, "0.3"),
        (1e-7, "0.0000001"),
        (-3.0, "-3"),
        (date(2026, 3, 1), "2026-03-01"),
        (datetime(2026, 3, 1), "2026-03-01"),
        (datetime(2026, 3, 1, 14, 5), "2026-03-01 14:05:00"),
        (time(14, 5), "14:05:00"),
        (True, "yes"),
        (False, "no"),
        ("+43 660 1", "+43 660 1"),
        ("'=x", "'=x"),
        (None, ""),
        ("end", "end"),
    ]
    names = [f"Name {place}" for place in range(len(values))]
    source = open_source(workbook(One=[names, [value for value, _ in values]]), header=True)
    assert source.kind == "xlsx"
    assert [row.cells for row in source.rows()] == [tuple(text for _, text in values)]


def test_the_first_sheet_with_anything_or_the_one_named(workbook):
    path = workbook(
        Empty=[], Clients=[["Name", "City"], ["Anna", "Wien"]], Sales=[["Date", "Amount"], ["2026-01-01", 5]]
    )
    assert open_source(path).columns == ("Name", "City")
    assert open_source(path, sheet="sales").columns == ("Date", "Amount")
    with pytest.raises(FileError, match="no sheet Orders; there are: Empty, Clients, Sales"):
        open_source(path, sheet="Orders")
    with pytest.raises(FileError, match=r"Empty of book.xlsx is empty"):
        open_source(path, sheet="Empty")
    with pytest.raises(FileError, match="There is nothing in"):
        open_source(workbook(Empty=[]))


def test_rows_keep_their_numbers_and_progress_counts_them(workbook):
    source = open_source(workbook(One=[[None], ["Name", "City"], ["Anna", "Wien"], [None], ["Ben", None, None]]))
    assert [(row.number, row.cells) for row in source.rows()] == [(3, ("Anna", "Wien")), (5, ("Ben", ""))]
    assert source.progress() == (5, 5)
    assert len(list(source.rows())) == 2


def test_cells_beyond_the_columns_are_kept(workbook):
    rows = [["Name", "City"], *[["Anna", "Wien"]] * 5, ["Ben", "Graz", None, "more"]]
    *_, last = open_source(workbook(One=rows)).rows()
    assert last.cells == ("Ben", "Graz", "", "more")
    assert "more cells" in last.problem


def test_formulas_without_a_value_are_blank(workbook):
    source = open_source(workbook(One=[["Name", "Sum"], ["Anna", "=1+1"]]))
    assert source.sample == (("Anna", ""),)


def test_a_sheet_that_gives_its_size_too_small(workbook):
    path = workbook(One=[["Name", "City"], *[["Anna", "Wien"]] * 9])
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content.replace(b'"A1:B10"', b'"A1:A2"'))
    source = open_source(path)
    assert [row.cells for row in source.rows()] == [("Anna", "Wien")] * 9
    assert source.progress() == (10, 10)


def _made_of(path, **files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def test_an_archive_that_unpacks_to_too_much_is_not_unpacked(tmp_path):
    bomb = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("1.xml", bytes(16 << 20))
        # The same bytes under many entries.
        archive.filelist *= 65
    assert bomb.stat().st_size < 1 << 20
    with pytest.raises(FileError, match="unpacks to more than 1 GB"):
        open_source(bomb)
    many = _made_of(tmp_path / "many.xlsx", **{f"{number}.xml": "" for number in range(1001)})
    with pytest.raises(FileError, match="or 1000 files"):
        open_source(many)


def _with_doctype(path, to, doctype, value):
    """A copy of a workbook with a document type before its sheet, and `value` in the place of Anna."""
    with zipfile.ZipFile(path) as before, zipfile.ZipFile(to, "w") as after:
        for name in before.namelist():
            text = before.read(name).decode()
            if "sheet1" in name or "sharedStrings" in name:
                text = re.sub(r"^(<\?xml[^>]*>)?", rf"<!DOCTYPE x [{doctype}]>", text, count=1).replace("Anna", value)
            after.writestr(name, text)
    return to


def test_a_workbook_names_no_other_file_and_does_not_grow(workbook, tmp_path):
    plain = workbook(One=[["Name", "City"], ["Anna", "Wien"]])

    def answer_to(doctype, value):
        odd = _with_doctype(plain, tmp_path / "odd.xlsx", doctype, value)
        try:
            return str([row.cells for row in open_source(odd, header=True).rows()])
        except FileError as error:
            return str(error)

    assert "Ben" in answer_to('<!ENTITY a "Ben">', "&a;")
    secret = tmp_path / "secret.txt"
    secret.write_text("told to nobody")
    assert "told to nobody" not in answer_to(f'<!ENTITY a SYSTEM "{secret.as_uri()}">', "&a;")
    grown = "".join(f'<!ENTITY {name} "{f"&{before};" * 50}">' for before, name in zip("abcde", "bcdef", strict=True))
    assert "is damaged" in answer_to(f'<!ENTITY a "{"ha" * 50}">{grown}', "&f;")


def test_the_other_sheets_with_anything_in_them_are_named(workbook):
    path = workbook(Empty=[], **{"2025": [["Name"], ["Anna"]], "2026": [["Name"], ["Ben"]], "Notes": [["x"]]})
    source = open_source(path)
    assert (source.sheet, source.other_sheets) == ("2025", ("2026", "Notes"))
    assert open_source(path, sheet="2026").other_sheets == ("2025", "Notes")
    assert open_source(workbook(Only=[["Name"], ["Anna"]])).other_sheets == ()


def test_a_strict_workbook_is_read_as_any_other(workbook):
    path = workbook(
        Clients=[["Name", "Born"], ["Anna Müller", date(1985, 3, 24)], ["http://purl.oclc.org/ooxml/x", None]]
    )
    strict = path.with_name("strict.xlsx")
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(strict, "w") as written:
        for name in archive.namelist():
            content = archive.read(name)
            for part in (b"spreadsheetml", b"officeDocument", b"drawingml"):
                content = content.replace(
                    b"http://schemas.openxmlformats.org/" + part + b"/2006/",
                    b"http://purl.oclc.org/ooxml/" + part + b"/",
                )
            written.writestr(name, content)
    source = open_source(strict)
    assert source.columns == ("Name", "Born")
    assert next(iter(source.rows())).cells == ("Anna Müller", "1985-03-24")
