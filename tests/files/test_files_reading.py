"""Tables in text files: what is detected, the rows that result, and the errors for files that are not tables."""

# ruff: noqa: RUF001

import tracemalloc
from pathlib import Path

import pytest

from crm.errors import FileError
from crm.files import Source, open_source
from tests.support.unprivileged import as_nobody


@pytest.fixture
def put(tmp_path):
    def write(content: str | bytes, name: str = "table.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def cells(source: Source) -> list[tuple[str, ...]]:
    return [row.cells for row in source.rows()]


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(put, mark):
    rows = [["Name", "City", "Notes"], ["Anna", "Wien", '"1,5; 2\t3 | 4"'], ["Ben", "Graz", ""]]
    source = open_source(put("\n".join(map(mark.join, rows))))
    assert source.delimiter == mark
    assert source.columns == ("Name", "City", "Notes")
    assert cells(source) == [("Anna", "Wien", "1,5; 2\t3 | 4"), ("Ben", "Graz", "")]


def test_decimal_commas_are_no_delimiters(put):
    source = open_source(put("Datum;Betrag;Rabatt\n1.2.2026;1,50;0,10\n2.2.2026;12,00;0,20\n"))
    assert source.delimiter == ";"
    assert cells(source)[0] == ("1.2.2026", "1,50", "0,10")


def test_blanks_after_the_delimiter_before_quotes(put):
    source = open_source(put('Name, City\n"Berg, Anna", "Wien, Neubau"\n"Hof, Ben", "Graz"\n'))
    assert cells(source) == [("Berg, Anna", "Wien, Neubau"), ("Hof, Ben", "Graz")]


def test_the_line_by_which_excel_names_the_delimiter(put):
    source = open_source(put("sep=|\nName|City,State\nAnna|Austin, TX\n"))
    assert (source.delimiter, source.columns) == ("|", ("Name", "City,State"))
    assert [(row.number, row.cells) for row in source.rows()] == [(3, ("Anna", "Austin, TX"))]


def test_given_options_replace_detection(put):
    source = open_source(put("Name;City,Country\nAnna;Wien,AT\n"), delimiter=",", header=False)
    assert source.columns == ("Column 1", "Column 2")
    assert cells(source) == [("Name;City", "Country"), ("Anna;Wien", "AT")]


@pytest.mark.parametrize(
    ("content", "header"),
    [
        ("First name,Last name\nAnna,Berg\n", True),
        ("Vorname;Nachname\nAnna;Berg\n", True),
        ("contact_phone,contact_email\n0660 1,a@b.at\n", True),
        ("E-mail 1 - Value,Whatever\na@b.at,x\n", True),
        ("Colour,Size\nred,42\nblue,43\n", True),
        ("Anna,anna@example.com\nBen,ben@example.com\n", False),
        ("00001,1997-01-01,11.77\n00002,1997-01-02,12.00\n", False),
        ("red,Berg\nred,Hof\n", False),
    ],
)
def test_the_header_is_found(put, content, header):
    source = open_source(put(content))
    assert source.has_header is header
    assert len(cells(source)) == content.count("\n") - header


def test_columns_without_a_name_and_with_the_same(put):
    source = open_source(put("Name,,Name,Phone\nA,b,c,1\n"))
    assert source.columns == ("Name", "Column 2", "Name (2)", "Phone")


def test_rows_are_numbered_as_a_person_counts_lines(put):
    source = open_source(put('\nName,Notes\r\nAnna,"one\r\ntwo ""2"""\r\n\r\n,,\r\nBen,x\r\n'))
    assert [(row.number, row.cells) for row in source.rows()] == [
        (3, ("Anna", 'one\r\ntwo "2"')),
        (7, ("Ben", "x")),
    ]


def test_old_line_ends(put):
    assert cells(open_source(put("Name,City\rAnna,Wien\rBen,Graz\r"))) == [("Anna", "Wien"), ("Ben", "Graz")]


def test_ragged_rows_lose_nothing(put):
    source = open_source(put("Name,City,Phone\nAnna\nBen,Graz,1,,\nCy,Linz,2,more,still more\nDan,Wels,3\n"))
    rows = list(source.rows())
    assert rows[0].cells == ("Anna", "", "")
    assert rows[1].cells == ("Ben", "Graz", "1")
    assert rows[2].cells == ("Cy", "Linz", "2", "more", "still more")
    assert [bool(row.problem) for row in rows] == [False, False, True, False]
    assert rows[2].problem.startswith("2 cells more")


def test_columns_that_most_rows_have_without_a_name(put):
    source = open_source(put("Name,City\nAnna,Wien,1\nBen,Graz,2\nCy,Linz,3\n"))
    assert source.columns == ("Name", "City", "Column 3")
    assert not any(row.problem for row in source.rows())


def test_rows_can_be_read_again_with_progress(put):
    content = "Name,City\n" + "Anna,Wien\n" * 20_000
    source = open_source(put(content))
    run = source.rows()
    for _ in range(10_000):
        next(run)
    done, total = source.progress()
    assert total == len(content)
    assert 0.4 < done / total < 0.6
    run.close()
    assert len(cells(source)) == 20_000
    assert source.progress() == (total, total)
    assert len(source.sample) == 200


@pytest.mark.parametrize("sign", ["=1+1", "+x", "-x", "@x", "\tx", "\rx", "＝x"])
def test_the_apostrophe_before_an_escaped_formula_is_removed(put, sign):
    source = open_source(put(f"Name,Notes\n\"'{sign}\",'tis\n"))
    assert cells(source) == [(sign, "'tis")]


def test_nul_characters_are_reported_with_their_row(put):
    rows = list(open_source(put("Name,City\nAnna,Wien\nB\0en,Graz\n")).rows())
    assert [bool(row.problem) for row in rows] == [False, True]


def test_a_quotation_mark_that_is_never_closed(put):
    rows = list(open_source(put('Name,City\nAnna,Wien\nBen,"Graz\nCy,Linz\nDan,Wels\n')).rows())
    assert [row.number for row in rows] == [2, 3]
    assert "never closed" in rows[1].problem
    rows = list(open_source(put('Name,City\nAnna,5" pipe\nBen,Graz\n')).rows())
    assert not any(row.problem for row in rows)


def test_a_cell_of_megabytes_and_one_that_is_too_large(put):
    assert len(cells(open_source(put(f'Name,Notes\nAnna,"{"x" * 1_000_000}"\n')))[0][1]) == 1_000_000
    source = put("Name,Notes\n" + "Anna,x\n" * 300 + 'Ben,"' + "y,\n" * 1_500_000)
    with pytest.raises(FileError, match=r"cannot be read after line 301.*never closed"):
        list(open_source(source).rows())


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"", "is empty"),
        ("a.csv", b"\xef\xbb\xbf \r\n", "is empty"),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "save it as .xlsx"),
        ("a.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "protected by a password"),
        ("a.xlsx", b"Name,City\n", "is not one or is damaged"),
        ("a.xlsx", b"PK\x03\x04nonsense", "is damaged"),
        ("a.zip", b"PK\x03\x04nonsense", "is an archive"),
        ("a.csv", b"%PDF-1.7", "is a PDF"),
        ("a.xls", b"<html><table><tr><td>1</td></tr></table></html>", "is a web page"),
        ("a.csv", bytes(range(256)) * 20, "is not a text table"),
        ("a.vcf", b"Name,City\nAnna,Wien\n", "No card"),
    ],
)
def test_files_that_are_not_tables_have_clear_errors(put, name, content, message):
    with pytest.raises(FileError, match=message):
        open_source(put(content, name))


def test_missing_files_and_folders(tmp_path):
    with pytest.raises(FileError, match=r"No file .*Check its name"):
        open_source(tmp_path / "none.csv")
    with pytest.raises(FileError, match=r"is a folder\. Name one file"):
        open_source(tmp_path)


def test_a_file_that_may_not_be_read(put):
    path = put("Name\nAnna\n")
    # What reading needs is loaded by now: nobody may not read the interpreter's own files either.
    open_source(path)
    path.chmod(0)
    assert "do not have permission to read" in as_nobody(lambda: open_source(path))


def test_impossible_options_are_refused(put):
    path = put("Name,City\nAnna,Wien\n")
    with pytest.raises(FileError, match="one character"):
        open_source(path, delimiter=";;")
    with pytest.raises(FileError, match="not a workbook"):
        open_source(path, sheet="Clients")
    with pytest.raises(FileError, match="No encoding"):
        open_source(path, encoding="klingon")


@pytest.mark.slow
def test_memory_stays_flat_over_a_large_file(tmp_path):
    path = tmp_path / "large.csv"
    line = "Anna,Berg,anna@example.com,Wien," + "x" * 160 + "\n"
    path.write_text("First name,Last name,E-mail,City,Notes\n" + line * (20_000_000 // len(line)), encoding="utf-8")
    tracemalloc.start()
    try:
        source = open_source(path)
        count = sum(1 for _ in source.rows())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 20_000_000 // len(line)
    assert peak < 8_000_000
