"""The stand-in for Google Sheets: gspread works with it, and it refuses what the service refuses."""

import gzip
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gspread
import pytest
import requests
from google.auth.exceptions import RefreshError
from google.oauth2 import service_account

from tests.support.google_sheets import Control, Invalid, StandIn

PROJECT = Path(__file__).resolve().parents[4]
Batch = Callable[..., Any]


@pytest.fixture
def google() -> Iterator[StandIn]:
    """A stand-in without quotas."""
    with StandIn(quota=False) as google:
        yield google


@pytest.fixture
def book(google: StandIn) -> str:
    """A spreadsheet with a small table in its sheet."""
    id = google.make("Team")
    google.set_cells(id, "Sheet1", 0, 0, [["name", "sum"], ["Ann", 3], ["Bob", 1], ["Cy", 2]])
    return id


@pytest.fixture
def session() -> Iterator[requests.Session]:
    """Requests with a token that the stand-in always knows."""
    with requests.Session() as session:
        session.headers["Authorization"] = "Bearer test-token"
        yield session


@pytest.fixture
def batch(google: StandIn, book: str, session: requests.Session) -> Batch:
    """Send requests of a batchUpdate on the spreadsheet; the reply must have a status."""

    def send(*kinds: dict[str, Any], status: int = 200, **more: Any) -> Any:
        reply = session.post(
            f"{google.url}/v4/spreadsheets/{book}:batchUpdate", json={"requests": list(kinds), **more}, timeout=30
        )
        assert reply.status_code == status, reply.text
        return reply.json()

    return send


@pytest.fixture
def read(google: StandIn, book: str, session: requests.Session) -> Batch:
    """GET something of the spreadsheet."""

    def get(path: str = "", status: int = 200, **query: Any) -> Any:
        reply = session.get(f"{google.url}/v4/spreadsheets/{book}{path}", params=query, timeout=30)
        assert reply.status_code == status, reply.text
        return reply.json()

    return get


class Account(service_account.Credentials):
    """Credentials that ask nobody else: google-auth looks up at Google in which regions an account may be used."""

    def _is_regional_access_boundary_lookup_required(self) -> bool:
        return False


@contextmanager
def client(
    google: StandIn, scopes: Sequence[str] = gspread.auth.DEFAULT_SCOPES, account: StandIn | None = None
) -> Iterator[gspread.Client]:
    """A real gspread client that calls the stand-in."""

    class Here(gspread.HTTPClient):
        def request(self, method: Any, endpoint: str, *args: Any, **kwargs: Any) -> requests.Response:
            for host in ("https://sheets.googleapis.com", "https://www.googleapis.com"):
                endpoint = endpoint.replace(host, google.url)
            return super().request(method, endpoint, *args, **kwargs)

    given = {**(account or google).credentials(), "token_uri": f"{google.url}/token"}
    credentials = Account.from_service_account_info(given, scopes=scopes)  # type: ignore[no-untyped-call]
    made = gspread.authorize(credentials, http_client=Here)
    yield made
    made.http_client.session.close()


def message(reply: Any) -> str:
    """The message of an error."""
    return str(reply["error"]["message"])


def cell(text: str) -> dict[str, Any]:
    """A cell with a text."""
    return {"userEnteredValue": {"stringValue": text}}


def append(*rows: list[str], sheet: int = 0) -> dict[str, Any]:
    """A request that adds rows of texts."""
    given = [{"values": [cell(text) for text in row]} for row in rows]
    return {"appendCells": {"sheetId": sheet, "fields": "userEnteredValue", "rows": given}}


def marker(id: str, name: str = "") -> dict[str, Any]:
    """A request that adds a named range."""
    return {
        "addNamedRange": {"namedRange": {"namedRangeId": id, "name": name or f"marker_{id}", "range": {"sheetId": 0}}}
    }


class TestGspread:
    def test_reads_and_writes(self, google: StandIn, book: str) -> None:
        with client(google) as found:
            sheet = found.open_by_key(book).sheet1
            assert sheet.get_all_records() == [{"name": n, "sum": s} for n, s in (("Ann", 3), ("Bob", 1), ("Cy", 2))]
            sheet.append_row(["Dee", 4])
            sheet.update_acell("A2", "Anna")
            sheet.delete_rows(3)
        assert google.values(book, "Sheet1") == [["name", "sum"], ["Anna", "3"], ["Cy", "2"], ["Dee", "4"]]
        counted = google.counts(book)
        assert (counted["reads"], counted["writes"], counted["drive"]) == (3, 3, 0)
        assert google.counts()["tokens"] == 1
        assert [line[2] for line in google.requests()] == [200] * 7
        assert google.requests()[-1][3] == "spreadsheets.batchUpdate deleteDimension"
        google.reset_counts()
        assert not any(google.counts().values())

    def test_sheets_of_a_spreadsheet(self, google: StandIn, book: str) -> None:
        with client(google) as found:
            spreadsheet = found.open("Team")
            added = spreadsheet.add_worksheet("Sales", rows=5, cols=3)
            copy = added.duplicate(new_sheet_name="Again", insert_sheet_index=0)
            added.update_title("Sold")
            copy.hide()
            tabs = [(tab["title"], tab["hidden"]) for tab in google.tabs(book)]
            assert tabs == [("Again", True), ("Sheet1", False), ("Sold", False)]
            spreadsheet.del_worksheet(added)
            with pytest.raises(gspread.WorksheetNotFound):
                spreadsheet.worksheet("Sold")


class TestAccess:
    @pytest.mark.parametrize(
        ("access", "reads", "writes"), [("writer", 200, 200), ("reader", 200, 403), ("none", 403, 403)]
    )
    def test_rights(
        self, google: StandIn, book: str, read: Batch, batch: Batch, access: str, reads: int, writes: int
    ) -> None:
        google.set_access(book, access)
        read(status=reads)
        batch({"updateSpreadsheetProperties": {"fields": "title", "properties": {"title": "x"}}}, status=writes)

    def test_unknown(self, google: StandIn, session: requests.Session) -> None:
        reply = session.get(f"{google.url}/v4/spreadsheets/nothing")
        assert reply.status_code == 404
        assert reply.json()["error"]["status"] == "NOT_FOUND"
        reply = session.get(f"{google.url}/drive/v3/files/nothing")
        assert reply.json()["error"]["errors"][0]["reason"] == "notFound"

    def test_tokens(self, google: StandIn, book: str) -> None:
        with client(google) as found:
            found.open_by_key(book)
            assert google.scopes() == [list(gspread.auth.DEFAULT_SCOPES)]
            google.expire_tokens()
            # google-auth asks for a new token by itself when it is told that the old one is not good.
            found.open_by_key(book)
        assert google.counts()["tokens"] == 2
        assert [line[2] for line in google.requests()] == [200, 200, 401, 200, 200]

    @pytest.mark.parametrize(
        ("switch", "words"), [("clock_right", "reasonable timeframe"), ("account_exists", "account not found")]
    )
    def test_no_token(self, google: StandIn, book: str, switch: str, words: str) -> None:
        getattr(google, switch)(False)
        with client(google) as found, pytest.raises(RefreshError, match=words):
            found.open_by_key(book)

    def test_another_key(self, google: StandIn, book: str) -> None:
        with (
            StandIn() as other,
            client(google, account=other) as found,
            pytest.raises(RefreshError, match="Invalid JWT Signature"),
        ):
            found.open_by_key(book)

    def test_scopes_are_needed(self, google: StandIn, book: str) -> None:
        with client(google, ["https://www.googleapis.com/auth/spreadsheets.readonly"]) as found:
            sheet = found.open_by_key(book).sheet1
            with pytest.raises(gspread.exceptions.APIError, match="insufficient authentication scopes"):
                sheet.append_row(["x"])

    @pytest.mark.parametrize(
        ("switch", "path"), [("enable_sheets", "/v4/spreadsheets"), ("enable_drive", "/drive/v3/files")]
    )
    def test_an_api_is_not_enabled(
        self, google: StandIn, book: str, session: requests.Session, switch: str, path: str
    ) -> None:
        getattr(google, switch)(False)
        error = session.get(f"{google.url}{path}/{book}").json()["error"]
        assert error["code"] == 403
        assert "has not been used in project" in error["message"]
        assert error["details"][0]["reason"] == "SERVICE_DISABLED"


class TestRefused:
    @pytest.mark.parametrize(
        ("given", "words"),
        [
            ({"requests": [{"addSheep": {}}]}, "Unknown name \"addSheep\" at 'requests[0]': Cannot find field."),
            ({"nothing": 1}, 'Unknown name "nothing": Cannot find field.'),
            (
                {"requests": [{"addSheet": {"properties": {"name": "x"}}}]},
                "Unknown name \"name\" at 'requests[0].add_sheet.properties': Cannot find field.",
            ),
            (
                {"requests": [{"addSheet": {"properties": {"title": 5}}}]},
                "Invalid value at 'requests[0].add_sheet.properties.title' (TYPE_STRING), 5",
            ),
            ({"requests": [{"deleteSheet": {"sheetId": "x"}}]}, "(TYPE_INT32)"),
            (
                {"requests": [{"appendCells": {"rows": [{"values": [{"userEnteredValue": {"stringValue": 1}}]}]}}]},
                "'requests[0].append_cells.rows[0].values[0].user_entered_value.string_value' (TYPE_STRING), 1",
            ),
            ({"requests": []}, "Must specify at least one request."),
            ({"requests": [{"deleteSheet": {"sheetId": 9}}]}, "Invalid requests[0].deleteSheet: No grid with id: 9"),
            ({"requests": [{"deleteSheet": {}}]}, "You can't remove all the visible sheets in a document."),
            ({"requests": [{"deleteNamedRange": {"namedRangeId": "x"}}]}, "No NamedRange with id: x"),
            (
                {"requests": [{"addSheet": {"properties": {"title": "sheet1"}}}]},
                'with the name "sheet1" already exists',
            ),
            ({"requests": [{"addSheet": {"properties": {"sheetId": 0}}}]}, "already exists"),
            ({"requests": [append(["x"] * 27)]}, "Attempting to write column: 26, beyond"),
            ({"requests": [append(["x" * 50_001])]}, "50000 characters in a single cell"),
            ({"requests": [{"appendCells": {"rows": []}}]}, "At least one field must be listed in 'fields'"),
            (
                {"requests": [{"appendDimension": {"dimension": "ROWS", "length": 10**6}}]},
                "above the limit of 10000000 cells",
            ),
            (
                {"requests": [{"deleteDimension": {"range": {"dimension": "ROWS"}}}]},
                "not possible to delete all non-frozen rows",
            ),
        ],
    )
    def test_a_batch(
        self, google: StandIn, book: str, session: requests.Session, given: dict[str, Any], words: str
    ) -> None:
        before = google.version(book)
        reply = session.post(f"{google.url}/v4/spreadsheets/{book}:batchUpdate", json=given)
        assert reply.status_code == 400
        assert words in message(reply.json())
        assert google.version(book) == before

    def test_unimplemented_methods_are_refused(self, batch: Batch) -> None:
        assert "requests[0].addChart" in message(batch({"addChart": {}}, status=501))

    def test_queries(self, read: Batch) -> None:
        assert 'Unknown name "many"' in message(read(status=400, many=1))
        assert "Invalid value at 'value_render_option'" in message(
            read("/values/A1", status=400, valueRenderOption="x")
        )
        assert "invalid argument" in message(read(status=400, fields="sheets.nothing"))
        assert "exceeds grid limits. Max rows: 1000, max columns: 26" in message(read("/values/A1001", status=400))
        assert message(read("/values/Nowhere!A1", status=400)) == "Unable to parse range: Nowhere!A1"

    def test_many_requests_in_a_minute(self, google: StandIn, batch: Batch, read: Batch) -> None:
        google.quota(True)
        for _ in range(60):
            read(fields="spreadsheetId")
        error = read(status=429)["error"]
        assert error["status"] == "RESOURCE_EXHAUSTED"
        assert "'Read requests per minute per user' of service 'sheets.googleapis.com'" in error["message"]
        assert error["details"][0]["metadata"]["quota_limit"] == "ReadRequestsPerMinutePerUser"
        batch(append(["one batch is one write"]))
        google.use_up("write")
        batch(append(["x"]), status=429)
        google.quota(False)
        read()


class TestBatch:
    def test_all_or_nothing(self, google: StandIn, book: str, batch: Batch) -> None:
        batch(marker("r1"), append(["Dee"]))
        refused = batch(
            {"deleteNamedRange": {"namedRangeId": "r1"}}, append(["Eve"]), marker("r2"), marker("r2"), status=400
        )
        assert message(refused).startswith("Invalid requests[3].addNamedRange: ")
        assert [row[0] for row in google.values(book, "Sheet1")] == ["name", "Ann", "Bob", "Cy", "Dee"]
        assert [named["name"] for named in google.named_ranges(book)] == ["marker_r1"]

    def test_a_marker_that_does_not_hold(self, google: StandIn, book: str, batch: Batch) -> None:
        google.marker_holds(False)
        batch({"deleteNamedRange": {"namedRangeId": "r0"}}, marker("r1"), append(["Dee"]))
        batch({"deleteNamedRange": {"namedRangeId": "r0"}}, marker("r1"), append(["Dee"]))
        assert len(google.values(book, "Sheet1")) == 6
        assert len(google.named_ranges(book)) == 1

    def test_an_edit_in_between(self, google: StandIn, book: str, batch: Batch) -> None:
        google.before_next_write([["insert_rows", [book, "Sheet1", 1, 2]], ["type", [book, "Sheet1", "A2", "first"]]])
        batch({"deleteDimension": {"range": {"dimension": "ROWS", "startIndex": 2, "endIndex": 4}}})
        assert [row[:1] for row in google.values(book, "Sheet1")] == [["name"], ["first"], ["Bob"], ["Cy"]]
        batch(append(["Dee"]))
        assert len(google.values(book, "Sheet1")) == 5

    def test_requests_are_served_one_after_another(self, google: StandIn, book: str) -> None:
        def add(number: int) -> None:
            body = {
                "requests": [{"deleteNamedRange": {"namedRangeId": "r"}}, marker(f"r{number}"), append([f"{number}"])]
            }
            url = f"{google.url}/v4/spreadsheets/{book}:batchUpdate"
            reply = requests.post(url, json=body, headers={"Authorization": "Bearer test-token"}, timeout=30)
            statuses.append(reply.status_code)

        statuses: list[int] = []
        url, headers = f"{google.url}/v4/spreadsheets/{book}:batchUpdate", {"Authorization": "Bearer test-token"}
        requests.post(url, json={"requests": [marker("r")]}, headers=headers, timeout=30).raise_for_status()
        threads = [threading.Thread(target=add, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(statuses) == [200] + [400] * 7
        assert len(google.values(book, "Sheet1")) == 5

    def test_append_cells(self, google: StandIn, book: str, batch: Batch) -> None:
        values = [{"stringValue": "=1"}, {"numberValue": 2.5}, {"boolValue": True}, {"formulaValue": "=1+2"}]
        row = {"values": [{"userEnteredValue": value} for value in values]}
        batch({"appendCells": {"fields": "userEnteredValue", "rows": [row] * 1000}})
        assert google.tabs(book)[0]["rows"] == 1004
        assert google.values(book, "Sheet1", typed=True)[-1] == ["=1", 2.5, True, 3]
        assert google.formulas(book, "Sheet1")[-1] == ["=1", 2.5, True, "=1+2"]

    def test_update_cells_clears_what_rows_do_not_cover(self, google: StandIn, book: str, batch: Batch) -> None:
        given = {"startRowIndex": 1, "endRowIndex": 4, "startColumnIndex": 0, "endColumnIndex": 2}
        rows = [{"values": [cell("Zoe")]}]
        batch({"updateCells": {"range": given, "fields": "userEnteredValue", "rows": rows}})
        assert google.values(book, "Sheet1") == [["name", "sum"], ["Zoe"]]
        start = {"rowIndex": 1, "columnIndex": 1}
        batch({"updateCells": {"start": start, "fields": "userEnteredValue", "rows": rows}})
        assert google.values(book, "Sheet1")[1] == ["Zoe", "Zoe"]

    def test_names_follow_rows_and_columns(self, google: StandIn, book: str, batch: Batch) -> None:
        given = {"startRowIndex": 2, "endRowIndex": 3, "startColumnIndex": 1, "endColumnIndex": 2}
        batch({"addNamedRange": {"namedRange": {"namedRangeId": "n", "name": "bob", "range": given}}})

        def place() -> Any:
            (named,) = google.named_ranges(book)
            sides = named.get("range")
            return sides and (sides["startRowIndex"], sides["endRowIndex"], sides["startColumnIndex"])

        google.insert_rows(book, "Sheet1", 1, 5)
        assert place() == (7, 8, 1)
        google.move_rows(book, "Sheet1", 7, 1, 0)
        assert place() == (0, 1, 1)
        assert google.values(book, "Sheet1")[0] == ["Bob", "1"]
        google.insert_column(book, "Sheet1", 0)
        assert place() == (0, 1, 2)
        google.move_column(book, "Sheet1", 2, 0)
        assert place() == (0, 1, 0)
        assert google.values(book, "Sheet1")[0] == ["1", "", "Bob"]
        google.delete_rows(book, "Sheet1", 0)
        assert place() is None

    @pytest.mark.parametrize(
        ("range", "written"),
        [
            ("Sheet1", "B7"),
            ("B4", "B7"),
            ("C5:D5", "B7"),
            ("B2:D4", "B7"),
            ("A3:G10", "B7"),
            ("A1", "A3"),
            ("E4", "E4"),
            ("A4", "A4"),
        ],
    )
    def test_append_finds_a_table(self, google: StandIn, session: requests.Session, range: str, written: str) -> None:
        """The example that Google's guide to reading and writing values gives: tables at A1:C2 and at B4:D6."""
        id = google.make()
        google.set_cells(id, "Sheet1", 0, 0, [["x"] * 3] * 2)
        google.set_cells(id, "Sheet1", 3, 1, [["y"] * 3] * 3)
        url = f"{google.url}/v4/spreadsheets/{id}/values/{range}:append"
        reply = session.post(url, params={"valueInputOption": "RAW"}, json={"values": [["new"]]}).json()
        assert reply["updates"]["updatedRange"] == f"Sheet1!{written}"

    def test_the_spreadsheet_afterwards(self, batch: Batch) -> None:
        reply = batch(
            append(["Dee"]),
            includeSpreadsheetInResponse=True,
            responseIncludeGridData=True,
            responseRanges=["Sheet1!A4:B6"],
        )
        (data,) = reply["updatedSpreadsheet"]["sheets"][0]["data"]
        assert data["startRow"] == 3
        rows = [[one.get("formattedValue") for one in row["values"]] for row in data["rowData"]]
        assert rows == [["Cy", "2"], ["Dee"]]
        assert len(data["rowMetadata"]) == 3

    def test_find_and_replace(self, google: StandIn, book: str, batch: Batch) -> None:
        given = {"find": "b", "replacement": "p", "sheetId": 0}
        assert batch({"findReplace": given})["replies"] == [
            {"findReplace": {"valuesChanged": 1, "rowsChanged": 1, "sheetsChanged": 1, "occurrencesChanged": 2}}
        ]
        assert google.values(book, "Sheet1")[2] == ["pop", "1"]
        given = {"find": "an", "replacement": "x", "allSheets": True, "matchEntireCell": True}
        assert batch({"findReplace": given})["replies"] == [{"findReplace": {}}]

    def test_filter_hides_rows(self, google: StandIn, book: str, read: Batch) -> None:
        google.filter(book, "Sheet1", 0, ["Bob"])
        google.hide_rows(book, "Sheet1", 3)
        (data,) = read(ranges="A1:B4", fields="sheets.data.rowMetadata")["sheets"][0]["data"]
        hidden = [(row.get("hiddenByFilter", False), row.get("hiddenByUser", False)) for row in data["rowMetadata"]]
        assert hidden == [(False, False), (False, False), (True, False), (False, True)]
        assert len(read("/values/A1:B4")["values"]) == 4

    def test_cells_by_range_or_filter(self, google: StandIn, book: str, session: requests.Session) -> None:
        url = f"{google.url}/v4/spreadsheets/{book}/values:"
        filters: Any = [{"a1Range": "A2:A3"}, {"gridRange": {"sheetId": 0, "startColumnIndex": 1, "endColumnIndex": 2}}]
        reply = session.post(url + "batchGetByDataFilter", json={"dataFilters": filters}).json()
        assert [one["valueRange"]["range"] for one in reply["valueRanges"]] == ["Sheet1!A2:A3", "Sheet1!B1:B1000"]
        data: Any = [{"dataFilter": {"a1Range": "B2"}, "values": [["4"]]}]
        body: Any = {"valueInputOption": "USER_ENTERED", "data": data}
        assert session.post(url + "batchUpdateByDataFilter", json=body).json()["totalUpdatedCells"] == 1
        session.post(url + "batchClearByDataFilter", json={"dataFilters": [{"a1Range": "A3:A9"}]}).raise_for_status()
        assert google.values(book, "Sheet1", typed=True) == [["name", "sum"], ["Ann", 4], ["", 1], ["", 2]]


class TestPeople:
    @pytest.mark.parametrize(
        ("typed", "shown", "value"),
        [
            ("12", "12", 12),
            ("1,200.50", "1,200.50", 1200.5),
            ("12%", "12%", 0.12),
            ("$5", "$5", 5),
            ("2026-11-21", "2026-11-21", 46347),
            ("11/21/2026", "11/21/2026", 46347),
            ("2026-11-21 12:00", "2026-11-21 12:00:00", 46347.5),
            ("6:00", "6:00:00 AM", 0.25),
            ("true", "TRUE", True),
            ("+49301234", "49301234", 49301234),
            ("+49 30 1234", "#ERROR!", "#ERROR!"),
            ("0049", "49", 49),
            ("=1/3", "0.3333333333", 1 / 3),
            ("=SUM(A1:A2)", "#NAME?", "#NAME?"),
            ("'007", "007", "007"),
            ("a text", "a text", "a text"),
        ],
    )
    def test_typing(self, google: StandIn, book: str, typed: str, shown: str, value: Any) -> None:
        google.type(book, "Sheet1", "D9", typed)
        assert google.values(book, "Sheet1")[8][3] == shown
        assert google.values(book, "Sheet1", typed=True)[8][3] == value

    def test_sheets_and_rows(self, google: StandIn, book: str) -> None:
        version = google.version(book)
        google.sort(book, "Sheet1", 1)
        assert [row[0] for row in google.values(book, "Sheet1")] == ["name", "Bob", "Cy", "Ann"]
        google.sort(book, "Sheet1", 0, descending=True)
        assert [row[0] for row in google.values(book, "Sheet1")] == ["name", "Cy", "Bob", "Ann"]
        google.add_tab(book, "More", 2, 2)
        google.copy_tab(book, "Sheet1")
        google.rename_tab(book, "Sheet1", "Clients")
        google.move_tab(book, "More", 0)
        google.hide_tab(book, "More")
        google.delete_tab(book, "Copy of Sheet1")
        google.delete_column(book, "Clients", 0)
        assert google.values(book, "Clients")[1] == ["2"]
        assert [tab["title"] for tab in google.tabs(book)] == ["More", "Clients"]
        assert google.version(book) == version + 9
        with pytest.raises(Invalid, match="There is no sheet Sheet1"):
            google.values(book, "Sheet1")

    def test_protected(self, google: StandIn, book: str, batch: Batch) -> None:
        google.protect(book, "Sheet1")
        add = {"addSheet": {"properties": {"title": "More"}}}
        refused = message(batch(add, append(["Dee"]), status=400))
        assert refused.startswith("Invalid requests[1].appendCells: You are trying to edit a protected cell or object.")
        batch(marker("m"))
        google.protect(book, "Sheet1", False)
        batch(append(["Dee"]))
        assert len(google.tabs(book)) == 1

    def test_editors_of_a_range_that_only_warns(self, batch: Batch) -> None:
        warning = {"range": {"sheetId": 0, "endRowIndex": 1}, "warningOnly": True}
        (reply,) = batch({"addProtectedRange": {"protectedRange": warning}})["replies"]
        assert reply["addProtectedRange"]["protectedRange"]["editors"] == {}

    def test_rows_without_a_written_cell_do_not_count(
        self, google: StandIn, book: str, session: requests.Session
    ) -> None:
        values = [["x", None, None], [None, None, None], [None, None, "y"], [None] * 3]
        address = f"{google.url}/v4/spreadsheets/{book}/values/Sheet1!A6:C9?valueInputOption=RAW"
        reply = session.put(address, json={"values": values}, timeout=30).json()
        assert (reply["updatedRows"], reply["updatedColumns"], reply["updatedCells"]) == (2, 2, 2)

    def test_drive_tells_the_version(self, google: StandIn, book: str, session: requests.Session) -> None:
        def version() -> int:
            reply = session.get(f"{google.url}/drive/v3/files/{book}?fields=version").json()
            return int(reply["version"])

        before = version()
        google.type(book, "Sheet1", "A9", "x")
        assert version() == before + 1
        google.drive_lag(60)
        google.type(book, "Sheet1", "A9", "y")
        assert version() == 1


class TestFaults:
    def test_a_reply_that_is_lost(self, google: StandIn, book: str, batch: Batch) -> None:
        google.fault("drop_reply", only="writes")
        with pytest.raises(requests.ConnectionError):
            batch(append(["Dee"]))
        google.fault("drop_request", only="writes")
        with pytest.raises(requests.ConnectionError):
            batch(append(["Eve"]))
        google.fault("cut", bytes=10)
        with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
            batch(append(["Flo"]))
        batch(append(["Gus"]))
        assert [row[0] for row in google.values(book, "Sheet1")[4:]] == ["Dee", "Flo", "Gus"]

    def test_errors(self, google: StandIn, book: str, batch: Batch, read: Batch) -> None:
        google.fault("status", code=503, only="writes", applied=True)
        google.fault("status", code=500, only="reads", every=2)
        assert batch(append(["Dee"]), status=503)["error"]["status"] == "UNAVAILABLE"
        statuses = []
        for _ in range(5):
            url = f"{google.url}/v4/spreadsheets/{book}"
            statuses.append(requests.get(url, headers={"Authorization": "Bearer test-token"}, timeout=30).status_code)
        assert statuses == [200, 500, 200, 500, 200]
        assert google.values(book, "Sheet1")[4] == ["Dee"]
        google.clear_faults()
        google.fault("status", code=502, html=True)
        reply = requests.get(f"{google.url}/v4/spreadsheets/{book}", timeout=30)
        assert reply.status_code == 502
        assert reply.headers["Content-Type"].startswith("text/html")

    def test_time_passes(self, google: StandIn, read: Batch) -> None:
        google.fault("delay", seconds=0.05)
        google.latency(20)
        start = time.monotonic()
        read()
        assert time.monotonic() - start >= 0.07

    def test_large_replies_are_zipped(self, google: StandIn, book: str) -> None:
        google.set_cells(book, "Sheet1", 0, 0, [["x" * 1000]] * 100)
        headers = {"Authorization": "Bearer test-token", "Accept-Encoding": "gzip"}
        with requests.get(
            f"{google.url}/v4/spreadsheets/{book}/values/A:A", headers=headers, stream=True, timeout=9
        ) as got:
            assert got.headers["Content-Encoding"] == "gzip"
            assert len(json.loads(gzip.decompress(got.raw.read(decode_content=False)))["values"]) == 100


@pytest.mark.slow
def test_another_process(tmp_path: Path) -> None:
    """Stopped and started again it has what it had; the control door is open over HTTP."""
    command = [sys.executable, "-m", "tests.support.google_sheets", "--no-quota", "--state", str(tmp_path / "state")]

    def run(edit: Callable[[Control], Any]) -> Any:
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=PROJECT) as process:
            assert process.stdout is not None
            result = edit(Control(process.stdout.readline().strip()))
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0
        return result

    def first(control: Control) -> tuple[str, str]:
        id = control.make("kept")
        control.set_cells(id, "Sheet1", 0, 0, [["here", 1.5, True]])
        with pytest.raises(Invalid, match="There is no sheet Other"):
            control.values(id, "Other")
        return id, control.credentials()["private_key"]

    id, key = run(first)
    values, same = run(lambda control: (control.values(id, "Sheet1", typed=True), control.credentials()["private_key"]))
    assert values == [["here", 1.5, True]]
    assert same == key
