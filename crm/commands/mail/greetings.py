"""Dated messages: greetings to each client once a year, and the command that sends what is due."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from crm.batching import batches
from crm.commands.consent import objections
from crm.commands.context import CRM
from crm.commands.deletions import deleted
from crm.commands.mail.anniversaries import YearlyDay, days_due, key_of, occasion_words
from crm.commands.mail.mailings.audience import Reader, refused_addresses
from crm.commands.mail.mailings.text import MailingText, drafted
from crm.commands.mail.merge_fields import filled, values_of
from crm.commands.mail.outbox import Draft, queue_many, refuse_unsendable, send_queued
from crm.commands.mail.outbox.sending import Sent
from crm.commands.mail.sms import fetch as fetch_answers
from crm.commands.registry import About, command
from crm.errors import FieldError, NotFoundError, OutwardError, RefusedError, UsageError
from crm.model import CHANNELS, Client, Mailing, Message, Template
from crm.model.encoding import plain
from crm.model.fields import Line, NameOf
from crm.model.fields.recipients import recipient_key
from crm.model.rights import KEY
from crm.outward.outgoing import Party
from crm.outward.sms import is_number
from crm.repository import Query, Snapshot, Transaction
from crm.repository.queries import anniversaries, mail

Name = Annotated[str, Line(100), About("Name", positional=True)]
# So many clients are greeted in one transaction.
_BATCH = 200


@dataclass(frozen=True, slots=True)
class Occasion:
    """A greeting, and `when` it greets, in words."""

    mailing: Mailing
    when: str

    def as_json(self) -> dict[str, Any]:
        """The order's own fields, and when in words."""
        return {**plain(self.mailing), "when": self.when}


@dataclass(frozen=True, slots=True)
class Greeting:
    """Somebody who is greeted: by which order, for which day, and at which address or number. `why_not` says why not,
    '' where they are."""

    client: Client
    mailing: Mailing
    on: date
    to: str
    why_not: str = ""

    def as_json(self) -> dict[str, Any]:
        """The client, the occasion, the day and the address."""
        return {
            "client": self.client.id, "client_name": self.client.name, "occasion": self.mailing.name,
            "on": plain(self.on), "to": self.to, "why_not": self.why_not,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Due:
    """The greetings that are due: who is greeted, who cannot be written to, and the outcome of these and all other
    messages in the outbox; None of a rehearsal, in which nothing is written and nothing sent, and `waiting` is how much
    the outbox holds."""

    greetings: Sequence[Greeting]
    unreachable: Sequence[Greeting]
    sent: Sent | None
    waiting: int

    @property
    def exit_code(self) -> int:
        """The exit code: 1 where something could not be sent."""
        return self.sent.exit_code if self.sent else 0


@command(
    "occasions list",
    title="Greetings",
    menu="email",
    hint="Messages sent to clients once a year",
    nothing="No greetings are set up.",
)
def list_all(crm: CRM) -> Sequence[Occasion]:
    """List the greetings that each client gets once a year."""
    with crm.read() as snapshot:
        return [Occasion(order, occasion_words(order.occasion)) for order in standing_orders(snapshot)]


@command("occasions add", title="Add a greeting")
def add(
    crm: CRM,
    name: Name,
    on: Annotated[str, YearlyDay(), About("On", "birthday, first-sale, or a day and a month like 24-12")],
    template: Annotated[Template, About("Template", "its name or number")],
) -> Occasion:
    """Add a greeting: the text of a template, as it is now, to each client once a year.

    It goes to clients who agreed to mailings and have an address, when `email due` is run on the day, or on one of
    the three days after it. For SMS it takes a template for SMS.
    """
    if not name:
        raise FieldError("a greeting needs a name", field="name", label="Name")
    if not on:
        raise FieldError("say when it is", field="on", label="On")

    def change(tx: Transaction) -> Mailing:
        text = tx.get(Template, template.id)
        for order in standing_orders(tx):
            if order.name.casefold() == name.casefold():
                raise RefusedError(f"There is already a greeting called {order.name}. Nothing was changed.")
            if (order.occasion, order.channel) == (on, text.channel):
                raise RefusedError(
                    f"{order.name} already goes out for {occasion_words(on)} by {CHANNELS[text.channel]}, and each"
                    " client gets only one greeting. Nothing was changed."
                )
        written = Mailing(name=name, channel=text.channel, subject=text.subject, body=text.body)
        return tx.add(dataclasses.replace(written, occasion=on, user=crm.me))

    return Occasion(crm.transact(change, f"added the greeting {name}"), occasion_words(on))


@command("occasions remove", title="Remove a greeting", as_text=lambda crm, removed: deleted(crm, removed.mailing))
def remove(crm: CRM, name: Annotated[str, NameOf(100, "greeting"), About("Name", positional=True)]) -> Occasion:
    """Remove a greeting and cancel its queued messages."""

    def change(tx: Transaction) -> Mailing:
        standing = next((order for order in standing_orders(tx) if order.name.casefold() == name.casefold()), None)
        if standing is None:
            raise NotFoundError(f"No greeting called {name}. `occasions list` shows all.")
        for message in tx.find_all(Message, Query({"mailing": standing.id, "state": "queued"})):
            tx.change(message, state="cancelled", until="")
        tx.delete(standing)
        return standing

    removed = crm.transact(change, f"removed the greeting {name}")
    return Occasion(removed, occasion_words(removed.occasion))


@command("email due", title="Send greetings that are due", key="mail")
def due(
    crm: CRM,
    dry_run: Annotated[bool, About("Dry run", "show who would get a greeting, and send nothing")] = False,
) -> Due:
    """Send greetings for birthdays and other days, and all other queued messages that are due.

    `occasions list` shows the other days. Each client gets one greeting a year, however often this runs; a missed day
    is made up for within three days. Cron can run it every hour.
    """
    unread = _read_answers(crm) if not dry_run else ""
    with crm.read() as snapshot:
        greetings = list(_greetings(snapshot, crm.today))
        waiting = snapshot.count(Message, Query({"state": "queued"}))
    able = [greeting for greeting in greetings if not greeting.why_not]
    unreachable = [greeting for greeting in greetings if greeting.why_not]
    if dry_run:
        return Due(able, unreachable, None, waiting)
    for channel in sorted({greeting.mailing.channel for greeting in able}):
        refuse_unsendable(crm, channel)
    queued: list[Greeting] = []
    for some in batches(able, _BATCH):
        queued += _queued(crm, some)
    sent = send_queued(crm)
    return Due(
        queued, unreachable, dataclasses.replace(sent, stopped=" ".join(filter(None, (unread, sent.stopped)))), 0
    )


def _read_answers(crm: CRM) -> str:
    """Read who has answered STOP, where somebody is greeted by SMS; why that could not be, in a sentence, '' where it
    could."""
    with crm.read() as snapshot:
        by_sms = any(order.channel == "sms" for order in standing_orders(snapshot))
    if not by_sms:
        return ""
    try:
        fetch_answers(crm)
    except (OutwardError, UsageError) as error:
        return error.sentence
    return ""


def standing_orders(snapshot: Snapshot) -> list[Mailing]:
    """All of them, by name."""
    return [mailing for mailing in snapshot.find_all(Mailing, Query(sort="name")) if mailing.occasion]


def _greetings(snapshot: Snapshot, today: date) -> Iterator[Greeting]:
    """The greetings still to be sent this year, with those that cannot be written to."""
    orders = standing_orders(snapshot)
    refused = refused_addresses(snapshot) if orders else {}
    for order in orders:
        for day in days_due(today, snapshot.clock.day_of(order.created_at)):
            yield from _of_day(snapshot, order, day, refused)


def _of_day(snapshot: Snapshot, order: Mailing, day: date, refused: Mapping[str, str]) -> Iterator[Greeting]:
    key = key_of(order.occasion, day)
    numbers = anniversaries.to_greet(snapshot, order.occasion, day, order.channel, key)
    if not numbers:
        return
    greeted = {recipient_key(to) for to in mail.addresses_of_occasion(snapshot, key, order.channel)}
    for some in batches(numbers, _BATCH):
        clients = snapshot.find_all(Client, Query({"id": some}, sort="id"))
        against = objections(snapshot, [_address(order, client) for client in clients])
        for client in clients:
            to = _address(order, client)
            recipient = recipient_key(to)
            if objection := against.get(recipient):
                why_not = f"{to}: {objection.words}"
            elif recipient in greeted:
                why_not = "another client at the same address gets the greeting"
            else:
                why_not = _unreachable(order.channel, to, refused)
            if not why_not:
                greeted.add(recipient)
            yield Greeting(client, order, day, to, why_not)


def _address(order: Mailing, client: Client) -> str:
    """The address at which a client is greeted."""
    return client.phone if order.channel == "sms" else client.email


def _unreachable(channel: str, to: str, refused: Mapping[str, str]) -> str:
    """The reason why nothing can be sent to an address or a number, '' where it can."""
    if channel == "sms":
        return "" if is_number(to) else "no phone number that can get text messages"
    if words := refused.get(to.casefold()):
        return f"the address bounced: {words}"
    try:
        Party(to)
    except OutwardError:
        return "no e-mail address that works"
    return ""


def _queued(crm: CRM, greetings: Sequence[Greeting]) -> list[Greeting]:
    """Put greetings into the outbox but for those that somebody else has put there meanwhile, and for who has opted
    out."""

    def change(tx: Transaction) -> list[Greeting]:
        drafts, queued = [], []
        for order, day in dict.fromkeys((greeting.mailing, greeting.on) for greeting in greetings):
            mailing = tx.find(Mailing, order.id)
            if mailing is None:
                continue
            some = {
                greeting.client.id: greeting
                for greeting in greetings
                if (greeting.mailing, greeting.on) == (order, day)
            }
            numbers = anniversaries.still_to_greet(tx, some, mailing.channel, key_of(mailing.occasion, day))
            candidates = tx.find_all(Client, Query({"id": numbers}, sort="id")) if numbers else []
            against = objections(tx, [_address(mailing, client) for client in candidates])
            clients = [client for client in candidates if recipient_key(_address(mailing, client)) not in against]
            # A key writes to nobody in its own name.
            me = mailing.user if crm.reader.role.startswith(KEY) else ""
            for client, known in values_of(crm, tx, clients, me):
                drafts.append(_draft(crm, mailing, day, client, known))
                queued.append(some[client.id])
        queue_many(tx, crm, drafts)
        return queued

    count = f"{len(greetings)} {'client' if len(greetings) == 1 else 'clients'}"
    return crm.transact(change, f"greeted {count}")


def sms_end(crm: CRM) -> str:
    """The line at the end of a text to many that says how to end them."""
    texter = crm.outward.texter()
    return "\nReply STOP to opt out." if texter and texter.can_be_answered else ""


def _draft(crm: CRM, order: Mailing, day: date, client: Client, known: Mapping[str, str]) -> Draft:
    values: dict[str, Any] = {"mailing": order.id, "occasion": key_of(order.occasion, day)}
    if order.channel == "sms":
        text = f"{filled(order.body, known, markdown=False)}{sms_end(crm)}"
        return Draft(client=client.id, channel="sms", phone=client.phone, body=text, **values)
    reader = Reader(client, Party(client.email, client.name), 0)
    return dataclasses.replace(drafted(crm, MailingText(order.subject, order.body), reader, known), **values)
