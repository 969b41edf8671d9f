"""The form of an e-mail that is being written: its texts, who gets it, and the files that go with it."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import shorten
from typing import Any

from crm.commands.mail.merge_fields import LineWithFields, ProseWithFields
from crm.commands.registry import named
from crm.errors import FileError
from crm.model import Client, Contact, Conventions, Field, Message, Template, typed_fields
from crm.model.fields import Check, Email
from crm.model.file_errors import size_of
from crm.terminal.console.keyboard import Back, Choice, Needed
from crm.terminal.toolkit.forms import RecordForm
from crm.terminal.toolkit.session import Session

_TEXTS: Mapping[str, Check] = {"subject": LineWithFields(300), "body": ProseWithFields()}
_HELP = {"subject": "what it is about", "body": "Markdown, with fields like {first_name}"}
# The columns of a template's name in lists.
_NAME = 60
_ADDRESSED = ("to", "cc", "bcc")
_ADDRESS = Email()


class MessageForm(RecordForm):
    """An e-mail to a client on its way; `contacts` are those of the client, and `to` the addresses it begins with.

    In `changes` stand the texts, the addresses of each line, and the files.
    """

    needed = frozenset(("subject",))

    def __init__(self, session: Session, client: Client, contacts: Sequence[Contact], to: Sequence[str] = ()) -> None:
        super().__init__(session, Message, {}, {"to": tuple(to)} if to else {})
        self._client = client
        self.client_number = client.id
        self._contacts = contacts

    def people(self) -> dict[str, str]:
        """The people at the client who can be written to: names by address, the usual addressee first."""
        people = {self._client.email: self._client.name} if self._client.email else {}
        return people | {
            contact.email: contact.name for contact in self._contacts if contact.email and contact.email not in people
        }

    def is_written(self) -> bool:
        """Return whether there is something that somebody would miss."""
        return any(self.changes.values())

    def kept(self) -> Sequence[Choice]:
        return [Choice("Keep it as a template", self._keep)] if self.session.offers(named("templates add")) else []

    def _keep(self) -> str:
        """Add the texts as a template, named after the subject."""
        texts = {name: self.changes.get(name, "") for name in _TEXTS}
        kept: Template = named("templates add")(
            self.session.crm, shorten(texts["subject"], _NAME, placeholder="…"), **texts
        )
        files = " The files are not kept." if self._files() else ""
        return f"Kept as the template {kept.name}.{files} A new e-mail or mailing can start from it."

    def answers(self) -> dict[str, Any]:
        """The answers as `email send` takes them."""
        texts = {name: self.changes.get(name, "") for name in _TEXTS}
        others = {name: self.changes.get(name, ()) for name in _ADDRESSED}
        return {**texts, **others, "attach": self._files()}

    def fields(self) -> Sequence[Field]:
        known = typed_fields(Message)
        texts = [dataclasses.replace(known[name], check=check, help=_HELP[name]) for name, check in _TEXTS.items()]
        return [*texts, *(known[name] for name in (*_ADDRESSED, "attachments"))]

    def ask(self, field: Field, *, required: bool = False) -> None:
        if field.name in _ADDRESSED:
            self._ask_addressees(field)
        elif field.name == "attachments":
            self._ask_files()
        else:
            super().ask(field, required=required)

    def line(self, field: Field, wide: int, by: Conventions) -> str:
        if field.name == "attachments":
            value = ", ".join(file.name for file in self._files())
        elif field.name in _ADDRESSED:
            value = ", ".join(self._addressed(field.name))
        else:
            return super().line(field, wide, by).replace("\n", " ")
        return self.session.screen.cut(f"{field.label:<{wide}}   {value}", 8 + self.session.screen.side).rstrip()

    def _addressed(self, name: str) -> tuple[str, ...]:
        """The addresses of a line; the client's where none is given."""
        addresses: tuple[str, ...] = self.changes.get(name, ())
        return addresses or (tuple(self.people())[:1] if name == "to" else ())

    def _ask_addressees(self, field: Field) -> None:
        """Put addresses on a line and take them off it, until the person is done."""
        at: Any = None
        while True:
            chosen, people = self._addressed(field.name), self.people()
            addresses = dict.fromkeys((*people, *chosen))
            entries = [
                Choice(f"{'x' if known in chosen else ' '} {_spelled(people, known)}", known) for known in addresses
            ]
            entries.append(Choice("  Another address", ""))
            try:
                at = self.session.keyboard.choose(f"{field.label}:", entries[-30:], back="Done", at=at)
                address = at or self._typed(field)
            except Back:
                return
            left = tuple(kept for kept in chosen if kept != address)
            self.changes[field.name] = left if address in chosen and at else (*left, address)

    def _typed(self, field: Field) -> str:
        def read(text: str) -> str:
            if not text.strip():
                raise Needed
            return _ADDRESS.read(text, self.session.crm.conventions)

        typed: str = self.session.keyboard.text(f"{field.label}", read, help=_ADDRESS.example)
        return typed

    def _files(self) -> tuple[Path, ...]:
        files: tuple[Path, ...] = self.changes.get("attachments", ())
        return files

    def _ask_files(self) -> None:
        """Add files and take them off, until the person is done."""
        parameter = dataclasses.replace(named("email send").parameters["attach"], many=False, required=True)
        while True:
            entries = [Choice("Add a file", None), *(Choice(f"Remove {file.name}", file) for file in self._files())]
            try:
                if self._files():
                    removed = self.session.keyboard.choose("Attached:", entries, back="Done")
                    if removed is not None:
                        self.changes["attachments"] = tuple(file for file in self._files() if file != removed)
                        continue
                file = self._file(parameter)
            except Back:
                return
            self.changes["attachments"] = (*self._files(), file)

    def _file(self, parameter: Any) -> Path:
        typed, error = "", ""
        while True:
            file: Path = self.session.prompts.ask(parameter, typed=typed, error=error)
            try:
                size_of(file)
            except FileError as refused:
                typed, error = str(file), refused.sentence
            else:
                return file


def _spelled(people: Mapping[str, str], address: str) -> str:
    return f"{people[address]} <{address}>" if address in people else address
