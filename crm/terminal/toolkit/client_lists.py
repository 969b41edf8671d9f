"""A list of what was done with clients: rows with the names of the clients, filtered, mine or everybody's."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Protocol

from crm.commands.registry import named
from crm.model import Client, Mailing
from crm.repository import Query, Snapshot
from crm.terminal.console.keyboard import Choice
from crm.terminal.drawing import tables
from crm.terminal.drawing.screen import data
from crm.terminal.toolkit.lists import ListPage, filtered
from crm.terminal.toolkit.session import Session


class OfClient(Protocol):
    """A record that belongs to a client, which it names by number."""

    @property
    def client(self) -> int: ...


def client_names(snapshot: Snapshot, rows: Iterable[OfClient]) -> dict[int, str]:
    """The names of the clients that rows belong to, by number."""
    wanted = sorted({each.client for each in rows})
    clients = snapshot.find_all(Client, Query({"id": wanted})) if wanted else []
    return {each.id: each.name for each in clients}


class DealingsPage(ListPage):
    """What was done with clients, the newest first, as a command lists it that takes `mine`, a limit and an offset."""

    # The words of the command, its filters in the order of their menu, and the columns around the name of the client.
    command: str
    filter_by: Mapping[str, str]
    before: Sequence[tables.Column]
    after: Sequence[tables.Column]

    def __init__(self, session: Session, **filters: Any) -> None:
        super().__init__(session)
        self.filters: dict[str, Any] = filters
        self.mine = False
        self._clients: dict[int, str] = {}
        client = tables.Column("Client", lambda each, _: data(self._clients.get(each.client, "")), 2, 8)
        self.columns = (*self.before, client, *self.after)

    def rows(self, limit: int, offset: int) -> Sequence[Any]:
        listed: Sequence[Any] = named(self.command)(
            self.session.crm, mine=self.mine, limit=limit, offset=offset, **self.filters
        )
        with self.session.crm.read() as snapshot:
            self._clients = client_names(snapshot, listed)
        return listed

    def told(self, name: str, value: Any) -> str:
        """A filter of this list in words; those for clients, mailings and days are known."""
        raise NotImplementedError

    def narrowed(self) -> str:
        by = self.session.crm.conventions
        told = ["mine"] if self.mine else []
        for name, value in self.filters.items():
            match value:
                case Client() | Mailing():
                    told.append(value.name)
                case date():
                    told.append(f"{name} {by.day(value)}")
                case _:
                    told.append(self.told(name, value))
        return ", ".join(told)

    def widen(self) -> bool:
        narrowed = bool(self.filters or self.mine)
        self.filters, self.mine = {}, False
        return narrowed

    def keys(self) -> Sequence[Choice]:
        whose = "Everybody's" if self.mine else "Mine"
        return [Choice("Filter", self._filter, "f"), Choice(whose, self._turn, "e")]

    def _turn(self) -> None:
        self.mine, self.offset = not self.mine, 0
        if self.mine:
            self.filters.pop("by", None)

    def _filter(self) -> None:
        entries = [Choice(label, name) for name, label in self.filter_by.items()]
        if self.narrowed():
            entries.append(Choice("Show all again", "", "x"))
        name = self.session.keyboard.choose("Filter by:", entries)
        if not name:
            self.widen()
        else:
            value = self.session.prompts.ask(named(self.command).parameters[name])
            self.filters = filtered(self.filters, name, value)
            self.mine = self.mine and not (value and name == "by")
        self.offset = 0
