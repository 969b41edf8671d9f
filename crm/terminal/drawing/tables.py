"""Tables that fit: the columns that matter least give way, and what is too long ends in a dot line."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from crm.commands.data.change_details import RecordChange
from crm.commands.data.settings import SettingShown
from crm.commands.matching import Found
from crm.model import Client, Conventions, Sale, StatusRule, View
from crm.repository import Finding, HistoryEntry, StatusMove
from crm.terminal.drawing.screen import Screen, data, status_style

_GAP = 2
_WIDEST = 60


@dataclass(frozen=True, slots=True)
class Column:
    """A column: the higher its `rank`, the sooner it gives way. It may be cut down to `least`; without
    one it is never cut, since half an amount is none. What `wraps` goes on in further lines instead of being cut."""

    title: str
    text: Callable[[Any, Conventions], Text]
    rank: int
    least: int | None = None
    right: bool = False
    wraps: bool = False


def fitted(
    columns: Sequence[Column], rows: Sequence[Sequence[Text]], width: int, measure: Callable[[str], int] = cell_len
) -> dict[int, int]:
    """The columns that there is room for, by place, with their widths."""
    wanted = {
        at: min(
            width if column.wraps else _WIDEST,
            max([measure(column.title), *(measure(row[at].plain) for row in rows)]),
        )
        for at, column in enumerate(columns)
    }
    if rows:
        wanted = {at: size for at, size in wanted.items() if any(row[at].plain for row in rows)}
    least = {at: min(size, columns[at].least or size) for at, size in wanted.items()}
    for at in sorted(wanted, key=lambda at: -columns[at].rank):
        if sum(least[each] for each in wanted) + _GAP * (len(wanted) - 1) <= width or len(wanted) == 1:
            break
        del wanted[at]
    while (over := sum(wanted.values()) + _GAP * (len(wanted) - 1) - width) > 0:
        # What can give most gives first, so that no column is cut much more than another.
        most = max(wanted, key=lambda at: (wanted[at] - least[at], columns[at].rank))
        spare = wanted[most] - least[most]
        if spare <= 0:
            wanted[most] = max(1, wanted[most] - over)
            break
        wanted[most] -= max(1, min(spare, over) // 2)
    return wanted


def table(columns: Sequence[Column], records: Sequence[Any], by: Conventions, width: int) -> Table:
    """Records as a table of at most `width` columns of the terminal."""
    rows = [[column.text(record, by) for column in columns] for record in records]
    sizes = fitted(columns, rows, width)
    drawn = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, header_style="dim")
    for at, size in sizes.items():
        drawn.add_column(
            columns[at].title,
            width=size,
            no_wrap=not columns[at].wraps,
            overflow="fold" if columns[at].wraps else "ellipsis",
            justify="right" if columns[at].right else "left",
        )
    for row in rows:
        drawn.add_row(*(row[at] for at in sizes))
    return drawn


def lines(
    screen: Screen, columns: Sequence[Column], records: Sequence[Any], by: Conventions, width: int
) -> tuple[str, list[str]]:
    """The heads, and the records as the lines that one chooses from, of at most `width` columns of the terminal."""
    rows = [[column.text(record, by) for column in columns] for record in records]
    sizes = fitted(columns, rows, width, screen.measure)

    def line(cells: Mapping[int, str]) -> str:
        pieces = []
        for at, size in sizes.items():
            cell = screen.fit(cells[at], size)
            blank = " " * (size - screen.measure(cell))
            pieces.append(blank + cell if columns[at].right else cell + blank)
        return (" " * _GAP).join(pieces).rstrip()

    head = line({at: columns[at].title for at in sizes})
    return head, [line({at: row[at].plain for at in sizes}) for row in rows]


def _status(status: str) -> Text:
    return data(status, status_style(status))


def _number(record_id: int) -> Text:
    """The number of a record; one that is not stored yet has none."""
    return data(record_id if record_id > 0 else "", "dim")


def _undone(entry: HistoryEntry) -> Text:
    told = f"undone by {entry.undone_by}" if entry.undone_by else f"undoes {entry.undoes}" if entry.undoes else ""
    return data(told, "dim")


def _of_client(column: Column) -> Column:
    """The same column of what a search found."""
    return replace(column, text=lambda each, by: column.text(each.client, by))


CLIENTS: Sequence[Column] = (
    Column("No.", lambda each, _: _number(each.id), 3, right=True),
    Column("Name", lambda each, _: data(each.name), 0, 11),
    Column("Company", lambda each, _: data(each.company if each.kind == "person" else ""), 6, 12),
    Column("Status", lambda each, _: _status(each.status), 1, 9),
    Column("Spent", lambda each, by: data(by.money(each.total_spend)), 2, right=True),
    Column("E-mail", lambda each, _: data(each.email), 5, 18),
    Column("City", lambda each, _: data(each.city), 7, 8),
    Column("Last sale", lambda each, by: data(by.day(each.last_sale_on)), 4),
    Column("Tags", lambda each, _: data(", ".join(each.tags)), 8, 8),
    Column("Next follow-up", lambda each, by: data(by.day(each.next_follow_up_on)), 9),
    Column("Last contact", lambda each, by: data(by.day(each.last_contact_on)), 10),
)
FOUND: Sequence[Column] = (
    *(_of_client(column) for column in CLIENTS),
    Column("Through", lambda each, _: data(each.through, "bold"), 1, 8),
)
SALES: Sequence[Column] = (
    Column("No.", lambda each, _: _number(each.id), 2, right=True),
    Column("Date", lambda each, by: data(by.day(each.on)), 0),
    Column("Client", lambda each, _: data(each.client), 3, 12, right=True),
    Column("Amount", lambda each, by: data(by.money(each.amount)), 1, right=True),
    Column("Note", lambda each, _: data(each.note), 4, 10),
)
RULES: Sequence[Column] = (
    Column("", lambda each, _: data(f"{each.position}.", "dim"), 2, right=True),
    Column("Status", lambda each, _: _status(each.status), 0, 7),
    Column("When", lambda each, _: data(each.when or "otherwise"), 1, 12),
    Column("", lambda each, _: Text("" if each.active else "off", "yellow"), 3),
)
VIEWS: Sequence[Column] = (
    Column("Name", lambda each, _: data(each.name, "bold"), 0, 8),
    Column("Condition", lambda each, _: data(each.condition), 1, 12),
    Column("Sort", lambda each, _: data(each.sort), 2, 6),
)
HISTORY: Sequence[Column] = (
    Column("No.", lambda each, _: data(each.id, "dim"), 0, right=True),
    Column("When", lambda each, by: data(by.time(each.at)), 3),
    Column("Who", lambda each, _: data(each.user), 5, 5),
    Column("What", lambda each, _: data(each.what), 1, 16),
    Column("Records", lambda each, by: data(by.number(each.changes)), 4, right=True),
    Column("", lambda each, _: _undone(each), 2),
)
SETTINGS: Sequence[Column] = (
    Column("Setting", lambda each, _: data(each.label), 1, 8),
    Column("Value", lambda each, _: data(each.value, "bold"), 0, 6),
    Column("", lambda each, _: data(each.description, "dim"), 2, 16),
)
MOVES: Sequence[Column] = (
    Column("No.", lambda each, _: data(each.client, "dim"), 4, right=True),
    Column("Client", lambda each, _: data(each.name), 0, 8),
    Column("From", lambda each, _: _status(each.before), 1, 5),
    Column("To", lambda each, _: _status(each.after), 2, 5),
    Column("Because", lambda each, _: data(each.reason, "dim"), 5, 16),
)
FINDINGS: Sequence[Column] = (
    Column("What", lambda each, _: data(each.what), 0, 20),
    Column("How to mend it", lambda each, _: data(each.how_to_mend, "dim"), 1, 16),
)
FIGURES: Sequence[Column] = (
    Column("What", lambda each, _: data(each.name), 0, 16),
    Column("Here", lambda each, by: data(_figure(each.source, by)), 0, right=True),
    Column(
        "There",
        lambda each, by: data(_figure(each.copy, by), "" if each.copy == each.source else "bold red"),
        0,
        right=True,
    ),
)
CHANGES: Sequence[Column] = (
    Column("Record", lambda each, _: data(f"{each.record} {each.id}"), 0, 8),
    Column("", lambda each, _: data({"create": "added", "delete": "deleted"}.get(each.operation, "changed")), 1),
    Column("What", lambda each, _: data(changed(each), "dim"), 2, 14),
)

# A list is shown by the columns of what is in it.
COLUMNS: dict[type, Sequence[Column]] = {
    Client: CLIENTS,
    Found: FOUND,
    Sale: SALES,
    StatusRule: RULES,
    View: VIEWS,
    HistoryEntry: HISTORY,
    SettingShown: SETTINGS,
    StatusMove: MOVES,
    Finding: FINDINGS,
    RecordChange: CHANGES,
}


def _figure(value: int | Decimal, by: Conventions) -> str:
    return by.money(value) if isinstance(value, Decimal) else by.number(value)


def changed(record: RecordChange) -> str:
    """What was done to the fields of a record, in short; of one that was deleted its name."""
    if record.operation == "delete":
        return record.name
    return "; ".join(f"{each.label}: {each.was or '—'} → {each.now or '—'}" for each in record.fields)
