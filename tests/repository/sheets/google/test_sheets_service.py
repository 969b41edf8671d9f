"""Requests to Google and their outcomes, over real HTTP on loopback."""

import dataclasses
import json
import logging
import socket
import subprocess
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from crm.errors import StoreAccessError, StoreBusyError, StoreOfflineError
from crm.repository.sheets.google import http
from crm.repository.sheets.google.credentials import SCOPES, Account, account_from
from crm.repository.sheets.google.rate_limit import Stopwatch
from crm.repository.sheets.google.spreadsheet import NoAnswer, Rejected, Service, Standing, Values, end_of, title_of
from tests.conftest import PYTHON, child_environment
from tests.support.google_double import (
    ADDRESS,
    SPREADSHEET,
    TOKEN,
    Answer,
    Double,
    FakeClock,
    answer,
    closes_later,
    cut,
    cut_without_length,
    error,
    google_double,
    late,
    no_answer,
    private_key,
    reset,
)
from tests.support.google_sheets import StandIn

ADD = [{"addSheet": {"properties": {"title": "Čaj"}}}]
WRITE = f"/v4/spreadsheets/{SPREADSHEET}:batchUpdate"


@pytest.fixture
def double(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Double]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "CREDS", "CRM_CREDS", "CRM_GOOGLE_URL"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    with google_double(tmp_path) as made:
        yield made


def quota(status: int = 429) -> Answer:
    """The minute's quota is used up."""
    return error(
        status,
        "Quota exceeded for quota metric 'Write requests' and limit 'Write requests per minute per user' of service"
        " 'sheets.googleapis.com' for consumer 'project_number:1'.",
        name="RESOURCE_EXHAUSTED",
        reason="RATE_LIMIT_EXCEEDED",
    )


def offline(monkeypatch: pytest.MonkeyPatch, failure: Exception) -> None:
    """From now on no connection can be made."""

    def fails(*_given: Any, **_named: Any) -> Any:
        raise failure

    monkeypatch.setattr(socket, "getaddrinfo" if isinstance(failure, socket.gaierror) else "socket", fails)


# What is asked


def test_nothing_heavy_is_imported_before_the_first_request() -> None:
    code = (
        "import sys; from pathlib import Path; from crm.repository.sheets.google.spreadsheet import Service;"
        "from crm.repository.sheets.google.credentials import Account;"
        "Service('x', Account('a@b', '', 'https://oauth2.googleapis.com/token', '', ''), Path('nowhere'));"
        "print([m for m in sys.modules if m.split('.')[0] in"
        " ('google', 'requests', 'gspread', 'urllib3', 'cryptography', 'ssl')])"
    )
    done = subprocess.run([PYTHON, "-c", code], env=child_environment(), capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_version_name_and_rights_of_a_spreadsheet_are_read(double: Double) -> None:
    double.answers(answer(200, {"version": "42", "name": "Team", "capabilities": {"canEdit": True}}))
    assert double.service().standing() == Standing(42, "Team", True)
    asked = double.seen[0]
    assert asked.method == "GET"
    assert asked.path.startswith(f"/drive/v3/files/{SPREADSHEET}?fields=version%2Cname%2Ccapabilities%28canEdit%29")
    assert asked.headers["Authorization"] == f"Bearer {TOKEN}-1"
    assert "gzip" in asked.headers["User-Agent"]
    assert "gzip" in asked.headers["Accept-Encoding"]


def test_a_spreadsheet_without_edit_rights_is_read_only(double: Double) -> None:
    double.answers(answer(200, {"version": "7", "name": "Team", "capabilities": {}}))
    assert not double.service().standing().can_edit


@pytest.mark.parametrize("body", [{}, {"version": "x"}, {"version": "1", "capabilities": 5}])
def test_an_invalid_reply_of_drive_is_an_error(double: Double, body: dict[str, Any]) -> None:
    double.answers(answer(200, body))
    with pytest.raises(StoreOfflineError, match="cannot be read"):
        double.service().standing()


def test_a_description(double: Double) -> None:
    double.answers(answer(200, {"namedRanges": []}))
    assert double.service().describe("namedRanges") == {"namedRanges": []}
    assert double.seen[0].path == f"/v4/spreadsheets/{SPREADSHEET}?fields=namedRanges"


def test_values_come_in_the_order_asked(double: Double) -> None:
    def value_range(sheet: int, name: str, *rows: list[Any]) -> dict[str, Any]:
        grid_range = {"startRowIndex": 1, **({"sheetId": sheet} if sheet else {})}
        return {
            "valueRange": {"range": name, "majorDimension": "ROWS", **({"values": [*rows]} if rows else {})},
            "dataFilters": [{"gridRange": grid_range}],
        }

    double.answers(
        answer(200, {"valueRanges": [value_range(5, "'It''s, all!'!A2:C"), value_range(0, "Sheet1!A2:C", [1, "", 2])]})
    )
    asked: list[dict[str, int]] = [
        {"sheetId": 0, "startRowIndex": 1},
        {"sheetId": 5, "startRowIndex": 1, "startColumnIndex": 0},
        {"sheetId": 0, "startRowIndex": 1},
    ]
    first = Values("Sheet1", [[1, "", 2]])
    assert double.service().values(asked) == [first, Values("It's, all!", []), first]
    sent = double.seen[0]
    assert sent.path == f"/v4/spreadsheets/{SPREADSHEET}/values:batchGetByDataFilter"
    assert sent.json == {
        "dataFilters": [{"gridRange": range_} for range_ in asked],
        "majorDimension": "ROWS",
        "valueRenderOption": "UNFORMATTED_VALUE",
        "dateTimeRenderOption": "SERIAL_NUMBER",
    }


def test_missing_values_in_a_reply_are_an_error(double: Double) -> None:
    with pytest.raises(Rejected, match="'sheetId': 9"):
        double.service().values([{"sheetId": 9}])


@pytest.mark.parametrize(
    ("name", "title"),
    [("Sheet1!A1:B2", "Sheet1"), ("Sheet1", "Sheet1"), ("'a b'!A1", "a b"), ("'a!b'!A1", "a!b"), ("'''q'''!A1", "'q'")],
)
def test_the_title_in_a_range(name: str, title: str) -> None:
    assert title_of(name) == title


@pytest.mark.parametrize(
    ("name", "end"),
    [("Sheet1!A1:B2", (2, 2)), ("'a b'!A1:AB1000", (1000, 28)), ("S!C7", (7, 3)), ("SHEET1", (0, 0)), ("", (0, 0))],
)
def test_the_end_of_a_range(name: str, end: tuple[int, int]) -> None:
    assert end_of(name) == end


def test_a_range_is_read_by_its_sheet_id(double: Double) -> None:
    double.answers(answer(200, {"sheets": []}))
    assert double.service().look([{"sheetId": 3}], "sheets(data)") == {"sheets": []}
    assert double.seen[0].path == f"/v4/spreadsheets/{SPREADSHEET}:getByDataFilter?fields=sheets%28data%29"
    assert double.seen[0].json == {"dataFilters": [{"gridRange": {"sheetId": 3}}]}


def test_a_write_is_sent_compact_and_once(double: Double) -> None:
    double.answers(answer(200, {"replies": [{}]}))
    assert double.service().write(ADD) == {"replies": [{}]}
    assert double.seen[0].path == f"{WRITE}?fields=replies"
    assert double.seen[0].body == '{"requests":[{"addSheet":{"properties":{"title":"Čaj"}}}]}'.encode()
    assert Service.size(ADD) == len(double.seen[0].body)
    assert double.seen[0].headers["Content-Length"] == str(Service.size(ADD))
    assert "Transfer-Encoding" not in double.seen[0].headers
    assert len(double.seen) == 1


def test_a_write_of_two_megabytes_arrives_whole(double: Double) -> None:
    large = [{"updateCells": {"text": "x" * 2_000_000}}]
    double.service().write(large)
    assert double.seen[0].json == {"requests": large}


def test_a_write_asks_for_the_cells_that_it_changed(double: Double) -> None:
    double.service().write(ADD, see=["Clients!A1:B2"], fields="replies,updatedSpreadsheet(namedRanges)")
    assert double.seen[0].json == {
        "requests": ADD,
        "includeSpreadsheetInResponse": True,
        "responseRanges": ["Clients!A1:B2"],
        "responseIncludeGridData": True,
    }
    assert "updatedSpreadsheet" in double.seen[0].path


def test_an_unpaired_surrogate_is_not_sent(double: Double) -> None:
    with pytest.raises(Rejected, match="surrogate"):
        double.service().write([{"a": "\ud800"}])
    assert double.seen == []


# How a write ends


@pytest.mark.parametrize("status", [400, 409, 413, 501])
def test_a_rejected_write_was_not_applied(double: Double, status: int) -> None:
    double.answers(error(status, "Invalid requests[0].updateNamedRange: No NamedRange with id: r1"))
    with pytest.raises(Rejected) as caught:
        double.service().write(ADD)
    assert caught.value.message == "Invalid requests[0].updateNamedRange: No NamedRange with id: r1"
    assert caught.value.status == status
    assert len(double.seen) == 1


def test_a_rejection_in_html(double: Double) -> None:
    double.answers(answer(400, "<html>Bad Request</html>"))
    with pytest.raises(Rejected, match="Google answered 400"):
        double.service().write(ADD)


UNKNOWN: dict[str, Answer] = {
    "500": error(500, "Internal error encountered."),
    "502": answer(502, "<html>Bad Gateway</html>"),
    "503": error(503, "The service is currently unavailable.", name="UNAVAILABLE"),
    "504": answer(504, ""),
    "302": answer(302, "", Location="/elsewhere"),
    "307": answer(307, "", Location="/elsewhere"),
    "html": answer(200, "<html>Sign in</html>"),
    "empty": answer(200, ""),
    "a list": answer(200, []),
    "cut": cut,
    "cut without a length": cut_without_length,
    "none": no_answer,
    "reset": reset,
    "late": late,
}


@pytest.mark.parametrize("kept_alive", [False, True], ids=["new", "kept"])
@pytest.mark.parametrize("name", UNKNOWN)
def test_a_write_without_an_answer_is_not_sent_again(double: Double, name: str, kept_alive: bool) -> None:
    service = double.service(write_timeout=0.2)
    if kept_alive:
        # The connection is open already: what requests and urllib3 would take for a stale one.
        service.write(ADD)
    arrived = len(double.seen)
    double.answers(UNKNOWN[name])
    with pytest.raises(NoAnswer, match=r"Google's answer did not come: .+\."):
        service.write(ADD)
    assert [seen.path for seen in double.seen[arrived:]] == [f"{WRITE}?fields=replies"]
    assert double.clock.slept == []


def test_a_write_that_is_reset_in_the_middle_is_not_sent_again(double: Double) -> None:
    service = double.service()
    service.write(ADD)
    double.reads_at_most = 50_000
    with pytest.raises(NoAnswer):
        service.write([{"text": "x" * 4_000_000}])
    assert len(double.seen) == 2


def test_a_closed_connection_is_reopened(double: Double) -> None:
    service = double.answers(closes_later).service()
    service.write(ADD)
    assert double.closed.wait(5)
    assert service.write(ADD) == {"replies": []}
    assert len(double.seen) == 2


def test_a_connection_that_was_idle_long_is_not_used_for_a_write(double: Double) -> None:
    service = double.service()
    service.write(ADD)
    double.clock.time += 59
    service.write(ADD)
    assert double.connections == 1
    # What a router dropped without a word would swallow the write.
    double.clock.time += 61
    service.write(ADD)
    assert double.connections == 2


OFFLINE = {
    "refused": (ConnectionRefusedError(111, "Connection refused"), "the connection was refused"),
    "no name": (socket.gaierror(-2, "Name or service not known"), "its name was not found"),
    "time-out": (TimeoutError("timed out"), "no connection within 5 seconds"),
    "unreachable": (OSError(101, "Network is unreachable"), "no way to it"),
}


@pytest.mark.parametrize("name", OFFLINE)
def test_a_write_without_a_connection_was_not_sent(double: Double, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    failure, message = OFFLINE[name]
    double.service().write(ADD)
    service = double.service()
    service._transport()
    offline(monkeypatch, failure)
    with pytest.raises(StoreOfflineError, match=message) as caught:
        service.write(ADD)
    assert "cannot be reached" in caught.value.sentence
    # Who is offline is not kept waiting long.
    assert sum(double.clock.slept) < 1
    assert len(double.seen) == 1


def test_a_write_without_a_safe_connection_was_not_sent(double: Double) -> None:
    double.service().write(ADD)
    service = double.service()
    service._google = double.address
    double.answers()
    opened = http.Transport(double.address.replace("http", "https"), read_timeout=5, write_timeout=5)
    service._opened = opened
    with pytest.raises(StoreOfflineError, match="could not be made safe"):
        service.write(ADD)
    assert len(double.seen) == 1


# Who asks


def test_a_token_is_asked_for_once_and_kept(double: Double) -> None:
    double.service().write(ADD)
    double.service().write(ADD)
    assert len(double.logins) == 1
    form = double.logins[0].body.decode()
    assert "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer" in form
    assert "Authorization" not in double.logins[0].headers


def test_a_token_that_expires_is_replaced(double: Double) -> None:
    service = double.service()
    service.write(ADD)
    double.clock.time += 3_500
    service.write(ADD)
    assert len(double.logins) == 2
    assert double.seen[1].headers["Authorization"] == f"Bearer {TOKEN}-2"


@pytest.mark.parametrize("write", [True, False])
def test_a_token_that_is_not_accepted_is_replaced_once(double: Double, write: bool) -> None:
    service = double.service()
    service.write(ADD)
    double.answers(error(401, "Request had invalid authentication credentials.", name="UNAUTHENTICATED"))
    assert service.write(ADD) == {"replies": []} if write else service.describe("x") == {"replies": []}
    assert len(double.logins) == 2
    assert double.seen[2].headers["Authorization"] == f"Bearer {TOKEN}-2"
    double.answers(*[error(401, "Invalid credentials.", name="UNAUTHENTICATED")] * 2)
    with pytest.raises(StoreAccessError, match=rf"does not accept the login of {ADDRESS}") as caught:
        service.write(ADD)
    assert caught.value.reason == "login_refused"
    assert len(double.seen) == 5


def grant(description: str, name: str = "invalid_grant", status: int = 400, **headers: str) -> Answer:
    """No token, and why not."""
    return answer(status, {"error": name, "error_description": description}, **headers)


def test_a_wrong_clock_is_reported_with_the_difference(double: Double) -> None:
    double.clock.time += 3 * 3600
    double.login = lambda handler: (
        handler.send_response_only(400),
        handler.send_header("Date", "Fri, 15 Jan 2027 08:16:40 GMT"),
        handler.send_header("Content-Length", "161"),
        handler.end_headers(),
        handler.wfile.write(
            json.dumps(
                {
                    "error": "invalid_grant",
                    "error_description": "Invalid JWT: Token must be short-lived and in a reasonable timeframe."
                    " Check your iat and exp values.",
                }
            )
            .encode()
            .ljust(161)
        ),
    )[0]
    with pytest.raises(StoreAccessError, match="is wrong by 3 hours: it is ahead") as caught:
        double.service().write(ADD)
    assert caught.value.reason == "clock"
    assert double.seen == []


@pytest.mark.parametrize(
    "refused",
    [
        grant("Invalid grant: account not found"),
        grant("Invalid JWT Signature."),
        grant("The OAuth client was disabled.", "disabled_client", 401),
    ],
)
def test_an_account_that_is_gone(double: Double, refused: Answer) -> None:
    double.login = refused
    with pytest.raises(StoreAccessError, match=rf"login of {ADDRESS} \(.*new key") as caught:
        double.service().standing()
    assert caught.value.reason == "login_refused"
    assert len(double.logins) == 1


@pytest.mark.parametrize(
    "failing", [answer(503, "<html>"), answer(200, "<html>"), answer(200, {}), answer(400, ""), reset, answer(200, [])]
)
def test_a_login_that_fails_for_a_while_sends_no_write(double: Double, failing: Answer) -> None:
    double.login = failing
    with pytest.raises(StoreOfflineError, match="cannot be reached"):
        double.service().write(ADD)
    assert double.seen == []
    assert 8 < sum(double.clock.slept) < 16


def test_a_failed_login_is_retried(double: Double) -> None:
    failures = [answer(503, ""), answer(429, {})]

    def flaky(handler: Any) -> None:
        if failures:
            failures.pop()(handler)
        else:
            answer(200, {"access_token": TOKEN, "expires_in": "3600"})(handler)

    double.login = flaky
    assert double.service().write(ADD) == {"replies": []}


def test_credentials_in_netrc_are_not_sent(double: Double, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login someone password hidden\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    service = double.service()
    service._transport()._session.trust_env = True
    service.write(ADD)
    assert double.seen[0].headers["Authorization"] == f"Bearer {TOKEN}-1"
    assert "Authorization" not in double.logins[0].headers


# Why not

DISABLED = error(
    403,
    "Google Sheets API has not been used in project 12 before or it is disabled. Enable it by visiting"
    " https://console.developers.google.com/apis/api/sheets.googleapis.com/overview?project=12 then retry.",
    name="PERMISSION_DENIED",
    reason="SERVICE_DISABLED",
)
DENIED = error(403, "The caller does not have permission", name="PERMISSION_DENIED")
NOT_FOUND = error(404, "Requested entity was not found.", name="NOT_FOUND")
DRIVE_NOT_FOUND = answer(
    404,
    {"error": {"code": 404, "message": f"File not found: {SPREADSHEET}.", "errors": [{"reason": "notFound"}]}},
)
DRIVE_DISABLED = answer(
    403,
    {
        "error": {
            "code": 403,
            "message": "Google Drive API has not been used in project 12.",
            "errors": [
                {
                    "domain": "usageLimits",
                    "reason": "accessNotConfigured",
                    "extendedHelp": "https://console.developers.google.com/apis/api/drive.googleapis.com?project=12",
                }
            ],
        }
    },
)
OURS = answer(200, {"version": "1", "capabilities": {"canEdit": True}})
THEIRS = answer(200, {"version": "1", "capabilities": {"canEdit": False}})
GOOD = answer(200, {})


@pytest.mark.parametrize(
    ("method", "script", "reason", "message"),
    [
        ("describe", [DISABLED], "api_disabled", r"Google Sheets API.*sheets\.googleapis\.com/overview\?project=12 ,"),
        ("write", [DISABLED], "api_disabled", "Google Sheets API"),
        ("standing", [DRIVE_DISABLED], "api_disabled", r"Google Drive API.*drive\.googleapis\.com\?project=12 ,"),
        ("describe", [DENIED], "not_shared", rf"Share, add {ADDRESS} as an Editor"),
        ("standing", [DRIVE_NOT_FOUND, DENIED], "not_shared", "not shared"),
        ("standing", [DRIVE_NOT_FOUND, NOT_FOUND], "no_spreadsheet", f"No spreadsheet has the id {SPREADSHEET}"),
        ("standing", [DRIVE_NOT_FOUND, DISABLED], "api_disabled", "Google Sheets API"),
        ("standing", [DRIVE_NOT_FOUND, GOOD], "refused", "File not found"),
        ("describe", [NOT_FOUND], "no_spreadsheet", "copy its address"),
        ("write", [NOT_FOUND], "no_spreadsheet", "No spreadsheet"),
        ("write", [DENIED, THEIRS], "viewer", rf"make {ADDRESS} an Editor"),
        ("write", [DENIED, DRIVE_NOT_FOUND], "not_shared", "not shared"),
        ("write", [DENIED, OURS], "refused", "The caller does not have permission"),
        ("write", [DENIED, DRIVE_DISABLED], "api_disabled", "Google Drive API"),
        (
            "describe",
            [error(403, "Request had insufficient scopes.", reason="ACCESS_TOKEN_SCOPE_INSUFFICIENT")],
            "refused",
            "insufficient scopes",
        ),
        (
            "describe",
            [error(400, "This operation is not supported for this document", name="FAILED_PRECONDITION")],
            "no_spreadsheet",
            "Excel file",
        ),
    ],
)
def test_a_missing_spreadsheet_or_right_is_named(
    double: Double, method: str, script: list[Answer], reason: str, message: str
) -> None:
    service = double.answers(*script).service()
    with pytest.raises(StoreAccessError, match=message) as caught:
        {"describe": lambda: service.describe("x"), "write": lambda: service.write(ADD)}.get(method, service.standing)()
    assert caught.value.reason == reason
    assert caught.value.sentence.endswith(".")
    assert double.script == []


def test_an_api_that_is_not_enabled_gets_a_link_to_enable_it(double: Double) -> None:
    double.answers(error(403, "It is disabled.", reason="SERVICE_DISABLED"))
    with pytest.raises(StoreAccessError, match=r"sheets\.googleapis\.com/overview\?project=team-1"):
        double.service().describe("x")


# Reads that fail


@pytest.mark.parametrize("failing", [UNKNOWN[name] for name in ("500", "502", "html", "cut", "none", "reset")])
def test_a_read_is_tried_again(double: Double, failing: Answer) -> None:
    double.answers(failing, failing, answer(200, {"x": 1}))
    assert double.service().describe("x") == {"x": 1}
    assert len(double.seen) == 3
    assert len(double.clock.slept) == 2
    assert double.clock.slept[0] < double.clock.slept[1]


def test_a_read_that_keeps_failing_is_given_up(double: Double) -> None:
    double.answers(*[UNKNOWN["503"]] * 20)
    with pytest.raises(StoreOfflineError, match="it answered 503") as caught:
        double.service().describe("x")
    assert 8 < sum(double.clock.slept) < 15
    assert 5 <= len(double.seen) <= 8
    assert "Nothing was changed" not in caught.value.sentence
    assert any(wait.why == "Google does not answer" for wait in double.waits)


def test_a_read_that_times_out_is_an_error(double: Double) -> None:
    double.answers(late)
    with pytest.raises(StoreOfflineError, match="no answer came in time"):
        double.service(read_timeout=0.1, patience=0).describe("x")


@pytest.mark.parametrize("name", OFFLINE)
def test_a_read_without_a_connection(double: Double, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    double.service().write(ADD)
    service = double.service()
    service._transport()
    offline(monkeypatch, OFFLINE[name][0])
    with pytest.raises(StoreOfflineError, match=OFFLINE[name][1]):
        service.standing()
    assert sum(double.clock.slept) < 1


# The quota


@pytest.mark.parametrize("method", ["write", "describe", "standing"])
def test_a_used_up_quota_is_waited_out(double: Double, method: str) -> None:
    drive = method == "standing"
    good = OURS if drive else answer(200, {"replies": []})
    service = double.answers(quota(403 if drive else 429), good).service()
    {"write": lambda: service.write(ADD), "describe": lambda: service.describe("x")}.get(method, service.standing)()
    assert len(double.seen) == 2
    assert 60 <= sum(double.clock.slept) <= 61
    message = [wait.sentence for wait in double.waits]
    assert message[0].startswith("Google's quota for this minute is used up; continues in 6")
    assert message[-2].endswith("continues in 1 s")
    assert double.waits[-1].left == 0
    assert len(message) == len(set(message))


def test_other_programs_wait_for_the_quota_too(double: Double) -> None:
    first, second = double.service(), double.service()
    double.answers(quota())
    first.write(ADD)
    arrived = double.clock.time
    double.answers(quota())
    started = double.clock.time
    with pytest.raises(KeyboardInterrupt):
        double.service(waiting=interrupts).write(ADD)
    second.write(ADD)
    assert double.clock.time - started >= 1
    assert double.clock.time > arrived


def interrupts(_wait: Any) -> None:
    raise KeyboardInterrupt


def test_a_quota_that_stays_used_up_is_an_error(double: Double) -> None:
    double.answers(*[quota()] * 50)
    with pytest.raises(StoreBusyError, match="is used up"):
        double.service().write(ADD)
    assert 200 < sum(double.clock.slept) <= 300
    assert len(double.seen) < 12


def test_retry_after_is_respected(double: Double) -> None:
    def in_90_seconds(handler: Any) -> None:
        answer(429, {"error": {"code": 429, "message": "Slow down."}}, Retry_After="90")(handler)

    double.answers(in_90_seconds)
    double.service().write(ADD)
    assert sum(double.clock.slept) == pytest.approx(90)


def test_sixty_requests_fit_into_a_minute(double: Double) -> None:
    service = double.service()
    for _ in range(61):
        service.write(ADD)
    assert sum(double.clock.slept) == pytest.approx(60.5)
    # Reads have a quota of their own.
    service.describe("x")
    assert sum(double.clock.slept) == pytest.approx(60.5)


# Against the stand-in


@dataclass
class Table:
    """A spreadsheet at the stand-in, shared with the account."""

    google: StandIn
    id: str
    folder: Path
    clock: FakeClock = field(default_factory=FakeClock)
    opened: list[Service] = field(default_factory=list)

    def service(self, **given: Any) -> Service:
        """A new service, as another program would have it. Its time of day is the true one."""
        account = account_from(json.dumps(self.google.credentials()))
        clock = Stopwatch(self.clock.clock.now, time.time, self.clock.clock.sleep)
        made = Service(given.pop("id", self.id), account, self.folder, google=self.google.url, clock=clock, **given)
        self.opened.append(made)
        return made

    def titles(self) -> list[str]:
        """The tabs there are."""
        return [tab["title"] for tab in self.google.tabs(self.id)]


@pytest.fixture(scope="module")
def google() -> Iterator[StandIn]:
    with StandIn() as running:
        yield running


@pytest.fixture
def table(google: StandIn, tmp_path: Path) -> Iterator[Table]:
    made = Table(google, google.make("Team"), tmp_path)
    google.reset_counts()
    yield made
    for connection in made.opened:
        connection.close()
    google.clear_faults()
    google.enable_sheets(True)
    google.enable_drive(True)
    google.clock_right(True)
    google.account_exists(True)


def test_everything_works_on_the_stand_in(table: Table) -> None:
    service = table.service()
    before = service.standing()
    assert (before.title, before.can_edit) == ("Team", True)
    done = service.write(
        [
            {"addSheet": {"properties": {"sheetId": 7, "title": "It's ours"}}},
            {
                "updateCells": {
                    "start": {"sheetId": 7, "rowIndex": 1, "columnIndex": 0},
                    "rows": [{"values": [{"userEnteredValue": {"stringValue": "=Čaj"}}]}],
                    "fields": "userEnteredValue",
                }
            },
        ],
        see=["'It''s ours'!A1:B3"],
        fields="replies,updatedSpreadsheet(sheets(data(rowData(values(effectiveValue)))))",
    )
    assert len(done["replies"]) == 2
    assert "=Čaj" in json.dumps(done["updatedSpreadsheet"], ensure_ascii=False)
    assert service.standing().version > before.version
    whole = {"sheetId": 7}
    assert service.values([whole, {"sheetId": 0}, {**whole, "startRowIndex": 1}]) == [
        Values("It's ours", [[], ["=Čaj"]], (1000, 26)),
        Values("Sheet1", [], (1000, 26)),
        Values("It's ours", [["=Čaj"]], (1000, 26)),
    ]
    assert service.describe("sheets(properties(title))")["sheets"][1]["properties"]["title"] == "It's ours"
    seen = service.look([{**whole, "startRowIndex": 1}], "sheets(data(rowData(values(userEnteredValue))))")
    assert "=Čaj" in json.dumps(seen, ensure_ascii=False)
    counts = table.google.counts()
    assert (counts["reads"], counts["writes"], counts["drive"], counts["tokens"]) == (3, 1, 2, 1)
    assert table.google.scopes()[-1] == list(SCOPES)


def test_an_invalid_write_applies_nothing(table: Table) -> None:
    with pytest.raises(Rejected) as caught:
        table.service().write([*ADD, {"deleteNamedRange": {"namedRangeId": "r1"}}])
    assert "r1" in caught.value.message
    assert table.titles() == ["Sheet1"]


@pytest.mark.parametrize(
    ("fault", "applied"),
    [
        ({"kind": "drop_reply"}, True),
        ({"kind": "drop_request"}, False),
        ({"kind": "cut", "bytes": 10}, True),
        ({"kind": "status", "code": 500, "applied": True}, True),
        ({"kind": "status", "code": 502, "html": True}, False),
        ({"kind": "status", "code": 503, "html": True, "applied": True}, True),
    ],
)
def test_a_write_is_applied_at_most_once(table: Table, fault: dict[str, Any], applied: bool) -> None:
    service = table.service()
    service.describe("spreadsheetId")
    table.google.fault(**fault, only="writes")
    with pytest.raises(NoAnswer):
        service.write(ADD)
    assert table.titles() == (["Sheet1", "Čaj"] if applied else ["Sheet1"])
    assert table.google.counts()["writes"] == 1


def test_a_read_gets_through_in_the_end(table: Table) -> None:
    for kind in ("drop_reply", "drop_request", "cut"):
        table.google.fault(kind, only="reads")
    assert table.service().describe("spreadsheetId") == {"spreadsheetId": table.id}
    assert table.google.counts()["reads"] == 4


def test_a_used_up_quota_at_the_stand_in(table: Table) -> None:
    table.google.fault("status", code=429, only="writes")
    table.service().write(ADD)
    assert table.titles() == ["Sheet1", "Čaj"]
    assert sum(table.clock.slept) == pytest.approx(60.5)


def test_an_expired_token_is_replaced_at_the_stand_in(table: Table) -> None:
    service = table.service()
    service.standing()
    table.google.expire_tokens()
    service.write(ADD)
    table.google.expire_tokens()
    assert service.standing().title == "Team"
    assert table.google.counts()["tokens"] == 3


@pytest.mark.parametrize(
    ("spoil", "method", "reason"),
    [
        (lambda google, _: google.enable_sheets(False), "describe", "api_disabled"),
        (lambda google, _: google.enable_drive(False), "standing", "api_disabled"),
        (lambda google, _: google.clock_right(False), "describe", "clock"),
        (lambda google, _: google.account_exists(False), "describe", "login_refused"),
        (lambda google, id: google.set_access(id, "none"), "describe", "not_shared"),
        (lambda google, id: google.set_access(id, "none"), "standing", "not_shared"),
        (lambda google, id: google.set_access(id, "none"), "write", "not_shared"),
        (lambda google, id: google.set_access(id, "reader"), "write", "viewer"),
        (lambda google, id: google.delete(id), "describe", "no_spreadsheet"),
        (lambda google, id: google.delete(id), "standing", "no_spreadsheet"),
    ],
)
def test_a_missing_spreadsheet_is_reported_at_the_stand_in(
    table: Table, spoil: Callable[[StandIn, str], None], method: str, reason: str
) -> None:
    spoil(table.google, table.id)
    service = table.service()
    calls = {"describe": lambda: service.describe("spreadsheetId"), "write": lambda: service.write(ADD)}
    with pytest.raises(StoreAccessError) as caught:
        calls.get(method, service.standing)()
    assert caught.value.reason == reason


def test_a_reader_may_read(table: Table) -> None:
    table.google.set_access(table.id, "reader")
    assert not table.service().standing().can_edit
    assert table.service().describe("spreadsheetId") == {"spreadsheetId": table.id}


def test_waiting_for_the_quota_takes_nothing_from_the_patience(double: Double) -> None:
    double.answers(quota(), UNKNOWN["503"], answer(200, {"x": 1}))
    assert double.service().describe("x") == {"x": 1}


# Secrets


def every_failure(double: Double, monkeypatch: pytest.MonkeyPatch) -> Iterator[BaseException]:
    """All kinds of failures, one after the other."""
    scripts: list[list[Answer]] = [
        *([function] for function in UNKNOWN.values()),
        *([function] * 3 for function in (DISABLED, DENIED, NOT_FOUND, error(400, "no"), error(401, "no"))),
    ]
    for script in scripts:
        double.script = list(script)
        try:
            double.service(write_timeout=0.1).write(ADD)
        except Exception as failed:
            yield failed
    for login in (grant("Check your iat and exp"), grant("no"), answer(503, ""), answer(200, {"id_token": TOKEN})):
        double.login = login
        for kept in double.folder.glob("token-*"):
            kept.unlink()
        try:
            double.service().write(ADD)
        except Exception as failed:
            yield failed
    try:
        double.service(account=account_with_a_damaged_key(double)).write(ADD)
    except Exception as failed:
        yield failed
    for failure, _ in OFFLINE.values():
        with monkeypatch.context() as patched:
            service = double.service()
            service._transport()
            offline(patched, failure)
            try:
                service.write(ADD)
            except Exception as failed:
                yield failed


def account_with_a_damaged_key(double: Double) -> Account:
    """The account of the double with a key whose lines are all there, one of them turned around."""
    lines = private_key().splitlines()
    lines[3] = lines[3][::-1]
    return dataclasses.replace(double.account, private_key="\n".join(lines))


def test_no_secret_is_shown_in_an_error(
    double: Double, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("GOOGLE_SDK_PYTHON_LOGGING_SCOPE", "google")
    key_lines = [line for line in private_key().splitlines() if "KEY" not in line]
    rows = [*every_failure(double, monkeypatch)]
    assert len(rows) == len(UNKNOWN) + 5 + 4 + 1 + 4
    text = "\n".join("".join(traceback.format_exception(failure)) + repr(failure) for failure in rows)
    text += repr(double.account) + repr(double.service()) + caplog.text
    assert caplog.text
    for secret in (TOKEN, "Bearer", "eyJ", *key_lines, key_lines[3][::-1]):
        assert secret not in text
