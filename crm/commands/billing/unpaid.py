"""Unpaid invoices by client, with their age, and the account of a client."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from crm.batching import batches
from crm.commands.billing.amounts import OfCurrency, amounts_in
from crm.commands.billing.own_account import is_of_client, own_credit
from crm.commands.billing.sending import BCC, CC, To, as_body, in_currency, plain_text
from crm.commands.client_selection import TheClient
from crm.commands.context import CRM
from crm.commands.list_parameters import Limit, Offset, Since, Until, in_order, most
from crm.commands.mail import outbox
from crm.commands.mail.composing import Written, previewed
from crm.commands.mail.messages import MessageCard, tried
from crm.commands.record_names import names_of
from crm.commands.registry import EVERYBODY, About, command
from crm.errors import confirmation
from crm.invoicing.dunning import days_overdue
from crm.invoicing.statement import AGES, Entry, Statement, by_age, statement
from crm.model import Client, Conventions, Invoice, Payment, Reminder
from crm.model.encoding import plain
from crm.model.fields import Whole
from crm.model.money import NOTHING
from crm.repository import Query, Snapshot
from crm.repository.queries import billing

_NOUNS = {"invoice": "invoice", "credit_note": "credit note"}


@dataclass(frozen=True, slots=True)
class Unpaid:
    """The debt of a client in a currency: open, and of it what is not due yet and what has been due for how long; the
    first day on which some of it is or was due (`due_on`)."""

    client: int
    client_name: str
    open: Decimal
    overdue: Decimal
    not_due: Decimal
    to_30: Decimal
    to_60: Decimal
    to_90: Decimal
    over_90: Decimal
    oldest_days: int
    due_on: date | None
    reminded_on: date | None
    promised_on: date | None
    currency: str
    # What the client has paid and no invoice has taken yet, in this currency.
    credit: Decimal = NOTHING

    def as_json(self) -> dict[str, Any]:
        """The row as scripts read it; `credit` is there only where there is any."""
        row = {item.name: getattr(self, item.name) for item in fields(self) if item.name != "credit" or self.credit}
        return row | amounts_in(
            self.currency, **{name: value for name, value in row.items() if isinstance(value, Decimal)}
        )


@dataclass(frozen=True, slots=True)
class ClientStatement:
    """The account of a client in a period, in a currency. `fees` and `interest` were asked for in the last reminder up
    to its end, where what it asked for is still open; they are no part of the balance, as no invoice has them."""

    client: Client
    statement: Statement
    currency: str
    fees: Decimal = NOTHING
    interest: Decimal = NOTHING
    # What is open by how long it has been due; nothing for one that ends before today.
    ages: Mapping[str, Decimal] = field(default_factory=dict)
    # What is open in other currencies; nothing for one that ends before today.
    elsewhere: Mapping[str, Decimal] = field(default_factory=dict)
    credit_elsewhere: Mapping[str, Decimal] = field(default_factory=dict)

    def open_elsewhere(self, by: Conventions) -> str:
        """The amounts open in other currencies, and the client's credit there, in sentences; '' for none."""
        sentences = []
        for word, sums in (("Open", self.elsewhere), ("Credit", self.credit_elsewhere)):
            amounts = [in_currency(by, currency).money(amount) for currency, amount in sums.items()]
            sentences += [f"{word} in other currencies: {', '.join(amounts)}."] if amounts else []
        return " ".join(sentences)

    def by_age(self, by: Conventions) -> str:
        """The open amount by how long it has been due, in words; '' for nothing."""
        listed = [f"{words} {by.money(amount)}" for name, words, _ in AGES if (amount := self.ages.get(name))]
        return f"Open: {', '.join(listed)}." if listed else ""

    def as_json(self) -> dict[str, Any]:
        """The account, with the decimals of its currency."""
        account, currency = self.statement, self.currency
        lines = [
            {
                "entry": {**plain(line.entry), **amounts_in(currency, amount=line.entry.amount)},
                **amounts_in(currency, change=line.change, balance=line.balance),
            }
            for line in account.lines
        ]
        ends = amounts_in(currency, opening=account.opening, closing=account.closing)
        return {
            "client": plain(self.client),
            "statement": {"since": account.since, "until": account.until, **ends, "lines": lines},
            "currency": currency,
            **amounts_in(currency, fees=self.fees, interest=self.interest),
            "ages": amounts_in(currency, **self.ages),
            "elsewhere": [
                {"currency": other, **amounts_in(other, open=amount)} for other, amount in self.elsewhere.items()
            ],
            "credit_elsewhere": [
                {"currency": other, **amounts_in(other, credit=amount)}
                for other, amount in self.credit_elsewhere.items()
            ],
        }

    def asked_beside(self, by: Conventions) -> str:
        """The fees and the interest in a sentence, '' for none; `by` has the currency of the account."""
        parts = [("fees", self.fees), ("interest", self.interest)]
        listed = " and ".join(f"{word} of {by.money(amount)}" for word, amount in parts if amount)
        return f"The last reminder also asked for {listed}, which is not part of this balance." if listed else ""


def _totals(crm: CRM, arguments: Mapping[str, Any]) -> str:
    """The totals by currency of all that is listed, in a line, however much of it a page shows."""
    parts = []
    with crm.read() as snapshot:
        totals = billing.unpaid_totals(snapshot, days=arguments.get("days", 0))
    for currency, still, overdue in totals:
        by = in_currency(crm.conventions, currency)
        parts.append(f"{by.money(still)} open" + (f", {by.money(overdue)} overdue" if overdue else ""))
    return f"Total: {'; '.join(parts)}" if parts else ""


@command("unpaid list", title="Unpaid", menu="unpaid", beside=_totals, nothing="No unpaid invoices.")
def list_all(
    crm: CRM,
    days: Annotated[
        int, Whole(most=3650), About("Days", "only clients who have owed something for at least this many")
    ] = 0,
    limit: Limit = 0,
    offset: Offset = 0,
) -> list[Unpaid]:
    """List what each client owes and since when, most overdue first; each currency separately. A client's credit in
    another currency than the team's is listed too, at the end if nothing is open in it."""
    with crm.read() as snapshot:
        rows = billing.unpaid_by_client(snapshot, days=days, limit=most(limit), offset=offset)
        clients = {row.client for row in rows}
        names = names_of(snapshot, Client, clients, crm.conventions)
        credits = billing.credit_by_currency(snapshot, clients) if clients else {}
        return [
            Unpaid(
                row.client, names.get(row.client, ""), row.open,
                sum((row.to_30, row.to_60, row.to_90, row.over_90), NOTHING), row.not_due, row.to_30, row.to_60,
                row.to_90, row.over_90, days_overdue(row.first_due, snapshot.today), row.first_due, row.reminded_on,
                row.promised_on, row.currency, credits.get(row.client, {}).get(row.currency, NOTHING),
            )
            for row in rows
        ] + ([] if days else _credit_alone(crm, snapshot, len(rows), most(limit), offset))  # fmt: skip


def _credit_alone(crm: CRM, snapshot: Snapshot, count: int, limit: int, offset: int) -> list[Unpaid]:
    """The rows of a page behind those of the debts, of which it has a number already."""
    if count == limit:
        return []
    debts = offset + count if count or not offset else len(billing.unpaid_by_client(snapshot, limit=offset))
    team = crm.settings["currency"]
    rows = billing.credit_alone(snapshot, team, limit=limit - count, offset=max(offset - debts, 0))
    names = names_of(snapshot, Client, {client for client, _, _ in rows}, crm.conventions)
    return [
        Unpaid(
            client, names.get(client, ""), open=NOTHING, overdue=NOTHING, not_due=NOTHING, to_30=NOTHING, to_60=NOTHING,
            to_90=NOTHING, over_90=NOTHING, oldest_days=0, due_on=None, reminded_on=None, promised_on=None,
            currency=currency, credit=credit,
        )
        for client, currency, credit in rows
    ]  # fmt: skip


@command(
    "statements show",
    title="Show a statement",
    menu="unpaid",
    hint="All invoices and payments of a client",
    roles=EVERYBODY,
)
def show(
    crm: CRM, client: TheClient, since: Since = None, until: Until = None, currency: OfCurrency = ""
) -> ClientStatement:
    """Show the account of a client: invoices, credit notes, payments and refunds by date, with the balance.

    It is in the team's currency, or in the client's own if there is nothing in that.
    """
    in_order(since, until)
    with crm.read() as snapshot:
        return statement_of(crm, snapshot, snapshot.get(Client, client.id), since, until, currency)


def statement_of(
    crm: CRM, snapshot: Snapshot, client: Client, since: date | None, until: date | None, currency: str
) -> ClientStatement:
    """The account of a client in a currency, the first of its own where none is named."""
    currency = currency or own_currencies(crm, snapshot, client)[0]
    all_issued = snapshot.find_all(Invoice, Query({"client": client.id, "state": "issued"}))
    # Numbers are given in order; drafts are issued in any.
    issued = sorted(
        (invoice for invoice in all_issued if invoice.currency == currency),
        key=lambda invoice: (len(invoice.number), invoice.number),
    )
    entries = [
        Entry(on=invoice.issued_on, kind=_NOUNS[invoice.kind], reference=invoice.number, amount=invoice.total,
              id=place)
        for place, invoice in enumerate(issued)
        if invoice.issued_on
    ]  # fmt: skip
    entries += [
        Entry(on=payment.on, kind=payment.kind, reference=payment.reference, amount=payment.amount, id=payment.id)
        for payment in snapshot.find_all(Payment, Query({"client": client.id, "currency": currency}))
        if payment.on
    ]
    account = statement(entries, since=since, until=until or snapshot.today)
    still = [invoice.id for invoice in issued if invoice.open > 0 and invoice.reminded]
    reminders = _last_reminders(snapshot, still, {invoice.id for invoice in issued}, account.until)
    fees = sum((reminder.fee for reminder in reminders), NOTHING)
    interest = sum((item.interest for item in reminders), NOTHING)
    # How it was on a day of the past is not kept.
    is_current = account.until >= snapshot.today
    ages = by_age([(invoice.due_on, invoice.open) for invoice in issued], snapshot.today) if is_current else {}
    elsewhere: dict[str, Decimal] = {}
    for invoice in all_issued if is_current else ():
        if invoice.currency != currency and invoice.open > 0:
            elsewhere[invoice.currency] = elsewhere.get(invoice.currency, NOTHING) + invoice.open
    credits: Mapping[str, Decimal] = {}
    if is_current:
        own = is_of_client(crm)
        credits = own_credit(snapshot) if own else billing.credit_by_currency(snapshot, {client.id}).get(client.id, {})
    credit_elsewhere = {
        other: amount for other, amount in sorted(credits.items()) if other != currency and amount > NOTHING
    }
    return ClientStatement(
        client, account, currency, fees, interest, ages, dict(sorted(elsewhere.items())), credit_elsewhere
    )


def own_currencies(crm: CRM, snapshot: Snapshot, client: Client) -> Sequence[str]:
    """The currencies in which a client has an account, that of the team first; that one alone where there is nothing
    yet."""
    team = crm.settings["currency"]
    issued = snapshot.find_all(Invoice, Query({"client": client.id, "state": "issued"}))
    payments = snapshot.find_all(Payment, Query({"client": client.id}))
    currencies = {invoice.currency for invoice in issued} | {payment.currency for payment in payments}
    return sorted(currencies, key=lambda currency: (currency != team, currency)) or [team]


def _last_reminders(
    snapshot: Snapshot, still_open: Sequence[int], of_account: Collection[int], until: date
) -> Sequence[Reminder]:
    """All that the last e-mail up to a day reminded of, of the invoices of an account, where some of it is still open:
    a fee is beside one of them only."""
    reminders = [
        reminder
        for some in batches(still_open)
        for reminder in snapshot.find_all(Reminder, Query({"invoice": some}))
        if reminder.on and reminder.on <= until
    ]
    if not reminders:
        return ()
    last = max(reminders, key=lambda reminder: (reminder.on, reminder.id))
    if not last.message:
        return [last]
    together = snapshot.find_all(Reminder, Query({"message": last.message}))
    return [reminder for reminder in together if reminder.invoice in of_account]


@command("statements send", title="Send a statement", menu="unpaid", hint="The same, by e-mail")
def send(
    crm: CRM,
    client: TheClient,
    since: Since = None,
    until: Until = None,
    currency: OfCurrency = "",
    to: To = (),
    cc: CC = (),
    bcc: BCC = (),
    yes: bool = False,
) -> MessageCard:
    """Send a client its statement by e-mail, after a preview."""
    in_order(since, until)
    outbox.refuse_unsendable(crm)
    with crm.read() as snapshot:
        account = statement_of(crm, snapshot, snapshot.get(Client, client.id), since, until, currency)
        company = crm.settings["company_name"]
        written = Written(
            client=account.client, subject=plain_text(f"Statement of account{f' from {company}' if company else ''}"),
            body=as_body("\n".join(["Statement of account", "", *_as_lines(crm, account)])),
            to=to or tuple(filter(None, [account.client.invoice_email])), cc=cc, bcc=bcc,
        )  # fmt: skip
        preview = previewed(crm, snapshot, written)
    if not yes:
        question = f"{preview.full_text}\n\nSend this to {account.client.name}?"
        raise confirmation(question, "Send it", destructive=True)
    queued = crm.transact(lambda tx: outbox.queue(tx, crm, preview.draft), f"sent a statement to {account.client.name}")
    return tried(crm, queued)


def _as_lines(crm: CRM, of_client: ClientStatement) -> Sequence[str]:
    by, account = in_currency(crm.conventions, of_client.currency), of_client.statement
    lines = [f"- opening balance: {by.money(account.opening)}"] if account.since else []
    for line in account.lines:
        what = f"{line.entry.kind} {line.entry.reference}".strip()
        balance = by.money(line.balance)
        lines.append(f"- {by.day(line.entry.on)}, {what}: {by.money(line.change)}, balance {balance}")
    lines.append(f"- balance on {by.day(account.until)}: {by.money(account.closing)}")
    for beside in (of_client.by_age(by), of_client.asked_beside(by), of_client.open_elsewhere(by)):
        lines += ["", beside] if beside else []
    return lines
