"""Calls, meetings, e-mails, text messages and notes at the menu: logged, listed, opened and corrected."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from rich.text import Text

from crm.commands.contacts import contacts_of
from crm.commands.interactions import logged
from crm.commands.registry import named
from crm.errors import ConflictError
from crm.model import INTERACTIONS, Client, Contact, Conventions, Interaction
from crm.repository import Query
from crm.terminal import tables
from crm.terminal.forms import settle_conflict
from crm.terminal.interaction_form import InteractionForm
from crm.terminal.keyboard import Back, Choice
from crm.terminal.lists import ListPage
from crm.terminal.picking import pick_client
from crm.terminal.render import drawn
from crm.terminal.screen import Screen, clean, data
from crm.terminal.session import Session, flow


def _kind(interaction: Interaction) -> str:
    kind = INTERACTIONS[interaction.kind]
    return kind[:1].upper() + kind[1:]


INTERACTION_COLUMNS: Sequence[tables.Column] = (
    tables.Column("Date", lambda each, by: data(by.day(each.on), "dim"), 1),
    tables.Column("Time", lambda each, _: data(each.time, "dim"), 5),
    tables.Column("Kind", lambda each, _: data(_kind(each)), 0),
    tables.Column("What", lambda each, _: data(each.subject or each.body.partition("\n")[0]), 0, 10),
    tables.Column("By", lambda each, _: data(each.user, "dim"), 4, 5),
)
tables.COLUMNS[Interaction] = (
    tables.Column("No.", lambda each, _: data(each.id, "dim"), 6, right=True),
    *INTERACTION_COLUMNS,
    tables.Column("Client", lambda each, _: data(each.client, "dim"), 7, right=True),
)
# In the order in which they stand in the menu of filters.
_FILTERS: Mapping[str, str] = {
    "kind": "A kind", "client": "A client", "since": "Since a day", "until": "Until a day", "by": "Who logged it",
    "text": "A text",
}  # fmt: skip


class InteractionsPage(ListPage):
    """What was logged, the newest first: of all clients or of one, mine or everybody's."""

    title = "Calls, meetings and notes"

    def __init__(self, session: Session, client: Client | None = None) -> None:
        super().__init__(session)
        self.filters: dict[str, Any] = {"client": client} if client else {}
        self.mine = False
        self._companies: dict[int, str] = {}
        company = tables.Column("Client", lambda each, _: data(self._companies.get(each.client, "")), 2, 8)
        self.columns = (*INTERACTION_COLUMNS[:3], company, *INTERACTION_COLUMNS[3:])

    def rows(self, limit: int, offset: int) -> Sequence[Any]:
        listed: list[Interaction] = named("interactions list")(
            self.session.crm, mine=self.mine, limit=limit, offset=offset, **self.filters
        )
        with self.session.crm.read() as snapshot:
            wanted = sorted({each.client for each in listed})
            companies = snapshot.find_all(Client, Query({"id": wanted})) if wanted else []
        self._companies = {each.id: each.name for each in companies}
        return listed

    def narrowed(self) -> str:
        by = self.session.crm.conventions
        told = ["mine"] if self.mine else []
        for name, value in self.filters.items():
            match value:
                case Client():
                    told.append(value.name)
                case date():
                    told.append(f"{name} {by.day(value)}")
                case _:
                    told.append(f"by {value}" if name == "by" else str(INTERACTIONS.get(value, value)))
        return ", ".join(told)

    def widen(self) -> bool:
        narrowed = bool(self.filters or self.mine)
        self.filters, self.mine = {}, False
        return narrowed

    def keys(self) -> Sequence[Choice]:
        return [
            Choice("Filter", self._filter, "f"),
            Choice("Everybody's" if self.mine else "Mine", self._turn, "e"),
            Choice("Log", lambda: log(self.session, self.filters.get("client")), "l"),
        ]

    def _turn(self) -> None:
        self.mine, self.offset = not self.mine, 0
        if self.mine:
            self.filters.pop("by", None)

    def _filter(self) -> None:
        entries = [Choice(label, name) for name, label in _FILTERS.items()]
        if self.narrowed():
            entries.append(Choice("Show all again", "", "x"))
        name = self.session.keyboard.choose("Filter by:", entries)
        if not name:
            self.widen()
        elif value := self.session.prompts.ask(named("interactions list").parameters[name]):
            self.filters[name] = value
            self.mine = self.mine and name != "by"
        else:
            self.filters.pop(name, None)
        self.offset = 0

    def open(self, row: Any) -> None:
        interaction_page(self.session, row)


@flow("interactions list")
def list_interactions(session: Session, client: Client | None = None, **_: Any) -> None:
    """The list of what was logged, of one client where it is named."""
    InteractionsPage(session, client).show()


@flow("interactions show")
def show(session: Session, interaction: Interaction | None = None, **_: Any) -> None:
    """The page of an interaction."""
    interaction_page(session, interaction or session.prompts.ask(named("interactions show").parameters["interaction"]))


def interaction_page(session: Session, interaction: Interaction) -> None:
    """An interaction with all of its text, and what can be done with it, until the person goes back."""
    from crm.terminal.clients import client_page

    seen: dict[str, Any] = {}

    def crumbs() -> list[str]:
        with session.crm.read() as snapshot:
            seen["record"] = snapshot.get(Interaction, interaction.id)
            seen["client"] = snapshot.get(Client, seen["record"].client)
            seen["contact"] = snapshot.find(Contact, seen["record"].contact)
        return [seen["client"].name, _kind(seen["record"])]

    def above() -> None:
        _draw(session.screen, seen["record"], session.crm.conventions, seen["contact"])
        session.screen.print()

    def entries() -> list[Choice]:
        record, client = seen["record"], seen["client"]
        return [
            Choice("Edit", lambda: edit(session, record)),
            Choice("Open the client", lambda: client_page(session, client)),
            Choice("Delete", lambda: _delete(session, record)),
        ]

    session.menu(crumbs, entries, above=above)


def _draw(screen: Screen, interaction: Interaction, by: Conventions, contact: Contact | None = None) -> None:
    heading = Text(_kind(interaction), "bold")
    heading.append(f" with {clean(contact.name)}" if contact else "")
    heading.append(f"  {by.day(interaction.on)}{f', {interaction.time}' if interaction.time else ''}", "default")
    heading.append(f"  by {clean(interaction.user)}" if interaction.user else "", "dim")
    screen.print(heading)
    if interaction.subject:
        screen.print(data(interaction.subject))
    if interaction.body:
        screen.print()
        screen.print(data(interaction.body, lines=True))


@flow("interactions add")
def log(
    session: Session, client: Client | None = None, kind: str = "", contact: Contact | None = None, **_: Any
) -> None:
    """The kind by number and what it was about, then save or fill in more."""
    title = "Log a call, meeting or note"
    if client is None:
        session.page(title)
        client = pick_client(session.crm, session.keyboard, "Client")
    if client is None:
        raise Back
    company = client
    with session.crm.read() as snapshot:
        contacts = contacts_of(snapshot, company)
    given = {"on": session.crm.today, **({"contact": contact.id} if contact else {})}
    form = InteractionForm(session, contacts, {}, given)
    step = 1 if kind else 0
    while True:
        try:
            if step == 0:
                session.page(company.name, title)
                entries = [Choice(words[:1].upper() + words[1:], each) for each, words in INTERACTIONS.items()]
                kind = session.keyboard.choose("What was it?", entries, at=kind)
            elif step == 1:
                session.page(company.name, title)
                form.ask_subject(kind)
            else:
                crumbs = [company.name, f"Log {logged(kind)}"]
                added = form.fill(crumbs, lambda: _log(session, company, kind, form))  # noqa: B023
                break
            step += 1
        except Back:
            if step == 0:
                raise
            step -= 1
    session.say(f"{session.screen.sign('✓', 'OK:')} Logged {logged(added.kind)} with {company.name}", "green")


def _log(session: Session, client: Client, kind: str, form: InteractionForm) -> Interaction:
    given = {**form.changes, "contact": form.contact()}
    added: Interaction = session.call("interactions add", client=client, kind=kind, **given)
    return added


@flow("interactions edit")
def edit(session: Session, interaction: Interaction | None = None, **_: Any) -> None:
    """The fields by number with the old values to change; a clash with somebody else's change is settled."""
    if interaction is None:
        interaction = session.prompts.ask(named("interactions edit").parameters["interaction"])
    changes: dict[str, Any] = {}
    while True:
        with session.crm.read() as snapshot:
            shown = snapshot.get(Interaction, interaction.id)
            contacts = contacts_of(snapshot, snapshot.get(Client, shown.client))
        form = InteractionForm(session, contacts, InteractionForm.values(shown), changes)
        try:
            saved = form.fill([_kind(shown), "Edit"], lambda: _edit(session, shown, changes))  # noqa: B023
            break
        except ConflictError as error:
            changes = settle_conflict(session, shown, error, changes)
    if saved is not shown:
        session.say(f"{session.screen.sign('✓', 'OK:')} Saved", "green")


def _edit(session: Session, shown: Interaction, changes: Mapping[str, Any]) -> Interaction:
    if not changes:
        return shown
    saved: Interaction = session.call("interactions edit", interaction=shown, changes=changes)
    return saved


@flow("interactions delete")
def delete(session: Session, interaction: Interaction | None = None, **_: Any) -> None:
    """An interaction from the list, deleted."""
    _delete(session, interaction or session.prompts.ask(named("interactions delete").parameters["interaction"]))


def _delete(session: Session, interaction: Interaction) -> None:
    gone = session.call("interactions delete", interaction=interaction)
    session.say(f"{session.screen.sign('✓', 'OK:')} Deleted {_kind(gone)}. Press u to take it back.", "green")


@drawn.register
def _(result: Interaction, screen: Screen, by: Conventions) -> None:
    _draw(screen, result, by)
