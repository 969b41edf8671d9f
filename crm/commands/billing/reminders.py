"""Reminders of overdue invoices: previewed and run, one e-mail a client; skipped, and promises to pay noted."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Any

from crm.batching import batches
from crm.commands.billing.amounts import amounts_in
from crm.commands.billing.documents import shown_state
from crm.commands.billing.lines import TheInvoice
from crm.commands.billing.reminder_levels import levels_of
from crm.commands.billing.sending import as_body, in_currency, plain_text
from crm.commands.context import CRM
from crm.commands.mail import outbox
from crm.commands.mail.composing import Written, previewed
from crm.commands.record_names import by_id
from crm.commands.registry import About, command
from crm.errors import CRMError, FieldError, RefusedError, confirmation
from crm.invoicing.dunning import DueReminder, Level, Overdue, due_reminder
from crm.model import Client, Conventions, Invoice, Message, Reminder
from crm.model.fields import Day, Email
from crm.model.iban import grouped_iban
from crm.model.money import NOTHING, decimals_of
from crm.repository import Query, Snapshot, Transaction
from crm.repository.queries import billing


@dataclass(frozen=True, slots=True)
class Reminding:
    """A client who is to be reminded: of which invoices, each with its level, and what keeps it from being sent."""

    client: Client
    due: Sequence[tuple[Invoice, DueReminder]]
    hindered: str = ""
    # Of a level that is neither the first nor the last, as the program's own words go.
    is_first: bool = True
    is_last: bool = False

    @property
    def highest(self) -> Level:
        """The highest level among them, which sets the tone."""
        return max((reminder.level for _, reminder in self.due), key=lambda level: level.number)

    @property
    def level(self) -> int:
        """The number of the highest level."""
        return self.highest.number

    @property
    def asked(self) -> Sequence["Asked"]:
        """The amounts that it asks for, by currency."""
        return asked_for([self])

    def as_json(self) -> dict[str, Any]:
        """The client, the level, what is asked for in each currency, and the invoices."""
        return {
            "client": self.client.id, "client_name": self.client.name, "level": self.level, "amounts": self.asked,
            "hindered": self.hindered,
            "invoices": [
                {
                    "id": invoice.id, "number": invoice.number, "due_on": invoice.due_on,
                    "level": reminder.level.number, "days_overdue": reminder.days_overdue,
                    "currency": invoice.currency,
                    **amounts_in(
                        invoice.currency, open=invoice.open, fee=reminder.fee, interest=reminder.interest
                    ),
                    "new_due_on": reminder.new_due_on,
                }
                for invoice, reminder in self.due
            ],
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """The amounts that reminders ask for in a currency: what is open, and the fees and the interest beside it."""

    currency: str
    open: Decimal
    fee: Decimal
    interest: Decimal


def asked_for(reminding: Sequence[Reminding]) -> Sequence[Asked]:
    """The amounts that some clients are asked for, by currency."""
    sums: dict[str, Asked] = {}
    for item in reminding:
        for invoice, reminder in item.due:
            asked = sums.get(invoice.currency, Asked(invoice.currency, NOTHING, NOTHING, NOTHING))
            sums[invoice.currency] = Asked(
                invoice.currency,
                asked.open + invoice.open,
                asked.fee + reminder.fee,
                asked.interest + reminder.interest,
            )
    return [sums[currency] for currency in sorted(sums)]


@dataclass(frozen=True, slots=True)
class RemindersRun:
    """The result of a run: who was reminded, and why sending stopped, '' where it did not."""

    reminded: Sequence[Reminding]
    left_out: Sequence[Reminding]
    stopped: str = ""
    # The reminders of an earlier run that broke off: how many of them are sent now, and how many still are not.
    resumed: int = 0
    waiting: int = 0

    @property
    def exit_code(self) -> int:
        """The exit code of the shell: 1 if somebody could not be reminded."""
        return int(bool(self.stopped or self.left_out))


@command(
    "reminders preview",
    title="Preview reminders",
    menu="unpaid",
    hint="Who would get one today",
    nothing="No reminders are due today.",
)
def preview(crm: CRM) -> list[Reminding]:
    """Show who would get a reminder today, and for what, without sending anything."""
    with crm.read() as snapshot:
        return _due(crm, snapshot)


def _due(crm: CRM, snapshot: Snapshot, client: int = 0) -> list[Reminding]:
    """The clients to be reminded today, and of which invoices."""
    overdue = billing.listed(snapshot, billing.WhichInvoices("overdue", client), sort="due_on")
    paid: dict[int, date] = {}
    for some in batches(invoice.id for invoice in overdue):
        paid |= billing.last_paid(snapshot, some)
    levels = levels_of(snapshot)
    by_client: dict[int, list[tuple[Invoice, DueReminder]]] = {}
    for invoice in overdue:
        known = Overdue(
            open=invoice.open, due_on=invoice.due_on, reminded=invoice.reminded, reminded_on=invoice.reminded_on,
            last_paid_on=paid.get(invoice.id), promised_on=invoice.promised_on, not_before=invoice.not_before,
        )  # fmt: skip
        decimals = decimals_of(invoice.currency)
        if reminder := due_reminder(known, levels, snapshot.today, decimals=decimals):
            by_client.setdefault(invoice.client, []).append((invoice, reminder))
    clients = by_id(snapshot, Client, by_client)
    last = levels[-1].number
    reminding = []
    for number in sorted(by_client):
        due = _with_one_fee(by_client[number], crm.settings["currency"])
        highest = max(reminder.level.number for _, reminder in due)
        reminding.append(
            Reminding(clients[number], due, _hindrance(clients[number]), highest == levels[0].number, highest == last)
        )
    return reminding


def _with_one_fee(due: Sequence[tuple[Invoice, DueReminder]], currency: str) -> list[tuple[Invoice, DueReminder]]:
    """The reminders of one e-mail with one fee, that of the highest level: it is in the currency of the team, so it is
    on an invoice in that."""
    highest = max(reminder.level.number for _, reminder in due)
    bearer = next(
        (invoice.id for invoice, reminder in due
         if reminder.level.number == highest and invoice.currency == currency), 0,
    )  # fmt: skip
    return [
        (invoice, reminder if invoice.id == bearer else replace(reminder, fee=NOTHING)) for invoice, reminder in due
    ]


def _hindrance(client: Client) -> str:
    """The reason why a client is not written to, '' where it is."""
    if client.no_reminders:
        return "gets no reminders, as set for this client"
    address = _address(client)
    if not address:
        return "no e-mail address"
    try:
        Email().read(address, Conventions())
    except FieldError as error:
        return f"the e-mail address {address} cannot be used: {error.reason}"
    return ""


def _address(client: Client) -> str:
    return client.invoice_email or client.email


@command("reminders run", title="Send reminders", menu="unpaid", hint="All that are due today, by e-mail", key="mail")
def run(crm: CRM, yes: bool = False) -> RemindersRun:
    """Send the reminders that are due today: one e-mail to a client, one level for an invoice, and nothing
    twice.

    Clients who paid something today, or promised to pay by a date that has not passed, get none.
    """
    outbox.refuse_unsendable(crm)
    with crm.read() as snapshot:
        everybody = _due(crm, snapshot)
        waiting = _waiting(snapshot)
    ready = [item for item in everybody if not item.hindered]
    if not yes and (ready or waiting):
        many = "1 client is" if len(ready) == 1 else f"{len(ready)} clients are"
        new = [f"{many} reminded by e-mail of {_amounts(crm, asked_for(ready))}."] if ready else []
        earlier = [f"Reminders from an earlier run that are not sent yet: {len(waiting)}."] if waiting else []
        raise confirmation(" ".join([*new, *earlier]), "Send them", destructive=True)
    reminded: list[Reminding] = []
    queued: list[int] = []
    for client in [item.client for item in ready]:
        if done := _reminded(crm, client):
            reminded.append(done[0])
            queued.append(done[1].id)
    stopped = ""
    if queued or waiting:
        try:
            stopped = outbox.send_queued(crm, {*queued, *waiting}).stopped
        except CRMError as error:
            stopped = error.sentence
    with crm.read() as snapshot:
        still = len(_waiting(snapshot) & waiting)
    hindered = [item for item in everybody if item.hindered and not item.client.no_reminders]
    return RemindersRun(reminded, hindered, stopped, len(waiting) - still, still)


def _amounts(crm: CRM, asked: Sequence[Asked]) -> str:
    """The amounts that are asked for, in words: €357.00 and ¥1,100, with fees of €5.00 and interest of €4.05."""

    def amounts(name: str) -> str:
        by_currency = [(item.currency, getattr(item, name)) for item in asked]
        return " and ".join(
            in_currency(crm.conventions, currency).money(amount) for currency, amount in by_currency if amount
        )

    beside = [
        f"{word} of {much}" for name, word in (("fee", "fees"), ("interest", "interest")) if (much := amounts(name))
    ]
    return f"{amounts('open')}{', with ' if beside else ''}{' and '.join(beside)}"


def _waiting(snapshot: Snapshot) -> set[int]:
    """The messages with reminders that are not sent yet."""
    unsent = {message.id for message in snapshot.find_all(Message, Query({"state": ["queued", "sending"]}))}
    return {
        reminder.message
        for some in batches(sorted(unsent))
        for reminder in snapshot.find_all(Reminder, Query({"message": some}))
    }


def _reminded(crm: CRM, client: Client) -> tuple[Reminding, Message] | None:
    """Remind a client of what is due; None where nothing is any more."""
    return crm.transact(lambda tx: _remind(crm, tx, client), f"reminded {client.name}")


def _remind(crm: CRM, tx: Transaction, client: Client) -> tuple[Reminding, Message] | None:
    """Remind a client of what is due at this moment, in a change; None where nothing is any more."""
    due = _due(crm, tx, client.id)
    if not due or due[0].hindered:
        return None
    item = due[0]
    written = Written(
        client=item.client,
        subject=item.highest.subject or plain_text(_subject(crm, item)),
        body=f"{item.highest.text or as_body(_opening(item))}\n\n{as_body(_list(crm, item))}",
        to=(_address(item.client),),
    )
    message = outbox.queue(tx, crm, previewed(crm, tx, written).draft)
    for invoice, reminder in item.due:
        tx.add(
            Reminder(
                invoice=invoice.id,
                level=reminder.level.number,
                on=tx.today,
                fee=reminder.fee,
                interest=reminder.interest,
                new_due_on=reminder.new_due_on,
                message=message.id,
                user=crm.me,
            )
        )
        tx.change(invoice, reminded=reminder.level.number, reminded_on=tx.today, promised_on=None, not_before=None)
    return item, message


def _subject(crm: CRM, item: Reminding) -> str:
    between = "Second reminder" if item.level == 2 else f"Reminder {item.level}"
    word = "Payment reminder" if item.is_first else "Last reminder" if item.is_last else between
    company = crm.settings["company_name"]
    return f"{word}{f' from {company}' if company else ''}"


def _opening(item: Reminding) -> str:
    """The sentence above the list, where the team has no words of its own."""
    if item.is_first:
        first = "This is a reminder that the following is still unpaid."
    elif item.is_last:
        first = "Despite our reminders, the following is still unpaid. Please pay it now."
    else:
        first = "We have not received your payment for the following yet. Please pay it as soon as possible."
    return f"Dear Sir or Madam,\n\n{first}"


def _list(crm: CRM, item: Reminding) -> str:
    """The open amount, with the fee and the interest, by when and where it is paid."""
    lines: list[str] = []
    for invoice, reminder in item.due:
        by = in_currency(crm.conventions, invoice.currency)
        extra = "".join(
            f", {word} {by.money(amount)}" for word, amount in (("fee", reminder.fee), ("interest", reminder.interest))
            if amount
        )  # fmt: skip
        lines.append(f"- {invoice.number}, due on {by.day(invoice.due_on)}: {by.money(invoice.open)}{extra}")
    if len(item.due) > 1 or any(part.fee or part.interest for part in item.asked):
        altogether = " and ".join(
            in_currency(crm.conventions, part.currency).money(part.open + part.fee + part.interest)
            for part in item.asked
        )
        lines += ["", f"Total: {altogether}."]
    by = crm.conventions
    lines += ["", f"Please pay by {by.day(max(reminder.new_due_on for _, reminder in item.due))}."]
    if account := grouped_iban(crm.settings["iban"]) or crm.settings["bank_account"]:
        lines.append(f"Our account: {account}")
    lines += ["", "If you have paid in the meantime, thank you.", "", crm.settings["company_name"] or crm.me]
    return "\n".join(lines)


@command("reminders skip", title="Skip a reminder", menu="unpaid", hint="None for an invoice until a date")
def skip(
    crm: CRM,
    invoice: TheInvoice,
    until: Annotated[date | None, Day(past=False), About("Until", "a week from today by default")] = None,
) -> Invoice:
    """Send no reminders for an invoice until a date."""
    day = until or crm.today + timedelta(days=7)
    return crm.transact(lambda tx: _noted(tx, invoice, "until", not_before=day), f"skipped {invoice.number}")


@command("reminders promise", title="Note a promise to pay", menu="unpaid", hint="A date, and no reminders before it")
def promise(
    crm: CRM,
    invoice: TheInvoice,
    day: Annotated[date, Day(past=False), About("Day", "when the client will pay", positional=True)],
) -> Invoice:
    """Record a client's promise to pay an invoice; no reminder is sent until that date has passed."""
    what = f"noted a promise for {invoice.number}"
    return crm.transact(lambda tx: _noted(tx, invoice, "day", promised_on=day), what)


def _noted(tx: Transaction, invoice: Invoice, field: str, **values: date) -> Invoice:
    """An invoice with a day noted. Raises RefusedError where nothing is open on it."""
    current = tx.get(Invoice, invoice.id)
    if current.open <= 0:
        state = shown_state(current, tx.today)
        raise RefusedError(f"Nothing is open on {current.number or f'draft {current.id}'}: it is {state}.")
    if next(iter(values.values())) < tx.today:
        raise FieldError("that day has passed", field=field, label=field.capitalize())
    return tx.change(current, **values)
