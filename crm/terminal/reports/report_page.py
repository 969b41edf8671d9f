"""A report at the menu: shown at once, changed by number, saved as a file."""

from dataclasses import replace
from functools import partial
from typing import Any

from crm.commands.data.store import FileWritten
from crm.commands.registry import Command, Parameter, commands
from crm.commands.reports.report import Report
from crm.errors import CRMError
from crm.model import Client, Deal, Interaction, Invoice, Sale
from crm.terminal.console.keyboard import Choice
from crm.terminal.reports.rendering import chart_lines, draw_chart, draw_heading, draw_note, draw_table, report_side
from crm.terminal.toolkit import letters
from crm.terminal.toolkit.pages import FLOWS, Pieces
from crm.terminal.toolkit.panels import PREVIEWS
from crm.terminal.toolkit.session import AROUND_MENU, Session

# What stands around the rows of a page, but for the heading and the entries of the report: the breadcrumbs with a rule,
# the heads, the total, the entry to save it, and what is below entries.
_AROUND = 5 + AROUND_MENU
# With fewer rows than these a note gives way.
_LEAST_ROWS = 6
# What a report is saved as unless another name is typed.
_ENDING = ".xlsx"

# A report of so many records, all in all, is read without a wait.
_QUICK = 5_000
_COUNTED = (Client, Sale, Deal, Interaction, Invoice)


class ReportPage:
    """A report at the menu: what it shows is changed by number, at once, and any of it can be saved as a file."""

    def __init__(self, session: Session, command: Command, arguments: dict[str, Any]) -> None:
        self.session = session
        self.command = command
        self.arguments = arguments
        self.report: Report = session.call(command.words, **arguments)
        # The first row that somebody has turned to.
        self._row: int | None = None
        self._charted = False

    def show(self) -> None:
        """Show the report until the person goes back."""
        self.session.menu(["Reports", self.command.title], self._entries, above=self._draw, keys=self._keys)

    @property
    def _asked(self) -> list[Parameter]:
        parameters = self.command.parameters.values()
        return [parameter for parameter in parameters if not parameter.path and parameter.name != "yes"]

    def _draw(self) -> None:
        screen, by = self.session.screen, self.report.conventions(self.session.crm.conventions)
        draw_heading(screen, self.report, by, note=not self._is_note_below)
        if self._fits or self._charted:
            if self._fits:
                draw_table(screen, self.report, by)
            draw_chart(screen, self.report, by)
        else:
            draw_table(screen, self.report, by, self._first, self._most)
        if self._is_note_below:
            draw_note(screen, self.report)
        if screen.left > len(self._asked) + 1 + AROUND_MENU + self.session.lines_below:
            screen.print()

    @property
    def _most(self) -> int:
        """The number of rows that there is room for between the heading and the entries."""
        # A note below is read on, which takes a line.
        return max(3, self._room(note=False) - 1 if self._is_note_below else self._room(note=True))

    @property
    def _is_note_below(self) -> bool:
        """Return whether the note would leave too little room for the rows, which matter more."""
        return bool(self.report.note) and self._room(note=True) < min(_LEAST_ROWS, len(self.report.rows))

    def _room(self, *, note: bool) -> int:
        """The number of lines for rows below a heading with or without its note."""
        session, by = self.session, self.report.conventions(self.session.crm.conventions)
        heading = session.screen.drawn([lambda: draw_heading(session.screen, self.report, by, note=note)]).count("\n")
        messages = session.lines_below + session.message_lines
        return session.screen.height - _AROUND - heading - len(self._asked) - messages

    @property
    def _first(self) -> int:
        """The first row of the page: of months that have passed the latest are seen until somebody turns the page,
        however much room a message leaves."""
        if self._row is not None:
            return self._row
        report, today = self.report, self.session.crm.today
        is_past = report.columns[0].kind == "month" and (report.since is None or report.since <= today)
        return max(0, len(report.rows) - self._most) if is_past else 0

    @property
    def _fits(self) -> bool:
        """Return whether there is room for the whole table and the chart."""
        lines = len(chart_lines(self.session.screen, self.report, self.session.crm.conventions))
        return len(self.report.rows) + lines <= self._most

    def _entries(self) -> list[Choice]:
        by = self.session.crm.conventions
        entries = []
        for parameter in self._asked:
            value = self.arguments.get(parameter.name, parameter.default)
            if value in (None, "") and parameter.name in ("since", "until", "currency"):
                # What the report took by itself.
                value = getattr(self.report, parameter.name)
            value_shown = parameter.check.show(value, by) if parameter.check and value not in (None, "") else "-"
            entries.append(Choice(f"{parameter.label}: {value_shown}", partial(self._ask, parameter)))
        return [*entries, Choice("Save as a file", self._save)]

    def _keys(self) -> list[Choice]:
        keys: list[Choice] = []
        if not self._fits:
            if not self._charted and self._first + self._most < len(self.report.rows):
                keys.append(letters.NEXT_PAGE(partial(self._turn, self._most)))
            if not self._charted and self._first:
                keys.append(letters.PREVIOUS_PAGE(partial(self._turn, -self._most)))
            if self.report.chart is not None:
                keys.append((letters.TABLE if self._charted else letters.CHART)(self._toggle))
        return [*keys, letters.EXPORT(self._save)]

    def _turn(self, rows: int) -> None:
        self._row = max(0, self._first + rows)

    def _toggle(self) -> None:
        self._charted = not self._charted

    def _ask(self, parameter: Parameter) -> None:
        session = self.session
        session.page("Reports", self.command.title, parameter.label)
        value = self.arguments.get(parameter.name)
        by = session.crm.conventions
        typed = parameter.check.edit(value, by) if parameter.check and value is not None else ""
        arguments = {**self.arguments, parameter.name: session.prompts.ask(parameter, typed=typed)}
        try:
            self.report = session.insist(lambda: self.command(session.crm, **arguments))
        except CRMError as error:
            session.fail(error)
            return
        self.arguments, self._row = arguments, None

    def _save(self) -> None:
        session = self.session
        session.page("Reports", self.command.title, "Save as a file")
        parameter = replace(self.command.parameters["to"], required=True)
        name = f"{self.command.words.rpartition(' ')[2]}-{session.crm.today}{_ENDING}"
        file = session.prompts.ask(parameter, typed=name)
        written: Report = session.call(self.command.words, **self.arguments, to=file)
        if written.file is not None:
            session.tell(FileWritten(written.file, "the report"))


def _preview(session: Session, command: Command, most: int) -> Pieces:
    """A report as it is beside the menu; nothing in a store in which it may take a while."""
    with session.crm.read() as snapshot:
        if sum(snapshot.count(kind) for kind in _COUNTED) > _QUICK:
            return ()
    return report_side(session.screen, command(session.crm), session.crm.conventions, most)


def _show_page(command: Command, session: Session, **arguments: Any) -> None:
    ReportPage(session, command, arguments).show()


for menu in ("reports", "billing reports"):
    FLOWS.update({command.words: partial(_show_page, command) for command in commands(menu=menu)})
    PREVIEWS.update({command.words: _preview for command in commands(menu=menu)})
