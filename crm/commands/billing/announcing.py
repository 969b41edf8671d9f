"""A new service announced to clients: by e-mail as a mailing, or by SMS, through the outbox and to nobody twice."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated

from crm.batching import batches
from crm.commands.billing.sending import as_body, plain_text
from crm.commands.billing.services import TheService
from crm.commands.client_selection import (
    Everybody,
    Group,
    OfView,
    Only,
    SomeClients,
    Where,
    asked_for,
    pluralize,
    some_at_a_time,
)
from crm.commands.consent import Objection, objections
from crm.commands.context import CRM
from crm.commands.mail import mailings
from crm.commands.mail.greetings import sms_end
from crm.commands.mail.mailings.audience import LeftOut, NoConsentError
from crm.commands.mail.mailings.report import MailingReport
from crm.commands.mail.mailings.text import MailingText
from crm.commands.mail.merge_fields import LineWithFields, ProseWithFields, filled, values_of
from crm.commands.mail.outbox import Draft, queue_many, refuse_unsendable
from crm.commands.mail.sms import LONGEST
from crm.commands.registry import About, command
from crm.errors import FieldError, Question, RefusedError, confirmation
from crm.model import CHANNELS, Client, Conventions, Mailing, Service, Template, fields
from crm.model.fields import Choice, Flag
from crm.model.fields.addresses import is_landline
from crm.model.fields.recipients import recipient_key
from crm.outward.sanitizing import line
from crm.outward.sms import is_number
from crm.outward.sms_parts import parts
from crm.repository import Query, Snapshot, Transaction
from crm.repository.queries import mail
from crm.wording import first_few

_LONGEST_NAME = 100


@dataclass(slots=True)
class SmsAudience:
    """The clients who get a text message, with the text as it is sent to each, and those who do not."""

    texts: list[tuple[Client, str]] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)

    @property
    def sms(self) -> int:
        """The number of SMS that it takes altogether: a long text is several."""
        return sum(parts(text) for _, text in self.texts)

    def summary(self, by: Conventions, price: Decimal) -> str:
        """The number of clients and of SMS, what these cost, and who is left out and why, in sentences."""
        cost = f", about {by.money(self.sms * price)}" if price else ""
        sentences = [f"This goes to {pluralize(len(self.texts), 'client', 'clients', by)} and takes"
                     f" {by.number(self.sms)} SMS{cost}."]  # fmt: skip
        if self.left_out:
            reasons: dict[str, list[str]] = {}
            for reader in self.left_out:
                reasons.setdefault(reader.reason, []).append(reader.name)
            listed = "; ".join(
                f"{by.number(len(names))} {words} ({first_few(names)})" for words, names in reasons.items()
            )
            sentences.append(f"{pluralize(len(self.left_out), 'client is', 'clients are', by)} left out: {listed}.")
        return " ".join(sentences)


@command(
    "services announce", title="Announce a service", menu="services", hint="By e-mail or SMS to clients who agreed"
)
def announce(
    crm: CRM,
    service: TheService,
    clients: SomeClients = (),
    by: Annotated[str, Choice(CHANNELS), About("By", "email or sms")] = "email",
    template: Annotated[
        Template | None, About("Template", "its number or name; a short standard text by default")
    ] = None,
    subject: Annotated[str, LineWithFields(300), About("Subject", "the template's by default")] = "",
    text: Annotated[str, ProseWithFields(), About("Text", "the template's by default")] = "",
    only: Only = (),
    where: Where = "",
    view: OfView = "",
    all_: Everybody = False,
    again: Annotated[bool, About("Again", "also to clients who have already got it this way")] = False,
    later: Annotated[bool | None, Flag(), About("Later", "only puts it in the outbox; `email outbox` sends it")] = None,
    yes: bool = False,
) -> MailingReport:
    """Announce a service to clients by e-mail or SMS, with its name, description and price, or in your own words.

    It goes to clients who agreed to mailings, have an address or a number, and have not got it this way
    before (unless you give --again). You see first how many are left out and why, the text as the first client gets it,
    and how many SMS it takes. `mailings resume` continues one that was interrupted. With --later nothing is sent now:
    the next `email outbox`, from cron for example, sends it.
    """
    by = by or "email"
    refuse_unsendable(crm, by)
    if template and template.channel != by:
        raise FieldError(f"{template.name} is a template for {CHANNELS[template.channel]}", field="template",
                         label="Template")  # fmt: skip
    current = crm.get(Service, service.id)
    if not current.active:
        raise RefusedError(f"{current.name} is retired. `services edit {current.id} --active` offers it again.")
    group = asked_for(clients, only, where, view, all_)
    body = text or (template.body if template else "") or words_for(crm, current, by)
    if by == "sms":
        return _by_sms(crm, current, group, body, again=again, later=later, yes=yes)
    written = MailingText(
        subject or (template.subject if template else "") or plain_text(f"New: {current.name}"), body,
        service=current.id,
    )  # fmt: skip
    if not yes:
        draft = mailings.prepared(crm, group, written, again=again)
        question = f"{draft.preview.full_text}\n\n{mailings.listed(draft, crm.conventions)}\n\nSend it?"
        raise confirmation(question, "Send it", destructive=True)
    if later is None:
        _ask_when(crm, mailings.prepared(crm, group, written, again=again).audience.count)
    mailing, left_out = mailings.enqueued(crm, group, written, again=again)
    return mailings.finished(crm, mailing, left_out, later=bool(later))


def recipients(crm: CRM, service: Service, by: str, group: Group) -> str:
    """The number of clients who can get an announcement, and who is left out, in sentences, before it has a text.
    Raises RefusedError where nobody can."""
    if by == "email":
        return mailings.recipients(crm, group).sentences(crm.conventions, has_text=False)
    with crm.read() as snapshot:
        readers = _audience(crm, snapshot, service, group, "", again=False)
    why = readers.summary(crm.conventions, Decimal(0)).partition(". ")[2]
    goes = pluralize(len(readers.texts), "client", "clients", crm.conventions)
    return f"This can go to {goes}. {why}".rstrip()


def _ask_when(crm: CRM, count: int) -> None:
    """Raise Question whether to leave to the outbox what takes more than a minute to send."""
    by, minutes = crm.conventions, -(-count // int(crm.settings["mails_per_minute"]))
    if minutes > 1:
        raise Question(
            f"Sending takes about {by.number(minutes)} minutes. Later: cron sends it with `email outbox`, or you with"
            " *Send queued mail*. Until then you can cancel it.",
            parameter="later",
            choices={
                "yes": f"Send to {pluralize(count, 'client', 'clients', by)} later, from the outbox",
                "no": "Send now, and wait",
            },
            yes="no",
        )


def words_for(crm: CRM, service: Service, by: str) -> str:
    """The text of an announcement, where nobody has written one; what is in the service is text."""
    conventions = crm.conventions
    unit = fields(Service)["unit"].check.show(service.unit, conventions)
    price = f"{conventions.money(service.price)}{' incl. tax' if service.gross else ''} per {unit}"
    company = crm.settings["company_name"]
    if by == "sms":
        return plain_text(f"New{f' from {company}' if company else ''}: {service.name}, {price}.")
    lines = [
        f"We have a new offer: {service.name}, {price}.",
        *(["", service.description] if service.description else []),
    ]
    closing = as_body("\n".join([*lines, "", "Kind regards", "", company or crm.me]))
    return f"Hello {{first_name|there}},\n\n{closing}"


def _by_sms(
    crm: CRM, service: Service, group: Group, body: str, *, again: bool, later: bool | None, yes: bool
) -> MailingReport:
    with crm.read() as snapshot:
        readers = _audience(crm, snapshot, service, group, body, again=again)
    if not yes:
        client, text = readers.texts[0]
        summary = readers.summary(crm.conventions, Decimal(crm.settings["sms_price"]))
        question = f"To: {client.name}, {client.phone}\n\n{text}\n\n{summary}\n\nSend it?"
        raise confirmation(question, "Send it", destructive=True)

    if later is None:
        _ask_when(crm, len(readers.texts))

    def change(tx: Transaction) -> tuple[Mailing, Sequence[LeftOut]]:
        current = _audience(crm, tx, service, group, body, again=again)
        name = line(f"New: {service.name}", _LONGEST_NAME)
        mailing = tx.add(Mailing(name=name, channel="sms", body=body, service=service.id, user=crm.me))
        drafts = (
            Draft(client=client.id, channel="sms", phone=client.phone, body=text, mailing=mailing.id)
            for client, text in current.texts
        )
        queue_many(tx, crm, drafts)
        return mailing, current.left_out

    mailing, left_out = crm.transact(change, f"announced {service.name} by SMS")
    return mailings.finished(crm, mailing, left_out, later=bool(later))


def _audience(crm: CRM, snapshot: Snapshot, service: Service, group: Group, body: str, *, again: bool) -> SmsAudience:
    """The clients of a group who get the text message. Raises RefusedError where nobody does."""
    earlier = [] if again else snapshot.numbers(Mailing, Query({"service": service.id, "channel": "sms"}))
    reached = {recipient_key(row.to) for row in mail.reached_by(snapshot, earlier)} if earlier else set[str]()
    readers, end = SmsAudience(), sms_end(crm)
    taken: set[str] = set()
    for some in batches(group.members(snapshot)):
        able: list[Client] = []
        for client, reason in _sorted(snapshot, some, reached, taken):
            if reason:
                readers.left_out.append(LeftOut(client.id, client.name, reason[0], reason[1]))
            else:
                able.append(client)
        for client, values in values_of(crm, snapshot, able):
            text = f"{filled(body, values, markdown=False).strip()}{end}"
            if len(text) > LONGEST:
                raise FieldError(f"it is too long for a text message: {len(text)} characters", field="text",
                                 label="Text")  # fmt: skip
            readers.texts.append((client, text))
    if not readers.texts:
        why = readers.summary(crm.conventions, Decimal(0)).partition(". ")[2]
        sentence = f"Nobody would get this. {why} Nothing was sent.".replace("  ", " ")
        if any(reader.why == "consent" for reader in readers.left_out):
            raise NoConsentError(sentence, readers.left_out)
        raise RefusedError(sentence)
    return readers


def _sorted(
    snapshot: Snapshot, numbers: Sequence[int], reached: set[str], taken: set[str]
) -> Iterator[tuple[Client, tuple[str, str] | None]]:
    """Each of some clients, with the reason why it gets no text message, as a word and in words."""
    for clients in some_at_a_time(snapshot, numbers):
        against = objections(snapshot, [client.phone for client in clients if client.phone])
        for client in clients:
            key = recipient_key(client.phone)
            reason = _reason(client, against.get(key), key, reached, taken)
            if reason is None:
                taken.add(key)
            yield client, reason


def _reason(
    client: Client, objection: Objection | None, key: str, reached: set[str], taken: set[str]
) -> tuple[str, str] | None:
    reasons: Mapping[str, tuple[bool, str]] = {
        "opted_out": (objection is not None and objection.why == "opted_out", "opted out"),
        "consent": (not client.marketing_consent, "without consent to mailings"),
        "address": (not is_number(client.phone), "without a phone number that can get text messages"),
        "bad": (is_landline(client.phone), "with a landline"),
        "shared": (objection is not None, "with the number of someone who has not agreed"),
        "got": (key in reached, "who already got it"),
        "twice": (key in taken, "with the same number as another client"),
    }
    return next(((why, words) for why, (applies, words) in reasons.items() if applies), None)
