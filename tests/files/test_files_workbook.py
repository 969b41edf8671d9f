"""Excel workbooks, read as a person would type their cells."""

import re
import zipfile
from datetime import date, datetime, time
from io import BytesIO

import openpyxl
import pytest

from crm.errors import FileError
from crm.files import open_source
from crm.files.sheet_marks import marks_of
from crm.files.writing import write_xlsx
from crm.model import Sale
from tests.support.file_records import read_records


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
    with pytest.raises(FileError, match=r"no sheet Orders. There are: Empty, Clients, Sales"):
        open_source(path, sheet="Orders")
    with pytest.raises(FileError, match=r"Empty of book.xlsx is empty"):
        open_source(path, sheet="Empty")
    with pytest.raises(FileError, match=r"is empty. Export it again"):
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


def test_a_sheet_with_a_wrong_size_is_read_completely(workbook):
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


def test_a_zip_bomb_is_not_unpacked(tmp_path):
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


def _sheet(tmp_path, rows, merged=(), hidden_rows=(), hidden_columns=()):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for area in merged:
        book.active.merge_cells(area)
    for number in hidden_rows:
        book.active.row_dimensions[number].hidden = True
    for letter in hidden_columns:
        book.active.column_dimensions[letter].hidden = True
    book.save(tmp_path / "merged.xlsx")
    return tmp_path / "merged.xlsx"


ADA = {"first_name": "Ada", "last_name": "Lind", "email": "ada@example.org"}
BO = {"first_name": "Bo", "last_name": "Marsh", "email": "bo@example.org"}
PEOPLE = [["Ada", "Lind", "ada@example.org"], ["Bo", "Marsh", "bo@example.org"]]


@pytest.mark.parametrize(
    ("rows", "merged", "more"),
    [
        ([["First name", "Last name", "Email"], *PEOPLE], [], [{}, {}]),
        ([["Contacts", None, None], ["First name", "Last name", "Email"], *PEOPLE], ["A1:C1"], [{}, {}]),
        ([["Name", None, "Email"], *PEOPLE], ["A1:B1"], [{}, {}]),
        ([["Who", None, "How"], ["First name", "Last name", "Email"], *PEOPLE], ["A1:B1"], [{}, {}]),
        (
            [
                ["First name", "Last name", "Email", "Address", None],
                [None, None, None, "City", "Postcode"],
                *([*row, "Oslo", "0150"] for row in PEOPLE),
            ],
            ["A1:A2", "B1:B2", "C1:C2", "D1:E1"],
            [{"city": "Oslo", "postcode": "0150"}] * 2,
        ),
        (
            [["Company", "First name", "Last name", "Email"], ["Lind Ltd", *PEOPLE[0]], [None, *PEOPLE[1]]],
            ["A2:A3"],
            [{"company": "Lind Ltd"}] * 2,
        ),
        (
            [
                ["First name", "Last name", "Email", "Phone", None],
                *([*row, "202 555 0143", "202 555 0144"] for row in PEOPLE),
            ],
            ["D1:E1"],
            [{"phone": "202 555 0143", "Other phone": "+12025550144"}] * 2,
        ),
        (
            [
                ["First name", "Last name", "Email", "City", "Notes"], [*PEOPLE[0], "Oslo", None],
                [*PEOPLE[1], "Rome", "x"],
            ],
            ["D2:E2"],
            [{"city": "Oslo"}, {"city": "Rome", "notes": "x"}],
        ),
        ([["First name", "Last name", "Email"], PEOPLE[0], [None] * 3, PEOPLE[1]], ["A3:A3", "B2:B3"], [{}, {}]),
        ([["First name", "Last name", "Email"], *PEOPLE, [None] * 3, [None] * 3], ["A4:C5"], [{}, {}]),
    ],
)  # fmt: skip
def test_merged_cells_belong_to_each_of_their_rows_and_headings(tmp_path, rows, merged, more):
    found, refused = read_records(_sheet(tmp_path, rows, merged))
    assert found == [ADA | more[0], BO | more[1]]
    assert not refused


def test_a_merged_client_cell_applies_to_all_its_sales(tmp_path):
    rows = [
        ["Client", "Date", "Amount"], ["Ada Lind", "2026-10-01", 10], [None, "2026-10-02", 20],
        ["Bo Marsh", "2026-10-04", 5],
    ]  # fmt: skip
    found, _ = read_records(_sheet(tmp_path, rows, ["A2:A3"]), Sale)
    assert [(row["client.first_name"], row["amount"]) for row in found] == [("Ada", "10"), ("Ada", "20"), ("Bo", "5")]


def test_an_amount_that_several_sales_share_is_counted_once(tmp_path):
    rows = [["Client", "Date", "Amount"], ["Ada Lind", "2026-10-01", 30], ["Bo Marsh", "2026-10-02", None]]
    found, _ = read_records(_sheet(tmp_path, rows, ["C2:C3"]), Sale)
    assert [row.get("amount") for row in found] == ["30", None]


def test_a_title_merged_over_all_columns_is_not_a_record(tmp_path):
    rows = [["First name", "Last name", "Email"], PEOPLE[0], ["North", None, None], PEOPLE[1]]
    found, refused = read_records(_sheet(tmp_path, rows, ["A3:C3"]))
    assert (found, [number for number, _ in refused]) == ([ADA, BO], [3])


def test_hidden_rows_and_columns_are_read_and_counted(tmp_path):
    rows = [["First name", "Last name", "Email"], *PEOPLE, ["Cy", "Orr", "cy@example.org"]]
    path = _sheet(tmp_path, rows, hidden_rows=[1, 3, 9], hidden_columns=["C"])
    source = open_source(path)
    assert len(read_records(path)[0]) == 3
    assert (source.hidden_rows, source.hidden_columns) == (1, 1)


def test_leading_zeros_of_a_number_format_are_read(tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    for row in (["Name", "Postcode", "Phone"], ["Ada", 2138, 12025550143], ["Bo", 150, 12025550144], ["Cy", 12.5, 7]):
        sheet.append(row)
    for cell, style in (("B2", "00000"), ("B3", "0000"), ("B4", "00000"), ("C2", "0.00")):
        sheet[cell].number_format = style
    book.save(tmp_path / "book.xlsx")
    rows = [row.cells for row in open_source(tmp_path / "book.xlsx").rows()]
    assert rows == [("Ada", "02138", "12025550143"), ("Bo", "0150", "12025550144"), ("Cy", "12.5", "7")]


@pytest.mark.parametrize("error", ["#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!"])
def test_a_formula_error_is_not_a_name(workbook, error):
    path = workbook(People=[["Name", "Email"], [error, "ada@example.org"]])
    assert [row.cells for row in open_source(path).rows()] == [("", "ada@example.org")]


def test_a_text_that_reads_like_a_failed_formula_is_kept(tmp_path):
    write_xlsx(tmp_path / "book.xlsx", ["Name", "Tags"], [["#N/A", "a, b|c"]], "People")
    assert [row.cells for row in open_source(tmp_path / "book.xlsx").rows()] == [("#N/A", "a, b|c")]


@pytest.mark.parametrize("cover", [[["Read me"]], [["Contacts of the workshop"], ["Made in March"], [None, "by Cy"]]])
def test_a_cover_sheet_is_skipped(workbook, cover):
    path = workbook(Cover=cover, People=[["Name", "Email"], ["Ada", "ada@example.org"]])
    source = open_source(path)
    assert (source.sheet, source.other_sheets, source.columns) == ("People", ("Cover",), ("Name", "Email"))
    assert open_source(path, sheet="Cover").sheet == "Cover"


def test_a_sheet_whose_tags_never_end_is_read_at_once() -> None:
    assert marks_of(BytesIO(b"<sheetData><f>" + b"<c " * 100_000)).without_results == {}
