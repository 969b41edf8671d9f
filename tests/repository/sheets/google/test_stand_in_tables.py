"""Tables at the stand-in, as Google's documents describe them."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.support.google_sheets import StandIn
from tests.support.google_sheets.account import ALWAYS_KNOWN

ROWS: list[list[Any]] = [["Name", "City", "Count"], ["Ada", "Bonn", 10], ["Ben", "Ulm", 20]]
TABLE = {
    "name": "People",
    "range": {"startRowIndex": 0, "endRowIndex": 3, "startColumnIndex": 0, "endColumnIndex": 3},
    "columnProperties": [{"columnIndex": 2, "columnName": "Count", "columnType": "DOUBLE"}],
}


class Sheet:
    """A spreadsheet with some rows, asked over HTTP."""

    def __init__(self, google: StandIn) -> None:
        self.google = google
        self.id = google.make()
        google.set_cells(self.id, "Sheet1", 0, 0, ROWS)
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {ALWAYS_KNOWN}"
        self.url = f"{google.url}/v4/spreadsheets/{self.id}"

    def batch(self, *batch: dict[str, Any]) -> requests.Response:
        return self.session.post(f"{self.url}:batchUpdate", json={"requests": list(batch)})

    def add(self, **table: Any) -> str:
        reply = self.batch({"addTable": {"table": {**TABLE, **table}}})
        assert reply.status_code == 200, reply.text
        return str(reply.json()["replies"][0]["addTable"]["table"]["tableId"])

    def append(self, table: str, *rows: list[str]) -> requests.Response:
        data = [{"values": [{"userEnteredValue": {"stringValue": text}} for text in row]} for row in rows]
        return self.batch({"appendCells": {"tableId": table, "rows": data, "fields": "userEnteredValue"}})

    def table(self) -> dict[str, Any]:
        (sheet,) = self.session.get(self.url).json()["sheets"]
        found: dict[str, Any] = sheet["tables"][0]
        return found

    def values(self) -> list[list[Any]]:
        return self.google.values(self.id, "Sheet1", typed=True)


@pytest.fixture(scope="module")
def google() -> Iterator[StandIn]:
    with StandIn(quota=False) as google:
        yield google


@pytest.fixture
def sheet(google: StandIn) -> Sheet:
    return Sheet(google)


def test_a_table_is_described_with_all_its_columns(sheet: Sheet) -> None:
    reply = sheet.batch({"addTable": {"table": TABLE}}).json()["replies"][0]["addTable"]["table"]
    id = reply.pop("tableId")
    assert reply == {
        "name": "People",
        "range": TABLE["range"],
        "columnProperties": [
            {"columnName": "Name"},
            {"columnIndex": 1, "columnName": "City"},
            {"columnIndex": 2, "columnName": "Count", "columnType": "DOUBLE"},
        ],
    }
    assert sheet.table() == {"tableId": id, **reply}


def test_names_ids_and_places_are_each_taken_once(sheet: Sheet) -> None:
    id = sheet.add()
    apart = {"startRowIndex": 5, "endRowIndex": 7, "startColumnIndex": 0, "endColumnIndex": 2}
    for wrong in ({"name": "people", "range": apart}, {"tableId": id, "range": apart, "name": "B"}, {"name": "C"}):
        assert sheet.batch({"addTable": {"table": {"range": TABLE["range"], **wrong}}}).status_code == 400


@pytest.mark.parametrize("kind", ["updateTable", "deleteTable", "appendCells"])
def test_an_unknown_table(sheet: Sheet, kind: str) -> None:
    given = {
        "updateTable": {"table": {"tableId": "9", "name": "x"}, "fields": "name"},
        "deleteTable": {"tableId": "9"},
        "appendCells": {"tableId": "9", "rows": [], "fields": "userEnteredValue"},
    }
    reply = sheet.batch({kind: given[kind]})
    assert reply.status_code == 400
    assert "No table with id: 9" in reply.json()["error"]["message"]


def test_rows_added_to_a_table_fill_its_empty_rows_and_then_make_it_longer(sheet: Sheet) -> None:
    id = sheet.add(range={**TABLE["range"], "endRowIndex": 4})  # type: ignore[dict-item]
    sheet.google.set_cells(sheet.id, "Sheet1", 5, 0, [["below"]])
    assert sheet.append(id, ["Cleo"], ["Dan"], ["Eva"]).json()["replies"] == [{}]
    named = [row[0] if row else "" for row in sheet.values()]
    assert named == ["Name", "Ada", "Ben", "Cleo", "Dan", "Eva", "", "below"]
    assert sheet.table()["range"]["endRowIndex"] == 6


def test_rows_are_added_before_a_footer(sheet: Sheet) -> None:
    id = sheet.add()
    sheet.google.add_footer(sheet.id, "Sheet1", 2)
    assert sheet.table()["range"]["endRowIndex"] == 4
    sheet.append(id, ["Cleo"])
    assert [row[0] if row else "" for row in sheet.values()] == ["Name", "Ada", "Ben", "Cleo", ""]
    assert sheet.values()[4][2] == 30


def test_another_name_range_and_type(sheet: Sheet) -> None:
    id = sheet.add()
    new = {"tableId": id, "name": "Others", "range": {**TABLE["range"], "endRowIndex": 9}}  # type: ignore[dict-item]
    assert sheet.batch({"updateTable": {"table": new, "fields": "name,range"}}).json()["replies"] == [{}]
    assert (sheet.table()["name"], sheet.table()["range"]["endRowIndex"]) == ("Others", 9)
    assert sheet.table()["columnProperties"][2]["columnType"] == "DOUBLE"
    columns = {"tableId": id, "columnProperties": [{"columnIndex": 1, "columnType": "TEXT"}]}
    sheet.batch({"updateTable": {"table": columns, "fields": "columnProperties"}})
    assert [column.get("columnType") for column in sheet.table()["columnProperties"]] == [None, "TEXT", None]


def test_a_deleted_table_takes_its_cells_along_where_the_service_does_so(sheet: Sheet) -> None:
    sheet.batch({"deleteTable": {"tableId": sheet.add()}})
    assert sheet.values() == []
    sheet.google.set_cells(sheet.id, "Sheet1", 0, 0, ROWS)
    sheet.google.table_modes(sheet.id, ["keep"])
    sheet.batch({"deleteTable": {"tableId": sheet.add()}})
    assert sheet.values() == ROWS


def test_headings_are_text_and_each_different(sheet: Sheet) -> None:
    sheet.google.set_cells(sheet.id, "Sheet1", 0, 0, [[1, None, 1]])
    sheet.add(columnProperties=[])
    assert sheet.values()[0] == ["1", "Column 2", "1 2"]
    sheet.google.set_cells(sheet.id, "Sheet1", 0, 1, [["1"]])
    assert [column["columnName"] for column in sheet.table()["columnProperties"]] == ["1", "1 2", "1 2 2"]


def test_a_table_moves_along_with_rows_and_columns(sheet: Sheet) -> None:
    sheet.add()
    sheet.google.insert_rows(sheet.id, "Sheet1", 0, 2)
    sheet.google.insert_column(sheet.id, "Sheet1", 1)
    place = sheet.table()["range"]
    assert (place["startRowIndex"], place["endRowIndex"], place["endColumnIndex"]) == (2, 5, 4)
    assert [column["columnName"] for column in sheet.table()["columnProperties"]] == [
        "Name",
        "Column 2",
        "City",
        "Count",
    ]
    assert sheet.table()["columnProperties"][3]["columnType"] == "DOUBLE"
    sheet.google.delete_column(sheet.id, "Sheet1", 0)
    assert [column["columnName"] for column in sheet.table()["columnProperties"]] == ["Column 2", "City", "Count"]


def test_no_filter_colours_or_merged_cells_across_a_table(sheet: Sheet) -> None:
    sheet.add()
    place = {"startRowIndex": 0, "endRowIndex": 2}
    for request in (
        {"setBasicFilter": {"filter": {"range": place}}},
        {"addBanding": {"bandedRange": {"range": place}}},
        {"mergeCells": {"range": {**place, "startColumnIndex": 0, "endColumnIndex": 2}}},
    ):
        assert sheet.batch(request).status_code == 400


def test_a_column_with_a_type_guards_its_looks_where_the_service_does_so(sheet: Sheet) -> None:
    sheet.add()
    rule = {"range": {"startRowIndex": 1, "endRowIndex": 2, "startColumnIndex": 2, "endColumnIndex": 3}}
    assert sheet.batch({"setDataValidation": rule}).status_code == 200
    sheet.google.table_modes(sheet.id, ["guard"])
    assert sheet.batch({"setDataValidation": rule}).status_code == 400
    free = {"range": {**rule["range"], "startColumnIndex": 0, "endColumnIndex": 1}}
    assert sheet.batch({"setDataValidation": free}).status_code == 200
