"""The list of clients at the menu: filtered, sorted, shown by saved views, and many of them taken together."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any

from rich.text import Text

from crm.commands.activity.follow_up_lists import next_by_client
from crm.commands.client_selection import Group, view_called
from crm.commands.clients.clients import all_of, due_by, silent
from crm.commands.clients.rules import statuses
from crm.commands.registry import Command, named
from crm.model import Client, Conventions, FollowUp, View, fields
from crm.model.clients import sort_name
from crm.model.fields import Tags
from crm.model.local_labels import local_label
from crm.repository.queries.clients import tags
from crm.rules import parse_condition
from crm.terminal.clients.bulk import act_on
from crm.terminal.clients.rendering import LISTED
from crm.terminal.console.keyboard import Choice
from crm.terminal.drawing import tables
from crm.terminal.drawing.screen import data
from crm.terminal.toolkit import letters
from crm.terminal.toolkit.group_picking import group_of
from crm.terminal.toolkit.marking import MarkingPage
from crm.terminal.toolkit.pages import draw_side_card, flow
from crm.terminal.toolkit.picking import pick_listed
from crm.terminal.toolkit.session import Session
from crm.terminal.toolkit.steps import Answers, in_steps
from crm.terminal.toolkit.suggestions import metric_names

_NO_FILTERS: Mapping[str, Any] = {}
# As many views have a key of their own beside the other entries.
_VIEWS = 30
# The columns of a client before what is to be done next.
_BEFORE_NEXT = 4
# What the keys do with the clients that are marked.
_OF_MARKED: Mapping[str, letters.Letter] = {
    "clients delete-many": letters.DELETE,
    "clients tag": letters.TAGS,
    "mailings send": letters.MAIL,
    "export": letters.EXPORT,
    "clients edit-many": letters.EDIT,
}


class ClientsPage(MarkingPage):
    """Clients by status, field, condition or saved view."""

    title = "Clients"
    purpose = "A client is a person or a company that buys from you."
    command = "clients list"
    kind = Client
    nouns = ("client", "clients")
    of_marked = _OF_MARKED
    lettered: Mapping[str, letters.Letter] = {
        "clients edit": letters.EDIT,
        "clients delete": letters.DELETE,
        "clients tag": letters.TAGS,
        "email send": letters.MAIL,
        "contacts list": letters.CONTACTS,
        "history list": letters.HISTORY,
        "rules why": letters.WHY,
        "clients pin": letters.PIN,
        "invoices add": letters.BILL,
    }
    sorts: Mapping[str, str] = {
        "Name": "name",
        "Total spend": "total_spend",
        "Number of sales": "sales_count",
        "Last sale": "last_sale_on",
        "Next follow-up": "next_follow_up_on",
        "Last contact": "last_contact_on",
        "Status": "status",
        "Company": "company",
        "City": "city",
        "State/Region": "region",
        "Owner": "owner",
        "Date added": "created_at",
    }

    def __init__(self, session: Session, view: str = "", filters: Mapping[str, Any] = _NO_FILTERS) -> None:
        super().__init__(session)
        self.filters: dict[str, Any] = dict(filters)
        self.where = ""
        # The condition as the person chose it.
        self._condition_words = ""
        self.view = view
        # What is to be done next with those that are listed, by their numbers.
        self._next: Mapping[int, FollowUp] = {}

    def rows(self, limit: int, offset: int) -> Sequence[Any]:
        listed: list[Client] = named("clients list")(
            self.session.crm, self.filters, self.where, self.view, self.sort, limit, offset
        )
        with self.session.crm.read() as snapshot:
            self._next = next_by_client(snapshot, listed) if limit > 1 else self._next
        self.columns = _columns(self.sort, self._next)
        return listed

    def jumps_by(self) -> Callable[[Any], str] | None:
        return _sort_name if self._order() in ("", "name") else None

    def count(self) -> int:
        with self.session.crm.read() as snapshot:
            self.counted = int(snapshot.count(Client, self._group().query(snapshot)))
        return self.counted

    def _group(self) -> Group:
        """The clients that the list shows, on all of its pages."""
        return Group((), self.filters, self.where, self.view)

    def open(self, row: Any) -> None:
        if self.marking:
            self.turn_mark(row)
            return
        ids = [client.id for client in self.drawn]
        at = self.offset + ids.index(row.id) if row.id in ids else 0
        self.session.open(row, listed=self.rows, at=at)

    def card(self, row: Client) -> Sequence[tuple[str, str]]:
        return draw_side_card(self.session, Client, row.id)

    def narrowed(self) -> str:
        by = self.session.crm.conventions
        parts = [
            f"{local_label(fields(Client)[name].label, by.country)}: {fields(Client)[name].check.show(value, by)}"
            for name, value in self.filters.items()
        ]
        parts += [self._condition_words] if self.where else []
        parts += self.marks_in_words()
        return ", ".join([*([f"view {self.view}"] if self.view else []), *parts])

    def _dropped(self) -> list[str]:
        return [*self.filters, *(["view"] if self.view else []), *(["where"] if self.where else [])]

    def _show_all(self) -> None:
        self._narrow("", {}, "")

    def _narrow(self, view: str, filters: dict[str, Any], where: str, words: str = "") -> None:
        """Narrow the list to something else; what was marked in it is not carried over unseen. The condition `where` is
        in the title in the `words` in which the person chose it."""
        self._condition_words = words or where
        self.view, self.filters, self.where, self.offset = view, filters, where, 0
        self.marked = {}

    def beginnings(self) -> Sequence[Choice]:
        command = named("import")
        is_offered = not self.view and not self.where and self.session.offers(command)
        return [Choice(command.title, partial(self.session.start, command))] if is_offered else []

    def keys(self) -> Sequence[Choice]:
        keys = [
            letters.NEW(lambda: self.session.start(named("clients add")), "client"),
            letters.FILTER(self._filter),
        ]
        at = 0 if self.marking else len(keys)
        keys[at:at] = self.mark_keys()
        keys += self.marked_keys()
        keys.append(letters.VIEWS(self._views))
        keys.append((letters.EVERYONES if self._is_mine() else letters.MINE)(self._turn))
        return [
            *keys,
            letters.LOG(lambda: self._start_with_client("interactions add")),
            letters.SALE(lambda: self._start_with_client("sales add")),
        ]

    def _start_with_client(self, words: str) -> None:
        """Lead through a command about the client that is pointed at; where no row is, it asks for the client."""
        if self.marked:
            self.refuse_marked()
            return
        client = self.drawn[self.at] if self.drawn and not self.session.screen.plain else None
        self.session.start(named(words), **({"client": client} if client else {}))

    def _is_mine(self) -> bool:
        return str(self.filters.get("owner", "")).casefold() == self.session.crm.me.casefold()

    def _turn(self) -> None:
        """Switch from everyone's clients to mine, and back."""
        filters = {name: value for name, value in self.filters.items() if name != "owner"}
        if not self._is_mine():
            filters["owner"] = self.session.crm.me
        self._narrow(self.view, filters, self.where, self._condition_words)

    def start_with(self, command: Command, records: Sequence[Any]) -> None:
        group = group_of(clients=tuple(records))
        self.session.start(command, **{name: value for name, value in group.items() if name in command.parameters})

    def act_on_marked(self) -> None:
        clients = self.still_marked()
        act_on(self.session, group_of(clients=clients), self.counted_words(len(clients)))

    def act_on_all(self) -> None:
        members, only = self._group(), tuple(self.filters.items())
        group = group_of(only=only, where=self.where, view=self.view, all_=members.is_everybody)
        act_on(self.session, group, self.counted_words(self.counted))

    def _filter(self) -> None:
        keyboard = self.session.keyboard
        country = self.session.crm.conventions.country
        entries = [Choice(local_label(label, country), name) for label, name in _FILTERS.items()]
        if not self._group().is_everybody:
            entries.append(Choice("Show all again", ""))
        self.session.page(*self.crumbs(), letters.FILTER.word)
        name = keyboard.choose("Filter by:", entries)
        view, filters, where, words = self.view, dict(self.filters), self.where, self._condition_words
        if name == "":
            view, filters, where, words = "", {}, "", ""
        elif name == "where":
            where = words = keyboard.text(
                "Condition", self._condition, default=self.where, help="like total_spend > 1000", suggest=metric_names
            )
        elif name in _BY_A_DAY:
            parameter, condition = _BY_A_DAY[name]
            day = self.session.prompts.ask(
                dataclasses.replace(named("clients list").parameters[parameter], required=True)
            )
            where = all_of(where, condition(day, self.session.crm.today))
            label = next(label for label, other in _FILTERS.items() if other == name)
            words = ", ".join(filter(None, (words, f"{label} {self.session.crm.conventions.day(day)}")))
        elif name == "status":
            filters["status"] = pick_listed(keyboard, "Status:", self._statuses, nothing="no statuses yet")
        elif name == "tags":
            chosen = pick_listed(keyboard, "Tag:", self._tags, nothing="no tags yet")
            several = "tags of the clients, who have all of them"
            filters["tags"] = (chosen,) if chosen else self.session.prompts.value("Tags", Tags(), help=several)
        else:
            field = fields(Client)[name]
            value = self.session.prompts.value(local_label(field.label, country), field.check)
            filters = {name: kept for name, kept in {**filters, name: value}.items() if kept not in (None, "")}
        self._narrow(view, filters, where, words)

    def _statuses(self, limit: int, offset: int) -> Sequence[tuple[str, str]]:
        with self.session.crm.read() as snapshot:
            return [(status or "(none)", status) for status in statuses(snapshot)[offset : offset + limit]]

    def _tags(self, limit: int, offset: int) -> Sequence[tuple[str, str]]:
        with self.session.crm.read() as snapshot:
            known = [(tag, tag) for tag in tags(snapshot)]
        several = [("Several tags", "")] if len(known) > 1 else []
        return [*known, *several][offset : offset + limit]

    def _condition(self, typed: str) -> str:
        if typed.strip():
            parse_condition(typed)
        return typed.strip()

    def _views(self) -> None:
        views = named("views list")(self.session.crm)
        entries = [Choice(f"{view.name}  {view.condition}", lambda name=view.name: name) for view in views[:_VIEWS]]
        if self.sort or not self._group().is_everybody:
            entries.append(
                Choice("Save this list as a view", lambda: _save_list(self.session, self._group(), self._order()).name)
            )
        if views:
            entries.append(Choice("Rename, change or remove views", lambda: self.session.start(named("views list"))))
        if not entries:
            self.session.say("No saved views yet. Filter the list, then save it as a view.")
            return
        self.session.page(*self.crumbs(), letters.VIEWS.word)
        chosen = self.session.keyboard.choose("View:", entries)()
        if chosen is not None:
            self._narrow(chosen, {}, "")
            self.sort = ""

    def _order(self) -> str:
        """The order that the list is in, whether chosen or the view's own."""
        if self.sort or not self.view:
            return self.sort
        with self.session.crm.read() as snapshot:
            return view_called(snapshot, self.view).sort


def _sort_name(client: Client) -> str:
    return sort_name(client.kind, client.first_name, client.last_name, client.company)


def _columns(sort: str, next_ones: Mapping[int, FollowUp]) -> Sequence[tables.Column]:
    """The columns of the list; the day that it is sorted by is there also where there is little room."""

    def next_step(client: Client, by: Conventions) -> Text:
        if (follow_up := next_ones.get(client.id)) is None:
            return Text()
        late = follow_up.due_on < by.today
        words = f"{'! ' if late else ''}{by.day(follow_up.due_on)} {follow_up.what}"
        return data(words, "overdue" if late else "")

    columns = (*LISTED[:_BEFORE_NEXT], tables.Column("Next step", next_step, 2, 12), *LISTED[_BEFORE_NEXT:])
    title = {"last_contact_on": "Last contact"}.get(sort.removeprefix("-"))
    return [dataclasses.replace(column, rank=1) if column.title == title else column for column in columns]


# Filters that ask for a day: the parameter of the command, and the condition that comes of it.
_BY_A_DAY: Mapping[str, tuple[str, Callable[[date, date], str]]] = {
    "due_by": ("due", due_by),
    "silent": ("silent_since", silent),
}
_FILTERS: Mapping[str, str] = {
    "Status": "status",
    "Tag": "tags",
    "Follow-up due by": "due_by",
    "Not contacted since": "silent",
    "A condition": "where",
    "City": "city",
    "State/Region": "region",
    "Country": "country",
    "Owner": "owner",
    "Source": "source",
    "Person or company": "kind",
}


@flow("clients list")
def list_clients(session: Session, **_: Any) -> None:
    """The list of clients."""
    ClientsPage(session).show()


def _save_list(session: Session, group: Group, sort: str) -> View:
    """Save what a list is narrowed to as a view, under a name that is asked for. Raises Back, and FieldError for
    what no view can hold."""
    with session.crm.read() as snapshot:
        condition = group.condition(snapshot)
    parameter = dataclasses.replace(named("views save").parameters["name"], label="Name of the view")
    answers = Answers(session)

    def save() -> View:
        name = answers.values["name"]
        taken = {view.name.casefold() for view in named("views list")(session.crm)}
        if name.casefold() in taken:
            session.confirm(f"There is already a view called {name}. Replace it with this list?", "Change it")
        stored: View = session.call("views save", name=name, condition=condition, sort=sort)
        return stored

    saved: View = in_steps(session, [lambda: answers.ask(parameter, group.view), save], answers.is_written)
    session.done(f"Saved the view {saved.name}.")
    return saved
