"""A transaction of the past on screen: who, when, and what it did to each record."""

from rich.text import Text

from crm.commands.data.change_details import FieldChange, RecordChange
from crm.commands.data.history import TransactionShown
from crm.model import Conventions
from crm.terminal.drawing.render import drawn
from crm.terminal.drawing.screen import Screen, clean

_VERBS = {"create": "added", "update": "changed", "delete": "deleted"}
_LISTED = 200
_LONGEST = 60


def draw_transaction(screen: Screen, shown: TransactionShown, by: Conventions, most: int | None = None) -> None:
    """The transaction with its records: on `most` lines, each cut where it is too long, or with all that it did."""
    entry = shown.entry
    heading = Text(f"{entry.id}  ", "dim").append(clean(entry.what), "bold")
    screen.print(heading)
    told = f"{by.time(entry.at)}{f', {clean(entry.user)}' if entry.user else ''}"
    told += f"; undone by {entry.undone_by}" if entry.undone_by else ""
    screen.print(Text(told + (f"; undoes {entry.undoes}" if entry.undoes else ""), "dim"))
    left = _LISTED if most is None else max(1, most - 3)
    drawn_so_far = 0
    for record in shown.records:
        lines = _lines(screen, record)
        if left <= 0:
            break
        for line in lines if most is None else lines[:left]:
            if most is not None:
                line.truncate(screen.width, overflow="ellipsis" if screen.unicode else "crop")
            screen.print(line)
        left -= 1 if most is None else len(lines)
        drawn_so_far += 1
    if entry.changes > drawn_so_far:
        screen.print(Text(f"and {by.number(entry.changes - drawn_so_far)} more", "dim"))


def _lines(screen: Screen, record: RecordChange) -> list[Text]:
    kind = record.record.replace("_", " ")
    head = Text(f"{kind} {record.id} ").append(clean(_short(record.name)), "bold")
    head.append(f"{' ' if record.name else ''}{_VERBS.get(record.operation, record.operation)}", "dim")
    return [head, *(_line(screen, record, each) for each in record.fields)]


def _line(screen: Screen, record: RecordChange, field: FieldChange) -> Text:
    line = Text(f"  {clean(field.label)}: ", "dim").append(clean(_short(field.was)) or "-", "default")
    if record.operation == "update":
        line.append(f" {screen.sign('→', '->')} ", "dim").append(clean(_short(field.now)) or "-", "default")
    return line


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


@drawn.register
def _(result: TransactionShown, screen: Screen, by: Conventions) -> None:
    draw_transaction(screen, result, by)
