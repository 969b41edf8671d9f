"""Written files: read back unchanged, without formulas, and complete or not written at all."""

# ruff: noqa: RUF001

import csv
import os
import string
import tracemalloc
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from crm.errors import FileError
from crm.files import open_source, write_csv, write_workbook, write_xlsx

# Any text that can be stored: no lone surrogates and no NUL, which make a row's problem.
TEXT = st.text(
    st.one_of(
        st.characters(exclude_categories=["Cs"], exclude_characters="\0"), st.sampled_from("=+-@\t\r\n'\",;| :_x")
    ),
    max_size=12,
)
HEADER = st.lists(st.text(string.ascii_letters, min_size=1, max_size=6), min_size=1, max_size=4, unique=True)
TABLE = HEADER.flatmap(
    lambda header: st.tuples(
        st.just(header),
        st.lists(
            st.lists(TEXT, min_size=len(header), max_size=len(header)).filter(lambda row: any(map(str.strip, row)))
        ),
    )
)
PATIENT = settings(deadline=None, max_examples=80, suppress_health_check=list(HealthCheck))


@PATIENT
@given(table=TABLE)
@example(table=(["a"], [["'=1"], ["''=1"], ["=1"], ["a;b"], ["sep=;"]]))
@example(table=(["a", "b"], [[' "x', "y"], ["1;2", "3;4"], ["+4366012", "+4366012x"]]))
def test_any_table_written_as_csv_is_read_back(tmp_path, table):
    header, rows = table
    path = tmp_path / "table.csv"
    assert write_csv(path, header, rows) == len(rows)
    source = open_source(path, header=True)
    assert source.columns == tuple(header)
    assert [row.cells for row in source.rows()] == [tuple(row) for row in rows]
    # What looks like a total or a remark may be taken for one; nothing is malformed.
    assert all(not row.problem or "record" in row.problem for row in source.rows())


def as_xml_keeps_it(text: str) -> bool:
    return not any(0xFFFE <= ord(character) <= 0xFFFF for character in text)


@settings(PATIENT, max_examples=40)
@given(table=TABLE)
@example(table=(["a"], [["_x0041_"], ["=1+1"], ["http://example.com"], ["mailto:a@b.at"], ["a\rb\x01"], [" b "]]))
def test_any_table_written_as_a_workbook_is_read_back(tmp_path, table):
    header, rows = table
    rows = [row for row in rows if all(map(as_xml_keeps_it, row))]
    path = tmp_path / "table.xlsx"
    assert write_xlsx(path, header, rows, "Clients") == len(rows)
    source = open_source(path, header=True)
    assert source.columns == tuple(header)
    assert [row.cells for row in source.rows()] == [tuple(row) for row in rows]


HOSTILE = [
    "=1+1",
    "+cmd",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "＝1+1",
    "＋1",
    "－1",
    "＠x",
    "=HYPERLINK(1)",
    "+43 660 1",
]


@pytest.mark.parametrize("cell", HOSTILE)
def test_formulas_are_written_as_text(tmp_path, cell):
    write_csv(tmp_path / "a.csv", ["Name", cell], [["x", cell]])
    with (tmp_path / "a.csv").open(encoding="utf-8-sig", newline="") as file:
        assert list(csv.reader(file)) == [["Name", "'" + cell], ["x", "'" + cell]]
    write_xlsx(tmp_path / "a.xlsx", ["Name", cell], [["x", cell]], "=1")
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx").worksheets[0]
    assert [cell.data_type for row in sheet.iter_rows() for cell in row] == ["s"] * 4
    assert b"<f>" not in zipfile.ZipFile(tmp_path / "a.xlsx").read("xl/worksheets/sheet1.xml")


def test_phone_numbers_are_written_unchanged(tmp_path):
    write_csv(tmp_path / "a.csv", ["Phone"], [["+436601234567"]])
    assert (tmp_path / "a.csv").read_bytes() == b"\xef\xbb\xbfPhone\r\n+436601234567\r\n"
    write_xlsx(tmp_path / "a.xlsx", ["Phone"], [["+436601234567"], ["https://example.com"]], "Phones")
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx").worksheets[0]
    assert [sheet["A2"].value, sheet["A2"].data_type, sheet["A3"].hyperlink] == ["+436601234567", "s", None]


VALUES = [
    None, True, 7, Decimal("-12.50"), date(2026, 3, 1), datetime(2026, 3, 1, 14, 5, tzinfo=UTC),
    ("gold", "new"), {"size": "42", "colour": "red"}, date(1850, 1, 1), 10**18,
]  # fmt: skip


def test_values_of_every_kind(tmp_path):
    header = [f"Name {place}" for place in range(len(VALUES))]
    write_csv(tmp_path / "a.csv", header, [VALUES])
    assert open_source(tmp_path / "a.csv").sample == (
        (
            "", "yes", "7", "-12.50", "2026-03-01", "2026-03-01T14:05:00Z",
            "gold, new", "size=42\ncolour=red", "1850-01-01", "1" + "0" * 18,
        ),
    )  # fmt: skip
    write_xlsx(tmp_path / "a.xlsx", header, [VALUES], "All")
    row = [cell.value for cell in openpyxl.load_workbook(tmp_path / "a.xlsx").worksheets[0][2]]
    assert row == [
        None, True, 7, -12.5, datetime(2026, 3, 1), datetime(2026, 3, 1, 14, 5),
        "gold, new", "size=42\ncolour=red", "1850-01-01", "1" + "0" * 18,
    ]  # fmt: skip


def test_a_workbook_of_several_sheets(tmp_path):
    path = tmp_path / "all.xlsx"
    titles = ["Clients", "clients", "a/b:c?", "x" * 40, ""]
    assert write_workbook(path, ((title, ["Name"], [[title]]) for title in titles)) == 5
    assert openpyxl.load_workbook(path).sheetnames == ["Clients", "clients (2)", "a b c", "x" * 31, "Sheet"]


def broken_off():
    yield ["Anna"]
    raise RuntimeError("the store is gone")


@pytest.mark.parametrize("write", [write_csv, lambda *arguments: write_xlsx(*arguments, "Clients")])
def test_an_interrupted_export_keeps_the_old_file(tmp_path, write):
    path = tmp_path / "a.file"
    path.write_text("as it was", encoding="utf-8")
    path.chmod(0o640)
    with pytest.raises(RuntimeError):
        write(path, ["Name"], broken_off())
    assert path.read_text(encoding="utf-8") == "as it was"
    assert [path.name for path in tmp_path.iterdir()] == ["a.file"]
    write(path, ["Name"], [["Anna"]])
    assert path.read_bytes()[:4] in (b"\xef\xbb\xbfN", b"PK\x03\x04")
    assert path.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in tmp_path.iterdir()] == ["a.file"]


def test_a_symbolic_link_stays_a_link(tmp_path):
    (tmp_path / "real.csv").write_text("old", encoding="utf-8")
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    write_csv(tmp_path / "link.csv", ["Name"], [["Anna"]])
    assert (tmp_path / "link.csv").is_symlink()
    assert "Anna" in (tmp_path / "real.csv").read_text(encoding="utf-8")


def test_a_file_that_cannot_be_written_has_a_clear_error(tmp_path, monkeypatch):
    with pytest.raises(FileError, match=r"Folder .* does not exist\. Create it"):
        write_csv(tmp_path / "none" / "a.csv", ["Name"], [])
    with pytest.raises(FileError, match="is a folder"):
        write_csv(tmp_path, ["Name"], [])
    (tmp_path / "file").touch()
    with pytest.raises(FileError, match="is not a folder"):
        write_xlsx(tmp_path / "file" / "a.xlsx", ["Name"], [], "Clients")
    with pytest.raises(FileError, match="not an ordinary file"):
        write_csv(Path(os.devnull), ["Name"], [])
    with pytest.raises(FileError, match=r"too long for Excel. Export as CSV"):
        write_xlsx(tmp_path / "a.xlsx", ["Name"], [["x" * 40_000]], "Clients")
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(FileError, match="The disk is full"):
        write_csv(tmp_path / "a.csv", ["Name"], [["Anna"]])
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_name_may_be_as_long_as_the_system_takes(tmp_path):
    for name in ("n" * 251, "\N{GRINNING FACE}" * 62):
        write_csv(tmp_path / f"{name}.csv", ["Name"], [["Anna"]])
        with pytest.raises(FileError, match=r"^The name .{41} is too long\. Choose a shorter one\.$"):
            write_csv(tmp_path / f"{name}{name}.csv", ["Name"], [["Anna"]])
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("write", [write_csv, lambda *arguments: write_xlsx(*arguments, "Clients")])
def test_memory_stays_flat_while_writing(tmp_path, write):
    tracemalloc.start()
    try:
        write(tmp_path / "a.file", ["Name", "Notes"], ([f"Anna {place}", "x" * 400] for place in range(5000)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1_500_000
