"""Setting a spreadsheet up: our tabs beside those that are there, which stay as they are."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from crm.errors import StoreDamagedError, StoreError
from crm.model import RECORDS, Record, StatusRule
from crm.repository.known import new_id
from crm.repository.sheets.google.spreadsheet import NoAnswer, Rejected, Service
from crm.repository.sheets.grid import cells, formatting
from crm.repository.sheets.grid.cells import Request, cells_request
from crm.repository.sheets.grid.layout import (
    ACCOUNT_TABS,
    ALL_TABS,
    BEFORE,
    HISTORY,
    HISTORY_COLUMNS,
    META,
    TABS,
    Heading,
    Tab,
    columns,
    heading,
    new_heading,
)
from crm.repository.sheets.mirror.mirror import META_COLUMNS, NEW_REVISION, State
from crm.repository.sheets.pull.reading import is_older
from crm.repository.sheets.push.outcome import Outcome
from crm.repository.sheets.push.requests import add_marker
from crm.repository.tables import TABLES

# How many rows a new technical tab has; it grows by itself.
_ROWS = 1000
_BEFORE_GRID = (400, 80)
# So often it is tried where others are at it at the same moment, or an answer does not come.
_TRIES = 3


def set_up(service: Service, first_records: Callable[[str], Sequence[Record]], at: datetime) -> bool:
    """Make a spreadsheet a store, all at once; False where it is one already, which gets the tabs that it lacks because
    an older version has made it, and those of the accounts where somebody has deleted them: as with rows that are
    deleted by hand, the roster gives no access until they are restored or an admin recovers it.

    `first_records` for the locale of the spreadsheet are in it from the start. Raises StoreDamagedError where only some
    of our tabs are there, StoreError where Google does not take them.
    """
    outcome = Outcome(can_be_repeated=True)
    with outcome.report():
        return _set_up(service, first_records, at, outcome)


def is_of_older_version(service: Service) -> bool:
    """Return whether a spreadsheet lacks tabs only because an older version has made it."""
    described = service.describe("sheets(properties(sheetId))")
    existing = {sheet["properties"].get("sheetId", 0) for sheet in described["sheets"]}
    return is_older(service, [tab for tab in ALL_TABS if tab.sheet_id not in existing])


def _set_up(service: Service, first_records: Callable[[str], Sequence[Record]], at: datetime, outcome: Outcome) -> bool:
    unanswered, refused = False, ""
    for _ in range(_TRIES):
        described = service.describe("properties(locale),sheets(properties(sheetId,title))")
        existing = {
            sheet["properties"].get("sheetId", 0): sheet["properties"]["title"] for sheet in described["sheets"]
        }
        missing = [tab for tab in ALL_TABS if tab.sheet_id not in existing]
        if not missing:
            return unanswered
        is_new = len(missing) == len(ALL_TABS)
        if not is_new and not ACCOUNT_TABS.issuperset(missing) and not is_older(service, missing):
            raise StoreDamagedError(
                f"The spreadsheet has lost its tab “{missing[0].title}”. Put it back in the spreadsheet (Edit, Undo,"
                " or File, Version history), or run `sheets repair`."
            )
        try:
            titles = set(existing.values())
            if is_new:
                first = first_records(str(described.get("properties", {}).get("locale", "")))
                service.write(_requests(titles, first, at, service.spreadsheet))
            else:
                service.write(list(_tabs(missing, titles)))
            return is_new
        except NoAnswer:
            # Once more, if it did not arrive: tabs that are there already are refused.
            unanswered, outcome.change = is_new, ""
        except Rejected as error:
            # Somebody else was setting it up at this very moment, unless it is refused again.
            refused = f": {error.reason}"
    raise StoreError(f"The spreadsheet could not be set up{refused}.", "Try again.")


def renew(service: Service, statuses: Sequence[str]) -> None:
    """Refresh drop-downs, warnings and colours of a spreadsheet that is set up, for the `statuses` of the rules.
    Widths and formats that people have changed stay. Raises StoreError where Google does not take it."""
    refused = ""
    for _ in range(_TRIES):
        try:
            service.write(list(_renewing(service, statuses)))
            return
        except NoAnswer:
            # What is there now says what is still to do.
            continue
        except Rejected as error:
            refused = f": {error.reason}"
    raise StoreError(f"Drop-downs and colours could not be updated{refused}. Nothing else was changed.", "Try again.")


def _renewing(service: Service, statuses: Sequence[str]) -> Iterator[Request]:
    headings = service.values([TABS[kind].rows(0, 1) for kind in RECORDS])
    asked = (
        "sheets(properties(sheetId),conditionalFormats,protectedRanges(protectedRangeId,description,range),"
        "tables(range,columnProperties(columnIndex,columnType)))"
    )
    described = {sheet["properties"].get("sheetId", 0): sheet for sheet in service.describe(asked)["sheets"]}
    for kind, grid in zip(RECORDS, headings, strict=True):
        head, properties = heading(kind, grid.rows[0] if grid.rows else []), described.get(TABS[kind].sheet_id, {})
        free = _without_typed(head, properties.get("tables", ()))
        yield from formatting.renewed_amounts(free, _formats(service, free))
        yield from formatting.drop_downs(free, statuses)
        yield from formatting.renewed_guards(head, properties.get("protectedRanges", ()))
        yield from formatting.colours(head, statuses, properties.get("conditionalFormats", ()))


def _without_typed(head: Heading, tables: Sequence[Mapping[str, Any]]) -> Heading:
    """A heading without the columns whose type a table says (Format, Convert to table): Google lets nobody give those
    another format or a drop-down."""
    typed = {
        table["range"].get("startColumnIndex", 0) + column.get("columnIndex", 0)
        for table in tables
        for column in table.get("columnProperties", ())
        if column.get("columnType", "COLUMN_TYPE_UNSPECIFIED") != "COLUMN_TYPE_UNSPECIFIED"
    }
    return dataclasses.replace(head, positions={name: at for name, at in head.positions.items() if at not in typed})


_FORMATS = "sheets(data(rowData(values(userEnteredFormat(numberFormat)))))"


def _formats(service: Service, head: Heading) -> Mapping[int, Any]:
    """The number formats of the columns with amounts, by column, as the first row below the heading has them."""
    if not formatting.amounts(head):
        return {}
    answer = service.look([TABS[head.kind].rows(0, 2)], _FORMATS)
    _, *below = answer["sheets"][0]["data"][0].get("rowData") or [{}]
    cells = below[0].get("values", ()) if below else ()
    return {at: cell.get("userEnteredFormat", {}).get("numberFormat") for at, cell in enumerate(cells)}


def _requests(titles: set[str], first_records: Sequence[Record], at: datetime, home: str) -> list[Request]:
    stored = _numbered(first_records, at)
    last = {
        TABLES[kind].name: max((record.id for record in stored if type(record) is kind), default=0) for kind in RECORDS
    }
    state = State(revision=NEW_REVISION, uid=new_id(), last=last, home=home)
    statuses = [rule.status for rule in stored if isinstance(rule, StatusRule)]
    requests = [add_tab(tab, titles) for tab in ALL_TABS]
    requests.append(cells_request(META.sheet_id, 0, 0, state.rows()))
    requests.append(cells_request(HISTORY.sheet_id, 0, 0, [list(HISTORY_COLUMNS)]))
    for kind in RECORDS:
        rows = [cells.row_of(record)[: len(columns(kind))] for record in stored if type(record) is kind]
        requests.append(cells_request(TABS[kind].sheet_id, 0, 0, [new_heading(kind), *rows]))
        requests += formatting.looks(heading(kind, new_heading(kind)), statuses)
    requests.append(add_marker(state))
    return requests


def _tabs(tabs: Sequence[Tab], titles: set[str]) -> Iterator[Request]:
    """New tabs without records."""
    for kind, tab in TABS.items():
        if tab in tabs:
            yield add_tab(tab, titles)
            yield cells_request(tab.sheet_id, 0, 0, [new_heading(kind)])
            yield from formatting.looks(heading(kind, new_heading(kind)))


def _numbered(records: Sequence[Record], at: datetime) -> list[Record]:
    """The first records as they are stored: numbered by kind."""
    last: dict[type[Record], int] = {}
    stored = []
    for record in records:
        last[type(record)] = last.get(type(record), 0) + 1
        stored.append(dataclasses.replace(record, id=last[type(record)], created_at=at, updated_at=at, version=1))
    return stored


def add_tab(tab: Tab, taken: set[str], title: str = "") -> Request:
    """Add an empty tab of ours, with a title of its own unless given."""
    properties: dict[str, Any] = {"sheetId": tab.sheet_id, "title": title or free_title(tab.title, taken)}
    kind = next((kind for kind, known in TABS.items() if known is tab), None)
    if kind is not None:
        properties |= {
            "gridProperties": formatting.grid_of(kind),
            "tabColorStyle": {"rgbColor": dict(formatting.tab_colour(kind))},
        }
    elif tab is BEFORE:
        properties["gridProperties"] = dict(zip(("rowCount", "columnCount"), _BEFORE_GRID, strict=True))
    else:
        wide = len(HISTORY_COLUMNS) if tab is HISTORY else META_COLUMNS
        rows = 10 if tab is META else _ROWS
        properties["gridProperties"] = {"rowCount": rows, "columnCount": wide, "frozenRowCount": 1}
    if tab.hidden:
        properties["hidden"] = True
    return {"addSheet": {"properties": properties}}


def free_title(title: str, taken: set[str]) -> str:
    """The title, or one like it that no tab has yet; titles are alike whatever their case."""
    known = {title.casefold() for title in taken}
    free, number = title, 1
    while free.casefold() in known:
        number += 1
        free = f"{title} (CRM)" if number == 2 else f"{title} (CRM {number})"
    return free
