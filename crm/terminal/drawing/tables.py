"""Tables that fit: the columns that matter least give way, and what is too long ends in a dot line."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.text import Text

from crm.lean_dataclass import dataclass
from crm.model import Conventions
from crm.terminal.drawing.list_conventions import ListConventions
from crm.terminal.drawing.screen import Screen, data
from crm.terminal.drawing.theme import status_style

if TYPE_CHECKING:
    from rich.table import Table

_GAP = 2
# The columns before a second line: the pointer and the key are there on the first.
_BELOW = 6
_WIDEST = 60
# What a record is known by keeps so much while a column of a higher rank than _NEEDED is there.
_KNOWN_BY = 22
_NEEDED = 3
NUMBER = "No."


@dataclass(frozen=True, slots=True)
class Column:
    """A column: the higher its `rank`, the sooner it gives way. It may be cut down to `least`; without one it is never
    cut, since half an amount is none. What `wraps` goes on in further lines instead of being cut. In a list a column of
    `money` has the sign of the currency in its heading; one with a `link` has the number of another record, which that
    field links to, and its name where names are known. Where a row takes two lines, without heads, a `word` is before
    the value, or a `unit` after a number: for one, and for several."""

    title: str
    text: Callable[[Any, Conventions], Text]
    rank: int
    least: int | None = None
    right: bool = False
    wraps: bool = False
    money: bool = False
    link: str = ""
    word: str = ""
    unit: tuple[str, str] | None = None


# The columns of a list by module and name of the type that is in it, which need not be loaded for it; each subject says
# those of its own in its `rendering`.
COLUMNS: dict[str, Sequence[Column]] = {}


# The names of linked records by their numbers, for each field that links to them.
Names = Mapping[str, Mapping[int, str]]


def client_column(rank: int) -> Column:
    """The client of a record, which knows no more than its number."""
    return link_column("client", "Client", rank)


def link_column(link: str, title: str, rank: int) -> Column:
    """The record that a field links to, of which the row knows no more than its number."""
    return Column(title, lambda row, _: data(getattr(row, link) or "", "muted"), rank, 8, link=link)


def with_names(columns: Sequence[Column], names: Names) -> Sequence[Column]:
    """Columns with the names of linked records in the place of their numbers."""

    def named(column: Column) -> Column:
        known = names.get(column.link)
        if not known:
            return column

        def name(row: Any, by: Conventions) -> Text:
            called = known.get(getattr(row, column.link))
            return data(called) if called else column.text(row, by)

        return replace(column, text=name)

    return [named(column) for column in columns]


def qualified_name(kind: type) -> str:
    """A type by its module and name."""
    return f"{kind.__module__}.{kind.__qualname__}"


@dataclass
class Layout:
    """The columns that the first page of a list has, by their titles: its other pages have the same."""

    titles: frozenset[str] = frozenset()


def fitted(
    columns: Sequence[Column],
    rows: Sequence[Sequence[Text]],
    width: int,
    measure: Callable[[str], int] = cell_len,
    *,
    keep: bool = False,
) -> dict[int, int]:
    """The columns that there is room for, by place, with their widths; where they are to be kept, all of them."""
    sizes = {
        at: min(
            width if column.wraps else _WIDEST,
            max([measure(column.title), *(measure(row[at].plain) for row in rows)]),
        )
        for at, column in enumerate(columns)
    }
    if rows and not keep:
        sizes = {at: size for at, size in sizes.items() if any(row[at].plain for row in rows)}
    least = {at: min(size, columns[at].least or size) for at, size in sizes.items()}
    known_by = {
        at: min(sizes[at], max(size, _KNOWN_BY)) if _is_known_by(columns[at]) else size for at, size in least.items()
    }

    def fit(cut: Mapping[int, int]) -> bool:
        return sum(cut[at] for at in sizes) + _GAP * (len(sizes) - 1) <= width or len(sizes) == 1

    for at in [] if keep else sorted(sizes, key=lambda at: -columns[at].rank):
        if fit(known_by if columns[at].rank > _NEEDED else least):
            continue
        del sizes[at]
    least = known_by if fit(known_by) else least
    while (over := sum(sizes.values()) + _GAP * (len(sizes) - 1) - width) > 0:
        # What can give most gives first, so that no column is cut much more than another.
        most = max(sizes, key=lambda at: (sizes[at] - least[at], columns[at].rank))
        spare = sizes[most] - least[most]
        if spare <= 0:
            sizes[most] = max(1, sizes[most] - over)
            break
        sizes[most] -= max(1, min(spare, over) // 2)
    return sizes


def giving_way(column: Column) -> Column:
    """A column as it is where there is little room: what says more than which record it is, and how much, goes before
    names are cut."""
    return replace(column, rank=column.rank + _NEEDED) if column.rank > 1 else column


def _is_known_by(column: Column) -> bool:
    """Return whether a column says what a record is: the name, what is to be done, who it is about."""
    return column.rank < _NEEDED and column.least is not None


def table(columns: Sequence[Column], records: Sequence[Any], by: Conventions, width: int) -> "Table":
    """Records as a table of at most `width` columns of the terminal."""
    from rich.table import Table

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


def table_width(columns: Sequence[Column], records: Sequence[Any], by: Conventions, width: int) -> int:
    """The columns of the terminal that a table takes."""
    sizes = fitted(columns, [[column.text(record, by) for column in columns] for record in records], width)
    return sum(sizes.values()) + _GAP * (len(sizes) - 1)


def comparison(titles: Sequence[str], rows: Sequence[Sequence[Text]]) -> "Table":
    """Values side by side, to be compared: below their titles, a row for each field, its name first."""
    from rich.table import Table

    drawn = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, header_style="muted")
    for title in titles:
        drawn.add_column(title, overflow="fold")
    for row in rows:
        drawn.add_row(*row)
    return drawn


# A line of a list: what it says, and the same in pieces, each with a token of the theme.
Line = tuple[str, Sequence[tuple[str, str]]]


def lines(
    screen: Screen,
    columns: Sequence[Column],
    records: Sequence[Any],
    by: ListConventions,
    width: int,
    layout: Layout | None = None,
) -> tuple[str, list[Line]]:
    """The heads, and the records as the lines that one chooses from, of at most `width` columns of the terminal. Where
    a `layout` says nothing yet, it says then which columns there are."""
    keep = layout is not None and bool(layout.titles)
    if layout is not None and keep:
        columns = [column for column in columns if column.title in layout.titles]
    rows = [cells(columns, record, by) for record in records]
    titles = [heading(column, by) for column in columns]
    sizes = fitted(
        [replace(column, title=title) for column, title in zip(columns, titles, strict=True)],
        rows,
        width,
        screen.measure,
        keep=keep,
    )
    if layout is not None:
        layout.titles = frozenset(columns[at].title for at in sizes)

    def line(row: Sequence[Text]) -> Line:
        pieces: list[tuple[str, str]] = []
        apart = ""
        for place, (at, size) in enumerate(sizes.items()):
            cell = styled(screen, row[at], size)
            blank = " " * (size - sum(screen.measure(text) for _, text in cell))
            before, after = (blank, "") if columns[at].right else ("", blank)
            apart += " " * _GAP * (place > 0) + before
            pieces += [("", apart), *cell] if apart else cell
            apart = after
        return "".join(text for _, text in pieces).rstrip(), pieces

    head, _ = line([Text(title) for title in titles])
    return head, [line(row) for row in rows]


def two_lines(
    screen: Screen, columns: Sequence[Column], records: Sequence[Any], by: ListConventions, width: int
) -> list[Line]:
    """The records on two lines each: what it is known by, and below it what else there is room for. A column that has
    no room below in one of them is beside the name in all of them."""
    order = sorted(range(len(columns)), key=lambda at: columns[at].rank)
    first = next((at for at in order if columns[at].least is not None), order[0])
    # A mark or a place, which has no heading of its own.
    before = [at for at in range(first) if not columns[at].title]
    # Here no heading has the sign of an amount.
    rows = [[_with_word(column, column.text(record, by)) for column in columns] for record in records]
    least = [[_least_of(screen, column, cell) for column, cell in zip(columns, row, strict=True)] for row in rows]
    below = [at for at in order if at != first and at not in before]
    beside: list[int] = []
    for row, sizes in zip(rows, least, strict=True):
        room = width
        for at in below:
            if room >= sizes[at]:
                room -= min(screen.measure(row[at].plain), room) + 3 if sizes[at] else 0
            elif columns[at].rank < _NEEDED and at not in beside:
                beside.append(at)

    def line(row: Sequence[Text], sizes: Sequence[int]) -> Line:
        signs = [piece for at in before for piece in [*styled(screen, row[at], width), ("", " ")] if row[at].plain]
        pieces = [*signs, *styled(screen, row[first], width - sum(screen.measure(text) for _, text in signs))]
        under: list[tuple[str, str]] = []
        free = {True: width - sum(screen.measure(text) for _, text in pieces) - _GAP, False: width}
        for at in below:
            # Where a name leaves no room, there may be some below.
            places = (True, False) if at in beside else (False,)
            size, text = sizes[at], row[at]
            if columns[at].word and columns[at].rank <= _NEEDED and size > max(free[place] for place in places):
                # Rather without its word than not at all; what matters less would be read as something else.
                text = text[len(columns[at].word) + 1 :]
                size = _least_of(screen, columns[at], text)
            is_beside = next((place for place in places if free[place] >= size), None)
            if is_beside is None:
                # What matters less does not take its place: it would be read as the same.
                free[False] = 0
            if not size or is_beside is None:
                continue
            cell = styled(screen, text, free[is_beside])
            free[is_beside] -= sum(screen.measure(text) for _, text in cell) + (_GAP if is_beside else 3)
            if is_beside:
                pieces += [("", " " * _GAP), *cell]
            else:
                under += [*([("muted", screen.sign(" · ", " - "))] if under else []), *cell]
        pieces += [("", "\n" + " " * _BELOW), *under] if under else []
        return "".join(text for _, text in pieces), pieces

    return [line(row, sizes) for row, sizes in zip(rows, least, strict=True)]


def _with_word(column: Column, cell: Text) -> Text:
    if not cell.plain:
        return cell
    if column.unit:
        one, several = column.unit
        return Text.assemble(cell, (f" {one if cell.plain == '1' else several}", "muted"))
    return Text.assemble((f"{column.word} ", "muted"), cell) if column.word else cell


def _least_of(screen: Screen, column: Column, cell: Text) -> int:
    """The least width of a cell; 0 for an empty one."""
    size = screen.measure(cell.plain)
    return min(size, column.least or size)


def cells(columns: Sequence[Column], record: Any, by: ListConventions) -> list[Text]:
    """The cells of a record in a list."""
    return [column.text(record, by.amounts if column.money else by) for column in columns]


def heading(column: Column, by: Conventions) -> str:
    """The heading of a column of a list."""
    return f"{column.title} {by.currency_sign}" if column.money else column.title


def styled(screen: Screen, cell: Text, size: int) -> list[tuple[str, str]]:
    """A cell of at most so many columns of the terminal, in pieces of one token each."""
    text = screen.fit(cell.plain, size)
    styles = [str(cell.style)] * len(text)
    for span in cell.spans:
        styles[span.start : min(span.end, len(text))] = [str(span.style)] * (min(span.end, len(text)) - span.start)
    places = [0, *(at for at in range(1, len(text)) if styles[at] != styles[at - 1]), len(text)]
    return [(screen.token(styles[start]), text[start:end]) for start, end in pairwise(places) if start < end]


def status(value: str) -> Text:
    """A status in its colour."""
    return data(value, status_style(value))


def number(record_id: int) -> Text:
    """The number of a record; one that is not stored yet has none."""
    return data(record_id if record_id > 0 else "", "muted")
