"""Tables that fit: the columns that matter least give way, and what is too long ends in a dot line."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from crm.model import Conventions
from crm.terminal.drawing.screen import Screen, data
from crm.terminal.drawing.theme import status_style

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


# The columns of a list by module and name of the type that is in it, which need not be loaded for it; each subject says
# those of its own in its `rendering`.
COLUMNS: dict[str, Sequence[Column]] = {}


def qualified_name(kind: type) -> str:
    """A type by its module and name."""
    return f"{kind.__module__}.{kind.__qualname__}"


def fitted(
    columns: Sequence[Column], rows: Sequence[Sequence[Text]], width: int, measure: Callable[[str], int] = cell_len
) -> dict[int, int]:
    """The columns that there is room for, by place, with their widths."""
    sizes = {
        at: min(
            width if column.wraps else _WIDEST,
            max([measure(column.title), *(measure(row[at].plain) for row in rows)]),
        )
        for at, column in enumerate(columns)
    }
    if rows:
        sizes = {at: size for at, size in sizes.items() if any(row[at].plain for row in rows)}
    least = {at: min(size, columns[at].least or size) for at, size in sizes.items()}
    for at in sorted(sizes, key=lambda at: -columns[at].rank):
        if sum(least[place] for place in sizes) + _GAP * (len(sizes) - 1) <= width or len(sizes) == 1:
            break
        del sizes[at]
    while (over := sum(sizes.values()) + _GAP * (len(sizes) - 1) - width) > 0:
        # What can give most gives first, so that no column is cut much more than another.
        most = max(sizes, key=lambda at: (sizes[at] - least[at], columns[at].rank))
        spare = sizes[most] - least[most]
        if spare <= 0:
            sizes[most] = max(1, sizes[most] - over)
            break
        sizes[most] -= max(1, min(spare, over) // 2)
    return sizes


def table(columns: Sequence[Column], records: Sequence[Any], by: Conventions, width: int) -> Table:
    """Records as a table of at most `width` columns of the terminal."""
    rows = [[column.text(record, by) for column in columns] for record in records]
    sizes = fitted(columns, rows, width)
    drawn = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, header_style="muted")
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


def status(value: str) -> Text:
    """A status in its colour."""
    return data(value, status_style(value))


def number(record_id: int) -> Text:
    """The number of a record; one that is not stored yet has none."""
    return data(record_id if record_id > 0 else "", "muted")
