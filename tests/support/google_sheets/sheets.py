"""The methods of the Sheets API."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from . import (
    a1,
    batch,
    batch_cells,
    batch_dimensions,
    batch_ranges,
    batch_sheets,
    batch_tables,
    fields,
    rendering,
    schema,
    values,
)
from .a1 import Area
from .book import Book
from .calls import Call
from .document import NONE, WRITER, Document
from .fields import Mask
from .refusals import NO_PERMISSION, Invalid, refusal, violation
from .sheet import Sheet
from .shifts import Json

# What they hold has put itself into the registry of requests.
KINDS_OF_REQUESTS = (batch_cells, batch_dimensions, batch_ranges, batch_sheets, batch_tables)
Result = TypeVar("Result")
Place = tuple[Sheet, Area, bool]


def _document(call: Call, write: bool = False) -> Document:
    document = call.service.documents.get(call.document)
    if document is None:
        raise refusal(404, "Requested entity was not found.")
    if document.access == NONE or (write and document.access != WRITER):
        raise refusal(403, NO_PERMISSION)
    return document


def _read(call: Call) -> Book:
    document = _document(call)
    # Whoever reads while something is being written sees what is there afterwards.
    with document.lock:
        return document.book


def _asked(how: Callable[[], Result]) -> Result:
    try:
        return how()
    except Invalid as invalid:
        raise refusal(400, str(invalid)) from None


def _write(call: Call, how: Callable[[Book], Result], merged: bool = False) -> Result:
    document = _document(call, write=True)
    with document.lock:
        call.service.people_act(call.service.between if merged else call.service.before_write)
        before = document.book

        def unprotected(book: Book) -> Result:
            result = how(book)
            book.refuse_protected(before)
            return result

        return _asked(lambda: document.change(unprotected))


def mask_of(call: Call, name: str) -> Mask:
    """The field mask of a request; unknown fields are refused."""
    text = call.one("fields") or call.one("$fields")
    if not text:
        return fields.EVERYTHING
    try:
        mask = fields.parsed(text)
    except Invalid as invalid:
        raise violation("fields", f"Error expanding 'fields' parameter. {invalid}") from None
    wrong = schema.unknown_path("sheets.v4", name, mask)
    if wrong:
        sentence = f"Error expanding 'fields' parameter. Cannot find matching fields for path '{wrong}'."
        error = violation(wrong, sentence)
        error.body["error"]["message"] = "Request contains an invalid argument."
        raise error
    return mask


def _masked(call: Call, name: str, body: Json) -> Json:
    result: Json = fields.kept(body, mask_of(call, name))
    return result


def _render(option: str | None, dates: str | None) -> values.Render:
    return values.rendering(option, dates)


# Spreadsheets


def create(call: Call) -> Json:
    """A new spreadsheet, which the account owns."""
    given = call.body.get("properties") or {}
    if call.body.get("sheets"):
        raise refusal(501, "spreadsheets.create with sheets is not implemented here")
    if call.service.storage_full:
        raise refusal(403, NO_PERMISSION)
    title = given.get("title") or "Untitled spreadsheet"
    book = Book.new(title, given.get("locale") or "en_US", given.get("timeZone") or "Etc/GMT")
    document = call.service.new_document(book)
    return rendering.spreadsheet(document.id, document.book, None, False, mask_of(call, "Spreadsheet"))


def _spreadsheet_answer(call: Call, book: Book, places: Sequence[Place] | None, data: bool, mask: Mask) -> Json:
    asked = None if places is None else [(sheet, area) for sheet, area, _ in places]
    return rendering.spreadsheet(call.document, book, asked, data, mask, [call.service.account.email])


def get(call: Call) -> Json:
    """A spreadsheet, or what is asked for of it."""
    book, mask = _read(call), mask_of(call, "Spreadsheet")
    ranges = call.query.get("ranges")
    places = _asked(lambda: [book.found(text) for text in ranges]) if ranges else None
    return _spreadsheet_answer(call, book, places, call.flag("includeGridData"), mask)


def get_by_data_filter(call: Call) -> Json:
    """A spreadsheet, or what the filters choose of it."""
    book, mask = _read(call), mask_of(call, "Spreadsheet")
    places = _filtered(book, call.body.get("dataFilters")) if call.body.get("dataFilters") else None
    return _spreadsheet_answer(call, book, places, bool(call.body.get("includeGridData")), mask)


def _filtered(book: Book, filters: list[Json]) -> list[Place]:
    if any(one.get("developerMetadataLookup") for one in filters):
        raise refusal(501, "DataFilter.developerMetadataLookup is not implemented here")
    return _asked(lambda: [values.filtered(book, one) for one in filters])


def _branched(call: Call) -> batch.Situation:
    """The state that a batch works on: the one it found on arrival where the service merges."""
    service, document = call.service, _document(call, write=True)
    if service.merges:
        # What people have done before is seen by all requests of this moment.
        service.people_act(service.before_write)
    branch = document.book.copy() if service.merges else None
    if branch is not None:
        _asked(lambda: batch.apply(batch.Situation(branch.copy()), call.body.get("requests") or []))
    if service.at_that_moment:
        service.at_that_moment.pop(0)()
    if branch is None:
        return batch.Situation(document.book, service.markers_hold)
    time.sleep(service.merge_window)
    return batch.Situation(document.book, False, branch, service.merges)


def batch_update(call: Call) -> Json:
    """Requests carried out together, and the spreadsheet as it is then when that is asked for."""
    body = call.body
    situation = _branched(call)

    def change(book: Book) -> tuple[list[Json], Book, list[Place]]:
        replies = batch.apply(replace(situation, book=book), body.get("requests") or [])
        if situation.branch is not None and "answer" in situation.merges:
            book = situation.branch
        # What is asked for must be there after the batch; when it is not, nothing is changed.
        return replies, book, [book.found(text) for text in body.get("responseRanges") or ()]

    replies, book, places = _write(call, change, situation.branch is not None)
    mask = mask_of(call, "BatchUpdateSpreadsheetResponse")
    result: Json = {"spreadsheetId": call.document, "replies": replies}
    if body.get("includeSpreadsheetInResponse"):
        below = fields.below(mask, "updatedSpreadsheet")
        data = bool(body.get("responseIncludeGridData"))
        result["updatedSpreadsheet"] = _spreadsheet_answer(call, book, places or None, data, below or {})
    # What is told of the spreadsheet is cut down already, and may be large.
    return {name: result[name] for name in result if fields.below(mask, name) is not None}


def copy_to(call: Call) -> Json:
    """A copy of a sheet in this or another spreadsheet."""
    book = _read(call)
    source = _asked(lambda: book.sheet(int(call.range)))
    target = call.service.documents.get(call.body.get("destinationSpreadsheetId") or "")
    if target is None:
        raise refusal(404, "Requested entity was not found.")
    if target.access != WRITER:
        raise refusal(403, NO_PERMISSION)

    def change(other: Book) -> Json:
        title, number = f"Copy of {source.title}", 1
        while other.titled(title):
            number += 1
            title = f"Copy of {source.title} {number}"
        copy = batch_sheets.copied(source, other.free_id(), title)
        other.add(copy, None)
        return rendering.properties(copy, len(other.sheets) - 1)

    return _asked(lambda: target.change(change))


# Values


def values_get(call: Call) -> Json:
    """The values of one range."""
    book = _read(call)
    sheet, area, _ = _asked(lambda: book.found(call.range))
    render = _render(call.one("valueRenderOption"), call.one("dateTimeRenderOption"))
    return _masked(call, "ValueRange", values.read(sheet, area, render, call.one("majorDimension")))


def values_batch_get(call: Call) -> Json:
    """The values of several ranges."""
    book = _read(call)
    places = _asked(lambda: [book.found(text) for text in call.query.get("ranges", [])])
    render = _render(call.one("valueRenderOption"), call.one("dateTimeRenderOption"))
    found = [values.read(sheet, area, render, call.one("majorDimension")) for sheet, area, _ in places]
    result: Json = {"spreadsheetId": call.document}
    if found:
        result["valueRanges"] = found
    return _masked(call, "BatchGetValuesResponse", result)


def values_batch_get_by_data_filter(call: Call) -> Json:
    """The values of what several filters choose."""
    book, body = _read(call), call.body
    asked = tuple(body.get(name) for name in ("valueRenderOption", "dateTimeRenderOption", "majorDimension"))
    filters = body.get("dataFilters") or []
    found = []
    for (sheet, area, _), one in zip(_filtered(book, filters), filters, strict=True):
        known = sheet.id, area.top, area.bottom, area.left, area.right, *asked
        if known not in book.reads:
            option, dates, major = asked
            book.reads[known] = values.read(sheet, area, _render(option, dates), major)
        found.append({"valueRange": book.reads[known], "dataFilters": [one]})
    result: Json = {"spreadsheetId": call.document}
    if found:
        result["valueRanges"] = found
    return _masked(call, "BatchGetValuesByDataFilterResponse", result)


def _option(given: str | None) -> str:
    if given not in ("RAW", "USER_ENTERED"):
        raise refusal(400, "'valueInputOption' is required but not specified")
    return given


def _refuse_other_range(call: Call) -> None:
    given = call.body.get("range")
    if given and a1.split(given) != a1.split(call.range):
        raise refusal(400, f"Requested writing within range [{call.range}], but the range of the values is [{given}]")


def _with_values(reply: Json, sheet: Sheet, area: Area | None, wanted: bool, render: values.Render) -> Json:
    if wanted and area is not None:
        reply["updatedData"] = values.read(sheet, area, render)
    return reply


def values_update(call: Call) -> Json:
    """Values written to one range."""
    option = _option(call.one("valueInputOption"))
    _refuse_other_range(call)
    render = _render(call.one("responseValueRenderOption"), call.one("responseDateTimeRenderOption"))

    def change(book: Book) -> Json:
        sheet, area, whole = book.found(call.range)
        reply, written = values.update(call.document, book, sheet, area, whole, call.body, option)
        return _with_values(reply, sheet, written, call.flag("includeValuesInResponse"), render)

    return _masked(call, "UpdateValuesResponse", _write(call, change))


def values_append(call: Call) -> Json:
    """Values written after the last table of a range."""
    option = _option(call.one("valueInputOption"))
    render = _render(call.one("responseValueRenderOption"), call.one("responseDateTimeRenderOption"))
    insert = call.one("insertDataOption") == "INSERT_ROWS"

    def change(book: Book) -> Json:
        sheet, area, _ = book.found(call.range)
        reply, written = values.append(call.document, book, sheet, area, call.body, option, insert)
        _with_values(reply["updates"], sheet, written, call.flag("includeValuesInResponse"), render)
        return reply

    return _masked(call, "AppendValuesResponse", _write(call, change))


def values_clear(call: Call) -> Json:
    """The values of one range gone."""

    def change(book: Book) -> Json:
        sheet, area, _ = book.found(call.range)
        return {"spreadsheetId": call.document, "clearedRange": values.clear(sheet, area)}

    return _masked(call, "ClearValuesResponse", _write(call, change))


def values_batch_clear(call: Call) -> Json:
    """The values of several ranges gone."""

    def change(book: Book) -> Json:
        cleared = [values.clear(*book.found(text)[:2]) for text in call.body.get("ranges") or []]
        return {"spreadsheetId": call.document, "clearedRanges": cleared}

    return _write(call, change)


def values_batch_clear_by_data_filter(call: Call) -> Json:
    """The values of what several filters choose gone."""

    def change(book: Book) -> Json:
        places = _filtered(book, call.body.get("dataFilters") or [])
        return {
            "spreadsheetId": call.document,
            "clearedRanges": [values.clear(sheet, area) for sheet, area, _ in places],
        }

    return _write(call, change)


def values_batch_update(call: Call) -> Json:
    """Values written to several ranges."""
    return _batch_update(call, lambda book, one: book.found(one.get("range") or ""))


def values_batch_update_by_data_filter(call: Call) -> Json:
    """Values written to what several filters choose."""

    def place(book: Book, one: Json) -> Place:
        return _filtered(book, [one.get("dataFilter") or {}])[0]

    return _batch_update(call, place)


def _batch_update(call: Call, place: Callable[[Book, Json], Place]) -> Json:
    body = call.body
    option = _option(body.get("valueInputOption"))
    render = _render(body.get("responseValueRenderOption"), body.get("responseDateTimeRenderOption"))

    def change(book: Book) -> Json:
        responses: list[Json] = []
        rows: set[tuple[int, int]] = set()
        columns: set[tuple[int, int]] = set()
        for one in body.get("data") or []:
            sheet, area, whole = place(book, one)
            reply, written = values.update(call.document, book, sheet, area, whole, one, option)
            wanted = bool(body.get("includeValuesInResponse"))
            responses.append(_with_values(reply, sheet, written, wanted, render))
            if "dataFilter" in one:
                responses[-1]["dataFilter"] = one["dataFilter"]
                del responses[-1]["spreadsheetId"]
            if written is not None:
                rows |= {(sheet.id, at) for at in range(written.top, written.bottom)}
                columns |= {(sheet.id, at) for at in range(written.left, written.right)}
        counted: dict[str, Any] = {
            "totalUpdatedRows": len(rows),
            "totalUpdatedColumns": len(columns),
            "totalUpdatedCells": sum(reply.get("updatedCells", 0) for reply in responses),
            "totalUpdatedSheets": len({id for id, _ in rows}),
        }
        totals = {name: count for name, count in counted.items() if count}
        return {"spreadsheetId": call.document, **totals, "responses": responses}

    return _write(call, change)
