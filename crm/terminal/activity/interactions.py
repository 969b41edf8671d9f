"""The interactions at the menu: calls, meetings, e-mails, text messages and notes at the menu: logged, listed, opened
and corrected."""

import dataclasses
from collections.abc import Mapping, Sequence
from textwrap import shorten
from typing import Any, ClassVar

from crm.commands.activity.interactions import logged
from crm.commands.clients.contacts import contacts_of
from crm.commands.registry import named
from crm.commands.repeating import moves, repeating
from crm.model import INTERACTIONS, Client, Contact, Field, Interaction, typed_fields
from crm.model.fields import Check, Line
from crm.terminal.activity.rendering import INTERACTION_COLUMNS, draw_interaction, kind_of
from crm.terminal.console.keyboard import Back, Choice
from crm.terminal.toolkit import letters
from crm.terminal.toolkit.client_lists import ClientListPage
from crm.terminal.toolkit.forms import RecordForm
from crm.terminal.toolkit.lists import list_page
from crm.terminal.toolkit.pages import record_flow
from crm.terminal.toolkit.record_actions import deletes, edits
from crm.terminal.toolkit.record_page import RecordPage, record_page
from crm.terminal.toolkit.session import Session
from crm.terminal.toolkit.steps import in_steps

# In the order in which they are in the menu of filters.
_FILTERS: Mapping[str, str] = {
    "kind": "Kind", "client": "Client", "since": "From date", "until": "To date", "by": "Logged by",
    "text": "Text",
}  # fmt: skip


_LONGEST = 300
_SHORTENED, _MOST_PASTED = 100, 10_000
_ORDER = ("subject", "body", "contact", "on", "time", "kind", "user")
# What is asked before the form is shown, and by whom it is logged, are only corrected.
_CORRECTED = ("kind", "user")


class InteractionForm(RecordForm):
    """An interaction of a client on its way; `contacts` are those of the client."""

    times: ClassVar[Mapping[str, str]] = {"on": "time"}
    checks: ClassVar[Mapping[str, Check]] = {"subject": Line(_MOST_PASTED)}

    def __init__(
        self, session: Session, contacts: Sequence[Contact], original: Mapping[str, Any], changes: dict[str, Any]
    ) -> None:
        super().__init__(session, Interaction, original, changes)
        self._contacts = {contact.id: contact for contact in contacts}
        names = {contact.id: contact.name for contact in contacts}
        self.offered = {"contact": (names, "Nobody")} if names else {}

    @classmethod
    def of(cls, session: Session, record: Interaction, changes: dict[str, Any]) -> RecordForm:
        with session.crm.read() as snapshot:
            contacts = contacts_of(snapshot, snapshot.get(Client, record.client))
        form = cls(session, contacts, {name: getattr(record, name) for name in _ORDER}, changes)
        form.client_number = record.client
        return form

    def contact(self) -> Contact | None:
        """Ask for the contact."""
        return self._contacts.get(self.value("contact") or 0)

    def fields(self) -> Sequence[Field]:
        known = typed_fields(Interaction)
        left_out = {*(() if self._contacts else ("contact",)), *(() if self.original else _CORRECTED)}
        return [known[name] for name in _ORDER if name not in left_out]

    def ask_first(self, field: Field) -> None:
        kind = typed_fields(Interaction)["kind"].check.show(self.value("kind"), self.session.crm.conventions)
        help = "what it was about, in a few words; optional"
        super().ask_first(dataclasses.replace(field, label=kind[:1].upper() + kind[1:], help=help))

    def ask(self, field: Field, *, required: bool = False) -> None:
        super().ask(field, required=required or field.name in ("on", "kind"))
        if field.name == "subject":
            self._shorten()

    def _shorten(self) -> None:
        """Move a subject that is too long to the text, and leave its beginning."""
        whole = self.value("subject") or ""
        if len(whole) <= _LONGEST:
            return
        self.changes["body"] = "\n\n".join(filter(None, (whole, self.value("body"))))
        self.changes["subject"] = shorten(whole, _SHORTENED, placeholder="…")
        self.session.say("That is long for a subject: all of it is under Text.")


@list_page
class InteractionsPage(ClientListPage):
    """The interactions, the newest first: of all clients or of one, mine or everyone's."""

    title = "Calls, meetings and notes"
    purpose = "Write down what was said in a call, a meeting or a message. The client's timeline shows it."
    lettered: Mapping[str, letters.Letter] = {"interactions edit": letters.EDIT, "interactions delete": letters.DELETE}
    plural = "calls, meetings or notes"
    command = "interactions list"
    filter_by = _FILTERS
    rivals = (frozenset(("mine", "by")),)
    before, after = INTERACTION_COLUMNS[:3], INTERACTION_COLUMNS[3:]

    def filter_text(self, name: str, value: Any) -> str:
        return str(INTERACTIONS.get(value, value)) if name in ("kind", "text") else super().filter_text(name, value)

    def keys(self) -> Sequence[Choice]:
        log_one = letters.LOG(self.starts("interactions add"))
        return [log_one, self.filter_key(), self.mine_key()]


@record_page(Interaction)
class InteractionPage(RecordPage[Interaction, Interaction]):
    """An interaction with all of its text, and what can be done with it."""

    command = "interactions show"
    lettered: Mapping[str, letters.Letter] = {"interactions edit": letters.EDIT, "interactions delete": letters.DELETE}
    client: Client
    contact: Contact | None

    def read(self) -> Interaction:
        record = super().read()
        with self.session.crm.read() as snapshot:
            self.client = snapshot.get(Client, record.client)
            self.contact = snapshot.find(Contact, record.contact)
        return record

    def crumbs(self) -> Sequence[str]:
        return ["Clients", self.client.name, kind_of(self.record)]

    def draw(self) -> None:
        draw_interaction(self.session.screen, self.record, self.session.conventions, self.contact)

    def entries(self) -> Sequence[Choice]:
        return [
            Choice("Edit", self.starts("interactions edit")),
            Choice("Open the client", lambda: self.session.open(self.client)),
            Choice("Delete", self.starts("interactions delete")),
        ]


@record_flow("interactions add")
def log(session: Session, company: Client, kind: str = "", contact: Contact | None = None) -> None:
    """The kind by number and what it was about, then save or fill in more."""
    title = "Log a call, meeting or note"
    with session.crm.read() as snapshot:
        contacts = contacts_of(snapshot, company)
    values = {"kind": kind, "on": session.crm.today, **({"contact": contact.id} if contact else {})}
    form = InteractionForm(session, contacts, {}, values)
    form.client_number = company.id

    def ask_kind() -> None:
        session.page("Clients", company.name, title, client=company.id)
        entries = [Choice(words[:1].upper() + words[1:], kind) for kind, words in INTERACTIONS.items()]
        form.changes["kind"] = session.keyboard.choose("What was it?", entries, at=form.value("kind"))

    def fill() -> Any:
        return form.fill(
            lambda: ["Clients", company.name, f"Log {logged(form.value('kind'))}"], lambda: _log(session, company, form)
        )

    steps = [*([] if kind else [ask_kind]), *form.steps(["subject"], "Clients", company.name, title), fill]
    with session.crm.read() as snapshot:
        before = repeating(snapshot, company.id)
    added = in_steps(session, steps, form.is_written)
    session.done(f"Logged {logged(added.kind)} with {company.name}")
    if before:
        with session.crm.read() as snapshot:
            after = repeating(snapshot, company.id)
        for line in moves(before, after, session.crm.conventions):
            session.say(f"  {line}")
    _offer_follow_up(session, company, added.subject)


def _offer_follow_up(session: Session, client: Client, subject: str) -> None:
    """Ask whether a day in what was logged is that of a follow-up, as a quick note takes it."""
    from crm.commands.activity.quick_notes import day_ahead

    by, command = session.crm.conventions, named("follow-ups add")
    note = day_ahead(subject, by)
    if note is None or note.due_on is None or not session.offers(command):
        return
    day = ", ".join(filter(None, (by.weekday_and_day(note.due_on), by.time_of_day(note.due_time))))
    what = note.apart()[1] or subject
    session.page("Clients", client.name, command.title, client=client.id)
    try:
        session.confirm(f"Follow up on {day}: {what}?", "Add the follow-up", "No follow-up")
    except Back:
        return
    session.call(command.words, client=client, what=what, due=note.due_on, time=note.due_time)
    session.done(f"Added a follow-up for {client.name}: {day}")


def _log(session: Session, client: Client, form: InteractionForm) -> Interaction:
    values = {**form.changes, "contact": form.contact()}
    added: Interaction = session.call("interactions add", client=client, **values)
    return added


edits("interactions edit", InteractionForm, kind_of, lambda session, *_: session.done("Saved"))
deletes(InteractionPage, "interactions delete", kind_of)
