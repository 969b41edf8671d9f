"""Clients at the menu: the page of one client, adding, editing and merging."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import Any

from rich.text import Text

from crm.commands.activity.follow_up_lists import next_by_client
from crm.commands.clients.clients import ClientCard, refuse_namesake
from crm.commands.clients.reasons import reason_words
from crm.commands.clients.rules import statuses
from crm.commands.registry import Command, commands, named
from crm.commands.timeline_sources import latest
from crm.errors import Question, RefusedError
from crm.model import Client, Field, Invoice, Record, fields
from crm.model import named as named_client
from crm.model.fields import FOREVER
from crm.model.postal_addresses import is_postcode_last
from crm.repository import Query
from crm.terminal.clients.rendering import (
    address_line,
    billing_line,
    client_heading,
    client_side,
    draw_contacts,
    draw_fields,
    next_line,
    on_line,
    reached_by,
)
from crm.terminal.console.keyboard import Back, Choice
from crm.terminal.drawing.cards import draw_timeline, entry_line, side_list
from crm.terminal.drawing.screen import Screen
from crm.terminal.toolkit import letters
from crm.terminal.toolkit.copying import copy_keys
from crm.terminal.toolkit.forms import Group, RecordForm
from crm.terminal.toolkit.lists import open_list
from crm.terminal.toolkit.pages import Pieces, flow, record_flow, side_card_of, unless_refused
from crm.terminal.toolkit.panels import first_rows
from crm.terminal.toolkit.picking import pick
from crm.terminal.toolkit.record_actions import deletes, edits
from crm.terminal.toolkit.record_page import RecordPage, record_page
from crm.terminal.toolkit.session import AROUND_MENU, LEAST_ENTRIES, Session
from crm.terminal.toolkit.steps import Answers, Step, in_steps

# What one does most often is on the card; the rest behind one entry more, what one regrets last.
_MAIN = ("sales add", "clients edit", "interactions add", "follow-ups add", "deals add")
_EVENTS, _LEAST_EVENTS = 12, 3
# Beside entries: so many at least; on the page of the client so many at most, below its card on a part of the lines.
_LEAST_BESIDE, _MOST_BESIDE, _BESIDE_CARD = 8, 30, 3
# Beside the entries of a card: so many rows of what is open, and the lines around the latest.
_OPEN_BESIDE, _AROUND_LATEST = 4, 5
# What is below the fields of a card.
_BELOW_THE_FIELDS = ("next_follow_up_on", "last_contact_on", "open_amount", "credit")
# What has a letter; it is not there once more.
_LETTERS: Mapping[str, letters.Letter] = {
    "clients tag": letters.TAGS,
    "email send": letters.MAIL,
    "clients pin": letters.PIN,
    "rules why": letters.WHY,
    "history list": letters.HISTORY,
    "clients delete": letters.DELETE,
    "sales add": letters.SALE,
    "clients edit": letters.EDIT,
    "interactions add": letters.LOG,
    "invoices add": letters.BILL,
}
_CONTACTS = 3
# As many statuses have a key of their own beside the other entries.
_STATUSES = 30
# Behind the entry for more stand the lists of what a client has, then what concerns its account, one level down.
_LISTS = ("sales list", "deals list", "follow-ups list", "email list")
_BILLING_TITLE = "Invoices and payments"
_BILLING = (
    "invoices list",
    "payments list",
    "payments add",
    "payments refund",
    "statements show",
    "statements send",
)
# Around the entries: a blank line, the timeline, the one for more, the way back, and the line of keys.
_AROUND_ENTRIES = 5
# What the card shows itself, what its keys lead to, and what is about several.
_NOT_HERE = frozenset(
    (
        "clients show",
        "clients delete-many",
        "contacts add",
        "contacts list",
        "interactions list",
        "mailings send",
        "timeline",
    )
)


@record_page(Client)
class ClientPage(RecordPage[Client, ClientCard]):
    """A client's card with the contacts and the latest that happened, and what can be done with it."""

    command = "clients show"
    lettered = _LETTERS
    about = "A client's card: who it is, the status and why, and what happened last."

    def crumbs(self) -> Sequence[str]:
        return ["Clients", self.record.name]

    def draw_above(self) -> None:
        card, session = self.card, self.session
        screen, by, client = session.screen, session.conventions, card.client
        with session.crm.read() as snapshot:
            next_one = next_by_client(snapshot, [client]).get(client.id)
        next_step = partial(next_line, screen, next_one, by) if next_one else None
        happened = () if screen.side else card.timeline
        # Below stand a blank line, the entries with the one for more, the way back and the keys.
        below = len(_offered(session)) + _AROUND_ENTRIES + session.lines_below
        least = max(1, reached_by(client))
        # The reason for the status is left out where the message has just said it, or there is no room.
        why = not session.says(reason_words(client.status_reason, by))
        # In any window: who it is, how they are reached, the next step and the latest contact.
        needed = least + bool(next_step) + bool(happened)
        is_blank_counted = True
        heading = client_heading(screen, client, by, why=why)
        if not screen.plain and _height(screen, heading) + needed > screen.left - below:
            heading = client_heading(screen, client, by, why=False)
            if _height(screen, heading) + needed > screen.left - below:
                # Without the blank line; the last entries are reached by arrows where that is not enough.
                is_blank_counted = False
                below = LEAST_ENTRIES + AROUND_MENU + session.lines_below
        spare = screen.left - below - _height(screen, heading) - needed
        # Then the latest sale, the notes and what is open; the rest of a message's lines come off the latest.
        most = max(2, _LEAST_EVENTS - session.message_lines - session.lines_below)
        # What is owed comes before the latest sale.
        billed = partial(billing_line, screen, card, by) if billing_line(screen, card, by) else None
        kept = min(len(happened), most if spare >= most + 2 * bool(card.contacts) + 2 else 1 + (spare > bool(billed)))
        spare -= max(0, kept - 1) + bool(client.notes)
        noted = spare >= 0
        opened = self._open()
        fitting = [line for line in (next_step, billed, opened) if line]
        fitting = fitting if screen.plain else fitting[: bool(next_step) + max(0, spare)]
        ahead = [line for line in (billed, next_step, opened) if line and any(line is other for other in fitting)]
        # A blank line above these, and one below that says how many more there are.
        around = 2 if happened else bool(ahead)
        reserved = len(ahead) + kept + around
        spare -= len(ahead) - bool(next_step) + 2 * bool(card.contacts) + around
        hidden = _BELOW_THE_FIELDS if noted or screen.plain else (*_BELOW_THE_FIELDS, "notes")
        screen.print(heading)
        room = None if screen.plain else least + max(0, spare)
        wide = draw_fields(screen, client, by, card.doubts, hidden, room)
        if people := _fitting(len(card.contacts), _CONTACTS, screen.left - below - reserved):
            screen.print()
            draw_contacts(screen, card.contacts, by, people)
        elif card.contacts and kept > 1:
            # The first of them comes before an older line of the latest.
            draw_contacts(screen, card.contacts[:1], by)
            kept -= 1
        if (ahead or happened) and (screen.plain or screen.left - below > len(ahead) + kept):
            screen.print()
        for line in ahead:
            screen.print(line(wide) or "")
        events = _fitting(len(happened), _EVENTS, screen.left - below + 1)
        if events >= kept:
            draw_timeline(screen, happened, by, events, label="Latest", label_wide=wide)
        else:
            # The latest go there, without the number of the others.
            draw_timeline(screen, happened, by, kept, more=False, label="Latest", label_wide=wide)
        if screen.plain or screen.left > below - is_blank_counted:
            screen.print()

    def _open(self) -> Callable[[int], Text] | None:
        """Draw the open deals and draft invoices of the client on one line; None where there are none."""
        session, client, by = self.session, self.record, self.session.conventions
        parts = []
        if session.offers(deals := named("deals list")):
            listed = deals(session.crm, client=client, limit=1)
            what = f"deal {listed.deals[0].deal.title}" if listed.count == 1 else f"{listed.count} deals"
            parts += [f"{what} {by.money(listed.value)}"] if listed.count else []
        if session.offers(named("invoices list")):
            with session.crm.read() as snapshot:
                drafts = snapshot.count(Invoice, Query({"client": client.id, "state": "draft"}))
            parts += ["1 draft invoice" if drafts == 1 else f"{drafts} draft invoices"] if drafts else []
        return partial(on_line, session.screen, "Open", " · ".join(parts)) if parts else None

    def beside(self) -> Pieces:
        """The latest of the client, and what is open."""
        session, client = self.session, self.record
        follow_ups = first_rows(session, "follow-ups list", "Follow-ups", _OPEN_BESIDE, client=client)
        deals = first_rows(session, "deals list", "Deals", _OPEN_BESIDE, client=client)
        room = max(_LEAST_BESIDE, session.screen.left - _lines(follow_ups) - _lines(deals) - _AROUND_LATEST)
        parts = [_latest_beside(session, client.id, min(_MOST_BESIDE, room)), follow_ups, deals]
        return [piece for part in parts if part for piece in (("", "\n"), *part)][1:]

    def entries(self) -> Sequence[Choice]:
        choices = [Choice(_title(command), self.starts(command.words)) for command in _offered(self.session)]
        timeline = Choice("Timeline", lambda: self.session.start(named("timeline"), place=self.place))
        return [*choices, timeline, letters.MORE(self._more)]

    def _panel(self, words: str) -> Callable[[], Pieces] | None:
        """Draw the panel beside an entry in a wide window: the first rows of its list, or the client."""
        session, client = self.session, self.record
        if not session.screen.side:
            return None

        def draw() -> Pieces:
            rows = first_rows(session, words, _title(named(words)), session.screen.height // 2, client=client)
            return rows or draw_beside(session, client.id)

        return cache(lambda: unless_refused(draw))

    def keys(self) -> Sequence[Choice]:
        contacts = letters.CONTACTS(lambda: open_list(self.session, "contacts list", client=self.record))
        return [contacts, *super().keys(), *copy_keys(self.session, lambda: _copyable(self.session, self.card))]

    def _more(self) -> None:
        """The menu of further actions for a client; once one is done the card is there again. Raises Back."""
        session, client = self.session, self.record

        def entries(listed: Sequence[str]) -> list[Choice]:
            return [
                Choice(_title(named(words)), self.starts(words), card=self._panel(words))
                for words in listed
                if self._offers(words)
            ]

        known = {*_MAIN, *_LETTERS, *_LISTS, *_BILLING}
        listed = entries(_LISTS)
        if billing := entries(_BILLING):
            crumbs = ("Clients", client.name, _BILLING_TITLE)
            draft = self.starts("invoices add")
            keys = [letters.NEW(draft, "invoice")] if self._offers("invoices add") else []
            invoices = self._panel(_BILLING[0])
            listed.append(Choice(_BILLING_TITLE, lambda: _choose(session, crumbs, billing, keys), card=invoices))
        listed += entries([command.words for command in _about_clients() if command.words not in known])
        listed += entries(["clients delete"])
        if client.status_pinned_until:
            listed.append(Choice("Remove the pin", lambda: _lift_pin(session, client)))
        _choose(session, ("Clients", client.name, letters.MORE.word), listed)


def _choose(session: Session, crumbs: Sequence[str], entries: Sequence[Choice], keys: Sequence[Choice] = ()) -> None:
    """Do one of these actions; who goes back from it chooses again. Raises Back."""
    at = None
    while True:
        session.page(*crumbs)
        act = session.choose("", entries, at=at, keys=keys)
        try:
            act()
            return
        except Back:
            at = act


def _copyable(session: Session, card: ClientCard) -> list[tuple[str, str]]:
    """The parts of a card that one may want elsewhere: how the client and its contacts are reached, and where it is."""
    client, by = card.client, session.crm.conventions
    known = fields(Client)
    lines = [(known[name].label, known[name].check.show(getattr(client, name), by)) for name in ("email", "phone")]
    for contact in card.contacts[:_CONTACTS]:
        lines += [(contact.name, contact.email), (contact.name, known["phone"].check.show(contact.phone, by))]
    return [*lines, ("Address", address_line(client, by) if client.address else "")]


def _height(screen: Screen, text: Text) -> int:
    """The number of lines that a text takes."""
    return len(text.wrap(screen.console, screen.width))


def _fitting(count: int, most: int, room: int) -> int:
    """The number of lines that fit below a blank one, with one more where some are left out."""
    return max(0, min(count, most, room - 1 if count <= min(most, room - 1) else room - 2))


def _offered(session: Session) -> list[Command]:
    """The actions on the card, in order."""
    commands_by_words = {command.words: command for command in _about_clients()}
    return [
        commands_by_words[words]
        for words in _MAIN
        if words in commands_by_words and session.offers(commands_by_words[words])
    ]


@cache
def _about_clients() -> Sequence[Command]:
    """Every command that is about a client, or several."""
    listed = [
        command
        for command in commands()
        if command.words not in _NOT_HERE and command.subject is not None and command.subject.record is Client
    ]
    return sorted(listed, key=lambda command: command.words == "clients merge")


_TITLES = {
    "rules why": "Why this status",
    "sales list": "Sales",
    "deals list": "Deals",
    "follow-ups list": "Follow-ups",
    "email list": "Messages",
    "clients merge": "Merge a duplicate into this one",
}


def _title(command: Command) -> str:
    return _TITLES.get(command.words, command.title)


def _lift_pin(session: Session, client: Client) -> None:
    session.tell(session.call("clients pin", client=client), "Pin removed")


@side_card_of(Client)
def draw_beside(session: Session, number: int) -> Pieces:
    """A client as it is beside other pages, with the next step and the latest."""
    screen, by = session.screen, session.conventions
    with session.crm.read() as snapshot:
        client = snapshot.get(Client, number)
        following = next_by_client(snapshot, [client]).get(client.id)
    happened = _latest_beside(session, number)
    return [*client_side(screen, client, following, by), *([("", "\n"), *happened] if happened else [])]


def _latest_beside(session: Session, number: int, most: int = 0) -> Pieces:
    screen, by = session.screen, session.conventions
    with session.crm.read() as snapshot:
        most = most or max(_LEAST_BESIDE, screen.height // _BESIDE_CARD)
        happened = latest(session.crm, snapshot, snapshot.get(Client, number), most)
    facts = [(by.day(entry.on), entry_line(entry, by)) for entry in happened]
    return side_list(screen, "Latest", facts) if facts else []


def _lines(pieces: Pieces) -> int:
    return sum(text.count("\n") for _, text in pieces)


class ClientForm(RecordForm):
    """The form of a client: the fields that are known and changed most, and behind *More fields* the rest."""

    groups = (
        Group("Contact", ("email", "phone")),
        Group("Name", ("first_name", "last_name", "company")),
        Group("Address", ("address", "postcode", "city", "region", "country")),
        Group("About", ("date_of_birth", "tags", "owner", "notes")),
    )
    more = (
        Group("Sales", ("source", "reference", "marketing_consent")),
        Group(
            "Invoices",
            ("tax_id", "buyer_reference", "invoice_email", "invoice_format", "electronic_address", "payment_days",
             "no_reminders"),
        ),
        Group("Other", ("kind", "extra")),
    )  # fmt: skip

    def __init__(
        self, session: Session, kind: type[Record], original: Mapping[str, Any], changes: dict[str, Any]
    ) -> None:
        super().__init__(session, kind, original, changes)
        self._latest = cache(lambda number: unless_refused(lambda: _latest_beside(session, number)))

    def _beside_client(self) -> Pieces:
        """The latest of the client: who it is is in the fields."""
        return self._latest(self.record.id) if self.record else ()

    def fields(self) -> Sequence[Field]:
        fields = list(super().fields())
        if is_postcode_last(self.session.crm.conventions.country):
            # Where an address is written so, the postcode comes after the city and the state.
            names = [field.name for field in fields]
            fields.insert(names.index("region"), fields.pop(names.index("postcode")))
        return fields


class _NewClient(ClientForm):
    """The form of a client who is new; a company needs its name, a person any of theirs."""

    needed = frozenset(("company",))

    def name_parts(self) -> Sequence[str]:
        """The fields that name a client of its kind."""
        return ("company",) if self.value("kind") == "company" else ("first_name", "last_name")


@flow("clients add")
def add(session: Session, **_: Any) -> None:
    """Ask for person or company, the name, then save or fill in more."""
    form = _NewClient(session, Client, {}, {})

    def ask_kind() -> None:
        session.page("Clients", "Add a client")
        entries = [Choice("A person", "person"), Choice("A company", "company")]
        form.changes["kind"] = session.keyboard.choose("Is this a person or a company?", entries, at=form.value("kind"))

    def fill() -> Any:
        if not any(form.value(name) for name in form.name_parts()):
            session.fail(RefusedError("A person needs a name: fill in the first or the last name."))
            raise Back
        return form.fill(lambda: ["Clients", "Add a client", _name(form)], lambda: _add(session, form))

    def steps() -> list[Step]:
        return [ask_kind, *form.steps(form.name_parts(), "Clients", "Add a client"), fill]

    first = session.crm.repository.is_empty()
    added = in_steps(session, steps, form.is_written)
    if added.id and added.version and added.name == _name(form):
        session.done(f"Added {added.name} (no. {added.id})")
    if first:
        session.say("Next: press r to record a sale or l to log a call, or choose a follow-up from the list.", "muted")
    session.open(added)


def _add(session: Session, form: RecordForm) -> Client:
    try:
        with session.crm.read() as snapshot:
            refuse_namesake(snapshot, named_client(Client(**form.changes)))
    except Question as question:
        answer = session.prompts.answer(question)
        if isinstance(answer, Client):
            return answer
    added: Client = session.call("clients add", client=form.changes)
    return added


def _name(form: RecordForm) -> str:
    named_so: dict[str, Any] = {name: form.value(name) or "" for name in ("kind", "first_name", "last_name", "company")}
    return Client(**named_so).name


def _say_saved(session: Session, original: Client, saved: Client) -> None:
    session.tell(saved, "Saved")
    if saved.status != original.status:
        session.say(
            f"Status: {original.status} {session.screen.sign('→', '->')} {saved.status}:"
            f" {reason_words(saved.status_reason, session.crm.conventions)}",
            "bold",
        )


edits("clients edit", ClientForm, lambda client: client.name, _say_saved)


@flow("clients search")
def find(session: Session, **_: Any) -> None:
    """Find a client and open it."""
    session.page("Clients", "Find a client")
    client = pick(session.crm, session.keyboard, Client, "Client", help="part of a name, e-mail, phone or tag")
    if client:
        session.open(client)


@record_flow("clients pin")
def pin(session: Session, client: Client) -> None:
    """A status from those there are or a new one, and until when."""
    crumbs = ("Clients", client.name, "Pin a status")
    parameters = named("clients pin").parameters
    answers = Answers(session, client=client)
    with session.crm.read() as snapshot:
        known = [status for status in statuses(snapshot) if status][:_STATUSES]
    pinned = client.status_pinned_until is not None
    another = False

    def choose() -> None:
        nonlocal another
        session.page(*crumbs)
        entries = [*(Choice(status, status) for status in known), Choice("Another status", None)]
        entries += [Choice("Remove the pin", "")] if pinned else []
        chosen = session.keyboard.choose(f"Status of {client.name}:", entries, at=answers.values.get("status"))
        another = chosen is None
        if chosen is not None:
            answers.values["status"] = chosen

    def steps() -> list[Step]:
        asked = [dataclasses.replace(parameters["status"], required=True, help="")] if another else []
        asked += [parameters["until"]] if another or answers.values.get("status") else []
        return [choose, *answers.steps(asked, lambda: session.page(*crumbs)), done]

    def done() -> Any:
        arguments = {**answers.values, "until": answers.values.get("until") if answers.values["status"] else None}
        return session.call("clients pin", **arguments)

    saved = in_steps(session, steps)
    last = saved.status_pinned_until
    end = f" until {session.conventions.day(last)}" if last and last != FOREVER else ""
    session.done(f"{saved.name} is {saved.status}{end}")


deletes(ClientPage, "clients delete")
