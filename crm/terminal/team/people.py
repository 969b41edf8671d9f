"""The people of the team at the menu."""

from collections.abc import Sequence
from typing import Any

from crm.commands.registry import named
from crm.commands.team.people import Colleague
from crm.terminal.console.keyboard import Choice
from crm.terminal.team.rendering import PEOPLE
from crm.terminal.toolkit import letters
from crm.terminal.toolkit.lists import ListPage, list_page
from crm.terminal.toolkit.pages import flow
from crm.terminal.toolkit.session import Session


@list_page
class PeoplePage(ListPage):
    """Everybody of the team with what waits for them; a key shows what they have to do."""

    title = "People"
    purpose = "People of the team appear here, with the follow-ups, deals and clients of each."
    columns = PEOPLE
    is_by_name = True
    command = "people list"

    def keys(self) -> Sequence[Choice]:
        command = named("people add")
        return [letters.NEW(lambda: add(self.session), "person")] if self.session.offers(command) else []

    def open(self, row: Any) -> None:
        self.session.start(named("follow-ups list"), for_=row.name)


@flow("people add")
def add(session: Session, **arguments: Any) -> None:
    """Ask for the name alone, which is all that is needed."""
    parameter = named("people add").parameters["name"]
    session.page("People", "New")
    name = arguments.get("name") or session.prompts.ask(parameter)
    added: Colleague = session.call("people add", name=name)
    session.done(f"Added {added.name}")
