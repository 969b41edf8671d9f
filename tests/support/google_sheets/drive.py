"""Methods of the Drive API for spreadsheets."""

import csv
import io
import re
from typing import Any

from . import cells, fields, schema, values
from .book import Book, new_id
from .calls import Call, Reply
from .document import NONE, WRITER, Document, time_text
from .refusals import Invalid, drive_refusal
from .shifts import Json

SPREADSHEET = "application/vnd.google-apps.spreadsheet"
BASICS = ("kind", "id", "name", "mimeType")


def _document(call: Call, write: bool = False) -> Document:
    document = call.service.documents.get(call.document)
    # Drive does not tell a file that one may not see from one that is not there.
    if document is None or document.access == NONE:
        raise drive_refusal(404, "notFound", f"File not found: {call.document}.", "fileId")
    if write and document.access != WRITER:
        sentence = "The user does not have sufficient permissions for this file."
        raise drive_refusal(403, "insufficientFilePermissions", sentence)
    return document


def _file(call: Call, document: Document) -> Json:
    modified, version = document.version(call.service.drive_lag)
    writes = document.access == WRITER
    return {
        "kind": "drive#file",
        "id": document.id,
        "name": document.book.properties["title"],
        "mimeType": SPREADSHEET,
        "createdTime": time_text(document.created),
        "modifiedTime": time_text(modified),
        "version": str(version),
        "trashed": False,
        "starred": False,
        "ownedByMe": False,
        "webViewLink": f"https://docs.google.com/spreadsheets/d/{document.id}/edit?usp=drivesdk",
        "capabilities": {"canEdit": writes, "canComment": writes, "canCopy": True, "canDownload": True},
        "permissions": document.permissions,
    }


def _asked(call: Call, name: str, whole: Json, unasked: Json) -> Json:
    text = call.one("fields")
    if not text:
        return unasked
    try:
        mask = fields.parsed(text)
    except Invalid:
        raise drive_refusal(400, "invalidParameter", f"Invalid field selection {text}", "fields") from None
    wrong = schema.unknown_path("drive.v3", name, mask)
    if wrong:
        raise drive_refusal(400, "invalidParameter", f"Invalid field selection {wrong}", "fields")
    result: Json = fields.kept(whole, mask)
    return result


def _file_answer(call: Call, document: Document) -> Json:
    whole = _file(call, document)
    return _asked(call, "File", whole, {name: whole[name] for name in BASICS})


def list_files(call: Call) -> Json:
    """The files that the account may see, the newest first."""
    files = [_file(call, document) for document in call.service.documents.values() if document.access != NONE]
    for name, text in re.findall(r"(name|mimeType)\s*=\s*(\"[^\"]*\"|'[^']*')", call.one("q") or ""):
        files = [one for one in files if one[name] == text[1:-1].replace("\\'", "'")]
    files.sort(key=lambda one: str(one["modifiedTime"]), reverse=True)
    files = files[: int(call.one("pageSize") or 100)]
    whole = {"kind": "drive#fileList", "incompleteSearch": False, "files": files}
    brief = {**whole, "files": [{name: one[name] for name in BASICS} for one in files]}
    return _asked(call, "FileList", whole, brief)


def get(call: Call) -> Json:
    """The metadata of a file."""
    return _file_answer(call, _document(call))


def _refuse_storage(call: Call) -> None:
    if call.service.storage_full:
        raise drive_refusal(403, "storageQuotaExceeded", "The user's Drive storage quota has been exceeded.")


def _refuse_type(call: Call) -> None:
    if (call.body.get("mimeType") or SPREADSHEET) != SPREADSHEET:
        raise drive_refusal(501, "notImplemented", f"files of the type {call.body['mimeType']} are not kept here")


def create(call: Call) -> Json:
    """A new spreadsheet, which the account owns."""
    _refuse_storage(call)
    _refuse_type(call)
    return _file_answer(call, call.service.new_document(Book.new(call.body.get("name") or "Untitled")))


def copy(call: Call) -> Json:
    """A new spreadsheet like another."""
    source = _document(call)
    _refuse_storage(call)
    book = source.book.copy()
    title = call.body.get("name") or f"Copy of {book.properties['title']}"
    book.properties["title"] = title
    return _file_answer(call, call.service.new_document(book))


def update(call: Call) -> Json:
    """A file with another name."""
    document = _document(call, write=True)
    name = call.body.get("name")
    if name:
        document.change(lambda book: book.properties.update(title=name))
    return _file_answer(call, document)


def delete(call: Call) -> Reply:
    """A file is gone."""
    _document(call, write=True)
    del call.service.documents[call.document]
    return Reply(None, 204, "text/html")


def export(call: Call) -> Reply:
    """The first sheet as CSV."""
    document = _document(call)
    if call.one("mimeType") != "text/csv":
        raise drive_refusal(501, "notImplemented", f"export to {call.one('mimeType')} is not implemented here")
    sheet = document.book.sheets[0]
    found = values.read(sheet, sheet.area, cells.shown).get("values", [])
    width = max((len(row) for row in found), default=0)
    text = io.StringIO()
    csv.writer(text).writerows([*row, *([""] * (width - len(row)))] for row in found)
    return Reply(text.getvalue().removesuffix("\r\n"), 200, "text/csv")


def comments(call: Call) -> Json:
    """The comments on a file: there are none here."""
    _document(call)
    whole: Json = {"kind": "drive#commentList", "comments": []}
    return _asked(call, "CommentList", whole, whole)


def permissions(call: Call) -> Json:
    """The permissions of a file."""
    whole = {"kind": "drive#permissionList", "permissions": _document(call, write=True).permissions}
    return _asked(call, "PermissionList", whole, whole)


def share(call: Call) -> Json:
    """Let somebody open a file."""
    document = _document(call, write=True)
    if not call.body.get("type") or not call.body.get("role"):
        raise drive_refusal(400, "required", "The permission type field is required.", "permission.type")
    one = {"kind": "drive#permission", "id": str(new_id()), **call.body}
    document.permissions = [*document.permissions, one]
    return _asked(call, "Permission", one, one)


def unshare(call: Call) -> Reply:
    """Let somebody open a file no more."""
    document = _document(call, write=True)
    kept = [one for one in document.permissions if one["id"] != call.range]
    if len(kept) == len(document.permissions):
        raise drive_refusal(404, "notFound", f"Permission not found: {call.range}.", "permissionId")
    document.permissions = kept
    return Reply(None, 204, "text/html")


def upload(call: Call) -> Json:
    """CSV in place of all that a spreadsheet holds; the reply is one of version 2, and only its gist."""
    document = _document(call, write=True)
    text = call.body.decode("utf-8")
    rows: list[list[Any]] = list(csv.reader(io.StringIO(text)))

    def change(book: Book) -> None:
        new = Book.new(book.properties["title"], time_zone="America/Los_Angeles")
        sheet = new.sheets[0]
        sheet.id, sheet.title = new_id(), book.properties["title"]
        sheet.row_count = max(sheet.row_count, len(rows))
        sheet.column_count = max(sheet.column_count, *(len(row) for row in rows), 1)
        values.write(new, sheet, 0, 0, rows, "USER_ENTERED")
        book.properties, book.sheets, book.named = new.properties, new.sheets, []

    document.change(change)
    return {
        "kind": "drive#file",
        "id": document.id,
        "title": document.book.properties["title"],
        "mimeType": SPREADSHEET,
    }
