"""The list of clients at the menu, filtered and sorted, and the saved views of it."""

from collections.abc import Mapping, Sequence
from typing import Any

from crm.commands.registry import named
from crm.model import Client, View, fields
from crm.rules import parse_condition
from crm.terminal import tables
from crm.terminal.keyboard import Choice
from crm.terminal.lists import ListPage
from crm.terminal.session import Session, flow
from crm.terminal.suggestions import metric_names


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


@flow("clients list")
def list_clients(session: Session, **_: Any) -> None:
    """The list of clients."""
    ClientsPage(session).show()


@flow("views list")
def list_views(session: Session, **_: Any) -> None:
    """The list of saved views."""
    ViewsPage(session).show()
