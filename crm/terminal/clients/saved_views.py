"""The saved views at the menu: shown, changed, renamed and removed, and a list saved as one."""

from collections.abc import Sequence
from typing import Any

from crm.commands.registry import named
from crm.model import View, typed_fields
from crm.terminal.clients.rendering import VIEWS
from crm.terminal.console.keyboard import Choice
from crm.terminal.toolkit import letters, record_actions
from crm.terminal.toolkit.lists import ListPage, list_page, open_list
from crm.terminal.toolkit.pages import flow
from crm.terminal.toolkit.picking import pick
from crm.terminal.toolkit.session import Session
from crm.terminal.toolkit.steps import Answers, in_steps


@list_page
class ViewsPage(ListPage):
    """The saved views."""

    title = "Saved views"
    purpose = "A saved view is a list of clients with its filter and order, kept under a name."
    columns = VIEWS
    is_by_name = True
    command = "views list"

    def nothing(self, keys: Sequence[Choice]) -> str:
        return f"{super().nothing(keys)} Filter the clients and press {letters.VIEWS.key} there to save one."

    def open(self, row: Any) -> None:
        session = self.session
        view: View = row

        entries = [
            Choice("Show the clients in it", lambda: open_list(session, "clients list", view=view.name)),
            Choice("Change it", lambda: _change(session, view)),
            Choice("Rename it", lambda: rename(session, view)),
            Choice("Remove it", lambda: remove(session, view)),
        ]
        keys = [letters.EDIT(lambda: _change(session, view)), letters.REMOVE(lambda: remove(session, view))]
        session.menu([self.title, view.name], lambda: entries, keys=keys, once=True)


def _change(session: Session, view: View) -> None:
    parameters = named("views save").parameters
    asked = [parameters["condition"], parameters["sort"]]
    answers = Answers(session, name=view.name)
    typed = {"condition": view.condition, "sort": view.sort}

    def save() -> Any:
        return session.call("views save", **answers.values)

    steps = answers.steps(asked, lambda: session.page("Saved views", view.name), typed)
    session.tell(in_steps(session, [*steps, save], answers.is_written))


@flow("views rename")
def rename(session: Session, view: View | None = None, **_: Any) -> None:
    """Ask for the view, and its new name."""
    view = view or _picked(session, "Rename a view")
    record_actions.rename(session, "views rename", view, typed_fields(View)["name"].check, name=view.name)


@flow("views remove")
def remove(session: Session, view: View | None = None, **_: Any) -> None:
    """Ask for the view, and confirm."""
    view = view or _picked(session, "Remove a view")
    session.confirm(f"Remove the view {view.name}? The clients in it stay.", "Remove", destructive=True)
    session.call("views remove", name=view.name)
    session.say(f"Removed the view {view.name}.", "success")


def _picked(session: Session, title: str) -> View:
    session.page("Saved views", title)
    picked: View = pick(session.crm, session.keyboard, View, "View")
    return picked
