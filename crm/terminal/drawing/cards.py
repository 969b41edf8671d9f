"""Pairs of labels and values, and what happened on one line each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from rich.containers import Lines
from rich.text import Text

from crm.model import Conventions
from crm.terminal.drawing import tables
from crm.terminal.drawing.screen import Screen, clean, data

if TYPE_CHECKING:
    from rich.console import RenderableType

    from crm.commands.timeline_entries import Entry

Pair = tuple[str, Text]
_TWO_WIDE = 76
# The width that a label has at least, by which lines below a card stand under its values, and may have in any window.
_LEAST_LABEL, _LABEL = 7, 14
_GAP = 2
# Beside a list: the blanks around a card, and the lines that a value may take.
SIDE_EDGE, _SIDE_LINES = 4, 3


def pairs(rows: Iterable[tuple[str, Text]], width: int, most: int | None = None) -> "RenderableType":
    """Labels and values on at most so many lines, in two pairs of columns where there is room. A value that is longer
    has its lines to itself, and is not broken where it fits on one."""
    from rich.console import Group
    from rich.table import Table

    rows, short, columns = _arranged(rows, width, most)
    label = _label_of(columns[0] if columns else rows, width)
    drawn = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, show_header=False)
    for column in columns:
        own = _label_of(column, width)
        drawn.add_column(width=own, style="muted", overflow="ellipsis", no_wrap=True)
        drawn.add_column(width=max(1, width // len(columns) - own - _GAP * len(columns)), overflow="fold")
    for line in zip_longest(*columns, fillvalue=("", Text())):
        drawn.add_row(*(piece for pair in line for piece in pair))
    # A value that is too long for its line goes below its label as long as there are lines left.
    free = len(rows) if most is None else most - _height(columns) - (len(rows) - len(short))
    broken = [pair for pair in rows if pair not in short and not _fits_beside(*pair, width)][: max(0, free)]
    first = rows.index(short[0]) if short else 0
    above, below = (
        [
            _long(name, value, label, width, is_one_line=most is not None and (name, value) not in broken)
            for name, value in part
            if (name, value) not in short
        ]
        for part in (rows[:first], rows[first:])
    )
    return Group(*above, *([drawn] if short else []), *below)


def label_width(rows: Iterable[Pair], width: int, most: int | None = None) -> int:
    """The width of the labels that `pairs` draws at the left, for the lines below that begin where its values do."""
    kept, _, columns = _arranged(rows, width, most)
    return _label_of(columns[0] if columns else kept, width)


def _arranged(
    rows: Iterable[Pair], width: int, most: int | None
) -> "tuple[Sequence[Pair], Sequence[Pair], Sequence[Sequence[Pair]]]":
    """The pairs that there is room for, those of them that stand in columns, and these columns."""
    kept = list(rows)
    short, columns = _short(kept, width)
    # What comes first is kept.
    while most is not None and len(kept) > 1 and _height(columns) + len(kept) - len(short) > most:
        kept.pop()
        short, columns = _short(kept, width)
    return kept, short, columns


def _short(rows: "Sequence[Pair]", width: int) -> "tuple[Sequence[Pair], Sequence[Sequence[Pair]]]":
    """The pairs that have room in columns, and these columns, of which each has labels of its own width."""
    side_by_side = 2 if width >= _TWO_WIDE and len(rows) > 3 else 1
    short = list(rows)
    while True:
        lines = -(-len(short) // side_by_side)
        columns = [column for column in (short[:lines], short[lines:]) if column]
        long = next(
            (
                pair
                for column in columns
                for pair in column
                if pair[1].cell_len > width // side_by_side - _label_of(column, width) - _GAP * side_by_side
            ),
            None,
        )
        if long is None:
            return short, columns
        short = [pair for pair in short if pair is not long]


def _height(columns: "Sequence[Sequence[Pair]]") -> int:
    return max(map(len, columns), default=0)


def _label_of(rows: "Sequence[Pair]", width: int) -> int:
    """The width of the labels of a column."""
    return min(max([_LEAST_LABEL, *(len(name) for name, _ in rows)]), max(_LABEL, width // 3))


def _fits_beside(name: str, value: Text, width: int) -> bool:
    """Return whether a value fits beside its label."""
    return len(name) + 1 + value.cell_len <= width


def _long(name: str, value: Text, label: int, width: int, *, is_one_line: bool) -> "RenderableType":
    """A label and a value that is too long to stand in columns: beside it, or below where there may be more lines."""
    sizes = (label + _GAP, len(name) + _GAP, len(name) + 1)
    before = next((size for size in sizes if size + value.cell_len <= width), None)
    if before is None and is_one_line:
        before = sizes[0]
        value = value.copy()
        value.truncate(max(1, width - before), overflow="ellipsis")
    if before is None:
        from rich.console import Group
        from rich.padding import Padding

        return Group(Text(name, "muted"), Padding(value, (0, 0, 0, _GAP), expand=False))
    return Text.assemble((f"{name:<{before}}", "muted"), value)


def beside(screen: Screen, left: Text, right: Text) -> Text:
    """A line with something at its right end; where there is no room for both, below it."""
    between = screen.width - left.cell_len - right.cell_len
    if screen.plain or between < _GAP:
        return Text("\n").join(filter(None, (left, right)))
    return left.append(" " * between).append_text(right)


def with_number(screen: Screen, name: Text, number: str) -> Text:
    """The name of a record with its number behind it, or below it where there is no room: that is not broken."""
    fits = screen.plain or name.cell_len + _GAP + len(number) <= screen.width
    return name.append(f"{' ' * _GAP if fits else chr(10)}{number}", "muted")


def in_line(screen: Screen, pieces: Iterable[Text]) -> None:
    """Print pieces beside each other, as many as a line has room for: none is broken in the middle."""
    line = Text()
    for piece in pieces:
        if line and line.cell_len + _GAP + piece.cell_len > screen.width:
            screen.print(line)
            line = Text()
        line.append(" " * _GAP * bool(line)).append_text(piece)
    if line:
        screen.print(line)


def side_width(screen: Screen) -> int:
    """The columns of a card beside entries; of one below a question, where nothing stands beside it."""
    return (screen.side or screen.width) - SIDE_EDGE


def side_card(
    screen: Screen, heading: Sequence[Text], facts: Iterable[tuple[str, Text]], note: str = "", note_lines: int = 4
) -> list[tuple[str, str]]:
    """The card beside a list, of the row that is pointed at, in pieces of one token each: a few lines, then what is
    known, each with its label, then so many lines of a note."""
    width = side_width(screen)
    lines = [tables.styled(screen, line, width) for line in heading if line.plain]
    known = _facts_beside(screen, facts, width)
    lines += [[], *known] if known else []
    if note:
        wrapped = data(note, "note", lines=True).wrap(screen.console, width)[:note_lines]
        lines += [[], *(tables.styled(screen, part, width) for part in wrapped)]
    return _in_side(lines)


def side_list(screen: Screen, title: str, rows: Iterable[Pair], nothing: str = "") -> list[tuple[str, str]]:
    """A title beside entries with its rows, each with a label such as its day; or with the sentence for none."""
    width = side_width(screen)
    # A long day does not take the room of all rows.
    lines = _facts_beside(screen, rows, width, width // 3) or ([[("muted", nothing)]] if nothing else [])
    return _in_side([[("bold", title)], *lines])


def _facts_beside(
    screen: Screen, facts: Iterable[Pair], width: int, most_label: int | None = None
) -> list[list[tuple[str, str]]]:
    """Labels and values in so many columns beside entries, a long value on a few lines; labels of `most_label` columns
    and more stand out of their column."""
    known = [(label, value) for label, value in facts if value.plain]
    column = max((len(label) for label, _ in known if most_label is None or len(label) < most_label), default=0)
    lines: list[list[tuple[str, str]]] = []
    for label, value in known:
        before = max(column, len(label)) + _GAP
        if width - before < value.cell_len <= width - _GAP and " " not in value.plain:
            # An address is not broken: it begins right after its label, or below it.
            after = len(label) + _GAP + value.cell_len <= width
            start = [("muted", f"{label}{' ' * _GAP}")] if after else [("", " " * _GAP)]
            lines += [] if after else [[("muted", label)]]
            lines.append([*start, *tables.styled(screen, value, width - _GAP)])
            continue
        parts = value.wrap(screen.console, max(8, width - before))
        if len(parts) > _SIDE_LINES:
            # What is left out is seen to be.
            parts = Lines([*parts[: _SIDE_LINES - 1], Text(" ").join(parts[_SIDE_LINES - 1 :])])
        for place, part in enumerate(parts):
            name = ("muted", f"{label if not place else '':<{before}}")
            lines.append([name, *tables.styled(screen, part, width - before)])
    return lines


def _in_side(lines: Iterable[Sequence[tuple[str, str]]]) -> list[tuple[str, str]]:
    """Lines beside entries, with the blanks before them."""
    return [piece for line in lines for piece in (("", "  "), *line, ("", "\n"))]


def badge(words: str, style: str) -> Text:
    """A status, seen as one also without colours."""
    return data(f"[{words}]", style)


# Where all of a timeline is printed.
_LINES_OF_ENTRY = 2
# From so many columns on amounts of a timeline are below each other.
_IN_COLUMNS = 60


def draw_timeline(
    screen: Screen,
    timeline: "Iterable[Entry]",
    by: Conventions,
    most: int | None = None,
    *,
    more: bool = True,
    label: str = "",
    label_wide: int = 0,
) -> None:
    """Draw the timeline, newest first; on `most` lines, or all of it with two lines for each; longer ones are cut.
    `more` says on one line more how many are left out; a `label`, with others `label_wide`, is before the first where
    there is room."""
    entries = list(timeline)
    listed = entries if most is None else _most_telling(entries, most)
    if screen.piped:
        for entry in listed:
            screen.print(Text(f"{by.day(entry.on)}\t").append_text(entry_line(entry, by)))
        return
    days = [by.day(entry.on) for entry in listed]
    in_columns = screen.width >= _IN_COLUMNS and not screen.plain
    wide = max([0 if in_columns or screen.plain else label_wide, *map(len, days)])
    amount_wide = max((entry_amount(entry, by).cell_len for entry in listed), default=0) if in_columns else 0
    label = labelled(label, label_wide) if label and in_columns else ""
    for place, (entry, day) in enumerate(zip(listed, days, strict=True)):
        line = Text(f"{label if not place else ' ' * len(label)}{day:<{wide}}  ", "muted")
        line.append_text(entry_line(entry, by, amount_wide))
        room = screen.width * (_LINES_OF_ENTRY if most is None else 1)
        line.truncate(room, overflow="ellipsis" if screen.unicode else "crop")
        screen.print(line)
    if more and most is not None and len(entries) > most:
        screen.print(Text(f"{' ' * len(label)}and {len(entries) - most} more", "muted"))


def labelled(label: str, wide: int = 0) -> str:
    """A label with the blanks behind it, on a line below the fields of a card, whose labels are so `wide`."""
    return f"{label:<{max(_LEAST_LABEL, wide) + _GAP}}"


def _most_telling(entries: "Sequence[Entry]", most: int) -> "Sequence[Entry]":
    """The first entries of a timeline, in its order: the latest contact, then the latest besides, then what was said
    and sold before what was noted down about it."""
    from crm.commands.timeline_sources import contact_kinds, first_kinds

    telling = [place for place, entry in enumerate(entries) if entry.kind in first_kinds()]
    contacts = [place for place in telling if entries[place].kind in contact_kinds()]
    besides = [place for place in telling if place not in contacts]
    chosen = dict.fromkeys([*contacts[:1], *besides[:1], *telling, *range(len(entries))])
    return [entries[place] for place in sorted(list(chosen)[:most])]


def entry_line(entry: "Entry", by: Conventions, amount_wide: int = 0) -> Text:
    """An entry of the timeline, without its day; its amount is at the right of so many columns."""
    amount = entry_amount(entry, by)
    line = Text(" " * max(0, amount_wide - amount.cell_len)).append_text(amount)
    return line.append("  " if line else "").append(clean(entry.what), "default")


def entry_amount(entry: "Entry", by: Conventions) -> Text:
    """The amount of an entry of the timeline, in its own currency."""
    own = replace(by, currency=entry.currency) if entry.currency else by
    return Text(own.money(entry.amount) if entry.amount is not None else "", "money")


def draw_pairs(screen: Screen, values: Mapping[str, Any]) -> None:
    """Any report, as its names and values."""
    rows = [
        (name.replace("_", " ").capitalize(), data(value)) for name, value in values.items() if value not in (None, "")
    ]
    screen.print(pairs(rows, screen.width))
