"""Settings, the history and changes of the store, on screen."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from rich.text import Text

import crm.terminal.data.import_rendering  # noqa: F401 - it registers its renderers
from crm.commands.client_selection import pluralize
from crm.commands.data.change_details import EMPTY, changed_back
from crm.model import BY_NAME, Conventions
from crm.model.local_labels import local_label
from crm.model.paths import display_path
from crm.terminal.drawing import tables
from crm.terminal.drawing.cards import side_card, side_width
from crm.terminal.drawing.render import renderer, show_as_row
from crm.terminal.drawing.screen import Screen, clean, data

if TYPE_CHECKING:
    from crm.commands.data.change_details import FieldChange, RecordChange
    from crm.commands.data.copying import CopyReport
    from crm.commands.data.history import HistoryArchived, TakenBack, TransactionShown
    from crm.commands.data.settings import SettingShown
    from crm.commands.data.store import CheckReport, FileWritten, LiveReport
    from crm.repository import HistoryEntry

_VERBS = {"create": "added", "update": "changed", "delete": "deleted"}
_LONGEST = 60
# Of so many records an undo says what is so again.
_UNDONE = 5
HISTORY: Sequence[tables.Column] = (
    tables.Column("No.", lambda row, _: data(row.id, "muted"), 0, right=True),
    tables.Column("When", lambda row, by: data(by.time(row.at)), 3),
    tables.Column("Who", lambda row, _: data(row.user), 5, 5),
    tables.Column("What", lambda row, _: data(row.what), 1, 16),
    tables.Column("Records", lambda row, by: data(by.number(row.changes)), 4, right=True, unit=("record", "records")),
    tables.Column("", lambda row, _: _undone(row), 2),
)
SETTINGS: Sequence[tables.Column] = (
    tables.Column("Setting", lambda row, by: data(local_label(row.label, by.country)), 0, 8),
    tables.Column("Value", lambda row, _: data(row.value, "bold"), 1, 6),
)


def setting_side(screen: Screen, setting: "SettingShown", by: Conventions) -> list[tuple[str, str]]:
    """A setting beside the list: its whole value, and what it is for."""
    help = data(setting.description, "muted").wrap(screen.console, side_width(screen))
    heading = [data(local_label(setting.label, by.country), "bold"), *help]
    return side_card(screen, heading, [("Value", data(setting.value or "empty"))])


_FINDINGS: Sequence[tables.Column] = (
    tables.Column("What", lambda row, _: data(row.what), 0, 20),
    tables.Column("How to fix it", lambda row, _: data(row.how_to_mend, "muted"), 1, 16),
)
_FIGURES: Sequence[tables.Column] = (
    tables.Column("What", lambda row, _: data(row.name), 0, 16),
    tables.Column("Here", lambda row, by: data(_figure(row.source, by)), 0, right=True),
    tables.Column(
        "There",
        lambda row, by: data(_figure(row.copy, by), "" if row.copy == row.source else "overdue"),
        0,
        right=True,
    ),
)
_CHANGES: Sequence[tables.Column] = (
    tables.Column("Record", lambda row, _: data(f"{row.record} {row.id}"), 0, 8),
    tables.Column("", lambda row, _: data({"create": "added", "delete": "deleted"}.get(row.operation, "changed")), 1),
    tables.Column("What", lambda row, _: data(_changed(row), "muted"), 2, 14),
)
tables.COLUMNS |= {
    "crm.repository.Finding": _FINDINGS,
    "crm.repository.HistoryEntry": HISTORY,
    "crm.commands.data.change_details.RecordChange": _CHANGES,
    # By the name that `settings set` takes.
    "crm.commands.data.settings.SettingShown": (
        tables.Column("Name", lambda row, _: data(row.key), 0),
        SETTINGS[1],
        replace(SETTINGS[0], rank=2),
        tables.Column("", lambda row, _: data(row.description, "muted"), 3, 16),
    ),
}


# The history at the menu, where it is listed without its numbers.
HISTORY_WITHOUT_NUMBERS: Sequence[tables.Column] = (
    *HISTORY[1:3],
    replace(HISTORY[3], text=lambda row, _: data(row.in_words)),
    HISTORY[4],
    replace(HISTORY[5], text=lambda row, _: data("undone" if row.undone_by else "", "muted")),
)


def _undone(entry: "HistoryEntry") -> Text:
    text = f"undone by {entry.undone_by}" if entry.undone_by else f"undoes {entry.undoes}" if entry.undoes else ""
    return data(text, "muted")


def _figure(value: int | Decimal, by: Conventions) -> str:
    return by.money(value) if isinstance(value, Decimal) else by.number(value)


def _changed(record: "RecordChange") -> str:
    """The changed fields of a record, in short; of one that was deleted its name."""
    if record.operation == "delete":
        return record.name
    return "; ".join(f"{field.label}: {field.was or EMPTY} → {field.now or EMPTY}" for field in record.fields)


renderer("crm.repository.HistoryEntry")(show_as_row)


@renderer("crm.commands.data.settings.SettingShown")
def _(result: "SettingShown", screen: Screen, by: Conventions) -> None:
    screen.print(Text(f"{local_label(result.label, by.country)}: ").append(clean(result.value), "bold"))


@renderer("crm.commands.data.store.FileWritten")
def _(result: "FileWritten", screen: Screen, _by: Conventions) -> None:
    if result.done:
        screen.print(Text(f"{screen.sign('✓', 'OK:')} {clean(result.done)}", "success"))
    done = Text(f"{screen.sign('✓', 'OK:')} {result.what[:1].upper()}{result.what[1:]}: ", "success")
    screen.print(done.append(clean(display_path(result.file)), "bold"))
    if result.keep_safe:
        screen.print(Text(result.keep_safe, "warning"))


@renderer("crm.commands.data.history.HistoryArchived")
def _(result: "HistoryArchived", screen: Screen, by: Conventions) -> None:
    moved = pluralize(result.transactions, "change", "changes", by)
    done = f"{moved} moved. The history now begins with number {result.begins_with}."
    screen.print(Text(f"{screen.sign('✓', 'OK:')} ", "success").append(done, "default"))
    screen.print("They are in this file. Keep it:")
    screen.copyable(display_path(result.file))


@renderer("crm.commands.data.history.TakenBack")
def _(result: "TakenBack", screen: Screen, by: Conventions) -> None:
    from crm.commands.data.history import passed_over_message

    done = "Redone" if result.undone.is_undo else "Undone"
    what = Text(f"{screen.sign('✓', 'OK:')} {done}: ", "success").append(clean(result.title), "bold")
    screen.print(what)
    for word, records in (("Restored", result.restored), ("Removed", result.removed)):
        if records:
            screen.print(Text(f"{word}: ", "muted").append(clean(records), "default"))
    if result.passed_over:
        screen.print(Text(clean(passed_over_message(result.passed_over)), "muted"))
    if result.left_out:
        screen.print(Text(clean(result.left_out), "warning"))
    changed = [line for record in result.records if (line := changed_back(record, by, undone=True))]
    for line in changed[:_UNDONE]:
        screen.print(data(line))
    if len(changed) > _UNDONE:
        screen.print(Text("and more", "muted"))


@renderer("crm.commands.data.store.LiveReport")
def _(result: "LiveReport", screen: Screen, by: Conventions) -> None:
    signs = {True: ("✓", "yes:", "success"), False: ("✗", "NO:", "overdue"), None: ("?", "?", "warning")}
    for proof in result.proofs:
        sign, plain_sign, style = signs[proof.held]
        line = Text(f"{screen.sign(sign, plain_sign)} ", style).append(clean(proof.what), "default")
        screen.print(line.append(f" ({clean(proof.seen)})", "muted"))
    screen.print()
    if result.failed:
        summary = "Some checks failed. docs/google-sheets.md says what the program does in this case."
        screen.print(Text(summary, "overdue"))
    else:
        held = by.number(len(result.proofs))
        screen.print(Text(f"{screen.sign('✓', 'OK:')} All {held} checks passed.", "success"))


@renderer("crm.commands.data.copying.CopyReport")
def _(result: "CopyReport", screen: Screen, by: Conventions) -> None:
    screen.print(tables.table(_FIGURES, result.figures, by, screen.width))
    if result.failed:
        screen.print(Text("The copy differs from the original. Do not use it.", "overdue"))
    else:
        copied = Text(f"{screen.sign('✓', 'OK:')} Copied to ", "success")
        screen.print(copied.append(clean(display_path(result.copy)), "default"))


@renderer("crm.commands.data.store.CheckReport")
def _(result: "CheckReport", screen: Screen, by: Conventions) -> None:
    if not result.wrong:
        screen.print(Text(f"{screen.sign('✓', 'OK:')} No problems found.", "success"))
    for title, findings, style in (("Wrong", result.wrong, "overdue"), ("Please check", result.odd, "alert")):
        if findings:
            screen.print(Text(f"{title}: {by.number(len(findings))}", style))
            # What is printed line by line goes on as long as it likes.
            listed = findings if screen.plain else findings[: max(3, screen.left - 16)]
            screen.print(tables.table(_FINDINGS, listed, by, screen.width))
            if more := len(findings) - len(listed):
                screen.print(Text(f"and {by.number(more)} more; `check` in the shell lists all", "muted"))


def draw_transaction(screen: Screen, report: "TransactionShown", by: Conventions, most: int | None = None) -> None:
    """The transaction with its records: on `most` lines, each cut where it is too long, or with all that it did."""
    entry = report.entry
    # The menu lists no numbers of changes, and refers to none.
    numbered = most is None
    heading = Text(f"{entry.id}  ", "muted") if numbered else Text()
    screen.print(heading.append(clean(entry.what if numbered else entry.in_words), "bold"))
    summary = f"{by.time(entry.at)}{f', {clean(entry.user)}' if entry.user else ''}"
    if entry.undone_by:
        summary += f"; undone by {entry.undone_by}" if numbered else "; undone"
    screen.print(Text(summary + (f"; undoes {entry.undoes}" if entry.undoes and numbered else ""), "muted"))
    left = max(1, entry.changes if most is None else most - 3)
    drawn_so_far = 0
    for record in report.records:
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
        screen.print(Text(f"and {by.number(entry.changes - drawn_so_far)} more", "muted"))


def _lines(screen: Screen, record: "RecordChange") -> list[Text]:
    kind = BY_NAME[record.record].noun if record.record in BY_NAME else record.record.replace("_", " ")
    head = Text(f"{kind} {record.id} ").append(clean(_short(screen, record.name)), "bold")
    head.append(f"{' ' if record.name else ''}{_VERBS.get(record.operation, record.operation)}", "muted")
    return [head, *(_line(screen, record, field) for field in record.fields)]


def _line(screen: Screen, record: "RecordChange", field: "FieldChange") -> Text:
    line = Text(f"  {clean(field.label)}: ", "muted").append(clean(_short(screen, field.was)) or EMPTY, "default")
    if record.operation == "update":
        line.append(f" {screen.sign('→', '->')} ", "muted").append(clean(_short(screen, field.now)) or EMPTY, "default")
    return line


def _short(screen: Screen, text: str) -> str:
    return text if len(text) <= _LONGEST or screen.piped else text[: _LONGEST - 1] + "…"


@renderer("crm.commands.data.history.TransactionShown")
def _(result: "TransactionShown", screen: Screen, by: Conventions) -> None:
    draw_transaction(screen, result, by)
