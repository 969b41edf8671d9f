"""Payments: recorded, put on the invoices that they pay, and refunded; what is left of them is the client's credit."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from crm.commands.billing.amounts import AmountOfAnyCurrency, amounts_in, refuse_too_exact
from crm.commands.billing.own_account import is_of_client, own_credit, own_left
from crm.commands.client_selection import MaybeClient, TheClient
from crm.commands.context import CRM
from crm.commands.list_parameters import Limit, Offset, Since, Sort, Until, in_order, most
from crm.commands.record_names import names_of
from crm.commands.registry import EVERYBODY, About, command
from crm.config import Currency
from crm.errors import FieldError, Question, RefusedError
from crm.invoicing.payments import OpenInvoice, allocate
from crm.model import METHODS, PAYMENT_KINDS, Allocation, Client, Invoice, Payment
from crm.model.encoding import plain
from crm.model.fields import Choice, Day, Line
from crm.model.money import NOTHING
from crm.repository import Query, Snapshot, Transaction
from crm.repository.queries import billing

OfAmount = Annotated[Decimal, AmountOfAnyCurrency(), About("Amount", positional=True)]
Method = Annotated[str, Choice(METHODS), About("Method", ", ".join(METHODS))]
On = Annotated[date | None, Day(), About("Date", "today by default")]
Reference = Annotated[str, Line(140), About("Reference", "as on the bank statement")]
OfPayment = Annotated[str, Currency(), About("Currency", "the currency of the invoices, otherwise the team's")]
Invoices = Annotated[Sequence[Invoice], About("Invoice", "its number; may be given again")]
TRANSFER = "bank transfer"


@dataclass(frozen=True, slots=True)
class PaymentCard:
    """A payment with its client and the invoices that it is on, each with the part of it."""

    payment: Payment
    client: Client
    parts: Sequence[tuple[Invoice, Decimal]]
    # What is still left of it, and the credit of the client in its currency.
    left: Decimal
    credit: Decimal

    def as_json(self) -> dict[str, Any]:
        """The payment's own fields, its client's name, and its parts by invoice."""
        currency = self.payment.currency
        parts = [
            {
                "invoice": invoice.id,
                "number": invoice.number,
                **amounts_in(currency, amount=amount, open=invoice.open),
            }
            for invoice, amount in self.parts
        ]
        return {
            **plain(self.payment),
            **amounts_in(currency, left=self.left),
            "client_name": self.client.name,
            **amounts_in(currency, client_credit=self.credit),
            "allocations": parts,
        }


@dataclass(frozen=True, slots=True)
class PaymentShown:
    """A payment of a list, with the name of its client, the numbers of the invoices that it is on, and what is still
    left of it."""

    payment: Payment
    client: str
    invoices: Sequence[str]
    left: Decimal

    def as_json(self) -> dict[str, Any]:
        """The payment's own fields, what is still left of it, and beside them the names."""
        names = {"client_name": self.client, "invoices": list(self.invoices)}
        return {**plain(self.payment), **amounts_in(self.payment.currency, left=self.left), **names}


@command("payments add", title="Record a payment", menu="payments")
def add(
    crm: CRM,
    client: TheClient,
    amount: OfAmount,
    method: Method = TRANSFER,
    on: On = None,
    reference: Reference = "",
    invoice: Invoices = (),
    currency: OfPayment = "",
    note: Annotated[str, Line(500), About("Note")] = "",
    duplicate_ok: Annotated[bool, About("Record anyway", "even if the same payment is already recorded")] = False,
) -> PaymentCard:
    """Record a payment. It pays the invoices you name, or those due first; the rest becomes the client's
    credit. Its currency is that of the invoices you name, or the team's."""
    _refuse_nothing(amount)

    def change(tx: Transaction) -> PaymentCard:
        day = on or tx.today
        of_payment = currency or (invoice[0].currency if invoice else crm.settings["currency"])
        refuse_too_exact(crm, amount, of_payment)
        if not duplicate_ok:
            ask_about_double(tx, client, amount, of_payment, day, reference)
        return recorded(
            crm,
            tx,
            Payment(
                client=tx.get(Client, client.id).id,
                kind="payment",
                on=day,
                amount=amount,
                currency=of_payment,
                method=method or TRANSFER,
                reference=reference,
                note=note,
                user=crm.me,
            ),
            invoice,
        )

    return crm.transact(change, f"recorded a payment of {client.name}")


def recorded(crm: CRM, tx: Transaction, payment: Payment, invoices: Sequence[Invoice] = ()) -> PaymentCard:
    """Add a payment, and put it on the invoices that are named, else on those that are due first."""
    added = tx.add(payment)
    _use(tx, added, added.amount, [invoice.id for invoice in invoices] or None)
    return card_of(crm, tx, added)


def _refuse_nothing(amount: Decimal) -> None:
    if not amount:
        raise FieldError("give an amount above 0", field="amount", label="Amount")


def ask_about_double(
    tx: Transaction, client: Client, amount: Decimal, currency: str, on: date, reference: str | None
) -> None:
    """Raise Question where the same payment is recorded already; without a reference to compare, whatever its own."""
    same = {"client": client.id, "kind": "payment", "on": on, "amount": amount, "currency": currency}
    if alike := tx.find_all(Payment, Query(same if reference is None else {**same, "reference": reference})):
        what = "same day and amount" if reference is None else "same day, amount and reference"
        raise Question(
            f"The same payment from {client.name} is already recorded: {what}.",
            parameter="duplicate_ok",
            choices={"yes": "Record it as well"},
            yes="yes",
            records=alike,
            kind="duplicates",
        )


def _open_invoices(tx: Transaction, client: int, currency: str) -> list[OpenInvoice]:
    """The invoices of a client on which something is open."""
    issued = tx.find_all(Invoice, Query({"client": client, "state": "issued", "kind": "invoice", "currency": currency}))
    return [
        OpenInvoice(id=invoice.id, open=invoice.open, issued_on=invoice.issued_on, due_on=invoice.due_on)
        for invoice in issued
        if invoice.open > 0 and invoice.issued_on
    ]


def _use(tx: Transaction, payment: Payment, amount: Decimal, named: Sequence[int] | None) -> Decimal:
    """Put an amount of a payment on the invoices that are named, else on those that are due first, and return how
    much of it was used. Raises FieldError for one that cannot take any."""
    for number in named or ():
        invoice = tx.get(Invoice, number)
        name = invoice.number or f"draft {invoice.id}"
        reason = ""
        if invoice.client != payment.client:
            reason = f"{name} belongs to another client"
        elif invoice.currency != payment.currency and invoice.state == "issued":
            reason = f"{name} is in {invoice.currency}, and the payment in {payment.currency}"
        if reason:
            raise FieldError(reason, field="invoice", label="Invoice")
        _refuse_unpayable(invoice)
    used = allocate(amount, _open_invoices(tx, payment.client, payment.currency), named)
    for number, part in used.amounts.items():
        tx.add(Allocation(payment=payment.id, invoice=number, amount=part))
    tx.settle()
    return amount - used.credit


def card_of(crm: CRM, snapshot: Snapshot, payment: Payment) -> PaymentCard:
    """A payment as it is shown."""
    current = snapshot.get(Payment, payment.id)
    allocations = snapshot.find_all(Allocation, Query({"payment": payment.id}, sort="id"))
    parts = [(snapshot.get(Invoice, allocation.invoice), allocation.amount) for allocation in allocations]
    client = snapshot.get(Client, current.client)
    if is_of_client(crm):
        left, credit = own_left(snapshot).get(current.id, NOTHING), own_credit(snapshot).get(current.currency, NOTHING)
    else:
        left = billing.left_of_payments(snapshot, [current.client]).get(current.id, NOTHING)
        credit = credit_of(snapshot, client, current.currency)
    return PaymentCard(current, client, parts, left, credit)


def paid_on(snapshot: Snapshot, invoice: Invoice) -> Sequence[tuple[Payment, Decimal]]:
    """The payments on an invoice, the latest first, each with what it pays of it."""
    allocations = snapshot.find_all(Allocation, Query({"invoice": invoice.id}, sort="-id"))
    return [(snapshot.get(Payment, allocation.payment), allocation.amount) for allocation in allocations]


def credit_of(snapshot: Snapshot, client: Client, currency: str) -> Decimal:
    """The credit of a client in a currency."""
    return billing.credit_by_currency(snapshot, [client.id]).get(client.id, {}).get(currency, NOTHING)


@command("payments list", title="Payments", menu="payments", roles=EVERYBODY, nothing="No payments found.")
def list_all(
    crm: CRM,
    client: MaybeClient = None,
    since: Since = None,
    until: Until = None,
    kind: Annotated[str, Choice(PAYMENT_KINDS), About("Kind", "payment or refund")] = "",
    method: Method = "",
    sort: Sort = "",
    limit: Limit = 0,
    offset: Offset = 0,
) -> list[PaymentShown]:
    """List payments and refunds, the newest first."""
    in_order(since, until)
    conditions = {"client": client.id if client else 0, "kind": kind, "method": method}
    filters = {name: value for name, value in conditions.items() if value}
    with crm.read() as snapshot:
        payments = snapshot.find_all(Payment, Query(filters, "", since, until, sort, most(limit), offset))
        names = names_of(snapshot, Client, {payment.client for payment in payments}, crm.conventions)
        invoices: dict[int, list[int]] = {}
        if payments:
            for allocation in snapshot.find_all(Allocation, Query({"payment": [item.id for item in payments]})):
                invoices.setdefault(allocation.payment, []).append(allocation.invoice)
        clients = {payment.client for payment in payments}
        left = own_left(snapshot) if is_of_client(crm) else billing.left_of_payments(snapshot, clients)
        wanted_numbers = {number for some in invoices.values() for number in some}
        numbers = names_of(snapshot, Invoice, wanted_numbers, crm.conventions)
    return [
        PaymentShown(
            payment,
            names.get(payment.client, ""),
            [numbers[invoice] for invoice in invoices.get(payment.id, ())],
            left.get(payment.id, NOTHING),
        )
        for payment in payments
    ]


@command("payments show", title="Show a payment", roles=EVERYBODY)
def show(crm: CRM, payment: Annotated[Payment, About("Payment", "its number", positional=True)]) -> PaymentCard:
    """Show a payment and the invoices it pays."""
    with crm.read() as snapshot:
        return card_of(crm, snapshot, payment)


@command("payments allocate", title="Apply credit to invoices")
def put(
    crm: CRM,
    payment: Annotated[Payment, About("Payment", "its number", positional=True)],
    invoice: Invoices = (),
    amount: Annotated[
        Decimal | None, AmountOfAnyCurrency(), About("Amount", "everything left of it by default")
    ] = None,
) -> PaymentCard:
    """Apply the rest of a payment to invoices: those you name, or those due first. What a payment paid on an
    invoice that was credited later can be used again."""
    if amount is not None:
        _refuse_nothing(amount)

    def change(tx: Transaction) -> PaymentCard:
        current = tx.get(Payment, payment.id)
        if current.kind == "refund":
            raise RefusedError("A refund cannot be applied to invoices. Nothing was changed.")
        free = billing.left_of_payments(tx, [current.client]).get(current.id, NOTHING)
        _free(tx, current)
        if amount is not None:
            refuse_too_exact(crm, amount, current.currency)
        if amount is not None and amount > free:
            left = replace(crm.conventions, currency=current.currency).money(free)
            raise FieldError(f"only {left} of it is left", field="amount", label="Amount")
        if free <= 0:
            raise RefusedError("This payment has no credit left. Nothing was changed.")
        if not _use(tx, current, free if amount is None else amount, [item.id for item in invoice] or None):
            client = tx.get(Client, current.client)
            raise RefusedError(f"{client.name} has no unpaid invoices in {current.currency}. Nothing was changed.")
        return card_of(crm, tx, current)

    return crm.transact(change, f"applied payment {payment.id} to invoices")


@dataclass(frozen=True, slots=True)
class CreditUsed:
    """The credit of a client that was used for an invoice: how much, and what is left of it."""

    invoice: Invoice
    client: Client
    amount: Decimal
    credit: Decimal

    def as_json(self) -> dict[str, Any]:
        """The invoice, its client, and the amounts."""
        invoice = self.invoice
        return {
            "invoice": invoice.id,
            "number": invoice.number,
            "client": self.client.id,
            "client_name": self.client.name,
            "currency": invoice.currency,
            **amounts_in(invoice.currency, amount=self.amount, open=invoice.open, client_credit=self.credit),
        }


@command("payments use-credit", title="Use the client's credit", menu="")
def use_credit(
    crm: CRM, invoice: Annotated[Invoice, About("Invoice", "its number, or that of a draft", positional=True)]
) -> CreditUsed:
    """Pay an open invoice from its client's credit, oldest payment first."""

    def change(tx: Transaction) -> CreditUsed:
        before = tx.get(Invoice, invoice.id)
        _refuse_unpayable(before)
        left = billing.left_of_payments(tx, [before.client])
        payments = [tx.get(Payment, number) for number in left]
        of_currency = [payment for payment in payments if payment.currency == before.currency and left[payment.id]]
        for payment in sorted(of_currency, key=lambda payment: (payment.on, payment.id)):
            if still := tx.get(Invoice, invoice.id).open:
                _free(tx, payment)
                _use(tx, payment, min(still, left[payment.id]), [invoice.id])
        after, client = tx.get(Invoice, invoice.id), tx.get(Client, before.client)
        if after.open == before.open:
            raise RefusedError(f"{client.name} has no credit in {before.currency}. Nothing was changed.")
        return CreditUsed(after, client, before.open - after.open, credit_of(tx, client, after.currency))

    return crm.transact(change, f"used credit for {invoice.number}")


def _refuse_unpayable(invoice: Invoice) -> None:
    """Raise FieldError for an invoice that takes no payment."""
    reason = ""
    if invoice.state != "issued" or invoice.kind != "invoice":
        reason = f"{invoice.number or f'draft {invoice.id}'} is not an issued invoice"
    elif invoice.open <= 0:
        reason = f"nothing is left to pay on {invoice.number}"
    if reason:
        raise FieldError(reason, field="invoice", label="Invoice")


def _free(tx: Transaction, payment: Payment) -> None:
    """Take a payment off invoices that need it no more, as they were credited."""
    for number, part in billing.freed_of(tx, payment.id).items():
        allocation = tx.find(Allocation, number)
        if allocation is None or allocation.payment != payment.id:
            continue
        invoice = tx.get(Invoice, allocation.invoice)
        tx.change(invoice, used_again=invoice.used_again + part)
        if part == allocation.amount:
            tx.delete(allocation)
        else:
            tx.change(allocation, amount=allocation.amount - part)
        tx.settle()


@command("payments refund", title="Record a refund", menu="payments", hint="Money that you paid back")
def refund(
    crm: CRM,
    client: TheClient,
    amount: OfAmount,
    method: Method = TRANSFER,
    on: On = None,
    reference: Reference = "",
    currency: OfPayment = "",
    note: Annotated[str, Line(500), About("Note")] = "",
) -> PaymentCard:
    """Record a refund to a client, from its credit in that currency."""
    _refuse_nothing(amount)

    def change(tx: Transaction) -> PaymentCard:
        current, of_refund = tx.get(Client, client.id), currency or crm.settings["currency"]
        refuse_too_exact(crm, amount, of_refund)
        credit = credit_of(tx, current, of_refund)
        if amount > credit:
            has = replace(crm.conventions, currency=of_refund).money(credit)
            raise RefusedError(f"{current.name} has a credit of {has}. You cannot refund more. Nothing was saved.")
        payment = tx.add(
            Payment(
                client=current.id,
                kind="refund",
                on=on or tx.today,
                amount=amount,
                currency=of_refund,
                method=method or TRANSFER,
                reference=reference,
                note=note,
                user=crm.me,
            )
        )
        tx.settle()
        return card_of(crm, tx, payment)

    return crm.transact(change, f"recorded a refund to {client.name}")
