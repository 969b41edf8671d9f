"""Detection of the table in a file: titles above it, totals and remarks below it, repeated headings, and rows that are
quoted as a whole."""

from pathlib import Path
from typing import Any

import openpyxl
import pytest

from crm.files import open_source
from crm.model import Sale
from tests.support.file_records import read_records

ADA = {"first_name": "Ada", "last_name": "Lind", "email": "ada@example.org"}
BO = {"first_name": "Bo", "last_name": "Marsh", "email": "bo@example.org"}
HEADING = "First name,Last name,Email"
ROWS = "Ada,Lind,ada@example.org\nBo,Marsh,bo@example.org\n"


@pytest.fixture
def put(tmp_path: Path) -> Any:
    def write(text: str, name: str = "table.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(text.encode())
        return path

    return write


@pytest.fixture
def workbook(tmp_path: Path) -> Any:
    def write(*rows: list[Any]) -> Path:
        book = openpyxl.Workbook()
        for row in rows:
            book.active.append(row)
        book.save(tmp_path / "book.xlsx")
        return tmp_path / "book.xlsx"

    return write


@pytest.mark.parametrize(
    ("above", "line"),
    [
        ("", 1),
        ("Contact list of the Lind workshop\n", 2),
        ("Contact list of the Lind workshop,,\n,,\n", 3),
        ("Contact list of the Lind workshop\n\n\n\n", 5),
        ("Contacts\nas of 24 March 2026\n\n", 4),
        ("Report,Contacts\nCreated,2026-03-24\nFilter,none\n\n", 5),
        ("Contacts; workshop; 2026\n", 2),
        ("\ufeffContact list\n\n", 3),
        ('"Contacts, all of them"\n\n', 3),
        ("# exported by Rolodex 7\n# 2 rows\n", 3),
        (",,\n,Contacts,\n,,\n", 4),
        ("sep=,\nContacts\n", 3),
        ("Page 1 of 1\nContacts\nPrinted 3/24/2026 9:15 AM\nby Cy Orr\n\n\n", 7),
    ],
)
def test_the_heading_below_a_title(put: Any, above: str, line: int) -> None:
    path = put(above + HEADING + "\n" + ROWS)
    assert read_records(path) == ([ADA, BO], [])
    assert [row.number for row in open_source(path).rows()] == [line + 1, line + 2]


@pytest.mark.parametrize(
    ("above", "mark"),
    [("Kontakte, Stand März 2026\n\n", ";"), ("Kontakte;;\n", ";"), ("Kontakte, alle\n", "\t"), ("a, b, c, d\n", "|")],
)
def test_a_title_does_not_hide_the_delimiter(put: Any, above: str, mark: str) -> None:
    text = above + (HEADING + "\n" + ROWS).replace(",", mark)
    assert read_records(put(text)) == ([ADA, BO], [])


def test_headings_in_words_that_nobody_knows_below_a_title(put: Any) -> None:
    source = open_source(put("Our fleet\n\nPlate,Wheels,Colour\nAB 12,4,red\nCD 34,6,blue\n"))
    assert source.columns == ("Plate", "Wheels", "Colour")
    assert [row.number for row in source.rows()] == [4, 5]


@pytest.mark.parametrize(
    "text",
    [
        "Name\nAda Lind\nBo Marsh\n",
        "Name,City\nAda Lind,\nBo Marsh,\nCy Orr,Name\n",
        "Name,Notes\nAda Lind,\nBo Marsh,Email Phone\n",
        "Name,Phone,Email\nAda Lind,,\nBo Marsh,,\nCompany,Phone,\n",
    ],
)
def test_a_row_with_one_known_word_is_not_a_heading(put: Any, text: str) -> None:
    source = open_source(put(text))
    assert source.columns[0] == "Name"
    assert next(iter(source.rows())).cells[0] == "Ada Lind"


@pytest.mark.parametrize("blank", [[], [None], [None, None]])
def test_a_title_in_a_workbook(workbook: Any, blank: list[Any]) -> None:
    path = workbook(
        ["Contacts of the workshop"], blank, ["First name", "Last name", "Email"],
        ["Ada", "Lind", "ada@example.org"], ["Bo", "Marsh", "bo@example.org"],
    )  # fmt: skip
    assert read_records(path) == ([ADA, BO], [])
    assert [row.number for row in open_source(path).rows()] == [4, 5]


def test_a_workbook_whose_table_begins_further_right(workbook: Any) -> None:
    path = workbook(
        [], [None, "Contacts"], [], [None, "First name", "Last name", "Email"],
        [None, "Ada", "Lind", "ada@example.org"], [None, "Bo", "Marsh", "bo@example.org"],
        [], [None, "Total", None, 2], [None, "Source: the blue folder"],
    )  # fmt: skip
    found, refused = read_records(path)
    assert found == [ADA, BO]
    assert [number for number, _ in refused] == [8, 9]


@pytest.mark.parametrize(
    "below",
    [
        "\nTotal: 2\n",
        "\nTotal records,2\n",
        "Total,,2\n",
        "TOTALS,,\n",
        '\n"Grand total (2 people)"\n\n"For internal use"\n"Made by Cy Orr, 24 March 2026"\n',
        "Summe: 2\n",
        "Anzahl,2,\n",
        "\n2 rows selected.\n",
        "\n*** end of report ***\n",
        "\nSeite 1 von 1\n",
        "(2 rows affected)\n",
        "\n\nVertraulich, nicht weitergeben\n",
        "-----,-----,-----\nCopyright 2026 the workshop\n",
        "\nAlle Angaben ohne Gewähr.\nStand 24.3.2026\n",
    ],
)
def test_remarks_below_a_table_are_not_clients(put: Any, below: str) -> None:
    found, refused = read_records(put(HEADING + "\n" + ROWS + below))
    assert found == [ADA, BO]
    assert len(refused) == sum(bool(line.strip()) for line in below.splitlines())


@pytest.mark.parametrize(
    ("row", "name"),
    [
        ("Cher,,", "Cher"),
        ("Total Fitness Ltd,,", "Total"),
        ("Summe,Brandt,", "Summe"),
        ("Tota,Lind,", "Tota"),
        ("Page,,page@example.org", "Page"),
    ],
)
def test_names_that_look_like_remarks_are_kept(put: Any, row: str, name: str) -> None:
    found, refused = read_records(put(HEADING + "\n" + row + "\n" + ROWS))
    assert len(found) == 3
    assert not refused
    assert found[0]["first_name"].startswith(name)


def test_single_names_between_blank_lines_are_clients(put: Any) -> None:
    found, refused = read_records(
        put("First name,Last name,Email\n\nCher,,\n\nAda,Lind,ada@example.org\n\nBo,Marsh,bo@example.org\n")
    )
    assert [row["first_name"] for row in found] == ["Cher", "Ada", "Bo"]
    assert not refused


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_a_cell_of_several_lines_does_not_end_a_table(put: Any, end: str) -> None:
    path = put(f'Name,Notes\nBo Marsh,tall\nAda Lind,"tall{end}quiet{end}kind"\n?7,\n')
    assert [row.problem for row in open_source(path).rows()] == ["", "", ""]


def test_a_list_of_single_names_is_a_list_to_its_end(put: Any) -> None:
    found, refused = read_records(put("First name,Last name,Email\n\nCher,,\n\nBono,,\n\nAdele,,\n"))
    assert [row["first_name"] for row in found] == ["Cher", "Bono", "Adele"]
    assert not refused


@pytest.mark.parametrize("again", [HEADING, HEADING.upper(), "First name , Last name,Email", HEADING + ",,"])
def test_headings_repeated_on_each_page_are_skipped(put: Any, again: str) -> None:
    ada, bo = ROWS.splitlines()
    found, refused = read_records(put("\n".join([HEADING, ada, "", again, bo, again, ""])))
    assert found == [ADA, BO]
    assert [number for number, _ in refused] == [4, 6]
    assert all("heading" in why for _, why in refused)


SALES = "Date,Client no,Amount\n2026-03-01,K1,10.00\n2026-03-02,K2,20.50\n"


@pytest.mark.parametrize(
    "total",
    [
        "2026-03-31,Total,30.50",
        "Total,,30.50",
        ",Total,30.50",
        "2026-03-31,Grand Total,30.50",
        "2026-03-31,Summe,30.50",
        "2026-03-31,Subtotal March:,30.50",
        "2026-03-31,TOTAL GENERAL,30.50",
        "2026-03-31,Zwischensumme,30.50",
        "2026-03-31,Totaal,30.50",
        "2026-03-31,Total 2026,30.50",
        "Total for March 2026,,30.50",
    ],
)
def test_a_total_row_is_not_a_sale(put: Any, total: str) -> None:
    found, refused = read_records(put(SALES + total + "\n"), Sale)
    assert [row["amount"] for row in found] == ["10.00", "20.50"]
    assert [number for number, _ in refused] == [4]
    assert "total" in refused[0][1]


@pytest.mark.parametrize(
    "total",
    [
        "Total Anna Berg",
        "Anna Berg Total",
        "Subtotal: Anna Berg",
        "Summe Anna Berg",
        "Sum - Anna Berg",
        "ANNA BERG TOTAL:",
        "Razem Anna Berg",
        "Anna Berg Celkem",
        "Итого Anna Berg",
    ],
)
def test_a_subtotal_is_not_a_sale(put: Any, total: str) -> None:
    rows = (
        f"Client,Date,Amount,Currency\nAnna Berg,2026-11-01,100,USD\n{total},2026-11-15,100,USD\n"
        f"Ben Cole,2026-11-02,50,USD\nCy Dahl,2026-11-03,7,USD\n{total},2026-11-30,100,USD\n"
    )
    found, refused = read_records(put(rows), Sale)
    assert [row["amount"] for row in found] == ["100", "50", "7"]
    assert [number for number, _ in refused] == [3, 6]


@pytest.mark.parametrize("name", ["Total Fitness", "Sum Ting", "Total Anna Bergman", "Grand Total Wines"])
def test_a_client_called_total_is_kept(put: Any, name: str) -> None:
    found, refused = read_records(
        put(f"Client,Date,Amount\nAnna Berg,2026-11-01,100\n{name},2026-11-15,100\nBen Cole,2026-11-02,50\n"), Sale
    )
    assert (len(found), refused) == (3, [])


def test_a_line_of_a_cell_above_is_not_a_name(put: Any) -> None:
    rows = 'Client,Date,Amount\n"Anna\nBerg",2026-11-01,100\nTotal Anna,2026-11-15,100\n'
    found, refused = read_records(put(rows), Sale)
    assert (len(found), refused) == (2, [])


def test_a_sale_described_as_total_is_kept(put: Any) -> None:
    found, refused = read_records(
        put("Date,Client no,Amount,Note\n2026-03-01,K1,10.00,Total care\n2026-03-02,K2,20.50,total\n"), Sale
    )
    assert len(found) == 2
    assert not refused


WHOLE_ADA = '"Ada,Lind,ada@example.org,""Lind, Marsh & Co"""'
WHOLE_BO = '"Bo,Marsh,bo@example.org,Marsh"'
PLAIN_HEADING, PLAIN_ADA, PLAIN_BO = (
    "First name,Last name,Email,Company", 'Ada,Lind,ada@example.org,"Lind, Marsh & Co"',
    "Bo,Marsh,bo@example.org,Marsh",
)  # fmt: skip


@pytest.mark.parametrize(
    "lines",
    [
        (PLAIN_HEADING, WHOLE_ADA, PLAIN_BO),
        (PLAIN_HEADING, PLAIN_ADA, WHOLE_BO),
        (PLAIN_HEADING, WHOLE_ADA, WHOLE_BO),
        (f'"{PLAIN_HEADING}"', WHOLE_ADA, WHOLE_BO),
        (f'"{PLAIN_HEADING}"', PLAIN_ADA, WHOLE_BO),
        (PLAIN_HEADING, f"{WHOLE_ADA},,,", f"{WHOLE_BO},,,"),
        ('"First name,""Last name"",Email,Company"', WHOLE_ADA, WHOLE_BO),
        ("Workshop", PLAIN_HEADING, WHOLE_ADA, PLAIN_BO),
    ],
)
@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_rows_that_were_quoted_as_a_whole(put: Any, lines: tuple[str, ...], mark: str) -> None:
    # The comma in the company's name stays one.
    text = "\r\n".join(lines).replace(", ", "+").replace(",", mark).replace("+", ", ")
    found, refused = read_records(put(text))
    assert found == [{**ADA, "company": "Lind, Marsh & Co"}, {**BO, "company": "Marsh"}]
    assert not refused


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ('Name\n"Lind, Ada"\n"Marsh, Bo"\n', [("Lind, Ada",), ("Marsh, Bo",)]),
        ('Name,City\n"Lind, Ada",Oslo\n"Marsh, Bo"\n', [("Lind, Ada", "Oslo"), ("Marsh, Bo", "")]),
    ],
)
def test_a_name_with_a_comma_is_one_cell(put: Any, text: str, cells: list[tuple[str, ...]]) -> None:
    rows = list(open_source(put(text), delimiter=",").rows())
    assert [row.cells for row in rows] == cells
