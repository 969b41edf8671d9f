"""One spreadsheet at Google: reads and writes over the network, and exactly how each request ended."""

import json
import random
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crm.errors import StoreAccessError, StoreError, StoreOfflineError
from crm.repository import Waiting
from crm.repository.sheets.google import answered_rows, errors
from crm.repository.sheets.google.access_tokens import GRANT, Tokens, is_token
from crm.repository.sheets.google.answered_rows import NO_ROWS, not_understood
from crm.repository.sheets.google.credentials import Account
from crm.repository.sheets.google.errors import Refusal
from crm.repository.sheets.google.rate_limit import Kind, Limiter, Stopwatch

if TYPE_CHECKING:
    from crm.repository.sheets.google.http import Transport

# A part of a sheet as the service takes it: sheetId, startRowIndex, endRowIndex, startColumnIndex, endColumnIndex.
GridRange = Mapping[str, int]

# How long an answer is waited for (seconds). Google itself ends a request after 180.
READ_TIMEOUT = 60.0
WRITE_TIMEOUT = 100.0
# A read that fails is tried again for about so long.
PATIENCE = 15.0
# Without any connection more tries help little: the user wants to know.
_CONNECTS = 2
# Routers on the way drop connections that rest for minutes, and do not say so: what is sent then has no answer.
_RESTS = 60.0
# Waits are shown from this many seconds on.
_SHOWN_FROM = 1.0


class Rejected(Exception):
    """Google refused a request as invalid (400, 409): it was surely not applied. `message` is Google's, `reason` the
    same for people."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.status = status

    @property
    def reason(self) -> str:
        return errors.in_words(self.message)


def unreadable(error: Rejected) -> StoreError:
    """The error for a spreadsheet that Google refuses to read."""
    return StoreError(f"Google could not do that with the spreadsheet: {error.reason}.")


class NoAnswer(Exception):
    """A write was sent, at least in part, and its answer never came: it may have been applied or not."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C once a write was sent, at least in part: it may have been applied or not."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The state of a spreadsheet: `version` moves with every change of it, `can_edit` says whether we may write."""

    version: int
    title: str
    can_edit: bool


@dataclass(frozen=True, slots=True)
class Values:
    """The values of one range: `title` of its sheet, `rows` without the empty ends that Google leaves out, `grid`
    the last row and column of the range, counted from 1: those of the sheet where the range is open."""

    title: str
    rows: Sequence[list[Any]]
    grid: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class _Request:
    """One request: `under` is what follows the spreadsheet's address, `body` the JSON as it is sent."""

    kind: Kind
    method: str
    under: str = ""
    params: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    parse: Callable[[bytearray], Any] = json.loads

    @property
    def writes(self) -> bool:
        return self.kind == "writes"


class Service:
    """A spreadsheet at Google, or at the stand-in whose address is `google`.

    `folder` keeps the token and the quota that the programs on this machine share; `waiting` is called with waits.
    Nothing is opened, imported or asked before the first request. Every method may raise StoreAccessError
    (Google does not let us), StoreBusyError (no quota for five minutes) and StoreOfflineError (no answer); in each
    case this request changed nothing, and the error says nothing of what came before. Interrupted in the middle
    (Ctrl-C), a write has ended like one without an answer: that is Interrupted.
    """

    def __init__(
        self,
        spreadsheet: str,
        account: Account,
        folder: Path,
        *,
        google: str = "",
        waiting: Waiting = lambda _: None,
        clock: Stopwatch | None = None,
        patience: float = PATIENCE,
        read_timeout: float = READ_TIMEOUT,
        write_timeout: float = WRITE_TIMEOUT,
    ) -> None:
        account.check_meets(google)
        self.spreadsheet = spreadsheet
        self.account = account
        self.waiting = waiting
        self._google = google
        self._clock = clock or Stopwatch()
        self._patience = patience
        self._timeouts = {"read_timeout": read_timeout, "write_timeout": write_timeout}
        self._limiter = Limiter(folder, f"{account.address} {google}".rstrip(), self._clock)
        self._tokens = Tokens(account, folder, self._clock.day)
        self._opened: Transport | None = None
        self._used = 0.0
        self._token, self._token_until = "", 0.0
        self._lock = threading.RLock()

    # What is asked

    def standing(self) -> Standing:
        """The version, title and rights, for one small request to Drive."""
        answer = self._ask(_standing_request())
        try:
            can_edit = bool(answer.get("capabilities", {}).get("canEdit", False))
            return Standing(int(answer["version"]), str(answer.get("name", "")), can_edit)
        except (KeyError, ValueError, TypeError, AttributeError):
            raise not_understood() from None

    def describe(self, fields: str) -> dict[str, Any]:
        """The spreadsheet's own description, as much of it as the mask `fields` names."""
        return self._ask(_Request("reads", "get", "", {"fields": fields}))

    def values(self, ranges: Sequence[GridRange]) -> list[Values]:
        """The values of each range, in the order asked, all of one moment: numbers and serial dates as they are, not
        as they are shown. Raises Rejected where a sheet is not there."""
        asked = {
            "dataFilters": [{"gridRange": dict(range_)} for range_ in ranges],
            "majorDimension": "ROWS",
            "valueRenderOption": "UNFORMATTED_VALUE",
            "dateTimeRenderOption": "SERIAL_NUMBER",
        }
        body = _json(asked)
        reply = self._ask(_Request("reads", "post", "/values:batchGetByDataFilter", {}, body, answered_rows.parsed))
        by_range: dict[frozenset[tuple[str, int]], Values] = {}
        try:
            for matched in reply.get("valueRanges", ()):
                values = matched.get("valueRange", {})
                name = values.get("range", "")
                read = Values(title_of(name), values.get("values", NO_ROWS), end_of(name))
                for data_filter in matched.get("dataFilters", ()):
                    by_range[_same(data_filter.get("gridRange", {}))] = read
        except (TypeError, AttributeError):
            raise not_understood() from None
        missing = [range_ for range_ in ranges if _same(range_) not in by_range]
        if missing:
            raise Rejected(f"No values came for the range {dict(missing[0])}.")
        return [by_range[_same(range_)] for range_ in ranges]

    def look(self, ranges: Sequence[GridRange], fields: str) -> dict[str, Any]:
        """The spreadsheet's description for these ranges, as much of it as the mask `fields` names (with the cells
        themselves: sheets(data(rowData(values(…)))))."""
        asked = {"dataFilters": [{"gridRange": dict(range_)} for range_ in ranges]}
        return self._ask(_Request("reads", "post", ":getByDataFilter", {"fields": fields}, _json(asked)))

    def write(
        self, requests: Sequence[Mapping[str, Any]], *, see: Sequence[str] = (), fields: str = "replies"
    ) -> dict[str, Any]:
        """Apply all requests or none, and answer as much as the mask `fields` names; `see` names ranges whose
        cells are in the answer as they are afterwards (updatedSpreadsheet).

        Raises Rejected (nothing was applied) and NoAnswer (it may have been applied); after every other error
        nothing was applied.
        """
        body: dict[str, Any] = {"requests": list(requests)}
        if see:
            body |= {
                "includeSpreadsheetInResponse": True,
                "responseRanges": list(see),
                "responseIncludeGridData": True,
            }
        return self._ask(_Request("writes", "post", ":batchUpdate", {"fields": fields}, _json(body)))

    @staticmethod
    def size(requests: Sequence[Mapping[str, Any]]) -> int:
        """The number of bytes that a write of these requests sends."""
        return len(_json({"requests": list(requests)}))

    def close(self) -> None:
        """Let go of connections and files."""
        with self._lock:
            if self._opened is not None:
                self._opened.rest()
        self._limiter.close()

    # How it is asked

    def _ask(self, request: _Request) -> dict[str, Any]:
        try:
            return self._answer(request)
        except _RefusedError as error:
            raise self._explained(request, error.refusal) from None

    def _answer(self, request: _Request) -> dict[str, Any]:
        """The answer; all waits and tries that may be made are made here. Raises _RefusedError for 403 and 404."""
        tries = _Tries(self._clock, self._patience, self.waiting)
        out_of_quota, busy_since, renewed = 0, None, False
        while True:
            began = self._clock.now()
            self._limiter.take(request.kind, self.waiting, busy_since)
            tries.leave_out(self._clock.now() - began)
            token = self._authorised(tries)
            reply = self._attempt(request)
            if isinstance(reply, dict):
                return reply
            if isinstance(reply, _Failure):
                # Of a write that was begun nobody knows more; the store has ways to find out.
                if request.writes and reply.sent:
                    raise NoAnswer(f"Google's answer did not come: {reply.cause}.")
                tries.again(reply)
            elif reply.out_of_quota:
                out_of_quota += 1
                busy_since = began if busy_since is None else busy_since
                self._limiter.refused(request.kind, out_of_quota, reply.after)
            elif reply.status == 401 and not renewed:
                renewed = True
                self._forget(token)
            elif reply.status == 401:
                raise errors.login_refused(self.account)
            elif reply.status in (403, 404):
                raise _RefusedError(reply)
            elif reply.status == 409 and not request.writes:
                tries.again(_Failure("it answered 409", sent=True))
            else:
                self._reject(request, reply)

    def _attempt(self, request: _Request) -> "dict[str, Any] | Refusal | _Failure":
        """Send a request once."""
        from crm.repository.sheets.google.http import DRIVE, FAILURES, SHEETS, Body, Refused, cause, is_unconnected

        address = f"{DRIVE if request.kind == 'drive' else SHEETS}/{self.spreadsheet}{request.under}"
        body = None if request.body is None else Body(request.body)
        try:
            send = self._transport().send
            answer = send(request.method, address, request.params, body, request.parse, write=request.writes)
        except Refused as refused:
            status = refused.refusal.status
            if status in (408, 500, 502, 503, 504) or status < 400:
                return _Failure(f"it answered {status}", sent=True)
            return refused.refusal
        except FAILURES as error:
            # What has a body cannot be applied before any of it was sent, whatever the error says.
            return _Failure(cause(error), sent=body.begun if body is not None else not is_unconnected(error))
        except KeyboardInterrupt as error:
            if request.writes and body is not None and body.begun:
                raise Interrupted from error
            raise
        finally:
            self._used = self._clock.now()
        return answer if isinstance(answer, dict) else _Failure("the answer was damaged", sent=True)

    def _reject(self, request: _Request, refusal: Refusal) -> None:
        if "FAILED_PRECONDITION" in refusal.reasons and "not supported for this document" in refusal.message:
            raise errors.no_google_sheet(self.spreadsheet)
        raise Rejected(refusal.message or f"Google answered {refusal.status}.", refusal.status)

    def _transport(self) -> "Transport":
        from crm.repository.sheets.google.http import Transport

        with self._lock:
            if self._opened is None:
                self._opened = Transport(self._google, **self._timeouts)
            elif self._clock.now() - self._used > _RESTS:
                self._opened.rest()
            self._used = self._clock.now()
            return self._opened

    # Who asks

    def _authorised(self, tries: "_Tries") -> str:
        """The token that requests show now."""
        with self._lock:
            if not self._token or self._token_until <= self._clock.day():
                self._token, self._token_until = self._tokens.kept()
                if not self._token:
                    self._token, self._token_until = self._new_token(tries)
                self._transport().authorise(self._token)
            return self._token

    def _forget(self, token: str) -> None:
        with self._lock:
            self._tokens.forget(token)
            if self._token == token:
                self._token = ""

    def _new_token(self, tries: "_Tries") -> tuple[str, float]:
        from crm.repository.sheets.google.http import FAILURES, Refused, cause, is_unconnected

        while True:
            form = {"grant_type": GRANT, "assertion": self._tokens.assertion()}
            try:
                answer = self._transport().exchange(self.account.token_uri, form)
                token = answer.get("access_token")
                if not is_token(token):
                    raise ValueError
                return str(token), self._tokens.keep(str(token), float(answer.get("expires_in", 0)))
            except Refused as refused:
                refusal = refused.refusal
                if refusal.status in (400, 401, 403) and refusal.reasons:
                    raise errors.token_refused(refusal, self.account, self._clock.day()) from None
                failure = _Failure(f"it answered {refusal.status} to the login", sent=True)
            except (TypeError, AttributeError):
                failure = _Failure("the answer to the login was damaged", sent=True)
            except FAILURES as error:
                failure = _Failure(cause(error), sent=not is_unconnected(error))
            tries.again(failure)

    # Why not

    def _explained(self, request: _Request, refusal: Refusal) -> StoreAccessError:
        """A 403 or 404 in words; where it may mean several things, another request tells which."""
        service = "drive.googleapis.com" if request.kind == "drive" else "sheets.googleapis.com"
        disabled = errors.api_disabled(refusal, service, self.account)
        if disabled:
            return disabled
        if "ACCESS_TOKEN_SCOPE_INSUFFICIENT" in refusal.reasons:
            self._forget(self._token)
            return errors.refused(refusal, self.account)
        if request.kind == "drive":
            # Drive answers 404 for what is not shared, too.
            other = self._refusal_of(_Request("reads", "get", "", {"fields": "spreadsheetId"}))
            if isinstance(other, Refusal):
                return errors.api_disabled(other, "sheets.googleapis.com", self.account) or self._missing(other)
            return errors.refused(refusal, self.account)
        if refusal.status == 403 and request.writes:
            standing = self._refusal_of(_standing_request())
            if isinstance(standing, Refusal):
                return errors.api_disabled(standing, "drive.googleapis.com", self.account) or self._missing(refusal)
            if not standing.get("capabilities", {}).get("canEdit", True):
                return errors.viewer(self.account)
            return errors.refused(refusal, self.account)
        return self._missing(refusal)

    def _missing(self, refusal: Refusal) -> StoreAccessError:
        if refusal.status == 404:
            return errors.no_spreadsheet(self.spreadsheet)
        if refusal.message and "permission" not in refusal.message.lower():
            return errors.refused(refusal, self.account)
        return errors.not_shared(self.account)

    def _refusal_of(self, request: _Request) -> Refusal | dict[str, Any]:
        try:
            return self._answer(request)
        except _RefusedError as error:
            return error.refusal
        except Rejected:
            return {}


class _RefusedError(Exception):
    """A 403 or 404 that is to be explained."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(f"status {refusal.status}")
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class _Failure:
    """A request to which nothing usable came back, because of `cause`; `sent` says whether the request can have
    arrived."""

    cause: str
    sent: bool


class _Tries:
    """Retries of what may be tried again, for a while, waiting longer each time."""

    def __init__(self, clock: Stopwatch, patience: float, waiting: Waiting) -> None:
        self._clock = clock
        self._patience = patience
        self._waiting = waiting
        self._started = clock.now()
        self._made = 0
        self._unsent = 0

    def leave_out(self, seconds: float) -> None:
        """Leave out the wait for the quota."""
        self._started += seconds

    def again(self, failure: _Failure) -> None:
        """Wait until the next try. Raises StoreOfflineError when there is none."""
        self._made += 1
        self._unsent += not failure.sent
        # Not all at the same moment where many were cut off together.
        seconds = min(0.25 * 2 ** (self._made - 1), 4.0) * random.uniform(0.8, 1.2)
        waited = self._clock.now() - self._started
        if self._unsent >= _CONNECTS or waited + seconds > self._patience:
            raise StoreOfflineError(f"Google Sheets cannot be reached: {failure.cause}.", "Try again later.")
        progress: Waiting = self._waiting if seconds >= _SHOWN_FROM else lambda _: None
        self._clock.count_down(seconds, "Google does not answer", progress, waited)


def _standing_request() -> _Request:
    # What lies on a shared drive is only found when asked for so.
    asked = {"fields": "version,name,capabilities(canEdit)", "supportsAllDrives": "true"}
    return _Request("drive", "get", "", asked)


def _json(value: Any) -> bytes:
    """JSON as it is sent: compact, in UTF-8."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode("utf-8")
    except UnicodeEncodeError:
        raise Rejected("A text holds half of a character (a lone surrogate), which Google cannot keep.") from None


def _same(grid_range: Mapping[str, Any]) -> frozenset[tuple[str, int]]:
    """A range as it compares: a 0 may be left out in an answer."""
    return frozenset([(name, value) for name, value in grid_range.items() if value])


def title_of(range_name: str) -> str:
    """The title of the sheet in a range as Google writes it: Sheet1!A1:B2, 'My sheet'!A1, 'It''s'."""
    if range_name.startswith("'"):
        return range_name[1 : range_name.rindex("'")].replace("''", "'") if range_name.count("'") > 1 else range_name
    return range_name.partition("!")[0]


def end_of(range_name: str) -> tuple[int, int]:
    """The last row and column of a range as Google writes it, counted from 1; (0, 0) where it names none."""
    match = re.search(r"[!:]([A-Z]+)(\d+)$", range_name)
    if match is None:
        return 0, 0
    column = 0
    for letter in match[1]:
        column = column * 26 + ord(letter) - ord("A") + 1
    return int(match[2]), column
