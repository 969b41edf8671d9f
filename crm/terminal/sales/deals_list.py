"""The list of deals at the menu: by stage, filtered, mine or everybody's, with what they add up to."""

from collections.abc import Mapping, Sequence
from typing import Any

from crm.commands.registry import named
from crm.commands.sales.deals import DealList
from crm.model import Client, Stage
from crm.terminal.console.keyboard import Choice
from crm.terminal.sales.deals import deal_page
from crm.terminal.sales.rendering import DEALS, added_up
from crm.terminal.toolkit.lists import ListPage, filtered
from crm.terminal.toolkit.pages import flow
from crm.terminal.toolkit.session import Session

_FILTERS: Mapping[str, str] = {
    "client": "A client",
    "stage": "A stage",
    "owner": "Who looks after them",
    "since": "Expected to close since a day",
    "until": "Expected to close until a day",
    "text": "A text",
}
_OUTCOMES = {"won": "Won ones", "lost": "Lost ones", "all_": "Open, won and lost ones"}


class DealsPage(ListPage):
    """Deals, the open ones unless told otherwise."""

    title = "Deals"
    columns = DEALS
    sorts: Mapping[str, str] = {
        "Stage": "stage",
        "Value": "value",
        "Expected close": "expected_close_on",
        "Title": "title",
        "Client": "client",
        "In stage since": "stage_since",
        "Date added": "created_at",
    }
    downwards = frozenset(("value", "created_at"))

    def __init__(self, session: Session, client: Client | None = None) -> None:
        super().__init__(session)
        self.filters: dict[str, Any] = {"client": client} if client else {}
        self._found: DealList | None = None

    def rows(self, limit: int, offset: int) -> Sequence[Any]:
        found: DealList = named("deals list")(
            self.session.crm, sort=self.sort, limit=limit, offset=offset, **self.filters
        )
        self._found = found
        return found.deals

    def count(self) -> int | None:
        return self._found.count if self._found else None

    def open(self, row: Any) -> None:
        deal_page(self.session, row.deal)

    def narrowed(self) -> str:
        told = [self._told_of(name) for name in self.filters]
        if self._found and self._found.count:
            told.append(added_up(self._found, self.session.crm.conventions))
        return ", ".join(told)

    def _told_of(self, name: str) -> str:
        value, by = self.filters[name], self.session.crm.conventions
        match value:
            case Client() | Stage():
                return value.name
            case True:
                return {"mine": "mine", "all_": "open, won and lost"}.get(name, name)
        parameter = named("deals list").parameters[name]
        shown = parameter.value_check.show(value, by)
        return f"{'closing ' if name in ('since', 'until') else ''}{parameter.label.lower()} {shown}"

    def widen(self) -> bool:
        narrowed = bool(self.filters or self.sort)
        self.filters, self.sort = {}, ""
        return narrowed

    def keys(self) -> Sequence[Choice]:
        keys = [
            Choice("Everybody's" if "mine" in self.filters else "Mine", self._turn, "e"),
            Choice("Filter", self._filter, "f"),
            Choice("Add", self._add, "a"),
            Choice("Stages", lambda: self.session.start(named("stages list")), "t"),
        ]
        if not self.session.screen.plain:
            keys.append(Choice("Board", lambda: self.session.start(named("deals board")), "b"))
        return keys

    def _turn(self) -> None:
        """Mine, or everybody's."""
        if self.filters.pop("mine", None) is None:
            self.filters.pop("owner", None)
            self.filters["mine"] = True
        self.offset = 0

    def _add(self) -> None:
        client = self.filters.get("client")
        self.session.start(named("deals add"), **({"client": client} if client else {}))

    def _filter(self) -> None:
        parameters = named("deals list").parameters
        entries = [Choice(title, name) for name, title in {**_FILTERS, **_OUTCOMES}.items()]
        if self.filters:
            entries.append(Choice("Show the open ones again", "", "x"))
        name = self.session.keyboard.choose("Filter by:", entries)
        if not name:
            self.filters = {}
        elif name in _OUTCOMES:
            self.filters = {each: value for each, value in self.filters.items() if each not in _OUTCOMES}
            self.filters[name] = True
        else:
            value = self.session.prompts.ask(parameters[name])
            if value and name == "owner":
                self.filters.pop("mine", None)
            self.filters = filtered(self.filters, name, value)
        self.offset = 0


@flow("deals list")
def list_deals(session: Session, client: Client | None = None, **_: Any) -> None:
    """The list of deals, of one client where it is named."""
    DealsPage(session, client).show()
