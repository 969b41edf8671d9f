"""The content of a spreadsheet: its sheets, names and properties. A change is made on a copy, then put in place."""

import random
from dataclasses import dataclass, field
from typing import Any

from . import a1
from .a1 import Area
from .refusals import Invalid
from .sheet import Sheet
from .shifts import Json, Shift, shifted

MOST_CELLS = 10_000_000
WHITE = {"red": 1, "green": 1, "blue": 1}
DEFAULT_FORMAT: Json = {
    "backgroundColor": WHITE,
    "padding": {"top": 2, "right": 3, "bottom": 2, "left": 3},
    "verticalAlignment": "BOTTOM",
    "wrapStrategy": "OVERFLOW_CELL",
    "textFormat": {
        "foregroundColor": {},
        "fontFamily": "arial,sans,sans-serif",
        "fontSize": 10,
        "bold": False,
        "italic": False,
        "strikethrough": False,
        "underline": False,
        "foregroundColorStyle": {"rgbColor": {}},
    },
    "backgroundColorStyle": {"rgbColor": WHITE},
}
ACCENTS: tuple[tuple[str, Json], ...] = (
    ("TEXT", {}),
    ("BACKGROUND", WHITE),
    ("ACCENT1", {"red": 0.25882354, "green": 0.52156866, "blue": 0.95686275}),
    ("ACCENT2", {"red": 0.91764706, "green": 0.2627451, "blue": 0.20784314}),
    ("ACCENT3", {"red": 0.9843137, "green": 0.7372549, "blue": 0.015686275}),
    ("ACCENT4", {"red": 0.20392157, "green": 0.65882355, "blue": 0.3254902}),
    ("ACCENT5", {"red": 1, "green": 0.42745098, "blue": 0.003921569}),
    ("ACCENT6", {"red": 0.27450982, "green": 0.7411765, "blue": 0.7764706}),
    ("LINK", {"red": 0.06666667, "green": 0.33333334, "blue": 0.8}),
)
THEME: Json = {
    "primaryFontFamily": "Arial",
    "themeColors": [{"colorType": kind, "color": {"rgbColor": rgb}} for kind, rgb in ACCENTS],
}


def new_id() -> int:
    """An id for something new, as the service makes them."""
    return random.randrange(1, 2**31 - 1)


@dataclass
class Book:
    """The content of a spreadsheet at one moment."""

    properties: Json
    sheets: list[Sheet]
    named: list[Json] = field(default_factory=list)
    metadata: list[Json] = field(default_factory=list)
    # What the service does with tables, where the documents leave it open: see batch_tables.
    table_modes: frozenset[str] = frozenset()
    # What was read of it, which stays so until another book takes its place.
    reads: dict[Any, Json] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def new(cls, title: str, locale: str = "en_US", time_zone: str = "Etc/GMT") -> "Book":
        """A new spreadsheet with one sheet."""
        properties = {
            "title": title,
            "locale": locale,
            "autoRecalc": "ON_CHANGE",
            "timeZone": time_zone,
            "defaultFormat": DEFAULT_FORMAT,
            "spreadsheetTheme": THEME,
        }
        return cls(properties, [Sheet(0, "Sheet1")])

    def copy(self) -> "Book":
        """The same content, to be changed without this one being changed."""
        sheets = [sheet.copy() for sheet in self.sheets]
        return Book(dict(self.properties), sheets, list(self.named), list(self.metadata), self.table_modes)

    @property
    def locale(self) -> str:
        """The place whose habits decide how dates and numbers are read."""
        return str(self.properties["locale"])

    def sheet(self, id: int | None) -> Sheet:
        """The sheet with an id."""
        for sheet in self.sheets:
            if sheet.id == (id or 0):
                return sheet
        raise Invalid(f"No grid with id: {id or 0}")

    def titled(self, title: str) -> Sheet | None:
        """The sheet with a title, in capitals or not."""
        return next((sheet for sheet in self.sheets if sheet.title.casefold() == title.casefold()), None)

    def name(self, name: str) -> Json | None:
        """The named range with a name, in capitals or not."""
        return next((named for named in self.named if named["name"].casefold() == name.casefold()), None)

    def found(self, text: str) -> tuple[Sheet, Area, bool]:
        """The sheet and area that a text in A1 notation or a name means, and whether it names no more than a sheet."""
        title, rest = a1.split(text)
        sheet = self.titled(title) if title is not None else None
        if title is not None and sheet is None:
            raise Invalid(f"Unable to parse range: {text}")
        if title is None and (whole := self.titled(text)) is not None and a1.bounds(text) is None:
            return whole, whole.area, True
        if sheet is not None and not rest:
            return sheet, sheet.area, True
        named = self.name(rest)
        if named is not None and "range" in named:
            owner = self.sheet(named["range"].get("sheetId"))
            return owner, owner.within(named["range"]), False
        sides = a1.bounds(rest)
        if sides is None:
            whole = self.titled(text) if title is None else None
            if whole is not None:
                return whole, whole.area, True
            raise Invalid(f"Unable to parse range: {text}")
        sheet = sheet or self.sheets[0]
        clipped = dict(sides)
        for side, most in (("endRowIndex", sheet.row_count), ("endColumnIndex", sheet.column_count)):
            if clipped.get(side, 0) > most and clipped.get(side.replace("end", "start"), 0) < most:
                clipped[side] = most
        try:
            return sheet, a1.within(clipped, sheet.row_count, sheet.column_count), False
        except Invalid:
            top, left = sides.get("startRowIndex", 0), sides.get("startColumnIndex", 0)
            bottom, right = sides.get("endRowIndex", top + 1), sides.get("endColumnIndex", left + 1)
            what = a1.shown(sheet.title, Area(top, bottom, left, right))
            raise Invalid(
                f"Range ({what}) exceeds grid limits. Max rows: {sheet.row_count}, max columns: {sheet.column_count}"
            ) from None

    def add(self, sheet: Sheet, index: int | None) -> None:
        """Put a new sheet among the others; its id and title must be free."""
        self.refuse_title(sheet.title)
        if any(other.id == sheet.id for other in self.sheets):
            raise Invalid(f"A sheet with the id {sheet.id} already exists. Please enter another ID.")
        self.sheets.insert(len(self.sheets) if index is None else index, sheet)

    def refuse_title(self, title: str, owner: Sheet | None = None) -> None:
        """Refuse a title that another sheet has."""
        other = self.titled(title)
        if other is not None and other is not owner:
            raise Invalid(f'A sheet with the name "{title}" already exists. Please enter another name.')

    def free_id(self) -> int:
        """An id that no sheet has."""
        taken = {sheet.id for sheet in self.sheets}
        while (id := new_id()) in taken:
            pass
        return id

    def remove(self, sheet: Sheet) -> None:
        """Delete a sheet; the names of its ranges stay and mean nothing."""
        if not any(not other.hidden for other in self.sheets if other is not sheet):
            raise Invalid("You can't remove all the visible sheets in a document.")
        self.sheets.remove(sheet)
        self.named = [
            {key: value for key, value in named.items() if key != "range"}
            if named.get("range", {}).get("sheetId", 0) == sheet.id and "range" in named
            else named
            for named in self.named
        ]

    def insert(self, sheet: Sheet, dimension: str, at: int, count: int, like: int | None = None) -> None:
        """Insert empty rows or columns into a sheet; the named ranges follow."""
        self._shift_names(sheet, dimension, sheet.insert(dimension, at, count, like))

    def delete(self, sheet: Sheet, dimension: str, first: int, last: int) -> None:
        """Delete rows or columns of a sheet; the named ranges follow."""
        self._shift_names(sheet, dimension, sheet.delete(dimension, first, last))

    def move(self, sheet: Sheet, dimension: str, first: int, last: int, to: int) -> None:
        """Put rows or columns of a sheet before another one; the named ranges follow."""
        self._shift_names(sheet, dimension, sheet.move(dimension, first, last, to))

    def resize(self, sheet: Sheet, dimension: str, wanted: int) -> None:
        """Give a sheet that many rows or columns: cells beyond them are gone."""
        have = sheet.count(dimension)
        if wanted <= 0:
            raise Invalid(f"You can't delete all the {dimension.lower()} on the sheet.")
        if wanted < have:
            self.delete(sheet, dimension, wanted, have)
        elif dimension == "ROWS":
            sheet.row_count = wanted
        else:
            sheet.column_count = wanted

    def _shift_names(self, sheet: Sheet, dimension: str, shift: Shift) -> None:
        self.named = [self._followed(named, sheet, dimension, shift) for named in self.named]

    @staticmethod
    def _followed(named: Json, sheet: Sheet, dimension: str, shift: Shift) -> Json:
        given: Any = named.get("range")
        if given is None or given.get("sheetId", 0) != sheet.id:
            return named
        left = shifted(given, dimension, shift)
        if left is None:
            return {key: value for key, value in named.items() if key != "range"}
        return {**named, "range": left}

    @property
    def protected(self) -> bool:
        """True if somebody protects a sheet from the account."""
        return any(sheet.protected for sheet in self.sheets)

    def refuse_protected(self, before: "Book") -> None:
        """Refuse a change of what somebody protects from the account."""
        now = {sheet.id: sheet for sheet in self.sheets}
        for old in before.sheets:
            new = now.get(old.id)
            if old.protected and (new is None or new.rows != old.rows or new.area != old.area):
                raise Invalid(
                    "You are trying to edit a protected cell or object. Please contact the spreadsheet owner to "
                    "remove protection if you need to edit."
                )

    def refuse_size(self) -> None:
        """Refuse more cells than a spreadsheet may have."""
        if sum(sheet.row_count * sheet.column_count for sheet in self.sheets) > MOST_CELLS:
            raise Invalid(
                f"This action would increase the number of cells in the workbook above the limit of {MOST_CELLS} cells."
            )
