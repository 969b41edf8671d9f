"""Import at the menu: the file as it was understood, corrected by number, previewed, and only then carried out."""

import dataclasses
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from crm.commands.client_selection import pluralize
from crm.commands.registry import named
from crm.errors import Cancelled, FileError, NotFoundError
from crm.files.columns import SEVERAL
from crm.model.conventions import DATE_ORDERS
from crm.model.local_labels import local_label
from crm.repository import HistoryQuery
from crm.terminal.console.keyboard import YES_OR_NO, Back, Choice, yes_or_no
from crm.terminal.drawing import tables
from crm.terminal.drawing.render import columns_of, show
from crm.terminal.drawing.screen import data
from crm.terminal.toolkit.discarding import discards
from crm.terminal.toolkit.lists import ListPage
from crm.terminal.toolkit.pages import flow
from crm.terminal.toolkit.session import Session

if TYPE_CHECKING:
    from crm.commands.data.importing.draft import ImportDraft
    from crm.commands.data.importing.report import ImportReport

_OWN = "extra:"
_READING = (
    "How the file was understood: which column goes to which field, and how rows are matched with your records."
    " Nothing is imported yet: the next page shows what would be."
)
_PREVIEW = (
    "What the import would do. Nothing is changed until you choose Import now. Refused rows are not imported. Rows to"
    " check are imported as they are written."
)
_RESULT = "What the import did. Refused rows were not imported. Rows to check were imported as they are written."
_COLUMNS = (
    "Each column of the file, the field that it goes to, and what is in it. Choose a column to send it to another"
    " field, or to a field of your own. Your choices are remembered for files with the same headings."
)
_DISCARDED = "Leave the import and discard what you chose?"
# What stands around an entry of a menu, and the columns from which there is room for wide gaps.
_KEYED, _WIDE = 8, 60
_ENCODINGS = {
    "utf-8": "UTF-8",
    "cp1252": "Western European (Windows)",
    "cp1250": "Central European (Windows)",
    "mac_roman": "Mac",
}


@flow("import")
def import_file(session: Session, **_: Any) -> None:
    """Ask for the file until there is one that can be read, show how it is understood, and go on to the preview."""
    from crm.commands.data.importing import begin

    command, typed = named("import"), ""
    # Only the shell has a standard input to read.
    parameter = dataclasses.replace(command.parameters["file"], help="CSV, Excel, vCard or JSON")
    while True:
        session.page(command.title)
        session.screen.print(Text(command.summary, "muted"))
        file = session.prompts.ask(parameter, typed=typed)
        try:
            if file.suffix.lower() == ".json":
                holds = command(session.crm, file, as_="all", preview=True)
                return _whole_store(session, file, holds)
            return _ImportPages(session, begin(session.crm, file)).show()
        except FileError as error:
            session.fail(error)
            typed = str(file)


def _whole_store(session: Session, file: Path, holds: Any) -> None:
    """A JSON export of a whole store."""
    command = named("import")
    session.page("Import a file", file.name)
    show(session.screen, holds, session.crm.conventions)
    session.screen.print()
    session.confirm("Import the whole file?", "Import now")
    session.tell(session.insist(lambda: command(session.crm, file, as_="all")))


class _ImportPages:
    """The pages of one import; `draft` is what stands so far."""

    def __init__(self, session: Session, draft: "ImportDraft") -> None:
        self.session = session
        self.draft = self._begun = draft
        self.done = False

    def show(self) -> None:
        """The draft, until it is carried out or left. Raises Back and Cancelled."""
        while not self.done:
            self.session.page("Import a file", self.draft.file.name, purpose=_READING)
            self._columns()
            self.session.screen.print()
            try:
                action = self.session.keyboard.choose("", self._entries())
            except (Back, Cancelled):
                if self._has_chosen and not discards(self.session.keyboard, _DISCARDED):
                    continue
                raise
            self.session.attempt(action)

    @property
    def _has_chosen(self) -> bool:
        """Return whether something was chosen that would be lost."""
        draft, begun = self.draft, self._begun
        chosen = (draft.choices, draft.mode, draft.create_clients)
        return chosen != (begun.choices, begun.mode, begun.create_clients)

    def _columns(self) -> None:
        """The columns and their targets, with the first row's content."""
        draft, screen = self.draft, self.session.screen
        screen.print(data(f"Read as {draft.read_as}", "muted"))
        rows = [(draft.matches[at].column, self._sample(at), self._target(at)) for at in self._shown()]
        columns = (
            tables.Column("Column", lambda row, _: data(row[0], "bold"), 0, 8),
            tables.Column("Goes to", lambda row, _: data(row[2], "success" if row[2] else "muted"), 1, 8),
            tables.Column("For example", lambda row, _: data(row[1], "muted"), 2, 8),
        )
        room = max(3, screen.left - 13)
        screen.print(tables.table(columns, rows[:room], self.session.crm.conventions, screen.width))
        if len(rows) > room:
            more = pluralize(len(rows) - room, "more column", "more columns", self.session.crm.conventions)
            screen.print(Text(f"and {more}", "muted"))

    def _shown(self) -> list[int]:
        """The places of the columns that go somewhere or have something in them, the empty ones last."""
        places = [at for at, match in enumerate(self.draft.matches) if match.target or self._sample(at)]
        return sorted(places, key=lambda at: not self._sample(at))

    def _sample(self, at: int) -> str:
        filled = (row[at] for row in self.draft.source.sample if at < len(row) and row[at])
        return next(filled, "")[:80]

    def _target(self, at: int) -> str:
        target = self.draft.matches[at].target
        if target.startswith(_OWN):
            return f"own field {target.removeprefix(_OWN)}"
        if target == "amount" and self.draft.in_foreign_currency:
            return f"Amount, not in {self.session.crm.conventions.currency}"
        return self._targets.get(target, target) if target else "(not imported)"

    @property
    def _targets(self) -> Mapping[str, str]:
        """The fields that a column may go to, as they are called in the team's country."""
        country = self.session.crm.conventions.country
        return {target: local_label(words, country) for target, words in self.draft.targets.items()}

    def _entries(self) -> list[Choice]:
        from crm.commands.data.importing import MATCHES, MODES

        draft = self.draft
        taken = sum(bool(match.target) for match in draft.matches)
        entries = [
            Choice("Continue: see what it would do", self._preview),
            Choice(self._entry("Columns", f"{taken} of {len(self._shown())} are used"), self._change_columns),
            Choice(self._entry("Type of record", draft.what), self._change_what),
            Choice(self._entry("Match on", MATCHES[draft.match]), lambda: self._decide("match", MATCHES)),
            Choice(self._entry("Action", MODES[draft.mode]), lambda: self._decide("mode", MODES)),
        ]
        if draft.what == "sales":
            words = "yes" if draft.create_clients else "no, sales of other clients are refused"
            entries.append(Choice(self._entry("Add new clients", words), self._turn_create))
        orders = {match.date_order for match in draft.matches if match.date_order}
        if orders:
            orders_named = ", ".join(DATE_ORDERS[order] for order in sorted(orders))
            if any(match.in_two_orders for match in draft.matches):
                orders_named += ", but not all of them"
            entries.append(Choice(self._entry("Dates", orders_named), self._change_dates))
        if foreign := draft.in_foreign_currency:
            entries.append(Choice(f"Read {foreign} as amounts in {self.session.crm.conventions.currency}", self._own))
        if draft.is_recalled:
            entries.append(Choice("Detect the columns again", self._detect))
        if draft.source.kind != "vcard":
            entries.append(Choice("Read it differently", self._change_reading))
        return entries

    def _detect(self) -> None:
        """The columns as the program detects them, and not as they were chosen the last time."""
        from crm.commands.data.importing import begin

        kept = self._reading
        self.draft = begin(self.session.crm, self.draft.file, new_columns=True, **kept)

    @property
    def _reading(self) -> dict[str, Any]:
        """The options by which the file is read now."""
        source = self.draft.source
        known: dict[str, Any] = {"header": source.has_header, "sheet": source.sheet}
        return known | ({"delimiter": source.delimiter, "encoding": source.encoding} if source.kind == "csv" else {})

    def _entry(self, label: str, value: str) -> str:
        """A label and its value on one line, the values below one another."""
        screen = self.session.screen
        return screen.cut(f"{label:<{19 if screen.width >= _WIDE else 16}}{value}", _KEYED)

    def _decide(self, name: str, options: Any) -> None:
        from dataclasses import replace

        entries = [Choice(words[:1].upper() + words[1:], value) for value, words in options.items()]
        changes: dict[str, Any] = {name: self.session.keyboard.choose("", entries, at=getattr(self.draft, name))}
        self.draft = replace(self.draft, **changes)

    def _turn_create(self) -> None:
        from dataclasses import replace

        self.draft = replace(self.draft, create_clients=not self.draft.create_clients)

    def _own(self) -> None:
        self.draft = self.draft.in_own_currency()

    def _change_dates(self) -> None:
        order = self.session.keyboard.choose("Dates are written as:", _choices(DATE_ORDERS))
        self.draft = self.draft.with_date_order(order)

    def _change_reading(self) -> None:
        """The file read again, with another encoding or delimiter, or with or without a header."""
        from crm.commands.data.importing import begin
        from crm.commands.data.importing.delimiters import DELIMITERS

        source = self.draft.source
        turned = "The first row is data" if source.has_header else "The first row has the column names"
        entries = [Choice(turned, {"header": not source.has_header})]
        if source.kind == "csv":
            entries += [Choice(f"Separated by {word}", {"delimiter": sign}) for word, sign in DELIMITERS.items()]
            entries += [Choice(f"Written in {words}", {"encoding": name}) for name, words in _ENCODINGS.items()]
        entries += [Choice(f"Sheet {title}", {"sheet": title, "header": None}) for title in source.other_sheets]
        chosen = self.session.keyboard.choose("", entries)
        self.draft = begin(self.session.crm, self.draft.file, self.draft.what, **{**self._reading, **chosen})

    def _change_what(self) -> None:
        from crm.commands.data.importing import begin

        kind = self.session.keyboard.choose("Each row is:", [Choice("A client", "clients"), Choice("A sale", "sales")])
        if kind != self.draft.what:
            self.draft = begin(self.session.crm, self.draft.file, kind)

    def _change_columns(self) -> None:
        """Choose where columns go, one after another, until that is done. Raises Back."""
        session, at = self.session, None
        while True:
            session.page("Import a file", self.draft.file.name, "Columns", purpose=_COLUMNS)
            places = self._shown()
            entries = [Choice(self._line(place), place) for place in places]
            at = session.keyboard.choose("Which column?", entries, back="Done", at=at)
            if session.attempt(partial(self._change_column, at)):
                # The next one is pointed at.
                at = places[min(places.index(at) + 1, len(places) - 1)]

    def _line(self, at: int) -> str:
        """A column, where it goes and what is in it, on a line."""
        arrow = self.session.screen.sign("→", "->")
        sample = f"   {self._sample(at)}" if self._sample(at) else ""
        return self.session.screen.cut(f"{self.draft.matches[at].column} {arrow} {self._target(at)}{sample}", _KEYED)

    def _change_column(self, at: int) -> bool:
        """Choose where a column goes, and say which other one goes nowhere for it. Raises Back."""
        session, before = self.session, self.draft
        column = before.matches[at].column
        session.page("Import a file", before.file.name, "Columns", column)
        if sample := self._sample(at):
            session.screen.print(data(f"For example: {sample}", "muted"))
        users: dict[str, list[str]] = {}
        for place, match in enumerate(before.matches):
            if match.target and place != at:
                users.setdefault(match.target, []).append(match.column)
        entries = [
            Choice(f"{words} ({'also' if target in SEVERAL else 'now'} {', '.join(users[target])})", target)
            if target in users
            else Choice(words, target)
            for target, words in self._targets.items()
        ]
        if before.what == "clients":
            entries.append(Choice(f"A new field called {column}", f"{_OWN}{column}"))
        target = session.keyboard.choose(f"{column} goes to:", entries, at=before.matches[at].target)
        self.draft = before.with_target(at, target)
        for earlier, now in zip(before.matches, self.draft.matches, strict=True):
            if earlier.target and not now.target and now is not self.draft.matches[at]:
                session.say(
                    f"{earlier.column} is not imported now: {self._target(at)} is taken from {column}.", "warning"
                )
        return True

    def _preview(self) -> None:
        from crm.commands.data.importing import NoColumnError, run
        from crm.terminal.data.import_rendering import draw_at_menu

        session = self.session
        try:
            report = run(session.crm, self.draft, preview=True, whole=True)
        except NoColumnError as error:
            goes = ": it goes to a name" if error.needs == "a name" else ""
            raise FileError(f"{error.fault} Choose one under Columns{goes}.{error.notes}") from error
        brief = report.brief()
        crumbs = ("Import a file", self.draft.file.name, "Preview")
        changes = report.new or report.updated or report.joined
        entries = [Choice("Import now", "now")] if changes else []
        if report.same_email:
            entries.append(Choice("Match them to the clients with the same e-mail, and preview again", "same"))
        if foreign := self.draft.in_foreign_currency:
            own = session.crm.conventions.currency
            entries.append(Choice(f"Read {foreign} as amounts in {own}, and preview again", "own"))
        entries += _row_lists(session, crumbs, report)
        while True:
            session.page(*crumbs, purpose=_PREVIEW)
            draw_at_menu(brief, session.screen, session.crm.conventions)
            session.screen.print()
            if changes:
                chosen = session.keyboard.choose(
                    "",
                    entries,
                    back="Back to the settings of this import",
                    hidden=yes_or_no("now"),
                    # With ways to the rows it is no question of yes or no.
                    hint=YES_OR_NO if len(entries) == 1 else "",
                )
            else:
                chosen = session.keyboard.choose("Nothing would change.", entries)
            if chosen == "now":
                break
            if chosen == "same":
                self.draft = dataclasses.replace(self.draft, match="email")
                self._preview()
                return
            if chosen == "own":
                self.draft = self.draft.in_own_currency()
                self._preview()
                return
            chosen()
        with session.crm.read() as snapshot:
            is_first = not snapshot.history(1, query=HistoryQuery(text="imported"))
        is_undone = self._result(session.insist(lambda: run(session.crm, self.draft, whole=True)))
        if is_first and not is_undone:
            session.say(
                "Next: see your clients under Clients. How they get a status is under Data & settings, Status rules.",
                "muted",
            )
        self.done = True

    def _result(self, report: "ImportReport") -> bool:
        """Tell what was imported; where rows were refused or are doubtful, on a page with ways to all of them, which is
        left when the import is undone. Return whether it was."""
        from crm.terminal.data.import_rendering import draw_at_menu

        session = self.session
        crumbs = ("Import a file", self.draft.file.name, "Result")
        entries = _row_lists(session, crumbs, report) if report.refusals or report.doubts else []
        if not entries:
            with_files = session.with_files(report)
            session.tell_drawn(lambda: draw_at_menu(with_files, session.screen, session.crm.conventions))
            return False
        brief = session.with_files(report.brief())
        number = self._number()

        def draw() -> None:
            if self._is_undone(number):
                raise NotFoundError("This import was undone.")
            draw_at_menu(brief, session.screen, session.crm.conventions)

        session.menu(crumbs, lambda: entries, above=draw, about=_RESULT)
        return self._is_undone(number)

    def _number(self) -> int:
        """The number of this import in the history; 0 if it changed nothing."""
        text = f"imported {self.draft.what} from {self.draft.file.name}"
        with self.session.crm.read() as snapshot:
            return next((entry.id for entry in snapshot.history(1, query=HistoryQuery(text=text))), 0)

    def _is_undone(self, number: int) -> bool:
        with self.session.crm.read() as snapshot:
            entries = snapshot.history(1, query=HistoryQuery(transaction=number))
        return bool(entries) and entries[0].undone_by is not None


def _row_lists(session: Session, crumbs: Sequence[str], report: "ImportReport") -> list[Choice]:
    """The ways to all rows that were refused, all that are doubtful, and all clients that are updated."""
    listed: list[tuple[str, Sequence[Any]]] = [
        ("Refused rows", report.refusals),
        ("Values to check", report.doubts),
        ("Updated clients", report.updates),
    ]
    return [
        Choice(f"{title} ({session.crm.conventions.number(len(rows))})", _RowsPage(session, crumbs, title, rows).show)
        for title, rows in listed
        if rows
    ]


class _RowsPage(ListPage):
    """All rows of a file that update a client, were refused, or are doubtful."""

    def __init__(self, session: Session, crumbs: Sequence[str], title: str, rows: Sequence[Any]) -> None:
        super().__init__(session)
        self.title, self._crumbs, self._rows = title, crumbs, rows
        self.columns = columns_of(type(rows[0])) or ()

    def rows(self, limit: int, offset: int) -> Sequence[Any]:
        return self._rows[offset : offset + limit]

    def count(self) -> int:
        return len(self._rows)

    def crumbs(self) -> Sequence[str]:
        return [*self._crumbs, self.title]

    def about(self) -> str:
        return "The rows by their line in the file, each with the reason or the changes. Enter shows one whole."

    def open(self, row: Any) -> None:
        session = self.session
        session.read([*self.crumbs(), f"Row {row.row}"], lambda: show(session.screen, row, session.crm.conventions))


def _choices(options: Any) -> list[Choice]:
    return [Choice(words, value) for value, words in options.items()]
