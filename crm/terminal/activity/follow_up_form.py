"""The form of a follow-up: what is to be done, by when and by whom, about which deal of the client."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from crm.commands.activity.follow_up_lists import DayAhead
from crm.model import Client, Conventions, Deal, Field, FollowUp, typed_fields
from crm.repository import Query
from crm.terminal.console.keyboard import Choice
from crm.terminal.toolkit.forms import RecordForm
from crm.terminal.toolkit.session import Session

_ORDER = ("what", "due_on", "due_time", "user", "deal", "every")
# What the commands call the fields.
_PARAMETERS: Mapping[str, str] = {"due_on": "due", "due_time": "time", "user": "for_"}


class FollowUpForm(RecordForm):
    """A follow-up of a client on its way; the deal is one of the client's open ones."""

    # Asked before the form is shown.
    asked_first: ClassVar[Sequence[str]] = ("what", "due_on")
    needed = frozenset(("what",))

    def __init__(self, session: Session, client: Client, shown: Mapping[str, Any], changes: dict[str, Any]) -> None:
        super().__init__(session, FollowUp, shown, changes)
        about = {"id": shown["deal"]} if shown.get("deal") else None
        with session.crm.read() as snapshot:
            deals = snapshot.find_all(Deal, Query({"client": client.id, "closed_on": None}))
            deals += snapshot.find_all(Deal, Query(about)) if about else []
        self._deals = {each.id: each.title for each in deals}

    @classmethod
    def of(cls, session: Session, record: FollowUp, changes: dict[str, Any]) -> RecordForm:
        with session.crm.read() as snapshot:
            client = snapshot.get(Client, record.client)
        return cls(session, client, {name: getattr(record, name) for name in _ORDER}, changes)

    def fields(self) -> Sequence[Field]:
        known = dict(typed_fields(FollowUp))
        known["due_on"] = dataclasses.replace(known["due_on"], check=DayAhead())
        return [known[name] for name in _ORDER if name != "deal" or self._deals]

    def ask(self, field: Field, *, required: bool = False) -> None:
        if field.name != "deal":
            # What is there to be done stays to be done, and by a day.
            kept = bool(self.shown) and field.name in self.asked_first
            super().ask(field, required=required or kept)
            return
        entries = [Choice(title, number) for number, title in self._deals.items()]
        chosen = self.session.keyboard.choose("Deal:", [*entries, Choice("None", 0)], at=self.value("deal"))
        if chosen == self.shown.get("deal", 0):
            self.changes.pop("deal", None)
        else:
            self.changes["deal"] = chosen

    def line(self, field: Field, wide: int, by: Conventions) -> str:
        if field.name == "deal":
            title = self._deals.get(self.value("deal") or 0, "")
            mark = "*" if field.name in self.changes and self.shown else " "
            return self.session.screen.cut(f"{field.label:<{wide}} {mark} {title}", 8).rstrip()
        if field.name == "every" and not self.value("every"):
            return f"{field.label:<{wide}}".rstrip()
        return super().line(field, wide, by)


def as_given(session: Session, changes: Mapping[str, Any], *, new: bool) -> dict[str, Any]:
    """What was filled in, as the commands take it: `follow-ups add` the deal itself, `follow-ups edit` its number."""
    given = {_PARAMETERS.get(name, name): value for name, value in changes.items()}
    if new and given.get("deal"):
        with session.crm.read() as snapshot:
            given["deal"] = snapshot.get(Deal, given["deal"])
    elif new:
        given.pop("deal", None)
    return given
