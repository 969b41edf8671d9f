"""Numbers of invoices and levels of reminders at the menu: each opens to be changed."""

from collections.abc import Sequence
from typing import Any

from crm.commands.registry import named
from crm.model import Field, ReminderLevel, typed_fields
from crm.terminal.billing.rendering import LEVELS, SERIES
from crm.terminal.console.keyboard import Choice
from crm.terminal.toolkit import letters
from crm.terminal.toolkit.forms import RecordForm
from crm.terminal.toolkit.lists import ListPage, list_page
from crm.terminal.toolkit.pages import flow
from crm.terminal.toolkit.session import Session


@list_page
class NumbersPage(ListPage):
    """The series of numbers."""

    title = "Numbers"
    purpose = "Each invoice gets the next number of its series."
    command = "numbers show"
    columns = SERIES

    def open(self, row: Any) -> None:
        if not self.session.offers(named("numbers set")):
            self.session.say("Only an admin can change the numbers.")
            return
        self.session.start(named("numbers set"), series=row.series.name)


@list_page
class LevelsPage(ListPage):
    """The levels of reminders."""

    title = "Reminder levels"
    purpose = "A reminder level says how many days after the due date a reminder is sent, and with which fee."
    command = "reminders levels list"
    columns = LEVELS

    def keys(self) -> Sequence[Choice]:
        if not self.session.offers(named("reminders levels set")):
            return []
        return [letters.REMOVE(self._remove, "the last level")]

    def open(self, row: Any) -> None:
        if not self.session.offers(named("reminders levels set")):
            self.session.say("Only an admin can change the levels.")
            return
        _edit_level(self.session, row)

    def _remove(self) -> None:
        last = named("reminders levels list")(self.session.crm)[-1]
        self.session.start(named("reminders levels remove"), level=last.number)


class LevelForm(RecordForm):
    """A level of reminders that is changed."""

    def fields(self) -> Sequence[Field]:
        return [field for name, field in typed_fields(ReminderLevel).items() if name != "number"]


@flow("reminders levels set")
def set_level(session: Session, level: int | None = None, **_: Any) -> None:
    """A level with its values as they are, to be changed; the next one begins like the last."""
    levels = named("reminders levels list")(session.crm)
    if level is None:
        session.page("Reminder levels")
        entries = [Choice(f"Level {kept.number}, from {kept.days} days overdue", kept) for kept in levels]
        last = levels[-1]
        added = ReminderLevel(number=last.number + 1, days=last.days + 14, term=last.term)
        entries.append(Choice(f"A new level {added.number}", added))
        chosen = session.keyboard.choose("Which level?", entries)
    else:
        chosen = next(kept for kept in levels if kept.number == level)
    _edit_level(session, chosen)


def _edit_level(session: Session, level: ReminderLevel) -> None:
    """The values of a level by number, with the old ones to change."""
    changes: dict[str, Any] = {}

    def saved() -> bool:
        # What is new has to say when it is due.
        values = changes if level.id or not changes else {"days": level.days, **changes}
        if values:
            session.call("reminders levels set", level=level.number, **values)
        return bool(values)

    if LevelForm.of(session, level, changes).fill(lambda: ["Reminder levels", f"Level {level.number}"], saved):
        session.done(f"Saved level {level.number}.")
