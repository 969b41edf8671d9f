"""Setting a spreadsheet up: our tabs beside those that are there, which stay as they are."""

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from crm.errors import StoreDamagedError
from crm.model import RECORDS, Record
from crm.repository.sheets import cells
from crm.repository.sheets.commit import Request, add_marker, cells_request
from crm.repository.sheets.layout import (
    ALL_TABS,
    BEFORE,
    HISTORY,
    HISTORY_COLUMNS,
    META,
    TABS,
    Tab,
    columns,
    new_heading,
)
from crm.repository.sheets.mirror import State
from crm.repository.sheets.push import new_uid
from crm.repository.sheets.service import Rejected, Service
from crm.repository.tables import TABLES

# How many rows a new tab has; it grows by itself.
_ROWS = 1000
_BEFORE_GRID = (400, 80)


def set_up(service: Service, first_records: Sequence[Record], at: datetime) -> bool:
    """Makes a spreadsheet a store, all at once; False where it is one already.

    `first_records` are in it from the start. Raises StoreDamagedError where only some of our tabs are there.
    """
    described = service.describe("sheets(properties(sheetId,title))")
    there = {sheet["properties"].get("sheetId", 0): sheet["properties"]["title"] for sheet in described["sheets"]}
    missing = [tab for tab in ALL_TABS if tab.sheet_id not in there]
    if not missing:
        return False
    if len(missing) < len(ALL_TABS):
        raise StoreDamagedError(
            f"The spreadsheet has lost its tab “{missing[0].title}”. Put it back in the spreadsheet (Edit, Undo, or"
            " File, Version history)."
        )
    try:
        service.write(_requests(set(there.values()), first_records, at))
    except Rejected:
        # Somebody else was setting it up at this very moment, unless it is refused again.
        described = service.describe("sheets(properties(sheetId))")
        if META.sheet_id not in {sheet["properties"].get("sheetId", 0) for sheet in described["sheets"]}:
            raise
        return False
    return True


def _requests(titles: set[str], first_records: Sequence[Record], at: datetime) -> list[Request]:
    stored = _numbered(first_records, at)
    last = {TABLES[kind].name: max((each.id for each in stored if type(each) is kind), default=0) for kind in RECORDS}
    state = State(revision=1, uid=new_uid(), last=last)
    requests = [_add_tab(tab, titles) for tab in ALL_TABS]
    requests.append(cells_request(META.sheet_id, 0, 0, state.rows()))
    requests.append(cells_request(HISTORY.sheet_id, 0, 0, [list(HISTORY_COLUMNS)]))
    for kind in RECORDS:
        rows = [cells.row_of(each)[: len(columns(kind))] for each in stored if type(each) is kind]
        requests.append(cells_request(TABS[kind].sheet_id, 0, 0, [new_heading(kind), *rows]))
    requests.append(add_marker(state))
    return requests


def _numbered(records: Sequence[Record], at: datetime) -> list[Record]:
    """The first records as they are stored: numbered by kind."""
    given: dict[type[Record], int] = {}
    stored = []
    for record in records:
        given[type(record)] = given.get(type(record), 0) + 1
        stored.append(dataclasses.replace(record, id=given[type(record)], created_at=at, updated_at=at, version=1))
    return stored


def _add_tab(tab: Tab, taken: set[str]) -> Request:
    rows, wide = _BEFORE_GRID if tab is BEFORE else (_ROWS, _width(tab))
    grid = {"rowCount": 10 if tab is META else rows, "columnCount": wide}
    if tab is not BEFORE:
        grid["frozenRowCount"] = 1
    properties: dict[str, Any] = {
        "sheetId": tab.sheet_id,
        "title": free_title(tab.title, taken),
        "gridProperties": grid,
    }
    if tab.hidden:
        properties["hidden"] = True
    return {"addSheet": {"properties": properties}}


def free_title(title: str, taken: set[str]) -> str:
    """The title, or one like it that no tab has yet; titles are alike whatever their case."""
    known = {each.casefold() for each in taken}
    wanted, number = title, 1
    while wanted.casefold() in known:
        number += 1
        wanted = f"{title} (CRM)" if number == 2 else f"{title} (CRM {number})"
    return wanted


def _width(tab: Tab) -> int:
    widths: Mapping[int, int] = {META.sheet_id: 26, HISTORY.sheet_id: len(HISTORY_COLUMNS)}
    of_records = {TABS[kind].sheet_id: len(columns(kind)) for kind in RECORDS}
    return {**widths, **of_records}[tab.sheet_id]
