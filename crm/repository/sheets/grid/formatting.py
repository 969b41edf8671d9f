"""Formatting of a tab: heading, widths, formats, drop-downs, colours, and what is hidden or protected."""

import dataclasses
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from crm.model import Client, Record, fields
from crm.model.fields import Amount, Choice, Day, Flag, Id, Whole
from crm.repository.sheets.grid.layout import TABS, GridRange, Heading, columns, runs

Request = dict[str, Any]
Colour = Mapping[str, float]

# A warning of ours is distinguished from one that somebody else has put on the same cells by how it begins.
GUARD = "CRM: "
_GUARDS = {
    "program": GUARD + "the program keeps this itself. Changes here are not read, and Check lists them.",
    "heading": GUARD + "the program finds its columns by these headings. You can move them, but not rename them.",
}


def _rgb(code: str) -> Colour:
    return {name: int(code[at : at + 2], 16) / 255 for name, at in (("red", 0), ("green", 2), ("blue", 4))}


_HEADING = _rgb("eef1f5")
# Light enough for black letters on them. Gold is for the best.
_GOLD = _rgb("ffe08a")
_PALETTE = tuple(map(_rgb, ("cfe8d5", "cfe2f3", "f6d5c9", "e3d7ee", "d0ebe8", "f3e3c3", "dfe5ea", "f2d3df")))

# In pixels; everything else is as wide as a name.
_WIDTHS: Mapping[str, int] = {
    "id": 55,
    "client": 60,
    "position": 70,
    "amount": 100,
    "total_spend": 110,
    "sales_count": 60,
    "kind": 85,
    "active": 75,
    "marketing_consent": 90,
    "country": 70,
    "region": 90,
    "postcode": 80,
    "company": 180,
    "email": 210,
    "phone": 135,
    "address": 180,
    "tags": 150,
    "notes": 260,
    "note": 260,
    "status_reason": 260,
    "when": 380,
    "condition": 380,
    "value": 200,
    "tiles": 380,
    "created_at": 180,
    "updated_at": 180,
}
_WIDTH = 115
# What people rarely look at, beside the columns that every record has.
_HIDDEN_OF_ALL = frozenset(("owner_id", "user_id", "created_at", "updated_at", "version"))
# A person chooses these, though the rules set them.
_CHOSEN = frozenset(("status", "status_pinned_until"))
# All decimals of an amount are shown, whatever the currency. Older versions showed two.
_MONEY = (("type", "NUMBER"), ("pattern", "#,##0.00##"))
_ROUNDED_MONEY = {"type": "NUMBER", "pattern": "#,##0.00"}
_NUMBERS = frozenset(("id", "owner_id", "user_id"))


def tab_colour(kind: type[Record]) -> Colour:
    """The colour of a tab of records."""
    return _rgb(kind.about.tab.colour)


def looks(head: Heading, statuses: Sequence[str] = (), only: Collection[str] | None = None) -> Iterator[Request]:
    """The looks of a new tab, or of new columns in one: those that `only` names by their fields."""
    places = {name: at for name, at in head.positions.items() if only is None or name in only}
    some = dataclasses.replace(head, positions=places)
    yield from dressed(some)
    yield from drop_downs(some, statuses)
    yield from guards(some)
    yield from colours(some, statuses)


def dressed(head: Heading) -> Iterator[Request]:
    """The heading of a tab, and how wide its columns are and how they show what is in them. The formats are those of
    all rows that there are."""
    places = head.positions
    sheet = TABS[head.kind].sheet_id
    bold = {"textFormat": {"bold": True}, "backgroundColorStyle": {"rgbColor": _HEADING}}
    for first, count in runs(list(places.values())):
        cells = _range(sheet, first, first + count) | {"startRowIndex": 0, "endRowIndex": 1}
        yield _repeat(cells, bold, "userEnteredFormat(textFormat.bold,backgroundColorStyle)")
    for width, at in _grouped(places, lambda name: _WIDTHS.get(name, _WIDTH)):
        yield from _columns_as(sheet, at, {"pixelSize": width}, "pixelSize")
    hidden = [at for name, at in places.items() if name in _HIDDEN_OF_ALL.union(head.kind.about.tab.hidden_columns)]
    yield from _columns_as(sheet, hidden, {"hiddenByUser": True}, "hiddenByUser")
    for style, at in _grouped(places, lambda name: _style(head.kind, name)):
        look: Request = {"wrapStrategy": "CLIP"} | ({"numberFormat": dict(style)} if style else {})
        for first, count in runs(at):
            yield _repeat(_range(sheet, first, first + count), look, "userEnteredFormat(numberFormat,wrapStrategy)")


def amounts(head: Heading) -> Mapping[str, int]:
    """The columns of a tab that hold amounts, by the name of their field."""
    known = fields(head.kind)
    return {name: at for name, at in head.positions.items() if name in known and isinstance(known[name].check, Amount)}


def typed_amounts(head: Heading) -> Mapping[str, int]:
    """The columns of amounts that people type, by field; others follow from these."""
    return {name: at for name, at in amounts(head).items() if fields(head.kind)[name].by == "person"}


def renewed_amounts(head: Heading, formats: Mapping[int, Any]) -> Iterator[Request]:
    """The number format of amounts, for columns that still have one of older versions; `formats` has the number
    formats that there are, by column."""
    for name, at in amounts(head).items():
        style = dict(_style(head.kind, name))
        if formats.get(at) in (_ROUNDED_MONEY, dict(_MONEY)) and formats.get(at) != style:
            cells = _range(TABS[head.kind].sheet_id, at, at + 1)
            yield _repeat(cells, {"numberFormat": style} if style else {}, "userEnteredFormat.numberFormat")


def _style(kind: type[Record], name: str) -> tuple[tuple[str, str], ...]:
    """The number format of a column. What is text stays as it is typed: 0049… keeps its zeros, 1-2 is no date."""
    check = fields(kind)[name].check if name in fields(kind) else None
    match check:
        case Day():
            # Without a pattern: as the spreadsheet's own country writes it.
            return (("type", "DATE"),)
        case Amount():
            # Where people type, none: in a cell that has one, nothing shows that 1/5/2026 or 15% was typed.
            return () if fields(kind)[name].by == "person" else _MONEY
        case Whole() | Id():
            return (("type", "NUMBER"), ("pattern", "0"))
        case Flag():
            return ()
    return (("type", "NUMBER"), ("pattern", "0")) if name in _NUMBERS else (("type", "TEXT"),)


def drop_downs(head: Heading, statuses: Sequence[str]) -> Iterator[Request]:
    """The drop-down list of a column, in place of the one before. Anything else gets a warning in the spreadsheet and
    is never refused there: the program checks it itself."""
    sheet = TABS[head.kind].sheet_id
    for name, at in head.positions.items():
        described = fields(head.kind).get(name)
        if head.kind is Client and name == "status":
            condition = _one_of(statuses)
        elif described is not None and isinstance(described.check, Choice):
            condition = _one_of(list(described.check.options))
        elif described is not None and isinstance(described.check, Flag):
            # No boxes to tick: an empty row with one in it would count as filled.
            condition = _one_of(["TRUE", "FALSE"])
        elif described is not None and isinstance(described.check, Day) and described.by != "facts":
            condition = {"type": "DATE_IS_VALID"}
        else:
            continue
        request: Request = {"range": _range(sheet, at, at + 1)}
        if condition is not None:
            request["rule"] = {"condition": condition, "strict": False, "showCustomUi": True}
        yield {"setDataValidation": request}


def _one_of(values: Sequence[str]) -> Request | None:
    listed = [{"userEnteredValue": value} for value in dict.fromkeys(values) if value]
    return {"type": "ONE_OF_LIST", "values": listed} if listed else None


def guards(head: Heading) -> Iterator[Request]:
    """Warnings before somebody writes over a heading, or over what the program keeps itself."""
    sheet = TABS[head.kind].sheet_id
    described = fields(head.kind)
    own = [
        at
        for name, at in head.positions.items()
        if name not in described or (described[name].by != "person" and name not in _CHOSEN)
    ]
    ranges = [("program", _range(sheet, first, first + count)) for first, count in runs(own)]
    ranges += [
        ("heading", _range(sheet, first, first + count) | {"startRowIndex": 0, "endRowIndex": 1})
        for first, count in runs(list(head.positions.values()))
    ]
    for why, cells in ranges:
        guard = {"range": cells, "description": _GUARDS[why], "warningOnly": True}
        yield {"addProtectedRange": {"protectedRange": guard}}


def renewed_guards(head: Heading, existing: Iterable[Mapping[str, Any]]) -> Iterator[Request]:
    """The same in place of the `existing` ones; what others guard stays as it is."""
    for row in existing:
        if str(row.get("description", "")).startswith(GUARD):
            yield {"deleteProtectedRange": {"protectedRangeId": row["protectedRangeId"]}}
    yield from guards(head)


def colours(head: Heading, statuses: Sequence[str], existing: Sequence[Mapping[str, Any]] = ()) -> Iterator[Request]:
    """A colour for each status that has none yet. `existing` are the tab's colours as they are: those that people have
    chosen stay, and those of statuses that no rule gives any more go."""
    at = head.positions.get("status")
    if head.kind is not Client or at is None:
        return
    spellings = {_compared(status): status for status in dict.fromkeys(statuses) if status}
    about = [_status_of(rule, at) for rule in existing]
    obsolete = [place for place, status in enumerate(about) if status is not None and status not in spellings]
    for place in reversed(obsolete):
        yield {"deleteConditionalFormatRule": {"sheetId": TABS[Client].sheet_id, "index": place}}
    # What everybody has where no other rule fits needs no colour.
    common = list(spellings)[-1] if len(spellings) > 1 else ""
    new = [status for status in spellings if status not in about and status != common]
    for place, status in enumerate(new, start=len(existing) - len(obsolete)):
        rule = {
            "ranges": [_range(TABS[Client].sheet_id, at, at + 1)],
            "booleanRule": {
                "condition": {"type": "TEXT_EQ", "values": [{"userEnteredValue": status}]},
                "format": {
                    "backgroundColorStyle": {"rgbColor": _colour_of(spellings[status])},
                    "textFormat": {"bold": True},
                },
            },
        }
        yield {"addConditionalFormatRule": {"rule": rule, "index": place}}


def _status_of(rule: Mapping[str, Any], at: int) -> str | None:
    """The status that a colour is for, as its condition names it; None where it is for something else."""
    condition = rule.get("booleanRule", {}).get("condition", {})
    ranges = rule.get("ranges", [])
    inside = ranges and all(
        (range_.get("startColumnIndex"), range_.get("endColumnIndex")) == (at, at + 1) for range_ in ranges
    )
    values = condition.get("values", [])
    if not inside or condition.get("type") != "TEXT_EQ" or len(values) != 1:
        return None
    return str(values[0].get("userEnteredValue", ""))


def _compared(status: str) -> str:
    """A status as a condition names it: one that would be read as a formula or a number is put into a formula."""
    if status[0].isalpha():
        return status
    quoted = status.replace('"', '""')
    return f'="{quoted}"'


def _colour_of(status: str) -> Colour:
    """The same colour for the same status each time; gold for the best."""
    if status.casefold() == "vip":
        return _GOLD
    return _PALETTE[sum(map(ord, status.casefold())) % len(_PALETTE)]


def continued(sheet: int, wide: int, first: int, end: int) -> Request:
    """Format the rows from `first` on, `end` not included, like the one above them, whatever is in them: nobody says
    that Google does so by itself where a grid grows."""
    columns = {"sheetId": sheet, "startColumnIndex": 0, "endColumnIndex": wide}
    return {
        "copyPaste": {
            "source": {**columns, "startRowIndex": first - 1, "endRowIndex": first},
            "destination": {**columns, "startRowIndex": first, "endRowIndex": end},
            "pasteType": "PASTE_FORMAT",
        }
    }


def _range(sheet: int, first: int, end: int) -> GridRange:
    """Some columns below the heading, down to the last row."""
    return {"sheetId": sheet, "startRowIndex": 1, "startColumnIndex": first, "endColumnIndex": end}


def _repeat(cells: GridRange, style: Mapping[str, Any], names: str) -> Request:
    return {"repeatCell": {"range": cells, "cell": {"userEnteredFormat": dict(style)}, "fields": names}}


def _columns_as(sheet: int, at: Sequence[int], properties: Mapping[str, Any], names: str) -> Iterator[Request]:
    for first, count in runs(at):
        span = {"sheetId": sheet, "dimension": "COLUMNS", "startIndex": first, "endIndex": first + count}
        yield {"updateDimensionProperties": {"range": span, "properties": dict(properties), "fields": names}}


def _grouped(places: Mapping[str, int], key: Any) -> Iterator[tuple[Any, list[int]]]:
    """The columns that are alike in something."""
    alike: dict[Any, list[int]] = {}
    for name, at in places.items():
        alike.setdefault(key(name), []).append(at)
    yield from alike.items()


def grid_of(kind: type[Record]) -> dict[str, int]:
    """The size of a new tab; it grows by itself, and new rows look like those above them."""
    return {"rowCount": kind.about.tab.rows, "columnCount": len(columns(kind)), "frozenRowCount": 1}
