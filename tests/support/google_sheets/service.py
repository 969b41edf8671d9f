"""The state of the stand-in, and the routes of its requests."""

import pickle
import re
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from . import drive, schema, sheets
from .account import TO_CHANGE_FILES, TO_READ, TO_SEE_FILES, TO_WRITE, Account
from .book import Book
from .calls import Call, Reply
from .document import WRITER, Document
from .faults import Traffic
from .refusals import disabled, refusal


@dataclass(frozen=True)
class Route:
    """One method of an API: how it is called and what answers it."""

    verb: str
    path: re.Pattern[str]
    kind: str
    method: str
    answer: Callable[[Call], Any]
    body: str = ""
    before: str = ""
    reply: str = ""


def _route(verb: str, path: str, kind: str, method: str, answer: Callable[[Call], Any], before: str = "") -> Route:
    pattern = path.replace("{id}", r"(?P<id>[^/:?]+)").replace("{range}", "(?P<range>.+?)")
    found = schema.method("sheets.v4" if kind != "drive" else "drive.v3", method) if method else {}
    request, reply = (found.get(part, {}).get("$ref", "") for part in ("request", "response"))
    return Route(verb, re.compile(pattern), kind, method, answer, request, before, reply)


BOOKS = "/v4/spreadsheets/{id}"
VALUES = "spreadsheets.values."
ROUTES = [
    _route("POST", "/v4/spreadsheets", "write", "spreadsheets.create", sheets.create),
    _route("GET", BOOKS, "read", "spreadsheets.get", sheets.get),
    _route("POST", BOOKS + ":batchUpdate", "write", "spreadsheets.batchUpdate", sheets.batch_update),
    _route("POST", BOOKS + ":getByDataFilter", "read", "spreadsheets.getByDataFilter", sheets.get_by_data_filter),
    _route("GET", BOOKS + "/values:batchGet", "read", VALUES + "batchGet", sheets.values_batch_get),
    _route("POST", BOOKS + "/values:batchUpdate", "write", VALUES + "batchUpdate", sheets.values_batch_update),
    _route("POST", BOOKS + "/values:batchClear", "write", VALUES + "batchClear", sheets.values_batch_clear),
    _route(
        "POST",
        BOOKS + "/values:batchGetByDataFilter",
        "read",
        VALUES + "batchGetByDataFilter",
        sheets.values_batch_get_by_data_filter,
    ),
    _route(
        "POST",
        BOOKS + "/values:batchUpdateByDataFilter",
        "write",
        VALUES + "batchUpdateByDataFilter",
        sheets.values_batch_update_by_data_filter,
    ),
    _route(
        "POST",
        BOOKS + "/values:batchClearByDataFilter",
        "write",
        VALUES + "batchClearByDataFilter",
        sheets.values_batch_clear_by_data_filter,
    ),
    _route("POST", BOOKS + "/values/{range}:append", "write", VALUES + "append", sheets.values_append, "data"),
    _route("POST", BOOKS + "/values/{range}:clear", "write", VALUES + "clear", sheets.values_clear),
    _route("PUT", BOOKS + "/values/{range}", "write", VALUES + "update", sheets.values_update, "data"),
    _route("GET", BOOKS + "/values/{range}", "read", VALUES + "get", sheets.values_get),
    _route("POST", BOOKS + r"/sheets/(?P<range>\d+):copyTo", "write", "spreadsheets.sheets.copyTo", sheets.copy_to),
    _route("GET", "/drive/v3/files", "drive", "files.list", drive.list_files),
    _route("POST", "/drive/v3/files", "drive", "files.create", drive.create),
    _route("GET", "/drive/v3/files/{id}", "drive", "files.get", drive.get),
    _route("PATCH", "/drive/v3/files/{id}", "drive", "files.update", drive.update),
    _route("DELETE", "/drive/v3/files/{id}", "drive", "files.delete", drive.delete),
    _route("POST", "/drive/v3/files/{id}/copy", "drive", "files.copy", drive.copy),
    _route("GET", "/drive/v3/files/{id}/export", "drive", "files.export", drive.export),
    _route("GET", "/drive/v3/files/{id}/comments", "drive", "comments.list", drive.comments),
    _route("GET", "/drive/v3/files/{id}/permissions", "drive", "permissions.list", drive.permissions),
    _route("POST", "/drive/v3/files/{id}/permissions", "drive", "permissions.create", drive.share),
    _route("DELETE", "/drive/v3/files/{id}/permissions/(?P<range>[^/]+)", "drive", "permissions.delete", drive.unshare),
    _route("PUT", "/upload/drive/v2/files/{id}", "drive", "", drive.upload),
]


# What a person does: a method and its arguments.
Edit = tuple[Callable[..., Any], list[Any]]


@dataclass
class Service:
    """All that is kept: spreadsheets, the account, the switches, and what has come in."""

    documents: dict[str, Document] = field(default_factory=dict)
    account: Account = field(default_factory=Account)
    traffic: Traffic = field(default_factory=Traffic)
    sheets_enabled: bool = True
    drive_enabled: bool = True
    storage_full: bool = False
    drive_lag: float = 0.0
    markers_hold: bool = True
    # How far two requests of one moment are merged, rather than one after the other; what happens in that moment.
    merges: frozenset[str] = frozenset()
    merge_window: float = 0.0
    at_that_moment: list[Callable[[], Any]] = field(default_factory=list)
    # What people do before each of the next writes, in order: where requests are merged, before it is looked at. And
    # what they do between that look and the writing.
    before_write: list[list[Edit]] = field(default_factory=list)
    between: list[list[Edit]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def new_document(self, book: Book, access: str = WRITER) -> Document:
        """Keep a new spreadsheet."""
        # As long as the ids that Google gives.
        id = "1" + secrets.token_urlsafe(40)[:43].replace("-", "x")
        document = Document(id, book, access)
        with self.lock:
            self.documents[id] = document
        return document

    def people_act(self, waiting: list[list[Edit]]) -> None:
        """Let the people edit who wait for this moment."""
        with self.lock:
            edits = waiting.pop(0) if waiting else []
        for edit, arguments in edits:
            edit(*arguments)

    def route(self, verb: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """The method that a request calls, and the parameters in its path."""
        for route in ROUTES:
            if route.verb == verb and (found := route.path.fullmatch(path)):
                return route, {name: unquote(value) for name, value in found.groupdict().items()}
        return None

    def refuse(self, route: Route, authorization: str) -> None:
        """Refuse who may not call a method at all."""
        on_drive = route.kind == "drive"
        writes = route.verb not in ("GET",)
        enough = (
            (TO_CHANGE_FILES if writes or "export" in route.method else TO_SEE_FILES)
            if on_drive
            else (TO_WRITE if route.kind == "write" else TO_READ)
        )
        self.account.refuse(authorization, enough, on_drive)
        if on_drive and not self.drive_enabled:
            raise disabled("Google Drive API", "drive.googleapis.com", self.account.number)
        if not on_drive and not self.sheets_enabled:
            raise disabled("Google Sheets API", "sheets.googleapis.com", self.account.number)
        self.traffic.refuse_more(route.kind, self.account.number)

    def answer(self, route: Route, names: dict[str, str], call: Call) -> Reply:
        """The answer to a request that may be made."""
        api = "drive.v3" if route.kind == "drive" else "sheets.v4"
        # Drive passes over parameters that it does not know: clients send those of one method with all.
        if route.kind != "drive":
            schema.refuse_query(api, route.method, call.query)
            sheets.mask_of(call, route.reply)
        if route.body:
            if call.body is None:
                call.body = {}
            schema.refuse_body(api, route.body, call.body, route.before)
        result = route.answer(call)
        return result if isinstance(result, Reply) else Reply(result)

    def save(self, path: Path) -> None:
        """Keep spreadsheets and account in a file."""
        kept = {"documents": self.documents, "account": self.account}
        path.with_suffix(".new").write_bytes(pickle.dumps(kept))
        path.with_suffix(".new").replace(path)

    def load(self, path: Path) -> None:
        """Take spreadsheets and account from a file."""
        kept = pickle.loads(path.read_bytes())
        self.documents, self.account = kept["documents"], kept["account"]


def not_here(verb: str, path: str) -> Exception:
    """The error for a method that the stand-in does not have."""
    return refusal(501, f"{verb} {path} is not implemented here")
