"""Mailings: one text to many clients, each of them once, and its outcome."""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

from crm.batching import batches
from crm.commands.client_selection import (
    Everybody,
    Group,
    OfView,
    Only,
    SomeClients,
    Where,
    asked_for,
    pluralize,
)
from crm.commands.context import CRM, Progress
from crm.commands.list_parameters import Limit, Offset, most
from crm.commands.mail.composing import Preview
from crm.commands.mail.mailings.audience import (
    Audience,
    LeftOut,
    NoConsentError,
    Reader,
    Readers,
    audience,
    got_already,
)
from crm.commands.mail.mailings.report import MailingCount, MailingReport, counts_of, report_on
from crm.commands.mail.mailings.text import MailingText, TestSent, drafted, previewed, tried, written
from crm.commands.mail.merge_fields import LineWithFields, ProseWithFields, missing, values_of
from crm.commands.mail.outbox import queue_many, refuse_unsendable, send_queued
from crm.commands.mail.outbox.signals import INTERRUPTED
from crm.commands.mail.unsubscribing import before_token, footer
from crm.commands.registry import About, command
from crm.errors import CRMError, RefusedError, StoreError, confirmation
from crm.model import Conventions, Mailing, Message, Template
from crm.model.fields import Email
from crm.outward.sanitizing import line
from crm.repository import Query, Snapshot, Transaction
from crm.wording import first_lines

TheMailing = Annotated[Mailing, About("Mailing", "its number", positional=True)]
# As many of those who are left out are named in the question.
_NAMED = 10
_LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class Prepared:
    """A mailing before it is sent: who gets it, how the first of them will read it, and for how many a field has no
    value."""

    audience: Audience
    preview: Preview
    a_minute: int
    blanks: Mapping[str, int]

    @property
    def minutes(self) -> int:
        """The minutes that sending takes at the pace of the team."""
        return -(-self.audience.count // self.a_minute)

    def summary(self, by: Conventions) -> str:
        """The number of people who get it, how long that takes, and how many are left out, in sentences."""
        minutes = self.minutes
        takes = f" That takes about {pluralize(minutes, 'minute', 'minutes', by)}." if minutes > 1 else ""
        return f"{self.audience.sentences(by, takes)}{self._blank(by)}"

    def _blank(self, by: Conventions) -> str:
        return "".join(
            f" {by.number(number)} of them {'has' if number == 1 else 'have'} no {name}: nothing is filled in there."
            f" Write {{{name}|friend}} to use “friend” instead."
            for name, number in self.blanks.items()
        )


@command("mailings send", title="New mailing", menu="email", hint="One text to many clients")
def send(
    crm: CRM,
    clients: SomeClients = (),
    template: Annotated[Template | None, About("Template", "its number or name")] = None,
    subject: Annotated[str, LineWithFields(300), About("Subject", "the template's by default")] = "",
    body: Annotated[str, ProseWithFields(), About("Text", "in Markdown; the template's by default")] = "",
    attach: Annotated[tuple[Path, ...], About("Attach", "a file to attach")] = (),
    test: Annotated[
        str, Email(), About("Test", "only send a test to this address, as the first client would get it")
    ] = "",
    only: Only = (),
    where: Where = "",
    view: OfView = "",
    all_: Everybody = False,
    again: Annotated[bool, About("Again", "also to clients who got the same text in an earlier mailing")] = False,
    later: Annotated[bool, About("Later", "only puts it in the outbox; `email outbox` sends it")] = False,
    yes: bool = False,
) -> MailingReport | TestSent:
    """Send an e-mail to many clients at once, with the fields filled in for each.

    It does not go to clients who have not agreed to mailings, have no address or one that bounced, or have
    received the same text in an earlier mailing (unless you give --again); no address gets it twice. You see first who
    is excluded, and a preview of the first e-mail. Each e-mail ends with an unsubscribe link. They are sent at the pace
    of the setting mails_per_minute; if that is interrupted, `mailings resume` continues where it stopped. With --later
    nothing is sent now: the next `email outbox`, from cron for example, sends it.
    """
    refuse_unsendable(crm)
    text = written(crm, template, subject, body, attach)
    group = asked_for(clients, only, where, view, all_)
    if test:
        with crm.read() as snapshot:
            return tried(crm, snapshot, text, _first(crm, audience(snapshot, group.members(snapshot), {})), test)
    if not yes:
        draft = prepared(crm, group, text, again=again)
        raise confirmation(
            f"{draft.preview.full_text}\n\n{listed(draft, crm.conventions)}\n\nSend it?", "Send it", destructive=True
        )
    mailing, left_out = enqueued(crm, group, text, again=again)
    return finished(crm, mailing, left_out, later=later)


def finished(crm: CRM, mailing: Mailing, left_out: Sequence[LeftOut], *, later: bool) -> MailingReport:
    """Send a mailing that is in the outbox, or leave it there for `later`, and show the result."""
    if not later:
        return replace(delivered(crm, mailing), left_out=left_out)
    with crm.read() as snapshot:
        return replace(report_on(snapshot, mailing), left_out=left_out)


def enqueued(crm: CRM, group: Group, text: MailingText, *, again: bool = False) -> tuple[Mailing, Sequence[LeftOut]]:
    """Write a mailing with a message in the outbox for each of a group who gets it, as one change; and who does not.
    Raises as `prepared` does."""
    with crm.progress("Writing e-mails") as tell:
        return crm.transact(
            lambda tx: _queued(tx, crm, group, text, tell, again=again), f"wrote the mailing {_name(text)}"
        )


class AllGotItError(RefusedError):
    """A mailing that nobody is left to get, as somebody has got the same text in an earlier one."""


def recipients(crm: CRM, group: Group) -> Audience:
    """The members of a group who can get a mailing, whatever its text. Raises RefusedError where nobody can."""
    with crm.read() as snapshot:
        readers = audience(snapshot, group.members(snapshot), {})
        _first(crm, readers)
    return readers


def prepared(crm: CRM, group: Group, text: MailingText, *, again: bool = False) -> Prepared:
    """The members of a group who get a mailing, and what the first of them will read; those who have got the same text
    in an earlier one only `again`. Raises RefusedError where nobody does, and what cannot be found or read."""
    with crm.read() as snapshot:
        got = _got(snapshot, text, again=again)
        readers = audience(snapshot, group.members(snapshot), got)
        preview = previewed(crm, snapshot, text, _first(crm, readers))
        blanks = _blanks(crm, snapshot, group, text, got)
    return Prepared(readers, preview, int(crm.settings["mails_per_minute"]), blanks)


def _got(snapshot: Snapshot, text: MailingText, *, again: bool) -> Mapping[str, str]:
    return {} if again else got_already(snapshot, text.subject, text.body, text.service)


def _blanks(crm: CRM, snapshot: Snapshot, group: Group, text: MailingText, got: Mapping[str, str]) -> Mapping[str, int]:
    """The fields of a text that have no value for some who get it, and for how many."""
    whole = f"{text.subject}\n{text.body}"
    blanks: Counter[str] = Counter()
    if not missing(whole, {}):
        return blanks
    members, sorting = Audience(), Readers(snapshot, got)
    for some in batches(group.members(snapshot)):
        readers = [reader.client for reader in members.sort(sorting.of(some))]
        for _, values in values_of(crm, snapshot, readers):
            blanks.update(missing(whole, values))
    return blanks


def _first(crm: CRM, readers: Audience) -> Reader:
    """The first who gets it. Raises RefusedError where nobody does."""
    if readers.first is None:
        reasons = readers.summary(crm.conventions)
        sentence = f"Nobody would get this.{f' {reasons}' if reasons else ''} Nothing was sent."
        if got := [reader for reader in readers.left_out if reader.why == "got"]:
            first = (
                f" {got[0].name}: {got[0].reason}." if len(got) == 1 else f" The first: {got[0].name}, {got[0].reason}."
            )
            raise AllGotItError(f"{sentence}{first} --again sends it to them once more.")
        if any(reader.why == "consent" for reader in readers.left_out):
            raise NoConsentError(sentence, readers.left_out)
        raise RefusedError(sentence)
    return readers.first


def listed(draft: Prepared, by: Conventions) -> str:
    """The audience and those left out, the first of them by name."""
    left_out = draft.audience.left_out
    lines = [f"{reader.name} ({reader.client}): {reader.reason}" for reader in left_out]
    return "\n- ".join([draft.summary(by), *first_lines(lines, _NAMED, number=by.number)])


def _name(text: MailingText) -> str:
    return line(text.subject, _LONGEST_NAME)


def _queued(
    tx: Transaction, crm: CRM, group: Group, text: MailingText, tell: Progress, *, again: bool
) -> tuple[Mailing, Sequence[LeftOut]]:
    """The mailing, with a message in the outbox for each who gets it; and who does not."""
    numbers = group.members(tx)
    members, sorting = Audience(), Readers(tx, _got(tx, text, again=again))
    mailing = tx.add(
        Mailing(
            name=_name(text), channel="email", subject=text.subject, body=text.body, service=text.service, user=crm.me
        )
    )
    done, before = 0, before_token(crm)
    for some in batches(numbers):
        readers = {reader.client.id: reader for reader in members.sort(sorting.of(some))}
        known = values_of(crm, tx, [reader.client for reader in readers.values()])
        drafts = (
            drafted(crm, text, reader, values, mailing.id, footer(crm, client, reader.party.address, before))
            for client, values in known
            for reader in [readers[client.id]]
        )
        queue_many(tx, crm, drafts)
        done += len(some)
        tell(done, len(numbers))
    # Somebody may have opted out since it was looked at.
    _first(crm, members)
    return mailing, members.left_out


def delivered(crm: CRM, mailing: Mailing) -> MailingReport:
    """Send what waits of a mailing, and show the result. Whatever goes wrong from here on is only told: who did all of
    it again would write everybody a second time."""
    incomplete = False
    try:
        sent = send_queued(crm, mailing=mailing.id)
        stopped, incomplete = sent.stopped, bool(sent.exit_code)
    except CRMError as error:
        stopped = error.sentence
    except KeyboardInterrupt:
        stopped = INTERRUPTED
    with suppress(StoreError), crm.read() as snapshot:
        return replace(report_on(snapshot, mailing), stopped=stopped, incomplete=incomplete)
    return MailingReport(MailingCount(mailing, {}), stopped=stopped)


@command(
    "mailings list", title="Mailings", menu="email", hint="Sent and stopped, newest first", nothing="No mailings yet."
)
def list_all(
    crm: CRM,
    limit: Limit = 0,
    offset: Offset = 0,
) -> list[MailingCount]:
    """List mailings, newest first, with the number of messages sent, failed and still queued."""
    with crm.read() as snapshot:
        mailings = snapshot.find_all(Mailing, Query({"occasion": ""}, sort="-id", limit=most(limit), offset=offset))
        counts = counts_of(snapshot, [mailing.id for mailing in mailings])
    return [MailingCount(mailing, counts[mailing.id]) for mailing in mailings]


@command("mailings show", title="Show a mailing")
def show(crm: CRM, mailing: TheMailing) -> MailingReport:
    """Show the result of a mailing, and the messages that need attention."""
    with crm.read() as snapshot:
        return report_on(snapshot, snapshot.get(Mailing, mailing.id))


@command("mailings resume", title="Resume a mailing")
def resume(crm: CRM, mailing: TheMailing) -> MailingReport:
    """Resume a mailing where it stopped; nobody gets it twice."""
    refuse_unsendable(crm, mailing.channel or "email")
    return delivered(crm, mailing)


@command("mailings cancel", title="Cancel a mailing")
def cancel(crm: CRM, mailing: TheMailing, yes: bool = False) -> MailingReport:
    """Cancel the unsent messages of a mailing.

    `email again` still sends one of them.
    """

    def change(tx: Transaction) -> MailingReport:
        current = tx.get(Mailing, mailing.id)
        queued = tx.numbers(Message, Query({"mailing": current.id, "state": "queued"}))
        if not queued:
            raise RefusedError(f"{current.name} has no messages waiting to be sent. Nothing was cancelled.")
        if not yes:
            count = pluralize(len(queued), "queued e-mail", "queued e-mails", crm.conventions)
            raise confirmation(f"This cancels {count}.", "Cancel them", [current], destructive=True)
        for numbers in batches(queued):
            for message in tx.find_all(Message, Query({"id": numbers})):
                tx.change(message, state="cancelled", until="")
        return report_on(tx, current)

    return crm.transact(change, f"cancelled the mailing {mailing.name}")
