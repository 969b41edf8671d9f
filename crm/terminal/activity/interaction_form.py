"""The form of an interaction: what it was about, with whom, and when."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from crm.commands.clients.contacts import contacts_of
from crm.model import Client, Contact, Conventions, Field, Interaction, typed_fields
from crm.terminal.console.keyboard import Choice
from crm.terminal.toolkit.forms import RecordForm
from crm.terminal.toolkit.session import Session

_ORDER = ("subject", "body", "contact", "on", "time", "kind", "user")
# What is asked before the form is shown, and by whom it is logged, are only corrected.
_CORRECTED = ("kind", "user")


class InteractionForm(RecordForm):
    """An interaction of a client on its way; `contacts` are those of the client."""

    def __init__(
        self, session: Session, contacts: Sequence[Contact], shown: Mapping[str, Any], changes: dict[str, Any]
    ) -> None:
        super().__init__(session, Interaction, shown, changes)
        self._contacts = {each.id: each for each in contacts}

    @classmethod
    def of(cls, session: Session, record: Interaction, changes: dict[str, Any]) -> RecordForm:
        with session.crm.read() as snapshot:
            contacts = contacts_of(snapshot, snapshot.get(Client, record.client))
        return cls(session, contacts, {name: getattr(record, name) for name in _ORDER}, changes)

    def contact(self) -> Contact | None:
        """Whom it was with."""
        return self._contacts.get(self.value("contact") or 0)

    def fields(self) -> Sequence[Field]:
        known = typed_fields(Interaction)
        left_out = {*(() if self._contacts else ("contact",)), *(() if self.shown else _CORRECTED)}
        return [known[name] for name in _ORDER if name not in left_out]

    def ask_first(self, field: Field) -> None:
        kind = typed_fields(Interaction)["kind"].check.show(self.value("kind"), self.session.crm.conventions)
        help = "what it was about, in a few words; Enter leaves it out"
        super().ask_first(dataclasses.replace(field, label=kind[:1].upper() + kind[1:], help=help))

    def ask(self, field: Field, *, required: bool = False) -> None:
        if field.name != "contact":
            super().ask(field, required=required or field.name in ("on", "kind"))
            return
        entries = [Choice(each.name, number) for number, each in self._contacts.items()]
        chosen = self.session.keyboard.choose("Contact:", [*entries, Choice("Nobody", 0)], at=self.value("contact"))
        if chosen == self.shown.get("contact", 0):
            self.changes.pop("contact", None)
        else:
            self.changes["contact"] = chosen

    def line(self, field: Field, wide: int, by: Conventions) -> str:
        if field.name != "contact":
            return super().line(field, wide, by)
        contact = self.contact()
        mark = "*" if field.name in self.changes and self.shown else " "
        return self.session.screen.cut(f"{field.label:<{wide}} {mark} {contact.name if contact else ''}", 8).rstrip()
