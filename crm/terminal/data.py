"""Looking after the store at the menu: the history and what can be taken back, settings, import."""

from collections.abc import Sequence
from typing import Any

from crm.commands.registry import named
from crm.commands.settings import SettingShown
from crm.config import TEAM
from crm.repository import HistoryEntry
from crm.terminal import tables
from crm.terminal.keyboard import Choice
from crm.terminal.lists import ListPage
from crm.terminal.render import show
from crm.terminal.session import Session, flow


class HistoryPage(ListPage):
    """What was done, newest first."""

    title = "History"
    columns = tables.HISTORY

    def rows(self, limit: int, offset: int) -> Sequence[Any]:
        entries: list[HistoryEntry] = named("history list")(self.session.crm, limit=limit, offset=offset)
        return entries

    def open(self, row: Any) -> None:
        session = self.session
        entry: HistoryEntry = row
        with session.crm.read() as snapshot:
            changes = snapshot.changes(transaction=entry.id, limit=12)
        by = session.crm.conventions
        session.page("History", f"{entry.id}: {entry.what}")
        session.screen.print(f"{by.time(entry.at)}{f', {entry.user}' if entry.user else ''}")
        show(session.screen, changes, by)
        if entry.changes > len(changes):
            session.screen.print(f"and {by.number(entry.changes - len(changes))} more")
        session.screen.print()
        session.confirm("", "Take this back", "Back")
        session.tell(session.call("history undo", transaction=entry.id))


@flow("history list")
def history(session: Session, **_: Any) -> None:
    """The history as a list."""
    HistoryPage(session).show()


@flow("history undo")
def undo(session: Session, **_: Any) -> None:
    """The history, from which one is chosen; the last change stands first."""
    HistoryPage(session).show()


@flow("demo")
def demo(session: Session, **_: Any) -> None:
    """The sample data, on which the menu goes on."""
    from crm.terminal.welcome import try_sample

    if session.real is not None:
        session.say("This is the sample data already.")
        return
    try_sample(session)


@flow("settings list")
@flow("settings set")
def settings(session: Session, **_: Any) -> None:
    """The settings by number, each with its value to change."""
    while True:
        session.page("Settings")
        shown: list[SettingShown] = named("settings list")(session.crm)
        wide = max(len(each.label) for each in shown)
        entries = [Choice(f"{each.label:<{wide}}  {each.value or '-'}", each) for each in shown]
        chosen = session.keyboard.choose("", entries)
        session.attempt(lambda: _set(session, chosen))  # noqa: B023


def _set(session: Session, setting: SettingShown) -> None:
    option = next(each for each in TEAM if each.name == setting.key)
    session.page("Settings", setting.label)
    value = session.prompts.value(
        setting.label, option.check, help=setting.description, typed=setting.value, default=option.check.empty
    )
    session.tell(session.call("settings set", key=setting.key, value=str(value)))
