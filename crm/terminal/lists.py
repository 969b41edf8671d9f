"""Lists a page at a time: a key opens a row, others turn the page, sort and filter."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.text import Text

from crm.commands.registry import named
from crm.errors import Cancelled, FieldError
from crm.model import Client, Conventions, Sale, View, fields
from crm.repository import Query
from crm.rules import parse_condition
from crm.terminal import tables
from crm.terminal.keyboard import Back, Choice
from crm.terminal.picking import metric_names
from crm.terminal.screen import clean, data
from crm.terminal.session import Session

_ROWS = 9
# The title, the rule, the line on what is shown, the heads, the way back and the hint.
_AROUND = 9


class ListPage:
    """A list that is paged, sorted and narrowed. Subclasses say what is in it and what opening a row does."""

    title: str
    columns: Sequence[tables.Column]
    sorts: Mapping[str, str] = {}
    downwards = frozenset(("total_spend", "sales_count", "last_sale_on", "created_at", "amount"))

    def __init__(self, session: Session) -> None:
        self.session = session
        self.offset = 0
        self.sort = ""

    def rows(self, limit: int, offset: int) -> Sequence[Any]:
        """The rows of a page."""
        raise NotImplementedError

    def count(self) -> int | None:
        """How many there are in all; None where that is not known."""
        return None

    def open(self, row: Any) -> None:
        """What a row's key does."""
        raise NotImplementedError

    def narrowed(self) -> str:
        """What the list is narrowed to, in words."""
        return ""

    def keys(self) -> Sequence[Choice]:
        """Further keys of this list; their values are actions."""
        return ()

    def show(self) -> None:
        """Shows the list until the person goes back."""
        while True:
            size = max(3, min(_ROWS, self.session.screen.height - _AROUND))
            self.session.page(self.title)
            try:
                rows = self.rows(size + 1, self.offset)
                told = self._told(rows[:size])
            except FieldError as error:
                # A sort or a filter that came in from outside cannot be read: shown without it.
                self.session.fail(error)
                return
            self.session.screen.print(Text(told, "dim"))
            if not rows:
                self.session.screen.print("Nothing here." if not self.narrowed() else "Nothing fits.")
            head, lines = self._lines(rows[:size])
            entries = [Choice(line, _call(self.open, row)) for line, row in zip(lines, rows[:size], strict=True)]
            try:
                chosen = self.session.choose(head, entries, keys=self._keys(len(rows) > size, size))
            except (Back, Cancelled):
                return
            self.session.attempt(chosen)

    def _told(self, rows: Sequence[Any]) -> str:
        by = self.session.crm.conventions
        count = self.count()
        pieces = []
        if rows:
            span = f"{by.number(self.offset + 1)}-{by.number(self.offset + len(rows))}"
            pieces.append(f"{span} of {by.number(count)}" if count is not None else span)
        if self.narrowed():
            pieces.append(clean(self.narrowed()))
        if self.sort:
            label = next(
                (label for label, name in self.sorts.items() if name == self.sort.removeprefix("-")), self.sort
            )
            pieces.append(f"by {label.lower()}{', largest first' if self.sort.startswith('-') else ''}")
        return " · ".join(pieces)

    def _lines(self, rows: Sequence[Any]) -> tuple[str, list[str]]:
        """The heads and the rows as they stand beside their keys."""
        screen = self.session.screen
        if not rows:
            return "", []
        before = 3 if screen.plain else 6
        drawn = tables.table(self.columns, rows, self.session.crm.conventions, screen.width - before - 2)
        options = screen.console.options.update(width=screen.width - before)
        lines = ["".join(piece.text for piece in line).rstrip() for line in screen.console.render_lines(drawn, options)]
        # prompt_toolkit puts a blank before a question of its own.
        return " " * (before - (0 if screen.plain else 2)) + lines[0].rstrip(), lines[1:]

    def _keys(self, more: bool, size: int) -> list[Choice]:
        def turn(to: int) -> Callable[[], None]:
            def turned() -> None:
                self.offset = max(0, to)

            return turned

        keys = [Choice("Next", turn(self.offset + size), "n")] if more else []
        keys += [Choice("Previous", turn(self.offset - size), "p")] if self.offset else []
        keys += [Choice("Sort", self._choose_sort, "s")] if self.sorts else []
        return [*keys, *self.keys()]

    def _choose_sort(self) -> None:
        entries = [Choice(label, name) for label, name in self.sorts.items()]
        chosen = self.session.keyboard.choose(
            "Sort by (again to turn it around):", entries, at=self.sort.removeprefix("-")
        )
        # Of amounts and days one wants the largest first.
        first, second = (f"-{chosen}", chosen) if chosen in self.downwards else (chosen, f"-{chosen}")
        self.sort = second if self.sort == first else first
        self.offset = 0


def _call(function: Callable[[Any], None], row: Any) -> Callable[[], None]:
    return lambda: function(row)


class ClientsPage(ListPage):
    """Clients by status, field, condition or saved view."""

    title = "Clients"
    columns = tables.CLIENTS
    sorts: Mapping[str, str] = {
        "Name": "name",
        "Total spend": "total_spend",
        "Number of sales": "sales_count",
        "Last sale": "last_sale_on",
        "Status": "status",
        "Company": "company",
        "City": "city",
        "Owner": "owner",
        "Date added": "created_at",
    }

    def __init__(self, session: Session, view: str = "") -> None:
        super().__init__(session)
        self.filters: dict[str, Any] = {}
        self.where = ""
        self.view = view

    def rows(self, limit: int, offset: int) -> Sequence[Any]:
        listed: list[Client] = named("clients list")(
            self.session.crm, self.filters, self.where, self.view, self.sort, limit, offset
        )
        return listed

    def count(self) -> int:
        from crm.commands.clients import query_of

        with self.session.crm.read() as snapshot:
            return int(snapshot.count(Client, query_of(snapshot, self.filters, self.where, self.view, "")))

    def open(self, row: Any) -> None:
        from crm.terminal.clients import client_page

        client_page(self.session, row)

    def narrowed(self) -> str:
        by = self.session.crm.conventions
        told = [
            f"{fields(Client)[name].label}: {fields(Client)[name].check.show(value, by)}"
            for name, value in self.filters.items()
        ]
        return ", ".join([*([f"view {self.view}"] if self.view else []), *told, *([self.where] if self.where else [])])

    def keys(self) -> Sequence[Choice]:
        return [Choice("Filter", self._filter, "f"), Choice("Views", self._choose_view, "v")]

    def _filter(self) -> None:
        keyboard = self.session.keyboard
        entries = [Choice(label, name) for label, name in _FILTERS.items()]
        if self.narrowed():
            entries.append(Choice("Show all again", "", "x"))
        name = keyboard.choose("Filter by:", entries)
        if name == "":
            self.filters, self.where, self.view = {}, "", ""
        elif name == "where":
            self.where = keyboard.text(
                "Condition", self._condition, default=self.where, help="like total_spend > 1000", suggest=metric_names
            )
        elif name == "status":
            self.filters["status"] = keyboard.choose(
                "Status:", [Choice(each or "(none)", each) for each in self._statuses()]
            )
        else:
            field = fields(Client)[name]
            value = self.session.prompts.value(field.label, field.check, required=True)
            self.filters[name] = value
        self.offset = 0

    def _statuses(self) -> list[str]:
        report = named("today")(self.session.crm)
        return [each.status for each in report.statuses][:30]

    def _condition(self, typed: str) -> str:
        if typed.strip():
            parse_condition(typed)
        return typed.strip()

    def _choose_view(self) -> None:
        views = named("views list")(self.session.crm)
        if not views:
            self.session.say("There are no saved views yet; save one under Clients.")
            return
        chosen = self.session.keyboard.choose(
            "View:", [Choice(f"{each.name}  {each.condition}", each.name) for each in views[:30]]
        )
        self.view, self.filters, self.where, self.sort, self.offset = chosen, {}, "", "", 0


_FILTERS: Mapping[str, str] = {
    "Status": "status",
    "Tag": "tags",
    "A condition": "where",
    "City": "city",
    "Country": "country",
    "Owner": "owner",
    "Source": "source",
    "Person or company": "kind",
}


class SalesPage(ListPage):
    """Sales, the newest first, of all clients or of one, of a period."""

    title = "Sales"
    sorts: Mapping[str, str] = {"Date": "on", "Amount": "amount", "Client": "client"}

    def __init__(self, session: Session, client: Client | None = None) -> None:
        super().__init__(session)
        self.client = client
        self.since: Any = None
        self.until: Any = None
        self._names: dict[int, str] = {}
        self.columns = [
            each if each.title != "Client" else tables.Column("Client", self._name, 3, 8) for each in tables.SALES
        ]

    def _name(self, sale: Sale, _: Conventions) -> Text:
        return data(self._names.get(sale.client, sale.client))

    def rows(self, limit: int, offset: int) -> Sequence[Any]:
        crm = self.session.crm
        listed: list[Sale] = named("sales list")(
            crm, self.client, since=self.since, until=self.until, sort=self.sort, limit=limit, offset=offset
        )
        with crm.read() as snapshot:
            buyers = snapshot.find_all(Client, Query({"id": [each.client for each in listed]})) if listed else []
        self._names = {each.id: each.name for each in buyers}
        return listed

    def count(self) -> int:
        filters = {"client": self.client.id} if self.client else {}
        with self.session.crm.read() as snapshot:
            return int(snapshot.count(Sale, Query(filters, since=self.since, until=self.until)))

    def narrowed(self) -> str:
        by = self.session.crm.conventions
        told = [self.client.name] if self.client else []
        told += [f"since {by.day(self.since)}"] if self.since else []
        told += [f"until {by.day(self.until)}"] if self.until else []
        return ", ".join(told)

    def keys(self) -> Sequence[Choice]:
        return [Choice("Filter", self._filter, "f")]

    def _filter(self) -> None:
        command = named("sales list")
        prompts = self.session.prompts
        entries = [Choice("A client", "client"), Choice("Since a day", "since"), Choice("Until a day", "until")]
        if self.narrowed():
            entries.append(Choice("Show all again", "", "x"))
        name = self.session.keyboard.choose("Filter by:", entries)
        if name:
            setattr(self, name, prompts.ask(command.parameters[name]))
        else:
            self.client = self.since = self.until = None
        self.offset = 0

    def open(self, row: Any) -> None:
        from crm.terminal.sales import sale_page

        sale_page(self.session, row)


class ViewsPage(ListPage):
    """The saved views."""

    title = "Saved views"
    columns = tables.VIEWS

    def rows(self, limit: int, offset: int) -> Sequence[Any]:
        views: list[View] = named("views list")(self.session.crm)
        return views[offset : offset + limit]

    def open(self, row: Any) -> None:
        session = self.session
        view: View = row

        def change() -> None:
            command = named("views save")
            prompts = session.prompts
            answers: dict[str, Any] = {"name": view.name}
            for name in ("condition", "sort"):
                answers[name] = prompts.ask(command.parameters[name], typed=getattr(view, name))
            session.tell(prompts.run(command, answers))

        def remove() -> None:
            session.confirm(f"Remove the view {view.name}? The clients in it stay.", "Remove")
            session.call("views remove", name=view.name)
            session.say(f"Removed the view {view.name}.", "green")

        chosen = session.keyboard.choose(
            f"{view.name}:",
            [
                Choice("Show the clients in it", lambda: ClientsPage(session, view.name).show()),
                Choice("Change it", change),
                Choice("Remove it", remove),
            ],
        )
        chosen()
